/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_CGROUP_FIXTURE_H
#define TESTS_CGROUP_FIXTURE_H

/* One container's cgroups below a PARENT of the test's own, and bodies of processes for them. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "core/cgroup/cgroup.h"
#include "tests/unit/cgroup_view.h"

#define MIB	(1024 * 1024)

struct fixture {
	char parent[64], id[17], dir_name[32];
	struct mrg_spec spec;
	struct mrg_unit unit;
	struct mrg_cgroup_entry entry;
	struct cgroup_controllers has;
};

/* For cmocka: names, a directory, nothing made yet; and the end of it all. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Sets a field of a spec. */
void fixture_ask_memory(struct mrg_spec *spec, int64_t bytes);

/* The verbs, which must succeed; after clean nothing may be left. */
void fixture_create(struct fixture *f);
void fixture_clean(struct fixture *f, int oom_killed);
uint64_t fixture_cpu_ns(struct fixture *f);
int fixture_state_of(struct fixture *f);

/* Starts a process and waits until it is in all its cgroups. */
pid_t fixture_spawn_running(struct fixture *f, int (*body)(void *data), void *data);

/* Waits for @pid. */
int fixture_status_of(pid_t pid);

/* Bodies of processes. */
int fixture_sleep_long(void *data);
int fixture_spin(void *data);
int fixture_touch_memory(void *data);
int fixture_touch_and_sleep(void *data);
/* Forks until it cannot; its exit status counts the processes there were. */
int fixture_fork_many(void *data);

#define UNIFIED		(1U << 31)	/* beside the controllers: cgroup v2 is mounted */

struct fixture_test {
	struct CMUnitTest test;
	unsigned int needs, lacks;	/* controllers that the layout must have, and must not */
};
#define FIXTURE_TEST(name, needs, lacks) \
	{ cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown), needs, lacks }

/* Enters the view that the first argument or the end of the program's name tells, and runs those of the @n tests
 * that have a meaning there. The others are named in a comment: automake counts cmocka's way to skip as a failure. */
int fixture_main(int argc, char **argv, const struct fixture_test *tests, size_t n);

#endif
