/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of the kernel that a container may see, or write. Looked at where it would open them: what is mounted over them counts. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "core/audit/audit.h"
#include "core/util/path.h"

/* A file system of the kernel's that gives something away when it is what is there. */
static const struct {
	const char *path;
	unsigned long magic;
} visible[] = {
	{ "/proc/acpi", PROC_SUPER_MAGIC }, { "/proc/asound", PROC_SUPER_MAGIC }, { "/proc/config.gz", PROC_SUPER_MAGIC },
	{ "/proc/interrupts", PROC_SUPER_MAGIC }, { "/proc/kallsyms", PROC_SUPER_MAGIC }, { "/proc/kcore", PROC_SUPER_MAGIC },
	{ "/proc/keys", PROC_SUPER_MAGIC }, { "/proc/latency_stats", PROC_SUPER_MAGIC }, { "/proc/sched_debug", PROC_SUPER_MAGIC },
	{ "/proc/scsi", PROC_SUPER_MAGIC }, { "/proc/timer_list", PROC_SUPER_MAGIC }, { "/proc/timer_stats", PROC_SUPER_MAGIC },
	{ "/sys/devices/virtual/powercap", SYSFS_MAGIC }, { "/sys/firmware", SYSFS_MAGIC }, { "/sys/fs/bpf", BPF_FS_MAGIC },
	{ "/sys/fs/pstore", PSTOREFS_MAGIC }, { "/sys/fs/selinux", SELINUX_MAGIC }, { "/sys/kernel/debug", DEBUGFS_MAGIC },
	{ "/sys/kernel/tracing", TRACEFS_MAGIC }, { "/sys/kernel/security", SECURITYFS_MAGIC },
};

/* Places whose files change the host when they are written. */
static const char *const writable[] = {
	"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/mtrr", "/sys",
};

bool audit_mount_is_slow(const struct audit_mount *mount)
{
	static const char *const types[] = { "fuse", "nfs", "cifs", "smb3", "9p", "autofs", "ceph", "afs", "virtiofs", "coda", "ocfs2", "gfs2" };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strncmp(mount->type, types[i], strlen(types[i])) == 0)
			return true;
	return false;
}

/* Any mount on the way may be the one that is on top there; that of the root was there before the container. */
int audit_open(const struct audit_reading *r, const char *path)
{
	if (r->root < 0)
		return -EBADF;
	for (size_t i = 0; i < r->mounts.n; i++) {
		const struct audit_mount *mount = &r->mounts.item[i];

		if (audit_mount_is_slow(mount) && strcmp(mount->target, "/") != 0 && audit_is_below(path, mount->target))
			return -EREMOTE;
	}
	return path_open_in_root(r->root, path, O_PATH, 0);
}

bool audit_is_on(int fd, const struct audit_mount *mount)
{
	struct statx st;

	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &st) == 0 && st.stx_mnt_id == mount->id;
}

static bool is_kernel_magic(unsigned long type)
{
	return type == PROC_SUPER_MAGIC || type == SYSFS_MAGIC;
}

static void look_visible(struct audit_reading *r, const char *path, unsigned long magic)
{
	_cleanup_close_ int fd = audit_open(r, path);
	struct statfs fs;
	bool exposed = fd >= 0 && fstatfs(fd, &fs) == 0 && (unsigned long)fs.f_type == magic;
	char source[128] = "root";

	strncat(source, path, sizeof(source) - strlen(source) - 1);
	if (fd >= 0 || fd == -ENOENT || fd == -ENOTDIR)
		audit_add(r, "unmasked", path, exposed, source, "%s", exposed ? "can be seen" : "masked, or not there");
	else
		audit_add(r, "unmasked", path, UINT64_MAX, source, "not known: %s", strerror(-fd));
}

/* Every hierarchy of cgroups is a mount of its own. Those of v1 can have a release_agent; one without a controller limits nothing. */
static void look_cgroups(struct audit_reading *r)
{
	for (size_t i = 0; i < r->mounts.n; i++) {
		const struct audit_mount *m = &r->mounts.item[i];
		_cleanup_close_ int fd = strncmp(m->type, "cgroup", 6) == 0 ? audit_open(r, m->target) : -1;
		bool named = strncmp(m->super, "rw,name=", 8) == 0 || strstr(m->super, ",name=");
		struct statvfs flags;

		if (fd < 0 || !audit_is_on(fd, m) || fstatvfs(fd, &flags) < 0)
			continue;
		audit_add(r, "cgroup", m->target, flags.f_flag & ST_RDONLY ? 0 : strcmp(m->type, "cgroup2") == 0 ? 2 : named ? 1 : 3, "mountinfo", "%s %s",
			  m->type, flags.f_flag & ST_RDONLY ? "mounted read-only" : "can be written");
	}
}

static void look_writable(struct audit_reading *r, const char *path)
{
	_cleanup_close_ int fd = audit_open(r, path);
	char source[128] = "root";
	struct statvfs flags;
	struct statfs fs;
	bool kernel = fd >= 0 && fstatfs(fd, &fs) == 0 && is_kernel_magic((unsigned long)fs.f_type);
	bool open = kernel && fstatvfs(fd, &flags) == 0 && !(flags.f_flag & ST_RDONLY);

	strncat(source, path, sizeof(source) - strlen(source) - 1);
	audit_add(r, "writable", path, open, source, "%s", open ? "can be written" : kernel ? "mounted read-only" : "masked, or not there");
}

/* The same again at another place, where nothing is masked. */
static void look_elsewhere(struct audit_reading *r)
{
	for (size_t i = 0; i < r->mounts.n; i++) {
		const struct audit_mount *m = &r->mounts.item[i];
		bool proc = strcmp(m->type, "proc") == 0, other = proc || strcmp(m->type, "sysfs") == 0;
		_cleanup_close_ int fd = other && !audit_is_below(m->target, proc ? "/proc" : "/sys") ? audit_open(r, m->target) : -1;
		struct statvfs flags;

		if (fd >= 0 && audit_is_on(fd, m) && fstatvfs(fd, &flags) == 0)
			audit_add(r, "writable", m->target, !(flags.f_flag & ST_RDONLY), "mountinfo", "%s %s", m->type,
				  flags.f_flag & ST_RDONLY ? "mounted read-only" : "can be written");
	}
}

void audit_read_kernel_files(struct audit_reading *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(visible); i++)
		look_visible(r, visible[i].path, visible[i].magic);
	for (size_t i = 0; i < ARRAY_SIZE(writable); i++)
		look_writable(r, writable[i]);
	look_cgroups(r);
	look_elsewhere(r);
}
