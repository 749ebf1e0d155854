/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Becoming as bound as a process is: its namespaces and root once, all else in each attempt. */

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/audit/try/try.h"

#define CAPABILITY_VERSION	0x20080522
#define CAP_SYS_ADMIN		21
#define CAP_LAST		63
#define AMBIENT			47	/* PR_CAP_AMBIENT */
#define AMBIENT_RAISE		2
#define AMBIENT_CLEAR_ALL	4

enum { INHERITABLE, PERMITTED, EFFECTIVE, BOUNDING };

/* Root of its user namespace, since the host's is nobody in it; one that maps no root has none to become. */
static int become_root(void)
{
	if ((setgroups(0, NULL) < 0 && errno != EPERM) || (setresgid(0, 0, 0) < 0 && errno != EINVAL) || (setresuid(0, 0, 0) < 0 && errno != EINVAL))
		return -errno;
	return 0;
}

int try_enter(const struct try_plan *plan)
{
	int r = 0;

	if (plan->namespaces && setns(TRY_PROCESS_FD, plan->namespaces) < 0)
		return -errno;
	if (plan->namespaces & CLONE_NEWUSER)
		r = become_root();
	if (r == 0 && (fchdir(TRY_ROOT_FD) < 0 || chroot(".") < 0 || chdir("/") < 0))
		r = -errno;
	/* Changing ids undid it. */
	if (r == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		r = -errno;
	return r;
}

static int drop_bounding(uint64_t wanted)
{
	for (unsigned long cap = 0; cap <= CAP_LAST; cap++)
		if (!(wanted >> cap & 1) && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) > 0 && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -errno;
	return 0;
}

/* A process whose user namespace may set no groups has those it came with, which are none. */
static int become_user(const struct try_plan *plan)
{
	gid_t groups[TRY_GROUPS];

	for (uint32_t i = 0; i < plan->n_groups; i++)
		groups[i] = plan->groups[i];
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || (setgroups(plan->n_groups, groups) < 0 && errno != EPERM) ||
	    setresgid(plan->gid, plan->gid, plan->gid) < 0 || setresuid(plan->uid, plan->uid, plan->uid) < 0)
		return -errno;
	return 0;
}

static int set_capabilities(const uint64_t caps[5])
{
	struct {
		uint32_t version;
		int pid;
	} header = { CAPABILITY_VERSION, 0 };
	struct {
		uint32_t effective, permitted, inheritable;
	} data[2];

	for (int i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)(caps[EFFECTIVE] >> 32 * i);
		data[i].permitted = (uint32_t)(caps[PERMITTED] >> 32 * i);
		data[i].inheritable = (uint32_t)(caps[INHERITABLE] >> 32 * i);
	}
	prctl(AMBIENT, AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &header, data) < 0)
		return -errno;
	for (unsigned long cap = 0; cap <= CAP_LAST; cap++)
		if (caps[4] >> cap & 1 && prctl(AMBIENT, AMBIENT_RAISE, cap, 0, 0) < 0)
			return -errno;
	return 0;
}

/* A filter takes no_new_privs or a right of the caller's, so one who has neither loads it while it still may: as its maker had to. */
int try_policy(const struct try_plan *plan, const struct try_filters *filters)
{
	const struct rlimit none = { 0, 0 };
	int first = !plan->no_new_privs && !(plan->caps[EFFECTIVE] >> CAP_SYS_ADMIN & 1), r = first ? try_filters_load(filters) : 0;

	/* What a filter kills leaves no dump. */
	if (r == 0 && setrlimit(RLIMIT_CORE, &none) < 0)
		r = -errno;
	if (r == 0)
		r = drop_bounding(plan->caps[BOUNDING]);
	if (r == 0)
		r = become_user(plan);
	if (r == 0)
		r = set_capabilities(plan->caps);
	if (r == 0 && plan->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	/* Changing ids undid both. */
	if (r == 0 && (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0))
		r = -errno;
	return r == 0 && !first ? try_filters_load(filters) : r;
}
