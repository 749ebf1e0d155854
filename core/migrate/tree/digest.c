/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checksum of a tree on disk. */

#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/migrate/tree/sum.h"
#include "core/migrate/tree/xattrs.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"

_Static_assert(TREE_DIGEST_SIZE == SHA256_TEXT, "a digest is a SHA-256");

struct digester {
	struct tree_work work;
	const struct tree_map *map;
	struct tree_sum sum;
	struct link_table links;
	struct xattrs xattrs;
	char *buffer;			/* TREE_SUM_BLOCK */
};

/* A whole block, unless the file ends in it. */
static ssize_t read_block(int fd, char *buffer, off_t at)
{
	size_t got = 0;

	while (got < TREE_SUM_BLOCK) {
		ssize_t n = pread(fd, buffer + got, TREE_SUM_BLOCK - got, at + (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : (ssize_t)got;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

int tree_sum_file(struct tree_sum *sum, struct tree_work *work, int fd, const struct statx *st, char *buffer, unsigned char ret[SHA256_SIZE])
{
	off_t at = 0, size = (off_t)st->stx_size;
	int r = 0;

	while (r == 0 && at < size) {
		off_t data = st->stx_blocks * 512 < st->stx_size ? lseek(fd, at, SEEK_DATA) : at;
		ssize_t n;

		if (data < 0)
			break;
		at = data / TREE_SUM_BLOCK * TREE_SUM_BLOCK;
		n = read_block(fd, buffer, at);
		if (n < 0)
			return (int)n;
		tree_sum_content(sum, (uint64_t)at, buffer, (size_t)n);
		at += TREE_SUM_BLOCK;
		r = tree_work_step(work, 0, (uint64_t)n);
	}
	return r < 0 ? r : tree_sum_content_end(sum, ret);
}

static int digest_contents(struct digester *d, const struct tree_entry *e, unsigned char ret[SHA256_SIZE])
{
	_cleanup_close_ int fd = tree_open_file(e);

	return fd < 0 ? fd : tree_sum_file(&d->sum, &d->work, fd, e->st, d->buffer, ret);
}

static int digest_xattrs(struct digester *d, const struct tree_entry *e, struct tree_ids *ids)
{
	char path[TREE_PATH_SIZE];
	int r;

	tree_path_of(path, e->dir, e->name);
	r = xattrs_list(&d->xattrs, e->fd, path);
	for (const char *name = NULL; r == 0 && (name = xattrs_next(&d->xattrs, name));) {
		if (d->work.options->portable && !tree_xattr_is_portable(name))
			continue;
		r = xattrs_get(&d->xattrs, e->fd, path, name);
		if (r < 0)
			break;
		tree_xattr_map(d->map, name, d->xattrs.value, &d->xattrs.value_length, ids);
		r = tree_sum_xattr(&d->sum, e->path, name, d->xattrs.value, d->xattrs.value_length);
	}
	return r;
}

/* Contents of a file with several names are read once, @slot keeps their digest. */
static int digest_entry(struct digester *d, const struct tree_entry *e, struct link_slot *slot)
{
	const struct statx *st = e->st;
	unsigned char content[SHA256_SIZE];
	struct tree_sum_entry entry = {
		.path = e->path, .mode = st->stx_mode, .seconds = st->stx_mtime.tv_sec, .nanoseconds = st->stx_mtime.tv_nsec,
		.size = st->stx_size, .major = st->stx_rdev_major, .minor = st->stx_rdev_minor,
	};
	struct tree_ids ids = { 0 };
	char target[PATH_MAX];
	ssize_t n = 0;
	int r = 0;

	tree_ids_owner(d->map, st->stx_uid, st->stx_gid, &ids, &entry.uid, &entry.gid);
	if (S_ISREG(st->stx_mode)) {
		entry.content = slot ? slot->content : content;
		if (!slot || slot->seen == 1)
			r = digest_contents(d, e, slot ? slot->content : content);
	}
	if (S_ISLNK(st->stx_mode)) {
		n = readlinkat(e->dir, e->name, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		entry.target = target;
	}
	if (r < 0 || n < 0)
		return r < 0 ? r : -errno;
	r = tree_sum_entry(&d->sum, &entry);
	return r < 0 ? r : digest_xattrs(d, e, &ids);
}

static int digest_link(struct digester *d, const struct tree_entry *e)
{
	struct link_slot *slot, last;
	int r = link_table_see(&d->links, e->st, &slot);

	if (r == 0)
		r = digest_entry(d, e, slot);
	if (r == 0)
		r = tree_sum_name(&d->sum, e->path, slot->names);
	if (r < 0)
		return r;
	last = *slot;
	return link_table_done(&d->links, slot) && last.seen > 1 ? tree_sum_same(&d->sum, last.names) : 0;
}

static int visit_entry(const struct tree_entry *e, void *data)
{
	struct digester *d = data;
	int r;

	if (e->mount || S_ISSOCK(e->st->stx_mode))
		return 0;
	r = e->st->stx_nlink > 1 ? digest_link(d, e) : digest_entry(d, e, NULL);
	if (r < 0)
		return d->work.err && d->work.err->code == r ? r : tree_work_fail(&d->work, r, "make the checksum of", e->path);
	return tree_work_step(&d->work, 1, 0);
}

static int visit_enter(const struct tree_entry *e, void *data)
{
	struct digester *d = data;
	int r = digest_entry(d, e, NULL);

	return r < 0 ? tree_work_fail(&d->work, r, "make the checksum of", e->path) : tree_work_step(&d->work, 1, 0);
}

static int digest(struct digester *d, int dir, char ret[TREE_DIGEST_SIZE])
{
	static const struct tree_visit visit = { .enter = visit_enter, .entry = visit_entry };
	int r;

	d->buffer = malloc(TREE_SUM_BLOCK);
	if (!d->buffer || xattrs_init(&d->xattrs) < 0)
		return fail_memory(d->work.err);
	r = tree_walk(&d->work, dir, &visit, d);
	if (r < 0)
		return r;
	r = tree_sum_open_links(&d->sum, &d->links);
	if (r == 0)
		r = tree_sum_end(&d->sum, ret);
	return r < 0 ? fail_errno(d->work.err, r, "cannot make the checksum of the root") : 0;
}

int tree_digest(int dir, const struct tree_map *map, const struct tree_options *options, char ret[TREE_DIGEST_SIZE], struct mrg_error *err)
{
	static const struct tree_map nothing;
	struct tree_report report = { 0 };
	struct digester d = { .map = map ? map : &nothing };
	int r;

	tree_work_init(&d.work, options, &report, err);
	r = tree_sum_init(&d.sum, err);
	if (r == 0)
		r = digest(&d, dir, ret);
	tree_sum_deinit(&d.sum);
	link_table_deinit(&d.links);
	xattrs_deinit(&d.xattrs);
	free(d.buffer);
	tree_report_deinit(&report);
	return r;
}
