/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fields about what a process may do: capabilities, system calls, kernel settings, files of the kernel. */

#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/util/fd.h"
#include "tests/certify/fields.h"

/* CHOWN and KILL: bits 0 and 5. */
#define TWO		"CHOWN,KILL"
#define TWO_BITS	"21"
#define ROOT_CAPS	{ MRG_FIELD_CAP_BOUNDING, TWO }, { MRG_FIELD_CAP_PERMITTED, TWO }, { MRG_FIELD_CAP_EFFECTIVE, TWO }
#define ALL_CAPS	ROOT_CAPS, { MRG_FIELD_CAP_INHERITABLE, TWO }

/* An errno that nothing else gives: EDOM. */
#define REFUSED	"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"getpriority\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":33}]}"

static void the_security_module_knows_it(struct trial *t)
{
	if (access("/sys/kernel/security/apparmor", F_OK) < 0 && access("/sys/fs/selinux/enforce", F_OK) < 0)
		trial_skip(t, "the kernel has no such security module in use");
	is_observed(t);
}

/* A filter is inherited, and never taken off. */
static void nothing_is_filtered(struct trial *t)
{
	_cleanup_free_ char *text = NULL;

	if (fd_read_virtual(AT_FDCWD, "/proc/self/status", 65536, &text, NULL) < 0 || !strstr(text, "\nSeccomp:\t0\n"))
		trial_skip(t, "the kit runs behind a filter itself");
	is_observed(t);
}

const struct test policy_fields[] = {
	ROW(CAP_BOUNDING, "the process has these and no others", { ROOT_CAPS }, { "caps:bounding" }, { "caps:bounding=" TWO_BITS }),
	ROW(CAP_PERMITTED, "the process has these and no others", { ROOT_CAPS }, { "caps:permitted" }, { "caps:permitted=" TWO_BITS }),
	ROW(CAP_EFFECTIVE, "the process has these and no others", { ROOT_CAPS }, { "caps:effective", "syscall:chroot" },
	    { "caps:effective=" TWO_BITS, "syscall:chroot=EPERM" }),
	ROW(CAP_INHERITABLE, "the process has these and no others", { ALL_CAPS }, { "caps:inheritable" },
	    { "caps:inheritable=" TWO_BITS }),
	ROW(CAP_AMBIENT, "a user keeps these and no others",
	    { { MRG_FIELD_UID, "1000" }, ALL_CAPS, { MRG_FIELD_CAP_AMBIENT, "KILL" } }, { "caps:ambient", "caps:effective" },
	    { "caps:ambient=20", "caps:effective=20" }),
	ROW(CAP_BOUNDING, "none is none",
	    { { MRG_FIELD_CAP_BOUNDING, "none" }, { MRG_FIELD_CAP_PERMITTED, "none" }, { MRG_FIELD_CAP_EFFECTIVE, "none" } },
	    { "caps:bounding", "caps:permitted", "caps:effective" }, { "caps:bounding=0", "caps:permitted=0", "caps:effective=0" }),
	WITH(CAP_BOUNDING, "a command inside has no others", is_observed_by_exec,
	     &((const struct observation){ { ROOT_CAPS }, { "caps:bounding" }, { "caps:bounding=" TWO_BITS } })),
	WITH(CAP_EFFECTIVE, "a command inside has no others", is_observed_by_exec,
	     &((const struct observation){ { ROOT_CAPS }, { "caps:effective" }, { "caps:effective=" TWO_BITS } })),

	ROW(NO_NEW_PRIVILEGES, "it is set", { { MRG_FIELD_NO_NEW_PRIVILEGES, "yes" } }, { "no_new_privs" }, { "no_new_privs=1" }),
	ROW(NO_NEW_PRIVILEGES, "without it it is not", { { MRG_FIELD_NO_NEW_PRIVILEGES, "no" } }, { "no_new_privs" }, { "no_new_privs=0" }),
	WITH(NO_NEW_PRIVILEGES, "a command inside has it too", is_observed_by_exec,
	     &((const struct observation){ { { MRG_FIELD_NO_NEW_PRIVILEGES, "yes" } }, { "no_new_privs" }, { "no_new_privs=1" } })),

	ROW(SECCOMP, "a system call is refused with the error asked for", { { MRG_FIELD_SECCOMP, REFUSED } },
	    { "seccomp", "syscall:getpriority" }, { "seccomp=2", "syscall:getpriority=EDOM" }),
	WITH(SECCOMP, "to a command inside too", is_observed_by_exec,
	     &((const struct observation){ { { MRG_FIELD_SECCOMP, REFUSED } }, { "syscall:getpriority" }, { "syscall:getpriority=EDOM" } })),
	ROW(SECCOMP_PROFILE, "default: a filter that refuses new namespaces",
	    { { MRG_FIELD_SECCOMP_PROFILE, "default" } }, { "seccomp", "syscall:unshare", "syscall:getpriority" },
	    { "seccomp=2", "syscall:unshare=EPERM", "syscall:getpriority=ok" }),
	WITH(SECCOMP_PROFILE, "unconfined: no filter", nothing_is_filtered,
	     &((const struct observation){ { { MRG_FIELD_SECCOMP_PROFILE, "unconfined" } }, { "seccomp" }, { "seccomp=0" } })),
	WITH(SECCOMP_PROFILE, "a command inside is filtered too", is_observed_by_exec,
	     &((const struct observation){ { { MRG_FIELD_SECCOMP_PROFILE, "default" } }, { "seccomp" }, { "seccomp=2" } })),

	ROW(SYSCTL, "the kernel has the value",
	    { { MRG_FIELD_NS_IPC, "private" }, { MRG_FIELD_SYSCTL, "kernel.msgmax=4321" } }, { "read:/proc/sys/kernel/msgmax" },
	    { "read:/proc/sys/kernel/msgmax=4321\\x0a" }),
	ROW(MASKED_PATHS, "files read empty, directories list empty",
	    { { MRG_FIELD_MASKED_PATHS, "/etc/secret" }, { MRG_FIELD_MASKED_PATHS, "/etc/secrets" },
	      { MRG_FIELD_MASKED_PATHS, "/no/such/path" } },
	    { "read:/etc/secret", "list:/etc/secrets", "read:/home/dir/file" },
	    { "read:/etc/secret=", "list:/etc/secrets=", "read:/home/dir/file=a file\\x0a" }),
	ROW(READONLY_PATHS, "nothing can be written there, elsewhere it can",
	    { { MRG_FIELD_READONLY_PATHS, "/home/open" }, { MRG_FIELD_READONLY_PATHS, "/no/such/path" } },
	    { "create:/home/open/new", "write:/home/dir/file:a file" }, { "create:/home/open/new=EROFS", "write:/home/dir/file:a file=ok" }),

	WITH(APPARMOR_PROFILE, "the kernel knows it", the_security_module_knows_it,
	     &((const struct observation){ { { MRG_FIELD_APPARMOR_PROFILE, "unconfined" } }, { "read:/proc/self/attr/current" },
					   { "read:/proc/self/attr/current=unconfined\\x0a" } })),
	WITH(SELINUX_LABEL, "the kernel knows it", the_security_module_knows_it,
	     &((const struct observation){ { { MRG_FIELD_SELINUX_LABEL, "system_u:system_r:container_t:s0" } },
					   { "read:/proc/self/attr/current" },
					   { "read:/proc/self/attr/current=system_u:system_r:container_t:s0\\x00" } })),
	{ .name = NULL }
};
