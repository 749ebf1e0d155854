/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Configurations of LXC for tests. */

#include <stdlib.h>
#include <string.h>

#include "tests/unit/lxc_fixture.h"

static int collect(const struct mrg_report_row *row, void *data)
{
	static const char *const verdicts[] = { "carried", "approximated", "dropped", "weakens" };

	buffer_addf(data, "%u %s %s %s%s%s\n", row->line, verdicts[row->verdict], row->source, row->target ? row->target : "-",
		    row->note ? ": " : "", row->note ? row->note : "");
	assert_true(row->verdict == MRG_CARRIED || row->note);
	return 0;
}

struct mrg_spec *read_lxc(const char *text, struct buffer *report)
{
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };

	mrg_format_read("lxc", text, strlen(text), &spec, report ? collect : NULL, report, &err);
	if (err.message[0])
		fail_msg("%s\nwas not read: %s", text, err.message);
	return spec;
}

struct mrg_spec *read_lxc_alone(const char *text, struct buffer *report)
{
	const struct lxc_read_options options = { .keep_includes = true };
	const struct report rows = { report ? collect : NULL, report };
	struct mrg_spec *spec = mrg_spec_new();
	struct mrg_error err = { 0 };

	lxc_config_read(text, strlen(text), &options, spec, &rows, &err);
	assert_string_equal(err.message, "");
	return spec;
}

char *write_lxc(const struct mrg_spec *spec, struct buffer *report)
{
	struct mrg_error err = { 0 };
	char *text = NULL;

	mrg_format_write("lxc", spec, &text, report ? collect : NULL, report, &err);
	assert_string_equal(err.message, "");
	return text;
}

void assert_lxc_refused(const char *text, size_t length, const char *message)
{
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };

	if (mrg_format_read("lxc", text, length, &spec, NULL, NULL, &err) != -MRG_E_INVALID)
		fail_msg("%s\nwas not refused", text);
	assert_string_equal(err.message, message);
	assert_null(spec);
}

char *lxc_field_text(const struct mrg_spec *spec, const char *name)
{
	int field = mrg_field_find(name);
	struct field_place at;
	struct buffer b = { 0 };
	const char *value;

	assert_true(field >= 0);
	buffer_add(&b, "", 0);
	if (mrg_fields_has(&spec->set, (unsigned int)field) && spec_namespace_type((unsigned int)field)) {
		value = *(const char *const *)member_at_const(&spec_fields[field].value, spec);
		buffer_addf(&b, "%s", !value ? "host" : *value ? value : "new");
	} else if (mrg_fields_has(&spec->set, (unsigned int)field)) {
		assert_int_equal(spec_emit_value(&b, &spec_fields[field].value, spec,
						 spec_field_place(&at, (unsigned int)field), NULL), 0);
	}
	return b.text;
}

void assert_lxc_stable(const char *text)
{
	struct mrg_spec *spec = read_lxc_alone(text, NULL), *again;
	char *written = write_lxc(spec, NULL);

	again = read_lxc_alone(written, NULL);
	if (!same_specs(spec, again))
		fail_msg("%s\nbecame\n%s", text, written);
	free(written);
	mrg_spec_free(spec);
	mrg_spec_free(again);
}
