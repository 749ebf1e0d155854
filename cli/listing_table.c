/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A list as a table, by libsmartcols: loaded here, since loading it would cost the commands that print none a tenth of a millisecond. */

#include "config.h"

#include <errno.h>
#include <locale.h>
#include <string.h>
#include <sys/ioctl.h>

#include <libsmartcols/libsmartcols.h>

#include "cli/output.h"
#include "cli/text.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/library.h"

struct smartcols {
	LIBRARY_MEMBER(scols_new_table);
	LIBRARY_MEMBER(scols_unref_table);
	LIBRARY_MEMBER(scols_table_enable_noheadings);
	LIBRARY_MEMBER(scols_table_enable_noencoding);
	LIBRARY_MEMBER(scols_table_enable_nolinesep);
	LIBRARY_MEMBER(scols_table_set_column_separator);
	LIBRARY_MEMBER(scols_table_set_stream);
	LIBRARY_MEMBER(scols_table_new_column);
	LIBRARY_MEMBER(scols_table_new_line);
	LIBRARY_MEMBER(scols_line_set_data);
	LIBRARY_MEMBER(scols_print_table);
};

#define SYMBOL(function)	LIBRARY_SYMBOL(struct smartcols, function)
static const struct library_symbol symbols[] = {
	SYMBOL(scols_new_table), SYMBOL(scols_unref_table), SYMBOL(scols_table_enable_noheadings),
	SYMBOL(scols_table_enable_noencoding), SYMBOL(scols_table_enable_nolinesep), SYMBOL(scols_table_set_column_separator),
	SYMBOL(scols_table_set_stream), SYMBOL(scols_table_new_column), SYMBOL(scols_table_new_line), SYMBOL(scols_line_set_data), SYMBOL(scols_print_table),
	{ NULL, 0 },
};

static int set_cell(const struct smartcols *lib, struct libscols_line *line, size_t at, const struct value *v)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };
	char buffer[64];
	const char *text = value_show(v, buffer, true);

	text_escape(&b, text, strlen(text), "");
	if (b.failed)
		return -ENOMEM;
	return lib->scols_line_set_data(line, at, b.text ? b.text : "-");
}

static int add_columns(const struct smartcols *lib, const struct listing *l, struct libscols_table *table, bool truncate)
{
	for (int i = 0; l->shown[i] >= 0; i++) {
		const struct column *column = &l->columns[l->shown[i]];
		int flags = (column->flags & COLUMN_RIGHT ? SCOLS_FL_RIGHT : 0) |
			    (truncate && column->flags & COLUMN_TRUNCATE ? SCOLS_FL_TRUNC : 0);

		if (!lib->scols_table_new_column(table, column->name ? column->name : column->key, 0, flags))
			return -ENOMEM;
	}
	return 0;
}

static int fill(const struct smartcols *lib, const struct listing *l, struct libscols_table *table, const struct value *const *rows,
		size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct libscols_line *line = lib->scols_table_new_line(table, NULL);

		if (!line)
			return -ENOMEM;
		for (int k = 0; l->shown[k] >= 0; k++)
			if (set_cell(lib, line, (size_t)k, &rows[i][l->shown[k]]) < 0)
				return -ENOMEM;
	}
	return 0;
}

/* smartcols prints nothing, not even headings, for a table without lines. */
static int print_headings(const struct listing *l)
{
	for (int i = 0; l->shown[i] >= 0 && !l->cli->no_headings; i++)
		fprintf(l->file, "%s%s", i ? "  " : "", l->columns[l->shown[i]].name);
	if (!l->cli->no_headings)
		fputc('\n', l->file);
	return 0;
}

int listing_table(const struct listing *l, const struct value *const *rows, size_t n, struct mrg_error *err)
{
	bool truncate = isatty(fileno(l->file)) && !l->cli->no_trunc;
	struct libscols_table *table;
	struct smartcols lib;
	int r;

	if (n == 0)
		return print_headings(l);
	r = library_open("libsmartcols.so.1", "libsmartcols1", symbols, &lib, err);
	if (r < 0)
		return r;
	table = lib.scols_new_table();
	if (!table)
		return fail_memory(err);
	/* Only here: smartcols measures cells with it, and reading the locale costs every command a quarter of a millisecond. */
	setlocale(LC_CTYPE, "");
	lib.scols_table_enable_noheadings(table, l->cli->no_headings);
	lib.scols_table_enable_noencoding(table, 1);	/* escaped already */
	lib.scols_table_set_column_separator(table, "  ");
	lib.scols_table_enable_nolinesep(table, 0);
	lib.scols_table_set_stream(table, l->file);
	r = add_columns(&lib, l, table, truncate);
	if (r == 0)
		r = fill(&lib, l, table, rows, n);
	if (r == 0 && lib.scols_print_table(table) < 0)
		r = -EIO;
	lib.scols_unref_table(table);
	return r < 0 ? fail_errno(err, r, "cannot print the list") : 0;
}
