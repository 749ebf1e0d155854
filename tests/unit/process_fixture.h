/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_PROCESS_FIXTURE_H
#define TESTS_PROCESS_FIXTURE_H

/* A busybox root in a temporary directory, and processes executed in it by the helpers. */

#include <stdbool.h>

#include <moorage/helper.h>

struct fixture {
	char root[64], run_dir[64];
	struct mrg_spec *spec;
	struct mrg_unit unit;
	int dir;
};

struct result {
	int r;				/* of spawn */
	int status;			/* wait status */
	char out[65536];		/* standard output and error */
	struct mrg_error err;
};

/* Why tests that change roots and ids cannot run here; NULL: they can. */
const char *fixture_reason(void);

int fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);

/* For cmocka: without a fixture where there can be none. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* That of the test, which is skipped without one. */
struct fixture *fixture_of(void **state);

/* Runs the shell command @script in the root (or, when NULL, what the spec says), its output collected. @command may be NULL. */
void fixture_run(struct fixture *f, const char *script, const struct mrg_command *command, struct result *ret);

/* A file in the root. */
void fixture_file(struct fixture *f, const char *path, const char *text, int mode);

/* The value of "NAME:<tab>VALUE" in /proc/self/status as printed by a run, or NULL. */
const char *status_field(const struct result *result, const char *name, char value[256]);

#endif
