/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What LXC says of a start: "lxc NAME TIME ERROR    MODULE - FILE:FUNCTION:LINE - TEXT" a line. */

#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lxc.h"

#include "core/util/fd.h"

#define LOG_MAX		(1 << 20)

/* Mounts that may fail are told like all others, by a line that another one follows when it matters. */
static bool is_noise(const char *line)
{
	return strstr(line, ":safe_mount:") || strstr(line, "(" LXC_NO_CGROUP ")");
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
