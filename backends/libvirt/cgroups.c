/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cgroups that libvirt makes for its domains. */

#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "libvirt.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"

#define CGROUPS		"/sys/fs/cgroup"
#define PARTITION	"/machine"	/* where libvirt makes them unless told */

int libvirt_clear_cgroup(const struct mrg_unit *unit, const char *cgroup, struct mrg_exit *ret, struct mrg_error *err)
{
	struct mrg_unit inside = *unit;

	inside.cgroup = cgroup;
	inside.process = NULL;
	return mrg_helper_cgroup_cleanup(NULL, &inside, ret, err);
}

/* "lxc-PID-NAME.libvirt-lxc", as libvirt calls them where no service manager makes scopes. */
static bool is_cgroup_of(const char *entry, const char *name)
{
	size_t digits = strncmp(entry, "lxc-", 4) == 0 ? strspn(entry + 4, "0123456789") : 0, length = strlen(name);
	const char *at = entry + 4 + digits;

	return digits > 0 && *at == '-' && strncmp(at + 1, name, length) == 0 && strcmp(at + 1 + length, ".libvirt-lxc") == 0;
}

/* How many there are of the unit's in the partition at @path. */
static unsigned int visit_partition(const struct mrg_unit *unit, const char *path, bool clear)
{
	_cleanup_closedir_ DIR *d = opendir(path);
	unsigned int n = 0;
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		struct mrg_exit ignored;
		char cgroup[512];

		if (!is_cgroup_of(entry->d_name, unit->name))
			continue;
		n++;
		snprintf(cgroup, sizeof(cgroup), PARTITION "/%s", entry->d_name);
		if (clear)
			libvirt_clear_cgroup(unit, cgroup, &ignored, NULL);
	}
	return n;
}

/* In the hierarchy of version 2 and in those of version 1. */
static unsigned int visit(const struct mrg_unit *unit, bool clear)
{
	_cleanup_closedir_ DIR *d = opendir(CGROUPS);
	unsigned int n = visit_partition(unit, CGROUPS PARTITION, clear);
	struct dirent *entry;
	char path[512];

	while (d && (entry = readdir(d))) {
		if (entry->d_name[0] == '.' || entry->d_type != DT_DIR)
			continue;
		snprintf(path, sizeof(path), CGROUPS "/%s" PARTITION, entry->d_name);
		n += visit_partition(unit, path, clear);
	}
	return n;
}

bool libvirt_has_cgroups(const struct mrg_unit *unit)
{
	return visit(unit, false) > 0;
}

void libvirt_sweep_cgroups(const struct mrg_unit *unit)
{
	visit(unit, true);
}
