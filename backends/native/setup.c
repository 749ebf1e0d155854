/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the child does to become the container: a list of steps. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "native.h"

static int join(struct native_start *s, struct mrg_error *err)
{
	/* The monitor's end: were it open here, we would wait for ever for one that is dead. */
	native_close(&s->socket[0]);
	/* The umask of whoever started us must not decide about mount points and directories. */
	umask(022);
	return native_joins_enter(&s->joins, err);
}

static int become_root(struct native_start *s, struct mrg_error *err)
{
	if (!s->unit->spec->ns_user)
		return 0;
	return native_sources_receive(s->unit, s->socket[1], &s->root, &s->sources, err);
}

static int own_cgroups(struct native_start *s, struct mrg_error *err)
{
	const char *ns = s->unit->spec->ns_cgroup;

	if (ns && *ns == '\0' && unshare(CLONE_NEWCGROUP) < 0)
		return native_fail(err, -errno, "cannot make a cgroup namespace");
	if (ns && *ns && setns(s->joins.fd[NS_CGROUP], CLONE_NEWCGROUP) < 0)
		return native_fail(err, -errno, "cannot join the cgroup namespace '%s'", ns);
	return 0;
}

static int set_names(struct native_start *s, struct mrg_error *err)
{
	const struct mrg_spec *spec = s->unit->spec;

	if (spec->hostname && sethostname(spec->hostname, strlen(spec->hostname)) < 0)
		return native_fail(err, -errno, "cannot set the host name '%s'", spec->hostname);
	if (spec->domainname && setdomainname(spec->domainname, strlen(spec->domainname)) < 0)
		return native_fail(err, -errno, "cannot set the domain name '%s'", spec->domainname);
	return 0;
}

static int own_network(struct native_start *s, struct mrg_error *err)
{
	const char *ns = s->unit->spec->ns_network;

	return ns && *ns == '\0' ? native_loopback_up(err) : 0;
}

/* Mounts of ours shall not appear on the host; those of the host appear only below what is bound as a slave. */
static int own_mounts(struct native_start *s, struct mrg_error *err)
{
	struct mount_attr attr = { .propagation = MS_SLAVE };

	(void)s;
	if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return native_fail(err, -errno, "cannot separate the mounts from the host's");
	return 0;
}

static int open_root(struct native_start *s, struct mrg_error *err)
{
	int source = s->root;

	s->root = -1;
	if (s->unit->spec->ns_user)
		return mrg_helper_root_place(s->unit->spec, source, &s->root, err);
	return mrg_helper_root_open(s->unit->spec, -1, &s->root, err);
}

static int make_mounts(struct native_start *s, struct mrg_error *err)
{
	return mrg_helper_root_mounts_busy(s->unit, s->root, &s->sources, s->socket[1], err);
}

static int make_devices(struct native_start *s, struct mrg_error *err)
{
	return mrg_helper_root_devices(s->unit, s->root, err);
}

static int write_sysctl(int proc, const struct mrg_pair *pair, struct mrg_error *err)
{
	struct open_how how = {
		.flags = O_WRONLY | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};
	char path[256];
	_cleanup_close_ int fd = -1;
	int n = snprintf(path, sizeof(path), "sys/%s", pair->key);

	if (n < 0 || (size_t)n >= sizeof(path))
		return mrg_error_set(err, -MRG_E_INVALID, "the sysctl '%s' has too long a name", pair->key);
	/* As sysctl(8): names with slashes are paths already, and their dots part of a name ("net/ipv4/conf/eth0.1/..."). */
	if (!strchr(pair->key, '/'))
		for (char *p = path; *p; p++)
			*p = *p == '.' ? '/' : *p;
	fd = (int)syscall(SYS_openat2, proc, path, &how, sizeof(how));
	if (fd < 0)
		return native_fail(err, -errno, "cannot open the sysctl '%s'", pair->key);
	if (write(fd, pair->value, strlen(pair->value)) < 0)
		return native_fail(err, -errno, "cannot set the sysctl '%s' to '%s'", pair->key, pair->value);
	return 0;
}

/* Through a procfs of our own, since what the container has at /proc may be anything. */
static int set_sysctls(struct native_start *s, struct mrg_error *err)
{
	const struct mrg_spec *spec = s->unit->spec;
	_cleanup_close_ int fs = -1, proc = -1;
	int r = 0;

	if (spec->sysctl.n == 0)
		return 0;
	fs = fsopen("proc", FSOPEN_CLOEXEC);
	if (fs >= 0 && fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		proc = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (proc < 0)
		return native_fail(err, -errno, "cannot mount a proc file system to set sysctls");
	for (size_t i = 0; i < spec->sysctl.n && r == 0; i++)
		r = write_sysctl(proc, &spec->sysctl.item[i], err);
	return r;
}

static int mask_paths(struct native_start *s, struct mrg_error *err)
{
	return mrg_helper_root_mask(s->unit, s->root, err);
}

/* The old root goes below the new one and is let go: pivot_root(2), "pivot_root(".", ".")". */
static int pivot(struct native_start *s, struct mrg_error *err)
{
	if (fchdir(s->root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return native_fail(err, -errno, "cannot make '%s' the root", s->unit->spec->root_path);
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return native_fail(err, -errno, "cannot leave the root of the host");
	native_close(&s->root);
	s->root = -1;
	return 0;
}

static int set_propagation(struct native_start *s, struct mrg_error *err)
{
	const char *propagation = s->unit->spec->rootfs_propagation;
	struct mount_attr attr = { .propagation = MS_UNBINDABLE };

	if (!propagation || !strstr(propagation, "unbindable"))
		return 0;
	if (mount_setattr(AT_FDCWD, "/", propagation[0] == 'r' ? AT_RECURSIVE : 0, &attr, sizeof(attr)) < 0)
		return native_fail(err, -errno, "cannot make the root unbindable");
	return 0;
}

static int open_stdio(struct native_start *s, struct mrg_error *err)
{
	return mrg_helper_process_stdio(s->io, s->socket[1], err);
}

static int execute(struct native_start *s, struct mrg_error *err)
{
	return mrg_helper_process_execute(s->process, err);
}

/* Masks after mounts, which could uncover; sysctls before masks, which make /proc/sys read-only; the cgroup namespace after
 * mounts, since inside it the host's paths of cgroups can no longer be told. */
static int (*const steps[])(struct native_start *s, struct mrg_error *err) = {
	join, become_root, set_names, own_network, own_mounts, open_root, make_mounts, own_cgroups, make_devices, set_sysctls,
	mask_paths, pivot, set_propagation, open_stdio, execute,
};

int native_setup(void *start, struct mrg_error *err)
{
	int r = 0;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && r == 0; i++)
		r = steps[i](start, err);
	return r;
}
