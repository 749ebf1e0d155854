/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts of systemd-nspawn for tests. */

#include <stdlib.h>
#include <string.h>

#include "tests/unit/nspawn_fixture.h"

int collect_row(const struct mrg_report_row *row, void *data)
{
	static const char *const verdicts[] = { "carried", "approximated", "dropped", "weakens" };

	buffer_addf(data, "%u %s %s %s\n", row->line, verdicts[row->verdict], row->source, row->target ? row->target : "-");
	assert_true(row->verdict == MRG_CARRIED || row->note);
	return 0;
}

struct mrg_spec *read_nspawn(const char *text, struct buffer *report)
{
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };

	mrg_format_read("nspawn", text, strlen(text), &spec, report ? collect_row : NULL, report, &err);
	if (err.message[0])
		fail_msg("%s\n%s", text, err.message);
	return spec;
}

char *write_nspawn(const struct mrg_spec *spec, struct buffer *report)
{
	struct mrg_error err = { 0 };
	char *text = NULL;

	mrg_format_write("nspawn", spec, &text, report ? collect_row : NULL, report, &err);
	assert_string_equal(err.message, "");
	return text;
}

void assert_nspawn_stable(const char *text)
{
	struct mrg_spec *spec = read_nspawn(text, NULL), *again;
	char *written = write_nspawn(spec, NULL);

	again = read_nspawn(written, NULL);
	if (!same_specs(spec, again))
		fail_msg("%s\nbecame\n%s", text, written);
	free(written);
	mrg_spec_free(spec);
	mrg_spec_free(again);
}
