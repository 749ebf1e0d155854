/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* POSIX ACLs as bytes and as text. */

#include "config.h"

#include <endian.h>
#include <errno.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/archive/acl.h"
#include "core/util/cleanup.h"
#include "core/util/str.h"

struct entry {
	uint16_t tag, permissions;
	uint32_t id;
};

/* In the order that the kernel wants. */
static const struct {
	uint16_t tag;
	const char *word, *letter;
	bool qualified;
} tags[] = {
	{ ACL_USER_OBJ, "user", "u", false }, { ACL_USER, "user", "u", true }, { ACL_GROUP_OBJ, "group", "g", false },
	{ ACL_GROUP, "group", "g", true }, { ACL_MASK, "mask", "m", false }, { ACL_OTHER, "other", "o", false },
};

char *acl_to_text(const unsigned char *value, size_t length)
{
	struct buffer b = { .text = NULL };

	if (length < 4 || (length - 4) % 8 != 0)
		return NULL;
	for (size_t at = 4; at < length; at += 8) {
		unsigned int tag = value[at] | (unsigned int)value[at + 1] << 8, p = value[at + 2];
		uint32_t id;
		size_t k = 0;

		while (k < ARRAY_SIZE(tags) && tags[k].tag != tag)
			k++;
		if (k == ARRAY_SIZE(tags)) {
			buffer_deinit(&b);
			return NULL;
		}
		memcpy(&id, value + at + 4, sizeof(id));
		buffer_addf(&b, "%s%s:", at > 4 ? "," : "", tags[k].word);
		if (tags[k].qualified)
			buffer_addf(&b, "%u", le32toh(id));
		buffer_addf(&b, ":%c%c%c", p & ACL_READ ? 'r' : '-', p & ACL_WRITE ? 'w' : '-', p & ACL_EXECUTE ? 'x' : '-');
	}
	if (b.failed)
		buffer_deinit(&b);
	return b.text;
}

static int permissions(const char *text, uint16_t *ret)
{
	*ret = 0;
	for (; *text; text++) {
		if (!strchr("rwx-", *text))
			return -EINVAL;
		*ret |= *text == 'r' ? ACL_READ : *text == 'w' ? ACL_WRITE : *text == 'x' ? ACL_EXECUTE : 0;
	}
	return 0;
}

/* "user:1000:r--", or with the number as star adds it: "user:name:r--:1000". */
static int parse(char *text, struct entry *ret, size_t *ret_order)
{
	char *word = strsep(&text, ":"), *name = strsep(&text, ":"), *bits = strsep(&text, ":"), *number = strsep(&text, ":");

	if (!bits) {		/* "other:r--", "mask:rwx" */
		bits = name;
		name = (char *)"";
	}
	if (!bits || permissions(bits, &ret->permissions) < 0)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
		if ((strcmp(word, tags[i].word) != 0 && strcmp(word, tags[i].letter) != 0) || tags[i].qualified != (*name != '\0'))
			continue;
		ret->tag = tags[i].tag;
		ret->id = ACL_UNDEFINED_ID;
		*ret_order = i;
		if (!tags[i].qualified)
			return 0;
		return parse_uint32(number ? number : name, &ret->id) < 0 ? -ENOTNAM : 0;
	}
	return -EINVAL;
}

static void put(unsigned char *at, const struct entry *e)
{
	uint16_t tag = htole16(e->tag), bits = htole16(e->permissions);
	uint32_t id = htole32(e->id);

	memcpy(at, &tag, 2);
	memcpy(at + 2, &bits, 2);
	memcpy(at + 4, &id, 4);
}

int acl_from_text(const char *text, unsigned char ret[ACL_VALUE_MAX], size_t *ret_length)
{
	_cleanup_free_ char *copy = strdup(text);
	_cleanup_free_ struct entry *entries = calloc(ACL_VALUE_MAX / 8, sizeof(*entries));
	_cleanup_free_ size_t *orders = calloc(ACL_VALUE_MAX / 8, sizeof(*orders));
	char *rest = copy, *part;
	size_t n = 0, at = 4;
	const uint32_t version = htole32(POSIX_ACL_XATTR_VERSION);

	if (!copy || !entries || !orders)
		return -ENOMEM;
	while ((part = strsep(&rest, ",\n"))) {
		int r = *part == '\0' ? 0 : n == ACL_VALUE_MAX / 8 - 1 ? -E2BIG : parse(part, &entries[n], &orders[n]);

		if (r < 0)
			return r;
		n += *part != '\0';
	}
	memcpy(ret, &version, 4);
	for (size_t order = 0; order < ARRAY_SIZE(tags); order++)
		for (size_t i = 0; i < n; i++)
			if (orders[i] == order) {
				put(ret + at, &entries[i]);
				at += 8;
			}
	*ret_length = at;
	return 0;
}
