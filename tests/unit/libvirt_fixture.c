/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domains for tests. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/util/cleanup.h"
#include "tests/unit/libvirt_fixture.h"

int libvirt_setup(void **state)
{
	const char *build = getenv("abs_top_builddir");
	_cleanup_free_ char *path = NULL;

	(void)state;
	if (asprintf(&path, "%s/.libs", build ? build : ".") < 0)
		return -1;
	return setenv("MOORAGE_BACKEND_PATH", path, 1);
}

char *domain_with(const char *place, const char *xml)
{
	static const char *const places[] = { "", "os", "features", "devices" };
	const char *in[4] = { "", "", "", "" };
	struct buffer b = { 0 };
	_cleanup_free_ char *line = NULL;

	assert_true(asprintf(&line, "\n%s\n", xml) > 0);
	for (size_t i = 0; i < 4; i++)
		if (strcmp(place, places[i]) == 0)
			in[i] = line;
	buffer_addf(&b, "<domain type='lxc'><name>n</name><memory>1024</memory>%s<os><type>exe</type><init>/i</init>%s</os>", in[0], in[1]);
	if (*in[2])
		buffer_addf(&b, "<features>%s</features>", in[2]);
	buffer_addf(&b, "<devices><filesystem type='mount'><source dir='/r'/><target dir='/'/></filesystem><console type='pty'/>%s</devices></domain>", in[3]);
	return b.text;
}

int collect_rows(const struct mrg_report_row *row, void *data)
{
	static const char *const verdicts[] = { "carried", "approximated", "dropped", "weakens" };

	buffer_addf(data, "%u %s %s %s\n", row->line, verdicts[row->verdict], row->source, row->target ? row->target : "-");
	assert_true((row->verdict == MRG_CARRIED) == !row->note);
	assert_true(!row->note || *row->note);
	return 0;
}

struct mrg_spec *read_domain(const char *text, struct buffer *report)
{
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };

	mrg_format_read("libvirt", text, strlen(text), &spec, report ? collect_rows : NULL, report, &err);
	if (err.code)
		fail_msg("%s\n%s", err.message, text);
	return spec;
}

char *write_domain(const struct mrg_spec *spec, struct buffer *report)
{
	struct mrg_error err = { 0 };
	char *text = NULL;

	mrg_format_write("libvirt", spec, &text, report ? collect_rows : NULL, report, &err);
	assert_string_equal(err.message, "");
	return text;
}

/* Messages are short: from where on they differ. */
void assert_same(const struct mrg_spec *a, const struct mrg_spec *b, const char *about)
{
	_cleanup_free_ char *first = text_of(a), *second = text_of(b);
	size_t n = 0;

	if (same_specs(a, b))
		return;
	while (first[n] && first[n] == second[n])
		n++;
	n = n > 60 ? n - 60 : 0;
	fail_msg("%.300s\n...%.250s\nis not\n...%.250s", about, first + n, second + n);
}

void assert_domain_stable(const struct mrg_spec *spec)
{
	_cleanup_free_ char *text = write_domain(spec, NULL);
	struct mrg_spec *again = read_domain(text, NULL);

	assert_same(spec, again, text);
	mrg_spec_free(again);
}

void assert_domain_refused(const char *text, size_t length, const char *message)
{
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };

	assert_int_equal(mrg_format_read("libvirt", text, length, &spec, NULL, NULL, &err), -MRG_E_INVALID);
	if (strcmp(err.message, message) != 0)
		fail_msg("%.400s\nsaid  '%s'\nnot   '%s'", text, err.message, message);
	assert_null(spec);
}
