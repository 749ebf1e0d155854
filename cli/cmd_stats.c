/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage stats: what running containers use, once or again and again */

#include "config.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/usage.h"
#include "core/util/cleanup.h"
#include "core/util/proc.h"

/* Between the first two looks. Whole periods of a quota on CPU time, which are 100 ms: a share of less than one says little. */
#define FIRST_MS	500

enum {
	NAME,
	BACKEND,
	CPU,
	CPU_TIME,
	MEMORY,
	LIMIT,
	PEAK,
	PIDS,
	IO_READ,
	IO_WRITTEN,
	NET_RECEIVED,
	NET_SENT,
	OOM_KILLS
};

static const struct column columns[] = {
	[NAME] = { "NAME", "name", 0, "name" },
	[BACKEND] = { "BACKEND", "backend", COLUMN_WIDE, "backend" },
	[CPU] = { "CPU%", NULL, COLUMN_RIGHT, "CPU time since the last look, of one core" },
	[CPU_TIME] = { "CPU-TIME", "cpuNs", COLUMN_RIGHT, "CPU time since the start" },
	[MEMORY] = { "MEMORY", "memory", COLUMN_RIGHT, "memory in use" },
	[LIMIT] = { "LIMIT", "memoryLimit", COLUMN_RIGHT, "most memory" },
	[PEAK] = { "PEAK", "memoryPeak", COLUMN_RIGHT | COLUMN_WIDE, "most memory used so far" },
	[PIDS] = { "PIDS", "pids", COLUMN_RIGHT, "processes and threads" },
	[IO_READ] = { "READ", "ioRead", COLUMN_RIGHT, "bytes read" },
	[IO_WRITTEN] = { "WRITTEN", "ioWritten", COLUMN_RIGHT, "bytes written" },
	[NET_RECEIVED] = { "RECEIVED", "netReceived", COLUMN_RIGHT | COLUMN_WIDE, "bytes received" },
	[NET_SENT] = { "SENT", "netSent", COLUMN_RIGHT | COLUMN_WIDE, "bytes sent" },
	[OOM_KILLS] = { "OOM-KILLS", "oomKills", COLUMN_RIGHT | COLUMN_WIDE, "processes killed for memory" },
	{ 0 }
};

struct look {
	struct cli *cli;
	struct listing *list;
	struct usages usages;
	bool telling;			/* what is left out: once, not at every look */
	int exit;
};

static void set_row(struct value *row, const struct usage *u)
{
	static const struct {
		int column, stat;
		enum value_type type;
	} values[] = {
		{ CPU_TIME, MRG_STAT_CPU, VALUE_SPAN },
		{ MEMORY, MRG_STAT_MEMORY, VALUE_SIZE },
		{ LIMIT, MRG_STAT_MEMORY_LIMIT, VALUE_SIZE },
		{ PEAK, MRG_STAT_MEMORY_PEAK, VALUE_SIZE },
		{ PIDS, MRG_STAT_PIDS, VALUE_NUMBER },
		{ IO_READ, MRG_STAT_IO_READ, VALUE_SIZE },
		{ IO_WRITTEN, MRG_STAT_IO_WRITTEN, VALUE_SIZE },
		{ NET_RECEIVED, MRG_STAT_NET_RECEIVED, VALUE_SIZE },
		{ NET_SENT, MRG_STAT_NET_SENT, VALUE_SIZE },
		{ OOM_KILLS, MRG_STAT_OOM_KILLS, VALUE_NUMBER },
	};
	uint64_t figure;
	double rate;

	value_text(&row[NAME], u->name);
	value_text(&row[BACKEND], u->backend);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (usage_figure(u, (unsigned int)values[i].stat, &figure))
			value_number(&row[values[i].column], values[i].type, figure);
	if (usage_rate(u, MRG_STAT_CPU, &rate))
		value_number(&row[CPU], VALUE_PERCENT, usage_percent(rate));
}

static int add_row(struct look *look, struct mrg_container *c, struct mrg_error *err)
{
	struct mrg_stats stats = { 0 };
	struct usage *u;
	struct value *row;
	int r = mrg_stats(c, &stats, err);

	if (r < 0)
		return r;
	u = usages_note(&look->usages, mrg_container_backend(c), mrg_container_name(c), &stats, time_monotonic_ns());
	row = u ? listing_row(look->list) : NULL;
	if (!row)
		return mrg_error_set(err, -ENOMEM, "out of memory");
	set_row(row, u);
	return 0;
}

/* Without names: all that run; what ended meanwhile, or whose backend cannot tell, is left out. */
static int found(struct mrg_container *c, void *data)
{
	struct mrg_error err = { 0 };

	add_row(data, c, &err);
	return 0;
}

static void left_out(const char *name, const struct mrg_error *err, void *data)
{
	struct look *look = data;

	look->exit = cli_tell_left_out(look->cli, name, err);
}

static int look_once(struct look *look)
{
	struct cli *cli = look->cli;
	struct mrg_error err = { 0 };

	look->exit = 0;
	if (cli->n_operands == 0)
		return mrg_list(cli->m, cli->backend, found, look->telling ? left_out : NULL, look, &err) < 0 ? cli_fail(cli, &err) : look->exit;
	for (int i = 0; i < cli->n_operands; i++) {
		_cleanup_container_ struct mrg_container *c = NULL;
		int r = cli_open(cli, cli->operands[i], &c, &err);

		cli->error_backend = c ? mrg_container_backend(c) : NULL;
		if (r == 0)
			r = add_row(look, c, &err);
		if (r < 0 && !look->exit)
			look->exit = cli_fail(cli, &err);
		cli->error_backend = NULL;
	}
	return look->exit;
}

static void sleep_ms(int ms)
{
	struct timespec span = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&span, NULL);
}

static int print_once(struct look *look, bool show)
{
	_cleanup_listing_ struct listing list;
	int exit = listing_begin(&list, look->cli, columns, "moorage/stats/v1");

	if (exit != 0)
		return exit;
	look->list = &list;
	usages_begin(&look->usages);
	exit = look_once(look);
	usages_end(&look->usages);
	if (show && (exit == 0 || list.n_rows > 0)) {
		int printed = listing_print(&list);

		exit = exit ? exit : printed;
	}
	return exit;
}

int cmd_stats(struct cli *cli)
{
	struct look look = { .cli = cli };
	int interval = cli->interval ? cli_duration(cli, "--interval", cli->interval) : 1000, exit;
	bool humans = cli->output <= FORMAT_WIDE, stream = !cli->no_stream && humans && isatty(STDOUT_FILENO);

	if (interval < 0)
		return 2;
	if (!cli_context(cli))
		return 1;
	if (humans) {
		exit = print_once(&look, false); /* a share needs two looks */
		if (exit == 0)
			sleep_ms(cli->interval ? interval : FIRST_MS);
		else if (cli->n_operands == 1)
			return exit;
	}
	/* Machines get a stream when they ask for one object a line. */
	stream = stream || (!cli->no_stream && cli->output == FORMAT_JSONL);
	look.telling = !stream;
	do {
		if (stream && humans)
			fputs("\033[H\033[2J", stdout);
		exit = print_once(&look, true);
		fflush(stdout);
		if (stream)
			sleep_ms(interval);
	} while (stream && exit == 0 && !ferror(stdout));
	usages_deinit(&look.usages);
	return exit;
}
