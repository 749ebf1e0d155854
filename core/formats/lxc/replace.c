/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which lines of an LXC configuration count: the last of most keys, and what is behind the last empty one. */

#include "config.h"

#include <string.h>

#include "core/formats/lxc/lxc.h"
#include "core/util/cleanup.h"

/* Keys whose lines collect; a name that ends in a dot stands for all below it. */
static const char *const collecting[] = {
	"lxc.environment", "lxc.cap.drop", "lxc.cap.keep", "lxc.cgroup.", "lxc.cgroup2.", "lxc.idmap",
	"lxc.mount.entry", "lxc.mount.auto", "lxc.group", "lxc.apparmor.raw", "lxc.init.groups", "lxc.namespace.clone",
	"lxc.namespace.keep", "lxc.net.", "lxc.hook.", "lxc.time.offset.boot", "lxc.time.offset.monotonic",
};

/* Keys below those that collect of which the last counts all the same. */
static const char *const single[] = {
	"lxc.cgroup.dir", "lxc.cgroup.dir.", "lxc.cgroup.relative", "lxc.cgroup2.dir", "lxc.hook.version",
};

/* Keys that, without a value, clear all below them. */
static const char *const clearing[] = {
	"lxc.hook", "lxc.net", "lxc.cgroup", "lxc.cgroup2", "lxc.prlimit", "lxc.sysctl", "lxc.proc",
};

static bool is_among(const char *const *names, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++) {
		size_t length = strlen(names[i]);

		if (names[i][length - 1] == '.' ? strncmp(key, names[i], length) == 0 : strcmp(key, names[i]) == 0)
			return true;
	}
	return false;
}

static bool collects(const char *key)
{
	return is_among(collecting, ARRAY_SIZE(collecting), key) && !is_among(single, ARRAY_SIZE(single), key);
}

/* "lxc.net.N": one device, and what is below. */
static bool is_device(const char *key)
{
	return strncmp(key, "lxc.net.", 8) == 0 && key[8] && key[8 + strspn(key + 8, "0123456789")] == '\0';
}

static bool clears_below(const char *key)
{
	return is_among(clearing, ARRAY_SIZE(clearing), key) || is_device(key);
}

static bool is_below(const char *key, const char *parent)
{
	size_t length = strlen(parent);

	return strncmp(key, parent, length) == 0 && key[length] == '.';
}

void lxc_replace(struct assignments *list)
{
	for (size_t i = list->n; i-- > 0;) {
		const struct assignment *now = &list->item[i];
		bool below = !*now->value && clears_below(now->key), same = !*now->value || !collects(now->key);

		/* Devices are read as they come: the type of one begins it anew. What was included stays. */
		if (lxc_is_no_key(now->key) || strcmp(now->key, "lxc.include") == 0 ||
		    (strncmp(now->key, "lxc.net.", 8) == 0 && !below))
			continue;
		for (size_t j = 0; j < i; j++)
			if ((same && strcmp(list->item[j].key, now->key) == 0) || (below && is_below(list->item[j].key, now->key)))
				list->item[j].key = LXC_REPLACED;
	}
}
