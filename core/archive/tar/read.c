/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading tar archives: headers one after the other, contents in pieces. */

#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/archive/tar/tar.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"

_Static_assert(sizeof(struct tar_header) == TAR_BLOCK, "a header is a block");

static int damaged(struct mrg_error *err, const char *what)
{
	return mrg_error_set(err, -EBADMSG, "the archive is damaged: %s", what);
}

void tar_entry_deinit(struct tar_entry *entry)
{
	free(entry->path);
	free(entry->link);
	free(entry->acl_access);
	free(entry->acl_default);
	free(entry->pieces);
	buffer_deinit(&entry->xattrs);
	*entry = (struct tar_entry) { 0 };
}

int tar_entry_add_xattr(struct tar_entry *entry, const char *name, const void *value, size_t length)
{
	buffer_add(&entry->xattrs, name, strlen(name) + 1);
	buffer_add(&entry->xattrs, (const char *)&length, sizeof(length));
	buffer_add(&entry->xattrs, value, length);
	return entry->xattrs.failed ? -ENOMEM : 0;
}

const char *tar_entry_xattr(const struct tar_entry *entry, size_t *at, const void **ret_value, size_t *ret_length)
{
	const char *name;

	if (*at >= entry->xattrs.length)
		return NULL;
	name = entry->xattrs.text + *at;
	*at += strlen(name) + 1;
	memcpy(ret_length, entry->xattrs.text + *at, sizeof(*ret_length));
	*at += sizeof(*ret_length);
	*ret_value = entry->xattrs.text + *at;
	*at += *ret_length;
	return name;
}

void tar_reader_init(struct tar_reader *t, struct stream_reader *stream)
{
	*t = (struct tar_reader) { .stream = stream };
}

int tar_number(const char *field, size_t length, uint64_t *ret)
{
	uint64_t value = 0;
	size_t i = 0;

	if ((unsigned char)field[0] == 0x80) {
		for (i = 1; i < length; i++) {
			if (value >> 56)
				return -EINVAL;
			value = value << 8 | (unsigned char)field[i];
		}
		*ret = value;
		return 0;
	}
	while (i < length && field[i] == ' ')
		i++;
	for (; i < length && field[i] >= '0' && field[i] <= '7'; i++) {
		if (value >> 61)
			return -EINVAL;
		value = value << 3 | (uint64_t)(field[i] - '0');
	}
	*ret = value;
	return i == length || field[i] == '\0' || field[i] == ' ' ? 0 : -EINVAL;
}

/* Times before 1970 are negative numbers in GNU's binary. */
static int time_number(const char *field, size_t length, int64_t *ret)
{
	uint64_t value = 0;
	int r;

	if ((unsigned char)field[0] != 0xff) {
		r = tar_number(field, length, &value);
		*ret = (int64_t)value;
		return r < 0 || value > INT64_MAX ? -EINVAL : 0;
	}
	value = UINT64_MAX;
	for (size_t i = 1; i < length; i++)
		value = value << 8 | (unsigned char)field[i];
	*ret = (int64_t)value;
	return 0;
}

static bool checksum_fits(const struct tar_header *h)
{
	const unsigned char *bytes = (const unsigned char *)h;
	uint64_t wanted, sum = 0;
	int64_t signed_sum = 0;

	for (size_t i = 0; i < sizeof(*h); i++) {
		unsigned char byte = i >= offsetof(struct tar_header, checksum) && i < offsetof(struct tar_header, type) ? ' ' : bytes[i];

		sum += byte;
		signed_sum += (signed char)byte;
	}
	return tar_number(h->checksum, sizeof(h->checksum), &wanted) == 0 && (wanted == sum || (int64_t)wanted == signed_sum);
}

static bool is_zero(const struct tar_header *h)
{
	const char *bytes = (const char *)h;

	return bytes[0] == 0 && memcmp(bytes, bytes + 1, sizeof(*h) - 1) == 0;
}

/* The whole contents of an extended header. */
static int read_extension(struct tar_reader *t, uint64_t size, struct tar_pax *pax, char **ret, struct mrg_error *err)
{
	uint64_t stored = (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
	_cleanup_free_ char *text = NULL;
	int r;

	if (size > TAR_HEADER_MAX || (pax->total += (size_t)size) > TAR_HEADER_MAX)
		return mrg_error_set(err, -EFBIG, "the archive has an extended header of over %d bytes", TAR_HEADER_MAX);
	text = malloc((size_t)stored + 1);
	if (!text)
		return fail_memory(err);
	r = stored ? stream_read(t->stream, text, (size_t)stored, err) : 1;
	if (r <= 0)
		return r < 0 ? r : damaged(err, "it is cut short");
	text[size] = '\0';
	*ret = take_ptr(text);
	return 0;
}

/* GNU's long names: text with a NUL at the end. */
static int long_name(struct buffer *to, const char *text, struct mrg_error *err)
{
	buffer_deinit(to);
	buffer_add(to, text, strlen(text));
	return to->failed ? fail_memory(err) : 0;
}

/* A header that speaks of the next. 0: it does not. */
static int extension(struct tar_reader *t, const struct tar_header *h, uint64_t size, struct tar_pax *pax, struct tar_entry *entry,
		     struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	int r;

	if (!strchr("xgXLKV", h->type) || !h->type)
		return 0;
	r = read_extension(t, size, pax, &text, err);
	if (r == 0 && (h->type == 'x' || h->type == 'X'))
		r = tar_pax_parse(pax, entry, text, (size_t)size, err);
	else if (r == 0 && h->type == 'g')
		r = tar_pax_check_global(text, (size_t)size, err);
	else if (r == 0 && h->type == 'L')
		r = long_name(&pax->path, text, err);
	else if (r == 0 && h->type == 'K')
		r = long_name(&pax->link, text, err);
	return r < 0 ? r : 1;
}

static const struct {
	char letter;
	mode_t type;
} types[] = {
	{ '0', S_IFREG }, { '\0', S_IFREG }, { '7', S_IFREG }, { 'S', S_IFREG }, { '1', 0 }, { '2', S_IFLNK },
	{ '3', S_IFCHR }, { '4', S_IFBLK }, { '5', S_IFDIR }, { 'D', S_IFDIR }, { '6', S_IFIFO },
};

static int type_of(char letter, mode_t *ret, struct mrg_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].letter == letter) {
			*ret = types[i].type;
			return 0;
		}
	return mrg_error_set(err, -MRG_E_INVALID, "the archive has an entry of the type 0x%02x, which is none of a file system's", (unsigned char)letter);
}

static char *field(const char *text, size_t size)
{
	return strndup(text, size);
}

/* The name of the header, with ustar's prefix; extended headers go first. */
static int names(const struct tar_header *h, const struct tar_pax *pax, struct tar_entry *entry)
{
	bool ustar = memcmp(h->magic, "ustar\0", 6) == 0;
	_cleanup_free_ char *name = field(h->name, sizeof(h->name)), *prefix = field(ustar ? h->prefix : "", sizeof(h->prefix));

	if (!name || !prefix)
		return -ENOMEM;
	if (pax->sparse_name)
		entry->path = strdup(pax->sparse_name);
	else if (pax->path.text)
		entry->path = strdup(pax->path.text);
	else if (*prefix && asprintf(&entry->path, "%s/%s", prefix, name) < 0)
		entry->path = NULL;
	else if (!*prefix)
		entry->path = take_ptr(name);
	entry->link = pax->link.text ? strdup(pax->link.text) : field(h->link, sizeof(h->link));
	return entry->path && entry->link ? 0 : -ENOMEM;
}

static int id(uint64_t value, uint32_t *ret)
{
	*ret = (uint32_t)value;
	return value >= UINT32_MAX ? -EINVAL : 0;
}

static int numbers(const struct tar_header *h, const struct tar_pax *pax, struct tar_entry *entry)
{
	uint64_t mode, uid = pax->uid, gid = pax->gid, major = 0, minor = 0;

	if (tar_number(h->mode, sizeof(h->mode), &mode) < 0 || (!pax->has_uid && tar_number(h->uid, sizeof(h->uid), &uid) < 0) ||
	    (!pax->has_gid && tar_number(h->gid, sizeof(h->gid), &gid) < 0) || id(uid, &entry->uid) < 0 || id(gid, &entry->gid) < 0)
		return -EINVAL;
	if (S_ISCHR(entry->type) || S_ISBLK(entry->type))
		if (tar_number(h->major, sizeof(h->major), &major) < 0 || tar_number(h->minor, sizeof(h->minor), &minor) < 0 ||
		    id(major, &entry->major) < 0 || id(minor, &entry->minor) < 0)
			return -EINVAL;
	entry->mode = (mode_t)mode & 07777;
	entry->seconds = pax->seconds;
	entry->nanoseconds = pax->nanoseconds;
	return pax->has_mtime ? 0 : time_number(h->mtime, sizeof(h->mtime), &entry->seconds);
}

/* What is stored of it, and where that belongs. */
static int contents(struct tar_reader *t, const struct tar_header *h, struct tar_pax *pax, uint64_t size, struct tar_entry *entry,
		    struct mrg_error *err)
{
	int r = 0;

	if (!S_ISREG(entry->type))
		return size == 0 || entry->type == 0 || h->type == 'D' ? 0 : damaged(err, "contents of what is no file");
	entry->size = size;
	if (h->type == 'S') {
		r = tar_sparse_gnu(t, h, entry, err);
	} else if (pax->sparse) {
		entry->sparse = true;
		entry->size = pax->has_real_size ? pax->real_size : size;
		entry->pieces = take_ptr(pax->pieces);
		entry->n_pieces = pax->n_pieces;
		if (pax->half_piece)
			return damaged(err, "a sparse file's map");
		if (pax->sparse_major == 1)
			r = tar_sparse_in_data(t, entry, err);
	}
	return r == 0 && entry->sparse ? tar_sparse_check(entry, t->left, err) : r;
}

/* Of a header that is an entry. */
static int entry_of(struct tar_reader *t, const struct tar_header *h, struct tar_pax *pax, uint64_t size, struct tar_entry *entry,
		    struct mrg_error *err)
{
	size_t length;
	int r = type_of(h->type, &entry->type, err);

	if (r < 0)
		return r;
	if (names(h, pax, entry) < 0)
		return fail_memory(err);
	length = strlen(entry->path);
	if (length == 0)
		return damaged(err, "an entry without a name");
	/* Before ustar a directory was told by its name. */
	if (S_ISREG(entry->type) && entry->path[length - 1] == '/')
		entry->type = S_IFDIR;
	if (numbers(h, pax, entry) < 0)
		return damaged(err, "a number that is none");
	size = pax->has_size ? pax->size : size;
	/* Some archivers tell the size of a file at its further names, which have no contents. */
	if (entry->type == 0 && memcmp(h->magic, "ustar", 5) == 0)
		size = 0;
	t->left = size;
	t->padding = (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
	t->entry = entry;
	t->piece = 0;
	t->piece_at = 0;
	t->entries++;
	return contents(t, h, pax, size, entry, err);
}

static int skip_contents(struct tar_reader *t, struct mrg_error *err)
{
	int r;

	if (t->left > UINT64_MAX - TAR_BLOCK)
		return damaged(err, "a size that is none");
	r = stream_skip(t->stream, t->left + t->padding, err);
	t->left = t->padding = 0;
	t->entry = NULL;
	return r;
}

static int next(struct tar_reader *t, struct tar_pax *pax, struct tar_entry *entry, struct mrg_error *err)
{
	struct tar_header h;
	uint64_t size;
	int r;

	for (;;) {
		r = stream_read(t->stream, &h, sizeof(h), err);
		if (r < 0)
			return r;
		/* An archive ends with a block of zeros; one that ends without was cut. */
		if (r == 0)
			return damaged(err, t->entries ? "it has no end" : "it is empty");
		if (is_zero(&h))
			return 0;
		if (!checksum_fits(&h))
			return damaged(err, t->entries ? "a header's checksum does not fit" : "it is no tar archive");
		if (tar_number(h.size, sizeof(h.size), &size) < 0)
			return damaged(err, "a size that is none");
		r = extension(t, &h, size, pax, entry, err);
		if (r < 0)
			return r;
		if (r == 0) {
			r = entry_of(t, &h, pax, size, entry, err);
			return r < 0 ? r : 1;
		}
	}
}

int tar_next(struct tar_reader *t, struct tar_entry *ret, struct mrg_error *err)
{
	struct tar_pax pax = { .has_size = false };
	int r = skip_contents(t, err);

	tar_entry_deinit(ret);
	if (r == 0)
		r = next(t, &pax, ret, err);
	tar_pax_deinit(&pax);
	return r;
}

/* Where the next stored byte belongs, and how many follow it there. */
static uint64_t place(struct tar_reader *t, uint64_t *ret_offset)
{
	const struct tar_entry *e = t->entry;

	if (!e->sparse) {
		*ret_offset = e->size - t->left;
		return t->left;
	}
	while (t->piece < e->n_pieces && t->piece_at == e->pieces[t->piece].length) {
		t->piece++;
		t->piece_at = 0;
	}
	if (t->piece == e->n_pieces)
		return 0;
	*ret_offset = e->pieces[t->piece].offset + t->piece_at;
	return e->pieces[t->piece].length - t->piece_at;
}

ssize_t tar_data(struct tar_reader *t, const unsigned char **ret, uint64_t *ret_offset, struct mrg_error *err)
{
	return tar_data_some(t, SIZE_MAX, ret, ret_offset, err);
}

ssize_t tar_data_some(struct tar_reader *t, size_t max, const unsigned char **ret, uint64_t *ret_offset, struct mrg_error *err)
{
	uint64_t length = t->left ? place(t, ret_offset) : 0;
	ssize_t n;

	if (length == 0)
		return 0;
	n = stream_peek(t->stream, ret, err);
	if (n <= 0)
		return n < 0 ? n : damaged(err, "it is cut short");
	length = length < max ? length : max;
	n = (uint64_t)n < length ? n : (ssize_t)length;
	/* What is handed out stays where it is until the next call. */
	stream_consume(t->stream, (size_t)n);
	t->left -= (uint64_t)n;
	t->piece_at += (uint64_t)n;
	return n;
}

int tar_text(struct tar_reader *t, const struct tar_entry *entry, size_t max, char **ret, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };
	const unsigned char *data;
	uint64_t offset;
	ssize_t n;

	if (!S_ISREG(entry->type) || entry->sparse)
		return mrg_error_set(err, -MRG_E_INVALID, "'%s' of the archive is no plain file", entry->path);
	if (entry->size > max)
		return mrg_error_set(err, -EFBIG, "'%s' of the archive has over %zu bytes", entry->path, max);
	buffer_add(&b, "", 0);
	while ((n = tar_data(t, &data, &offset, err)) > 0)
		buffer_add(&b, (const char *)data, (size_t)n);
	if (n < 0 || b.failed)
		return n < 0 ? (int)n : fail_memory(err);
	*ret = take_ptr(b.text);
	return 0;
}
