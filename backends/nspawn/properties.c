/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Assignments of units as properties of D-Bus: those that limit, as the format writes them. */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"

#include "core/util/str.h"

#define CPUS_MAX	8192

/* A property and what stands for it in a unit. */
struct target {
	const struct bus_api *api;
	sd_bus_message *message;
	const char *property;
};

static int add_number(const struct target *t, uint64_t number)
{
	return t->api->sd_bus_message_append(t->message, "(sv)", t->property, "t", number);
}

static int add_size(const struct target *t, const char *value)
{
	uint64_t number = UINT64_MAX;

	return strcmp(value, "infinity") != 0 && parse_uint64(value, &number) < 0 ? -EINVAL : add_number(t, number);
}

/* That of a unit that may only use what is left over is 0. */
static int add_weight(const struct target *t, const char *value)
{
	return strcmp(value, "idle") == 0 ? add_number(t, 0) : add_size(t, value);
}

/* "12.50%" of a processor: microseconds per second. An empty one is no limit. */
static int add_percentage(const struct target *t, const char *value)
{
	unsigned long long whole, hundredths;
	int n = 0;

	if (!*value)
		return add_number(t, UINT64_MAX);
	if (sscanf(value, "%llu.%2llu%%%n", &whole, &hundredths, &n) != 2 || !n || value[n])
		return -EINVAL;
	return add_number(t, whole * 10000 + hundredths * 100);
}

static int add_milliseconds(const struct target *t, const char *value)
{
	unsigned long long number;
	int n = 0;

	return sscanf(value, "%llums%n", &number, &n) == 1 && n && !value[n] ? add_number(t, number * 1000) : -EINVAL;
}

static int add_text(const struct target *t, const char *value)
{
	return t->api->sd_bus_message_append(t->message, "(sv)", t->property, "s", value);
}

/* "0-3,5" sets bits. */
static int read_bits(const char *value, uint8_t bits[CPUS_MAX / 8], size_t *ret_length)
{
	size_t length = 0;

	while (*value) {
		unsigned int from, to;
		int n = 0, used = 0;

		if (sscanf(value, "%u%n", &from, &n) != 1)
			return -EINVAL;
		to = from;
		if (value[n] == '-' && sscanf(value + n, "-%u%n", &to, &used) != 1)
			return -EINVAL;
		if (to < from || to >= CPUS_MAX)
			return -EINVAL;
		for (unsigned int bit = from; bit <= to; bit++)
			bits[bit / 8] |= (uint8_t)(1U << bit % 8);
		length = to / 8 + 1 > length ? to / 8 + 1 : length;
		value += n + used;
		value += *value == ',';
	}
	*ret_length = length;
	return 0;
}

static int add_bits(const struct target *t, const char *value)
{
	uint8_t bits[CPUS_MAX / 8] = { 0 };
	size_t length;
	int r = read_bits(value, bits, &length);

	if (r == 0)
		r = t->api->sd_bus_message_open_container(t->message, 'r', "sv");
	if (r >= 0)
		r = t->api->sd_bus_message_append(t->message, "s", t->property);
	if (r >= 0)
		r = t->api->sd_bus_message_open_container(t->message, 'v', "ay");
	if (r >= 0)
		r = t->api->sd_bus_message_append_array(t->message, 'y', bits, length);
	if (r >= 0)
		r = t->api->sd_bus_message_close_container(t->message);
	return r < 0 ? r : t->api->sd_bus_message_close_container(t->message);
}

/* "DEVICE WORD", taken apart in place. */
static char *split(char *value)
{
	char *blank = strrchr(value, ' ');

	if (!blank)
		return NULL;
	*blank = '\0';
	return blank + 1;
}

static int add_rate(const struct target *t, const char *value)
{
	_cleanup_free_ char *device = strdup(value);
	char *word = device ? split(device) : NULL;
	uint64_t rate;

	if (!word || parse_uint64(word, &rate) < 0)
		return device ? -EINVAL : -ENOMEM;
	return t->api->sd_bus_message_append(t->message, "(sv)", t->property, "a(st)", 1, device, rate);
}

/* An empty one forgets those before. */
static int add_device(const struct target *t, const char *value)
{
	_cleanup_free_ char *device = strdup(value);
	char *access = device ? split(device) : NULL;

	if (!device)
		return -ENOMEM;
	if (!*value)
		return t->api->sd_bus_message_append(t->message, "(sv)", t->property, "a(ss)", 0);
	return access ? t->api->sd_bus_message_append(t->message, "(sv)", t->property, "a(ss)", 1, device, access) : -EINVAL;
}

static const struct {
	const char *key, *property;
	int (*add)(const struct target *t, const char *value);
} rows[] = {
	{ "MemoryMax", "MemoryMax", add_size },
	{ "MemoryHigh", "MemoryHigh", add_size },
	{ "MemoryLow", "MemoryLow", add_size },
	{ "MemoryMin", "MemoryMin", add_size },
	{ "MemorySwapMax", "MemorySwapMax", add_size },
	{ "TasksMax", "TasksMax", add_size },
	{ "CPUWeight", "CPUWeight", add_weight },
	{ "CPUShares", "CPUShares", add_size },
	{ "CPUQuota", "CPUQuotaPerSecUSec", add_percentage },
	{ "CPUQuotaPeriodSec", "CPUQuotaPeriodUSec", add_milliseconds },
	{ "AllowedCPUs", "AllowedCPUs", add_bits },
	{ "AllowedMemoryNodes", "AllowedMemoryNodes", add_bits },
	{ "IOWeight", "IOWeight", add_size },
	{ "BlockIOWeight", "BlockIOWeight", add_size },
	{ "IOReadBandwidthMax", "IOReadBandwidthMax", add_rate },
	{ "IOWriteBandwidthMax", "IOWriteBandwidthMax", add_rate },
	{ "IOReadIOPSMax", "IOReadIOPSMax", add_rate },
	{ "IOWriteIOPSMax", "IOWriteIOPSMax", add_rate },
	{ "DevicePolicy", "DevicePolicy", add_text },
	{ "DeviceAllow", "DeviceAllow", add_device },
};

int bus_add_property(const struct bus_api *api, sd_bus_message *message, const char *assignment)
{
	size_t length = strcspn(assignment, "=");

	for (size_t i = 0; i < ARRAY_SIZE(rows) && assignment[length]; i++) {
		struct target t = { api, message, rows[i].property };
		int r;

		if (strlen(rows[i].key) != length || memcmp(rows[i].key, assignment, length) != 0)
			continue;
		r = rows[i].add(&t, assignment + length + 1);
		return r < 0 ? r : 1;
	}
	return 0;
}
