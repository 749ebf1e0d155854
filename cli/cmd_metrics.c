/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage metrics: figures of all containers as OpenMetrics text */

#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/text.h"
#include "core/util/cleanup.h"
#include "core/util/str.h"
#include "core/util/utf8.h"

#define NS_PER_S	UINT64_C(1000000000)

/* What one container has, read once for all families. */
struct reading {
	char *labels;			/* backend="...",name="..." */
	struct mrg_status status;
	struct mrg_stats stats;		/* valid 0 unless it runs */
};

struct scrape {
	struct cli *cli;
	struct reading *readings;
	size_t n, size;
	uint64_t failed;		/* containers and engines that could not be read */
};

/* Families of figures that the kernel keeps. Types are those that the older text format of Prometheus has too. */
static const struct family {
	const char *name, *type, *unit, *help;
	int bit;
	size_t offset;			/* in struct mrg_stats */
	bool nanoseconds;
} families[] = {
#define AT(member)	offsetof(struct mrg_stats, member)
	{ "cpu_seconds", "counter", "seconds", "CPU time used.", MRG_STAT_CPU, AT(cpu_ns), true },
	{ "memory_bytes", "gauge", "bytes", "Memory in use.", MRG_STAT_MEMORY, AT(memory), false },
	{ "memory_limit_bytes", "gauge", "bytes", "Most memory it may use.", MRG_STAT_MEMORY_LIMIT, AT(memory_limit), false },
	{ "memory_peak_bytes", "gauge", "bytes", "Most memory it has used.", MRG_STAT_MEMORY_PEAK, AT(memory_peak), false },
	{ "pids", "gauge", NULL, "Processes and threads.", MRG_STAT_PIDS, AT(pids), false },
	{ "io_read_bytes", "counter", "bytes", "Bytes read from disks.", MRG_STAT_IO_READ, AT(io_read), false },
	{ "io_written_bytes", "counter", "bytes", "Bytes written to disks.", MRG_STAT_IO_WRITTEN, AT(io_written), false },
	{ "network_received_bytes", "counter", "bytes", "Bytes received from networks.", MRG_STAT_NET_RECEIVED, AT(net_received), false },
	{ "network_sent_bytes", "counter", "bytes", "Bytes sent to networks.", MRG_STAT_NET_SENT, AT(net_sent), false },
	{ "oom_kills", "counter", NULL, "Processes killed for want of memory.", MRG_STAT_OOM_KILLS, AT(oom_kills), false },
#undef AT
};

/* ---- reading -------------------------------------------------------------------------------- */

/* Engines may call containers what they like. Bytes that are not UTF-8 become \xNN, and a backslash two, so that different names stay different: a sample that is
 * there twice costs the whole scrape. Then come the escapes of the format. */
static void add_label(struct buffer *b, const char *key, const char *value)
{
	buffer_addf(b, "%s%s=\"", b->length ? "," : "", key);
	for (size_t n, left = strlen(value); left > 0; value += n, left -= n) {
		n = utf8_sequence(value, left);
		if (n == 0)
			buffer_addf(b, "\\\\x%02x", (unsigned char)value[0]);
		else if (value[0] == '\\')
			buffer_addf(b, "\\\\\\\\");
		else if (value[0] == '"')
			buffer_addf(b, "\\\"");
		else if (value[0] == '\n')
			buffer_addf(b, "\\n");
		else
			buffer_add(b, value, n);
		n = n ? n : 1;
	}
	buffer_add(b, "\"", 1);
}

static struct reading *new_reading(struct scrape *scrape)
{
	if (scrape->n == scrape->size) {
		size_t size = scrape->size ? 2 * scrape->size : 64;
		struct reading *grown = reallocarray(scrape->readings, size, sizeof(*grown));

		if (!grown)
			return NULL;
		scrape->readings = grown;
		scrape->size = size;
	}
	return &scrape->readings[scrape->n];
}

static void tell_failure(const char *name, const struct mrg_error *err, void *data)
{
	struct scrape *scrape = data;

	scrape->failed++;
	cli_note(scrape->cli, "%s: %.*s", name, (int)strcspn(err->message, "\n"), err->message);
}

static int read_one(struct mrg_container *c, void *data)
{
	struct scrape *scrape = data;
	struct reading *reading = new_reading(scrape);
	struct buffer labels = { 0 };
	struct mrg_error err = { 0 };
	int r;

	if (!reading)
		return -ENOMEM;
	*reading = (struct reading){ .labels = NULL };
	r = mrg_container_status(c, &reading->status, &err);
	if (r == -MRG_E_NOT_FOUND)
		return 0; /* removed meanwhile */
	if (r < 0) {
		tell_failure(mrg_container_name(c), &err, scrape);
		return 0;
	}
	/* What has ended meanwhile, or whose backend cannot tell, has no figures. */
	if (reading->status.state == MRG_STATE_RUNNING || reading->status.state == MRG_STATE_PAUSED)
		if (mrg_stats(c, &reading->stats, NULL) < 0)
			reading->stats.valid = 0;
	add_label(&labels, "backend", mrg_container_backend(c));
	add_label(&labels, "name", mrg_container_name(c));
	if (labels.failed) {
		buffer_deinit(&labels);
		return -ENOMEM;
	}
	reading->labels = labels.text;
	scrape->n++;
	return 0;
}

static int read_named(struct scrape *scrape)
{
	struct cli *cli = scrape->cli;
	struct mrg_error err = { 0 };
	int exit = 0;

	for (int i = 0; i < cli->n_operands; i++) {
		_cleanup_container_ struct mrg_container *c = NULL;
		int r = cli_open(cli, cli->operands[i], &c, &err);

		if (r == 0)
			r = read_one(c, scrape);
		if (r == -ENOMEM)
			r = mrg_error_set(&err, r, "out of memory");
		if (r < 0 && !exit)
			exit = cli_fail(cli, &err);
	}
	return exit;
}

/* ---- printing ------------------------------------------------------------------------------- */

static void print_head(const char *name, const char *type, const char *unit, const char *help)
{
	printf("# TYPE %s %s\n", name, type);
	if (unit)
		printf("# UNIT %s %s\n", name, unit);
	printf("# HELP %s %s\n", name, help);
}

static void print_family(const struct scrape *scrape, const struct family *family)
{
	const char *suffix = strcmp(family->type, "counter") == 0 ? "_total" : "";
	char name[80];

	snprintf(name, sizeof(name), "moorage_container_%s", family->name);
	print_head(name, family->type, family->unit, family->help);
	for (size_t i = 0; i < scrape->n; i++) {
		const struct reading *reading = &scrape->readings[i];
		uint64_t value;

		if (!(reading->stats.valid >> family->bit & 1))
			continue;
		memcpy(&value, (const char *)&reading->stats + family->offset, sizeof(value));
		printf("%s%s{%s} ", name, suffix, reading->labels);
		if (family->nanoseconds)
			printf("%" PRIu64 ".%09" PRIu64 "\n", value / NS_PER_S, value % NS_PER_S);
		else
			printf("%" PRIu64 "\n", value);
	}
}

static void print_states(const struct scrape *scrape)
{
	print_head("moorage_container_state", "gauge", NULL, "1 for the state it is in, 0 for the others.");
	for (size_t i = 0; i < scrape->n; i++)
		for (int state = MRG_STATE_CREATED; state <= MRG_STATE_STOPPED; state++)
			printf("moorage_container_state{%s,state=\"%s\"} %d\n", scrape->readings[i].labels, state_name(state),
			       scrape->readings[i].status.state == state);
}

static void print_lives(const struct scrape *scrape)
{
	print_head("moorage_container_start_time_seconds", "gauge", "seconds", "When it was started, since the epoch.");
	for (size_t i = 0; i < scrape->n; i++)
		if (scrape->readings[i].status.started > 0)
			printf("moorage_container_start_time_seconds{%s} %" PRId64 ".%09" PRId64 "\n", scrape->readings[i].labels,
			       scrape->readings[i].status.started / (int64_t)NS_PER_S, scrape->readings[i].status.started % (int64_t)NS_PER_S);
	print_head("moorage_container_exit_code", "gauge", NULL, "How its last run ended: the code, or 128 and the signal.");
	for (size_t i = 0; i < scrape->n; i++)
		if (scrape->readings[i].status.has_exit)
			printf("moorage_container_exit_code{%s} %d\n", scrape->readings[i].labels,
			       mrg_exit_code(scrape->readings[i].status.exit_status));
}

static int print_scrape(const struct scrape *scrape)
{
	print_states(scrape);
	print_lives(scrape);
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		print_family(scrape, &families[i]);
	print_head("moorage_scrape_failures", "gauge", NULL, "Containers and engines that could not be read.");
	printf("moorage_scrape_failures %" PRIu64 "\n# EOF\n", scrape->failed);
	return fflush(stdout) == EOF || ferror(stdout);
}

int cmd_metrics(struct cli *cli)
{
	struct scrape scrape = { .cli = cli };
	struct mrg_error err = { 0 };
	int exit = 0;

	if (cli->output != FORMAT_TABLE)
		return cli_usage(cli, NULL, "metrics are OpenMetrics text: they have no other format");
	if (!cli_context(cli))
		return 1;
	if (cli->n_operands > 0)
		exit = read_named(&scrape);
	else if (mrg_list(cli->m, cli->backend, read_one, tell_failure, &scrape, &err) < 0)
		exit = cli_fail(cli, &err);
	/* What is there is no less true. */
	if (exit == 0 || scrape.n > 0)
		exit = print_scrape(&scrape) ? 1 : exit;
	for (size_t i = 0; i < scrape.n; i++)
		free(scrape.readings[i].labels);
	free(scrape.readings);
	return exit;
}
