/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Giving a tree to other ids, in place, so that it can be interrupted anywhere.
 *
 * Where no id is both a source's and a target's, what has been changed tells itself, and the work is one walk. Where ranges overlap it is two: to ids
 * above all ranges and all owners, then to the target's. The mark of the root tells which one is at work, from before its first change.
 */

#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/migrate/tree/rebase.h"
#include "core/util/cleanup.h"
#include "core/util/digest.h"
#include "core/util/fail.h"

enum phase { WALK, WALK_FIRST, WALK_SECOND, DONE };

/* The mark of a root: "PHASE MIDDLE DIGEST-OF-THE-MAP". */
struct mark {
	unsigned int phase;		/* enum phase */
	uint32_t middle;
	uint64_t digest;
};

static uint64_t digest_map(const struct tree_map *map)
{
	uint64_t digest = digest_text((const char *)&map->n_uids, sizeof(map->n_uids));

	digest = digest_add(digest, (const char *)map->uids, map->n_uids * sizeof(*map->uids));
	return digest_add(digest, (const char *)map->gids, map->n_gids * sizeof(*map->gids));
}

/* Without a mark one walk still tells what it has done; two do not. */
static bool goes_without(const struct mark *mark, int r)
{
	return mark->phase == WALK && (r == -EOPNOTSUPP || r == -EPERM);
}

static int write_mark(int dir, const struct mark *mark)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "%u %" PRIu32 " %016" PRIx64, mark->phase, mark->middle, mark->digest);

	/* On disk before what it announces. */
	return fsetxattr(dir, TREE_XATTR_MARK, text, (size_t)n, 0) < 0 || fsync(dir) < 0 ? -errno : 0;
}

/* 1: there is one. */
static int read_mark(int dir, struct mark *ret)
{
	char text[64];
	ssize_t n = fgetxattr(dir, TREE_XATTR_MARK, text, sizeof(text) - 1);

	if (n < 0)
		return errno == ENODATA || errno == EOPNOTSUPP || errno == EPERM ? 0 : -errno;
	text[n] = '\0';
	if (sscanf(text, "%u %" SCNu32 " %" SCNx64, &ret->phase, &ret->middle, &ret->digest) != 3 || ret->phase > DONE)
		return -EINVAL;
	return 1;
}

/* What must not be changed is found before anything is. */
static int refuse(const struct tree_scan *scan, struct mrg_error *err)
{
	if (scan->report.told[TREE_TOLD_MOUNT].count > 0)
		return mrg_error_set(err, -MRG_E_STATE, "something is mounted at '%s' of the root", scan->report.told[TREE_TOLD_MOUNT].paths[0]);
	if (scan->report.told[TREE_TOLD_LINK].count > 0) {
		mrg_error_set(err, -EMLINK, "%llu files of the root have names outside of it as well, which would change there too",
			      (unsigned long long)scan->report.told[TREE_TOLD_LINK].count);
		return mrg_error_hint(err, "copy the root instead");
	}
	return 0;
}

static uint32_t above(const struct tree_scan *scan, const struct tree_map *map)
{
	uint32_t end = tree_map_end(map);

	end = scan->uid_max >= end ? scan->uid_max + 1 : end;
	return scan->gid_max >= end ? scan->gid_max + 1 : end;
}

/* The first call: looks at the tree and marks it. */
static int begin(int dir, const struct tree_map *map, struct mark *ret, struct mrg_error *err)
{
	struct mark mark = { .digest = digest_map(map), .phase = tree_map_overlaps(map) ? WALK_FIRST : WALK };
	struct tree_scan scan;
	int r = tree_scan(dir, map, NULL, &scan, err);

	if (r < 0)
		return r;
	r = refuse(&scan, err);
	mark.middle = above(&scan, map);
	tree_scan_deinit(&scan);
	if (r < 0)
		return r;
	r = write_mark(dir, &mark);
	if (r < 0 && !goes_without(&mark, r)) {
		fail_errno(err, r, "cannot note on the root which half of the change is done");
		return mrg_error_hint(err, "copy the root instead, or choose ids that do not overlap with those it has");
	}
	*ret = mark;
	return 0;
}

static int visit_leave(const struct tree_entry *e, void *data)
{
	struct rebaser *rb = data;
	bool root = strcmp(e->path, ".") == 0;
	int r = tree_rebase_entry(rb, e);

	rb->work.report->files += !root;
	rb->work.report->directories += !root;
	return r < 0 ? r : tree_work_step(&rb->work, !root, 0);
}

static int visit_entry(const struct tree_entry *e, void *data)
{
	struct rebaser *rb = data;
	int r = e->mount ? tree_work_tell(&rb->work, TREE_TOLD_MOUNT, e->path) : tree_rebase_entry(rb, e);

	rb->work.report->files++;
	return r < 0 ? r : tree_work_step(&rb->work, 1, 0);
}

static int walk(struct rebaser *rb, int dir, const struct tree_map *map)
{
	static const struct tree_visit visit = { .leave = visit_leave, .entry = visit_entry };

	tree_report_deinit(rb->work.report);
	rb->map = map;
	return tree_walk(&rb->work, dir, &visit, rb);
}

/* Two walks, or what is left of them. All of the first is on disk before the second is announced. */
static int walk_twice(struct rebaser *rb, int dir, const struct tree_map *map, struct mark *mark)
{
	struct tree_map first, second;
	int r = tree_map_split(map, mark->middle, &first, &second);

	if (r < 0) {
		fail_errno(rb->work.err, r, "cannot change ids that overlap");
		return mrg_error_hint(rb->work.err, "copy the root instead");
	}
	if (mark->phase == WALK_FIRST) {
		r = walk(rb, dir, &first);
		mark->phase = WALK_SECOND;
		if (r == 0 && (syncfs(dir) < 0 || write_mark(dir, mark) < 0))
			r = fail_errno(rb->work.err, -errno, "cannot note on the root that half of the change is done");
	}
	if (r == 0)
		r = walk(rb, dir, &second);
	tree_map_deinit(&first);
	tree_map_deinit(&second);
	return r;
}

/* 1: all is done, and was before. */
static int take_up(struct rebaser *rb, int dir, const struct tree_map *map, struct mark *mark)
{
	struct mrg_error *err = rb->work.err;
	int r = read_mark(dir, mark);

	if (r < 0)
		return fail_errno(err, r, "cannot read how far the root was given to other ids");
	if (r == 0)
		return begin(dir, map, mark, err);
	rb->resumed = mark->phase != DONE;
	if (mark->digest == digest_map(map))
		return mark->phase == DONE;
	if (mark->phase == DONE)
		return begin(dir, map, mark, err);
	return mrg_error_set(err, -MRG_E_STATE, "the root is being given to other ids than these, which was interrupted");
}

static int rebase(struct rebaser *rb, int dir, const struct tree_map *map)
{
	struct mrg_error *err = rb->work.err;
	struct mark mark = { 0 };
	int r = take_up(rb, dir, map, &mark);

	if (r != 0)
		return r < 0 ? r : 0;
	rb->root = dir;
	r = mark.phase == WALK ? walk(rb, dir, map) : walk_twice(rb, dir, map, &mark);
	if (r < 0)
		return r;
	if (rb->work.options->durable && syncfs(dir) < 0)
		return fail_errno(err, -errno, "cannot write the new ids to disk");
	r = write_mark(dir, &(struct mark){ .phase = DONE, .digest = mark.digest });
	return r < 0 && !goes_without(&mark, r) ? fail_errno(err, r, "cannot note on the root that it has been given to other ids") : 0;
}

int tree_rebase(int dir, const struct tree_map *map, const struct tree_options *options, struct tree_report *ret, struct mrg_error *err)
{
	struct tree_report report = { 0 };
	struct rebaser rb = { 0 };
	int r = 0;

	tree_work_init(&rb.work, options, &report, err);
	if (!tree_map_is_empty(map))
		r = xattrs_init(&rb.xattrs) < 0 ? fail_memory(err) : rebase(&rb, dir, map);
	xattrs_deinit(&rb.xattrs);
	if (ret)
		*ret = report;
	else
		tree_report_deinit(&report);
	return r;
}

bool tree_rebase_begun(int dir, const struct tree_map *map)
{
	struct mark mark;

	return !tree_map_overlaps(map) || (read_mark(dir, &mark) > 0 && mark.digest == digest_map(map));
}

int tree_rebase_settle(int dir, struct mrg_error *err)
{
	if (fremovexattr(dir, TREE_XATTR_MARK) < 0 && errno != ENODATA && errno != EOPNOTSUPP && errno != EPERM)
		return fail_errno(err, -errno, "cannot take the mark of its ids from the root");
	return 0;
}

bool tree_rebase_is_unfinished(int dir)
{
	struct mark mark;
	int r = read_mark(dir, &mark);

	return r < 0 || (r > 0 && mark.phase != DONE);
}
