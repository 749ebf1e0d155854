/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which fields about the process work for the caller. */

#include "config.h"

#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "core/helper/init.h"
#include "core/helper/process.h"
#include "core/util/cleanup.h"

#define CAP(name)	(UINT64_C(1) << CAP_##name)

/* Fields that need capabilities of the caller. */
static const struct {
	enum mrg_field field;
	uint64_t needs;
} privileged[] = {
	{ MRG_FIELD_UID, CAP(SETUID) },
	{ MRG_FIELD_GID, CAP(SETGID) },
	{ MRG_FIELD_ADDITIONAL_GIDS, CAP(SETGID) },
	{ MRG_FIELD_USER, CAP(SETUID) | CAP(SETGID) },
	{ MRG_FIELD_CAP_BOUNDING, CAP(SETPCAP) },
	{ MRG_FIELD_CAP_INHERITABLE, CAP(SETPCAP) },
};

static uint64_t effective_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return 0;
	return data[0].effective | (uint64_t)data[1].effective << 32;
}

static bool has_seccomp(void)
{
	uint32_t action = SECCOMP_RET_ERRNO;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static void take(struct mrg_fields *fields, enum mrg_field field, char *reason, size_t size, const char *why)
{
	if (!mrg_fields_has(fields, field))
		return;
	mrg_fields_remove(fields, field);
	if (reason && size && !*reason)
		snprintf(reason, size, "%s", why);
}

int mrg_helper_process_probe(struct mrg_fields *fields, char *reason, size_t size, struct mrg_error *err _unused_)
{
	uint64_t have = effective_capabilities();

	for (size_t i = 0; i < ARRAY_SIZE(privileged); i++)
		if ((have & privileged[i].needs) != privileged[i].needs)
			take(fields, privileged[i].field, reason, size,
			     "this user may not change user, groups and capabilities");
	if (!has_seccomp()) {
		take(fields, MRG_FIELD_SECCOMP, reason, size, "the kernel has no seccomp filters");
		take(fields, MRG_FIELD_SECCOMP_PROFILE, reason, size, "the kernel has no seccomp filters");
	}
	if (init_check() < 0)
		take(fields, MRG_FIELD_INIT, reason, size, "moorage-init is not installed");
	return 0;
}
