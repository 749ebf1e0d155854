/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

/* Lists of objects in every output format, from one table of columns. */

#include <stdint.h>

#include "cli/cli.h"
#include "core/util/str.h"

enum value_type {
	VALUE_NONE,			/* null; "-" in tables */
	VALUE_TEXT,
	VALUE_NUMBER,
	VALUE_SIZE,			/* bytes */
	VALUE_TIME,			/* ns since the epoch */
	VALUE_SPAN,			/* ns */
	VALUE_PERCENT,			/* thousandths of a percent */
	VALUE_BOOL,
	VALUE_JSON,			/* @json for machines, @text for humans */
};

struct value {
	enum value_type type;
	char *text, *json;		/* owned */
	uint64_t number;
};

enum { COLUMN_WIDE = 1, COLUMN_RIGHT = 2, COLUMN_TRUNCATE = 4, COLUMN_EXTRA = 8 };

struct column {
	const char *name;		/* heading; NULL: not for tables */
	const char *key;		/* member of the JSON object; NULL: only for tables */
	unsigned int flags;		/* WIDE: shown by --format wide; EXTRA: only when asked for */
	const char *help;
};

struct listing {
	struct cli *cli;
	const struct column *columns;	/* ends with neither name nor key */
	size_t n_columns;
	const char *schema;		/* "moorage/list/v1" */
	FILE *file;			/* where it is printed: standard output, unless that is changed after listing_begin() */
	struct value *values;		/* @n_rows times @n_columns */
	size_t n_rows;
	int shown[32];			/* columns of the table, in order; -1 ends */
	int sort;			/* column, -1: as added */
};

/* Reads --format into cli->output. An exit status after a message. */
int output_format_parse(struct cli *cli);

/* Begins a list, checking --columns, --sort and --filter. An exit status after a message. */
int listing_begin(struct listing *l, struct cli *cli, const struct column *columns, const char *schema);

/* Whether @column is shown, or is part of a machine's format, or decides about rows: worth finding out. */
bool listing_wants(const struct listing *l, int column);

/* A new row of empty values, one per column; NULL when memory runs out. */
struct value *listing_row(struct listing *l);

/* Whether the filters let @row through. */
bool listing_lets_through(const struct listing *l, const struct value *row);

/* Prints all rows that the filters let through; an exit status. */
int listing_print(struct listing *l);
void listing_deinit(struct listing *l);
#define _cleanup_listing_ _cleanup_(listing_deinit)

void value_text(struct value *v, const char *text);	/* NULL: none */
void value_number(struct value *v, enum value_type type, uint64_t number);

/* listing_format.c: one row, in the format of one object. */

/* Adds the member @name of @data ("" is all of it) to @b; -EINVAL: there is none. */
typedef int (*template_member)(const void *data, const char *name, size_t length, bool json, struct buffer *b);

/* "{{.Name}}\t{{json .Name}}" with its members put in; -EINVAL: not understood. */
int template_expand(const char *template, template_member member, const void *data, struct buffer *b);

void row_json(const struct listing *l, const struct value *row, struct buffer *b);
int row_template(const struct listing *l, const struct value *row, const char *template, struct buffer *b);
void row_csv(const struct listing *l, const struct value *row, struct buffer *b);
void row_env(const struct listing *l, const struct value *row, struct buffer *b);

/* A value as humans, or as machines without JSON, read it. The text is valid until @buffer changes. */
const char *value_show(const struct value *v, char *buffer, bool humans);

/* The column called @name (heading or key, any case), or -1. */
int column_find(const struct column *columns, const char *name, size_t length);

/* listing_table.c */
int listing_table(const struct listing *l, const struct value *const *rows, size_t n, struct mrg_error *err);

#endif
