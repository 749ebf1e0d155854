/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the doctor concludes from texts that are there on hosts with several managers. */

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/doctor/doctor.h"
#include "core/util/cleanup.h"

static void test_ranges(_unused_ void **state)
{
	static const struct {
		const char *text;
		const char *clashes;	/* pairs of users */
	} cases[] = {
		{ "", "" },
		{ "a:100000:65536\nb:165536:65536\n", "" },
		{ "a:100000:65536\nb:165535:1\n", "a-b " },
		{ "a:100000:65536\nb:100000:65536\nc:165535:2\n", "a-b a-c b-c " },
		{ "a:100000:65536\na:100000:10\n", "" },			/* its own twice */
		{ "root:1000000:1000000000\nlxd:1000000:1000000000", "root-lxd " },
		{ "a:0:4294967295\nb:4294967294:1\n", "a-b " },
		/* What is no range is passed over. */
		{ "#a:1:10\nb:1:10\n", "" },
		{ "a\n:\n::\na:x:1\na:1:x\na:-1:5\na:1:0\nb:1:18446744073709551615\nc:1:10\n", "" },
		{ "a:18446744073709551615:10\nb:1:10\n", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char found[256] = "";

		for (size_t skip = 0;; skip++) {
			_cleanup_free_ char *text = strdup(cases[i].text);
			struct subid_clash clash;
			size_t length = strlen(found);

			if (subids_clash(text, skip, &clash) == 0)
				break;
			snprintf(found + length, sizeof(found) - length, "%s-%s ", clash.a.user, clash.b.user);
		}
		assert_string_equal(found, cases[i].clashes);
	}
}

/* More lines than are compared: bounded, and no crash. */
static void test_many_ranges(_unused_ void **state)
{
	char *text = malloc(1 << 20), *at = text;
	struct subid_clash clash;

	assert_non_null(text);
	for (int i = 0; i < 20000; i++)
		at += sprintf(at, "user%d:%d:10\n", i, i * 10);
	assert_int_equal(subids_clash(text, 0, &clash), 0);
	free(text);
}

/* As iptables 1.8 prints them with Docker 20.10 and libvirt 9. */
#define DOCKER                                                                                                      \
	"-P INPUT ACCEPT\n-P FORWARD DROP\n-P OUTPUT ACCEPT\n-N DOCKER\n-N DOCKER-ISOLATION-STAGE-1\n-N DOCKER-USER\n" \
	"-A FORWARD -j DOCKER-USER\n-A FORWARD -j DOCKER-ISOLATION-STAGE-1\n"                                       \
	"-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A FORWARD -o docker0 -j DOCKER\n" \
	"-A FORWARD -i docker0 ! -o docker0 -j ACCEPT\n-A FORWARD -i docker0 -o docker0 -j ACCEPT\n"                \
	"-A DOCKER-ISOLATION-STAGE-1 -j RETURN\n"

static void test_forwarding(_unused_ void **state)
{
	static const struct {
		const char *rules, *bridge;
		bool drops;
	} cases[] = {
		{ "", "lxcbr0", false },
		{ "-P FORWARD ACCEPT\n", "lxcbr0", false },
		{ "-P FORWARD DROP\n", "lxcbr0", true },
		{ DOCKER "-A DOCKER-USER -j RETURN\n", "lxcbr0", true },
		{ DOCKER "-A DOCKER-USER -j RETURN\n", "docker0", false },
		{ DOCKER "-A DOCKER-USER -i lxcbr0 -j ACCEPT\n-A DOCKER-USER -j RETURN\n", "lxcbr0", false },
		{ DOCKER "-A DOCKER-USER -i lxcbr00 -j ACCEPT\n", "lxcbr0", true },	/* another bridge */
		{ DOCKER "-A DOCKER-USER -i lxcbr0 -j DROP\n", "lxcbr0", true },
		{ DOCKER "-A OTHER -i lxcbr0 -j ACCEPT\n", "lxcbr0", true },		/* nothing leads there */
		{ DOCKER "-N LIBVIRT_FWO\n-A FORWARD -j LIBVIRT_FWO\n-A LIBVIRT_FWO -s 192.168.122.0/24 -i virbr0 -j ACCEPT\n", "virbr0", false },
		{ "-P FORWARD DROP\n-A FORWARD -j ACCEPT\n", "lxcbr0", false },
		{ "-P FORWARD DROP\n-A FORWARD -i lxcbr0 -j ACCEPT", "lxcbr0", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (forward_drops(cases[i].rules, cases[i].bridge) != cases[i].drops)
			fail_msg("case %zu", i);
}

static void test_subnets(_unused_ void **state)
{
#define NET(a, b, c, d, prefix_)	{ .address = (uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d), .prefix = prefix_ }
	static const struct {
		struct subnet a, b;
		bool overlap;
	} cases[] = {
		{ NET(10, 0, 3, 1, 24), NET(10, 0, 3, 1, 24), true },
		{ NET(10, 0, 3, 1, 24), NET(10, 0, 4, 1, 24), false },
		{ NET(10, 0, 3, 1, 24), NET(10, 0, 4, 1, 16), true },
		{ NET(172, 17, 0, 1, 16), NET(172, 18, 0, 1, 16), false },
		{ NET(192, 168, 122, 1, 32), NET(192, 168, 122, 2, 32), false },
		{ NET(192, 168, 122, 1, 0), NET(10, 0, 0, 1, 24), true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(subnets_overlap(&cases[i].a, &cases[i].b), cases[i].overlap);
		assert_int_equal(subnets_overlap(&cases[i].b, &cases[i].a), cases[i].overlap);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_many_ranges),
		cmocka_unit_test(test_forwarding),
		cmocka_unit_test(test_subnets),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
