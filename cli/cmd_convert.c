/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage convert --to FORMAT [FILE]: a configuration of one system as that of another, and what became of each key */

#include "config.h"

#include <errno.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/spec_build.h"
#include "cli/text.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/json.h"
#include "core/util/str.h"

enum { LINE, VERDICT, SOURCE, TARGET, FIELD, NOTE };

static const struct column columns[] = {
	[LINE] = { "LINE", "line", COLUMN_RIGHT, "line of the source; none: in no line" },
	[VERDICT] = { "VERDICT", "verdict", 0, "carried, approximated, dropped or weakens" },
	[SOURCE] = { "SOURCE", "source", 0, "key of the source; none: what the source means by saying nothing" },
	[TARGET] = { "TARGET", "target", 0, "key of the target" },
	[FIELD] = { "FIELD", "field", COLUMN_WIDE, "field of the spec between them" },
	[NOTE] = { "NOTE", "note", 0, "what is lost" },
	{ 0 }
};

static void conversion_freep(struct mrg_conversion **conversion)
{
	mrg_conversion_free(*conversion);
}

/* What no key of the source says is shown to humans by the field it became. */
static void set_source(struct value *value, const struct mrg_report_row *row)
{
	value_text(value, row->source);
	if (row->source || asprintf(&value->text, "(%s)", mrg_field_info((unsigned int)row->field)->name) < 0)
		return;
	value->json = strdup("null");
	if (value->json)
		value->type = VALUE_JSON;
}

static int add_row(struct listing *list, const struct mrg_report_row *row)
{
	static const char *const verdicts[] = { "carried", "approximated", "dropped", "weakens" };
	struct value *values = listing_row(list);

	if (!values)
		return -ENOMEM;
	if (row->line > 0)
		value_number(&values[LINE], VALUE_NUMBER, row->line);
	value_text(&values[VERDICT], verdicts[row->verdict]);
	set_source(&values[SOURCE], row);
	value_text(&values[TARGET], row->target);
	value_text(&values[FIELD], row->field >= 0 ? mrg_field_info((unsigned int)row->field)->path : NULL);
	value_text(&values[NOTE], row->note);
	return 0;
}

/* Standard output is for the configuration. */
static int print_report(struct cli *cli, const struct mrg_conversion *conversion)
{
	_cleanup_listing_ struct listing list = { 0 };
	struct mrg_error err;
	int exit = listing_begin(&list, cli, columns, "moorage/convert/v1"), r = 0;

	for (size_t i = 0; i < conversion->n_rows && exit == 0 && r == 0; i++)
		/* What nobody said and nothing became of is for machines. */
		if (conversion->rows[i].source || conversion->rows[i].verdict != MRG_CARRIED || cli->output > FORMAT_WIDE)
			r = add_row(&list, &conversion->rows[i]);
	if (r < 0)
		return cli_fail(cli, (fail_memory(&err), &err));
	list.file = stderr;
	return exit ? exit : listing_print(&list);
}

/* A mistake in naming a format, told with the one that was meant, or all there are. */
static int no_format(struct cli *cli, const char *word, const char *problem)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };
	const char *nearest = word ? str_nearest(word, mrg_format_names()) : NULL;

	if (nearest)
		buffer_addf(&b, "did you mean '%s'?", nearest);
	for (const char *const *name = mrg_format_names(); *name && !nearest; name++)
		buffer_addf(&b, "%s%s", b.length ? ", " : "formats are ", *name);
	return cli_usage(cli, b.failed ? NULL : b.text, problem, word);
}

static bool is_format(const char *word)
{
	for (const char *const *name = mrg_format_names(); *name; name++)
		if (strcmp(*name, word) == 0)
			return true;
	return false;
}

/* Before anything is read: a wrong word is not the file's fault, and nobody has to type a configuration to learn of it. */
static int check_formats(struct cli *cli)
{
	if (!cli->to)
		return no_format(cli, NULL, "'convert' needs '--to FORMAT'");
	if (!is_format(cli->to))
		return no_format(cli, cli->to, "'--to': no format is called '%.40s'");
	return !cli->from || is_format(cli->from) ? 0 : no_format(cli, cli->from, "'--from': no format is called '%.40s'");
}

int cmd_convert(struct cli *cli)
{
	_cleanup_(conversion_freep) struct mrg_conversion *conversion = NULL;
	const char *path = cli->n_operands ? cli->operands[0] : "-";
	struct mrg_convert convert = { .from = cli->from, .to = cli->to, .name = cli->name };
	_cleanup_free_ char *text = NULL;
	struct mrg_error err = { 0 };
	int exit = check_formats(cli), r;

	if (exit != 0)
		return exit;
	r = file_read(path, JSON_MAX_SIZE, &text, &convert.length, &err);
	if (r < 0)
		return cli_fail(cli, &err);
	convert.text = text;
	r = mrg_convert(&convert, &conversion, &err);
	if (r < 0) {
		mrg_error_prefix(&err, "%s", strcmp(path, "-") == 0 ? "standard input" : path);
		return cli_fail(cli, &err);
	}
	exit = cli->quiet ? 0 : print_report(cli, conversion);
	if (exit != 0)
		return exit;
	r = mrg_conversion_check(conversion, cli->strict ? MRG_CONVERT_STRICT : 0, (const char *const *)cli->accept, &err);
	if (r < 0)
		return cli_fail(cli, &err);
	if (!cli->output_file)
		text_print(stdout, conversion->text);
	else if (file_write(cli->output_file, conversion->text, &err) < 0)
		return cli_fail(cli, &err);
	return r;
}
