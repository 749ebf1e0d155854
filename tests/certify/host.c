/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What kind of host this is. */

#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/util/fd.h"
#include "tests/certify/certify.h"

static const char *cgroup_kind(void)
{
	_cleanup_free_ char *text = NULL;
	bool v1, v2;

	if (fd_read_virtual(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &text, NULL) < 0)
		return "none";
	v1 = strstr(text, " - cgroup ");
	v2 = strstr(text, " - cgroup2 ");
	return v1 && v2 ? "hybrid" : v1 ? "v1" : v2 ? "v2" : "none";
}

/* "MAJOR:MINOR" of the first disk that is more than a loop device. */
static void find_disk(struct host *ret)
{
	_cleanup_closedir_ DIR *dir = opendir("/sys/block");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		_cleanup_free_ char *text = NULL;
		char path[512];
		unsigned int major, minor;

		if (entry->d_name[0] == '.' || strncmp(entry->d_name, "loop", 4) == 0 || strncmp(entry->d_name, "zram", 4) == 0)
			continue;
		snprintf(path, sizeof(path), "/sys/block/%s/dev", entry->d_name);
		if (fd_read_virtual(AT_FDCWD, path, 64, &text, NULL) < 0 || sscanf(text, "%u:%u", &major, &minor) != 2)
			continue;
		ret->disk_major = major;
		ret->disk_minor = minor;
		return;
	}
}

static void find_system(struct host *ret)
{
	_cleanup_free_ char *text = NULL;
	const char *name;

	snprintf(ret->system, sizeof(ret->system), "unknown");
	if (fd_read_file(AT_FDCWD, "/etc/os-release", 65536, &text, NULL) < 0 &&
	    fd_read_file(AT_FDCWD, "/usr/lib/os-release", 65536, &text, NULL) < 0)
		return;
	name = strstr(text, "PRETTY_NAME=\"");
	if (name)
		snprintf(ret->system, sizeof(ret->system), "%.*s", (int)strcspn(name + 13, "\"\n"), name + 13);
}

void host_look(struct host *ret)
{
	struct utsname name;
	cpu_set_t cpus;

	*ret = (struct host){ .cgroups = cgroup_kind(), .root = geteuid() == 0 };
	uname(&name);
	snprintf(ret->kernel, sizeof(ret->kernel), "%.63s", name.release);
	snprintf(ret->machine, sizeof(ret->machine), "%.63s", name.machine);
	ret->systemd = access("/run/systemd/system", F_OK) == 0;
	if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
		for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
			if (CPU_ISSET(cpu, &cpus)) {
				ret->cpus++;
				ret->last_cpu = cpu;
			}
	find_disk(ret);
	find_system(ret);
}
