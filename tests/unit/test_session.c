/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The client's end of a session, with the test in the monitor's place. */

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/protocol.h"
#include "core/session.h"

struct fixture {
	struct mrg_session *session;
	int monitor, control;		/* the monitor's ends */
	struct message message;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct hello hello = { .terminal = 1 };
	int a[2], b[2];

	if (!f || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, a) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, b) < 0)
		return -1;
	f->monitor = a[1];
	f->control = b[1];
	*state = f;
	if (protocol_send(f->monitor, MESSAGE_HELLO, &hello, sizeof(hello)) < 0)
		return -1;
	return session_new(a[0], b[0], &f->session, NULL);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	mrg_session_free(f->session);
	if (f->monitor >= 0)
		close(f->monitor);
	close(f->control);
	free(f);
	return 0;
}

static void hang_up(struct fixture *f)
{
	close(f->monitor);
	f->monitor = -1;
}

static void test_greeting_tells_of_the_terminal(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mrg_session_terminal(f->session), 1);
}

static void test_output_becomes_an_event(void **state)
{
	struct fixture *f = *state;
	struct mrg_event event;

	protocol_send(f->monitor, MESSAGE_STDERR, "a\0b", 3);
	assert_int_equal(mrg_session_read(f->session, &event, NULL), 0);
	assert_int_equal(event.type, MRG_EVENT_STDERR);
	assert_int_equal(event.length, 3);
	assert_memory_equal(event.data, "a\0b", 3);
}

static void test_silence_is_no_event(void **state)
{
	struct fixture *f = *state;
	struct mrg_event event;

	assert_int_equal(mrg_session_read(f->session, &event, NULL), 0);
	assert_int_equal(event.type, MRG_EVENT_NONE);
}

static void test_exit_is_the_last_event(void **state)
{
	struct fixture *f = *state;
	struct ending ending = { .status = 7 << 8 };
	struct mrg_event event;

	protocol_send(f->monitor, MESSAGE_EXIT, &ending, sizeof(ending));
	hang_up(f);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(mrg_session_read(f->session, &event, NULL), 0);
		assert_int_equal(event.type, MRG_EVENT_EXIT);
		assert_int_equal(event.status, 7 << 8);
	}
}

static void test_death_of_the_monitor_is_lost(void **state)
{
	struct fixture *f = *state;
	struct mrg_event event;

	hang_up(f);
	assert_int_equal(mrg_session_read(f->session, &event, NULL), 0);
	assert_int_equal(event.type, MRG_EVENT_LOST);
}

static void test_output_before_the_end_is_not_lost(void **state)
{
	struct fixture *f = *state;
	struct mrg_event event;

	protocol_send(f->monitor, MESSAGE_STDOUT, "last", 4);
	assert_int_equal(mrg_session_write(f->session, "unread", 6, NULL), 6);
	hang_up(f);
	assert_int_equal(mrg_session_read(f->session, &event, NULL), 0);
	assert_int_equal(event.type, MRG_EVENT_STDOUT);
}

static void test_rubbish_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct mrg_event event;
	struct mrg_error err;

	protocol_send(f->monitor, 99, "x", 1);
	assert_int_equal(mrg_session_read(f->session, &event, &err), -EBADMSG);
}

static void test_long_input_is_cut_into_messages(void **state)
{
	struct fixture *f = *state;
	char data[MESSAGE_MAX + 5];

	memset(data, 'x', sizeof(data));
	assert_int_equal(mrg_session_write(f->session, data, sizeof(data), NULL), sizeof(data));
	assert_int_equal(protocol_receive(f->monitor, &f->message, false), MESSAGE_MAX);
	assert_int_equal(protocol_receive(f->monitor, &f->message, false), 5);
}

static void test_full_socket_takes_less(void **state)
{
	struct fixture *f = *state;
	size_t size = 4 << 20;
	char *data = calloc(1, size);
	ssize_t taken = mrg_session_write(f->session, data, size, NULL);

	free(data);
	assert_in_range(taken, 1, size - 1);
}

/* What must not wait behind input the process does not take. */
static void test_signal_passes_stuck_input(void **state)
{
	struct fixture *f = *state;
	size_t size = 4 << 20;
	char *data = calloc(1, size);

	mrg_session_write(f->session, data, size, NULL);
	free(data);
	assert_int_equal(mrg_session_kill(f->session, 15, NULL), 0);
	assert_int_equal(protocol_receive(f->control, &f->message, false), sizeof(int32_t));
	assert_int_equal(f->message.type, MESSAGE_SIGNAL);
}

static void test_no_such_signal_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mrg_session_kill(f->session, 65, NULL), -MRG_E_INVALID);
	assert_int_equal(mrg_session_kill(f->session, 0, NULL), -MRG_E_INVALID);
}

static void test_size_of_the_terminal_is_sent(void **state)
{
	struct fixture *f = *state;
	struct resize resize;

	assert_int_equal(mrg_session_resize(f->session, 24, 80, NULL), 0);
	assert_int_equal(protocol_receive(f->control, &f->message, false), sizeof(resize));
	memcpy(&resize, f->message.payload, sizeof(resize));
	assert_int_equal(resize.rows, 24);
	assert_int_equal(resize.columns, 80);
}

static void test_monitor_gone_at_the_greeting(void **state)
{
	struct mrg_session *session = NULL;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	close(pair[1]);
	assert_int_equal(session_new(pair[0], -1, &session, NULL), -MRG_E_NOT_RUNNING);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_greeting_tells_of_the_terminal),
		TEST(test_output_becomes_an_event),
		TEST(test_silence_is_no_event),
		TEST(test_exit_is_the_last_event),
		TEST(test_death_of_the_monitor_is_lost),
		TEST(test_output_before_the_end_is_not_lost),
		TEST(test_rubbish_is_an_error),
		TEST(test_long_input_is_cut_into_messages),
		TEST(test_full_socket_takes_less),
		TEST(test_signal_passes_stuck_input),
		TEST(test_no_such_signal_is_refused),
		TEST(test_size_of_the_terminal_is_sent),
		cmocka_unit_test(test_monitor_gone_at_the_greeting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
