/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps at the root: brought to its place, given to other ids, fitted. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/container/home.h"
#include "core/migrate/copies.h"
#include "core/migrate/migrate.h"
#include "core/migrate/tree/tree.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/path.h"

/* A path as the directory it is in and its name there. */
struct place {
	int parent;
	const char *name;
};

static void place_close(struct place *place)
{
	if (place->parent >= 0)
		close(place->parent);
}
#define _cleanup_place_ _cleanup_(place_close)

/* Makes the directories above @path that are missing, if @make. */
static int place_open(const char *path, bool make, bool passable, struct place *ret, struct mrg_error *err)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *above = slash > path ? strndup(path, (size_t)(slash - path)) : strdup("/");

	ret->name = slash + 1;
	if (!above) {
		ret->parent = -1;
		return fail_memory(err);
	}
	ret->parent = make ? home_open_above(above, passable) : open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->parent >= 0)
		return 0;
	return fail_errno(err, make ? ret->parent : -errno, "cannot %s '%s'", make ? "make" : "open", above);
}

static int open_root(const char *path, struct mrg_error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? fail_errno(err, -errno, "cannot open the root '%s'", path) : fd;
}

static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* ---- ids in the journal ------------------------------------------------------------------------- */

static int parse_ranges(const char *text, bool inverse, struct tree_range **ret, size_t *ret_n)
{
	struct tree_range range;
	int used;

	for (; text && *text; text += used + (text[used] == ',')) {
		struct tree_range *bigger;

		if (sscanf(text, "%" SCNu32 ":%" SCNu32 ":%" SCNu32 "%n", &range.from, &range.to, &range.count, &used) != 3)
			return -EBADMSG;
		bigger = realloc(*ret, (*ret_n + 1) * sizeof(*bigger));
		if (!bigger)
			return -ENOMEM;
		*ret = bigger;
		bigger[(*ret_n)++] = inverse ? (struct tree_range){ range.to, range.from, range.count } : range;
	}
	return 0;
}

static int ids_parse(const struct journal *j, bool inverse, struct tree_map *ret, struct mrg_error *err)
{
	int r;

	*ret = (struct tree_map){ 0 };
	r = parse_ranges(j->uids, inverse, &ret->uids, &ret->n_uids);
	if (r == 0)
		r = parse_ranges(j->gids, inverse, &ret->gids, &ret->n_gids);
	if (r < 0)
		tree_map_deinit(ret);
	return r < 0 ? fail_errno(err, r, "the ids of the migration cannot be read") : 0;
}

/* ---- progress ------------------------------------------------------------------------------------- */

static int report(const struct tree_progress *done, void *data)
{
	struct migration *g = data;
	const struct mrg_progress progress = {
		.step = "root", .text = g->j->root_to, .done = done->bytes, .size = g->parts ? g->parts->plan.bytes : 0,
	};

	return step_progress(g, &progress, NULL);
}

/* ---- root ------------------------------------------------------------------------------------------ */

static bool is_renamed(const struct migration *g)
{
	return g->j->method == MRG_ROOT_MOVE && g->parts->plan.same_file_system;
}

bool root_describe(const struct migration *g, struct buffer *b)
{
	const char *how = is_renamed(g) ? "rename" : "copy";

	if (g->j->layers)
		buffer_addf(b, "merge the layers of the root, '%s', into '%s'", g->j->layers, g->j->root_to);
	else
		buffer_addf(b, "%s the root '%s' to '%s'", how, g->j->root_from, g->j->root_to);
	return g->j->method != MRG_ROOT_STAY;
}

static void unfinished_name(const struct journal *j, const char *name, char ret[NAME_MAX + 1])
{
	snprintf(ret, NAME_MAX + 1, ".#moorage-%s-%.200s", j->id, name);
}

/* Under a name of its own until it is whole: what has the name afterwards is ours. */
static int copy_root(struct migration *g, const struct place *to, struct mrg_error *err)
{
	struct tree_options options = { .durable = true, .progress = report, .data = g };
	_cleanup_(tree_map_deinit) struct tree_map map = { 0 };
	_cleanup_close_ int source = source_root_open(g->j, err);
	char name[NAME_MAX + 1];
	int r = source < 0 ? source : ids_parse(g->j, false, &map, err);

	unfinished_name(g->j, to->name, name);
	options.map = &map;
	if (r == 0)
		r = tree_copy(source, to->parent, name, &options, NULL, err);
	if (r < 0)
		return r;
	g->j->copied = true;
	r = journal_write(g->j, err);
	if (r == 0 && renameat2(to->parent, name, to->parent, to->name, RENAME_NOREPLACE) < 0)
		r = fail_errno(err, -errno, "cannot give the copy its name '%s'", g->j->root_to);
	fsync(to->parent);
	return r;
}

int root_run(struct migration *g, struct mrg_error *err)
{
	_cleanup_place_ struct place from = { .parent = -1 }, to = { .parent = -1 };
	int r = place_open(g->j->root_from, false, false, &from, err);

	if (r == 0)
		r = place_open(g->j->root_to, true, home_is_mapped(g->to, g->spec), &to, err);
	if (r < 0)
		return r;
	if (!is_renamed(g))
		return copy_root(g, &to, err);
	if (renameat2(from.parent, from.name, to.parent, to.name, RENAME_NOREPLACE) < 0)
		return fail_errno(err, -errno, "cannot rename '%s' to '%s'", g->j->root_from, g->j->root_to);
	fsync(to.parent);
	fsync(from.parent);
	return 0;
}

static void tell_kept(const struct migration *g, const char *path)
{
	_cleanup_free_ char *text = NULL;

	if (g->progress && asprintf(&text, "the copy that '%s' has worked in is kept: '%s'", g->j->target.name, path) >= 0)
		g->progress(&(struct mrg_progress){ .step = "root", .text = text, .total = migration_count_steps(g->j) }, g->data);
}

/* A copy in which the target has worked is not ours to throw away. */
static int keep_copy(struct migration *g, const struct place *to, struct mrg_error *err)
{
	_cleanup_free_ char *kept = NULL;
	int r = copies_keep(g->m, to->parent, g->j->root_to, g->j->id, &kept, err);

	if (r == 0)
		tell_kept(g, kept);
	return r;
}

static int undo_copy(struct migration *g, const struct place *to, struct mrg_error *err)
{
	char unfinished[NAME_MAX + 1];
	struct stat st;

	unfinished_name(g->j, to->name, unfinished);
	if (fstatat(to->parent, unfinished, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return tree_remove(to->parent, unfinished, NULL, err);
	if (!g->j->copied || !is_there(g->j->root_to))
		return 0;
	return g->j->finished ? keep_copy(g, to, err) : tree_remove(to->parent, to->name, NULL, err);
}

/* What was made for it goes when it is empty: the directory that bears the name of the container, nothing above. */
static void remove_place(const struct journal *j)
{
	const char *slash = strrchr(j->root_to, '/');
	_cleanup_free_ char *above = strndup(j->root_to, (size_t)(slash - j->root_to));
	const char *name = above ? strrchr(above, '/') : NULL;

	if (name && strcmp(name + 1, j->target.name) == 0)
		rmdir(above);
}

int root_undo(struct migration *g, struct mrg_error *err)
{
	_cleanup_place_ struct place from = { .parent = -1 }, to = { .parent = -1 };
	int r;

	if (g->j->method == MRG_ROOT_STAY)
		return 0;
	r = place_open(g->j->root_to, false, false, &to, NULL);
	/* Not even its place was made. */
	if (r < 0)
		return is_there(g->j->root_from) || g->j->hidden ? 0 : fail_errno(err, r, "cannot open the place of '%s'", g->j->root_to);
	r = undo_copy(g, &to, err);
	if (r == 0 && g->j->method == MRG_ROOT_MOVE && !is_there(g->j->root_from) && !g->j->hidden && is_there(g->j->root_to)) {
		r = place_open(g->j->root_from, true, false, &from, err);
		if (r == 0 && renameat2(to.parent, to.name, from.parent, from.name, RENAME_NOREPLACE) < 0)
			r = fail_errno(err, -errno, "cannot rename '%s' to '%s'", g->j->root_to, g->j->root_from);
		if (r == 0) {
			fsync(from.parent);
			fsync(to.parent);
		}
	}
	remove_place(g->j);
	return r;
}

/* ---- owners ---------------------------------------------------------------------------------------- */

bool ids_describe(const struct migration *g, struct buffer *b)
{
	if (!g->j->uids && !g->j->gids)
		return false;
	buffer_addf(b, "%s", g->parts->plan.ids);
	return is_renamed(g) || g->j->method == MRG_ROOT_STAY;
}

/* Done once: between its end and the note of it in the journal the mark on the root tells. */
static int rebase(struct journal *j, int root, bool inverse, struct mrg_error *err)
{
	const struct tree_options options = { .durable = true };
	_cleanup_(tree_map_deinit) struct tree_map map = { 0 };
	int r = ids_parse(j, inverse, &map, err);

	if (r == 0)
		r = tree_rebase(root, &map, &options, NULL, err);
	if (r < 0)
		return r;
	j->rebased = !inverse;
	r = journal_write(j, err);
	return r < 0 ? r : tree_rebase_settle(root, err);
}

int ids_run(struct migration *g, struct mrg_error *err)
{
	_cleanup_close_ int root = open_root(g->j->root_to, err);

	return root < 0 ? root : rebase(g->j, root, false, err);
}

/* One that was cut short is done first. */
int ids_undo(struct migration *g, struct mrg_error *err)
{
	_cleanup_(tree_map_deinit) struct tree_map map = { 0 };
	_cleanup_close_ int root = -1;
	int r;

	if ((!g->j->uids && !g->j->gids) || g->j->copied || !is_there(g->j->root_to))
		return 0;
	root = open_root(g->j->root_to, err);
	r = root < 0 ? root : ids_parse(g->j, false, &map, err);
	if (r == 0 && !g->j->rebased) {
		/* Not begun, or undone already. */
		if (!tree_rebase_begun(root, &map))
			return tree_rebase_settle(root, err);
		r = rebase(g->j, root, false, err);
	}
	return r < 0 ? r : rebase(g->j, root, true, err);
}

/* ---- fit ------------------------------------------------------------------------------------------- */

bool guest_describe(const struct migration *g, struct buffer *b)
{
	buffer_addf(b, "change %zu %s in the root", g->guest.n, g->guest.n == 1 ? "file" : "files");
	return g->guest.n > 0;
}

/* Looked at anew: by now the container has stopped, and files may have other owners. */
int guest_run(struct migration *g, struct mrg_error *err)
{
	_cleanup_close_ int root = open_root(g->j->root_to, err);
	int r = root < 0 ? root : migration_plan_guest(g, root, err);

	if (r == 0)
		r = guest_save(g->j->dir, &g->guest, err);
	return r < 0 ? r : guest_apply(root, &g->guest, err);
}

int guest_undo(struct migration *g, struct mrg_error *err)
{
	_cleanup_(guest_changes_deinit) struct guest_changes changes = { 0 };
	_cleanup_close_ int root = -1;
	size_t left = 0;
	int r;

	/* A copy goes, or stays as it is. */
	if (g->j->copied)
		return 0;
	r = guest_load(g->j->dir, &changes, err);
	if (r < 0 || changes.n == 0)
		return r;
	root = open_root(g->j->root_to, err);
	return root < 0 ? root : guest_revert(root, &changes, g->j->finished ? &left : NULL, err);
}
