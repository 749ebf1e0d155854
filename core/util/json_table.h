/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UTIL_JSON_TABLE_H
#define UTIL_JSON_TABLE_H

/* Small JSON objects to structures and back, a row of a table for each member. */

#include "core/util/json.h"

enum json_row_type {
	JSON_ROW_TEXT,			/* const char *; NULL is left out */
	JSON_ROW_BOOL,			/* bool */
	JSON_ROW_INT,			/* int */
	JSON_ROW_INT64,			/* int64_t */
};

struct json_row {
	const char *key;		/* "a", or "a/b" for a member of an object in the object; those of one object follow each other */
	enum json_row_type type;
	size_t offset;			/* of the value in the structure */
	bool optional;			/* may be missing */
};

/* Adds the object that @rows (ended by a NULL key) make of @from. -EILSEQ: a text is not UTF-8. */
int json_table_write(struct buffer *b, const struct json_row *rows, const void *from);

/* Fills @to by all rows that @object has; texts are borrowed from it. What it lacks is not changed. -EBADMSG: it lacks one that is not
 * optional, or one has a wrong type or is out of range. */
int json_table_read(const struct json *object, const struct json_row *rows, void *to);

#endif
