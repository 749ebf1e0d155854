/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Further names of a file. Where a copy was made is kept by the file system, not in memory: its first name is given once more in a directory of the
 * target's root, named by device and inode of the source, and further names are links to that one. At the end the directory is removed.
 */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/migrate/tree/copy.h"
#include "core/util/cleanup.h"

#define NAME_SIZE	80

/* The same for all names of a file; its last part are the flags to be set at the end. */
static const char *name_of(char buffer[NAME_SIZE], const struct statx *st)
{
	snprintf(buffer, NAME_SIZE, "%" PRIx32 ":%" PRIx32 "-%" PRIx64 "-%" PRIx64, (uint32_t)st->stx_dev_major, (uint32_t)st->stx_dev_minor,
		 (uint64_t)st->stx_ino, (uint64_t)(st->stx_attributes & TREE_COPY_FLAGS));
	return buffer;
}

/* A name that no entry of the source will need. */
static int make_farm(struct tree_copier *c)
{
	int root = c->targets.levels[0].fd;
	uint64_t nonce;

	if (c->farm_fd >= 0)
		return 0;
	if (getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce))
		return -EIO;
	snprintf(c->farm, sizeof(c->farm), ".moorage-links-%016" PRIx64, nonce);
	/* Deep down the root's descriptor may be closed: it is opened by its own name. */
	_cleanup_close_ int opened = root >= 0 ? -1 : openat(c->parent, c->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (root < 0)
		root = opened;
	if (root < 0 || mkdirat(root, c->farm, 0700) < 0)
		return -errno;
	c->farm_fd = openat(root, c->farm, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return c->farm_fd < 0 ? -errno : 0;
}

int tree_copy_link(struct tree_copier *c, const struct tree_entry *e)
{
	char name[NAME_SIZE];
	int r = make_farm(c);

	if (r == 0 && linkat(c->farm_fd, name_of(name, e->st), dir_stack_top(&c->targets), e->name, 0) == 0) {
		c->work.report->links++;
		return 1;
	}
	r = r < 0 ? r : -errno;
	return r == -ENOENT ? 0 : tree_work_fail(&c->work, r, "make the link", e->path);
}

int tree_copy_link_keep(struct tree_copier *c, const struct tree_entry *e)
{
	char name[NAME_SIZE];

	if (linkat(dir_stack_top(&c->targets), e->name, c->farm_fd, name_of(name, e->st), 0) < 0)
		return tree_work_fail(&c->work, -errno, "make the link", e->path);
	return 0;
}

/* The flags are set on the open file once it has lost its extra name. */
static int forget(struct tree_copier *c, const char *name)
{
	uint64_t flags = strtoull(strrchr(name, '-') + 1, NULL, 16);
	_cleanup_close_ int fd = flags ? openat(c->farm_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;

	if (unlinkat(c->farm_fd, name, 0) < 0)
		return tree_work_fail(&c->work, -errno, "remove the name", name);
	return fd >= 0 ? tree_copy_flags(c, fd, flags, name) : 0;
}

int tree_copy_links_done(struct tree_copier *c)
{
	_cleanup_closedir_ DIR *d = NULL;
	struct dirent *entry;
	int r = 0;

	if (c->farm_fd < 0)
		return 0;
	d = fdopendir(openat(c->farm_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	/* Once more from the start until nothing is left: removal may hide entries from a reader. */
	for (bool found = d != NULL; r == 0 && found; rewinddir(d)) {
		found = false;
		while (r == 0 && (entry = readdir(d)))
			if (entry->d_name[0] != '.') {
				found = true;
				r = forget(c, entry->d_name);
			}
	}
	if (r == 0 && (!d || unlinkat(dir_stack_top(&c->targets), c->farm, AT_REMOVEDIR) < 0))
		r = tree_work_fail(&c->work, -errno, "remove the directory", c->farm);
	return r;
}
