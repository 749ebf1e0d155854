/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Extended headers of pax: records "LENGTH KEY=VALUE\n". */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/archive/tar/tar.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"

#define XATTR	"SCHILY.xattr."

void tar_pax_deinit(struct tar_pax *pax)
{
	buffer_deinit(&pax->path);
	buffer_deinit(&pax->link);
	free(pax->sparse_name);
	free(pax->pieces);
}

/* One record. @value is followed by the newline, which has been made a NUL. */
struct record {
	const char *key;
	char *value;
	size_t length;
};

static int number(const struct record *r, uint64_t *ret)
{
	return strlen(r->value) == r->length ? parse_uint64(r->value, ret) : -EINVAL;
}

static int small_number(const struct record *r, unsigned int *ret)
{
	uint64_t value;

	if (number(r, &value) < 0 || value > 100)
		return -EINVAL;
	*ret = (unsigned int)value;
	return 0;
}

static int text(const struct record *r, char **ret)
{
	if (strlen(r->value) != r->length)
		return -EINVAL;
	free(*ret);
	*ret = strdup(r->value);
	return *ret ? 0 : -ENOMEM;
}

static int name(const struct record *r, struct buffer *ret)
{
	if (strlen(r->value) != r->length)
		return -EINVAL;
	buffer_deinit(ret);
	buffer_add(ret, r->value, r->length);
	return ret->failed ? -ENOMEM : 0;
}

/* "-12.5": seconds and a fraction, which counts upwards. */
static int moment(const struct record *r, int64_t *ret_seconds, uint32_t *ret_nanoseconds)
{
	const char *point = strchr(r->value, '.');
	char seconds[24];
	size_t length = point ? (size_t)(point - r->value) : r->length;
	uint32_t scale = 100000000, fraction = 0;
	bool negative = r->value[0] == '-';

	if (strlen(r->value) != r->length || length >= sizeof(seconds))
		return -EINVAL;
	memcpy(seconds, r->value, length);
	seconds[length] = '\0';
	if (parse_int64(seconds, ret_seconds) < 0)
		return -EINVAL;
	for (const char *p = point ? point + 1 : ""; *p; p++, scale /= 10) {
		if (*p < '0' || *p > '9')
			return -EINVAL;
		fraction += (uint32_t)(*p - '0') * scale;
	}
	if (negative && fraction) {
		fraction = 1000000000 - fraction;
		--*ret_seconds;
	}
	*ret_nanoseconds = fraction;
	return 0;
}

static int set_path(struct tar_pax *pax, struct tar_entry *e _unused_, const struct record *r)
{
	return name(r, &pax->path);
}

static int set_link(struct tar_pax *pax, struct tar_entry *e _unused_, const struct record *r)
{
	return name(r, &pax->link);
}

static int set_size(struct tar_pax *pax, struct tar_entry *e _unused_, const struct record *r)
{
	pax->has_size = true;
	return number(r, &pax->size);
}

static int set_uid(struct tar_pax *pax, struct tar_entry *e _unused_, const struct record *r)
{
	pax->has_uid = true;
	return number(r, &pax->uid);
}

static int set_gid(struct tar_pax *pax, struct tar_entry *e _unused_, const struct record *r)
{
	pax->has_gid = true;
	return number(r, &pax->gid);
}

static int set_mtime(struct tar_pax *pax, struct tar_entry *e _unused_, const struct record *r)
{
	pax->has_mtime = true;
	return moment(r, &pax->seconds, &pax->nanoseconds);
}

static int set_atime(struct tar_pax *pax _unused_, struct tar_entry *e, const struct record *r)
{
	e->has_atime = true;
	return moment(r, &e->atime_seconds, &e->atime_nanoseconds);
}

static int set_acl_access(struct tar_pax *pax _unused_, struct tar_entry *e, const struct record *r)
{
	return text(r, &e->acl_access);
}

static int set_acl_default(struct tar_pax *pax _unused_, struct tar_entry *e, const struct record *r)
{
	return text(r, &e->acl_default);
}

static int set_sparse_major(struct tar_pax *pax, struct tar_entry *e _unused_, const struct record *r)
{
	pax->sparse = true;
	return small_number(r, &pax->sparse_major);
}

static int set_sparse_minor(struct tar_pax *pax, struct tar_entry *e _unused_, const struct record *r)
{
	pax->sparse = true;
	return small_number(r, &pax->sparse_minor);
}

static int set_sparse_name(struct tar_pax *pax, struct tar_entry *e _unused_, const struct record *r)
{
	return text(r, &pax->sparse_name);
}

static int set_real_size(struct tar_pax *pax, struct tar_entry *e _unused_, const struct record *r)
{
	pax->has_real_size = pax->sparse = true;
	return number(r, &pax->real_size);
}

static int set_sparse_offset(struct tar_pax *pax, struct tar_entry *e _unused_, const struct record *r)
{
	uint64_t value;

	if (number(r, &value) < 0 || pax->half_piece)
		return -EINVAL;
	pax->half_piece = pax->sparse = true;
	return tar_add_piece(&pax->pieces, &pax->n_pieces, value, 0);
}

static int set_sparse_length(struct tar_pax *pax, struct tar_entry *e _unused_, const struct record *r)
{
	if (!pax->half_piece)
		return -EINVAL;
	pax->half_piece = false;
	return number(r, &pax->pieces[pax->n_pieces - 1].length);
}

/* "OFFSET,LENGTH,OFFSET,LENGTH..." */
static int set_sparse_map(struct tar_pax *pax, struct tar_entry *e, const struct record *r)
{
	char *rest = r->value, *part;

	pax->sparse = true;
	while (*r->value && (part = strsep(&rest, ","))) {
		const struct record one = { .value = part, .length = strlen(part) };
		int k = pax->half_piece ? set_sparse_length(pax, e, &one) : set_sparse_offset(pax, e, &one);

		if (k < 0)
			return k;
	}
	return 0;
}

static const struct {
	const char *key;
	int (*set)(struct tar_pax *pax, struct tar_entry *e, const struct record *r);
} keys[] = {
	{ "path", set_path }, { "linkpath", set_link }, { "size", set_size }, { "uid", set_uid }, { "gid", set_gid }, { "mtime", set_mtime },
	{ "atime", set_atime }, { "SCHILY.acl.access", set_acl_access }, { "SCHILY.acl.default", set_acl_default },
	{ "GNU.sparse.major", set_sparse_major }, { "GNU.sparse.minor", set_sparse_minor }, { "GNU.sparse.name", set_sparse_name },
	{ "GNU.sparse.realsize", set_real_size }, { "GNU.sparse.size", set_real_size }, { "GNU.sparse.offset", set_sparse_offset },
	{ "GNU.sparse.numbytes", set_sparse_length }, { "GNU.sparse.map", set_sparse_map },
};

/* Keys that are unknown say nothing that a file system would keep. */
static int apply(struct tar_pax *pax, struct tar_entry *e, const struct record *r)
{
	if (strncmp(r->key, XATTR, strlen(XATTR)) == 0)
		return tar_entry_add_xattr(e, r->key + strlen(XATTR), r->value, r->length);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(keys[i].key, r->key) == 0)
			return keys[i].set(pax, e, r);
	return 0;
}

/* The record at the start of @text: its length, or -EINVAL. */
static ssize_t record(char *text, size_t left, struct record *ret)
{
	size_t length = 0, at = 0;
	char *equals;

	while (at < left && text[at] >= '0' && text[at] <= '9' && length <= left)
		length = length * 10 + (size_t)(text[at++] - '0');
	if (at == 0 || at >= left || text[at] != ' ' || length <= at + 2 || length > left || text[length - 1] != '\n')
		return -EINVAL;
	text[length - 1] = '\0';
	ret->key = text + at + 1;
	equals = memchr(text + at, '=', length - at);
	if (!equals || equals == ret->key)
		return -EINVAL;
	*equals = '\0';
	ret->value = equals + 1;
	ret->length = (size_t)(text + length - 1 - ret->value);
	return (ssize_t)length;
}

static int each(const char *text, size_t length, int (*call)(const struct record *r, void *data), void *data, struct mrg_error *err)
{
	_cleanup_free_ char *copy = malloc(length + 1);
	int r = 0;

	if (!copy)
		return fail_memory(err);
	memcpy(copy, text, length);
	copy[length] = '\0';
	for (size_t at = 0; r == 0 && at < length;) {
		struct record one;
		ssize_t n = record(copy + at, length - at, &one);

		r = n < 0 ? (int)n : call(&one, data);
		at += n > 0 ? (size_t)n : 0;
	}
	if (r == -ENOMEM)
		return fail_memory(err);
	return r < 0 && !(err && err->code) ? mrg_error_set(err, -EBADMSG, "the archive is damaged: an extended header is none") : r;
}

struct target {
	struct tar_pax *pax;
	struct tar_entry *entry;
};

static int apply_to(const struct record *r, void *data)
{
	const struct target *to = data;

	return apply(to->pax, to->entry, r);
}

int tar_pax_parse(struct tar_pax *pax, struct tar_entry *entry, const char *text, size_t length, struct mrg_error *err)
{
	struct target to = { pax, entry };

	if (err)
		*err = (struct mrg_error) { 0 };
	return each(text, length, apply_to, &to, err);
}

/* Headers for all entries that follow would have to be remembered: those that matter are written by nobody. */
static int check_global(const struct record *r, void *data)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(keys[i].key, r->key) == 0)
			return mrg_error_set(data, -MRG_E_UNSUPPORTED, "the archive gives '%s' to all of its entries at once", keys[i].key);
	return 0;
}

int tar_pax_check_global(const char *text, size_t length, struct mrg_error *err)
{
	struct mrg_error why = { 0 };
	int r = each(text, length, check_global, &why, &why);

	if (err && r < 0)
		*err = why;
	return r;
}
