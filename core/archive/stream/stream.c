/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes in order, through gzip, xz or zstd. */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/archive/stream/stream.h"
#include "core/archive/stream/ahead.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"

static const struct stream_codec *const codecs[] = { &stream_gzip, &stream_xz, &stream_zstd };

bool stream_codec_of_name(const char *name, const char **ret)
{
	size_t length = strlen(name);

	*ret = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(codecs); i++)
		for (const char *const *suffix = codecs[i]->suffixes; suffix < codecs[i]->suffixes + 4 && *suffix; suffix++)
			if (length > strlen(*suffix) && strcmp(name + length - strlen(*suffix), *suffix) == 0) {
				*ret = codecs[i]->name;
				return true;
			}
	return length > 4 && strcmp(name + length - 4, ".tar") == 0;
}

/* ---- reading -------------------------------------------------------------------- */

ssize_t stream_source_fd(void *data, void *buffer, size_t size, struct mrg_error *err)
{
	ssize_t n;

	do
		n = read(*(int *)data, buffer, size);
	while (n < 0 && errno == EINTR);
	return n < 0 ? fail_errno(err, -errno, "cannot read the archive") : n;
}

/* More of what the source has, behind what is left of it. */
static int fill(struct stream_reader *r, struct mrg_error *err)
{
	ssize_t n;

	if (r->in_at > 0) {
		memmove(r->in, r->in + r->in_at, r->in_length - r->in_at);
		r->in_length -= r->in_at;
		r->in_at = 0;
	}
	if (r->in_end || r->in_length == STREAM_CHUNK)
		return 0;
	n = r->source(r->data, r->in + r->in_length, STREAM_CHUNK - r->in_length, err);
	if (n < 0)
		return (int)n;
	r->in_end = n == 0;
	r->in_length += (size_t)n;
	r->in_total += (uint64_t)n;
	return 0;
}

int stream_reader_init(struct stream_reader *r, stream_source source, void *data, struct mrg_error *err)
{
	int e = 0;

	*r = (struct stream_reader) { .source = source, .data = data, .in = malloc(STREAM_CHUNK), .out = malloc(STREAM_CHUNK) };
	if (!r->in || !r->out)
		return fail_memory(err);
	while (e == 0 && r->in_length < sizeof(r->codec->magic) && !r->in_end)
		e = fill(r, err);
	for (size_t i = 0; e == 0 && i < ARRAY_SIZE(codecs); i++)
		if (r->in_length >= codecs[i]->magic_length && memcmp(r->in, codecs[i]->magic, codecs[i]->magic_length) == 0)
			r->codec = codecs[i];
	return e == 0 && r->codec ? r->codec->decoder(&r->state, err) : e;
}

void stream_reader_deinit(struct stream_reader *r)
{
	stream_ahead_free(r->ahead);
	if (r->state)
		r->codec->decoder_free(r->state);
	free(r->in);
	free(r->out);
	*r = (struct stream_reader) { 0 };
}

/* One step of the codec: 1 and what it gave, perhaps nothing; 0 at the end. Several members follow each other; what is left at the end must be whole. */
static int decode(struct stream_reader *r, unsigned char *out, size_t *ret, struct mrg_error *err)
{
	struct stream_step step = { .out = out, .out_size = STREAM_CHUNK };
	int e = r->in_at == r->in_length ? fill(r, err) : 0;

	if (e < 0)
		return e;
	step.in = r->in + r->in_at;
	step.in_length = r->in_length - r->in_at;
	step.last = r->in_end;
	if (step.in_length == 0 && r->in_end && r->out_end)
		return 0;
	e = r->codec->decode(r->state, &step, err);
	if (e < 0)
		return e;
	if (step.in_used == 0 && step.out_used == 0 && !step.end) {
		if (r->in_end || step.in_length == STREAM_CHUNK)
			return mrg_error_set(err, -EBADMSG, "the archive is cut short: its %s data does not end", r->codec->name);
		e = fill(r, err);
		if (e < 0)
			return e;
	}
	r->in_at += step.in_used;
	r->out_end = step.end;
	*ret = step.out_used;
	return 1;
}

/* As stream_fill. */
static ssize_t unpack(void *data, unsigned char *out, struct mrg_error *err)
{
	struct stream_reader *r = data;
	size_t length = 0;
	int e = 1;

	while (e > 0 && length == 0)
		e = decode(r, out, &length, err);
	if (e < 0)
		return e;
	r->out_total += length;
	if (r->out_total > STREAM_BOMB_FROM && r->out_total / STREAM_BOMB > r->in_total) {
		mrg_error_set(err, -EFBIG, "the archive expands to more than %d times its size", STREAM_BOMB);
		return mrg_error_hint(err, "if it is to be trusted, unpack it with %s first", r->codec->name);
	}
	return (ssize_t)length;
}

static ssize_t next_unpacked(struct stream_reader *r, struct mrg_error *err)
{
	if (!r->ahead && !r->alone && r->out_total >= STREAM_ALONE) {
		r->ahead = stream_ahead_new(unpack, r);
		r->alone = !r->ahead;
	}
	if (r->ahead)
		return stream_ahead_next(r->ahead, &r->at, err);
	r->at = r->out;
	return unpack(r, r->out, err);
}

ssize_t stream_peek(struct stream_reader *r, const unsigned char **ret, struct mrg_error *err)
{
	if (!r->codec) {
		int e = r->in_at == r->in_length ? fill(r, err) : 0;

		if (e < 0)
			return e;
		*ret = r->in + r->in_at;
		return (ssize_t)(r->in_length - r->in_at);
	}
	if (r->left == 0) {
		ssize_t n = next_unpacked(r, err);

		if (n < 0)
			return n;
		r->left = (size_t)n;
	}
	*ret = r->at;
	return (ssize_t)r->left;
}

void stream_consume(struct stream_reader *r, size_t length)
{
	if (r->codec) {
		r->at += length;
		r->left -= length;
	} else {
		r->in_at += length;
	}
}

int stream_read(struct stream_reader *r, void *buffer, size_t length, struct mrg_error *err)
{
	size_t got = 0;

	while (got < length) {
		const unsigned char *data;
		ssize_t n = stream_peek(r, &data, err);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return got == 0 ? 0 : mrg_error_set(err, -EBADMSG, "the archive is cut short");
		n = (size_t)n < length - got ? n : (ssize_t)(length - got);
		memcpy((char *)buffer + got, data, (size_t)n);
		stream_consume(r, (size_t)n);
		got += (size_t)n;
	}
	return 1;
}

int stream_skip(struct stream_reader *r, uint64_t length, struct mrg_error *err)
{
	while (length > 0) {
		const unsigned char *data;
		ssize_t n = stream_peek(r, &data, err);

		if (n <= 0)
			return n < 0 ? (int)n : mrg_error_set(err, -EBADMSG, "the archive is cut short");
		n = (uint64_t)n < length ? n : (ssize_t)length;
		stream_consume(r, (size_t)n);
		length -= (uint64_t)n;
	}
	return 0;
}

int stream_finish(struct stream_reader *r, struct mrg_error *err)
{
	const unsigned char *data;
	ssize_t n = r->codec ? 1 : 0;

	while (n > 0 && (n = stream_peek(r, &data, err)) > 0)
		stream_consume(r, (size_t)n);
	return n < 0 ? (int)n : 0;
}

/* ---- writing -------------------------------------------------------------------- */

int stream_sink_fd(void *data, const void *bytes, size_t length, struct mrg_error *err)
{
	int r = fd_write_all(*(int *)data, bytes, length);

	return r < 0 ? fail_errno(err, r, "cannot write the archive") : 0;
}

int stream_writer_init(struct stream_writer *w, stream_sink sink, void *data, const char *codec, struct mrg_error *err)
{
	*w = (struct stream_writer) { .sink = sink, .data = data };
	if (!codec)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(codecs); i++)
		if (strcmp(codecs[i]->name, codec) == 0)
			w->codec = codecs[i];
	if (!w->codec)
		return mrg_error_set(err, -MRG_E_INVALID, "'%s' is no way to pack", codec);
	w->out = malloc(STREAM_CHUNK);
	return w->out ? w->codec->encoder(&w->state, err) : fail_memory(err);
}

void stream_writer_deinit(struct stream_writer *w)
{
	if (w->state)
		w->codec->encoder_free(w->state);
	free(w->out);
	*w = (struct stream_writer) { 0 };
}

int stream_open_library(const char *soname, const char *package, const struct library_symbol *symbols, size_t size, void **ret,
			struct mrg_error *err)
{
	void *state = calloc(1, size);
	int r = state ? library_open(soname, package, symbols, state, err) : fail_memory(err);

	if (r < 0)
		free(state);
	else
		*ret = state;
	return r;
}

static int encode(struct stream_writer *w, struct stream_step *step, struct mrg_error *err)
{
	int r = w->codec->encode(w->state, step, err);

	step->in += step->in_used;
	step->in_length -= step->in_used;
	return r < 0 ? r : w->sink(w->data, w->out, step->out_used, err);
}

int stream_write(struct stream_writer *w, const void *data, size_t length, struct mrg_error *err)
{
	struct stream_step step = { .in = data, .in_length = length, .out = w->out, .out_size = STREAM_CHUNK };
	int r = 0;

	if (!w->codec)
		return w->sink(w->data, data, length, err);
	while (r == 0 && step.in_length > 0)
		r = encode(w, &step, err);
	return r;
}

int stream_writer_end(struct stream_writer *w, struct mrg_error *err)
{
	struct stream_step step = { .in = w->out, .in_length = 0, .out = w->out, .out_size = STREAM_CHUNK, .last = true };
	int r = 0;

	while (w->codec && r == 0 && !step.end)
		r = encode(w, &step, err);
	return r;
}
