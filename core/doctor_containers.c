/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What containers of two backends both have. */

#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/doctor.h"
#include "core/util/cleanup.h"

struct known {
	char *backend, *name, *root;
};

struct census {
	struct known *all;
	size_t n, size;
};

static int count(struct mrg_container *c, void *data)
{
	struct census *census = data;
	char resolved[PATH_MAX];
	const char *root = NULL;
	struct known *k;

	if (census->n == census->size) {
		size_t size = census->size ? 2 * census->size : 64;
		struct known *grown = reallocarray(census->all, size, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		census->all = grown;
		census->size = size;
	}
	k = &census->all[census->n];
	/* A configuration that cannot be read has no root that we know. "/" is the read-only view of the host, which any number may have. */
	mrg_container_root(c, &root, NULL);
	root = root ? realpath(root, resolved) : NULL;
	*k = (struct known){
		.backend = strdup(mrg_container_backend(c)), .name = strdup(mrg_container_name(c)),
		.root = root && strcmp(root, "/") != 0 ? strdup(root) : NULL,
	};
	census->n++;
	return k->backend && k->name ? 0 : -ENOMEM;
}

static void census_deinit(struct census *census)
{
	for (size_t i = 0; i < census->n; i++) {
		free(census->all[i].backend);
		free(census->all[i].name);
		free(census->all[i].root);
	}
	free(census->all);
}

static int by_root(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	return strcmp(x->root ? x->root : "", y->root ? y->root : "");
}

static int by_name(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int say_root(const struct doctor *d, const struct known *a, const struct known *b)
{
	char text[640], fix[256];

	snprintf(text, sizeof(text), "'%.64s:%.64s' and '%.64s:%.64s' have one root, '%.200s': they change each other's files", a->backend, a->name, b->backend,
		 b->name, a->root);
	snprintf(fix, sizeof(fix), "moorage rm %.32s:%.64s, or give it a root of its own", b->backend, b->name);
	return doctor_say(d, "warning", "roots", text, fix);
}

static int say_name(const struct doctor *d, const struct known *a, const struct known *b)
{
	char text[512], fix[256];

	snprintf(text, sizeof(text), "'%.64s' is a container of %.64s and of %.64s: the name alone is ambiguous, and both may register it", a->name, a->backend,
		 b->backend);
	snprintf(fix, sizeof(fix), "moorage rename %.32s:%.64s NEW", b->backend, b->name);
	return doctor_say(d, "warning", "names", text, fix);
}

/* Neighbours in order that differ in their backend. */
static int tell_clashes(const struct doctor *d, struct census *census)
{
	int r = 0;

	qsort(census->all, census->n, sizeof(*census->all), by_root);
	for (size_t i = 1; i < census->n && r == 0; i++) {
		const struct known *a = &census->all[i - 1], *b = &census->all[i];

		if (a->root && b->root && strcmp(a->root, b->root) == 0 && strcmp(a->backend, b->backend) != 0)
			r = say_root(d, a, b);
	}
	qsort(census->all, census->n, sizeof(*census->all), by_name);
	for (size_t i = 1; i < census->n && r == 0; i++) {
		const struct known *a = &census->all[i - 1], *b = &census->all[i];

		if (strcmp(a->name, b->name) == 0 && strcmp(a->backend, b->backend) != 0)
			r = say_name(d, a, b);
	}
	return r;
}

int doctor_check_shared(const struct doctor *d)
{
	struct census census = { .n = 0 };
	int r = mrg_list(d->m, NULL, count, NULL, &census, NULL);

	/* That it cannot be listed is told elsewhere. */
	r = r == 0 && census.n > 1 ? tell_clashes(d, &census) : 0;
	census_deinit(&census);
	return r;
}
