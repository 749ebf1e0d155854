/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Made-up names and ids. */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "core/container/internal.h"
#include "core/util/cleanup.h"

static const char *const adjectives[] = {
	"able", "amber", "bold", "brave", "bright", "brisk", "calm", "clear", "cosy", "crisp", "deft", "eager",
	"fair", "fleet", "fond", "gentle", "glad", "grand", "keen", "kind", "lively", "lucky", "mellow", "merry",
	"neat", "noble", "plain", "proud", "quick", "quiet", "ready", "sunny",
};

static const char *const nouns[] = {
	"auk", "barge", "bittern", "brig", "buoy", "canoe", "coot", "crane", "curlew", "cutter", "dhow", "diver",
	"dory", "dunlin", "eider", "ferry", "gannet", "grebe", "gull", "heron", "junk", "ketch", "knot", "lugger",
	"osprey", "petrel", "plover", "puffin", "skiff", "sloop", "tern", "yawl",
};

int name_make(char ret[NAME_SIZE])
{
	unsigned char random[4];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	snprintf(ret, NAME_SIZE, "%s-%s-%02x%02x", adjectives[random[0] % ARRAY_SIZE(adjectives)],
		 nouns[random[1] % ARRAY_SIZE(nouns)], random[2], random[3]);
	return 0;
}

int id_make(char ret[17])
{
	unsigned char random[8];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(ret + 2 * i, 3, "%02x", random[i]);
	return 0;
}
