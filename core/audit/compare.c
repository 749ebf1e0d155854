/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two containers side by side. */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/audit/audit.h"

static int by_key(const void *a, const void *b)
{
	const struct mrg_audit_fact *const *x = a, *const *y = b;
	int r = strcmp((*x)->check, (*y)->check);

	return r ? r : strcmp((*x)->item, (*y)->item);
}

static const struct mrg_audit_fact **sorted(const struct mrg_audit *audit)
{
	const struct mrg_audit_fact **list = calloc(audit->n_facts + 1, sizeof(struct mrg_audit_fact *));

	for (size_t i = 0; list && i < audit->n_facts; i++)
		list[i] = &audit->facts[i];
	if (list)
		qsort(list, audit->n_facts, sizeof(*list), by_key);
	return list;
}

static uint64_t exposure(const struct mrg_audit_fact *fact)
{
	return fact ? fact->exposure : 0;
}

/* That which devices may be opened cannot be read says nothing of how many. */
static bool is_unknown(const struct mrg_audit_fact *fact)
{
	return fact && strcmp(fact->check, "device-program") == 0;
}

/* A fact that one lacks and that exposes nothing in the other is no difference, nor is a value that only names a number of this run. */
static bool differ(const struct mrg_audit_fact *a, const struct mrg_audit_fact *b)
{
	return exposure(a) != exposure(b) && !is_unknown(a) && !is_unknown(b);
}

/* What was tried in one only is no difference of the two. */
static bool is_probed(const struct mrg_audit *audit)
{
	for (size_t i = 0; i < audit->n_facts; i++)
		if (strcmp(audit->facts[i].source, "probe") == 0)
			return true;
	return false;
}

static bool is_probe(const struct mrg_audit_difference *d)
{
	return strcmp(d->a ? d->a->source : d->b->source, "probe") == 0;
}

int mrg_audit_compare(const struct mrg_audit *a, const struct mrg_audit *b, int (*found)(const struct mrg_audit_difference *difference, void *data),
		      void *data)
{
	_cleanup_free_ const struct mrg_audit_fact **left = sorted(a), **right = sorted(b);
	bool both = is_probed(a) && is_probed(b);
	size_t i = 0, j = 0;
	int weaker = 0, r = 0;

	if (!left || !right)
		return -ENOMEM;
	while ((i < a->n_facts || j < b->n_facts) && r >= 0) {
		int order = i == a->n_facts ? 1 : j == b->n_facts ? -1 : by_key(&left[i], &right[j]);
		struct mrg_audit_difference d = { .a = order <= 0 ? left[i] : NULL, .b = order >= 0 ? right[j] : NULL };

		i += order <= 0;
		j += order >= 0;
		if (!differ(d.a, d.b) || (!both && is_probe(&d)))
			continue;
		d.weaker = exposure(d.b) > exposure(d.a) ? 1 : -1;
		weaker += d.weaker > 0;
		if (found)
			r = found(&d, data);
	}
	return r < 0 ? r : weaker;
}
