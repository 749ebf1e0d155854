/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage events: what happens to containers, one line of JSON each */

#include "config.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include <moorage/events.h>

#include "cli/commands.h"
#include "cli/text.h"
#include "core/util/cleanup.h"

static void watch_freep(struct mrg_watch **watch)
{
	mrg_watch_free(*watch);
}

/* "NAME" or "BACKEND:NAME". */
static bool is_name(const char *operand, const char *backend, const char *name)
{
	size_t length = strlen(backend);

	return strcmp(operand, name) == 0 ||
	       (strncmp(operand, backend, length) == 0 && operand[length] == ':' && strcmp(operand + length + 1, name) == 0);
}

static bool is_wanted(const struct cli *cli, const struct mrg_change *change)
{
	if (cli->n_operands == 0 || change->type == MRG_CHANGE_LOST)
		return true;
	for (int i = 0; i < cli->n_operands; i++)
		if (is_name(cli->operands[i], change->backend, change->name) ||
		    (change->old_name && is_name(cli->operands[i], change->backend, change->old_name)))
			return true;
	return false;
}

/* Returns 1 when nobody reads any more. */
static int print_change(const struct mrg_change *change, void *data)
{
	const struct cli *cli = data;
	_cleanup_free_ char *line = NULL;
	int r;

	if (!is_wanted(cli, change))
		return 0;
	r = mrg_change_emit(change, &line, NULL);
	if (r < 0)
		return r;
	return puts(line) == EOF || fflush(stdout) == EOF;
}

/* 1: nobody reads any more. A pipe tells of its reader's end without being written to. */
static int wait_for_change(const struct mrg_watch *watch)
{
	struct pollfd fds[] = { { .fd = mrg_watch_fd(watch), .events = POLLIN }, { .fd = STDOUT_FILENO } };
	int n = poll(fds, 2, -1);

	return n < 0 ? errno != EINTR : (fds[1].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
}

int cmd_events(struct cli *cli)
{
	_cleanup_(watch_freep) struct mrg_watch *watch = NULL;
	struct mrg_error err = { 0 };
	int64_t since = 0;
	int r;

	if (cli->output != FORMAT_TABLE && cli->output != FORMAT_JSON && cli->output != FORMAT_JSONL)
		return cli_usage(cli, NULL, "events are lines of JSON: option '--format' takes json or jsonl here");
	if (cli->since && (text_parse_time(cli->since, &since) < 0 || since <= 0))
		return cli_usage(cli, NULL, "option '--since' takes a time or a span such as 10m, not '%s'", cli->since);
	if (!cli_context(cli))
		return 1;
	r = mrg_watch_new(cli->m, cli->backend, since, &watch, &err);
	while (r == 0) {
		r = mrg_watch_read(watch, print_change, cli, &err);
		if (r == 0)
			r = cli->no_stream ? 1 : wait_for_change(watch);
	}
	return r < 0 ? cli_fail(cli, &err) : 0;
}
