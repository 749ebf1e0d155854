/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Wishes about a migration, and its plan. */

#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/migration.h"
#include "cli/text.h"
#include "core/util/cleanup.h"

static const char *const verdicts[] = { "carried", "approximated", "dropped", "weakens" };
static const char *const methods[] = { [MRG_ROOT_STAY] = "in place", [MRG_ROOT_MOVE] = "move", [MRG_ROOT_COPY] = "copy" };

int migration_wishes(struct cli *cli, struct mrg_migrate *ret)
{
	const char *host = NULL;
	int health = cli_duration(cli, "--health-timeout", cli->health_timeout);

	if (health < -1)
		return 2;
	if (cli->to && strchr(cli->to, '@')) {
		host = strchr(cli->to, '@') + 1;
		cli->to_backend = strndup(cli->to, (size_t)(host - cli->to - 1));
	}
	if (!cli->to)
		return cli_usage(cli, "'moorage backends' lists them", "'%s' needs '--to BACKEND'", cli->typed);
	if (cli->move + cli->copy + cli->in_place > 1)
		return cli_usage(cli, NULL, "of '--move', '--copy' and '--in-place' only one can be");
	*ret = (struct mrg_migrate){
		.backend = host ? cli->to_backend : cli->to, .host = host, .ssh_config = cli->ssh_config, .path = cli->to_path, .name = cli->rename,
		.accept = (const char *const *)cli->accept, .rebase = cli->rebase,
		.health_command = cli->health_cmd, .timeout_ms = health < 0 ? 0 : health,
		.method = cli->move ? MRG_ROOT_MOVE : cli->copy ? MRG_ROOT_COPY : cli->in_place ? MRG_ROOT_STAY : MRG_ROOT_AUTO,
		.flags = (cli->no_stop ? MRG_MIGRATE_NO_STOP : 0) | (cli->start_it ? MRG_MIGRATE_START : 0) |
			 (cli->best_effort ? MRG_MIGRATE_BEST_EFFORT : 0) | (cli->purge ? MRG_MIGRATE_PURGE : 0),
	};
	return 0;
}

/* ---- for programs -------------------------------------------------------------------------------- */

static void member(struct buffer *b, const char *name, const char *value)
{
	buffer_addf(b, "%s\"%s\":", b->length && b->text[b->length - 1] != '{' ? "," : "", name);
	if (value)
		json_text(b, value, strlen(value));
	else
		buffer_addf(b, "null");
}

static void add_report(struct buffer *b, const struct mrg_plan *plan)
{
	buffer_addf(b, ",\"carried\":%zu,\"report\":[", plan->n_carried);
	for (size_t i = 0; i < plan->n_report; i++) {
		const struct mrg_report_row *row = &plan->report[i];

		buffer_addf(b, "%s{", i ? "," : "");
		member(b, "verdict", verdicts[row->verdict]);
		member(b, "source", row->source);
		member(b, "field", row->field >= 0 ? mrg_field_info((unsigned int)row->field)->path : NULL);
		member(b, "target", row->target);
		member(b, "note", row->note);
		buffer_addf(b, ",\"line\":%u}", row->line);
	}
	buffer_addf(b, "]");
}

static void add_root(struct buffer *b, const struct mrg_plan *plan)
{
	buffer_addf(b, ",\"root\":{");
	member(b, "source", plan->root);
	member(b, "target", plan->target_root);
	member(b, "method", methods[plan->method]);
	buffer_addf(b, ",\"sameFileSystem\":%s,\"files\":%llu,\"bytes\":%llu", plan->same_file_system ? "true" : "false", (unsigned long long)plan->files,
		    (unsigned long long)plan->bytes);
	member(b, "owners", plan->ids);
	buffer_addf(b, "}");
}

static void add_lists(struct buffer *b, const struct mrg_plan *plan)
{
	buffer_addf(b, ",\"networks\":[");
	for (char *const *text = plan->networks; text && *text; text++) {
		buffer_addf(b, "%s", text == plan->networks ? "" : ",");
		json_text(b, *text, strlen(*text));
	}
	buffer_addf(b, "],\"changes\":[");
	for (size_t i = 0; i < plan->n_changes; i++) {
		buffer_addf(b, "%s{", i ? "," : "");
		member(b, "rule", plan->changes[i].rule);
		member(b, "path", plan->changes[i].path);
		member(b, "text", plan->changes[i].text);
		buffer_addf(b, "}");
	}
	buffer_addf(b, "],\"steps\":[");
	for (size_t i = 0; i < plan->n_steps; i++) {
		buffer_addf(b, "%s{", i ? "," : "");
		member(b, "name", plan->steps[i].name);
		member(b, "text", plan->steps[i].text);
		buffer_addf(b, "}");
	}
	buffer_addf(b, "]");
}

static void print_json(const struct mrg_plan *plan)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };

	buffer_addf(&b, "{\"schema\":\"moorage/plan/v1\",\"source\":{");
	member(&b, "name", plan->name);
	member(&b, "backend", plan->backend);
	buffer_addf(&b, "},\"target\":{");
	member(&b, "name", plan->target_name);
	member(&b, "backend", plan->target_backend);
	member(&b, "host", plan->target_host);
	buffer_addf(&b, "},\"running\":%s", plan->running ? "true" : "false");
	add_root(&b, plan);
	add_report(&b, plan);
	add_lists(&b, plan);
	member(&b, "refusal", plan->refusal.code ? plan->refusal.message : NULL);
	buffer_addf(&b, "}\n");
	if (!b.failed)
		fputs(b.text, stdout);
}

/* ---- for people ------------------------------------------------------------------------------------- */

static void line(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void line(const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	text_print(stdout, text ? text : "");
	putchar('\n');
}

static void print_root(const struct mrg_plan *plan)
{
	char size[TEXT_SIZE];

	line("Root       %s", plan->root);
	if (plan->method == MRG_ROOT_STAY)
		line("           used where it is");
	else
		line("        -> %s (%s)", plan->target_root, plan->method == MRG_ROOT_MOVE && plan->same_file_system ? "renamed" : "copied");
	line("           %llu files, %s%s", (unsigned long long)plan->files, text_size(size, plan->bytes),
	     plan->method == MRG_ROOT_STAY ? "" : plan->target_host ? ", to another host" : plan->same_file_system ? ", on one file system" : ", to another file system");
	if (plan->ids)
		line("           %s", plan->ids);
}

static void print_report(const struct cli *cli, const struct mrg_plan *plan)
{
	static const enum style styles[] = { STYLE_GOOD, STYLE_NONE, STYLE_WARNING, STYLE_ERROR };

	line("Config     %zu keys are carried", plan->n_carried);
	for (size_t i = 0; i < plan->n_report; i++) {
		const struct mrg_report_row *row = &plan->report[i];

		printf("           %s%-12s%s ", style_of(cli, stdout, styles[row->verdict]), verdicts[row->verdict], style_of(cli, stdout, STYLE_NONE));
		line("%s%s%s", row->source, row->note ? ": " : "", row->note ? row->note : "");
	}
}

static void print_page(const struct cli *cli, const struct mrg_plan *plan)
{
	line("%s:%s -> %s:%s%s%s%s", plan->backend, plan->name, plan->target_backend, plan->target_name, plan->target_host ? " on " : "",
	     plan->target_host ? plan->target_host : "", plan->running ? ", running" : "");
	print_root(plan);
	print_report(cli, plan);
	for (char *const *text = plan->networks; text && *text; text++)
		line("%s %s", text == plan->networks ? "Network   " : "          ", *text);
	for (size_t i = 0; i < plan->n_changes; i++)
		line("%s %s: %s", i ? "          " : "Changes   ", plan->changes[i].path, plan->changes[i].text);
	for (size_t i = 0; i < plan->n_steps; i++)
		line("%s %zu. %s", i ? "          " : "Steps     ", i + 1, plan->steps[i].text);
}

int migration_print_plan(struct cli *cli, const struct mrg_plan *plan)
{
	if (cli->output == FORMAT_JSON || cli->output == FORMAT_JSONL)
		print_json(plan);
	else
		print_page(cli, plan);
	if (!plan->refusal.code)
		return 0;
	fflush(stdout);
	return cli_fail(cli, &plan->refusal);
}
