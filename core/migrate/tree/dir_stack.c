/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way from the root of a tree to where a walk is, with a bounded number of descriptors. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/migrate/tree/dir_stack.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"

static int grow(struct dir_stack *stack)
{
	size_t size = stack->size ? stack->size * 2 : 64;
	struct dir_level *levels;

	if (stack->depth < stack->size)
		return 0;
	if (stack->depth >= DIR_STACK_MAX)
		return -ELOOP;
	levels = realloc(stack->levels, size * sizeof(*levels));
	if (!levels)
		return -ENOMEM;
	stack->levels = levels;
	stack->size = size;
	return 0;
}

/* Which directory it was is only asked of one that is to be opened again. */
static int put_away(struct dir_level *level)
{
	struct stat st;

	if (level->fd < 0)
		return 0;
	if (fstat(level->fd, &st) < 0)
		return -errno;
	*level = (struct dir_level) { st.st_dev, st.st_ino, fd_close(level->fd) };
	return 0;
}

int dir_stack_push(struct dir_stack *stack, int fd)
{
	int r = grow(stack);

	if (r == 0 && stack->depth >= DIR_STACK_OPEN)
		r = put_away(&stack->levels[stack->depth - DIR_STACK_OPEN]);
	if (r < 0) {
		fd_close(fd);
		return r;
	}
	stack->levels[stack->depth++] = (struct dir_level) { .fd = fd };
	return 0;
}

int dir_stack_parent(struct dir_stack *stack)
{
	struct dir_level *top = &stack->levels[stack->depth - 1], *above = top - 1;
	_cleanup_close_ int fd = -1;
	struct stat st;

	if (stack->depth < 2)
		return top->fd;
	if (above->fd >= 0)
		return above->fd;
	fd = openat(top->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW | O_NOATIME);
	if (fd < 0 && errno == EPERM)
		fd = openat(top->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_dev != above->dev || st.st_ino != above->ino)
		return -ESTALE;
	return above->fd = take_fd(&fd);
}

int dir_stack_pop(struct dir_stack *stack)
{
	int parent = dir_stack_parent(stack);

	if (parent < 0)
		return parent;
	fd_close(stack->levels[--stack->depth].fd);
	return 0;
}

void dir_stack_deinit(struct dir_stack *stack)
{
	while (stack->depth > 0)
		fd_close(stack->levels[--stack->depth].fd);
	free(stack->levels);
	*stack = (struct dir_stack) { 0 };
}
