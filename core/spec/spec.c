/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A spec and the memory it owns: made, grown, copied, freed. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/spec/table.h"
#include "core/util/arena.h"
#include "core/util/cleanup.h"

/* Lists carry no capacity. That of those which grew last is remembered here, so that appending is cheap and
 * an array that somebody else made is still never written beyond its end. */
struct grown {
	const void *item;
	size_t capacity;
};

struct memory {
	struct arena arena;
	struct grown grown[16];
	unsigned int next;
};

struct mrg_spec *mrg_spec_new(void)
{
	_cleanup_free_ struct mrg_spec *spec = calloc(1, sizeof(*spec));

	if (!spec)
		return NULL;
	spec->arena = calloc(1, sizeof(struct memory));
	if (!spec->arena)
		return NULL;
	return take_ptr(spec);
}

struct mrg_spec *mrg_spec_free(struct mrg_spec *spec)
{
	struct memory *memory;

	if (!spec)
		return NULL;
	memory = spec->arena;
	arena_deinit(&memory->arena);
	free(memory);
	free(spec);
	return NULL;
}

void *mrg_spec_alloc(struct mrg_spec *spec, size_t size)
{
	struct memory *memory = spec->arena;

	return arena_alloc(&memory->arena, size);
}

char *mrg_spec_strdup(struct mrg_spec *spec, const char *text)
{
	struct memory *memory = spec->arena;

	return arena_strndup(&memory->arena, text, strlen(text));
}

/* An array with room for one more behind the @n elements of @item: @item itself, or a larger copy. */
static void *grow(struct mrg_spec *spec, void *item, size_t n, size_t item_size)
{
	struct memory *memory = spec->arena;
	struct grown *grown = NULL;
	size_t capacity;
	void *bigger;

	for (size_t i = 0; i < ARRAY_SIZE(memory->grown) && item; i++)
		if (memory->grown[i].item == item)
			grown = &memory->grown[i];
	if (grown && n < grown->capacity)
		return item;
	capacity = n < 4 ? 8 : n * 2;
	if (capacity > SIZE_MAX / item_size)
		return NULL;
	bigger = mrg_spec_alloc(spec, capacity * item_size);
	if (!bigger)
		return NULL;
	if (item)
		memcpy(bigger, item, n * item_size);
	if (!grown)
		grown = &memory->grown[memory->next++ % ARRAY_SIZE(memory->grown)];
	*grown = (struct grown){ bigger, capacity };
	return bigger;
}

void *spec_list_append(struct mrg_spec *spec, struct list *list, size_t item_size)
{
	void *item = grow(spec, list->item, list->n, item_size);

	if (!item)
		return NULL;
	list->item = item;
	return memset((char *)item + list->n++ * item_size, 0, item_size);
}

int spec_strv_append(struct mrg_spec *spec, char ***strv, const char *text)
{
	size_t n = strv_length(*strv);
	char *copy = mrg_spec_strdup(spec, text);
	char **bigger = grow(spec, *strv, n + 1, sizeof(char *));

	if (!copy || !bigger)
		return -ENOMEM;
	bigger[n] = copy;
	bigger[n + 1] = NULL;
	*strv = bigger;
	return 0;
}

size_t member_item_size(const struct member *member)
{
	switch (member->type) {
	case VALUE_UINT32_LIST:
		return sizeof(uint32_t);
	case VALUE_MAP:
		return sizeof(struct mrg_pair);
	default:
		return member->object->size;
	}
}

static int copy_string(struct mrg_spec *spec, const char **to, const char *from)
{
	*to = from ? mrg_spec_strdup(spec, from) : NULL;
	return from && !*to ? -ENOMEM : 0;
}

static int copy_strv(struct mrg_spec *spec, char ***to, char *const *from)
{
	size_t n = strv_length(from);

	*to = NULL;
	if (n == 0)
		return 0;
	*to = mrg_spec_alloc(spec, (n + 1) * sizeof(char *));
	if (!*to)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		(*to)[i] = mrg_spec_strdup(spec, from[i]);
		if (!(*to)[i])
			return -ENOMEM;
	}
	return 0;
}

static int copy_members(struct mrg_spec *spec, const struct object *object, void *to, const void *from)
{
	int r = 0;

	for (const struct member *m = object->members; m->name && r == 0; m++)
		r = spec_copy_value(spec, m, to, from);
	return r;
}

static int copy_list(struct mrg_spec *spec, const struct member *member, struct list *to, const struct list *from)
{
	size_t size = member_item_size(member);
	int r = 0;

	*to = (struct list){ 0 };
	if (from->n == 0)
		return 0;
	to->item = mrg_spec_alloc(spec, from->n * size);
	if (!to->item)
		return -ENOMEM;
	to->n = from->n;
	for (size_t i = 0; i < from->n && r == 0; i++) {
		void *item = (char *)to->item + i * size;
		const void *original = (const char *)from->item + i * size;
		const struct mrg_pair *pair = original;

		if (member->type == VALUE_UINT32_LIST) {
			memcpy(item, original, size);
		} else if (member->type == VALUE_MAP) {
			r = copy_string(spec, &((struct mrg_pair *)item)->key, pair->key);
			if (r == 0)
				r = copy_string(spec, &((struct mrg_pair *)item)->value, pair->value);
		} else {
			r = copy_members(spec, member->object, item, original);
		}
	}
	return r;
}

static int copy_pointer(struct mrg_spec *spec, const struct object *object, void **to, const void *from)
{
	*to = NULL;
	if (!from)
		return 0;
	*to = mrg_spec_alloc(spec, object->size);
	return *to ? copy_members(spec, object, *to, from) : -ENOMEM;
}

/* The bytes of a type that holds no pointer. */
static size_t plain_size(enum value_type type)
{
	switch (type) {
	case VALUE_BOOL:
	case VALUE_INT32:
		return sizeof(int);
	case VALUE_UINT32:
	case VALUE_MODE:
		return sizeof(uint32_t);
	default:
		return sizeof(uint64_t);
	}
}

int spec_copy_value(struct mrg_spec *spec, const struct member *member, void *to, const void *from)
{
	void *target = member_at(member, to);
	const void *source = member_at_const(member, from);

	switch (member->type) {
	case VALUE_STRING:
	case VALUE_NAMESPACE:
	case VALUE_JSON_ARRAY:
	case VALUE_JSON_OBJECT:
		return copy_string(spec, target, *(const char *const *)source);
	case VALUE_STRV:
		return copy_strv(spec, target, *(char *const *const *)source);
	case VALUE_UINT32_LIST:
	case VALUE_MAP:
	case VALUE_LIST:
		return copy_list(spec, member, target, source);
	case VALUE_MEMBERS:
		return copy_members(spec, member->object, to, from);
	case VALUE_POINTER:
		return copy_pointer(spec, member->object, target, *(const void *const *)source);
	default:
		memcpy(target, source, plain_size(member->type));
		return 0;
	}
}

static void spec_freep(struct mrg_spec **spec)
{
	mrg_spec_free(*spec);
}

int mrg_spec_merge(struct mrg_spec *to, const struct mrg_spec *from, struct mrg_error *err)
{
	int r = 0;

	for (unsigned int i = 0; i < MRG_FIELD_MAX && r == 0; i++)
		if (mrg_fields_has(&from->set, i)) {
			r = spec_copy_value(to, &spec_fields[i].value, to, from);
			mrg_fields_add(&to->set, i);
		}
	return r < 0 ? mrg_error_set(err, r, "out of memory") : 0;
}

int mrg_spec_copy(const struct mrg_spec *spec, struct mrg_spec **ret, struct mrg_error *err)
{
	_cleanup_(spec_freep) struct mrg_spec *copy = mrg_spec_new();
	int r = copy ? mrg_spec_merge(copy, spec, err) : mrg_error_set(err, -ENOMEM, "out of memory");

	if (r < 0)
		return r;
	*ret = take_ptr(copy);
	return 0;
}
