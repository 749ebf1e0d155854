/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fake backend: every verb, no isolation, no rights needed. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/str.h"
#include "tests/fake/fake.h"

static bool has(const struct mrg_unit *unit, const char *file)
{
	return faccessat(unit->dir, file, F_OK, 0) == 0;
}

static int touch(const struct mrg_unit *unit, const char *file, struct mrg_error *err)
{
	int fd = openat(unit->dir, file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return mrg_error_set(err, -errno, "cannot make '%s'", file);
	close(fd);
	return 0;
}

static int fake_open(_unused_ struct mrg *ctx, void **ret_self, struct mrg_error *err)
{
	int r = fake_fault("open", NULL, err);

	if (r < 0)
		return r;
	*ret_self = calloc(1, 1);
	return *ret_self ? 0 : mrg_error_set(err, -ENOMEM, "out of memory");
}

static void fake_close(void *self)
{
	free(self);
}

static const uint16_t fields[];

/* MRG_FAKE_LESS: a field, by name, that does not work just now. */
static int fake_probe(_unused_ void *self, struct mrg_probe *ret, struct mrg_error *err)
{
	const char *less = getenv("MRG_FAKE_LESS");
	int r = fake_fault("probe", NULL, err);

	if (r < 0)
		return r;
	for (const uint16_t *field = fields; *field != MRG_FIELD_END; field++)
		mrg_fields_add(&ret->fields, *field);
	r = less ? mrg_field_find(less) : -1;
	if (r >= 0) {
		mrg_fields_remove(&ret->fields, (unsigned int)r);
		snprintf(ret->reason, sizeof(ret->reason), "MRG_FAKE_LESS says so");
	}
	snprintf(ret->engine, sizeof(ret->engine), "fake 1.0");
	snprintf(ret->boundary_reason, sizeof(ret->boundary_reason), "it isolates nothing");
	return 0;
}

static int fake_check(_unused_ void *self, const struct mrg_spec *spec, struct mrg_error *err)
{
	const char *refuse = fake_option(spec, "refuse");
	bool yes = false;
	int r = fake_fault("check", NULL, err);

	if (r < 0)
		return r;
	if (refuse && parse_bool(refuse, &yes) == 0 && yes)
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "the option 'refuse' says so");
	return 0;
}

static int fake_create(_unused_ void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	int r = fake_fault("create", unit, err);

	if (r == 0)
		r = fake_engine_write(unit, err);
	return r < 0 ? r : touch(unit, "fake.created", err);
}

static int end_one(pid_t pid, void *data)
{
	kill(-pid, *(int *)data); /* each leads a group of its own */
	kill(pid, *(int *)data);
	return 0;
}

static int fake_cleanup(_unused_ void *self, const struct mrg_unit *unit, struct mrg_exit *ret, struct mrg_error *err)
{
	const char *oom = fake_option(unit->spec, "oom");
	int signo = SIGKILL, r = fake_fault("cleanup", unit, err);

	if (r < 0)
		return r;
	fake_each(unit, "fake.pid", end_one, &signo);
	fake_each(unit, "fake.exec", end_one, &signo);
	unlinkat(unit->dir, "fake.exec", 0);
	unlinkat(unit->dir, "fake.paused", 0);
	ret->oom_killed = oom && strcmp(oom, "yes") == 0;
	return 0;
}

static int fake_kill(_unused_ void *self, const struct mrg_unit *unit, int signo, int all, struct mrg_error *err)
{
	pid_t pid = fake_pid(unit) ? fake_pid(unit) : fake_engine_pid(unit);
	int r = fake_fault("kill", unit, err);

	if (r < 0)
		return r;
	if (pid == 0)
		return mrg_error_set(err, -MRG_E_NOT_RUNNING, "it does not run");
	if (all) {
		fake_each(unit, "fake.exec", end_one, &signo);
		end_one(pid, &signo);
	} else if (kill(pid, signo) < 0) {
		return mrg_error_set(err, -errno, "cannot signal process %d", (int)pid);
	}
	return 0;
}

static int fake_stop(void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	int signo = unit->spec->stop_signal ? parse_signal(unit->spec->stop_signal) : SIGTERM;
	int r = fake_fault("stop", unit, err);

	return r < 0 ? r : fake_kill(self, unit, signo, 0, err);
}

/* Of use to a parent only: the status of somebody else's child cannot be had. */
static int fake_wait(_unused_ void *self, const struct mrg_unit *unit, int timeout_ms, int *ret_status,
		     struct mrg_error *err)
{
	int left = timeout_ms, r = fake_fault("wait", unit, err);
	pid_t pid = unit->process ? unit->process->pid : fake_pid(unit);

	for (; r == 0; left -= 10) {
		struct timespec step = { .tv_nsec = 10000000 };
		int status = 0;
		pid_t found = pid > 0 ? waitpid(pid, &status, WNOHANG) : pid;

		if (found == pid || (found < 0 && fake_pid(unit) == 0)) {
			*ret_status = status;
			return 0;
		}
		if (timeout_ms >= 0 && left <= 0)
			return mrg_error_set(err, -MRG_E_TIMEOUT, "it did not end in time");
		nanosleep(&step, NULL);
	}
	return r;
}

static int freeze(const struct mrg_unit *unit, int signo)
{
	pid_t pid = fake_pid(unit);

	fake_each(unit, "fake.exec", end_one, &signo);
	return end_one(pid, &signo);
}

static int fake_pause(_unused_ void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	int r = fake_fault("pause", unit, err);

	if (r < 0)
		return r;
	if (has(unit, "fake.paused"))
		return 1;
	freeze(unit, SIGSTOP);
	return touch(unit, "fake.paused", err);
}

static int fake_resume(_unused_ void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	int r = fake_fault("resume", unit, err);

	if (r < 0)
		return r;
	if (!has(unit, "fake.paused"))
		return 1;
	freeze(unit, SIGCONT);
	unlinkat(unit->dir, "fake.paused", 0);
	return 0;
}

static int fake_console(_unused_ void *self, const struct mrg_unit *unit, int *ret_fd, struct mrg_error *err)
{
	int fd, r = fake_fault("console", unit, err);

	if (r < 0)
		return r;
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return mrg_error_set(err, -errno, "cannot open '/dev/null'");
	*ret_fd = fd;
	return 0;
}

static int fake_state(_unused_ void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	int r = fake_fault("state", unit, err);

	if (r < 0)
		return r;
	if (fake_pid(unit) > 0)
		return has(unit, "fake.paused") ? MRG_STATE_PAUSED : MRG_STATE_RUNNING;
	if (has(unit, "fake.pid"))
		return MRG_STATE_STOPPED;
	if (fake_engine_pid(unit) > 0)
		return MRG_STATE_RUNNING;
	return has(unit, "fake.created") || fake_engine_has(unit) ? MRG_STATE_CREATED : MRG_STATE_ABSENT;
}

/* Always the same figures, for tests of what prints them. */
static int fake_stats(_unused_ void *self, const struct mrg_unit *unit, struct mrg_stats *ret, struct mrg_error *err)
{
	int r = fake_fault("stats", unit, err);

	if (r < 0)
		return r;
	*ret = (struct mrg_stats){
		.valid = 1 << MRG_STAT_CPU | 1 << MRG_STAT_MEMORY | 1 << MRG_STAT_PIDS,
		.cpu_ns = 1500000000, .memory = 4 * 1024 * 1024, .pids = 1,
	};
	if (mrg_fields_has(&unit->spec->set, MRG_FIELD_MEMORY_LIMIT)) {
		ret->valid |= 1 << MRG_STAT_MEMORY_LIMIT;
		ret->memory_limit = (uint64_t)unit->spec->memory_limit;
	}
	return 0;
}

static int fake_update(_unused_ void *self, const struct mrg_unit *unit, const struct mrg_spec *changes,
		       struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	int r = fake_fault("update", unit, err);

	if (r == 0)
		r = mrg_spec_emit(changes, 0, &text, err);
	if (r < 0)
		return r;
	r = fd_replace_file(unit->dir, "fake.limits", text, strlen(text), false);
	return r < 0 ? mrg_error_set(err, r, "cannot write 'fake.limits'") : 0;
}

static int fake_processes(_unused_ void *self, const struct mrg_unit *unit, int (*found)(pid_t pid, void *data),
			  void *data, struct mrg_error *err)
{
	int r = fake_fault("processes", unit, err);

	if (r == 0)
		r = fake_each(unit, "fake.pid", found, data);
	return r != 0 ? r : fake_each(unit, "fake.exec", found, data);
}

static int fake_destroy(_unused_ void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	static const char *const files[] = {
		"fake.created", "fake.pid", "fake.exec", "fake.paused", "fake.limits",
	};
	int r = fake_fault("destroy", unit, err);

	if (r < 0)
		return r;
	if (fake_pid(unit) > 0)
		return mrg_error_set(err, -MRG_E_STATE, "it is running");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		unlinkat(unit->dir, files[i], 0);
	fake_engine_remove(unit);
	return 0;
}

static int fake_explain(_unused_ void *self, const struct mrg_unit *unit, mrg_explain_fn line, void *data,
			struct mrg_error *err)
{
	struct buffer b = { 0 };
	int r = fake_fault("explain", unit, err);

	if (r < 0)
		return r;
	r = line("# no isolation: an ordinary process", data);
	for (size_t i = 0; r == 0 && unit->spec->args && unit->spec->args[i]; i++)
		buffer_addf(&b, "%s%s", i ? " " : "", unit->spec->args[i]);
	if (r == 0)
		r = line(b.text ? b.text : "", data);
	buffer_deinit(&b);
	return r;
}

/* All but what is below: /hooks, /linux/intelRdt, /linux/mountLabel, rdma, network class, networks, publish, volumes. */
static const uint16_t fields[] = {
	MRG_FIELD_HOSTNAME, MRG_FIELD_DOMAINNAME, MRG_FIELD_ROOT_PATH, MRG_FIELD_ROOT_READONLY, MRG_FIELD_MOUNTS,
	MRG_FIELD_TERMINAL, MRG_FIELD_CONSOLE_SIZE, MRG_FIELD_UID, MRG_FIELD_GID, MRG_FIELD_UMASK,
	MRG_FIELD_ADDITIONAL_GIDS, MRG_FIELD_ARGS, MRG_FIELD_ENV, MRG_FIELD_CWD, MRG_FIELD_CAP_BOUNDING,
	MRG_FIELD_CAP_EFFECTIVE, MRG_FIELD_CAP_INHERITABLE, MRG_FIELD_CAP_PERMITTED, MRG_FIELD_CAP_AMBIENT,
	MRG_FIELD_RLIMITS, MRG_FIELD_NO_NEW_PRIVILEGES, MRG_FIELD_OOM_SCORE_ADJ, MRG_FIELD_APPARMOR_PROFILE,
	MRG_FIELD_SELINUX_LABEL, MRG_FIELD_SCHEDULER, MRG_FIELD_IO_PRIORITY, MRG_FIELD_NS_PID, MRG_FIELD_NS_MOUNT,
	MRG_FIELD_NS_UTS, MRG_FIELD_NS_IPC, MRG_FIELD_NS_NETWORK, MRG_FIELD_NS_USER, MRG_FIELD_NS_CGROUP,
	MRG_FIELD_NS_TIME, MRG_FIELD_UID_MAPPINGS, MRG_FIELD_GID_MAPPINGS, MRG_FIELD_DEVICES, MRG_FIELD_CGROUPS_PATH,
	MRG_FIELD_DEVICE_RULES, MRG_FIELD_MEMORY_LIMIT, MRG_FIELD_MEMORY_RESERVATION, MRG_FIELD_MEMORY_SWAP,
	MRG_FIELD_CPU_SHARES, MRG_FIELD_CPU_QUOTA, MRG_FIELD_CPU_PERIOD, MRG_FIELD_CPUSET_CPUS, MRG_FIELD_CPUSET_MEMS,
	MRG_FIELD_PIDS_LIMIT, MRG_FIELD_IO_WEIGHT, MRG_FIELD_IO_READ_BPS, MRG_FIELD_IO_WRITE_BPS,
	MRG_FIELD_IO_READ_IOPS, MRG_FIELD_IO_WRITE_IOPS, MRG_FIELD_UNIFIED, MRG_FIELD_ROOTFS_PROPAGATION,
	MRG_FIELD_SECCOMP, MRG_FIELD_SYSCTL, MRG_FIELD_MASKED_PATHS, MRG_FIELD_READONLY_PATHS, MRG_FIELD_PERSONALITY,
	MRG_FIELD_TIME_OFFSETS, MRG_FIELD_BOOT, MRG_FIELD_INIT, MRG_FIELD_USER, MRG_FIELD_EPHEMERAL,
	MRG_FIELD_SECCOMP_PROFILE, MRG_FIELD_RESTART, MRG_FIELD_HEALTH, MRG_FIELD_END,
};

static const struct mrg_option options[] = {
	{ "fault", "string", "fail on purpose: VERB:ERRNO[:MESSAGE]" },
	{ "oom", "bool", "pretend that memory ran out" },
	{ "refuse", "bool", "let the check fail" },
	{ "speed", "enum:slow|fast", "an enumeration that changes nothing" },
	{ "level", "uint", "a number that changes nothing" },
	{ NULL, NULL, NULL },
};

MRG_BACKEND = {
	MRG_BACKEND_HEADER,
	.name = "fake",
	.summary = "No isolation at all, for tests",
	.fields = fields,
	.options = options,
	.open = fake_open,
	.close = fake_close,
	.probe = fake_probe,
	.check = fake_check,
	.create = fake_create,
	.start = fake_start,
	.cleanup = fake_cleanup,
	.stop = fake_stop,
	.kill = fake_kill,
	.wait = fake_wait,
	.pause = fake_pause,
	.resume = fake_resume,
	.exec = fake_exec,
	.console = fake_console,
	.state = fake_state,
	.stats = fake_stats,
	.update = fake_update,
	.processes = fake_processes,
	.destroy = fake_destroy,
	.list = fake_list,
	.find = fake_find,
	.adopt = fake_adopt,
	.explain = fake_explain,
	.process = fake_process_verb,
	.native = fake_native,
	.configure = fake_configure,
	.autostart = fake_autostart,
};
