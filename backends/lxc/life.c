/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration of one life, over that of the file: where LXC's way is not exact enough, or its traces could not be told from others'. */

#include "config.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "start.h"

#include "core/util/cleanup.h"
#include "core/util/json.h"
#include "core/util/str.h"

static int set_item(struct lxc_container *c, const char *key, const char *value, struct mrg_error *err)
{
	if (c->set_config_item(c, key, value))
		return 0;
	return mrg_error_set(err, -MRG_E_INVALID, "LXC does not take '%s = %s'", key, value);
}

/* Of some that are not set LXC says "(null)". */
static bool has_item(struct lxc_container *c, const char *key)
{
	char value[PATH_MAX];
	int n = c->get_config_item(c, key, value, sizeof(value));

	return n > 0 && ((size_t)n >= sizeof(value) || strcmp(value, "(null)") != 0);
}

/* Not by lxc_log_init(), which writes to standard error as well, whatever it is told. */
static int set_log(const struct lxc_start *s, struct lxc_container *c, struct mrg_error *err)
{
	char path[32];
	int r;

	if (has_item(c, "lxc.log.file"))
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", s->log);
	r = set_item(c, "lxc.log.file", path, err);
	return r < 0 ? r : set_item(c, "lxc.log.level", "ERROR", err);
}

/* As LXC wants it: an ordinary user's counts from the cgroup that LXC is started in. */
static const char *path_for_lxc(const char *path)
{
	return lxc_is_user() ? strrchr(path, '/') + 1 : path + 1;
}

/* Names that are used once, so that what a killed life has left is told from all others. Not where the configuration has
 * its own division. */
static int set_cgroups(const struct lxc_start *s, struct lxc_container *c, struct mrg_error *err)
{
	char path[PATH_MAX];
	int r;

	if (has_item(c, "lxc.cgroup.dir.container") || has_item(c, "lxc.cgroup.dir.monitor"))
		return 0;
	if (has_item(c, "lxc.cgroup.dir"))
		c->clear_config_item(c, "lxc.cgroup.dir");
	r = lxc_cgroup_path(s->unit, LXC_CGROUP_MONITOR, path, err);
	if (r == 0)
		r = set_item(c, "lxc.cgroup.dir.monitor", path_for_lxc(path), err);
	if (r == 0)
		r = lxc_cgroup_path(s->unit, LXC_CGROUP_PAYLOAD, path, err);
	if (r == 0)
		r = set_item(c, "lxc.cgroup.dir.container", path_for_lxc(path), err);
	/* LXC would leave the monitor's own before it ends, to remove it, and wait for the kernel. Where no cgroup can be it cannot: it stays, and the
	 * cleanup removes what is empty then. What others made may reboot, for which LXC makes it anew; ours has been handed what it needs once: its
	 * reboot is its end, as with other backends. */
	return r < 0 || !lxc_has_init(s) ? r : set_item(c, "lxc.cgroup.dir.monitor.pivot", LXC_NO_CGROUP, err);
}

/* Without a terminal LXC makes none, and the streams stay what they are. */
static int set_console(const struct lxc_start *s, struct lxc_container *c, struct mrg_error *err)
{
	return s->io.terminal ? 0 : set_item(c, "lxc.console.path", "none", err);
}

/* What is 0 of the container on the host, by lines "u 0 100000 65536". */
static void find_owner(struct lxc_container *c, uid_t *ret_uid, gid_t *ret_gid)
{
	char map[4096] = "", *save, *line;
	unsigned int inside, outside;
	char kind;

	if (c->get_config_item(c, "lxc.idmap", map, sizeof(map)) >= (int)sizeof(map))
		return;
	for (line = strtok_r(map, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (sscanf(line, "%c %u %u", &kind, &inside, &outside) == 3 && inside == 0)
			*(kind == 'u' ? ret_uid : ret_gid) = outside;
}

/* The pipes belong to the container's root: otherwise it could not open /dev/stdout again. */
static int set_streams(const struct lxc_start *s, struct lxc_container *c, struct mrg_error *err)
{
	uid_t uid = 0;
	gid_t gid = 0;

	find_owner(c, &uid, &gid);
	for (int fd = 0; uid != geteuid() && !s->io.terminal && fd < 3; fd++) {
		struct stat st;

		if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && (lxc_is_user() ? lxc_user_open_pipe(fd) : fchown(fd, uid, gid)) < 0)
			return mrg_error_set(err, -errno, "cannot give the streams to the container: %s", strerror(errno));
	}
	return 0;
}

/* ---- mounts ------------------------------------------------------------------------------------------ */

/* Otherwise what the host mounts later appears inside: LXC makes its mounts from those of the host. */
static int set_propagation(const struct lxc_start *s, struct lxc_container *c _unused_, struct mrg_error *err)
{
	const char *propagation = s->unit->spec->rootfs_propagation;

	/* Ordinary users may not: moorage-init does it, in their user namespace. */
	if (s->unit->adopted || lxc_is_user() || !propagation || !strstr(propagation, "private"))
		return 0;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0)
		return mrg_error_set(err, -errno, "cannot separate the mounts from the host's: %s", strerror(errno));
	return 0;
}

/* The throw-away layer is on a file system that nobody sees but this life, in the place of the container's own directory, and goes with it. */
static int make_layer(const struct lxc_start *s, char upper[PATH_MAX], struct mrg_error *err)
{
	struct stat st;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0 ||
	    mount("tmpfs", s->dir, "tmpfs", MS_NOSUID | MS_NODEV, "mode=700") < 0)
		return mrg_error_set(err, -errno, "cannot make the layer over the root: %s", strerror(errno));
	if (snprintf(upper, PATH_MAX, "%s/upper", s->dir) >= PATH_MAX)
		return mrg_error_set(err, -ENAMETOOLONG, "the path of the container's directory is too long");
	/* The root looks as its upper layer does. */
	if (stat(s->unit->spec->root_path, &st) < 0 || mkdir(upper, 0) < 0 || chown(upper, st.st_uid, st.st_gid) < 0 ||
	    chmod(upper, st.st_mode & 07777) < 0)
		return mrg_error_set(err, -errno, "cannot make the layer over the root: %s", strerror(errno));
	return 0;
}

static int set_layer(const struct lxc_start *s, struct lxc_container *c, struct mrg_error *err)
{
	const struct mrg_spec *spec = s->unit->spec;
	_cleanup_(buffer_deinit) struct buffer b = { 0 };
	char path[PATH_MAX];
	int r;

	if (s->unit->adopted || !spec->ephemeral)
		return 0;
	r = make_layer(s, path, err);
	if (r < 0)
		return r;
	buffer_addf(&b, "overlay:%s:%s", spec->root_path, path);
	if (b.failed)
		return mrg_error_set(err, -ENOMEM, "out of memory");
	r = set_item(c, "lxc.rootfs.path", b.text, err);
	return r < 0 ? r : set_item(c, "lxc.rootfs.options", spec->root_readonly ? "ro" : "rw", err);
}

/* Whether the line is as the format writes one of those that moorage-init sees to. */
static bool is_hiding(const char *line)
{
	static const struct { const char *begin, *end; } forms[] = {
		{ "/dev/null ", " none bind,optional 0 0" }, { "tmpfs ", " tmpfs ro,optional,size=4k 0 0" },
		{ "", " none rbind,ro,optional,relative 0 0" },
	};
	size_t length = strlen(line);

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		size_t end = strlen(forms[i].end);

		if (length > end && strncmp(line, forms[i].begin, strlen(forms[i].begin)) == 0 && strcmp(line + length - end, forms[i].end) == 0)
			return true;
	}
	return false;
}

/* Layers are of one mount: what the host has mounted below its root is not in them. */
static int set_host_mount(const char *path, int is_directory, void *container, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer b = { 0 };

	buffer_addf(&b, "%s %s none bind,ro,nodev,create=%s 0 0", path, path + 1, is_directory ? "dir" : "file");
	return b.failed ? mrg_error_set(err, -ENOMEM, "out of memory") : set_item(container, "lxc.mount.entry", b.text, err);
}

/* The host's own mounts come before those of the container, which may lie in them. */
static int set_entries(const struct lxc_start *s, struct lxc_container *c, struct mrg_error *err)
{
	const struct mrg_spec *spec = s->unit->spec;
	bool hides = lxc_has_init(s) && lxc_hides(spec), host = !s->unit->adopted && strcmp(spec->root_path, "/") == 0;
	int length = c->get_config_item(c, "lxc.mount.entry", NULL, 0), r = 0;
	_cleanup_free_ char *lines = NULL;
	char *save, *line;

	if (!hides && !host)
		return 0;
	length = length < 0 ? 0 : length;
	lines = calloc(1, (size_t)length + 1);
	if (!lines || (length > 0 && c->get_config_item(c, "lxc.mount.entry", lines, length + 1) != length))
		return mrg_error_set(err, -ENOMEM, "cannot read the mounts of the configuration");
	c->clear_config_item(c, "lxc.mount.entry");
	if (host)
		r = mrg_helper_host_mounts(set_host_mount, c, err);
	for (line = strtok_r(lines, "\n", &save); r == 0 && line; line = strtok_r(NULL, "\n", &save))
		if (!hides || !is_hiding(line))
			r = set_item(c, "lxc.mount.entry", line, err);
	return r;
}

/* ---- what moorage-init sees to ----------------------------------------------------------------------- */

/* Whether clearing what fields hold has cleared this key too, which no field holds. A filter of the spec takes the place of LXC's. */
static bool is_cleared(const struct mrg_spec *spec, const char *key)
{
	static const char *const begins[] = { "lxc.sysctl.", "lxc.cgroup.", "lxc.cgroup2." };
	static const char *const others[] = { "lxc.cgroup.dir", "lxc.cgroup.relative", "lxc.cgroup.devices.", "lxc.cgroup2.devices." };
	bool cleared = strcmp(key, "lxc.seccomp.profile") == 0 && !spec->seccomp && !spec->seccomp_profile;

	for (size_t i = 0; i < ARRAY_SIZE(begins); i++)
		cleared |= strncmp(key, begins[i], strlen(begins[i])) == 0;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		cleared &= strncmp(key, others[i], strlen(others[i])) != 0;
	return cleared;
}

/* The lines that are kept verbatim. */
static int restore_kept(const struct mrg_spec *spec, struct lxc_container *c, struct mrg_error *err)
{
	_cleanup_(json_freep) struct json *native = NULL;
	const struct json *lxc;
	int r = spec->native_json ? json_parse(spec->native_json, strlen(spec->native_json), &native, err) : 0;

	lxc = native ? json_member(native, "lxc") : NULL;
	for (const struct json *key = lxc ? lxc->first : NULL; key && r == 0; key = key->next)
		for (const struct json *value = is_cleared(spec, key->key) ? key->first : NULL; value && r == 0; value = value->next)
			r = set_item(c, key->key, value->text, err);
	return r;
}

/* It begins as root. Limits are set by the core while it waits. */
static int set_process(const struct lxc_start *s, struct lxc_container *c, struct mrg_error *err)
{
	static const char *const others[] = {
		"lxc.init.cwd", "lxc.init.groups", "lxc.seccomp.profile", "lxc.sysctl", "lxc.cgroup", "lxc.cgroup2",
	};
	int r;

	if (!lxc_has_init(s))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		c->clear_config_item(c, others[i]);
	r = restore_kept(s->unit->spec, c, err);
	if (r == 0)
		r = set_item(c, "lxc.init.uid", "0", err);
	return r < 0 ? r : set_item(c, "lxc.init.gid", "0", err);
}

/* What it needs before it takes the rest away. */
static int set_caps(const struct lxc_start *s, struct lxc_container *c, struct mrg_error *err)
{
	static const unsigned int needed[] = { CAP_CHOWN, CAP_SETGID, CAP_SETUID, CAP_SETPCAP, CAP_SYS_ADMIN };
	const struct mrg_spec *spec = s->unit->spec;
	_cleanup_(buffer_deinit) struct buffer b = { 0 };
	uint64_t keep = spec->cap_bounding;

	if (!lxc_has_init(s) || !mrg_fields_has(&spec->set, MRG_FIELD_CAP_BOUNDING))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		keep |= UINT64_C(1) << needed[i];
	for (unsigned int n = 0; n <= CAPABILITY_LAST; n++)
		if (keep >> n & 1)
			buffer_addf(&b, "%s%u", b.length ? " " : "", n);
	if (b.failed)
		return mrg_error_set(err, -ENOMEM, "out of memory");
	c->clear_config_item(c, "lxc.cap.drop");
	c->clear_config_item(c, "lxc.cap.keep");
	return set_item(c, "lxc.cap.keep", b.text, err);
}

/* ---- ids --------------------------------------------------------------------------------------------- */

/* PATH without the directories that have @program. */
static int path_without(const char *program, struct buffer *ret)
{
	_cleanup_free_ char *path = strdup(getenv("PATH") ? getenv("PATH") : "");
	char *save, *dir;

	if (!path)
		return -ENOMEM;
	for (dir = strtok_r(path, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
		_cleanup_close_ int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0 && faccessat(fd, program, F_OK, 0) < 0)
			buffer_addf(ret, "%s%s", ret->length ? ":" : "", dir);
	}
	buffer_add(ret, "", 0);
	return ret->failed ? -ENOMEM : 0;
}

/* Where LXC finds newuidmap(1) it wants it to allow root the ids as well (conf.c, lxc_map_ids()); ours were chosen with /etc/subuid in sight, also for
 * "moorage", and those of a map that the user gave are the user's to give. */
static int set_mapper(const struct lxc_start *s, struct lxc_container *c, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer b = { 0 };

	if (s->unit->adopted || lxc_is_user() || c->get_config_item(c, "lxc.idmap", NULL, 0) <= 0)
		return 0;
	if (path_without("newuidmap", &b) < 0 || setenv("PATH", b.text, 1) < 0)
		return mrg_error_set(err, -ENOMEM, "out of memory");
	return 0;
}

int lxc_configure_life(const struct lxc_start *s, struct lxc_container *c, struct mrg_error *err)
{
	static int (*const steps[])(const struct lxc_start *s, struct lxc_container *c, struct mrg_error *err) = {
		set_log, set_propagation, set_layer, set_cgroups, set_console, set_streams, set_entries, set_process, set_caps,
		set_mapper,
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(steps) && r == 0; i++)
		r = steps[i](s, c, err);
	c->want_daemonize(c, false);
	c->want_close_all_fds(c, true);
	return r;
}
