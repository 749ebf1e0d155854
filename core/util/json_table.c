/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small JSON objects to structures and back. */

#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "core/util/json_table.h"

/* ---- writing ------------------------------------------------------------------------------ */

static int write_value(struct buffer *b, enum json_row_type type, const void *value)
{
	switch (type) {
	case JSON_ROW_TEXT:
		return json_quote(b, *(const char *const *)value);
	case JSON_ROW_BOOL:
		buffer_addf(b, "%s", *(const bool *)value ? "true" : "false");
		return 0;
	case JSON_ROW_INT:
		buffer_addf(b, "%d", *(const int *)value);
		return 0;
	case JSON_ROW_INT64:
		buffer_addf(b, "%" PRId64, *(const int64_t *)value);
		return 0;
	}
	return -EINVAL;
}

/* The length of "a/" in "a/b", 0 of "a". */
static size_t group_length(const char *key)
{
	const char *slash = strchr(key, '/');

	return slash ? (size_t)(slash - key) + 1 : 0;
}

int json_table_write(struct buffer *b, const struct json_row *rows, const void *from)
{
	const char *group = "", *separator = "";
	size_t open = 0;
	int r = 0;

	buffer_add(b, "{", 1);
	for (; rows->key && r == 0; rows++) {
		const void *value = (const char *)from + rows->offset;
		size_t length = group_length(rows->key);

		if (rows->type == JSON_ROW_TEXT && !*(const char *const *)value)
			continue;
		if (open > 0 && (length != open || memcmp(rows->key, group, open) != 0)) {
			buffer_add(b, "}", 1);
			open = 0;
		}
		buffer_addf(b, "%s", separator);
		if (length > open) {
			buffer_addf(b, "\"%.*s\":{", (int)length - 1, rows->key);
			group = rows->key;
			open = length;
		}
		buffer_addf(b, "\"%s\":", rows->key + length);
		r = write_value(b, rows->type, value);
		separator = ",";
	}
	buffer_addf(b, "%s}", open ? "}" : "");
	return r;
}

/* ---- reading ------------------------------------------------------------------------------ */

static const struct json *find(const struct json *object, const char *key)
{
	char first[32];
	size_t length = group_length(key);

	if (length == 0 || length > sizeof(first))
		return json_member(object, key);
	memcpy(first, key, length - 1);
	first[length - 1] = '\0';
	object = json_member(object, first);
	return object ? json_member(object, key + length) : NULL;
}

static int read_integer(const struct json *json, int64_t *ret)
{
	uint64_t value, max = INT64_MAX;
	bool negative;

	if (json->type != JSON_NUMBER || json_integer(json, &negative, &value) < 0 || value > max + negative)
		return -EBADMSG;
	*ret = negative ? -(int64_t)(value - 1) - 1 : (int64_t)value;
	return 0;
}

static int read_value(const struct json *json, enum json_row_type type, void *to)
{
	int64_t number;

	switch (type) {
	case JSON_ROW_TEXT:
		if (json->type != JSON_STRING)
			return -EBADMSG;
		*(const char **)to = json->text;
		return 0;
	case JSON_ROW_BOOL:
		if (json->type != JSON_BOOLEAN)
			return -EBADMSG;
		*(bool *)to = json->boolean;
		return 0;
	case JSON_ROW_INT:
		if (read_integer(json, &number) < 0 || number < INT_MIN || number > INT_MAX)
			return -EBADMSG;
		*(int *)to = (int)number;
		return 0;
	case JSON_ROW_INT64:
		return read_integer(json, to);
	}
	return -EINVAL;
}

int json_table_read(const struct json *object, const struct json_row *rows, void *to)
{
	int r = 0;

	for (; rows->key; rows++) {
		const struct json *json = find(object, rows->key);

		if (json ? read_value(json, rows->type, (char *)to + rows->offset) < 0 : !rows->optional)
			r = -EBADMSG;
	}
	return r;
}
