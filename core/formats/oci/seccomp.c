/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Our seccomp profiles as rules of OCI. */

#include "config.h"

#include <errno.h>
#include <string.h>

#include "core/formats/oci/seccomp.h"
#include "core/seccomp/profile.h"
#include "core/spec/table.h"
#include "core/util/cleanup.h"

#define LOW_HALF	UINT32_MAX	/* only the low 32 bits of these arguments count in the kernel */
#define VALUES_MAX	8

struct expansion {
	struct mrg_spec *spec;
	struct mrg_seccomp *seccomp;
	const struct seccomp_profile *profile;
	uint64_t caps;
	bool failed;
};

/* A new rule; a second or third condition is given by @args. */
static struct mrg_seccomp_syscall *add_rule(struct expansion *e, const char *name, const char *action,
					    const struct mrg_seccomp_arg *args, size_t n)
{
	struct mrg_seccomp_syscall *call = spec_list_append(e->spec, (struct list *)&e->seccomp->syscalls,
							    sizeof(*call));

	if (!call) {
		e->failed = true;
		return NULL;
	}
	call->action = action;
	e->failed |= name && spec_strv_append(e->spec, &call->names, name) < 0;
	for (size_t i = 0; i < n; i++) {
		struct mrg_seccomp_arg *arg = spec_list_append(e->spec, (struct list *)&call->args, sizeof(*arg));

		if (arg)
			*arg = args[i];
		e->failed |= !arg;
	}
	return call;
}

static struct mrg_seccomp_arg masked(unsigned int index, uint32_t mask, uint32_t value)
{
	return (struct mrg_seccomp_arg){ .index = index, .op = "SCMP_CMP_MASKED_EQ", .value = mask, .value_two = value };
}

static bool among(uint32_t value, const uint32_t *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (values[i] == value)
			return true;
	return false;
}

/*
 * Allows @name unless argument @index is one of @values, in rules that OCI has: it knows no "not one of". A number differs from all of
 * them when one of the bits they share differs, or else when its other bits are a combination that none of them has.
 */
static void allow_unless(struct expansion *e, const char *name, unsigned int index, const uint32_t *values, size_t n,
			 const struct mrg_seccomp_arg *also)
{
	struct mrg_seccomp_arg args[2];
	size_t n_args = also ? 2 : 1;
	uint32_t varying = 0, combination = 0;

	if (also)
		args[1] = *also;
	for (size_t i = 1; i < n; i++)
		varying |= values[0] ^ values[i];
	for (unsigned int bit = 0; bit < 32; bit++)
		if (!(varying >> bit & 1)) {
			args[0] = masked(index, UINT32_C(1) << bit, ~values[0] & UINT32_C(1) << bit);
			add_rule(e, name, "SCMP_ACT_ALLOW", args, n_args);
		}
	while (varying) {
		uint32_t value = (values[0] & ~varying) | combination;

		if (!among(value, values, n)) {
			args[0] = masked(index, LOW_HALF, value);
			add_rule(e, name, "SCMP_ACT_ALLOW", args, n_args);
		}
		combination = (combination - varying) & varying;	/* the next subset of the bits */
		if (combination == 0)
			break;
	}
}

/* The conditions of one system call, gathered from rules that are tried in order. */
struct conditions {
	bool any, only_passed;
	uint32_t denied[VALUES_MAX], passed[VALUES_MAX];
	size_t n_denied, n_passed;
	unsigned int arg;
	uint32_t bits;			/* refused when one is set */
	bool guarded;			/* with @guard in @arg, @guarded_arg must not be @guarded_value */
	uint32_t guard, guarded_value;
	unsigned int guarded_arg;
};

static void add_condition(struct conditions *c, const struct seccomp_rule *rule)
{
	c->any = true;
	switch (rule->op) {
	case SECCOMP_DENY_EQ:
		if (c->guarded && rule->arg != c->arg) {
			c->guarded_arg = rule->arg;
			c->guarded_value = rule->value;
		} else if (c->n_denied < VALUES_MAX && !among(rule->value, c->denied, c->n_denied)) {
			c->arg = rule->arg;
			c->denied[c->n_denied++] = rule->value;
		}
		break;
	case SECCOMP_DENY_SET:
		c->arg = rule->arg;
		c->bits |= rule->value;
		break;
	case SECCOMP_DENY:
		c->only_passed = true;
		break;
	case SECCOMP_PASS_EQ:
		c->arg = rule->arg;
		if (c->n_passed < VALUES_MAX)
			c->passed[c->n_passed++] = rule->value;
		break;
	case SECCOMP_PASS_NE:
		c->guarded = true;
		c->arg = rule->arg;
		c->guard = rule->value;
		break;
	}
}

static struct conditions conditions_of(const struct expansion *e, const char *name)
{
	struct conditions c = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(e->profile->rules) && e->profile->rules[i]; i++)
		for (const struct seccomp_rule *rule = e->profile->rules[i]; rule->name; rule++)
			if (strcmp(rule->name, name) == 0 && !(rule->unless & e->caps))
				add_condition(&c, rule);
	return c;
}

static void allow_conditionally(struct expansion *e, const char *name, const struct conditions *c)
{
	struct mrg_seccomp_arg arg;

	if (c->only_passed) {
		for (size_t i = 0; i < c->n_passed; i++) {
			arg = masked(c->arg, LOW_HALF, c->passed[i]);
			add_rule(e, name, "SCMP_ACT_ALLOW", &arg, 1);
		}
	} else if (c->bits) {
		arg = masked(c->arg, c->bits, 0);
		add_rule(e, name, "SCMP_ACT_ALLOW", &arg, 1);
	} else {
		uint32_t values[VALUES_MAX + 1];
		size_t n = c->n_denied;

		memcpy(values, c->denied, n * sizeof(values[0]));
		if (c->guarded) {
			values[n++] = c->guard;
			arg = masked(c->arg, LOW_HALF, c->guard);
			allow_unless(e, name, c->guarded_arg, &c->guarded_value, 1, &arg);
		}
		allow_unless(e, name, c->arg, values, n, NULL);
	}
}

static bool is_granted(const struct expansion *e, const char *name)
{
	for (const struct seccomp_grant *grant = e->profile->grants; grant && grant->names; grant++)
		for (const seccomp_name *granted = grant->names; e->caps >> grant->cap & 1 && **granted; granted++)
			if (strcmp(*granted, name) == 0)
				return true;
	return false;
}

static void allow(struct expansion *e, struct mrg_seccomp_syscall *plain, const char *name)
{
	struct conditions c = conditions_of(e, name);

	if (c.any)
		allow_conditionally(e, name, &c);
	else if (!strv_contains(plain->names, name))
		e->failed |= spec_strv_append(e->spec, &plain->names, name) < 0;
}

static void expand(struct expansion *e)
{
	struct mrg_seccomp_syscall plain = { .action = "SCMP_ACT_ALLOW" }, refused = { .action = "SCMP_ACT_ERRNO" };
	struct mrg_seccomp_syscall *call;

	for (size_t list = 0; list < ARRAY_SIZE(e->profile->allow); list++)
		for (const seccomp_name *name = e->profile->allow[list]; name && **name; name++)
			allow(e, &plain, *name);
	for (const seccomp_name *name = e->profile->deny; name && **name; name++)
		if (!is_granted(e, *name) && !strv_contains(plain.names, *name))
			e->failed |= spec_strv_append(e->spec, &refused.names, *name) < 0;
	for (const struct seccomp_grant *grant = e->profile->grants; grant && grant->names; grant++)
		for (const seccomp_name *name = grant->names; e->caps >> grant->cap & 1 && **name; name++)
			allow(e, &plain, *name);
	call = add_rule(e, NULL, plain.action, NULL, 0);
	if (call)
		*call = plain;
	refused.errno_ret = EPERM;
	call = refused.names ? add_rule(e, NULL, refused.action, NULL, 0) : NULL;
	if (call)
		*call = refused;
}

int oci_seccomp_expand(struct mrg_spec *spec, struct mrg_error *err)
{
	struct expansion e = { .spec = spec, .caps = spec->cap_bounding };

	if (!mrg_fields_has(&spec->set, MRG_FIELD_CAP_BOUNDING))
		e.caps = UINT64_MAX;
	if (!mrg_fields_has(&spec->set, MRG_FIELD_SECCOMP_PROFILE) || mrg_fields_has(&spec->set, MRG_FIELD_SECCOMP))
		return 0;
	e.profile = seccomp_profile_find(spec->seccomp_profile);
	if (!e.profile)
		return 0;
	e.seccomp = mrg_spec_alloc(spec, sizeof(*e.seccomp));
	if (e.seccomp) {
		e.seccomp->default_action = "SCMP_ACT_ERRNO";
		e.seccomp->default_errno_ret = ENOSYS;
		expand(&e);
	}
	if (!e.seccomp || e.failed)
		return mrg_error_set(err, -ENOMEM, "out of memory");
	spec->seccomp = e.seccomp;
	mrg_fields_add(&spec->set, MRG_FIELD_SECCOMP);
	mrg_fields_remove(&spec->set, MRG_FIELD_SECCOMP_PROFILE);
	spec->seccomp_profile = NULL;
	return 0;
}

void oci_seccomp_report(const struct mrg_spec *spec, struct mrg_report_row *row)
{
	if (!seccomp_profile_find(spec->seccomp_profile)) {
		row->verdict = MRG_CARRIED;
		return;
	}
	row->verdict = MRG_APPROXIMATED;
	row->target = "/linux/seccomp";
	row->note = "written as rules: refused arguments give ENOSYS, and programs of other architectures do not run";
}
