/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* User namespaces: their maps, and what a child inside one needs from outside. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "native.h"

/* The text of a map, and what 0 of the container is on the host. */
static int format(char text[4096], uint32_t *ret_zero, const struct mrg_id_mapping *item, size_t n)
{
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		int added = snprintf(text + length, 4096 - length, "%u %u %u\n", item[i].container_id, item[i].host_id, item[i].size);

		if (added < 0 || length + (size_t)added >= 4096)
			return -E2BIG;
		length += (size_t)added;
		if (item[i].container_id == 0)
			*ret_zero = item[i].host_id;
	}
	return 0;
}

static int choose(const struct mrg_unit *unit, struct native_maps *ret, struct mrg_error *err)
{
	struct mrg_id_mapping uid, gid;
	int r = mrg_helper_ids_choose(unit, &uid, &gid, err);

	if (r < 0)
		return r;
	format(ret->uid, &ret->root_uid, &uid, 1);
	format(ret->gid, &ret->root_gid, &gid, 1);
	return 0;
}

int native_maps_choose(const struct mrg_unit *unit, struct native_maps *ret, struct mrg_error *err)
{
	const struct mrg_spec *spec = unit->spec;

	if (spec->uid_mappings.n == 0 && spec->gid_mappings.n == 0)
		return choose(unit, ret, err);
	if (format(ret->uid, &ret->root_uid, spec->uid_mappings.item, spec->uid_mappings.n) < 0 ||
	    format(ret->gid, &ret->root_gid, spec->gid_mappings.item, spec->gid_mappings.n) < 0)
		return mrg_error_set(err, -MRG_E_INVALID, "too many id mappings for the kernel");
	return 0;
}

/* ---- giving them to a process ----------------------------------------------------------- */

static int write_map(pid_t pid, const char *name, const char *text, struct mrg_error *err)
{
	char path[64];
	_cleanup_close_ int fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return native_fail(err, -errno, "cannot write the map '%.*s' of the user namespace into '%s'",
				   (int)strcspn(text, "\n"), text, name);
	return 0;
}

int native_maps_apply(pid_t pid, const struct native_maps *maps, int *ret_fd, struct mrg_error *err)
{
	char path[64];
	int fd, r = write_map(pid, "uid_map", maps->uid, err);

	if (r == 0)
		r = write_map(pid, "gid_map", maps->gid, err);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return native_fail(err, -errno, "cannot open the user namespace of the container");
	*ret_fd = fd;
	return 0;
}

/* ---- what the child cannot open --------------------------------------------------------- */

static int has_option(const struct mrg_mount *mount, const char *option)
{
	for (char **p = mount->options; p && *p; p++)
		if (strcmp(*p, option) == 0)
			return 1;
	return 0;
}

static int is_bind(const struct mrg_mount *mount)
{
	return (mount->type && strcmp(mount->type, "bind") == 0) || has_option(mount, "bind") || has_option(mount, "rbind");
}

/* What of the host @mount shows, or NULL: also its /sys, when the network is the host's. */
static const char *source_of(const struct mrg_spec *spec, const struct mrg_mount *mount)
{
	if (is_bind(mount))
		return mount->source;
	return mount->type && strcmp(mount->type, "sysfs") == 0 && !spec->ns_network ? "/sys" : NULL;
}

static int bind_flags(const struct mrg_mount *mount)
{
	int slave = has_option(mount, "slave") || has_option(mount, "rslave");

	return (has_option(mount, "rbind") ? MRG_ROOT_RECURSIVE : 0) | (slave ? MRG_ROOT_SLAVE : 0);
}

static int receive_fd(int socket)
{
	int fd = -1, n = mrg_helper_fds_receive(socket, &fd, 1);

	return n < 0 ? n : n == 1 ? fd : -EPROTO;
}

static int send_source(const char *path, int flags, int userns, int socket, struct mrg_error *err)
{
	_cleanup_close_ int fd = -1;
	int r = mrg_helper_root_source(path, flags, userns, &fd, err);

	if (r == 0) {
		r = mrg_helper_fds_send(socket, &fd, 1);
		if (r < 0)
			return native_fail(err, r, "cannot hand '%s' to the container", path);
	}
	return r;
}

int native_sources_send(const struct mrg_unit *unit, int userns, int socket, struct mrg_error *err)
{
	const struct mrg_spec *spec = unit->spec;
	int r = send_source(spec->root_path, mrg_helper_root_flags(spec), userns, socket, err);

	for (size_t i = 0; i < spec->mounts.n && r == 0; i++) {
		const struct mrg_mount *mount = &spec->mounts.item[i];
		int mapped = has_option(mount, "idmap") || has_option(mount, "ridmap");

		if (source_of(spec, mount))
			r = send_source(source_of(spec, mount), bind_flags(mount), mapped ? userns : -1, socket, err);
	}
	return r;
}

int native_sources_receive(const struct mrg_unit *unit, int socket, int *ret_root, struct mrg_root_sources *ret,
			   struct mrg_error *err)
{
	const struct mrg_spec *spec = unit->spec;
	int root = receive_fd(socket);

	if (root < 0)
		return native_fail(err, root, "cannot get the root from the monitor");
	for (ret->n = 0; ret->n < spec->mounts.n && ret->n < MRG_ROOT_SOURCES_MAX; ret->n++) {
		const struct mrg_mount *mount = &spec->mounts.item[ret->n];

		ret->item[ret->n] = source_of(spec, mount) ? receive_fd(socket) : -1;
		if (ret->item[ret->n] < -1)
			return native_fail(err, ret->item[ret->n], "cannot get '%s' from the monitor", source_of(spec, mount));
	}
	/* Until now we are the host's root, whom this namespace does not know and who could make no file in it. */
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return native_fail(err, -errno, "cannot become root of the user namespace");
	/* Changing ids clears it, prctl(2). */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	*ret_root = root;
	return 0;
}
