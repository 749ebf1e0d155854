/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_SECCOMP_PROGRAM_H
#define CORE_SECCOMP_PROGRAM_H

/* A BPF program being written, and the parts of a profile that become one. */

#include "core/seccomp/profile.h"

struct seccomp_program {
	struct sock_filter *code;
	size_t length, max;
	bool overflow;			/* it is longer than @max, or a jump wider than the kernel's field */
};

static inline void program_add(struct seccomp_program *p, uint16_t code, uint32_t k, size_t jt, size_t jf)
{
	if (p->length < p->max && jt <= UINT8_MAX && jf <= UINT8_MAX)
		p->code[p->length++] = (struct sock_filter){ .code = code, .k = k, .jt = (uint8_t)jt, .jf = (uint8_t)jf };
	else
		p->overflow = true;
}

/* Loads a word of struct seccomp_data. */
static inline void program_load(struct seccomp_program *p, size_t offset)
{
	program_add(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static inline void program_return(struct seccomp_program *p, uint32_t verdict)
{
	program_add(p, BPF_RET | BPF_K, verdict, 0, 0);
}

/* A jump whose distance program_land() fills in when its target, the end by then, is known; the place to remember. */
static inline size_t program_jump(struct seccomp_program *p)
{
	program_add(p, BPF_JMP | BPF_JA, 0, 0, 0);
	return p->length - 1;
}

static inline void program_land(struct seccomp_program *p, size_t jump)
{
	if (!p->overflow)
		p->code[jump].k = (uint32_t)(p->length - jump - 1);
}

/* rules.c: the rules on arguments of the system call @name; what no rule decides falls out at the end. */
bool seccomp_rules_exist(const struct seccomp_profile *profile, const char *name, uint64_t caps);
void seccomp_rules_emit(struct seccomp_program *p, const struct seccomp_profile *profile, const char *name, uint64_t caps);

/* What becomes of one system call: @verdict, unless the rules of @name decide before. */
struct seccomp_call {
	uint32_t number;
	uint32_t verdict;
	const char *name;		/* NULL: it has no rules */
};

/* search.c: finds the call whose number is loaded among @calls, sorted by number; the others are @otherwise. */
int seccomp_search_emit(struct seccomp_program *p, const struct seccomp_call *calls, size_t n, uint32_t otherwise,
			const struct seccomp_profile *profile, uint64_t caps);

#endif
