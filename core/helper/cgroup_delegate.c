/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Giving a container's cgroup to the root of its user namespace, so that an init system in it can divide it further. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/cgroup/cgroup.h"
#include "core/helper/root.h"
#include "core/util/cleanup.h"

/* What cgroups(7) allows to delegate. Limits stay with the host, and so do the controllers of v1, which cannot be delegated safely. */
static const char *const files[] = { "", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control", "tasks" };

static int give(int dir, uid_t uid, gid_t gid)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (fchownat(dir, files[i], uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
			return -errno;
	return 0;
}

int mrg_helper_cgroup_delegate(const struct mrg_unit *unit, uid_t uid, gid_t gid, struct mrg_error *err)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	int r = cgroup_open(&cg, unit, false, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < cg.n && r == 0; i++) {
		const struct cgroup_hierarchy *h = &cg.item[i];

		if (h->dir >= 0 && (h->version == 2 || h->controllers == CGROUP_SYSTEMD))
			r = give(h->dir, uid, gid);
	}
	return r < 0 ? root_fail(err, r, "cannot give the control group to user %u of the host", uid) : 0;
}
