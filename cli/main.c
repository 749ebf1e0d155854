/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command: global options, the verb, its options. */

#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "core/util/cleanup.h"
#include "core/util/str.h"

#define SEE_HELP "'moorage help' lists the verbs"

static const char *nearest_verb(const char *word)
{
	const char *names[128], *near, *at;
	size_t n = 0, length;
	char alias[64];

	for (const struct verb *v = verbs; v->name && n + 1 < ARRAY_SIZE(names); v++)
		if (!(v->flags & VERB_HIDDEN))
			names[n++] = v->name;
	names[n] = NULL;
	near = str_nearest(word, names);
	for (const struct verb *v = verbs; v->name && !near; v++) {
		const char *words = v->aliases;

		while (!near && (at = word_next(&words, &length))) {
			snprintf(alias, sizeof(alias), "%.*s", (int)length, at);
			near = str_nearest(word, (const char *const[]){ alias, NULL }) ? v->name : NULL;
		}
	}
	return near;
}

static int unknown_verb(struct cli *cli, const char *word)
{
	const struct known_word *known = known_word_find(later_verbs, word);
	const char *nearest;
	char hint[200];

	if (known) {
		cli->payload = known->payload;
		return cli_usage(cli, NULL, "'%s' is not in this version: %s", word, known->text);
	}
	known = known_word_find(foreign_verbs, word);
	if (known)
		return cli_usage(cli, known->text, "unknown verb '%s'", word);
	nearest = nearest_verb(word);
	snprintf(hint, sizeof(hint), nearest ? "did you mean '%s'?" : SEE_HELP, nearest);
	return cli_usage(cli, hint, "unknown verb '%s'", word);
}

/* -n NAME stands in front of the operands. */
static int take_name(struct cli *cli)
{
	char **operands;

	if (!(cli->verb->flags & VERB_NAME) || !cli->name)
		return 0;
	operands = calloc((size_t)cli->n_operands + 2, sizeof(*operands));
	if (!operands)
		return cli_usage(cli, NULL, "out of memory"), -1;
	operands[0] = (char *)cli->name;
	memcpy(operands + 1, cli->operands, (size_t)cli->n_operands * sizeof(*operands));
	cli->operands = cli->own_operands = operands;
	cli->n_operands++;
	return 0;
}

static int check_operands(struct cli *cli)
{
	const struct verb *v = cli->verb;
	int over = v->max >= 0 && cli->n_operands > v->max ? v->max : -1;
	char hint[256] = "";

	if (over >= 0 && (v->flags & VERB_TO) && !cli->to)
		snprintf(hint, sizeof(hint), "did you mean '--to %.60s'? ", cli->operands[over]);
	snprintf(hint + strlen(hint), sizeof(hint) - strlen(hint), "usage: moorage %s%s%s", v->name, *v->operands ? " " : "", v->operands);
	if (cli->n_operands < v->min && !cli->all)
		return cli_usage(cli, hint, "'%s' needs %s", v->name, v->operands);
	if (over >= 0)
		return cli_usage(cli, hint, "'%s' takes nothing after '%s'", v->name, over ? cli->operands[over - 1] : v->name);
	return 0;
}

static int check_globals(struct cli *cli)
{
	struct detach keys;
	int r = output_format_parse(cli);

	/* Before there is a program that could not be left. */
	if (r == 0 && (cli->payload || cli->detach_keys))
		r = session_keys(cli, &keys);
	if (r != 0)
		return r;
	if (cli->color && !word_in("auto always never", cli->color))
		return cli_usage(cli, NULL, "option '--color' takes auto, always or never, not '%s'", cli->color);
	if (cli->backend && word_in("auto all", cli->backend))
		cli->backend = NULL;
	return terminal_deadline(cli, cli->timeout);
}

static int run_verb(struct cli *cli, int argc, char **argv)
{
	const struct verb *v = cli->verb;
	int r;

	cli->payload = v->flags & VERB_PAYLOAD;
	if (options_parse(cli, v->options, argc, argv, v->flags & VERB_COMMAND) < 0)
		return cli->payload ? 125 : 2;
	r = check_globals(cli);
	if (r != 0)
		return r;
	if (cli->help)
		return help_verb(cli, v);
	if (cli->version)
		return help_version(cli);
	if (cli->explain && !(v->flags & VERB_EXPLAIN))
		return cli_usage(cli, NULL, "'--explain' is for run, create and start, not for '%s'", v->name);
	if (take_name(cli) < 0)
		return 1;
	r = check_operands(cli);
	return r != 0 ? r : v->run(cli);
}

static int run(struct cli *cli, int argc, char **argv)
{
	if (options_parse(cli, global_options, argc, argv, true) < 0)
		return 2;
	if (cli->n_operands == 0) {
		int r = check_globals(cli);

		if (r != 0)
			return r;
		if (cli->version)
			return help_version(cli);
		return cli->help ? help_overview(cli, stdout) : (help_overview(cli, stderr), 2);
	}
	cli->typed = cli->operands[0];
	cli->verb = verb_find(cli->typed);
	if (!cli->verb) {
		int r = check_globals(cli);

		return r ? r : unknown_verb(cli, cli->typed);
	}
	return run_verb(cli, cli->n_operands, cli->operands);
}

/* What could not be written must not look like success: a full disk, but not a reader that has had enough. */
static int finish(struct cli *cli, int exit)
{
	struct mrg_error err;

	if (fflush(stdout) == 0 && !ferror(stdout))
		return exit;
	if (errno == EPIPE)
		return exit ? exit : 128 + SIGPIPE;
	mrg_error_set(&err, -EIO, "cannot write to standard output: %s", strerror(errno));
	cli->payload = false;
	return cli_fail(cli, &err);
}

static void release(struct cli *cli)
{
	mrg_free(cli->m);
	free(cli->to_backend);
	strv_free(cli->env);
	strv_free(cli->env_file);
	strv_free(cli->filter);
	strv_free(cli->accept);
	free(cli->own_operands);
	free(cli->settings);
}

int main(int argc, char **argv)
{
	struct cli cli = { .sig_proxy = 1 };
	int exit;

	exit = finish(&cli, run(&cli, argc, argv));
	release(&cli);
	return exit;
}
