/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage stats: what running containers use, once or again and again */

#include "config.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "core/util/cleanup.h"
#include "core/util/proc.h"

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

/* The last look at one container. */
struct sample {
	char name[64];
	uint64_t cpu_ns;
	int64_t at;
};

struct look {
	struct cli *cli;
	struct listing *list;
	struct sample *samples;
	size_t n_samples;
	int exit;
};

static struct sample *find_sample(struct look *look, const char *name)
{
	struct sample *grown;

	for (size_t i = 0; i < look->n_samples; i++)
		if (strcmp(look->samples[i].name, name) == 0)
			return &look->samples[i];
	grown = reallocarray(look->samples, look->n_samples + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	look->samples = grown;
	grown += look->n_samples++;
	*grown = (struct sample){ .at = 0 };
	snprintf(grown->name, sizeof(grown->name), "%s", name);
	return grown;
}

static void set_cpu(struct look *look, struct value *row, const char *name, uint64_t cpu_ns)
{
	struct sample *sample = find_sample(look, name);
	int64_t now = time_now_ns();
	char text[32];

	if (sample && sample->at && now > sample->at && cpu_ns >= sample->cpu_ns) {
		snprintf(text, sizeof(text), "%.1f",
			 100.0 * (double)(cpu_ns - sample->cpu_ns) / (double)(now - sample->at));
		value_text(&row[CPU], text);
	}
	if (sample)
		*sample = (struct sample){ .cpu_ns = cpu_ns, .at = now };
	if (sample)
		snprintf(sample->name, sizeof(sample->name), "%s", name);
}

static void set_row(struct value *row, const struct mrg_stats *s)
{
	const struct {
		int column, bit;
		enum value_type type;
		uint64_t number;
	} values[] = {
		{ CPU_TIME, MRG_STAT_CPU, VALUE_SPAN, s->cpu_ns },
		{ MEMORY, MRG_STAT_MEMORY, VALUE_SIZE, s->memory },
		{ LIMIT, MRG_STAT_MEMORY_LIMIT, VALUE_SIZE, s->memory_limit },
		{ PEAK, MRG_STAT_MEMORY_PEAK, VALUE_SIZE, s->memory_peak },
		{ PIDS, MRG_STAT_PIDS, VALUE_NUMBER, s->pids },
		{ IO_READ, MRG_STAT_IO_READ, VALUE_SIZE, s->io_read },
		{ IO_WRITTEN, MRG_STAT_IO_WRITTEN, VALUE_SIZE, s->io_written },
		{ NET_RECEIVED, MRG_STAT_NET_RECEIVED, VALUE_SIZE, s->net_received },
		{ NET_SENT, MRG_STAT_NET_SENT, VALUE_SIZE, s->net_sent },
		{ OOM_KILLS, MRG_STAT_OOM_KILLS, VALUE_NUMBER, s->oom_kills },
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (s->valid >> values[i].bit & 1)
			value_number(&row[values[i].column], values[i].type, values[i].number);
}

static int add_row(struct look *look, struct mrg_container *c, struct mrg_error *err)
{
	struct mrg_stats stats = { 0 };
	struct value *row;
	int r = mrg_stats(c, &stats, err);

	if (r < 0)
		return r;
	row = listing_row(look->list);
	if (!row)
		return mrg_error_set(err, -ENOMEM, "out of memory");
	value_text(&row[NAME], mrg_container_name(c));
	value_text(&row[BACKEND], mrg_container_backend(c));
	if (stats.valid >> MRG_STAT_CPU & 1)
		set_cpu(look, row, mrg_container_name(c), stats.cpu_ns);
	set_row(row, &stats);
	return 0;
}

/* Without names: all that run; what ended meanwhile, or whose backend cannot tell, is left out. */
static int found(struct mrg_container *c, void *data)
{
	struct mrg_error err = { 0 };

	add_row(data, c, &err);
	return 0;
}

static int look_once(struct look *look)
{
	struct cli *cli = look->cli;
	struct mrg_error err = { 0 };

	if (cli->n_operands == 0)
		return mrg_list(cli->m, cli->backend, found, NULL, look, &err) < 0 ? cli_fail(cli, &err) : 0;
	look->exit = 0;
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
	exit = look_once(look);
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
			sleep_ms(100);
		else if (cli->n_operands == 1)
			return exit;
	}
	/* Machines get a stream when they ask for one object a line. */
	stream = stream || (!cli->no_stream && cli->output == FORMAT_JSONL);
	do {
		if (stream && humans)
			fputs("\033[H\033[2J", stdout);
		exit = print_once(&look, true);
		fflush(stdout);
		if (stream)
			sleep_ms(interval);
	} while (stream && exit == 0 && !ferror(stdout));
	free(look.samples);
	return exit;
}
