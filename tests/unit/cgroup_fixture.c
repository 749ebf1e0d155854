/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One container's cgroups below a PARENT of the test's own, and bodies of processes for them. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/cgroup/cgroup.h"
#include "core/context.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/proc.h"
#include "tests/unit/cgroup_fixture.h"

int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(f->id, sizeof(f->id), "%08x%08lx", (unsigned int)getpid(), now.tv_nsec);
	snprintf(f->parent, sizeof(f->parent), "mrgt-unit-%d", getpid());
	snprintf(f->dir_name, sizeof(f->dir_name), "/tmp/mrgt-cgroup-XXXXXX");
	if (!mkdtemp(f->dir_name))
		return -1;
	f->spec.cgroups_path = f->parent;
	mrg_fields_add(&f->spec.set, MRG_FIELD_CGROUPS_PATH);
	f->unit = (struct mrg_unit){ .name = "mrgt-x", .id = f->id, .spec = &f->spec,
				     .dir = open(f->dir_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	f->entry = (struct mrg_cgroup_entry)MRG_CGROUP_ENTRY_INIT;
	cgroup_open(&cg, &f->unit, false, NULL);
	f->has = cgroup_available(&cg);
	*state = f;
	return 0;
}

int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	struct mrg_exit result;

	mrg_helper_cgroup_entry_close(&f->entry);
	f->unit.process = NULL;
	mrg_helper_cgroup_cleanup(NULL, &f->unit, &result, NULL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	unlinkat(f->unit.dir, "exit.json", 0);
	close(f->unit.dir);
	rmdir(f->dir_name);
	free(f);
	return 0;
}

void fixture_ask_memory(struct mrg_spec *spec, int64_t bytes)
{
	spec->memory_limit = bytes;
	mrg_fields_add(&spec->set, MRG_FIELD_MEMORY_LIMIT);
}

void fixture_create(struct fixture *f)
{
	struct mrg_error err = { 0 };

	if (mrg_helper_cgroup_create(&f->unit, &f->entry, &err) < 0)
		fail_msg("%s", err.message);
}

void fixture_clean(struct fixture *f, int oom_killed)
{
	struct mrg_exit result = { .oom_killed = -1 };
	struct mrg_error err = { 0 };

	if (mrg_helper_cgroup_cleanup(NULL, &f->unit, &result, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(result.oom_killed, oom_killed);
	assert_int_equal(view_count(f->parent), 0);
}

int fixture_status_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

int fixture_sleep_long(void *data _unused_)
{
	while (pause() < 0)
		;
	return 0;
}

int fixture_spin(void *data _unused_)
{
	volatile bool on = true;

	while (on)
		;
	return 0;
}

int fixture_touch_memory(void *data)
{
	size_t size = *(size_t *)data;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; p != MAP_FAILED && i < size; i += 4096)
		p[i] = 1;
	return p == MAP_FAILED;
}

int fixture_touch_and_sleep(void *data)
{
	fixture_touch_memory(data);
	return fixture_sleep_long(NULL);
}

/* Forks until it cannot; its exit status counts the processes there were. */
int fixture_fork_many(void *data _unused_)
{
	int n = 1;

	for (;;) {
		pid_t pid = fork();

		if (pid < 0)
			return errno == EAGAIN ? n : 250;
		if (pid == 0)
			fixture_sleep_long(NULL);
		if (++n == 100)
			return 100;
	}
}

uint64_t fixture_cpu_ns(struct fixture *f)
{
	struct mrg_stats stats;

	assert_int_equal(mrg_helper_cgroup_stats(NULL, &f->unit, &stats, NULL), 0);
	assert_true(stats.valid & 1 << MRG_STAT_CPU);
	return stats.cpu_ns;
}

/* As a look at many sees it. */
static int state_in_listing(struct fixture *f)
{
	struct mrg_unit unit = f->unit;
	struct mrg_look look;
	int state;

	cgroup_look_begin(&look);
	unit.look = &look;
	state = mrg_helper_cgroup_state(NULL, &unit, NULL);
	cgroup_look_end(&look);
	return state;
}

int fixture_state_of(struct fixture *f)
{
	int listed = state_in_listing(f), state = mrg_helper_cgroup_state(NULL, &f->unit, NULL);

	/* It may have begun in between. */
	assert_true(listed == state || state_in_listing(f) == state);
	return state;
}

struct beginning {
	int told;
	int (*body)(void *data);
	void *data;
};

static int tell_and_begin(void *data)
{
	const struct beginning *b = data;

	if (write(b->told, "", 1) != 1)
		return 201;
	close(b->told);
	return b->body(b->data);
}

pid_t fixture_spawn_running(struct fixture *f, int (*body)(void *data), void *data)
{
	struct beginning b = { .body = body, .data = data };
	int told[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	b.told = told[1];
	pid = view_spawn(&f->entry, tell_and_begin, &b);
	close(told[1]);
	/* A v1 child enters by itself, a moment later. */
	assert_int_equal(read(told[0], &byte, 1), 1);
	close(told[0]);
	assert_int_equal(fixture_state_of(f), MRG_STATE_RUNNING);
	return pid;
}

static const char *enter(int argc, char **argv)
{
	const char *end = strrchr(argv[0], '_'), *view = "host";
	int r;

	if (argc > 1)
		view = argv[1];
	else if (end && (strcmp(end, "_v1") == 0 || strcmp(end, "_v2") == 0))
		view = end + 1;
	if (geteuid() != 0 || access("/sys/fs/cgroup", W_OK) < 0) {
		printf("1..0 # SKIP needs root and writable cgroups\n");
		return NULL;
	}
	r = view_enter(view);
	if (r == 0)
		return view;
	printf("1..0 # SKIP the view '%s' cannot be shown here: %s\n", view, r > 0 ? "no hierarchy of it" : strerror(-r));
	return NULL;
}

static unsigned int layout(void)
{
	static const struct mrg_unit nobody = { .name = "mrgt-x", .id = "0", .dir = -1 };
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	struct cgroup_controllers has;

	if (cgroup_open(&cg, &nobody, false, NULL) < 0)
		return 0;
	has = cgroup_available(&cg);
	return has.v1 | has.v2 | (has.unified ? UNIFIED : 0);
}

int fixture_main(int argc, char **argv, const struct fixture_test *tests, size_t n)
{
	const char *view = enter(argc, argv);
	_cleanup_free_ struct CMUnitTest *chosen = calloc(n, sizeof(*chosen));
	unsigned int has = view ? layout() : 0;
	size_t count = 0;

	if (!view || !chosen)
		return !chosen;
	for (size_t i = 0; i < n; i++)
		if ((has & tests[i].needs) == tests[i].needs && !(has & tests[i].lacks))
			chosen[count++] = tests[i].test;
		else
			printf("# left out, cgroups are not so here: %s\n", tests[i].test.name);
	return _cmocka_run_group_tests(view, chosen, count, NULL, NULL);
}
