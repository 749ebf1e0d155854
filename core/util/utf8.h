/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UTIL_UTF8_H
#define UTIL_UTF8_H

/* UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing beyond U+10FFFF. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of the sequence at the start of the @left bytes of @text; 0: it is none. */
size_t utf8_sequence(const char *text, size_t left);

/* Writes @c; the number of bytes. */
size_t utf8_encode(uint32_t c, char ret[4]);

/* Whether the whole of @text is UTF-8. */
bool utf8_is_valid(const char *text);

#endif
