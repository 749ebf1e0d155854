/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage compare: the same root on every backend, measured; reports kept, shown again, compared */

#include "config.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/spec_build.h"
#include "cli/text.h"
#include "core/compare/compare.h"
#include "core/util/fail.h"
#include "core/util/json.h"

#define INTERRUPTED	130

static void strv_cleanup(char ***strv)
{
	*strv = strv_free(*strv);
}
#define _cleanup_strv_ _cleanup_(strv_cleanup)

static bool is_json(const struct cli *cli)
{
	return cli->output == FORMAT_JSON || cli->output == FORMAT_JSONL;
}

/* ---- showing ------------------------------------------------------------------------------------------------- */

static struct compare_style style_for(const struct cli *cli)
{
	setlocale(LC_CTYPE, "");
	return (struct compare_style){
		.unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
		.bold = style_of(cli, stdout, STYLE_BOLD), .weak = style_of(cli, stdout, STYLE_WARNING),
		.good = style_of(cli, stdout, STYLE_GOOD), .plain = style_of(cli, stdout, STYLE_NONE),
	};
}

static int print(struct cli *cli, const struct buffer *b)
{
	struct mrg_error err;

	if (b->failed)
		return cli_fail(cli, (fail_memory(&err), &err));
	fputs(b->text ? b->text : "", stdout);
	return 0;
}

static int show(struct cli *cli, const struct compare_report *report)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };
	struct compare_style style = style_for(cli);

	if (is_json(cli)) {
		compare_write(report, &b);
		buffer_addf(&b, "\n");
	} else if (!cli->quiet) {
		compare_table(report, &style, &b);
		compare_table_matrix(report, &style, &b);
	}
	return print(cli, &b);
}

static int write_to(struct cli *cli, const char *path, const struct compare_report *report, void (*make)(const struct compare_report *report, struct buffer *b))
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };
	struct mrg_error err;

	if (!path)
		return 0;
	make(report, &b);
	if (b.failed)
		return cli_fail(cli, (fail_memory(&err), &err));
	return file_write(path, b.text, &err) < 0 ? cli_fail(cli, &err) : 0;
}

/* Files first: what was measured is kept also when nobody reads our output. */
static int hand_out(struct cli *cli, const struct compare_report *report)
{
	int exit = write_to(cli, cli->save, report, compare_write);

	if (exit == 0)
		exit = write_to(cli, cli->html, report, compare_html);
	return exit ? exit : show(cli, report);
}

/* ---- reports that were kept -------------------------------------------------------------------------------------- */

static int read_report(const char *path, struct compare_report **ret, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r = file_read(path, JSON_MAX_SIZE, &text, &length, err);

	if (r < 0)
		return r;
	return compare_read(text, length, ret, err) < 0 ? mrg_error_prefix(err, "'%s'", path) : 0;
}

static int show_kept(struct cli *cli)
{
	_cleanup_report_ struct compare_report *report = NULL;
	struct mrg_error err;

	if (cli->n_operands != 1 || cli->backends || cli->root || cli->runs || cli->against)
		return cli_usage(cli, "moorage compare FILE shows a report that was kept", "a report that was kept is not measured again");
	return read_report(cli->operands[0], &report, &err) < 0 ? cli_fail(cli, &err) : hand_out(cli, report);
}

static int diff(struct cli *cli)
{
	_cleanup_report_ struct compare_report *old = NULL, *new_ = NULL;
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };
	struct compare_style style = style_for(cli);
	struct mrg_error err;
	int worse, exit;

	if (cli->n_operands != 2 || cli->html || cli->save)
		return cli_usage(cli, "moorage compare --diff OLD NEW", "option '--diff' takes two reports that '--save' has kept");
	if (read_report(cli->operands[0], &old, &err) < 0 || read_report(cli->operands[1], &new_, &err) < 0)
		return cli_fail(cli, &err);
	worse = is_json(cli) ? compare_diff_json(old, new_, &b) : compare_diff(old, new_, &style, &b);
	exit = print(cli, &b);
	return exit ? exit : worse > 0;
}

/* ---- measuring ---------------------------------------------------------------------------------------------------- */

/* "a,b" as a list without the second of two that are the same. */
static int split(const char *text, char ***ret)
{
	_cleanup_free_ char *copy = strdup(text);
	char *at = copy;
	int r = copy ? 0 : -ENOMEM;

	for (char *part; r == 0 && (part = next_part(&at, ','));)
		if (*part && !strv_contains(*ret, part))
			r = strv_append(ret, part);
	return r;
}

static int choose_backends(struct cli *cli, char ***ret)
{
	_cleanup_names_ char **names = NULL;
	const char *wanted = cli->backends ? cli->backends : cli->backend ? cli->backend : "all";
	struct mrg_error err;

	if (mrg_backend_names(cli->m, &names, &err) < 0)
		return cli_fail(cli, &err);
	if (strcmp(wanted, "all") == 0) {
		*ret = names;
		names = NULL;
		return 0;
	}
	if (split(wanted, ret) < 0)
		return cli_fail(cli, (fail_memory(&err), &err));
	if (strv_length(*ret) == 0)
		return cli_usage(cli, "'moorage backends' lists them", "option '--backends' names no backend");
	for (char *const *name = *ret; name && *name; name++)
		if (!strv_contains(names, *name))
			return cli_usage(cli, "'moorage backends' lists them", "there is no backend '%s'", *name);
	return 0;
}

static int choose_tools(struct cli *cli, char ***ret)
{
	struct mrg_error err;

	if (cli->against && split(cli->against, ret) < 0)
		return cli_fail(cli, (fail_memory(&err), &err));
	if (cli->against && strv_length(*ret) == 0)
		return cli_usage(cli, "there are lxc-execute, systemd-nspawn, virsh, crun, runc, bwrap and podman", "option '--against' names no tool");
	for (char *const *name = *ret; name && *name; name++) {
		bool known = false;

		for (const char *const *tool = compare_tools; *tool; tool++)
			known = known || strcmp(*tool, *name) == 0;
		if (!known)
			return cli_usage(cli, "there are lxc-execute, systemd-nspawn, virsh, crun, runc, bwrap and podman", "there is no tool '%s'", *name);
	}
	return 0;
}

/* For whoever waits at a terminal. */
static void tell_progress(const char *what, void *data)
{
	if (isatty(STDERR_FILENO))
		cli_note(data, "measuring: %s", what);
}

/* They are watched for while it is measured, so that all is removed. */
static void block_signals(sigset_t *old)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, old);
}

static int measure(struct cli *cli)
{
	_cleanup_strv_ char **backends = NULL, **tools = NULL;
	_cleanup_report_ struct compare_report *report = NULL;
	struct compare_options options = { .root = cli->root, .runs = COMPARE_RUNS, .progress = tell_progress, .data = cli };
	struct mrg_error err = { 0 };
	sigset_t old;
	int exit, r;

	if (cli->runs && (parse_uint32(cli->runs, &options.runs) < 0 || options.runs == 0 || options.runs > COMPARE_SAMPLES))
		return cli_usage(cli, NULL, "option '--runs' takes a number from 1 to %d, not '%s'", COMPARE_SAMPLES, cli->runs);
	if (!cli_context(cli))
		return 1;
	exit = choose_backends(cli, &backends);
	if (exit == 0)
		exit = choose_tools(cli, &tools);
	if (exit != 0)
		return exit;
	if (strv_length(backends) + strv_length(tools) >= COMPARE_SUBJECTS)
		return cli_usage(cli, NULL, "more than %d cannot be compared at once", COMPARE_SUBJECTS - 1);
	options.backends = backends;
	options.tools = tools;
	block_signals(&old);
	r = compare_measure(cli->m, &options, &report, &err);
	if (r < 0) {
		exit = cli_fail(cli, &err);
		return r == -EINTR ? INTERRUPTED : exit;
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return hand_out(cli, report);
}

int cmd_compare(struct cli *cli)
{
	if (cli->output != FORMAT_TABLE && cli->output != FORMAT_WIDE && !is_json(cli))
		return cli_usage(cli, NULL, "'compare' prints a table or JSON");
	if (cli->diff)
		return diff(cli);
	return cli->n_operands ? show_kept(cli) : measure(cli);
}
