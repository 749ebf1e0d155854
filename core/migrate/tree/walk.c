/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Visiting every entry of a tree. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/migrate/tree/dir_stack.h"
#include "core/migrate/tree/walk.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/str.h"

#define BUFFER_SIZE	32768
#define WANTED		STATX_BASIC_STATS

/* A directory on the way: how far it has been read. */
struct level {
	char *buffer;			/* entries read ahead; NULL: none, or dropped while the walk is far below */
	size_t at, length;
	off_t next;			/* where to go on reading */
	size_t path;			/* length of the path of what is in it */
};

struct walk {
	struct tree_work *work;
	const struct tree_visit *visit;
	void *data;
	struct dir_stack dirs;
	struct level *levels;
	size_t size;
	struct buffer path;
};

static int look(int dir, const char *name, struct statx *ret)
{
	int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name ? 0 : AT_EMPTY_PATH);

	return statx(dir, name, flags, WANTED, ret) < 0 ? -errno : 0;
}

static bool is_mount(const struct statx *st)
{
	return st->stx_attributes & st->stx_attributes_mask & STATX_ATTR_MOUNT_ROOT;
}

/* Reading leaves no trace in the time of access where the kernel grants that: to owners. */
static int open_directory(int dir, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW | O_NOATIME,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	int fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));

	if (fd < 0 && errno == EPERM) {
		how.flags &= ~(uint64_t)O_NOATIME;
		fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
	}
	return fd < 0 ? -errno : fd;
}

static int grow_levels(struct walk *w)
{
	size_t size = w->size ? w->size * 2 : 64;
	struct level *levels;

	if (w->dirs.depth <= w->size)
		return 0;
	levels = realloc(w->levels, size * sizeof(*levels));
	if (!levels)
		return -ENOMEM;
	memset(levels + w->size, 0, (size - w->size) * sizeof(*levels));
	w->levels = levels;
	w->size = size;
	return 0;
}

/* Goes down into the directory @fd, taken. What was read ahead far above is dropped. */
static int descend(struct walk *w, int fd)
{
	int r = dir_stack_push(&w->dirs, fd);
	size_t depth = w->dirs.depth;

	r = r < 0 ? r : grow_levels(w);
	if (r < 0)
		return r;
	if (depth > DIR_STACK_OPEN) {
		struct level *far = &w->levels[depth - 1 - DIR_STACK_OPEN];

		free(far->buffer);
		far->buffer = NULL;
	}
	w->levels[depth - 1] = (struct level) { .path = w->path.length };
	return 0;
}

/* The next entry of the deepest directory: 1, 0 at its end, or a negative errno. */
static int next_entry(struct walk *w, struct dirent64 **ret)
{
	struct level *level = &w->levels[w->dirs.depth - 1];
	int fd = dir_stack_top(&w->dirs);

	if (!level->buffer) {
		level->buffer = malloc(BUFFER_SIZE);
		if (!level->buffer)
			return -ENOMEM;
		level->at = level->length = 0;
		if (level->next != 0 && lseek(fd, level->next, SEEK_SET) < 0)
			return -errno;
	}
	for (;;) {
		if (level->at == level->length) {
			ssize_t n = getdents64(fd, level->buffer, BUFFER_SIZE);

			if (n <= 0)
				return n < 0 ? -errno : 0;
			level->at = 0;
			level->length = (size_t)n;
		}
		struct dirent64 *entry = (struct dirent64 *)(void *)(level->buffer + level->at);

		level->at += entry->d_reclen;
		level->next = entry->d_off;
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			*ret = entry;
			return 1;
		}
	}
}

/* The path becomes that of @name in the deepest directory; the name's place in it. */
static const char *enter_path(struct walk *w, const char *name)
{
	size_t length = w->levels[w->dirs.depth - 1].path;

	w->path.length = length;
	if (length > 0)
		buffer_add(&w->path, "/", 1);
	buffer_add(&w->path, name, strlen(name));
	return w->path.failed ? NULL : w->path.text + (length > 0 ? length + 1 : 0);
}

static int call(struct walk *w, int (*function)(const struct tree_entry *e, void *data), const struct tree_entry *e)
{
	return function ? function(e, w->data) : 0;
}

/* A directory: entered, and what is in it comes next. */
static int visit_directory(struct walk *w, struct tree_entry *e)
{
	struct statx now;
	int r, fd = open_directory(e->dir, e->name);

	if (fd == -EXDEV) {
		e->mount = true;
		return call(w, w->visit->entry, e);
	}
	if (fd < 0)
		return tree_work_fail(w->work, fd, "read the directory", e->path);
	e->fd = fd;
	e->st = &now;
	r = look(fd, "", &now);
	if (r < 0)
		r = tree_work_fail(w->work, r, "look at", e->path);
	else
		r = call(w, w->visit->enter, e);
	if (r < 0) {
		close(fd);
		return r;
	}
	r = descend(w, fd);
	return r < 0 ? tree_work_fail(w->work, r, "read the directory", e->path) : 0;
}

static int visit_entry(struct walk *w, const char *name)
{
	struct statx st;
	struct tree_entry e = { .dir = dir_stack_top(&w->dirs), .fd = -1, .st = &st };
	int r;

	e.name = enter_path(w, name);
	if (!e.name)
		return fail_memory(w->work->err);
	e.path = w->path.text;
	r = look(e.dir, e.name, &st);
	if (r == -ENOENT)	/* removed meanwhile, by who may do so */
		return 0;
	if (r < 0)
		return tree_work_fail(w->work, r, "look at", e.path);
	e.mount = is_mount(&st);
	return S_ISDIR(st.stx_mode) && !e.mount ? visit_directory(w, &e) : call(w, w->visit->entry, &e);
}

/* The deepest directory has been read: left, towards its parent. 1 when it was the root. */
static int leave(struct walk *w)
{
	struct level *level = &w->levels[w->dirs.depth - 1];
	bool root = w->dirs.depth == 1;
	size_t above = root ? 0 : level[-1].path;
	struct statx st;
	struct tree_entry e = { .st = &st, .fd = dir_stack_top(&w->dirs) };
	int r;

	free(level->buffer);
	level->buffer = NULL;
	w->path.length = level->path;
	if (!root)
		w->path.text[level->path] = '\0';
	e.path = root ? "." : w->path.text;
	e.name = root ? "." : w->path.text + (above > 0 ? above + 1 : 0);
	e.dir = dir_stack_parent(&w->dirs);
	r = e.dir < 0 ? e.dir : w->visit->leave ? look(e.fd, "", &st) : 0;
	if (r < 0)
		return tree_work_fail(w->work, r, "come back from", e.path);
	r = call(w, w->visit->leave, &e);
	if (r < 0 || root)
		return r < 0 ? r : 1;
	r = dir_stack_pop(&w->dirs);
	return r < 0 ? tree_work_fail(w->work, r, "come back from", e.path) : 0;
}

static int run(struct walk *w, int root)
{
	struct statx st;
	struct tree_entry e = { .dir = root, .name = ".", .path = ".", .st = &st };
	struct dirent64 *entry = NULL;
	int r;

	/* A descriptor of its own: the caller's keeps its position. */
	e.fd = open_directory(root, ".");
	if (e.fd < 0)
		return tree_work_fail(w->work, e.fd, "read the directory", ".");
	r = look(e.fd, "", &st);
	r = r < 0 ? tree_work_fail(w->work, r, "look at", ".") : call(w, w->visit->enter, &e);
	if (r < 0) {
		close(e.fd);
		return r;
	}
	r = descend(w, e.fd);
	if (r < 0)
		return tree_work_fail(w->work, r, "read the directory", ".");
	while (r == 0) {
		r = next_entry(w, &entry);
		if (r < 0)
			return tree_work_fail(w->work, r, "read a directory at", w->path.length ? w->path.text : ".");
		r = r > 0 ? visit_entry(w, entry->d_name) : leave(w);
	}
	return r < 0 ? r : 0;
}

/* O_NONBLOCK: somebody may have put a FIFO there. */
int tree_open_file(const struct tree_entry *e)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
	_cleanup_close_ int fd = openat(e->dir, e->name, flags | O_NOATIME);
	struct stat st;

	if (fd < 0 && errno == EPERM)
		fd = openat(e->dir, e->name, flags);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_ino != e->st->stx_ino || st.st_dev != makedev(e->st->stx_dev_major, e->st->stx_dev_minor))
		return -ESTALE;
	return take_fd(&fd);
}

int tree_walk(struct tree_work *work, int root, const struct tree_visit *visit, void *data)
{
	struct walk w = { .work = work, .visit = visit, .data = data };
	int r = run(&w, root);

	for (size_t i = 0; i < w.size; i++)
		free(w.levels[i].buffer);
	free(w.levels);
	dir_stack_deinit(&w.dirs);
	buffer_deinit(&w.path);
	return r;
}
