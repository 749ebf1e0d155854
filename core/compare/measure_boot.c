/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A system that boots, until it has reached what a system is booted for. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "core/compare/measure.h"
#include "core/util/fail.h"
#include "core/util/path.h"
#include "core/util/proc.h"

#define BOOT_MS		60000
#define LOOK_MS		30

/* Looked at only: nothing of the root is executed but inside. */
bool measure_can_boot(const struct measure *m)
{
	_cleanup_close_ int root = m->options->root && strcmp(m->root, "host") != 0 ? open(m->root, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	_cleanup_close_ int systemd = -1, init = -1;

	if (root < 0)
		return false;
	systemd = path_open_in_root(root, "/lib/systemd/systemd", O_PATH, 0);
	init = path_open_in_root(root, "/sbin/init", O_PATH, 0);
	return systemd >= 0 && init >= 0;
}

static int wait_target(struct measure *m, const char *full, int64_t deadline, struct outcome *ret, struct mrg_error *err)
{
	struct arguments a = { .n = 0 };
	int r;

	arguments_add(&a, m->command, "exec", full, "--", "systemctl", "is-active", "-q", "multi-user.target", NULL);
	do {
		r = measure_rest(m, LOOK_MS, err);
		if (r == 0)
			r = measure_run(m, &a, NULL, BOOT_MS, ret, err);
	} while (r < 0 && r != -EINTR && time_monotonic_ms() < deadline);
	return r;
}

int measure_boot(struct measure *m, size_t subject, struct mrg_error *err)
{
	char name[MEASURE_NAME_SIZE], full[MEASURE_FULL_SIZE];
	struct arguments a = { .n = 0 };
	struct outcome started, reached;
	int r;

	measure_name(m, name);
	arguments_add(&a, m->command, "run", "-q", "-d", "--boot", NULL);
	measure_begin_container(m, subject, &a, name);
	r = measure_run(m, &a, NULL, BOOT_MS, &started, err);
	if (r < 0)
		return r;
	r = wait_target(m, measure_full(m, subject, name, full), time_monotonic_ms() + BOOT_MS, &reached, err);
	if (r == 0 && measure_add_time(m, subject, METRIC_BOOT, started.begin, reached.end) < 0)
		r = fail_memory(err);
	return r < 0 ? (measure_remove(m, subject, name, NULL), r) : measure_remove(m, subject, name, err);
}
