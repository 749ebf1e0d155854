/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checksum of a tree, added up entry by entry. */

#include "config.h"

#include <endian.h>
#include <string.h>
#include <sys/stat.h>

#include "core/migrate/tree/sum.h"

int tree_sum_init(struct tree_sum *sum, struct mrg_error *err)
{
	*sum = (struct tree_sum) { 0 };
	return sha256_new(&sum->sha256, err);
}

void tree_sum_deinit(struct tree_sum *sum)
{
	sum->sha256 = sha256_free(sum->sha256);
}

static void words_of(const unsigned char digest[SHA256_SIZE], uint64_t ret[4])
{
	memcpy(ret, digest, SHA256_SIZE);
	for (size_t i = 0; i < 4; i++)
		ret[i] = le64toh(ret[i]);
}

/* Numbers of @n words, the lowest first. */
static void add(uint64_t *to, const uint64_t *value, size_t n)
{
	unsigned char carry = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t with = to[i] + carry, result = with + value[i];

		carry = with < to[i] || result < with;
		to[i] = result;
	}
}

/* What was hashed goes into the total. */
static int total(struct tree_sum *sum)
{
	unsigned char digest[SHA256_SIZE];
	uint64_t words[4];
	int r = sha256_end(sum->sha256, digest);

	if (r < 0)
		return r;
	words_of(digest, words);
	add(sum->total, words, 4);
	sum->count++;
	return 0;
}

/* Text and what follows it cannot be mistaken for each other: the length is first. */
static void add_bytes(struct tree_sum *sum, const void *data, size_t length)
{
	sha256_add64(sum->sha256, length);
	sha256_add(sum->sha256, data, length);
}

static bool is_zero(const char *data, size_t length)
{
	return data[0] == 0 && memcmp(data, data + 1, length - 1) == 0;
}

void tree_sum_content(struct tree_sum *sum, uint64_t offset, const void *data, size_t length)
{
	if (length == 0 || is_zero(data, length))
		return;
	sha256_add64(sum->sha256, offset);
	sha256_add(sum->sha256, data, length);
}

int tree_sum_content_end(struct tree_sum *sum, unsigned char ret[SHA256_SIZE])
{
	return sha256_end(sum->sha256, ret);
}

int tree_sum_entry(struct tree_sum *sum, const struct tree_sum_entry *e)
{
	const uint64_t numbers[] = {
		e->mode, e->uid, e->gid, (uint64_t)e->seconds, e->nanoseconds, S_ISREG(e->mode) ? e->size : 0,
		S_ISCHR(e->mode) || S_ISBLK(e->mode) ? (uint64_t)e->major << 32 | e->minor : 0,
	};

	add_bytes(sum, "entry", 5);
	add_bytes(sum, e->path, strlen(e->path));
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sha256_add64(sum->sha256, numbers[i]);
	if (e->target)
		add_bytes(sum, e->target, strlen(e->target));
	if (e->content)
		sha256_add(sum->sha256, e->content, SHA256_SIZE);
	return total(sum);
}

int tree_sum_xattr(struct tree_sum *sum, const char *path, const char *name, const void *value, size_t length)
{
	add_bytes(sum, "xattr", 5);
	add_bytes(sum, path, strlen(path));
	add_bytes(sum, name, strlen(name));
	add_bytes(sum, value, length);
	return total(sum);
}

int tree_sum_name(struct tree_sum *sum, const char *path, uint64_t names[2])
{
	unsigned char digest[SHA256_SIZE];
	uint64_t words[4];
	int r;

	add_bytes(sum, path, strlen(path));
	r = sha256_end(sum->sha256, digest);
	words_of(digest, words);
	add(names, words, 2);
	return r;
}

int tree_sum_same(struct tree_sum *sum, const uint64_t names[2])
{
	add_bytes(sum, "same", 4);
	sha256_add64(sum->sha256, names[0]);
	sha256_add64(sum->sha256, names[1]);
	return total(sum);
}

int tree_sum_open_links(struct tree_sum *sum, const struct link_table *links)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < links->size; i++)
		if (links->slots[i].left > 0 && links->slots[i].seen > 1)
			r = tree_sum_same(sum, links->slots[i].names);
	return r;
}

int tree_sum_end(struct tree_sum *sum, char ret[SHA256_TEXT])
{
	unsigned char digest[SHA256_SIZE];
	int r;

	for (size_t i = 0; i < 4; i++)
		sha256_add64(sum->sha256, sum->total[i]);
	sha256_add64(sum->sha256, sum->count);
	r = sha256_end(sum->sha256, digest);
	sha256_text(digest, ret);
	return r;
}
