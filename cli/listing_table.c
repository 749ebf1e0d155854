/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A list as a table: cells padded to the width of their column, on terminals cut where the table would be too wide. */

#include "config.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "cli/output.h"
#include "cli/text.h"
#include "core/util/arena.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"

#define SEPARATOR	"  "
#define LEAST_WIDTH	8		/* of a column that is cut */

struct cell {
	const char *text;
	size_t length, width;		/* bytes, and columns of a terminal */
};

struct table {
	const struct listing *list;
	struct arena arena;		/* the texts */
	struct cell *cells;		/* a line after the other, the headings first */
	size_t n_lines, n_columns;
	size_t width[32];
	bool locale;			/* it has been read */
};

/* ---- cells ------------------------------------------------------------------------------ */

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

/* Only what is no ASCII needs the locale: reading it costs every command a quarter of a millisecond. */
static void read_locale(struct table *t)
{
	if (!t->locale)
		setlocale(LC_CTYPE, "");
	t->locale = true;
}

static int set_cell(struct table *t, struct cell *cell, size_t column, const char *text)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };
	bool plain = is_plain(text);

	if (!plain) {
		text_escape(&b, text, strlen(text), "");
		if (b.failed)
			return -ENOMEM;
	}
	text = plain ? text : b.text;
	cell->length = strlen(*text ? text : "-");
	cell->text = arena_strndup(&t->arena, *text ? text : "-", cell->length);
	if (!cell->text)
		return -ENOMEM;
	cell->width = cell->length;
	if (!plain) {
		read_locale(t);
		text_fit(cell->text, SIZE_MAX, &cell->width);
	}
	if (cell->width > t->width[column])
		t->width[column] = cell->width;
	return 0;
}

static const struct column *column_of(const struct table *t, size_t k)
{
	return &t->list->columns[t->list->shown[k]];
}

static int fill(struct table *t, const struct value *const *rows, size_t n)
{
	struct cell *cell = t->cells;
	char buffer[64];
	int r = 0;

	/* With or without headings the columns are as wide. */
	for (size_t k = 0; k < t->n_columns && r == 0; k++)
		r = set_cell(t, cell++, k, column_of(t, k)->name ? column_of(t, k)->name : column_of(t, k)->key);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < t->n_columns && r == 0; k++)
			r = set_cell(t, cell++, k, value_show(&rows[i][t->list->shown[k]], buffer, true));
	return r;
}

/* ---- fitting a terminal ------------------------------------------------------------------- */

/* The widest that may be cut, or -1. */
static int find_widest(const struct table *t)
{
	int widest = -1;

	for (size_t k = 0; k < t->n_columns; k++)
		if (column_of(t, k)->flags & COLUMN_TRUNCATE && t->width[k] > LEAST_WIDTH &&
		    (widest < 0 || t->width[k] > t->width[widest]))
			widest = (int)k;
	return widest;
}

static void narrow(struct table *t)
{
	size_t width = strlen(SEPARATOR) * (t->n_columns - 1);
	struct winsize size;
	int widest;

	if (ioctl(fileno(t->list->file), TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return;
	for (size_t k = 0; k < t->n_columns; k++)
		width += t->width[k];
	for (; width > size.ws_col && (widest = find_widest(t)) >= 0; width--)
		t->width[widest]--;
	for (size_t i = 0; i < t->n_lines * t->n_columns; i++) {
		struct cell *cell = &t->cells[i];

		if (cell->width > t->width[i % t->n_columns])
			cell->length = text_fit(cell->text, t->width[i % t->n_columns], &cell->width);
	}
}

/* ---- printing ------------------------------------------------------------------------------ */

static void add_blanks(struct buffer *b, size_t n)
{
	static const char blanks[] = "                                ";

	for (; n >= sizeof(blanks); n -= sizeof(blanks) - 1)
		buffer_add(b, blanks, sizeof(blanks) - 1);
	buffer_add(b, blanks, n);
}

static void add_line(const struct table *t, struct buffer *b, const struct cell *line)
{
	for (size_t k = 0; k < t->n_columns; k++) {
		size_t blanks = t->width[k] - line[k].width;
		bool right = column_of(t, k)->flags & COLUMN_RIGHT, last = k + 1 == t->n_columns;

		add_blanks(b, right ? blanks : 0);
		buffer_add(b, line[k].text, line[k].length);
		add_blanks(b, right || last ? 0 : blanks);
		buffer_add(b, last ? "\n" : SEPARATOR, last ? 1 : strlen(SEPARATOR));
	}
}

static int print(const struct table *t)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };

	for (size_t i = t->list->cli->no_headings; i < t->n_lines; i++)
		add_line(t, &b, t->cells + i * t->n_columns);
	if (b.failed)
		return -ENOMEM;
	/* Whether it could be written is told at the end, as of all output. */
	if (b.text)
		fwrite(b.text, 1, b.length, t->list->file);
	return 0;
}

int listing_table(const struct listing *l, const struct value *const *rows, size_t n, struct mrg_error *err)
{
	struct table t = { .list = l, .n_lines = n + 1 };
	int r;

	while (l->shown[t.n_columns] >= 0)
		t.n_columns++;
	t.cells = calloc(t.n_lines, t.n_columns * sizeof(*t.cells));
	r = t.cells ? fill(&t, rows, n) : -ENOMEM;
	if (r == 0 && isatty(fileno(l->file)) && !l->cli->no_trunc)
		narrow(&t);
	if (r == 0)
		r = print(&t);
	arena_deinit(&t.arena);
	free(t.cells);
	return r < 0 ? fail_errno(err, r, "cannot print the list") : 0;
}
