/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of id maps, kernel parameters and resource limits. */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/spec/check.h"
#include "core/util/cleanup.h"

#define ID_MAP_MAX	340		/* extents, user_namespaces(7), Linux 4.15 */

struct extent {
	uint32_t first, last;
};

static int compare_extents(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

static bool overlaps(struct extent *extents, size_t n)
{
	qsort(extents, n, sizeof(*extents), compare_extents);
	for (size_t i = 1; i < n; i++)
		if (extents[i].first <= extents[i - 1].last)
			return true;
	return false;
}

int spec_check_map(const struct mrg_id_mapping *map, size_t n, const char *pointer, struct mrg_error *err)
{
	struct extent inside[ID_MAP_MAX], outside[ID_MAP_MAX];

	if (n > ID_MAP_MAX)
		return mrg_error_set(err, -MRG_E_INVALID, "%s: an id map has at most %d lines", pointer, ID_MAP_MAX);
	for (size_t i = 0; i < n; i++) {
		uint32_t last = map[i].size - 1;

		/* The id 2^32-1 means "none" and cannot be mapped. */
		if (map[i].size == 0 || map[i].container_id + last < map[i].container_id ||
		    map[i].host_id + last < map[i].host_id || map[i].container_id + last == UINT32_MAX ||
		    map[i].host_id + last == UINT32_MAX)
			return mrg_error_set(err, -MRG_E_INVALID, "%s: range %zu goes beyond the last id, 4294967294", pointer,
					     i);
		inside[i] = (struct extent){ map[i].container_id, map[i].container_id + last };
		outside[i] = (struct extent){ map[i].host_id, map[i].host_id + last };
	}
	if (overlaps(inside, n) || overlaps(outside, n))
		return mrg_error_set(err, -MRG_E_INVALID, "%s: ranges of ids overlap", pointer);
	return 0;
}

/* Names ending in '*' or '.' are prefixes. */
static const struct {
	const char *name;
	enum mrg_field field;
	const char *label;
} sysctls[] = {
	{ "kernel.shm*", MRG_FIELD_NS_IPC, "ipc" },	 { "kernel.msg*", MRG_FIELD_NS_IPC, "ipc" },
	{ "kernel.sem", MRG_FIELD_NS_IPC, "ipc" },	 { "kernel.sem_next_id", MRG_FIELD_NS_IPC, "ipc" },
	{ "kernel.auto_msgmni", MRG_FIELD_NS_IPC, "ipc" }, { "fs.mqueue.*", MRG_FIELD_NS_IPC, "ipc" },
	{ "net.*", MRG_FIELD_NS_NETWORK, "network" },	 { "user.max_*", MRG_FIELD_NS_USER, "user" },
};

static bool matches(const char *pattern, const char *name)
{
	size_t length = strlen(pattern);

	if (pattern[length - 1] == '*')
		return strncmp(pattern, name, length - 1) == 0 && name[length - 1];
	return strcmp(pattern, name) == 0;
}

/* The key with dots between its parts: sysctl.d(5) takes '/' as the separator when it comes first. */
static bool normalize(const char *key, char name[128])
{
	size_t length = strlen(key);
	bool slashes = key[strcspn(key, "./")] == '/';

	if (length == 0 || length >= 128 || strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
							"._-/") != length)
		return false;
	memcpy(name, key, length + 1);
	for (char *c = name; slashes && *c; c++)
		*c = *c == '/' ? '.' : *c == '.' ? '/' : *c;
	/* What '/' now stands for is a dot in a name: at the edge of a name it would make "..". */
	for (size_t i = 0; i <= length; i++)
		if (strchr("./", name[i]) && (i == 0 || strchr("./", name[i - 1])))
			return false;
	return true;
}

static int check_sysctl(const struct mrg_spec *spec, const char *key, struct mrg_error *err)
{
	char name[128];

	if (!normalize(key, name))
		return mrg_error_set(err, -MRG_E_INVALID, "/linux/sysctl: '%.80s' is no name of a kernel parameter", key);
	if (strcmp(name, "kernel.hostname") == 0 || strcmp(name, "kernel.domainname") == 0)
		return mrg_error_set(err, -MRG_E_INVALID, "/linux/sysctl/%s: use /%s instead", name, name + strlen("kernel."));
	for (size_t i = 0; i < ARRAY_SIZE(sysctls); i++) {
		const char *path;

		if (!matches(sysctls[i].name, name))
			continue;
		path = *(const char *const *)member_at_const(&spec_fields[sysctls[i].field].value, spec);
		if (path && !*path)
			return 0;
		return mrg_error_set(err, -MRG_E_INVALID, "/linux/sysctl/%s: needs a new %s namespace", name,
				     sysctls[i].label);
	}
	return mrg_error_set(err, -MRG_E_INVALID, "/linux/sysctl/%s: would change the host", name);
}

int spec_check_sysctls(const struct mrg_spec *spec, struct mrg_error *err)
{
	int r = 0;

	for (size_t i = 0; i < spec->sysctl.n && r == 0; i++) {
		r = check_sysctl(spec, spec->sysctl.item[i].key, err);
		if (r == 0 && strchr(spec->sysctl.item[i].value, '\n'))
			r = mrg_error_set(err, -MRG_E_INVALID, "/linux/sysctl/%s: must be one line",
					  spec->sysctl.item[i].key);
	}
	return r;
}

/* "0-3,7": numbers and ranges, ascending within a range. */
static bool is_cpu_list(const char *text)
{
	do {
		char *end;
		unsigned long first, last;

		if (*text < '0' || *text > '9')
			return false;
		first = last = strtoul(text, &end, 10);
		if (*end == '-') {
			if (end[1] < '0' || end[1] > '9')
				return false;
			last = strtoul(end + 1, &end, 10);
		}
		if (last < first || last > 65535)
			return false;
		text = end;
	} while (*text++ == ',');
	return text[-1] == '\0';
}

static int check_cgroup_path(const struct mrg_spec *spec, struct mrg_error *err)
{
	const char *path = spec->cgroups_path;
	size_t n;

	if (!path)
		return 0;
	if (!*path || strchr(path, '\n') || strlen(path) >= 4096)
		return mrg_error_set(err, -MRG_E_INVALID, "/linux/cgroupsPath: must be a path of one line");
	for (const char *at = path; *at; at += n + (at[n] == '/')) {
		n = strcspn(at, "/");
		if (n == 2 && at[0] == '.' && at[1] == '.')
			return mrg_error_set(err, -MRG_E_INVALID, "/linux/cgroupsPath: must not contain '..'");
	}
	return 0;
}

static int check_memory(const struct mrg_spec *spec, struct mrg_error *err)
{
	bool limited = mrg_fields_has(&spec->set, MRG_FIELD_MEMORY_LIMIT) && spec->memory_limit >= 0;

	if (mrg_fields_has(&spec->set, MRG_FIELD_MEMORY_SWAP) && spec->memory_swap >= 0) {
		if (!limited)
			return mrg_error_set(err, -MRG_E_INVALID, "/linux/resources/memory/swap: needs a limit of memory too");
		if (spec->memory_swap < spec->memory_limit)
			return mrg_error_set(err, -MRG_E_INVALID,
					     "/linux/resources/memory/swap: counts memory and swap together, so it must not "
					     "be below the limit of memory");
	}
	if (limited && spec->memory_reservation > spec->memory_limit)
		return mrg_error_set(err, -MRG_E_INVALID, "/linux/resources/memory/reservation: is above the limit");
	return 0;
}

static int check_cpu(const struct mrg_spec *spec, struct mrg_error *err)
{
	const char *const lists[] = { spec->cpuset_cpus, spec->cpuset_mems };

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (lists[i] && !is_cpu_list(lists[i]))
			return mrg_error_set(err, -MRG_E_INVALID, "/linux/resources/cpu/%s: must be a list such as 0-3,7, not '%.40s'",
					     i ? "mems" : "cpus", lists[i]);
	if (spec->cpu_quota > 0 && spec->cpu_quota < 1000)
		return mrg_error_set(err, -MRG_E_INVALID, "/linux/resources/cpu/quota: must be at least 1000 microseconds");
	if (spec->cpu_burst > 0 && spec->cpu_quota <= 0)
		return mrg_error_set(err, -MRG_E_INVALID, "/linux/resources/cpu/burst: needs a quota");
	if (spec->cpu_burst > 0 && spec->cpu_burst > (uint64_t)spec->cpu_quota)
		return mrg_error_set(err, -MRG_E_INVALID, "/linux/resources/cpu/burst: is above the quota");
	return 0;
}

static int check_device_rules(const struct mrg_spec *spec, struct mrg_error *err)
{
	for (size_t i = 0; i < spec->device_rules.n; i++) {
		const char *access = spec->device_rules.item[i].access;

		if (access && (!*access || access[strspn(access, "rwm")]))
			return mrg_error_set(err, -MRG_E_INVALID,
					     "/linux/resources/devices/%zu/access: must be letters of rwm, not '%.20s'", i, access);
	}
	return 0;
}

/* A unified key names a file of the container's own cgroup, and the path is made from it. */
static int check_unified(const struct mrg_spec *spec, struct mrg_error *err)
{
	for (size_t i = 0; i < spec->unified.n; i++) {
		const char *key = spec->unified.item[i].key;

		if (strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789._KMGB") != strlen(key) || !strchr(key, '.') ||
		    key[0] == '.' || strncmp(key, "cgroup.", 7) == 0)
			return mrg_error_set(err, -MRG_E_INVALID,
					     "/linux/resources/unified: '%.80s' is no file of a controller", key);
	}
	return 0;
}

static int check_hugepages(const struct mrg_spec *spec, struct mrg_error *err)
{
	for (size_t i = 0; i < spec->hugepage_limits.n; i++) {
		const char *size = spec->hugepage_limits.item[i].page_size;
		size_t digits = strspn(size, "0123456789");

		if (digits == 0 || digits > 6 || !size[digits] || !strchr("KMG", size[digits]) ||
		    strcmp(size + digits + 1, "B") != 0)
			return mrg_error_set(err, -MRG_E_INVALID,
					     "/linux/resources/hugepageLimits/%zu/pageSize: must be a size such as 2MB, not '%.20s'",
					     i, size);
	}
	return 0;
}

int spec_check_resources(const struct mrg_spec *spec, struct mrg_error *err)
{
	static int (*const checks[])(const struct mrg_spec *spec, struct mrg_error *err) = {
		check_cgroup_path, check_memory, check_cpu, check_device_rules, check_unified, check_hugepages,
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(checks) && r == 0; i++)
		r = checks[i](spec, err);
	return r;
}
