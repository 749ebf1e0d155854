/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a backend says of itself. */

#include "config.h"

#include "core/container_internal.h"
#include "core/util/proc.h"

#define PROBE_MS	1000		/* how long an answer is good for: one command asks several times */

int backend_probe(struct plugin *p, struct mrg_probe *ret, struct mrg_error *err)
{
	int64_t now = time_monotonic_ms();
	int r;

	if (!p->probed || now - p->probed >= PROBE_MS) {
		r = dispatch_probe(p, &p->probe, err);
		if (r < 0)
			return r;
		p->probed = now;
	}
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
	ret->usable = backend_probe(p, &ret->probe, &ret->error) == 0;
	return 0;
}
