/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Devices whose numbers are the same everywhere. */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "core/formats/device_names.h"
#include "core/util/cleanup.h"

static const struct device_name known[] = {
	{ "/dev/null", 'c', 1, 3 }, { "/dev/zero", 'c', 1, 5 }, { "/dev/full", 'c', 1, 7 }, { "/dev/random", 'c', 1, 8 },
	{ "/dev/urandom", 'c', 1, 9 }, { "/dev/tty", 'c', 5, 0 }, { "/dev/console", 'c', 5, 1 },
	{ "/dev/ptmx", 'c', 5, 2 }, { "/dev/net/tun", 'c', 10, 200 }, { "/dev/fuse", 'c', 10, 229 },
	{ "/dev/kvm", 'c', 10, 232 }, { "/dev/loop-control", 'c', 10, 237 }, { "char-mem", 'c', 1, -1 },
	{ "char-pts", 'c', 136, -1 }, { "block-loop", 'b', 7, -1 }, { "char-*", 'c', -1, -1 }, { "block-*", 'b', -1, -1 },
};

bool device_find(const char *word, struct device_name *ret)
{
	unsigned int a, b;
	int end = 0;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i].path, word) == 0) {
			*ret = known[i];
			return true;
		}
	if (strlen(word) > 40 || (sscanf(word, "/dev/char/%9u:%9u%n", &a, &b, &end) != 2 &&
				  sscanf(word, "/dev/block/%9u:%9u%n", &a, &b, &end) != 2) || word[end])
		return false;
	*ret = (struct device_name){ NULL, word[5], a, b };
	return true;
}

const char *device_name(char type, int64_t major, int64_t minor)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].type == type && known[i].major == major && known[i].minor == minor)
			return known[i].path;
	return NULL;
}
