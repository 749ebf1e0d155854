/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* OCI runtime-spec config.json: our own form, but read with tolerance and written for other runtimes. */

#include "config.h"

#include <string.h>

#include "core/formats/format.h"
#include "core/formats/oci/seccomp.h"
#include "core/spec/table.h"
#include "core/util/cleanup.h"

struct oci_reader {
	struct reader reader;
	const struct report *report;
	/* Lines are counted on from the last key. */
	const char *text, *counted;
	unsigned int line;
};

static unsigned int line_of(struct oci_reader *in)
{
	const struct json *now = in->reader.now;

	if (now->begin < in->counted) {
		in->counted = in->text;
		in->line = 1;
	}
	for (; in->counted < now->begin; in->counted++)
		in->line += *in->counted == '\n';
	return in->line;
}

static int unknown(const char *pointer, void *data)
{
	struct oci_reader *in = data;

	return report_row(in->report, &(struct mrg_report_row){ .verdict = MRG_DROPPED, .field = -1, .source = pointer,
								.line = line_of(in), .note = "no field of a spec says this" });
}

static int known(int field, const char *pointer, void *data)
{
	const char *target = field < 0 ? pointer : mrg_field_info((unsigned int)field)->path;
	struct oci_reader *in = data;

	return report_row(in->report, &(struct mrg_report_row){ .verdict = MRG_CARRIED, .field = field, .source = pointer,
								.line = line_of(in), .target = target });
}

static int oci_read(const char *text, size_t length, struct mrg_spec *spec, const struct report *report,
		    struct mrg_error *err)
{
	_cleanup_(json_freep) struct json *root = NULL;
	struct oci_reader in = { .reader = { .spec = spec, .err = err, .unknown = unknown, .known = known, .data = &in }, .report = report,
				 .text = text, .counted = text, .line = 1 };
	int r = json_parse(text, length, &root, err);

	return r < 0 ? r : spec_read(&in.reader, root);
}

/* What other runtimes make of the fields that OCI has not. They ignore the object "moorage", as the specification
 * asks them to, and we read it back. */
static const struct {
	enum mrg_field field;
	int verdict;
	const char *note;
} losses[] = {
	{ MRG_FIELD_BOOT, MRG_APPROXIMATED, "written as the command /sbin/init; other runtimes prepare nothing else for it" },
	{ MRG_FIELD_INIT, MRG_DROPPED, "other runtimes run the command itself as the first process" },
	{ MRG_FIELD_STDIN, MRG_DROPPED, "other runtimes inherit standard input" },
	{ MRG_FIELD_USER, MRG_WEAKENS, "other runtimes look no names up and start the process as root" },
	{ MRG_FIELD_EPHEMERAL, MRG_WEAKENS, "other runtimes write to the root itself" },
	{ MRG_FIELD_LABELS, MRG_DROPPED, "other runtimes know annotations only" },
};

static int report_field(const struct mrg_spec *spec, const struct report *report, unsigned int field)
{
	struct mrg_report_row row = { .verdict = MRG_CARRIED, .field = (int)field,
				      .source = mrg_field_info(field)->path, .target = mrg_field_info(field)->path };

	if (field == MRG_FIELD_SECCOMP_PROFILE)
		oci_seccomp_report(spec, &row);
	else if (strncmp(row.source, "/moorage/", 9) == 0) {
		row.verdict = MRG_DROPPED;
		row.note = "kept in the object moorage, which other runtimes ignore";
	}
	for (size_t i = 0; i < ARRAY_SIZE(losses); i++)
		if (losses[i].field == field) {
			row.verdict = losses[i].verdict;
			row.note = losses[i].note;
		}
	return report_row(report, &row);
}

/* What every runtime asks for, and what stands in for our own fields. */
static int complete(struct mrg_spec *spec, struct mrg_error *err)
{
	int r = 0;

	if (!mrg_fields_has(&spec->set, MRG_FIELD_CWD))
		r = mrg_spec_set(spec, MRG_FIELD_CWD, "/", err);
	if (r == 0 && spec->boot && !spec->args)
		r = mrg_spec_set(spec, MRG_FIELD_ARGS, "/sbin/init", err);
	return r < 0 ? r : oci_seccomp_expand(spec, err);
}

static void spec_freep(struct mrg_spec **spec)
{
	mrg_spec_free(*spec);
}

static int oci_write(const struct mrg_spec *spec, char **ret, const struct report *report, struct mrg_error *err)
{
	_cleanup_(spec_freep) struct mrg_spec *copy = NULL;
	_cleanup_free_ char *text = NULL;
	int r = mrg_spec_copy(spec, &copy, err);

	if (r == 0)
		r = complete(copy, err);
	if (r == 0)
		r = mrg_spec_emit(copy, 8, &text, err);
	for (unsigned int i = 0; i < MRG_FIELD_MAX && r == 0; i++)
		if (mrg_fields_has(&spec->set, i))
			r = report_field(spec, report, i);
	if (r == 0)
		*ret = take_ptr(text);
	return r;
}

const struct format format_oci = { .name = "oci", .read = oci_read, .write = oci_write };
