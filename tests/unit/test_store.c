/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records on disk: whole or not at all, whatever happens in between. */

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/store/internal.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/proc.h"
#include "core/util/str.h"
#include "tests/unit/store_fixture.h"

static void test_round_trip(void **state)
{
	for (int transient = 0; transient < 2; transient++) {
		struct fixture *f = *state;
		const char *name = transient ? "short" : "kept";
		struct record *made = fresh(name, transient), *read = NULL;
		struct stat st;

		made->creating = true;
		assert_int_equal(store_create(f->m, made, NULL), 0);
		assert_true(made->locked);
		assert_int_equal(fstat(made->dir, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0700);
		assert_int_equal(store_open(f->m, name, &read, NULL), 0);
		assert_string_equal(read->id, ID);
		assert_string_equal(read->backend, "fake");
		assert_int_equal(read->created, made->created);
		assert_int_equal(read->transient, transient);
		assert_true(read->creating);
		assert_false(read->locked);
		assert_string_equal(read->spec->args[0], "true");
		store_free(read);
		assert_int_equal(store_commit(made, NULL), 0);
		assert_int_equal(store_open(f->m, name, &read, NULL), 0);
		assert_false(read->creating);
		store_free(read);
		assert_int_equal(entries(f, transient), 1);
		assert_int_equal(store_remove(f->m, made, NULL), 0);
		assert_int_equal(entries(f, transient), 0);
		store_free(made);
	}
}

static void test_nothing_there(void **state)
{
	struct fixture *f = *state;
	struct mrg_error err = { 0 };
	struct record *record = NULL;
	struct stat st;

	assert_int_equal(store_open(f->m, "web", &record, &err), -MRG_E_NOT_FOUND);
	assert_string_equal(err.message, "no container named 'web'");
	assert_int_equal(walk(f->m), 0);
	assert_int_equal(stat(f->m->state_dir, &st), -1); /* looking makes nothing */
}

static void test_names(void **state)
{
	static const char *const bad[] = { "", ".", "..", "a/b", "-a", ".new-1", "a b", "a\n", "..a",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	struct fixture *f = *state;
	struct record *record = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(make(f->m, bad[i], false), -MRG_E_INVALID);
		assert_int_equal(store_open(f->m, bad[i], &record, NULL), -MRG_E_INVALID);
	}
	assert_int_equal(make(f->m, "a_B.c-9", false), 0);
}

static void test_unique_in_both(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(make(f->m, "a", false), 0);
	assert_int_equal(make(f->m, "b", true), 0);
	for (int transient = 0; transient < 2; transient++) {
		assert_int_equal(make(f->m, "a", transient), -MRG_E_EXISTS);
		assert_int_equal(make(f->m, "b", transient), -MRG_E_EXISTS);
		assert_int_equal(entries(f, transient), 1);
	}
}

static void test_many_at_once(void **state)
{
	struct fixture *f = *state;
	int made = 0;

	for (int i = 0; i < 8; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(make(f->m, "same", i % 2) == 0 ? 0 : 1);
	}
	for (int i = 0; i < 8; i++) {
		int status;

		assert_true(wait(&status) > 0);
		made += status == 0;
	}
	assert_int_equal(made, 1);
	assert_int_equal(walk(f->m), 1);
	assert_int_equal(entries(f, false) + entries(f, true), 1);
}

/* ---- what is believed ----------------------------------------------------------------------- */

static void test_run_is_verified(void **state)
{
	struct run run = { .process.pid = getpid(), .monitor = getppid(), .started = 7 }, read;
	struct fixture *f = *state;
	struct record *record = NULL;
	struct mrg_unit unit;

	assert_int_equal(make(f->m, "web", false), 0);
	assert_int_equal(store_open(f->m, "web", &record, NULL), 0);
	assert_int_equal(proc_start_time(getpid(), &run.process.start_time), 0);
	assert_int_equal(store_write_run(record, &run, NULL), 0);
	assert_int_equal(store_read_run(record, &read, NULL), 0);
	assert_int_equal(read.process.pid, getpid());
	assert_int_equal(read.monitor, getppid());
	assert_int_equal(read.started, 7);
	assert_true(read.process.pidfd >= 0);
	store_unit(record, &read, &unit);
	assert_ptr_equal(unit.process, &read.process);
	store_run_deinit(&read);
	/* The pid in other hands. */
	run.process.start_time++;
	assert_int_equal(store_write_run(record, &run, NULL), 0);
	assert_int_equal(store_read_run(record, &read, NULL), 0);
	assert_int_equal(read.process.pid, 0);
	assert_int_equal(read.process.pidfd, -1);
	store_unit(record, &read, &unit);
	assert_null(unit.process);
	store_free(record);
}

static void test_reboot(void **state)
{
	struct fixture *f = *state;
	struct record *record = NULL;
	struct run run;
	uint64_t start;
	char text[512];

	assert_int_equal(make(f->m, "web", false), 0);
	assert_int_equal(proc_start_time(getpid(), &start), 0);
	snprintf(text, sizeof(text), "{\"boot\":\"another\",\"monitor\":{\"pid\":%d,\"start\":%llu},\"process\":{\"pid\":%d,"
		 "\"start\":%llu},\"started\":7}", getpid(), (unsigned long long)start, getpid(),
		 (unsigned long long)start);
	put(f, false, "run.json", text);
	assert_int_equal(store_open(f->m, "web", &record, NULL), 0);
	assert_int_equal(store_read_run(record, &run, NULL), 0);
	assert_int_equal(run.process.pid, 0);
	assert_int_equal(run.monitor, 0);
	assert_int_equal(run.started, 7);
	store_free(record);
}

static void make_stale(struct fixture *f)
{
	char boot[BOOT_ID_SIZE], *at;
	size_t length;
	char *text;

	assert_int_equal(make(f->m, "web", true), 0);
	text = read_file(f, "record.json", &length);
	assert_int_equal(proc_boot_id(boot), 0);
	at = strstr(text, boot);
	assert_non_null(at);
	*at = *at == '0' ? '1' : '0';
	put(f, true, "record.json", text);
	free(text);
}

static void test_transient_of_another_boot(void **state)
{
	struct fixture *f = *state;
	struct record *record = NULL;

	make_stale(f);
	assert_int_equal(walk(f->m), 0);
	assert_int_equal(entries(f, true), 0);
	make_stale(f);
	assert_int_equal(store_open(f->m, "web", &record, NULL), -MRG_E_NOT_FOUND);
	assert_int_equal(entries(f, true), 0);
	make_stale(f);
	assert_int_equal(make(f->m, "web", false), 0); /* its name is free again */
	assert_int_equal(walk(f->m), 1);
}

/* ---- locks ---------------------------------------------------------------------------------- */

static void test_lock(void **state)
{
	struct fixture *f = *state;
	struct record *first = NULL, *second = NULL;
	struct mrg_error err = { 0 };
	int64_t before, took = INT64_MAX;

	assert_int_equal(make(f->m, "web", false), 0);
	assert_int_equal(store_open(f->m, "web", &first, NULL), 0);
	assert_int_equal(store_open(f->m, "web", &second, NULL), 0);
	assert_int_equal(store_lock(f->m, first, 0, NULL), 0);
	/* Never less; more than a moment only when something else takes the processor, hence the tries. */
	for (int tries = 0; tries < 5 && took > 2000; tries++) {
		before = time_monotonic_ms();
		assert_int_equal(store_lock(f->m, second, 100, &err), -MRG_E_BUSY);
		took = time_monotonic_ms() - before;
		assert_true(took >= 100);
	}
	assert_true(took <= 2000);
	assert_non_null(strstr(err.message, "container 'web' is busy"));
	assert_false(second->locked);
	store_unlock(first);
	assert_int_equal(store_lock(f->m, second, 0, NULL), 0);
	store_free(second); /* and free lets go of it */
	assert_int_equal(store_lock(f->m, first, 0, NULL), 0);
	store_free(first);
}

static void test_lock_of_a_removed(void **state)
{
	struct fixture *f = *state;
	struct record *first = NULL, *second = NULL;

	assert_int_equal(make(f->m, "web", false), 0);
	assert_int_equal(store_open(f->m, "web", &first, NULL), 0);
	assert_int_equal(store_open(f->m, "web", &second, NULL), 0);
	assert_int_equal(store_remove(f->m, first, NULL), 0);
	assert_int_equal(store_lock(f->m, second, 0, NULL), -MRG_E_NOT_FOUND);
	assert_int_equal(make(f->m, "web", false), 0); /* another one of that name is not the same */
	assert_int_equal(store_lock(f->m, second, 0, NULL), -MRG_E_NOT_FOUND);
	assert_false(second->locked);
	store_free(first);
	store_free(second);
}

/* The command is killed: the monitor's inherited descriptor keeps the lock until the verdict. */
static void test_inherited_lock(void **state)
{
	struct fixture *f = *state;
	struct record *command = NULL, *monitor = NULL, *other = NULL;

	assert_int_equal(make(f->m, "web", false), 0);
	assert_int_equal(store_open(f->m, "web", &command, NULL), 0);
	assert_int_equal(store_lock(f->m, command, 0, NULL), 0);
	assert_int_equal(store_open_dir(f->m, dup(command->dir), &monitor, NULL), 0);
	assert_string_equal(monitor->name, "web");
	assert_string_equal(monitor->id, ID);
	store_free(command);
	assert_int_equal(store_open(f->m, "web", &other, NULL), 0);
	assert_int_equal(store_lock(f->m, other, 0, NULL), -MRG_E_BUSY);
	assert_int_equal(store_lock(f->m, monitor, 0, NULL), -MRG_E_BUSY); /* its own lock is another one */
	store_unlock(monitor);
	assert_int_equal(store_lock(f->m, other, 0, NULL), 0);
	store_free(other);
	store_free(monitor);
}

/* ---- renaming, walking ---------------------------------------------------------------------- */

static void test_rename(void **state)
{
	struct fixture *f = *state;
	struct record *record = NULL;

	assert_int_equal(make(f->m, "web", false), 0);
	assert_int_equal(make(f->m, "db", true), 0);
	assert_int_equal(store_open(f->m, "web", &record, NULL), 0);
	assert_int_equal(store_rename(f->m, record, "db", NULL), -MRG_E_EXISTS);
	assert_int_equal(store_rename(f->m, record, "../x", NULL), -MRG_E_INVALID);
	assert_string_equal(record->name, "web");
	assert_int_equal(store_rename(f->m, record, "www", NULL), 0);
	assert_string_equal(record->name, "www");
	assert_int_equal(whole(f, "web", 0), 0);
	assert_int_equal(whole(f, "www", 0), 1);
	store_free(record);
}

static int stop_at_second(_unused_ const char *name, void *data)
{
	return ++*(int *)data == 2 ? 42 : 0;
}

static void test_walk(void **state)
{
	static const char *const names[] = { "c", "a", "b", "B", "10" };
	struct fixture *f = *state;
	char **found = NULL;
	int count = 0, base;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(make(f->m, names[i], i % 2), 0);
	base = open_base(f, false);
	close(openat(base, "README", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	assert_int_equal(mkdirat(base, "not a name", 0700), 0);
	close(base);
	assert_int_equal(store_walk(f->m, append, &found, NULL), 0);
	assert_int_equal(strv_length(found), 6); /* README may be a name: opening it tells */
	assert_string_equal(found[0], "10");
	assert_string_equal(found[1], "B");
	assert_string_equal(found[5], "c");
	strv_free(found);
	assert_int_equal(store_walk(f->m, stop_at_second, &count, NULL), 42);
	assert_int_equal(count, 2);
}

static void test_walk_repairs(void **state)
{
	struct fixture *f = *state;
	int base = open_base(f, false), held;

	assert_int_equal(mkdirat(base, ".new-0000000000000001", 0700), 0);
	assert_int_equal(mkdirat(base, ".new-0000000000000002", 0700), 0);
	assert_int_equal(mkdirat(base, ".del-0000000000000003", 0700), 0);
	assert_int_equal(mkdirat(base, ".del-0000000000000003/sub", 0700), 0);
	held = openat(base, ".new-0000000000000002", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(held, LOCK_EX), 0);
	assert_int_equal(walk(f->m), 0);
	assert_int_equal(entries(f, false), 1); /* its maker is at work */
	close(held);
	assert_int_equal(walk(f->m), 0);
	assert_int_equal(entries(f, false), 0);
	close(base);
}

/* ---- what record.json tells of the spec ------------------------------------------------------- */

/* Opens for a look; whether that took the whole spec. */
static bool opens_whole(struct fixture *f, const char *root)
{
	struct record *record = NULL;
	bool brief;

	assert_int_equal(store_open_brief(f->m, "web", &record, NULL), 0);
	brief = record->brief;
	assert_string_equal(record->spec->root_path, root);
	assert_int_equal(mrg_fields_has(&record->spec->set, MRG_FIELD_ARGS), !brief);
	store_free(record);
	return !brief;
}

static void test_brief(void **state)
{
	struct fixture *f = *state;

	for (int transient = 0; transient < 2; transient++) {
		struct record *record = fresh("web", transient), *read = NULL;

		mrg_spec_set(record->spec, MRG_FIELD_CGROUPS_PATH, "/mrgt", NULL);
		assert_int_equal(store_create(f->m, record, NULL), 0);
		assert_false(opens_whole(f, "/"));
		assert_int_equal(store_open_brief(f->m, "web", &read, NULL), 0);
		assert_string_equal(read->spec->cgroups_path, "/mrgt");
		/* The rest on demand. */
		mrg_spec_free(read->spec);
		assert_int_equal(store_read_spec(read, NULL), 0);
		assert_string_equal(read->spec->args[0], "true");
		store_free(read);
		assert_int_equal(store_remove(f->m, record, NULL), 0);
		store_free(record);
	}
}

/* Somebody writes into the file itself, at once and as many bytes: neither inode nor size tells, and the clock of files may stand still. */
static void test_brief_of_a_changed_spec(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int base = open_base(f, false), fd = -1;
	_cleanup_free_ char *text = NULL;
	struct mrg_error err = { 0 };
	struct record *record = NULL;
	char *at;

	assert_int_equal(make(f->m, "web", false), 0);
	fd = openat(base, "web/config.json", O_RDWR | O_CLOEXEC);
	assert_int_equal(fd_read_file(base, "web/config.json", 4096, &text, NULL), 0);
	at = strstr(text, "\"/\"");
	assert_non_null(at);
	assert_int_equal(pwrite(fd, "\"x\"", 3, at - text), 3);
	assert_true(opens_whole(f, "x"));
	/* Another file of the same text, and one that is damaged. */
	put(f, false, "config.json", text);
	assert_true(opens_whole(f, "/"));
	put(f, false, "config.json", "{\"root\":");
	assert_int_equal(store_open_brief(f->m, "web", &record, &err), -EBADMSG);
	assert_non_null(strstr(err.message, "config.json"));
}

/* What we write ourselves later, and where the engine keeps the truth. */
static void test_brief_is_left_out(void **state)
{
	struct fixture *f = *state;
	struct record *record = NULL;

	assert_int_equal(make(f->m, "web", false), 0);
	assert_int_equal(store_open(f->m, "web", &record, NULL), 0);
	mrg_spec_set(record->spec, MRG_FIELD_ROOT_PATH, "/new", NULL);
	assert_int_equal(store_write_spec(record, NULL), 0);
	assert_true(opens_whole(f, "/new"));
	assert_int_equal(store_write_record(record, NULL), 0);
	assert_true(opens_whole(f, "/new"));
	record->native = 1;
	assert_int_equal(store_write_record(record, NULL), 0);
	assert_true(opens_whole(f, "/new"));
	store_free(record);
}

static void test_brief_that_is_none(void **state)
{
	static const char *const bad[] = { "{\"inode\":\"1\"}", "{\"inode\":1,\"root\":5}" };
	struct fixture *f = *state;
	struct mrg_error err = { 0 };
	struct record *record = NULL;
	char text[256];

	assert_int_equal(make(f->m, "web", false), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text),
			 "{\"format\":1,\"id\":\"" ID "\",\"backend\":\"fake\",\"created\":1,\"phase\":\"created\",\"transient\":false,"
			 "\"boot\":\"\",\"spec\":%s}", bad[i]);
		put(f, false, "record.json", text);
		assert_int_equal(store_open_brief(f->m, "web", &record, &err), -EBADMSG);
	}
	/* A record of before has none. */
	put(f, false, "record.json", "{\"format\":1,\"id\":\"" ID "\",\"backend\":\"fake\",\"created\":1,\"phase\":\"created\","
	    "\"transient\":false,\"boot\":\"\"}");
	assert_true(opens_whole(f, "/"));
}

/* ---- places --------------------------------------------------------------------------------- */

static void test_untrusted_place(void **state)
{
	struct fixture *f = *state;
	struct mrg_error err = { 0 };
	struct record *record = NULL;
	char path[128];

	assert_int_equal(make(f->m, "web", false), 0);
	snprintf(path, sizeof(path), "%s/containers", f->m->state_dir);
	assert_int_equal(chmod(path, 0770), 0);
	assert_int_equal(store_open(f->m, "web", &record, &err), -MRG_E_PERMISSION);
	assert_non_null(strstr(err.message, "is writable by others: refusing to use it\nchmod 700"));
	assert_int_equal(chmod(path, 0700), 0);
	assert_int_equal(chmod(f->m->state_dir, 0707), 0);
	assert_int_equal(make(f->m, "db", false), -MRG_E_PERMISSION);
	assert_int_equal(chmod(f->m->state_dir, 0700), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 12345, 0), 0);
		assert_int_equal(store_walk(f->m, append, NULL, &err), -MRG_E_PERMISSION);
		assert_non_null(strstr(err.message, "belongs to user 12345"));
		assert_int_equal(chown(path, 0, 0), 0);
	}
}

static void test_cache(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	int fd = store_cache(f->m, "mrgt", false, NULL);

	assert_int_equal(fd, -ENOENT);
	fd = store_cache(f->m, "mrgt", true, NULL);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	close(fd);
}

#define STORE_TEST(test)	cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_round_trip), STORE_TEST(test_nothing_there), STORE_TEST(test_names),
		STORE_TEST(test_unique_in_both), STORE_TEST(test_many_at_once), STORE_TEST(test_run_is_verified),
		STORE_TEST(test_reboot), STORE_TEST(test_transient_of_another_boot), STORE_TEST(test_lock),
		STORE_TEST(test_lock_of_a_removed), STORE_TEST(test_inherited_lock), STORE_TEST(test_rename),
		STORE_TEST(test_walk), STORE_TEST(test_walk_repairs), STORE_TEST(test_untrusted_place),
		STORE_TEST(test_cache), STORE_TEST(test_brief), STORE_TEST(test_brief_of_a_changed_spec),
		STORE_TEST(test_brief_is_left_out), STORE_TEST(test_brief_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
