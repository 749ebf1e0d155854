/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UTIL_ARENA_H
#define UTIL_ARENA_H

/* Memory in small pieces that is given back as a whole. An arena of zeroes is an empty one. */

#include <stddef.h>

struct arena {
	struct arena_block *blocks;	/* newest first */
	size_t used, size;		/* of the newest */
};

/* Zeroed memory for anything; NULL when there is none. */
void *arena_alloc(struct arena *arena, size_t size);

/* The first @length bytes of @text and a NUL; NULL when memory runs out. */
char *arena_strndup(struct arena *arena, const char *text, size_t length);

/* Gives everything back and leaves an empty one. */
void arena_deinit(struct arena *arena);

#endif
