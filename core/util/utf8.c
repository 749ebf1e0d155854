/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checking and writing UTF-8. */

#include "config.h"

#include <string.h>

#include "core/util/utf8.h"

size_t utf8_sequence(const char *text, size_t left)
{
	/* By the lead byte: length, and the bounds of the second byte, which is where overlong forms, surrogates and
	 * what lies beyond U+10FFFF show. */
	static const struct { unsigned char first, last, length, low, high; } leads[] = {
		{ 0x00, 0x7f, 1, 0, 0 },	{ 0xc2, 0xdf, 2, 0x80, 0xbf },	{ 0xe0, 0xe0, 3, 0xa0, 0xbf },
		{ 0xe1, 0xec, 3, 0x80, 0xbf },	{ 0xed, 0xed, 3, 0x80, 0x9f },	{ 0xee, 0xef, 3, 0x80, 0xbf },
		{ 0xf0, 0xf0, 4, 0x90, 0xbf },	{ 0xf1, 0xf3, 4, 0x80, 0xbf },	{ 0xf4, 0xf4, 4, 0x80, 0x8f },
	};
	const unsigned char *bytes = (const unsigned char *)text;

	for (size_t i = 0; left > 0 && i < sizeof(leads) / sizeof(leads[0]); i++) {
		if (bytes[0] < leads[i].first || bytes[0] > leads[i].last)
			continue;
		if (leads[i].length > left)
			return 0;
		if (leads[i].length > 1 && (bytes[1] < leads[i].low || bytes[1] > leads[i].high))
			return 0;
		for (size_t j = 2; j < leads[i].length; j++)
			if ((bytes[j] & 0xc0) != 0x80)
				return 0;
		return leads[i].length;
	}
	return 0;
}

size_t utf8_encode(uint32_t c, char ret[4])
{
	if (c < 0x80) {
		ret[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		ret[0] = (char)(0xc0 | c >> 6);
		ret[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		ret[0] = (char)(0xe0 | c >> 12);
		ret[1] = (char)(0x80 | (c >> 6 & 0x3f));
		ret[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	ret[0] = (char)(0xf0 | c >> 18);
	ret[1] = (char)(0x80 | (c >> 12 & 0x3f));
	ret[2] = (char)(0x80 | (c >> 6 & 0x3f));
	ret[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

bool utf8_is_valid(const char *text)
{
	size_t left = strlen(text), n;

	for (; left > 0; text += n, left -= n) {
		n = (signed char)*text > 0 ? 1 : utf8_sequence(text, left);
		if (n == 0)
			return false;
	}
	return true;
}
