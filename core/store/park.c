/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records out of the store's sight, whole, in a directory of somebody else's, and back: one rename each. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/store/internal.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"

static bool is_there(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int store_set_aside(struct mrg *m, struct record *record, int dir, const char *entry, struct mrg_error *err)
{
	_cleanup_close_ int base = store_base(m, record->transient, false, err);

	if (base < 0)
		return base;
	if (renameat2(base, record->name, dir, entry, RENAME_NOREPLACE) < 0)
		return fail_errno(err, -errno, "cannot set the record of container '%s' aside", record->name);
	fsync(dir);
	fsync(base);
	return 0;
}

int store_put_back(struct mrg *m, const char *name, int dir, const char *entry, struct mrg_error *err)
{
	_cleanup_close_ int base = store_base(m, false, true, err);

	if (base < 0)
		return base;
	/* Done already. */
	if (!is_there(dir, entry))
		return 0;
	if (renameat2(dir, entry, base, name, RENAME_NOREPLACE) < 0 && errno == EEXIST)
		return mrg_error_set(err, -MRG_E_EXISTS, "a container named '%s' exists already", name);
	if (is_there(dir, entry))
		return fail_errno(err, -EIO, "cannot bring the record of container '%s' back", name);
	fsync(base);
	fsync(dir);
	return 0;
}
