/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is measured, and how its values are written. */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "core/compare/report.h"

const char *const compare_groups[GROUPS] = {
	[GROUP_START] = "Start, exec, stop",
	[GROUP_COST] = "Cost of one container, and of many",
	[GROUP_INSIDE] = "Work inside",
};

const struct compare_metric_info compare_metrics[METRICS] = {
	[METRIC_FIRST] = { "start.first", "create to the payload's first instruction", GROUP_START, UNIT_MS, false },
	[METRIC_EXIT] = { "start.exit", "create to the payload's last instruction", GROUP_START, UNIT_MS, false },
	[METRIC_REMOVED] = { "start.removed", "create to removed (the whole command)", GROUP_START, UNIT_MS, false },
	[METRIC_EXEC] = { "exec", "exec of a program that does nothing", GROUP_START, UNIT_MS, false },
	[METRIC_STOP] = { "stop.willing", "stop of a process that heeds SIGTERM", GROUP_START, UNIT_MS, false },
	[METRIC_STUBBORN] = { "stop.stubborn", "stop of one that does not, 0.3 s allowed", GROUP_START, UNIT_MS, false },
	[METRIC_BOOT] = { "boot", "boot to multi-user.target", GROUP_START, UNIT_MS, false },
	[METRIC_PSS] = { "cost.pss", "proportional memory (PSS) of what keeps it alive", GROUP_COST, UNIT_BYTES, false },
	[METRIC_PRIVATE] = { "cost.private", "private memory of what keeps it alive", GROUP_COST, UNIT_BYTES, false },
	[METRIC_CGROUP] = { "cost.cgroup", "memory of its cgroup", GROUP_COST, UNIT_BYTES, false },
	[METRIC_PROCESSES] = { "cost.processes", "processes that keep it alive", GROUP_COST, UNIT_COUNT, false },
	[METRIC_DESCRIPTORS] = { "cost.descriptors", "descriptors of these", GROUP_COST, UNIT_COUNT, false },
	[METRIC_LS_1] = { "ls.1", "ls with 1 container", GROUP_COST, UNIT_MS, false },
	[METRIC_LS_10] = { "ls.10", "ls with 10 containers", GROUP_COST, UNIT_MS, false },
	[METRIC_LS_100] = { "ls.100", "ls with 100 containers", GROUP_COST, UNIT_MS, false },
	[METRIC_SYSCALLS] = { "inside.syscalls", "system calls", GROUP_INSIDE, UNIT_RATE, true },
	[METRIC_FORKS] = { "inside.forks", "fork, exec and wait", GROUP_INSIDE, UNIT_RATE, true },
	[METRIC_FILES] = { "inside.files", "file create, stat, unlink", GROUP_INSIDE, UNIT_RATE, true },
	[METRIC_READ] = { "inside.read", "sequential read of a file", GROUP_INSIDE, UNIT_BYTE_RATE, true },
	[METRIC_PIPE] = { "inside.pipe", "pipe", GROUP_INSIDE, UNIT_BYTE_RATE, true },
	[METRIC_LOOPBACK] = { "inside.loopback", "TCP over loopback", GROUP_INSIDE, UNIT_BYTE_RATE, true },
};

int compare_metric_find(const char *id)
{
	for (int i = 0; i < METRICS; i++)
		if (strcmp(compare_metrics[i].id, id) == 0)
			return i;
	return -1;
}

/* Three digits, and the prefix that keeps it so. */
static void scaled(char buffer[COMPARE_VALUE_SIZE], double value, double step, const char *unit)
{
	static const char *const decimal[] = { "", "k", "M", "G", "T" }, *const binary[] = { "", "Ki", "Mi", "Gi", "Ti" };
	size_t i = 0;

	for (; value >= step && i < ARRAY_SIZE(decimal) - 1; i++)
		value /= step;
	snprintf(buffer, COMPARE_VALUE_SIZE, "%.*f %s%s", value < 10 ? 2 : value < 100 ? 1 : 0, value, step > 1000 ? binary[i] : decimal[i], unit);
}

const char *compare_value(char buffer[COMPARE_VALUE_SIZE], enum compare_unit unit, double value)
{
	switch (unit) {
	case UNIT_MS:
		snprintf(buffer, COMPARE_VALUE_SIZE, "%.*f ms", value < 10 ? 2 : value < 1000 ? 1 : 0, value);
		break;
	case UNIT_BYTES:
		scaled(buffer, value, 1024, "B");
		break;
	case UNIT_RATE:
		scaled(buffer, value, 1000, "/s");
		break;
	case UNIT_BYTE_RATE:
		scaled(buffer, value, 1024, "B/s");
		break;
	case UNIT_COUNT:
		snprintf(buffer, COMPARE_VALUE_SIZE, "%.4g", value);
		break;
	}
	return buffer;
}
