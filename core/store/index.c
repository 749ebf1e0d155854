/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the small files of kept containers say, in one file: to open a few of each is most of what a look at a thousand costs. It is a cache, made
 * by looks themselves. What it tells of a container is believed as long as the container's directory, in which files come and go by a rename each, has the
 * inode and the times that it was taken at.
 *
 *	moorage-index 1
 *	NAME INODE MODIFIED CHANGED LENGTH LENGTH LENGTH	of record.json, run.json and exit.json, -1 where there is none; times in ns
 *	the texts, one behind the other
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/store/internal.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/proc.h"
#include "core/util/str.h"

#define DIRECTORY	"index"
#define FILE_NAME	"records"
#define TITLE		"moorage-index 1\n"
#define INDEX_MAX	(64 * 1024 * 1024)

/* The clock of files goes in steps: what changes twice within one has the same time. So what has changed just now is not taken. */
#define SETTLED_NS	INT64_C(2000000000)

/* So many containers that it does not know, and so many of those it knows, make it worth a new one. */
#define MISSES		32
#define MISSES_SHARE	16

static const char *const files[INDEX_FILES] = { "record.json", "run.json", "exit.json" };

struct index {
	char *text;
	struct indexed *item;		/* by name */
	size_t n, size, misses;
};

static int read_stamp(int base, const char *name, struct index_stamp *ret)
{
	struct stat st;

	if (fstatat(base, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	*ret = (struct index_stamp){ (int64_t)st.st_ino, time_ns(&st.st_mtim), time_ns(&st.st_ctim) };
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

static bool same_stamp(const struct index_stamp *a, const struct index_stamp *b)
{
	return a->inode == b->inode && a->modified == b->modified && a->changed == b->changed;
}

/* ---- reading -------------------------------------------------------------------------------- */

static bool take_number(char **at, int64_t *ret)
{
	char *end;

	if (**at != ' ')
		return false;
	errno = 0;
	*ret = strtoll(*at + 1, &end, 10);
	if (errno || end == *at + 1)
		return false;
	*at = end;
	return true;
}

static bool take_text(char **at, const char *end, int64_t length, struct index_text *ret)
{
	*ret = (struct index_text){ NULL, 0 };
	if (length < 0)
		return true;
	if (length > end - *at)
		return false;
	*ret = (struct index_text){ *at, (size_t)length };
	*at += length;
	return true;
}

/* One container, from @at on, which is moved behind it. */
static bool take_item(char **at, const char *end, struct indexed *ret)
{
	int64_t number[3], length[INDEX_FILES];
	char *gap = *at + strcspn(*at, " \n");
	bool whole = true;

	ret->name = *at;
	*at = gap;
	for (size_t i = 0; i < ARRAY_SIZE(number); i++)
		whole = whole && take_number(at, &number[i]);
	for (size_t i = 0; i < INDEX_FILES; i++)
		whole = whole && take_number(at, &length[i]);
	if (!whole || *(*at)++ != '\n')
		return false;
	*gap = '\0';
	ret->stamp = (struct index_stamp){ number[0], number[1], number[2] };
	for (size_t i = 0; i < INDEX_FILES; i++)
		if (!take_text(at, end, length[i], &ret->file[i]))
			return false;
	return *(*at)++ == '\n';
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct indexed *)a)->name, ((const struct indexed *)b)->name);
}

static bool add_item(struct index *index, const struct indexed *item)
{
	if (index->n == index->size) {
		size_t size = index->size ? index->size * 2 : 256;
		struct indexed *bigger = reallocarray(index->item, size, sizeof(*bigger));

		if (!bigger)
			return false;
		index->item = bigger;
		index->size = size;
	}
	index->item[index->n++] = *item;
	return true;
}

/* One that is torn is one that knows nothing. */
static void parse(struct index *index, size_t length)
{
	char *at = index->text, *end = at + length;
	struct indexed item;
	bool whole = strncmp(at, TITLE, strlen(TITLE)) == 0;

	at += whole ? strlen(TITLE) : 0;
	while (whole && at < end)
		whole = take_item(&at, end, &item) && add_item(index, &item) &&
			(index->n < 2 || by_name(&index->item[index->n - 2], &item) < 0);
	if (!whole)
		index->n = 0;
}

struct index *index_load(struct mrg *m)
{
	_cleanup_close_ int cache = store_cache(m, DIRECTORY, false, NULL);
	struct index *index = calloc(1, sizeof(*index));
	size_t length;

	if (index && cache >= 0 && fd_read_file(cache, FILE_NAME, INDEX_MAX, &index->text, &length) == 0)
		parse(index, length);
	return index;
}

struct index *index_free(struct index *index)
{
	if (!index)
		return NULL;
	free(index->item);
	free(index->text);
	free(index);
	return NULL;
}

const struct indexed *index_find(struct index *index, int base, const char *name)
{
	const struct indexed *found = NULL;
	struct index_stamp now;

	if (index && index->n > 0)
		found = bsearch(&(struct indexed){ .name = name }, index->item, index->n, sizeof(*found), by_name);
	return found && read_stamp(base, name, &now) == 0 && same_stamp(&found->stamp, &now) ? found : NULL;
}

void index_miss(struct index *index)
{
	if (index)
		index->misses++;
}

const struct index_text *index_text(const struct indexed *item, const char *file)
{
	for (size_t i = 0; i < INDEX_FILES; i++)
		if (strcmp(files[i], file) == 0)
			return &item->file[i];
	return NULL;
}

/* ---- writing -------------------------------------------------------------------------------- */

static void write_item(struct buffer *b, const struct indexed *item)
{
	buffer_addf(b, "%s %lld %lld %lld", item->name, (long long)item->stamp.inode, (long long)item->stamp.modified,
		    (long long)item->stamp.changed);
	for (size_t i = 0; i < INDEX_FILES; i++)
		buffer_addf(b, " %lld", item->file[i].text ? (long long)item->file[i].length : -1LL);
	buffer_add(b, "\n", 1);
	for (size_t i = 0; i < INDEX_FILES; i++)
		if (item->file[i].text)
			buffer_add(b, item->file[i].text, item->file[i].length);
	buffer_add(b, "\n", 1);
}

/* Of a container that the old one does not know. Nothing where somebody is at work. */
static void write_fresh(struct buffer *b, int base, const char *name)
{
	struct indexed item = { .name = name };
	struct index_stamp after;
	char *text[INDEX_FILES] = { NULL };
	_cleanup_close_ int dir = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = dir < 0 ? -errno : read_stamp(base, name, &item.stamp);

	for (size_t i = 0; r == 0 && i < INDEX_FILES; i++) {
		r = fd_read_file(dir, files[i], RECORD_MAX, &text[i], &item.file[i].length);
		item.file[i].text = text[i];
		r = r == -ENOENT ? 0 : r;
	}
	if (r == 0 && read_stamp(base, name, &after) == 0 && same_stamp(&item.stamp, &after) &&
	    item.stamp.changed < time_now_ns() - SETTLED_NS)
		write_item(b, &item);
	for (size_t i = 0; i < INDEX_FILES; i++)
		free(text[i]);
}

struct writing {
	struct buffer text;
	struct index *old;
	int base;
};

static int write_one(const char *name, void *data)
{
	struct writing *w = data;
	const struct indexed *known = index_find(w->old, w->base, name);

	if (known)
		write_item(&w->text, known);
	else
		write_fresh(&w->text, w->base, name);
	return 0;
}

void index_save(struct mrg *m, struct index *index, int base)
{
	struct writing w = { .old = index, .base = base };
	_cleanup_close_ int cache = -1;

	if (!index || base < 0 || index->misses < MISSES + index->n / MISSES_SHARE)
		return;
	cache = store_cache(m, DIRECTORY, true, NULL);
	buffer_addf(&w.text, TITLE);
	if (cache >= 0 && store_walk(m, write_one, &w, NULL) == 0 && !w.text.failed)
		fd_replace_file(cache, FILE_NAME, w.text.text, w.text.length, false);
	buffer_deinit(&w.text);
}
