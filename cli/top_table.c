/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The columns of 'moorage top': figures, order, width. */

#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/top.h"
#include "core/util/cleanup.h"

#define BETWEEN		2		/* blanks between columns */
#define LEAST_NAME	8
#define FAIR_NAME	20		/* up to this a name goes before other columns */
#define NO_STAT		(-1)

static const struct {
	const char *heading;
	int stat;			/* enum mrg_stat; NO_STAT: text */
	bool rate;
	size_t width;			/* 0: that of the names */
	int worth;			/* the least goes first where not all fit */
} columns[TOP_COLUMNS] = {
	[TOP_NAME] = { "NAME", NO_STAT, false, 0, 100 },
	[TOP_BACKEND] = { "BACKEND", NO_STAT, false, 8, 6 },
	[TOP_STATE] = { "STATE", NO_STAT, false, 7, 1 },
	[TOP_CPU] = { "CPU%", MRG_STAT_CPU, true, 7, 10 },
	[TOP_MEMORY] = { "MEMORY", MRG_STAT_MEMORY, false, 9, 9 },
	[TOP_LIMIT] = { "LIMIT", MRG_STAT_MEMORY_LIMIT, false, 9, 2 },
	[TOP_PIDS] = { "PIDS", MRG_STAT_PIDS, false, 6, 7 },
	[TOP_READ] = { "READ/S", MRG_STAT_IO_READ, true, 9, 5 },
	[TOP_WRITTEN] = { "WRITE/S", MRG_STAT_IO_WRITTEN, true, 9, 5 },
	[TOP_RECEIVED] = { "RECV/S", MRG_STAT_NET_RECEIVED, true, 9, 4 },
	[TOP_SENT] = { "SEND/S", MRG_STAT_NET_SENT, true, 9, 4 },
};

const char *top_heading(int column)
{
	return columns[column].heading;
}

bool top_is_figure(int column)
{
	return columns[column].stat != NO_STAT;
}

bool top_figure(const struct usage *u, int column, double *ret)
{
	uint64_t figure;

	if (!top_is_figure(column))
		return false;
	if (columns[column].rate) {
		if (!usage_rate(u, (unsigned int)columns[column].stat, ret))
			return false;
		if (column == TOP_CPU)
			*ret = (double)usage_percent(*ret) / 1000;
		return true;
	}
	if (!usage_figure(u, (unsigned int)columns[column].stat, &figure))
		return false;
	*ret = (double)figure;
	return true;
}

static const char *text_of(const struct usage *u, int column)
{
	return column == TOP_NAME ? u->name : column == TOP_BACKEND ? u->backend : state_name(u->state);
}

const char *top_text(const struct usage *u, int column, char buffer[TEXT_SIZE])
{
	double figure;

	if (!top_is_figure(column))
		return text_of(u, column);
	if (!top_figure(u, column, &figure))
		return "-";
	if (column != TOP_CPU && column != TOP_PIDS)
		return text_size(buffer, (uint64_t)(figure + 0.5));
	snprintf(buffer, TEXT_SIZE, column == TOP_CPU ? "%.1f" : "%.0f", figure);
	return buffer;
}

/* ---- rows ----------------------------------------------------------------------------------- */

bool top_matches(const struct usage *u, const char *filter)
{
	size_t backend = strlen(u->backend), name = strlen(u->name), length = strlen(filter);
	_cleanup_free_ char *text = malloc(backend + name + 2);

	if (!text)
		return true;
	memcpy(text, u->backend, backend);
	text[backend] = ':';
	memcpy(text + backend + 1, u->name, name + 1);
	for (size_t i = 0; i + length <= backend + 1 + name; i++)
		if (strncasecmp(text + i, filter, length) == 0)
			return true;
	return false;
}

struct order {
	int column;
	bool reverse;
};

static int by_name(const struct usage *a, const struct usage *b)
{
	int r = strcmp(a->name, b->name);

	return r ? r : strcmp(a->backend, b->backend);
}

static int compare(const void *first, const void *second, void *data)
{
	const struct usage *a = *(const struct usage *const *)first, *b = *(const struct usage *const *)second;
	const struct order *order = data;
	double x = 0, y = 0;
	int r;

	if (!top_is_figure(order->column)) {
		r = strcmp(text_of(a, order->column), text_of(b, order->column));
	} else {
		bool known_a = top_figure(a, order->column, &x), known_b = top_figure(b, order->column, &y);

		if (known_a != known_b)
			return known_a ? -1 : 1;
		r = (x < y) - (x > y);
	}
	r = order->reverse ? -r : r;
	return r ? r : by_name(a, b);
}

void top_sort(const struct usage **rows, size_t n, int column, bool reverse)
{
	qsort_r(rows, n, sizeof(*rows), compare, &(struct order){ column, reverse });
}

/* ---- width ---------------------------------------------------------------------------------- */

static size_t width_of(const size_t *widths, size_t n)
{
	size_t width = 0, shown = 0;

	for (size_t i = 0; i < n; i++) {
		width += widths[i];
		shown += widths[i] > 0;
	}
	return width + (shown > 1 ? (shown - 1) * BETWEEN : 0);
}

/* The shown column that is worth least, the last of several; n: there is but one. */
static size_t find_least(const int *shown, const size_t *widths, size_t n)
{
	size_t least = n, left = 0;

	for (size_t i = 0; i < n; i++) {
		if (widths[i] == 0)
			continue;
		left++;
		if (least == n || columns[shown[i]].worth <= columns[shown[least]].worth)
			least = i;
	}
	return left > 1 ? least : n;
}

void top_layout(const int *shown, size_t n, size_t names, size_t width, size_t *ret_widths)
{
	size_t least, fair, name = n;

	names = names < LEAST_NAME ? LEAST_NAME : names;
	fair = names < FAIR_NAME ? names : FAIR_NAME;
	for (size_t i = 0; i < n; i++) {
		ret_widths[i] = columns[shown[i]].width;
		if (ret_widths[i] == 0) {
			name = i;
			ret_widths[i] = fair;
		}
	}
	while (width_of(ret_widths, n) > width && (least = find_least(shown, ret_widths, n)) < n)
		ret_widths[least] = 0;
	/* What is left over is for the name; the last column of all may be cut. */
	if (name < n)
		while (ret_widths[name] && ret_widths[name] < names && width_of(ret_widths, n) < width)
			ret_widths[name]++;
	for (size_t i = 0; i < n; i++)
		if (ret_widths[i] > width)
			ret_widths[i] = width;
}
