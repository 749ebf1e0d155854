/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copying a tree: entry by entry, each by its type. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/migrate/tree/copy.h"
#include "core/migrate/tree/rebase.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"

int tree_copy_file(struct tree_copier *c, const struct tree_entry *e, int source, int target)
{
	int r = tree_copy_contents(c, source, target, e->st, e->path);

	writeback_note(c->writeback, e->st->stx_blocks * 512);
	return r < 0 ? r : tree_copy_metadata(c, e, source, target);
}

static int copy_regular(struct tree_copier *c, const struct tree_entry *e)
{
	_cleanup_close_ int source = tree_open_file(e), target = -1;

	if (source < 0)
		return tree_work_fail(&c->work, source, "read", e->path);
	target = openat(dir_stack_top(&c->targets), e->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (target < 0)
		return tree_work_fail(&c->work, -errno, "make the file", e->path);
	if (c->filler)
		return tree_filler_give(c->filler, c, e, take_fd(&source), take_fd(&target));
	return tree_copy_file(c, e, source, target);
}

static int copy_symlink(struct tree_copier *c, const struct tree_entry *e)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(e->dir, e->name, text, sizeof(text));

	if (n < 0 || n == sizeof(text))
		return tree_work_fail(&c->work, n < 0 ? -errno : -ENAMETOOLONG, "read the symlink", e->path);
	text[n] = '\0';
	if (symlinkat(text, dir_stack_top(&c->targets), e->name) < 0)
		return tree_work_fail(&c->work, -errno, "make the symlink", e->path);
	return tree_copy_metadata_at(c, e);
}

/* Devices and FIFOs. */
static int copy_node(struct tree_copier *c, const struct tree_entry *e)
{
	dev_t device = makedev(e->st->stx_rdev_major, e->st->stx_rdev_minor);
	mode_t mode = (e->st->stx_mode & S_IFMT) | 0600;

	if (mknodat(dir_stack_top(&c->targets), e->name, mode, device) < 0)
		return tree_work_fail(&c->work, -errno, "make the device or FIFO", e->path);
	return tree_copy_metadata_at(c, e);
}

static int copy_socket(struct tree_copier *c, const struct tree_entry *e)
{
	return tree_work_tell(&c->work, TREE_TOLD_SOCKET, e->path);
}

/* What a mount hides cannot be seen: an empty thing of the same kind, for the mount to be made again. */
static int copy_mount(struct tree_copier *c, const struct tree_entry *e)
{
	int top = dir_stack_top(&c->targets), r;
	bool directory = S_ISDIR(e->st->stx_mode);
	mode_t mode = directory ? 0755 : 0644;

	r = directory ? mkdirat(top, e->name, mode) : mknodat(top, e->name, S_IFREG | mode, 0);
	if (r < 0 || fchmodat(top, e->name, mode, 0) < 0)
		return tree_work_fail(&c->work, -errno, "make", e->path);
	return tree_work_tell(&c->work, TREE_TOLD_MOUNT, e->path);
}

static const struct {
	mode_t type;
	int (*copy)(struct tree_copier *c, const struct tree_entry *e);
} types[] = {
	{ S_IFREG, copy_regular }, { S_IFLNK, copy_symlink }, { S_IFCHR, copy_node },
	{ S_IFBLK, copy_node }, { S_IFIFO, copy_node }, { S_IFSOCK, copy_socket },
};

static int copy_by_type(struct tree_copier *c, const struct tree_entry *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].type == (e->st->stx_mode & S_IFMT))
			return types[i].copy(c, e);
	return tree_work_fail(&c->work, -EINVAL, "tell the type of", e->path);
}

static int visit_entry(const struct tree_entry *e, void *data)
{
	struct tree_copier *c = data;
	bool several = e->st->stx_nlink > 1 && !S_ISSOCK(e->st->stx_mode);
	int r = 0;

	c->work.report->files++;
	if (e->mount)
		return copy_mount(c, e);
	if (several)
		r = tree_copy_link(c, e);
	if (r == 0) {
		r = copy_by_type(c, e);
		if (r == 0 && several)
			r = tree_copy_link_keep(c, e);
	}
	return r < 0 ? r : tree_work_step(&c->work, 1, 0);
}

/* A directory is only ours until it is left: what it is to be like is set then. */
static int visit_enter(const struct tree_entry *e, void *data)
{
	struct tree_copier *c = data;
	bool root = c->targets.depth == 0;
	int above = root ? c->parent : dir_stack_top(&c->targets), fd, r;
	const char *name = root ? c->name : e->name;

	c->work.report->files += !root;
	c->work.report->directories += !root;
	if (strcmp(name, ".") != 0 && mkdirat(above, name, 0700) < 0)
		return root ? fail_errno(c->work.err, -errno, "cannot make the directory '%s'", name) :
			      tree_work_fail(&c->work, -errno, "make the directory", e->path);
	fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = fd < 0 ? -errno : 0;
	/* What the parent hands down to new directories is not of the tree. */
	if (r == 0 && root) {
		fremovexattr(fd, "system.posix_acl_default");
		fremovexattr(fd, "system.posix_acl_access");
		r = fchown(fd, c->uid, c->gid) < 0 || fchmod(fd, 0700) < 0 ? -errno : 0;
	}
	if (r == 0)
		r = dir_stack_push(&c->targets, take_fd(&fd));
	fd_close(fd);
	return r < 0 ? tree_work_fail(&c->work, r, "fill the directory", e->path) : tree_work_step(&c->work, !root, 0);
}

static int end_filler(struct tree_copier *c, int result)
{
	int r = c->filler ? tree_filler_end(c->filler, c, result) : result;

	c->filler = NULL;
	return r;
}

static int visit_leave(const struct tree_entry *e, void *data)
{
	struct tree_copier *c = data;
	bool root = c->targets.depth == 1;
	int r = root ? end_filler(c, 0) : 0;

	/* Who may write to a file no more is set last. */
	if (r == 0 && root)
		r = tree_copy_links_done(c);
	if (r == 0)
		r = tree_copy_metadata(c, e, e->fd, dir_stack_top(&c->targets));
	if (r < 0 || root)
		return r;
	r = dir_stack_pop(&c->targets);
	return r < 0 ? tree_work_fail(&c->work, r, "come back from", e->path) : 0;
}

static int copy(struct tree_copier *c, int source)
{
	static const struct tree_visit visit = { .enter = visit_enter, .leave = visit_leave, .entry = visit_entry };
	bool durable = c->work.options->durable;
	struct writeback *own = durable && !c->work.options->writeback ? writeback_begin(c->parent) : NULL;
	int r;

	c->writeback = own ? own : c->work.options->writeback;
	c->filler = tree_filler_begin(c);
	r = tree_walk(&c->work, source, &visit, c);
	r = end_filler(c, r);
	writeback_end(own);
	if (r == 0 && durable && syncfs(dir_stack_top(&c->targets)) < 0)
		r = fail_errno(c->work.err, -errno, "cannot write the copy to disk");
	return r;
}

int tree_copy_into(int source, int target, const struct tree_options *options, struct tree_report *ret, struct mrg_error *err)
{
	return tree_copy(source, target, ".", options, ret, err);
}

int tree_copier_init(struct tree_copier *c, const struct tree_options *options, struct tree_report *report, struct mrg_error *err)
{
	static const struct tree_map nothing;

	*c = (struct tree_copier) { .in_kernel = true, .farm_fd = -1 };
	tree_work_init(&c->work, options, report, err);
	c->map = c->work.options->map ? c->work.options->map : &nothing;
	c->reflink = !c->work.options->no_reflink;
	c->uid = geteuid();
	c->gid = getegid();
	c->buffer = malloc(COPY_BUFFER);
	return !c->buffer || xattrs_init(&c->xattrs) < 0 ? fail_memory(err) : 0;
}

void tree_copier_deinit(struct tree_copier *c)
{
	xattrs_deinit(&c->xattrs);
	free(c->buffer);
	fd_close(c->farm_fd);
	dir_stack_deinit(&c->targets);
}

int tree_copy(int source, int parent, const char *name, const struct tree_options *options, struct tree_report *ret, struct mrg_error *err)
{
	struct tree_report report = { 0 };
	struct tree_copier c;
	int r = tree_copier_init(&c, options, &report, err);

	c.parent = parent;
	c.name = name;
	if (r == 0 && tree_rebase_is_unfinished(source))
		r = mrg_error_set(err, -MRG_E_STATE, "the root is being given to other ids, which was interrupted");
	if (r == 0)
		r = copy(&c, source);
	tree_copier_deinit(&c);
	if (ret)
		*ret = report;
	else
		tree_report_deinit(&report);
	return r;
}
