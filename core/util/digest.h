/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UTIL_DIGEST_H
#define UTIL_DIGEST_H

/* Tells texts apart that nobody forges: FNV-1a, 64 bits. */

#include <stddef.h>
#include <stdint.h>

#define DIGEST_INIT	UINT64_C(0xcbf29ce484222325)

static inline uint64_t digest_add(uint64_t digest, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		digest = (digest ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
	return digest;
}

static inline uint64_t digest_text(const char *text, size_t length)
{
	return digest_add(DIGEST_INIT, text, length);
}

#endif
