/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Device rules: files of the v1 hierarchy where it is mounted and can hold them, else a BPF program on v2. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/cgroup/cgroup.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/str.h"

#define BODY_INSNS	4		/* of a rule, after its tests */
#define RULE_INSNS	(3 + BODY_INSNS)
#define RULES_MAX	4000		/* a jump spans 32767 instructions */
#define FIXED_INSNS	8		/* begin and end */
#define PROGRAMS_MAX	64		/* the kernel's BPF_CGROUP_MAX_PROGS */

/* Registers: r0 the verdict, r1 the context; ours are these. */
enum { VERDICT = BPF_REG_0, CONTEXT = BPF_REG_1, TYPE = BPF_REG_2, ACCESS = BPF_REG_3, MAJOR = BPF_REG_4,
       MINOR = BPF_REG_5 };

static struct bpf_insn load(uint8_t to, size_t offset)
{
	return (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = to & 15, .src_reg = CONTEXT,
				  .off = (int16_t)offset };
}

static struct bpf_insn alu(uint8_t operation, uint8_t reg, int32_t value)
{
	return (struct bpf_insn){ .code = BPF_ALU | BPF_K | operation, .dst_reg = reg & 15, .imm = value };
}

static struct bpf_insn copy(uint8_t to, uint8_t from)
{
	return (struct bpf_insn){ .code = BPF_ALU | BPF_X | BPF_MOV, .dst_reg = to & 15, .src_reg = from & 15 };
}

/* Skips @offset instructions if @reg @operation @value. */
static struct bpf_insn jump(uint8_t operation, uint8_t reg, int32_t value, size_t offset)
{
	return (struct bpf_insn){ .code = BPF_JMP | BPF_K | operation, .dst_reg = reg & 15, .off = (int16_t)offset,
				  .imm = value };
}

static const struct bpf_insn leave = { .code = BPF_JMP | BPF_EXIT };

static int32_t access_mask(const char *access)
{
	int32_t mask = 0;

	for (const char *p = access ? access : "rwm"; *p; p++)
		mask |= *p == 'r' ? BPF_DEVCG_ACC_READ : *p == 'w' ? BPF_DEVCG_ACC_WRITE :
			*p == 'm' ? BPF_DEVCG_ACC_MKNOD : 0;
	return mask;
}

static bool is_all_types(const struct mrg_device_rule *rule)
{
	return !rule->type || strcmp(rule->type, "a") == 0;
}

/* What @rule says of the kinds of access that no later rule decided: these stand in ACCESS. */
static size_t rule_insns(const struct mrg_device_rule *rule, struct bpf_insn *p)
{
	int32_t mask = access_mask(rule->access);
	size_t n = 0, tests;

	tests = (size_t)(!is_all_types(rule)) + (rule->major >= 0) + (rule->minor >= 0);
	if (!is_all_types(rule)) {
		int32_t type = strcmp(rule->type, "b") == 0 ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;

		p[n] = jump(BPF_JNE, TYPE, type, tests - n - 1 + BODY_INSNS);
		n++;
	}
	if (rule->major >= 0) {
		p[n] = jump(BPF_JNE, MAJOR, (int32_t)rule->major, tests - n - 1 + BODY_INSNS);
		n++;
	}
	if (rule->minor >= 0) {
		p[n] = jump(BPF_JNE, MINOR, (int32_t)rule->minor, tests - n - 1 + BODY_INSNS);
		n++;
	}
	if (rule->allow) {
		p[n++] = alu(BPF_AND, ACCESS, 7 & ~mask);
		p[n++] = jump(BPF_JNE, ACCESS, 0, 2);
		p[n++] = alu(BPF_MOV, VERDICT, 1);
	} else {
		p[n++] = copy(VERDICT, ACCESS);
		p[n++] = alu(BPF_AND, VERDICT, mask);
		p[n++] = jump(BPF_JEQ, VERDICT, 0, 1);
		/* the verdict must be 0 or 1: the end of the program denies */
		p[n++] = jump(BPF_JA, 0, 0, 0);
		return n;
	}
	p[n++] = leave;
	return n;
}

int cgroup_devices_program(const struct mrg_device_rule *rules, size_t n, struct bpf_insn **ret, size_t *ret_n)
{
	struct bpf_insn *program;
	size_t at = 0, end;

	if (n > RULES_MAX)
		return -E2BIG;
	program = calloc(n * RULE_INSNS + FIXED_INSNS, sizeof(*program));
	if (!program)
		return -ENOMEM;
	program[at++] = load(TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	program[at++] = copy(ACCESS, TYPE);
	program[at++] = alu(BPF_AND, TYPE, 0xffff);
	program[at++] = alu(BPF_RSH, ACCESS, 16);
	program[at++] = load(MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	program[at++] = load(MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
	for (size_t i = n; i-- > 0; )
		at += rule_insns(&rules[i], program + at);
	end = at;
	program[at++] = alu(BPF_MOV, VERDICT, 0);
	program[at++] = leave;
	for (size_t i = 0; i < end; i++)
		if (program[i].code == (BPF_JMP | BPF_JA))
			program[i].off = (int16_t)(end - i - 1);
	*ret = program;
	*ret_n = at;
	return 0;
}

static int bpf(int command, union bpf_attr *attr)
{
	int r = (int)syscall(SYS_bpf, command, attr, sizeof(*attr));

	return r < 0 ? -errno : r;
}

static int load_program(const struct bpf_insn *program, size_t n)
{
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insns = (uint64_t)(uintptr_t)program,
		.insn_cnt = (uint32_t)n,
		.license = (uint64_t)(uintptr_t)"GPL",
		.prog_name = "moorage_dev",
	};

	return bpf(BPF_PROG_LOAD, &attr);
}

/* The programs attached to @dir itself; gives their number. */
static int attached(int dir, uint32_t ids[PROGRAMS_MAX])
{
	union bpf_attr attr = {
		.query = {
			.target_fd = (uint32_t)dir, .attach_type = BPF_CGROUP_DEVICE, .prog_cnt = PROGRAMS_MAX,
			.prog_ids = (uint64_t)(uintptr_t)ids,
		},
	};
	int r = bpf(BPF_PROG_QUERY, &attr);

	return r < 0 ? r : (int)attr.query.prog_cnt;
}

static int detach(int dir, uint32_t id)
{
	union bpf_attr get = { .prog_id = id };
	_cleanup_close_ int fd = bpf(BPF_PROG_GET_FD_BY_ID, &get);
	union bpf_attr attr = { .target_fd = (uint32_t)dir, .attach_bpf_fd = (uint32_t)fd,
				.attach_type = BPF_CGROUP_DEVICE };

	return fd < 0 ? fd : bpf(BPF_PROG_DETACH, &attr);
}

static int detach_all(int dir, const uint32_t *ids, int n)
{
	int r = 0;

	for (int i = 0; r == 0 && i < n; i++)
		r = detach(dir, ids[i]);
	return r;
}

/* The new program goes in before the old ones go out: all must allow, so never is more allowed than both do. */
static int attach(int dir, const struct mrg_device_rule *rules, size_t n)
{
	_cleanup_free_ struct bpf_insn *program = NULL;
	_cleanup_close_ int fd = -1;
	union bpf_attr attr = { .target_fd = (uint32_t)dir, .attach_type = BPF_CGROUP_DEVICE,
				.attach_flags = BPF_F_ALLOW_MULTI };
	uint32_t old[PROGRAMS_MAX];
	size_t length;
	int count, r;

	r = cgroup_devices_program(rules, n, &program, &length);
	if (r < 0)
		return r;
	count = attached(dir, old);
	if (count < 0)
		return count;
	fd = load_program(program, length);
	if (fd < 0)
		return fd;
	attr.attach_bpf_fd = (uint32_t)fd;
	r = bpf(BPF_PROG_ATTACH, &attr);
	return r < 0 ? r : detach_all(dir, old, count);
}

static int device_number(char *buffer, size_t size, int64_t number)
{
	return number < 0 ? snprintf(buffer, size, "*") : snprintf(buffer, size, "%lld", (long long)number);
}

static int add_line(char ***lines, const struct mrg_device_rule *rule)
{
	char line[96], major[24], minor[24];

	device_number(major, sizeof(major), rule->major);
	device_number(minor, sizeof(minor), rule->minor);
	snprintf(line, sizeof(line), "%c%s %s:%s %.3s", rule->allow ? 'a' : 'd', rule->type, major, minor,
		 rule->access ? rule->access : "rwm");
	return strv_append(lines, line);
}

/* v1 knows a default and exceptions from it, not an order: a rule for all devices sets the default. */
int cgroup_devices_lines(const struct mrg_device_rule *rules, size_t n, char ***ret, struct mrg_error *err)
{
	_cleanup_(strv_freep) char **lines = NULL;
	bool allowed = false;
	size_t exceptions = 0;
	int r = strv_append(&lines, "da");

	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct mrg_device_rule *rule = &rules[i];
		bool all = is_all_types(rule);

		if (all && rule->major < 0 && rule->minor < 0 && access_mask(rule->access) == 7) {
			allowed = rule->allow;
			exceptions = 0;
			r = strv_append(&lines, allowed ? "aa" : "da");
			continue;
		}
		if (!!rule->allow == allowed && exceptions == 0)
			continue;
		if (!!rule->allow == allowed)
			return mrg_error_set(err, -MRG_E_UNSUPPORTED,
					     "/linux/resources/devices/%zu: an exception from an earlier exception, "
					     "which cgroup v1 cannot hold", i);
		exceptions++;
		for (const char *type = all ? "bc" : rule->type; r == 0 && *type; type++) {
			struct mrg_device_rule one = *rule;
			char name[2] = { *type, '\0' };

			one.type = name;
			r = add_line(&lines, &one);
		}
	}
	if (r < 0)
		return mrg_error_set(err, r, "out of memory");
	*ret = take_ptr(lines);
	return 0;
}

static int write_lines(int dir, char *const *lines, struct mrg_error *err)
{
	_cleanup_close_ int allow = openat(dir, "devices.allow", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_close_ int deny = openat(dir, "devices.deny", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	if (allow < 0 || deny < 0)
		return cgroup_fail(err, -errno, "cannot open the device rules of a cgroup");
	for (size_t i = 0; lines[i]; i++) {
		int r = fd_write_all(lines[i][0] == 'a' ? allow : deny, lines[i] + 1, strlen(lines[i] + 1));

		if (r < 0)
			return cgroup_fail(err, r, "the kernel refuses the device rule '%s'", lines[i] + 1);
	}
	return 0;
}

/* v1 costs half of what loading a program does, but cannot hold every list. */
int cgroup_devices_choose(const struct cgroup_controllers *available, const struct mrg_spec *spec,
			  unsigned int *ret_v1, struct mrg_error *err)
{
	_cleanup_(strv_freep) char **lines = NULL;
	int r;

	*ret_v1 = 0;
	if (!mrg_fields_has(&spec->set, MRG_FIELD_DEVICE_RULES))
		return 0;
	if (!(available->v1 & CGROUP_DEVICES)) {
		if (available->unified)
			return 0;
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "'%s' cannot be applied on this host: no devices controller",
				     mrg_field_info(MRG_FIELD_DEVICE_RULES)->name);
	}
	r = cgroup_devices_lines(spec->device_rules.item, spec->device_rules.n, &lines, err);
	if (r == 0)
		*ret_v1 = CGROUP_DEVICES;
	return r == -MRG_E_UNSUPPORTED && available->unified ? 0 : r;
}

bool cgroup_devices_work(const struct cgroup_controllers *available)
{
	static const struct bpf_insn allow[] = {
		{ .code = BPF_ALU | BPF_K | BPF_MOV, .dst_reg = VERDICT, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	_cleanup_close_ int fd = -1;

	if (available->v1 & CGROUP_DEVICES)
		return true;
	if (available->unified)
		fd = load_program(allow, ARRAY_SIZE(allow));
	return fd >= 0;
}

static int apply_v2(const struct cgroup *cg, int dir, const struct mrg_spec *spec, struct mrg_error *err)
{
	int r = attach(dir, spec->device_rules.item, spec->device_rules.n);

	return r < 0 ? cgroup_fail(err, r, "cannot attach the device rules to cgroup '/%s'", cg->path) : 0;
}

/* An update may go from one way to the other: what holds the new rules is set first, then the other lets all pass. */
int cgroup_devices_apply(struct cgroup *cg, const struct mrg_spec *spec, struct mrg_error *err)
{
	struct cgroup_hierarchy *v1 = cgroup_find(cg, CGROUP_DEVICES, 1), *v2 = cgroup_find(cg, 0, 2);
	_cleanup_(strv_freep) char **lines = NULL;
	uint32_t ids[PROGRAMS_MAX];
	int r;

	if (!v1 || v1->dir < 0) {
		if (v2 && v2->dir >= 0)
			return apply_v2(cg, v2->dir, spec, err);
		return mrg_error_set(err, -MRG_E_UNSUPPORTED,
				     "device rules cannot be changed: it was started without the devices controller");
	}
	r = cgroup_devices_lines(spec->device_rules.item, spec->device_rules.n, &lines, err);
	if (r == -MRG_E_UNSUPPORTED && v2 && v2->dir >= 0) {
		char *const all[] = { (char[]){ "aa" }, NULL };

		r = apply_v2(cg, v2->dir, spec, err);
		return r < 0 ? r : write_lines(v1->dir, all, err);
	}
	if (r == 0)
		r = write_lines(v1->dir, lines, err);
	if (r < 0 || !v2 || v2->dir < 0)
		return r;
	r = attached(v2->dir, ids);
	if (r > 0)
		r = detach_all(v2->dir, ids, r);
	return r < 0 && r != -EINVAL && r != -ENOSYS && r != -EPERM ?
	       cgroup_fail(err, r, "cannot detach the device rules of cgroup '/%s'", cg->path) : 0;
}
