/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text for humans and machines. */

#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "cli/cli.h"
#include "cli/text.h"
#include "core/util/cleanup.h"
#include "core/util/proc.h"
#include "core/util/utf8.h"

/* U+0080-9F are the C1 controls; U+061C, 200E-F, 202A-E and 2066-9 turn the direction of text; 2028-9 end a line. */
static bool is_hostile(const unsigned char *c, size_t n)
{
	if (n == 2)
		return (c[0] == 0xc2 && c[1] < 0xa0) || (c[0] == 0xd8 && c[1] == 0x9c);
	if (n != 3 || c[0] != 0xe2)
		return false;
	return (c[1] == 0x80 && (c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xa8 && c[2] <= 0xae))) ||
	       (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9);
}

void text_escape(struct buffer *b, const char *text, size_t length, const char *keep)
{
	for (size_t at = 0, n; at < length; at += n) {
		const unsigned char *c = (const unsigned char *)text + at;
		size_t sequence = utf8_sequence(text + at, length - at);

		n = sequence ? sequence : 1;
		if (sequence == 1 && *c && strchr(keep, *c))
			buffer_add(b, text + at, 1);
		else if (sequence == 0 || (sequence == 1 && (*c < ' ' || *c == 0x7f)) || is_hostile(c, sequence))
			for (size_t i = 0; i < n; i++)
				buffer_addf(b, "\\x%02x", c[i]);
		else
			buffer_add(b, text + at, n);
	}
}

size_t text_fit(const char *text, size_t width, size_t *ret_width)
{
	mbstate_t state = { 0 };
	size_t at = 0, left = strlen(text), n;
	wchar_t c;

	*ret_width = 0;
	for (; left > 0; at += n, left -= n) {
		int columns;

		n = mbrtowc(&c, text + at, left, &state);
		columns = n == 0 || n > left ? 1 : wcwidth(c);
		columns = columns < 0 ? 1 : columns;
		if (*ret_width + (size_t)columns > width)
			break;
		*ret_width += (size_t)columns;
		if (n == 0 || n > left) {	/* no character in this locale */
			n = 1;
			state = (mbstate_t){ 0 };
		}
	}
	return at;
}

void text_print(FILE *file, const char *text)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };

	if (!isatty(fileno(file))) {
		fputs(text, file);
		return;
	}
	text_escape(&b, text, strlen(text), "\n\t");
	if (b.text && !b.failed)
		fputs(b.text, file);
}

void json_text(struct buffer *b, const char *text, size_t length)
{
	buffer_add(b, "\"", 1);
	for (size_t at = 0, n; at < length; at += n) {
		unsigned char c = (unsigned char)text[at];

		n = utf8_sequence(text + at, length - at);
		if (n == 0)
			buffer_add(b, "\xef\xbf\xbd", 3);
		else if (c == '"' || c == '\\')
			buffer_addf(b, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			buffer_addf(b, "\\u%04x", c);
		else
			buffer_add(b, text + at, n);
		n = n ? n : 1;
	}
	buffer_add(b, "\"", 1);
}

const char *text_size(char buffer[TEXT_SIZE], uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1024 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1024;
		unit++;
	}
	snprintf(buffer, TEXT_SIZE, unit && value < 100 ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return buffer;
}

const char *text_span(char buffer[TEXT_SIZE], uint64_t ns)
{
	static const struct {
		uint64_t seconds;
		const char *unit;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "m" }, { 1, "s" } };
	uint64_t seconds = ns / 1000000000U;
	size_t i = 0;

	if (seconds < 10) {
		snprintf(buffer, TEXT_SIZE, "%.2fs", (double)ns / 1e9);
		return buffer;
	}
	while (units[i].seconds > seconds)
		i++;
	if (i == 3)
		snprintf(buffer, TEXT_SIZE, "%lus", (unsigned long)seconds);
	else
		snprintf(buffer, TEXT_SIZE, "%lu%s %lu%s", (unsigned long)(seconds / units[i].seconds), units[i].unit,
			 (unsigned long)(seconds % units[i].seconds / units[i + 1].seconds), units[i + 1].unit);
	return buffer;
}

const char *text_ago(char buffer[TEXT_SIZE], int64_t ns)
{
	int64_t now = time_now_ns();
	char span[TEXT_SIZE];

	text_span(span, (uint64_t)(now > ns ? (now - ns) / 1000000000 * 1000000000 : 0));
	if (now - ns < 10000000000)
		snprintf(buffer, TEXT_SIZE, "just now");
	else
		snprintf(buffer, TEXT_SIZE, "%.40s ago", span);
	return buffer;
}

const char *text_time(char buffer[TEXT_SIZE], int64_t ns)
{
	time_t seconds = ns / 1000000000;
	struct tm tm;
	size_t n;

	gmtime_r(&seconds, &tm);
	n = strftime(buffer, TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buffer + n, TEXT_SIZE - n, ".%09ldZ", (long)(ns % 1000000000));
	return buffer;
}

/* "Z", "+01:00" or nothing, which is local time. */
static int parse_zone(const char *text, struct tm *tm, time_t *ret)
{
	int hours, minutes, n = 0;

	if (!*text) {
		tm->tm_isdst = -1;
		*ret = mktime(tm);
		return 0;
	}
	*ret = timegm(tm);
	if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
		return 0;
	if ((*text != '+' && *text != '-') || sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &n) != 2 || text[1 + n])
		return -EINVAL;
	*ret += (*text == '+' ? -1 : 1) * (hours * 3600 + minutes * 60);
	return 0;
}

static int parse_date(const char *text, int64_t *ret)
{
	struct tm tm = { .tm_mday = 1 };
	int64_t fraction = 0, unit = 100000000;
	const char *end = strptime(text, "%Y-%m-%d", &tm);
	time_t seconds;

	if (!end)
		return -EINVAL;
	if (*end == 'T' || *end == ' ') {
		end = strptime(end + 1, "%H:%M:%S", &tm);
		if (!end)
			return -EINVAL;
	}
	if (*end == '.')
		for (end++; isdigit((unsigned char)*end); end++, unit /= 10)
			fraction += (*end - '0') * unit;
	if (parse_zone(end, &tm, &seconds) < 0)
		return -EINVAL;
	*ret = (int64_t)seconds * 1000000000 + fraction;
	return 0;
}

int text_parse_time(const char *text, int64_t *ret)
{
	int64_t ms, seconds;

	if (text[0] == '@') {
		if (parse_int64(text + 1, &seconds) < 0 || seconds > INT64_MAX / 1000000000)
			return -EINVAL;
		*ret = seconds * 1000000000;
		return 0;
	}
	if (parse_date(text, ret) == 0)
		return 0;
	if (parse_duration_ms(text, &ms) < 0 || ms > INT64_MAX / 1000000)
		return -EINVAL;
	*ret = time_now_ns() - ms * 1000000;
	return 0;
}

const char *state_name(int state)
{
	static const char *const names[] = {
		[MRG_STATE_ABSENT] = "absent", [MRG_STATE_CREATED] = "created", [MRG_STATE_RUNNING] = "running",
		[MRG_STATE_PAUSED] = "paused", [MRG_STATE_STOPPED] = "stopped",
	};

	return state >= 0 && (size_t)state < ARRAY_SIZE(names) ? names[state] : "unknown";
}

/* NO_COLOR goes before CLICOLOR_FORCE; what was typed goes before both. */
static bool has_colour(const struct cli *cli, FILE *file)
{
	const char *no = getenv("NO_COLOR"), *force = getenv("CLICOLOR_FORCE"), *terminal = getenv("TERM");

	if (cli->color && strcmp(cli->color, "auto") != 0)
		return strcmp(cli->color, "always") == 0;
	if (no && *no)
		return false;
	if (force && *force && strcmp(force, "0") != 0)
		return true;
	return isatty(fileno(file)) && terminal && strcmp(terminal, "dumb") != 0;
}

const char *style_of(const struct cli *cli, FILE *file, enum style style)
{
	static const char *const sequences[] = {
		[STYLE_NONE] = "\033[0m", [STYLE_BOLD] = "\033[1m", [STYLE_ERROR] = "\033[1;31m",
		[STYLE_WARNING] = "\033[33m", [STYLE_GOOD] = "\033[32m",
	};

	return has_colour(cli, file) ? sequences[style] : "";
}
