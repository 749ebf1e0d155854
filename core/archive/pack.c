/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing a tree into a tar archive. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/archive/acl.h"
#include "core/archive/pack.h"
#include "core/migrate/tree/sum.h"
#include "core/migrate/tree/xattrs.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"

#define FIXED	(STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)

struct packer {
	struct tree_work work;
	const struct tree_map *map;
	struct stream_writer *w;
	const char *prefix;
	struct xattrs xattrs;
	struct link_table links;	/* at[0], at[1]: where in @names the first name is, and how long */
	struct link_slot *slot;		/* of the file whose first name is at work; NULL: it has no other */
	int names;			/* a file without a name: there may be many */
	uint64_t names_at;
	char *buffer;			/* STREAM_CHUNK */
	bool summing;			/* the checksum is made as well: */
	struct tree_sum sum;
	unsigned char content[SHA256_SIZE];	/* of the file at work */
};

static int add_acl(struct packer *p, const char *name, struct tar_entry *t)
{
	char *text = acl_to_text(p->xattrs.value, p->xattrs.value_length);
	char **place = strcmp(name, "system.posix_acl_default") == 0 ? &t->acl_default : &t->acl_access;

	if (!text)
		return fail_memory(p->work.err);
	free(*place);
	*place = text;
	return 0;
}

static int add_xattrs(struct packer *p, const struct tree_entry *e, struct tar_entry *t, struct tree_ids *ids)
{
	char path[TREE_PATH_SIZE];
	int r;

	tree_path_of(path, e->dir, e->name);
	r = xattrs_list(&p->xattrs, e->fd, path);
	for (const char *name = NULL; r == 0 && (name = xattrs_next(&p->xattrs, name));) {
		if (!tree_xattr_is_portable(name)) {
			r = tree_work_tell(&p->work, TREE_TOLD_XATTR, e->path);
			continue;
		}
		r = xattrs_get(&p->xattrs, e->fd, path, name);
		if (r < 0)
			break;
		tree_xattr_map(p->map, name, p->xattrs.value, &p->xattrs.value_length, ids);
		r = p->summing ? tree_sum_xattr(&p->sum, e->path, name, p->xattrs.value, p->xattrs.value_length) : 0;
		if (r == 0)
			r = strncmp(name, "system.", 7) == 0 ? add_acl(p, name, t) :
							       tar_entry_add_xattr(t, name, p->xattrs.value, p->xattrs.value_length);
	}
	return r < 0 ? tree_work_fail(&p->work, r, "read the extended attributes of", e->path) : 0;
}

/* "PREFIX/PATH", and a slash behind directories. */
static char *name_of(const struct packer *p, const char *path, bool directory)
{
	char *name = NULL;

	if (strcmp(path, ".") == 0)
		path = "";
	if (asprintf(&name, "%s%s%s%s", p->prefix, *path ? "/" : "", path, directory ? "/" : "") < 0)
		return NULL;
	return name;
}

static int describe(struct packer *p, const struct tree_entry *e, struct tar_entry *t)
{
	const struct statx *st = e->st;
	struct tree_ids ids = { 0 };
	int r;

	*t = (struct tar_entry) {
		.type = st->stx_mode & S_IFMT, .mode = st->stx_mode & 07777, .path = name_of(p, e->path, S_ISDIR(st->stx_mode)),
		.seconds = st->stx_mtime.tv_sec, .nanoseconds = st->stx_mtime.tv_nsec, .has_atime = true,
		.atime_seconds = st->stx_atime.tv_sec, .atime_nanoseconds = st->stx_atime.tv_nsec,
		.major = st->stx_rdev_major, .minor = st->stx_rdev_minor,
		.size = S_ISREG(st->stx_mode) ? st->stx_size : 0,
	};
	if (!t->path)
		return fail_memory(p->work.err);
	tree_ids_owner(p->map, st->stx_uid, st->stx_gid, &ids, &t->uid, &t->gid);
	r = add_xattrs(p, e, t, &ids);
	if (r == 0 && ids.unmapped)
		r = tree_work_tell(&p->work, TREE_TOLD_UNMAPPED, e->path);
	if (r == 0 && st->stx_attributes & FIXED)
		r = tree_work_tell(&p->work, TREE_TOLD_FLAGS, e->path);
	return r;
}

static int put(struct packer *p, struct tar_entry *t, const char *path)
{
	int r = tar_write_entry(p->w, t, p->work.err);

	return r == -EFBIG ? tree_work_fail(&p->work, r, "pack the names and attributes of", path) : r;
}

/* What of a file is there; false: all of it, or too many pieces. */
static bool find_pieces(int fd, const struct statx *st, struct tar_entry *t)
{
	off_t at = 0, size = (off_t)st->stx_size;

	if (st->stx_blocks * 512 >= st->stx_size)
		return false;
	while (at < size) {
		off_t begin = lseek(fd, at, SEEK_DATA), end = begin < 0 ? -1 : lseek(fd, begin, SEEK_HOLE);

		if (begin < 0 && errno == ENXIO)
			break;
		if (end < 0)
			return false;
		at = end < size ? end : size;
		if (tar_add_piece(&t->pieces, &t->n_pieces, (uint64_t)begin, (uint64_t)(at - begin)) < 0)
			return false;
	}
	return t->n_pieces != 1 || t->pieces[0].length < st->stx_size;
}

/* As much as there is room for, unless the file ends. */
static int read_chunk(struct packer *p, int fd, uint64_t offset, size_t length, const char *path)
{
	size_t got = 0;

	while (got < length) {
		ssize_t n = pread(fd, p->buffer + got, length - got, (off_t)(offset + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return tree_work_fail(&p->work, n < 0 ? -errno : -ESTALE, "read", path);
		got += (size_t)n;
	}
	return 0;
}

_Static_assert(STREAM_CHUNK % TREE_SUM_BLOCK == 0, "what is read at once is whole blocks");

/* @sum: all of the file is put, from its begin. */
static int put_bytes(struct packer *p, int fd, const struct tar_piece *piece, bool sum, const char *path)
{
	uint64_t offset = piece->offset, left = piece->length;

	while (left > 0) {
		size_t n = left < STREAM_CHUNK ? (size_t)left : STREAM_CHUNK;
		int r = read_chunk(p, fd, offset, n, path);

		for (size_t at = 0; r == 0 && sum && at < n; at += TREE_SUM_BLOCK)
			tree_sum_content(&p->sum, offset + at, p->buffer + at, n - at < TREE_SUM_BLOCK ? n - at : TREE_SUM_BLOCK);
		if (r == 0)
			r = stream_write(p->w, p->buffer, n, p->work.err);
		if (r == 0)
			r = tree_work_step(&p->work, 0, n);
		if (r < 0)
			return r;
		offset += n;
		left -= n;
	}
	return 0;
}

/* Pieces are no whole blocks: they are read once more. */
static int sum_contents(struct packer *p, int fd, const struct tree_entry *e, const struct tar_entry *t)
{
	int r = 0;

	if (!p->summing)
		return 0;
	r = t->sparse ? tree_sum_file(&p->sum, &p->work, fd, e->st, p->buffer, p->content) : tree_sum_content_end(&p->sum, p->content);
	if (r == 0 && p->slot)
		memcpy(p->slot->content, p->content, sizeof(p->content));
	return r < 0 ? tree_work_fail(&p->work, r, "make the checksum of", e->path) : 0;
}

static int pack_regular(struct packer *p, const struct tree_entry *e, struct tar_entry *t)
{
	_cleanup_close_ int fd = tree_open_file(e);
	uint64_t stored = t->size;
	int r;

	if (fd < 0)
		return tree_work_fail(&p->work, fd, "read", e->path);
	t->sparse = find_pieces(fd, e->st, t);
	r = put(p, t, e->path);
	p->work.report->bytes += t->size;
	if (!t->sparse)
		r = r < 0 ? r : put_bytes(p, fd, &(struct tar_piece){ 0, t->size }, p->summing, e->path);
	else
		stored = 0;
	for (size_t i = 0; r == 0 && t->sparse && i < t->n_pieces; i++) {
		stored += t->pieces[i].length;
		r = put_bytes(p, fd, &t->pieces[i], false, e->path);
	}
	if (r == 0)
		r = sum_contents(p, fd, e, t);
	return r < 0 ? r : tar_write_padding(p->w, stored, p->work.err);
}

static int pack_symlink(struct packer *p, const struct tree_entry *e, struct tar_entry *t)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(e->dir, e->name, text, sizeof(text) - 1);

	if (n < 0)
		return tree_work_fail(&p->work, -errno, "read the symlink", e->path);
	text[n] = '\0';
	t->link = strdup(text);
	return t->link ? put(p, t, e->path) : fail_memory(p->work.err);
}

static int keep_name(struct packer *p, struct link_slot *slot, const char *name)
{
	slot->at[0] = p->names_at;
	slot->at[1] = strlen(name);
	p->slot = slot;
	if (pwrite(p->names, name, slot->at[1], (off_t)p->names_at) != (ssize_t)slot->at[1])
		return fail_errno(p->work.err, -EIO, "cannot keep the names of links");
	p->names_at += slot->at[1];
	return 0;
}

static int put_further(struct packer *p, const struct link_slot *slot, const struct tree_entry *e, struct tar_entry *t)
{
	memcpy(p->content, slot->content, sizeof(p->content));
	t->link = calloc(1, slot->at[1] + 1);
	if (!t->link || pread(p->names, t->link, slot->at[1], (off_t)slot->at[0]) != (ssize_t)slot->at[1])
		return fail_errno(p->work.err, -EIO, "cannot find the names of links");
	t->type = 0;
	t->size = 0;
	p->work.report->links++;
	return put(p, t, e->path);
}

/* A further name: 1 when it was written as such. The first is remembered. */
static int pack_link(struct packer *p, const struct tree_entry *e, struct tar_entry *t)
{
	struct link_slot *slot, last;
	bool first;
	int r = link_table_see(&p->links, e->st, &slot);

	if (r < 0)
		return fail_errno(p->work.err, r, "too many files with several names");
	first = slot->seen == 1;
	if (p->summing)
		r = tree_sum_name(&p->sum, e->path, slot->names);
	if (r == 0)
		r = first ? keep_name(p, slot, t->path) : put_further(p, slot, e, t);
	last = *slot;
	if (link_table_done(&p->links, slot) && r == 0 && p->summing && last.seen > 1)
		r = tree_sum_same(&p->sum, last.names);
	return r < 0 ? r : !first;
}

static int pack_by_type(struct packer *p, const struct tree_entry *e, struct tar_entry *t)
{
	int r;

	p->slot = NULL;
	r = e->st->stx_nlink > 1 ? pack_link(p, e, t) : 0;
	if (r != 0)
		return r < 0 ? r : 0;
	if (S_ISREG(t->type))
		return pack_regular(p, e, t);
	return S_ISLNK(t->type) ? pack_symlink(p, e, t) : put(p, t, e->path);
}

/* As a tree on disk would have it: a further name is a file as well. */
static int sum_entry(struct packer *p, const struct tree_entry *e, const struct tar_entry *t)
{
	const struct statx *st = e->st;
	char target[PATH_MAX];
	struct tree_sum_entry entry = {
		.path = e->path, .mode = st->stx_mode, .uid = t->uid, .gid = t->gid, .seconds = t->seconds, .nanoseconds = t->nanoseconds,
		.size = st->stx_size, .major = t->major, .minor = t->minor, .content = S_ISREG(st->stx_mode) ? p->content : NULL,
	};
	ssize_t n = 0;
	int r;

	if (!p->summing)
		return 0;
	if (S_ISLNK(st->stx_mode)) {
		n = readlinkat(e->dir, e->name, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		entry.target = target;
	}
	r = n < 0 ? -errno : tree_sum_entry(&p->sum, &entry);
	return r < 0 ? tree_work_fail(&p->work, r, "make the checksum of", e->path) : 0;
}

static int visit_entry(const struct tree_entry *e, void *data)
{
	struct packer *p = data;
	struct tar_entry t = { .path = NULL };
	int r;

	p->work.report->files++;
	if (e->mount)
		return tree_work_tell(&p->work, TREE_TOLD_MOUNT, e->path);
	if (S_ISSOCK(e->st->stx_mode))
		return tree_work_tell(&p->work, TREE_TOLD_SOCKET, e->path);
	r = describe(p, e, &t);
	if (r == 0)
		r = pack_by_type(p, e, &t);
	if (r == 0)
		r = sum_entry(p, e, &t);
	tar_entry_deinit(&t);
	return r < 0 ? r : tree_work_step(&p->work, 1, 0);
}

static int visit_enter(const struct tree_entry *e, void *data)
{
	struct packer *p = data;
	struct tar_entry t;
	int r = describe(p, e, &t);

	if (r == 0)
		r = put(p, &t, e->path);
	if (r == 0)
		r = sum_entry(p, e, &t);
	tar_entry_deinit(&t);
	p->work.report->files++;
	p->work.report->directories++;
	return r < 0 ? r : tree_work_step(&p->work, 1, 0);
}

static int pack(struct packer *p, int dir)
{
	static const struct tree_visit visit = { .enter = visit_enter, .entry = visit_entry };
	int r;

	p->names = open("/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (p->names < 0)
		p->names = memfd_create("moorage-names", MFD_CLOEXEC);
	if (p->names < 0)
		return fail_errno(p->work.err, -errno, "cannot make a temporary file");
	if (!p->buffer || xattrs_init(&p->xattrs) < 0)
		return fail_memory(p->work.err);
	r = p->summing ? tree_sum_init(&p->sum, p->work.err) : 0;
	if (r == 0)
		r = tree_walk(&p->work, dir, &visit, p);
	if (r < 0 || !p->summing)
		return r;
	r = tree_sum_open_links(&p->sum, &p->links);
	if (r == 0)
		r = tree_sum_end(&p->sum, p->work.options->digest);
	return r < 0 ? fail_errno(p->work.err, r, "cannot make the checksum of the root") : 0;
}

int pack_tree(struct stream_writer *w, int dir, const char *prefix, const struct tree_options *options, struct tree_report *report,
	      struct mrg_error *err)
{
	static const struct tree_map nothing;
	struct packer p = { .w = w, .prefix = prefix, .names = -1, .buffer = malloc(STREAM_CHUNK) };
	int r;

	tree_work_init(&p.work, options, report, err);
	p.map = p.work.options->map ? p.work.options->map : &nothing;
	p.summing = p.work.options->digest;
	r = pack(&p, dir);
	fd_close(p.names);
	free(p.buffer);
	xattrs_deinit(&p.xattrs);
	link_table_deinit(&p.links);
	tree_sum_deinit(&p.sum);
	return r;
}
