/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kinds of namespaces, and joining those that exist. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

#include "native.h"

const struct native_namespace native_namespaces[NS_MAX] = {
	[NS_USER]	= { "user", "user", CLONE_NEWUSER, MRG_FIELD_NS_USER, offsetof(struct mrg_spec, ns_user) },
	[NS_PID]	= { "pid", "pid", CLONE_NEWPID, MRG_FIELD_NS_PID, offsetof(struct mrg_spec, ns_pid) },
	[NS_MOUNT]	= { "mount", "mnt", CLONE_NEWNS, MRG_FIELD_NS_MOUNT, offsetof(struct mrg_spec, ns_mount) },
	[NS_UTS]	= { "uts", "uts", CLONE_NEWUTS, MRG_FIELD_NS_UTS, offsetof(struct mrg_spec, ns_uts) },
	[NS_IPC]	= { "ipc", "ipc", CLONE_NEWIPC, MRG_FIELD_NS_IPC, offsetof(struct mrg_spec, ns_ipc) },
	[NS_NETWORK]	= { "net", "net", CLONE_NEWNET, MRG_FIELD_NS_NETWORK, offsetof(struct mrg_spec, ns_network) },
	[NS_CGROUP]	= { "cgroup", "cgroup", CLONE_NEWCGROUP, MRG_FIELD_NS_CGROUP, offsetof(struct mrg_spec, ns_cgroup) },
	[NS_TIME]	= { "time", "time", CLONE_NEWTIME, MRG_FIELD_NS_TIME, offsetof(struct mrg_spec, ns_time) },
};

const char *native_namespace_of(const struct mrg_spec *spec, size_t i)
{
	const char *value;

	memcpy(&value, (const char *)spec + native_namespaces[i].offset, sizeof(value));
	return value;
}

uint64_t native_clone_flags(const struct mrg_spec *spec)
{
	uint64_t flags = 0;

	for (size_t i = 0; i < NS_MAX; i++) {
		const char *value = native_namespace_of(spec, i);

		if (value && *value == '\0' && i != NS_CGROUP)
			flags |= native_namespaces[i].flag;
	}
	return flags;
}

int native_fail(struct mrg_error *err, int r, const char *format, ...)
{
	char text[400];
	va_list args;
	int code = r;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (r == -ENOENT || r == -ENOTDIR)
		code = -MRG_E_INVALID;
	else if (r == -EEXIST || r == -EAGAIN || r == -EBUSY || r == -ESRCH)
		code = -EIO;
	errno = -r;
	return mrg_error_set(err, code, "%s: %m", text);
}

/* A path one may have mistyped must not lead into another kind of namespace. */
static int open_namespace(const struct native_namespace *ns, const char *path, int *ret_fd, struct mrg_error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct statfs fs;

	if (fd < 0)
		return native_fail(err, -errno, "cannot open the %s namespace '%s'", ns->name, path);
	if (fstatfs(fd, &fs) < 0 || fs.f_type != NSFS_MAGIC)
		return mrg_error_set(err, -MRG_E_INVALID, "'%s' is no namespace", path);
	if ((uint64_t)ioctl(fd, NS_GET_NSTYPE) != ns->flag)
		return mrg_error_set(err, -MRG_E_INVALID, "'%s' is a namespace, but not of type %s", path, ns->name);
	*ret_fd = native_take(&fd);
	return 0;
}

int native_joins_open(const struct mrg_spec *spec, struct native_joins *ret, struct mrg_error *err)
{
	struct native_joins joins;
	int r = 0;

	for (size_t i = 0; i < NS_MAX; i++)
		joins.fd[i] = -1;
	for (size_t i = 0; i < NS_MAX && r == 0; i++) {
		const char *path = native_namespace_of(spec, i);

		if (path && *path)
			r = open_namespace(&native_namespaces[i], path, &joins.fd[i], err);
	}
	if (r < 0)
		native_joins_close(&joins);
	else
		*ret = joins;
	return r;
}

void native_joins_close(struct native_joins *joins)
{
	for (size_t i = 0; i < NS_MAX; i++) {
		native_close(&joins->fd[i]);
		joins->fd[i] = -1;
	}
}

int native_joins_enter(const struct native_joins *joins, struct mrg_error *err)
{
	for (size_t i = 0; i < NS_MAX; i++)
		if (i != NS_PID && i != NS_CGROUP && joins->fd[i] >= 0 && setns(joins->fd[i], (int)native_namespaces[i].flag) < 0)
			return native_fail(err, -errno, "cannot join the %s namespace", native_namespaces[i].name);
	return 0;
}
