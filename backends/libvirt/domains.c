/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which domains there are and which of them run, as the files of libvirt's daemon tell and the kernel confirms. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libvirt.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/proc.h"
#include "core/util/str.h"

#define FILE_MAX	(4U << 20)
#define FILE_SIZE	512		/* of a path: names have 200 bytes at most */
#define SUFFIX		".xml"

int libvirt_check_path(const char *path, struct mrg_error *err)
{
	static const char *const local[] = { "lxc:///", "lxc+unix:///" };

	for (size_t i = 0; path && i < ARRAY_SIZE(local); i++)
		if (strncmp(path, local[i], strlen(local[i])) == 0)
			return 0;
	if (!path)
		return 0;
	mrg_error_set(err, -MRG_E_INVALID, "'%s' is no URI of libvirt's LXC driver on this host", path);
	return mrg_error_hint(err, "give " LIBVIRT_URI ", or " LIBVIRT_URI "?socket=/path/of/the/socket"), -MRG_E_INVALID;
}

/* ---- definitions ------------------------------------------------------------------------ */

static void path_of(char ret[FILE_SIZE], const char *dir, const char *name)
{
	snprintf(ret, FILE_SIZE, "%s/%s" SUFFIX, dir, name);
}

bool libvirt_is_defined(const char *name)
{
	char path[FILE_SIZE];
	struct stat st;

	path_of(path, LIBVIRT_CONFIG_DIR, name);
	return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

int libvirt_read_definition(const char *name, char **ret, struct mrg_error *err)
{
	char path[FILE_SIZE];
	int r;

	path_of(path, LIBVIRT_CONFIG_DIR, name);
	r = fd_read_file(AT_FDCWD, path, FILE_MAX, ret, NULL);
	if (r == -ENOENT)
		return mrg_error_set(err, -MRG_E_NOT_FOUND, "libvirt has no domain named '%s'", name);
	return r < 0 ? fail_errno(err, r, "cannot read '%s'", path) : 0;
}

/* ---- what runs ---------------------------------------------------------------------------- */

/* The value of the first attribute @name='...' in the @length bytes of a tag, or NULL. */
static const char *attribute(const char *tag, size_t length, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i + n + 3 <= length; i++)
		if (tag[i] == ' ' && strncmp(tag + i + 1, name, n) == 0 && tag[i + 1 + n] == '=' && tag[i + 2 + n] == '\'')
			return tag + i + 3 + n;
	return NULL;
}

static pid_t pid_in(const char *tag, const char *name)
{
	const char *value = attribute(tag, strcspn(tag, ">"), name);
	unsigned long pid = value ? strtoul(value, NULL, 10) : 0;

	return pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

/* In text that libvirt wrote '<' begins a tag wherever it stands, and the state comes before the domain. Metadata of users may hold elements of any
 * name, but comes before the devices. */
int libvirt_parse_note(const char *text, struct libvirt_note *ret)
{
	struct libvirt_note note = { 0 };
	const char *status = strstr(text, "<domstatus "), *domain = status ? strstr(status, "<domain ") : NULL;
	const char *init = status ? strstr(status, "<init "): NULL, *devices = NULL, *console, *tty;

	if (!domain)
		return -EINVAL;
	note.controller = pid_in(status, "pid");
	if (init && init < domain)
		note.init = pid_in(init, "pid");
	for (const char *d = domain; (d = strstr(d, "<devices>")); d++)
		devices = d;
	console = devices ? strstr(devices, "<console ") : NULL;
	tty = console ? attribute(console, strcspn(console, ">"), "tty") : NULL;
	if (tty)
		snprintf(note.console, sizeof(note.console), "%.*s", (int)strcspn(tty, "'"), tty);
	*ret = note;
	return 0;
}

int libvirt_read_note(const char *name, struct libvirt_note *ret)
{
	_cleanup_free_ char *text = NULL;
	char path[FILE_SIZE];

	path_of(path, LIBVIRT_STATE_DIR, name);
	return fd_read_file(AT_FDCWD, path, FILE_MAX, &text, NULL) == 0 && libvirt_parse_note(text, ret) == 0;
}

bool libvirt_knows(const char *name)
{
	struct libvirt_note note;

	return libvirt_is_defined(name) || libvirt_read_note(name, &note);
}

/* A number in /proc/PID/status behind @key, the last of several; 0: none. *@ret_count: how many. */
static unsigned long status_number(const char *text, const char *key, size_t *ret_count)
{
	const char *at = strstr(text, key);
	unsigned long last = 0;
	char *end;

	*ret_count = 0;
	for (at = at ? at + strlen(key) : NULL; at && *at != '\n'; at = end) {
		unsigned long value = strtoul(at, &end, 10);

		if (end == at)
			break;
		last = value;
		++*ret_count;
	}
	return last;
}

/* Whether it is the first process of a pid namespace below ours, and the controller's child: a pid that libvirt noted may have been used again. The
 * child of a controller that was killed is told by the cgroup, which has the controller's pid in its name. */
static bool is_init(pid_t pid, pid_t controller)
{
	_cleanup_free_ char *status = NULL, *cgroups = NULL;
	char path[64], number[32];
	size_t depth, parents;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (fd_read_virtual(AT_FDCWD, path, 1 << 20, &status, NULL) < 0)
		return false;
	if (status_number(status, "\nNSpid:", &depth) != 1 || depth < 2)
		return false;
	if (status_number(status, "\nPPid:", &parents) == (unsigned long)controller)
		return true;
	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	snprintf(number, sizeof(number), "%d", (int)controller);
	return fd_read_virtual(AT_FDCWD, path, 1 << 20, &cgroups, NULL) == 0 && strstr(cgroups, "lxc") && strstr(cgroups, number);
}

static int open_init(pid_t pid, pid_t controller, struct mrg_process *ret)
{
	struct mrg_process process = { .pid = pid, .pidfd = -1 };

	if (pid <= 0 || proc_start_time(pid, &process.start_time) < 0 || proc_is_ending(pid) || !is_init(pid, controller))
		return 0;
	process.pidfd = proc_open(pid, process.start_time);
	if (process.pidfd < 0)
		return 0;
	*ret = process;
	return 1;
}

/* libvirt notes the init a little after the start, and the controller at once. */
static int find_child(pid_t controller, struct mrg_process *ret)
{
	_cleanup_free_ char *text = NULL;
	char path[64], *at, *end;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)controller, (int)controller);
	if (fd_read_virtual(AT_FDCWD, path, 1 << 16, &text, NULL) < 0)
		return 0;
	for (at = text; *at; at = end) {
		unsigned long pid = strtoul(at, &end, 10);

		if (end == at)
			break;
		if (pid <= INT32_MAX && open_init((pid_t)pid, controller, ret))
			return 1;
		end += *end == ' ';
	}
	return 0;
}

int libvirt_find_init(const char *name, struct mrg_process *ret)
{
	struct libvirt_note note;

	if (!libvirt_read_note(name, &note) || note.controller <= 0)
		return 0;
	return open_init(note.init, note.controller, ret) || find_child(note.controller, ret);
}

/* ---- all of them --------------------------------------------------------------------------- */

static int collect(const char *dir, char ***names)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	struct dirent *entry;
	int r = 0;

	while (d && r == 0 && (entry = readdir(d))) {
		size_t length = strlen(entry->d_name), suffix = strlen(SUFFIX);
		_cleanup_free_ char *name = NULL;

		if (length <= suffix || strcmp(entry->d_name + length - suffix, SUFFIX) != 0 || entry->d_type == DT_DIR)
			continue;
		name = strndup(entry->d_name, length - suffix);
		if (!name)
			return -ENOMEM;
		if (!strv_contains(*names, name))
			r = strv_append(names, name);
	}
	return r;
}

int libvirt_list(void *self, const char *path, mrg_found_fn found, void *data, struct mrg_error *err)
{
	_cleanup_(strv_freep) char **names = NULL;
	int r = libvirt_check_path(path, err);

	(void)self;
	if (r < 0)
		return -MRG_E_NO_ENGINE;
	if (access(LIBVIRT_CONFIG_DIR, F_OK) < 0 && access(LIBVIRT_STATE_DIR, F_OK) < 0)
		return mrg_error_set(err, -MRG_E_NO_ENGINE, "libvirt's LXC driver is not in use here: there is no '" LIBVIRT_CONFIG_DIR "'");
	r = collect(LIBVIRT_CONFIG_DIR, &names);
	if (r == 0)
		r = collect(LIBVIRT_STATE_DIR, &names);
	if (r < 0)
		return fail_memory(err);
	for (size_t i = 0; names && names[i] && r == 0; i++)
		if (libvirt_knows(names[i]))
			r = found(&(struct mrg_found){ .name = names[i] }, data);
	return r;
}

int libvirt_find(void *self, const char *path, const char *name, struct mrg_error *err)
{
	(void)self;
	(void)err;
	return libvirt_check_path(path, NULL) == 0 && libvirt_knows(name);
}
