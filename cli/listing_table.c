/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A list as a table, by libsmartcols. */

#include "config.h"

#include <errno.h>
#include <locale.h>
#include <string.h>
#include <sys/ioctl.h>

#include <libsmartcols/libsmartcols.h>

#include "cli/output.h"
#include "cli/text.h"
#include "core/util/cleanup.h"

static void table_freep(struct libscols_table **table)
{
	scols_unref_table(*table);
}

static int set_cell(struct libscols_line *line, size_t at, const struct value *v)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };
	char buffer[64];
	const char *text = value_show(v, buffer, true);

	text_escape(&b, text, strlen(text), "");
	if (b.failed)
		return -ENOMEM;
	return scols_line_set_data(line, at, b.text ? b.text : "-");
}

static int add_columns(const struct listing *l, struct libscols_table *table, bool truncate)
{
	for (int i = 0; l->shown[i] >= 0; i++) {
		const struct column *column = &l->columns[l->shown[i]];
		int flags = (column->flags & COLUMN_RIGHT ? SCOLS_FL_RIGHT : 0) |
			    (truncate && column->flags & COLUMN_TRUNCATE ? SCOLS_FL_TRUNC : 0);

		if (!scols_table_new_column(table, column->name ? column->name : column->key, 0, flags))
			return -ENOMEM;
	}
	return 0;
}

static int fill(const struct listing *l, struct libscols_table *table, const struct value *const *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct libscols_line *line = scols_table_new_line(table, NULL);

		if (!line)
			return -ENOMEM;
		for (int k = 0; l->shown[k] >= 0; k++)
			if (set_cell(line, (size_t)k, &rows[i][l->shown[k]]) < 0)
				return -ENOMEM;
	}
	return 0;
}

int listing_table(const struct listing *l, const struct value *const *rows, size_t n)
{
	_cleanup_(table_freep) struct libscols_table *table = scols_new_table();
	bool terminal = isatty(STDOUT_FILENO);
	int r;

	if (!table)
		return -ENOMEM;
	/* Only here: smartcols measures cells with it, and reading the locale costs every command a quarter of a millisecond. */
	setlocale(LC_CTYPE, "");
	scols_table_enable_noheadings(table, l->cli->no_headings);
	scols_table_enable_noencoding(table, 1);	/* escaped already */
	scols_table_set_column_separator(table, "  ");
	scols_table_enable_nolinesep(table, 0);
	r = add_columns(l, table, terminal && !l->cli->no_trunc);
	if (r == 0)
		r = fill(l, table, rows, n);
	if (r < 0)
		return r;
	/* smartcols prints nothing, not even headings, for a table without lines. */
	if (n == 0 && !l->cli->no_headings) {
		for (int i = 0; l->shown[i] >= 0; i++)
			printf("%s%s", i ? "  " : "", l->columns[l->shown[i]].name);
		putchar('\n');
		return 0;
	}
	return scols_print_table(table) < 0 ? -EIO : 0;
}
