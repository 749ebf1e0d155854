/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What LXC says of a start: "lxc NAME TIME ERROR    MODULE - FILE:FUNCTION:LINE - TEXT" a line. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lxc.h"

#include "core/util/fd.h"
#include "core/util/proc.h"

#define LOG_MAX		(1 << 20)
#define FIRST		"moorage: LXC is process "	/* of the first line, which is ours */

/* Mounts that may fail are told like all others, by a line that another one follows when it matters. */
static bool is_noise(const char *line)
{
	return strstr(line, ":safe_mount:") || strstr(line, "(" LXC_NO_CGROUP ")") || strncmp(line, FIRST, strlen(FIRST)) == 0;
}

bool lxc_log_exists(const struct mrg_unit *unit)
{
	return unit->dir >= 0 && faccessat(unit->dir, LXC_LOG, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static char *read_log(const struct mrg_unit *unit)
{
	char *text = NULL;

	return unit->dir >= 0 && fd_read_file(unit->dir, LXC_LOG, LOG_MAX, &text, NULL) == 0 ? text : NULL;
}

int lxc_log_begin(int log)
{
	char boot[BOOT_ID_SIZE];
	uint64_t start_time;
	int r = proc_boot_id(boot);

	if (r == 0)
		r = proc_start_time(getpid(), &start_time);
	if (r < 0)
		return r;
	return dprintf(log, FIRST "%d %" PRIu64 " %s\n", (int)getpid(), start_time, boot) < 0 ? -errno : 0;
}

int lxc_log_process(const struct mrg_unit *unit)
{
	_cleanup_free_ char *text = read_log(unit);
	char noted[BOOT_ID_SIZE], boot[BOOT_ID_SIZE];
	uint64_t start_time;
	int pid;

	if (!text || sscanf(text, FIRST "%d %" SCNu64 " %36s", &pid, &start_time, noted) != 3 || proc_boot_id(boot) < 0 || strcmp(noted, boot) != 0)
		return -ESRCH;
	return proc_open(pid, start_time);
}

/* The first that is told is the cause. */
void lxc_log_read(const struct mrg_unit *unit, char *ret, size_t size)
{
	_cleanup_free_ char *text = read_log(unit);
	char *save, *line;

	*ret = '\0';
	for (line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
		char *words = strstr(line, " ERROR ");

		if (!words || is_noise(words))
			continue;
		for (int i = 0; i < 2; i++)
			words = strstr(words, " - ") ? strstr(words, " - ") + 3 : words;
		snprintf(ret, size, "%s", words);
		return;
	}
}

void lxc_log_tidy(const struct mrg_unit *unit)
{
	_cleanup_free_ char *text = read_log(unit);
	char *save, *line;

	for (line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save))
		if (!is_noise(line))
			return;
	if (text)
		unlinkat(unit->dir, LXC_LOG, 0);
}
