/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The report as one page that asks nobody for anything: its style stands in it, its charts are SVG, and there is no script. */

#include "config.h"

#include <string.h>

#include "core/compare/html.h"

/* Nothing can be loaded or run, whatever a text in the report would be. Colours are told apart by those who see few of them, and what they say is said by a
 * word or a mark too. */
static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
	"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">"
	"<link rel=\"icon\" href=\"data:,\"><title>moorage compare</title><style>"
	":root{--back:#fff;--text:#1a1c1e;--quiet:#5b6268;--line:#d5d9dd;--box:#cfe0f3;--edge:#1f5fa8;--dot:#1f5fa8;--good:#e3f3e6;--weak:#fbe9d0;--bad:#f9d8d6}"
	"@media(prefers-color-scheme:dark){:root{--back:#14171a;--text:#e8eaed;--quiet:#a2a9b0;--line:#3a4046;--box:#24405f;--edge:#8ab8ee;--dot:#8ab8ee;"
	"--good:#17361f;--weak:#463413;--bad:#4d1f1e}}"
	"body{margin:2rem auto;max-width:70rem;padding:0 1rem;background:var(--back);color:var(--text);font:16px/1.5 system-ui,sans-serif}"
	"h1{font-size:1.6rem}h2{font-size:1.25rem;margin-top:2.5rem;border-bottom:1px solid var(--line)}h3{font-size:1rem;margin:1.5rem 0 .25rem}"
	"p,dd,li{color:var(--text)}dl{display:grid;grid-template-columns:minmax(0,max-content) minmax(0,1fr);gap:.1rem 1rem}"
	"dt{color:var(--quiet)}dt,dd,li{margin:0;overflow-wrap:anywhere}"
	"svg{display:block;width:100%;height:auto;max-width:60rem}svg text{fill:var(--text);font:13px system-ui,sans-serif}svg .q{fill:var(--quiet);font-size:11px}"
	".g{stroke:var(--line)}.b{fill:var(--box);stroke:var(--edge)}.m{stroke:var(--edge);stroke-width:3}.w{stroke:var(--edge)}"
	".d{stroke:var(--dot);stroke-width:4;stroke-linecap:round;stroke-opacity:.45;fill:none}"
	".scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.875rem}th,td{border:1px solid var(--line);padding:.2rem .5rem;text-align:left;"
	"vertical-align:top;max-width:22rem;overflow-wrap:anywhere}td.n{text-align:right;font-variant-numeric:tabular-nums}.l0{background:var(--good)}"
	".l1{background:var(--weak)}.l2{background:var(--bad)}"
	"code{font-size:.8rem;overflow-wrap:anywhere}summary{cursor:pointer;color:var(--quiet)}"
	"@media print{body{margin:0;max-width:none;font-size:11px}h3,svg,tr{break-inside:avoid}h2,h3{break-after:avoid}.scroll{overflow:visible}"
	"*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}"
	"</style></head><body>\n";

void html_text(struct buffer *b, const char *text)
{
	static const struct {
		char c;
		const char *spelling;
	} special[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" }, { '\'', "&#39;" } };

	for (; *text; text++) {
		const char *spelling = NULL;

		for (size_t i = 0; i < ARRAY_SIZE(special); i++)
			if (*text == special[i].c)
				spelling = special[i].spelling;
		buffer_add(b, spelling ? spelling : text, spelling ? strlen(spelling) : 1);
	}
}

static void term(struct buffer *b, const char *name, const char *value)
{
	buffer_addf(b, "<dt>%s</dt><dd>", name);
	html_text(b, value);
	buffer_addf(b, "</dd>");
}

static void add_head(const struct compare_report *report, struct buffer *b)
{
	buffer_addf(b, "<h1>Backends compared</h1>\n<dl>");
	term(b, "Host", report->host);
	term(b, "Kernel", report->kernel);
	buffer_addf(b, "<dt>Processors</dt><dd>%u &#215; ", report->cpus);
	html_text(b, report->cpu);
	buffer_addf(b, "</dd>");
	term(b, "Root", report->root);
	term(b, "Time", report->time);
	term(b, "Moorage", report->version);
	buffer_addf(b, "<dt>Runs</dt><dd>%u of each, in turn; %.0f s in all</dd></dl>\n", report->runs, report->seconds);
}

static void add_subjects(const struct compare_report *report, struct buffer *b)
{
	buffer_addf(b, "<h2>Who was measured</h2><div class=\"scroll\"><table><thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Kind</th><th scope=\"col\">Engine</th>"
		       "<th scope=\"col\">Not measured, or not wholly</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < report->n_subjects; i++) {
		const struct compare_subject *s = &report->subject[i];

		buffer_addf(b, "<tr><th scope=\"row\">");
		html_text(b, s->name);
		buffer_addf(b, "</th><td>%s</td><td>", compare_kinds[s->kind]);
		html_text(b, s->engine ? s->engine : "");
		buffer_addf(b, "</td><td>");
		html_text(b, s->reason ? s->reason : "");
		buffer_addf(b, "</td></tr>\n");
	}
	buffer_addf(b, "</tbody></table></div>\n");
}

static void add_warnings(const struct compare_report *report, struct buffer *b)
{
	if (report->n_warnings == 0)
		return;
	buffer_addf(b, "<h2>Warnings</h2><ul>\n");
	for (size_t i = 0; i < report->n_warnings; i++) {
		buffer_addf(b, "<li>");
		html_text(b, report->warning[i]);
		buffer_addf(b, "</li>\n");
	}
	buffer_addf(b, "</ul>\n");
}

static void add_commands(const struct compare_report *report, struct buffer *b)
{
	buffer_addf(b, "<h2>What was timed</h2><p>The start of each, for those who want to run it themselves.</p><dl>\n");
	for (size_t i = 0; i < report->n_subjects; i++)
		if (report->subject[i].command) {
			buffer_addf(b, "<dt>");
			html_text(b, report->subject[i].name);
			buffer_addf(b, "</dt><dd><code>");
			html_text(b, report->subject[i].command);
			buffer_addf(b, "</code></dd>\n");
		}
	buffer_addf(b, "</dl>\n");
}

void compare_html(const struct compare_report *report, struct buffer *b)
{
	buffer_add(b, head, strlen(head));
	add_head(report, b);
	add_subjects(report, b);
	add_warnings(report, b);
	for (int group = 0; group < GROUPS; group++)
		html_charts(report, (enum compare_group)group, b);
	for (int section = 0; section < SECTIONS; section++)
		html_matrix(report, (enum compare_section)section, b);
	add_commands(report, b);
	buffer_addf(b, "</body></html>\n");
}
