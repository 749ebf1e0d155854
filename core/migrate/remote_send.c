/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Root and configuration go to another host, as one archive that can be made again byte for byte: a stream that was cut goes on where the other side has its end,
 * when what it has is what would be sent again. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "core/archive/export.h"
#include "core/migrate/remote.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/sha256.h"

#define TRIES		5
#define PAUSE_MS	1000		/* doubled each time */
#define LOOK_MS		200

/* One stream. What the other side has already only goes through a checksum. */
struct sending {
	struct migration *g;
	struct archive_content *content;
	const char *key;
	bool anew;			/* whatever the other side has */
	char sum[SHA256_TEXT];		/* of all, at the end */
	uint64_t at, have;
	char digest[SHA256_TEXT];	/* of what it has */
	struct sha256 *begin, *all;
	bool begun, differs;
};

/* ---- the stream ----------------------------------------------------------------------------- */

static int begin(struct sending *s, struct mrg_error *err)
{
	struct wire_message q = { .op = "send", .bytes = (int64_t)s->have };
	unsigned char digest[SHA256_SIZE];
	char text[SHA256_TEXT];

	s->begun = true;
	if (s->have > 0) {
		if (sha256_end(s->begin, digest) < 0)
			return fail_memory(err);
		s->differs = strcmp(sha256_text(digest, text), s->digest) != 0;
	}
	if (s->differs)
		return mrg_error_set(err, -ESTALE, "what '%s' has of the archive is of another one", s->g->j->host);
	return remote_tell(s->g, &q, err);
}

static int send_bytes(struct sending *s, const char *bytes, size_t length, struct mrg_error *err)
{
	int r = s->begun ? 0 : begin(s, err);

	while (r == 0 && length > 0) {
		size_t n = length < WIRE_CHUNK ? length : WIRE_CHUNK;

		r = wire_send_piece(&s->g->remote->wire, bytes, n, err);
		s->at += n;
		bytes += n;
		length -= n;
	}
	return r;
}

static int sink(void *data, const void *bytes, size_t length, struct mrg_error *err)
{
	struct sending *s = data;
	size_t known = s->at >= s->have ? 0 : s->have - s->at < length ? (size_t)(s->have - s->at) : length;

	sha256_add(s->all, bytes, length);
	if (known > 0)
		sha256_add(s->begin, bytes, known);
	s->at += known;
	return length > known ? send_bytes(s, (const char *)bytes + known, length - known, err) : 0;
}

/* The other side has got what was sent, all of it. */
static int finish(struct sending *s, struct mrg_error *err)
{
	unsigned char digest[SHA256_SIZE];
	struct wire_message a;
	int r;

	if (s->at < s->have) {
		s->differs = true;
		return mrg_error_set(err, -ESTALE, "'%s' has more of the archive than there is", s->g->j->host);
	}
	r = s->begun ? 0 : begin(s, err);
	if (r == 0)
		r = wire_send_piece(&s->g->remote->wire, "", 0, err);
	if (r == 0)
		r = remote_hear(s->g, &a, err);
	if (r < 0)
		return r;
	if (sha256_end(s->all, digest) < 0)
		return fail_memory(err);
	sha256_text(digest, s->sum);
	if (!a.digest || strcmp(a.digest, s->sum) != 0 || (uint64_t)a.bytes != s->at)
		return mrg_error_set(err, -EBADMSG, "the archive has not come to '%s' as it was sent", s->g->j->host);
	return 0;
}

static int report(const struct tree_progress *done, void *data)
{
	struct migration *g = data;
	const struct mrg_progress progress = {
		.step = "send", .text = g->j->host, .done = done->bytes, .size = g->parts->plan.bytes > done->bytes ? g->parts->plan.bytes : done->bytes,
	};

	return step_progress(g, &progress, NULL);
}

static int stream(struct sending *s, struct mrg_error *err)
{
	const struct tree_options options = { .portable = true, .map = &s->content->map, .progress = report, .data = s->g };
	struct tree_report ignored = { 0 };
	struct stream_writer w = { 0 };
	int r = sha256_new(&s->begin, err);

	if (r == 0)
		r = sha256_new(&s->all, err);
	if (r == 0)
		r = stream_writer_init(&w, sink, s, "zstd", err);
	if (r == 0)
		r = archive_content_write(s->content, &w, &options, &ignored, err);
	if (r == 0)
		r = finish(s, err);
	stream_writer_deinit(&w);
	tree_report_deinit(&ignored);
	s->begin = sha256_free(s->begin);
	s->all = sha256_free(s->all);
	return r;
}

/* ---- trying --------------------------------------------------------------------------------- */

/* What the other side has said before it took no more, if it has: then it would say so again. */
static int ask_why(struct sending *s, bool *ret_again, int failed, struct mrg_error *err)
{
	struct mrg_error ignored;
	struct wire_message a;

	if (!s->begun || s->g->remote->socket < 0 || wire_receive(&s->g->remote->wire, &a, &ignored) <= 0 || a.code >= 0 || !a.error)
		return failed;
	*ret_again = false;
	return mrg_error_set(err, a.code, "on '%s': %s", s->g->j->host, a.error);
}

/* *ret_again: what went wrong is the connection, or what the other side had, or somebody there still waits for more by a connection that is cut. */
static int try_once(struct sending *s, bool *ret_again, struct mrg_error *err)
{
	struct wire_message q = { .op = "offer", .key = s->key }, a;
	int r;

	s->at = s->have = 0;
	s->begun = s->differs = false;
	r = remote_ask(s->g, &q, &a, err);
	*ret_again = r < 0 && r != -ECANCELED && (r == -MRG_E_BUSY || remote_is_cut(s->g));
	if (r < 0)
		return r;
	if (!s->anew && a.digest && a.bytes > 0) {
		s->have = (uint64_t)a.bytes;
		snprintf(s->digest, sizeof(s->digest), "%s", a.digest);
	}
	r = stream(s, err);
	*ret_again = r < 0 && r != -ECANCELED && (s->differs || remote_is_cut(s->g));
	return *ret_again && !s->differs ? ask_why(s, ret_again, r, err) : r;
}

static int pause_for(struct migration *g, int ms, struct mrg_error *err)
{
	const struct mrg_progress progress = { .step = "send", .text = "the connection is broken: it is tried again" };
	int r = step_progress(g, &progress, err);

	for (; r == 0 && ms > 0; ms -= LOOK_MS) {
		poll(NULL, 0, LOOK_MS);
		r = step_progress(g, &progress, err);
	}
	return r;
}

/* Each stream that has brought something begins the count anew. */
static int try_again(struct sending *s, struct mrg_error *err)
{
	uint64_t furthest = 0;
	int r, tries = 0;
	bool again;

	while ((r = try_once(s, &again, err)) < 0 && again && tries < TRIES) {
		remote_close(s->g);
		s->anew = s->differs;
		if (s->begun && s->at > furthest) {
			furthest = s->at;
			tries = 0;
		}
		if (!s->anew && pause_for(s->g, PAUSE_MS << tries, err) < 0)
			return -ECANCELED;
		tries++;
	}
	return r;
}

/* ---- the step ------------------------------------------------------------------------------- */

/* Owners as the container sees them; where files lie under other ids there, they get those. */
static int sum_up(struct migration *g, struct archive_content *content, struct mrg_error *err)
{
	struct tree_options options = { .portable = true, .progress = report, .data = g };
	bool shifted;
	int r = archive_content_owners(content, mrg_container_spec(g->source), &shifted, err);

	options.map = &content->map;
	content->native = g->native ? strdup(g->native) : NULL;
	return r < 0 ? r : archive_content_sum(content, g->j->target.name, g->j->target.backend, g->spec, &options, err);
}

bool send_describe(const struct migration *g, struct buffer *b)
{
	buffer_addf(b, "send root and configuration to '%s': %" PRIu64 " MiB", g->j->host, g->parts->plan.bytes >> 20);
	return true;
}

int send_run(struct migration *g, struct mrg_error *err)
{
	_cleanup_close_ int root = source_root_open(g->j, err);
	struct archive_content content = { .root = root };
	char key[TREE_DIGEST_SIZE];
	struct sending s = { .g = g, .content = &content, .key = key };
	int r = root < 0 ? root : sum_up(g, &content, err);

	if (r == 0)
		r = archive_text_digest(content.manifest_text, key, err);
	if (r == 0)
		r = try_again(&s, err);
	if (r == 0)
		r = journal_set(g->j, &g->digest, s.sum, err);
	archive_content_deinit(&content);
	return r;
}
