/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two hosts that talk: what is said arrives, what is no message is refused, and names of hosts mean nothing else to ssh. */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/migrate/remote.h"
#include "core/migrate/wire.h"
#include "core/util/cleanup.h"

struct pair {
	struct wire near, far;
};

static struct pair make_pair(void)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	return (struct pair){ { .in = ends[0], .out = ends[0] }, { .in = ends[1], .out = ends[1] } };
}

static void end_pair(struct pair *p)
{
	wire_deinit(&p->near);
	wire_deinit(&p->far);
	close(p->near.in);
	close(p->far.in);
}

static void what_is_said_arrives(void **state)
{
	const struct wire_message said = { .op = "import", .name = "web", .bytes = INT64_MAX, .caps = 0x1ffffffffff, .accept = "a\n\"b\"\n", .kept = true };
	struct wire_message heard;
	struct pair p = make_pair();
	char piece[WIRE_CHUNK];
	struct mrg_error err;

	(void)state;
	assert_int_equal(wire_greet(&p.near, &err), 0);
	assert_int_equal(wire_expect_greeting(&p.far, &err), 0);
	assert_int_equal(wire_send(&p.near, &said, &err), 0);
	assert_int_equal(wire_send_piece(&p.near, "bytes", 5, &err), 0);
	assert_int_equal(wire_send_piece(&p.near, "", 0, &err), 0);
	shutdown(p.near.out, SHUT_WR);
	assert_int_equal(wire_receive(&p.far, &heard, &err), 1);
	assert_string_equal(heard.op, "import");
	assert_string_equal(heard.accept, said.accept);
	assert_true(heard.bytes == said.bytes && heard.caps == said.caps && heard.kept && !heard.found && !heard.id);
	assert_int_equal(wire_receive_piece(&p.far, piece, &err), 5);
	assert_memory_equal(piece, "bytes", 5);
	assert_int_equal(wire_receive_piece(&p.far, piece, &err), 0);
	assert_int_equal(wire_receive(&p.far, &heard, &err), 0);
	assert_false(p.far.cut);
	end_pair(&p);
}

static void what_is_no_message_is_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		int code;
	} rows[] = {
		{ "m\0\0\0\2{}", 6, -ECONNRESET },	/* cut short */
		{ "m\0\0\0\2[]", 7, -EPROTO },
		{ "m\0\0\0\0", 5, -EPROTO },
		{ "m\377\377\377\377", 5, -EPROTO },	/* longer than any */
		{ "p\0\0\0\2{}", 7, -EPROTO },
		{ "m\0\0\0\15{\"bytes\":\"x\"}", 18, -EPROTO },
		{ "m\0", 2, -ECONNRESET },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct pair p = make_pair();
		struct wire_message heard;
		struct mrg_error err;

		assert_int_equal(write(p.near.out, rows[i].bytes, rows[i].length), rows[i].length);
		shutdown(p.near.out, SHUT_WR);
		assert_int_equal(wire_receive(&p.far, &heard, &err), rows[i].code);
		assert_true(p.far.cut);
		end_pair(&p);
	}
}

static void a_piece_is_never_longer_than_the_buffer(void **state)
{
	struct pair p = make_pair();
	char piece[WIRE_CHUNK];
	struct mrg_error err;

	(void)state;
	assert_int_equal(write(p.near.out, "p\0\2\0\1", 5), 5);
	assert_int_equal(wire_receive_piece(&p.far, piece, &err), -EPROTO);
	end_pair(&p);
}

static void a_shell_that_talks_is_named(void **state)
{
	struct pair p = make_pair();
	struct mrg_error err;

	(void)state;
	assert_int_equal(write(p.near.out, "Welcome!\n", 9), 9);
	assert_int_equal(wire_expect_greeting(&p.far, &err), -EPROTO);
	assert_non_null(strstr(err.message, "'Welcome!'"));
	end_pair(&p);
}

/* SIGPIPE would end the process. */
static void nobody_who_listens_is_an_error_and_no_signal(void **state)
{
	struct pair p = make_pair();
	struct wire to_pipe = { .in = -1 };
	struct mrg_error err;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	to_pipe.out = ends[1];
	assert_int_equal(wire_send_piece(&to_pipe, "x", 1, &err), -EPIPE);
	assert_true(to_pipe.cut);
	close(ends[1]);
	close(p.far.in);
	assert_int_equal(wire_send_piece(&p.near, "x", 1, &err), -EPIPE);
	p.far.in = -1;
	end_pair(&p);
}

static int enough(void *data)
{
	return ++*(int *)data == 2 ? -ECANCELED : 0;
}

static void who_waits_may_give_up(void **state)
{
	struct pair p = make_pair();
	struct wire_message heard;
	struct mrg_error err;
	int times = 0;

	(void)state;
	p.far.idle = enough;
	p.far.data = &times;
	assert_int_equal(wire_receive(&p.far, &heard, &err), -ECANCELED);
	end_pair(&p);
}

static void hosts(void **state)
{
	static const char *const good[] = { "host2", "root@host2", "10.0.0.1", "a.b-c_d@x.example", "root@[fe80::1%eth0]", "::1" };
	static const char *const bad[] = { "", "-l", "root@-oProxyCommand=x", "-x@host", "@host", "root@", "a@b@c", "a b", "a;b", "$(x)", "a'b", "h/x", "h\nx", "a:b@h" };
	struct mrg_error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(remote_check_host(good[i], &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(remote_check_host(bad[i], &err), -MRG_E_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said_arrives), cmocka_unit_test(what_is_no_message_is_refused),
		cmocka_unit_test(a_piece_is_never_longer_than_the_buffer), cmocka_unit_test(a_shell_that_talks_is_named),
		cmocka_unit_test(nobody_who_listens_is_an_error_and_no_signal), cmocka_unit_test(who_waits_may_give_up), cmocka_unit_test(hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
