/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fake backends: every verb, no isolation, no rights needed. */

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

int fake_open(_unused_ struct mrg *ctx, void **ret_self, struct mrg_error *err)
{
	int r = fake_fault("open", NULL, err);

	if (r != 0)
		return fake_answer(r);
	*ret_self = calloc(1, 1);
	return *ret_self ? 0 : mrg_error_set(err, -ENOMEM, "out of memory");
}

void fake_close(void *self)
{
	free(self);
}

/* MRG_FAKE_LESS: a field, by name, that does not work just now. */
int fake_probe(_unused_ void *self, struct mrg_probe *ret, struct mrg_error *err)
{
	const char *less = getenv("MRG_FAKE_LESS");
	int r = fake_fault("probe", NULL, err);

	if (r != 0)
		return fake_answer(r);
	for (const uint16_t *field = fake_kind.fields; *field != MRG_FIELD_END; field++)
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

int fake_check(_unused_ void *self, const struct mrg_spec *spec, struct mrg_error *err)
{
	const char *refuse = fake_option(spec, "refuse");
	bool yes = false;
	int r = fake_fault("check", NULL, err);

	if (r != 0)
		return fake_answer(r);
	if (refuse && parse_bool(refuse, &yes) == 0 && yes)
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "the option 'refuse' says so");
	return 0;
}

int fake_create(_unused_ void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	int r = fake_fault("create", unit, err);

	if (r != 0)
		return fake_answer(r);
	r = fake_engine_write(unit, err);
	return r < 0 ? r : touch(unit, "fake.created", err);
}

/* Calls @found for each process of the container that can be found. */
static int everybody(const struct mrg_unit *unit, int (*found)(pid_t pid, void *data), void *data)
{
	int r;

	if (fake_kind.each)
		return fake_kind.each(unit, found, data);
	r = fake_each(unit, "fake.pid", found, data);
	return r != 0 ? r : fake_each(unit, "fake.exec", found, data);
}

static int not_running(struct mrg_error *err)
{
	return mrg_error_set(err, -MRG_E_NOT_RUNNING, "it does not run");
}

static int end_one(pid_t pid, void *data)
{
	kill(-pid, *(int *)data); /* each leads a group of its own */
	kill(pid, *(int *)data);
	return 0;
}

int fake_cleanup(_unused_ void *self, const struct mrg_unit *unit, struct mrg_exit *ret, struct mrg_error *err)
{
	const char *oom = fake_option(unit->spec, "oom");
	int signo = SIGKILL, r = fake_fault("cleanup", unit, err);

	if (r != 0)
		return fake_answer(r);
	everybody(unit, end_one, &signo);
	unlinkat(unit->dir, "fake.exec", 0);
	unlinkat(unit->dir, "fake.paused", 0);
	ret->oom_killed = oom && strcmp(oom, "yes") == 0;
	return 0;
}

int fake_kill(_unused_ void *self, const struct mrg_unit *unit, int signo, int all, struct mrg_error *err)
{
	pid_t pid = fake_pid(unit) ? fake_pid(unit) : fake_engine_pid(unit);
	int r = fake_fault("kill", unit, err);

	if (r != 0)
		return fake_answer(r);
	if (pid == 0)
		return not_running(err);
	if (all) {
		everybody(unit, end_one, &signo);
	} else if (kill(pid, signo) < 0) {
		return mrg_error_set(err, -errno, "cannot signal process %d", (int)pid);
	}
	return 0;
}

int fake_stop(void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	int signo = unit->spec->stop_signal ? parse_signal(unit->spec->stop_signal) : SIGTERM;
	int r = fake_fault("stop", unit, err);

	return r != 0 ? fake_answer(r) : fake_kill(self, unit, signo, 0, err);
}

/* Of use to a parent only: the status of somebody else's child cannot be had. */
int fake_wait(_unused_ void *self, const struct mrg_unit *unit, int timeout_ms, int *ret_status,
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
	return fake_answer(r);
}

int fake_pause(_unused_ void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	int signo = SIGSTOP, r = fake_fault("pause", unit, err);

	if (r != 0)
		return fake_answer(r);
	if (fake_pid(unit) == 0)
		return not_running(err);
	if (has(unit, "fake.paused"))
		return 1;
	everybody(unit, end_one, &signo);
	return touch(unit, "fake.paused", err);
}

int fake_resume(_unused_ void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	int signo = SIGCONT, r = fake_fault("resume", unit, err);

	if (r != 0)
		return fake_answer(r);
	if (fake_pid(unit) == 0)
		return not_running(err);
	if (!has(unit, "fake.paused"))
		return 1;
	everybody(unit, end_one, &signo);
	unlinkat(unit->dir, "fake.paused", 0);
	return 0;
}

int fake_console(_unused_ void *self, const struct mrg_unit *unit, int *ret_fd, struct mrg_error *err)
{
	int fd, r = fake_fault("console", unit, err);

	if (r != 0)
		return fake_answer(r);
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return mrg_error_set(err, -errno, "cannot open '/dev/null'");
	*ret_fd = fd;
	return 0;
}

int fake_state(_unused_ void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	int r = fake_fault("state", unit, err);

	if (r != 0)
		return fake_answer(r);
	if (fake_pid(unit) > 0)
		return has(unit, "fake.paused") ? MRG_STATE_PAUSED : MRG_STATE_RUNNING;
	if (has(unit, "fake.pid"))
		return MRG_STATE_STOPPED;
	if (fake_engine_pid(unit) > 0)
		return MRG_STATE_RUNNING;
	return has(unit, "fake.created") || fake_engine_has(unit) ? MRG_STATE_CREATED : MRG_STATE_ABSENT;
}

/* Always the same figures, for tests of what prints them. */
int fake_stats(_unused_ void *self, const struct mrg_unit *unit, struct mrg_stats *ret, struct mrg_error *err)
{
	int r = fake_fault("stats", unit, err);

	if (r != 0)
		return fake_answer(r);
	if (fake_pid(unit) == 0)
		return not_running(err);
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

int fake_update(_unused_ void *self, const struct mrg_unit *unit, const struct mrg_spec *changes,
		       struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	int r = fake_fault("update", unit, err);

	if (r != 0)
		return fake_answer(r);
	if (fake_pid(unit) == 0)
		return not_running(err);
	r = mrg_spec_emit(changes, 0, &text, err);
	if (r < 0)
		return r;
	r = fd_replace_file(unit->dir, "fake.limits", text, strlen(text), false);
	return r < 0 ? mrg_error_set(err, r, "cannot write 'fake.limits'") : 0;
}

int fake_processes(_unused_ void *self, const struct mrg_unit *unit, int (*found)(pid_t pid, void *data),
			  void *data, struct mrg_error *err)
{
	int r = fake_fault("processes", unit, err);

	return r != 0 ? fake_answer(r) : everybody(unit, found, data);
}

int fake_destroy(_unused_ void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	static const char *const files[] = {
		"fake.created", "fake.pid", "fake.exec", "fake.paused", "fake.limits",
	};
	int r = fake_fault("destroy", unit, err);

	if (r != 0)
		return fake_answer(r);
	if (fake_pid(unit) > 0)
		return mrg_error_set(err, -MRG_E_STATE, "it is running");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		unlinkat(unit->dir, files[i], 0);
	fake_engine_remove(unit);
	return 0;
}

int fake_explain(_unused_ void *self, const struct mrg_unit *unit, mrg_explain_fn line, void *data,
			struct mrg_error *err)
{
	struct buffer b = { 0 };
	int r = fake_fault("explain", unit, err);

	if (r != 0)
		return fake_answer(r);
	r = line("# no isolation: an ordinary process", data);
	for (size_t i = 0; r == 0 && unit->spec->args && unit->spec->args[i]; i++)
		buffer_addf(&b, "%s%s", i ? " " : "", unit->spec->args[i]);
	if (r == 0)
		r = line(b.text ? b.text : "", data);
	buffer_deinit(&b);
	return r;
}

