/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A config.json as a whole: which key is which field. */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "core/spec/table.h"
#include "core/util/cleanup.h"

#define KEY_SIZE	48		/* the longest key of the table is half of it */

static int report(struct reader *reader, int field, const struct place *place)
{
	char pointer[256];

	mrg_fields_add(&reader->spec->set, (unsigned int)field);
	if (!reader->known)
		return 0;
	place_format(place, pointer, sizeof(pointer));
	return reader->known(field, pointer, reader->data);
}

static int report_other(struct reader *reader, const struct place *place)
{
	char pointer[256];

	if (!reader->known)
		return 0;
	place_format(place, pointer, sizeof(pointer));
	return reader->known(-1, pointer, reader->data);
}

/* What has nothing in it says nothing, and is a key all the same. */
static int report_empty(struct reader *reader, const struct json *json, const struct place *place)
{
	return json->first || !place ? 0 : report_other(reader, place);
}

/* The field of a namespace type, or -1. */
static int find_namespace(const char *type)
{
	for (unsigned int i = 0; i < MRG_FIELD_MAX; i++) {
		const char *known = spec_namespace_type(i);

		if (known && strcmp(known, type) == 0)
			return (int)i;
	}
	return -1;
}

static int read_namespace_type(struct reader *reader, const struct json *json, const struct place *place, int *ret)
{
	char list[128] = "";
	int r = spec_expect(reader, json, JSON_STRING, place);

	if (r < 0)
		return r;
	*ret = find_namespace(json->text);
	for (unsigned int i = 0, n = 0; *ret < 0 && i < MRG_FIELD_MAX; i++)
		if (spec_namespace_type(i))
			n += (unsigned int)snprintf(list + n, sizeof(list) - n, "%s%s", n ? "|" : "",
						    spec_namespace_type(i));
	if (*ret < 0)
		return spec_fail(place, reader->err, "must be one of %s, not '%.40s'", list, json->text);
	if (mrg_fields_has(&reader->spec->set, (unsigned int)*ret))
		return spec_fail(place, reader->err, "'%s' was given before", json->text);
	return 0;
}

/* One element of /linux/namespaces: { "type": ..., "path": ... }. */
static int read_namespace(struct reader *reader, const struct json *json, const struct place *place)
{
	static const char *const known[] = { "type", "path", NULL };
	struct place type_place = { .parent = place, .key = "type" }, path_place = { .parent = place, .key = "path" };
	const struct json *type, *path;
	const char **target;
	int field, r = spec_expect(reader, json, JSON_OBJECT, place);

	if (r < 0)
		return r;
	type = json_member(json, "type");
	path = json_member(json, "path");
	if (!type)
		return spec_fail(&type_place, reader->err, "is missing");
	r = read_namespace_type(reader, type, &type_place, &field);
	if (r == 0 && path)
		r = spec_expect(reader, path, JSON_STRING, &path_place);
	for (const struct json *item = json->first; item && r == 0; item = item->next)
		if (item != type && item != path) {
			reader->now = item;
			r = spec_unknown_key(reader, &(struct place){ .parent = place, .key = item->key }, known);
		}
	if (r < 0)
		return r;
	reader->now = json;
	target = member_at(&spec_fields[field].value, reader->spec);
	*target = mrg_spec_strdup(reader->spec, path ? path->text : "");
	return *target ? report(reader, field, place) : mrg_error_set(reader->err, -ENOMEM, "out of memory");
}

static int read_namespaces(struct reader *reader, const struct json *json, const struct place *place)
{
	struct place inside = { .parent = place };
	int r = spec_expect(reader, json, JSON_ARRAY, place);

	for (const struct json *item = json->first; item && r == 0; item = item->next, inside.index++)
		r = read_namespace(reader, item, &inside);
	return r < 0 ? r : report_empty(reader, json, place);
}

/* OCI says "shared with the host" by leaving a namespace out; that somebody asked for it is said here. */
static int read_host_namespaces(struct reader *reader, const struct json *json, const struct place *place)
{
	struct place inside = { .parent = place };
	int field, r = spec_expect(reader, json, JSON_ARRAY, place);

	for (const struct json *item = json->first; item && r == 0; item = item->next, inside.index++) {
		r = read_namespace_type(reader, item, &inside, &field);
		reader->now = item;
		if (r == 0)
			r = report(reader, field, &inside);
	}
	return r < 0 ? r : report_empty(reader, json, place);
}

static int read_version(struct reader *reader, const struct json *json, const struct place *place)
{
	int r = spec_expect(reader, json, JSON_STRING, place);

	if (r == 0 && strncmp(json->text, "1.", 2) != 0)
		r = spec_fail(place, reader->err, "must be 1.x, not '%.20s'", json->text);
	return r < 0 ? r : report_other(reader, place);
}

/* Keys that are no field, or several. */
static const struct {
	const char *path;
	int (*read)(struct reader *reader, const struct json *json, const struct place *place);
} special[] = {
	{ "/ociVersion", read_version },
	{ "/linux/namespaces", read_namespaces },
	{ "/moorage/hostNamespaces", read_host_namespaces },
};

/* What has a path: the fields, then the special keys. */
#define N_ROWS	(MRG_FIELD_MAX + ARRAY_SIZE(special))

static const char *row_path(size_t row)
{
	return row < MRG_FIELD_MAX ? spec_fields[row].info.path : special[row - MRG_FIELD_MAX].path;
}

/* The rows that lie below one object: what their paths have in common ends at @length, behind the slash. */
struct level {
	size_t length, n;
	unsigned char row[N_ROWS];
};
_Static_assert(N_ROWS <= 256, "a row is a byte");

static void top_level(struct level *level)
{
	level->length = 1;
	level->n = 0;
	for (size_t row = 0; row < N_ROWS; row++)
		if (row >= MRG_FIELD_MAX || !spec_namespace_type((unsigned int)row))
			level->row[level->n++] = (unsigned char)row;
}

/* The row that @key of @level is, or -1: then @ret are those below it. */
static int find_row(const struct level *level, const char *key, struct level *ret)
{
	size_t length = strlen(key);

	ret->length = level->length + length + 1;
	ret->n = 0;
	for (size_t i = 0; i < level->n; i++) {
		const char *rest = row_path(level->row[i]) + level->length;

		if (rest[0] != key[0] || strncmp(rest, key, length) != 0)
			continue;
		if (rest[length] == '\0')
			return level->row[i];
		if (rest[length] == '/')
			ret->row[ret->n++] = level->row[i];
	}
	return -1;
}

/* An unknown key: all keys known beside it are what it may have meant. */
static int unknown_key(struct reader *reader, const struct level *level, const struct place *place)
{
	char keys[N_ROWS][KEY_SIZE];
	const char *known[N_ROWS + 1];

	for (size_t i = 0; i < level->n; i++) {
		const char *rest = row_path(level->row[i]) + level->length;

		snprintf(keys[i], sizeof(keys[i]), "%.*s", (int)strcspn(rest, "/"), rest);
		known[i] = keys[i];
	}
	known[level->n] = NULL;
	return spec_unknown_key(reader, place, known);
}

static int read_object(struct reader *reader, const struct json *json, const struct level *level, const struct place *place);

static int read_key(struct reader *reader, const struct json *json, const struct level *level, const struct place *place)
{
	struct level below;
	int row, r;

	reader->now = json;
	if (!*json->key || strchr(json->key, '/'))
		return unknown_key(reader, level, place);
	row = find_row(level, json->key, &below);
	if (row >= MRG_FIELD_MAX)
		return special[row - MRG_FIELD_MAX].read(reader, json, place);
	if (row >= 0) {
		r = spec_read_value(reader, &spec_fields[row].value, reader->spec, json, place);
		reader->now = json;
		return r < 0 ? r : report(reader, row, place);
	}
	return below.n > 0 ? read_object(reader, json, &below, place) : unknown_key(reader, level, place);
}

static int read_object(struct reader *reader, const struct json *json, const struct level *level, const struct place *place)
{
	int r = spec_expect(reader, json, JSON_OBJECT, place);

	for (const struct json *item = json->first; item && r == 0; item = item->next)
		r = read_key(reader, item, level, &(struct place){ .parent = place, .key = item->key });
	return r < 0 ? r : report_empty(reader, json, place);
}

int spec_read(struct reader *reader, const struct json *root)
{
	struct level level;

	if (root->type != JSON_OBJECT)
		return mrg_error_set(reader->err, -MRG_E_INVALID, "a spec must be an object");
	top_level(&level);
	return read_object(reader, root, &level, NULL);
}

static void spec_freep(struct mrg_spec **spec)
{
	mrg_spec_free(*spec);
}

int mrg_spec_parse(const char *text, size_t length, struct mrg_spec **ret, struct mrg_error *err)
{
	_cleanup_(spec_freep) struct mrg_spec *spec = mrg_spec_new();
	_cleanup_(json_freep) struct json *root = NULL;
	struct reader reader = { .spec = spec, .err = err };
	int r;

	if (!spec)
		return mrg_error_set(err, -ENOMEM, "out of memory");
	r = json_parse(text, length, &root, err);
	if (r == 0)
		r = spec_read(&reader, root);
	if (r < 0)
		return r;
	*ret = take_ptr(spec);
	return 0;
}
