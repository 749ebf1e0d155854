/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Raw tools on the same root, so that what Moorage adds is a number: the table of them, and one start. */

#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/compare/tools.h"
#include "core/util/fail.h"
#include "core/util/proc.h"

#define TOOL_MS		30000

const char *const compare_tools[] = { "lxc-execute", "systemd-nspawn", "virsh", "crun", "runc", "bwrap", "podman", NULL };

/* ---- the table --------------------------------------------------------------------------------------------------- */

/* In the place of: the container's name, the process of its payload, the tool's own, the directory where it keeps its state. Told by their addresses. */
static const char NAME[] = "NAME", PID[] = "PID", TOOL_PID[] = "TOOL-PID", STATE[] = "STATE";

#define WORDS(...)	((const char *const[]){ __VA_ARGS__, NULL })

/* nspawn and bwrap have no way in but their namespaces, and end by a signal: nspawn passes it on, bwrap ends when its payload has. */
static const struct tool tools[] = {
	{
		.name = "lxc-execute", .backend = "lxc", .start = tool_start_lxc,
		.exec = WORDS("lxc-attach", "-n", NAME, "--"),
		.stop = WORDS("lxc-stop", "-n", NAME, "-t", "10"),
		.remove = WORDS("lxc-stop", "-k", "-n", NAME),
	}, {
		.name = "systemd-nspawn", .backend = "nspawn", .start = tool_start_nspawn, .stays = true,
		.exec = WORDS("nsenter", "-t", PID, "-a", "-r", "-w"),
		.stop = WORDS("kill", "-TERM", TOOL_PID),
	}, {
		.name = "virsh", .backend = "libvirt", .start = tool_start_virsh, .gone = tool_gone_virsh,
		.exec = WORDS("virsh", "-q", "-c", "lxc:///system", "lxc-enter-namespace", NAME, "--noseclabel", "--"),
		.stop = WORDS("virsh", "-q", "-c", "lxc:///system", "shutdown", NAME, "--mode", "signal"),
		.remove = WORDS("virsh", "-q", "-c", "lxc:///system", "destroy", NAME),
	}, {
		.name = "crun", .backend = "native", .start = tool_start_crun,
		.exec = WORDS("crun", "--cgroup-manager=cgroupfs", "--root", STATE, "exec", NAME),
		.stop = WORDS("crun", "--root", STATE, "kill", NAME, "TERM"),
		.clear = WORDS("crun", "--root", STATE, "delete", NAME),
		.remove = WORDS("crun", "--root", STATE, "delete", "-f", NAME),
	}, {
		.name = "runc", .start = tool_start_runc,
		.exec = WORDS("runc", "--root", STATE, "exec", NAME),
		.stop = WORDS("runc", "--root", STATE, "kill", NAME, "TERM"),
		.clear = WORDS("runc", "--root", STATE, "delete", NAME),
		.remove = WORDS("runc", "--root", STATE, "delete", "-f", NAME),
	}, {
		.name = "bwrap", .start = tool_start_bwrap, .stays = true,
		.exec = WORDS("nsenter", "-t", PID, "-a", "--preserve-credentials", "-r", "-w"),
		.stop = WORDS("kill", "-TERM", PID),
	}, {
		.name = "podman", .start = tool_start_podman,
		.exec = WORDS("podman", "exec", NAME),
		.stop = WORDS("podman", "stop", "-t", "10", NAME),
		.remove = WORDS("podman", "rm", "-f", NAME),
	},
};

const struct tool *tool_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(tools); i++)
		if (strcmp(tools[i].name, name) == 0)
			return &tools[i];
	return NULL;
}

/* ---- words ----------------------------------------------------------------------------------------------------------- */

void tool_call_init(struct tool_call *c, struct measure *m, const struct tool *tool, const char *work, const char *name)
{
	*c = (struct tool_call){ .m = m, .tool = tool, .work = work };
	snprintf(c->name, sizeof(c->name), "%s", name);
	snprintf(c->state, sizeof(c->state), "%s/%s", work, tool->name);
}

void tool_add(struct tool_call *c, const char *const *words)
{
	const struct { const char *word, *value; } known[] = { { NAME, c->name }, { PID, c->pid }, { TOOL_PID, c->tool_pid }, { STATE, c->state } };

	for (; *words; words++) {
		const char *value = *words;

		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			value = *words == known[i].word ? known[i].value : value;
		arguments_add(&c->a, value, NULL);
	}
}

/* ---- one start --------------------------------------------------------------------------------------------------- */

static int start(struct tool_call *c, struct outcome *o, struct mrg_error *err)
{
	int r = c->tool->start(c, false, err);

	if (r == 0)
		r = measure_run(c->m, &c->a, NULL, TOOL_MS, o, err);
	if (r < 0 || !c->tool->gone)
		return r;
	r = c->tool->gone(c, err);
	o->end = time_monotonic_ns();
	return r < 0 ? r : tool_read_stamps(c, o, err);
}

int measure_tool(struct measure *m, size_t subject, struct mrg_error *err)
{
	const struct tool *tool = tool_find(m->report->subject[subject].name);
	char name[MEASURE_NAME_SIZE];
	struct tool_call c;
	struct outcome o;
	int r;

	if (!tool)
		return mrg_error_set(err, -MRG_E_INVALID, "there is no such tool");
	measure_name(m, name);
	tool_call_init(&c, m, tool, m->work, name);
	c.mode = "stamp";
	r = start(&c, &o, err);
	if (r < 0)
		measure_tool_remove(m, subject, name, NULL);
	if (r == 0)
		r = measure_note_command(m, subject, &c.a, err);
	if (r == 0)
		r = measure_add_stamps(m, subject, &o, err);
	if (r == 0 && measure_add_time(m, subject, METRIC_REMOVED, o.begin, o.end) < 0)
		return fail_memory(err);
	return r;
}

int measure_probe_tool(struct measure *m, size_t subject, struct mrg_error *err)
{
	const char *name = m->report->subject[subject].name, *path = getenv("PATH");

	if (!tool_find(name))
		return mrg_error_set(err, -MRG_E_INVALID, "there is no such tool");
	if (strcmp(m->root, "host") == 0)
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "raw tools have no root 'host'");
	for (const char *at = path; at && *at;) {
		char file[PATH_MAX];
		size_t n = strcspn(at, ":");

		if (n && snprintf(file, sizeof(file), "%.*s/%s", (int)n, at, name) < PATH_MAX && access(file, X_OK) == 0)
			return compare_report_set(&m->report->subject[subject].backend, tool_find(name)->backend) < 0 ? fail_memory(err) : 0;
		at += n + (at[n] == ':');
	}
	return mrg_error_set(err, -MRG_E_NO_ENGINE, "the program is not installed");
}
