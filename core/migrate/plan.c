/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a migration would do: worked out once, shown by mrg_plan(), done by mrg_migrate(). */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/archive/own_root.h"
#include "core/container/home.h"
#include "core/migrate/migrate.h"
#include "core/migrate/tree/tree.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/path.h"

#define IDS_DEFAULT	65536

/* ---- memory ------------------------------------------------------------------------------------- */

const char *plan_keep(struct plan_parts *parts, const char *text)
{
	if (strv_append(&parts->texts, text) < 0)
		return NULL;
	return parts->texts[strv_length(parts->texts) - 1];
}

void plan_parts_free(struct plan_parts *parts)
{
	if (!parts)
		return;
	free(parts->rows);
	free(parts->changes);
	free(parts->steps);
	strv_free(parts->networks);
	strv_free(parts->texts);
	free(parts);
}

struct mrg_plan *mrg_plan_free(struct mrg_plan *plan)
{
	/* The plan is the first of its parts. */
	plan_parts_free((struct plan_parts *)plan);
	return NULL;
}

/* ---- who ------------------------------------------------------------------------------------------- */

static int name_sides(struct migration *g, struct mrg_error *err)
{
	const struct record *record = g->source->record;
	const char *name = g->how->name ? g->how->name : record->name;
	struct journal *j = g->j;
	int r;

	if (!name_is_valid(name)) {
		mrg_error_set(err, -MRG_E_INVALID, "'%s' is no name for a container: letters, digits, '_', '.' and '-', at most 63, a letter or digit first", name);
		return mrg_error_hint(err, "give it another one with --rename"), -MRG_E_INVALID;
	}
	if (record->transient)
		return mrg_error_set(err, -MRG_E_STATE, "container '%s' is removed when it ends: it cannot be moved", record->name);
	if (!g->how->host && strcmp(record->backend, g->how->backend) == 0)
		return mrg_error_set(err, -MRG_E_INVALID, "container '%s' is of backend '%s' already", record->name, record->backend);
	j->adopted = record->adopted;
	r = journal_set(j, &j->source.name, record->name, err);
	if (r == 0)
		r = journal_set(j, &j->source.backend, record->backend, err);
	if (r == 0)
		r = journal_set(j, &j->source_id, record->id, err);
	if (r == 0)
		r = journal_set(j, &j->source.path, record->path ? record->path : g->m->path, err);
	if (r == 0)
		r = journal_set(j, &j->target.name, name, err);
	if (r == 0)
		r = journal_set(j, &j->target.backend, g->how->backend, err);
	if (r == 0)
		r = journal_set(j, &j->target.path, g->how->path, err);
	if (r == 0)
		r = journal_set(j, &j->host, g->how->host, err);
	return r < 0 ? r : journal_set(j, &j->ssh_config, g->how->ssh_config, err);
}

static int look_at_source(struct migration *g, struct mrg_error *err)
{
	struct mrg_status status;
	int r = mrg_container_status(g->source, &status, err), on;

	if (r < 0)
		return r;
	g->j->ran = g->ran = state_is_alive(status.state);
	if (g->ran && isolation_observe(status.pid, &g->before) < 0)
		g->before.known = false;
	on = mrg_autostart(g->source, -1, NULL);
	g->autostart = on > 0 || mrg_container_spec(g->source)->autostart;
	g->j->autostart = on > 0 && !g->source->plugin->table.autostart;
	return 0;
}

/* ---- the root ------------------------------------------------------------------------------------- */

static int home_of(struct migration *g, struct plugin *p, const struct journal_side *side, const struct mrg_spec *spec, char **ret, struct mrg_error *err)
{
	return home_find(g->m, p, &(struct mrg_unit){ .name = side->name, .id = g->j->id, .spec = spec, .dir = -1, .path = side->path }, ret, err);
}

bool migration_gets_own_users(const struct migration *g)
{
	return g->how->rebase ? strcmp(g->how->rebase, "none") != 0 : mrg_container_spec(g->source)->ns_user != NULL;
}

/* One that lies where its engine keeps roots goes with the container; one that the user gave is the user's. */
static int choose_method(const struct migration *g, const char *source_home)
{
	if (g->j->layers)
		return MRG_ROOT_COPY;
	if (g->how->method != MRG_ROOT_AUTO)
		return g->how->method;
	return path_is_below(g->j->root_from, source_home) ? MRG_ROOT_MOVE : MRG_ROOT_STAY;
}

/* The mount that @path, or what there is of it, is on; 0: not known. */
static uint64_t mount_of(const char *path, bool above)
{
	_cleanup_free_ char *copy = strdup(path);
	struct statx st;

	if (!copy)
		return 0;
	if (above && strrchr(copy, '/') != copy)
		*strrchr(copy, '/') = '\0';
	while (statx(AT_FDCWD, copy, AT_SYMLINK_NOFOLLOW, STATX_MNT_ID | STATX_BASIC_STATS, &st) < 0) {
		char *slash = strrchr(copy, '/');

		if (errno != ENOENT || !slash)
			return 0;
		slash[slash == copy] = '\0';
	}
	return st.stx_mnt_id;
}

static bool can_rename(const char *from, const char *to)
{
	uint64_t mount = mount_of(from, false);

	return mount && mount == mount_of(from, true) && mount == mount_of(to, true);
}

/* What goes to another host is sent; the source's stays, for the way back. */
static int place_elsewhere(struct migration *g, struct mrg_error *err)
{
	int r = remote_probe(g, err);

	g->j->method = MRG_ROOT_COPY;
	g->j->copied = true;
	if (r == 0)
		r = mrg_native(g->source, &g->native, err);
	return r == -MRG_E_UNSUPPORTED ? 0 : r;
}

static bool is_copied(const struct migration *g)
{
	return g->j->method == MRG_ROOT_COPY || (g->j->method == MRG_ROOT_MOVE && !g->parts->plan.same_file_system);
}

/* What an import or the engine's tools have made for it goes with the container, as a copy of ours does. What the user gave is the user's, wherever it is brought. */
static bool owns_root(const struct migration *g, const char *root, const char *source_home)
{
	const struct record *record = g->source->record;

	return is_copied(g) || own_root_is(record, root) || (record->adopted && path_is_below(root, source_home));
}

/* A layer may be that of other containers as well. */
static int find_root(struct migration *g, struct mrg_error *err)
{
	const char *root = mrg_container_spec(g->source)->root_path;
	int r = layers_find(g, err);

	if (r > 0 && g->how->method != MRG_ROOT_AUTO && g->how->method != MRG_ROOT_COPY) {
		mrg_error_set(err, -MRG_E_UNSUPPORTED, "the root of '%s' is merged of layers, '%s', which others may have as well: it can only be copied",
			      g->j->source.name, g->j->layers);
		return mrg_error_hint(err, "--copy does so; the source stays as it is"), -MRG_E_UNSUPPORTED;
	}
	if (r != 0)
		return r < 0 ? r : 0;
	if (!root || !path_is_clean(root) || strcmp(root, "/") == 0)
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "container '%s' has no root of its own that could be moved", g->j->source.name);
	return journal_set(g->j, &g->j->root_from, root, err);
}

static int no_place_for_copy(const struct migration *g, struct mrg_error *err)
{
	mrg_error_set(err, -MRG_E_EXISTS, "the copy would be where the root of '%s' is: '%s'", g->j->source.name, g->j->root_from);
	return mrg_error_hint(err, "under another name it has a place of its own: --rename NAME"), -MRG_E_EXISTS;
}

static int place_root(struct migration *g, struct mrg_error *err)
{
	_cleanup_free_ char *source_home = NULL, *home = NULL;
	struct mrg_plan *plan = &g->parts->plan;
	/* The target's spec is made when its place is known. */
	const struct mrg_spec spec = { .ns_user = migration_gets_own_users(g) ? (char *)"" : NULL };
	const char *root;
	int r = find_root(g, err);

	if (r < 0 || g->j->host)
		return r < 0 ? r : place_elsewhere(g, err);
	root = g->j->root_from;
	r = home_of(g, g->source->plugin, &g->j->source, mrg_container_spec(g->source), &source_home, err);
	if (r == 0)
		r = home_of(g, g->to, &g->j->target, &spec, &home, err);
	if (r < 0)
		return r;
	g->j->method = choose_method(g, source_home);
	r = journal_set(g->j, &g->j->root_to, g->j->method == MRG_ROOT_STAY ? root : home, err);
	/* It is where it has to be, but for a copy that somebody asked for to leave it alone. */
	if (r == 0 && !g->j->layers && strcmp(g->j->root_to, root) == 0) {
		if (g->how->method == MRG_ROOT_COPY)
			return no_place_for_copy(g, err);
		g->j->method = MRG_ROOT_STAY;
	}
	plan->same_file_system = r == 0 && can_rename(root, g->j->root_to);
	g->owns_root = r == 0 && owns_root(g, root, source_home);
	return r;
}

static int check_space(const struct migration *g, uint64_t needed, struct mrg_error *err)
{
	_cleanup_free_ char *copy = strdup(g->j->root_to);
	struct statvfs fs;
	uint64_t there;

	if (!copy)
		return fail_memory(err);
	while (statvfs(copy, &fs) < 0 && errno == ENOENT && strrchr(copy, '/') != copy)
		*strrchr(copy, '/') = '\0';
	there = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (needed <= there)
		return 0;
	return mrg_error_set(err, -ENOSPC, "the copy of the root needs %" PRIu64 " MiB, there are %" PRIu64 " on the file system of '%s'", needed >> 20,
			     there >> 20, copy);
}

/* Only what needs it pays for a look at all files: a rename does not. */
static int measure(struct migration *g, int root, struct mrg_error *err)
{
	struct mrg_plan *plan = &g->parts->plan;
	struct tree_scan scan = { 0 };
	int r;

	if (!g->only_plan && !is_copied(g))
		return 0;
	r = tree_scan(root, NULL, NULL, &scan, err);
	plan->files = scan.report.files;
	plan->bytes = scan.allocated;
	tree_scan_deinit(&scan);
	return r < 0 || !is_copied(g) || g->j->host ? r : check_space(g, plan->bytes, err);
}

/* ---- ids ------------------------------------------------------------------------------------------- */

/* By whom the files are owned: seen at the root itself. One range from 0 on where the engine has chosen it. */
struct owners {
	struct mrg_id_mapping uid, gid;
	const struct mrg_id_mapping *uids, *gids;
	size_t n_uids, n_gids;
};

static void owners_observed(const struct mrg_spec *spec, const struct stat *st, struct owners *ret)
{
	*ret = (struct owners){ 0 };
	/* Nor those of an ordinary user, who is root of whichever container has them. */
	if (!spec->ns_user || st->st_uid == 0 || st->st_uid == geteuid())
		return;
	ret->uid = (struct mrg_id_mapping){ 0, st->st_uid, IDS_DEFAULT };
	ret->gid = (struct mrg_id_mapping){ 0, st->st_gid, IDS_DEFAULT };
	ret->uids = spec->uid_mappings.n ? spec->uid_mappings.item : &ret->uid;
	ret->gids = spec->gid_mappings.n ? spec->gid_mappings.item : &ret->gid;
	ret->n_uids = spec->uid_mappings.n ? spec->uid_mappings.n : 1;
	ret->n_gids = spec->gid_mappings.n ? spec->gid_mappings.n : 1;
}

/* Whether the files of the migration's source belonged to the mapped ids: its own change tells, and without one who keeps owners can only have had such. */
static bool was_shifted(struct migration *g, const struct journal *j)
{
	struct plugin *p;

	if (j->uids)
		return strncmp(j->uids, "0:", 2) != 0;
	return registry_load(g->m, j->target.backend, &p, NULL) == 0 && p->table.keeps_owners;
}

/* Most map the owners of files for the container. Back to where they were mapped so, they are again. */
static void owners_wanted(struct migration *g, struct owners *ret)
{
	const struct mrg_spec *spec = g->spec;
	bool shifted = g->to->table.keeps_owners || (g->origin && was_shifted(g, g->origin));

	*ret = (struct owners){ 0 };
	if (!spec->ns_user || !shifted || spec->uid_mappings.n == 0)
		return;
	ret->uids = spec->uid_mappings.item;
	ret->gids = spec->gid_mappings.item;
	ret->n_uids = spec->uid_mappings.n;
	ret->n_gids = spec->gid_mappings.n;
}

static int keep_ranges(struct migration *g, const struct tree_range *ranges, size_t n, const char **member, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer b = { 0 };

	for (size_t i = 0; i < n; i++)
		buffer_addf(&b, "%s%" PRIu32 ":%" PRIu32 ":%" PRIu32, i ? "," : "", ranges[i].from, ranges[i].to, ranges[i].count);
	return b.failed ? fail_memory(err) : journal_set(g->j, member, b.text, err);
}

static int plan_ids(struct migration *g, int root, struct mrg_error *err)
{
	_cleanup_(tree_map_deinit) struct tree_map map = { 0 };
	struct owners now, then;
	struct stat st;
	char text[128];
	int r;

	if (fstat(root, &st) < 0)
		return fail_errno(err, -errno, "cannot look at the root '%s'", g->j->root_from);
	owners_observed(mrg_container_spec(g->source), &st, &now);
	owners_wanted(g, &then);
	r = tree_map_between(now.uids, now.n_uids, then.uids, then.n_uids, &map.uids, &map.n_uids, err);
	if (r == 0)
		r = tree_map_between(now.gids, now.n_gids, then.gids, then.n_gids, &map.gids, &map.n_gids, err);
	if (r < 0 || tree_map_is_empty(&map))
		return r;
	r = keep_ranges(g, map.uids, map.n_uids, &g->j->uids, err);
	if (r == 0)
		r = keep_ranges(g, map.gids, map.n_gids, &g->j->gids, err);
	snprintf(text, sizeof(text), "give files of the ids from %" PRIu32 " on to those from %" PRIu32 " on", map.n_uids ? map.uids[0].from : map.gids[0].from,
		 map.n_uids ? map.uids[0].to : map.gids[0].to);
	g->parts->plan.ids = plan_keep(g->parts, text);
	return r < 0 ? r : g->parts->plan.ids ? 0 : fail_memory(err);
}

/* ---- the guest --------------------------------------------------------------------------------------- */

int migration_plan_guest(struct migration *g, int root, struct mrg_error *err)
{
	/* Layers are copied whatever was asked for: that makes no second container. */
	const struct guest_context x = {
		.root = root, .from = g->j->source.backend, .to = g->j->target.backend,
		.copied = g->j->method == MRG_ROOT_COPY && g->how->method == MRG_ROOT_COPY && !g->j->host,
		.before = mrg_container_spec(g->source), .after = g->spec, .devices = g->devices, .earlier = g->origin ? g->earlier : NULL, .n_earlier = g->origin ? g->n_earlier : 0,
	};

	guest_changes_deinit(&g->guest);
	return guest_plan(&x, &g->guest, err);
}

static int keep_changes(struct migration *g, struct mrg_error *err)
{
	struct plan_parts *parts = g->parts;

	parts->changes = calloc(g->guest.n + 1, sizeof(*parts->changes));
	if (!parts->changes)
		return fail_memory(err);
	for (size_t i = 0; i < g->guest.n; i++) {
		const struct guest_change *change = &g->guest.item[i];

		parts->changes[i] = (struct mrg_plan_change){ plan_keep(parts, change->rule), plan_keep(parts, change->path), plan_keep(parts, change->text) };
		if (!parts->changes[i].rule || !parts->changes[i].path || !parts->changes[i].text)
			return fail_memory(err);
	}
	parts->plan.n_changes = g->guest.n;
	return 0;
}

/* ---- what stands against it ------------------------------------------------------------------------- */

static int check_name(const struct migration *g, struct mrg_error *err)
{
	struct record *record = NULL;
	bool same = strcmp(g->j->target.name, g->j->source.name) == 0 && !g->j->adopted;
	int r;

	/* The other host has been asked. */
	if (g->j->host)
		return 0;
	r = same ? -MRG_E_NOT_FOUND : store_open(g->m, g->j->target.name, &record, NULL);

	store_free(record);
	if (r != -MRG_E_NOT_FOUND)
		return mrg_error_set(err, -MRG_E_EXISTS, "a container named '%s' exists already", g->j->target.name);
	r = g->to->table.find ? dispatch_find(g->to, g->j->target.path, g->j->target.name, err) : 0;
	/* A root that stays, where the target looks for roots, is what it has found. */
	if (r <= 0 || g->j->method == MRG_ROOT_STAY)
		return r < 0 ? r : 0;
	mrg_error_set(err, -MRG_E_EXISTS, "%s has a container named '%s' already", g->j->target.backend, g->j->target.name);
	return mrg_error_hint(err, "give it another name with --rename"), -MRG_E_EXISTS;
}

static int check_place(const struct migration *g, struct mrg_error *err)
{
	struct stat st;

	if (g->j->method == MRG_ROOT_STAY || g->j->host || lstat(g->j->root_to, &st) < 0)
		return 0;
	mrg_error_set(err, -MRG_E_EXISTS, "there is something at '%s' already, where the root would go", g->j->root_to);
	return mrg_error_hint(err, "give it another name with --rename"), -MRG_E_EXISTS;
}

static int check_rest(const struct migration *g, struct mrg_error *err)
{
	if (!g->ran || !(g->how->flags & MRG_MIGRATE_NO_STOP))
		return 0;
	return mrg_error_set(err, -MRG_E_STATE, "container '%s' runs", g->j->source.name);
}

static int check_host(const struct migration *g, struct mrg_error *err)
{
	return g->j->host ? remote_check(g, err) : 0;
}

static void judge(struct migration *g)
{
	static int (*const checks[])(const struct migration *g, struct mrg_error *err) = { check_name, check_place, check_rest, report_judge, check_host };
	struct mrg_error *refusal = &g->parts->plan.refusal;

	for (size_t i = 0; i < ARRAY_SIZE(checks) && !refusal->code; i++)
		checks[i](g, refusal);
}

/* ---- all of it ---------------------------------------------------------------------------------------- */

static int list_steps(struct migration *g, struct mrg_error *err)
{
	struct plan_parts *parts = g->parts;
	const struct step *steps = migration_steps(g->j);
	size_t n = migration_count_steps(g->j);

	parts->steps = calloc(n + 1, sizeof(*parts->steps));
	if (!parts->steps)
		return fail_memory(err);
	for (size_t i = 0; i < n; i++) {
		_cleanup_(buffer_deinit) struct buffer b = { 0 };

		if (!steps[i].describe(g, &b))
			continue;
		parts->steps[parts->plan.n_steps] = (struct mrg_plan_step){ steps[i].name, b.text ? plan_keep(parts, b.text) : NULL };
		if (!parts->steps[parts->plan.n_steps++].text)
			return fail_memory(err);
	}
	return 0;
}

static void fill_plan(struct migration *g)
{
	struct plan_parts *parts = g->parts;
	struct mrg_plan *plan = &parts->plan;

	plan->name = plan_keep(parts, g->j->source.name);
	plan->backend = plan_keep(parts, g->j->source.backend);
	plan->target_name = plan_keep(parts, g->j->target.name);
	plan->target_backend = plan_keep(parts, g->j->target.backend);
	plan->target_host = g->j->host ? plan_keep(parts, g->j->host) : NULL;
	plan->root = plan_keep(parts, g->j->root_from);
	plan->target_root = plan_keep(parts, g->j->root_to);
	plan->running = g->ran;
	plan->method = g->j->method;
	plan->report = parts->rows;
	plan->n_report = parts->n_rows;
	plan->networks = parts->networks;
	plan->changes = parts->changes;
	plan->steps = parts->steps;
}

static int analyse_root(struct migration *g, struct mrg_error *err)
{
	_cleanup_close_ int root = source_root_open(g->j, err);
	int r = root < 0 ? root : measure(g, root, err);

	/* An archive has the ids that the container sees. */
	if (r == 0 && !g->j->host)
		r = plan_ids(g, root, err);
	if (r == 0)
		r = migration_plan_guest(g, root, err);
	return r < 0 ? r : keep_changes(g, err);
}

int migration_analyse(struct migration *g, struct mrg_error *err)
{
	int r = container_plugin(g->source, err);

	g->parts = calloc(1, sizeof(*g->parts));
	if (!g->parts)
		return fail_memory(err);
	if (r == 0)
		r = name_sides(g, err);
	if (r == 0)
		r = registry_load(g->m, g->j->target.backend, &g->to, err);
	if (r == 0)
		r = mrg_container_load(g->source, err);
	if (r == 0)
		r = look_at_source(g, err);
	if (r == 0)
		r = place_root(g, err);
	if (r == 0)
		r = report_make(g, err);
	if (r == 0)
		r = plan_networks(g, err);
	if (r == 0)
		r = analyse_root(g, err);
	if (r == 0)
		r = list_steps(g, err);
	if (r < 0)
		return r;
	fill_plan(g);
	judge(g);
	return 0;
}
