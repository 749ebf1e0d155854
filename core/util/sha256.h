/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UTIL_SHA256_H
#define UTIL_SHA256_H

/* SHA-256 by OpenSSL's libcrypto, which uses what the processor has for it; loaded when it is first needed. */

#include <stddef.h>
#include <stdint.h>

#include <moorage/error.h>

#define SHA256_SIZE	32
#define SHA256_TEXT	65		/* hexadecimal and NUL */

struct sha256;

/* -MRG_E_NO_ENGINE: the library is not installed. */
int sha256_new(struct sha256 **ret, struct mrg_error *err);
struct sha256 *sha256_free(struct sha256 *h);
static inline void sha256_freep(struct sha256 **h)
{
	sha256_free(*h);
}

/* Bytes are added from the begin, or since the last sha256_end(). Failure, of the library's memory alone, sticks until then: -ENOMEM. */
void sha256_add(struct sha256 *h, const void *data, size_t length);
int sha256_end(struct sha256 *h, unsigned char ret[SHA256_SIZE]);

/* Numbers, in an order of bytes that does not depend on the machine. */
void sha256_add64(struct sha256 *h, uint64_t value);

/* As text. */
const char *sha256_text(const unsigned char digest[SHA256_SIZE], char ret[SHA256_TEXT]);

#endif
