/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Containers that an engine keeps: listed, opened, driven and left as they were. */

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/container/internal.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/str.h"
#include "tests/unit/container_fixture.h"
#include "tests/unit/patience.h"

/* The place of the fake engine, in the context of the fixture. */
static int setup_engine(void **state)
{
	struct fixture *f;
	char place[80];

	if (setup(state) < 0)
		return -1;
	f = *state;
	snprintf(place, sizeof(place), "%s/engine", f->top);
	if (mkdir(place, 0755) < 0)
		return -1;
	f->m->path = strdup(place);
	return f->m->path ? 0 : -1;
}

static void write_file(struct fixture *f, const char *name, const char *text)
{
	_cleanup_close_ int dir = open(f->m->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(fd_replace_file(dir, name, text, strlen(text), false), 0);
}

static char *read_file(struct fixture *f, const char *name)
{
	_cleanup_close_ int dir = open(f->m->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *text = NULL;

	assert_int_equal(fd_read_file(dir, name, 1 << 20, &text, NULL), 0);
	return text;
}

/* What the engine's own tools would make. */
static void make_foreign(struct fixture *f, const char *name, const char *hostname)
{
	char file[80], text[256];

	snprintf(file, sizeof(file), "%s.json", name);
	snprintf(text, sizeof(text), "{\"hostname\":\"%s\",\"root\":{\"path\":\"%s\"},\"process\":{\"args\":[\"sleep\",\"1000\"],\"cwd\":\"/\"}}", hostname,
		 f->root);
	write_file(f, file, text);
}

static int collect(struct mrg_container *c, void *data)
{
	struct buffer *b = data;

	buffer_addf(b, "%s%s ", mrg_container_name(c), mrg_container_adopted(c) ? "*" : "");
	return 0;
}

static void count_warning(_unused_ const char *name, _unused_ const struct mrg_error *err, void *data)
{
	buffer_addf(data, "! ");
}

static void assert_list(struct fixture *f, const char *backend, const char *expected)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };

	buffer_add(&b, "", 0);
	assert_int_equal(mrg_list(f->m, backend, collect, count_warning, &b, NULL), 0);
	assert_string_equal(b.text, expected);
}

/* How many directories of records there are below the run directory. */
static int entries(struct fixture *f)
{
	_cleanup_closedir_ DIR *d = NULL;
	struct dirent *entry;
	char path[128];
	int n = 0;

	snprintf(path, sizeof(path), "%s/run/containers", f->top);
	d = opendir(path);
	while (d && (entry = readdir(d)))
		n += entry->d_name[0] != '.';
	return n;
}

static void test_listed_without_a_trace(void **state)
{
	struct fixture *f = *state;

	make_foreign(f, "web", "one");
	make_foreign(f, "a strange name", "two");
	mrg_container_free(make(f, "own", sleeper, 0));
	assert_list(f, NULL, "own a strange name* web* ");
	assert_list(f, "fake", "own a strange name* web* ");
	assert_list(f, "native", "");
	assert_int_equal(entries(f), 0);
}

static void test_engine_that_fails(void **state)
{
	struct fixture *f = *state;

	mrg_container_free(make(f, "own", sleeper, 0));
	setenv("MRG_FAKE_FAULT", "list:EIO:it is on fire", 1);
	assert_list(f, NULL, "own ! ");
	/* One that is not in use here is no failure, unless it was asked for. */
	setenv("MRG_FAKE_FAULT", "list:ENOPKG:nobody uses it", 1);
	assert_list(f, NULL, "own ");
	assert_list(f, "fake", "own ! ");
}

static void test_spec_is_the_engines(void **state)
{
	struct fixture *f = *state;
	struct mrg_container *c;
	char *text = NULL;

	make_foreign(f, "web", "one");
	c = open_named(f, "web");
	assert_int_equal(mrg_container_adopted(c), 1);
	assert_int_equal(mrg_container_load(c, NULL), 0);
	assert_string_equal(mrg_container_spec(c)->hostname, "one");
	assert_int_equal(mrg_native(c, &text, NULL), 0);
	assert_non_null(strstr(text, "\"hostname\":\"one\""));
	free(text);
	mrg_container_free(c);
	write_file(f, "web.json", "{ torn");
	c = open_named(f, "web");
	assert_true(mrg_container_load(c, NULL) < 0);
	assert_null(mrg_container_spec(c)->hostname);
	mrg_container_free(c);
}

static void test_driven_and_left_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct mrg_container *c;
	struct mrg_status status;
	char *before, *after;

	make_foreign(f, "web", "one");
	before = read_file(f, "web.json");
	c = open_named(f, "fake:web");
	assert_int_equal(mrg_container_status(c, &status, NULL), 0);
	assert_int_equal(status.state, MRG_STATE_CREATED);
	assert_int_equal(mrg_start(c, NULL, NULL), 0);
	assert_int_equal(mrg_container_status(c, &status, NULL), 0);
	assert_int_equal(status.state, MRG_STATE_RUNNING);
	assert_int_equal(status.monitor_lost, 0);
	assert_int_equal(entries(f), 1);
	assert_list(f, NULL, "web* ");
	assert_int_equal(mrg_stop(c, PATIENCE_MS, 0, NULL), 0);
	assert_int_equal(mrg_wait(c, PATIENCE_MS, &status, NULL), 0);
	assert_int_equal(status.has_exit, 1);
	mrg_container_free(c);
	after = read_file(f, "web.json");
	assert_string_equal(before, after);
	free(before);
	free(after);
}

/* Its process is known to the engine alone. */
static void test_started_by_others(void **state)
{
	struct fixture *f = *state;
	struct mrg_container *c;
	struct mrg_status status;
	char text[16];
	pid_t pid = fork();

	if (pid == 0) {
		execlp("sleep", "sleep", "1000", (char *)NULL);
		_exit(127);
	}
	make_foreign(f, "web", "one");
	snprintf(text, sizeof(text), "%d", (int)pid);
	write_file(f, "web.pid", text);
	c = open_named(f, "web");
	assert_int_equal(mrg_container_status(c, &status, NULL), 0);
	assert_int_equal(status.state, MRG_STATE_RUNNING);
	assert_int_equal(status.pid, pid);
	assert_int_equal(status.monitor_lost, 0);
	assert_true(status.started > 0);
	assert_int_equal(mrg_kill(c, SIGKILL, 0, NULL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(mrg_wait(c, PATIENCE_MS, &status, NULL), 0);
	assert_int_equal(status.state, MRG_STATE_CREATED);
	assert_int_equal(status.has_exit, 0);
	mrg_container_free(c);
}

static void test_removed_from_the_engine(void **state)
{
	struct fixture *f = *state;
	struct mrg_container *c;
	struct mrg_error err = { 0 };

	make_foreign(f, "web", "one");
	c = open_named(f, "web");
	assert_int_equal(mrg_start(c, NULL, NULL), 0);
	assert_int_equal(mrg_remove(c, 0, &err), -MRG_E_STATE);
	assert_int_equal(mrg_remove(c, 1, NULL), 0);
	mrg_container_free(c);
	assert_list(f, NULL, "");
	assert_int_equal(entries(f), 0);
	assert_int_equal(mrg_container_open(f->m, "web", &c, &err), -MRG_E_NOT_FOUND);
}

/* What the engine has lost leaves nothing with us either. */
static void test_forgotten(void **state)
{
	struct fixture *f = *state;
	struct mrg_container *c;
	char path[128];

	make_foreign(f, "web", "one");
	c = open_named(f, "web");
	assert_int_equal(mrg_start(c, NULL, NULL), 0);
	assert_int_equal(mrg_stop(c, PATIENCE_MS, 0, NULL), 0);
	mrg_container_free(c);
	assert_int_equal(entries(f), 1);
	snprintf(path, sizeof(path), "%s/web.json", f->m->path);
	assert_int_equal(unlink(path), 0);
	assert_list(f, NULL, "");
	assert_int_equal(entries(f), 0);
}

static void test_what_belongs_to_others(void **state)
{
	struct fixture *f = *state;
	struct mrg_spec *changes = mrg_spec_new();
	struct mrg_container *c;
	struct mrg_error err = { 0 };

	make_foreign(f, "web", "one");
	c = open_named(f, "web");
	assert_int_equal(mrg_rename(c, "www", &err), -MRG_E_UNSUPPORTED);
	assert_string_equal(err.message, "backend 'fake' cannot rename a container that others made");
	assert_int_equal(mrg_spec_set(changes, MRG_FIELD_PIDS_LIMIT, "5", NULL), 0);
	assert_int_equal(mrg_update(c, changes, &err), -MRG_E_STATE);
	assert_non_null(strstr(err.message, "its configuration belongs to fake"));
	mrg_container_free(c);
	mrg_spec_free(changes);
}

static void test_name_is_taken_in_the_engine(void **state)
{
	struct fixture *f = *state;
	struct mrg_spec *spec = spec_of(f, sleeper);
	struct mrg_create create = { .name = "web", .backend = "fake", .spec = spec };
	struct mrg_error err = { 0 };

	make_foreign(f, "web", "one");
	assert_int_equal(mrg_create(f->m, &create, NULL, &err), -MRG_E_EXISTS);
	assert_string_equal(err.message, "a container named 'web' exists already: fake has it");
	create.flags = MRG_CREATE_REPLACE;
	assert_int_equal(mrg_create(f->m, &create, NULL, &err), -MRG_E_EXISTS);
	mrg_spec_free(spec);
}

static void test_autostart(void **state)
{
	struct fixture *f = *state;
	struct mrg_container *c;

	make_foreign(f, "web", "one");
	c = open_named(f, "web");
	assert_int_equal(mrg_autostart(c, -1, NULL), 0);
	assert_int_equal(mrg_autostart(c, 1, NULL), 1);
	assert_int_equal(mrg_autostart(c, -1, NULL), 1);
	assert_int_equal(mrg_autostart(c, 0, NULL), 0);
	assert_int_equal(mrg_autostart(c, -1, NULL), 0);
	mrg_container_free(c);
}

/* ---- ours, in an engine that others can write to -------------------------------------------- */

static void test_own_is_one_container(void **state)
{
	struct fixture *f = *state;

	mrg_container_free(make(f, "web", sleeper, 0));
	free(read_file(f, "web.json"));
	assert_list(f, NULL, "web ");
	mrg_container_free(open_named(f, "web"));
	mrg_container_free(open_named(f, "fake:web"));
}

static void test_change_by_others_is_seen(void **state)
{
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "web", sleeper, 0);

	assert_null(mrg_container_spec(c)->hostname);
	mrg_container_free(c);
	make_foreign(f, "web", "edited");
	c = open_named(f, "web");
	assert_int_equal(mrg_container_adopted(c), 0);
	assert_string_equal(mrg_container_spec(c)->hostname, "edited");
	/* The start writes down what the monitor has to know. */
	assert_int_equal(mrg_start(c, NULL, NULL), 0);
	mrg_container_free(c);
	c = open_named(f, "web");
	assert_string_equal(c->record->spec->hostname, "edited");
	assert_int_equal(mrg_remove(c, 1, NULL), 0);
	mrg_container_free(c);
	assert_list(f, NULL, "");
}

static void test_update_reaches_the_engine(void **state)
{
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "web", sleeper, 0);
	struct mrg_spec *changes = mrg_spec_new();
	struct mrg_error err = { 0 };
	char *text;

	assert_int_equal(mrg_spec_set(changes, MRG_FIELD_PIDS_LIMIT, "5", NULL), 0);
	assert_int_equal(mrg_update(c, changes, NULL), 0);
	text = read_file(f, "web.json");
	assert_non_null(strstr(text, "\"limit\":5"));
	free(text);
	/* A failure there takes the record back as well. */
	assert_int_equal(mrg_spec_set(changes, MRG_FIELD_PIDS_LIMIT, "7", NULL), 0);
	setenv("MRG_FAKE_FAULT", "configure:EIO:no", 1);
	assert_int_equal(mrg_update(c, changes, &err), -EIO);
	unsetenv("MRG_FAKE_FAULT");
	assert_int_equal(mrg_container_spec(c)->pids_limit, 5);
	mrg_container_free(c);
	c = open_named(f, "web");
	assert_int_equal(mrg_container_spec(c)->pids_limit, 5);
	mrg_container_free(c);
	mrg_spec_free(changes);
}

#define ENGINE_TEST(function)	cmocka_unit_test_setup_teardown(function, setup_engine, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE_TEST(test_listed_without_a_trace), ENGINE_TEST(test_engine_that_fails),
		ENGINE_TEST(test_spec_is_the_engines), ENGINE_TEST(test_driven_and_left_as_it_was),
		ENGINE_TEST(test_started_by_others), ENGINE_TEST(test_removed_from_the_engine), ENGINE_TEST(test_forgotten),
		ENGINE_TEST(test_what_belongs_to_others), ENGINE_TEST(test_name_is_taken_in_the_engine),
		ENGINE_TEST(test_autostart), ENGINE_TEST(test_own_is_one_container),
		ENGINE_TEST(test_change_by_others_is_seen), ENGINE_TEST(test_update_reaches_the_engine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
