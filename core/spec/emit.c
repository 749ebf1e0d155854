/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A spec to JSON text, driven by the table. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/spec/table.h"
#include "core/util/cleanup.h"

static int emit_string(struct buffer *b, const char *text, const struct place *place, struct mrg_error *err)
{
	if (!text)
		return spec_fail(place, err, "is missing");
	return json_quote(b, text) < 0 ? spec_fail(place, err, "is not UTF-8") : 0;
}

static int emit_strv(struct buffer *b, char *const *strv, const struct place *place, struct mrg_error *err)
{
	struct place inside = { .parent = place };
	int r = 0;

	buffer_add(b, "[", 1);
	for (; strv && strv[inside.index] && r == 0; inside.index++) {
		if (inside.index > 0)
			buffer_add(b, ",", 1);
		r = emit_string(b, strv[inside.index], &inside, err);
	}
	buffer_add(b, "]", 1);
	return r;
}

static void emit_uint32_list(struct buffer *b, const struct list *list)
{
	buffer_add(b, "[", 1);
	for (size_t i = 0; i < list->n; i++)
		buffer_addf(b, "%s%" PRIu32, i ? "," : "", ((const uint32_t *)list->item)[i]);
	buffer_add(b, "]", 1);
}

static int emit_map(struct buffer *b, const struct list *list, const struct place *place, struct mrg_error *err)
{
	const struct mrg_pair *pair = list->item;
	int r = 0;

	buffer_add(b, "{", 1);
	for (size_t i = 0; i < list->n && r == 0; i++, pair++) {
		if (i > 0)
			buffer_add(b, ",", 1);
		r = emit_string(b, pair->key, place, err);
		buffer_add(b, ":", 1);
		if (r == 0)
			r = emit_string(b, pair->value, &(struct place){ .parent = place, .key = pair->key }, err);
	}
	buffer_add(b, "}", 1);
	return r;
}

static int emit_caps(struct buffer *b, uint64_t caps, const struct place *place, struct mrg_error *err)
{
	const char *comma = "";

	if (caps >> (CAPABILITY_LAST + 1))
		return spec_fail(place, err, "has a capability without a name");
	buffer_add(b, "[", 1);
	for (unsigned int i = 0; i <= CAPABILITY_LAST; i++)
		if (caps >> i & 1) {
			buffer_addf(b, "%s\"CAP_%s\"", comma, capability_name(i));
			comma = ",";
		}
	buffer_add(b, "]", 1);
	return 0;
}

/* Verbatim text comes from callers too: it must be what it is said to be before it goes into a document. */
static int emit_json(struct buffer *b, const struct member *member, const char *text, const struct place *place,
		     struct mrg_error *err)
{
	_cleanup_(json_freep) struct json *json = NULL;
	enum json_type type = member->type == VALUE_JSON_ARRAY ? JSON_ARRAY : JSON_OBJECT;

	if (!text || json_parse(text, strlen(text), &json, NULL) < 0 || json->type != type)
		return spec_fail(place, err, "must be %s in JSON", json_type_name(type));
	json_compact(b, text, strlen(text));
	return 0;
}

static void emit_integer(struct buffer *b, const struct member *member, const void *value)
{
	switch (member->type) {
	case VALUE_BOOL:
		buffer_addf(b, "%s", *(const int *)value ? "true" : "false");
		break;
	case VALUE_INT32:
		buffer_addf(b, "%d", *(const int *)value);
		break;
	case VALUE_UINT32:
	case VALUE_MODE:
		buffer_addf(b, "%" PRIu32, *(const uint32_t *)value);
		break;
	case VALUE_UINT64:
	case VALUE_BYTES:
		buffer_addf(b, "%" PRIu64, *(const uint64_t *)value);
		break;
	default:
		buffer_addf(b, "%" PRId64, *(const int64_t *)value);
		break;
	}
}

/* Whether a member has the value that parsing gives it when it is not there. */
static bool is_absent(const struct member *member, const void *base)
{
	const void *value = member_at_const(member, base);

	switch (member->type) {
	case VALUE_BOOL:
	case VALUE_INT32:
		return *(const int *)value == 0;
	case VALUE_UINT32:
	case VALUE_MODE:
		return *(const uint32_t *)value == 0;
	case VALUE_INT64:
	case VALUE_SIZE:
	case VALUE_UINT64:
	case VALUE_BYTES:
		return *(const int64_t *)value == member->absent;
	case VALUE_STRV:
		return strv_length(*(char *const *const *)value) == 0;
	case VALUE_LIST:
		return ((const struct list *)value)->n == 0;
	default:
		return !*(const void *const *)value;
	}
}

static int emit_members(struct buffer *b, const struct object *object, const void *base, const struct place *place,
			struct mrg_error *err)
{
	const char *comma = "";
	int r = 0;

	buffer_add(b, "{", 1);
	for (const struct member *m = object->members; m->name && r == 0; m++) {
		if (!m->required && is_absent(m, base))
			continue;
		buffer_addf(b, "%s\"%s\":", comma, m->name);
		r = spec_emit_value(b, m, base, &(struct place){ .parent = place, .key = m->name }, err);
		comma = ",";
	}
	buffer_add(b, "}", 1);
	return r;
}

static int emit_list(struct buffer *b, const struct object *object, const struct list *list,
		     const struct place *place, struct mrg_error *err)
{
	struct place inside = { .parent = place };
	int r = 0;

	buffer_add(b, "[", 1);
	for (; inside.index < list->n && r == 0; inside.index++) {
		if (inside.index > 0)
			buffer_add(b, ",", 1);
		r = emit_members(b, object, (const char *)list->item + inside.index * object->size, &inside, err);
	}
	buffer_add(b, "]", 1);
	return r;
}

int spec_emit_value(struct buffer *b, const struct member *member, const void *base, const struct place *place,
		    struct mrg_error *err)
{
	const void *value = member_at_const(member, base);

	switch (member->type) {
	case VALUE_STRING:
		return emit_string(b, *(const char *const *)value, place, err);
	case VALUE_STRV:
		return emit_strv(b, *(char *const *const *)value, place, err);
	case VALUE_UINT32_LIST:
		emit_uint32_list(b, value);
		return 0;
	case VALUE_MAP:
		return emit_map(b, value, place, err);
	case VALUE_LIST:
		return emit_list(b, member->object, value, place, err);
	case VALUE_MEMBERS:
		return emit_members(b, member->object, base, place, err);
	case VALUE_POINTER:
		if (!*(const void *const *)value)
			return spec_fail(place, err, "is missing");
		return emit_members(b, member->object, *(const void *const *)value, place, err);
	case VALUE_CAPS:
		return emit_caps(b, *(const uint64_t *)value, place, err);
	case VALUE_JSON_ARRAY:
	case VALUE_JSON_OBJECT:
		return emit_json(b, member, *(const char *const *)value, place, err);
	default:
		emit_integer(b, member, value);
		return 0;
	}
}

/* The document in the making: which objects are open. */
struct writer {
	struct buffer *b;
	const char *path;		/* that of the innermost open object, a prefix of a row's path */
	size_t length;
	struct mrg_error *err;
};

/* Closes objects that @path is not in and opens those it is in; then writes the key. */
static void seek(struct writer *w, const char *path)
{
	const char *slash;

	while (w->length > 0 && (strncmp(path, w->path, w->length) != 0 || path[w->length] != '/')) {
		buffer_add(w->b, "}", 1);
		while (w->path[--w->length] != '/')
			;
	}
	w->path = path;
	for (;;) {
		const char *key = path + w->length + 1;

		if (w->b->text[w->b->length - 1] != '{')
			buffer_add(w->b, ",", 1);
		slash = strchr(key, '/');
		buffer_addf(w->b, "\"%.*s\":", (int)(slash ? slash - key : (ptrdiff_t)strlen(key)), key);
		if (!slash)
			return;
		buffer_add(w->b, "{", 1);
		w->length = (size_t)(slash - path);
	}
}

static const char *namespace_value(const struct mrg_spec *spec, unsigned int field)
{
	return *(const char *const *)member_at_const(&spec_fields[field].value, spec);
}

/* All namespaces that are new or joined make one array, where the first of them stands in the table. */
static int emit_namespaces(struct writer *w, const struct mrg_spec *spec, unsigned int first)
{
	struct place array = { .parent = &(struct place){ .key = "linux" }, .key = "namespaces" };
	int r = 0;

	for (unsigned int i = 0; i < first; i++)
		if (spec_namespace_type(i) && mrg_fields_has(&spec->set, i) && namespace_value(spec, i))
			return 0;
	seek(w, "/linux/namespaces");
	buffer_add(w->b, "[", 1);
	for (unsigned int i = first; i < MRG_FIELD_MAX && r == 0; i++) {
		if (!spec_namespace_type(i) || !mrg_fields_has(&spec->set, i) || !namespace_value(spec, i))
			continue;
		buffer_addf(w->b, "%s{\"type\":\"%s\"", i > first ? "," : "", spec_namespace_type(i));
		if (*namespace_value(spec, i)) {
			buffer_addf(w->b, ",\"path\":");
			r = emit_string(w->b, namespace_value(spec, i), &array, w->err);
		}
		buffer_add(w->b, "}", 1);
	}
	buffer_add(w->b, "]", 1);
	return r;
}

/* Those the host's own were asked for, which OCI cannot say. */
static void emit_host_namespaces(struct writer *w, const struct mrg_spec *spec)
{
	bool any = false;

	for (unsigned int i = 0; i < MRG_FIELD_MAX; i++) {
		if (!spec_namespace_type(i) || !mrg_fields_has(&spec->set, i) || namespace_value(spec, i))
			continue;
		if (!any)
			seek(w, "/moorage/hostNamespaces");
		buffer_addf(w->b, "%s\"%s\"", any ? "," : "[", spec_namespace_type(i));
		any = true;
	}
	if (any)
		buffer_add(w->b, "]", 1);
}

static int emit_field(struct writer *w, const struct mrg_spec *spec, unsigned int field)
{
	struct field_place at;

	seek(w, spec_fields[field].info.path);
	return spec_emit_value(w->b, &spec_fields[field].value, spec, spec_field_place(&at, field), w->err);
}

int mrg_spec_emit(const struct mrg_spec *spec, int indent, char **ret, struct mrg_error *err)
{
	struct buffer compact = { 0 }, indented = { 0 };
	struct writer w = { .b = &compact, .path = "", .err = err };
	int r = 0;

	buffer_addf(&compact, "{\"ociVersion\":\"1.2.0\"");
	for (unsigned int i = 0; i < MRG_FIELD_MAX && r == 0 && !compact.failed; i++) {
		if (!mrg_fields_has(&spec->set, i))
			continue;
		if (!spec_namespace_type(i))
			r = emit_field(&w, spec, i);
		else if (namespace_value(spec, i))
			r = emit_namespaces(&w, spec, i);
	}
	if (r == 0 && !compact.failed) {
		emit_host_namespaces(&w, spec);
		for (size_t i = 0; i < w.length; i++)
			if (w.path[i] == '/')
				buffer_add(&compact, "}", 1);
		buffer_add(&compact, "}", 1);
	}
	if (r == 0 && !compact.failed && indent > 0) {
		json_indent(&indented, compact.text, indent > 16 ? 16 : (unsigned int)indent);
		buffer_deinit(&compact);
		compact = indented;
	}
	if (r == 0 && compact.failed)
		r = mrg_error_set(err, -ENOMEM, "out of memory");
	if (r < 0)
		buffer_deinit(&compact);
	else
		*ret = compact.text;
	return r;
}
