/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resource limits and the OOM score of the process about to be executed. */

#include "config.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/vfs.h>

#include "core/helper/process.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"

static const struct {
	const char *name;
	int number;
	bool clamp;		/* defaults raise it: without the right to, the limit we have must do */
} limits[] = {
	{ "AS", RLIMIT_AS, false },
	{ "CORE", RLIMIT_CORE, true },
	{ "CPU", RLIMIT_CPU, false },
	{ "DATA", RLIMIT_DATA, false },
	{ "FSIZE", RLIMIT_FSIZE, false },
	{ "LOCKS", RLIMIT_LOCKS, false },
	{ "MEMLOCK", RLIMIT_MEMLOCK, true },
	{ "MSGQUEUE", RLIMIT_MSGQUEUE, false },
	{ "NICE", RLIMIT_NICE, false },
	{ "NOFILE", RLIMIT_NOFILE, true },
	{ "NPROC", RLIMIT_NPROC, false },
	{ "RSS", RLIMIT_RSS, false },
	{ "RTPRIO", RLIMIT_RTPRIO, false },
	{ "RTTIME", RLIMIT_RTTIME, false },
	{ "SIGPENDING", RLIMIT_SIGPENDING, false },
	{ "STACK", RLIMIT_STACK, false },
};

static rlim_t limit_value(uint64_t value)
{
	return value == UINT64_MAX ? RLIM_INFINITY : (rlim_t)value;
}

static int set_limit(const struct mrg_rlimit *wish, size_t row, struct mrg_error *err)
{
	struct rlimit limit = { .rlim_cur = limit_value(wish->soft), .rlim_max = limit_value(wish->hard) };
	struct rlimit now;
	int code;

	if (setrlimit(limits[row].number, &limit) == 0)
		return 0;
	code = -errno;
	if (code == -EPERM && limits[row].clamp && getrlimit(limits[row].number, &now) == 0) {
		if (limit.rlim_max > now.rlim_max)
			limit.rlim_max = now.rlim_max;
		if (limit.rlim_cur > limit.rlim_max)
			limit.rlim_cur = limit.rlim_max;
		if (setrlimit(limits[row].number, &limit) == 0)
			return 0;
		code = -errno;
	}
	mrg_error_set(err, code, "cannot set RLIMIT_%s to %llu:%llu: %s", limits[row].name,
		      (unsigned long long)wish->soft, (unsigned long long)wish->hard, strerror(-code));
	if (code == -EPERM)
		mrg_error_hint(err, "raising a hard limit needs CAP_SYS_RESOURCE, which we do not have");
	return code;
}

int rlimits_apply(const struct mrg_spec *spec, struct mrg_error *err)
{
	for (size_t i = 0; i < spec->rlimits.n; i++) {
		const struct mrg_rlimit *wish = &spec->rlimits.item[i];
		const char *name = strncasecmp(wish->type, "RLIMIT_", 7) == 0 ? wish->type + 7 : wish->type;
		size_t row = 0;
		int r;

		while (row < ARRAY_SIZE(limits) && strcasecmp(limits[row].name, name) != 0)
			row++;
		if (row == ARRAY_SIZE(limits))
			return mrg_error_set(err, -MRG_E_INVALID, "the kernel has no resource limit '%s'", wish->type);
		r = set_limit(wish, row, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* oom_score_adj of the caller. A root may have no /proc, or something else under that name: then one of our own. */
static int open_oom_score(void)
{
	_cleanup_close_ int fs = -1, mount = -1;
	struct statfs st;
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC | O_NOCTTY);

	if (fd >= 0 && fstatfs(fd, &st) == 0 && st.f_type == PROC_SUPER_MAGIC)
		return fd;
	fd_close(fd);
	fs = fsopen("proc", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	mount = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (mount < 0)
		return -errno;
	fd = openat(mount, "self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int oom_score_apply(const struct mrg_spec *spec, struct mrg_error *err)
{
	_cleanup_close_ int fd = -1;
	char text[16];
	int n, r;

	if (!mrg_fields_has(&spec->set, MRG_FIELD_OOM_SCORE_ADJ))
		return 0;
	fd = open_oom_score();
	n = snprintf(text, sizeof(text), "%d", spec->oom_score_adj);
	r = fd < 0 ? fd : fd_write_all(fd, text, (size_t)n);
	if (r == 0)
		return 0;
	mrg_error_set(err, r, "cannot set the OOM score to %d: %s", spec->oom_score_adj, strerror(-r));
	if (r == -EACCES)
		mrg_error_hint(err, "lowering it needs CAP_SYS_RESOURCE, which we do not have");
	return r;
}
