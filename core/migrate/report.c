/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of each key of the source on the way to the target; and whether there is a way back, to what it was there before. */

#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/convert/convert.h"
#include "core/formats/format.h"
#include "core/migrate/migrate.h"
#include "core/spec/table.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"

#define SPEC_MAX	(4U << 20)

static void spec_freep(struct mrg_spec **spec)
{
	mrg_spec_free(*spec);
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

/* ---- the report ---------------------------------------------------------------------------------- */

bool report_has_format(const char *backend)
{
	for (const char *const *name = mrg_format_names(); *name; name++)
		if (strcmp(*name, backend) == 0)
			return true;
	return false;
}

int report_add_field(struct report_rows *rows, unsigned int field, int verdict, const char *note, struct mrg_error *err)
{
	const struct mrg_report_row row = { .verdict = verdict, .field = (int)field, .source = mrg_field_info(field)->path,
					    .target = verdict < MRG_DROPPED ? mrg_field_info(field)->path : NULL, .note = note };

	return report_rows_add(&row, rows) < 0 ? fail_memory(err) : 0;
}

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

	if (g->j->adopted && report_has_format(g->j->source.backend)) {
		r = mrg_native(g->source, &text, err);
		return r < 0 ? r : mrg_format_read(g->j->source.backend, text, strlen(text), &ignored, g->j->layers ? add_merged : report_rows_add, read, err);
	}
	for (unsigned int field = 0; r == 0 && field < MRG_FIELD_MAX; field++)
		if (mrg_fields_has(&spec->set, field))
			r = report_add_field(read, field, MRG_CARRIED, NULL, err);
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
		row->source = plan_keep(parts, row->source ? row->source : row->field >= 0 ? mrg_field_info((unsigned int)row->field)->path : "");
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
			r = report_add_field(write, field, MRG_CARRIED, NULL, err);
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

/* A new configuration is written from the spec. */
static int translate(struct migration *g, const struct mrg_fields *able, struct mrg_error *err)
{
	struct report_rows write = { 0 };
	int r = adapt_spec(g, able, &write, err);

	if (r == 0)
		r = join(g, &write, err);
	report_rows_deinit(&write);
	return r;
}

/* Everything is as it was; what has come since does not come along. */
static int go_back(struct migration *g, struct mrg_error *err)
{
	struct report_rows write = { 0 };
	int r = adapt_drop_unmerged(g, &write, err);

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
	return g->j->returned ? go_back(g, err) : translate(g, &probe.fields, err);
}
