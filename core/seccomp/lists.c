/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A profile of ours to BPF: names to numbers by libseccomp, the program by ourselves. */

#include "config.h"

#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "core/seccomp/library.h"
#include "core/seccomp/program.h"
#include "core/util/cleanup.h"

#define NUMBERS_MAX	512	/* numbers of system calls end below, except a few of arm's own */
#define PROGRAM_MAX	BPF_MAXINSNS

/* What one architecture makes of a profile. */
struct lists {
	const struct seccomp_library *library;
	uint32_t arch;			/* of libseccomp, and AUDIT_ARCH_* of the kernel: they are the same */
	char *names[NUMBERS_MAX];	/* by number; NULL where there is none */
	struct seccomp_call *calls;
	size_t n;
};

static void lists_deinit(struct lists *l)
{
	for (size_t i = 0; i < NUMBERS_MAX; i++)
		free(l->names[i]);
	free(l->calls);
}

/* The number of @name, or -1. For what i386 has both as a call of its own and behind a multiplexer libseccomp gives a number of its
 * own invention; the real one is found the other way round. */
static int number_of(const struct lists *l, const char *name)
{
	int number = l->library->seccomp_syscall_resolve_name_arch(l->arch, name);

	if (number >= 0 || number == __NR_SCMP_ERROR)
		return number >= 0 ? number : -1;
	for (number = 0; number < NUMBERS_MAX; number++)
		if (l->names[number] && strcmp(l->names[number], name) == 0)
			return number;
	return -1;
}

static struct seccomp_call *find(const struct lists *l, uint32_t number)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->calls[i].number == number)
			return &l->calls[i];
	return NULL;
}

/* Names that only newer versions of libseccomp know are left out: without a verdict they are ENOSYS. The first verdict counts. */
static void add_name(struct lists *l, const char *name, uint32_t verdict)
{
	int number = number_of(l, name);

	if (number >= 0 && !find(l, (uint32_t)number))
		l->calls[l->n++] = (struct seccomp_call){ .number = (uint32_t)number, .verdict = verdict };
}

static void add_names(struct lists *l, const seccomp_name *names, uint32_t verdict)
{
	for (; **names; names++)
		add_name(l, *names, verdict);
}

static void add_lists(struct lists *l, const struct seccomp_profile *profile, uint64_t caps)
{
	for (size_t i = 0; profile->allow[i]; i++)
		add_names(l, profile->allow[i], SECCOMP_RET_ALLOW);
	for (const struct seccomp_grant *g = profile->grants; g->names; g++)
		if (caps >> g->cap & 1)
			add_names(l, g->names, SECCOMP_RET_ALLOW);
	add_names(l, profile->deny, SECCOMP_RET_ERRNO | EPERM);
}

static void add_rules(struct lists *l, const struct seccomp_profile *profile, uint64_t caps)
{
	for (size_t i = 0; profile->rules[i]; i++)
		for (const struct seccomp_rule *rule = profile->rules[i]; rule->name; rule++) {
			int number = number_of(l, rule->name);

			if (number < 0 || !seccomp_rules_exist(profile, rule->name, caps))
				continue;
			add_name(l, rule->name, SECCOMP_RET_ERRNO | ENOSYS);
			find(l, (uint32_t)number)->name = rule->name;
		}
}

static size_t count(const seccomp_name *names)
{
	size_t n = 0;

	while (names[n][0])
		n++;
	return n;
}

/* How many names the lists and rules have at most. */
static size_t count_names(const struct seccomp_profile *profile)
{
	size_t n = count(profile->deny);

	for (size_t i = 0; profile->allow[i]; i++)
		n += count(profile->allow[i]);
	for (const struct seccomp_grant *g = profile->grants; g->names; g++)
		n += count(g->names);
	for (size_t i = 0; profile->rules[i]; i++)
		for (const struct seccomp_rule *rule = profile->rules[i]; rule->name; rule++)
			n++;
	return n;
}

static int by_number(const void *a, const void *b)
{
	const struct seccomp_call *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static int emit_arch(struct seccomp_program *p, const struct seccomp_library *library, uint32_t arch,
		     const struct seccomp_profile *profile, uint64_t caps)
{
	_cleanup_(lists_deinit) struct lists l = { .library = library, .arch = arch };
	size_t other;
	int r;

	l.calls = calloc(count_names(profile), sizeof(*l.calls));
	if (!l.calls)
		return -ENOMEM;
	for (int number = 0; number < NUMBERS_MAX; number++)
		l.names[number] = library->seccomp_syscall_resolve_num_arch(arch, number);
	add_lists(&l, profile, caps);
	add_rules(&l, profile, caps);
	qsort(l.calls, l.n, sizeof(*l.calls), by_number);
	program_load(p, offsetof(struct seccomp_data, arch));
	program_add(p, BPF_JMP | BPF_JEQ | BPF_K, arch, 1, 0);
	other = program_jump(p);
	program_load(p, offsetof(struct seccomp_data, nr));
	r = seccomp_search_emit(p, l.calls, l.n, SECCOMP_RET_ERRNO | ENOSYS, profile, caps);
	program_land(p, other);
	return r;
}

int seccomp_compile_profile(const struct seccomp_profile *profile, uint64_t caps, struct sock_filter **ret,
			    size_t *ret_length, struct mrg_error *err)
{
	_cleanup_free_ struct sock_filter *code = calloc(PROGRAM_MAX, sizeof(*code));
	struct seccomp_program p = { .code = code, .max = PROGRAM_MAX };
	struct seccomp_library library;
	uint32_t native, compat;
	int r = seccomp_library_open(&library, err);

	if (r < 0)
		return r;
	native = library.seccomp_arch_native();
	compat = seccomp_compat_arch(native);
	r = code ? emit_arch(&p, &library, native, profile, caps) : -ENOMEM;
	if (r == 0 && compat)
		r = emit_arch(&p, &library, compat, profile, caps);
	/* Programs of other architectures find no system call that works; nor do those of x32, whose numbers are in no list. */
	program_return(&p, SECCOMP_RET_ERRNO | ENOSYS);
	if (r == 0 && p.overflow)
		r = -E2BIG;
	if (r < 0)
		return mrg_error_set(err, r, "cannot make the seccomp filter of profile '%s': %s", profile->name, strerror(-r));
	*ret = take_ptr(code);
	*ret_length = p.length;
	return 0;
}
