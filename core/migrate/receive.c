/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container comes from another host: what that asks for, one request after the other. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>

#include "core/archive/import/import.h"
#include "core/container/home.h"
#include "core/migrate/receive.h"
#include "core/migrate/received.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"

struct receiver {
	struct mrg *m;
	struct wire wire;
	int dir;			/* STATE_DIR/received */
	struct part part;
	char digest[SHA256_TEXT];	/* of it */
	struct received one;		/* what has come and is not kept */
	char *home, *fields;		/* of the last answer */
};

struct request {
	const char *op;
	int (*run)(struct receiver *rx, const struct wire_message *q, struct wire_message *a, struct mrg_error *err);
};

static void spec_freep(struct mrg_spec **spec)
{
	mrg_spec_free(*spec);
}

static void container_freep(struct mrg_container **c)
{
	mrg_container_free(*c);
}

static int missing(const char *what, struct mrg_error *err)
{
	return mrg_error_set(err, -MRG_E_INVALID, "the other host does not say %s", what);
}

/* Nothing comes while an answer is waited for, except the end. */
static int is_cut(const struct mrg_progress *progress _unused_, void *data)
{
	struct receiver *rx = data;
	struct pollfd p = { .fd = rx->wire.in, .events = POLLIN | POLLRDHUP };
	int waiting = 0;

	if (poll(&p, 1, 0) == 1)
		rx->wire.cut |= p.revents & (POLLHUP | POLLRDHUP | POLLERR) || (ioctl(p.fd, FIONREAD, &waiting) == 0 && waiting == 0);
	return rx->wire.cut;
}

/* ---- lists ---------------------------------------------------------------------------------- */

static int split_lines(const char *text, char ***ret, struct mrg_error *err)
{
	while (text && *text) {
		_cleanup_free_ char *line = strndup(text, strcspn(text, "\n"));

		if (!line || strv_append(ret, line) < 0)
			return fail_memory(err);
		text += strlen(line) + (text[strlen(line)] == '\n');
	}
	return 0;
}

static int list_fields(struct receiver *rx, const struct mrg_fields *fields, struct mrg_error *err)
{
	struct buffer b = { 0 };

	for (unsigned int field = 0; field < MRG_FIELD_MAX; field++)
		if (mrg_fields_has(fields, field))
			buffer_addf(&b, "%s\n", mrg_field_info(field)->name);
	rx->fields = b.text;
	return b.failed ? fail_memory(err) : 0;
}

/* ---- before anything is done ------------------------------------------------------------------ */

static int find_home(struct receiver *rx, struct plugin *p, const struct wire_message *q, const struct mrg_spec *spec, struct mrg_error *err)
{
	const struct mrg_unit unit = { .name = q->name, .id = q->id, .spec = spec, .dir = -1, .path = q->path };
	int r = home_find(rx->m, p, &unit, &rx->home, err);

	if (r == 0 && access(rx->home, F_OK) == 0)
		r = mrg_error_set(err, -MRG_E_EXISTS, "there is something at '%s' already, where the root would go", rx->home);
	return r;
}

/* What the backend can do here, and whether the name is free. */
static int run_probe(struct receiver *rx, const struct wire_message *q, struct wire_message *a, struct mrg_error *err)
{
	const struct mrg_spec spec = { .ns_user = q->mapped ? (char *)"" : NULL };
	struct plugin *p = NULL;
	struct mrg_probe probe;
	int r = registry_load(rx->m, q->backend, &p, err);

	if (r == 0)
		r = backend_probe(p, &probe, err);
	if (r == 0)
		r = import_check_name(rx->m, q->backend, q->name, err);
	if (r == 0)
		r = find_home(rx, p, q, &spec, err);
	if (r == 0)
		r = list_fields(rx, &probe.fields, err);
	a->home = rx->home;
	a->fields = rx->fields;
	return r;
}

static uint64_t room(const char *path, unsigned long *ret_fs)
{
	_cleanup_free_ char *copy = strdup(path);
	struct statvfs fs = { 0 };
	int r = copy ? statvfs(copy, &fs) : 0;

	while (r < 0 && errno == ENOENT && strrchr(copy, '/') != copy) {
		*strrchr(copy, '/') = '\0';
		r = statvfs(copy, &fs);
	}
	*ret_fs = fs.f_fsid;
	return r < 0 ? UINT64_MAX : (uint64_t)fs.f_bavail * fs.f_frsize;
}

/* The archive, which may be as long as the root, lies beside it for a while. */
static int check_space(const struct receiver *rx, uint64_t needed, struct mrg_error *err)
{
	unsigned long of_root, of_archive;
	uint64_t for_root = room(rx->home, &of_root), for_archive = room(rx->m->state_dir, &of_archive);
	uint64_t least = for_root < for_archive ? for_root : for_archive;

	needed *= of_root == of_archive ? 2 : 1;
	if (needed <= least)
		return 0;
	return mrg_error_set(err, -ENOSPC, "root and archive need %" PRIu64 " MiB, there are %" PRIu64 " on the file system of '%s'", needed >> 20, least >> 20,
			     for_root < for_archive ? rx->home : rx->m->state_dir);
}

/* Whether a container of this spec could be here. */
static int run_check(struct receiver *rx, const struct wire_message *q, struct wire_message *a, struct mrg_error *err)
{
	_cleanup_(strv_freep) char **accept = NULL;
	_cleanup_(spec_freep) struct mrg_spec *spec = NULL;
	struct plugin *p = NULL;
	int r = q->spec ? split_lines(q->accept, &accept, err) : missing("what the container is", err);

	if (r == 0)
		r = registry_load(rx->m, q->backend, &p, err);
	if (r == 0)
		r = mrg_spec_parse(q->spec, strlen(q->spec), &spec, err);
	if (r == 0)
		r = import_accept(spec, (const char *const *)accept, err);
	if (r == 0)
		r = find_home(rx, p, q, spec, err);
	if (r == 0 && home_is_mapped(p, spec) && spec->uid_mappings.n == 0)
		r = home_map_users(spec, &(struct mrg_unit){ .name = q->name, .id = q->id, .dir = -1 }, NULL, err);
	/* Its place is not there yet; a backend may look whether a root has what the spec names, and finds nothing of it in here. */
	if (r == 0)
		r = mrg_spec_set(spec, MRG_FIELD_ROOT_PATH, rx->m->state_dir, err);
	if (r == 0)
		r = dispatch_check(p, spec, err);
	a->home = rx->home;
	return r < 0 ? r : check_space(rx, q->bytes < 0 ? 0 : (uint64_t)q->bytes, err);
}

/* ---- the archive -------------------------------------------------------------------------------- */

static int run_offer(struct receiver *rx, const struct wire_message *q, struct wire_message *a, struct mrg_error *err)
{
	int r = q->key ? part_open(&rx->part, rx->dir, q->key, rx->digest, err) : missing("what the archive holds", err);

	a->digest = rx->digest;
	a->bytes = (int64_t)rx->part.length;
	return r;
}

static int run_send(struct receiver *rx, const struct wire_message *q, struct wire_message *a, struct mrg_error *err)
{
	int r = rx->part.fd < 0 ? missing("what the archive holds", err) : part_receive(&rx->part, (uint64_t)q->bytes, &rx->wire, rx->digest, err);

	/* Pieces that nobody takes would be taken for requests. */
	rx->wire.cut |= r < 0;
	a->digest = rx->digest;
	a->bytes = (int64_t)rx->part.length;
	return r;
}

/* ---- the container ------------------------------------------------------------------------------ */

struct fitting {
	const struct wire_message *q;
	const struct mrg_spec *before;
	char **devices;
};

/* Files of the root that have to change with the engine. */
static int fit(int root, const struct mrg_spec *spec, void *data, struct mrg_error *err)
{
	const struct fitting *f = data;
	const struct guest_context x = {
		.root = root, .from = f->q->from, .to = f->q->backend, .before = f->before, .after = spec, .devices = f->devices,
	};
	struct guest_changes changes = { 0 };
	int r = guest_plan(&x, &changes, err);

	if (r == 0)
		r = guest_apply(root, &changes, err);
	guest_changes_deinit(&changes);
	return r;
}

static int import_part(struct receiver *rx, const struct fitting *f, char **accept, struct mrg_error *err)
{
	const struct import_wish wish = { .id = f->q->id, .fit = fit, .data = (void *)f };
	struct mrg_import import = {
		.name = f->q->name, .backend = f->q->backend, .accept = (const char *const *)accept, .transfer = { .progress = is_cut, .data = rx },
	};
	_cleanup_free_ char *file = NULL;
	char *path = rx->m->path;
	int r;

	if (asprintf(&file, "%s/" RECEIVED "/%s", rx->m->state_dir, rx->part.name) < 0) {
		file = NULL;
		return fail_memory(err);
	}
	import.source = file;
	rx->m->path = (char *)f->q->path;
	r = import_as(rx->m, &import, &wish, NULL, err);
	rx->m->path = path;
	return r;
}

static int run_import(struct receiver *rx, const struct wire_message *q, struct wire_message *a _unused_, struct mrg_error *err)
{
	_cleanup_(strv_freep) char **accept = NULL, **devices = NULL;
	_cleanup_(spec_freep) struct mrg_spec *before = NULL;
	struct fitting f = { .q = q };
	int r;

	if (!q->before || !q->from || !q->digest)
		return missing("where the container comes from", err);
	if (!rx->part.whole || strcmp(q->digest, rx->digest) != 0)
		return mrg_error_set(err, -EBADMSG, "the archive has not come as it was sent");
	r = split_lines(q->accept, &accept, err);
	if (r == 0)
		r = split_lines(q->devices, &devices, err);
	if (r == 0)
		r = mrg_spec_parse(q->before, strlen(q->before), &before, err);
	if (r == 0)
		r = received_begin(&rx->one, rx->dir, q, err);
	f.before = before;
	f.devices = devices;
	return r < 0 ? r : import_part(rx, &f, accept, err);
}

static int start(struct receiver *rx, struct migration *g, struct mrg_container *c, struct isolation *ret, struct mrg_error *err)
{
	struct mrg_status status;
	int r = mrg_start(c, NULL, err);

	g->progress = is_cut;
	g->data = rx;
	if (r >= 0)
		r = health_wait(g, c, err);
	if (r >= 0)
		r = mrg_container_status(c, &status, err);
	if (r < 0)
		return r;
	r = isolation_observe(status.pid, ret);
	return r < 0 ? fail_errno(err, r, "cannot see how '%s' is confined", g->j->target.name) : 0;
}

/* It is watched here, and judged there. */
static int run_start(struct receiver *rx, const struct wire_message *q, struct wire_message *a, struct mrg_error *err)
{
	const struct mrg_migrate how = { .health_command = q->health, .timeout_ms = q->timeout_ms };
	_cleanup_(container_freep) struct mrg_container *c = NULL;
	struct journal j = received_journal(q);
	struct migration g = { .m = rx->m, .j = &j, .how = &how };
	struct isolation seen = { 0 };
	int r = target_open(&g, &c, err);

	if (r == 0)
		r = start(rx, &g, c, &seen, err);
	a->filtered = seen.filtered;
	a->no_new_privs = seen.no_new_privs;
	a->root_is_root = seen.root_is_root;
	a->shared = seen.shared;
	a->caps = (int64_t)seen.caps;
	return r;
}

static int run_enable(struct receiver *rx, const struct wire_message *q, struct wire_message *a _unused_, struct mrg_error *err)
{
	_cleanup_(container_freep) struct mrg_container *c = NULL;
	struct journal j = received_journal(q);
	struct migration g = { .m = rx->m, .j = &j };
	int r = target_open(&g, &c, err);

	if (r == 0)
		r = mrg_autostart(c, 1, err);
	return r < 0 ? r : 0;
}

/* From here on it is this host's. */
static int run_keep(struct receiver *rx, const struct wire_message *q, struct wire_message *a _unused_, struct mrg_error *err)
{
	_cleanup_(container_freep) struct mrg_container *c = NULL;
	struct journal j = received_journal(q);
	struct migration g = { .m = rx->m, .j = &j };
	int r = target_open(&g, &c, err);

	if (r == 0)
		r = received_keep(&rx->one, rx->dir, err);
	if (r == 0 && rx->part.fd >= 0)
		unlinkat(rx->dir, rx->part.name, 0);
	return r;
}

static int run_state(struct receiver *rx, const struct wire_message *q, struct wire_message *a, struct mrg_error *err)
{
	_cleanup_(container_freep) struct mrg_container *c = NULL;
	struct journal j = received_journal(q);
	struct migration g = { .m = rx->m, .j = &j };
	struct mrg_status status;
	int r = target_open(&g, &c, err);

	if (r == -MRG_E_NOT_FOUND)
		return 0;
	if (r == 0)
		r = mrg_container_status(c, &status, err);
	if (r < 0)
		return r;
	a->found = true;
	a->running = state_is_alive(status.state);
	a->kept = faccessat(rx->dir, q->id, F_OK, AT_SYMLINK_NOFOLLOW) < 0;
	return 0;
}

static int run_undo(struct receiver *rx, const struct wire_message *q, struct wire_message *a _unused_, struct mrg_error *err)
{
	int r = received_wait(&rx->one, rx->dir, q->id, err);

	if (r == 0)
		r = received_undo(rx->m, rx->dir, q, err);
	return r < 0 ? r : received_forget(&rx->one, rx->dir, q->id);
}

/* ---- one after the other ------------------------------------------------------------------------- */

/* Requests about a container name it. */
static int check_request(const struct wire_message *q, struct mrg_error *err)
{
	if (!q->id || strlen(q->id) != 16 || strspn(q->id, "0123456789abcdef") != 16)
		return missing("which migration this is", err);
	if (!q->name || !name_is_valid(q->name) || !q->backend)
		return missing("the name of the container", err);
	return q->path && q->path[0] == '-' ? missing("where the engine keeps containers", err) : 0;
}

static int serve(struct receiver *rx, const struct wire_message *q, struct wire_message *a, struct mrg_error *err)
{
	static const struct request requests[] = {
		{ "probe", run_probe }, { "check", run_check }, { "offer", run_offer }, { "send", run_send }, { "import", run_import },
		{ "start", run_start }, { "enable", run_enable }, { "keep", run_keep }, { "state", run_state }, { "undo", run_undo },
	};
	int r = check_request(q, err);

	rx->home = (free(rx->home), NULL);
	rx->fields = (free(rx->fields), NULL);
	for (size_t i = 0; i < ARRAY_SIZE(requests) && r == 0; i++)
		if (q->op && strcmp(q->op, requests[i].op) == 0)
			return requests[i].run(rx, q, a, err);
	return r < 0 ? r : mrg_error_set(err, -MRG_E_UNSUPPORTED, "this version of moorage knows no request '%.40s'", q->op ? q->op : "");
}

static int serve_all(struct receiver *rx, struct mrg_error *err)
{
	struct wire_message q, a;
	int r;

	while ((r = wire_receive(&rx->wire, &q, err)) > 0) {
		struct mrg_error why = { 0 };

		a = (struct wire_message){ 0 };
		a.code = serve(rx, &q, &a, &why);
		a.error = a.code < 0 ? why.message : NULL;
		r = wire_send(&rx->wire, &a, err);
		if (r < 0 || rx->wire.cut)
			break;
	}
	return r < 0 ? r : 0;
}

int mrg_receive(struct mrg *m, int in, int out, struct mrg_error *err)
{
	struct receiver rx = { .m = m, .wire = { .in = in, .out = out }, .part.fd = -1, .one.note = -1 };
	int r;

	rx.dir = received_open(m, err);
	if (rx.dir < 0)
		return rx.dir;
	received_sweep(m, rx.dir);
	part_sweep(rx.dir);
	r = wire_greet(&rx.wire, err);
	if (r == 0)
		r = serve_all(&rx, err);
	/* What is not kept was nobody's. */
	received_end(m, &rx.one, rx.dir);
	part_close(&rx.part);
	wire_deinit(&rx.wire);
	free(rx.home);
	free(rx.fields);
	fd_close(rx.dir);
	return r;
}
