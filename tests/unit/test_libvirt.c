/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of the libvirt backend needs no libvirt: its notes, the definitions it makes, what it refuses. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "backends/libvirt/libvirt.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "tests/unit/libvirt_fixture.h"

/* ---- ends ---------------------------------------------------------------------- */

static pid_t start_child(int *ret_gate)
{
	int gate[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(gate[1]);
		while (read(gate[0], &byte, 1) == 1)
			;
		_exit(7);
	}
	close(gate[0]);
	*ret_gate = gate[1];
	return pid;
}

/* Of two that end the one that was asked for is told of, and nothing before its end. */
static void test_exits(void **state)
{
	const int signals[] = { 0, SIGKILL };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		int gate, other_gate, status, heard;
		pid_t pid = start_child(&gate), other = start_child(&other_gate);
		int fd = libvirt_exits_open(pid);

		close(other_gate);
		assert_int_equal(waitpid(other, &status, 0), other);
		assert_false(libvirt_exits_read(fd, &heard));
		if (signals[i])
			kill(pid, signals[i]);
		close(gate);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		/* Users, other pid namespaces, and kernels without taskstats. */
		if (fd == -EPERM || fd == -EINVAL || fd == -ENOENT || fd == -EPROTONOSUPPORT)
			skip();
		assert_true(libvirt_exits_read(fd, &heard));
		assert_int_equal(heard, status);
		close(fd);
	}
}

static void end_for_ever(void)
{
	for (;;) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
}

/* The kernel goes on telling all ends to the number of a socket that was closed, which the next one gets. */
static void test_exits_of_others(void **state)
{
	pid_t others = fork();

	(void)state;
	assert_true(others >= 0);
	if (others == 0)
		end_for_ever();
	for (int i = 0; i < 200; i++) {
		int gate, status, heard = -1;
		pid_t pid = start_child(&gate);
		int fd = libvirt_exits_open(pid);
		bool early = libvirt_exits_read(fd, &heard), late;

		close(gate);
		waitpid(pid, &status, 0);
		late = libvirt_exits_read(fd, &heard);
		if (fd >= 0 && !early && late && heard == status && close(fd) == 0)
			continue;
		kill(others, SIGKILL);
		waitpid(others, NULL, 0);
		if (fd == -EPERM || fd == -EINVAL || fd == -ENOENT || fd == -EPROTONOSUPPORT)
			skip();
		fail_msg("end %d of 200: socket %d, told before %d, after %d, status %#x", i, fd, early, late, (unsigned int)heard);
	}
	kill(others, SIGKILL);
	waitpid(others, NULL, 0);
}

/* ---- notes -------------------------------------------------------------------- */

#define NOTE	"<!-- WARNING -->\n<domstatus state='running' reason='booted' pid='7625'>\n  <init pid='7632'/>\n  <domain type='lxc' id='7625'>\n" \
	"    <name>web</name>\n    <description>&lt;init pid='1'/&gt;</description>\n"
#define DEVICES	"    <devices>\n      <emulator>/usr/lib/libvirt/libvirt_lxc</emulator>\n      <console type='pty' tty='/dev/pts/4'>\n" \
	"        <source path='/dev/pts/4'/>\n      </console>\n    </devices>\n  </domain>\n</domstatus>\n"

static void test_note(void **state)
{
	struct libvirt_note note;

	(void)state;
	assert_int_equal(libvirt_parse_note(NOTE DEVICES, &note), 0);
	assert_int_equal(note.controller, 7625);
	assert_int_equal(note.init, 7632);
	assert_string_equal(note.console, "/dev/pts/4");
}

static void test_note_before_the_init_is_known(void **state)
{
	struct libvirt_note note;

	(void)state;
	assert_int_equal(libvirt_parse_note("<domstatus state='running' reason='booted' pid='12'>\n  <domain type='lxc'>\n"
					    "<metadata><init pid='99'/></metadata>" DEVICES, &note), 0);
	assert_int_equal(note.controller, 12);
	assert_int_equal(note.init, 0);
}

/* Metadata may hold anything. */
static void test_note_with_decoys(void **state)
{
	struct libvirt_note note;

	(void)state;
	assert_int_equal(libvirt_parse_note(NOTE "<metadata><a:x xmlns:a='u'><devices><console tty='/etc/shadow'/></devices></a:x></metadata>" DEVICES,
					    &note), 0);
	assert_string_equal(note.console, "/dev/pts/4");
	assert_int_equal(libvirt_parse_note(NOTE "<devices><console type='pty'/></devices></domain></domstatus>", &note), 0);
	assert_string_equal(note.console, "");
}

static void test_note_that_is_none(void **state)
{
	static const char *const texts[] = { "", "<domain type='lxc'/>", "<domstatus pid='1'>", "garbage <<<< ''''", "<domstatus <domain " };
	struct libvirt_note note;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (libvirt_parse_note(texts[i], &note) == 0)
			assert_int_equal(note.controller, 0);
	assert_int_equal(libvirt_parse_note("<domstatus pid='99999999999999999999'><domain >", &note), 0);
	assert_int_equal(note.controller, 0);
	assert_int_equal(libvirt_parse_note("<domstatus pid='-5'><domain >", &note), 0);
	assert_int_equal(note.controller, 0);
}

/* Torn at every byte: an error or numbers, never a read beyond the end, which the sanitizers would see. */
static void test_note_torn(void **state)
{
	static const char whole[] = NOTE DEVICES;

	(void)state;
	for (size_t i = 0; i < sizeof(whole); i++) {
		_cleanup_free_ char *text = strndup(whole, i);
		struct libvirt_note note;

		assert_non_null(text);
		libvirt_parse_note(text, &note);
	}
}

/* ---- URIs ---------------------------------------------------------------------- */

static void test_path(void **state)
{
	static const struct {
		const char *path;
		int result;
	} cases[] = {
		{ NULL, 0 }, { "lxc:///system", 0 }, { "lxc:///", 0 }, { "lxc+unix:///system?socket=/x", 0 },
		{ "lxc+ssh://host/system", -MRG_E_INVALID }, { "qemu:///system", -MRG_E_INVALID }, { "/srv/lxc", -MRG_E_INVALID }, { "", -MRG_E_INVALID },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(libvirt_check_path(cases[i].path, NULL), cases[i].result);
}

/* ---- definitions ----------------------------------------------------------------- */

static struct mrg_spec *parse(const char *json)
{
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };

	if (mrg_spec_parse(json, strlen(json), &spec, &err) < 0)
		fail_msg("%s", err.message);
	return spec;
}

#define SPEC(more)	"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"/tmp\"},\"process\":{\"cwd\":\"/\",\"args\":[\"/bin/true\"]" more "}"

static void assert_written(const char *json, const char *const *parts)
{
	struct mrg_spec *spec = parse(json);
	struct mrg_unit unit = { .name = "mrgt-web", .id = "0123456789abcdef", .spec = spec, .dir = -1 };
	_cleanup_free_ char *xml = NULL;
	struct mrg_error err = { 0 };

	if (libvirt_write(&unit, spec, &xml, &err) < 0)
		fail_msg("%s", err.message);
	for (; *parts; parts++)
		if (!strstr(xml, *parts))
			fail_msg("no '%s' in %s", *parts, xml);
	mrg_spec_free(spec);
}

/* Whatever annotations the spec has: name and UUID are the unit's. */
static void test_names(void **state)
{
	static const char *const parts[] = { "<name>mrgt-web</name>", "<uuid>01234567-89ab-8cde-8f6d-6f6f72616765</uuid>", NULL };

	(void)state;
	assert_written(SPEC("") "}", parts);
	assert_written(SPEC(",\"user\":{\"uid\":0,\"gid\":0}") ",\"annotations\":{\"org.libvirt.name\":\"x\",\"org.libvirt.uuid\":\"y\"}}", parts);
}

static void assert_checked(const char *json, int result, const char *sentence)
{
	struct mrg_spec *spec = parse(json);
	struct mrg_error err = { 0 };

	assert_int_equal(libvirt_check(NULL, spec, &err), result);
	if (sentence && !strstr(err.message, sentence))
		fail_msg("no '%s' in '%s'", sentence, err.message);
	mrg_spec_free(spec);
}

/* What the writer reports as lost is refused, by name; what is done beside it is not. */
static void test_check(void **state)
{
	(void)state;
	assert_checked(SPEC(",\"terminal\":true") ",\"hostname\":\"harbour\",\"moorage\":{\"init\":true,\"autostart\":true,\"labels\":{\"a\":\"b\"}}}", 0, NULL);
	assert_checked(SPEC(",\"noNewPrivileges\":true") "}", -MRG_E_UNSUPPORTED, "process.noNewPrivileges");
	assert_checked(SPEC(",\"env\":[\"EMPTY=\"]") "}", -MRG_E_UNSUPPORTED, "process.env");
	assert_checked(SPEC("") ",\"mounts\":[{\"destination\":\"/x\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"noexec\"]}]}", -MRG_E_UNSUPPORTED,
		       "noexec");
}

/* The mounts of our defaults are the driver's to make, or not; the same mount from a user is not left out. */
static void test_default_mounts(void **state)
{
	struct mrg_spec *spec = parse(SPEC("") "}");
	struct mrg_fields able = { { 0 } };
	struct mrg_error err = { 0 };

	(void)state;
	for (const uint16_t *field = libvirt_fields; *field != MRG_FIELD_END; field++)
		mrg_fields_add(&able, *field);
	assert_int_equal(mrg_spec_default(spec, &able, &err), 0);
	assert_true(spec->mounts.n > 3);
	if (libvirt_check(NULL, spec, &err) < 0)
		fail_msg("%s", err.message);
	mrg_spec_free(spec);
	assert_checked(SPEC("") ",\"mounts\":[{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\"}]}", -MRG_E_UNSUPPORTED, "/dev/mqueue");
}

/* ---- users ---------------------------------------------------------------------------- */

static void test_user(void **state)
{
	char dir[] = "/tmp/mrgt-libvirt.XXXXXX", json[512];
	_cleanup_free_ char *etc = NULL, *passwd = NULL;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_true(asprintf(&etc, "%s/etc", dir) > 0 && asprintf(&passwd, "%s/passwd", etc) > 0);
	assert_int_equal(mkdir(etc, 0755), 0);
	file = fopen(passwd, "we");
	assert_non_null(file);
	fputs("alice:x:1000:100::/home/alice:/bin/sh\n", file);
	fclose(file);
	snprintf(json, sizeof(json), "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"%s\"},\"process\":{\"cwd\":\"/\",\"args\":[\"/x\"]},\"moorage\":{\"user\":\"alice\"}}",
		 dir);
	assert_written(json, (const char *const[]){ "<inituser>+1000</inituser>", "<initgroup>+100</initgroup>", NULL });
	unlink(passwd);
	assert_checked(json, -MRG_E_INVALID, "alice");
	fd_remove_tree(AT_FDCWD, dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exits),
		cmocka_unit_test(test_exits_of_others),
		cmocka_unit_test(test_note),
		cmocka_unit_test(test_note_before_the_init_is_known),
		cmocka_unit_test(test_note_with_decoys),
		cmocka_unit_test(test_note_that_is_none),
		cmocka_unit_test(test_note_torn),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_default_mounts),
		cmocka_unit_test(test_user),
	};

	return cmocka_run_group_tests(tests, libvirt_setup, NULL);
}
