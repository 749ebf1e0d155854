/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a device gives away. */

#include "config.h"

#include "core/audit/audit.h"

#define ANY	(-1)

/* The first row that fits counts. */
static const struct {
	char type;
	int64_t major, minor;
	int severity;
} rows[] = {
	/* null, zero, full, random, urandom: what every container has */
	{ 'c', 1, 3, MRG_SEVERITY_NONE }, { 'c', 1, 5, MRG_SEVERITY_NONE }, { 'c', 1, 7, MRG_SEVERITY_NONE },
	{ 'c', 1, 8, MRG_SEVERITY_NONE }, { 'c', 1, 9, MRG_SEVERITY_NONE },
	{ 'c', 1, 1, MRG_SEVERITY_CRITICAL }, { 'c', 1, 2, MRG_SEVERITY_CRITICAL }, { 'c', 1, 4, MRG_SEVERITY_CRITICAL }, /* mem, kmem, port */
	{ 'c', 1, 11, MRG_SEVERITY_MEDIUM },			/* kmsg */
	{ 'c', 1, ANY, MRG_SEVERITY_CRITICAL },
	{ 'c', 5, 0, MRG_SEVERITY_NONE }, { 'c', 5, 1, MRG_SEVERITY_NONE }, { 'c', 5, 2, MRG_SEVERITY_NONE }, /* tty, console, ptmx */
	{ 'c', 136, ANY, MRG_SEVERITY_NONE },			/* terminals of devpts */
	{ 'c', 4, ANY, MRG_SEVERITY_HIGH }, { 'c', 7, ANY, MRG_SEVERITY_HIGH }, /* virtual consoles and their screens */
	{ 'c', 10, 200, MRG_SEVERITY_LOW }, { 'c', 10, 229, MRG_SEVERITY_LOW }, /* tun, fuse */
	{ 'c', 10, 183, MRG_SEVERITY_LOW },			/* hwrng */
	{ 'c', 10, 232, MRG_SEVERITY_MEDIUM }, { 'c', 10, 238, MRG_SEVERITY_MEDIUM }, { 'c', 10, 241, MRG_SEVERITY_MEDIUM }, /* kvm, vhost */
	{ 'c', 10, 237, MRG_SEVERITY_HIGH }, { 'c', 10, 236, MRG_SEVERITY_CRITICAL }, /* loop-control, device mapper */
	{ 'c', 10, 234, MRG_SEVERITY_HIGH },			/* btrfs-control */
	{ 'c', 13, ANY, MRG_SEVERITY_HIGH },			/* keyboards and mice */
	{ 'c', 21, ANY, MRG_SEVERITY_CRITICAL },		/* SCSI without its file systems */
	{ 'c', 29, ANY, MRG_SEVERITY_MEDIUM }, { 'c', 226, ANY, MRG_SEVERITY_MEDIUM }, /* screens */
	{ 'c', ANY, ANY, MRG_SEVERITY_MEDIUM },
	{ 'b', ANY, ANY, MRG_SEVERITY_CRITICAL },
};

int audit_device_severity(char type, int64_t major, int64_t minor)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].type == type && (rows[i].major == ANY || rows[i].major == major) && (rows[i].minor == ANY || rows[i].minor == minor))
			return rows[i].severity;
	return MRG_SEVERITY_MEDIUM;
}
