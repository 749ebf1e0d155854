/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage info: one container on a page for humans */

#include "config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/commands.h"
#include "cli/text.h"
#include "core/util/cleanup.h"
#include "core/util/str.h"

#define LAST_LINES	5

static void row(const char *key, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void row(const char *key, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0) {
		text = NULL;
		return;
	}
	printf("%12s  ", key);
	text_print(stdout, text);
	putchar('\n');
}

static void show_end(const struct mrg_status *status)
{
	char signal[16], ago[TEXT_SIZE] = "";

	if (status->finished)
		text_ago(ago, status->finished);
	if (status->oom_killed)
		row("Exit", "killed: out of memory, %s", ago);
	else if (status->has_exit && WIFSIGNALED(status->exit_status))
		row("Exit", "killed by %s, %s", signal_name(WTERMSIG(status->exit_status), signal), ago);
	else if (status->has_exit)
		row("Exit", "exited (%d), %s", WEXITSTATUS(status->exit_status), ago);
	else if (status->state == MRG_STATE_STOPPED)
		row("Exit", "not known");
}

static void show_status(const struct mrg_status *status)
{
	char ago[TEXT_SIZE];
	bool alive = status->state == MRG_STATE_RUNNING || status->state == MRG_STATE_PAUSED;

	if (alive && status->started)
		row("State", "%s, started %s", state_name(status->state), text_ago(ago, status->started));
	else
		row("State", "%s", state_name(status->state));
	if (status->pid > 0)
		row("PID", "%d", (int)status->pid);
	if (status->monitor_lost)
		row("Monitor", "lost: exit status and output of this run are not recorded");
	if (!alive)
		show_end(status);
}

static void show_limits(const struct mrg_spec *spec)
{
	const struct {
		enum mrg_field field;
		int64_t value;
		const char *name;
	} sizes[] = {
		{ MRG_FIELD_MEMORY_LIMIT, spec->memory_limit, "memory" },
		{ MRG_FIELD_MEMORY_SWAP, spec->memory_swap, "memory and swap" },
		{ MRG_FIELD_MEMORY_RESERVATION, spec->memory_reservation, "reserved memory" },
	};
	char size[TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		if (mrg_fields_has(&spec->set, sizes[i].field) && sizes[i].value >= 0)
			row("Limit", "%s %s", sizes[i].name, text_size(size, (uint64_t)sizes[i].value));
	if (mrg_fields_has(&spec->set, MRG_FIELD_CPU_QUOTA) && spec->cpu_quota > 0)
		row("Limit", "%.2f CPUs", (double)spec->cpu_quota / (double)(spec->cpu_period ? spec->cpu_period : 100000));
	if (mrg_fields_has(&spec->set, MRG_FIELD_CPUSET_CPUS))
		row("Limit", "CPUs %s", spec->cpuset_cpus);
	if (mrg_fields_has(&spec->set, MRG_FIELD_PIDS_LIMIT) && spec->pids_limit > 0)
		row("Limit", "%" PRId64 " processes", spec->pids_limit);
}

static void show_mounts(const struct mrg_spec *spec)
{
	for (size_t i = 0; i < spec->mounts.n; i++) {
		const struct mrg_mount *mount = &spec->mounts.item[i];

		if (mount->source && mount->source[0] == '/')
			row("Mount", "%s on %s%s", mount->source, mount->destination,
			    strv_contains(mount->options, "ro") ? ", read-only" : "");
	}
}

static void show_boundary(struct cli *cli, struct mrg_container *c)
{
	struct mrg_backend_info info;
	const char *reason;
	int boundary;

	if (mrg_backend_info(cli->m, mrg_container_backend(c), &info, NULL) < 0 || !info.usable)
		return;
	row("Engine", "%s", info.probe.engine);
	boundary = cli_boundary(&info, mrg_container_spec(c), &reason);
	row("Boundary", "%s%s%s", boundary ? "yes" : "no", *reason ? ": " : "", reason);
}

static void show_spec(const struct mrg_spec *spec)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };

	row("Root", "%s%s", strcmp(spec->root_path ? spec->root_path : "", "/") == 0 ? "host" : spec->root_path,
	    spec->ephemeral ? ", changes are thrown away" : spec->root_readonly ? ", read-only" : "");
	for (char **arg = spec->args; arg && *arg; arg++)
		buffer_addf(&b, "%s%s", arg == spec->args ? "" : " ", *arg);
	row("Command", "%s", b.text ? b.text : spec->boot ? "the root's own init" : "-");
	if (spec->hostname)
		row("Host name", "%s", spec->hostname);
	show_limits(spec);
	show_mounts(spec);
	for (size_t i = 0; i < spec->labels.n; i++)
		row("Label", "%s=%s", spec->labels.item[i].key, spec->labels.item[i].value);
}

static int show_line(const struct mrg_log_line *line, void *data)
{
	bool *first = data;

	row(*first ? "Log" : "", "%.*s", (int)line->length, line->text);
	*first = false;
	return 0;
}

static int info_one(struct cli *cli, struct mrg_container *c, struct mrg_error *err)
{
	const struct mrg_log_query query = { .tail = LAST_LINES };
	struct mrg_status status;
	char time[TEXT_SIZE];
	bool first = true;
	int r = mrg_container_status(c, &status, err);

	if (r < 0)
		return r;
	if (cli->n_operands > 1 && strcmp(mrg_container_name(c), cli->operands[0]) != 0)
		putchar('\n');
	row("Name", "%s", mrg_container_name(c));
	row("Id", "%s", mrg_container_id(c));
	row("Backend", "%s", mrg_container_backend(c));
	show_boundary(cli, c);
	if (mrg_container_created(c))
		row("Created", "%s%s", text_ago(time, mrg_container_created(c)),
		    mrg_container_transient(c) ? ", removed when it ends" : "");
	show_status(&status);
	show_spec(mrg_container_spec(c));
	mrg_logs(c, &query, show_line, &first, NULL);
	return 0;
}

int cmd_info(struct cli *cli)
{
	/* Machines read what inspect says. */
	if (cli->output == FORMAT_JSON || cli->output == FORMAT_JSONL)
		return cmd_inspect(cli);
	return cli_each(cli, info_one);
}
