/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xz, by liblzma. */

#include "config.h"

#include <lzma.h>
#include <stdlib.h>

#include "core/archive/stream/stream.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/library.h"

#define PRESET	6

struct library {
	LIBRARY_MEMBER(lzma_stream_decoder);
	LIBRARY_MEMBER(lzma_easy_encoder);
	LIBRARY_MEMBER(lzma_code);
	LIBRARY_MEMBER(lzma_end);
};

struct state {
	struct library x;		/* first: stream_open_library() fills it */
	lzma_stream s;
};

#define SYMBOL(function)	LIBRARY_SYMBOL(struct library, function)

static int open_library(struct state **ret, struct mrg_error *err)
{
	static const struct library_symbol symbols[] = {
		SYMBOL(lzma_stream_decoder), SYMBOL(lzma_easy_encoder), SYMBOL(lzma_code), SYMBOL(lzma_end), { NULL, 0 }
	};
	void *state = NULL;
	int r = stream_open_library("liblzma.so.5", "liblzma5", symbols, sizeof(struct state), &state, err);

	*ret = state;
	return r;
}

static void state_free(void *data)
{
	struct state *state = data;

	state->x.lzma_end(&state->s);
	free(state);
}

static int begin(struct state *state, lzma_ret r, void **ret, struct mrg_error *err)
{
	if (r != LZMA_OK) {
		state_free(state);
		return fail_memory(err);
	}
	*ret = state;
	return 0;
}

static int decoder(void **ret, struct mrg_error *err)
{
	struct state *state;
	int r = open_library(&state, err);

	return r < 0 ? r : begin(state, state->x.lzma_stream_decoder(&state->s, STREAM_WINDOW, 0), ret, err);
}

static lzma_ret run(struct state *state, struct stream_step *step)
{
	lzma_ret r;

	state->s.next_in = step->in;
	state->s.avail_in = step->in_length;
	state->s.next_out = step->out;
	state->s.avail_out = step->out_size;
	r = state->x.lzma_code(&state->s, step->last ? LZMA_FINISH : LZMA_RUN);
	step->in_used = step->in_length - state->s.avail_in;
	step->out_used = step->out_size - state->s.avail_out;
	step->end = r == LZMA_STREAM_END;
	return r;
}

static int decode(void *data, struct stream_step *step, struct mrg_error *err)
{
	struct state *state = data;
	lzma_ret r = run(state, step);

	if (r == LZMA_STREAM_END && state->x.lzma_stream_decoder(&state->s, STREAM_WINDOW, 0) != LZMA_OK)
		return fail_memory(err);
	if (r == LZMA_MEMLIMIT_ERROR) {
		mrg_error_set(err, -MRG_E_INVALID, "the xz data needs more than %d MiB of memory", STREAM_WINDOW >> 20);
		return mrg_error_hint(err, "unpack it with xz first");
	}
	if (r == LZMA_MEM_ERROR)
		return fail_memory(err);
	if (r != LZMA_OK && r != LZMA_STREAM_END && r != LZMA_BUF_ERROR)
		return mrg_error_set(err, -EBADMSG, "the xz data is damaged");
	return 0;
}

static int encoder(void **ret, struct mrg_error *err)
{
	struct state *state;
	int r = open_library(&state, err);

	return r < 0 ? r : begin(state, state->x.lzma_easy_encoder(&state->s, PRESET, LZMA_CHECK_CRC64), ret, err);
}

static int encode(void *data, struct stream_step *step, struct mrg_error *err)
{
	lzma_ret r = run(data, step);

	return r == LZMA_OK || r == LZMA_STREAM_END || r == LZMA_BUF_ERROR ? 0 : fail_memory(err);
}

const struct stream_codec stream_xz = {
	.name = "xz",
	.suffixes = { ".xz", ".txz" },
	.magic = { 0xfd, '7', 'z', 'X', 'Z', 0 },
	.magic_length = 6,
	.decoder = decoder, .decode = decode, .decoder_free = state_free,
	.encoder = encoder, .encode = encode, .encoder_free = state_free,
};
