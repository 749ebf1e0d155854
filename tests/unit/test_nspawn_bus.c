/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Assignments of units as properties of D-Bus, read back from a message that goes nowhere. */

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

#include "backends/nspawn/bus.h"

struct post {
	struct bus_api api;
	sd_bus *bus;
	sd_bus_message *message;
	int other;			/* end of the connection */
};

static int setup(void **state)
{
	struct post *post = calloc(1, sizeof(*post));
	int ends[2];

	assert_non_null(post);
	assert_int_equal(bus_api_load(&post->api, NULL), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	post->other = ends[1];
	assert_true(sd_bus_new(&post->bus) >= 0 && sd_bus_set_fd(post->bus, ends[0], ends[0]) >= 0 && sd_bus_start(post->bus) >= 0);
	assert_true(sd_bus_message_new_method_call(post->bus, &post->message, "a.b", "/a", "a.b", "C") >= 0);
	*state = post;
	return 0;
}

static int teardown(void **state)
{
	struct post *post = *state;

	sd_bus_message_unref(post->message);
	sd_bus_close_unref(post->bus);
	close(post->other);
	free(post);
	return 0;
}

/* Adds the property and enters it, up to its value. */
static void add(struct post *post, const char *assignment, const char *property, const char *type)
{
	const char *name;

	assert_int_equal(bus_add_property(&post->api, post->message, assignment), 1);
	assert_true(sd_bus_message_seal(post->message, 1, 0) >= 0 && sd_bus_message_rewind(post->message, 1) >= 0);
	assert_true(sd_bus_message_enter_container(post->message, 'r', "sv") > 0);
	assert_true(sd_bus_message_read(post->message, "s", &name) > 0);
	assert_string_equal(name, property);
	assert_true(sd_bus_message_enter_container(post->message, 'v', type) > 0);
}

#define NUMBER(name_, assignment_, property_, expected_)					\
	static void name_(void **state)							\
	{										\
		struct post *post = *state;						\
		uint64_t number = 0;							\
											\
		add(post, assignment_, property_, "t");					\
		assert_true(sd_bus_message_read(post->message, "t", &number) > 0);	\
		assert_int_equal(number, expected_);					\
	}

NUMBER(bytes, "MemoryMax=1048576", "MemoryMax", 1048576)
NUMBER(no_limit, "TasksMax=infinity", "TasksMax", UINT64_MAX)
NUMBER(idle_weight, "CPUWeight=idle", "CPUWeight", 0)
NUMBER(percentage, "CPUQuota=12.50%", "CPUQuotaPerSecUSec", 125000)
NUMBER(no_quota, "CPUQuota=", "CPUQuotaPerSecUSec", UINT64_MAX)
NUMBER(period, "CPUQuotaPeriodSec=20ms", "CPUQuotaPeriodUSec", 20000)

static void processors(void **state)
{
	struct post *post = *state;
	const uint8_t expected[] = { 0x03, 0x02 };
	const void *bits;
	size_t length;

	add(post, "AllowedCPUs=0-1,9", "AllowedCPUs", "ay");
	assert_true(sd_bus_message_read_array(post->message, 'y', &bits, &length) > 0);
	assert_int_equal(length, sizeof(expected));
	assert_memory_equal(bits, expected, sizeof(expected));
}

static void rates(void **state)
{
	struct post *post = *state;
	const char *device;
	uint64_t rate;

	add(post, "IOReadBandwidthMax=/dev/block/254:0 1000", "IOReadBandwidthMax", "a(st)");
	assert_true(sd_bus_message_read(post->message, "a(st)", 1, &device, &rate) > 0);
	assert_string_equal(device, "/dev/block/254:0");
	assert_int_equal(rate, 1000);
}

static void devices(void **state)
{
	struct post *post = *state;
	const char *device, *access;

	add(post, "DeviceAllow=char-pts rwm", "DeviceAllow", "a(ss)");
	assert_true(sd_bus_message_read(post->message, "a(ss)", 1, &device, &access) > 0);
	assert_string_equal(device, "char-pts");
	assert_string_equal(access, "rwm");
}

static void others_are_left_out(void **state)
{
	static const char *const others[] = { "Description=x", "MemoryMaximum=1", "Memory=1", "MemoryMax", "" };
	struct post *post = *state;

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_int_equal(bus_add_property(&post->api, post->message, others[i]), 0);
}

static void what_is_no_value_is_an_error(void **state)
{
	static const char *const bad[] = {
		"MemoryMax=", "MemoryMax=x", "MemoryMax=-1", "CPUQuota=1", "CPUQuotaPeriodSec=1", "AllowedCPUs=x", "AllowedCPUs=3-1",
		"AllowedCPUs=0-99999", "IOReadIOPSMax=/dev/vda", "IOReadIOPSMax=/dev/vda x", "DeviceAllow=/dev/null",
	};
	struct post *post = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(bus_add_property(&post->api, post->message, bad[i]), -EINVAL);
}

#define TEST(function)	cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes), TEST(no_limit), TEST(idle_weight), TEST(percentage), TEST(no_quota), TEST(period), TEST(processors), TEST(rates),
		TEST(devices), TEST(others_are_left_out), TEST(what_is_no_value_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
