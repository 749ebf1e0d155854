/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the core makes of a plugin's answers, good and bad. */

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/dispatch.h"
#include "core/util/cleanup.h"

/* What the verbs below answer. */
struct answer {
	int code;
	const char *message;
	struct mrg_probe probe;
	int master;
};

static int answer(void *self, struct mrg_error *err)
{
	struct answer *a = self;

	if (a->message)
		mrg_error_set(err, a->code, "%s", a->message);
	return a->code;
}

static int on_probe(void *self, struct mrg_probe *ret, struct mrg_error *err)
{
	*ret = ((struct answer *)self)->probe;
	return answer(self, err);
}

static int on_unit(void *self, _unused_ const struct mrg_unit *unit, struct mrg_error *err)
{
	return answer(self, err);
}

static int on_cleanup(void *self, _unused_ const struct mrg_unit *unit, struct mrg_exit *ret, struct mrg_error *err)
{
	ret->oom_killed = 1;
	return answer(self, err);
}

static int on_start(void *self, _unused_ const struct mrg_unit *unit, struct mrg_stdio *io, struct mrg_process *ret,
		    struct mrg_error *err)
{
	io->master = ((struct answer *)self)->master;
	ret->pid = 77;
	return answer(self, err);
}

static int on_stats(void *self, _unused_ const struct mrg_unit *unit, struct mrg_stats *ret, struct mrg_error *err)
{
	ret->cpu_ns = 5;
	return answer(self, err);
}

static struct plugin plugin_of(struct answer *a)
{
	struct plugin p = { .self = a };

	p.table.name = "test";
	return p;
}

static void test_not_offered(_unused_ void **state)
{
	struct answer a = { 0 };
	struct plugin p = plugin_of(&a);
	struct mrg_error err = { 0 };
	struct mrg_stats stats;
	int fd;

	assert_int_equal(dispatch_pause(&p, NULL, &err), -MRG_E_UNSUPPORTED);
	assert_string_equal(err.message, "backend 'test' does not offer 'pause'");
	assert_int_equal(dispatch_resume(&p, NULL, NULL), -MRG_E_UNSUPPORTED);
	assert_int_equal(dispatch_stop(&p, NULL, NULL), -MRG_E_UNSUPPORTED);
	assert_int_equal(dispatch_wait(&p, NULL, 0, &fd, NULL), -MRG_E_UNSUPPORTED);
	assert_int_equal(dispatch_exec(&p, NULL, NULL, NULL, NULL, NULL), -MRG_E_UNSUPPORTED);
	assert_int_equal(dispatch_console(&p, NULL, &fd, NULL), -MRG_E_UNSUPPORTED);
	assert_int_equal(dispatch_stats(&p, NULL, &stats, NULL), -MRG_E_UNSUPPORTED);
	assert_int_equal(dispatch_update(&p, NULL, NULL, NULL), -MRG_E_UNSUPPORTED);
	assert_int_equal(dispatch_processes(&p, NULL, NULL, NULL, NULL), -MRG_E_UNSUPPORTED);
	assert_int_equal(dispatch_list(&p, NULL, NULL, NULL, NULL), -MRG_E_UNSUPPORTED);
	assert_int_equal(dispatch_adopt(&p, NULL, NULL, NULL), -MRG_E_UNSUPPORTED);
	assert_int_equal(dispatch_explain(&p, NULL, NULL, NULL, NULL), -MRG_E_UNSUPPORTED);
}

static void test_absent_is_nothing_to_do(_unused_ void **state)
{
	struct answer a = { 0 };
	struct plugin p = plugin_of(&a);
	struct mrg_exit end = { .oom_killed = 9 };

	assert_int_equal(dispatch_check(&p, NULL, NULL), 0);
	assert_int_equal(dispatch_create(&p, NULL, NULL), 0);
	assert_int_equal(dispatch_cleanup(&p, NULL, &end, NULL), 0);
	assert_int_equal(end.oom_killed, 0);
}

static void test_error_is_prefixed(_unused_ void **state)
{
	struct answer a = { .code = -EIO, .message = "it broke\ndo this" };
	struct plugin p = plugin_of(&a);
	struct mrg_error err = { .code = -1, .message = "old" };

	p.table.create = p.table.destroy = on_unit;
	assert_int_equal(dispatch_create(&p, NULL, &err), -EIO);
	assert_string_equal(err.message, "test: it broke\ndo this");
	assert_int_equal(err.code, -EIO);
	assert_int_equal(dispatch_destroy(&p, NULL, NULL), -EIO);
}

/* An error left by an earlier call is not taken for this one's. */
static void test_error_without_sentence(_unused_ void **state)
{
	struct answer a = { .code = -ENOSPC };
	struct plugin p = plugin_of(&a);
	struct mrg_error err = { .code = -1, .message = "old" };

	p.table.create = on_unit;
	assert_int_equal(dispatch_create(&p, NULL, &err), -ENOSPC);
	assert_string_equal(err.message, "test: the verb 'create' failed: No space left on device");
}

static void test_outputs_only_on_success(_unused_ void **state)
{
	struct answer a = { .code = -EIO };
	struct plugin p = plugin_of(&a);
	struct mrg_process process = { .pid = 5 };
	struct mrg_stats stats = { .cpu_ns = 1 };
	struct mrg_exit end = { .oom_killed = 0 };
	struct mrg_stdio io = { .master = -1 };

	p.table.start = on_start;
	p.table.stats = on_stats;
	p.table.cleanup = on_cleanup;
	assert_int_equal(dispatch_start(&p, NULL, &io, &process, NULL), -EIO);
	assert_int_equal(process.pid, 5);
	assert_int_equal(dispatch_stats(&p, NULL, &stats, NULL), -EIO);
	assert_int_equal(stats.cpu_ns, 1);
	assert_int_equal(dispatch_cleanup(&p, NULL, &end, NULL), -EIO);
	assert_int_equal(end.oom_killed, 0);
	a.code = 0;
	assert_int_equal(dispatch_stats(&p, NULL, &stats, NULL), 0);
	assert_int_equal(stats.cpu_ns, 5);
}

static void test_positive_returns(_unused_ void **state)
{
	struct answer a = { .code = 1 };
	struct plugin p = plugin_of(&a);

	p.table.pause = p.table.resume = p.table.create = p.table.destroy = on_unit;
	assert_int_equal(dispatch_pause(&p, NULL, NULL), 1); /* documented */
	assert_int_equal(dispatch_resume(&p, NULL, NULL), 1);
	assert_int_equal(dispatch_create(&p, NULL, NULL), 0); /* not */
	assert_int_equal(dispatch_destroy(&p, NULL, NULL), 0);
}

static void test_state(_unused_ void **state)
{
	struct answer a = { 0 };
	struct plugin p = plugin_of(&a);
	struct mrg_error err = { 0 };

	p.table.state = on_unit;
	for (a.code = MRG_STATE_ABSENT; a.code <= MRG_STATE_STOPPED; a.code++)
		assert_int_equal(dispatch_state(&p, NULL, NULL), a.code);
	assert_int_equal(dispatch_state(&p, NULL, &err), -EPROTO);
	assert_non_null(strstr(err.message, "returned 5, which is no state"));
}

static void test_probe_is_bounded_by_table(_unused_ void **state)
{
	struct answer a = { 0 };
	struct plugin p = plugin_of(&a);
	struct mrg_probe probe;

	p.table.probe = on_probe;
	mrg_fields_add(&p.fields, MRG_FIELD_ARGS);
	mrg_fields_add(&p.fields, MRG_FIELD_ENV);
	mrg_fields_add(&p.core, MRG_FIELD_LABELS);
	mrg_fields_add(&a.probe.fields, MRG_FIELD_ARGS);
	mrg_fields_add(&a.probe.fields, MRG_FIELD_SECCOMP);
	memset(a.probe.engine, 'x', sizeof(a.probe.engine));
	assert_int_equal(dispatch_probe(&p, &probe, NULL), 0);
	assert_true(mrg_fields_has(&probe.fields, MRG_FIELD_ARGS));
	assert_false(mrg_fields_has(&probe.fields, MRG_FIELD_ENV));
	assert_false(mrg_fields_has(&probe.fields, MRG_FIELD_SECCOMP));
	assert_true(mrg_fields_has(&probe.fields, MRG_FIELD_LABELS));
	assert_int_equal(strlen(probe.engine), sizeof(probe.engine) - 1);
}

static void test_master_is_closed_on_exec(_unused_ void **state)
{
	struct answer a = { .master = open("/dev/null", O_RDWR) };
	struct plugin p = plugin_of(&a);
	struct mrg_stdio io = { .terminal = 1, .master = -1 };
	struct mrg_process process;

	p.table.start = on_start;
	assert_int_equal(fcntl(a.master, F_GETFD), 0);
	assert_int_equal(dispatch_start(&p, NULL, &io, &process, NULL), 0);
	assert_int_equal(fcntl(a.master, F_GETFD), FD_CLOEXEC);
	close(a.master);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_offered),
		cmocka_unit_test(test_absent_is_nothing_to_do),
		cmocka_unit_test(test_error_is_prefixed),
		cmocka_unit_test(test_error_without_sentence),
		cmocka_unit_test(test_outputs_only_on_success),
		cmocka_unit_test(test_positive_returns),
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_probe_is_bounded_by_table),
		cmocka_unit_test(test_master_is_closed_on_exec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
