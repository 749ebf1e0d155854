/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lines that a screen of some size has. Names and command lines are of containers, so nothing of them gets there but as text. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cli/top.h"
#include "core/util/cleanup.h"

#define HEAD_LINES	3
#define DEEPEST		16		/* where the tree is indented no more, for the sake of the command line */

static const char help_text[] =
	"up down PgUp PgDn Home End   choose a container\n"
	"Enter                        its processes, as a tree; Esc goes back\n"
	"c m p                        sort by CPU time, memory, number of processes\n"
	"i n                          sort by what is read, or received; again: written, or sent\n"
	"a                            sort by name; again: by backend\n"
	"< >                          sort by the column at the left, at the right\n"
	"r                            the other way round\n"
	"/                            show only those with some text in BACKEND:NAME; Esc shows all\n"
	"k                            send a signal to its first process\n"
	"s                            stop it; it is asked to end, and not waited for\n"
	"blank                        look now\n"
	"q                            quit\n\n"
	"CPU% is of one processor. READ/S to SEND/S are bytes of the last second or so.\n";

struct drawing {
	top_put put;
	void *data;
	size_t lines, columns, line;
	struct buffer text;		/* of the line that is made */
};

/* In a locale of single bytes the others are spelled out, too. */
static void add_plain(struct buffer *b, const char *text)
{
	_cleanup_(buffer_deinit) struct buffer clean = { .text = NULL };

	text_escape(&clean, text, strlen(text), "");
	for (size_t i = 0; i < clean.length; i++)
		if (MB_CUR_MAX == 1 && (unsigned char)clean.text[i] >= 0x80)
			buffer_addf(b, "\\x%02x", (unsigned char)clean.text[i]);
		else
			buffer_add(b, clean.text + i, 1);
	b->failed |= clean.failed;
}

/* @text in exactly @width columns. */
static void add_cell(struct buffer *b, const char *text, size_t width, bool right)
{
	_cleanup_(buffer_deinit) struct buffer plain = { .text = NULL };
	size_t taken = 0, length = 0;

	add_plain(&plain, text);
	if (plain.text)
		length = text_fit(plain.text, width, &taken);
	if (right)
		buffer_addf(b, "%*s", (int)(width - taken), "");
	if (length)
		buffer_add(b, plain.text, length);
	if (!right)
		buffer_addf(b, "%*s", (int)(width - taken), "");
	b->failed |= plain.failed;
}

static void end_line(struct drawing *d, enum top_style style)
{
	_cleanup_(buffer_deinit) struct buffer line = { .text = NULL };

	if (d->line < d->lines && d->text.text && !d->text.failed) {
		add_cell(&line, d->text.text, d->columns, false);
		if (line.text && !line.failed)
			d->put(d->data, d->line, style, line.text);
	}
	d->line++;
	d->text.length = 0;
	if (d->text.text)
		d->text.text[0] = '\0';
}

/* ---- the head ------------------------------------------------------------------------------- */

/* Of all that are not hidden, whether the filter shows them or not. */
static void add_sum(struct drawing *d, const struct top_view *view)
{
	static const int summed[] = { TOP_CPU, TOP_MEMORY, TOP_PIDS };
	double sums[TOP_COLUMNS] = { 0 }, figure;
	char size[TEXT_SIZE];
	size_t n = 0;

	for (size_t i = 0; i < view->usages->n; i++) {
		if (view->usages->list[i].hidden)
			continue;
		n++;
		for (size_t k = 0; k < ARRAY_SIZE(summed); k++)
			if (top_figure(&view->usages->list[i], summed[k], &figure))
				sums[summed[k]] += figure;
	}
	buffer_addf(&d->text, "moorage top: %zu container%s, CPU %.1f%%, memory %s, %.0f process%s, every %g s", n, n == 1 ? "" : "s", sums[TOP_CPU],
		    text_size(size, (uint64_t)sums[TOP_MEMORY]), sums[TOP_PIDS], sums[TOP_PIDS] == 1 ? "" : "es", view->interval_ms / 1000.0);
	end_line(d, TOP_BOLD);
}

static void add_question(struct drawing *d, const struct top_view *view)
{
	if (view->prompt == TOP_PROMPT_FILTER)
		buffer_addf(&d->text, "show only those with: ");
	else if (view->prompt == TOP_PROMPT_SIGNAL)
		buffer_addf(&d->text, "signal for '%s:", view->backend);
	else
		buffer_addf(&d->text, "stop '%s:", view->backend);
	if (view->prompt != TOP_PROMPT_FILTER)
		add_plain(&d->text, view->name);
	if (view->prompt == TOP_PROMPT_SIGNAL)
		buffer_addf(&d->text, "': ");
	if (view->prompt == TOP_PROMPT_STOP)
		buffer_addf(&d->text, "'? y or n");
	add_plain(&d->text, view->input);
	buffer_addf(&d->text, "_");
	end_line(d, TOP_BOLD);
}

static void add_state(struct drawing *d, const struct top_view *view)
{
	if (view->prompt != TOP_PROMPT_NONE) {
		add_question(d, view);
		return;
	}
	if (view->message[0]) {
		add_plain(&d->text, view->message);
		end_line(d, TOP_BOLD);
		return;
	}
	if (view->mode == TOP_TREE) {
		buffer_addf(&d->text, "%zu process%s of %s:", view->procs.found, view->procs.found == 1 ? "" : "es", view->backend ? view->backend : "");
		add_plain(&d->text, view->name ? view->name : "");
		if (view->procs.n < view->procs.found)
			buffer_addf(&d->text, ", the first %zu are shown", view->procs.n);
	} else {
		buffer_addf(&d->text, "by %s, %s", top_heading(view->sort),
			    top_is_figure(view->sort) != view->reverse ? "largest first" : "in ascending order");
	}
	if (view->mode == TOP_LIST && view->filter[0]) {
		buffer_addf(&d->text, "; %zu shown, with '", view->n_rows);
		add_plain(&d->text, view->filter);
		buffer_addf(&d->text, "'");
	}
	end_line(d, TOP_PLAIN);
}

/* ---- containers ----------------------------------------------------------------------------- */

static size_t widest_name(const struct top_view *view)
{
	size_t widest = 0, width;

	for (size_t i = 0; i < view->n_rows; i++) {
		_cleanup_(buffer_deinit) struct buffer plain = { .text = NULL };

		add_plain(&plain, view->rows[i]->name);
		if (plain.text)
			text_fit(plain.text, SIZE_MAX, &width);
		if (plain.text && width > widest)
			widest = width;
	}
	return widest;
}

/* One line of the table: headings with @u NULL. */
static void add_row(struct drawing *d, const struct top_view *view, const size_t *widths, const struct usage *u)
{
	char buffer[TEXT_SIZE];
	bool first = true;

	for (size_t i = 0; i < view->n_shown; i++) {
		int column = view->shown[i];

		if (widths[i] == 0)
			continue;
		buffer_addf(&d->text, first ? "" : "  ");
		add_cell(&d->text, u ? top_text(u, column, buffer) : top_heading(column), widths[i], top_is_figure(column));
		first = false;
	}
}

static void draw_list(struct drawing *d, const struct top_view *view)
{
	size_t widths[TOP_COLUMNS];

	top_layout(view->shown, view->n_shown, widest_name(view), d->columns, widths);
	add_row(d, view, widths, NULL);
	end_line(d, TOP_HEADING);
	for (size_t i = view->first; i < view->n_rows && i < view->first + view->page; i++) {
		add_row(d, view, widths, view->rows[i]);
		end_line(d, i == view->at ? TOP_CHOSEN : TOP_PLAIN);
	}
}

/* ---- processes ------------------------------------------------------------------------------ */

static void add_proc(struct drawing *d, const struct mrg_proc *proc, unsigned int depth)
{
	char size[TEXT_SIZE], span[TEXT_SIZE];

	buffer_addf(&d->text, "%8d  %8d  %8u  %c  %9s  %9s  ", (int)proc->pid, (int)proc->inner_pid, proc->uid, proc->state,
		    text_size(size, proc->rss), text_span(span, proc->cpu_ns));
	if (depth > 0)
		buffer_addf(&d->text, "%*s\\_ ", (int)(2 * ((depth < DEEPEST ? depth : DEEPEST) - 1)), "");
	add_plain(&d->text, proc->command);
}

static void draw_tree(struct drawing *d, const struct top_view *view)
{
	buffer_addf(&d->text, "%8s  %8s  %8s  %c  %9s  %9s  %s", "PID", "INNER", "UID", 'S', "MEMORY", "CPU-TIME", "COMMAND");
	end_line(d, TOP_HEADING);
	for (size_t i = view->first; i < view->procs.n && i < view->first + view->page; i++) {
		add_proc(d, &view->procs.list[view->branches[i].proc], view->branches[i].depth);
		end_line(d, i == view->at ? TOP_CHOSEN : TOP_PLAIN);
	}
}

/* ---- all of it ------------------------------------------------------------------------------ */

static void draw_help(struct drawing *d)
{
	for (const char *at = help_text; *at; at += strcspn(at, "\n") + 1) {
		buffer_add(&d->text, at, strcspn(at, "\n"));
		end_line(d, TOP_PLAIN);
	}
}

static void draw_foot(struct drawing *d, const struct top_view *view)
{
	static const char *const feet[] = {
		[TOP_LIST] = "h help   / filter   < > r sort   k signal   s stop   Enter processes   q quit",
		[TOP_TREE] = "Esc back   up down choose   blank look now", [TOP_HELP] = "any key goes back",
	};

	d->line = d->lines - 1;
	buffer_addf(&d->text, "%s", feet[view->mode]);
	end_line(d, TOP_HEADING);
}

/* Moves what is shown so that the chosen line is on a page of this size. */
static void turn_page(struct top_view *view, size_t page)
{
	size_t n = view->mode == TOP_TREE ? view->procs.n : view->n_rows;

	view->page = page;
	if (view->first + page > n)
		view->first = n > page ? n - page : 0;
	if (view->at < view->first)
		view->first = view->at;
	if (page && view->at >= view->first + page)
		view->first = view->at - page + 1;
}

void top_draw(struct top_view *view, size_t lines, size_t columns, top_put put, void *data)
{
	struct drawing d = { .put = put, .data = data, .lines = lines, .columns = columns };
	bool foot = lines > HEAD_LINES + 2;

	turn_page(view, lines > HEAD_LINES ? lines - HEAD_LINES - foot : 0);
	if (view->mode == TOP_HELP) {
		draw_help(&d);
	} else {
		add_sum(&d, view);
		add_state(&d, view);
		if (view->mode == TOP_TREE)
			draw_tree(&d, view);
		else
			draw_list(&d, view);
	}
	if (foot)
		draw_foot(&d, view);
	buffer_deinit(&d.text);
}
