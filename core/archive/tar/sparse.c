/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Maps of sparse files: GNU's old ones in headers, those of pax before the contents. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/archive/tar/tar.h"
#include "core/util/fail.h"

#define IN_HEADER	4		/* pieces of the old map in the header itself, */
#define IN_BLOCK	21		/* and in each block that follows */

static int bad_map(struct mrg_error *err)
{
	return mrg_error_set(err, -EBADMSG, "the archive is damaged: a sparse file's map does not add up");
}

int tar_add_piece(struct tar_piece **pieces, size_t *n, uint64_t offset, uint64_t length)
{
	/* In steps of powers of two. */
	if ((*n & (*n - 1)) == 0) {
		size_t size = *n ? *n * 2 : 1;
		struct tar_piece *more = *n >= TAR_SPARSE_MAX ? NULL : realloc(*pieces, size * sizeof(*more));

		if (!more)
			return *n >= TAR_SPARSE_MAX ? -E2BIG : -ENOMEM;
		*pieces = more;
	}
	(*pieces)[(*n)++] = (struct tar_piece) { offset, length };
	return 0;
}

/* Pairs of 12 digits; an empty one ends them. */
static int add_old(struct tar_entry *entry, const char *map, size_t n)
{
	for (size_t i = 0; i < n && map[i * 24]; i++) {
		uint64_t offset, length;
		int r;

		if (tar_number(map + i * 24, 12, &offset) < 0 || tar_number(map + i * 24 + 12, 12, &length) < 0)
			return -EINVAL;
		r = tar_add_piece(&entry->pieces, &entry->n_pieces, offset, length);
		if (r < 0)
			return r;
	}
	return 0;
}

int tar_sparse_gnu(struct tar_reader *t, const struct tar_header *header, struct tar_entry *entry, struct mrg_error *err)
{
	char block[TAR_BLOCK];
	bool more = ((const char *)header)[482];
	int r;

	entry->sparse = true;
	if (tar_number((const char *)header + 483, 12, &entry->size) < 0 || add_old(entry, (const char *)header + 386, IN_HEADER) < 0)
		return bad_map(err);
	while (more) {
		r = stream_read(t->stream, block, sizeof(block), err);
		if (r < 0)
			return r;
		if (r == 0 || add_old(entry, block, IN_BLOCK) < 0)
			return bad_map(err);
		more = block[504];
	}
	return 0;
}

/* Decimal numbers, a line each, in blocks. */
struct numbers {
	struct tar_reader *t;
	char block[TAR_BLOCK];
	size_t at;
};

static int next_number(struct numbers *n, uint64_t *ret, struct mrg_error *err)
{
	char digits[24];
	size_t length = 0;

	for (;;) {
		if (n->at == TAR_BLOCK) {
			int r = n->t->left < TAR_BLOCK ? bad_map(err) : stream_read(n->t->stream, n->block, TAR_BLOCK, err);

			if (r <= 0)
				return r < 0 ? r : bad_map(err);
			n->t->left -= TAR_BLOCK;
			n->at = 0;
		}
		char c = n->block[n->at++];

		if (c == '\n')
			break;
		if (length == sizeof(digits) - 1)
			return bad_map(err);
		digits[length++] = c;
	}
	digits[length] = '\0';
	return parse_uint64(digits, ret) < 0 ? bad_map(err) : 0;
}

int tar_sparse_in_data(struct tar_reader *t, struct tar_entry *entry, struct mrg_error *err)
{
	struct numbers n = { .t = t, .at = TAR_BLOCK };
	uint64_t count, offset, length;
	int r = next_number(&n, &count, err);

	if (r == 0 && count > TAR_SPARSE_MAX)
		r = bad_map(err);
	for (uint64_t i = 0; r == 0 && i < count; i++) {
		r = next_number(&n, &offset, err);
		if (r == 0)
			r = next_number(&n, &length, err);
		if (r == 0 && tar_add_piece(&entry->pieces, &entry->n_pieces, offset, length) < 0)
			r = fail_memory(err);
	}
	return r;
}

int tar_sparse_check(const struct tar_entry *entry, uint64_t stored, struct mrg_error *err)
{
	uint64_t end = 0, sum = 0;

	if (entry->size > INT64_MAX)
		return bad_map(err);
	for (size_t i = 0; i < entry->n_pieces; i++) {
		const struct tar_piece *piece = &entry->pieces[i];

		if (piece->offset < end || piece->offset > entry->size || piece->length > entry->size - piece->offset)
			return bad_map(err);
		end = piece->offset + piece->length;
		sum += piece->length;
	}
	return sum == stored ? 0 : bad_map(err);
}
