/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events: their lines, the log through rotations and damage, and what watching tells of containers of the fake backend. */

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/container/internal.h"
#include "core/live/change.h"
#include "core/live/event_log.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/proc.h"
#include "tests/unit/container_fixture.h"
#include "tests/unit/patience.h"

/* ---- lines ---------------------------------------------------------------------------------- */

static void test_lines(_unused_ void **state)
{
	static const struct {
		struct mrg_change change;
		const char *text;
	} cases[] = {
		{ { .type = MRG_CHANGE_CREATE, .id = "0123456789abcdef" }, "\"type\":\"create\",\"backend\":\"b\",\"name\":\"n\",\"id\":\"0123456789abcdef\"}" },
		{ { .type = MRG_CHANGE_START, .pid = 7 }, "\"type\":\"start\",\"backend\":\"b\",\"name\":\"n\",\"id\":null,\"pid\":7}" },
		{ { .type = MRG_CHANGE_START }, "\"id\":null,\"pid\":null}" },
		{ { .type = MRG_CHANGE_DIE }, "\"id\":null,\"code\":null,\"signal\":null,\"oomKilled\":false}" },
		{ { .type = MRG_CHANGE_DIE, .has_exit = 1, .exit_status = W_EXITCODE(3, 0) }, "\"code\":3,\"signal\":null,\"oomKilled\":false}" },
		{ { .type = MRG_CHANGE_DIE, .has_exit = 1, .exit_status = SIGKILL, .oom_killed = 1 }, "\"code\":null,\"signal\":\"KILL\",\"oomKilled\":true}" },
		{ { .type = MRG_CHANGE_RENAME, .old_name = "o" }, "\"id\":null,\"oldName\":\"o\"}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mrg_change change = cases[i].change, back;
		_cleanup_free_ char *text = NULL;
		struct json *json;

		change.backend = "b";
		change.name = "n";
		change.time = INT64_C(1700000000123456789);
		assert_int_equal(mrg_change_emit(&change, &text, NULL), 0);
		assert_non_null(strstr(text, cases[i].text));
		assert_non_null(strstr(text, "\"time\":\"2023-11-14T22:13:20.123456789Z\""));
		assert_int_equal(change_parse(text, strlen(text), &back, &json), 0);
		assert_int_equal(back.type, change.type);
		assert_true(back.time == change.time && back.pid == change.pid && back.has_exit == change.has_exit);
		assert_true(back.exit_status == change.exit_status && back.oom_killed == change.oom_killed);
		assert_string_equal(back.name, "n");
		json_free(json);
	}
}

static void test_hostile_names(_unused_ void **state)
{
	struct mrg_change change = { .type = MRG_CHANGE_REMOVE, .backend = "lxc", .name = "a\"\\\n\x1b[2J\xff\xc3\xa9" };
	_cleanup_free_ char *text = NULL;
	struct json *json = NULL;

	assert_int_equal(mrg_change_emit(&change, &text, NULL), 0);
	assert_null(strpbrk(text, "\n\x1b\xff"));
	assert_int_equal(json_parse(text, strlen(text), &json, NULL), 0);
	assert_string_equal(json_member(json, "name")->text, "a\"\\\n\x1b[2J\\xff\xc3\xa9");
	json_free(json);
}

static void test_damaged_lines(_unused_ void **state)
{
	static const char *const lines[] = {
		"", "null", "[]", "{}", "{\"type\":\"create\"}", "{\"time\":\"2023-11-14T22:13:20Z\",\"type\":\"none\",\"backend\":\"b\",\"name\":\"n\"}",
		"{\"time\":\"yesterday\",\"type\":\"die\",\"backend\":\"b\",\"name\":\"n\"}", "{\"time\":\"2023-11-14T22:13:20Z\",\"type\":\"lost\"}",
		"{\"time\":\"2023-11-14T22:13:20Z\",\"type\":\"rename\",\"backend\":\"b\",\"name\":\"n\"}",
		"{\"time\":\"2023-11-14T22:13:20Z\",\"type\":\"die\",\"backend\":1,\"name\":\"n\"}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct mrg_change change;
		struct json *json;

		assert_int_equal(change_parse(lines[i], strlen(lines[i]), &change, &json), -EPROTO);
		json_free(json);
	}
}

/* ---- the log -------------------------------------------------------------------------------- */

struct tally {
	size_t n, lost;
	long last;			/* the names are numbers */
	bool ordered;
};

static int count(const struct mrg_change *change, void *data)
{
	struct tally *tally = data;
	long number = strtol(change->name, NULL, 10);

	if (change->type == MRG_CHANGE_LOST) {
		tally->lost++;
		return 0;
	}
	tally->ordered = tally->ordered && number == tally->last + 1;
	tally->last = number;
	tally->n++;
	return 0;
}

static void add_numbered(struct fixture *f, long from, long to)
{
	char name[256];

	for (long i = from; i <= to; i++) {
		struct record record = { .backend = (char *)"fake", .name = name };

		snprintf(name, sizeof(name), "%ld-%0200d", i, 0);
		event_log_add(f->m, &record, (struct mrg_change){ .type = MRG_CHANGE_CREATE });
	}
}

static void test_rotation(void **state)
{
	const long one = 2000;		/* lines of some 400 bytes: less than the log may have */
	struct fixture *f = *state;
	struct event_reader reader;
	struct tally tally = { .ordered = true };
	struct stat st;
	char path[64];

	assert_int_equal(event_reader_open(&reader, f->m, false, NULL), 0);
	add_numbered(f, 1, one);
	assert_int_equal(event_reader_next(&reader, count, &tally), 0);
	assert_int_equal(tally.n, one);
	add_numbered(f, one + 1, 3 * one);	/* over one rotation */
	assert_int_equal(event_reader_next(&reader, count, &tally), 0);
	assert_true(tally.n == 3 * one && tally.ordered && tally.lost == 0);
	add_numbered(f, 3 * one + 1, 20 * one);	/* over many: the reader was too slow, and is told */
	assert_int_equal(event_reader_next(&reader, count, &tally), 0);
	assert_true(tally.lost == 1 && tally.last == 20 * one && tally.n < 20 * one);
	event_reader_close(&reader);
	/* Two files of bounded size are all there is. */
	snprintf(path, sizeof(path), "%s/run/" EVENT_LOG_NAME, f->top);
	assert_true(stat(path, &st) == 0 && st.st_size < EVENT_LOG_MAX + 4096 && (st.st_mode & 0777) == 0600);
	snprintf(path, sizeof(path), "%s/run/" EVENT_LOG_OLD, f->top);
	assert_true(stat(path, &st) == 0 && st.st_size < EVENT_LOG_MAX + 4096);
	/* From the beginning: the older file before the newer one. */
	tally = (struct tally){ .ordered = true };
	assert_int_equal(event_reader_open(&reader, f->m, true, NULL), 0);
	assert_int_equal(event_reader_next(&reader, count, &tally), 0);
	assert_true(tally.n > (size_t)one && tally.last == 20 * one && tally.lost == 0);
	event_reader_close(&reader);
}

/* Writers at once lose nothing, through rotations too. */
static void test_many_writers(void **state)
{
	enum { WRITERS = 4, LINES = 1000 };
	struct fixture *f = *state;
	struct event_reader reader;
	struct tally tally = { .ordered = true };
	pid_t pids[WRITERS];

	assert_int_equal(event_reader_open(&reader, f->m, false, NULL), 0);
	for (int i = 0; i < WRITERS; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			add_numbered(f, 1, LINES);
			_exit(0);
		}
	}
	for (int ended = 0; ended < WRITERS;) {
		assert_int_equal(event_reader_next(&reader, count, &tally), 0);
		for (int i = 0; i < WRITERS; i++)
			if (pids[i] && waitpid(pids[i], NULL, WNOHANG) == pids[i]) {
				pids[i] = 0;
				ended++;
			}
	}
	assert_int_equal(event_reader_next(&reader, count, &tally), 0);
	assert_int_equal(tally.lost, 0);
	assert_int_equal(tally.n, WRITERS * LINES);
	event_reader_close(&reader);
}

static void write_log(struct fixture *f, const char *text, size_t length)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/run", f->top);
	mkdir(path, 0700);
	strcat(path, "/" EVENT_LOG_NAME);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, length), 0);
	close(fd);
}

static void test_damaged_log(void **state)
{
	struct fixture *f = *state;
	struct event_reader reader;
	struct tally tally = { .ordered = true };
	_cleanup_free_ char *garbage = malloc(1 << 20);

	assert_non_null(garbage);
	memset(garbage, 'x', 1 << 20);
	write_log(f, garbage, 1 << 20);	/* without a line break: not gathered */
	write_log(f, "\n{\"torn\":\n\0\n", 12);
	assert_int_equal(event_reader_open(&reader, f->m, true, NULL), 0);
	assert_int_equal(event_reader_next(&reader, count, &tally), 0);
	assert_true(reader.file[1].rest.size < 128 * 1024);
	add_numbered(f, 1, 1);		/* rotates it away */
	assert_int_equal(event_reader_next(&reader, count, &tally), 0);
	assert_int_equal(tally.n, 1);
	event_reader_close(&reader);
}

/* What others could write to, or have put there, is not written to. */
static void test_foreign_log(void **state)
{
	struct fixture *f = *state;
	char path[64], target[64];
	struct stat st;

	write_log(f, "", 0);
	snprintf(path, sizeof(path), "%s/run/" EVENT_LOG_NAME, f->top);
	snprintf(target, sizeof(target), "%s/target", f->top);
	assert_int_equal(chmod(path, 0666), 0);
	add_numbered(f, 1, 1);
	assert_true(stat(path, &st) == 0 && st.st_size == 0);
	assert_int_equal(rename(path, target), 0);
	assert_int_equal(chmod(target, 0600), 0);
	assert_int_equal(symlink(target, path), 0);
	add_numbered(f, 1, 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(link(target, path), 0);
	add_numbered(f, 1, 1);
	assert_true(stat(target, &st) == 0 && st.st_size == 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	add_numbered(f, 1, 1);		/* does not wait for a reader */
}

/* ---- the kernel's word on an end ------------------------------------------------------------ */

static bool kernel_tells_exits(void)
{
	struct utsname host;
	int major = 0, minor = 0;

	assert_int_equal(uname(&host), 0);
	sscanf(host.release, "%d.%d", &major, &minor);
	return major > 6 || (major == 6 && minor >= 15);
}

static void test_exit_status(_unused_ void **state)
{
	int status = 0, pidfd;
	pid_t pid = fork();

	if (pid == 0)
		_exit(7);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	assert_true(pidfd >= 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(proc_exit_status(pidfd, &status), kernel_tells_exits() ? 0 : -ENODATA);
	assert_int_equal(WEXITSTATUS(status), kernel_tells_exits() ? 7 : 0);
	close(pidfd);
}

/* ---- watching ------------------------------------------------------------------------------- */

struct story {
	char text[1024];
	struct mrg_change last;
};

static int tell(const struct mrg_change *change, void *data)
{
	struct story *story = data;
	size_t length = strlen(story->text);

	snprintf(story->text + length, sizeof(story->text) - length, "%s:%s ", change->name, mrg_change_name(change->type));
	story->last = *change;
	return 0;
}

/* Waits until the story is @text, and a while longer for what should not come. */
static void expect(struct mrg_watch *watch, struct story *story, const char *text)
{
	int64_t end = time_monotonic_ms() + PATIENCE_MS;

	while (strcmp(story->text, text) != 0 && time_monotonic_ms() < end) {
		struct pollfd p = { .fd = mrg_watch_fd(watch), .events = POLLIN };

		poll(&p, 1, 200);
		assert_int_equal(mrg_watch_read(watch, tell, story, NULL), 0);
	}
	end = time_monotonic_ms() + 150;
	while (time_monotonic_ms() < end) {
		struct pollfd p = { .fd = mrg_watch_fd(watch), .events = POLLIN };

		poll(&p, 1, 50);
		assert_int_equal(mrg_watch_read(watch, tell, story, NULL), 0);
	}
	assert_string_equal(story->text, text);
	story->text[0] = '\0';
}

static void test_watch(void **state)
{
	static const char *const args[] = { "sh", "-c", "exit 3", NULL };
	struct fixture *f = *state;
	struct mrg_container *old = make(f, "old", sleeper, 0), *c;
	struct story story = { .text = "" };
	struct mrg_watch *watch = NULL;
	struct mrg_status status;

	assert_int_equal(mrg_watch_new(f->m, NULL, 0, &watch, NULL), 0);
	expect(watch, &story, "");	/* what is there is not told */
	c = make(f, "web", args, 0);
	begin(c);
	assert_int_equal(mrg_wait(c, PATIENCE_MS, &status, NULL), 0);
	expect(watch, &story, "web:create web:start web:die ");
	assert_true(story.last.has_exit && WEXITSTATUS(story.last.exit_status) == 3);
	assert_int_equal(mrg_rename(c, "www", NULL), 0);
	assert_int_equal(mrg_remove(c, 0, NULL), 0);
	begin(old);
	expect(watch, &story, "www:rename www:remove old:start ");
	assert_int_equal(mrg_pause(old, NULL), 0);
	assert_int_equal(mrg_unpause(old, NULL), 0);
	assert_int_equal(mrg_remove(old, 1, NULL), 0);
	expect(watch, &story, "old:pause old:unpause old:die old:remove ");
	assert_true(WIFSIGNALED(story.last.exit_status) || story.last.type == MRG_CHANGE_REMOVE);
	mrg_container_free(old);
	mrg_container_free(c);
	mrg_watch_free(watch);
}

/* The log is gone, as if others had done all: looks tell the same. */
static void test_watch_without_log(void **state)
{
	struct fixture *f = *state;
	struct story story = { .text = "" };
	struct mrg_watch *watch = NULL;
	struct mrg_container *c;
	char path[64];

	write_log(f, "", 0);
	snprintf(path, sizeof(path), "%s/run/" EVENT_LOG_NAME, f->top);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(mrg_watch_new(f->m, "fake", 0, &watch, NULL), 0);
	c = make(f, "web", sleeper, 0);
	expect(watch, &story, "web:create ");
	begin(c);
	expect(watch, &story, "web:start ");
	assert_true(story.last.pid > 0);
	assert_int_equal(mrg_pause(c, NULL), 0);
	expect(watch, &story, "web:pause ");
	assert_int_equal(mrg_unpause(c, NULL), 0);
	expect(watch, &story, "web:unpause ");
	assert_int_equal(mrg_kill(c, SIGKILL, 0, NULL), 0);
	expect(watch, &story, "web:die ");
	assert_true(story.last.has_exit && WTERMSIG(story.last.exit_status) == SIGKILL); /* its monitor knows */
	assert_int_equal(mrg_remove(c, 0, NULL), 0);
	expect(watch, &story, "web:remove ");
	mrg_container_free(c);
	mrg_watch_free(watch);
}

static void write_file(const struct fixture *f, const char *name, const char *text)
{
	char path[80];
	FILE *file;

	snprintf(path, sizeof(path), "%s/engine/%s", f->top, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

/* What others do in an engine, which fails now and then: nothing is lost by that. */
static void test_watch_engine(void **state)
{
	struct fixture *f = *state;
	struct story story = { .text = "" };
	struct mrg_watch *watch = NULL;
	char engine[64], number[16];
	int pair[2], status;
	pid_t pid;

	snprintf(engine, sizeof(engine), "%s/engine", f->top);
	assert_int_equal(mkdir(engine, 0755), 0);
	free(f->m->path);
	f->m->path = strdup(engine);
	write_file(f, "old.json", "{\"ociVersion\":\"1.2.0\"}");
	assert_int_equal(mrg_watch_new(f->m, "fake", 0, &watch, NULL), 0);
	write_file(f, "db.json", "{\"ociVersion\":\"1.2.0\"}");
	expect(watch, &story, "db:create ");
	assert_null(story.last.id);
	assert_int_equal(pipe(pair), 0);
	pid = fork();
	if (pid == 0)
		_exit(read(pair[0], number, 1) == 1 ? 5 : 6);
	snprintf(number, sizeof(number), "%d", (int)pid);
	write_file(f, "db.pid", number);
	expect(watch, &story, "db:start ");
	setenv("MRG_FAKE_FAULT", "list:EIO:gone away", 1);
	sleep(1);
	expect(watch, &story, "");
	unsetenv("MRG_FAKE_FAULT");
	sleep(1);
	expect(watch, &story, "");
	assert_int_equal(write(pair[1], "x", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	expect(watch, &story, "db:die ");
	if (kernel_tells_exits())
		assert_true(story.last.has_exit && WEXITSTATUS(story.last.exit_status) == 5);
	else
		assert_false(story.last.has_exit);
	snprintf(engine, sizeof(engine), "%s/engine/db.json", f->top);
	assert_int_equal(unlink(engine), 0);
	expect(watch, &story, "db:remove ");
	close(pair[0]);
	close(pair[1]);
	mrg_watch_free(watch);
}

static void test_since(void **state)
{
	struct fixture *f = *state;
	struct story story = { .text = "" };
	struct mrg_watch *watch = NULL;
	int64_t between;

	mrg_container_free(make(f, "one", sleeper, 0));
	between = time_now_ns();
	mrg_container_free(make(f, "two", sleeper, 0));
	assert_int_equal(mrg_watch_new(f->m, NULL, between, &watch, NULL), 0);
	expect(watch, &story, "two:create ");
	mrg_watch_free(watch);
	assert_int_equal(mrg_watch_new(f->m, "other", 1, &watch, NULL), 0);
	expect(watch, &story, "");
	mrg_watch_free(watch);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_damaged_lines),
		cmocka_unit_test_setup_teardown(test_rotation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_writers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_log, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign_log, setup, teardown),
		cmocka_unit_test_setup_teardown(test_watch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_watch_without_log, setup, teardown),
		cmocka_unit_test_setup_teardown(test_watch_engine, setup, teardown),
		cmocka_unit_test_setup_teardown(test_since, setup, teardown),
		cmocka_unit_test(test_exit_status),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
