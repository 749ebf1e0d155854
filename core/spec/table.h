/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_SPEC_TABLE_H
#define CORE_SPEC_TABLE_H

/*
 * Internal to spec*.c and formats/: the one table of fields and the engine's description of values.
 *
 * A member says where a value is in a C structure and what it is in JSON. A field is a member of struct mrg_spec with an id and a
 * path; the elements of lists are objects with members of their own. Parsing, emission, copying, setting from text and the
 * documentation walk these tables and know no field by name.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <moorage/spec.h>

#include "core/util/json.h"

enum value_type {
	VALUE_STRING,		/* const char * */
	VALUE_BOOL,		/* int, 0 or 1 */
	VALUE_INT32,		/* int */
	VALUE_INT64,
	VALUE_SIZE,		/* int64_t, bytes */
	VALUE_UINT32,
	VALUE_MODE,		/* uint32_t; users type it in octal */
	VALUE_UINT64,
	VALUE_BYTES,		/* uint64_t, bytes */
	VALUE_STRV,		/* char **, NULL when empty */
	VALUE_UINT32_LIST,	/* { item, n } of uint32_t */
	VALUE_MAP,		/* { item, n } of struct mrg_pair */
	VALUE_LIST,		/* { item, n } of @object */
	VALUE_MEMBERS,		/* members of the same structure, as a JSON object of their own */
	VALUE_POINTER,		/* pointer to one @object */
	VALUE_CAPS,		/* uint64_t, array of "CAP_X" */
	VALUE_NAMESPACE,	/* const char *, an element of /linux/namespaces */
	VALUE_JSON_ARRAY,	/* const char *, compact JSON text kept verbatim */
	VALUE_JSON_OBJECT,
};

struct object;

struct member {
	const char *name;		/* the key */
	enum value_type type;
	bool required;
	size_t offset;
	const struct object *object;
	const char *range;		/* "a|b" for strings; "LOW-HIGH" for numbers, "LOW-" is open; "" or NULL: any */
	int64_t absent;			/* the value of a number that is not there */
};

struct object {
	const char *name;		/* "mount": for the documentation */
	size_t size;
	const struct member *members;	/* ends with a NULL name */
};

struct field {
	struct mrg_field_info info;
	struct member value;		/* .name is unused */
};

/* A { item, n } of the public structures, whatever its items are. */
struct list {
	void *item;
	size_t n;
};

extern const struct field spec_fields[MRG_FIELD_MAX];

/* The type of a namespace field as OCI writes it: "pid"; NULL for other fields. */
const char *spec_namespace_type(unsigned int field);

/* Where a value is, as a JSON pointer in the making. */
struct place {
	const struct place *parent;
	const char *key;		/* NULL: @index */
	size_t index;
};

/* The place of a field: its path, key by key. */
struct field_place {
	char path[96];
	struct place places[4];
};
const struct place *spec_field_place(struct field_place *field_place, unsigned int field);

/* "PLACE: RULE", -MRG_E_INVALID. Long keys are cut, control characters replaced: keys come from files of others. */
int spec_fail(const struct place *place, struct mrg_error *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Writes the pointer of @place. */
void place_format(const struct place *place, char *buffer, size_t size);

/* Reads @json as the value of @member at @base (inside @spec). */
struct reader;
int spec_read_value(struct reader *reader, const struct member *member, void *base, const struct json *json,
		    const struct place *place);

/* What a reader does with what it meets. */
struct reader {
	struct mrg_spec *spec;
	struct mrg_error *err;
	/* Called for a key no row knows; NULL: it is an error. A negative return ends the reading. */
	int (*unknown)(const char *pointer, void *data);
	/* Called for a key that was read, -1 when it is no field; may be NULL. */
	int (*known)(int field, const char *pointer, void *data);
	void *data;
	const struct json *now;		/* the value of the key that is told of, for its place in the text */
};

/* "must be an array", unless it is. */
int spec_expect(struct reader *reader, const struct json *json, enum json_type type, const struct place *place);

/* A key no row knows: the reader's callback, else an error with the nearest of @known (ends with NULL) as hint. */
int spec_unknown_key(struct reader *reader, const struct place *place, const char *const *known);

/* Reads a whole config.json into reader->spec. */
int spec_read(struct reader *reader, const struct json *root);

/* Reads one string value under the rules of @member (enumerations). */
int spec_check_enum(const struct member *member, const char *text, const struct place *place, struct mrg_error *err);

/* Stores the whole number @magnitude (negative or not) into @member at @base; the range is checked. */
int spec_store_integer(const struct member *member, void *base, bool negative, uint64_t magnitude,
		       const struct place *place, struct mrg_error *err);

/* The bounds of a number's type narrowed by the member's range. */
struct bounds {
	int64_t low;
	uint64_t high;
};
struct bounds spec_bounds(const struct member *member);

/* Adds the value of @member at @base as compact JSON. */
int spec_emit_value(struct buffer *b, const struct member *member, const void *base, const struct place *place,
		    struct mrg_error *err);

/* The memory of a value inside a structure. */
static inline void *member_at(const struct member *member, void *base)
{
	return (char *)base + member->offset;
}
static inline const void *member_at_const(const struct member *member, const void *base)
{
	return (const char *)base + member->offset;
}

/* The size of an element of a list. */
size_t member_item_size(const struct member *member);

/* Appends a zeroed element to a list of @spec; NULL when memory runs out. */
void *spec_list_append(struct mrg_spec *spec, struct list *list, size_t item_size);

/* Appends a copy of @text to a string array of @spec. */
int spec_strv_append(struct mrg_spec *spec, char ***strv, const char *text);

/* Copies the value of @member, deeply, between two structures. */
int spec_copy_value(struct mrg_spec *spec, const struct member *member, void *to, const void *from);

#endif
