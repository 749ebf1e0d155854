/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The contract of verbs that start nothing: probe, check, explain. */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/certify/life.h"

static struct mrg_probe probe(struct trial *t, struct plugin *p)
{
	struct mrg_probe probe = { 0 };
	struct mrg_error err = { 0 };

	plugin_open(t, p);
	if (p->table.probe(p->self, &probe, &err) != 0)
		trial_fail(t, "%s", err.message);
	return probe;
}

static bool lists(const struct mrg_backend *table, unsigned int field)
{
	for (const uint16_t *id = table->fields; *id != MRG_FIELD_END; id++)
		if (*id == field)
			return true;
	return false;
}

static void probe_stays_within_the_table(struct trial *t)
{
	struct plugin p;
	struct mrg_probe found = probe(t, &p);

	for (unsigned int field = 0; field < 64 * MRG_FIELDS_WORDS; field++)
		if (mrg_fields_has(&found.fields, field) && !lists(&p.table, field))
			trial_fail(t, "it claims '%s', which its table does not list",
				   mrg_field_info(field) ? mrg_field_info(field)->name : "a field that is not known");
}

static void probe_tells_the_engine(struct trial *t)
{
	struct plugin p;
	struct mrg_probe found = probe(t, &p);

	if (!memchr(found.engine, '\0', sizeof(found.engine)) || !found.engine[0] || strchr(found.engine, '\n'))
		trial_fail(t, "its engine is not a line of text");
}

static void probe_gives_reasons(struct trial *t)
{
	struct plugin p;
	struct mrg_probe found = probe(t, &p);
	bool less = false;

	for (const uint16_t *id = p.table.fields; *id != MRG_FIELD_END; id++)
		less |= !mrg_fields_has(&found.fields, *id);
	if (!memchr(found.reason, '\0', sizeof(found.reason)))
		trial_fail(t, "its reason has no end");
	if (less && !found.reason[0])
		trial_fail(t, "it lacks fields of its table and does not say why");
	if (!less && found.reason[0])
		trial_fail(t, "it says '%s' and lacks nothing", found.reason);
}

static void probe_tells_whether_it_is_a_boundary(struct trial *t)
{
	struct plugin p;
	struct mrg_probe found = probe(t, &p);

	if (found.boundary != 0 && found.boundary != 1)
		trial_fail(t, "its boundary is %d", found.boundary);
	if (!memchr(found.boundary_reason, '\0', sizeof(found.boundary_reason)))
		trial_fail(t, "the reason has no end");
	if (!found.boundary && !found.boundary_reason[0])
		trial_fail(t, "it does not say why it is no security boundary");
}

static void probe_says_the_same_again(struct trial *t)
{
	struct plugin p;
	struct mrg_probe first = probe(t, &p), second = { 0 };
	struct mrg_error err = { 0 };

	if (p.table.probe(p.self, &second, &err) != 0)
		trial_fail(t, "%s", err.message);
	if (memcmp(&first.fields, &second.fields, sizeof(first.fields)) != 0 || strcmp(first.engine, second.engine) != 0)
		trial_fail(t, "the second answer is another than the first");
}

static void instances_are_independent(struct trial *t)
{
	struct mrg_probe found = { 0 };
	struct mrg_error err = { 0 };
	struct plugin p;
	void *other;

	plugin_map(t, &p);
	if (!p.table.open)
		trial_absent(t);
	if (plugin_open_again(&p, &p.self, &err) < 0 || plugin_open_again(&p, &other, &err) < 0)
		trial_fail(t, "open: %s", err.message);
	plugin_close(&p, p.self);
	if (p.table.probe(other, &found, &err) != 0)
		trial_fail(t, "the second instance does not work once the first is closed: %s", err.message);
	plugin_close(&p, other);
}

/* ---- check, explain ------------------------------------------------------------------------------- */

static struct mrg_spec *plain_spec(struct trial *t)
{
	struct mrg_spec *spec = mrg_spec_new();
	struct mrg_error err = { 0 };

	if (!spec || mrg_spec_set(spec, MRG_FIELD_ROOT_PATH, t->kit->root, &err) < 0 ||
	    mrg_spec_set(spec, MRG_FIELD_ARGS, PROBE, &err) < 0 || mrg_spec_default(spec, &t->kit->facts->able, &err) < 0 ||
	    mrg_spec_check(spec, &err) < 0)
		trial_fail(t, "the kit's plain spec: %s", err.message);
	return spec;
}

static void check_accepts_a_plain_spec(struct trial *t)
{
	struct mrg_error err = { 0 };
	struct plugin p;

	plugin_open(t, &p);
	if (!p.table.check)
		trial_absent(t);
	trial_expect(t, "check", p.table.check(p.self, plain_spec(t), &err), 0, &err);
}

static void check_leaves_the_spec_alone(struct trial *t)
{
	struct mrg_spec *spec = plain_spec(t);
	_cleanup_free_ char *before = NULL, *after = NULL;
	struct mrg_error err = { 0 };
	struct plugin p;

	plugin_open(t, &p);
	if (!p.table.check)
		trial_absent(t);
	if (mrg_spec_emit(spec, 0, &before, &err) < 0 || p.table.check(p.self, spec, &err) < 0 ||
	    mrg_spec_emit(spec, 0, &after, &err) < 0)
		trial_fail(t, "%s", err.message);
	if (strcmp(before, after) != 0)
		trial_fail(t, "the spec is another after it");
}

struct lines {
	size_t n;
	bool empty;
	int answer;
};

static int count_line(const char *text, void *data)
{
	struct lines *lines = data;

	lines->n++;
	lines->empty |= !text || !*text;
	return lines->answer;
}

static int explain(struct trial *t, struct plugin *p, struct lines *lines, struct mrg_error *err)
{
	struct mrg_unit unit = { .name = "mrgt-explained", .id = "0123456789abcdef", .spec = plain_spec(t), .dir = -1 };

	plugin_open(t, p);
	if (!p->table.explain)
		trial_absent(t);
	return p->table.explain(p->self, &unit, count_line, lines, err);
}

static void explain_shows_the_way(struct trial *t)
{
	struct lines lines = { 0 };
	struct mrg_error err = { 0 };
	struct plugin p;

	trial_expect(t, "explain", explain(t, &p, &lines, &err), 0, &err);
	if (lines.n == 0 || lines.empty)
		trial_fail(t, "it said %zu lines%s", lines.n, lines.empty ? ", one of them empty" : "");
}

static void explain_stops_when_told(struct trial *t)
{
	struct lines lines = { .answer = 7 };
	struct mrg_error err = { 0 };
	struct plugin p;
	int r = explain(t, &p, &lines, &err);

	if (r != 7 || lines.n != 1)
		trial_fail(t, "it returned %d after %zu lines, not 7 after one", r, lines.n);
}

#define CONTRACT(name_, run_)	{ .section = "contract", .name = name_, .run = run_ }

const struct test contract_probe_tests[] = {
	CONTRACT("probe claims nothing beyond its table", probe_stays_within_the_table),
	CONTRACT("probe tells the engine", probe_tells_the_engine),
	CONTRACT("probe says why fields are missing", probe_gives_reasons),
	CONTRACT("probe tells whether it is a boundary", probe_tells_whether_it_is_a_boundary),
	CONTRACT("probe says the same again", probe_says_the_same_again),
	CONTRACT("two instances do not depend on each other", instances_are_independent),
	CONTRACT("check accepts a plain spec", check_accepts_a_plain_spec),
	CONTRACT("check leaves the spec alone", check_leaves_the_spec_alone),
	CONTRACT("explain says how it is done", explain_shows_the_way),
	CONTRACT("explain stops when it is told to", explain_stops_when_told),
	{ .name = NULL }
};
