/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A strict JSON parser of bounded depth. */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/util/arena.h"
#include "core/util/cleanup.h"
#include "core/util/json.h"
#include "core/util/utf8.h"

#define FEW	16

/* A tree and what it is made of. */
struct document {
	struct json root;
	struct arena arena;
};

struct parser {
	const char *text, *at, *end;
	unsigned int depth;
	struct arena *arena;
	struct mrg_error *err;
};

static int parse_value(struct parser *p, struct json *json);

static int fail(struct parser *p, const char *rule)
{
	unsigned int line = 1, column = 1;

	for (const char *c = p->text; c < p->at; c++) {
		column = *c == '\n' ? 1 : column + 1;
		line += *c == '\n';
	}
	return mrg_error_set(p->err, -MRG_E_INVALID, "line %u, column %u: %s", line, column, rule);
}

static int no_memory(struct parser *p)
{
	return mrg_error_set(p->err, -ENOMEM, "out of memory");
}

static void skip_blanks(struct parser *p)
{
	while (p->at < p->end && (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r'))
		p->at++;
}

static bool accept_char(struct parser *p, char c)
{
	if (p->at == p->end || *p->at != c)
		return false;
	p->at++;
	return true;
}

static bool accept_word(struct parser *p, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(p->end - p->at) < length || memcmp(p->at, word, length) != 0)
		return false;
	p->at += length;
	return true;
}

static int parse_hex4(struct parser *p, uint32_t *ret)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++, p->at++) {
		char c = p->at < p->end ? *p->at : '\0';

		if (c >= '0' && c <= '9')
			value = value * 16 + (uint32_t)(c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			value = value * 16 + (uint32_t)((c | 32) - 'a') + 10;
		else
			return fail(p, "\\u must be followed by four hexadecimal digits");
	}
	*ret = value;
	return 0;
}

/* Behind "\u": one character, which may take a second \u escape. */
static int parse_unicode(struct parser *p, struct buffer *b)
{
	uint32_t c, low;
	char bytes[4];
	int r = parse_hex4(p, &c);

	if (r < 0)
		return r;
	if (c == 0)
		return fail(p, "a string must not contain NUL");
	if (c >= 0xdc00 && c <= 0xdfff)
		return fail(p, "half of a surrogate pair");
	if (c >= 0xd800 && c <= 0xdbff) {
		if (!accept_word(p, "\\u"))
			return fail(p, "half of a surrogate pair");
		r = parse_hex4(p, &low);
		if (r < 0)
			return r;
		if (low < 0xdc00 || low > 0xdfff)
			return fail(p, "half of a surrogate pair");
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	buffer_add(b, bytes, utf8_encode(c, bytes));
	return 0;
}

static int parse_escape(struct parser *p, struct buffer *b)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (accept_char(p, 'u'))
		return parse_unicode(p, b);
	found = p->at < p->end && *p->at ? strchr(names, *p->at) : NULL;
	if (!found)
		return fail(p, "unknown escape in a string");
	p->at++;
	buffer_add(b, &values[found - names], 1);
	return 0;
}

/* Over characters that stand for themselves. */
static size_t skip_plain(struct parser *p)
{
	const char *begin = p->at;

	while (p->at < p->end && *p->at >= ' ' && *p->at < 0x7f && *p->at != '"' && *p->at != '\\')
		p->at++;
	return (size_t)(p->at - begin);
}

static int parse_string_into(struct parser *p, struct buffer *b)
{
	for (;;) {
		const char *begin = p->at;
		size_t n = skip_plain(p);
		int r;

		if (n > 0 || !b->text)
			buffer_add(b, begin, n);
		if (p->at == p->end)
			return fail(p, "a string is not closed");
		if (accept_char(p, '"'))
			return b->failed ? no_memory(p) : 0;
		if (accept_char(p, '\\')) {
			r = parse_escape(p, b);
			if (r < 0)
				return r;
			continue;
		}
		if ((unsigned char)*p->at < ' ')
			return fail(p, "a control character in a string must be escaped");
		n = utf8_sequence(p->at, (size_t)(p->end - p->at));
		if (n == 0)
			return fail(p, "a byte that is not UTF-8");
		buffer_add(b, p->at, n);
		p->at += n;
	}
}

static int parse_string_with_escapes(struct parser *p, char **ret)
{
	_cleanup_(buffer_deinit) struct buffer b = { 0 };
	int r = parse_string_into(p, &b);

	if (r < 0)
		return r;
	*ret = arena_strndup(p->arena, b.text, b.length);
	return *ret ? 0 : no_memory(p);
}

/* Behind the opening quote. */
static int parse_string(struct parser *p, char **ret)
{
	const char *begin = p->at;
	size_t n = skip_plain(p);

	if (!accept_char(p, '"')) {
		p->at = begin;
		return parse_string_with_escapes(p, ret);
	}
	*ret = arena_strndup(p->arena, begin, n);
	return *ret ? 0 : no_memory(p);
}

static size_t digits(struct parser *p)
{
	const char *begin = p->at;

	while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
		p->at++;
	return (size_t)(p->at - begin);
}

static int parse_number(struct parser *p, struct json *json)
{
	const char *begin = p->at;

	accept_char(p, '-');
	if (!accept_char(p, '0') && digits(p) == 0)
		return fail(p, "not a JSON value");
	if (accept_char(p, '.') && digits(p) == 0)
		return fail(p, "digits must follow the decimal point");
	if (accept_char(p, 'e') || accept_char(p, 'E')) {
		if (!accept_char(p, '+'))
			accept_char(p, '-');
		if (digits(p) == 0)
			return fail(p, "digits must follow the exponent");
	}
	json->type = JSON_NUMBER;
	json->text = arena_strndup(p->arena, begin, (size_t)(p->at - begin));
	return json->text ? 0 : no_memory(p);
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp((*(const struct json *const *)a)->key, (*(const struct json *const *)b)->key);
}

static int duplicate(struct parser *p, const struct json *later)
{
	p->at = later->begin;
	return fail(p, "this key was given before in the same object");
}

/* The few keys that most objects have are compared each with each. */
static int check_few(struct parser *p, const struct json *object)
{
	for (const struct json *member = object->first; member; member = member->next)
		for (const struct json *later = member->next; later; later = later->next)
			if (str_equal(member->key, later->key))
				return duplicate(p, later);
	return 0;
}

/* Sorting finds a duplicate in n log n: an object of a hundred thousand keys is hostile, but not slow. */
static int check_duplicates(struct parser *p, const struct json *object)
{
	_cleanup_free_ const struct json **keys = NULL;
	size_t n = 0;

	if (object->n <= FEW)
		return check_few(p, object);
	keys = calloc(object->n, sizeof(*keys));
	if (!keys)
		return no_memory(p);
	for (const struct json *member = object->first; member; member = member->next)
		keys[n++] = member;
	qsort(keys, n, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < n; i++)
		if (strcmp(keys[i - 1]->key, keys[i]->key) == 0)
			return duplicate(p, keys[i - 1]->begin > keys[i]->begin ? keys[i - 1] : keys[i]);
	return 0;
}

static int parse_key(struct parser *p, char **ret)
{
	int r;

	if (!accept_char(p, '"'))
		return fail(p, "expected a key in double quotes");
	r = parse_string(p, ret);
	if (r < 0)
		return r;
	skip_blanks(p);
	return accept_char(p, ':') ? 0 : fail(p, "expected ':' behind a key");
}

/* Behind the opening bracket, up to and with the closing one. */
static int parse_children(struct parser *p, struct json *parent, char close)
{
	struct json **tail = &parent->first;

	skip_blanks(p);
	if (accept_char(p, close))
		return 0;
	for (;;) {
		struct json *child = arena_alloc(p->arena, sizeof(*child));
		int r = 0;

		if (!child)
			return no_memory(p);
		skip_blanks(p);
		if (close == '}')
			r = parse_key(p, &child->key);
		if (r == 0)
			r = parse_value(p, child);
		if (r < 0)
			return r;
		*tail = child;
		tail = &child->next;
		parent->n++;
		skip_blanks(p);
		if (accept_char(p, close))
			return 0;
		if (!accept_char(p, ','))
			return fail(p, close == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
	}
}

static int parse_container(struct parser *p, struct json *json, enum json_type type)
{
	int r;

	if (++p->depth > JSON_MAX_DEPTH)
		return fail(p, "nested deeper than 64 levels");
	json->type = type;
	r = parse_children(p, json, type == JSON_OBJECT ? '}' : ']');
	p->depth--;
	if (r == 0 && type == JSON_OBJECT)
		r = check_duplicates(p, json);
	return r;
}

static int parse_into(struct parser *p, struct json *json)
{
	if (accept_char(p, '{'))
		return parse_container(p, json, JSON_OBJECT);
	if (accept_char(p, '['))
		return parse_container(p, json, JSON_ARRAY);
	if (accept_char(p, '"')) {
		json->type = JSON_STRING;
		return parse_string(p, &json->text);
	}
	if (accept_word(p, "null"))
		return 0;
	if (accept_word(p, "true") || accept_word(p, "false")) {
		json->type = JSON_BOOLEAN;
		json->boolean = p->at[-2] == 'u';
		return 0;
	}
	return parse_number(p, json);
}

static int parse_value(struct parser *p, struct json *json)
{
	int r;

	skip_blanks(p);
	json->begin = p->at;
	r = parse_into(p, json);
	json->length = (size_t)(p->at - json->begin);
	return r;
}

static void document_freep(struct document **document)
{
	if (*document)
		arena_deinit(&(*document)->arena);
	free(*document);
}

int json_parse(const char *text, size_t length, struct json **ret, struct mrg_error *err)
{
	_cleanup_(document_freep) struct document *document = calloc(1, sizeof(*document));
	struct parser p = { .text = text, .at = text, .end = text + length, .err = err };
	int r;

	if (length > JSON_MAX_SIZE)
		return mrg_error_set(err, -MRG_E_INVALID, "the text is larger than 4 MiB");
	if (length == 0)
		return mrg_error_set(err, -MRG_E_INVALID, "the text is empty");
	if (!document)
		return no_memory(&p);
	p.arena = &document->arena;
	r = parse_value(&p, &document->root);
	if (r < 0)
		return r;
	skip_blanks(&p);
	if (p.at < p.end)
		return fail(&p, "something follows the end of the value");
	*ret = &take_ptr(document)->root;
	return 0;
}

struct json *json_free(struct json *json)
{
	/* The root is the document's first member. */
	struct document *document = (struct document *)json;

	document_freep(&document);
	return NULL;
}

const struct json *json_member(const struct json *object, const char *key)
{
	if (object->type == JSON_OBJECT)
		for (const struct json *member = object->first; member; member = member->next)
			if (str_equal(member->key, key))
				return member;
	return NULL;
}

int json_integer(const struct json *number, bool *ret_negative, uint64_t *ret)
{
	bool negative = number->text[0] == '-';
	uint64_t value;
	int r = parse_uint64(number->text + negative, &value);

	if (r < 0)
		return r;
	*ret_negative = negative && value > 0;
	*ret = value;
	return 0;
}

const char *json_type_name(enum json_type type)
{
	static const char *const names[] = {
		[JSON_NULL] = "null", [JSON_BOOLEAN] = "true or false", [JSON_NUMBER] = "a number",
		[JSON_STRING] = "a string", [JSON_ARRAY] = "an array", [JSON_OBJECT] = "an object",
	};

	return names[type];
}
