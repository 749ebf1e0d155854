/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages between monitor and client: what gets through and what is refused. */

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

#include <moorage/error.h>

#include "core/protocol.h"

struct fixture {
	int ours, theirs;
	struct message message;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int pair[2];

	if (!f || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -1;
	f->ours = pair[0];
	f->theirs = pair[1];
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	close(f->ours);
	if (f->theirs >= 0)
		close(f->theirs);
	free(f);
	return 0;
}

static void test_payload_arrives_whole(void **state)
{
	struct fixture *f = *state;
	char data[MESSAGE_MAX];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7);
	assert_int_equal(protocol_send(f->theirs, MESSAGE_STDOUT, data, sizeof(data)), 0);
	assert_int_equal(protocol_receive(f->ours, &f->message, false), MESSAGE_MAX);
	assert_int_equal(f->message.type, MESSAGE_STDOUT);
	assert_memory_equal(f->message.payload, data, sizeof(data));
}

static void test_empty_socket_is_not_waited_for(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(protocol_receive(f->ours, &f->message, false), -EAGAIN);
}

static void test_full_socket_is_not_waited_for(void **state)
{
	struct fixture *f = *state;
	char data[MESSAGE_MAX] = { 0 };
	int r = 0;

	for (int i = 0; i < 1000 && r == 0; i++)
		r = protocol_send(f->theirs, MESSAGE_STDOUT, data, sizeof(data));
	assert_int_equal(r, -EAGAIN);
}

static void test_closed_peer_is_told_without_signal(void **state)
{
	struct fixture *f = *state;

	close(f->theirs);
	f->theirs = -1;
	assert_int_equal(protocol_send(f->ours, MESSAGE_STDIN, "x", 1), -EPIPE);
	assert_int_equal(protocol_receive(f->ours, &f->message, false), -ENOTCONN);
}

/* The other side closes with something of ours unread: the kernel reports a reset before what it had sent. */
static void test_last_words_survive_a_reset(void **state)
{
	struct fixture *f = *state;
	struct ending ending = { .status = 42 };

	assert_int_equal(protocol_send(f->ours, MESSAGE_STDIN, "x", 1), 0);
	assert_int_equal(protocol_send(f->theirs, MESSAGE_EXIT, &ending, sizeof(ending)), 0);
	close(f->theirs);
	f->theirs = -1;
	assert_int_equal(protocol_receive(f->ours, &f->message, false), sizeof(ending));
	assert_int_equal(f->message.type, MESSAGE_EXIT);
}

static void refuse(struct fixture *f, uint8_t type, size_t length)
{
	static const char data[MESSAGE_MAX + 64];

	assert_int_equal(protocol_send(f->theirs, type, data, length), 0);
	assert_int_equal(protocol_receive(f->ours, &f->message, false), -EBADMSG);
}

static void test_unknown_types_are_refused(void **state)
{
	refuse(*state, 0, 4);
	refuse(*state, MESSAGE_EXIT + 1, 4);
	refuse(*state, 255, 4);
}

static void test_wrong_sizes_are_refused(void **state)
{
	refuse(*state, MESSAGE_RESIZE, 3);
	refuse(*state, MESSAGE_SIGNAL, 5);
	refuse(*state, MESSAGE_STDIN, 0);
	refuse(*state, MESSAGE_STDIN_END, 1);
	refuse(*state, MESSAGE_VERDICT, sizeof(struct mrg_error) - 1);
	refuse(*state, MESSAGE_STDOUT, MESSAGE_MAX + 1);
}

static void test_own_user_is_allowed(void **state)
{
	struct fixture *f = *state;

	assert_true(protocol_peer_is_allowed(f->ours));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_payload_arrives_whole),
		TEST(test_empty_socket_is_not_waited_for),
		TEST(test_full_socket_is_not_waited_for),
		TEST(test_closed_peer_is_told_without_signal),
		TEST(test_last_words_survive_a_reset),
		TEST(test_unknown_types_are_refused),
		TEST(test_wrong_sizes_are_refused),
		TEST(test_own_user_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
