/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is told of all containers together: what two have, and what is left of those that do not run. */

#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/container/internal.h"
#include "core/doctor/doctor.h"
#include "core/util/cleanup.h"

struct known {
	char *backend, *name, *root;
	bool stopped;
};

struct census {
	const struct doctor *d;
	struct known *all;
	size_t n, size;
};

/* A monitor that was killed: the container is none the worse for it, but nobody keeps what it writes, or removes it at its end. */
static int check_monitor(const struct doctor *d, const struct mrg_container *c, const struct mrg_status *status)
{
	const char *backend = mrg_container_backend(c), *name = mrg_container_name(c);
	bool runs = state_is_alive(status->state);
	char text[256], fix[128];

	if (!status->monitor_lost || (!runs && !mrg_container_transient(c)))
		return 0;
	if (runs)
		snprintf(text, sizeof(text), "'%.64s:%.64s' runs and its monitor is gone: its output and its exit status are lost", backend, name);
	else
		snprintf(text, sizeof(text), "'%.64s:%.64s' has ended and its monitor is gone, which would have removed it", backend, name);
	snprintf(fix, sizeof(fix), "moorage %s %.32s:%.64s", runs && !mrg_container_transient(c) ? "restart" : runs ? "stop" : "rm", backend, name);
	return doctor_say(d, "warning", "monitors", text, fix);
}

static int count(struct mrg_container *c, void *data)
{
	struct census *census = data;
	struct mrg_status status = { .state = MRG_STATE_RUNNING };
	char resolved[PATH_MAX];
	const char *root = NULL;
	struct known *k;
	int r;

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
	if (!k->backend || !k->name)
		return -ENOMEM;
	r = mrg_container_status(c, &status, NULL);
	k->stopped = r == 0 && !state_is_alive(status.state);
	return r == 0 ? check_monitor(census->d, c, &status) : 0;
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

/* A root that somebody runs is looked after, however many have it. */
static bool is_run(const struct census *census, const char *root)
{
	for (size_t i = 0; i < census->n; i++)
		if (census->all[i].root && !census->all[i].stopped && strcmp(census->all[i].root, root) == 0)
			return true;
	return false;
}

/* In order of roots. */
static int check_stopped(const struct doctor *d, struct census *census)
{
	_cleanup_free_ struct stopped_root *stopped = calloc(census->n + 1, sizeof(*stopped));
	size_t n = 0;

	if (!stopped)
		return -ENOMEM;
	if (census->n > 0)
		qsort(census->all, census->n, sizeof(*census->all), by_root);
	for (size_t i = 0; i < census->n; i++) {
		const struct known *k = &census->all[i];

		if (!k->root || !k->stopped || (n > 0 && strcmp(stopped[n - 1].root, k->root) == 0) || is_run(census, k->root))
			continue;
		stopped[n].root = k->root;
		snprintf(stopped[n++].owner, sizeof(stopped->owner), "%.64s:%.64s", k->backend, k->name);
	}
	return doctor_check_mounts(d, stopped, n);
}

int doctor_check_shared(const struct doctor *d)
{
	struct census census = { .d = d };
	int r = mrg_list(d->m, NULL, count, NULL, &census, NULL);

	/* That it cannot be listed is told elsewhere. */
	if (r <= 0)
		r = census.n > 0 ? tell_clashes(d, &census) : 0;
	if (r == 0)
		r = check_stopped(d, &census);
	census_deinit(&census);
	return r;
}
