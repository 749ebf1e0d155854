/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The seccomp profile of an OCI spec to BPF by libseccomp. */

#include "config.h"

#include <linux/memfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/seccomp/library.h"
#include "core/seccomp/profile.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"

#define BINARY_TREE	2	/* of SCMP_FLTATR_CTL_OPTIMIZE: a search instead of a list */

struct compiler {
	struct seccomp_library library;
	scmp_filter_ctx ctx;
	uint32_t default_action;
};

static void compiler_deinit(struct compiler *c)
{
	if (c->ctx)
		c->library.seccomp_release(c->ctx);
}

static int export_program(const struct compiler *c, struct sock_filter **ret, size_t *ret_length, struct mrg_error *err)
{
	_cleanup_close_ int fd = memfd_create("seccomp", MFD_CLOEXEC);
	_cleanup_free_ struct sock_filter *program = NULL;
	off_t size;
	int r;

	if (fd < 0)
		return mrg_error_set(err, -errno, "cannot make memory for the seccomp filter: %s", strerror(errno));
	r = c->library.seccomp_export_bpf(c->ctx, fd);
	size = lseek(fd, 0, SEEK_END);
	if (r < 0 || size <= 0 || (size_t)size % sizeof(*program))
		return mrg_error_set(err, r < 0 ? r : -EIO, "cannot compile the seccomp filter");
	if ((size_t)size / sizeof(*program) > BPF_MAXINSNS)
		return mrg_error_set(err, -MRG_E_INVALID, "the seccomp profile is too large for the kernel");
	program = malloc((size_t)size);
	if (!program)
		return mrg_error_set(err, -ENOMEM, "not enough memory for the seccomp filter");
	if (lseek(fd, 0, SEEK_SET) < 0 || fd_read_all(fd, program, (size_t)size) != size)
		return mrg_error_set(err, -EIO, "cannot read the seccomp filter back");
	*ret = take_ptr(program);
	*ret_length = (size_t)size / sizeof(**ret);
	return 0;
}

static int parse_action(const char *text, uint32_t error, uint32_t *ret, struct mrg_error *err)
{
	const struct {
		const char *name;
		uint32_t action;
	} actions[] = {
		{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW },
		{ "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(error ? error & 0xffff : EPERM) },
		{ "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD },
		{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
		{ "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
		{ "SCMP_ACT_LOG", SCMP_ACT_LOG },
		{ "SCMP_ACT_TRACE", SCMP_ACT_TRACE(error ? error & 0xffff : EPERM) },
		{ "SCMP_ACT_TRAP", SCMP_ACT_TRAP },
	};

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (text && strcmp(actions[i].name, text) == 0) {
			*ret = actions[i].action;
			return 0;
		}
	return mrg_error_set(err, -MRG_E_UNSUPPORTED, "/linux/seccomp: action '%s' is not supported", text ? text : "");
}

static int parse_condition(const struct mrg_seccomp_arg *arg, struct scmp_arg_cmp *ret, struct mrg_error *err)
{
	static const struct {
		const char *name;
		enum scmp_compare op;
	} ops[] = {
		{ "SCMP_CMP_EQ", SCMP_CMP_EQ }, { "SCMP_CMP_GE", SCMP_CMP_GE }, { "SCMP_CMP_GT", SCMP_CMP_GT },
		{ "SCMP_CMP_LE", SCMP_CMP_LE }, { "SCMP_CMP_LT", SCMP_CMP_LT }, { "SCMP_CMP_NE", SCMP_CMP_NE },
		{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
	};

	if (arg->index > 5)
		return mrg_error_set(err, -MRG_E_INVALID, "/linux/seccomp: argument index %u is not 0-5", arg->index);
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		if (arg->op && strcmp(ops[i].name, arg->op) == 0) {
			/* Of a masked comparison the first value is the mask, in OCI as here. */
			*ret = (struct scmp_arg_cmp){ arg->index, ops[i].op, arg->value, arg->value_two };
			return 0;
		}
	return mrg_error_set(err, -MRG_E_INVALID, "/linux/seccomp: unknown comparison '%s'", arg->op ? arg->op : "");
}

/* One name with its conditions: all must hold, but conditions on one argument are alternatives, as runc has it. */
static int add_conditions(const struct compiler *c, uint32_t action, int number, const struct mrg_seccomp_syscall *call,
			  struct mrg_error *err)
{
	struct scmp_arg_cmp conditions[6];
	unsigned int seen = 0;
	bool alternatives = false;
	int r = 0;

	for (size_t i = 0; i < call->args.n; i++) {
		const struct mrg_seccomp_arg *arg = &call->args.item[i];

		alternatives |= arg->index <= 5 && seen >> arg->index & 1;
		seen |= arg->index <= 5 ? 1U << arg->index : 0;
	}
	for (size_t i = 0; i < call->args.n; i++) {
		r = parse_condition(&call->args.item[i], &conditions[alternatives ? 0 : i], err);
		if (r < 0)
			return r;
		if (alternatives)
			r = c->library.seccomp_rule_add_array(c->ctx, action, number, 1, conditions);
		if (r < 0)
			break;
	}
	if (!alternatives)
		r = c->library.seccomp_rule_add_array(c->ctx, action, number, (unsigned int)call->args.n, conditions);
	return r < 0 ? mrg_error_set(err, r, "/linux/seccomp: a rule cannot be added: %s", strerror(-r)) : 0;
}

static int add_call(const struct compiler *c, const struct mrg_seccomp_syscall *call, struct mrg_error *err)
{
	uint32_t action;
	int r = parse_action(call->action, call->errno_ret, &action, err);

	if (r < 0 || action == c->default_action) /* libseccomp refuses rules that say nothing new */
		return r;
	for (size_t i = 0; call->names && call->names[i]; i++) {
		int number = c->library.seccomp_syscall_resolve_name(call->names[i]);

		if (number == __NR_SCMP_ERROR)
			continue;
		r = add_conditions(c, action, number, call, err);
		if (r < 0)
			return mrg_error_prefix(err, "system call '%s'", call->names[i]);
	}
	return 0;
}

static int add_architectures(const struct compiler *c, char *const *names, struct mrg_error *err)
{
	for (; names && *names; names++) {
		char name[32];
		const char *p = strncmp(*names, "SCMP_ARCH_", 10) == 0 ? *names + 10 : *names;
		uint32_t arch;
		size_t i;
		int r;

		for (i = 0; p[i] && i < sizeof(name) - 1; i++)
			name[i] = p[i] >= 'A' && p[i] <= 'Z' ? (char)(p[i] - 'A' + 'a') : p[i];
		name[i] = '\0';
		arch = c->library.seccomp_arch_resolve_name(name);
		if (!arch)
			return mrg_error_set(err, -MRG_E_INVALID, "/linux/seccomp/architectures: unknown architecture '%s'",
					     *names);
		r = c->library.seccomp_arch_add(c->ctx, arch);
		/* Of another family than the host's: no program of it can run here. */
		if (r < 0 && r != -EEXIST && r != -EINVAL)
			return mrg_error_set(err, r, "/linux/seccomp/architectures: cannot add '%s': %s", *names, strerror(-r));
	}
	return 0;
}

int seccomp_compile_oci(const struct mrg_seccomp *profile, struct sock_filter **ret, size_t *ret_length,
			struct mrg_error *err)
{
	_cleanup_(compiler_deinit) struct compiler c = { .ctx = NULL };
	int r;

	if (profile->listener_path)
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "/linux/seccomp/listenerPath: is not supported");
	r = parse_action(profile->default_action, profile->default_errno_ret, &c.default_action, err);
	if (r == 0)
		r = seccomp_library_open(&c.library, err);
	if (r < 0)
		return r;
	c.ctx = c.library.seccomp_init(c.default_action);
	if (!c.ctx)
		return mrg_error_set(err, -ENOMEM, "not enough memory for the seccomp filter");
	c.library.seccomp_attr_set(c.ctx, SCMP_FLTATR_CTL_OPTIMIZE, BINARY_TREE);
	r = add_architectures(&c, profile->architectures, err);
	for (size_t i = 0; r == 0 && i < profile->syscalls.n; i++)
		r = add_call(&c, &profile->syscalls.item[i], err);
	return r < 0 ? r : export_program(&c, ret, ret_length, err);
}
