/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_ARCHIVE_ACL_H
#define CORE_ARCHIVE_ACL_H

/* POSIX ACLs: the kernel's bytes (system.posix_acl_*) and the text that archives have. */

#include <stddef.h>
#include <sys/types.h>

#define ACL_VALUE_MAX	8196		/* 1024 entries */

/* "user::rwx,user:1000:r--,...", ids as numbers; the caller frees it. NULL when the value is malformed. */
char *acl_to_text(const unsigned char *value, size_t length);

/* And back. Names of users and groups cannot be looked up, which is the root's to know: -ENOTNAM; -EINVAL. */
int acl_from_text(const char *text, unsigned char ret[ACL_VALUE_MAX], size_t *ret_length);

#endif
