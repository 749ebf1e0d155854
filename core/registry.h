/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_REGISTRY_H
#define CORE_REGISTRY_H

/* Finds, loads and validates plugins. */

#include "core/context.h"

struct plugin {
	struct mrg_backend table;	/* our copy, zero beyond what the plugin brought */
	struct mrg_fields fields;	/* table.fields as a set */
	char *path;
	char *verbs;			/* the optional verbs set, blanks between */
	void *self;			/* of table.open */
	struct plugin *next;
};

/* Loads @name, once per context. -MRG_E_NO_ENGINE: not installed, names those there are; -MRG_E_ABI,
 * -MRG_E_PERMISSION (writable by others), ... */
int registry_load(struct mrg *m, const char *name, struct plugin **ret, struct mrg_error *err);

/* Checks a table: name, size, minor, mandatory verbs, pairs, fields, options. */
int registry_validate(const char *name, const struct mrg_backend *table, struct mrg_error *err);

/* Closes the instances; the objects stay mapped. */
void registry_free(struct mrg *m);

#endif
