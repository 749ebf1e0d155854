/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The processes of a container as a tree. */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/top.h"
#include "core/util/cleanup.h"

#define NOBODY	SIZE_MAX

int top_procs_add(struct top_procs *procs, const struct mrg_proc *proc)
{
	procs->found++;
	if (procs->n == TOP_PROCS_MAX)
		return 0;
	if (procs->n == procs->size) {
		size_t size = procs->size ? 2 * procs->size : 64;
		struct mrg_proc *grown = reallocarray(procs->list, size, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		procs->list = grown;
		procs->size = size;
	}
	procs->list[procs->n++] = *proc;
	return 0;
}

void top_procs_deinit(struct top_procs *procs)
{
	free(procs->list);
	*procs = (struct top_procs){ .list = NULL };
}

/* ---- the tree ------------------------------------------------------------------------------- */

/* Of a process: its first child, its next sibling, its parent; NOBODY: none. Whole numbers of the list. */
struct link {
	size_t child, next, parent;
	bool placed;
};

static int by_pid(const void *a, const void *b)
{
	const struct mrg_proc *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

static size_t find(const struct top_procs *procs, pid_t pid)
{
	const struct mrg_proc key = { .pid = pid }, *found = procs->n ? bsearch(&key, procs->list, procs->n, sizeof(key), by_pid) : NULL;

	return found ? (size_t)(found - procs->list) : NOBODY;
}

/* From the last to the first, so that children are in order. */
static void link_all(const struct top_procs *procs, struct link *links)
{
	for (size_t i = 0; i < procs->n; i++)
		links[i] = (struct link){ .child = NOBODY, .next = NOBODY, .parent = NOBODY };
	for (size_t i = procs->n; i-- > 0;) {
		size_t parent = find(procs, procs->list[i].parent);

		if (parent == NOBODY || parent == i)
			continue;
		links[i].parent = parent;
		links[i].next = links[parent].child;
		links[parent].child = i;
	}
}

/* The first of @i and its siblings that has not been placed. All after a first child are so, except where parents go round in a circle. */
static size_t first_left(const struct link *links, size_t i)
{
	while (i != NOBODY && links[i].placed)
		i = links[i].next;
	return i;
}

/* The next that has not been placed after @i below @root, and how much deeper; NOBODY: all are. */
static size_t step(const struct link *links, size_t root, size_t i, unsigned int *depth)
{
	size_t next = first_left(links, links[i].child);

	if (next != NOBODY) {
		++*depth;
		return next;
	}
	while (i != root) {
		next = first_left(links, links[i].next);
		if (next != NOBODY)
			return next;
		i = links[i].parent;
		--*depth;
	}
	return NOBODY;
}

static size_t place(struct link *links, size_t root, struct top_branch *ret)
{
	unsigned int depth = 0;
	size_t n = 0;

	for (size_t i = root; i != NOBODY; i = step(links, root, i, &depth)) {
		links[i].placed = true;
		ret[n++] = (struct top_branch){ .proc = i, .depth = depth };
	}
	return n;
}

int top_tree(struct top_procs *procs, struct top_branch *ret)
{
	_cleanup_free_ struct link *links = calloc(procs->n + 1, sizeof(*links));
	size_t n = 0;

	if (!links)
		return -ENOMEM;
	if (procs->n)
		qsort(procs->list, procs->n, sizeof(*procs->list), by_pid);
	link_all(procs, links);
	for (size_t i = 0; i < procs->n; i++)
		if (links[i].parent == NOBODY)
			n += place(links, i, ret + n);
	/* Read while pids were used again, parents may go round in a circle. */
	for (size_t i = 0; i < procs->n && n < procs->n; i++)
		if (!links[i].placed)
			n += place(links, i, ret + n);
	return 0;
}
