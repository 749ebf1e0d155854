/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CERTIFY_PLUGIN_H
#define CERTIFY_PLUGIN_H

/* The plugin in the process of a test: its table, called without the library in between. */

#include <moorage/moorage.h>

#include "tests/certify/certify.h"

struct plugin {
	void *object;			/* of dlopen(3) */
	const struct mrg_backend *original;
	struct mrg_backend table;	/* zero beyond what it brought */
	struct mrg *m;			/* the context its instance belongs to */
	void *self;
};

/* Maps it and takes its table; fails the test when that cannot be. */
void plugin_map(struct trial *t, struct plugin *ret);

/* The same and an instance of it. */
void plugin_open(struct trial *t, struct plugin *ret);

/* Another instance of a plugin that is mapped, for a process that has made no other call; and its end. */
int plugin_open_again(const struct plugin *p, void **ret_self, struct mrg_error *err);
void plugin_close(const struct plugin *p, void *self);

/* Where the verb named @name stands in the table; NULL: it is not offered. Names are those of backend.h. */
bool plugin_offers(const struct plugin *p, const char *name);

/* The options of a context that uses the directories of this run. */
struct mrg_options kit_options(const struct kit *kit);

/* A context of the users' API. */
struct mrg *kit_context(struct trial *t);

/* Every verb, ended by a NULL name. */
enum verb_kind { KIND_MANDATORY, KIND_OPTIONAL };
struct verb {
	const char *name;
	size_t offset;
	enum verb_kind kind;
	const char *partner;		/* the other half of a pair, or NULL */
};
extern const struct verb verbs[];

#endif
