/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parsers of procfs text that a container can shape, facts as text, audits kept and compared. */

#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/audit/audit.h"
#include "core/util/str.h"

#define STATUS	"Name:\tx\\nCapEff:\\t0\nUmask:\t0022\nUid:\t0\t1000\t0\t0\nGid:\t0\t7\t0\t0\nGroups:\t6 20 27\n"	\
		"CapInh:\t0000000000000001\nCapPrm:\t0000000000000002\nCapEff:\t0000000000000004\nCapBnd:\t000001ffffffffff\n"	\
		"CapAmb:\t0000000000000010\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t3\n"

static void test_status(void **state)
{
	struct audit_status s;

	(void)state;
	assert_int_equal(audit_parse_status(STATUS, &s), 0);
	assert_int_equal(s.uid, 1000);
	assert_int_equal(s.gid, 7);
	assert_int_equal(s.n_groups, 3);
	assert_int_equal(s.groups[2], 27);
	assert_int_equal(s.umask, 022);
	assert_true(s.caps[AUDIT_INHERITABLE] == 1 && s.caps[AUDIT_PERMITTED] == 2 && s.caps[AUDIT_EFFECTIVE] == 4);
	assert_true(s.caps[AUDIT_BOUNDING] == UINT64_C(0x1ffffffffff) && s.caps[AUDIT_AMBIENT] == 16);
	assert_true(s.no_new_privs == 1 && s.seccomp == 2 && s.filters == 3);
}

/* Every text that is cut short is an error or all there is, never read beyond. */
static void test_status_cut(void **state)
{
	(void)state;
	for (size_t n = 0; n < strlen(STATUS); n++) {
		_cleanup_free_ char *text = strndup(STATUS, n);
		struct audit_status s;
		int r = audit_parse_status(text, &s);

		assert_true(r == 0 || r == -EPROTO);
		if (n < strlen(STATUS) - 80)
			assert_int_equal(r, -EPROTO);
	}
}

static void test_groups_are_bounded(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct buffer b = { 0 };
	struct audit_status s;

	(void)state;
	buffer_addf(&b, "%s", STATUS);
	text = b.text;
	b = (struct buffer){ 0 };
	buffer_addf(&b, "Groups:\t");
	for (int i = 0; i < 10000; i++)
		buffer_addf(&b, "%d ", i);
	buffer_addf(&b, "\n%s", text);
	assert_int_equal(audit_parse_status(b.text, &s), 0);
	assert_int_equal(s.n_groups, AUDIT_GROUPS);
	buffer_deinit(&b);
}

static void test_maps(void **state)
{
	static const char *const bad[] = { "0 0", "0 0 0", "x", "4294967295 0 2", "0 4294967295 2", "-", "0 0 1 0 0" };
	struct audit_maps maps;
	uint32_t id;

	(void)state;
	assert_int_equal(audit_parse_map("         0     100000      65536\n     70000 5 1\n", &maps), 0);
	assert_int_equal(maps.n, 2);
	assert_true(audit_map_find(&maps, 65535, &id) && id == 165535);
	assert_true(audit_map_find(&maps, 70000, &id) && id == 5);
	assert_false(audit_map_find(&maps, 65536, &id));
	assert_int_equal(audit_parse_map("", &maps), 0);
	assert_int_equal(maps.n, 0);
	assert_int_equal(audit_parse_map("0 0 4294967295\n", &maps), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(audit_parse_map(bad[i], &maps), -EPROTO);
}

static void test_too_many_maps(void **state)
{
	struct buffer b = { 0 };
	struct audit_maps maps;

	(void)state;
	for (int i = 0; i < AUDIT_MAPS + 1; i++)
		buffer_addf(&b, "%d %d 1\n", i, i);
	assert_int_equal(audit_parse_map(b.text, &maps), -EPROTO);
	buffer_deinit(&b);
}

static void test_mounts(void **state)
{
	char *text = strdup("309 302 0:71 / /run rw,nosuid shared:100 master:7 - tmpfs tmpfs rw,size=4936732k\n"
			    "310 309 254:0 /a\\040b /mnt\\011\\134x\\033[31m ro - ext4 /dev/vda rw\n");
	struct audit_mounts mounts;

	(void)state;
	assert_int_equal(audit_parse_mounts(text, &mounts), 0);
	assert_int_equal(mounts.n, 2);
	assert_true(mounts.item[0].id == 309 && mounts.item[0].shared == 100 && mounts.item[0].master == 7 && mounts.item[0].minor == 71);
	assert_string_equal(mounts.item[0].super, "rw,size=4936732k");
	assert_string_equal(mounts.item[1].root, "/a b");
	assert_string_equal(mounts.item[1].target, "/mnt\t\\x\033[31m");
	assert_string_equal(mounts.item[1].type, "ext4");
	assert_int_equal(mounts.item[1].shared, 0);
	audit_mounts_deinit(&mounts);
}

static void test_bad_mounts(void **state)
{
	static const char *const bad[] = { "x", "1 2", "1 2 3 / / rw - a b c", "1 2 0:1 / /", "1 2 0:1 / / rw", "1 2 0:1 / / rw shared:1", "1 2 0:1 / / rw - ext4", " \n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_free_ char *text = strdup(bad[i]);
		struct audit_mounts mounts;

		assert_int_equal(audit_parse_mounts(text, &mounts), -EPROTO);
	}
}

static void test_limits(void **state)
{
	static const char text[] = "Limit                     Soft Limit           Hard Limit           Units     \n"
				   "Max core file size        0                    unlimited            bytes     \n"
				   "Max open files            1024                 524288               files     \n";
	uint64_t soft, hard;

	(void)state;
	assert_int_equal(audit_parse_limit(text, "Max core file size", &soft, &hard), 0);
	assert_true(soft == 0 && hard == UINT64_MAX);
	assert_int_equal(audit_parse_limit(text, "Max open files", &soft, &hard), 0);
	assert_true(soft == 1024 && hard == 524288);
	assert_int_equal(audit_parse_limit(text, "Max nothing", &soft, &hard), -EPROTO);
	assert_int_equal(audit_parse_limit("Max open files 1", "Max open files", &soft, &hard), -EPROTO);
}

static void test_below(void **state)
{
	(void)state;
	assert_true(audit_is_below("/etc/passwd", "/etc"));
	assert_true(audit_is_below("/etc", "/etc"));
	assert_true(audit_is_below("/etc", "/"));
	assert_false(audit_is_below("/etcetera", "/etc"));
	assert_false(audit_is_below("/", "/etc"));
}

static void test_clean(void **state)
{
	static const char hostile[] = "a\033]0;x\a\n\xff\xc2\x9b \xc3\xa9";
	_cleanup_free_ char *text = audit_clean(hostile, sizeof(hostile) - 1), *empty = audit_clean("", 0);

	(void)state;
	assert_string_equal(text, "a\\x1b]0;x\\x07\\x0a\\xff\\xc2\\x9b \xc3\xa9");
	assert_string_equal(empty, "");
}

static void test_devices(void **state)
{
	(void)state;
	assert_int_equal(audit_device_severity('c', 1, 3), MRG_SEVERITY_NONE);
	assert_int_equal(audit_device_severity('c', 136, 7), MRG_SEVERITY_NONE);
	assert_int_equal(audit_device_severity('c', 1, 1), MRG_SEVERITY_CRITICAL);
	assert_int_equal(audit_device_severity('c', 1, -1), MRG_SEVERITY_CRITICAL);
	assert_int_equal(audit_device_severity('b', 8, 0), MRG_SEVERITY_CRITICAL);
	assert_int_equal(audit_device_severity('c', -1, -1), MRG_SEVERITY_MEDIUM);
}

/* ---- kept and compared ------------------------------------------------------------------------- */

static struct mrg_audit *make(const char *facts)
{
	_cleanup_free_ char *text = NULL;
	struct mrg_audit *audit = NULL;
	struct mrg_error err = { 0 };

	assert_true(asprintf(&text, "{\"schema\":\"moorage/audit/v1\",\"name\":\"a\",\"backend\":\"native\",\"pid\":7,\"facts\":[%s]}", facts) > 0);
	if (mrg_audit_parse(text, strlen(text), &audit, &err) < 0)
		fail_msg("%s", err.message);
	return audit;
}

#define FACT(check, item, exposure)	"{\"check\":\"" check "\",\"item\":\"" item "\",\"value\":\"v\",\"source\":\"s\",\"exposure\":" exposure "}"

static void test_round_trip(void **state)
{
	struct mrg_audit *a = make(FACT("x", "\\u001b \\\"q\\\"", "3") "," FACT("limit", "pids", "null")), *b = NULL;
	_cleanup_free_ char *text = NULL;

	(void)state;
	assert_int_equal(mrg_audit_emit(a, &text, NULL), 0);
	assert_int_equal(mrg_audit_parse(text, strlen(text), &b, NULL), 0);
	assert_int_equal(b->n_facts, 2);
	assert_string_equal(b->facts[0].item, "\\x1b \"q\"");
	assert_true(b->facts[0].exposure == 3 && b->facts[1].exposure == UINT64_MAX);
	assert_int_equal(mrg_audit_process(b), 7);
	assert_int_equal(mrg_audit_compare(a, b, NULL, NULL), 0);
	mrg_audit_free(a);
	mrg_audit_free(b);
}

static void test_bad_audits(void **state)
{
	static const char *const bad[] = {
		"", "{", "[]", "7", "null", "[1]", "{}", "{\"schema\":\"moorage/audit/v2\",\"name\":\"\",\"backend\":\"\",\"facts\":[]}",
		"{\"schema\":\"moorage/audit/v1\",\"name\":\"\",\"backend\":\"\",\"facts\":7}",
		"{\"schema\":\"moorage/audit/v1\",\"name\":\"\",\"backend\":\"\",\"facts\":[7]}",
		"{\"schema\":\"moorage/audit/v1\",\"name\":\"\",\"backend\":\"\",\"facts\":[{\"check\":\"a\"}]}",
		"{\"schema\":\"moorage/audit/v1\",\"name\":\"\",\"backend\":\"\",\"facts\":[" FACT("a", "b", "-1") "]}",
		"{\"schema\":\"moorage/audit/v1\",\"name\":\"\",\"backend\":\"\",\"facts\":[" FACT("a", "b", "\"1\"") "]}",
		"{\"schema\":7,\"name\":\"\",\"backend\":\"\",\"facts\":[]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct mrg_audit *audit = NULL;
		struct mrg_error err = { 0 };

		assert_true(mrg_audit_parse(bad[i], strlen(bad[i]), &audit, &err) < 0);
		assert_true(err.message[0] != '\0');
		assert_null(audit);
	}
}

struct seen {
	int weaker, stronger, one_sided;
};

static int see(const struct mrg_audit_difference *d, void *data)
{
	struct seen *seen = data;

	seen->weaker += d->weaker > 0;
	seen->stronger += d->weaker < 0;
	seen->one_sided += !d->a || !d->b;
	return 0;
}

static int refuse(const struct mrg_audit_difference *d, void *data)
{
	(void)d;
	(void)data;
	return -EIO;
}

static void test_compare(void **state)
{
	struct mrg_audit *a = make(FACT("capability", "KILL", "2") "," FACT("limit", "pids", "100") "," FACT("seccomp", "", "0") "," FACT("unmasked", "/proc/keys", "0"));
	struct mrg_audit *b = make(FACT("seccomp", "", "0") "," FACT("limit", "pids", "null") "," FACT("device", "/dev/kvm", "3") "," FACT("capability", "KILL", "1"));
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(mrg_audit_compare(a, b, see, &seen), 2);
	assert_true(seen.weaker == 2 && seen.stronger == 1 && seen.one_sided == 1);
	assert_int_equal(mrg_audit_compare(b, a, NULL, NULL), 1);
	assert_int_equal(mrg_audit_compare(a, a, refuse, NULL), 0);
	assert_int_equal(mrg_audit_compare(a, b, refuse, NULL), -EIO);
	mrg_audit_free(a);
	mrg_audit_free(b);
}

/* ---- programs of BPF: what cannot be read is not known, and neither safe nor weak ---- */

static void test_device_programs(void **state)
{
	static const struct {
		bool rules;
		int n;
		const char *check, *value;	/* NULL: nothing is told */
		bool all;
	} cases[] = {
		{ false, 2, "device-program", "not known: BPF program 7, 4294967295 decides, and tells only who tries", false },
		{ true, 2, "device-program", "not known: BPF program 7, 4294967295 decides, and tells only who tries", false },
		{ false, -EPERM, "device-program", "not known: this user may not ask for them", false },
		{ false, 0, "device-rules", "every device may be opened: there is no program", true },
		{ true, 0, NULL, NULL, false },
	};
	static const uint32_t ids[] = { 7, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct audit_reading r = { .audit = calloc(1, sizeof(*r.audit)), .pid = 1, .host_root = true, .device_rules = cases[i].rules };

		assert_non_null(r.audit);
		audit_tell_programs(&r, ids, cases[i].n);
		assert_int_equal(r.audit->n_facts, cases[i].check != NULL);
		assert_int_equal(r.all_devices, cases[i].all);
		if (cases[i].check) {
			assert_string_equal(r.audit->facts[0].check, cases[i].check);
			assert_string_equal(r.audit->facts[0].value, cases[i].value);
			assert_int_equal(audit_judge(&r), 0);
			assert_int_equal(r.audit->findings[0].severity, cases[i].all ? MRG_SEVERITY_MEDIUM : MRG_SEVERITY_INFO);
		}
		mrg_audit_free(r.audit);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_device_programs),
		cmocka_unit_test(test_status), cmocka_unit_test(test_status_cut), cmocka_unit_test(test_groups_are_bounded),
		cmocka_unit_test(test_maps), cmocka_unit_test(test_too_many_maps), cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_bad_mounts), cmocka_unit_test(test_limits), cmocka_unit_test(test_below), cmocka_unit_test(test_clean),
		cmocka_unit_test(test_devices), cmocka_unit_test(test_round_trip), cmocka_unit_test(test_bad_audits), cmocka_unit_test(test_compare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
