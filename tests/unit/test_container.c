/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verbs, with the fake backend: order of steps, their undoing, and what is said when they fail. */

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
#include <sys/wait.h>
#include <unistd.h>

#include "core/container_internal.h"
#include "core/store_internal.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/proc.h"
#include "core/util/str.h"

struct fixture {
	char top[40];
	char root[64], trace[64];
	struct mrg *m;
};

static struct mrg *context(const char *top)
{
	const char *build = getenv("abs_top_builddir");
	char state[64], run[64], plugins[4096], config[64];
	struct mrg_options options = {
		.state_dir = state, .run_dir = run, .backend_path = plugins, .config_file = config,
	};
	struct mrg *m = NULL;

	snprintf(state, sizeof(state), "%s/state", top);
	snprintf(run, sizeof(run), "%s/run", top);
	snprintf(config, sizeof(config), "%s/moorage.conf", top);
	snprintf(plugins, sizeof(plugins), "%s/tests/fake/.libs", build ? build : ".");
	assert_int_equal(mrg_new(&m, &options, NULL), 0);
	return m;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->top, "/tmp/mrgt-cont-XXXXXX");
	if (!mkdtemp(f->top))
		return -1;
	snprintf(f->root, sizeof(f->root), "%s/root", f->top);
	snprintf(f->trace, sizeof(f->trace), "%s/trace", f->top);
	if (mkdir(f->root, 0755) < 0)
		return -1;
	setenv("MRG_FAKE_TRACE", f->trace, 1);
	f->m = context(f->top);
	*state = f;
	return 0;
}

static int remove_one(struct mrg_container *c, _unused_ void *data)
{
	return mrg_remove(c, 1, NULL);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int tmp = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC), r;

	unsetenv("MRG_FAKE_FAULT");
	unsetenv("MRG_FAKE_LESS");
	mrg_list(f->m, NULL, remove_one, NULL, NULL, NULL);
	mrg_free(f->m);
	r = fd_remove_tree(tmp, f->top + strlen("/tmp/"));
	close(tmp);
	free(f);
	return r;
}

/* ---- making --------------------------------------------------------------------------------- */

static struct mrg_spec *spec_of(struct fixture *f, const char *const *args)
{
	struct mrg_spec *spec = mrg_spec_new();

	assert_non_null(spec);
	assert_int_equal(mrg_spec_set(spec, MRG_FIELD_ROOT_PATH, f->root, NULL), 0);
	assert_int_equal(mrg_spec_set(spec, MRG_FIELD_CWD, "/", NULL), 0);
	assert_int_equal(mrg_spec_set(spec, MRG_FIELD_ENV, "PATH=/usr/bin:/bin", NULL), 0);
	for (size_t i = 0; args[i]; i++)
		assert_int_equal(mrg_spec_set(spec, MRG_FIELD_ARGS, args[i], NULL), 0);
	return spec;
}

static const char *const sleeper[] = { "sleep", "1000", NULL };

static struct mrg_container *make(struct fixture *f, const char *name, const char *const *args, unsigned int flags)
{
	struct mrg_spec *spec = spec_of(f, args);
	struct mrg_create create = { .name = name, .backend = "fake", .spec = spec, .flags = flags };
	struct mrg_container *c = NULL;
	struct mrg_error err = { 0 };
	int r = mrg_create(f->m, &create, &c, &err);

	if (r < 0)
		print_message("# create: %s\n", err.message);
	assert_int_equal(r, 0);
	mrg_spec_free(spec);
	return c;
}

static struct mrg_container *open_named(struct fixture *f, const char *name)
{
	struct mrg_container *c = NULL;

	assert_int_equal(mrg_container_open(f->m, name, &c, NULL), 0);
	return c;
}

static void begin(struct mrg_container *c)
{
	struct mrg_error err = { 0 };
	int r = mrg_start(c, NULL, &err);

	if (r != 0)
		print_message("# start: %d %s\n", r, err.message);
	assert_int_equal(r, 0);
}

static int state_of(struct mrg_container *c)
{
	struct mrg_status status;
	int r = mrg_container_status(c, &status, NULL);

	return r < 0 ? r : status.state;
}

static size_t traced(struct fixture *f, const char *line)
{
	_cleanup_free_ char *text = NULL;
	size_t n = 0;

	if (fd_read_file(AT_FDCWD, f->trace, 1 << 20, &text, NULL) < 0)
		return 0;
	for (const char *p = text; (p = strstr(p, line)); p++)
		n++;
	return n;
}

/* A zombie, which its new parent has yet to reap, is gone as well. */
static void assert_gone(pid_t pid)
{
	uint64_t start;

	for (int i = 0; i < 200 && proc_start_time(pid, &start) == 0; i++)
		usleep(10000);
	assert_int_equal(proc_start_time(pid, &start), -ESRCH);
}

static int count_names(_unused_ const char *name, void *data)
{
	++*(int *)data;
	return 0;
}

static int names(struct fixture *f)
{
	int n = 0;

	assert_int_equal(store_walk(f->m, count_names, &n, NULL), 0);
	return n;
}

/* Creates with the spec changed by @field and @value; expects a refusal and that nothing was made. */
static void refuse(struct fixture *f, enum mrg_field field, const char *value, int code, const char *sentence)
{
	struct mrg_spec *spec = spec_of(f, sleeper);
	struct mrg_create create = { .name = "web", .backend = "fake", .spec = spec };
	struct mrg_error err = { 0 };

	assert_int_equal(mrg_spec_set(spec, field, value, &err), 0);
	assert_int_equal(mrg_create(f->m, &create, NULL, &err), code);
	if (!strstr(err.message, sentence))
		print_message("# '%s' lacks '%s'\n", err.message, sentence);
	assert_non_null(strstr(err.message, sentence));
	assert_int_equal(mrg_create_check(f->m, &create, NULL), code);
	assert_int_equal(names(f), 0);
	assert_int_equal(traced(f, "create "), 0);
	mrg_spec_free(spec);
}

/* ---- create --------------------------------------------------------------------------------- */

static void test_create(void **state)
{
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "web", sleeper, 0), *again;
	struct mrg_status status;

	assert_string_equal(mrg_container_name(c), "web");
	assert_string_equal(mrg_container_backend(c), "fake");
	assert_int_equal(strlen(mrg_container_id(c)), 16);
	assert_int_equal(mrg_container_transient(c), 0);
	assert_true(mrg_container_created(c) > 0);
	assert_int_equal(mrg_container_status(c, &status, NULL), 0);
	assert_int_equal(status.state, MRG_STATE_CREATED);
	assert_int_equal(status.has_exit, 0);
	assert_int_equal(status.monitor_lost, 0);
	again = open_named(f, "fake:web");
	assert_string_equal(mrg_container_id(again), mrg_container_id(c));
	assert_string_equal(mrg_container_spec(again)->args[1], "1000");
	mrg_container_free(again);
	mrg_container_free(c);
}

static void test_made_up_names(void **state)
{
	struct fixture *f = *state;
	struct mrg_container *a = make(f, NULL, sleeper, 0), *b = make(f, NULL, sleeper, 0);

	assert_true(name_is_valid(mrg_container_name(a)));
	assert_string_not_equal(mrg_container_name(a), mrg_container_name(b));
	mrg_container_free(a);
	mrg_container_free(b);
}

static void test_bad_roots(void **state)
{
	struct fixture *f = *state;
	char file[80];

	snprintf(file, sizeof(file), "%s/file", f->top);
	close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	refuse(f, MRG_FIELD_ROOT_PATH, "/nonexistent/root", -MRG_E_INVALID, "'/nonexistent/root' does not exist");
	refuse(f, MRG_FIELD_ROOT_PATH, file, -MRG_E_INVALID, "is a file, not a directory");
}

static void test_refused_fields(void **state)
{
	struct fixture *f = *state;

	refuse(f, MRG_FIELD_MOUNT_LABEL, "x", -MRG_E_UNSUPPORTED,
	       "backend 'fake' cannot do linux.mountLabel; no other installed backend can");
	setenv("MRG_FAKE_LESS", "linux.resources.memory.limit", 1);
	refuse(f, MRG_FIELD_MEMORY_LIMIT, "64M", -MRG_E_UNSUPPORTED,
	       "backend 'fake' cannot do linux.resources.memory.limit here: MRG_FAKE_LESS says so");
}

static void test_refused_options(void **state)
{
	struct fixture *f = *state;

	refuse(f, MRG_FIELD_OPTIONS, "colour=red", -MRG_E_INVALID, "backend 'fake' has no option 'colour'");
	refuse(f, MRG_FIELD_OPTIONS, "speed=medium", -MRG_E_INVALID, "'medium' is not of type enum:slow|fast");
	refuse(f, MRG_FIELD_OPTIONS, "speed=slo", -MRG_E_INVALID, "'slo' is not of type");
	refuse(f, MRG_FIELD_OPTIONS, "level=-1", -MRG_E_INVALID, "'-1' is not of type uint");
	refuse(f, MRG_FIELD_OPTIONS, "oom=perhaps", -MRG_E_INVALID, "'perhaps' is not of type bool");
	refuse(f, MRG_FIELD_OPTIONS, "refuse=yes", -MRG_E_UNSUPPORTED, "fake: the option 'refuse' says so");
}

static void test_best_effort(void **state)
{
	struct fixture *f = *state;
	struct mrg_spec *spec = spec_of(f, sleeper);
	struct mrg_fields dropped = { 0 };
	struct mrg_create create = { .name = "web", .backend = "fake", .spec = spec, .flags = MRG_CREATE_BEST_EFFORT,
				     .ret_dropped = &dropped };
	struct mrg_container *c = NULL;

	assert_int_equal(mrg_spec_set(spec, MRG_FIELD_MOUNT_LABEL, "x", NULL), 0);
	assert_int_equal(mrg_create(f->m, &create, &c, NULL), 0);
	assert_true(mrg_fields_has(&dropped, MRG_FIELD_MOUNT_LABEL));
	assert_false(mrg_fields_has(&mrg_container_spec(c)->set, MRG_FIELD_MOUNT_LABEL));
	assert_null(mrg_container_spec(c)->mount_label);
	assert_string_equal(mrg_container_spec(c)->args[0], "sleep");
	assert_true(mrg_fields_has(&spec->set, MRG_FIELD_MOUNT_LABEL)); /* the caller's is left alone */
	mrg_container_free(c);
	mrg_spec_free(spec);
}

static void test_unknown_backend(void **state)
{
	struct fixture *f = *state;
	struct mrg_spec *spec = spec_of(f, sleeper);
	struct mrg_create create = { .name = "web", .backend = "fakt", .spec = spec };
	struct mrg_error err = { 0 };

	assert_int_equal(mrg_create(f->m, &create, NULL, &err), -MRG_E_NO_ENGINE);
	assert_string_equal(err.message, "no backend 'fakt' is installed; there is fake\ndid you mean 'fake'?");
	create.name = "a/b";
	assert_int_equal(mrg_create(f->m, &create, NULL, &err), -MRG_E_INVALID);
	mrg_spec_free(spec);
}

static void test_taken_name(void **state)
{
	struct fixture *f = *state;
	struct mrg_spec *spec = spec_of(f, sleeper);
	struct mrg_create create = { .name = "web", .backend = "fake", .spec = spec };
	struct mrg_container *c = make(f, "web", sleeper, 0), *other = NULL;
	struct mrg_error err = { 0 };

	assert_int_equal(mrg_create(f->m, &create, NULL, &err), -MRG_E_EXISTS);
	assert_string_equal(err.message, "a container named 'web' exists already");
	assert_int_equal(mrg_create_check(f->m, &create, NULL), -MRG_E_EXISTS);
	begin(c);
	create.flags = MRG_CREATE_REPLACE;
	assert_int_equal(mrg_create(f->m, &create, NULL, &err), -MRG_E_STATE);
	assert_int_equal(mrg_kill(c, SIGKILL, 1, NULL), 0);
	assert_int_equal(mrg_wait(c, 5000, &(struct mrg_status){ 0 }, NULL), 0);
	assert_int_equal(mrg_create(f->m, &create, &other, &err), 0);
	assert_string_not_equal(mrg_container_id(c), mrg_container_id(other));
	mrg_container_free(c);
	mrg_container_free(other);
	mrg_spec_free(spec);
}

static void test_create_fails(void **state)
{
	struct fixture *f = *state;
	struct mrg_spec *spec = spec_of(f, sleeper);
	struct mrg_create create = { .name = "web", .backend = "fake", .spec = spec };
	struct mrg_error err = { 0 };

	setenv("MRG_FAKE_FAULT", "create:EIO:the disk is gone", 1);
	assert_int_equal(mrg_create(f->m, &create, NULL, &err), -EIO);
	assert_string_equal(err.message, "fake: the disk is gone");
	assert_int_equal(names(f), 0);
	assert_int_equal(traced(f, "destroy web"), 1);
	mrg_spec_free(spec);
}

/* Killed while the backend creates: what is left is repaired by whoever comes next. */
static void test_half_made(void **state)
{
	struct fixture *f = *state;
	struct mrg_container *c = NULL;
	int status, before;
	pid_t pid = fork();

	if (pid == 0) {
		setenv("MRG_FAKE_FAULT", "create:SIGKILL", 1);
		make(f, "web", sleeper, 0);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(names(f), 1);
	before = (int)traced(f, "destroy web");
	assert_int_equal(mrg_container_open(f->m, "web", &c, NULL), -MRG_E_NOT_FOUND);
	assert_int_equal(names(f), 0);
	assert_int_equal(traced(f, "destroy web"), before + 1);
}

/* ---- opening and listing -------------------------------------------------------------------- */

static void test_not_found(void **state)
{
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "webserver", sleeper, 0);
	struct mrg_error err = { 0 };

	mrg_container_free(c);
	c = NULL;
	assert_int_equal(mrg_container_open(f->m, "webservr", &c, &err), -MRG_E_NOT_FOUND);
	assert_string_equal(err.message, "no container named 'webservr'\ndid you mean 'webserver'?");
	assert_int_equal(mrg_container_open(f->m, "native:webserver", &c, &err), -MRG_E_NOT_FOUND);
	assert_string_equal(err.message, "backend 'native' has no container named 'webserver'\none of that name is of backend 'fake'");
	assert_int_equal(mrg_container_open(f->m, "../etc", &c, &err), -MRG_E_INVALID);
	assert_null(c);
}

struct seen {
	char text[256];
	int warnings;
};

static int see(struct mrg_container *c, void *data)
{
	struct seen *seen = data;

	strcat(strcat(seen->text, mrg_container_name(c)), " ");
	return 0;
}

static void warn(const char *name, const struct mrg_error *err, void *data)
{
	struct seen *seen = data;

	assert_string_equal(name, "torn");
	assert_int_equal(err->code, -EBADMSG);
	seen->warnings++;
}

static void tear(struct fixture *f, const char *name, const char *file)
{
	int base = store_base(f->m, false, false, NULL), dir = openat(base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(fd_replace_file(dir, file, "{\"for", 5, false), 0);
	close(dir);
	close(base);
}

static void test_list(void **state)
{
	struct fixture *f = *state;
	struct seen seen = { 0 };

	mrg_container_free(make(f, "torn", sleeper, 0));
	mrg_container_free(make(f, "b", sleeper, 0));
	mrg_container_free(make(f, "a", sleeper, MRG_CREATE_TRANSIENT));
	tear(f, "torn", "record.json");
	assert_int_equal(mrg_list(f->m, NULL, see, warn, &seen, NULL), 0);
	assert_string_equal(seen.text, "a b ");
	assert_int_equal(seen.warnings, 1);
	assert_int_equal(mrg_list(f->m, "native", see, NULL, &seen, NULL), 0);
	assert_string_equal(seen.text, "a b ");
	mrg_container_free(open_named(f, "torn"));
}

/* ---- torn records --------------------------------------------------------------------------- */

static void torn(struct fixture *f, const char *file)
{
	struct mrg_container *c = make(f, "web", sleeper, 0);
	struct mrg_status status;
	struct mrg_error err = { 0 };
	pid_t pid;

	begin(c);
	assert_int_equal(mrg_container_status(c, &status, NULL), 0);
	pid = status.pid;
	mrg_container_free(c);
	tear(f, "web", file);
	c = open_named(f, "web");
	assert_int_equal(mrg_container_status(c, &status, &err), -EBADMSG);
	assert_non_null(strstr(err.message, file));
	assert_int_equal(mrg_start(c, NULL, NULL), -EBADMSG);
	assert_int_equal(mrg_stop(c, 0, 0, NULL), -EBADMSG);
	assert_int_equal(mrg_remove(c, 0, NULL), -EBADMSG);
	assert_int_equal(kill(pid, 0), 0);
	assert_int_equal(mrg_remove(c, 1, &err), 0);
	assert_gone(pid);
	assert_int_equal(names(f), 0);
	mrg_container_free(c);
}

static void test_torn_spec(void **state)
{
	torn(*state, "config.json");
}

static void test_torn_record(void **state)
{
	torn(*state, "record.json");
}

/* The backend went with its package. */
static void test_backend_is_gone(void **state)
{
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "web", sleeper, 0);
	struct mrg_error err = { 0 };

	mrg_container_free(c);
	mrg_free(f->m);
	f->m = context(f->top);
	free(f->m->backend_path);
	f->m->backend_path = strdup("/nonexistent");
	c = open_named(f, "web");
	assert_int_equal(mrg_container_status(c, &(struct mrg_status){ 0 }, &err), -MRG_E_NO_ENGINE);
	assert_non_null(strstr(err.message, "container 'web': no backend 'fake' is installed"));
	assert_int_equal(mrg_remove(c, 0, NULL), -MRG_E_NO_ENGINE);
	assert_int_equal(names(f), 1);
	assert_int_equal(mrg_remove(c, 1, NULL), 0);
	assert_int_equal(names(f), 0);
	mrg_container_free(c);
}

/* ---- life ----------------------------------------------------------------------------------- */

/* Reads a session to its end: the exit status, output in @ret. */
static int read_all(struct mrg_session *session, char *ret, size_t size)
{
	size_t length = 0;

	for (int i = 0; i < 1000; i++) {
		struct mrg_event event = { 0 };

		assert_int_equal(mrg_session_read(session, &event, NULL), 0);
		if (event.type == MRG_EVENT_EXIT)
			return event.status;
		if (event.type == MRG_EVENT_LOST)
			return -1;
		if (event.type == MRG_EVENT_NONE) {
			struct pollfd p = { .fd = mrg_session_fd(session), .events = POLLIN };

			assert_true(poll(&p, 1, 5000) > 0);
		}
		if (event.type == MRG_EVENT_STDOUT && length + event.length < size) {
			memcpy(ret + length, event.data, event.length);
			length += event.length;
		}
	}
	return -2;
}

static void test_run(void **state)
{
	static const char *const args[] = { "sh", "-c", "echo hello; exit 3", NULL };
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "web", args, 0);
	struct mrg_session *session = NULL;
	struct mrg_status status;
	char output[64] = "";

	assert_int_equal(mrg_start(c, &session, NULL), 0);
	assert_int_equal(mrg_exit_code(read_all(session, output, sizeof(output))), 3);
	assert_string_equal(output, "hello\n");
	mrg_session_free(session);
	assert_int_equal(mrg_wait(c, 5000, &status, NULL), 0);
	assert_int_equal(status.state, MRG_STATE_STOPPED);
	assert_int_equal(status.has_exit, 1);
	assert_int_equal(mrg_exit_code(status.exit_status), 3);
	assert_true(status.started > 0 && status.finished >= status.started);
	begin(c); /* and once more */
	assert_int_equal(mrg_wait(c, 5000, &status, NULL), 0);
	assert_int_equal(mrg_exit_code(status.exit_status), 3);
	mrg_container_free(c);
}

static void test_transient(void **state)
{
	static const char *const args[] = { "true", NULL };
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "web", args, MRG_CREATE_TRANSIENT);
	struct mrg_session *session = NULL;

	assert_int_equal(mrg_container_transient(c), 1);
	assert_int_equal(mrg_start(c, &session, NULL), 0);
	assert_int_equal(read_all(session, NULL, 0), 0);
	assert_int_equal(names(f), 0); /* whoever saw the exit finds nothing */
	assert_int_equal(state_of(c), -MRG_E_NOT_FOUND);
	assert_int_equal(mrg_remove(c, 1, NULL), 0);
	mrg_session_free(session);
	mrg_container_free(c);
}

static void test_no_command(void **state)
{
	static const char *const missing[] = { "no-such-command-here", NULL }, *const folder[] = { "/tmp", NULL };
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "a", missing, 0), *d = make(f, "b", folder, 0);
	struct mrg_error err = { 0 };

	assert_int_equal(mrg_start(c, NULL, &err), -MRG_E_NO_COMMAND);
	assert_non_null(strstr(err.message, "'no-such-command-here' not found"));
	assert_int_not_equal(state_of(c), MRG_STATE_RUNNING);
	assert_int_equal(mrg_start(d, NULL, &err), -MRG_E_NOT_EXECUTABLE);
	assert_int_equal(mrg_remove(c, 0, NULL), 0);
	mrg_container_free(c);
	mrg_container_free(d);
}

static void test_running(void **state)
{
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "web", sleeper, 0);
	struct mrg_session *session = NULL;
	struct mrg_error err = { 0 };
	struct mrg_status status;
	struct mrg_stats stats;

	assert_int_equal(mrg_kill(c, SIGTERM, 0, NULL), -MRG_E_NOT_RUNNING);
	assert_int_equal(mrg_pause(c, NULL), -MRG_E_NOT_RUNNING);
	assert_int_equal(mrg_attach(c, &session, NULL), -MRG_E_NOT_RUNNING);
	assert_int_equal(mrg_stats(c, &stats, NULL), -MRG_E_NOT_RUNNING);
	assert_int_equal(mrg_stop(c, 0, 0, NULL), 1);
	begin(c);
	assert_int_equal(mrg_container_status(c, &status, NULL), 0);
	assert_int_equal(status.state, MRG_STATE_RUNNING);
	assert_int_equal(status.monitor_lost, 0);
	assert_int_equal(kill(status.pid, 0), 0);
	assert_int_equal(mrg_start(c, &session, NULL), 1);
	assert_null(session);
	assert_int_equal(mrg_remove(c, 0, &err), -MRG_E_STATE);
	assert_string_equal(err.message, "container 'web' is running\nstop it first, or use rm -f");
	assert_int_equal(mrg_rename(c, "www", NULL), -MRG_E_STATE);
	assert_int_equal(mrg_kill(c, 99, 0, NULL), -MRG_E_INVALID);
	assert_int_equal(mrg_stats(c, &stats, NULL), 0);
	assert_int_equal(stats.cpu_ns, 1500000000);
	assert_int_equal(mrg_wait(c, 50, &status, NULL), -MRG_E_TIMEOUT);
	assert_int_equal(mrg_kill(c, SIGTERM, 0, NULL), 0);
	assert_int_equal(mrg_wait(c, 5000, &status, NULL), 0);
	assert_int_equal(mrg_exit_code(status.exit_status), 128 + SIGTERM);
	mrg_container_free(c);
}

static void test_stop(void **state)
{
	static const char *const deaf[] = { "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done", NULL };
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "web", sleeper, 0), *d = make(f, "deaf", deaf, 0);
	struct mrg_session *session = NULL;
	struct mrg_event event = { 0 };
	struct mrg_status status;
	struct mrg_error err = { 0 };

	begin(c);
	assert_int_equal(mrg_stop(c, -1, 0, NULL), 0);
	assert_int_equal(mrg_container_status(c, &status, NULL), 0);
	assert_int_equal(status.state, MRG_STATE_STOPPED);
	assert_int_equal(mrg_exit_code(status.exit_status), 128 + SIGTERM);
	assert_int_equal(mrg_stop(c, -1, 0, NULL), 1);
	assert_int_equal(mrg_start(d, &session, NULL), 0);
	for (int i = 0; i < 500 && event.type != MRG_EVENT_STDOUT; i++) {
		usleep(10000);
		assert_int_equal(mrg_session_read(session, &event, NULL), 0);
	}
	mrg_session_free(session);
	assert_int_equal(mrg_stop(d, 100, 1, &err), -MRG_E_TIMEOUT);
	assert_int_equal(state_of(d), MRG_STATE_RUNNING);
	assert_int_equal(mrg_stop(d, 100, 0, NULL), 0);
	assert_int_equal(mrg_container_status(d, &status, NULL), 0);
	assert_int_equal(mrg_exit_code(status.exit_status), 128 + SIGKILL);
	mrg_container_free(c);
	mrg_container_free(d);
}

static void test_pause(void **state)
{
	static const char *const command[] = { "true", NULL };
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "web", sleeper, 0);
	struct mrg_exec exec = { .args = command };
	struct mrg_error err = { 0 };

	begin(c);
	assert_int_equal(mrg_unpause(c, NULL), 1);
	assert_int_equal(mrg_pause(c, NULL), 0);
	assert_int_equal(mrg_pause(c, NULL), 1);
	assert_int_equal(state_of(c), MRG_STATE_PAUSED);
	assert_int_equal(mrg_exec(c, &exec, NULL, &err), -MRG_E_STATE);
	assert_string_equal(err.message, "container 'web' is paused\nmoorage unpause web");
	assert_int_equal(mrg_remove(c, 0, &err), -MRG_E_STATE);
	assert_int_equal(mrg_stop(c, 5000, 1, &err), 0); /* its signal is not stuck behind the freeze */
	assert_int_equal(state_of(c), MRG_STATE_STOPPED);
	mrg_container_free(c);
}

static void test_exec(void **state)
{
	static const char *const args[] = { "sh", "-c", "echo $WORD; exit 4", NULL };
	static const char *const env[] = { "WORD=inside", NULL };
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "web", sleeper, 0);
	struct mrg_exec exec = { .args = args, .env = env };
	struct mrg_session *session = NULL;
	char output[64] = "";

	assert_int_equal(mrg_exec(c, &exec, &session, NULL), -MRG_E_NOT_RUNNING);
	begin(c);
	assert_int_equal(mrg_exec(c, &exec, &session, NULL), 0);
	assert_int_equal(mrg_exit_code(read_all(session, output, sizeof(output))), 4);
	assert_string_equal(output, "inside\n");
	mrg_session_free(session);
	mrg_container_free(c);
}

static void test_remove_by_force(void **state)
{
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "a", sleeper, 0), *d = make(f, "b", sleeper, MRG_CREATE_TRANSIENT);
	struct mrg_status status;

	begin(c);
	begin(d);
	assert_int_equal(mrg_pause(d, NULL), 0);
	assert_int_equal(mrg_container_status(c, &status, NULL), 0);
	assert_int_equal(mrg_remove(c, 1, NULL), 0);
	assert_gone(status.pid);
	assert_int_equal(mrg_remove(d, 1, NULL), 0);
	assert_int_equal(names(f), 0);
	assert_int_equal(access(f->root, F_OK), 0);
	mrg_container_free(c);
	mrg_container_free(d);
}

static void test_rename(void **state)
{
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "web", sleeper, 0);
	struct mrg_error err = { 0 };

	assert_int_equal(mrg_rename(c, "www", NULL), 0);
	assert_string_equal(mrg_container_name(c), "www");
	assert_int_equal(traced(f, "destroy web"), 1);
	assert_int_equal(traced(f, "create www"), 1);
	begin(c);
	assert_int_equal(mrg_stop(c, 5000, 0, NULL), 0);
	setenv("MRG_FAKE_FAULT", "create:EIO:no", 1);
	assert_int_equal(mrg_rename(c, "again", &err), -EIO);
	unsetenv("MRG_FAKE_FAULT");
	assert_string_equal(mrg_container_name(c), "www");
	assert_int_equal(names(f), 1);
	mrg_container_free(open_named(f, "www"));
	mrg_container_free(c);
}

static void test_update(void **state)
{
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "web", sleeper, 0), *again;
	struct mrg_spec *changes = mrg_spec_new(), *wrong = mrg_spec_new();
	const char *before = mrg_container_spec(c)->args[0];
	struct mrg_error err = { 0 };

	assert_int_equal(mrg_spec_set(changes, MRG_FIELD_MEMORY_LIMIT, "64M", NULL), 0);
	assert_int_equal(mrg_update(c, changes, &err), 0);
	assert_int_equal(traced(f, "update web"), 0); /* it does not run */
	begin(c);
	assert_int_equal(mrg_spec_set(changes, MRG_FIELD_MEMORY_LIMIT, "32M", NULL), 0);
	assert_int_equal(mrg_update(c, changes, &err), 0);
	assert_int_equal(traced(f, "update web"), 1);
	again = open_named(f, "web");
	assert_int_equal(mrg_container_spec(again)->memory_limit, 32 << 20);
	assert_string_equal(mrg_container_spec(again)->args[0], "sleep");
	assert_string_equal(before, "sleep");
	mrg_container_free(again);
	setenv("MRG_FAKE_FAULT", "update:EIO:no", 1);
	assert_int_equal(mrg_spec_set(changes, MRG_FIELD_MEMORY_LIMIT, "16M", NULL), 0);
	assert_int_equal(mrg_update(c, changes, &err), -EIO);
	assert_int_equal(mrg_container_spec(c)->memory_limit, 32 << 20);
	assert_int_equal(mrg_spec_set(wrong, MRG_FIELD_HOSTNAME, "x", NULL), 0);
	assert_int_equal(mrg_update(c, wrong, &err), -MRG_E_INVALID);
	assert_non_null(strstr(err.message, "'hostname' is no limit"));
	mrg_spec_free(changes);
	mrg_spec_free(wrong);
	mrg_container_free(c);
}

static int take_proc(const struct mrg_proc *proc, void *data)
{
	*(struct mrg_proc *)data = *proc;
	return 0;
}

static void test_procs(void **state)
{
	struct fixture *f = *state;
	struct mrg_container *c = make(f, "web", sleeper, 0);
	struct mrg_proc proc = { 0 };
	struct mrg_status status;

	assert_int_equal(mrg_procs(c, take_proc, &proc, NULL), -MRG_E_NOT_RUNNING);
	begin(c);
	assert_int_equal(mrg_container_status(c, &status, NULL), 0);
	assert_int_equal(mrg_procs(c, take_proc, &proc, NULL), 0);
	assert_int_equal(proc.pid, status.pid);
	assert_string_equal(proc.command, "sleep 1000");
	assert_int_equal(proc.uid, geteuid());
	assert_true(proc.rss > 0);
	assert_true(proc.started / 1000000000 <= (uint64_t)time(NULL) + 2);
	assert_true(proc.started / 1000000000 + 60 >= (uint64_t)time(NULL));
	mrg_container_free(c);
}

/* ---- a monitor that is killed --------------------------------------------------------------- */

static struct mrg_container *orphan(struct fixture *f, unsigned int flags, pid_t *ret_pid)
{
	struct mrg_container *c = make(f, "web", sleeper, flags);
	struct run run;

	begin(c);
	assert_int_equal(store_read_run(c->record, &run, NULL), 0);
	assert_true(run.monitor > 0);
	*ret_pid = run.process.pid;
	assert_int_equal(kill(run.monitor, SIGKILL), 0);
	for (int i = 0; i < 500 && run.monitor; i++) {
		usleep(10000);
		store_run_deinit(&run);
		assert_int_equal(store_read_run(c->record, &run, NULL), 0);
	}
	assert_int_equal(run.monitor, 0);
	store_run_deinit(&run);
	return c;
}

static void test_orphan(void **state)
{
	struct fixture *f = *state;
	struct mrg_session *session = NULL;
	struct mrg_status status;
	pid_t pid;
	struct mrg_container *c = orphan(f, 0, &pid);

	assert_int_equal(mrg_container_status(c, &status, NULL), 0);
	assert_int_equal(status.state, MRG_STATE_RUNNING);
	assert_int_equal(status.monitor_lost, 1);
	assert_int_equal(status.pid, pid);
	assert_int_equal(mrg_attach(c, &session, NULL), -MRG_E_STATE);
	assert_int_equal(mrg_start(c, NULL, NULL), 1);
	assert_int_equal(mrg_wait(c, 50, &status, NULL), -MRG_E_TIMEOUT);
	assert_int_equal(mrg_stop(c, 5000, 0, NULL), 0);
	assert_int_equal(mrg_container_status(c, &status, NULL), 0);
	assert_int_equal(status.state, MRG_STATE_STOPPED);
	assert_int_equal(status.has_exit, 0);
	assert_int_equal(status.monitor_lost, 1);
	assert_true(status.finished >= status.started);
	assert_true(traced(f, "cleanup web") > 0);
	begin(c); /* it can live again */
	assert_int_equal(mrg_stop(c, 5000, 0, NULL), 0);
	assert_int_equal(mrg_container_status(c, &status, NULL), 0);
	assert_int_equal(status.has_exit, 1);
	mrg_container_free(c);
}

static void test_orphan_is_removed(void **state)
{
	struct fixture *f = *state;
	struct mrg_container *c;
	pid_t pid;

	c = orphan(f, 0, &pid);
	assert_int_equal(mrg_remove(c, 1, NULL), 0);
	assert_gone(pid);
	mrg_container_free(c);
	c = orphan(f, MRG_CREATE_TRANSIENT, &pid);
	assert_int_equal(mrg_stop(c, 5000, 0, NULL), 0);
	mrg_container_free(c);
	assert_int_equal(names(f), 0);
}

/* ---- at once -------------------------------------------------------------------------------- */

static int do_start(struct mrg_container *c)
{
	return mrg_start(c, NULL, NULL);
}

static int do_stop(struct mrg_container *c)
{
	return mrg_stop(c, 5000, 0, NULL);
}

static int do_remove(struct mrg_container *c)
{
	return mrg_remove(c, 1, NULL);
}

/* How many of @n processes that do the same at once got @r; each must get 0 or 1. */
static int at_once(struct fixture *f, int n, int (*verb)(struct mrg_container *c), int r)
{
	int got = 0;

	for (int i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			struct mrg *m = context(f->top);
			struct mrg_container *c = NULL;
			int open = mrg_container_open(m, "web", &c, NULL);

			_exit(open == -MRG_E_NOT_FOUND ? 0 : open < 0 ? 99 : verb(c) & 0xff);
		}
	}
	for (int i = 0; i < n; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status));
		if (WEXITSTATUS(status) > 1)
			print_message("# one got %d\n", WEXITSTATUS(status) - 256);
		assert_true(WEXITSTATUS(status) <= 1);
		got += WEXITSTATUS(status) == r;
	}
	return got;
}

static void test_at_once(void **state)
{
	struct fixture *f = *state;

	mrg_container_free(make(f, "web", sleeper, 0));
	assert_int_equal(at_once(f, 6, do_start, 0), 1);
	assert_int_equal(traced(f, "start web"), 1);
	assert_true(at_once(f, 6, do_stop, 0) >= 1);
	assert_int_equal(at_once(f, 6, do_start, 0), 1);
	assert_int_equal(at_once(f, 6, do_remove, 0), 6);
	assert_int_equal(names(f), 0);
}

/* ---- the rest ------------------------------------------------------------------------------- */

static int take_line(const char *text, void *data)
{
	strcat(strcat(data, text), "|");
	return 0;
}

static void test_explain(void **state)
{
	struct fixture *f = *state;
	struct mrg_spec *spec = spec_of(f, sleeper);
	struct mrg_create create = { .name = "web", .backend = "fake", .spec = spec };
	char text[256] = "";

	assert_int_equal(mrg_explain(f->m, &create, take_line, text, NULL), 0);
	assert_string_equal(text, "# no isolation: an ordinary process|sleep 1000|");
	assert_int_equal(names(f), 0);
	mrg_spec_free(spec);
}

static void configure(struct fixture *f, const char *text)
{
	int fd = open(f->m->config_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static void test_default_backend(void **state)
{
	static const struct { const char *text, *backend, *error; } cases[] = {
		{ "", "native", NULL },
		{ "# comment\n ; another\n\n  backend =  fake \n", "fake", NULL },
		{ "backend=a\nbackend=b", "b", NULL },
		{ "\nbackend", NULL, "line 2: 'backend' is not of the form KEY = VALUE" },
		{ "backend = ../x\n", NULL, "line 1: '../x' is no name of a backend" },
		{ "color = always\n", NULL, "line 1: unknown key 'color'" },
	};
	struct fixture *f = *state;
	const char *name;

	unsetenv("MOORAGE_BACKEND");
	assert_int_equal(mrg_default_backend(f->m, &name, NULL), 0);
	assert_string_equal(name, "native");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mrg *m = context(f->top);
		struct mrg_error err = { 0 };
		int r;

		configure(f, cases[i].text);
		r = mrg_default_backend(m, &name, &err);
		assert_int_equal(r, cases[i].error ? -MRG_E_INVALID : 0);
		if (cases[i].error)
			assert_non_null(strstr(err.message, cases[i].error));
		else
			assert_string_equal(name, cases[i].backend);
		mrg_free(m);
	}
}

static void test_backend_info(void **state)
{
	struct fixture *f = *state;
	struct mrg_backend_info info;

	assert_int_equal(mrg_backend_info(f->m, "fake", &info, NULL), 0);
	assert_int_equal(info.usable, 1);
	assert_string_equal(info.probe.engine, "fake 1.0");
	assert_string_equal(info.verbs, "check create cleanup stop wait pause resume exec console stats update processes list adopt explain");
	setenv("MRG_FAKE_FAULT", "probe:ENOPKG:it is not installed", 1);
	assert_int_equal(mrg_backend_info(f->m, "fake", &info, NULL), 0);
	assert_int_equal(info.usable, 0);
	assert_int_equal(info.error.code, -MRG_E_NO_ENGINE);
	assert_string_equal(info.error.message, "fake: it is not installed");
}

static int count_findings(const struct mrg_finding *finding, void *data)
{
	assert_true(strcmp(finding->level, "ok") == 0 || strcmp(finding->level, "warning") == 0 ||
		    strcmp(finding->level, "error") == 0);
	assert_true(finding->subject[0] && finding->text[0]);
	if (strcmp(finding->subject, "container web") == 0)
		assert_string_equal(finding->fix, "moorage rm -f web");
	*(int *)data += strcmp(finding->subject, "backend fake") == 0 || strcmp(finding->subject, "container web") == 0;
	return 0;
}

static void test_doctor(void **state)
{
	struct fixture *f = *state;
	int n = 0;

	mrg_container_free(make(f, "web", sleeper, 0));
	tear(f, "web", "config.json");
	assert_int_equal(mrg_doctor(f->m, count_findings, &n, NULL), 0);
	assert_int_equal(n, 2);
}

#define CONTAINER_TEST(test)	cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONTAINER_TEST(test_create), CONTAINER_TEST(test_made_up_names), CONTAINER_TEST(test_bad_roots),
		CONTAINER_TEST(test_refused_fields), CONTAINER_TEST(test_refused_options),
		CONTAINER_TEST(test_best_effort), CONTAINER_TEST(test_unknown_backend), CONTAINER_TEST(test_taken_name),
		CONTAINER_TEST(test_create_fails), CONTAINER_TEST(test_half_made), CONTAINER_TEST(test_not_found),
		CONTAINER_TEST(test_list), CONTAINER_TEST(test_torn_spec), CONTAINER_TEST(test_torn_record),
		CONTAINER_TEST(test_backend_is_gone), CONTAINER_TEST(test_run), CONTAINER_TEST(test_transient),
		CONTAINER_TEST(test_no_command), CONTAINER_TEST(test_running), CONTAINER_TEST(test_stop),
		CONTAINER_TEST(test_pause), CONTAINER_TEST(test_exec), CONTAINER_TEST(test_remove_by_force),
		CONTAINER_TEST(test_rename), CONTAINER_TEST(test_update), CONTAINER_TEST(test_procs),
		CONTAINER_TEST(test_orphan), CONTAINER_TEST(test_orphan_is_removed), CONTAINER_TEST(test_at_once),
		CONTAINER_TEST(test_explain), CONTAINER_TEST(test_default_backend), CONTAINER_TEST(test_backend_info),
		CONTAINER_TEST(test_doctor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
