/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage top: what running containers use, as a screen or as tables; of one container: its processes */

#include "config.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/top_live.h"
#include "core/util/cleanup.h"
#include "core/util/proc.h"

#define INTERVAL_MS	1000

static const struct column columns[] = {
	[TOP_NAME] = { "NAME", "name", 0, "name" },
	[TOP_BACKEND] = { "BACKEND", "backend", 0, "backend" },
	[TOP_STATE] = { "STATE", "state", 0, "running or paused" },
	[TOP_CPU] = { "CPU%", "cpuPercent", COLUMN_RIGHT, "CPU time since the last look, of one processor" },
	[TOP_MEMORY] = { "MEMORY", "memory", COLUMN_RIGHT, "memory in use" },
	[TOP_LIMIT] = { "LIMIT", "memoryLimit", COLUMN_RIGHT, "most memory" },
	[TOP_PIDS] = { "PIDS", "pids", COLUMN_RIGHT, "processes and threads" },
	[TOP_READ] = { "READ/S", "ioReadPerSecond", COLUMN_RIGHT, "bytes read in a second" },
	[TOP_WRITTEN] = { "WRITE/S", "ioWrittenPerSecond", COLUMN_RIGHT, "bytes written in a second" },
	[TOP_RECEIVED] = { "RECV/S", "netReceivedPerSecond", COLUMN_RIGHT, "bytes received in a second" },
	[TOP_SENT] = { "SEND/S", "netSentPerSecond", COLUMN_RIGHT, "bytes sent in a second" },
	{ 0 }
};

/* ---- looking -------------------------------------------------------------------------------- */

static int found(struct mrg_container *c, void *data)
{
	struct top_look *look = data;
	struct mrg_status status;
	struct mrg_stats stats = { 0 };
	struct usage *u;
	int r;

	if (mrg_container_status(c, &status, NULL) < 0 || (status.state != MRG_STATE_RUNNING && status.state != MRG_STATE_PAUSED))
		return 0;
	r = mrg_stats(c, &stats, NULL);
	if (r == -MRG_E_NOT_RUNNING || r == -MRG_E_NOT_FOUND)
		return 0; /* it has ended meanwhile */
	/* A backend that cannot tell has no figures; its containers run all the same. */
	if (r < 0)
		stats.valid = 0;
	u = usages_note(&look->usages, mrg_container_backend(c), mrg_container_name(c), &stats, time_monotonic_ns());
	if (!u)
		return -ENOMEM;
	u->state = status.state;
	return 0;
}

static void set_row(struct value *row, const struct usage *u)
{
	static const enum value_type types[TOP_COLUMNS] = {
		[TOP_MEMORY] = VALUE_SIZE, [TOP_LIMIT] = VALUE_SIZE, [TOP_PIDS] = VALUE_NUMBER, [TOP_READ] = VALUE_SIZE, [TOP_WRITTEN] = VALUE_SIZE,
		[TOP_RECEIVED] = VALUE_SIZE, [TOP_SENT] = VALUE_SIZE, [TOP_CPU] = VALUE_PERCENT,
	};
	char buffer[TEXT_SIZE];
	double figure;

	for (int i = 0; i < TOP_COLUMNS; i++)
		if (!top_is_figure(i))
			value_text(&row[i], top_text(u, i, buffer));
		else if (top_figure(u, i, &figure))
			value_number(&row[i], types[i], (uint64_t)(figure * (types[i] == VALUE_PERCENT ? 1000 : 1) + 0.5));
}

static bool is_wanted(const struct listing *list, const struct usage *u)
{
	struct value row[TOP_COLUMNS] = { 0 };
	bool wanted;

	set_row(row, u);
	wanted = listing_lets_through(list, row);
	for (int i = 0; i < TOP_COLUMNS; i++)
		free(row[i].text);
	return wanted;
}

static void note_trouble(const char *name, const struct mrg_error *err, void *data)
{
	struct top_look *look = data;

	if (!look->trouble[0])
		snprintf(look->trouble, sizeof(look->trouble), "%s: %.*s", name, (int)strcspn(err->message, "\n"), err->message);
}

int top_look(struct top_look *look, struct mrg_error *err)
{
	struct usages *usages = &look->usages;
	int r;

	look->trouble[0] = '\0';
	usages_begin(usages);
	r = mrg_list(look->cli->m, look->cli->backend, found, note_trouble, look, err);
	usages_end(usages);
	for (size_t i = 0; i < usages->n; i++)
		usages->list[i].hidden = !is_wanted(look->list, &usages->list[i]);
	return r == -ENOMEM ? mrg_error_set(err, r, "out of memory") : r;
}

/* ---- tables --------------------------------------------------------------------------------- */

static void sleep_ms(int ms)
{
	struct timespec span = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&span, NULL);
}

static int print_table(struct top_look *look, int sort)
{
	_cleanup_listing_ struct listing list;
	_cleanup_free_ const struct usage **rows = calloc(look->usages.n + 1, sizeof(*rows));
	struct cli *cli = look->cli;
	struct mrg_error err;
	struct value *row;
	size_t n = 0;
	int exit = listing_begin(&list, cli, columns, "moorage/top/v1");

	if (exit != 0)
		return exit;
	list.sort = -1;
	for (size_t i = 0; rows && i < look->usages.n; i++)
		if (!look->usages.list[i].hidden)
			rows[n++] = &look->usages.list[i];
	top_sort(rows, n, sort, false);
	for (size_t i = 0; i < n; i++) {
		row = listing_row(&list);
		if (!row)
			return cli_fail(cli, (mrg_error_set(&err, -ENOMEM, "out of memory"), &err));
		set_row(row, rows[i]);
	}
	return listing_print(&list);
}

static int print_tables(struct top_look *look, int sort, int interval_ms, uint64_t times)
{
	struct mrg_error err = { 0 };
	int exit = 0;

	/* What happens in a second needs two looks. */
	if (top_look(look, &err) < 0)
		return cli_fail(look->cli, &err);
	for (uint64_t i = 0; exit == 0 && !ferror(stdout) && (times == 0 || i < times); i++) {
		sleep_ms(interval_ms);
		if (top_look(look, &err) < 0)
			return cli_fail(look->cli, &err);
		if (look->trouble[0])
			cli_note(look->cli, "%s", look->trouble);
		if (i > 0 && look->cli->output <= FORMAT_WIDE)
			putchar('\n');
		exit = print_table(look, sort);
		fflush(stdout);
	}
	return exit;
}

/* ---- the verb ------------------------------------------------------------------------------- */

static bool wants_screen(const struct cli *cli)
{
	const char *terminal = getenv("TERM");

	/* One on which nothing can be put in its place gets a table. */
	if (!terminal || strcmp(terminal, "dumb") == 0)
		return false;
	return !cli->batch && !cli->iterations && !cli->format && cli->output == FORMAT_TABLE && !cli->quiet && isatty(STDIN_FILENO) &&
	       isatty(STDOUT_FILENO);
}

static int show(struct top_look *look, int interval_ms, uint64_t times)
{
	_cleanup_listing_ struct listing list;
	int exit = listing_begin(&list, look->cli, columns, "moorage/top/v1");

	if (exit != 0)
		return exit;
	if (!cli_context(look->cli))
		return 1;
	look->list = &list;
	if (wants_screen(look->cli))
		return top_live(look, interval_ms);
	return print_tables(look, list.sort >= 0 ? list.sort : TOP_CPU, interval_ms, times);
}

int cmd_top(struct cli *cli)
{
	struct top_look look = { .cli = cli };
	int interval = cli->interval ? cli_duration(cli, "--interval", cli->interval) : INTERVAL_MS, exit;
	uint64_t times = cli->batch ? 0 : 1;

	if (cli->n_operands > 0)
		return cmd_procs(cli);
	if (interval < 0)
		return 2;
	if (interval == 0)
		return cli_usage(cli, NULL, "option '--interval' takes a time of more than 0: what happens in it is shown");
	if (cli->iterations && (parse_uint64(cli->iterations, &times) < 0 || times == 0))
		return cli_usage(cli, NULL, "option '--iterations' takes a number from 1 on, not '%s'", cli->iterations);
	exit = show(&look, interval, times);
	usages_deinit(&look.usages);
	return exit;
}
