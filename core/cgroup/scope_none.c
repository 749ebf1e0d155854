/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Built without libsystemd: nobody can be asked for a scope. */

#include "config.h"

#include "core/cgroup/user.h"
#include "core/util/cleanup.h"

const bool cgroup_scope_built = false;

int cgroup_scope_make(const struct mrg_unit *unit _unused_, struct mrg_error *err)
{
	return mrg_error_set(err, -MRG_E_UNSUPPORTED, "%s", cgroup_lack_text(CGROUP_LACK_LIBRARY));
}

int cgroup_scope_join(const char *name _unused_, const char *below _unused_, struct mrg_error *err)
{
	return mrg_error_set(err, -MRG_E_UNSUPPORTED, "%s", cgroup_lack_text(CGROUP_LACK_LIBRARY));
}
