/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A report as JSON: the samples, which is what is read back, and beside them what they amount to, for other readers. */

#include "config.h"

#include "core/compare/report.h"
#include "core/util/json.h"

/* A member of an object; it is not the first. */
static void text(struct buffer *b, const char *key, const char *value)
{
	buffer_addf(b, ",\"%s\":", key);
	if (!value)
		buffer_addf(b, "null");
	else if (json_quote(b, value) < 0)
		b->failed = true;
}

static void write_subject(const struct compare_subject *subject, struct buffer *b)
{
	buffer_addf(b, "{\"kind\":\"%s\"", compare_kinds[subject->kind]);
	text(b, "name", subject->name);
	text(b, "engine", subject->engine);
	text(b, "reason", subject->reason);
	text(b, "command", subject->command);
	text(b, "backend", subject->backend);
	buffer_addf(b, "}");
}

static void write_series(const struct compare_report *report, const struct compare_subject *subject, int metric, struct buffer *b)
{
	const struct compare_subject *base = compare_report_base(report, subject, (enum compare_metric)metric);
	const struct compare_series *series = &subject->series[metric];
	struct compare_summary s = compare_summarise(series);

	buffer_addf(b, "{\"samples\":[");
	for (size_t i = 0; i < series->n; i++)
		buffer_addf(b, "%s%.6g", i ? "," : "", series->value[i]);
	buffer_addf(b, "],\"median\":%.6g,\"lowerQuartile\":%.6g,\"upperQuartile\":%.6g", s.median, s.lower, s.upper);
	if (base) {
		buffer_addf(b, ",\"ratio\":%.6g", compare_ratio(subject, base, (enum compare_metric)metric));
		text(b, "ratioTo", base->name);
	}
	buffer_addf(b, "}");
}

static void write_metric(const struct compare_report *report, int metric, struct buffer *b)
{
	static const char *const units[] = {
		[UNIT_MS] = "ms", [UNIT_BYTES] = "bytes", [UNIT_COUNT] = "count", [UNIT_RATE] = "1/s", [UNIT_BYTE_RATE] = "bytes/s",
	};
	bool first = true;

	buffer_addf(b, "{\"id\":\"%s\",\"unit\":\"%s\",\"moreIsBetter\":%s,\"of\":{", compare_metrics[metric].id, units[compare_metrics[metric].unit],
		    compare_metrics[metric].more_is_better ? "true" : "false");
	for (size_t i = 0; i < report->n_subjects; i++) {
		const struct compare_subject *subject = &report->subject[i];

		if (subject->series[metric].n == 0)
			continue;
		buffer_addf(b, "%s", first ? "" : ",");
		if (json_quote(b, subject->name) < 0)
			b->failed = true;
		buffer_addf(b, ":");
		write_series(report, subject, metric, b);
		first = false;
	}
	buffer_addf(b, "}}");
}

static void write_row(const struct compare_report *report, const struct compare_row *row, struct buffer *b)
{
	bool first = true;

	buffer_addf(b, "{\"section\":\"%s\"", compare_sections[row->section]);
	text(b, "name", row->name);
	buffer_addf(b, ",\"of\":{");
	for (size_t i = 0; i < report->n_subjects; i++) {
		if (!row->cell[i].text)
			continue;
		buffer_addf(b, "%s", first ? "" : ",");
		if (json_quote(b, report->subject[i].name) < 0)
			b->failed = true;
		buffer_addf(b, ":{\"level\":%d,\"exposure\":%.17g", row->cell[i].level, row->cell[i].exposure);
		text(b, "text", row->cell[i].text);
		buffer_addf(b, "}");
		first = false;
	}
	buffer_addf(b, "}}");
}

void compare_write(const struct compare_report *report, struct buffer *b)
{
	buffer_addf(b, "{\"schema\":\"%s\"", COMPARE_SCHEMA);
	text(b, "version", report->version);
	text(b, "time", report->time);
	text(b, "host", report->host);
	text(b, "kernel", report->kernel);
	text(b, "cpu", report->cpu);
	text(b, "root", report->root);
	buffer_addf(b, ",\"cpus\":%u,\"runs\":%u,\"seconds\":%.6g,\"subjects\":[", report->cpus, report->runs, report->seconds);
	for (size_t i = 0; i < report->n_subjects; i++) {
		buffer_addf(b, "%s", i ? "," : "");
		write_subject(&report->subject[i], b);
	}
	buffer_addf(b, "],\"metrics\":[");
	for (int i = 0; i < METRICS; i++) {
		buffer_addf(b, "%s", i ? "," : "");
		write_metric(report, i, b);
	}
	buffer_addf(b, "],\"matrix\":[");
	for (size_t i = 0; i < report->n_rows; i++) {
		buffer_addf(b, "%s", i ? "," : "");
		write_row(report, &report->row[i], b);
	}
	buffer_addf(b, "],\"warnings\":[");
	for (size_t i = 0; i < report->n_warnings; i++) {
		buffer_addf(b, "%s", i ? "," : "");
		if (json_quote(b, report->warning[i]) < 0)
			b->failed = true;
	}
	buffer_addf(b, "]}");
}
