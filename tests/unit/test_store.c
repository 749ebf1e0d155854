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

#include "core/store_internal.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/proc.h"
#include "core/util/str.h"

#define ID	"0123456789abcdef"

/* Directories of its own for each test. */
struct fixture {
	char top[32];
	struct mrg *m;
};

static struct mrg *context(const char *top)
{
	char state[64], run[64];
	struct mrg_options options = { .state_dir = state, .run_dir = run };
	struct mrg *m = NULL;

	snprintf(state, sizeof(state), "%s/state", top);
	snprintf(run, sizeof(run), "%s/run", top);
	assert_int_equal(mrg_new(&m, &options, NULL), 0);
	return m;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->top, "/tmp/mrgt-store-XXXXXX");
	if (!mkdtemp(f->top))
		return -1;
	f->m = context(f->top);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int tmp = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = fd_remove_tree(tmp, f->top + strlen("/tmp/"));

	close(tmp);
	mrg_free(f->m);
	free(f);
	return r;
}

static struct record *fresh(const char *name, bool transient)
{
	struct record *record = calloc(1, sizeof(*record));

	record->name = strdup(name);
	record->backend = strdup("fake");
	strcpy(record->id, ID);
	record->transient = transient;
	record->dir = record->inherited = -1;
	record->spec = mrg_spec_new();
	mrg_spec_set(record->spec, MRG_FIELD_ROOT_PATH, "/", NULL);
	mrg_spec_set(record->spec, MRG_FIELD_ARGS, "true", NULL);
	return record;
}

static int make(struct mrg *m, const char *name, bool transient)
{
	struct record *record = fresh(name, transient);
	int r = store_create(m, record, NULL);

	store_free(record);
	return r;
}

static int open_base(struct fixture *f, bool transient)
{
	int fd = store_base(f->m, transient, true, NULL);

	assert_true(fd >= 0);
	return fd;
}

/* How many entries, hidden ones included, the directory of records has. */
static int entries(struct fixture *f, bool transient)
{
	DIR *d = fdopendir(open_base(f, transient));
	struct dirent *entry;
	int n = 0;

	assert_non_null(d);
	while ((entry = readdir(d)))
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(d);
	return n;
}

static int append(const char *name, void *data)
{
	return strv_append(data, name);
}

static size_t walk(struct mrg *m)
{
	char **names = NULL;
	size_t n;

	assert_int_equal(store_walk(m, append, &names, NULL), 0);
	n = strv_length(names);
	strv_free(names);
	return n;
}

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

/* After a crash: each name is whole or absent, and after one walk nothing else is there. */
static int whole(struct fixture *f, const char *name, int crash)
{
	struct mrg_error err = { 0 };
	struct record *record = NULL;
	struct exit_record end;
	struct run run;
	int r = store_open(f->m, name, &record, &err);

	if (r == -MRG_E_NOT_FOUND)
		return 0;
	if (r < 0)
		print_message("# after crash %d: %s\n", crash, err.message);
	assert_int_equal(r, 0);
	assert_int_equal(store_lock(f->m, record, 0, NULL), 0); /* the lock went with its holder */
	assert_int_equal(store_read_run(record, &run, NULL), 0);
	store_run_deinit(&run);
	assert_true(store_read_exit(record, &end, NULL) >= 0);
	store_free(record);
	return 1;
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

static void overwrite(int dir, const char *file, const void *data, size_t length)
{
	assert_int_equal(fd_replace_file(dir, file, data, length, false), 0);
}

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

static char *read_file(struct fixture *f, const char *file, size_t *length)
{
	struct record *record = NULL;
	char *text = NULL;

	assert_int_equal(store_open(f->m, "web", &record, NULL), 0);
	assert_int_equal(fd_read_file(record->dir, file, 1 << 20, &text, length), 0);
	store_free(record);
	return text;
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

static void put(struct fixture *f, bool transient, const char *file, const char *text)
{
	int base = open_base(f, transient), dir = openat(base, "web", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	overwrite(dir, file, text, strlen(text));
	close(dir);
	close(base);
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
	int64_t before;

	assert_int_equal(make(f->m, "web", false), 0);
	assert_int_equal(store_open(f->m, "web", &first, NULL), 0);
	assert_int_equal(store_open(f->m, "web", &second, NULL), 0);
	assert_int_equal(store_lock(f->m, first, 0, NULL), 0);
	before = time_monotonic_ms();
	assert_int_equal(store_lock(f->m, second, 100, &err), -MRG_E_BUSY);
	assert_in_range(time_monotonic_ms() - before, 100, 2000);
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
	int fd = store_cache(f->m, "seccomp", NULL);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	close(fd);
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
		STORE_TEST(test_round_trip), STORE_TEST(test_nothing_there), STORE_TEST(test_names),
		STORE_TEST(test_unique_in_both), STORE_TEST(test_many_at_once), STORE_TEST(test_crash_create),
		STORE_TEST(test_crash_create_transient), STORE_TEST(test_crash_remove), STORE_TEST(test_crash_rename),
		STORE_TEST(test_crash_write), STORE_TEST(test_torn_everywhere), STORE_TEST(test_flipped_bits),
		STORE_TEST(test_newer_format), STORE_TEST(test_damaged_run), STORE_TEST(test_no_regular_file),
		STORE_TEST(test_run_is_verified), STORE_TEST(test_reboot), STORE_TEST(test_transient_of_another_boot),
		STORE_TEST(test_lock), STORE_TEST(test_lock_of_a_removed), STORE_TEST(test_inherited_lock),
		STORE_TEST(test_rename), STORE_TEST(test_walk), STORE_TEST(test_walk_repairs),
		STORE_TEST(test_untrusted_place), STORE_TEST(test_cache), STORE_TEST(test_no_space),
		STORE_TEST(test_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
