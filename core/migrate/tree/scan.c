/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One look at all of a tree. */

#include "config.h"

#include <errno.h>
#include <string.h>

#include "core/migrate/tree/link_table.h"
#include "core/migrate/tree/rebase.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"

#define SHIFT	UINT32_C(65536)		/* ids of a user namespace that an engine made */

struct scanner {
	struct tree_work work;
	const struct tree_map *map;	/* NULL: none */
	struct tree_scan *scan;
	struct link_table links;
	struct xattrs xattrs;
};

static void least(uint32_t *at, uint32_t value)
{
	*at = value < *at ? value : *at;
}

static void most(uint32_t *at, uint32_t value)
{
	*at = value > *at ? value : *at;
}

/* The ids in extended attributes count as owners do. */
static int scan_xattrs(struct scanner *s, const struct tree_entry *e, struct tree_ids *ids)
{
	char path[TREE_PATH_SIZE];
	int r;

	tree_path_of(path, e->dir, e->name);
	r = xattrs_list(&s->xattrs, e->fd, path);
	for (const char *name = NULL; r == 0 && (name = xattrs_next(&s->xattrs, name));) {
		if (!tree_xattr_has_ids(name))
			continue;
		r = xattrs_get(&s->xattrs, e->fd, path, name);
		if (r == 0)
			tree_xattr_map(s->map, name, s->xattrs.value, &s->xattrs.value_length, ids);
	}
	return r < 0 && r != -ENODATA && r != -ENOENT ? tree_work_fail(&s->work, r, "read the extended attributes of", e->path) : 0;
}

static int scan_ids(struct scanner *s, const struct tree_entry *e)
{
	const struct statx *st = e->st;
	struct tree_ids ids = { 0 };
	uint32_t uid, gid;
	int r = 0;

	if (s->map) {
		tree_ids_owner(s->map, st->stx_uid, st->stx_gid, &ids, &uid, &gid);
		r = scan_xattrs(s, e, &ids);
		s->scan->in_source += ids.source;
		s->scan->in_target += !ids.source && !ids.unmapped;
		if (r == 0 && ids.unmapped)
			r = tree_work_tell(&s->work, TREE_TOLD_UNMAPPED, e->path);
	}
	least(&s->scan->uid_min, st->stx_uid);
	least(&s->scan->gid_min, st->stx_gid);
	most(&s->scan->uid_max, ids.highest_uid > st->stx_uid ? ids.highest_uid : st->stx_uid);
	most(&s->scan->gid_max, ids.highest_gid > st->stx_gid ? ids.highest_gid : st->stx_gid);
	return r;
}

/* Whether it is a further name of a file that was seen: 1. */
static int scan_link(struct scanner *s, const struct tree_entry *e)
{
	struct link_slot *slot;
	bool first;
	int r;

	if (e->st->stx_nlink < 2)
		return 0;
	r = link_table_see(&s->links, e->st, &slot);
	if (r < 0)
		return fail_errno(s->work.err, r, "too many files with several names");
	first = slot->seen == 1;
	link_table_done(&s->links, slot);
	return !first;
}

static int scan_entry(const struct tree_entry *e, void *data)
{
	struct scanner *s = data;
	int r = tree_work_step(&s->work, 1, 0);

	s->scan->report.files++;
	if (r < 0)
		return r;
	if (e->mount)
		return tree_work_tell(&s->work, TREE_TOLD_MOUNT, e->path);
	if (S_ISSOCK(e->st->stx_mode))
		r = tree_work_tell(&s->work, TREE_TOLD_SOCKET, e->path);
	if (r == 0)
		r = scan_ids(s, e);
	if (r == 0)
		r = scan_link(s, e);
	if (r == 0) {
		s->scan->allocated += e->st->stx_blocks * 512;
		s->scan->report.bytes += S_ISREG(e->st->stx_mode) ? e->st->stx_size : 0;
	}
	s->scan->report.links += r > 0;
	return r < 0 ? r : 0;
}

static int scan_enter(const struct tree_entry *e, void *data)
{
	struct scanner *s = data;
	bool root = strcmp(e->path, ".") == 0;
	int r = tree_work_step(&s->work, !root, 0);

	s->scan->report.files += !root;
	s->scan->report.directories += !root;
	s->scan->allocated += e->st->stx_blocks * 512;
	return r < 0 ? r : scan_ids(s, e);
}

/* Files that have names which were not seen have them elsewhere. Their own names are not kept, so they are counted alone. */
static void tell_links(struct scanner *s)
{
	s->scan->report.told[TREE_TOLD_LINK].count = s->links.used;
}

static bool is_shifted(const struct tree_scan *scan)
{
	return scan->uid > 0 && scan->uid_min == scan->uid && scan->uid_max - scan->uid < SHIFT && scan->gid_min == scan->gid &&
	       scan->gid_max - scan->gid < SHIFT;
}

int tree_scan(int dir, const struct tree_map *map, const struct tree_options *options, struct tree_scan *ret, struct mrg_error *err)
{
	static const struct tree_visit visit = { .enter = scan_enter, .entry = scan_entry };
	struct tree_scan scan = { .uid_min = UINT32_MAX, .gid_min = UINT32_MAX };
	struct scanner s = { .map = map, .scan = &scan };
	struct stat st;
	int r;

	tree_work_init(&s.work, options, &scan.report, err);
	r = fstat(dir, &st) < 0 ? -errno : xattrs_init(&s.xattrs);
	if (r < 0)
		fail_errno(err, r, "cannot look at the root");
	else
		r = tree_walk(&s.work, dir, &visit, &s);
	if (r == 0) {
		tell_links(&s);
		scan.uid = st.st_uid;
		scan.gid = st.st_gid;
		scan.shifted = is_shifted(&scan);
		scan.rebasing = tree_rebase_is_unfinished(dir);
		*ret = scan;
	} else {
		tree_scan_deinit(&scan);
	}
	xattrs_deinit(&s.xattrs);
	link_table_deinit(&s.links);
	return r;
}

void tree_scan_deinit(struct tree_scan *scan)
{
	tree_report_deinit(&scan->report);
	*scan = (struct tree_scan) { 0 };
}
