/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of objects: which columns, which rows, in which order, in which format. */

#include "config.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "core/util/cleanup.h"

int output_format_parse(struct cli *cli)
{
	static const char *const names[] = {
		[FORMAT_TABLE] = "table", [FORMAT_WIDE] = "wide", [FORMAT_JSON] = "json", [FORMAT_JSONL] = "jsonl",
		[FORMAT_CSV] = "csv", [FORMAT_ENV] = "env", [FORMAT_NAME] = "name",
	};

	if (cli->json)
		cli->output = FORMAT_JSON;
	if (!cli->format)
		return 0;
	if (strstr(cli->format, "{{")) {
		cli->output = FORMAT_TEMPLATE;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], cli->format) == 0) {
			cli->output = (enum output_format)i;
			return 0;
		}
	return cli_usage(cli, "formats are table, wide, json, jsonl, csv, env, name and templates such as '{{.Name}}'",
			 "unknown format '%s'", cli->format);
}

static int unknown_column(struct listing *l, const char *name, size_t length)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };

	buffer_addf(&b, "there are");
	for (size_t i = 0; i < l->n_columns; i++)
		buffer_addf(&b, "%s %s", i ? "," : "", l->columns[i].name ? l->columns[i].name : l->columns[i].key);
	return cli_usage(l->cli, b.failed ? NULL : b.text, "unknown column '%.*s'", (int)length, name);
}

static void default_columns(struct listing *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n_columns && n + 1 < ARRAY_SIZE(l->shown); i++) {
		unsigned int flags = l->columns[i].flags;

		if (l->columns[i].name && !(flags & COLUMN_EXTRA) &&
		    (!(flags & COLUMN_WIDE) || l->cli->output == FORMAT_WIDE))
			l->shown[n++] = (int)i;
	}
	l->shown[n] = -1;
}

/* "NAME,STATE" in place of the usual columns, "+PID" behind them. */
static int choose_columns(struct listing *l, const char *text)
{
	size_t n = 0;

	default_columns(l);
	if (!text)
		return 0;
	if (*text == '+')
		while (l->shown[n] >= 0)
			n++;
	for (const char *at = text + (*text == '+'); *at; at += *at == ',') {
		size_t length = strcspn(at, ",");
		int column = column_find(l->columns, at + (*at == '+'), length - (*at == '+'));

		if (column < 0)
			return unknown_column(l, at, length);
		if (n + 1 < ARRAY_SIZE(l->shown))
			l->shown[n++] = column;
		at += length;
	}
	l->shown[n] = -1;
	return 0;
}

static int check_filters(struct listing *l)
{
	for (char **filter = l->cli->filter; filter && *filter; filter++) {
		size_t length = strcspn(*filter, "=");

		if (!(*filter)[length])
			return cli_usage(l->cli, NULL, "option '--filter' takes KEY=VALUE, not '%s'", *filter);
		if (column_find(l->columns, *filter, length) < 0 && strncmp(*filter, "label=", 6) != 0)
			return unknown_column(l, *filter, length);
	}
	return 0;
}

int listing_begin(struct listing *l, struct cli *cli, const struct column *columns, const char *schema)
{
	int r;

	*l = (struct listing){ .cli = cli, .columns = columns, .schema = schema, .file = stdout, .sort = -1 };
	while (columns[l->n_columns].name || columns[l->n_columns].key)
		l->n_columns++;
	r = choose_columns(l, cli->columns);
	if (r == 0)
		r = check_filters(l);
	if (r == 0 && cli->sort) {
		l->sort = column_find(columns, cli->sort, strlen(cli->sort));
		if (l->sort < 0)
			r = unknown_column(l, cli->sort, strlen(cli->sort));
	}
	if (r == 0 && cli->output == FORMAT_TEMPLATE) {
		_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };
		_cleanup_free_ struct value *none = calloc(l->n_columns, sizeof(*none));

		if (none && row_template(l, none, cli->format, &b) < 0)
			r = cli_usage(cli, "a template names members, as in '{{.Name}} {{.State}}', or all: '{{json .}}'",
				      "cannot use template '%s'", cli->format);
	}
	return r;
}

bool listing_wants(const struct listing *l, int column)
{
	if (l->cli->output > FORMAT_WIDE && l->cli->output != FORMAT_NAME)
		return true;
	for (char **filter = l->cli->filter; filter && *filter; filter++)
		if (column_find(l->columns, *filter, strcspn(*filter, "=")) == column)
			return true;
	for (size_t i = 0; l->shown[i] >= 0 && !l->cli->quiet && l->cli->output != FORMAT_NAME; i++)
		if (l->shown[i] == column)
			return true;
	return l->sort == column;
}

struct value *listing_row(struct listing *l)
{
	struct value *row;

	/* It is full at each power of two. */
	if ((l->n_rows & (l->n_rows - 1)) == 0) {
		struct value *grown = reallocarray(l->values, (l->n_rows ? l->n_rows * 2 : 1) * l->n_columns, sizeof(*grown));

		if (!grown)
			return NULL;
		l->values = grown;
	}
	row = l->values + l->n_rows++ * l->n_columns;
	memset(row, 0, l->n_columns * sizeof(*row));
	return row;
}

void listing_deinit(struct listing *l)
{
	for (size_t i = 0; i < l->n_rows * l->n_columns; i++) {
		free(l->values[i].text);
		free(l->values[i].json);
	}
	free(l->values);
}

void value_text(struct value *v, const char *text)
{
	v->type = VALUE_NONE;
	v->text = text ? strdup(text) : NULL;
	if (v->text)
		v->type = VALUE_TEXT;
}

void value_number(struct value *v, enum value_type type, uint64_t number)
{
	v->type = type;
	v->number = number;
}

bool listing_lets_through(const struct listing *l, const struct value *row)
{
	char buffer[64];

	for (char **filter = l->cli->filter; filter && *filter; filter++) {
		size_t length = strcspn(*filter, "=");
		int column = column_find(l->columns, *filter, length);

		if (column >= 0 && fnmatch(*filter + length + 1, value_show(&row[column], buffer, false), 0) != 0)
			return false;
	}
	return true;
}

static int compare(const void *a, const void *b, void *data)
{
	const struct listing *l = data;
	const struct value *x = *(const struct value *const *)a + l->sort, *y = *(const struct value *const *)b + l->sort;

	if (x->text || y->text)
		return strcmp(x->text ? x->text : "", y->text ? y->text : "");
	return (x->number > y->number) - (x->number < y->number);
}

static int print_rows(const struct listing *l, const struct value *const *rows, size_t n)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };
	enum output_format format = l->cli->output;
	char buffer[64];

	if (format == FORMAT_JSON)
		buffer_add(&b, "[", 1);
	for (size_t i = 0; i < n; i++) {
		if (format == FORMAT_JSON)
			buffer_addf(&b, i ? ",\n" : "\n");
		if (format == FORMAT_JSON || format == FORMAT_JSONL)
			row_json(l, rows[i], &b);
		else if (format == FORMAT_CSV)
			row_csv(l, rows[i], &b);
		else if (format == FORMAT_ENV)
			row_env(l, rows[i], &b);
		else if (format == FORMAT_TEMPLATE)
			row_template(l, rows[i], l->cli->format, &b);
		else
			buffer_addf(&b, "%s", value_show(&rows[i][0], buffer, false));
		if (format != FORMAT_JSON)
			buffer_add(&b, "\n", 1);
	}
	if (format == FORMAT_JSON)
		buffer_addf(&b, "%s]\n", n ? "\n" : "");
	if (b.failed)
		return -ENOMEM;
	if (b.text)
		fwrite(b.text, 1, b.length, l->file);
	return 0;
}

int listing_print(struct listing *l)
{
	_cleanup_free_ const struct value **rows = calloc(l->n_rows + 1, sizeof(*rows));
	struct mrg_error err;
	size_t n = 0;
	int r;

	if (!rows)
		return cli_fail(l->cli, (mrg_error_set(&err, -ENOMEM, "out of memory"), &err));
	for (size_t i = 0; i < l->n_rows; i++)
		if (listing_lets_through(l, l->values + i * l->n_columns))
			rows[n++] = l->values + i * l->n_columns;
	if (l->sort >= 0)
		qsort_r(rows, n, sizeof(*rows), compare, l);
	if (l->cli->quiet && l->cli->output <= FORMAT_WIDE)
		l->cli->output = FORMAT_NAME;
	if (l->cli->output == FORMAT_CSV && !l->cli->no_headings)
		row_csv(l, NULL, NULL);
	if (l->cli->output <= FORMAT_WIDE) {
		r = listing_table(l, rows, n, &err);
	} else {
		r = print_rows(l, rows, n);
		if (r < 0)
			mrg_error_set(&err, r, "cannot print the list: %s", strerror(-r));
	}
	return r < 0 ? cli_fail(l->cli, &err) : 0;
}
