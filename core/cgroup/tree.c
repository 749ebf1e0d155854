/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The directories of one container in the hierarchies. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/cgroup/cgroup.h"
#include "core/cgroup/user.h"
#include "core/context.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/path.h"
#include "core/util/proc.h"
#include "core/util/str.h"

#define DEPTH_MAX	256

/* Marks the directories of a PARENT given by the user that we made, and may remove. */
#define OURS		"trusted.moorage"

static const struct {
	unsigned int bit;
	const char *v1, *v2;
} controllers[] = {
	{ CGROUP_CPU, "cpu", "cpu" },
	{ CGROUP_CPUACCT, "cpuacct", "cpuacct" },
	{ CGROUP_CPUSET, "cpuset", "cpuset" },
	{ CGROUP_MEMORY, "memory", "memory" },
	{ CGROUP_IO, "blkio", "io" },
	{ CGROUP_PIDS, "pids", "pids" },
	{ CGROUP_HUGETLB, "hugetlb", "hugetlb" },
	{ CGROUP_DEVICES, "devices", "devices" },
	{ CGROUP_FREEZER, "freezer", "freezer" },
	{ CGROUP_SYSTEMD, "name=systemd", "name=systemd" },
	{ CGROUP_RDMA, "rdma", "rdma" },
	{ CGROUP_MISC, "misc", "misc" },
};

int cgroup_fail(struct mrg_error *err, int code, const char *format, ...)
{
	static const int taken[] = { MRG_E_NOT_FOUND, MRG_E_EXISTS, MRG_E_STATE, MRG_E_BUSY, MRG_E_NOT_RUNNING };
	const char *reason = strerrordesc_np(-code);
	va_list args;

	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		if (code == -taken[i])
			code = -EIO;
	va_start(args, format);
	mrg_error_setv(err, code, format, args);
	va_end(args);
	if (err) {
		size_t length = strlen(err->message);

		snprintf(err->message + length, sizeof(err->message) - length, ": %s", reason ? reason : "unknown error");
	}
	return code;
}

static bool is(const char *word, const char *name, size_t length)
{
	return strlen(word) == length && memcmp(word, name, length) == 0;
}

unsigned int cgroup_controller(const char *name, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++)
		if (is(controllers[i].v1, name, length) || is(controllers[i].v2, name, length))
			return controllers[i].bit;
	return 0;
}

const char *cgroup_controller_name(unsigned int set, int version)
{
	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++)
		if (set & controllers[i].bit)
			return version == 1 ? controllers[i].v1 : controllers[i].v2;
	return "";
}

unsigned int cgroup_controllers_parse(const char *text, const char *separators)
{
	unsigned int set = 0;

	while (*text) {
		size_t length = strcspn(text, separators);

		set |= cgroup_controller(text, length);
		text += length;
		text += strspn(text, separators);
	}
	return set;
}

static int check_parent(const char *path, size_t length, struct mrg_error *err)
{
	if (length >= CGROUP_PATH_SIZE - CGROUP_LEAF_SIZE - 1 || memchr(path, '\n', length))
		return mrg_error_set(err, -MRG_E_INVALID, "linux.cgroupsPath: no usable path");
	for (size_t i = 0; i < length; ) {
		size_t n = strcspn(path + i, "/");

		n = n < length - i ? n : length - i;
		if (n == 0 || n > NAME_MAX || is(".", path + i, n) || is("..", path + i, n))
			return mrg_error_set(err, -MRG_E_INVALID,
					     "linux.cgroupsPath: '%.*s' has an empty, '.', '..' or too long component",
					     (int)length, path);
		i += n + 1;
	}
	return 0;
}

static int name_given(struct cgroup *cg, const char *path, struct mrg_error *err)
{
	const char *slash;
	int r;

	path += strspn(path, "/");
	r = check_parent(path, strlen(path), err);
	if (r < 0)
		return r;
	snprintf(cg->path, sizeof(cg->path), "%s", path);
	slash = strrchr(cg->path, '/');
	cg->leaf = slash ? slash + 1 : cg->path;
	snprintf(cg->parent, sizeof(cg->parent), "%.*s", slash ? (int)(slash - cg->path) : 0, cg->path);
	return 0;
}

/* Where all hierarchies are one, ours have a parent of their own, which a name need not tell. */
static const char *default_prefix(bool unified_only)
{
	return unified_only ? "" : CGROUP_PARENT "-";
}

int cgroup_name(struct cgroup *cg, const struct mrg_unit *unit, struct mrg_error *err)
{
	const char *parent = cg->unified_only ? CGROUP_PARENT : "", *prefix = default_prefix(cg->unified_only);
	size_t length;
	int r;

	cg->own_parent = !unit->cgroup;
	if (unit->cgroup)
		return name_given(cg, unit->cgroup, err);
	if (unit->spec && mrg_fields_has(&unit->spec->set, MRG_FIELD_CGROUPS_PATH) && unit->spec->cgroups_path) {
		parent = unit->spec->cgroups_path;
		prefix = "";
		cg->own_parent = false;
	}
	parent += strspn(parent, "/");
	length = strlen(parent);
	while (length > 0 && parent[length - 1] == '/')
		length--;
	r = length > 0 || !cg->own_parent ? check_parent(parent, length, err) : 0;
	if (r < 0)
		return r;
	snprintf(cg->parent, sizeof(cg->parent), "%.*s", (int)length, parent);
	length += length > 0;
	snprintf(cg->path, sizeof(cg->path), "%.*s%s%s%s-%s", (int)(sizeof(cg->parent) - CGROUP_LEAF_SIZE - 2), cg->parent,
		 length > 0 ? "/" : "", prefix, unit->name, unit->id);
	cg->leaf = cg->path + length;
	return 0;
}

static struct cgroup_hierarchy *find_member(struct cgroup *cg, unsigned int controller, int version, bool members)
{
	struct cgroup_hierarchy *h = cgroup_find(cg, controller, version);

	return h && members && h->dir < 0 ? NULL : h;
}

/* The hierarchy that tells which processes there are; with @members only one in which the directory is. */
static void choose_tracker(struct cgroup *cg, bool members)
{
	static const unsigned int preferred[] = {
		CGROUP_FREEZER, CGROUP_PIDS, CGROUP_MEMORY, CGROUP_CPU, CGROUP_DEVICES,
	};

	cg->tracker = find_member(cg, 0, 2, members);
	cg->ops = &cgroup_v2_ops;
	for (size_t i = 0; !cg->tracker && i < ARRAY_SIZE(preferred); i++) {
		cg->tracker = find_member(cg, preferred[i], 1, members);
		cg->ops = &cgroup_v1_ops;
	}
}

static int open_directory(const struct cgroup *cg, struct cgroup_hierarchy *h, struct mrg_error *err)
{
	h->dir = path_open_beneath(h->root, cg->path, O_RDONLY | O_DIRECTORY, 0);
	return h->dir < 0 && h->dir != -ENOENT ? cgroup_fail(err, h->dir, "cannot open cgroup '/%s'", cg->path) : 0;
}

/* All are looked for. That of the tracking hierarchy is made first and removed last, but an init that takes the whole tree for its own, as one
 * in a container without a cgroup namespace does, removes what is empty there. */
static int open_directories(struct cgroup *cg, struct mrg_error *err)
{
	int r = 0;

	for (size_t i = 0; i < cg->n && r == 0; i++)
		r = open_directory(cg, &cg->item[i], err);
	return r;
}

/* For an ordinary user this host is one without: but for a cgroup that was named, or is there, and for a scope of the user's. */
static void leave_foreign(struct cgroup *cg, const struct mrg_unit *unit)
{
	if (!cg->tracker || cg->tracker->dir >= 0 || !cg->own_parent || faccessat(cg->tracker->root, ".", W_OK, AT_EACCESS) == 0 || errno != EACCES)
		return;
	if (cgroup_user_enter(cg, unit))
		return;
	cgroup_close(cg);
	cg->user = false;
	cg->foreign = true;
}

static int open_among(struct cgroup *cg, const struct mrg_unit *unit, bool tracker_only, struct mrg_error *err)
{
	int r = cgroup_find_mounts(cg, tracker_only);

	if (r < 0)
		r = cgroup_fail(err, r, "cannot find the mounted cgroups");
	else
		r = cgroup_name(cg, unit, err);
	if (r == 0) {
		choose_tracker(cg, false);
		r = open_directories(cg, err);
	}
	if (r < 0)
		cgroup_close(cg);
	return r;
}

int cgroup_open(struct cgroup *ret, const struct mrg_unit *unit, bool tracker_only, struct mrg_error *err)
{
	struct cgroup *cg = ret;
	int r;

	cg->n = 0;
	cg->tracker = NULL;
	cg->foreign = cg->user = false;
	r = open_among(cg, unit, tracker_only, err);
	/* An engine does not put its containers into every hierarchy. */
	if (r == 0 && unit->cgroup && tracker_only && !cgroup_is_tracked(cg)) {
		cgroup_close(cg);
		r = open_among(cg, unit, false, err);
	}
	if (r < 0)
		return r;
	if (unit->cgroup && cg->tracker && !cgroup_is_tracked(cg))
		choose_tracker(cg, true);
	leave_foreign(cg, unit);
	return 0;
}

bool cgroup_is_absent(const struct mrg_unit *unit)
{
	const struct mrg_look *look = unit->look;
	char leaf[CGROUP_LEAF_SIZE];

	if (!look || !look->cgroups.known || unit->cgroup || (unit->spec && mrg_fields_has(&unit->spec->set, MRG_FIELD_CGROUPS_PATH)))
		return false;
	snprintf(leaf, sizeof(leaf), "%s%s-%s", default_prefix(look->cgroups_unified), unit->name, unit->id);
	return !strings_find(&look->cgroups.names, leaf);
}

void cgroup_close(struct cgroup *cg)
{
	for (size_t i = 0; i < cg->n; i++) {
		fd_close(cg->item[i].root);
		fd_close(cg->item[i].dir);
	}
	cg->n = 0;
	cg->tracker = NULL;
}

struct cgroup_controllers cgroup_available(struct cgroup *cg)
{
	struct cgroup_controllers found = { 0 };

	for (size_t i = 0; i < cg->n; i++) {
		struct cgroup_hierarchy *h = &cg->item[i];
		_cleanup_free_ char *text = NULL;

		if (h->version == 1) {
			/* Inside a container the host's hierarchies may be there to be looked at only. */
			if (faccessat(h->root, ".", W_OK, AT_EACCESS) == 0 || errno != EROFS)
				found.v1 |= h->controllers;
			continue;
		}
		found.unified = true;
		if (fd_read_virtual(h->root, "cgroup.controllers", 4096, &text, NULL) == 0)
			h->controllers = cgroup_controllers_parse(text, " \n");
		found.v2 |= h->controllers;
	}
	return found;
}

struct cgroup_hierarchy *cgroup_find(struct cgroup *cg, unsigned int controller, int version)
{
	for (size_t i = 0; i < cg->n; i++)
		if (cg->item[i].version == version && (version == 2 || (cg->item[i].controllers & controller)))
			return &cg->item[i];
	return NULL;
}

/* Makes @path one component after the other; marks those of a foreign PARENT. */
static int make_parents(const struct cgroup *cg, const struct cgroup_hierarchy *h)
{
	char prefix[CGROUP_PATH_SIZE];

	for (size_t end = strcspn(cg->parent, "/"); cg->parent[0]; end += 1 + strcspn(cg->parent + end + 1, "/")) {
		memcpy(prefix, cg->parent, end);
		prefix[end] = '\0';
		if (mkdirat(h->root, prefix, 0755) < 0) {
			if (errno != EEXIST)
				return -errno;
		} else if (!cg->own_parent) {
			_cleanup_close_ int fd = path_open_beneath(h->root, prefix, O_RDONLY | O_DIRECTORY, 0);

			if (fd >= 0) /* where extended attributes are missing the directory just stays */
				fsetxattr(fd, OURS, "1", 1, 0);
		}
		if (cg->parent[end] == '\0')
			break;
	}
	return 0;
}

int mrg_helper_cgroup_parents(const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	int r = cgroup_open(&cg, unit, false, err);

	for (size_t i = 0; r == 0 && i < cg.n; i++) {
		r = make_parents(&cg, &cg.item[i]);
		if (r < 0)
			cgroup_fail(err, r, "cannot make cgroup '/%s'", cg.parent);
	}
	return r;
}

/* Another container's end may remove PARENT, empty at that moment, between the two mkdirs: then again. */
int cgroup_make(struct cgroup *cg, struct cgroup_hierarchy *h)
{
	for (int tries = 0; ; tries++) {
		int r = 0;

		if (mkdirat(h->root, cg->path, 0755) == 0)
			break;
		if (errno == EEXIST)
			return -EEXIST;
		if ((errno != ENOENT && errno != ENODEV) || tries == 1000)
			return -errno;
		r = make_parents(cg, h);
		if (r < 0 && r != -ENOENT && r != -ENODEV)
			return r;
	}
	h->dir = path_open_beneath(h->root, cg->path, O_RDONLY | O_DIRECTORY, 0);
	return h->dir < 0 ? h->dir : 0;
}

static int walk(int dir, int depth, int (*found)(int dir, void *data), void *data)
{
	_cleanup_closedir_ DIR *d = NULL;
	struct dirent *entry;
	struct stat st;
	int fd, r;

	/* cgroupfs counts the directories below in the links of one: mostly there is none to look for. */
	if (fstat(dir, &st) == 0 && st.st_nlink == 2)
		return found(dir, data);
	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	d = fdopendir(fd);
	if (!d) {
		r = -errno;
		close(fd);
		return r;
	}
	while ((entry = readdir(d))) {
		_cleanup_close_ int child = -1;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if (depth == DEPTH_MAX)
			return -ELOOP;
		child = openat(dirfd(d), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child < 0 && errno == ENOENT)
			continue;
		r = child < 0 ? -errno : walk(child, depth + 1, found, data);
		if (r != 0)
			return r;
	}
	return found(dir, data);
}

int cgroup_walk(int dir, int (*found)(int dir, void *data), void *data)
{
	return walk(dir, 0, found, data);
}

/* Removes what is below @dir. The kernel says EBUSY for a moment after the last process went. */
static int remove_children(int dir, int depth, int64_t deadline)
{
	_cleanup_closedir_ DIR *d = NULL;
	struct dirent *entry;
	int fd, r = 0;

	fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		r = -errno;
		fd_close(fd);
		/* Somebody else has removed it. */
		return r == -ENOENT || r == -ENODEV ? 0 : r;
	}
	while (r == 0 && (entry = readdir(d))) {
		_cleanup_close_ int child = -1;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if (depth == DEPTH_MAX)
			return -ELOOP;
		child = openat(dir, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = child < 0 ? (errno == ENOENT ? 0 : -errno) : remove_children(child, depth + 1, deadline);
		while (r == 0 && unlinkat(dir, entry->d_name, AT_REMOVEDIR) < 0 && errno != ENOENT) {
			if (errno != EBUSY || time_monotonic_ms() > deadline)
				r = -errno;
			else
				poll(NULL, 0, 1);
		}
	}
	return r;
}

/* Nobody is left in the tracking hierarchy: who is still in another one is looked for only when that says it is in use. */
static int remove_own(const struct cgroup *cg, struct cgroup_hierarchy *h, int64_t deadline)
{
	while (unlinkat(h->root, cg->path, AT_REMOVEDIR) < 0 && errno != ENOENT) {
		int r;

		if (errno != EBUSY && errno != ENOTEMPTY)
			return -errno;
		if (time_monotonic_ms() > deadline)
			return -EBUSY;
		if (h->version == 1)
			cgroup_kill_strays(h);
		r = remove_children(h->dir, 0, deadline);
		if (r < 0)
			return r;
		poll(NULL, 0, 1);
	}
	h->dir = fd_close(h->dir);
	return 0;
}

/* From the innermost up; the first that is not empty or not ours ends it. */
static void remove_parents(const struct cgroup *cg, const struct cgroup_hierarchy *h)
{
	char path[CGROUP_PATH_SIZE];
	char *slash;

	snprintf(path, sizeof(path), "%s", cg->parent);
	while (path[0]) {
		if (!cg->own_parent) {
			_cleanup_close_ int fd = path_open_beneath(h->root, path, O_RDONLY | O_DIRECTORY, 0);
			char value;

			if (fd < 0 || fgetxattr(fd, OURS, &value, 1) != 1)
				return;
		}
		if (unlinkat(h->root, path, AT_REMOVEDIR) < 0)
			return;
		slash = strrchr(path, '/');
		path[slash ? slash - path : 0] = '\0';
	}
}

static int remove_in(struct cgroup *cg, struct cgroup_hierarchy *h, int64_t deadline)
{
	int r = h->dir < 0 ? 0 : remove_own(cg, h, deadline);

	if (r == 0)
		remove_parents(cg, h);
	return r;
}

int cgroup_remove(struct cgroup *cg, int timeout_ms)
{
	int64_t deadline = time_monotonic_ms() + timeout_ms;
	int r = 0;

	for (size_t i = 0; i < cg->n; i++) {
		int e = &cg->item[i] == cg->tracker ? 0 : remove_in(cg, &cg->item[i], deadline);

		r = e < 0 ? e : r;
	}
	/* Last: as long as it is there, others look for what is left. */
	return r == 0 && cg->tracker ? remove_in(cg, cg->tracker, deadline) : r;
}
