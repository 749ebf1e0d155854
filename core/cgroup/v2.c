/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cgroup v2: telling, freezing, killing; enabling controllers on the way down; where a process may enter. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/cgroup/cgroup.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/path.h"
#include "core/util/proc.h"
#include "core/util/str.h"

/* A key of cgroup.events, which the kernel keeps for the whole subtree. */
static int event(const struct cgroup *cg, const char *key)
{
	uint64_t value;
	int r;

	if (cg->tracker->dir < 0)
		return 0;
	r = cgroup_read_number(cg->tracker->dir, "cgroup.events", key, &value);
	if (r == -ENODEV || r == -ENOENT || r == -ENODATA) /* removed meanwhile; or no freezer before Linux 5.2 */
		return 0;
	return r < 0 ? r : value != 0;
}

static int v2_populated(const struct cgroup *cg)
{
	return event(cg, "populated");
}

static int v2_frozen(const struct cgroup *cg)
{
	return event(cg, "frozen");
}

/* Waits until cgroup.events tells what is wanted; the kernel wakes pollers at each change. */
static int wait_frozen(const struct cgroup *cg, bool freeze, int timeout_ms)
{
	int64_t deadline = time_monotonic_ms() + timeout_ms;
	_cleanup_close_ int fd = openat(cg->tracker->dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
	struct pollfd p = { .fd = fd, .events = POLLPRI };

	if (fd < 0)
		return -errno;
	for (;;) {
		char text[256];
		ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
		int64_t left = deadline - time_monotonic_ms();

		if (n < 0)
			return -errno;
		text[n] = '\0';
		if (strstr(text, freeze ? "frozen 1" : "frozen 0"))
			return 0;
		if (left <= 0)
			return -ETIMEDOUT;
		poll(&p, 1, (int)left);
	}
}

static int v2_freeze(const struct cgroup *cg, bool freeze, int timeout_ms)
{
	int r = fd_write_file(cg->tracker->dir, "cgroup.freeze", freeze ? "1" : "0");

	return r < 0 || timeout_ms <= 0 ? r : wait_frozen(cg, freeze, timeout_ms);
}

static int v2_kill(const struct cgroup *cg)
{
	int r = fd_write_file(cg->tracker->dir, "cgroup.kill", "1");

	return r == -ENOENT ? cgroup_kill_frozen(cg) : r;
}

const struct cgroup_ops cgroup_v2_ops = {
	.populated = v2_populated,
	.frozen = v2_frozen,
	.freeze = v2_freeze,
	.kill = v2_kill,
};

/* Writes "+NAME" for each of @wanted into cgroup.subtree_control of @path. */
static int enable_in(int root, const char *path, unsigned int wanted)
{
	_cleanup_close_ int dir = path_open_beneath(root, path, O_RDONLY | O_DIRECTORY, 0);
	_cleanup_free_ char *enabled = NULL;
	char *word, *save, text[256] = "";
	int r;

	if (dir < 0)
		return dir;
	r = fd_read_virtual(dir, "cgroup.subtree_control", 4096, &enabled, NULL);
	if (r < 0)
		return r;
	for (word = strtok_r(enabled, " \n", &save); word; word = strtok_r(NULL, " \n", &save))
		wanted &= ~cgroup_controller(word, strlen(word));
	for (unsigned int bit = 1; bit <= wanted; bit <<= 1)
		if (wanted & bit) {
			size_t length = strlen(text);

			snprintf(text + length, sizeof(text) - length, "%s+%s", length ? " " : "",
				 cgroup_controller_name(bit, 2));
		}
	return text[0] ? fd_write_file(dir, "cgroup.subtree_control", text) : 0;
}

/* The kernel lists a controller as enabled before the cgroups below have its files. Who enables it again has waited for whoever is at it. */
int cgroup_v2_settle(struct cgroup *cg, unsigned int controller)
{
	const struct cgroup_hierarchy *h = cgroup_find(cg, 0, 2);
	_cleanup_close_ int dir = h ? path_open_beneath(h->root, cg->parent[0] ? cg->parent : ".", O_RDONLY | O_DIRECTORY, 0) : -ENOENT;
	char text[64];

	snprintf(text, sizeof(text), "+%s", cgroup_controller_name(controller, 2));
	return dir < 0 ? dir : fd_write_file(dir, "cgroup.subtree_control", text);
}

/* Whether a file that lists controllers names this one. */
static bool lists(int dir, const char *file, unsigned int controller)
{
	_cleanup_free_ char *text = NULL;

	return fd_read_virtual(dir, file, 4096, &text, NULL) == 0 && (cgroup_controllers_parse(text, " \n") & controller);
}

int cgroup_v2_example(const struct cgroup_hierarchy *h, unsigned int controller)
{
	_cleanup_closedir_ DIR *d = NULL;
	struct dirent *entry;
	int fd = openat(h->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* In a cgroup namespace the top is a cgroup as others. */
	if (fd < 0 || (faccessat(fd, "cgroup.type", F_OK, 0) == 0 && lists(fd, "cgroup.controllers", controller)))
		return fd < 0 ? -errno : fd;
	d = lists(fd, "cgroup.subtree_control", controller) ? fdopendir(fd) : NULL;
	if (!d)
		fd_close(fd);
	while (d && (entry = readdir(d)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			return openat(dirfd(d), entry->d_name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return -ENOENT;
}

static int enable_failed(int r, const char *path, unsigned int controllers, struct mrg_error *err)
{
	int code = cgroup_fail(err, r, "cannot enable the '%s' controller of cgroup v2 below '/%s'%s",
			       cgroup_controller_name(controllers, 2), path,
			       r == -EBUSY ? ", which has processes of its own" : "");

	if (r == -EBUSY)
		mrg_error_hint(err, "move its processes into a cgroup below it, or choose another with linux.cgroupsPath");
	else if (r == -ENOENT)
		mrg_error_hint(err, "enable the controller in cgroup.subtree_control of the cgroups above it");
	return code;
}

int cgroup_v2_enable(struct cgroup *cg, unsigned int controllers, unsigned int optional, struct mrg_error *err)
{
	struct cgroup_hierarchy *h = cgroup_find(cg, 0, 2);
	char prefix[CGROUP_PATH_SIZE];
	size_t end = 0;

	if (!h || !(controllers | (optional & h->controllers)))
		return 0;
	for (;;) {
		int r;

		snprintf(prefix, sizeof(prefix), "%.*s", (int)end, cg->parent);
		r = enable_in(h->root, end ? prefix : ".", controllers | (optional & h->controllers));
		if (r < 0 && (optional & h->controllers) & ~controllers)
			r = controllers ? enable_in(h->root, end ? prefix : ".", controllers) : 0;
		if (r < 0)
			return enable_failed(r, prefix, controllers, err);
		if (cg->parent[end] == '\0')
			return 0;
		end += end > 0;
		end += strcspn(cg->parent + end, "/");
	}
}

static int open_again(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* What is below the directory @leaf in @path; NULL: nothing. The scope of an ordinary user's container has the name of the directory in its own. */
static const char *find_below(const char *path, const char *leaf)
{
	size_t length = strlen(leaf);

	for (const char *at = path + 1; (at = strstr(at, leaf)); at++)
		if (at[-1] == '/' && at[length] == '/')
			return at + length + 1;
	return NULL;
}

int cgroup_v2_entry(const struct cgroup *cg, const struct mrg_unit *unit)
{
	_cleanup_free_ char *text = NULL;
	const char *below;
	char name[32], *line;
	int fd;

	if (!unit->process || unit->process->pid <= 0)
		return open_again(cg->tracker->dir);
	snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)unit->process->pid);
	if (fd_read_virtual(AT_FDCWD, name, 1 << 20, &text, NULL) == 0 && (line = strstr(text, "0::/"))) {
		line[strcspn(line, "\n")] = '\0';
		below = find_below(line, cg->leaf);
		fd = below ? path_open_beneath(cg->tracker->dir, below, O_RDONLY | O_DIRECTORY, 0) : -1;
		if (fd >= 0)
			return fd;
	}
	return open_again(cg->tracker->dir);
}
