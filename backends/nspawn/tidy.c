/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* After the end: how it was, and what an nspawn that was killed could not remove itself. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/proc.h"
#include "nspawn.h"

#define END_MS		5000
#define SCOPE_MS	2000		/* to systemd and machined, for what takes them milliseconds */
#define COPY_PREFIX	".#machine."
#define COPY_RANDOM	16		/* digits behind the name of the root */

/* Removes the lock file of @name in @dir, and with @tree what it locks, when nobody holds it: nspawn locks what it uses. */
static void remove_unlocked(int dir, const char *name, bool tree)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	_cleanup_close_ int fd = -1;
	char file[NAME_MAX + 1];

	if (snprintf(file, sizeof(file), ".#%s.lck", name) >= (int)sizeof(file))
		return;
	fd = openat(dir, file, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | (tree ? O_CREAT : 0), 0600);
	if (fd < 0 || fcntl(fd, F_OFD_SETLK, &lock) < 0)
		return;
	if (tree)
		fd_remove_tree(dir, name);
	unlinkat(dir, file, 0);
}

/* The copies that --ephemeral makes are called ".#machine.ROOTxxxxxxxxxxxxxxxx" and stand beside the root. */
static bool is_copy(const char *name, const char *root)
{
	size_t prefix = strlen(COPY_PREFIX), length = strlen(root);

	return strncmp(name, COPY_PREFIX, prefix) == 0 && strncmp(name + prefix, root, length) == 0 &&
	       strlen(name + prefix + length) == COPY_RANDOM &&
	       strspn(name + prefix + length, "0123456789abcdef") == COPY_RANDOM;
}

static void tidy_root(const char *root, bool ephemeral)
{
	_cleanup_closedir_ DIR *d = NULL;
	char parent[PATH_MAX];
	const char *name = strrchr(root, '/');
	struct dirent *entry;

	if (!name || !name[1] || snprintf(parent, sizeof(parent), "%.*s/", (int)(name - root), root) >= (int)sizeof(parent))
		return;
	d = opendir(parent);
	if (!d)
		return;
	while (ephemeral && (entry = readdir(d)))
		if (is_copy(entry->d_name, name + 1))
			remove_unlocked(dirfd(d), entry->d_name, true);
	remove_unlocked(dirfd(d), name + 1, false);
}

void nspawn_tidy(const struct mrg_unit *unit)
{
	struct nspawn_image image;
	char propagate[PATH_MAX];

	if (unit->spec->root_path)
		tidy_root(unit->spec->root_path, unit->spec->ephemeral);
	else if (nspawn_image_find(unit->path, unit->name, &image, NULL) > 0)
		tidy_root(image.path, unit->spec->ephemeral);
	if (snprintf(propagate, sizeof(propagate), "/run/systemd/nspawn/propagate/%s", unit->name) < (int)sizeof(propagate))
		rmdir(propagate);
}

/* A machine whose first process died before systemd had moved it into its scope stays, with nothing in it. @maybe: one may still be about to be registered. */
static void end_empty_machine(const struct mrg_unit *unit, bool maybe)
{
	char scope[NSPAWN_UNIT_SIZE];

	if (maybe || nspawn_registered_scope(unit->name, scope) != 0)
		nspawn_unit_end_machine(unit->name);
}

void nspawn_end_stale_machine(const struct mrg_unit *unit)
{
	_cleanup_machine_ struct nspawn_machine m = NSPAWN_MACHINE_INIT;

	if (nspawn_is_managed() && nspawn_machine_open(unit, &m, NULL) == 0)
		end_empty_machine(unit, false);
}

/* An nspawn that was killed does not always take its machine along; what is in cgroups of ours is ended with them. */
static int end_machine(void *self, const struct mrg_unit *unit, bool orderly, struct mrg_error *err)
{
	_cleanup_machine_ struct nspawn_machine m = NSPAWN_MACHINE_INIT;
	struct pollfd p = { .events = POLLIN };
	int r;

	if (!nspawn_is_managed() || unit->path)
		return 0;
	r = nspawn_machine_open(unit, &m, err);
	if (r == 0)
		end_empty_machine(unit, !orderly && !unit->adopted);
	if (r <= 0)
		return r;
	p.fd = m.leader.pidfd;
	r = nspawn_kill(self, unit, SIGKILL, 1, err);
	if (r < 0 && r != -MRG_E_NOT_RUNNING)
		return r;
	return poll(&p, 1, END_MS) > 0 ? 0 : mrg_error_set(err, -MRG_E_TIMEOUT, "'%s' does not end", unit->name);
}

/* systemd removes the scope a little after the last process has ended, and machined forgets the machine then. */
static void wait_for_scope(const struct mrg_unit *unit)
{
	int64_t deadline = time_monotonic_ms() + SCOPE_MS;
	char scope[NSPAWN_UNIT_SIZE];

	if (!nspawn_is_managed() || unit->path)
		return;
	while (nspawn_registered_scope(unit->name, scope) != 0 && time_monotonic_ms() < deadline)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

int nspawn_cleanup(void *self, const struct mrg_unit *unit, struct mrg_exit *ret, struct mrg_error *err)
{
	struct nspawn_self *kept = self;
	int status;
	/* First nspawn itself, should it be about to register its machine. */
	int r = mrg_helper_cgroup_cleanup(self, unit, ret, err);

	if (r == 0)
		r = end_machine(self, unit, kept->status >= 0 && mrg_helper_status_read(kept->status, &status), err);
	if (r < 0)
		return r;
	wait_for_scope(unit);
	nspawn_tidy(unit);
	if (kept->status < 0)
		return 0;
	/* moorage-init blocks all signals: what ended it before it could write was the one that cannot be blocked. */
	ret->status_known = 1;
	if (!mrg_helper_status_read(kept->status, &ret->status))
		ret->status = SIGKILL;
	/* The scope, which had the limit, went with the machine. */
	ret->oom_killed |= mrg_helper_status_oom(kept->status);
	return 0;
}
