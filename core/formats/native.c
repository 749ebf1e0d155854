/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is kept verbatim: by engine; of LXC, then, by key; of nspawn by section and key; of libvirt pieces by the path of their element. */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "core/formats/native.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/json.h"
#include "core/util/str.h"

#define NAME_MAX_LENGTH	255

struct walk {
	const char *engine;
	native_fn fn;
	void *data;
};

/* Pieces of an element are "<child>...", "@attribute=value" and "=text". */
static void name_piece(const char *key, const char *value, char ret[NAME_MAX_LENGTH + 1])
{
	const char *begin = value + (*value == '<');
	bool part = key[0] == '/' && (*value == '<' || *value == '@');

	snprintf(ret, NAME_MAX_LENGTH + 1, "%s%s%.*s", key, part ? "/" : "", part ? (int)strcspn(begin, " \t\r\n/>=") : 0, begin);
}

static int walk_value(const struct walk *walk, const char *key, const struct json *value)
{
	const char *text = value->type == JSON_STRING ? value->text : "";
	char name[NAME_MAX_LENGTH + 1];

	name_piece(key, text, name);
	return walk->fn(walk->engine, name, text, walk->data);
}

/* A key with its values, or a section with its keys. */
static int walk_key(const struct walk *walk, const char *section, const struct json *key)
{
	char name[NAME_MAX_LENGTH + 1];
	int r = 0;

	snprintf(name, sizeof(name), "%s%s%s", section ? section : "", section ? "." : "", key->key);
	if (key->type != JSON_ARRAY && (section || key->type != JSON_OBJECT))
		return walk_value(walk, name, key);
	for (const struct json *child = key->first; child && r == 0; child = child->next)
		r = key->type == JSON_ARRAY ? walk_value(walk, name, child) : walk_key(walk, name, child);
	return r;
}

static int parse(const struct mrg_spec *spec, struct json **ret, struct mrg_error *err)
{
	const char *text = mrg_fields_has(&spec->set, MRG_FIELD_NATIVE) ? spec->native_json : NULL;

	*ret = NULL;
	return text ? json_parse(text, strlen(text), ret, err) : 0;
}

int native_each(const struct mrg_spec *spec, native_fn fn, void *data, struct mrg_error *err)
{
	_cleanup_(json_freep) struct json *json = NULL;
	int r = parse(spec, &json, err);

	for (const struct json *engine = json ? json->first : NULL; engine && r == 0; engine = engine->next) {
		const struct walk walk = { engine->key, fn, data };

		if (engine->type != JSON_OBJECT)
			r = walk_value(&walk, "", engine);
		for (const struct json *key = engine->type == JSON_OBJECT ? engine->first : NULL; key && r == 0; key = key->next)
			r = walk_key(&walk, NULL, key);
	}
	return r;
}

/* What is left is nothing: then nothing is kept. */
static int set_rest(struct mrg_spec *spec, const struct buffer *rest, size_t n, struct mrg_error *err)
{
	if (rest->failed)
		return fail_memory(err);
	if (n > 0)
		return mrg_spec_set(spec, MRG_FIELD_NATIVE, rest->text, err);
	mrg_fields_remove(&spec->set, MRG_FIELD_NATIVE);
	spec->native_json = NULL;
	return 0;
}

int native_reduce(struct mrg_spec *spec, const char *engine, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer b = { 0 };
	_cleanup_(json_freep) struct json *json = NULL;
	const struct json *own;
	int r = parse(spec, &json, err);

	own = json ? json_member(json, engine) : NULL;
	if (r < 0 || !json || (own && json->n == 1))
		return r;
	if (own)
		buffer_addf(&b, "{\"%s\":%.*s}", engine, (int)own->length, own->begin);
	r = set_rest(spec, &b, own ? 1 : 0, err);
	return r < 0 ? r : 1;
}

/* The members of @object without @key, as they stand: how many. */
static size_t add_others(struct buffer *b, const struct json *object, const char *key)
{
	size_t n = 0;

	for (const struct json *member = object->first; member; member = member->next)
		if (strcmp(member->key, key) != 0) {
			buffer_addf(b, "%s", n++ ? "," : "");
			b->failed |= json_quote(b, member->key) < 0;
			buffer_addf(b, ":%.*s", (int)member->length, member->begin);
		}
	return n;
}

int native_forget(struct mrg_spec *spec, const char *engine, const char *key, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer b = { 0 }, rest = { 0 };
	_cleanup_(json_freep) struct json *json = NULL;
	const struct json *own;
	size_t engines, keys;
	int r = parse(spec, &json, err);

	own = json ? json_member(json, engine) : NULL;
	if (r < 0 || !own || own->type != JSON_OBJECT || !json_member(own, key))
		return r;
	buffer_addf(&b, "{");
	engines = add_others(&b, json, engine);
	keys = add_others(&rest, own, key);
	if (keys > 0)
		buffer_addf(&b, "%s\"%s\":{%s}", engines ? "," : "", engine, rest.text);
	buffer_addf(&b, "}");
	b.failed |= rest.failed;
	return set_rest(spec, &b, engines + keys, err);
}
