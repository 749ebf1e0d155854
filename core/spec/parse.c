/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON values to members of C structures, driven by the table. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/spec/table.h"
#include "core/util/cleanup.h"

/* A key may be megabytes of somebody else's text: what is shown of it is short and printable. */
static size_t format_key(char *buffer, size_t size, const char *key)
{
	size_t n = 0;

	for (size_t i = 0; key[i] && n + 4 < size; i++) {
		if (i == 60) {
			n += (size_t)snprintf(buffer + n, size - n, "...");
			break;
		}
		if (key[i] == '~' || key[i] == '/')
			n += (size_t)snprintf(buffer + n, size - n, "~%d", key[i] == '/');
		else
			buffer[n++] = (unsigned char)key[i] < ' ' || key[i] == 0x7f ? '?' : key[i];
	}
	buffer[n] = '\0';
	return n;
}

void place_format(const struct place *place, char *buffer, size_t size)
{
	size_t n;

	buffer[0] = '\0';
	if (!place || size < 32)
		return;
	place_format(place->parent, buffer, size);
	n = strlen(buffer);
	if (size - n < 24)
		return;
	buffer[n++] = '/';
	if (place->key)
		format_key(buffer + n, size - n, place->key);
	else
		snprintf(buffer + n, size - n, "%zu", place->index);
}

const struct place *spec_field_place(struct field_place *field_place, unsigned int field)
{
	struct place *place = field_place->places;
	char *at = field_place->path, *key;

	*field_place = (struct field_place){ 0 };
	snprintf(field_place->path, sizeof(field_place->path), "%s", spec_fields[field].info.path + 1);
	for (size_t n = 0; n < ARRAY_SIZE(field_place->places) && (key = strsep(&at, "/")); n++) {
		place = &field_place->places[n];
		*place = (struct place){ .key = key, .parent = n > 0 ? place - 1 : NULL };
	}
	return place;
}

int spec_fail(const struct place *place, struct mrg_error *err, const char *format, ...)
{
	char pointer[256];
	va_list args;

	va_start(args, format);
	mrg_error_setv(err, -MRG_E_INVALID, format, args);
	va_end(args);
	place_format(place, pointer, sizeof(pointer));
	if (pointer[0])
		mrg_error_prefix(err, "%s", pointer);
	return -MRG_E_INVALID;
}

/* Walks the words of "a|b|c"; NULL at the end. */
static const char *next_word(const char *at, size_t *ret_length)
{
	if (!at || !*at)
		return NULL;
	*ret_length = strcspn(at, "|");
	return at;
}

int spec_check_enum(const struct member *member, const char *text, const struct place *place, struct mrg_error *err)
{
	const char *word = member->range;
	size_t length;
	char shown[64];

	if (!word || !*word)
		return 0;
	for (; (word = next_word(word, &length)); word += length + (word[length] == '|'))
		if (strlen(text) == length && memcmp(text, word, length) == 0)
			return 0;
	format_key(shown, sizeof(shown), text);
	return spec_fail(place, err, "must be one of %s, not '%s'", member->range, shown);
}

struct bounds spec_bounds(const struct member *member)
{
	struct bounds bounds = { 0, UINT64_MAX };
	char *end;

	switch (member->type) {
	case VALUE_INT32:
		bounds = (struct bounds){ INT32_MIN, INT32_MAX };
		break;
	case VALUE_INT64:
	case VALUE_SIZE:
		bounds = (struct bounds){ INT64_MIN, INT64_MAX };
		break;
	case VALUE_UINT32:
	case VALUE_MODE:
	case VALUE_UINT32_LIST:
		bounds.high = UINT32_MAX;
		break;
	default:
		break;
	}
	if (member->range && *member->range) {
		bounds.low = strtoll(member->range, &end, 10);
		if (end[1])
			bounds.high = strtoull(end + 1, NULL, 10);
	}
	return bounds;
}

int spec_store_integer(const struct member *member, void *base, bool negative, uint64_t magnitude,
		       const struct place *place, struct mrg_error *err)
{
	struct bounds bounds = spec_bounds(member);
	void *target = member_at(member, base);
	bool fits = negative ? bounds.low < 0 && magnitude <= -(uint64_t)bounds.low :
		    magnitude <= bounds.high && (bounds.low <= 0 || magnitude >= (uint64_t)bounds.low);
	uint64_t value = negative ? -magnitude : magnitude;

	if (!fits)
		return spec_fail(place, err, "must be from %" PRId64 " to %" PRIu64 ", not %s%" PRIu64, bounds.low,
				 bounds.high, negative ? "-" : "", magnitude);
	if (member->type == VALUE_UINT32 || member->type == VALUE_MODE || member->type == VALUE_INT32)
		memcpy(target, &(uint32_t){ (uint32_t)value }, sizeof(uint32_t));
	else
		memcpy(target, &value, sizeof(value));
	return 0;
}

static int no_memory(struct reader *reader)
{
	return mrg_error_set(reader->err, -ENOMEM, "out of memory");
}

int spec_expect(struct reader *reader, const struct json *json, enum json_type type, const struct place *place)
{
	if (json->type == type)
		return 0;
	return spec_fail(place, reader->err, "must be %s", json_type_name(type));
}

static int read_string(struct reader *reader, const struct member *member, void *base, const struct json *json,
		       const struct place *place)
{
	char **target = member_at(member, base);
	int r = spec_expect(reader, json, JSON_STRING, place);

	if (r == 0)
		r = spec_check_enum(member, json->text, place, reader->err);
	if (r < 0)
		return r;
	*target = mrg_spec_strdup(reader->spec, json->text);
	return *target ? 0 : no_memory(reader);
}

static int read_bool(struct reader *reader, const struct member *member, void *base, const struct json *json,
		     const struct place *place)
{
	int r = spec_expect(reader, json, JSON_BOOLEAN, place);

	if (r < 0)
		return r;
	*(int *)member_at(member, base) = json->boolean;
	return 0;
}

static int read_integer(struct reader *reader, const struct member *member, void *base, const struct json *json,
			const struct place *place)
{
	bool negative;
	uint64_t magnitude;
	int r;

	if (json->type != JSON_NUMBER)
		return spec_fail(place, reader->err, "must be a whole number");
	r = json_integer(json, &negative, &magnitude);
	if (r == -ERANGE)
		return spec_fail(place, reader->err, "must be a whole number of 64 bits");
	if (r < 0)
		return spec_fail(place, reader->err, "must be a whole number");
	return spec_store_integer(member, base, negative, magnitude, place, reader->err);
}

static int read_strv(struct reader *reader, const struct member *member, void *base, const struct json *json,
		     const struct place *place)
{
	struct place inside = { .parent = place };
	char **strv;
	int r = spec_expect(reader, json, JSON_ARRAY, place);

	if (r < 0 || json->n == 0)
		return r;
	strv = mrg_spec_alloc(reader->spec, (json->n + 1) * sizeof(char *));
	if (!strv)
		return no_memory(reader);
	for (const struct json *item = json->first; item; item = item->next, inside.index++) {
		r = spec_expect(reader, item, JSON_STRING, &inside);
		if (r == 0)
			r = spec_check_enum(member, item->text, &inside, reader->err);
		if (r < 0)
			return r;
		strv[inside.index] = mrg_spec_strdup(reader->spec, item->text);
		if (!strv[inside.index])
			return no_memory(reader);
	}
	*(char ***)member_at(member, base) = strv;
	return 0;
}

/* Makes the array of a list; 0 elements stay { NULL, 0 }. */
static int alloc_list(struct reader *reader, const struct member *member, const struct json *json, struct list *ret)
{
	*ret = (struct list){ 0 };
	if (json->n == 0)
		return 0;
	ret->item = mrg_spec_alloc(reader->spec, json->n * member_item_size(member));
	ret->n = json->n;
	return ret->item ? 0 : no_memory(reader);
}

static int read_uint32_list(struct reader *reader, const struct member *member, void *base,
			    const struct json *json, const struct place *place)
{
	const struct member element = { .type = VALUE_UINT32, .range = member->range };
	struct place inside = { .parent = place };
	struct list list;
	int r = spec_expect(reader, json, JSON_ARRAY, place);

	if (r == 0)
		r = alloc_list(reader, member, json, &list);
	for (const struct json *item = r == 0 ? json->first : NULL; item; item = item->next, inside.index++) {
		r = read_integer(reader, &element, (uint32_t *)list.item + inside.index, item, &inside);
		if (r < 0)
			return r;
	}
	if (r == 0)
		*(struct list *)member_at(member, base) = list;
	return r;
}

static int read_map(struct reader *reader, const struct member *member, void *base, const struct json *json,
		    const struct place *place)
{
	struct mrg_pair *pair;
	struct list list;
	int r = spec_expect(reader, json, JSON_OBJECT, place);

	if (r == 0)
		r = alloc_list(reader, member, json, &list);
	if (r < 0)
		return r;
	pair = list.item;
	for (const struct json *item = json->first; item; item = item->next, pair++) {
		struct place inside = { .parent = place, .key = item->key };

		r = spec_expect(reader, item, JSON_STRING, &inside);
		if (r < 0)
			return r;
		pair->key = mrg_spec_strdup(reader->spec, item->key);
		pair->value = mrg_spec_strdup(reader->spec, item->text);
		if (!pair->key || !pair->value)
			return no_memory(reader);
	}
	*(struct list *)member_at(member, base) = list;
	return 0;
}

static int read_caps(struct reader *reader, const struct member *member, void *base, const struct json *json,
		     const struct place *place)
{
	struct place inside = { .parent = place };
	uint64_t caps = 0;
	char shown[64];
	int r = spec_expect(reader, json, JSON_ARRAY, place);

	if (r < 0)
		return r;
	for (const struct json *item = json->first; item; item = item->next, inside.index++) {
		int number;

		r = spec_expect(reader, item, JSON_STRING, &inside);
		if (r < 0)
			return r;
		number = strncmp(item->text, "CAP_", 4) == 0 ? parse_capability(item->text) : -1;
		if (number < 0) {
			format_key(shown, sizeof(shown), item->text);
			return spec_fail(&inside, reader->err, "must be a capability such as CAP_CHOWN, not '%s'", shown);
		}
		caps |= UINT64_C(1) << number;
	}
	*(uint64_t *)member_at(member, base) = caps;
	return 0;
}

static int read_json(struct reader *reader, const struct member *member, void *base, const struct json *json,
		     const struct place *place)
{
	struct buffer b = { 0 };
	char **target = member_at(member, base);
	int r = spec_expect(reader, json, member->type == VALUE_JSON_ARRAY ? JSON_ARRAY : JSON_OBJECT, place);

	if (r < 0)
		return r;
	json_compact(&b, json->begin, json->length);
	*target = b.failed ? NULL : mrg_spec_strdup(reader->spec, b.text);
	buffer_deinit(&b);
	return *target ? 0 : no_memory(reader);
}

/* The nearest of the keys there are as a hint. */
int spec_unknown_key(struct reader *reader, const struct place *place, const char *const *known)
{
	char pointer[256];
	const char *nearest;
	int r;

	if (reader->unknown) {
		place_format(place, pointer, sizeof(pointer));
		return reader->unknown(pointer, reader->data);
	}
	r = spec_fail(place, reader->err, "unknown key");
	nearest = str_nearest(place->key, known);
	if (nearest)
		mrg_error_hint(reader->err, "did you mean '%s'?", nearest);
	return r;
}

static int read_members(struct reader *reader, const struct object *object, void *base, const struct json *json,
			const struct place *place)
{
	const char *known[32];
	size_t n = 0, found = 0;
	int r = spec_expect(reader, json, JSON_OBJECT, place);

	if (r < 0)
		return r;
	for (const struct member *m = object->members; m->name; m++) {
		const struct json *value = json_member(json, m->name);
		struct place inside = { .parent = place, .key = m->name };

		known[n++] = m->name;
		found += value != NULL;
		if (value)
			r = spec_read_value(reader, m, base, value, &inside);
		else if (m->required)
			r = spec_fail(&inside, reader->err, "is missing");
		else if (m->absent)
			memcpy(member_at(m, base), &m->absent, sizeof(m->absent));
		if (r < 0)
			return r;
	}
	known[n] = NULL;
	for (const struct json *item = found < json->n ? json->first : NULL; item; item = item->next) {
		struct place inside = { .parent = place, .key = item->key };

		reader->now = item;
		if (!strv_contains((char *const *)known, item->key))
			r = spec_unknown_key(reader, &inside, known);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_list(struct reader *reader, const struct member *member, void *base, const struct json *json,
		     const struct place *place)
{
	struct place inside = { .parent = place };
	struct list list;
	int r = spec_expect(reader, json, JSON_ARRAY, place);

	if (r == 0)
		r = alloc_list(reader, member, json, &list);
	if (r < 0)
		return r;
	for (const struct json *item = json->first; item; item = item->next, inside.index++) {
		r = read_members(reader, member->object, (char *)list.item + inside.index * member->object->size, item,
				 &inside);
		if (r < 0)
			return r;
	}
	*(struct list *)member_at(member, base) = list;
	return 0;
}

static int read_pointer(struct reader *reader, const struct member *member, void *base, const struct json *json,
			const struct place *place)
{
	void *object = mrg_spec_alloc(reader->spec, member->object->size);

	if (!object)
		return no_memory(reader);
	*(void **)member_at(member, base) = object;
	return read_members(reader, member->object, object, json, place);
}

int spec_read_value(struct reader *reader, const struct member *member, void *base, const struct json *json,
		    const struct place *place)
{
	switch (member->type) {
	case VALUE_STRING:
		return read_string(reader, member, base, json, place);
	case VALUE_BOOL:
		return read_bool(reader, member, base, json, place);
	case VALUE_STRV:
		return read_strv(reader, member, base, json, place);
	case VALUE_UINT32_LIST:
		return read_uint32_list(reader, member, base, json, place);
	case VALUE_MAP:
		return read_map(reader, member, base, json, place);
	case VALUE_LIST:
		return read_list(reader, member, base, json, place);
	case VALUE_MEMBERS:
		return read_members(reader, member->object, base, json, place);
	case VALUE_POINTER:
		return read_pointer(reader, member, base, json, place);
	case VALUE_CAPS:
		return read_caps(reader, member, base, json, place);
	case VALUE_JSON_ARRAY:
	case VALUE_JSON_OBJECT:
		return read_json(reader, member, base, json, place);
	default:
		return read_integer(reader, member, base, json, place);
	}
}
