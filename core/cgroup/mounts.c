/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the hierarchies are mounted. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/cgroup/cgroup.h"
#include "core/cgroup/user.h"
#include "core/context.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/mountinfo.h"
#include "core/util/names.h"

#define TOP		"/sys/fs/cgroup"
#define UNIFIED		TOP "/unified"
#define FREEZER		"freezer"
#define INITIAL_NS	0xeffffffbU	/* inode number of the cgroup namespace that the kernel begins with */

/* ---- as mountinfo tells ---------------------------------------------------------------------- */

bool cgroup_parse_mount(char *line, struct cgroup_mount *ret)
{
	char *save, *type, *tail = strstr(line, " - ");
	struct cgroup_mount m = { 0 };
	char *number;

	if (!tail)
		return false;
	*tail = '\0';
	type = strtok_r(tail + 3, " ", &save);
	if (!type || (strcmp(type, "cgroup") != 0 && strcmp(type, "cgroup2") != 0))
		return false;
	m.version = strcmp(type, "cgroup2") == 0 ? 2 : 1;
	strtok_r(NULL, " ", &save);
	tail = strtok_r(NULL, " \n", &save);
	if (m.version == 1)
		m.controllers = cgroup_controllers_parse(tail ? tail : "", ",");
	strtok_r(line, " ", &save);
	strtok_r(NULL, " ", &save);
	number = strtok_r(NULL, " ", &save);
	m.root = strtok_r(NULL, " ", &save);
	m.path = strtok_r(NULL, " ", &save);
	if (!m.path || sscanf(number, "%u:%u", &m.major, &m.minor) != 2)
		return false;
	mountinfo_unescape(m.root);
	mountinfo_unescape(m.path);
	/* A root above the cgroup namespace: what lies there is none of ours. */
	if (strcmp(m.root, "/..") == 0 || strncmp(m.root, "/../", 4) == 0)
		return false;
	*ret = m;
	return m.version == 2 || m.controllers != 0;
}

/* Takes the mount @path in if it is what is visible there. */
static int add_mount(struct cgroup *cg, const char *path, const struct cgroup_mount *mount)
{
	_cleanup_close_ int fd = -1;
	struct statfs fs;
	struct stat st;

	if (cg->n == ARRAY_SIZE(cg->item))
		return 0;
	for (size_t i = 0; i < cg->n; i++)
		if (cg->item[i].version == mount->version &&
		    (mount->version == 2 || (cg->item[i].controllers & mount->controllers)))
			return 0;
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : 0;
	/* Something else may be mounted over it since, or at that place at all. */
	if (fstatfs(fd, &fs) < 0 || (unsigned long)fs.f_type != (mount->version == 2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC))
		return 0;
	/* As engines show them to their containers: nothing can be made there. */
	if (mount->version == 1 && fs.f_flags & ST_RDONLY)
		return 0;
	if ((mount->major || mount->minor) && (fstat(fd, &st) < 0 || st.st_dev != makedev(mount->major, mount->minor)))
		return 0;
	cg->item[cg->n++] = (struct cgroup_hierarchy) {
		.version = mount->version, .controllers = mount->controllers, .root = take_fd(&fd), .dir = -1,
	};
	return 0;
}

/* @v2: the only place where version 2 counts; NULL: anywhere. */
static int read_mountinfo(struct cgroup *cg, const char *v2)
{
	_cleanup_free_ char *text = NULL;
	char *line, *save;
	int r = fd_read_virtual(AT_FDCWD, "/proc/self/mountinfo", 64 << 20, &text, NULL);

	if (r < 0)
		return r;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct cgroup_mount mount;

		if (cgroup_parse_mount(line, &mount) && (mount.version == 1 || !v2 || strcmp(mount.path, v2) == 0)) {
			r = add_mount(cg, mount.path, &mount);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* ---- at the usual places --------------------------------------------------------------------- */

/* Takes in what is mounted at @path if it is of the kind of @mount. */
static bool add_at(struct cgroup *cg, const char *path, const struct cgroup_mount *mount)
{
	size_t n = cg->n;

	return add_mount(cg, path, mount) == 0 && cg->n > n;
}

static bool add_v2(struct cgroup *cg, const char *path)
{
	return add_at(cg, path, &(struct cgroup_mount){ .version = 2 });
}

void cgroup_look_begin(struct mrg_look *look)
{
	struct cgroup cg = CGROUP_INIT;
	int r;

	look->cgroups_unified = add_v2(&cg, TOP);
	look->cgroups = (struct look_names){ 0 };
	if (!look->cgroups_unified && !add_v2(&cg, UNIFIED))
		return;
	r = names_read(cg.item[0].root, look->cgroups_unified ? CGROUP_PARENT : ".", &look->cgroups.names);
	look->cgroups.known = (r == 0 || r == -ENOENT) && !(look->cgroups_unified && cgroup_user_has_scopes(cg.item[0].root));
	cgroup_close(&cg);
}

void cgroup_look_end(struct mrg_look *look)
{
	strings_deinit(&look->cgroups.names);
}

/* Takes in the v1 hierarchy with the controllers @names if it is mounted where it usually is, under just these names. */
static bool add_v1(struct cgroup *cg, const char *names)
{
	struct cgroup_mount mount = { .version = 1, .controllers = cgroup_controllers_parse(names, ",") };
	const char *name = strncmp(names, "name=", 5) == 0 ? names + 5 : names;
	char path[128];

	if (mount.controllers == 0) /* none that we use */
		return true;
	return snprintf(path, sizeof(path), TOP "/%s", name) < (int)sizeof(path) && add_at(cg, path, &mount);
}

/* A mount from outside a cgroup namespace shows what lies above it, which only mountinfo tells. */
static bool is_initial_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/cgroup", &st) < 0 || st.st_ino == INITIAL_NS;
}

/* The hierarchies of v1 that the kernel lists, or of them only the one with the controllers @only. */
static bool find_usual(struct cgroup *cg, const char *only)
{
	_cleanup_free_ char *text = NULL;
	char *line, *save;

	if (!is_initial_namespace() || fd_read_virtual(AT_FDCWD, "/proc/self/cgroup", 1 << 20, &text, NULL) < 0)
		return false;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *names = strchr(line, ':'), *end = names ? strchr(++names, ':') : NULL;

		if (!end)
			return false;
		*end = '\0';
		if ((!only || strcmp(names, only) == 0) && !add_v1(cg, names))
			return false;
	}
	return cg->n > 0;
}

static void forget(struct cgroup *cg)
{
	while (cg->n > 0)
		fd_close(cg->item[--cg->n].root);
}

/*
 * Reading mountinfo takes several times as long, on hosts with thousands of mounts very long: it is for hosts where a hierarchy of v1
 * is somewhere else. Which one tracks must come out the same with @tracker_only and without: so v2 somewhere else counts only where the
 * freezer of v1, the second choice, is not at its usual place either.
 */
int cgroup_find_mounts(struct cgroup *cg, bool tracker_only)
{
	bool unified;

	cg->unified_only = add_v2(cg, TOP);
	if (cg->unified_only)
		return 0;
	unified = add_v2(cg, UNIFIED);
	if (unified && tracker_only)
		return 0;
	if (find_usual(cg, tracker_only ? FREEZER : NULL))
		return 0;
	forget(cg);
	unified = unified || find_usual(cg, FREEZER);
	forget(cg);
	return read_mountinfo(cg, unified ? UNIFIED : NULL);
}
