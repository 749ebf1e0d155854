/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who a process is after execve(2): users, groups, the five capability sets, no_new_privs. */

#include "config.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/util/cleanup.h"
#include "tests/unit/process_fixture.h"

#define CAP(name)	(UINT64_C(1) << CAP_##name)
#define STATUS		"cat /proc/self/status"

static void set_caps(struct mrg_spec *s, uint64_t bounding, uint64_t permitted, uint64_t inheritable, uint64_t ambient)
{
	s->cap_bounding = bounding;
	s->cap_permitted = s->cap_effective = permitted;
	s->cap_inheritable = inheritable;
	s->cap_ambient = ambient;
	for (unsigned int i = MRG_FIELD_CAP_BOUNDING; i <= MRG_FIELD_CAP_AMBIENT; i++)
		mrg_fields_add(&s->set, i);
}

static uint64_t cap(const struct result *result, const char *name)
{
	char value[256];

	assert_non_null(status_field(result, name, value));
	return strtoull(value, NULL, 16);
}

static void run(struct fixture *f, const char *script, struct result *result)
{
	fixture_run(f, script, NULL, result);
	if (result->r < 0)
		print_message("%s\n", result->err.message);
	assert_int_equal(result->r, 0);
}

static void assert_field(const struct result *result, const char *name, const char *expected)
{
	char value[256];

	assert_non_null(status_field(result, name, value));
	assert_string_equal(value, expected);
}

/* What the kernel makes of the sets at execve(2), capabilities(7), for programs without capabilities of their own. */
static void test_capability_model(void **state)
{
	static const uint64_t sets[] = {
		0, CAP(CHOWN), CAP(CHOWN) | CAP(KILL) | CAP(SETUID), CAP(SYS_CHROOT) | CAP(NET_ADMIN) | CAP(DAC_OVERRIDE),
	};
	static const char *const users[] = { NULL, "0", "joe", "1234:77" };
	struct fixture *f = fixture_of(state);
	static struct result result;

	for (size_t u = 0; u < ARRAY_SIZE(users); u++)
		for (size_t b = 0; b < ARRAY_SIZE(sets); b++)
			for (size_t a = 0; a < ARRAY_SIZE(sets); a++) {
				int root = !users[u] || strcmp(users[u], "0") == 0;
				uint64_t ambient = sets[a] & sets[b];
				uint64_t after = root ? sets[b] : ambient;

				f->spec->user = users[u];
				set_caps(f->spec, sets[b], sets[b], ambient, ambient);
				run(f, STATUS, &result);
				assert_int_equal(cap(&result, "CapBnd"), sets[b]);
				assert_int_equal(cap(&result, "CapPrm"), after);
				assert_int_equal(cap(&result, "CapEff"), after);
				assert_int_equal(cap(&result, "CapInh"), ambient);
				assert_int_equal(cap(&result, "CapAmb"), ambient);
			}
}

static void test_user_without_ambient_has_nothing(void **state)
{
	struct fixture *f = fixture_of(state);
	static struct result result;

	f->spec->user = "joe";
	run(f, STATUS, &result);
	assert_int_equal(cap(&result, "CapPrm") | cap(&result, "CapEff") | cap(&result, "CapInh") | cap(&result, "CapAmb"), 0);
}

static void test_capability_we_lack_is_refused(void **state)
{
	struct fixture *f = fixture_of(state);
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	uint64_t missing;
	static struct result result;

	syscall(SYS_capget, &header, data);
	missing = ~(data[0].permitted | (uint64_t)data[1].permitted << 32) & ((CAP(CHECKPOINT_RESTORE) << 1) - 1);
	if (!missing) {
		print_message("skipped: this process has every capability\n");
		skip();
	}
	missing &= ~missing + 1;
	set_caps(f->spec, CAP(CHOWN) | missing, CAP(CHOWN) | missing, 0, 0);
	fixture_run(f, STATUS, NULL, &result);
	assert_int_equal(result.r, -MRG_E_PERMISSION);
	assert_non_null(strstr(result.err.message, "CAP_"));
}

static void test_all_capabilities_means_those_we_have(void **state)
{
	struct fixture *f = fixture_of(state);
	static struct result result;

	set_caps(f->spec, UINT64_MAX, UINT64_MAX, 0, 0);
	run(f, STATUS, &result);
	assert_int_not_equal(cap(&result, "CapEff") & CAP(SYS_ADMIN), 0);
}

static void test_users(void **state)
{
	static const struct {
		const char *user, *uid, *gid, *groups, *home;
	} rows[] = {
		{ "joe", "1000\t1000\t1000\t1000", "100\t100\t100\t100", "10 44 100", "/tmp" },
		{ "1000", "1000\t1000\t1000\t1000", "100\t100\t100\t100", "10 44 100", "/tmp" },
		{ "joe:other", "1000\t1000\t1000\t1000", "45\t45\t45\t45", "45", "/tmp" },
		{ "joe:7", "1000\t1000\t1000\t1000", "7\t7\t7\t7", "7", "/tmp" },
		{ "4000", "4000\t4000\t4000\t4000", "0\t0\t0\t0", "0", "/" },
		{ "4000:5000", "4000\t4000\t4000\t4000", "5000\t5000\t5000\t5000", "5000", "/" },
		{ "77", "77\t77\t77\t77", "0\t0\t0\t0", "0", "/" },	/* a user named 77 is not uid 77 */
		{ "0", "0\t0\t0\t0", "0\t0\t0\t0", "0", "/root" },
		{ "4294967294", "4294967294\t4294967294\t4294967294\t4294967294", "0\t0\t0\t0", "0", "/" },
	};
	struct fixture *f = fixture_of(state);
	static struct result result;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char home[64];

		f->spec->user = rows[i].user;
		run(f, STATUS "; echo HOME=$HOME", &result);
		assert_field(&result, "Uid", rows[i].uid);
		assert_field(&result, "Gid", rows[i].gid);
		assert_field(&result, "Groups", rows[i].groups);
		snprintf(home, sizeof(home), "HOME=%s\n", rows[i].home);
		assert_non_null(strstr(result.out, home));
	}
}

static void test_numbers_of_oci(void **state)
{
	struct fixture *f = fixture_of(state);
	uint32_t more[] = { 44, 4321 };
	static struct result result;

	f->spec->uid = 1000;
	f->spec->gid = 7;
	f->spec->additional_gids.item = more;
	f->spec->additional_gids.n = 2;
	run(f, STATUS, &result);
	assert_field(&result, "Uid", "1000\t1000\t1000\t1000");
	assert_field(&result, "Gid", "7\t7\t7\t7");
	assert_field(&result, "Groups", "7 44 4321");
}

static void refused(struct fixture *f, const char *user, const char *text)
{
	static struct result result;

	f->spec->user = user;
	fixture_run(f, "exit 0", NULL, &result);
	if (result.r == 0 || !strstr(result.err.message, text))
		print_message("'%s': %d %s\n", user, result.r, result.err.message);
	assert_int_equal(result.r, -MRG_E_INVALID);
	assert_non_null(strstr(result.err.message, text));
}

static void test_users_refused(void **state)
{
	struct fixture *f = fixture_of(state);

	refused(f, "nobody-here", "user 'nobody-here'");
	refused(f, "joe:nogroup", "group 'nogroup'");
	refused(f, "4294967295", "out of range");
	refused(f, "99999999999999999999", "out of range");
	refused(f, "-1", "user '-1'");
	refused(f, "", "empty");
	refused(f, "joe:", "empty");
}

static void replace(struct fixture *f, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s%s", f->root, name);
	unlink(path);
}

static void test_passwd_fifo_does_not_hang(void **state)
{
	struct fixture *f = fixture_of(state);
	char path[256];

	replace(f, "/etc/passwd");
	snprintf(path, sizeof(path), "%s/etc/passwd", f->root);
	assert_int_equal(mkfifo(path, 0644), 0);
	refused(f, "joe", "not a regular file");
}

static void test_passwd_too_large(void **state)
{
	struct fixture *f = fixture_of(state);
	char path[256];

	snprintf(path, sizeof(path), "%s/etc/passwd", f->root);
	assert_int_equal(truncate(path, 1L << 30), 0);
	refused(f, "joe", "larger than");
}

static void test_passwd_link_stays_inside(void **state)
{
	struct fixture *f = fixture_of(state);
	char path[256];

	/* Outside it would name a file with a user "root"; inside there is none. */
	replace(f, "/etc/passwd");
	snprintf(path, sizeof(path), "%s/etc/passwd", f->root);
	assert_int_equal(symlink("../../../../../../etc/gshadow", path), 0);
	refused(f, "root", "not in /etc/passwd");
}

static void test_passwd_odd_lines(void **state)
{
	struct fixture *f = fixture_of(state);
	char *text = malloc(200000);
	static struct result result;
	size_t length;

	assert_non_null(text);
	length = (size_t)sprintf(text, "joe\njoe:x\njoe:x:-1:0::/:\njoe:x:5 :0::/:\njoe:x:4294967295:0::/:\n:::::::\n\njoe:x:1:1:");
	memset(text + length, 'a', 100000);
	strcpy(text + length + 100000, ":/:\njoe:x:31:32:a:/h:/bin/sh:more\njoe:x:6:6::/:\n");
	fixture_file(f, "/etc/passwd", text, 0644);
	free(text);
	f->spec->user = "joe";
	run(f, STATUS, &result);
	assert_field(&result, "Uid", "31\t31\t31\t31");
}

static void test_no_databases(void **state)
{
	struct fixture *f = fixture_of(state);
	static struct result result;

	replace(f, "/etc/passwd");
	replace(f, "/etc/group");
	refused(f, "joe", "not in /etc/passwd");
	f->spec->user = "1000";
	run(f, STATUS, &result);
	assert_field(&result, "Uid", "1000\t1000\t1000\t1000");
}

static void test_no_new_privileges(void **state)
{
	struct fixture *f = fixture_of(state);
	static struct result result;

	run(f, STATUS, &result);
	assert_field(&result, "NoNewPrivs", "0");
	f->spec->no_new_privileges = 1;
	run(f, STATUS, &result);
	assert_field(&result, "NoNewPrivs", "1");
}

static void test_filter_loads_with_and_without_no_new_privs(void **state)
{
	static const char *const users[] = { NULL, "joe" };
	struct fixture *f = fixture_of(state);
	static struct result result;

	f->spec->seccomp_profile = "default";
	set_caps(f->spec, CAP(CHOWN), CAP(CHOWN), 0, 0);
	for (int i = 0; i < 4; i++) {
		f->spec->user = users[i / 2];
		f->spec->no_new_privileges = i % 2;
		run(f, STATUS, &result);
		assert_field(&result, "Seccomp", "2");
		assert_int_equal(cap(&result, "CapEff"), i / 2 ? 0 : CAP(CHOWN));
	}
}

static void test_privileged_exec_keeps_bounding(void **state)
{
	char sh[] = "/bin/sh", option[] = "-c", script[] = STATUS, *args[] = { sh, option, script, NULL };
	struct mrg_command command = { .args = args };
	struct fixture *f = fixture_of(state);
	static struct result result;

	set_caps(f->spec, CAP(CHOWN) | CAP(KILL), CAP(CHOWN), 0, 0);
	command.privileged = 1;
	fixture_run(f, NULL, &command, &result);
	assert_int_equal(result.r, 0);
	assert_int_equal(cap(&result, "CapEff"), CAP(CHOWN) | CAP(KILL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_capability_model, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_user_without_ambient_has_nothing, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_capability_we_lack_is_refused, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_all_capabilities_means_those_we_have, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_users, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_numbers_of_oci, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_users_refused, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_passwd_fifo_does_not_hang, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_passwd_too_large, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_passwd_link_stays_inside, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_passwd_odd_lines, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_no_databases, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_no_new_privileges, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_filter_loads_with_and_without_no_new_privs, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_privileged_exec_keeps_bounding, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
