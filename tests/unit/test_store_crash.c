/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records after crashes, damage and full disks. */

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

/* ---- crashes -------------------------------------------------------------------------------- */

typedef void (*step_fn)(struct mrg *m);

/* Runs @step in a child and kills it when it is about to make its @n-th system call. 1: it was killed; 0: it had finished. */
static int killed_at(struct mrg *m, step_fn step, int n)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		step(m);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	for (int i = 0; i < n; i++) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status))
			return 0;
	}
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return 1;
}

static void step_create(struct mrg *m)
{
	make(m, "web", false);
}

static void step_create_transient(struct mrg *m)
{
	make(m, "web", true);
}

static void step_remove(struct mrg *m)
{
	struct record *record = NULL;

	if (store_open(m, "web", &record, NULL) == 0 && store_lock(m, record, 0, NULL) == 0)
		store_remove(m, record, NULL);
	store_free(record);
}

static void step_rename(struct mrg *m)
{
	struct record *record = NULL;

	if (store_open(m, "web", &record, NULL) == 0 && store_lock(m, record, 0, NULL) == 0)
		store_rename(m, record, "www", NULL);
	store_free(record);
}

static void step_write(struct mrg *m)
{
	struct run run = { .process.pid = getpid(), .monitor = getpid(), .started = 5 };
	struct exit_record end = { .status = 256, .known = true, .finished = 6 };
	struct record *record = NULL;

	if (store_open(m, "web", &record, NULL) == 0) {
		store_write_run(record, &run, NULL);
		store_write_exit(record, &end, NULL);
		mrg_spec_set(record->spec, MRG_FIELD_ARGS, "more", NULL);
		store_write_spec(record, NULL);
	}
	store_free(record);
}

static void crash_everywhere(struct fixture *f, step_fn before, step_fn step)
{
	int n = 0, names;

	do {
		if (before)
			before(f->m);
		if (!killed_at(f->m, step, n++))
			break;
		names = (int)walk(f->m);
		assert_int_equal(entries(f, false) + entries(f, true), names);
		assert_int_equal(whole(f, "web", n) + whole(f, "www", n), names);
		assert_true(names <= 1);
		for (int i = 0; i < 2; i++) {
			struct record *record = NULL;

			if (store_open(f->m, i ? "www" : "web", &record, NULL) == 0)
				assert_int_equal(store_remove(f->m, record, NULL), 0);
			store_free(record);
		}
	} while (n < 2000);
	assert_true(n > 20 && n < 2000);
}

static void test_crash_create(void **state)
{
	crash_everywhere(*state, NULL, step_create);
}

static void test_crash_create_transient(void **state)
{
	crash_everywhere(*state, NULL, step_create_transient);
}

static void test_crash_remove(void **state)
{
	crash_everywhere(*state, step_create, step_remove);
}

static void test_crash_rename(void **state)
{
	crash_everywhere(*state, step_create_transient, step_rename);
}

static void test_crash_write(void **state)
{
	crash_everywhere(*state, step_create, step_write);
}

/* ---- damage --------------------------------------------------------------------------------- */

/* A damaged record gives an error that names the file and the way out, and can still be opened for its removal. */
static void expect_damage(struct fixture *f, const char *file, const char *id)
{
	struct mrg_error err = { 0 }, damage = { 0 };
	struct record *record = NULL;

	assert_int_equal(store_open(f->m, "web", &record, &err), -EBADMSG);
	assert_non_null(strstr(err.message, file));
	assert_non_null(strstr(err.message, "\nremove it with: moorage rm -f web"));
	assert_int_equal(store_open_damaged(f->m, "web", &record, &damage, NULL), 0);
	assert_int_equal(damage.code, -EBADMSG);
	assert_non_null(record->spec);
	assert_non_null(record->backend);
	if (id)
		assert_string_equal(record->id, id);
	store_free(record);
}

static void test_torn_everywhere(void **state)
{
	static const char *const files[] = { "record.json", "config.json" };
	struct fixture *f = *state;

	assert_int_equal(make(f->m, "web", false), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		int base = open_base(f, false), dir = openat(base, "web", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		size_t length;
		char *text = read_file(f, files[i], &length);

		for (size_t n = 0; n < length; n++) {
			overwrite(dir, files[i], text, n);
			expect_damage(f, files[i], i == 1 ? ID : NULL);
		}
		unlinkat(dir, files[i], 0);
		expect_damage(f, files[i], i == 1 ? ID : NULL);
		overwrite(dir, files[i], text, length);
		free(text);
		close(dir);
		close(base);
	}
	assert_int_equal(whole(f, "web", 0), 1);
}

/* Any flipped bit: an error or a record that is still well-formed, never a crash, always removable. */
static void test_flipped_bits(void **state)
{
	static const char *const files[] = { "record.json", "config.json" };
	struct fixture *f = *state;

	assert_int_equal(make(f->m, "web", false), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		int base = open_base(f, false), dir = openat(base, "web", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		size_t length;
		char *text = read_file(f, files[i], &length);

		for (size_t n = 0; n < length * 8; n++) {
			struct mrg_error damage;
			struct record *record = NULL;

			text[n / 8] ^= (char)(1 << n % 8);
			overwrite(dir, files[i], text, length);
			if (store_open(f->m, "web", &record, NULL) == 0)
				assert_int_equal(strlen(record->id), 16);
			record = store_free(record);
			assert_int_equal(store_open_damaged(f->m, "web", &record, &damage, NULL), 0);
			store_free(record);
			text[n / 8] ^= (char)(1 << n % 8);
		}
		overwrite(dir, files[i], text, length);
		free(text);
		close(dir);
		close(base);
	}
}

static void test_newer_format(void **state)
{
	struct fixture *f = *state;
	struct mrg_error err = { 0 };
	struct record *record = NULL;

	assert_int_equal(make(f->m, "web", false), 0);
	put(f, false, "record.json", "{\"format\":2,\"shape\":\"unknown\"}");
	assert_int_equal(store_open(f->m, "web", &record, &err), -MRG_E_ABI);
	assert_non_null(strstr(err.message, "written by a newer moorage"));
}

static void test_damaged_run(void **state)
{
	static const char *const bad[] = { "{", "[]", "{}", "{\"boot\":1}", "null", "{\"boot\":\"x\",\"boot\":\"x\"}" };
	struct fixture *f = *state;
	struct record *record = NULL;
	struct exit_record end;
	struct run run;

	assert_int_equal(make(f->m, "web", false), 0);
	assert_int_equal(store_open(f->m, "web", &record, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		put(f, false, "run.json", bad[i]);
		put(f, false, "exit.json", bad[i]);
		assert_int_equal(store_read_run(record, &run, NULL), -EBADMSG);
		assert_int_equal(store_read_exit(record, &end, NULL), -EBADMSG);
	}
	/* What a power cut leaves of a file that was never synced. */
	put(f, false, "run.json", "");
	assert_int_equal(store_read_run(record, &run, NULL), 0);
	assert_int_equal(run.started, 0);
	assert_int_equal(run.process.pidfd, -1);
	store_free(record);
}

static void test_no_regular_file(void **state)
{
	struct fixture *f = *state;
	struct record *record = NULL;
	struct run run;
	int base = open_base(f, false), dir;

	assert_int_equal(make(f->m, "web", false), 0);
	dir = openat(base, "web", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(store_open(f->m, "web", &record, NULL), 0);
	assert_int_equal(mkfifoat(dir, "run.json", 0600), 0);
	assert_int_equal(store_read_run(record, &run, NULL), -EBADMSG);
	unlinkat(dir, "run.json", 0);
	assert_int_equal(symlinkat("/etc/passwd", dir, "run.json"), 0);
	assert_int_equal(store_read_run(record, &run, NULL), -EBADMSG);
	store_free(record);
	close(dir);
	close(base);
}
/* In a mount namespace of its own: a file system of @options over the test's directory. 0 ok; else the line that failed. */
static int on_tmpfs(struct fixture *f, const char *options, int (*check)(struct fixture *f))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount("mrgt", f->top, "tmpfs", 0, options) < 0)
			_exit(77);
		_exit(check(f));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int fill_up(struct fixture *f)
{
	_cleanup_close_ int top = open(f->top, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;
	static char block[4096];

	fd = openat(top, "ballast", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, block, sizeof(block)) == (ssize_t)sizeof(block))
		;
	return fd >= 0 && errno == ENOSPC;
}

/* Room for the directories, none for the files. */
static int check_no_space(struct fixture *f)
{
	struct mrg_error err = { 0 };
	struct record *record;
	int r;

	if (make(f->m, "first", false) < 0 || make(f->m, "second", true) < 0 || !fill_up(f))
		return 1;
	for (int transient = 0; transient < 2; transient++) {
		record = fresh("web", transient);
		r = store_create(f->m, record, &err);
		store_free(record);
		if (r != -ENOSPC || !strstr(err.message, "No space left on device"))
			return 2;
		if (entries(f, transient) != 1)
			return 3;
	}
	if (walk(f->m) != 2 || whole(f, "first", 0) != 1)
		return 4;
	record = NULL;
	if (store_open(f->m, "first", &record, NULL) < 0 || store_remove(f->m, record, NULL) < 0)
		return 5; /* removing needs no space */
	store_free(record);
	return 0;
}

static void test_no_space(void **state)
{
	if (geteuid() != 0)
		skip();
	assert_int_equal(on_tmpfs(*state, "size=64k,mode=0700", check_no_space), 0);
}

static int check_read_only(struct fixture *f)
{
	struct mrg_error err = { 0 };
	struct record *record;
	int r;

	if (make(f->m, "first", false) < 0 || mount(NULL, f->top, NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0)
		return 1;
	record = fresh("web", false);
	r = store_create(f->m, record, &err);
	store_free(record);
	if (r != -EROFS || !strstr(err.message, "Read-only file system"))
		return 2;
	if (walk(f->m) != 1)
		return 3;
	record = NULL;
	if (store_open(f->m, "first", &record, NULL) < 0)
		return 4;
	r = store_remove(f->m, record, &err);
	store_free(record);
	return r == -EROFS ? 0 : 5;
}

static void test_read_only(void **state)
{
	if (geteuid() != 0)
		skip();
	assert_int_equal(on_tmpfs(*state, "mode=0700", check_read_only), 0);
}

#define STORE_TEST(test)	cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_crash_create), STORE_TEST(test_crash_create_transient),
		STORE_TEST(test_crash_remove), STORE_TEST(test_crash_rename), STORE_TEST(test_crash_write),
		STORE_TEST(test_torn_everywhere), STORE_TEST(test_flipped_bits), STORE_TEST(test_newer_format),
		STORE_TEST(test_damaged_run), STORE_TEST(test_no_regular_file), STORE_TEST(test_no_space),
		STORE_TEST(test_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
