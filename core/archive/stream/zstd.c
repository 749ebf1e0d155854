/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* zstd, by libzstd. */

#include "config.h"

#include <stdlib.h>
#include <zstd.h>

#include "core/archive/stream/stream.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/library.h"

#define LEVEL		3
#define WINDOW_LOG	26		/* 64 MiB: all levels but --ultra and --long */

struct library {
	LIBRARY_MEMBER(ZSTD_createDCtx);
	LIBRARY_MEMBER(ZSTD_freeDCtx);
	LIBRARY_MEMBER(ZSTD_DCtx_setParameter);
	LIBRARY_MEMBER(ZSTD_decompressStream);
	LIBRARY_MEMBER(ZSTD_createCCtx);
	LIBRARY_MEMBER(ZSTD_freeCCtx);
	LIBRARY_MEMBER(ZSTD_CCtx_setParameter);
	LIBRARY_MEMBER(ZSTD_compressStream2);
	LIBRARY_MEMBER(ZSTD_isError);
	LIBRARY_MEMBER(ZSTD_getErrorName);
};

struct state {
	struct library z;		/* first: stream_open_library() fills it */
	ZSTD_DCtx *d;
	ZSTD_CCtx *c;
};

#define SYMBOL(function)	LIBRARY_SYMBOL(struct library, function)

static int open_library(struct state **ret, struct mrg_error *err)
{
	static const struct library_symbol symbols[] = {
		SYMBOL(ZSTD_createDCtx), SYMBOL(ZSTD_freeDCtx), SYMBOL(ZSTD_DCtx_setParameter), SYMBOL(ZSTD_decompressStream),
		SYMBOL(ZSTD_createCCtx), SYMBOL(ZSTD_freeCCtx), SYMBOL(ZSTD_CCtx_setParameter), SYMBOL(ZSTD_compressStream2),
		SYMBOL(ZSTD_isError), SYMBOL(ZSTD_getErrorName), { NULL, 0 }
	};
	void *state = NULL;
	int r = stream_open_library("libzstd.so.1", "libzstd1", symbols, sizeof(struct state), &state, err);

	*ret = state;
	return r;
}

static int decoder(void **ret, struct mrg_error *err)
{
	struct state *state;
	int r = open_library(&state, err);

	if (r < 0)
		return r;
	state->d = state->z.ZSTD_createDCtx();
	if (!state->d || state->z.ZSTD_isError(state->z.ZSTD_DCtx_setParameter(state->d, ZSTD_d_windowLogMax, WINDOW_LOG))) {
		state->z.ZSTD_freeDCtx(state->d);
		free(state);
		return fail_memory(err);
	}
	*ret = state;
	return 0;
}

static int decode(void *data, struct stream_step *step, struct mrg_error *err)
{
	struct state *state = data;
	ZSTD_inBuffer in = { step->in, step->in_length, 0 };
	ZSTD_outBuffer out = { step->out, step->out_size, 0 };
	size_t r = state->z.ZSTD_decompressStream(state->d, &out, &in);

	step->in_used = in.pos;
	step->out_used = out.pos;
	step->end = r == 0;
	if (!state->z.ZSTD_isError(r))
		return 0;
	mrg_error_set(err, -EBADMSG, "the zstd data cannot be unpacked: %s", state->z.ZSTD_getErrorName(r));
	return mrg_error_hint(err, "it is damaged, or needs more memory than is allowed: then unpack it with zstd first");
}

static void decoder_free(void *data)
{
	struct state *state = data;

	state->z.ZSTD_freeDCtx(state->d);
	free(state);
}

static int encoder(void **ret, struct mrg_error *err)
{
	struct state *state;
	int r = open_library(&state, err);

	if (r < 0)
		return r;
	state->c = state->z.ZSTD_createCCtx();
	if (!state->c || state->z.ZSTD_isError(state->z.ZSTD_CCtx_setParameter(state->c, ZSTD_c_compressionLevel, LEVEL)) ||
	    state->z.ZSTD_isError(state->z.ZSTD_CCtx_setParameter(state->c, ZSTD_c_checksumFlag, 1))) {
		state->z.ZSTD_freeCCtx(state->c);
		free(state);
		return fail_memory(err);
	}
	*ret = state;
	return 0;
}

static int encode(void *data, struct stream_step *step, struct mrg_error *err)
{
	struct state *state = data;
	ZSTD_inBuffer in = { step->in, step->in_length, 0 };
	ZSTD_outBuffer out = { step->out, step->out_size, 0 };
	size_t r = state->z.ZSTD_compressStream2(state->c, &out, &in, step->last ? ZSTD_e_end : ZSTD_e_continue);

	step->in_used = in.pos;
	step->out_used = out.pos;
	step->end = step->last && r == 0;
	return state->z.ZSTD_isError(r) ? mrg_error_set(err, -EIO, "cannot pack with zstd: %s", state->z.ZSTD_getErrorName(r)) : 0;
}

static void encoder_free(void *data)
{
	struct state *state = data;

	state->z.ZSTD_freeCCtx(state->c);
	free(state);
}

const struct stream_codec stream_zstd = {
	.name = "zstd",
	.suffixes = { ".zst", ".tzst", ".zstd" },
	.magic = { 0x28, 0xb5, 0x2f, 0xfd },
	.magic_length = 4,
	.decoder = decoder, .decode = decode, .decoder_free = decoder_free,
	.encoder = encoder, .encode = encode, .encoder_free = encoder_free,
};
