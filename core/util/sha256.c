/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SHA-256 by libcrypto. */

#include "config.h"

#include <endian.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/library.h"
#include "core/util/sha256.h"

struct library {
	LIBRARY_MEMBER(EVP_MD_CTX_new);
	LIBRARY_MEMBER(EVP_MD_CTX_free);
	LIBRARY_MEMBER(EVP_MD_fetch);
	LIBRARY_MEMBER(EVP_MD_free);
	LIBRARY_MEMBER(EVP_DigestInit_ex);
	LIBRARY_MEMBER(EVP_DigestUpdate);
	LIBRARY_MEMBER(EVP_DigestFinal_ex);
};

struct sha256 {
	struct library library;
	EVP_MD *algorithm;
	EVP_MD_CTX *context;
	bool begun, failed;
};

#define SYMBOL(function)	LIBRARY_SYMBOL(struct library, function)

int sha256_new(struct sha256 **ret, struct mrg_error *err)
{
	static const struct library_symbol symbols[] = {
		SYMBOL(EVP_MD_CTX_new), SYMBOL(EVP_MD_CTX_free), SYMBOL(EVP_MD_fetch), SYMBOL(EVP_MD_free), SYMBOL(EVP_DigestInit_ex),
		SYMBOL(EVP_DigestUpdate), SYMBOL(EVP_DigestFinal_ex), { NULL, 0 }
	};
	_cleanup_(sha256_freep) struct sha256 *h = calloc(1, sizeof(*h));
	int r;

	if (!h)
		return fail_memory(err);
	r = library_open("libcrypto.so.3", "libssl3", symbols, &h->library, err);
	if (r < 0)
		return r;
	h->algorithm = h->library.EVP_MD_fetch(NULL, "SHA256", NULL);
	h->context = h->library.EVP_MD_CTX_new();
	if (!h->algorithm || !h->context)
		return fail_memory(err);
	*ret = take_ptr(h);
	return 0;
}

struct sha256 *sha256_free(struct sha256 *h)
{
	if (h && h->context)
		h->library.EVP_MD_CTX_free(h->context);
	if (h && h->algorithm)
		h->library.EVP_MD_free(h->algorithm);
	free(h);
	return NULL;
}

static void begin(struct sha256 *h)
{
	if (!h->begun)
		h->failed = !h->library.EVP_DigestInit_ex(h->context, h->algorithm, NULL);
	h->begun = true;
}

void sha256_add(struct sha256 *h, const void *data, size_t length)
{
	begin(h);
	h->failed |= !h->library.EVP_DigestUpdate(h->context, data, length);
}

void sha256_add64(struct sha256 *h, uint64_t value)
{
	value = htole64(value);
	sha256_add(h, &value, sizeof(value));
}

int sha256_end(struct sha256 *h, unsigned char ret[SHA256_SIZE])
{
	begin(h);
	h->failed |= !h->library.EVP_DigestFinal_ex(h->context, ret, NULL);
	h->begun = false;
	return h->failed ? -ENOMEM : 0;
}

const char *sha256_text(const unsigned char digest[SHA256_SIZE], char ret[SHA256_TEXT])
{
	for (size_t i = 0; i < SHA256_SIZE; i++)
		snprintf(ret + 2 * i, 3, "%02x", digest[i]);
	return ret;
}
