/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loading the plugin, and the first look at it. */

#include "config.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "tests/certify/plugin.h"

#define VERB(name_, kind_, partner_)	{ #name_, offsetof(struct mrg_backend, name_), kind_, partner_ }

const struct verb verbs[] = {
	VERB(open, KIND_OPTIONAL, "close"), VERB(close, KIND_OPTIONAL, "open"), VERB(probe, KIND_MANDATORY, NULL),
	VERB(check, KIND_OPTIONAL, NULL), VERB(create, KIND_OPTIONAL, NULL), VERB(start, KIND_MANDATORY, NULL),
	VERB(cleanup, KIND_OPTIONAL, NULL), VERB(stop, KIND_OPTIONAL, NULL), VERB(kill, KIND_MANDATORY, NULL),
	VERB(wait, KIND_OPTIONAL, NULL), VERB(pause, KIND_OPTIONAL, "resume"), VERB(resume, KIND_OPTIONAL, "pause"),
	VERB(exec, KIND_OPTIONAL, NULL), VERB(console, KIND_OPTIONAL, NULL), VERB(state, KIND_MANDATORY, NULL),
	VERB(stats, KIND_OPTIONAL, NULL), VERB(update, KIND_OPTIONAL, NULL), VERB(processes, KIND_OPTIONAL, NULL),
	VERB(destroy, KIND_MANDATORY, NULL), VERB(list, KIND_OPTIONAL, "find"), VERB(adopt, KIND_OPTIONAL, "list"),
	VERB(explain, KIND_OPTIONAL, NULL), VERB(find, KIND_OPTIONAL, "adopt"), VERB(process, KIND_OPTIONAL, NULL),
	VERB(native, KIND_OPTIONAL, NULL), VERB(configure, KIND_OPTIONAL, NULL), VERB(rename, KIND_OPTIONAL, NULL),
	VERB(autostart, KIND_OPTIONAL, NULL), VERB(home, KIND_OPTIONAL, NULL), VERB(park, KIND_OPTIONAL, NULL),
	{ NULL, 0, KIND_OPTIONAL, NULL },
};

static bool is_set(const struct mrg_backend *table, const struct verb *verb)
{
	void *pointer;

	memcpy(&pointer, (const char *)table + verb->offset, sizeof(pointer));
	return pointer;
}

bool plugin_offers(const struct plugin *p, const char *name)
{
	for (const struct verb *verb = verbs; verb->name; verb++)
		if (strcmp(verb->name, name) == 0)
			return is_set(&p->table, verb);
	return false;
}

struct mrg_options kit_options(const struct kit *kit)
{
	/* State, run and library directories are in the environment: plugins read them there. */
	return (struct mrg_options){ .backend_path = kit->backend_path };
}

struct mrg *kit_context(struct trial *t)
{
	struct mrg_options options = kit_options(t->kit);
	struct mrg_error err = { 0 };
	struct mrg *m = NULL;

	if (mrg_new(&m, &options, &err) < 0)
		trial_fail(t, "no context: %s", err.message);
	return m;
}

void plugin_map(struct trial *t, struct plugin *ret)
{
	struct plugin p = { .object = dlopen(t->kit->plugin, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) };

	if (!p.object)
		trial_fail(t, "it cannot be loaded: %s", dlerror());
	p.original = dlsym(p.object, MRG_BACKEND_SYMBOL);
	if (!p.original)
		trial_fail(t, "it exports no %s", MRG_BACKEND_SYMBOL);
	memcpy(&p.table, p.original, p.original->size < sizeof(p.table) ? p.original->size : sizeof(p.table));
	p.m = kit_context(t);
	*ret = p;
}

int plugin_open_again(const struct plugin *p, void **ret_self, struct mrg_error *err)
{
	*ret_self = NULL;
	return p->table.open ? p->table.open(p->m, ret_self, err) : 0;
}

void plugin_close(const struct plugin *p, void *self)
{
	if (p->table.close)
		p->table.close(self);
}

void plugin_open(struct trial *t, struct plugin *ret)
{
	struct mrg_error err = { 0 };
	int r;

	plugin_map(t, ret);
	r = plugin_open_again(ret, &ret->self, &err);
	if (r < 0)
		trial_fail(t, "open: %s", err.message);
}

/* ---- the first look -------------------------------------------------------------------------- */

static void take_facts(struct facts *facts, const struct mrg_backend_info *info)
{
	facts->loaded = true;
	facts->minor = info->minor;
	facts->table = info->fields;
	snprintf(facts->summary, sizeof(facts->summary), "%s", info->summary);
	snprintf(facts->verbs, sizeof(facts->verbs), "%s", info->verbs);
	if (!info->usable) {
		snprintf(facts->why_not, sizeof(facts->why_not), "not usable here: %.*s", (int)strcspn(info->error.message, "\n"),
			 info->error.message);
		return;
	}
	facts->able = info->probe.fields;
	facts->boundary = info->probe.boundary;
	snprintf(facts->engine, sizeof(facts->engine), "%s", info->probe.engine);
	snprintf(facts->reason, sizeof(facts->reason), "%s", info->probe.reason);
	facts->usable = true;
}

static void the_library_loads_it(struct trial *t)
{
	struct mrg_backend_info info;
	struct mrg_error err = { 0 };
	struct mrg *m = kit_context(t);

	if (mrg_backend_info(m, t->kit->name, &info, &err) < 0) {
		snprintf(t->kit->facts->why_not, sizeof(t->kit->facts->why_not), "it cannot be loaded");
		trial_fail(t, "%s", err.message);
	}
	take_facts(t->kit->facts, &info);
	mrg_free(m);
}

/* A probe that says no is a fact about this host, and must be a good answer. */
static void the_probe_answers(struct trial *t)
{
	struct mrg_probe probe = { 0 };
	struct mrg_error err = { 0 };
	struct plugin p;
	const char *fault;
	char name[32];
	int r;

	plugin_open(t, &p);
	r = p.table.probe(p.self, &probe, &err);
	fault = sentence_fault(r, &err);
	if (fault)
		trial_fail(t, "%s: '%s'", fault, err.message);
	if (r != 0 && r != -MRG_E_NO_ENGINE && r != -MRG_E_PERMISSION && r != -EACCES && r != -MRG_E_KERNEL)
		trial_fail(t, "it returned %s, which is no answer of a probe", code_name(r, name));
}

const struct test load_tests[] = {
	{ .section = "load", .name = "the library accepts it", .run = the_library_loads_it, .unusable = true, .always = true },
	{ .section = "load", .name = "the probe says yes, or why not", .run = the_probe_answers, .unusable = true },
	{ .name = NULL }
};
