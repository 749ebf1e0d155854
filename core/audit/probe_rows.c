/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What moorage-try tries, and what it means where it works. */

#include "config.h"

#include <string.h>

#include "core/audit/probe.h"

#define INFO	MRG_SEVERITY_INFO
#define LOW	MRG_SEVERITY_LOW
#define MEDIUM	MRG_SEVERITY_MEDIUM
#define HIGH	MRG_SEVERITY_HIGH
#define CRITICAL MRG_SEVERITY_CRITICAL

static const struct audit_probe_row rows[] = {
	{ "mount", "it can mount file systems", HIGH, "SYS_ADMIN", "seccomp", "" },
	{ "umount", "it can take away what is mounted over files of the kernel", HIGH, "SYS_ADMIN", "seccomp", "" },
	{ "fsopen", "it can make file systems", HIGH, "SYS_ADMIN", "seccomp", "" },
	{ "open-tree", "it can copy mounts", HIGH, "SYS_ADMIN", "seccomp", "" },
	{ "unshare-user", "it can make user namespaces, and has all capabilities in them", MEDIUM, NULL, "seccomp", "" },
	{ "clone-user", "it can make user namespaces, and has all capabilities in them", MEDIUM, NULL, "seccomp", "" },
	{ "unshare-mnt", "it can make mount namespaces", MEDIUM, "SYS_ADMIN", "seccomp", "" },
	{ "unshare-net", "it can make network namespaces", MEDIUM, "SYS_ADMIN", "seccomp", "" },
	{ "unshare-pid", "it can make pid namespaces", LOW, "SYS_ADMIN", "seccomp", "" },
	{ "unshare-ipc", "it can make ipc namespaces", LOW, "SYS_ADMIN", "seccomp", "" },
	{ "unshare-uts", "it can make uts namespaces", LOW, "SYS_ADMIN", "seccomp", "" },
	{ "unshare-cgroup", "it can make cgroup namespaces", MEDIUM, "SYS_ADMIN", "seccomp", "" },
	{ "unshare-time", "it can make time namespaces", LOW, "SYS_ADMIN", "seccomp", "" },
	{ "raw-socket", "it can send packets as it likes", MEDIUM, "NET_RAW", "seccomp", "" },
	{ "packet-socket", "it can read and send frames of its network", MEDIUM, "NET_RAW", "seccomp", "" },
	{ "alg-socket", "it reaches the ciphers of the kernel", LOW, NULL, "seccomp", "" },
	{ "vsock-socket", "it reaches sockets of the hypervisor, which no network namespace divides", MEDIUM, NULL, "seccomp", "" },
	{ "audit-socket", "it reaches the audit of the host", INFO, NULL, "seccomp", "" },
	{ "ptrace", "its processes can trace one another", INFO, NULL, "seccomp", "" },
	{ "process-memory", "its processes can read one another's memory", INFO, NULL, "seccomp", "" },
	{ "add-key", "it can keep keys in the kernel, which no namespace but that of users divides", LOW, NULL, "seccomp", "" },
	{ "request-key", "it can ask the host for keys", LOW, NULL, "seccomp", "" },
	{ "keyring", "it shares the keys of the host's user", MEDIUM, NULL, "seccomp", "" },
	{ "bpf", "it can load programs into the kernel", HIGH, "BPF", "seccomp", "" },
	{ "perf", "it can watch the processor", MEDIUM, "PERFMON", "seccomp", "" },
	{ "io-uring", "it can use io_uring, past filters of system calls", MEDIUM, NULL, "seccomp", "" },
	{ "userfaultfd", "it can stop the kernel at an address", LOW, "SYS_PTRACE", "seccomp", "" },
	{ "fanotify", "it can watch whole file systems", MEDIUM, "SYS_ADMIN", "seccomp", "" },
	{ "module", "it can load modules into the kernel", CRITICAL, "SYS_MODULE", "seccomp", "" },
	{ "module-file", "it can load modules into the kernel", CRITICAL, "SYS_MODULE", "seccomp", "" },
	{ "module-remove", "it can take modules out of the kernel", HIGH, "SYS_MODULE", "seccomp", "" },
	{ "kexec", "it can load another kernel", CRITICAL, "SYS_BOOT", "seccomp", "" },
	{ "reboot", "it can halt the system that its pid namespace is", INFO, "SYS_BOOT", "seccomp", "" },
	{ "swap", "it can change the host's swap", HIGH, "SYS_ADMIN", "seccomp", "" },
	{ "clock", "it can set the clock of the host", HIGH, "SYS_TIME", "seccomp", "" },
	{ "hostname", "it can change its host name", INFO, "SYS_ADMIN", "seccomp", "" },
	{ "accounting", "it can account for processes", MEDIUM, "SYS_PACCT", "seccomp", "" },
	{ "kernel-log", "it can read the kernel's log", MEDIUM, "SYSLOG", "seccomp", "" },
	{ "file-handle", "it can open files by handle, past what hides them", HIGH, "DAC_READ_SEARCH", "seccomp", "" },
	{ "ports", "it can use ports of the hardware", CRITICAL, "SYS_RAWIO", "seccomp", "" },
	{ "terminal-input", "it can type at terminals", LOW, NULL, "seccomp", "" },
	{ "mknod", "it can make device nodes", MEDIUM, "MKNOD", "seccomp", "" },
	{ "core-pattern", "it can have the host run a program", CRITICAL, NULL, "writable", "/proc/sys" },
	{ "modprobe", "it can have the host run a program", CRITICAL, NULL, "writable", "/proc/sys" },
	{ "sysrq", "it can halt the host", HIGH, NULL, "writable", "/proc/sysrq-trigger" },
	{ "uevent-helper", "it can have the host run a program", CRITICAL, NULL, "writable", "/sys" },
	{ "kernel-memory", "it can read the memory of the kernel", CRITICAL, NULL, "unmasked", "/proc/kcore" },
	{ "release-agent", "it can have the host run a program", CRITICAL, NULL, "cgroup", "/sys/fs/cgroup" },
};

const struct audit_probe_row *audit_probe_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}
