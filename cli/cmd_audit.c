/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage audit: what the kernel lets containers do; two side by side, or one beside what it was */

#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/spec_build.h"
#include "cli/text.h"
#include "core/util/cleanup.h"
#include "core/util/json.h"
#include "core/util/str.h"

#define FILE_MAX	JSON_MAX_SIZE

enum { SEVERITY, CHECK, ITEM, TITLE, VALUE, SOURCE, ADVICE, NAME, BACKEND };

static const struct column columns[] = {
	[SEVERITY] = { "SEVERITY", "severity", 0, "info, low, medium, high or critical" },
	[CHECK] = { "CHECK", "check", 0, "what was looked at" },
	[ITEM] = { "ITEM", "item", 0, "which of its kind" },
	[TITLE] = { "FINDING", "title", 0, "what is wrong" },
	[VALUE] = { "VALUE", "value", COLUMN_TRUNCATE, "what was read" },
	[SOURCE] = { "SOURCE", "source", COLUMN_WIDE, "the file it was read from" },
	[ADVICE] = { "ADVICE", "advice", COLUMN_WIDE, "what changes it" },
	[NAME] = { "NAME", "name", COLUMN_EXTRA, "container" },
	[BACKEND] = { "BACKEND", "backend", COLUMN_EXTRA, "backend" },
	{ 0 }
};

static void audit_freep(struct mrg_audit **audit)
{
	mrg_audit_free(*audit);
}
#define _cleanup_audit_ _cleanup_(audit_freep)

/* What one invocation gathers. */
struct report {
	struct cli *cli;
	struct listing list;
	struct buffer json;		/* the audits, as elements of a list */
	size_t n;
	const struct mrg_audit *audit;	/* just now */
	int worst;
};

/* ---- one audit ---------------------------------------------------------------------------------- */

static enum style style_for(int severity)
{
	return severity >= MRG_SEVERITY_HIGH ? STYLE_ERROR : severity > MRG_SEVERITY_INFO ? STYLE_WARNING : STYLE_NONE;
}

static int print_finding(const struct mrg_audit_finding *finding, void *data)
{
	struct report *report = data;
	const struct mrg_audit_fact *fact = finding->fact;

	if (finding->severity > report->worst)
		report->worst = finding->severity;
	printf("%s%-8s%s ", style_of(report->cli, stdout, style_for(finding->severity)), mrg_severity_name(finding->severity),
	       style_of(report->cli, stdout, STYLE_NONE));
	printf("%s%s", fact->check, *fact->item ? " " : "");
	text_print(stdout, fact->item);
	printf(": %s: ", finding->title);
	text_print(stdout, fact->value);
	fputs(strcmp(fact->source, "probe") == 0 ? "\n         tried by the " : "\n         read from ", stdout);
	text_print(stdout, fact->source);
	if (finding->advice) {
		fputs("\n         change it by: ", stdout);
		text_print(stdout, finding->advice);
	}
	putchar('\n');
	return 0;
}

static int list_finding(const struct mrg_audit_finding *finding, void *data)
{
	struct report *report = data;
	struct value *row = listing_row(&report->list);

	if (!row)
		return -ENOMEM;
	if (finding->severity > report->worst)
		report->worst = finding->severity;
	value_text(&row[SEVERITY], mrg_severity_name(finding->severity));
	value_text(&row[CHECK], finding->fact->check);
	value_text(&row[ITEM], finding->fact->item);
	value_text(&row[TITLE], finding->title);
	value_text(&row[VALUE], finding->fact->value);
	value_text(&row[SOURCE], finding->fact->source);
	value_text(&row[ADVICE], finding->advice);
	value_text(&row[NAME], mrg_audit_name(report->audit));
	value_text(&row[BACKEND], mrg_audit_backend(report->audit));
	return 0;
}

static int print_fact(const struct mrg_audit_fact *fact, _unused_ void *data)
{
	printf("%s%s", fact->check, *fact->item ? " " : "");
	text_print(stdout, fact->item);
	fputs(": ", stdout);
	text_print(stdout, fact->value);
	fputs(" (", stdout);
	text_print(stdout, fact->source);
	fputs(")\n", stdout);
	return 0;
}

static bool is_page(const struct cli *cli)
{
	return cli->output == FORMAT_TABLE && !cli->columns;
}

static bool is_json(const struct cli *cli)
{
	return cli->output == FORMAT_JSON || cli->output == FORMAT_JSONL;
}

static int take_json(struct report *report, const struct mrg_audit *audit, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	int r = mrg_audit_emit(audit, &text, err);

	if (r == 0)
		buffer_addf(&report->json, "%s%s", report->n ? report->cli->output == FORMAT_JSON ? "," : "\n" : "", text);
	return r;
}

static int note_worst(const struct mrg_audit_finding *finding, void *data)
{
	struct report *report = data;

	if (finding->severity > report->worst)
		report->worst = finding->severity;
	return 0;
}

static int take(struct report *report, const struct mrg_audit *audit, struct mrg_error *err)
{
	struct cli *cli = report->cli;
	int r = 0;

	report->audit = audit;
	if (is_json(cli)) {
		mrg_audit_findings(audit, note_worst, report);
		r = take_json(report, audit, err);
	} else if (is_page(cli)) {
		printf("%s%s", report->n ? "\n" : "", style_of(cli, stdout, STYLE_BOLD));
		text_print(stdout, *mrg_audit_name(audit) ? mrg_audit_name(audit) : "process");
		printf("%s (%s, pid %d)\n", style_of(cli, stdout, STYLE_NONE), mrg_audit_backend(audit), (int)mrg_audit_process(audit));
		mrg_audit_findings(audit, print_finding, report);
		if (cli->facts)
			mrg_audit_facts(audit, print_fact, NULL);
	} else {
		r = mrg_audit_findings(audit, list_finding, report);
	}
	report->n++;
	return r;
}

/* ---- whose ----------------------------------------------------------------------------------------- */

static int audit_pid(struct cli *cli, const char *text, struct mrg_audit **ret, struct mrg_error *err)
{
	uint32_t pid;

	if (parse_uint32(text, &pid) < 0 || pid == 0 || pid > INT32_MAX)
		return mrg_error_set(err, -MRG_E_INVALID, "option '--pid' takes the number of a process, not '%s'", text);
	return cli->probe ? mrg_audit_probe_pid(cli->m, (pid_t)pid, ret, err) : mrg_audit_pid(cli->m, (pid_t)pid, ret, err);
}

static int read_baseline(const char *path, struct mrg_audit **ret, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r = file_read(path, FILE_MAX, &text, &length, err);

	if (r == 0)
		r = mrg_audit_parse(text, length, ret, err);
	return r < 0 ? mrg_error_prefix(err, "baseline '%s'", path) : 0;
}

static int audit_container(struct cli *cli, struct mrg_container *c, struct mrg_audit **ret, struct mrg_error *err)
{
	return cli->probe ? mrg_audit_probe(c, ret, err) : mrg_audit(c, ret, err);
}

/* A container, or with a slash in it a file that an earlier audit was kept in. */
static int audit_named(struct cli *cli, const char *name, struct mrg_audit **ret, struct mrg_error *err)
{
	_cleanup_container_ struct mrg_container *c = NULL;
	int r;

	if (strchr(name, '/'))
		return read_baseline(name, ret, err);
	r = cli_open(cli, name, &c, err);
	return r < 0 ? r : audit_container(cli, c, ret, err);
}

/* ---- two side by side ----------------------------------------------------------------------------------- */

struct comparison {
	struct cli *cli;
	struct buffer json;
	bool only_weaker;
};

static void add_side(struct buffer *b, const char *key, const struct mrg_audit_fact *fact)
{
	buffer_addf(b, ",\"%s\":", key);
	if (!fact) {
		buffer_addf(b, "null");
		return;
	}
	buffer_addf(b, "{\"value\":");
	json_text(b, fact->value, strlen(fact->value));
	buffer_addf(b, ",\"source\":");
	json_text(b, fact->source, strlen(fact->source));
	if (fact->exposure == UINT64_MAX)
		buffer_addf(b, ",\"exposure\":null}");
	else
		buffer_addf(b, ",\"exposure\":%" PRIu64 "}", fact->exposure);
}

static int show_difference(const struct mrg_audit_difference *d, void *data)
{
	struct comparison *comparison = data;
	const struct mrg_audit_fact *fact = d->a ? d->a : d->b;
	const char *word = d->weaker > 0 ? "weaker" : "stronger";

	if (comparison->only_weaker && d->weaker <= 0)
		return 0;
	if (is_json(comparison->cli)) {
		buffer_addf(&comparison->json, "%s{\"change\":\"%s\",\"check\":", comparison->json.length ? "," : "", word);
		json_text(&comparison->json, fact->check, strlen(fact->check));
		buffer_addf(&comparison->json, ",\"item\":");
		json_text(&comparison->json, fact->item, strlen(fact->item));
		add_side(&comparison->json, "a", d->a);
		add_side(&comparison->json, "b", d->b);
		buffer_addf(&comparison->json, "}");
		return 0;
	}
	printf("%s%-8s%s %s%s", style_of(comparison->cli, stdout, d->weaker > 0 ? STYLE_ERROR : STYLE_GOOD), word, style_of(comparison->cli, stdout, STYLE_NONE),
	       fact->check, *fact->item ? " " : "");
	text_print(stdout, fact->item);
	fputs(": ", stdout);
	text_print(stdout, d->a ? d->a->value : "not so");
	fputs(" -> ", stdout);
	text_print(stdout, d->b ? d->b->value : "not so");
	putchar('\n');
	return 0;
}

/* Prints where @b differs from @a; how many facts are weaker in @ret. */
static int compare(struct cli *cli, const struct mrg_audit *a, const struct mrg_audit *b, bool only_weaker, int *ret)
{
	struct comparison comparison = { .cli = cli, .only_weaker = only_weaker };
	struct mrg_error err = { 0 };
	int exit = 0;

	*ret = mrg_audit_compare(a, b, show_difference, &comparison);
	if (*ret < 0 || comparison.json.failed)
		exit = cli_fail(cli, (mrg_error_set(&err, -ENOMEM, "out of memory"), &err));
	else if (is_json(cli))
		printf("{\"schema\":\"moorage/audit-diff/v1\",\"weaker\":%d,\"differences\":[%s]}\n", *ret, comparison.json.text ? comparison.json.text : "");
	buffer_deinit(&comparison.json);
	return exit;
}

static int diff(struct cli *cli)
{
	_cleanup_audit_ struct mrg_audit *a = NULL, *b = NULL;
	struct mrg_error err = { 0 };
	int weaker;

	if (cli->n_operands != 2 || cli->pid)
		return cli_usage(cli, "moorage audit --diff OLD NEW", "option '--diff' takes two containers, or files of audits (with a slash in their name)");
	if (!cli_context(cli))
		return 1;
	if (audit_named(cli, cli->operands[0], &a, &err) < 0 || audit_named(cli, cli->operands[1], &b, &err) < 0)
		return cli_fail(cli, &err);
	return compare(cli, a, b, false, &weaker);
}

/* ---- beside what it was --------------------------------------------------------------------------------- */

static int baseline(struct cli *cli)
{
	_cleanup_audit_ struct mrg_audit *before = NULL, *now = NULL;
	struct mrg_error err = { 0 };
	int weaker, r, exit;

	if (cli->n_operands + (cli->pid != NULL) != 1 || cli->all)
		return cli_usage(cli, "moorage audit --json NAME >FILE keeps one", "option '--baseline' is about one container");
	if (!cli_context(cli))
		return 1;
	r = read_baseline(cli->baseline, &before, &err);
	if (r == 0)
		r = cli->pid ? audit_pid(cli, cli->pid, &now, &err) : audit_named(cli, cli->operands[0], &now, &err);
	if (r < 0)
		return cli_fail(cli, &err);
	exit = compare(cli, before, now, true, &weaker);
	return exit ? exit : weaker > 0;
}

/* ---- the verb ---------------------------------------------------------------------------------------------- */

static int audit_one(struct cli *cli, struct mrg_container *c, struct mrg_error *err)
{
	_cleanup_audit_ struct mrg_audit *audit = NULL;
	int r = audit_container(cli, c, &audit, err);

	/* Of all, those that run are meant. */
	if (cli->all && r == -MRG_E_NOT_RUNNING)
		return 0;
	return r < 0 ? r : take(cli->data, audit, err);
}

static int audit_process(struct cli *cli)
{
	_cleanup_audit_ struct mrg_audit *audit = NULL;
	struct mrg_error err = { 0 };

	if (!cli_context(cli))
		return 1;
	if (audit_pid(cli, cli->pid, &audit, &err) < 0 || take(cli->data, audit, &err) < 0)
		return cli_fail(cli, &err);
	return 0;
}

/* MRG_SEVERITY_NONE: never; -1: there is no such severity. */
static int parse_severity(const char *text)
{
	for (int severity = MRG_SEVERITY_INFO; text && severity <= MRG_SEVERITY_CRITICAL; severity++)
		if (strcmp(text, mrg_severity_name(severity)) == 0)
			return severity;
	return text ? -1 : MRG_SEVERITY_NONE;
}

static int print_report(struct report *report)
{
	const char *text = report->json.text ? report->json.text : "";

	struct mrg_error err = { 0 };

	if (report->json.failed)
		return cli_fail(report->cli, (mrg_error_set(&err, -ENOMEM, "out of memory"), &err));
	if (report->cli->output == FORMAT_JSONL && *text)
		puts(text);
	else if (report->cli->output == FORMAT_JSON)
		printf("[%s]\n", text);
	return is_json(report->cli) || is_page(report->cli) ? 0 : listing_print(&report->list);
}

static int audit_all(struct cli *cli, struct report *report)
{
	int exit = 0, printed;

	if (cli->n_operands == 0 && !cli->all && !cli->pid)
		return cli_usage(cli, "moorage audit NAME, --all or --pid N", "'audit' needs the name of a container");
	if (cli->pid)
		exit = audit_process(cli);
	if (exit == 0 && (cli->n_operands || cli->all))
		exit = cli_each(cli, audit_one);
	printed = report->n > 0 || exit == 0 ? print_report(report) : 0;
	return exit ? exit : printed;
}

int cmd_audit(struct cli *cli)
{
	struct report report = { .cli = cli };
	int least = parse_severity(cli->fail_on), exit;

	if (least < 0)
		return cli_usage(cli, "there are info, low, medium, high and critical", "there is no severity '%s'", cli->fail_on);
	exit = listing_begin(&report.list, cli, columns, "moorage/audit-finding/v1");
	cli->data = &report;
	if (exit == 0 && cli->diff)
		exit = diff(cli);
	else if (exit == 0 && cli->baseline)
		exit = baseline(cli);
	else if (exit == 0)
		exit = audit_all(cli, &report);
	if (exit == 0 && least > MRG_SEVERITY_NONE && report.worst >= least)
		exit = 1;
	listing_deinit(&report.list);
	buffer_deinit(&report.json);
	return exit;
}
