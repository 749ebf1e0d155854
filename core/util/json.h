/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UTIL_JSON_H
#define UTIL_JSON_H

/*
 * JSON (RFC 8259) as a spec needs it: numbers keep their spelling, so that the whole range of uint64_t survives
 * (18446744073709551615 is "unlimited" in every OCI file and fits neither long long nor double), every value
 * knows its place in the text, duplicate keys, NUL and bytes that are not UTF-8 are refused, depth is bounded.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <moorage/error.h>

#include "core/util/str.h"

#define JSON_MAX_SIZE	(4U << 20)
#define JSON_MAX_DEPTH	64

enum json_type { JSON_NULL, JSON_BOOLEAN, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_type type;
	bool boolean;
	char *key;			/* of a member of an object; NULL: not one */
	char *text;			/* a string's bytes, a number's spelling */
	struct json *first, *next;	/* members or elements, in order */
	size_t n;			/* how many */
	const char *begin;		/* in the text that was parsed: borrowed */
	size_t length;
};

/* Reads the whole of @text, at most JSON_MAX_SIZE bytes. Errors name line and column. */
int json_parse(const char *text, size_t length, struct json **ret, struct mrg_error *err);

/* Frees the tree of @json, which json_parse() gave. Returns NULL. */
struct json *json_free(struct json *json);
static inline void json_freep(struct json **json)
{
	json_free(*json);
}

/* The member @key of an object, or NULL. */
const struct json *json_member(const struct json *object, const char *key);

/* The value of a number that is whole: sign and magnitude; -EINVAL when it has a fraction or an exponent, -ERANGE beyond 64 bits. */
int json_integer(const struct json *number, bool *ret_negative, uint64_t *ret);

/* "a string", "an array", ... */
const char *json_type_name(enum json_type type);

/* Adds @text as a JSON string; -EILSEQ when it is not UTF-8 (then @b is not changed). */
int json_quote(struct buffer *b, const char *text);

/* Adds valid JSON text without the blanks between its tokens. */
void json_compact(struct buffer *b, const char *text, size_t length);

/* Adds valid compact JSON text with line breaks and @indent spaces a level. */
void json_indent(struct buffer *b, const char *text, unsigned int indent);

#endif
