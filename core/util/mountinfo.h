/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UTIL_MOUNTINFO_H
#define UTIL_MOUNTINFO_H

/* Blanks and backslashes stand as octal numbers in mountinfo, proc(5): puts back what they stand for, in place. */
static inline void mountinfo_unescape(char *text)
{
	char *out = text;

	while (*text)
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' && text[2] <= '7' &&
		    text[3] >= '0' && text[3] <= '7') {
			*out++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
			text += 4;
		} else {
			*out++ = *text++;
		}
	*out = '\0';
}

#endif
