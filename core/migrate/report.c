/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The spec of the target, and what becomes of each key of the source on the way. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <moorage/helper.h>

#include "core/container/home.h"
#include "core/convert/convert.h"
#include "core/formats/format.h"
#include "core/formats/native.h"
#include "core/migrate/migrate.h"
#include "core/spec/table.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/path.h"

#define IDS_DEFAULT	65536
#define SPEC_MAX	(4U << 20)

static void spec_freep(struct mrg_spec **spec)
{
	mrg_spec_free(*spec);
}

static bool has_format(const char *backend)
{
	for (const char *const *name = mrg_format_names(); *name; name++)
		if (strcmp(*name, backend) == 0)
			return true;
	return false;
}

static const char *path_of(unsigned int field)
{
	return mrg_field_info(field)->path;
}

/* ---- the way back ------------------------------------------------------------------------------- */

static int read_spec(const struct journal *origin, const char *name, struct mrg_spec **ret, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r = fd_read_file(origin->dir, name, SPEC_MAX, &text, &length);

	return r < 0 ? fail_errno(err, r, "cannot read '%s' of the earlier migration", name) : mrg_spec_parse(text, length, ret, err);
}

static int emit_field(const struct mrg_spec *spec, unsigned int field, char **ret, struct mrg_error *err)
{
	struct mrg_spec one = *spec;

	memset(&one.set, 0, sizeof(one.set));
	if (mrg_fields_has(&spec->set, field))
		mrg_fields_add(&one.set, field);
	return mrg_spec_emit(&one, 0, ret, err);
}

static int same_field(const struct mrg_spec *a, const struct mrg_spec *b, unsigned int field, struct mrg_error *err)
{
	_cleanup_free_ char *one = NULL, *other = NULL;
	int r = emit_field(a, field, &one, err);

	if (r == 0)
		r = emit_field(b, field, &other, err);
	return r < 0 ? r : strcmp(one, other) == 0;
}

/* What nobody has changed since the migration to here is as it was before it, with all that got lost on the way. */
static int merge_origin(const struct journal *origin, struct mrg_spec *now, struct mrg_error *err)
{
	_cleanup_(spec_freep) struct mrg_spec *then = NULL, *before = NULL;
	int r = read_spec(origin, "target.json", &then, err);

	if (r == 0)
		r = read_spec(origin, "source.json", &before, err);
	if (r == 0 && origin->layers)
		r = lxc_layers_forget(before, err);
	for (unsigned int field = 0; r >= 0 && field < MRG_FIELD_MAX; field++) {
		if (field == MRG_FIELD_ROOT_PATH)
			continue;
		r = same_field(now, then, field, err);
		if (r <= 0)
			continue;
		mrg_fields_remove(&now->set, field);
		if (!mrg_fields_has(&before->set, field))
			continue;
		if (spec_copy_value(now, &spec_fields[field].value, now, before) < 0)
			return fail_memory(err);
		mrg_fields_add(&now->set, field);
	}
	return r < 0 ? r : 0;
}

/* Whether nothing but the place of the root has been changed since. */
static int is_unchanged(const struct journal *origin, const struct mrg_spec *now, struct mrg_error *err)
{
	_cleanup_(spec_freep) struct mrg_spec *before = NULL;
	int r = read_spec(origin, "source.json", &before, err);

	for (unsigned int field = 0; r >= 0 && field < MRG_FIELD_MAX; field++) {
		if (field == MRG_FIELD_ROOT_PATH)
			continue;
		r = same_field(now, before, field, err);
		if (r <= 0)
			return r;
	}
	return r < 0 ? r : 1;
}

/* The container that was set aside for the way here is the one that comes back, with the very text of its configuration. */
static int find_return(struct migration *g, struct mrg_error *err)
{
	const struct journal *origin = g->origin;
	int r = is_unchanged(origin, g->spec, err);

	if (r <= 0 || !origin->adopted || strcmp(origin->source.name, g->j->target.name) != 0 || strcmp(origin->root_from, g->j->root_to) != 0 ||
	    strcmp(origin->source.path ? origin->source.path : "", g->j->target.path ? g->j->target.path : "") != 0)
		return r < 0 ? r : 0;
	return journal_set(g->j, &g->j->returned, origin->id, err);
}

/* Ours have the id of the migration that made them. */
static int open_chain(struct migration *g, struct mrg_error *err)
{
	const char *id = g->j->adopted ? NULL : g->j->source_id;

	while (id && g->n_chain < MIGRATION_CHAIN) {
		struct journal *j = NULL;
		bool empty;
		int r = journal_open(g->m, JOURNAL_KEPT, id, &j, &empty, NULL);

		if (r == -MRG_E_BUSY)
			return mrg_error_set(err, r, "another command is at work on container '%s'", g->j->source.name);
		if (r < 0)
			return 0;
		g->chain[g->n_chain++] = j;
		id = j->adopted ? NULL : j->source_id;
	}
	return 0;
}

static int look_back(struct migration *g, struct mrg_error *err)
{
	int r = open_chain(g, err);

	for (size_t i = 0; i < g->n_chain && r == 0 && !g->origin; i++) {
		r = merge_origin(g->chain[i], g->spec, err);
		g->earlier[g->n_earlier++] = g->chain[i]->dir;
		if (strcmp(g->chain[i]->source.backend, g->j->target.backend) == 0)
			g->origin = g->chain[i];
	}
	return r < 0 || !g->origin || g->how->rebase ? r : find_return(g, err);
}

/* ---- users ------------------------------------------------------------------------------------------ */

static int read_rebase(struct migration *g, struct mrg_error *err)
{
	struct mrg_id_mapping map = { .size = IDS_DEFAULT };
	const char *text = g->how->rebase;
	_cleanup_free_ char *first = text ? strndup(text, strcspn(text, ":")) : NULL;
	static const enum mrg_field fields[] = { MRG_FIELD_NS_USER, MRG_FIELD_UID_MAPPINGS, MRG_FIELD_GID_MAPPINGS };
	int r;

	if (!text)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		mrg_fields_remove(&g->spec->set, fields[i]);
	g->spec->ns_user = NULL;
	g->spec->uid_mappings.n = g->spec->gid_mappings.n = 0;
	if (strcmp(text, "none") == 0)
		return 0;
	if (!first || parse_uint32(first, &map.host_id) < 0 || (strchr(text, ':') && parse_uint32(strchr(text, ':') + 1, &map.size) < 0) || map.size == 0 ||
	    map.host_id == 0 || map.host_id > UINT32_MAX - map.size)
		return mrg_error_set(err, -MRG_E_INVALID, "'%s' is no range of ids: HOST[:COUNT], or none", text);
	r = mrg_spec_set(g->spec, MRG_FIELD_NS_USER, "private", err);
	if (r == 0)
		r = mrg_spec_add_uid_mapping(g->spec, &map, err);
	return r < 0 ? r : mrg_spec_add_gid_mapping(g->spec, &map, err);
}

/* ---- what the target cannot do --------------------------------------------------------------------- */

static int add_row(struct report_rows *rows, unsigned int field, int verdict, const char *note, struct mrg_error *err)
{
	const struct mrg_report_row row = { .verdict = verdict, .field = (int)field, .source = path_of(field),
					    .target = verdict < MRG_DROPPED ? path_of(field) : NULL, .note = note };

	return report_rows_add(&row, rows) < 0 ? fail_memory(err) : 0;
}

static int drop(struct migration *g, unsigned int field, const char *note, struct report_rows *write, struct mrg_error *err)
{
	bool confines = format_confines(field);
	struct mrg_spec *reduced = NULL;
	int r;

	/* A copy has nothing of what is not set. */
	mrg_fields_remove(&g->spec->set, field);
	r = mrg_spec_copy(g->spec, &reduced, err);
	if (r < 0)
		return r;
	mrg_spec_free(g->spec);
	g->spec = reduced;
	/* What an earlier migration has lost already is not lost once more. */
	if (!mrg_fields_has(&mrg_container_spec(g->source)->set, field))
		return 0;
	if (confines)
		mrg_fields_add(&g->parts->weakened, field);
	return add_row(write, field, confines ? MRG_WEAKENS : MRG_DROPPED, note, err);
}

static int drop_unable(struct migration *g, const struct mrg_fields *able, struct report_rows *write, struct mrg_error *err)
{
	char note[96];
	int r = 0;

	snprintf(note, sizeof(note), "backend '%s' cannot do this here", g->j->target.backend);
	/* Nothing is lost of what is not wanted. */
	if (!g->spec->boot && mrg_fields_has(&g->spec->set, MRG_FIELD_BOOT) && !mrg_fields_has(able, MRG_FIELD_BOOT)) {
		mrg_fields_remove(&g->spec->set, MRG_FIELD_BOOT);
		r = add_row(write, MRG_FIELD_BOOT, MRG_CARRIED, NULL, err);
	}
	for (unsigned int field = 0; r == 0 && field < MRG_FIELD_MAX; field++)
		if (mrg_fields_has(&g->spec->set, field) && !mrg_fields_has(able, field))
			r = drop(g, field, note, write, err);
	return r;
}

/* The field that a backend's check names, as all of them do, by path or by name: -1 when none is. */
static int named_field(const struct mrg_spec *spec, const char *message)
{
	size_t longest = 0;
	int found = -1;

	for (unsigned int field = 0; field < MRG_FIELD_MAX; field++) {
		const struct mrg_field_info *info = mrg_field_info(field);
		const char *names[] = { info->path, info->name };

		for (size_t i = 0; i < 2 && mrg_fields_has(&spec->set, field) && field != MRG_FIELD_ROOT_PATH; i++) {
			const char *at = strstr(message, names[i]);

			if (at && at[strlen(names[i])] == ':' && strlen(names[i]) > longest) {
				longest = strlen(names[i]);
				found = (int)field;
			}
		}
	}
	return found;
}

/* Which ids the files are to belong to must be known where they are not mapped: those that they have, or some that nobody uses. */
static int choose_users(struct migration *g, struct mrg_error *err)
{
	const struct mrg_unit unit = { .name = g->j->target.name, .id = g->j->id, .dir = -1 };
	struct stat st;

	if (!home_is_mapped(g->to, g->spec) || g->spec->uid_mappings.n > 0)
		return 0;
	g->chosen = true;
	return home_map_users(g->spec, &unit, !g->j->host && !g->j->layers && stat(g->j->root_from, &st) == 0 ? &st : NULL, err);
}

/* Those were good enough to be judged with; another host chooses for itself. */
static void leave_users(struct migration *g)
{
	if (!g->chosen || !g->j->host)
		return;
	g->spec->uid_mappings.n = g->spec->gid_mappings.n = 0;
	mrg_fields_remove(&g->spec->set, MRG_FIELD_UID_MAPPINGS);
	mrg_fields_remove(&g->spec->set, MRG_FIELD_GID_MAPPINGS);
}

/* Goes without what the backend's check refuses, one after the other; a refusal that names no field stands. */
static int drop_refused(struct migration *g, struct report_rows *write, struct mrg_error *err)
{
	struct mrg_error why = { 0 };
	int r = 0, field;

	for (size_t tries = 0; tries < MRG_FIELD_MAX && r == 0; tries++) {
		r = dispatch_check(g->to, g->spec, &why);
		if (r != -MRG_E_UNSUPPORTED)
			break;
		field = named_field(g->spec, why.message);
		r = field < 0 ? -MRG_E_UNSUPPORTED : drop(g, (unsigned int)field, why.message, write, err);
	}
	if (r < 0 && why.code && err)
		*err = why;
	return r;
}

/* ---- what belongs to one engine ---------------------------------------------------------------------- */

/* Verbatim keys of other engines mean nothing to this one; the source keeps them. */
static int reduce_native(struct migration *g, struct report_rows *write, struct mrg_error *err)
{
	int r = native_reduce(g->spec, g->j->target.backend, err);

	if (r <= 0 || mrg_fields_has(&g->spec->set, MRG_FIELD_NATIVE))
		return r < 0 ? r : 0;
	return drop(g, MRG_FIELD_NATIVE, "keys of another engine", write, err);
}

/* Each engine sets it itself. */
static void drop_engine_variables(struct mrg_spec *spec)
{
	static const char *const names[] = { "container=", "container_uuid=", "container_ttys=", "NOTIFY_SOCKET=", "LIBVIRT_LXC_" };
	size_t n = 0;

	for (char **env = spec->env; env && *env; env++) {
		bool engines = false;

		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			engines |= strncmp(*env, names[i], strlen(names[i])) == 0;
		if (!engines)
			spec->env[n++] = *env;
	}
	if (spec->env)
		spec->env[n] = NULL;
	if (n == 0)
		mrg_fields_remove(&spec->set, MRG_FIELD_ENV);
}

/* Whether a filter of system calls is in force at the source that cannot be brought over. */
static bool loses_filter(const struct migration *g)
{
	const struct mrg_spec *source = mrg_container_spec(g->source);

	return g->before.filtered || (source->native_json && strstr(source->native_json, "seccomp"));
}

/* The signal that asks the init in the root for the end, where the engine does not choose it: the one of systemd, or of busybox. NULL: not known. */
static const char *stop_signal(const struct journal *j)
{
	_cleanup_close_ int root = source_root_open(j, NULL);
	_cleanup_close_ int systemd = -1, busybox = -1;

	if (root < 0)
		return NULL;
	systemd = path_open_in_root(root, "/usr/lib/systemd/systemd", O_PATH, 0);
	busybox = path_open_in_root(root, "/bin/busybox", O_PATH, 0);
	return systemd >= 0 ? "RTMIN+3" : busybox >= 0 ? "USR2" : NULL;
}

/* What a system that boots, or a container that was filtered, needs to be told where the engine does not say it by itself. */
static int complete(struct migration *g, const struct mrg_fields *able, struct mrg_error *err)
{
	bool ours = !has_format(g->j->target.backend), asks = ours || strcmp(g->j->target.backend, "libvirt") == 0;
	struct mrg_spec *spec = g->spec;
	const char *signal = spec->boot && asks ? stop_signal(g->j) : NULL;
	const struct {
		enum mrg_field field;
		bool wanted;
		const char *value;
	} values[] = {
		{ MRG_FIELD_NS_CGROUP, ours && spec->boot, "private" },
		{ MRG_FIELD_STOP_SIGNAL, signal, signal },
		{ MRG_FIELD_SECCOMP_PROFILE, (ours || loses_filter(g)) && !mrg_fields_has(&spec->set, MRG_FIELD_SECCOMP), spec->boot ? "boot" : "default" },
	};
	int r = 0;

	mrg_fields_remove(&spec->set, MRG_FIELD_AUTOSTART);
	drop_engine_variables(spec);
	for (size_t i = 0; i < ARRAY_SIZE(values) && r == 0; i++)
		if (values[i].wanted && mrg_fields_has(able, values[i].field) && !mrg_fields_has(&spec->set, values[i].field))
			r = mrg_spec_set(spec, values[i].field, values[i].value, err);
	if (r == 0 && ours && spec->boot && mrg_fields_has(able, MRG_FIELD_ENV))
		r = mrg_spec_set(spec, MRG_FIELD_ENV, "container=moorage", err);
	return r;
}

/* What has come since the migration from there, and goes with it. */
static int drop_unmerged(struct migration *g, struct report_rows *write, struct mrg_error *err)
{
	const struct mrg_spec *source = mrg_container_spec(g->source);
	int r = 0;

	for (unsigned int field = 0; field < MRG_FIELD_MAX && r == 0; field++)
		if (mrg_fields_has(&source->set, field) && !mrg_fields_has(&g->spec->set, field) && field != MRG_FIELD_AUTOSTART && field != MRG_FIELD_ENV)
			r = drop(g, field, "it was not so before the migration from there", write, err);
	return r;
}

/* What the host itself has not, the source could not have either. */
static int drop_impossible_caps(struct migration *g, struct report_rows *write, struct mrg_error *err)
{
	static const enum mrg_field fields[] = {
		MRG_FIELD_CAP_BOUNDING, MRG_FIELD_CAP_EFFECTIVE, MRG_FIELD_CAP_PERMITTED, MRG_FIELD_CAP_INHERITABLE, MRG_FIELD_CAP_AMBIENT,
	};
	struct mrg_spec *spec = g->spec;
	uint64_t *const sets[] = { &spec->cap_bounding, &spec->cap_effective, &spec->cap_permitted, &spec->cap_inheritable, &spec->cap_ambient };
	struct isolation own;
	int r = isolation_observe(getpid(), &own);

	if (r < 0)
		return fail_errno(err, r, "cannot look at the capabilities of this process");
	/* Among users of its own, which an ordinary user's always is, it has all there are. */
	if (spec->ns_user || geteuid() != 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(fields) && r == 0; i++) {
		if (!mrg_fields_has(&spec->set, fields[i]) || !(*sets[i] & ~own.caps))
			continue;
		*sets[i] &= own.caps;
		r = add_row(write, fields[i], MRG_APPROXIMATED, "without capabilities that nobody has on this host", err);
	}
	return r;
}

/* ---- the report ---------------------------------------------------------------------------------- */

/* Layers become one directory, with the same files. */
static int add_merged(const struct mrg_report_row *row, void *rows)
{
	struct mrg_report_row merged = *row;

	if (row->field == MRG_FIELD_ROOT_PATH && row->verdict == MRG_WEAKENS) {
		merged.verdict = MRG_APPROXIMATED;
		merged.note = "its layers are merged into one directory";
	}
	return report_rows_add(&merged, rows);
}

/* What the source's own configuration says, line by line; of what has none, or is made from our spec, the fields. */
static int read_source(struct migration *g, struct report_rows *read, struct mrg_error *err)
{
	_cleanup_(spec_freep) struct mrg_spec *ignored = NULL;
	const struct mrg_spec *spec = mrg_container_spec(g->source);
	_cleanup_free_ char *text = NULL;
	int r = 0;

	if (g->j->adopted && has_format(g->j->source.backend)) {
		r = mrg_native(g->source, &text, err);
		return r < 0 ? r : mrg_format_read(g->j->source.backend, text, strlen(text), &ignored, g->j->layers ? add_merged : report_rows_add, read, err);
	}
	for (unsigned int field = 0; r == 0 && field < MRG_FIELD_MAX; field++)
		if (mrg_fields_has(&spec->set, field))
			r = add_row(read, field, MRG_CARRIED, NULL, err);
	return r;
}

static int keep_rows(struct migration *g, const struct report_rows *rows, struct mrg_error *err)
{
	struct plan_parts *parts = g->parts;

	parts->rows = calloc(rows->n + 1, sizeof(*parts->rows));
	if (!parts->rows)
		return fail_memory(err);
	for (size_t i = 0; i < rows->n; i++) {
		struct mrg_report_row *row = &parts->rows[parts->n_rows];

		if (rows->item[i].verdict == MRG_CARRIED) {
			parts->plan.n_carried++;
			continue;
		}
		*row = rows->item[i];
		row->source = plan_keep(parts, row->source ? row->source : row->field >= 0 ? path_of((unsigned int)row->field) : "");
		row->target = row->target ? plan_keep(parts, row->target) : NULL;
		row->note = row->note ? plan_keep(parts, row->note) : NULL;
		if (!row->source)
			return fail_memory(err);
		parts->n_rows++;
	}
	return 0;
}

static bool has_row(const struct report_rows *rows, unsigned int field)
{
	for (size_t i = 0; i < rows->n; i++)
		if (rows->item[i].field == (int)field)
			return true;
	return false;
}

static int join(struct migration *g, struct report_rows *write, struct mrg_error *err)
{
	struct report_rows read = { 0 }, joined = { 0 };
	int r = read_source(g, &read, err);

	for (unsigned int field = 0; r == 0 && field < MRG_FIELD_MAX; field++)
		if (mrg_fields_has(&g->spec->set, field) && !has_row(write, field))
			r = add_row(write, field, MRG_CARRIED, NULL, err);
	if (r == 0)
		r = report_rows_join(&read, write, false, &joined, err);
	if (r == 0)
		r = report_check_words(g, &joined, err);
	if (r == 0)
		r = keep_rows(g, &joined, err);
	report_rows_deinit(&read);
	report_rows_deinit(&joined);
	return r;
}

/* Whether the first two mappings say what every container of this user has: the user is its root, the user's other ids follow. */
static bool is_own_map(const struct mrg_id_mapping *item, size_t n, unsigned int own, const struct mrg_id_mapping *others)
{
	return n >= 1 && item[0].container_id == 0 && item[0].host_id == own && item[0].size == 1 &&
	       (n == 1 || (n == 2 && item[1].container_id == 1 && item[1].host_id == others->host_id));
}

/* An ordinary user's containers have users of their own, said or not: where they are those that every backend gives, nothing of them need be said. */
static int forget_own_users(struct migration *g, struct report_rows *write, struct mrg_error *err)
{
	static const enum mrg_field fields[] = { MRG_FIELD_NS_USER, MRG_FIELD_UID_MAPPINGS, MRG_FIELD_GID_MAPPINGS };
	struct mrg_id_mapping uid = { 0 }, gid = { 0 };
	struct mrg_spec *spec = g->spec;
	char why[96];
	int r = 0;

	if (geteuid() == 0 || g->j->host)
		return 0;
	mrg_helper_user_ids(&uid, &gid, why, sizeof(why));
	if (spec->uid_mappings.n && (!is_own_map(spec->uid_mappings.item, spec->uid_mappings.n, geteuid(), &uid) ||
				     !is_own_map(spec->gid_mappings.item, spec->gid_mappings.n, getegid(), &gid)))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(fields) && r == 0; i++) {
		if (mrg_fields_has(&spec->set, fields[i]))
			r = add_row(write, fields[i], MRG_CARRIED, NULL, err);
		mrg_fields_remove(&spec->set, fields[i]);
	}
	spec->ns_user = NULL;
	spec->uid_mappings.n = spec->gid_mappings.n = 0;
	return r;
}

/* A new configuration is written from the spec. */
static int translate(struct migration *g, const struct mrg_probe *probe, struct mrg_error *err)
{
	struct report_rows write = { 0 };
	int r = read_rebase(g, err);

	if (r == 0)
		r = choose_users(g, err);
	if (r == 0)
		r = complete(g, &probe->fields, err);
	if (r == 0 && g->n_earlier > 0)
		r = drop_unmerged(g, &write, err);
	if (r == 0)
		r = forget_own_users(g, &write, err);
	if (r == 0)
		r = reduce_native(g, &write, err);
	if (r == 0)
		r = drop_impossible_caps(g, &write, err);
	if (r == 0)
		r = drop_unable(g, &probe->fields, &write, err);
	if (r == 0)
		r = drop_refused(g, &write, err);
	leave_users(g);
	if (r == 0)
		r = join(g, &write, err);
	report_rows_deinit(&write);
	return r;
}

/* Everything is as it was; what has come since does not come along. */
static int go_back(struct migration *g, struct mrg_error *err)
{
	struct report_rows write = { 0 };
	int r = drop_unmerged(g, &write, err);

	if (r == 0)
		r = join(g, &write, err);
	report_rows_deinit(&write);
	return r;
}

int report_make(struct migration *g, struct mrg_error *err)
{
	struct mrg_probe probe;
	int r = mrg_container_load(g->source, err);

	if (r == 0)
		r = mrg_spec_copy(mrg_container_spec(g->source), &g->spec, err);
	if (r == 0 && g->j->layers)
		r = lxc_layers_forget(g->spec, err);
	/* To be judged with: it has a place only when it is made. */
	if (r == 0 && g->j->layers)
		r = mrg_spec_set(g->spec, MRG_FIELD_ROOT_PATH, g->j->root_from, err);
	if (r == 0)
		r = dispatch_probe(g->to, &probe, err);
	/* It is the other host's word that counts, and no way back from there has begun here. */
	if (r == 0 && g->j->host)
		probe.fields = g->able;
	else if (r == 0)
		r = look_back(g, err);
	if (r < 0)
		return r;
	return g->j->returned ? go_back(g, err) : translate(g, &probe, err);
}
