/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Devices that may be opened: rules that version 1 lists, or programs of version 2, which only tell when they are asked. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/audit/audit.h"
#include "core/cgroup/cgroup.h"
#include "core/util/fd.h"
#include "core/util/path.h"
#include "core/util/str.h"

#define PROGRAMS_MAX	64		/* the kernel's BPF_CGROUP_MAX_PROGS */
#define V2_SOURCE	"/sys/fs/cgroup: programs of BPF"

/* ---- version 1 -------------------------------------------------------------------------------------- */

/* "c 10:200 rwm" of devices.list; a number alone is all others: "*". */
static void tell_rule(struct audit_reading *r, const char *line)
{
	char type, major[16], minor[16], access[8];
	int severity;

	if (sscanf(line, " %c %15[^:]:%15s %7s", &type, major, minor, access) != 4)
		return;
	if (type == 'a') {
		r->all_devices = true;
		audit_add(r, "device-rules", "", 1, "/sys/fs/cgroup: devices.list", "every device may be opened");
		return;
	}
	severity = audit_device_severity(type, major[0] == '*' ? -1 : strtol(major, NULL, 10), minor[0] == '*' ? -1 : strtol(minor, NULL, 10));
	/* To make a node is nothing without opening it. */
	if (strcmp(access, "m") != 0 && severity > MRG_SEVERITY_NONE) {
		char item[64];

		snprintf(item, sizeof(item), "%c %s:%s", type, major, minor);
		audit_add(r, "device-rule", item, (uint64_t)severity, "/sys/fs/cgroup: devices.list", "may be opened (%s)", access);
	}
}

static void read_rules(struct audit_reading *r, int dir)
{
	_cleanup_free_ char *text = NULL;

	if (fd_read_virtual(dir, "devices.list", 1 << 20, &text, NULL) < 0)
		return;
	for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		tell_rule(r, line);
}

/* ---- version 2 -------------------------------------------------------------------------------------- */

void audit_tell_programs(struct audit_reading *r, const uint32_t *ids, int n)
{
	struct buffer list = { 0 };

	if (n < 0) {
		audit_add(r, "device-program", "", 1, V2_SOURCE, "not known: %s", n == -EPERM ? "this user may not ask for them" : strerror(-n));
		return;
	}
	/* Where version 1 has rules they hold, whatever version 2 has. */
	if (n == 0 && !r->device_rules) {
		r->all_devices = true;
		audit_add(r, "device-rules", "", 1, V2_SOURCE, "every device may be opened: there is no program");
	}
	if (n == 0)
		return;
	for (int i = 0; i < n; i++)
		buffer_addf(&list, "%s%u", i ? ", " : "", ids[i]);
	r->failed |= list.failed;
	audit_add(r, "device-program", "", 1, V2_SOURCE, "not known: BPF program %s decides, and tells only who tries", list.text ? list.text : "");
	buffer_deinit(&list);
}

/* Also those of the cgroups above: how many, or a negative errno. */
static int query_programs(int dir, uint32_t ids[PROGRAMS_MAX])
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (uint32_t)dir;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.query_flags = BPF_F_QUERY_EFFECTIVE;
	attr.query.prog_ids = (uint64_t)(uintptr_t)ids;
	attr.query.prog_cnt = PROGRAMS_MAX;
	return syscall(SYS_bpf, BPF_PROG_QUERY, &attr, sizeof(attr)) < 0 ? -errno : (int)attr.query.prog_cnt;
}

static void read_programs(struct audit_reading *r, int dir)
{
	uint32_t ids[PROGRAMS_MAX] = { 0 };
	int n = query_programs(dir, ids);

	/* A kernel without them lets every device through, as far as cgroups go. */
	audit_tell_programs(r, ids, n == -EINVAL || n == -ENOSYS ? 0 : n);
}

static void read_hierarchy(struct audit_reading *r, const struct cgroup_hierarchy *h, const char *cgroups)
{
	_cleanup_free_ char *path = audit_cgroup_path(cgroups, h);
	_cleanup_close_ int dir = path ? path_open_beneath(h->root, path[1] ? path + 1 : ".", O_RDONLY | O_DIRECTORY, 0) : -1;

	if (dir >= 0 && h->version == 1)
		read_rules(r, dir);
	else if (dir >= 0)
		read_programs(r, dir);
}

void audit_read_devices(struct audit_reading *r, const struct cgroup *cg, const char *cgroups)
{
	/* First the rules: what no program decides they may. */
	for (int version = 1; version <= 2; version++)
		for (size_t i = 0; i < cg->n; i++)
			if (cg->item[i].version == version && (version == 2 || (cg->item[i].controllers & CGROUP_DEVICES))) {
				r->device_rules |= version == 1;
				read_hierarchy(r, &cg->item[i], cgroups);
			}
}
