/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The seccomp programs, interpreted over a table of calls, and tried on the kernel. */

#include "config.h"

#include <asm/ioctls.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/helper/process.h"
#include "core/seccomp/library.h"
#include "core/seccomp/profile.h"
#include "core/seccomp/program.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"

#define CAP(name)	(UINT64_C(1) << CAP_##name)
#define HIGH		(UINT64_C(0xdeadbeef) << 32)
#define APP_CAPS	(CAP(CHOWN) | CAP(KILL) | CAP(SETUID) | CAP(SYS_CHROOT))
#define ALLOW		SECCOMP_RET_ALLOW
#define ERR(e)		(SECCOMP_RET_ERRNO | (e))

struct program {
	struct sock_filter *code;
	size_t length;
};

/* What the kernel's interpreter does with the instructions that seccomp admits and we and libseccomp use. */
static uint32_t interpret(const struct program *p, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < p->length; pc++) {
		const struct sock_filter *i = &p->code[pc];

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(i->k % 4 == 0 && i->k < sizeof(*data));
			memcpy(&a, (const char *)data + i->k, sizeof(a));
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			pc += a > i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			pc += a >= i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += a & i->k ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		default:
			fail_msg("instruction 0x%x at %zu", i->code, pc);
		}
	}
	fail_msg("the program has no end");
	return 0;
}

static uint32_t call(const struct program *p, uint32_t arch, int number, uint64_t a0, uint64_t a1, uint64_t a2)
{
	struct seccomp_data data = { .nr = number, .arch = arch, .args = { a0, a1, a2 } };

	return interpret(p, &data);
}

/* The number the kernel has for @name: those libseccomp makes up for calls behind a multiplexer are negative. */
static int number_of(uint32_t arch, const char *name)
{
	for (int number = 0; number < 512; number++) {
		char *found = seccomp_syscall_resolve_num_arch(arch, number);
		int same = found && strcmp(found, name) == 0;

		free(found);
		if (same)
			return number;
	}
	return -1;
}

static uint32_t by_name(const struct program *p, uint32_t arch, const char *name, uint64_t a0, uint64_t a1, uint64_t a2)
{
	int number = number_of(arch, name);

	assert_true(number >= 0);
	return call(p, arch, number, a0, a1, a2);
}

static void compile(const char *name, uint64_t caps, struct program *ret)
{
	struct mrg_error err = { 0 };

	if (seccomp_compile_profile(seccomp_profile_find(name), caps, &ret->code, &ret->length, &err) < 0)
		fail_msg("%s", err.message);
	assert_true(ret->length <= BPF_MAXINSNS);
}

static const uint32_t *arches(void)
{
	static uint32_t list[3];

	list[0] = seccomp_arch_native();
	list[1] = seccomp_compat_arch(list[0]);
	return list;
}

struct row {
	const char *name;
	uint64_t a0, a1, a2;
	uint32_t verdict;
};

static void check_rows(const struct program *p, const struct row *rows, size_t n)
{
	for (const uint32_t *arch = arches(); *arch; arch++)
		for (size_t i = 0; i < n; i++) {
			int number = number_of(*arch, rows[i].name);
			uint32_t verdict;

			if (number < 0)
				continue;
			verdict = call(p, *arch, number, rows[i].a0, rows[i].a1, rows[i].a2);
			if (verdict != rows[i].verdict)
				print_message("arch %x %s(0x%llx, 0x%llx, 0x%llx): 0x%x\n", *arch, rows[i].name,
					      (unsigned long long)rows[i].a0, (unsigned long long)rows[i].a1,
					      (unsigned long long)rows[i].a2, verdict);
			assert_int_equal(verdict, rows[i].verdict);
		}
}

static void test_default(void **state _unused_)
{
	static const struct row rows[] = {
		{ "read", 0, 0, 0, ALLOW }, { "execve", 0, 0, 0, ALLOW }, { "openat2", 0, 0, 0, ALLOW },
		{ "capset", 0, 0, 0, ALLOW }, { "prctl", 0, 0, 0, ALLOW }, { "seccomp", 0, 0, 0, ALLOW },
		{ "clone3", 0, 0, 0, ERR(ENOSYS) },
		{ "keyctl", 0, 0, 0, ERR(EPERM) }, { "add_key", 0, 0, 0, ERR(EPERM) }, { "request_key", 0, 0, 0, ERR(EPERM) },
		{ "io_uring_setup", 0, 0, 0, ERR(EPERM) }, { "io_uring_enter", 0, 0, 0, ERR(EPERM) },
		{ "userfaultfd", 0, 0, 0, ERR(EPERM) }, { "bpf", 0, 0, 0, ERR(EPERM) },
		{ "perf_event_open", 0, 0, 0, ERR(EPERM) }, { "mount", 0, 0, 0, ERR(EPERM) }, { "umount2", 0, 0, 0, ERR(EPERM) },
		{ "fsopen", 0, 0, 0, ERR(EPERM) }, { "move_mount", 0, 0, 0, ERR(EPERM) }, { "open_tree", 0, 0, 0, ERR(EPERM) },
		{ "mount_setattr", 0, 0, 0, ERR(EPERM) }, { "open_by_handle_at", 0, 0, 0, ERR(EPERM) },
		{ "kexec_load", 0, 0, 0, ERR(EPERM) }, { "init_module", 0, 0, 0, ERR(EPERM) },
		{ "unshare", 0, 0, 0, ERR(EPERM) }, { "setns", 0, 0, 0, ERR(EPERM) }, { "swapon", 0, 0, 0, ERR(EPERM) },
		{ "reboot", 0, 0, 0, ERR(EPERM) }, { "settimeofday", 0, 0, 0, ERR(EPERM) }, { "chroot", 0, 0, 0, ALLOW },
		{ "clone", SIGCHLD, 0, 0, ALLOW }, { "clone", CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, ALLOW },
		{ "clone", HIGH | SIGCHLD, 0, 0, ALLOW },
		{ "clone", CLONE_NEWUSER, 0, 0, ERR(EPERM) }, { "clone", CLONE_NEWNS | SIGCHLD, 0, 0, ERR(EPERM) },
		{ "clone", CLONE_NEWNET, 0, 0, ERR(EPERM) }, { "clone", HIGH | CLONE_NEWPID, 0, 0, ERR(EPERM) },
		{ "clone", CLONE_NEWCGROUP, 0, 0, ERR(EPERM) }, { "clone", CLONE_NEWUTS | CLONE_NEWIPC, 0, 0, ERR(EPERM) },
		{ "ioctl", 0, TIOCSTI, 0, ERR(EPERM) }, { "ioctl", 0, HIGH | TIOCSTI, 0, ERR(EPERM) },
		{ "ioctl", 0, TIOCLINUX, 0, ERR(EPERM) }, { "ioctl", 0, HIGH | TIOCLINUX, 0, ERR(EPERM) },
		{ "ioctl", 0, TIOCGWINSZ, 0, ALLOW }, { "ioctl", TIOCSTI, TCGETS, 0, ALLOW },
		{ "personality", 0, 0, 0, ALLOW }, { "personality", 8, 0, 0, ALLOW }, { "personality", 0xffffffff, 0, 0, ALLOW },
		{ "personality", 0x20008, 0, 0, ALLOW }, { "personality", 0x0040000, 0, 0, ERR(EPERM) },
		{ "personality", 1, 0, 0, ERR(EPERM) }, { "personality", HIGH | 8, 0, 0, ALLOW },
	};
	struct program p;

	compile("default", APP_CAPS, &p);
	check_rows(&p, rows, ARRAY_SIZE(rows));
	free(p.code);
}

/* Rows 73 and 74 of the catalogue of weaknesses. */
static void test_socket_families(void **state _unused_)
{
	static const char *const profiles[] = { "default", "boot" };

	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
		struct program p;

		compile(profiles[i], APP_CAPS, &p);
		for (const uint32_t *arch = arches(); *arch; arch++)
			for (uint64_t family = 0; family <= 50; family++) {
				uint32_t expected = family == AF_ALG || family == AF_VSOCK ? ERR(EAFNOSUPPORT) : ALLOW;

				assert_int_equal(by_name(&p, *arch, "socket", family, SOCK_STREAM, 0), expected);
				assert_int_equal(by_name(&p, *arch, "socket", HIGH | family, SOCK_STREAM, 0), expected);
			}
		free(p.code);
	}
}

static void test_multiplexer(void **state _unused_)
{
	struct program p;
	int number = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, "socketcall");

	if (seccomp_compat_arch(seccomp_arch_native()) != SCMP_ARCH_X86) {
		print_message("skipped: no i386 here\n");
		skip();
	}
	compile("default", APP_CAPS, &p);
	assert_int_equal(call(&p, SCMP_ARCH_X86, number, 1, 0, 0), ERR(EPERM));		/* socket */
	assert_int_equal(call(&p, SCMP_ARCH_X86, number, 8, 0, 0), ERR(EPERM));		/* socketpair */
	assert_int_equal(call(&p, SCMP_ARCH_X86, number, 3, 0, 0), ALLOW);		/* connect */
	free(p.code);
}

static void test_other_architectures(void **state _unused_)
{
	static const char *const profiles[] = { "default", "boot" };

	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
		struct program p;

		compile(profiles[i], UINT64_MAX, &p);
		/* x32 passes as x86-64 with a bit in the number. */
		for (int number = 0; number < 600; number++)
			if (seccomp_arch_native() == SCMP_ARCH_X86_64)
				assert_int_equal(call(&p, SCMP_ARCH_X86_64, 0x40000000 | number, 0, 0, 0), ERR(ENOSYS));
		assert_int_equal(call(&p, AUDIT_ARCH_SPARC64, 1, 0, 0, 0), ERR(ENOSYS));
		free(p.code);
	}
}

static void test_unknown_is_enosys(void **state _unused_)
{
	struct program p;

	compile("default", UINT64_MAX, &p);
	for (int number = 600; number < 2000; number += 7)
		assert_int_equal(call(&p, seccomp_arch_native(), number, 0, 0, 0), ERR(ENOSYS));
	assert_int_equal(call(&p, seccomp_arch_native(), -1, 0, 0, 0), ERR(ENOSYS));
	free(p.code);
}

/* Row 75: no system call that libseccomp knows by name is forgotten. Those the kernel never had are ENOSYS by themselves. */
static void test_every_call_is_classified(void **state _unused_)
{
	static const char *const none[] = {
		"_sysctl", "afs_syscall", "bdflush", "break", "clone3", "create_module", "epoll_ctl_old", "epoll_wait_old", "ftime",
		"get_kernel_syms", "getpmsg", "gtty", "idle", "lock", "lookup_dcookie", "mpx", "nfsservctl", "prof", "profil", "putpmsg",
		"query_module", "security", "stty", "tuxcall", "ulimit", "uselib", "vserver",
	};
	struct program p;

	compile("default", 0, &p);
	for (int number = 0; number < 460; number++) {
		char *name = seccomp_syscall_resolve_num_arch(seccomp_arch_native(), number);
		size_t i = 0;

		if (!name)
			continue;
		while (i < ARRAY_SIZE(none) && strcmp(none[i], name) != 0)
			i++;
		if (i == ARRAY_SIZE(none) && call(&p, seccomp_arch_native(), number, 0, 0, 0) == ERR(ENOSYS))
			fail_msg("system call '%s' is in no list", name);
		free(name);
	}
	free(p.code);
}

/* More runs than one chunk of short jumps can hold, with rules in the middle of them. */
static void test_search_finds_all(void **state _unused_)
{
	static const struct seccomp_rule rules[] = { { "ruled", SECCOMP_DENY_EQ, 0, 7, EIO, 0 }, { NULL, 0, 0, 0, 0, 0 } };
	const struct seccomp_profile profile = { .rules = { rules, NULL } };
	struct seccomp_call calls[700];
	struct sock_filter code[BPF_MAXINSNS];
	struct seccomp_program p = { .code = code, .max = ARRAY_SIZE(code) };
	struct program found;

	for (uint32_t i = 0; i < ARRAY_SIZE(calls); i++)
		calls[i] = (struct seccomp_call){ .number = 3 * i + i % 2, .verdict = ERR(i % 5), .name = i % 100 ? NULL : "ruled" };
	program_load(&p, offsetof(struct seccomp_data, nr));
	assert_int_equal(seccomp_search_emit(&p, calls, ARRAY_SIZE(calls), ALLOW, &profile, 0), 0);
	found = (struct program){ code, p.length };
	for (uint32_t number = 0, i = 0; number < 3 * ARRAY_SIZE(calls) + 9; number++) {
		bool listed = i < ARRAY_SIZE(calls) && calls[i].number == number;
		uint32_t verdict = listed ? calls[i].verdict : ALLOW;

		assert_int_equal(call(&found, 0, (int)number, 8, 0, 0), verdict);
		assert_int_equal(call(&found, 0, (int)number, 7, 0, 0), listed && calls[i].name ? ERR(EIO) : verdict);
		i += listed;
	}
	p = (struct seccomp_program){ .code = code, .max = 100 };
	assert_int_equal(seccomp_search_emit(&p, calls, ARRAY_SIZE(calls), ALLOW, &profile, 0), -E2BIG);
}

static void test_lists_do_not_overlap(void **state _unused_)
{
	const struct seccomp_profile *profile = seccomp_profile_find("default");

	for (const seccomp_name *denied = profile->deny; **denied; denied++)
		for (const seccomp_name *allowed = profile->allow[0]; **allowed; allowed++)
			assert_string_not_equal(*denied, *allowed);
}

static void test_capabilities_allow(void **state _unused_)
{
	static const struct {
		uint64_t caps;
		const char *name;
	} rows[] = {
		{ CAP(SYS_ADMIN), "mount" }, { CAP(SYS_ADMIN), "unshare" }, { CAP(SYS_ADMIN), "clone3" }, { CAP(SYS_ADMIN), "bpf" },
		{ CAP(BPF), "bpf" }, { CAP(PERFMON), "perf_event_open" }, { CAP(SYS_PTRACE), "kcmp" }, { CAP(SYS_CHROOT), "chroot" },
		{ CAP(SYS_NICE), "mbind" }, { CAP(SYS_TIME), "settimeofday" }, { CAP(SYS_BOOT), "reboot" },
		{ CAP(SYS_MODULE), "init_module" }, { CAP(DAC_READ_SEARCH), "open_by_handle_at" }, { CAP(SYSLOG), "syslog" },
		{ CAP(SYS_PACCT), "acct" }, { CAP(SYS_TTY_CONFIG), "vhangup" }, { CAP(SYS_RAWIO), "iopl" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct program with, without;

		compile("default", rows[i].caps, &with);
		compile("default", 0, &without);
		assert_int_equal(by_name(&with, seccomp_arch_native(), rows[i].name, 0, 0, 0), ALLOW);
		assert_int_not_equal(by_name(&without, seccomp_arch_native(), rows[i].name, 0, 0, 0), ALLOW);
		free(with.code);
		free(without.code);
	}
}

static void test_boot(void **state _unused_)
{
	static const struct row rows[] = {
		{ "mount", 0, 0, 0, ALLOW }, { "umount2", 0, 0, 0, ALLOW }, { "clone", CLONE_NEWNS, 0, 0, ALLOW },
		{ "clone3", 0, 0, 0, ALLOW }, { "unshare", 0, 0, 0, ALLOW }, { "setns", 0, 0, 0, ALLOW }, { "pivot_root", 0, 0, 0, ALLOW },
		{ "reboot", 0, 0, 0, ALLOW }, { "fsopen", 0, 0, 0, ALLOW }, { "sethostname", 0, 0, 0, ALLOW },
		{ "init_module", 0, 0, 0, ERR(EPERM) }, { "kexec_load", 0, 0, 0, ERR(EPERM) }, { "swapon", 0, 0, 0, ERR(EPERM) },
		{ "bpf", 0, 0, 0, ERR(EPERM) }, { "keyctl", 0, 0, 0, ERR(EPERM) }, { "open_by_handle_at", 0, 0, 0, ERR(EPERM) },
		{ "socket", AF_NETLINK, 0, 9, ERR(EAFNOSUPPORT) }, { "socket", HIGH | AF_NETLINK, 0, HIGH | 9, ERR(EAFNOSUPPORT) },
		{ "socket", AF_NETLINK, 0, 0, ALLOW }, { "socket", AF_INET, 0, 9, ALLOW },
		{ "ioctl", 0, TIOCSTI, 0, ERR(EPERM) },
	};
	struct program p;

	compile("boot", CAP(CHOWN), &p);
	check_rows(&p, rows, ARRAY_SIZE(rows));
	free(p.code);
}

static void oci_call(struct mrg_seccomp_syscall *call_, char **names, const char *action, uint32_t error)
{
	*call_ = (struct mrg_seccomp_syscall){ .names = names, .action = action, .errno_ret = error };
}

static void test_oci_profile(void **state _unused_)
{
	char read[] = "read", mkdir_[] = "mkdir", kill_[] = "kill", odd[] = "no_such_call", arch[] = "SCMP_ARCH_X86_64";
	char *allowed[] = { read, odd, NULL }, *denied[] = { mkdir_, NULL }, *limited[] = { kill_, NULL };
	char *architectures[] = { arch, NULL };
	struct mrg_seccomp_arg args[] = {
		{ .index = 1, .value = 9, .op = "SCMP_CMP_EQ" }, { .index = 1, .value = 15, .op = "SCMP_CMP_EQ" },
	};
	struct mrg_seccomp_syscall calls[3];
	struct mrg_seccomp profile = {
		.default_action = "SCMP_ACT_ERRNO", .default_errno_ret = 38, .architectures = architectures,
		.syscalls = { calls, ARRAY_SIZE(calls) },
	};
	struct mrg_error err = { 0 };
	struct program p;

	oci_call(&calls[0], allowed, "SCMP_ACT_ALLOW", 0);
	oci_call(&calls[1], denied, "SCMP_ACT_ERRNO", EACCES);
	oci_call(&calls[2], limited, "SCMP_ACT_ALLOW", 0);
	calls[2].args.item = args;
	calls[2].args.n = 2;
	assert_int_equal(seccomp_compile_oci(&profile, &p.code, &p.length, &err), 0);
	assert_int_equal(call(&p, seccomp_arch_native(), SYS_read, 0, 0, 0), ALLOW);
	assert_int_equal(call(&p, seccomp_arch_native(), SYS_getpid, 0, 0, 0), ERR(ENOSYS));
	assert_int_equal(by_name(&p, seccomp_arch_native(), "mkdir", 0, 0, 0), ERR(EACCES));
	assert_int_equal(call(&p, seccomp_arch_native(), SYS_kill, 1, 9, 0), ALLOW);
	assert_int_equal(call(&p, seccomp_arch_native(), SYS_kill, 1, 15, 0), ALLOW);
	assert_int_equal(call(&p, seccomp_arch_native(), SYS_kill, 1, 2, 0), ERR(ENOSYS));
	free(p.code);
}

static void test_oci_refusals(void **state _unused_)
{
	char arch[] = "SCMP_ARCH_TOASTER", *architectures[] = { arch, NULL };
	struct mrg_seccomp profile = { .default_action = "SCMP_ACT_ALLOW", .listener_path = "/run/x" };
	struct mrg_error err = { 0 };
	struct program p;

	assert_int_equal(seccomp_compile_oci(&profile, &p.code, &p.length, &err), -MRG_E_UNSUPPORTED);
	profile.listener_path = NULL;
	profile.default_action = "SCMP_ACT_NOTIFY";
	assert_int_equal(seccomp_compile_oci(&profile, &p.code, &p.length, &err), -MRG_E_UNSUPPORTED);
	profile.default_action = "SCMP_ACT_ALLOW";
	profile.architectures = architectures;
	assert_int_equal(seccomp_compile_oci(&profile, &p.code, &p.length, &err), -MRG_E_INVALID);
	assert_non_null(strstr(err.message, "SCMP_ARCH_TOASTER"));
}

/* ---- the cache ---- */

static int setup_cache(void **state)
{
	static char dir[32];

	strcpy(dir, "/tmp/mrgt-cache-XXXXXX");
	*state = mkdtemp(dir);
	return *state ? setenv("MOORAGE_RUN_DIR", dir, 1) : -1;
}

static int remove_cache(void **state)
{
	_cleanup_close_ int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	unsetenv("MOORAGE_RUN_DIR");
	return fd_remove_tree(tmp, (const char *)*state + strlen("/tmp/"));
}

static void test_cache_gives_back(void **state _unused_)
{
	struct sock_filter program[] = { { BPF_RET | BPF_K, 0, 0, ALLOW }, { BPF_RET | BPF_K, 0, 0, 1 } }, *back;
	size_t length;

	assert_int_equal(seccomp_cache_read("a", &back, &length), -ENOENT);
	seccomp_cache_write("a", program, 2);
	assert_int_equal(seccomp_cache_read("a", &back, &length), 0);
	assert_int_equal(length, 2);
	assert_memory_equal(back, program, sizeof(program));
	free(back);
	assert_int_equal(seccomp_cache_read("b", &back, &length), -ENOENT);
}

/* The only file in the cache, for spoiling. */
static void spoil(const char *run_dir, const char *text, int mode)
{
	char path[256];
	_cleanup_closedir_ DIR *d = NULL;
	struct dirent *entry;

	snprintf(path, sizeof(path), "%s/cache/seccomp", run_dir);
	d = opendir(path);
	assert_non_null(d);
	while ((entry = readdir(d))) {
		_cleanup_close_ int fd = -1;

		if (!strstr(entry->d_name, ".bpf"))
			continue;
		fd = openat(dirfd(d), entry->d_name, O_WRONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		if (text)
			assert_true(write(fd, text, strlen(text)) > 0);
		else
			assert_int_equal(ftruncate(fd, 13), 0);
		assert_int_equal(fchmod(fd, (mode_t)mode), 0);
	}
}

static void test_cache_doubts(void **state)
{
	struct sock_filter program = { BPF_RET | BPF_K, 0, 0, ALLOW }, *back;
	size_t length;

	seccomp_cache_write("key", &program, 1);
	spoil(*state, "kex", 0600);		/* another key of the same hash */
	assert_int_equal(seccomp_cache_read("key", &back, &length), -ENOENT);
	seccomp_cache_write("key", &program, 1);
	spoil(*state, NULL, 0600);		/* torn */
	assert_int_equal(seccomp_cache_read("key", &back, &length), -ENOENT);
	seccomp_cache_write("key", &program, 1);
	spoil(*state, "key", 0622);		/* writable by others */
	assert_int_equal(seccomp_cache_read("key", &back, &length), -ENOENT);
	seccomp_cache_write("key", &program, 1);
	assert_int_equal(seccomp_cache_read("key", &back, &length), 0);
	free(back);
	assert_int_equal(chmod(*state, 0777), 0);	/* the directory is anybody's */
	assert_true(seccomp_cache_read("key", &back, &length) < 0);
	chmod(*state, 0700);
}

static double milliseconds(const struct mrg_spec *spec)
{
	struct mrg_helper_process p = { .init = -1 };
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_int_equal(seccomp_prepare(spec, &p, NULL), 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_non_null(p.filter);
	free(p.filter);
	return (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6;
}

static void test_cached_program_is_the_same(void **state _unused_)
{
	struct mrg_spec spec = { .seccomp_profile = "default" };
	struct mrg_helper_process first = { .init = -1 }, second = { .init = -1 };
	double compiled, cached;

	compiled = milliseconds(&spec);
	cached = milliseconds(&spec);
	print_message("compiled in %.3f ms, read in %.3f ms\n", compiled, cached);
	assert_int_equal(seccomp_compile_profile(seccomp_profile_find("default"), UINT64_MAX, &first.filter,
						 &first.filter_length, NULL), 0);
	assert_int_equal(seccomp_prepare(&spec, &second, NULL), 0);
	assert_int_equal(first.filter_length, second.filter_length);
	assert_memory_equal(first.filter, second.filter, first.filter_length * sizeof(*first.filter));
	free(first.filter);
	free(second.filter);
}

/* ---- the kernel ---- */

static int live(const struct program *p)
{
	struct sock_fprog program = { .len = (unsigned short)p->length, .filter = p->code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		return 1;
	if (socket(38, SOCK_SEQPACKET, 0) >= 0 || errno != EAFNOSUPPORT)
		return 2;
	if (syscall(SYS_ioctl, 0, HIGH | TIOCSTI, "x") >= 0 || errno != EPERM)
		return 3;
	if (unshare(CLONE_NEWUTS) >= 0 || errno != EPERM)
		return 4;
	if (syscall(SYS_keyctl, 0, 0, 0, 0, 0) >= 0 || errno != EPERM)
		return 5;
	if (syscall(SYS_clone3, NULL, 0) >= 0 || errno != ENOSYS)
		return 6;
	if (syscall(999) >= 0 || errno != ENOSYS)
		return 7;
	if (socket(AF_UNIX, SOCK_STREAM, 0) < 0)
		return 8;
	return 0;
}

static void test_on_the_kernel(void **state _unused_)
{
	struct program p;
	int status;
	pid_t pid;

	compile("default", APP_CAPS, &p);
	pid = fork();
	if (pid == 0)
		_exit(live(&p));
	waitpid(pid, &status, 0);
	free(p.code);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_socket_families),
		cmocka_unit_test(test_multiplexer),
		cmocka_unit_test(test_other_architectures),
		cmocka_unit_test(test_unknown_is_enosys),
		cmocka_unit_test(test_every_call_is_classified),
		cmocka_unit_test(test_search_finds_all),
		cmocka_unit_test(test_lists_do_not_overlap),
		cmocka_unit_test(test_capabilities_allow),
		cmocka_unit_test(test_boot),
		cmocka_unit_test(test_oci_profile),
		cmocka_unit_test(test_oci_refusals),
		cmocka_unit_test_setup_teardown(test_cache_gives_back, setup_cache, remove_cache),
		cmocka_unit_test_setup_teardown(test_cache_doubts, setup_cache, remove_cache),
		cmocka_unit_test_setup_teardown(test_cached_program_is_the_same, setup_cache, remove_cache),
		cmocka_unit_test(test_on_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
