/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Virtual cables that containers have left behind. */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/doctor/doctor.h"
#include "core/util/cleanup.h"

#define PAUSE_MS	1000		/* a container that is just being started has both ends here for a moment */

/* How engines call them: systemd-nspawn, LXC and Docker and Podman, libvirt. What others have made is theirs. */
static bool is_engines(const char *name)
{
	static const char *const prefixes[] = { "ve-", "vb-", "veth", "vnet" };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

static const struct link *find_peer(const struct link *link, const struct link *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (all[i].space < 0 && all[i].index == link->peer && all[i].peer == link->index)
			return &all[i];
	return NULL;
}

bool link_is_left(const struct link *link, const struct link *all, size_t n, const int *used, size_t n_used)
{
	const struct link *peer;

	if (!is_engines(link->name))
		return false;
	if (link->space < 0) {
		peer = find_peer(link, all, n);
		/* Plugged in here, while the end for a container is neither plugged in nor up. */
		return peer && link->master && !peer->master && !peer->up;
	}
	for (size_t i = 0; i < n_used; i++)
		if (used[i] == link->space)
			return false;
	return true;
}

/* What is left now; allocated. */
static size_t find(struct link **ret)
{
	_cleanup_free_ struct link *all = NULL;
	_cleanup_free_ int *used = NULL;
	size_t n, n_used, left = 0;

	/* First the cables: a namespace that is made meanwhile is none of theirs. */
	if (links_read(&all, &n) < 0 || n == 0 || spaces_read(&used, &n_used) < 0)
		return 0;
	*ret = calloc(n + 1, sizeof(**ret));
	for (size_t i = 0; i < n && *ret; i++)
		if (link_is_left(&all[i], all, n, used, n_used))
			(*ret)[left++] = all[i];
	return left;
}

static bool is_among(const struct link *link, const struct link *others, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (others[i].index == link->index && strcmp(others[i].name, link->name) == 0)
			return true;
	return false;
}

int doctor_check_links(const struct doctor *d)
{
	_cleanup_free_ struct link *before = NULL, *after = NULL;
	size_t n_before = find(&before), n_after;
	int r = 0;

	if (n_before == 0)
		return 0;
	nanosleep(&(struct timespec){ .tv_sec = PAUSE_MS / 1000 }, NULL);
	n_after = find(&after);
	for (size_t i = 0; i < n_after && r == 0; i++) {
		char text[256], fix[64];

		if (!is_among(&after[i], before, n_before))
			continue;
		snprintf(text, sizeof(text), "the virtual cable '%s' of a container is still there, and %s", after[i].name,
			 after[i].space < 0 ? "its other end lies beside it" : "no process is in the network namespace of its other end");
		snprintf(fix, sizeof(fix), "ip link delete '%s'", after[i].name);
		r = doctor_say(d, "warning", "cables left behind", text, fix);
	}
	return r;
}
