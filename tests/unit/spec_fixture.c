/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Specs for tests. */

#include <stdlib.h>
#include <string.h>

#include "core/spec/table.h"
#include "core/util/cleanup.h"
#include "tests/unit/spec_fixture.h"

struct mrg_spec *spec_of(const char *json)
{
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };

	mrg_spec_parse(json, strlen(json), &spec, &err);
	assert_string_equal(err.message, "");
	assert_non_null(spec);
	return spec;
}

void assert_refused(const char *json, const char *message)
{
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };

	assert_int_equal(mrg_spec_parse(json, strlen(json), &spec, &err), -MRG_E_INVALID);
	assert_string_equal(err.message, message);
	assert_null(spec);
}

char *text_of(const struct mrg_spec *spec)
{
	struct mrg_error err = { 0 };
	char *text = NULL;

	mrg_spec_emit(spec, 0, &text, &err);
	assert_string_equal(err.message, "");
	assert_non_null(text);
	return text;
}

static int same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static int same_value(const struct member *member, const void *a, const void *b);

static int same_members(const struct object *object, const void *a, const void *b)
{
	for (const struct member *m = object->members; m->name; m++)
		if (!same_value(m, a, b))
			return 0;
	return 1;
}

static int same_list(const struct member *member, const struct list *a, const struct list *b)
{
	size_t size = member_item_size(member);
	const char *x = a->item, *y = b->item;

	if (a->n != b->n)
		return 0;
	for (size_t i = 0; i < a->n; i++, x += size, y += size) {
		if (member->type == VALUE_UINT32_LIST) {
			if (memcmp(x, y, size) != 0)
				return 0;
		} else if (member->type == VALUE_MAP) {
			const struct mrg_pair *p = (const struct mrg_pair *)x, *q = (const struct mrg_pair *)y;

			if (!same_text(p->key, q->key) || !same_text(p->value, q->value))
				return 0;
		} else if (!same_members(member->object, x, y)) {
			return 0;
		}
	}
	return 1;
}

static int same_strv(char *const *a, char *const *b)
{
	size_t n = strv_length(a);

	if (n != strv_length(b) || (a == NULL) != (b == NULL))
		return 0;
	for (size_t i = 0; i < n; i++)
		if (strcmp(a[i], b[i]) != 0)
			return 0;
	return 1;
}

static int same_value(const struct member *member, const void *a, const void *b)
{
	const void *x = member_at_const(member, a), *y = member_at_const(member, b);

	switch (member->type) {
	case VALUE_STRING:
	case VALUE_NAMESPACE:
	case VALUE_JSON_ARRAY:
	case VALUE_JSON_OBJECT:
		return same_text(*(const char *const *)x, *(const char *const *)y);
	case VALUE_STRV:
		return same_strv(*(char *const *const *)x, *(char *const *const *)y);
	case VALUE_UINT32_LIST:
	case VALUE_MAP:
	case VALUE_LIST:
		return same_list(member, x, y);
	case VALUE_MEMBERS:
		return same_members(member->object, a, b);
	case VALUE_POINTER:
		return !*(void *const *)x == !*(void *const *)y &&
		       (!*(void *const *)x || same_members(member->object, *(void *const *)x, *(void *const *)y));
	case VALUE_BOOL:
	case VALUE_INT32:
	case VALUE_UINT32:
	case VALUE_MODE:
		return memcmp(x, y, 4) == 0;
	default:
		return memcmp(x, y, 8) == 0;
	}
}

int same_specs(const struct mrg_spec *a, const struct mrg_spec *b)
{
	if (memcmp(&a->set, &b->set, sizeof(a->set)) != 0)
		return 0;
	for (unsigned int i = 0; i < MRG_FIELD_MAX; i++)
		if (!same_value(&spec_fields[i].value, a, b))
			return 0;
	return 1;
}

/* ---- random specs ------------------------------------------------------------ */

struct random {
	struct mrg_spec *spec;
	uint64_t state;
};

static uint64_t draw(struct random *r)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return r->state;
}

/* Words with all that makes quoting hard. */
static char *random_text(struct random *r)
{
	static const char *const pieces[] = { "a", "/", "~", "\"", "\\", "\n", "\t", "\001", "\177", "\303\244", "\360\237\232\242", " ",
					      "0", ",", "{", "]", ":", "CAP_", "-" };
	char text[64] = "";

	for (size_t i = draw(r) % 8; i > 0; i--)
		strcat(text, pieces[draw(r) % ARRAY_SIZE(pieces)]);
	return mrg_spec_strdup(r->spec, text);
}

static const char *random_word(struct random *r, const char *range)
{
	const char *word = range;
	size_t n = 1;
	char *copy;

	for (const char *c = range; *c; c++)
		n += *c == '|';
	for (size_t i = draw(r) % n; i > 0; i--)
		word += strcspn(word, "|") + 1;
	copy = mrg_spec_strdup(r->spec, word);
	copy[strcspn(copy, "|")] = '\0';
	return copy;
}

static const char *random_string(struct random *r, const struct member *member)
{
	return member->range && *member->range ? random_word(r, member->range) : random_text(r);
}

static uint64_t random_integer(struct random *r, const struct member *member)
{
	struct bounds bounds = spec_bounds(member);
	uint64_t span = bounds.high - (uint64_t)bounds.low;

	switch (draw(r) % 4) {
	case 0:
		return (uint64_t)bounds.low;
	case 1:
		return bounds.high;
	default:
		return (uint64_t)bounds.low + (span == UINT64_MAX ? draw(r) : draw(r) % (span + 1));
	}
}

static void random_value(struct random *r, const struct member *member, void *base);

static void random_members(struct random *r, const struct object *object, void *base)
{
	for (const struct member *m = object->members; m->name; m++) {
		if (m->required || draw(r) % 2)
			random_value(r, m, base);
		else if (m->absent)
			memcpy(member_at(m, base), &m->absent, sizeof(m->absent));
	}
}

static void random_list(struct random *r, const struct member *member, struct list *list)
{
	const struct member number = { .type = VALUE_UINT32, .range = member->range };
	size_t size = member_item_size(member);

	list->n = draw(r) % 4;
	list->item = list->n ? mrg_spec_alloc(r->spec, list->n * size) : NULL;
	for (size_t i = 0; i < list->n; i++) {
		char *item = (char *)list->item + i * size;

		if (member->type == VALUE_UINT32_LIST) {
			random_value(r, &number, item);
		} else if (member->type == VALUE_MAP) {
			struct mrg_pair *pair = (struct mrg_pair *)item;
			char key[32] = { (char)('a' + i), '\0' };

			pair->key = mrg_spec_strdup(r->spec, strncat(key, random_text(r), 0));
			pair->value = random_text(r);
		} else {
			random_members(r, member->object, item);
		}
	}
}

static void random_strv(struct random *r, const struct member *member, char ***strv)
{
	for (size_t i = draw(r) % 4; i > 0; i--)
		spec_strv_append(r->spec, strv, random_string(r, member));
}

static void random_value(struct random *r, const struct member *member, void *base)
{
	static const char *const objects[] = { "{}", "{\"a\":[1,2.5e3,null,{\"b\":\"\\u0041 ,]\"}]}" },
		*const arrays[] = { "[]", "[\"8080:80\",{\"x\":-0.0}]" };
	void *target = member_at(member, base);
	uint64_t number;

	switch (member->type) {
	case VALUE_STRING:
		*(const char **)target = random_string(r, member);
		break;
	case VALUE_NAMESPACE:
		*(const char **)target = draw(r) % 3 ? mrg_spec_strdup(r->spec, draw(r) % 2 ? "" : "/proc/1/ns/x") : NULL;
		break;
	case VALUE_JSON_ARRAY:
		*(const char **)target = arrays[draw(r) % 2];
		break;
	case VALUE_JSON_OBJECT:
		*(const char **)target = objects[draw(r) % 2];
		break;
	case VALUE_STRV:
		random_strv(r, member, target);
		break;
	case VALUE_UINT32_LIST:
	case VALUE_MAP:
	case VALUE_LIST:
		random_list(r, member, target);
		break;
	case VALUE_MEMBERS:
		random_members(r, member->object, base);
		break;
	case VALUE_POINTER:
		*(void **)target = mrg_spec_alloc(r->spec, member->object->size);
		random_members(r, member->object, *(void **)target);
		break;
	case VALUE_BOOL:
		*(int *)target = (int)(draw(r) % 2);
		break;
	case VALUE_CAPS:
		*(uint64_t *)target = draw(r) >> (63 - CAPABILITY_LAST);
		break;
	case VALUE_INT32:
	case VALUE_UINT32:
	case VALUE_MODE:
		number = random_integer(r, member);
		memcpy(target, &(uint32_t){ (uint32_t)number }, sizeof(uint32_t));
		break;
	default:
		number = random_integer(r, member);
		memcpy(target, &number, sizeof(number));
		break;
	}
}

struct mrg_spec *random_spec(unsigned int seed)
{
	struct random r = { .spec = mrg_spec_new(), .state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1 };

	for (int i = 0; i < 8; i++)
		draw(&r);
	for (unsigned int i = 0; i < MRG_FIELD_MAX; i++)
		if (draw(&r) % 2) {
			random_value(&r, &spec_fields[i].value, r.spec);
			mrg_fields_add(&r.spec->set, i);
		}
	return r.spec;
}

void assert_reported_once(char *(*write)(const struct mrg_spec *spec, struct buffer *report))
{
	for (unsigned int seed = 0; seed < 300; seed++) {
		struct mrg_spec *spec = random_spec(seed);
		struct buffer report = { 0 };
		char *text = write(spec, &report);
		size_t rows = 0, fields = 0;

		for (const char *c = report.text; c && *c; c++)
			rows += *c == '\n';
		for (size_t i = 0; i < MRG_FIELDS_WORDS; i++)
			fields += (size_t)__builtin_popcountll(spec->set.word[i]);
		assert_int_equal(rows, fields);
		free(text);
		buffer_deinit(&report);
		mrg_spec_free(spec);
	}
}

void assert_survives_cuts(const char *format, const char *text, size_t length)
{
	for (size_t n = 0; n <= length; n++) {
		/* No byte more than is read, so that the sanitizers see where reading ends. */
		char *cut = malloc(n ? n : 1);
		struct mrg_spec *spec = NULL;
		struct mrg_error err = { 0 };

		memcpy(cut, text, n);
		if (mrg_format_read(format, cut, n, &spec, NULL, NULL, &err) < 0)
			assert_true(err.message[0] && !spec);
		mrg_spec_free(spec);
		free(cut);
	}
}
