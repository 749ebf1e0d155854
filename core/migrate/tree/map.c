/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Maps of ids: made from those of two containers, applied to one id. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/migrate/tree/ids.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"

/* All ids of the host but (uid_t)-1. */
static const struct mrg_id_mapping host = { 0, 0, UINT32_MAX };

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static bool overlap(uint32_t a, uint32_t b, uint32_t count_a, uint32_t count_b)
{
	return a < (uint64_t)b + count_b && b < (uint64_t)a + count_a;
}

/* Two maps are composed by what they share of the container's ids. */
static int compose(const struct mrg_id_mapping *f, const struct mrg_id_mapping *t, struct tree_range **ranges, size_t *n)
{
	uint64_t begin = most(f->container_id, t->container_id);
	uint64_t end = least((uint64_t)f->container_id + f->size, (uint64_t)t->container_id + t->size);
	struct tree_range *more;

	if (begin >= end)
		return 0;
	more = realloc(*ranges, (*n + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	more[*n] = (struct tree_range) {
		.from = f->host_id + (uint32_t)(begin - f->container_id),
		.to = t->host_id + (uint32_t)(begin - t->container_id),
		.count = (uint32_t)(end - begin),
	};
	*ranges = more;
	++*n;
	return 0;
}

static int check(const struct tree_range *ranges, size_t n, struct mrg_error *err)
{
	for (size_t i = 0; i < n; i++) {
		if ((uint64_t)ranges[i].from + ranges[i].count > UINT32_MAX || (uint64_t)ranges[i].to + ranges[i].count > UINT32_MAX)
			return mrg_error_set(err, -MRG_E_INVALID, "ids from %u on are beyond the last there is", ranges[i].to);
		for (size_t k = 0; k < i; k++)
			if (overlap(ranges[i].from, ranges[k].from, ranges[i].count, ranges[k].count) ||
			    overlap(ranges[i].to, ranges[k].to, ranges[i].count, ranges[k].count))
				return mrg_error_set(err, -MRG_E_INVALID, "ids from %u on and from %u on cannot be told apart after the change",
						     ranges[k].from, ranges[i].from);
	}
	return 0;
}

int tree_map_between(const struct mrg_id_mapping *from, size_t n_from, const struct mrg_id_mapping *to, size_t n_to,
		     struct tree_range **ret, size_t *ret_n, struct mrg_error *err)
{
	_cleanup_free_ struct tree_range *ranges = NULL;
	size_t n = 0;
	int r;

	if (n_from == 0) {
		from = &host;
		n_from = 1;
	}
	if (n_to == 0) {
		to = &host;
		n_to = 1;
	}
	for (size_t i = 0; i < n_from; i++)
		for (size_t k = 0; k < n_to; k++)
			if (compose(&from[i], &to[k], &ranges, &n) < 0)
				return fail_memory(err);
	r = check(ranges, n, err);
	if (r < 0)
		return r;
	*ret = take_ptr(ranges);
	*ret_n = n;
	return 0;
}

static bool changes(const struct tree_range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ranges[i].from != ranges[i].to)
			return true;
	return false;
}

bool tree_map_is_empty(const struct tree_map *map)
{
	return !map || (!changes(map->uids, map->n_uids) && !changes(map->gids, map->n_gids));
}

void tree_map_deinit(struct tree_map *map)
{
	free(map->uids);
	free(map->gids);
	*map = (struct tree_map) { 0 };
}

enum tree_id_is tree_id_map(const struct tree_range *ranges, size_t n, uint32_t id, uint32_t *ret)
{
	enum tree_id_is is = n > 0 ? TREE_ID_UNMAPPED : TREE_ID_TARGET;

	*ret = id;
	for (size_t i = 0; i < n; i++) {
		if (id - ranges[i].from < ranges[i].count) {
			*ret = ranges[i].to + (id - ranges[i].from);
			return *ret == id ? TREE_ID_TARGET : TREE_ID_SOURCE;
		}
		if (id - ranges[i].to < ranges[i].count)
			is = TREE_ID_TARGET;
	}
	return is;
}

static bool ranges_overlap(const struct tree_range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++)
			if (ranges[i].from != ranges[i].to && ranges[k].from != ranges[k].to &&
			    overlap(ranges[i].from, ranges[k].to, ranges[i].count, ranges[k].count))
				return true;
	return false;
}

bool tree_map_overlaps(const struct tree_map *map)
{
	return ranges_overlap(map->uids, map->n_uids) || ranges_overlap(map->gids, map->n_gids);
}

/* @last: the end of all ranges; false when what lies above it is too little for all of them. */
static bool split(const struct tree_range *ranges, size_t n, uint32_t middle, struct tree_range *first, struct tree_range *second)
{
	uint64_t at = middle;

	for (size_t i = 0; i < n; i++) {
		first[i] = (struct tree_range) { ranges[i].from, (uint32_t)at, ranges[i].count };
		second[i] = (struct tree_range) { (uint32_t)at, ranges[i].to, ranges[i].count };
		at += ranges[i].count;
		if (at > UINT32_MAX)
			return false;
	}
	return true;
}

static struct tree_range *new_ranges(size_t n)
{
	return calloc(n ? n : 1, sizeof(struct tree_range));
}

int tree_map_split(const struct tree_map *map, uint32_t middle, struct tree_map *ret_first, struct tree_map *ret_second)
{
	struct tree_map first = { new_ranges(map->n_uids), new_ranges(map->n_gids), map->n_uids, map->n_gids };
	struct tree_map second = { new_ranges(map->n_uids), new_ranges(map->n_gids), map->n_uids, map->n_gids };
	int r = first.uids && first.gids && second.uids && second.gids ? 0 : -ENOMEM;

	if (r == 0 && (!split(map->uids, map->n_uids, middle, first.uids, second.uids) ||
		       !split(map->gids, map->n_gids, middle, first.gids, second.gids)))
		r = -ERANGE;
	if (r < 0) {
		tree_map_deinit(&first);
		tree_map_deinit(&second);
		return r;
	}
	*ret_first = first;
	*ret_second = second;
	return 0;
}

static uint32_t end_of(const struct tree_range *ranges, size_t n)
{
	uint64_t end = 0;

	for (size_t i = 0; i < n; i++)
		end = most(end, most(ranges[i].from, ranges[i].to) + (uint64_t)ranges[i].count);
	return (uint32_t)end;
}

uint32_t tree_map_end(const struct tree_map *map)
{
	return (uint32_t)most(end_of(map->uids, map->n_uids), end_of(map->gids, map->n_gids));
}
