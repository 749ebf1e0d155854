/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that give rights: device nodes, and programs that run as their owner. */

#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/audit/audit.h"

#define TREE_BUDGET	200000
#define TREE_DEPTH	32
#define SETUID_TOLD	64		/* each by name; the others by their number */
#define DEVICES_TOLD	256

struct finds {
	size_t setuid, devices;
};

static void tell_device(struct audit_reading *r, const struct audit_entry *entry, struct finds *finds)
{
	char type = S_ISCHR(entry->mode) ? 'c' : 'b';
	int severity = audit_device_severity(type, entry->major, entry->minor);

	/* 0:0 is the mark of a removed file in overlays. */
	if (entry->nodev || severity == MRG_SEVERITY_NONE || (entry->major == 0 && entry->minor == 0))
		return;
	if (finds->devices++ >= DEVICES_TOLD)
		return;
	audit_add(r, "device", entry->path, (uint64_t)severity, "root", "%c %u:%u, mode %04o", type, entry->major, entry->minor, entry->mode & 07777);
}

static void tell_setuid(struct audit_reading *r, const struct audit_entry *entry, struct finds *finds)
{
	bool inert = entry->nosuid || r->status.no_new_privs > 0;

	if (!(entry->mode & 0111) || finds->setuid++ >= SETUID_TOLD)
		return;
	audit_add(r, "setuid", entry->path, !inert, "root", "mode %04o, owner %u:%u%s", entry->mode & 07777, entry->uid, entry->gid,
		  entry->nosuid ? ", on a mount with nosuid" : inert ? ", without effect: no_new_privs is set" : "");
}

static void visit(struct audit_reading *r, const struct audit_entry *entry, void *data)
{
	if (S_ISCHR(entry->mode) || S_ISBLK(entry->mode))
		tell_device(r, entry, data);
	else if (S_ISREG(entry->mode) && entry->mode & (S_ISUID | S_ISGID))
		tell_setuid(r, entry, data);
}

void audit_read_tree(struct audit_reading *r)
{
	struct finds finds = { 0 };
	struct audit_walk walk = { .r = r, .budget = TREE_BUDGET, .depth = TREE_DEPTH, .visit = visit, .data = &finds };
	bool whole;

	if (r->root < 0 || r->host_tree)
		return;
	whole = audit_walk(r, &walk, "/");
	if (finds.setuid > SETUID_TOLD)
		audit_add(r, "walk", "setuid", 0, "root", "%zu files more run as their owner", finds.setuid - SETUID_TOLD);
	if (finds.devices > DEVICES_TOLD)
		audit_add(r, "walk", "devices", 1, "root", "%zu devices more", finds.devices - DEVICES_TOLD);
	if (!whole)
		audit_add(r, "walk", "", 1, "root", "cut after %d entries: there may be more devices and setuid files", TREE_BUDGET);
}
