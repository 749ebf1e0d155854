/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The backend "honest": a chroot and the ids of the process, and an engine that keeps containers: files named after them below the run
 * directory. Its probe claims what it does. MRG_FAKE_MORE names fields, separated by commas, that it claims as well and does nothing about.
 */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/str.h"
#include "tests/fake/fake.h"

#define MARK	"MRG_FAKE_ID="		/* in the environment of every process inside */

/* All there are: what is not honoured is for MRG_FAKE_MORE. */
static const uint16_t fields[] = {
	MRG_FIELD_HOSTNAME, MRG_FIELD_DOMAINNAME, MRG_FIELD_ROOT_PATH, MRG_FIELD_ROOT_READONLY, MRG_FIELD_MOUNTS, MRG_FIELD_TERMINAL,
	MRG_FIELD_CONSOLE_SIZE, MRG_FIELD_UID, MRG_FIELD_GID, MRG_FIELD_UMASK, MRG_FIELD_ADDITIONAL_GIDS, MRG_FIELD_ARGS,
	MRG_FIELD_ENV, MRG_FIELD_CWD, MRG_FIELD_CAP_BOUNDING, MRG_FIELD_CAP_EFFECTIVE, MRG_FIELD_CAP_INHERITABLE,
	MRG_FIELD_CAP_PERMITTED, MRG_FIELD_CAP_AMBIENT, MRG_FIELD_RLIMITS, MRG_FIELD_NO_NEW_PRIVILEGES, MRG_FIELD_OOM_SCORE_ADJ,
	MRG_FIELD_APPARMOR_PROFILE, MRG_FIELD_SELINUX_LABEL, MRG_FIELD_SCHEDULER, MRG_FIELD_IO_PRIORITY,
	MRG_FIELD_EXEC_CPU_AFFINITY, MRG_FIELD_NS_PID, MRG_FIELD_NS_MOUNT, MRG_FIELD_NS_UTS, MRG_FIELD_NS_IPC,
	MRG_FIELD_NS_NETWORK, MRG_FIELD_NS_USER, MRG_FIELD_NS_CGROUP, MRG_FIELD_NS_TIME, MRG_FIELD_UID_MAPPINGS,
	MRG_FIELD_GID_MAPPINGS, MRG_FIELD_DEVICES, MRG_FIELD_CGROUPS_PATH, MRG_FIELD_DEVICE_RULES, MRG_FIELD_MEMORY_LIMIT,
	MRG_FIELD_MEMORY_RESERVATION, MRG_FIELD_MEMORY_SWAP, MRG_FIELD_MEMORY_SWAPPINESS, MRG_FIELD_MEMORY_DISABLE_OOM_KILLER,
	MRG_FIELD_CPU_SHARES, MRG_FIELD_CPU_QUOTA, MRG_FIELD_CPU_PERIOD, MRG_FIELD_CPU_BURST, MRG_FIELD_CPU_IDLE,
	MRG_FIELD_CPUSET_CPUS, MRG_FIELD_CPUSET_MEMS, MRG_FIELD_PIDS_LIMIT, MRG_FIELD_IO_WEIGHT, MRG_FIELD_IO_READ_BPS,
	MRG_FIELD_IO_WRITE_BPS, MRG_FIELD_IO_READ_IOPS, MRG_FIELD_IO_WRITE_IOPS, MRG_FIELD_HUGEPAGE_LIMITS,
	MRG_FIELD_NETWORK_CLASS, MRG_FIELD_RDMA, MRG_FIELD_UNIFIED, MRG_FIELD_ROOTFS_PROPAGATION, MRG_FIELD_SECCOMP,
	MRG_FIELD_SYSCTL, MRG_FIELD_MASKED_PATHS, MRG_FIELD_READONLY_PATHS, MRG_FIELD_MOUNT_LABEL, MRG_FIELD_INTEL_RDT,
	MRG_FIELD_PERSONALITY, MRG_FIELD_TIME_OFFSETS, MRG_FIELD_HOOKS, MRG_FIELD_BOOT, MRG_FIELD_INIT, MRG_FIELD_USER,
	MRG_FIELD_EPHEMERAL, MRG_FIELD_SECCOMP_PROFILE, MRG_FIELD_NETWORKS, MRG_FIELD_PUBLISH, MRG_FIELD_AUTOSTART, MRG_FIELD_NATIVE,
	MRG_FIELD_END,
};

static const uint16_t honoured[] = {
	MRG_FIELD_ROOT_PATH, MRG_FIELD_TERMINAL, MRG_FIELD_UID, MRG_FIELD_GID, MRG_FIELD_UMASK, MRG_FIELD_ARGS, MRG_FIELD_ENV,
	MRG_FIELD_CWD, MRG_FIELD_END,
};

/* ---- claims -------------------------------------------------------------------------------------- */

static void claim_more(struct mrg_fields *ret)
{
	const char *more = getenv("MRG_FAKE_MORE");

	for (; more && *more; more += strcspn(more, ",") + (more[strcspn(more, ",")] == ',')) {
		char name[128];
		int field;

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(more, ","), more);
		field = mrg_field_find(name);
		if (field >= 0)
			mrg_fields_add(ret, (unsigned int)field);
	}
}

static int probe(void *self, struct mrg_probe *ret, struct mrg_error *err)
{
	struct mrg_probe found = { 0 };
	int r = fake_probe(self, &found, err);

	if (r < 0)
		return r;
	found.fields = (struct mrg_fields){ 0 };
	for (const uint16_t *field = honoured; *field != MRG_FIELD_END; field++)
		mrg_fields_add(&found.fields, *field);
	claim_more(&found.fields);
	snprintf(found.reason, sizeof(found.reason), "it does not pretend");
	*ret = found;
	return r;
}

/* ---- processes ------------------------------------------------------------------------------------- */

static int become(const struct mrg_spec *spec, const struct mrg_command *command)
{
	unsigned int uid = spec->uid, gid = spec->gid;

	if (command && command->user && sscanf(command->user, "%u:%u", &uid, &gid) < 1)
		return EINVAL;
	if (mrg_fields_has(&spec->set, MRG_FIELD_UMASK))
		umask(spec->umask);
	return setgroups(0, NULL) < 0 || setgid(gid) < 0 || setuid(uid) < 0 ? errno : 0;
}

static int enter(const struct mrg_unit *unit, const struct mrg_command *command)
{
	if (chroot(unit->spec->root_path) < 0 || chdir("/") < 0)
		return errno;
	return become(unit->spec, command);
}

static bool is_marked(pid_t pid, const char *id)
{
	_cleanup_free_ char *text = NULL;
	char path[64], mark[64];
	size_t length = 0;

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	snprintf(mark, sizeof(mark), MARK "%s", id);
	return fd_read_virtual(AT_FDCWD, path, 1 << 20, &text, &length) == 0 && memmem(text, length, mark, strlen(mark) + 1);
}

static int each(const struct mrg_unit *unit, int (*found)(pid_t pid, void *data), void *data)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	struct dirent *entry;
	uint32_t pid;
	int r = 0;

	while (dir && r == 0 && (entry = readdir(dir)))
		if (parse_uint32(entry->d_name, &pid) == 0 && is_marked((pid_t)pid, unit->id))
			r = found((pid_t)pid, data);
	return r;
}

/* A copy of @env, the mark added. */
static char **mark_environment(char *const *env, const char *id)
{
	char **copy = calloc(strv_length(env) + 2, sizeof(char *));
	size_t n = 0;

	for (; copy && env && env[n]; n++)
		copy[n] = env[n];
	if (copy && asprintf(&copy[n], MARK "%s", id) < 0)
		copy[n] = NULL;
	return copy;
}

static int start(void *self, const struct mrg_unit *unit, struct mrg_stdio *io, struct mrg_process *ret, struct mrg_error *err)
{
	struct mrg_spec spec = *unit->spec;
	struct mrg_unit marked = *unit;
	int r;

	spec.env = mark_environment(spec.env, unit->id);
	marked.spec = &spec;
	r = fake_start(self, &marked, io, ret, err);
	if (spec.env)
		free(spec.env[strv_length(spec.env) - 1]);
	free(spec.env);
	return r;
}

static int exec(void *self, const struct mrg_unit *unit, const struct mrg_command *command, struct mrg_stdio *io,
		struct mrg_process *ret, struct mrg_error *err)
{
	struct mrg_command marked = *command;
	int r;

	marked.env = mark_environment(command->env, unit->id);
	r = fake_exec(self, unit, &marked, io, ret, err);
	if (marked.env)
		free(marked.env[strv_length(marked.env) - 1]);
	free(marked.env);
	return r;
}

static int count(_unused_ pid_t pid, void *data)
{
	(*(uint64_t *)data)++;
	return 0;
}

static int stats(void *self, const struct mrg_unit *unit, struct mrg_stats *ret, struct mrg_error *err)
{
	struct mrg_stats found = { 0 };
	int r = fake_stats(self, unit, &found, err);

	if (r < 0)
		return r;
	*ret = (struct mrg_stats){ .valid = 1 << MRG_STAT_PIDS };
	each(unit, count, &ret->pids);
	return 0;
}

/* ---- the engine -------------------------------------------------------------------------------------- */

static int open_engine(struct mrg_error *err)
{
	const char *run = getenv("MOORAGE_RUN_DIR");
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/honest", run ? run : "/run");
	mkdir(path, 0700);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? mrg_error_set(err, -errno, "the engine's directory '%s' cannot be opened", path) : fd;
}

static int write_configuration(const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_close_ int engine = open_engine(err);
	_cleanup_free_ char *text = NULL;
	int r;

	if (engine < 0)
		return engine;
	r = mrg_spec_emit(unit->spec, 1, &text, err);
	if (r == 0)
		r = fd_replace_file(engine, unit->name, text, strlen(text), false);
	return r < 0 ? mrg_error_set(err, r, "the configuration of '%s' cannot be written", unit->name) : 0;
}

static int create(void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	int r = fake_create(self, unit, err);

	return r < 0 ? r : write_configuration(unit, err);
}

static int configure(_unused_ void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	int r = fake_fault("configure", unit, err);

	return r != 0 ? fake_answer(r) : write_configuration(unit, err);
}

static int set_autostart(int engine, const char *name, int on)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), ".%s.auto", name);
	if (on == 0)
		unlinkat(engine, path, 0);
	if (on == 1) {
		fd = openat(engine, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		fd_close(fd);
	}
	return faccessat(engine, path, F_OK, 0) == 0;
}

static int autostart(_unused_ void *self, const struct mrg_unit *unit, int on, struct mrg_error *err)
{
	_cleanup_close_ int engine = open_engine(err);
	int r = fake_fault("autostart", unit, err);

	if (r != 0 || engine < 0)
		return r != 0 ? fake_answer(r) : engine;
	return set_autostart(engine, unit->name, on);
}

static int destroy(void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_close_ int engine = open_engine(err);
	int r = engine < 0 ? engine : fake_destroy(self, unit, err);

	if (r < 0 || fake_fault("forget", unit, NULL) != 0)
		return r;
	set_autostart(engine, unit->name, 0);
	unlinkat(engine, unit->name, 0);
	return 0;
}

static int list(_unused_ void *self, _unused_ const char *path, mrg_found_fn found, void *data, struct mrg_error *err)
{
	int engine = open_engine(err), r = fake_fault("list", NULL, err);
	_cleanup_closedir_ DIR *dir = engine < 0 ? NULL : fdopendir(engine);
	struct dirent *entry;

	if (r != 0 || !dir)
		return r != 0 ? fake_answer(r) : engine < 0 ? engine : mrg_error_set(err, -ENOMEM, "out of memory");
	while (r == 0 && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			r = found(&(struct mrg_found){ .name = entry->d_name }, data);
	return r;
}

static int find(_unused_ void *self, _unused_ const char *path, const char *name, struct mrg_error *err)
{
	_cleanup_close_ int engine = open_engine(err);
	int r = fake_fault("find", NULL, err);

	if (r != 0 || engine < 0)
		return r != 0 ? fake_answer(r) : engine;
	return faccessat(engine, name, F_OK, 0) == 0;
}

static int read_configuration(const struct mrg_unit *unit, char **ret, struct mrg_error *err)
{
	_cleanup_close_ int engine = open_engine(err);
	int r = engine < 0 ? engine : fd_read_file(engine, unit->name, 1 << 20, ret, NULL);

	if (r == -ENOENT)
		return mrg_error_set(err, -MRG_E_NOT_FOUND, "there is no container '%s'", unit->name);
	return r < 0 && engine >= 0 ? mrg_error_set(err, r, "the configuration of '%s' cannot be read", unit->name) : r;
}

static int take_fields(const struct mrg_spec *from, struct mrg_spec *spec, struct mrg_error *err)
{
	int r = mrg_spec_set(spec, MRG_FIELD_ROOT_PATH, from->root_path, err);

	for (char **arg = from->args; arg && *arg && r == 0; arg++)
		r = mrg_spec_set(spec, MRG_FIELD_ARGS, *arg, err);
	for (char **env = from->env; env && *env && r == 0; env++)
		r = mrg_spec_set(spec, MRG_FIELD_ENV, *env, err);
	return r;
}

static int adopt(_unused_ void *self, const struct mrg_unit *unit, struct mrg_spec *spec, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	struct mrg_spec *from = NULL;
	int r = fake_fault("adopt", unit, err);

	if (r != 0)
		return fake_answer(r);
	r = read_configuration(unit, &text, err);
	if (r == 0)
		r = mrg_spec_parse(text, strlen(text), &from, err);
	if (r == 0)
		r = take_fields(from, spec, err);
	mrg_spec_free(from);
	return r;
}

static int native(_unused_ void *self, const struct mrg_unit *unit, mrg_explain_fn line, void *data, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	int r = fake_fault("native", unit, err);

	if (r != 0)
		return fake_answer(r);
	r = read_configuration(unit, &text, err);
	return r < 0 ? r : line(text, data);
}

static int process(_unused_ void *self, const struct mrg_unit *unit, struct mrg_process *ret, struct mrg_error *err)
{
	int r = fake_fault("process", unit, err);
	pid_t pid = fake_pid(unit);

	if (r != 0)
		return fake_answer(r);
	if (pid > 0)
		*ret = (struct mrg_process){ .pid = pid, .pidfd = -1 };
	return pid > 0;
}

static int rename_unit(_unused_ void *self, const struct mrg_unit *unit, const char *name, struct mrg_error *err)
{
	_cleanup_close_ int engine = open_engine(err);
	int r = fake_fault("rename", unit, err);

	if (r != 0 || engine < 0)
		return r != 0 ? fake_answer(r) : engine;
	if (renameat2(engine, unit->name, engine, name, RENAME_NOREPLACE) < 0)
		return mrg_error_set(err, -errno, "'%s' cannot be named '%s'", unit->name, name);
	set_autostart(engine, name, set_autostart(engine, unit->name, -1));
	set_autostart(engine, unit->name, 0);
	return 0;
}

const struct fake_kind fake_kind = { .fields = fields, .enter = enter, .each = each };

MRG_BACKEND = {
	MRG_BACKEND_HEADER,
	.name = "honest",
	.summary = "No isolation, and no claim of any, for tests",
	.fields = fields,
	.open = fake_open,
	.close = fake_close,
	.probe = probe,
	.check = fake_check,
	.create = create,
	.start = start,
	.cleanup = fake_cleanup,
	.stop = fake_stop,
	.kill = fake_kill,
	.wait = fake_wait,
	.pause = fake_pause,
	.resume = fake_resume,
	.exec = exec,
	.console = fake_console,
	.state = fake_state,
	.stats = stats,
	.update = fake_update,
	.processes = fake_processes,
	.destroy = destroy,
	.list = list,
	.adopt = adopt,
	.explain = fake_explain,
	.find = find,
	.process = process,
	.native = native,
	.configure = configure,
	.rename = rename_unit,
	.autostart = autostart,
};
