/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A machine that runs: its first process and its cgroup, whoever started it. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/proc.h"
#include "core/util/str.h"
#include "nspawn.h"

#define NAME_MAX_MACHINE	64	/* HOST_NAME_MAX of Linux */
#define REGISTRATION		"/run/systemd/machines/%s"
#define SERVICE			"systemd-nspawn"	/* virtual machines and containers of libvirt are registered there too */
#define REGISTRATION_MAX	(64 << 10)

/* ---- processes ------------------------------------------------------------------------------ */

/* The parent of @pid, 0 when there is none to be seen. */
static pid_t parent_of(pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	char path[64], *line;
	int parent;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (fd_read_virtual(AT_FDCWD, path, 1 << 20, &text, NULL) < 0)
		return 0;
	line = strstr(text, "\nPPid:\t");
	return line && sscanf(line, "\nPPid:\t%d", &parent) == 1 ? parent : 0;
}

static bool is_nspawn(pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	return pid > 1 && fd_read_virtual(AT_FDCWD, path, 64, &text, NULL) == 0 && strcmp(text, "systemd-nspawn\n") == 0;
}

/* Whether @pid is in another pid namespace than its parent: the first of a machine, and no helper that nspawn runs on the host. */
static bool is_first(pid_t pid, pid_t parent)
{
	struct stat a, b;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
	if (stat(path, &a) < 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)parent);
	return stat(path, &b) == 0 && a.st_ino != b.st_ino;
}

/* The first process of the machine that the nspawn with @pid runs; 0: none. */
static pid_t leader_of(pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	char path[64], *child, *save;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	if (!is_nspawn(pid) || fd_read_virtual(AT_FDCWD, path, 1 << 20, &text, NULL) < 0)
		return 0;
	for (child = strtok_r(text, " \n", &save); child; child = strtok_r(NULL, " \n", &save)) {
		int64_t number;

		if (parse_int64(child, &number) == 0 && is_first((pid_t)number, pid))
			return (pid_t)number;
	}
	return 0;
}

/* One of a cgroup whose parent is nspawn, or the child of nspawn where that is alone: for a container whose start was cut short before it was recorded. */
static int find_leader(pid_t pid, void *data)
{
	pid_t *leader = data, parent = parent_of(pid);

	*leader = leader_of(pid);
	if (*leader)
		return 1;
	if (!is_nspawn(parent) || !is_first(pid, parent))
		return 0;
	*leader = pid;
	return 1;
}

/* ---- registration --------------------------------------------------------------------------- */

/* The value of KEY= in a file of assignments, one a line; those of machined are not quoted. */
static char *value_of(char *text, const char *key)
{
	size_t length = strlen(key);

	for (char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (strncmp(line, key, length) == 0 && line[length] == '=')
			return line + length + 1;
	return NULL;
}

static bool is_value(const char *value, const char *word)
{
	size_t length = strlen(word);

	return value && strncmp(value, word, length) == 0 && (value[length] == '\n' || !value[length]);
}

/* The name of a unit, in which machined writes each backslash as two. */
static void copy_unit(char ret[NSPAWN_UNIT_SIZE], const char *value)
{
	size_t n = 0;

	for (; value && *value && *value != '\n' && n < NSPAWN_UNIT_SIZE - 1; value++) {
		value += value[0] == '\\' && value[1] == '\\';
		ret[n++] = *value;
	}
	ret[n] = '\0';
}

static bool is_in_unit(pid_t pid, const char *unit)
{
	char cgroup[PATH_MAX];

	return mrg_helper_cgroup_of(pid, cgroup, sizeof(cgroup), NULL) == 0 && strcmp(strrchr(cgroup, '/') + 1, unit) == 0;
}

bool nspawn_name_is_valid(const char *name)
{
	static const char alphanumeric[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t length = strlen(name);
	char before = '.';

	for (const char *c = name; *c; before = *c++)
		if ((*c == '.' && (before == '.' || before == '-')) || (*c == '-' && before == '.') ||
		    (*c != '.' && *c != '-' && !strchr(alphanumeric, *c)))
			return false;
	return length > 0 && length <= NAME_MAX_MACHINE && before != '.' && before != '-';
}

int nspawn_registered_scope(const char *name, char ret_unit[NSPAWN_UNIT_SIZE])
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), REGISTRATION, name);
	if (!nspawn_name_is_valid(name) || fd_read_file(AT_FDCWD, path, REGISTRATION_MAX, &text, NULL) < 0)
		return 0;
	if (!is_value(value_of(text, "SERVICE"), SERVICE))
		return 0;
	copy_unit(ret_unit, value_of(text, "SCOPE"));
	return value_of(text, "SCOPE_JOB") ? -EAGAIN : 1;
}

int nspawn_registered(const char *name, pid_t *ret_leader, char *ret_unit, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX], unit[NSPAWN_UNIT_SIZE], *leader;
	int pid, r;

	if (!nspawn_name_is_valid(name))
		return 0;
	snprintf(path, sizeof(path), REGISTRATION, name);
	r = fd_read_file(AT_FDCWD, path, REGISTRATION_MAX, &text, NULL);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return mrg_error_set(err, r == -EACCES ? -MRG_E_PERMISSION : -EIO, "cannot read '%s': %s", path, strerror(-r));
	leader = value_of(text, "LEADER");
	if (!is_value(value_of(text, "SERVICE"), SERVICE) || !leader || sscanf(leader, "%d", &pid) != 1)
		return 0;
	copy_unit(unit, value_of(text, "SCOPE"));
	/* One that is left from before, whose pid is somebody else's by now. An nspawn that was killed leaves its machine behind. */
	if (!is_nspawn(parent_of(pid)) && !is_in_unit(pid, unit))
		return 0;
	*ret_leader = pid;
	if (ret_unit)
		memcpy(ret_unit, unit, sizeof(unit));
	return 1;
}

/* ---- the machine ---------------------------------------------------------------------------- */

/* The first process: as the nspawn that we started has it, or as it is found in our cgroup. */
static pid_t find_own(const struct mrg_unit *unit)
{
	pid_t pid = 0;

	if (unit->process)
		return is_nspawn(unit->process->pid) ? leader_of(unit->process->pid) : unit->process->pid;
	mrg_helper_cgroup_processes(NULL, unit, find_leader, &pid, NULL);
	return pid;
}

/* Or as machined tells: of what is in the ordinary places names are enough, of others it must be the same process. */
static int find_first(const struct mrg_unit *unit, struct nspawn_machine *m, pid_t *ret, struct mrg_error *err)
{
	pid_t registered = 0;
	int r = nspawn_registered(unit->name, &registered, m->systemd_unit, err);

	if (r < 0)
		return r;
	*ret = r > 0 && !unit->path ? registered : find_own(unit);
	if (*ret != registered)
		m->systemd_unit[0] = '\0';
	return *ret > 0;
}

/* nspawn divides the cgroup it is in, where systemd would: in version 2, and in name=systemd of version 1. */
static bool is_divided(const char *payload)
{
	static const char *const tops[] = { "/sys/fs/cgroup/unified", "/sys/fs/cgroup" };
	char path[2 * PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(tops); i++) {
		snprintf(path, sizeof(path), "%s%s/cgroup.events", tops[i], payload);
		if (access(path, F_OK) == 0)
			return true;
	}
	return false;
}

/* Whether the cgroup is the machine's, and not that of whoever has started nspawn: machined tells of a machine a moment before systemd has moved it. */
static bool is_own_cgroup(const struct mrg_unit *unit, const struct nspawn_machine *m)
{
	const char *leaf = strrchr(m->cgroup, '/') + 1;
	char own[NAME_MAX + 1];
	size_t length = strlen(leaf), n;

	if (*m->systemd_unit)
		return strcmp(leaf, m->systemd_unit) == 0;
	n = (size_t)snprintf(own, sizeof(own), "%s-%s", unit->name, unit->id);
	return length >= n && strcmp(leaf + length - n, own) == 0;
}

int nspawn_machine_open(const struct mrg_unit *unit, struct nspawn_machine *ret, struct mrg_error *err)
{
	struct nspawn_machine m = NSPAWN_MACHINE_INIT;
	pid_t pid = 0;
	int r = find_first(unit, &m, &pid, err);

	if (r > 0) {
		m.leader.pid = pid;
		if (proc_start_time(pid, &m.leader.start_time) < 0)
			r = 0;
	}
	if (r > 0)
		m.leader.pidfd = proc_open(pid, m.leader.start_time);
	if (r < 0)
		return r;
	if (m.leader.pidfd < 0)
		m = (struct nspawn_machine)NSPAWN_MACHINE_INIT;
	else if (mrg_helper_cgroup_of(pid, m.cgroup, sizeof(m.cgroup), NULL) < 0 || !is_own_cgroup(unit, &m))
		m.cgroup[0] = '\0';
	if (*m.cgroup && ((size_t)snprintf(m.payload, sizeof(m.payload), "%s/payload", m.cgroup) >= sizeof(m.payload) ||
			  !is_divided(m.payload)))
		m.payload[0] = '\0';
	*ret = m;
	ret->unit = *unit;
	if (m.leader.pidfd < 0)
		return 0;
	ret->unit.process = &ret->leader;
	ret->unit.cgroup = *ret->cgroup ? ret->cgroup : NULL;
	return 1;
}

void nspawn_machine_close(struct nspawn_machine *machine)
{
	machine->leader.pidfd = fd_close(machine->leader.pidfd);
}

int nspawn_process(void *self _unused_, const struct mrg_unit *unit, struct mrg_process *ret, struct mrg_error *err)
{
	_cleanup_machine_ struct nspawn_machine m = NSPAWN_MACHINE_INIT;
	int r = nspawn_machine_open(unit, &m, err);

	if (r <= 0)
		return r;
	*ret = m.leader;
	m.leader.pidfd = -1;
	return 1;
}
