/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The matrix: rows in which subjects differ first, the others below, closed. */

#include "config.h"

#include <string.h>

#include "core/compare/html.h"

static bool has_column(const struct compare_report *report, size_t subject, enum compare_section section)
{
	for (size_t i = 0; i < report->n_rows; i++)
		if (report->row[i].section == section && report->row[i].cell[subject].text)
			return true;
	return false;
}

static void add_row(const struct compare_report *report, const struct compare_row *row, const bool *columns, struct buffer *b)
{
	/* What colour says is said by a mark too. */
	static const char *const marks[COMPARE_LEVELS] = { "&#10003; ", "&#9651; ", "&#9650; " };

	buffer_addf(b, "<tr><th scope=\"row\">");
	html_text(b, row->name);
	buffer_addf(b, "</th>");
	for (size_t i = 0; i < report->n_subjects; i++) {
		const struct compare_cell *cell = &row->cell[i];

		if (!columns[i])
			continue;
		if (!cell->text) {
			buffer_addf(b, "<td></td>");
			continue;
		}
		buffer_addf(b, "<td class=\"l%d\">%s", cell->level, marks[cell->level]);
		html_text(b, cell->text);
		buffer_addf(b, "</td>");
	}
	buffer_addf(b, "</tr>\n");
}

/* The rows that are even, or those that are not. */
static void add_rows(const struct compare_report *report, enum compare_section section, bool even, struct buffer *b)
{
	bool columns[COMPARE_SUBJECTS];

	for (size_t i = 0; i < report->n_subjects; i++)
		columns[i] = has_column(report, i, section);
	buffer_addf(b, "<div class=\"scroll\"><table><thead><tr><th></th>");
	for (size_t i = 0; i < report->n_subjects; i++)
		if (columns[i]) {
			buffer_addf(b, "<th scope=\"col\">");
			html_text(b, report->subject[i].name);
			buffer_addf(b, "</th>");
		}
	buffer_addf(b, "</tr></thead><tbody>\n");
	for (size_t i = 0; i < report->n_rows; i++)
		if (report->row[i].section == section && compare_row_is_even(&report->row[i], report->n_subjects) == even)
			add_row(report, &report->row[i], columns, b);
	buffer_addf(b, "</tbody></table></div>\n");
}

static size_t count(const struct compare_report *report, enum compare_section section, bool even)
{
	size_t n = 0;

	for (size_t i = 0; i < report->n_rows; i++)
		n += report->row[i].section == section && compare_row_is_even(&report->row[i], report->n_subjects) == even;
	return n;
}

void html_matrix(const struct compare_report *report, enum compare_section section, struct buffer *b)
{
	size_t even = count(report, section, true), uneven = count(report, section, false);

	if (even + uneven == 0)
		return;
	buffer_addf(b, "<h2>%s</h2>\n<p>&#10003; as good as any here, &#9651; less, &#9650; least.</p>\n", compare_section_titles[section]);
	if (uneven)
		add_rows(report, section, false, b);
	if (even) {
		buffer_addf(b, "<details%s><summary>%zu in which they do not differ</summary>\n", section == SECTION_LIMITS ? " open" : "", even);
		add_rows(report, section, true, b);
		buffer_addf(b, "</details>\n");
	}
}
