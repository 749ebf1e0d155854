/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules on arguments as BPF. libseccomp compares 64 bits where the kernel looks at 32, and cannot say "all but these". */

#include "config.h"

#include <endian.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "core/seccomp_profile.h"

#if __BYTE_ORDER == __LITTLE_ENDIAN
#define LOW_WORD	0
#else
#define LOW_WORD	4
#endif

#define RULES_MAX	64
#define NUMBERS_MAX	512	/* numbers of system calls end below */

struct program {
	struct sock_filter *code;
	size_t length, max;
	bool overflow;
};

static void emit(struct program *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	if (p->length < p->max)
		p->code[p->length++] = (struct sock_filter){ .code = code, .k = k, .jt = jt, .jf = jf };
	else
		p->overflow = true;
}

static void emit_load(struct program *p, size_t offset)
{
	emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* A jump whose distance is filled in when its target is known; the place to remember. */
static size_t emit_jump(struct program *p)
{
	emit(p, BPF_JMP | BPF_JA, 0, 0, 0);
	return p->length - 1;
}

static void land(struct program *p, size_t jump)
{
	if (!p->overflow)
		p->code[jump].k = (uint32_t)(p->length - jump - 1);
}

static void emit_refusal(struct program *p, int error)
{
	emit(p, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((uint32_t)error & SECCOMP_RET_DATA), 0, 0);
}

/* One rule; when it lets the call go on, the place of the jump that does is added to @pass. */
static void emit_rule(struct program *p, const struct seccomp_rule *rule, size_t pass[RULES_MAX], size_t *n_pass)
{
	bool refuses = rule->op == SECCOMP_DENY_EQ || rule->op == SECCOMP_DENY_SET || rule->op == SECCOMP_DENY;

	emit_load(p, offsetof(struct seccomp_data, args) + 8 * rule->arg + LOW_WORD);
	if (rule->op == SECCOMP_DENY_EQ || rule->op == SECCOMP_PASS_EQ)
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, rule->value, 0, 1);
	else if (rule->op == SECCOMP_PASS_NE)
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, rule->value, 1, 0);
	else if (rule->op == SECCOMP_DENY_SET)
		emit(p, BPF_JMP | BPF_JSET | BPF_K, rule->value, 0, 1);
	if (refuses)
		emit_refusal(p, rule->error);
	else if (*n_pass < RULES_MAX)
		pass[(*n_pass)++] = emit_jump(p);
	else
		p->overflow = true;
}

/* The number of @name, or -1. For what i386 has both as a call of its own and behind a multiplexer libseccomp gives a number of its
 * own invention; the real one is found the other way round. */
static int number_of(uint32_t arch, const char *name)
{
	int number = seccomp_syscall_resolve_name_arch(arch, name);

	if (number >= 0 || number == __NR_SCMP_ERROR)
		return number >= 0 ? number : -1;
	for (number = 0; number < NUMBERS_MAX; number++) {
		char *found = seccomp_syscall_resolve_num_arch(arch, number);
		bool same = found && strcmp(found, name) == 0;

		free(found);
		if (same)
			return number;
	}
	return -1;
}

/* The rules that follow @rule for the same name, which is not looked at again. */
static const struct seccomp_rule *emit_name(struct program *p, uint32_t arch, const struct seccomp_rule *rule,
					    uint64_t caps)
{
	const char *name = rule->name;
	int number = number_of(arch, name);
	size_t pass[RULES_MAX], n_pass = 0, other;

	if (number < 0) { /* not in this architecture */
		while (rule->name && strcmp(rule->name, name) == 0)
			rule++;
		return rule;
	}
	emit_load(p, offsetof(struct seccomp_data, nr));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 1, 0);
	other = emit_jump(p);
	for (; rule->name && strcmp(rule->name, name) == 0; rule++)
		if (!(rule->unless & caps))
			emit_rule(p, rule, pass, &n_pass);
	land(p, other);
	for (size_t i = 0; i < n_pass; i++)
		land(p, pass[i]);
	return rule;
}

static void emit_arch(struct program *p, uint32_t arch, const struct seccomp_profile *profile, uint64_t caps)
{
	size_t other;

	emit_load(p, offsetof(struct seccomp_data, arch));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, arch, 1, 0);
	other = emit_jump(p);
	for (size_t i = 0; profile->rules[i]; i++)
		for (const struct seccomp_rule *rule = profile->rules[i]; rule->name;)
			rule = emit_name(p, arch, rule, caps);
	land(p, other);
}

int seccomp_rules_emit(const struct seccomp_profile *profile, uint64_t caps, struct sock_filter *ret, size_t max,
		       size_t *ret_length)
{
	struct program p = { .code = ret, .max = max };
	uint32_t compat = seccomp_compat_arch();

	/* The numbers libseccomp has for these are AUDIT_ARCH_* of the kernel. */
	emit_arch(&p, seccomp_arch_native(), profile, caps);
	if (compat)
		emit_arch(&p, compat, profile, caps);
	if (p.overflow)
		return -E2BIG;
	*ret_length = p.length;
	return 0;
}
