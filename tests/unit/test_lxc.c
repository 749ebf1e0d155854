/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of the lxc backend that need no LXC: its files, and its questions to a monitor, which is played here. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "lxc.h"

#include "core/util/fd.h"
#include "core/util/str.h"
#include "tests/unit/patience.h"

#define NAME		"mrgt-unit"
#define SILENCE_MS	100		/* for an answer that does not come */

struct place {
	char path[64];
	struct mrg_spec *spec;
	struct mrg_unit unit;
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	if (!p)
		return -1;
	snprintf(p->path, sizeof(p->path), "/tmp/mrgt-lxc.XXXXXX");
	p->spec = mrg_spec_new();
	p->unit = (struct mrg_unit){ .name = NAME, .id = "0123456789abcdef", .path = p->path, .dir = -1, .spec = p->spec };
	*state = p;
	return p->spec && mkdtemp(p->path) ? 0 : -1;
}

static int teardown(void **state)
{
	struct place *p = *state;

	fd_remove_tree(AT_FDCWD, p->path);
	mrg_spec_free(p->spec);
	free(p);
	return 0;
}

static void write_config(const struct place *p, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/" NAME, p->path);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/" NAME "/config", p->path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static void assert_config(const struct place *p, const char *text)
{
	char path[128], *found;

	snprintf(path, sizeof(path), "%s/" NAME "/config", p->path);
	assert_int_equal(fd_read_file(AT_FDCWD, path, 1 << 20, &found, NULL), 0);
	assert_string_equal(found, text);
	free(found);
}

/* ---- places ------------------------------------------------------------------------------------------- */

static void test_path(void **state)
{
	struct mrg_error err;
	char path[PATH_MAX];

	(void)state;
	assert_int_equal(lxc_place_path("/srv/lxc//", path, &err), 0);
	assert_string_equal(path, "/srv/lxc");
	assert_int_equal(lxc_place_path("/", path, &err), 0);
	assert_string_equal(path, "/");
	assert_int_equal(lxc_place_path("relative", path, &err), -MRG_E_INVALID);
}

static void test_names(void **state)
{
	static const char *const bad[] = { "", ".", "..", "a/b" };
	struct place *p = *state;
	struct lxc_place place;
	struct mrg_error err;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		p->unit.name = bad[i];
		assert_int_equal(lxc_place_of(&p->unit, &place, &err), -MRG_E_INVALID);
	}
}

static int collect(const struct mrg_found *found, void *data)
{
	return strv_append(data, found->name);
}

static void test_list(void **state)
{
	struct place *p = *state;
	char path[128], **names = NULL;
	struct mrg_error err;

	write_config(p, "lxc.rootfs.path = dir:/\n");
	snprintf(path, sizeof(path), "%s/no-config", p->path);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/file", p->path);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	assert_int_equal(lxc_list(NULL, p->path, collect, &names, &err), 0);
	assert_int_equal(strv_length(names), 1);
	assert_string_equal(names[0], NAME);
	strv_free(names);
	assert_int_equal(lxc_find(NULL, p->path, NAME, &err), 1);
	assert_int_equal(lxc_find(NULL, p->path, "no-config", &err), 0);
	assert_int_equal(lxc_list(NULL, "/nonexistent/mrgt", collect, &names, &err), -MRG_E_NO_ENGINE);
}

/* ---- start at boot -------------------------------------------------------------------------------------- */

static void test_autostart(void **state)
{
	static const struct {
		const char *before;
		int on, was;
		const char *after;
	} cases[] = {
		{ "lxc.uts.name = a\n", 1, 0, "lxc.uts.name = a\nlxc.start.auto = 1\n" },
		{ "lxc.uts.name = a", 1, 0, "lxc.uts.name = a\nlxc.start.auto = 1\n" },
		{ "# c\n\n  lxc.start.auto=0\nlxc.uts.name = a", 1, 0, "# c\n\nlxc.start.auto = 1\nlxc.uts.name = a" },
		{ "lxc.start.auto = 0\nx\nlxc.start.auto = 1\n", 0, 1, "lxc.start.auto = 0\nx\nlxc.start.auto = 0\n" },
		{ "lxc.start.auto = 1\r\nlxc.uts.name = a\r\n", 0, 1, "lxc.start.auto = 0\r\nlxc.uts.name = a\r\n" },
		{ "lxc.start.auto = \"1\"\n", 1, 1, "lxc.start.auto = \"1\"\n" },
		{ "#lxc.start.auto = 1\nlxc.start.automatic = 1\n", 0, 0, "#lxc.start.auto = 1\nlxc.start.automatic = 1\n" },
		{ "", 1, 0, "lxc.start.auto = 1\n" },
	};
	struct place *p = *state;
	struct mrg_error err;
	char path[128];
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		write_config(p, cases[i].before);
		assert_int_equal(lxc_autostart(NULL, &p->unit, -1, &err), cases[i].was);
		assert_config(p, cases[i].before);
		assert_int_equal(lxc_autostart(NULL, &p->unit, cases[i].on, &err), cases[i].on);
		assert_config(p, cases[i].after);
	}
	snprintf(path, sizeof(path), "%s/" NAME "/config", p->path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	p->unit.name = "mrgt-nobody";
	assert_int_equal(lxc_autostart(NULL, &p->unit, 1, &err), -MRG_E_NOT_FOUND);
}

/* ---- the configuration ------------------------------------------------------------------------------------ */

static void set(struct place *p, enum mrg_field field, const char *text)
{
	struct mrg_error err;

	if (mrg_spec_set(p->spec, field, text, &err) < 0)
		fail_msg("%s", err.message);
}

/* Replaces @what in the file of @p. */
static void edit(const struct place *p, const char *what, const char *by)
{
	char path[128], *text, *at;
	struct buffer b = { 0 };

	snprintf(path, sizeof(path), "%s/" NAME "/config", p->path);
	assert_int_equal(fd_read_file(AT_FDCWD, path, 1 << 20, &text, NULL), 0);
	at = strstr(text, what);
	assert_non_null(at);
	buffer_add(&b, text, (size_t)(at - text));
	buffer_addf(&b, "%s%s", by, at + strlen(what));
	write_config(p, b.text);
	buffer_deinit(&b);
	free(text);
}

static void test_round_trip(void **state)
{
	struct place *p = *state;
	struct mrg_spec *read = mrg_spec_new();
	struct mrg_error err;

	set(p, MRG_FIELD_ROOT_PATH, "/tmp");
	set(p, MRG_FIELD_ARGS, "/bin/sh");
	set(p, MRG_FIELD_ARGS, "two words");
	set(p, MRG_FIELD_HOSTNAME, "before");
	set(p, MRG_FIELD_TERMINAL, "yes");
	set(p, MRG_FIELD_EPHEMERAL, "yes");
	set(p, MRG_FIELD_USER, "daemon");
	mrg_spec_default(p->spec, NULL, &err);
	assert_int_equal(lxc_create(NULL, &p->unit, &err), 0);
	edit(p, "lxc.uts.name = before", "lxc.uts.name = after");
	assert_int_equal(lxc_adopt(NULL, &p->unit, read, &err), 0);
	assert_string_equal(read->hostname, "after");
	assert_int_equal(strv_length(read->args), 2);
	assert_string_equal(read->args[1], "two words");
	assert_false(read->boot);
	assert_true(read->terminal);
	assert_true(read->ephemeral);
	assert_string_equal(read->user, "daemon");
	mrg_spec_free(read);
}

static void test_create_twice(void **state)
{
	struct place *p = *state;
	struct mrg_error err;

	set(p, MRG_FIELD_ROOT_PATH, "/tmp");
	write_config(p, "lxc.uts.name = theirs\n");
	assert_int_equal(lxc_create(NULL, &p->unit, &err), -MRG_E_EXISTS);
	assert_config(p, "lxc.uts.name = theirs\n");
}

static void test_destroy(void **state)
{
	struct place *p = *state;
	struct mrg_error err;
	char path[128];

	set(p, MRG_FIELD_ROOT_PATH, "/tmp");
	assert_int_equal(lxc_create(NULL, &p->unit, &err), 0);
	/* What a writer that was killed has left goes, what others have put there stays. */
	snprintf(path, sizeof(path), "%s/" NAME "/.config.0123456789abcdef", p->path);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	snprintf(path, sizeof(path), "%s/" NAME "/rootfs", p->path);
	mkdir(path, 0755);
	assert_int_equal(lxc_destroy(NULL, &p->unit, &err), 0);
	assert_int_equal(lxc_find(NULL, p->path, NAME, &err), 0);
	assert_int_equal(access(path, F_OK), 0);
	rmdir(path);
	assert_int_equal(lxc_destroy(NULL, &p->unit, &err), 0);
	snprintf(path, sizeof(path), "%s/" NAME, p->path);
	assert_int_equal(lxc_create(NULL, &p->unit, &err), 0);
	assert_int_equal(lxc_destroy(NULL, &p->unit, &err), 0);
	assert_int_equal(access(path, F_OK), -1);
}

static void test_cgroup_path(void **state)
{
	struct place *p = *state;
	struct mrg_error err;
	char path[PATH_MAX];

	assert_int_equal(lxc_cgroup_path(&p->unit, LXC_CGROUP_PAYLOAD, path, &err), 0);
	assert_string_equal(path, "/lxc.payload." NAME "-0123456789abcdef");
	p->unit.name = "a..b...c";
	set(p, MRG_FIELD_CGROUPS_PATH, "/above/");
	assert_int_equal(lxc_cgroup_path(&p->unit, LXC_CGROUP_PAYLOAD, path, &err), 0);
	assert_string_equal(path, "/above/lxc.payload.a__b__.c-0123456789abcdef");
	assert_int_equal(lxc_cgroup_path(&p->unit, LXC_CGROUP_MONITOR, path, &err), 0);
	assert_string_equal(path, "/above/lxc.monitor.0123456789abcdef");
}

static void test_links(void **state)
{
	struct place *p = *state;
	struct mrg_mount mount = { .destination = "/link/inner/deep", .type = "tmpfs" };
	struct mrg_error err;
	char path[128];

	snprintf(path, sizeof(path), "%s/real", p->path);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/link", p->path);
	assert_int_equal(symlink("/real/../../../real", path), 0);
	set(p, MRG_FIELD_ROOT_PATH, p->path);
	assert_int_equal(mrg_spec_add_mount(p->spec, &mount, &err), 0);
	mount.destination = "/plain";
	assert_int_equal(mrg_spec_add_mount(p->spec, &mount, &err), 0);
	assert_int_equal(lxc_resolve_points(p->spec, &err), 0);
	assert_string_equal(p->spec->mounts.item[0].destination, "/real/inner/deep");
	assert_string_equal(p->spec->mounts.item[1].destination, "/plain");
}

/* ---- a monitor ----------------------------------------------------------------------------------------------- */

struct answer {
	int ret, length;
	void *data;
};

static void bind_as(const struct place *p, int fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int n = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s/" NAME "/command", p->path);

	if (bind(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) < 0 || listen(fd, 4) < 0)
		_exit(1);
}

/* Whether the question comes with our credentials, though it was asked before anybody wanted them. */
static bool read_question(int client, char question[16])
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec iov = { .iov_base = question, .iov_len = 16 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	struct cmsghdr *header;
	struct ucred peer;
	int on = 1;

	setsockopt(client, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	if (recvmsg(client, &message, 0) != 16)
		return false;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_CREDENTIALS)
		return false;
	memcpy(&peer, CMSG_DATA(header), sizeof(peer));
	return peer.uid == geteuid() && peer.pid == getppid();
}

/* Tells @ready that it listens, and answers one question. */
static void serve(int fd, int ready, const struct answer *a, size_t size)
{
	int client;
	char question[16];

	(void)!write(ready, "", 1);
	client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (!read_question(client, question) || question[0] != LXC_ASK_INIT)
		_exit(2);
	if (size > 0)
		(void)!write(client, a, size);
	/* A monitor that is gone is not believed: this one stays until it was heard. */
	(void)!read(client, question, 1);
	_exit(0);
}

/* What the backend makes of the first @size bytes of an answer. */
static int ask_one(const struct place *p, const struct answer *a, size_t size, long *ret)
{
	struct lxc_place place;
	struct mrg_error err;
	int ready[2], asked, status, r;
	pid_t pid;
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		bind_as(p, fd);
		serve(fd, ready[1], a, size);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(lxc_place_of(&p->unit, &place, &err), 0);
	asked = lxc_ask(&place, LXC_ASK_INIT);
	assert_true(asked >= 0);
	r = lxc_answer(asked, size > 0 ? PATIENCE_MS : SILENCE_MS, ret);
	close(asked);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(ready[0]);
	close(ready[1]);
	return r;
}

static void test_answers(void **state)
{
	const struct answer good = { .data = (void *)4242 }, refused = { .ret = -13 };
	struct place *p = *state;
	long value = 0;

	assert_int_equal(ask_one(p, &good, sizeof(good), &value), 0);
	assert_int_equal(value, 4242);
	assert_true(ask_one(p, &refused, sizeof(refused), &value) < 0);
	assert_true(ask_one(p, &good, 7, &value) < 0);
	assert_true(ask_one(p, &good, 0, &value) < 0);
	assert_int_equal(value, 4242);
}

/* A socket whose maker has ended; until it is waited for nobody else gets its number. */
static int make_left_socket(const struct place *p, pid_t *ret_maker)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	siginfo_t end;

	*ret_maker = fork();
	if (*ret_maker == 0) {
		bind_as(p, fd);
		_exit(0);
	}
	assert_int_equal(waitid(P_PID, (id_t)*ret_maker, &end, WEXITED | WNOWAIT), 0);
	assert_int_equal(end.si_status, 0);
	return fd;
}

/* A monitor that was killed: its socket is still held by what it has made. */
static void test_dead_monitor(void **state)
{
	struct place *p = *state;
	struct lxc_place place;
	struct mrg_error err;
	pid_t maker;
	int fd = make_left_socket(p, &maker), asked;
	long value;

	assert_int_equal(lxc_place_of(&p->unit, &place, &err), 0);
	asked = lxc_ask(&place, LXC_ASK_STATE);
	assert_true(asked >= 0);
	assert_int_equal(lxc_answer(asked, -1, &value), -ECONNRESET);
	close(asked);
	close(fd);
	assert_int_equal(lxc_ask(&place, LXC_ASK_STATE), -ECONNREFUSED);
	assert_int_equal(waitpid(maker, NULL, 0), maker);
}

/* That of lxc-start: the process that has made the socket has left it to another. The question waits for who asks for credentials late. */
static void test_left_monitor(void **state)
{
	const struct answer good = { .data = (void *)4242 };
	struct place *p = *state;
	struct lxc_place place;
	struct mrg_error err;
	pid_t maker, pid;
	int fd = make_left_socket(p, &maker), status;
	struct pollfd asked = { .events = POLLIN };
	long value = 0;

	assert_int_equal(waitpid(maker, NULL, 0), maker);
	assert_int_equal(lxc_place_of(&p->unit, &place, &err), 0);
	asked.fd = lxc_ask(&place, LXC_ASK_INIT);
	assert_true(asked.fd >= 0);
	pid = fork();
	if (pid == 0) {
		close(asked.fd);
		serve(fd, -1, &good, sizeof(good));
	}
	/* Where the maker is gone an answer is not waited for as long as this server may need. */
	assert_int_equal(poll(&asked, 1, PATIENCE_MS), 1);
	assert_int_equal(lxc_answer(asked.fd, PATIENCE_MS, &value), 0);
	assert_int_equal(value, 4242);
	close(asked.fd);
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list, setup, teardown),
		cmocka_unit_test_setup_teardown(test_autostart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_create_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(test_destroy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cgroup_path, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dead_monitor, setup, teardown),
		cmocka_unit_test_setup_teardown(test_left_monitor, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
