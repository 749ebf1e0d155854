/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_SECCOMP_PROFILE_H
#define CORE_SECCOMP_PROFILE_H

/* The profiles "default" and "boot" as data, and what becomes of them. */

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <moorage/error.h>
#include <moorage/spec.h>

/* A condition on an argument. The rules of one system call are tried in order, the first that decides ends them; a call that none
 * decides goes on to the lists. Only the low 32 bits of an argument count: the kernel ignores the others. */
enum seccomp_op {
	SECCOMP_DENY_EQ,		/* refused when the argument is @value */
	SECCOMP_DENY_SET,		/* refused when one of the bits of @value is set */
	SECCOMP_DENY,			/* refused */
	SECCOMP_PASS_EQ,		/* goes on when it is @value */
	SECCOMP_PASS_NE,		/* goes on when it is not */
};

struct seccomp_rule {
	const char *name;
	enum seccomp_op op;
	unsigned int arg;
	uint32_t value;
	int error;			/* errno of a refusal */
	uint64_t unless;		/* not applied to who has one of these capabilities */
};

/* Of a system call. Not a pointer: lists of pointers are pages that each process of ours would have of its own. */
typedef char seccomp_name[32];

/* Names allowed to who has capability @cap. */
struct seccomp_grant {
	unsigned int cap;
	const seccomp_name *names;	/* "" ends them */
};

/* What is in none of the lists is ENOSYS: a program takes it for an older kernel and does without. */
struct seccomp_profile {
	const char *name;
	const seccomp_name *allow[3];	/* lists of names, "" ends each; NULL ends them */
	const seccomp_name *deny;	/* EPERM: existing system calls that are refused */
	const struct seccomp_grant *grants;	/* NULL names end it */
	const struct seccomp_rule *rules[3];	/* NULL names end each */
};

/* The profile called @name, or NULL. */
const struct seccomp_profile *seccomp_profile_find(const char *name);

/* lists.c, compile.c: a program in memory the caller frees. */
int seccomp_compile_profile(const struct seccomp_profile *profile, uint64_t caps, struct sock_filter **ret,
			    size_t *ret_length, struct mrg_error *err);
int seccomp_compile_oci(const struct mrg_seccomp *profile, struct sock_filter **ret, size_t *ret_length,
			struct mrg_error *err);

/* cache.c: programs compiled earlier on this boot, found by the whole text of @key. -ENOENT: none. */
int seccomp_cache_read(const char *key, struct sock_filter **ret, size_t *ret_length);
void seccomp_cache_write(const char *key, const struct sock_filter *program, size_t length);

#endif
