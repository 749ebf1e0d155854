/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_REGISTRY_H
#define CORE_REGISTRY_H

/* Finds, loads and validates plugins. */

#include <stdbool.h>

#include "core/context.h"

struct plugin {
	struct mrg_backend table;	/* our copy, zero beyond what the plugin brought */
	struct mrg_fields fields;	/* table.fields as a set, and what the core does for every backend */
	struct mrg_fields core;		/* of these, what does not depend on the plugin's probe */
	char *path;
	char *verbs;			/* the optional verbs set, blanks between */
	void *self;			/* of table.open */
	struct mrg_probe probe;		/* what mrg_backend_info() has just heard, for the one create that follows */
	bool probed;
	struct plugin *next;
};

/* Loads @name, once per context. -MRG_E_NO_ENGINE: not installed, names those there are; -MRG_E_ABI,
 * -MRG_E_PERMISSION (writable by others), ... */
int registry_load(struct mrg *m, const char *name, struct plugin **ret, struct mrg_error *err);

/* Checks a table: name, size, minor, mandatory verbs, pairs, fields, options. */
int registry_validate(const char *name, const struct mrg_backend *table, struct mrg_error *err);

/* Every verb of the table, ended by a NULL name. */
enum verb_kind { VERB_MANDATORY, VERB_OPTIONAL, VERB_INSTANCE };
struct verb {
	const char *name;
	size_t offset;			/* in struct mrg_backend */
	enum verb_kind kind;		/* INSTANCE: open and close, no business of users */
	const char *partner;		/* the other half of a pair, or NULL */
};
extern const struct verb registry_verbs[];
bool registry_verb_is_set(const struct mrg_backend *table, const struct verb *verb);

/* Closes the instances; the objects stay mapped. */
void registry_free(struct mrg *m);

#endif
