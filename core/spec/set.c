/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Single fields from text as typed by a user, and elements of lists. */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/spec/table.h"
#include "core/util/cleanup.h"

static int no_memory(struct mrg_error *err)
{
	return mrg_error_set(err, -ENOMEM, "out of memory");
}

static int set_string(struct mrg_spec *spec, const struct member *member, const char *text, const struct place *place,
		      struct mrg_error *err)
{
	int r = spec_check_enum(member, text, place, err);
	char *copy;

	if (r < 0)
		return r;
	copy = mrg_spec_strdup(spec, text);
	if (!copy)
		return no_memory(err);
	*(const char **)member_at(member, spec) = copy;
	return 0;
}

static int set_bool(struct mrg_spec *spec, const struct member *member, const char *text, const struct place *place,
		    struct mrg_error *err)
{
	bool value;

	if (parse_bool(text, &value) < 0)
		return spec_fail(place, err, "must be yes or no, not '%s'", text);
	*(int *)member_at(member, spec) = value;
	return 0;
}

static int set_integer(const struct member *member, void *base, const char *text, const struct place *place,
		       struct mrg_error *err)
{
	bool negative = text[0] == '-';
	uint64_t magnitude;

	if (parse_uint64(text + negative, &magnitude) < 0)
		return spec_fail(place, err, "must be a whole number, not '%s'", text);
	return spec_store_integer(member, base, negative, magnitude, place, err);
}

static int set_mode(struct mrg_spec *spec, const struct member *member, const char *text, const struct place *place,
		    struct mrg_error *err)
{
	if (!*text || strspn(text, "01234567") != strlen(text) || strlen(text) > 6)
		return spec_fail(place, err, "must be octal such as 022, not '%s'", text);
	return spec_store_integer(member, spec, false, strtoull(text, NULL, 8), place, err);
}

static int set_size(struct mrg_spec *spec, const struct member *member, const char *text, const struct place *place,
		    struct mrg_error *err)
{
	int64_t value;

	if (parse_size(text, &value) < 0)
		return spec_fail(place, err, "must be a size such as 512M or 2G, not '%s'", text);
	return spec_store_integer(member, spec, value < 0, value < 0 ? -(uint64_t)value : (uint64_t)value, place, err);
}

static int append_string(struct mrg_spec *spec, const struct member *member, const char *text,
			 const struct place *place, struct mrg_error *err)
{
	int r = spec_check_enum(member, text, place, err);

	if (r < 0)
		return r;
	return spec_strv_append(spec, member_at(member, spec), text) < 0 ? no_memory(err) : 0;
}

static int append_number(struct mrg_spec *spec, const struct member *member, const char *text,
			 const struct place *place, struct mrg_error *err)
{
	const struct member element = { .type = VALUE_UINT32, .range = member->range };
	uint32_t number, *item;
	int r = set_integer(&element, &number, text, place, err);

	if (r < 0)
		return r;
	item = spec_list_append(spec, member_at(member, spec), sizeof(number));
	if (!item)
		return no_memory(err);
	*item = number;
	return 0;
}

/* KEY=VALUE; an earlier value of the key is replaced. */
static int set_pair(struct mrg_spec *spec, const struct member *member, const char *text, const struct place *place,
		    struct mrg_error *err)
{
	struct list *list = member_at(member, spec);
	const char *equals = strchr(text, '=');
	struct mrg_pair *pair = NULL;
	char *key;

	if (!equals || equals == text)
		return spec_fail(place, err, "must be KEY=VALUE, not '%s'", text);
	key = mrg_spec_strdup(spec, text);
	if (!key)
		return no_memory(err);
	key[equals - text] = '\0';
	for (size_t i = 0; i < list->n && !pair; i++)
		if (strcmp(((struct mrg_pair *)list->item)[i].key, key) == 0)
			pair = (struct mrg_pair *)list->item + i;
	if (!pair)
		pair = spec_list_append(spec, list, sizeof(*pair));
	if (!pair)
		return no_memory(err);
	*pair = (struct mrg_pair){ key, key + (equals - text) + 1 };
	return 0;
}

static int set_caps(struct mrg_spec *spec, const struct member *member, const char *text, const struct place *place,
		    struct mrg_error *err)
{
	_cleanup_free_ char *copy = strdup(text);
	uint64_t caps = 0;
	char *at = copy, *word;

	if (!copy)
		return no_memory(err);
	while ((word = strsep(&at, ", "))) {
		int number = parse_capability(word);

		if (strcmp(word, "all") == 0)
			caps |= (UINT64_C(1) << (CAPABILITY_LAST + 1)) - 1;
		else if (number >= 0)
			caps |= UINT64_C(1) << number;
		else if (*word && strcmp(word, "none") != 0)
			return spec_fail(place, err, "must be capabilities such as CHOWN,KILL, all or none, not '%s'", word);
	}
	*(uint64_t *)member_at(member, spec) = caps;
	return 0;
}

static int set_namespace(struct mrg_spec *spec, const struct member *member, const char *text,
			 const struct place *place, struct mrg_error *err)
{
	const char **target = member_at(member, spec), *value = NULL;

	if (strcmp(text, "host") == 0) {
		*target = NULL;
		return 0;
	}
	if (strcmp(text, "private") == 0 || strcmp(text, "new") == 0)
		value = "";
	else if (text[0] == '/')
		value = text;
	else
		return spec_fail(place, err, "must be host, private or the path of a namespace, not '%s'", text);
	value = mrg_spec_strdup(spec, value);
	if (!value)
		return no_memory(err);
	*target = value;
	return 0;
}

/* What has no simple spelling is typed as JSON. */
static int set_json(struct mrg_spec *spec, const struct member *member, const char *text, const struct place *place,
		    struct mrg_error *err)
{
	_cleanup_(json_freep) struct json *json = NULL;
	struct reader reader = { .spec = spec, .err = err };
	char pointer[128];
	int r = json_parse(text, strlen(text), &json, err);

	if (r == 0)
		return spec_read_value(&reader, member, spec, json, place);
	place_format(place, pointer, sizeof(pointer));
	mrg_error_prefix(err, "%s", pointer);
	return r;
}

int mrg_spec_set(struct mrg_spec *spec, enum mrg_field field, const char *text, struct mrg_error *err)
{
	static int (*const setters[])(struct mrg_spec *spec, const struct member *member, const char *text,
				      const struct place *place, struct mrg_error *err) = {
		[VALUE_STRING] = set_string, [VALUE_BOOL] = set_bool, [VALUE_SIZE] = set_size,
		[VALUE_BYTES] = set_size, [VALUE_MODE] = set_mode, [VALUE_STRV] = append_string,
		[VALUE_UINT32_LIST] = append_number, [VALUE_MAP] = set_pair, [VALUE_CAPS] = set_caps,
		[VALUE_NAMESPACE] = set_namespace, [VALUE_LIST] = set_json, [VALUE_MEMBERS] = set_json,
		[VALUE_POINTER] = set_json, [VALUE_JSON_ARRAY] = set_json, [VALUE_JSON_OBJECT] = set_json,
	};
	const struct member *member;
	struct field_place at;
	const struct place *place;
	int r;

	if ((unsigned int)field >= MRG_FIELD_MAX)
		return mrg_error_set(err, -MRG_E_INVALID, "no field has the number %u", (unsigned int)field);
	member = &spec_fields[field].value;
	place = spec_field_place(&at, field);
	if (member->type < ARRAY_SIZE(setters) && setters[member->type])
		r = setters[member->type](spec, member, text, place, err);
	else
		r = set_integer(member, spec, text, place, err);
	if (r == 0)
		mrg_fields_add(&spec->set, field);
	return r;
}

/* Appends a deep copy of one element of a list. */
static int add_item(struct mrg_spec *spec, enum mrg_field field, const void *item, struct mrg_error *err)
{
	const struct member *member = &spec_fields[field].value;
	struct list *list = member_at(member, spec);
	struct field_place at;
	struct place place = { .parent = spec_field_place(&at, field), .index = list->n };
	void *copy;
	int r = 0;

	for (const struct member *m = member->object->members; m->name; m++)
		if (m->required && m->type == VALUE_STRING && !*(const char *const *)member_at_const(m, item))
			return spec_fail(&(struct place){ .parent = &place, .key = m->name }, err, "is missing");
	copy = spec_list_append(spec, list, member->object->size);
	if (!copy)
		return no_memory(err);
	for (const struct member *m = member->object->members; m->name && r == 0; m++)
		r = spec_copy_value(spec, m, copy, item);
	if (r < 0) {
		list->n--;
		return no_memory(err);
	}
	mrg_fields_add(&spec->set, field);
	return 0;
}

int mrg_spec_add_mount(struct mrg_spec *spec, const struct mrg_mount *item, struct mrg_error *err)
{
	return add_item(spec, MRG_FIELD_MOUNTS, item, err);
}

int mrg_spec_add_device(struct mrg_spec *spec, const struct mrg_device *item, struct mrg_error *err)
{
	return add_item(spec, MRG_FIELD_DEVICES, item, err);
}

int mrg_spec_add_device_rule(struct mrg_spec *spec, const struct mrg_device_rule *item, struct mrg_error *err)
{
	return add_item(spec, MRG_FIELD_DEVICE_RULES, item, err);
}

int mrg_spec_add_rlimit(struct mrg_spec *spec, const struct mrg_rlimit *item, struct mrg_error *err)
{
	return add_item(spec, MRG_FIELD_RLIMITS, item, err);
}

int mrg_spec_add_uid_mapping(struct mrg_spec *spec, const struct mrg_id_mapping *item, struct mrg_error *err)
{
	return add_item(spec, MRG_FIELD_UID_MAPPINGS, item, err);
}

int mrg_spec_add_gid_mapping(struct mrg_spec *spec, const struct mrg_id_mapping *item, struct mrg_error *err)
{
	return add_item(spec, MRG_FIELD_GID_MAPPINGS, item, err);
}

int mrg_spec_add_gid(struct mrg_spec *spec, uint32_t gid, struct mrg_error *err)
{
	uint32_t *item = spec_list_append(spec, (struct list *)&spec->additional_gids, sizeof(gid));

	if (!item)
		return no_memory(err);
	*item = gid;
	mrg_fields_add(&spec->set, MRG_FIELD_ADDITIONAL_GIDS);
	return 0;
}
