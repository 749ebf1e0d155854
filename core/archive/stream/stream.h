/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_ARCHIVE_STREAM_H
#define CORE_ARCHIVE_STREAM_H

/*
 * Bytes in order, from or to a file, through gzip, xz or zstd. Their libraries are loaded when they are first needed, and by what a file holds, not by its name.
 * Memory is bounded: dictionaries that would take more than STREAM_WINDOW are refused.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <moorage/error.h>

#include "core/util/library.h"

#define STREAM_CHUNK	(128 * 1024)
#define STREAM_WINDOW	(96 * 1024 * 1024)
/* What expands beyond this ratio is a bomb, once it has given STREAM_BOMB_FROM bytes. */
#define STREAM_BOMB	1000
#define STREAM_BOMB_FROM (64 * 1024 * 1024)
#define STREAM_ALONE	(1024 * 1024)	/* for less no thread is begun: many look at the first entries only */

/* Where the bytes of a reader come from: as read(2), 0 at the end, or a negative errno with the error set. */
typedef ssize_t (*stream_source)(void *data, void *buffer, size_t size, struct mrg_error *err);

struct stream_codec;
struct stream_ahead;

/* ---- reading -------------------------------------------------------------------- */

struct stream_reader {
	stream_source source;
	void *data;
	const struct stream_codec *codec;	/* NULL: plain */
	void *state;				/* the codec's */
	unsigned char *in, *out;		/* STREAM_CHUNK each */
	size_t in_at, in_length;
	uint64_t in_total, out_total;		/* read from the source; unpacked */
	bool in_end, out_end;
	struct stream_ahead *ahead;		/* who calls the source and the codec from STREAM_ALONE bytes on; what is above is theirs then */
	bool alone;				/* nobody does */
	unsigned char *at;			/* what is unpacked and not consumed */
	size_t left;
};

/* Begins to read; the first bytes tell the codec. The source of what is packed is called from another thread, until stream_reader_deinit(). */
int stream_reader_init(struct stream_reader *r, stream_source source, void *data, struct mrg_error *err);
void stream_reader_deinit(struct stream_reader *r);

/* A source that reads a descriptor: @data points to it. */
ssize_t stream_source_fd(void *data, void *buffer, size_t size, struct mrg_error *err);

/* What can be had next without copying: *ret, its length returned; 0 at the end. Valid until the next call; stream_consume() takes of it. */
ssize_t stream_peek(struct stream_reader *r, const unsigned char **ret, struct mrg_error *err);
void stream_consume(struct stream_reader *r, size_t length);

/* Exactly @length bytes into @buffer, or 0 when the end comes before the first; an end in between is an error. 1: read. */
int stream_read(struct stream_reader *r, void *buffer, size_t length, struct mrg_error *err);

/* Goes over @length bytes; the end before is an error. */
int stream_skip(struct stream_reader *r, uint64_t length, struct mrg_error *err);

/* Goes over the rest of what is packed: whether it was whole, its codec says at its end only. */
int stream_finish(struct stream_reader *r, struct mrg_error *err);

/* ---- writing -------------------------------------------------------------------- */

/* Where they go: all of them, or a negative errno with the error set. */
typedef int (*stream_sink)(void *data, const void *bytes, size_t length, struct mrg_error *err);

struct stream_writer {
	stream_sink sink;
	void *data;
	const struct stream_codec *codec;
	void *state;
	unsigned char *out;
};

/* Begins to write with the codec "gzip", "xz", "zstd", or NULL. The same bytes in the same pieces give the same stream. */
int stream_writer_init(struct stream_writer *w, stream_sink sink, void *data, const char *codec, struct mrg_error *err);

/* A sink that writes to a descriptor: @data points to it. */
int stream_sink_fd(void *data, const void *bytes, size_t length, struct mrg_error *err);
int stream_write(struct stream_writer *w, const void *data, size_t length, struct mrg_error *err);
int stream_writer_end(struct stream_writer *w, struct mrg_error *err);
void stream_writer_deinit(struct stream_writer *w);

/* The codec that the end of a file's name asks for: "x.tar.gz", "x.tgz", "x.tar" (*ret is NULL) ...; false: it says nothing. */
bool stream_codec_of_name(const char *name, const char **ret);

/* ---- for codecs ------------------------------------------------------------------ */

/* What of a buffer has been taken or filled. */
struct stream_step {
	const unsigned char *in;
	size_t in_length, in_used;
	unsigned char *out;
	size_t out_size, out_used;
	bool last;				/* no more will come */
	bool end;				/* set by the codec: the compressed data is whole; what follows is a further member */
};

struct stream_codec {
	const char *name;
	const char *suffixes[4];
	unsigned char magic[6];
	size_t magic_length;
	int (*decoder)(void **ret, struct mrg_error *err);
	int (*decode)(void *state, struct stream_step *step, struct mrg_error *err);
	void (*decoder_free)(void *state);
	int (*encoder)(void **ret, struct mrg_error *err);
	int (*encode)(void *state, struct stream_step *step, struct mrg_error *err);
	void (*encoder_free)(void *state);
};

/* Zeroed memory of @size for the state of a codec, which begins with the functions @symbols of the library. */
int stream_open_library(const char *soname, const char *package, const struct library_symbol *symbols, size_t size, void **ret,
			struct mrg_error *err);

extern const struct stream_codec stream_gzip, stream_xz, stream_zstd;

#endif
