/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading and writing all extended attributes of an entry. */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "core/migrate/tree/xattrs.h"

int xattrs_init(struct xattrs *x)
{
	*x = (struct xattrs) { .list = malloc(TREE_XATTR_MAX), .value = malloc(TREE_XATTR_MAX + 4) };
	return x->list && x->value ? 0 : -ENOMEM;
}

void xattrs_deinit(struct xattrs *x)
{
	free(x->list);
	free(x->value);
	*x = (struct xattrs) { 0 };
}

int xattrs_list(struct xattrs *x, int fd, const char *path)
{
	ssize_t n = fd >= 0 ? flistxattr(fd, x->list, TREE_XATTR_MAX) :
		    fd == XATTRS_OF_FD ? listxattr(path, x->list, TREE_XATTR_MAX) : llistxattr(path, x->list, TREE_XATTR_MAX);

	x->length = n > 0 ? (size_t)n : 0;
	return n < 0 && errno != EOPNOTSUPP ? -errno : 0;
}

const char *xattrs_next(const struct xattrs *x, const char *name)
{
	name = name ? name + strlen(name) + 1 : x->list;
	while (name < x->list + x->length && strncmp(name, TREE_XATTR_MARK, strlen(TREE_XATTR_MARK)) == 0)
		name += strlen(name) + 1;
	return name < x->list + x->length ? name : NULL;
}

int xattrs_get(struct xattrs *x, int fd, const char *path, const char *name)
{
	ssize_t n = fd >= 0 ? fgetxattr(fd, name, x->value, TREE_XATTR_MAX) :
		    fd == XATTRS_OF_FD ? getxattr(path, name, x->value, TREE_XATTR_MAX) : lgetxattr(path, name, x->value, TREE_XATTR_MAX);

	x->value_length = n > 0 ? (size_t)n : 0;
	return n < 0 ? -errno : 0;
}

int xattrs_set(const struct xattrs *x, int fd, const char *path, const char *name)
{
	int r = fd >= 0 ? fsetxattr(fd, name, x->value, x->value_length, 0) :
		fd == XATTRS_OF_FD ? setxattr(path, name, x->value, x->value_length, 0) : lsetxattr(path, name, x->value, x->value_length, 0);

	return r < 0 ? -errno : 0;
}
