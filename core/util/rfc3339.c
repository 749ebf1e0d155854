/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times in UTC as text and back. */

#include "config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/util/rfc3339.h"

#define NS		INT64_C(1000000000)
#define DAY		86400
#define DAYS_PER_ERA	146097		/* 400 years */
#define EPOCH_SHIFT	719468		/* days from 0000-03-01, where eras begin, to 1970-01-01 */

/* The Gregorian calendar with years that begin in March, so that the leap day is the last. */
static void date_of_days(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
	int64_t z = days + EPOCH_SHIFT, era = z / DAYS_PER_ERA, doe = z % DAYS_PER_ERA;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;

	*ret_day = (int)(doy - (153 * mp + 2) / 5 + 1);
	*ret_month = (int)(mp < 10 ? mp + 3 : mp - 9);
	*ret_year = (int)(yoe + era * 400 + (*ret_month <= 2));
}

static int64_t days_of_date(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year, era = y / 400, yoe = y % 400;
	int64_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * DAYS_PER_ERA + yoe * 365 + yoe / 4 - yoe / 100 + doy - EPOCH_SHIFT;
}

void rfc3339_format(int64_t ns, char ret[RFC3339_LENGTH + 1])
{
	int64_t seconds = ns / NS;
	int year, month, day, time = (int)(seconds % DAY);

	date_of_days(seconds / DAY, &year, &month, &day);
	snprintf(ret, RFC3339_LENGTH + 1, "%04u-%02u-%02uT%02u:%02u:%02u.%09uZ", (unsigned int)year % 10000,
		 (unsigned int)month % 100, (unsigned int)day % 100, (unsigned int)(time / 3600) % 100,
		 (unsigned int)(time / 60 % 60), (unsigned int)(time % 60), (unsigned int)(ns % NS));
}

/* @n digits, or -1. */
static int digits(const char *text, int n)
{
	int value = 0;

	for (int i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + text[i] - '0';
	}
	return value;
}

/* The fraction after a point: the number of bytes taken, or -EINVAL. */
static int parse_fraction(const char *text, size_t length, int64_t *ret)
{
	int64_t value = 0, scale = NS;
	size_t n = 1;

	for (; n < length && text[n] >= '0' && text[n] <= '9' && n <= 9; n++) {
		scale /= 10;
		value += (text[n] - '0') * scale;
	}
	*ret = value;
	return n > 1 ? (int)n : -EINVAL;
}

int rfc3339_parse(const char *text, size_t length, int64_t *ret)
{
	int64_t fraction = 0;
	int year, month, day, hour, minute, second, at = 19;

	if (length < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':')
		return -EINVAL;
	year = digits(text, 4);
	month = digits(text + 5, 2);
	day = digits(text + 8, 2);
	hour = digits(text + 11, 2);
	minute = digits(text + 14, 2);
	second = digits(text + 17, 2);
	if (year < 1970 || year > 2261 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 ||
	    minute < 0 || minute > 59 || second < 0 || second > 60)
		return -EINVAL;
	if (text[at] == '.') {
		int n = parse_fraction(text + at, length - (size_t)at, &fraction);

		if (n < 0)
			return n;
		at += n;
	}
	if ((size_t)at >= length || text[at] != 'Z')
		return -EINVAL;
	*ret = ((days_of_date(year, month, day) * DAY) + hour * 3600 + minute * 60 + second) * NS + fraction;
	return at + 1;
}
