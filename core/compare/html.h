/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_COMPARE_HTML_H
#define CORE_COMPARE_HTML_H

/* The parts of the page. Everything of a report goes through html_text(). */

#include "core/compare/report.h"

/* Adds @text with what HTML and SVG give a meaning put in other words; also good between quotes. */
void html_text(struct buffer *b, const char *text);

/* html_chart.c: the charts of one metric, one below the other, and the same as a table. */
void html_charts(const struct compare_report *report, enum compare_group group, struct buffer *b);

/* html_matrix.c */
void html_matrix(const struct compare_report *report, enum compare_section section, struct buffer *b);

#endif
