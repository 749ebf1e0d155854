/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one place where a plugin's table is checked: what passes here needs no checks elsewhere. */

#include "config.h"

#include <stddef.h>
#include <string.h>

#include "core/registry/registry.h"
#include "core/util/backend_name.h"

/* The table of minor 0; nothing ever shrinks below it. */
#define SIZE_FIRST	(offsetof(struct mrg_backend, explain) + sizeof(void *))
#define SIZE_SANE	4096
#define LIST_SANE	256		/* entries: beyond that an end mark is missing */

#define VERB(name, kind, partner) { #name, offsetof(struct mrg_backend, name), kind, partner }
const struct verb registry_verbs[] = {
	VERB(open, VERB_INSTANCE, "close"),
	VERB(close, VERB_INSTANCE, "open"),
	VERB(probe, VERB_MANDATORY, NULL),
	VERB(check, VERB_OPTIONAL, NULL),
	VERB(create, VERB_OPTIONAL, NULL),
	VERB(start, VERB_MANDATORY, NULL),
	VERB(cleanup, VERB_OPTIONAL, NULL),
	VERB(stop, VERB_OPTIONAL, NULL),
	VERB(kill, VERB_MANDATORY, NULL),
	VERB(wait, VERB_OPTIONAL, NULL),
	VERB(pause, VERB_OPTIONAL, "resume"),
	VERB(resume, VERB_OPTIONAL, "pause"),
	VERB(exec, VERB_OPTIONAL, NULL),
	VERB(console, VERB_OPTIONAL, NULL),
	VERB(state, VERB_MANDATORY, NULL),
	VERB(stats, VERB_OPTIONAL, NULL),
	VERB(update, VERB_OPTIONAL, NULL),
	VERB(processes, VERB_OPTIONAL, NULL),
	VERB(destroy, VERB_MANDATORY, NULL),
	VERB(list, VERB_OPTIONAL, "find"),
	VERB(adopt, VERB_OPTIONAL, "list"),
	VERB(explain, VERB_OPTIONAL, NULL),
	VERB(find, VERB_OPTIONAL, "adopt"),
	VERB(process, VERB_OPTIONAL, NULL),
	VERB(native, VERB_OPTIONAL, NULL),
	VERB(configure, VERB_OPTIONAL, NULL),
	VERB(rename, VERB_OPTIONAL, NULL),
	VERB(autostart, VERB_OPTIONAL, NULL),
	VERB(ready, VERB_INSTANCE, "open"),
	VERB(home, VERB_OPTIONAL, NULL),
	VERB(park, VERB_OPTIONAL, NULL),
	{ NULL, 0, VERB_OPTIONAL, NULL },
};

bool registry_verb_is_set(const struct mrg_backend *table, const struct verb *verb)
{
	void *pointer;

	memcpy(&pointer, (const char *)table + verb->offset, sizeof(pointer));
	return pointer != NULL;
}

static bool verb_named_is_set(const struct mrg_backend *table, const char *name)
{
	for (const struct verb *verb = registry_verbs; verb->name; verb++)
		if (strcmp(verb->name, name) == 0)
			return registry_verb_is_set(table, verb);
	return false;
}

static int check_verbs(const struct mrg_backend *table, struct mrg_error *err)
{
	for (const struct verb *verb = registry_verbs; verb->name; verb++) {
		if (registry_verb_is_set(table, verb)) {
			if (verb->partner && !verb_named_is_set(table, verb->partner))
				return mrg_error_set(err, -MRG_E_ABI, "it offers the verb '%s' without '%s'", verb->name,
						     verb->partner);
		} else if (verb->kind == VERB_MANDATORY) {
			return mrg_error_set(err, -MRG_E_ABI, "it lacks the mandatory verb '%s'", verb->name);
		}
	}
	return 0;
}

static int check_fields(const struct mrg_backend *table, struct mrg_error *err)
{
	if (!table->fields)
		return mrg_error_set(err, -MRG_E_ABI, "it has no list of fields");
	for (size_t i = 0; i < LIST_SANE; i++) {
		if (table->fields[i] == MRG_FIELD_END)
			return 0;
		if (table->fields[i] >= MRG_FIELD_MAX)
			return mrg_error_set(err, -MRG_E_ABI, "its list of fields has the unknown id %u",
					     table->fields[i]);
	}
	return mrg_error_set(err, -MRG_E_ABI, "its list of fields has no end");
}

static bool option_values_are_valid(const char *values)
{
	static const char *const simple[] = { "bool", "uint", "string" };

	for (size_t i = 0; i < sizeof(simple) / sizeof(simple[0]); i++)
		if (strcmp(values, simple[i]) == 0)
			return true;
	if (strncmp(values, "enum:", 5) != 0)
		return false;
	values += 5;
	return *values && *values != '|' && values[strlen(values) - 1] != '|' && !strstr(values, "||");
}

static int check_options(const struct mrg_backend *table, struct mrg_error *err)
{
	const struct mrg_option *option = table->options;

	for (size_t i = 0; option && option->key; i++, option++) {
		if (i == LIST_SANE)
			return mrg_error_set(err, -MRG_E_ABI, "its list of options has no end");
		if (!backend_name_is_valid(option->key))
			return mrg_error_set(err, -MRG_E_ABI, "its option '%s' is not named in [a-z0-9-]", option->key);
		if (!option->values || !option_values_are_valid(option->values))
			return mrg_error_set(err, -MRG_E_ABI, "its option '%s' takes the unknown type '%s'", option->key,
					     option->values ? option->values : "");
		if (!option->help || !*option->help)
			return mrg_error_set(err, -MRG_E_ABI, "its option '%s' has no help", option->key);
	}
	return 0;
}

static int check_header(const struct mrg_backend *table, struct mrg_error *err)
{
	if (table->minor > MRG_ABI_MINOR)
		return mrg_error_set(err, -MRG_E_ABI, "it is built for a newer moorage (its ABI is 0.%u, this library's 0.%u)",
				     table->minor, MRG_ABI_MINOR);
	if (table->size < SIZE_FIRST || table->size > SIZE_SANE || table->size % sizeof(void *))
		return mrg_error_set(err, -MRG_E_ABI, "its table has %u bytes, which no version of the ABI has", table->size);
	return 0;
}

int registry_validate(const char *name, const struct mrg_backend *table, struct mrg_error *err)
{
	struct mrg_backend copy = { 0 };
	int r = check_header(table, err);

	if (r < 0)
		return r;
	/* A plugin of an older minor has fewer bytes: what it lacks is not offered. */
	memcpy(&copy, table, table->size < sizeof(copy) ? table->size : sizeof(copy));
	if (!copy.name || strcmp(copy.name, name) != 0)
		return mrg_error_set(err, -MRG_E_ABI, "it calls itself '%s', not '%s'", copy.name ? copy.name : "", name);
	if (!copy.summary || !*copy.summary || strchr(copy.summary, '\n'))
		return mrg_error_set(err, -MRG_E_ABI, "its summary is not one line");
	r = check_verbs(&copy, err);
	if (r == 0)
		r = check_fields(&copy, err);
	if (r == 0)
		r = check_options(&copy, err);
	return r;
}
