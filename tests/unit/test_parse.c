/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parsers of what users type: the whole string or nothing, and never a wrong number. */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/util/cleanup.h"
#include "core/util/str.h"

static void test_uint64(void **state)
{
	static const char *const bad[] = { "", " 1", "1 ", "+1", "-1", "0x10", "1.0", "a" };
	uint64_t value = 7;

	(void)state;
	assert_int_equal(parse_uint64("18446744073709551615", &value), 0);
	assert_true(value == UINT64_MAX);
	assert_int_equal(parse_uint64("18446744073709551616", &value), -ERANGE);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse_uint64(bad[i], &value), -EINVAL);
	assert_true(value == UINT64_MAX);
}

static void test_uint32(void **state)
{
	uint32_t value = 7;

	(void)state;
	assert_int_equal(parse_uint32("4294967295", &value), 0);
	assert_int_equal(value, UINT32_MAX);
	assert_int_equal(parse_uint32("4294967296", &value), -ERANGE);
	assert_int_equal(value, UINT32_MAX);
}

static void test_int64(void **state)
{
	int64_t value;

	(void)state;
	assert_int_equal(parse_int64("-9223372036854775807", &value), 0);
	assert_true(value == -INT64_MAX);
	assert_int_equal(parse_int64("9223372036854775808", &value), -ERANGE);
	assert_int_equal(parse_int64("--1", &value), -EINVAL);
	assert_int_equal(parse_int64("-", &value), -EINVAL);
}

static void test_size(void **state)
{
	static const struct { const char *text; int64_t value; } good[] = {
		{ "0", 0 }, { "4096", 4096 }, { "4096b", 4096 }, { "1k", 1024 }, { "1K", 1024 }, { "1KiB", 1024 },
		{ "1kb", 1024 }, { "64M", 64 << 20 }, { "1.5G", INT64_C(3) << 29 }, { "2T", INT64_C(2) << 40 },
		{ "max", -1 }, { "infinity", -1 }, { "unlimited", -1 }, { "-1", -1 }, { "7E", INT64_C(7) << 60 },
	};
	static const char *const bad[] = { "", "M", "1Mx", "1bb", "1bi", "-2", "1 M", "1.M", ".5M", "lots", "0x1" };
	static const char *const large[] = { "8E", "9223372036854775808", "99999999999999999999" };
	int64_t value;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(parse_size(good[i].text, &value), 0);
		assert_true(value == good[i].value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse_size(bad[i], &value), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(large); i++)
		assert_int_equal(parse_size(large[i], &value), -ERANGE);
}

static void test_duration(void **state)
{
	static const struct { const char *text; int64_t ms; } good[] = {
		{ "10", 10000 }, { "0", 0 }, { "1.5s", 1500 }, { "2m", 120000 }, { "1h30m", 5400000 }, { "500ms", 500 },
		{ "1d", 86400000 }, { "1min30s", 90000 }, { "0.001", 1 }, { "1.0005s", 1000 },
	};
	static const char *const bad[] = { "", "s", "1x", "1h30", "-1", "1.", "1 s", "1mm" };
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(parse_duration_ms(good[i].text, &ms), 0);
		assert_true(ms == good[i].ms);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse_duration_ms(bad[i], &ms), -EINVAL);
	assert_int_equal(parse_duration_ms("99999999999999999d", &ms), -ERANGE);
}

static void test_bool(void **state)
{
	static const char *const yes[] = { "yes", "true", "on", "1", "YES" }, *const no[] = { "no", "false", "off", "0" };
	bool value;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		assert_int_equal(parse_bool(yes[i], &value), 0);
		assert_true(value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
		assert_int_equal(parse_bool(no[i], &value), 0);
		assert_false(value);
	}
	assert_int_equal(parse_bool("y", &value), -EINVAL);
	assert_int_equal(parse_bool("", &value), -EINVAL);
}

static void test_signal_names(void **state)
{
	(void)state;
	assert_int_equal(parse_signal("TERM"), SIGTERM);
	assert_int_equal(parse_signal("SIGTERM"), SIGTERM);
	assert_int_equal(parse_signal("sigint"), SIGINT);
	assert_int_equal(parse_signal("15"), SIGTERM);
	assert_int_equal(parse_signal("RTMIN"), SIGRTMIN);
	assert_int_equal(parse_signal("SIGRTMIN+3"), SIGRTMIN + 3);
	assert_int_equal(parse_signal("0"), -EINVAL);
	assert_int_equal(parse_signal("65"), -EINVAL);
	assert_int_equal(parse_signal("RTMIN+99"), -EINVAL);
	assert_int_equal(parse_signal("RTMIN-1"), -EINVAL);
	assert_int_equal(parse_signal("NOPE"), -EINVAL);
	assert_int_equal(parse_signal(""), -EINVAL);
}

static void test_signals_come_back(void **state)
{
	char name[16];

	(void)state;
	for (int signo = 1; signo <= SIGRTMAX; signo++)
		assert_int_equal(parse_signal(signal_name(signo, name)), signo);
}

static void test_capabilities_come_back(void **state)
{
	(void)state;
	for (unsigned int i = 0; i <= CAPABILITY_LAST; i++)
		assert_int_equal(parse_capability(capability_name(i)), i);
	assert_null(capability_name(CAPABILITY_LAST + 1));
}

static void test_capability_spellings(void **state)
{
	(void)state;
	assert_int_equal(parse_capability("CAP_SYS_ADMIN"), 21);
	assert_int_equal(parse_capability("cap_sys_admin"), 21);
	assert_int_equal(parse_capability("SYS_ADMIN"), 21);
	assert_int_equal(parse_capability("ADMIN"), -EINVAL);
	assert_int_equal(parse_capability("CAP_"), -EINVAL);
	assert_int_equal(parse_capability(""), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uint64), cmocka_unit_test(test_uint32), cmocka_unit_test(test_int64),
		cmocka_unit_test(test_size), cmocka_unit_test(test_duration), cmocka_unit_test(test_bool),
		cmocka_unit_test(test_signal_names), cmocka_unit_test(test_signals_come_back),
		cmocka_unit_test(test_capabilities_come_back), cmocka_unit_test(test_capability_spellings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
