/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_SECCOMP_LIBRARY_H
#define CORE_SECCOMP_LIBRARY_H

/* libseccomp, loaded when a filter is compiled: most commands and monitors compile none, and its tables would be a quarter of a monitor's memory. */

#include <seccomp.h>

#include "core/util/library.h"

struct seccomp_library {
	LIBRARY_MEMBER(seccomp_arch_add);
	LIBRARY_MEMBER(seccomp_arch_native);
	LIBRARY_MEMBER(seccomp_arch_resolve_name);
	LIBRARY_MEMBER(seccomp_attr_set);
	LIBRARY_MEMBER(seccomp_export_bpf);
	LIBRARY_MEMBER(seccomp_init);
	LIBRARY_MEMBER(seccomp_release);
	LIBRARY_MEMBER(seccomp_rule_add_array);
	LIBRARY_MEMBER(seccomp_syscall_resolve_name);
	LIBRARY_MEMBER(seccomp_syscall_resolve_name_arch);
	LIBRARY_MEMBER(seccomp_syscall_resolve_num_arch);
};

int seccomp_library_open(struct seccomp_library *ret, struct mrg_error *err);

/* The architecture whose programs may run beside those of @native (both as libseccomp and AUDIT_ARCH_* have them); 0: none. */
uint32_t seccomp_compat_arch(uint32_t native);

#endif
