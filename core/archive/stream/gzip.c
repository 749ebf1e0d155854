/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gzip, by zlib. */

#include "config.h"

#include <stdlib.h>
#include <zlib.h>

#include "core/archive/stream/stream.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/library.h"

#define GZIP	16			/* added to the bits of the window: with a header of gzip */

struct library {
	LIBRARY_MEMBER(inflateInit2_);
	LIBRARY_MEMBER(inflate);
	LIBRARY_MEMBER(inflateReset);
	LIBRARY_MEMBER(inflateEnd);
	LIBRARY_MEMBER(deflateInit2_);
	LIBRARY_MEMBER(deflate);
	LIBRARY_MEMBER(deflateEnd);
};

struct state {
	struct library z;		/* first: stream_open_library() fills it */
	z_stream s;
};

#define SYMBOL(function)	LIBRARY_SYMBOL(struct library, function)

static int open_library(struct state **ret, struct mrg_error *err)
{
	static const struct library_symbol symbols[] = {
		SYMBOL(inflateInit2_), SYMBOL(inflate), SYMBOL(inflateReset), SYMBOL(inflateEnd), SYMBOL(deflateInit2_), SYMBOL(deflate),
		SYMBOL(deflateEnd), { NULL, 0 }
	};
	void *state = NULL;
	int r = stream_open_library("libz.so.1", "zlib1g", symbols, sizeof(struct state), &state, err);

	*ret = state;
	return r;
}

static int decoder(void **ret, struct mrg_error *err)
{
	struct state *state;
	int r = open_library(&state, err);

	if (r < 0)
		return r;
	if (state->z.inflateInit2_(&state->s, MAX_WBITS + GZIP, ZLIB_VERSION, sizeof(z_stream)) != Z_OK) {
		free(state);
		return fail_memory(err);
	}
	*ret = state;
	return 0;
}

static void offer(z_stream *s, const struct stream_step *step)
{
	s->next_in = (Bytef *)step->in;
	s->avail_in = (uInt)step->in_length;
	s->next_out = step->out;
	s->avail_out = (uInt)step->out_size;
}

static void settle(const z_stream *s, struct stream_step *step)
{
	step->in_used = step->in_length - s->avail_in;
	step->out_used = step->out_size - s->avail_out;
}

static int decode(void *data, struct stream_step *step, struct mrg_error *err)
{
	struct state *state = data;
	int r;

	offer(&state->s, step);
	r = state->z.inflate(&state->s, Z_NO_FLUSH);
	settle(&state->s, step);
	if (r == Z_STREAM_END) {
		step->end = true;
		state->z.inflateReset(&state->s);
	} else if (r != Z_OK && r != Z_BUF_ERROR) {
		return mrg_error_set(err, -EBADMSG, "the gzip data is damaged%s%s", state->s.msg ? ": " : "", state->s.msg ? state->s.msg : "");
	}
	return 0;
}

static void decoder_free(void *data)
{
	struct state *state = data;

	state->z.inflateEnd(&state->s);
	free(state);
}

static int encoder(void **ret, struct mrg_error *err)
{
	struct state *state;
	int r = open_library(&state, err);

	if (r < 0)
		return r;
	if (state->z.deflateInit2_(&state->s, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
				   sizeof(z_stream)) != Z_OK) {
		free(state);
		return fail_memory(err);
	}
	*ret = state;
	return 0;
}

static int encode(void *data, struct stream_step *step, struct mrg_error *err _unused_)
{
	struct state *state = data;

	offer(&state->s, step);
	step->end = state->z.deflate(&state->s, step->last ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_END;
	settle(&state->s, step);
	return 0;
}

static void encoder_free(void *data)
{
	struct state *state = data;

	state->z.deflateEnd(&state->s);
	free(state);
}

const struct stream_codec stream_gzip = {
	.name = "gzip",
	.suffixes = { ".gz", ".tgz" },
	.magic = { 0x1f, 0x8b },
	.magic_length = 2,
	.decoder = decoder, .decode = decode, .decoder_free = decoder_free,
	.encoder = encoder, .encode = encode, .encoder_free = encoder_free,
};
