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
#include "core/migrate/tree/link_table.h"
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
	struct link_table links;	/* names[0], names[1]: where in @names the first name is, and how long */
	int names;			/* a file without a name: there may be many */
	uint64_t names_at;
	char *buffer;			/* STREAM_CHUNK */
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

static int put_bytes(struct packer *p, int fd, uint64_t offset, uint64_t length, const char *path)
{
	while (length > 0) {
		ssize_t n = pread(fd, p->buffer, length < STREAM_CHUNK ? (size_t)length : STREAM_CHUNK, (off_t)offset);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return tree_work_fail(&p->work, n < 0 ? -errno : -ESTALE, "read", path);
		r = stream_write(p->w, p->buffer, (size_t)n, p->work.err);
		if (r == 0)
			r = tree_work_step(&p->work, 0, (uint64_t)n);
		if (r < 0)
			return r;
		offset += (uint64_t)n;
		length -= (uint64_t)n;
	}
	return 0;
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
		r = r < 0 ? r : put_bytes(p, fd, 0, t->size, e->path);
	else
		stored = 0;
	for (size_t i = 0; r == 0 && t->sparse && i < t->n_pieces; i++) {
		stored += t->pieces[i].length;
		r = put_bytes(p, fd, t->pieces[i].offset, t->pieces[i].length, e->path);
	}
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

/* A further name: 1 when it was written as such. The first is remembered. */
static int pack_link(struct packer *p, const struct tree_entry *e, struct tar_entry *t)
{
	struct link_slot *slot;
	bool first;
	int r = link_table_see(&p->links, e->st, &slot);

	if (r < 0)
		return fail_errno(p->work.err, r, "too many files with several names");
	first = slot->seen == 1;
	if (first) {
		slot->names[0] = p->names_at;
		slot->names[1] = strlen(t->path);
		if (pwrite(p->names, t->path, slot->names[1], (off_t)p->names_at) != (ssize_t)slot->names[1])
			return fail_errno(p->work.err, -EIO, "cannot keep the names of links");
		p->names_at += slot->names[1];
	} else {
		t->link = calloc(1, slot->names[1] + 1);
		if (!t->link || pread(p->names, t->link, slot->names[1], (off_t)slot->names[0]) != (ssize_t)slot->names[1])
			return fail_errno(p->work.err, -EIO, "cannot find the names of links");
		t->type = 0;
		t->size = 0;
		p->work.report->links++;
		r = put(p, t, e->path);
	}
	link_table_done(&p->links, slot);
	return r < 0 ? r : !first;
}

static int pack_by_type(struct packer *p, const struct tree_entry *e, struct tar_entry *t)
{
	int r = e->st->stx_nlink > 1 ? pack_link(p, e, t) : 0;

	if (r != 0)
		return r < 0 ? r : 0;
	if (S_ISREG(t->type))
		return pack_regular(p, e, t);
	return S_ISLNK(t->type) ? pack_symlink(p, e, t) : put(p, t, e->path);
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
	tar_entry_deinit(&t);
	p->work.report->files++;
	p->work.report->directories++;
	return r < 0 ? r : tree_work_step(&p->work, 1, 0);
}

int pack_tree(struct stream_writer *w, int dir, const char *prefix, const struct tree_options *options, struct tree_report *report,
	      struct mrg_error *err)
{
	static const struct tree_visit visit = { .enter = visit_enter, .entry = visit_entry };
	static const struct tree_map nothing;
	struct packer p = { .w = w, .prefix = prefix, .buffer = malloc(STREAM_CHUNK) };
	int r;

	tree_work_init(&p.work, options, report, err);
	p.map = p.work.options->map ? p.work.options->map : &nothing;
	p.names = open("/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (p.names < 0)
		p.names = memfd_create("moorage-names", MFD_CLOEXEC);
	if (p.names < 0)
		r = fail_errno(err, -errno, "cannot make a temporary file");
	else
		r = !p.buffer || xattrs_init(&p.xattrs) < 0 ? fail_memory(err) : tree_walk(&p.work, dir, &visit, &p);
	fd_close(p.names);
	free(p.buffer);
	xattrs_deinit(&p.xattrs);
	link_table_deinit(&p.links);
	return r;
}
