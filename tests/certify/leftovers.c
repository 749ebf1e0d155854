/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests leave on the host. All of it carries this run's prefix or stands in its directory, or is a child of the judge. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/util/fd.h"
#include "core/util/proc.h"
#include "tests/certify/certify.h"

#define CGROUP_DEPTH	8
#define CLEAR_TRIES	100

/* Where engines keep what they know of a container, and how deep to look. */
static const struct {
	const char *path;
	int depth;
} places[] = {
	{ "/var/lib/lxc", 1 }, { "/run/lxc", 2 }, { "/var/lib/machines", 1 }, { "/run/systemd/nspawn", 2 },
	{ "/etc/systemd/nspawn", 1 }, { "/run/systemd/machines", 1 }, { "/run/systemd/transient", 1 }, { "/run/systemd/system", 1 },
	{ "/etc/systemd/system", 1 }, { "/etc/libvirt/lxc", 1 }, { "/run/libvirt/lxc", 1 }, { "/run/netns", 1 }, { "/dev/shm", 1 },
};

/* ---- processes ---------------------------------------------------------------------------------- */

static pid_t parent_of(pid_t pid)
{
	_cleanup_free_ char *text = NULL;
	const char *line;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (fd_read_virtual(AT_FDCWD, path, 65536, &text, NULL) < 0)
		return 0;
	line = strstr(text, "\nPPid:");
	return line ? (pid_t)strtol(line + 6, NULL, 10) : 0;
}

void each_child(void (*found)(pid_t pid, void *data), void *data)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	struct dirent *entry;
	uint32_t pid;

	while (dir && (entry = readdir(dir)))
		if (parse_uint32(entry->d_name, &pid) == 0 && parent_of((pid_t)pid) == getpid())
			found((pid_t)pid, data);
}

static void list_process(pid_t pid, void *data)
{
	_cleanup_free_ char *text = NULL;
	struct buffer *ret = data;
	char path[64];
	size_t length = 0;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	if (fd_read_virtual(AT_FDCWD, path, 4096, &text, &length) < 0)
		return;
	for (size_t i = 0; i + 1 < length; i++)
		if (!text[i])
			text[i] = ' ';
	buffer_addf(ret, "process %d (%.80s)\n", (int)pid, text);
}

static void kill_process(pid_t pid, void *data)
{
	*(bool *)data = true;
	kill(pid, SIGKILL);
}

/* ---- directories ---------------------------------------------------------------------------------- */

struct walk {
	const struct kit *kit;
	void (*found)(const char *path, void *data);
	void *data;
};

/* Calls found for what bears our prefix below @path; deepest first, so that it can be removed on the way. */
static void walk(const struct walk *w, const char *path, int depth, bool inside)
{
	_cleanup_closedir_ DIR *dir = opendir(path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		bool ours = inside || strstr(entry->d_name, w->kit->prefix);
		char below[PATH_SIZE];

		if (entry->d_name[0] == '.' || snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) >= (int)sizeof(below))
			continue;
		if (entry->d_type == DT_DIR && depth > 1)
			walk(w, below, depth - 1, ours);
		if (ours)
			w->found(below, w->data);
	}
}

static void list_path(const char *path, void *data)
{
	buffer_addf(data, "%s\n", path);
}

static void list_cgroup(const char *path, void *data)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		buffer_addf(data, "cgroup %s\n", path);
}

static void kill_in_cgroup(const char *path, _unused_ void *data)
{
	_cleanup_free_ char *text = NULL;
	char file[PATH_SIZE + 16];

	/* What is frozen does not die. */
	snprintf(file, sizeof(file), "%s/freezer.state", path);
	fd_write_file(AT_FDCWD, file, "THAWED");
	snprintf(file, sizeof(file), "%s/cgroup.freeze", path);
	fd_write_file(AT_FDCWD, file, "0");
	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	if (fd_read_virtual(AT_FDCWD, file, 1 << 20, &text, NULL) < 0)
		return;
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		pid_t pid = (pid_t)strtol(line, NULL, 10);

		if (pid > 1 && pid != getpid())
			kill(pid, SIGKILL);
		if (!strchr(line, '\n'))
			break;
	}
}

static void remove_cgroup(const char *path, _unused_ void *data)
{
	for (int i = 0; i < CLEAR_TRIES && rmdir(path) < 0 && errno == EBUSY; i++)
		poll(NULL, 0, 10);
}

static void remove_path(const char *path, _unused_ void *data)
{
	fd_remove_tree(AT_FDCWD, path);
}

static void each_cgroup(const struct kit *kit, void (*found)(const char *path, void *data), void *data)
{
	walk(&(struct walk){ kit, found, data }, "/sys/fs/cgroup", CGROUP_DEPTH, false);
}

static void each_place(const struct kit *kit, void (*found)(const char *path, void *data), void *data)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		walk(&(struct walk){ kit, found, data }, places[i].path, places[i].depth, false);
}

static void each_record(const struct kit *kit, void (*found)(const char *path, void *data), void *data)
{
	static const char *const dirs[] = { "state/containers", "run/containers", "units" };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		char path[PATH_SIZE + 32];

		snprintf(path, sizeof(path), "%s/%s", kit->work, dirs[i]);
		walk(&(struct walk){ kit, found, data }, path, 1, false);
	}
}

/* ---- mounts --------------------------------------------------------------------------------------- */

static void each_mount(const struct kit *kit, const char *file, void (*found)(const char *path, void *data), void *data)
{
	_cleanup_free_ char *text = NULL;
	char *next, *line;

	if (fd_read_virtual(AT_FDCWD, file, 4 << 20, &text, NULL) < 0)
		return;
	next = text;
	while ((line = strsep(&next, "\n"))) {
		char point[PATH_SIZE];

		if (sscanf(line, "%*d %*d %*s %*s %4095s", point) == 1 && (strstr(point, kit->prefix) || strstr(point, kit->work)))
			found(point, data);
	}
}

static void list_mount(const char *path, void *data)
{
	buffer_addf(data, "mount %s\n", path);
}

static void remove_mount(const char *path, _unused_ void *data)
{
	umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
}

static void list_bridge(const struct kit *kit, struct buffer *ret)
{
	char name[IFNAMSIZ];

	bridge_name(kit, name);
	if (if_nametoindex(name))
		buffer_addf(ret, "bridge %s\n", name);
}

void leftovers_list(const struct kit *kit, struct buffer *ret)
{
	list_bridge(kit, ret);
	each_child(list_process, ret);
	each_cgroup(kit, list_cgroup, ret);
	each_mount(kit, "/proc/self/mountinfo", list_mount, ret);
	each_record(kit, list_path, ret);
	each_place(kit, list_path, ret);
}

void leftovers_clear(const struct kit *kit)
{
	bool some = true;

	for (int i = 0; i < CLEAR_TRIES && some; i++) {
		some = false;
		each_child(kill_process, &some);
		poll(NULL, 0, some ? 10 : 0);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
	/* A process may be frozen by one hierarchy and counted by another. */
	each_cgroup(kit, kill_in_cgroup, NULL);
	each_cgroup(kit, remove_cgroup, NULL);
	each_mount(kit, "/proc/self/mountinfo", remove_mount, NULL);
	each_record(kit, remove_path, NULL);
	each_place(kit, remove_path, NULL);
	bridge_remove(kit);
}
