/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory in small pieces, cut from blocks that grow. */

#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/util/arena.h"

struct arena_block {
	struct arena_block *next;
	_Alignas(max_align_t) char data[];
};

/* Address sanitizers see an overrun of an allocation, so for them every piece is one. */
#ifndef __has_feature
#define __has_feature(feature)	0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define FIRST_SIZE	0
#define LARGEST_SIZE	0
#else
#define FIRST_SIZE	2000
#define LARGEST_SIZE	64000
#endif

/* A block that holds at least @size bytes: twice as large as the one before. */
static struct arena_block *add_block(struct arena *arena, size_t size)
{
	size_t usual = arena->blocks ? arena->size * 2 : FIRST_SIZE;
	struct arena_block *block;

	usual = usual > LARGEST_SIZE ? LARGEST_SIZE : usual;
	size = size < usual ? usual : size;
	if (size > SIZE_MAX - sizeof(*block))
		return NULL;
	block = malloc(sizeof(*block) + size);
	if (!block)
		return NULL;
	block->next = arena->blocks;
	arena->blocks = block;
	arena->size = size;
	arena->used = 0;
	return block;
}

static void *cut(struct arena *arena, size_t size, size_t align)
{
	size_t at = (arena->used + align - 1) & ~(align - 1);

	if (!arena->blocks || at > arena->size || size > arena->size - at) {
		if (!add_block(arena, size))
			return NULL;
		at = 0;
	}
	arena->used = at + size;
	return arena->blocks->data + at;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	void *memory = cut(arena, size, _Alignof(max_align_t));

	return memory ? memset(memory, 0, size) : NULL;
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
	char *copy = length < SIZE_MAX ? cut(arena, length + 1, 1) : NULL;

	if (!copy)
		return NULL;
	copy[length] = '\0';
	return memcpy(copy, text, length);
}

void arena_deinit(struct arena *arena)
{
	struct arena_block *block = arena->blocks;

	while (block) {
		struct arena_block *next = block->next;

		free(block);
		block = next;
	}
	*arena = (struct arena){ 0 };
}
