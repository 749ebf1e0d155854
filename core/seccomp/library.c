/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loading libseccomp, and what it does not tell of architectures. */

#include "config.h"

#include "core/seccomp/library.h"
#include "core/util/cleanup.h"

#define SYMBOL(function)	LIBRARY_SYMBOL(struct seccomp_library, function)

int seccomp_library_open(struct seccomp_library *ret, struct mrg_error *err)
{
	static const struct library_symbol symbols[] = {
		SYMBOL(seccomp_arch_add), SYMBOL(seccomp_arch_native), SYMBOL(seccomp_arch_resolve_name), SYMBOL(seccomp_attr_set),
		SYMBOL(seccomp_export_bpf), SYMBOL(seccomp_init), SYMBOL(seccomp_release), SYMBOL(seccomp_rule_add_array),
		SYMBOL(seccomp_syscall_resolve_name), SYMBOL(seccomp_syscall_resolve_name_arch),
		SYMBOL(seccomp_syscall_resolve_num_arch), { NULL, 0 }
	};

	return library_open("libseccomp.so.2", "libseccomp2", symbols, ret, err);
}

uint32_t seccomp_compat_arch(uint32_t native)
{
	static const struct {
		uint32_t native, compat;
	} pairs[] = {
		{ SCMP_ARCH_X86_64, SCMP_ARCH_X86 },
		{ SCMP_ARCH_AARCH64, SCMP_ARCH_ARM },
		{ SCMP_ARCH_S390X, SCMP_ARCH_S390 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		if (pairs[i].native == native)
			return pairs[i].compat;
	return 0;
}
