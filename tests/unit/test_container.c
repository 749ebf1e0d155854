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

#include "core/container/internal.h"
#include "core/store/internal.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/proc.h"
#include "core/util/str.h"
#include "tests/unit/container_fixture.h"
#include "tests/unit/patience.h"

/* ---- making --------------------------------------------------------------------------------- */

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
	assert_string_equal(err.message, "a container named 'web' exists already: it is of backend fake");
	assert_int_equal(mrg_create_check(f->m, &create, NULL), -MRG_E_EXISTS);
	begin(c);
	create.flags = MRG_CREATE_REPLACE;
	assert_int_equal(mrg_create(f->m, &create, NULL, &err), -MRG_E_STATE);
	assert_int_equal(mrg_kill(c, SIGKILL, 1, NULL), 0);
	assert_int_equal(mrg_wait(c, PATIENCE_MS, &(struct mrg_status){ 0 }, NULL), 0);
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
	assert_int_equal(mrg_container_open(f->m, "fake:other", &c, &err), -MRG_E_NOT_FOUND);
	assert_string_equal(err.message, "backend 'fake': no container named 'other'");
	assert_int_equal(mrg_container_open(f->m, "nosuch:webserver", &c, &err), -MRG_E_NO_ENGINE);
	assert_non_null(strstr(err.message, "no backend 'nosuch' is installed"));
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
	int process;

	begin(c);
	assert_int_equal(mrg_container_status(c, &status, NULL), 0);
	process = hold(status.pid);
	mrg_container_free(c);
	tear(f, "web", file);
	c = open_named(f, "web");
	assert_int_equal(mrg_container_status(c, &status, &err), -EBADMSG);
	assert_non_null(strstr(err.message, file));
	assert_int_equal(mrg_start(c, NULL, NULL), -EBADMSG);
	assert_int_equal(mrg_stop(c, 0, 0, NULL), -EBADMSG);
	assert_int_equal(mrg_remove(c, 0, NULL), -EBADMSG);
	assert_lives(process);
	assert_int_equal(mrg_remove(c, 1, &err), 0);
	assert_gone(process);
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
	assert_string_equal(info.verbs,
			    "check create cleanup stop wait pause resume exec console stats update processes list adopt "
			    "explain find process native configure autostart");
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
		CONTAINER_TEST(test_best_effort), CONTAINER_TEST(test_unknown_backend),
		CONTAINER_TEST(test_taken_name), CONTAINER_TEST(test_create_fails), CONTAINER_TEST(test_half_made),
		CONTAINER_TEST(test_not_found), CONTAINER_TEST(test_list), CONTAINER_TEST(test_torn_spec),
		CONTAINER_TEST(test_torn_record), CONTAINER_TEST(test_backend_is_gone),
		CONTAINER_TEST(test_explain), CONTAINER_TEST(test_default_backend),
		CONTAINER_TEST(test_backend_info), CONTAINER_TEST(test_doctor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
