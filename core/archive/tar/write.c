/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing pax archives. What fits into an ustar header is there as well, for old readers. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/archive/tar/tar.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"

static const char zeros[TAR_BLOCK];

/* A record tells its own length, digits counted. */
static void add_record(struct buffer *b, const char *key, const void *value, size_t length)
{
	size_t body = strlen(key) + length + 3, total = body + 1;
	char digits[24];

	while ((size_t)snprintf(digits, sizeof(digits), "%zu", total) + body != total)
		total++;
	buffer_addf(b, "%zu %s=", total, key);
	buffer_add(b, value, length);
	buffer_add(b, "\n", 1);
}

static void add_text(struct buffer *b, const char *key, const char *value)
{
	add_record(b, key, value, strlen(value));
}

static void add_number(struct buffer *b, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	add_text(b, key, text);
}

static void add_time(struct buffer *b, const char *key, int64_t seconds, uint32_t nanoseconds)
{
	char text[48];

	/* A fraction counts away from zero. */
	if (seconds < 0 && nanoseconds > 0)
		snprintf(text, sizeof(text), "-%" PRIu64 ".%09" PRIu32, (uint64_t)(-(seconds + 1)), 1000000000 - nanoseconds);
	else
		snprintf(text, sizeof(text), "%" PRId64 ".%09" PRIu32, seconds, nanoseconds);
	add_text(b, key, text);
}

/* Octal with a NUL at the end; what does not fit is told by a record. */
static bool octal(char *field, size_t size, uint64_t value)
{
	if (value >> (3 * (size - 1))) {
		memset(field, '0', size - 1);
		return false;
	}
	for (size_t i = size - 1; i-- > 0; value >>= 3)
		field[i] = (char)('0' + (value & 7));
	return true;
}

static const struct {
	mode_t type;
	char letter;
} letters[] = {
	{ S_IFREG, '0' }, { 0, '1' }, { S_IFLNK, '2' }, { S_IFCHR, '3' }, { S_IFBLK, '4' }, { S_IFDIR, '5' }, { S_IFIFO, '6' },
};

static char letter_of(mode_t type)
{
	for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
		if (letters[i].type == type)
			return letters[i].letter;
	return '0';
}

static void finish(struct tar_header *h)
{
	const unsigned char *bytes = (const unsigned char *)h;
	unsigned int sum = 0;

	memcpy(h->magic, "ustar", 6);
	memcpy(h->version, "00", 2);
	memset(h->checksum, ' ', sizeof(h->checksum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += bytes[i];
	octal(h->checksum, 7, sum);
	h->checksum[7] = ' ';
}

/* The map of a sparse file, as it stands before the contents (GNU's format 1.0), padded to blocks. */
static void add_map(struct buffer *map, const struct tar_entry *e)
{
	buffer_addf(map, "%zu\n", e->n_pieces);
	for (size_t i = 0; i < e->n_pieces; i++)
		buffer_addf(map, "%" PRIu64 "\n%" PRIu64 "\n", e->pieces[i].offset, e->pieces[i].length);
	buffer_add(map, zeros, (TAR_BLOCK - map->length % TAR_BLOCK) % TAR_BLOCK);
}

static uint64_t stored(const struct tar_entry *e)
{
	uint64_t sum = 0;

	if (!S_ISREG(e->type) || !e->sparse)
		return S_ISREG(e->type) ? e->size : 0;
	for (size_t i = 0; i < e->n_pieces; i++)
		sum += e->pieces[i].length;
	return sum;
}

static void add_attributes(struct buffer *b, const struct tar_entry *e)
{
	char key[300];
	const void *value;
	const char *name;
	size_t at = 0, length;

	while ((name = tar_entry_xattr(e, &at, &value, &length))) {
		snprintf(key, sizeof(key), "SCHILY.xattr.%s", name);
		add_record(b, key, value, length);
	}
	if (e->acl_access)
		add_text(b, "SCHILY.acl.access", e->acl_access);
	if (e->acl_default)
		add_text(b, "SCHILY.acl.default", e->acl_default);
}

/* Fills both headers: what the ustar header cannot hold is in the records. */
static void fill(const struct tar_entry *e, uint64_t size, struct tar_header *h, struct buffer *b)
{
	size_t length = strlen(e->path);

	if (e->sparse) {
		add_text(b, "GNU.sparse.major", "1");
		add_text(b, "GNU.sparse.minor", "0");
		add_text(b, "GNU.sparse.name", e->path);
		add_number(b, "GNU.sparse.realsize", e->size);
	} else if (length > sizeof(h->name)) {
		add_text(b, "path", e->path);
	}
	memcpy(h->name, e->path, length < sizeof(h->name) ? length : sizeof(h->name));
	if (e->link) {
		length = strlen(e->link);
		if (length > sizeof(h->link))
			add_text(b, "linkpath", e->link);
		memcpy(h->link, e->link, length < sizeof(h->link) ? length : sizeof(h->link));
	}
	octal(h->mode, sizeof(h->mode), e->mode);
	if (!octal(h->uid, sizeof(h->uid), e->uid))
		add_number(b, "uid", e->uid);
	if (!octal(h->gid, sizeof(h->gid), e->gid))
		add_number(b, "gid", e->gid);
	if (!octal(h->size, sizeof(h->size), size))
		add_number(b, "size", size);
	if (!octal(h->mtime, sizeof(h->mtime), e->seconds < 0 ? UINT64_MAX : (uint64_t)e->seconds) || e->nanoseconds)
		add_time(b, "mtime", e->seconds, e->nanoseconds);
	if (e->has_atime)
		add_time(b, "atime", e->atime_seconds, e->atime_nanoseconds);
	octal(h->major, sizeof(h->major), e->major);
	octal(h->minor, sizeof(h->minor), e->minor);
	h->type = letter_of(e->type);
	add_attributes(b, e);
}

static int write_records(struct stream_writer *w, const struct buffer *b, struct mrg_error *err)
{
	struct tar_header h = { .name = "PaxHeaders/entry", .type = 'x' };
	int r;

	if (b->length > TAR_HEADER_MAX)
		return mrg_error_set(err, -EFBIG, "names and extended attributes of an entry take over %d bytes", TAR_HEADER_MAX);
	octal(h.mode, sizeof(h.mode), 0644);
	octal(h.uid, sizeof(h.uid), 0);
	octal(h.gid, sizeof(h.gid), 0);
	octal(h.mtime, sizeof(h.mtime), 0);
	octal(h.size, sizeof(h.size), b->length);
	finish(&h);
	r = stream_write(w, &h, sizeof(h), err);
	if (r == 0)
		r = stream_write(w, b->text, b->length, err);
	return r < 0 ? r : tar_write_padding(w, b->length, err);
}

int tar_write_entry(struct stream_writer *w, const struct tar_entry *entry, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer records = { .text = NULL }, map = { .text = NULL };
	struct tar_header h = { .type = 0 };
	int r = 0;

	if (entry->sparse)
		add_map(&map, entry);
	fill(entry, stored(entry) + map.length, &h, &records);
	if (records.failed || map.failed)
		return fail_memory(err);
	finish(&h);
	if (records.length > 0)
		r = write_records(w, &records, err);
	if (r == 0)
		r = stream_write(w, &h, sizeof(h), err);
	return r < 0 || map.length == 0 ? r : stream_write(w, map.text, map.length, err);
}

int tar_write_padding(struct stream_writer *w, uint64_t length, struct mrg_error *err)
{
	return length % TAR_BLOCK ? stream_write(w, zeros, TAR_BLOCK - length % TAR_BLOCK, err) : 0;
}

int tar_write_text(struct stream_writer *w, const char *path, const char *text, struct mrg_error *err)
{
	size_t length = strlen(text);
	struct tar_entry e = { .type = S_IFREG, .path = (char *)path, .mode = 0600, .size = length };
	int r = tar_write_entry(w, &e, err);

	if (r == 0)
		r = stream_write(w, text, length, err);
	return r < 0 ? r : tar_write_padding(w, length, err);
}

int tar_write_end(struct stream_writer *w, struct mrg_error *err)
{
	int r = stream_write(w, zeros, sizeof(zeros), err);

	return r < 0 ? r : stream_write(w, zeros, sizeof(zeros), err);
}
