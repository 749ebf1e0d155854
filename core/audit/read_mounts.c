/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounts: what of the host's files and sockets they show, their flags, whether later mounts of the host appear in them. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/audit/audit.h"
#include "core/util/str.h"

#define SOCKETS_DEPTH	3
#define SOCKETS_BUDGET	20000
#define SOCKETS_TOLD	256		/* of one mount */

/* Every mount of these shows the same, and what of it can be seen or written is looked at by path. */
static bool is_kernels(const char *type)
{
	static const char *const types[] = { "sysfs", "cgroup", "cgroup2", "mqueue", "debugfs", "tracefs", "securityfs", "bpf", "pstore", "efivarfs", "configfs", "selinuxfs" };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

/* ---- where in the host a mount is from ------------------------------------------------------------ */

/* The path of @mount on the host, the caller frees it: by the mount of the host that shows the same file system from nearest above. NULL: not to be seen there. */
static char *host_path(const struct audit_reading *r, const struct audit_mount *mount)
{
	const struct audit_mount *best = NULL;
	const char *rest;
	char *path;

	for (size_t i = 0; i < r->host_mounts.n; i++) {
		const struct audit_mount *h = &r->host_mounts.item[i];

		if (h->major == mount->major && h->minor == mount->minor && audit_is_below(mount->root, h->root) &&
		    (!best || strlen(h->root) > strlen(best->root)))
			best = h;
	}
	if (!best)
		return NULL;
	rest = mount->root + (strcmp(best->root, "/") == 0 ? 0 : strlen(best->root));
	if (strcmp(rest, "/") == 0)
		rest = "";
	if (asprintf(&path, "%s%s", strcmp(best->target, "/") == 0 ? "" : best->target, rest) < 0)
		return NULL;
	if (!*path) {
		free(path);
		return strdup("/");
	}
	return path;
}

/* ---- sockets ---------------------------------------------------------------------------------------- */

struct below {
	const struct audit_mount *mount;
	size_t sockets;
};

static void tell_socket(struct audit_reading *r, const struct audit_entry *entry, void *data)
{
	struct below *below = data;

	if (S_ISSOCK(entry->mode) && below->sockets++ < SOCKETS_TOLD)
		audit_add(r, "host-socket", entry->path, 1, "mountinfo", "a socket of the host, by the mount '%s'", below->mount->target);
}

/* ---- one mount ---------------------------------------------------------------------------------------- */

static bool has_option(const char *options, const char *option)
{
	size_t length = strlen(option);

	for (const char *p = options; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
		if (strncmp(p, option, length) == 0 && (p[length] == ',' || p[length] == '\0'))
			return true;
	return false;
}

static void tell_host_mount(struct audit_reading *r, const struct audit_mount *mount, const char *host)
{
	_cleanup_close_ int fd = audit_open(r, mount->target);
	struct below below = { .mount = mount };
	struct audit_walk walk = { .r = r, .budget = SOCKETS_BUDGET, .depth = SOCKETS_DEPTH, .visit = tell_socket, .data = &below };
	bool readonly = has_option(mount->options, "ro");
	struct stat st;

	/* Devices are looked at as devices. */
	if (fd < 0 || fstat(fd, &st) < 0 || S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		return;
	if (S_ISSOCK(st.st_mode)) {
		audit_add(r, "host-socket", mount->target, 1, "mountinfo", "'%s' of the host", host);
		return;
	}
	audit_add(r, "host-path", mount->target, readonly ? 1 : 2, "mountinfo", "'%s' of the host, %s", host, readonly ? "read-only" : "writable");
	if (S_ISDIR(st.st_mode) && !audit_walk(r, &walk, mount->target))
		audit_add(r, "walk", mount->target, 1, "root", "cut after %d entries: there may be more sockets", SOCKETS_BUDGET);
	if (below.sockets > SOCKETS_TOLD)
		audit_add(r, "walk", mount->target, 1, "root", "%zu sockets more", below.sockets - SOCKETS_TOLD);
}

/* What something else is mounted over is out of reach. */
static bool is_reachable(const struct audit_reading *r, const struct audit_mount *mount)
{
	_cleanup_close_ int fd = audit_open(r, mount->target);

	return fd == -EREMOTE || (fd >= 0 && audit_is_on(fd, mount));
}

static void tell_flags(struct audit_reading *r, const struct audit_mount *mount)
{
	static const struct {
		const char *target, *type, *needed[3];
	} rows[] = {
		{ "/proc", "proc", { "nosuid", "noexec", "nodev" } }, { "/sys", "sysfs", { "nosuid", "noexec", "nodev" } },
		{ "/dev", "tmpfs", { "nosuid" } }, { "/dev/shm", "tmpfs", { "nosuid", "nodev" } },
		{ "/dev/pts", "devpts", { "nosuid", "noexec" } }, { "/dev/mqueue", "mqueue", { "nosuid", "noexec", "nodev" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char missing[64] = "";

		if (strcmp(mount->target, rows[i].target) != 0 || strcmp(mount->type, rows[i].type) != 0)
			continue;
		for (size_t j = 0; j < ARRAY_SIZE(rows[i].needed) && rows[i].needed[j]; j++)
			if (!has_option(mount->options, rows[i].needed[j])) {
				strncat(missing, *missing ? "," : "", sizeof(missing) - strlen(missing) - 1);
				strncat(missing, rows[i].needed[j], sizeof(missing) - strlen(missing) - 1);
			}
		audit_add(r, "mount-flags", mount->target, *missing != '\0', "mountinfo", *missing ? "lacks %s" : "as they should be%s", missing);
	}
}

/* A peer group that the host has too: a mount made there appears here, and the other way round. */
static void tell_propagation(struct audit_reading *r, const struct audit_mount *mount)
{
	for (size_t i = 0; i < r->host_mounts.n && !r->shared[NS_MNT]; i++)
		if (mount->shared && r->host_mounts.item[i].shared == mount->shared) {
			audit_add(r, "propagation", mount->target, 2, "mountinfo", "shared with '%s' of the host: mounts go both ways", r->host_mounts.item[i].target);
			return;
		}
}

void audit_read_mounts(struct audit_reading *r)
{
	/* All of a host's files need not be told one by one. */
	for (size_t i = 0; i < r->mounts.n && !r->host_tree; i++) {
		const struct audit_mount *mount = &r->mounts.item[i];
		_cleanup_free_ char *host = NULL;

		if (!is_reachable(r, mount))
			continue;
		tell_flags(r, mount);
		tell_propagation(r, mount);
		if (strcmp(mount->target, "/") == 0 || is_kernels(mount->type) || (strcmp(mount->type, "proc") == 0 && r->shared[NS_PID]))
			continue;
		host = host_path(r, mount);
		if (host)
			tell_host_mount(r, mount, host);
	}
}
