/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMPORT_FIXTURE_H
#define IMPORT_FIXTURE_H

/* Imports on the fake backend, from an archive beside a hostile root. cmocka.h comes before. */

#include <stdbool.h>
#include <unistd.h>

#include "tests/unit/container_fixture.h"
#include "tests/unit/tree_fixture.h"

struct world {
	void *fixture;			/* struct fixture: containers */
	struct tree_fixture tree;	/* a hostile root */
	char archive[80];
	struct mrg_error err;
};

int setup_world(void **state);
int teardown_world(void **state);

/* Nothing below state and run but what containers have. */
bool nothing_is_left(struct world *w);

int import_one(struct world *w, const char *name, const char *const *accept, struct mrg_container **ret);

/* An archive whose manifest fits the configuration @json. */
void write_archive(struct world *w, const char *json);

#define NAMESPACES(more)	"\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"ipc\"},{\"type\":\"uts\"}" more "]"
#define NETWORK			",{\"type\":\"network\"}"
#define SPEC(rest)		"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"/\"},\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"]}," rest "}"
#define CONFINED(rest)		SPEC(NAMESPACES(NETWORK) rest "}")

/* For mrg_list(). */
int see_nothing(struct mrg_container *c, void *data);

void release(struct mrg_container *c);

#endif
