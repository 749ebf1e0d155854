/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules on arguments as BPF. libseccomp compares 64 bits where the kernel looks at 32, and cannot say "all but these". */

#include "config.h"

#include <endian.h>
#include <linux/seccomp.h>
#include <string.h>

#include "core/seccomp/program.h"

#if __BYTE_ORDER == __LITTLE_ENDIAN
#define LOW_WORD	0
#else
#define LOW_WORD	4
#endif

#define PASS_MAX	64

/* One rule; when it lets the call go on, the place of the jump that does is added to @pass. */
static void emit_rule(struct seccomp_program *p, const struct seccomp_rule *rule, size_t pass[PASS_MAX], size_t *n_pass)
{
	bool refuses = rule->op == SECCOMP_DENY_EQ || rule->op == SECCOMP_DENY_SET || rule->op == SECCOMP_DENY;

	program_load(p, offsetof(struct seccomp_data, args) + 8 * rule->arg + LOW_WORD);
	if (rule->op == SECCOMP_DENY_EQ || rule->op == SECCOMP_PASS_EQ)
		program_add(p, BPF_JMP | BPF_JEQ | BPF_K, rule->value, 0, 1);
	else if (rule->op == SECCOMP_PASS_NE)
		program_add(p, BPF_JMP | BPF_JEQ | BPF_K, rule->value, 1, 0);
	else if (rule->op == SECCOMP_DENY_SET)
		program_add(p, BPF_JMP | BPF_JSET | BPF_K, rule->value, 0, 1);
	if (refuses)
		program_return(p, SECCOMP_RET_ERRNO | ((uint32_t)rule->error & SECCOMP_RET_DATA));
	else if (*n_pass < PASS_MAX)
		pass[(*n_pass)++] = program_jump(p);
	else
		p->overflow = true;
}

/* What follows is reached by a call of @name that no rule of @list decides. */
static void emit_list(struct seccomp_program *p, const struct seccomp_rule *list, const char *name, uint64_t caps)
{
	size_t pass[PASS_MAX], n_pass = 0;

	for (; list->name; list++)
		if (strcmp(list->name, name) == 0 && !(list->unless & caps))
			emit_rule(p, list, pass, &n_pass);
	for (size_t i = 0; i < n_pass; i++)
		program_land(p, pass[i]);
}

bool seccomp_rules_exist(const struct seccomp_profile *profile, const char *name, uint64_t caps)
{
	for (size_t i = 0; profile->rules[i]; i++)
		for (const struct seccomp_rule *rule = profile->rules[i]; rule->name; rule++)
			if (strcmp(rule->name, name) == 0 && !(rule->unless & caps))
				return true;
	return false;
}

void seccomp_rules_emit(struct seccomp_program *p, const struct seccomp_profile *profile, const char *name, uint64_t caps)
{
	for (size_t i = 0; profile->rules[i]; i++)
		emit_list(p, profile->rules[i], name, caps);
}
