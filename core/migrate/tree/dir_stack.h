/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_MIGRATE_DIR_STACK_H
#define CORE_MIGRATE_DIR_STACK_H

/*
 * The directories from the root of a tree to where a walk is, with a bounded number of descriptors: the deepest are open, those above are opened
 * anew through ".." when the walk comes back to them. A directory that somebody moved meanwhile would lead elsewhere: device and inode are
 * compared, and the walk ends.
 */

#include <stddef.h>
#include <sys/types.h>

#define DIR_STACK_OPEN	32		/* directories open at once */
#define DIR_STACK_MAX	262144		/* levels; more are refused (-ELOOP), since each costs memory */

struct dir_level {
	dev_t dev;			/* which it is, of one that was closed */
	ino_t ino;
	int fd;				/* -1: closed for now */
};

struct dir_stack {
	struct dir_level *levels;
	size_t depth, size;
};

/* Takes @fd, also when it fails. */
int dir_stack_push(struct dir_stack *stack, int fd);

/* The deepest directory. */
static inline int dir_stack_top(const struct dir_stack *stack)
{
	return stack->levels[stack->depth - 1].fd;
}

/* The one above it, opened anew when it was closed; -ESTALE when it is another one by now. The deepest itself when there is none above. */
int dir_stack_parent(struct dir_stack *stack);

/* Leaves the deepest, which makes its parent the deepest, open. */
int dir_stack_pop(struct dir_stack *stack);

void dir_stack_deinit(struct dir_stack *stack);

#endif
