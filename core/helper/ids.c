/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ids of the host for a user namespace that is to have some of its own. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <moorage/helper.h>

#include "core/util/cleanup.h"

#define RANGE		65536U
#define FIRST		524288U		/* where systemd's container ids begin, systemd.io/UIDS-GIDS */
#define LAST		1878982655U	/* and end, less one range */
#define ATTEMPTS	64

/* The range of "moorage" or, if it has none, of "root" in /etc/subuid or /etc/subgid. */
static void read_subids(const char *path, uint32_t *first, uint32_t *last)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	char line[256], name[64];
	unsigned int start, count;
	int best = 0;

	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		int rank;

		if (sscanf(line, "%63[^:]:%u:%u", name, &start, &count) != 3 || count < RANGE || start == 0 || start > UINT32_MAX - count)
			continue;
		rank = strcmp(name, "moorage") == 0 ? 2 : strcmp(name, "root") == 0;
		if (rank <= best)
			continue;
		best = rank;
		*first = start;
		*last = start + count - RANGE;
	}
}

/* Whether a user namespace of a process uses ids of the range. */
static bool map_overlaps(const char *path, uint32_t start)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	unsigned long inside, outside, count;
	bool found = false;

	if (!file)
		return false;
	while (!found && fscanf(file, "%lu %lu %lu", &inside, &outside, &count) == 3)
		/* The map of the host itself covers everything. */
		found = count < UINT32_MAX && outside < (unsigned long)start + RANGE && start < outside + count;
	return found;
}

static bool is_used(uint32_t start)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		char path[300];

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/uid_map", entry->d_name);
		found = map_overlaps(path, start);
	}
	return found;
}

/* The id of the container chooses, so that it gets the same range at every start; the next free one if that is taken. */
static int choose_range(const char *id, uint32_t first, uint32_t last, uint32_t *ret)
{
	uint64_t slots = ((uint64_t)last - first) / RANGE + 1;
	uint64_t slot = strtoull(id, NULL, 16) % slots;

	for (unsigned int i = 0; i < ATTEMPTS && i < slots; i++) {
		uint32_t start = first + (uint32_t)((slot + i) % slots) * RANGE;

		if (is_used(start))
			continue;
		*ret = start;
		return 0;
	}
	return -ENOSPC;
}

int mrg_helper_ids_choose(const struct mrg_unit *unit, struct mrg_id_mapping *ret_uid, struct mrg_id_mapping *ret_gid, struct mrg_error *err)
{
	struct mrg_id_mapping uid = { .size = RANGE }, gid = { .size = RANGE };
	uint32_t first = FIRST, last = LAST, group_first = FIRST, group_last = LAST;

	read_subids("/etc/subuid", &first, &last);
	read_subids("/etc/subgid", &group_first, &group_last);
	if (choose_range(unit->id, first, last, &uid.host_id) < 0 ||
	    choose_range(unit->id, group_first, group_last, &gid.host_id) < 0) {
		mrg_error_set(err, -ENOSPC, "no range of %u ids is free for the user namespace", RANGE);
		return mrg_error_hint(err, "give more to 'moorage' in /etc/subuid and /etc/subgid");
	}
	*ret_uid = uid;
	*ret_gid = gid;
	return 0;
}
