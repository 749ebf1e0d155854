/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Strict parsers of what users type: the whole string or nothing. */

#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/util/cleanup.h"
#include "core/util/str.h"

/* Digits at the start of @text; moves @end behind them. */
static int parse_digits(const char *text, const char **end, uint64_t *ret)
{
	uint64_t value = 0;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	for (; isdigit((unsigned char)*text); text++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return -ERANGE;
	*end = text;
	*ret = value;
	return 0;
}

int parse_uint64(const char *text, uint64_t *ret)
{
	const char *end;
	uint64_t value;
	int r = parse_digits(text, &end, &value);

	if (r < 0)
		return r;
	if (*end)
		return -EINVAL;
	*ret = value;
	return 0;
}

int parse_uint32(const char *text, uint32_t *ret)
{
	uint64_t value;
	int r = parse_uint64(text, &value);

	if (r < 0)
		return r;
	if (value > UINT32_MAX)
		return -ERANGE;
	*ret = (uint32_t)value;
	return 0;
}

int parse_int64(const char *text, int64_t *ret)
{
	uint64_t value;
	int negative = text[0] == '-';
	int r = parse_uint64(text + negative, &value);

	if (r < 0)
		return r;
	if (value > (uint64_t)INT64_MAX)
		return -ERANGE;
	*ret = negative ? -(int64_t)value : (int64_t)value;
	return 0;
}

/* A decimal fraction ".5" as thousandths, digits beyond the third ignored. */
static int parse_thousandths(const char *text, const char **end, unsigned int *ret)
{
	unsigned int value = 0, unit = 100;

	*end = text;
	*ret = 0;
	if (*text != '.')
		return 0;
	if (!isdigit((unsigned char)text[1]))
		return -EINVAL;
	for (text++; isdigit((unsigned char)*text); text++, unit /= 10)
		value += (unsigned int)(*text - '0') * unit;
	*end = text;
	*ret = value;
	return 0;
}

int parse_size(const char *text, int64_t *ret)
{
	static const char units[] = "bkmgtpe";
	static const char *const endless[] = { "max", "infinity", "unlimited", "-1" };
	const char *end, *unit;
	unsigned int thousandths;
	uint64_t value, scale = 1;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(endless); i++)
		if (strcmp(text, endless[i]) == 0) {
			*ret = -1;
			return 0;
		}
	r = parse_digits(text, &end, &value);
	if (r == 0)
		r = parse_thousandths(end, &end, &thousandths);
	if (r < 0)
		return r;
	if (*end) {
		unit = strchr(units, tolower((unsigned char)*end));
		if (!unit || (end[1] && (unit == units || (strcasecmp(end + 1, "b") && strcasecmp(end + 1, "i") &&
							    strcasecmp(end + 1, "ib")))))
			return -EINVAL;
		scale = UINT64_C(1) << (10 * (unit - units));
	}
	if (__builtin_mul_overflow(value, scale, &value) ||
	    __builtin_add_overflow(value, scale / 1000 * thousandths + scale % 1000 * thousandths / 1000, &value) ||
	    value > (uint64_t)INT64_MAX)
		return -ERANGE;
	*ret = (int64_t)value;
	return 0;
}

int parse_duration_ms(const char *text, int64_t *ret)
{
	static const struct { const char *name; uint64_t ms; } units[] = {
		{ "ms", 1 }, { "s", 1000 }, { "sec", 1000 }, { "m", 60000 }, { "min", 60000 }, { "h", 3600000 },
		{ "d", 86400000 },
	};
	uint64_t total = 0;

	if (!*text)
		return -EINVAL;
	while (*text) {
		uint64_t value, scale = 0;
		unsigned int thousandths;
		size_t length;
		int r = parse_digits(text, &text, &value);

		if (r == 0)
			r = parse_thousandths(text, &text, &thousandths);
		if (r < 0)
			return r;
		length = strspn(text, "abcdefghijklmnopqrstuvwxyz");
		if (length == 0 && *text == '\0' && total == 0)
			scale = 1000;
		for (size_t i = 0; i < ARRAY_SIZE(units) && length > 0; i++)
			if (strlen(units[i].name) == length && strncmp(text, units[i].name, length) == 0)
				scale = units[i].ms;
		if (scale == 0)
			return -EINVAL;
		text += length;
		if (__builtin_mul_overflow(value, scale, &value) || __builtin_add_overflow(total, value, &total) ||
		    total > INT64_MAX / 2)
			return -ERANGE;
		total += scale * thousandths / 1000;
	}
	*ret = (int64_t)total;
	return 0;
}

int parse_bool(const char *text, bool *ret)
{
	static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(text, words[i]) == 0) {
			*ret = i % 2;
			return 0;
		}
	return -EINVAL;
}

int parse_signal(const char *text)
{
	uint32_t number;

	if (parse_uint32(text, &number) == 0)
		return number >= 1 && number <= 64 ? (int)number : -EINVAL;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	if (strncasecmp(text, "RTMIN", 5) == 0 && (text[5] == '\0' || text[5] == '+')) {
		if (text[5] == '\0')
			return SIGRTMIN;
		return parse_uint32(text + 6, &number) == 0 && number <= (uint32_t)(SIGRTMAX - SIGRTMIN) ?
			SIGRTMIN + (int)number : -EINVAL;
	}
	for (int signo = 1; signo < 32; signo++) {
		const char *name = sigabbrev_np(signo);

		if (name && strcasecmp(name, text) == 0)
			return signo;
	}
	return -EINVAL;
}

const char *signal_name(int signo, char buffer[16])
{
	const char *name = sigabbrev_np(signo);

	if (name)
		snprintf(buffer, 16, "SIG%s", name);
	else if (signo >= SIGRTMIN && signo <= SIGRTMAX)
		snprintf(buffer, 16, "SIGRTMIN+%d", signo - SIGRTMIN);
	else
		snprintf(buffer, 16, "%d", signo);
	return buffer;
}

/* By number, capabilities(7); the kernel never renumbers them. */
static const char *const capabilities[] = {
	"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
	"LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
	"SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
	"SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
	"MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
	"CHECKPOINT_RESTORE",
};
_Static_assert(ARRAY_SIZE(capabilities) == CAPABILITY_LAST + 1, "one name per capability");

int parse_capability(const char *text)
{
	if (strncasecmp(text, "CAP_", 4) == 0)
		text += 4;
	for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++)
		if ((capabilities[i][0] | 0x20) == (text[0] | 0x20) && strcasecmp(capabilities[i], text) == 0)
			return (int)i;
	return -EINVAL;
}

const char *capability_name(unsigned int number)
{
	return number < ARRAY_SIZE(capabilities) ? capabilities[number] : NULL;
}
