/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The seccomp profiles "default" (an application) and "boot" (an init with services), as data. Every system call of Linux 6.1 is in one
 * list or another; what is in none is newer than the lists, or was never implemented. */

#include "config.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/socket.h>

#include "core/seccomp/profile.h"

#define CAP(name)	(UINT64_C(1) << CAP_##name)
#define NAMESPACES	((uint32_t)(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
				    CLONE_NEWPID | CLONE_NEWNET))

/* The first two arguments of clone(2) are the other way round there. */
#ifdef __s390x__
#define CLONE_FLAGS	1
#else
#define CLONE_FLAGS	0
#endif

/* Calls of the multiplexer that old 32-bit programs use. What sockets it makes is behind a pointer, out of reach of a filter. */
#define SOCKETCALL_SOCKET	1
#define SOCKETCALL_SOCKETPAIR	8

/* Harmless, or subject to the permissions of files and capabilities alone. Names of other architectures are among them. */
static const seccomp_name allow_common[] = {
	"_llseek", "_newselect", "accept", "accept4", "access", "adjtimex", "alarm", "arch_prctl",
	"arm_fadvise64_64", "arm_sync_file_range", "bind", "breakpoint", "brk", "cacheflush", "cachestat", "capget",
	"capset", "chdir", "chmod", "chown", "chown32", "clock_adjtime", "clock_adjtime64", "clock_getres",
	"clock_getres_time64", "clock_gettime", "clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64",
	"clone", "close", "close_range", "connect", "copy_file_range", "creat", "dup", "dup2", "dup3",
	"epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait", "eventfd",
	"eventfd2", "execve", "execveat", "exit", "exit_group", "faccessat", "faccessat2", "fadvise64",
	"fadvise64_64", "fallocate", "fanotify_mark", "fchdir", "fchmod", "fchmodat", "fchmodat2", "fchown",
	"fchown32", "fchownat", "fcntl", "fcntl64", "fdatasync", "fgetxattr", "file_getattr", "file_setattr",
	"flistxattr", "flock", "fork", "fremovexattr", "fsetxattr", "fstat", "fstat64", "fstatat64", "fstatfs",
	"fstatfs64", "fsync", "ftruncate", "ftruncate64", "futex", "futex_requeue", "futex_time64", "futex_wait",
	"futex_waitv", "futex_wake", "futimesat", "get_robust_list", "get_thread_area", "get_tls", "getcpu",
	"getcwd", "getdents", "getdents64", "getegid", "getegid32", "geteuid", "geteuid32", "getgid", "getgid32",
	"getgroups", "getgroups32", "getitimer", "getpeername", "getpgid", "getpgrp", "getpid", "getppid",
	"getpriority", "getrandom", "getresgid", "getresgid32", "getresuid", "getresuid32", "getrlimit", "getrusage",
	"getsid", "getsockname", "getsockopt", "gettid", "gettimeofday", "getuid", "getuid32", "getxattr",
	"getxattrat", "inotify_add_watch", "inotify_init", "inotify_init1", "inotify_rm_watch", "io_cancel",
	"io_destroy", "io_getevents", "io_pgetevents", "io_pgetevents_time64", "io_setup", "io_submit", "ioctl",
	"ioprio_get", "ioprio_set", "ipc", "kill", "landlock_add_rule", "landlock_create_ruleset",
	"landlock_restrict_self", "lchown", "lchown32", "lgetxattr", "link", "linkat", "listen", "listmount",
	"listxattr", "listxattrat", "llistxattr", "lremovexattr", "lseek", "lsetxattr", "lsm_get_self_attr",
	"lsm_list_modules", "lsm_set_self_attr", "lstat", "lstat64", "madvise", "map_shadow_stack", "membarrier",
	"memfd_create", "memfd_secret", "mincore", "mkdir", "mkdirat", "mknod", "mknodat", "mlock", "mlock2",
	"mlockall", "mmap", "mmap2", "modify_ldt", "mprotect", "mq_getsetattr", "mq_notify", "mq_open",
	"mq_timedreceive", "mq_timedreceive_time64", "mq_timedsend", "mq_timedsend_time64", "mq_unlink", "mremap",
	"mseal", "msgctl", "msgget", "msgrcv", "msgsnd", "msync", "munlock", "munlockall", "munmap",
	"name_to_handle_at", "nanosleep", "newfstatat", "nice", "oldfstat", "oldlstat", "oldolduname", "oldstat",
	"olduname", "open", "openat", "openat2", "pause", "personality", "pidfd_open", "pidfd_send_signal", "pipe",
	"pipe2", "pkey_alloc", "pkey_free", "pkey_mprotect", "poll", "ppoll", "ppoll_time64", "prctl", "pread64",
	"preadv", "preadv2", "prlimit64", "process_mrelease", "process_vm_readv", "process_vm_writev", "pselect6",
	"pselect6_time64", "ptrace", "pwrite64", "pwritev", "pwritev2", "read", "readahead", "readdir", "readlink",
	"readlinkat", "readv", "recv", "recvfrom", "recvmmsg", "recvmmsg_time64", "recvmsg", "remap_file_pages",
	"removexattr", "removexattrat", "rename", "renameat", "renameat2", "restart_syscall", "riscv_flush_icache",
	"riscv_hwprobe", "rmdir", "rseq", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo",
	"rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "rt_sigtimedwait_time64", "rt_tgsigqueueinfo",
	"s390_pci_mmio_read", "s390_pci_mmio_write", "s390_runtime_instr", "sched_get_priority_max",
	"sched_get_priority_min", "sched_getaffinity", "sched_getattr", "sched_getparam", "sched_getscheduler",
	"sched_rr_get_interval", "sched_rr_get_interval_time64", "sched_setaffinity", "sched_setattr",
	"sched_setparam", "sched_setscheduler", "sched_yield", "seccomp", "select", "semctl", "semget", "semop",
	"semtimedop", "semtimedop_time64", "send", "sendfile", "sendfile64", "sendmmsg", "sendmsg", "sendto",
	"set_robust_list", "set_thread_area", "set_tid_address", "set_tls", "setfsgid", "setfsgid32", "setfsuid",
	"setfsuid32", "setgid", "setgid32", "setgroups", "setgroups32", "setitimer", "setpgid", "setpriority",
	"setregid", "setregid32", "setresgid", "setresgid32", "setresuid", "setresuid32", "setreuid", "setreuid32",
	"setrlimit", "setsid", "setsockopt", "setuid", "setuid32", "setxattr", "setxattrat", "sgetmask", "shmat",
	"shmctl", "shmdt", "shmget", "shutdown", "sigaction", "sigaltstack", "signal", "signalfd", "signalfd4",
	"sigpending", "sigprocmask", "sigreturn", "sigsuspend", "socket", "socketcall", "socketpair", "splice",
	"ssetmask", "stat", "stat64", "statfs", "statfs64", "statmount", "statx", "subpage_prot", "swapcontext",
	"switch_endian", "symlink", "symlinkat", "sync", "sync_file_range", "sync_file_range2", "syncfs",
	"sys_debug_setcontext", "sysinfo", "tee", "tgkill", "time", "timer_create", "timer_delete",
	"timer_getoverrun", "timer_gettime", "timer_gettime64", "timer_settime", "timer_settime64", "timerfd_create",
	"timerfd_gettime", "timerfd_gettime64", "timerfd_settime", "timerfd_settime64", "times", "tkill", "truncate",
	"truncate64", "ugetrlimit", "umask", "uname", "unlink", "unlinkat", "uretprobe", "usr26", "usr32", "utime",
	"utimensat", "utimensat_time64", "utimes", "vfork", "vmsplice", "wait4", "waitid", "waitpid", "write",
	"writev", "",
};

/* What an init does beyond that, in namespaces of its own: mounts, namespaces for its services, shutting down. */
static const seccomp_name allow_boot[] = {
	"chroot", "clone3", "fsconfig", "fsmount", "fsopen", "fspick", "kcmp", "mount", "mount_setattr",
	"move_mount", "open_tree", "open_tree_attr", "pivot_root", "quotactl", "quotactl_fd", "reboot",
	"setdomainname", "sethostname", "setns", "umount", "umount2", "unshare", "vhangup", "",
};

/* Keys are not namespaced; io_uring, userfaultfd, bpf and perf are much kernel for little use; the rest is administration of the host. */
static const seccomp_name deny_common[] = {
	"acct", "add_key", "bpf", "chroot", "clock_settime", "clock_settime64", "delete_module", "fanotify_init",
	"finit_module", "fsconfig", "fsmount", "fsopen", "fspick", "get_mempolicy", "init_module", "io_uring_enter",
	"io_uring_register", "io_uring_setup", "ioperm", "iopl", "kcmp", "kexec_file_load", "kexec_load", "keyctl",
	"mbind", "migrate_pages", "mount", "mount_setattr", "move_mount", "move_pages", "open_by_handle_at",
	"open_tree", "open_tree_attr", "perf_event_open", "pidfd_getfd", "pivot_root", "process_madvise", "quotactl",
	"quotactl_fd", "reboot", "request_key", "set_mempolicy", "set_mempolicy_home_node", "setdomainname",
	"sethostname", "setns", "settimeofday", "stime", "swapoff", "swapon", "sysfs", "syslog", "umount", "umount2",
	"unshare", "userfaultfd", "ustat", "vhangup", "vm86", "vm86old", "",
};

static const seccomp_name grant_bpf[] = {
	"bpf", "",
};
static const seccomp_name grant_dac_read_search[] = {
	"open_by_handle_at", "",
};
static const seccomp_name grant_perfmon[] = {
	"perf_event_open", "",
};
static const seccomp_name grant_syslog[] = {
	"syslog", "",
};
static const seccomp_name grant_sys_admin[] = {
	"bpf", "clone3", "fanotify_init", "fsconfig", "fsmount", "fsopen", "fspick", "mount", "mount_setattr",
	"move_mount", "open_tree", "open_tree_attr", "perf_event_open", "pivot_root", "quotactl", "quotactl_fd",
	"setdomainname", "sethostname", "setns", "syslog", "umount", "umount2", "unshare", "",
};
static const seccomp_name grant_sys_boot[] = {
	"reboot", "",
};
static const seccomp_name grant_sys_chroot[] = {
	"chroot", "",
};
static const seccomp_name grant_sys_module[] = {
	"delete_module", "finit_module", "init_module", "",
};
static const seccomp_name grant_sys_nice[] = {
	"get_mempolicy", "mbind", "migrate_pages", "move_pages", "set_mempolicy", "set_mempolicy_home_node", "",
};
static const seccomp_name grant_sys_pacct[] = {
	"acct", "",
};
static const seccomp_name grant_sys_ptrace[] = {
	"kcmp", "pidfd_getfd", "process_madvise", "",
};
static const seccomp_name grant_sys_rawio[] = {
	"ioperm", "iopl", "",
};
static const seccomp_name grant_sys_time[] = {
	"clock_settime", "clock_settime64", "settimeofday", "stime", "",
};
static const seccomp_name grant_sys_tty_config[] = {
	"vhangup", "",
};

static const struct seccomp_grant grants[] = {
	{ CAP_BPF, grant_bpf },
	{ CAP_DAC_READ_SEARCH, grant_dac_read_search },
	{ CAP_PERFMON, grant_perfmon },
	{ CAP_SYSLOG, grant_syslog },
	{ CAP_SYS_ADMIN, grant_sys_admin },
	{ CAP_SYS_BOOT, grant_sys_boot },
	{ CAP_SYS_CHROOT, grant_sys_chroot },
	{ CAP_SYS_MODULE, grant_sys_module },
	{ CAP_SYS_NICE, grant_sys_nice },
	{ CAP_SYS_PACCT, grant_sys_pacct },
	{ CAP_SYS_PTRACE, grant_sys_ptrace },
	{ CAP_SYS_RAWIO, grant_sys_rawio },
	{ CAP_SYS_TIME, grant_sys_time },
	{ CAP_SYS_TTY_CONFIG, grant_sys_tty_config },
	{ 0, NULL },
};

/* Kernel crypto (AF_ALG) and the hypervisor's sockets (AF_VSOCK) are no business of a container; characters must not be put into
 * the input of a terminal, which may be somebody else's. */
static const struct seccomp_rule rules_common[] = {
	{ "socket", SECCOMP_DENY_EQ, 0, AF_ALG, EAFNOSUPPORT, 0 },
	{ "socket", SECCOMP_DENY_EQ, 0, AF_VSOCK, EAFNOSUPPORT, 0 },
	{ "socketpair", SECCOMP_DENY_EQ, 0, AF_ALG, EAFNOSUPPORT, 0 },
	{ "socketpair", SECCOMP_DENY_EQ, 0, AF_VSOCK, EAFNOSUPPORT, 0 },
	{ "socketcall", SECCOMP_DENY_EQ, 0, SOCKETCALL_SOCKET, EPERM, 0 },
	{ "socketcall", SECCOMP_DENY_EQ, 0, SOCKETCALL_SOCKETPAIR, EPERM, 0 },
	{ "ioctl", SECCOMP_DENY_EQ, 1, TIOCSTI, EPERM, 0 },
	{ "ioctl", SECCOMP_DENY_EQ, 1, TIOCLINUX, EPERM, 0 },
	{ "personality", SECCOMP_PASS_EQ, 0, PER_LINUX, 0, 0 },
	{ "personality", SECCOMP_PASS_EQ, 0, PER_LINUX32, 0, 0 },
	{ "personality", SECCOMP_PASS_EQ, 0, UNAME26, 0, 0 },
	{ "personality", SECCOMP_PASS_EQ, 0, PER_LINUX32 | UNAME26, 0, 0 },
	{ "personality", SECCOMP_PASS_EQ, 0, 0xffffffff, 0, 0 },
	{ "personality", SECCOMP_DENY, 0, 0, EPERM, 0 },
	{ NULL, 0, 0, 0, 0, 0 },
};

static const struct seccomp_rule rules_default[] = {
	{ "clone", SECCOMP_DENY_SET, CLONE_FLAGS, NAMESPACES, EPERM, CAP(SYS_ADMIN) },
	{ NULL, 0, 0, 0, 0, 0 },
};

/* The audit system is the host's: an init that finds none does without. */
static const struct seccomp_rule rules_boot[] = {
	{ "socket", SECCOMP_DENY_EQ, 0, AF_ALG, EAFNOSUPPORT, 0 },
	{ "socket", SECCOMP_DENY_EQ, 0, AF_VSOCK, EAFNOSUPPORT, 0 },
	{ "socket", SECCOMP_PASS_NE, 0, AF_NETLINK, 0, 0 },
	{ "socket", SECCOMP_DENY_EQ, 2, NETLINK_AUDIT, EAFNOSUPPORT, 0 },
	{ NULL, 0, 0, 0, 0, 0 },
};

static const struct seccomp_profile profiles[] = {
	{ "default", { allow_common, NULL, NULL }, deny_common, grants, { rules_default, rules_common, NULL } },
	{ "boot", { allow_common, allow_boot, NULL }, deny_common, grants, { rules_boot, rules_common, NULL } },
};

const struct seccomp_profile *seccomp_profile_find(const char *name)
{
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		if (strcmp(profiles[i].name, name) == 0)
			return &profiles[i];
	return NULL;
}
