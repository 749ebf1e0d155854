/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a backend says of itself. */

#include "config.h"

#include "core/container/internal.h"

int backend_probe(struct plugin *p, struct mrg_probe *ret, struct mrg_error *err)
{
	bool asked = p->probed;

	p->probed = false;
	if (!asked)
		return dispatch_probe(p, ret, err);
	*ret = p->probe;
	return 0;
}

int mrg_backend_info(struct mrg *m, const char *name, struct mrg_backend_info *ret, struct mrg_error *err)
{
	struct plugin *p = NULL;
	int r = registry_load(m, name, &p, err);

	if (r < 0)
		return r;
	*ret = (struct mrg_backend_info){
		.name = p->table.name, .summary = p->table.summary, .path = p->path, .fields = p->fields,
		.options = p->table.options, .verbs = p->verbs, .minor = p->table.minor,
	};
	ret->usable = dispatch_probe(p, &ret->probe, &ret->error) == 0;
	p->probed = ret->usable;
	p->probe = ret->probe;
	return 0;
}
