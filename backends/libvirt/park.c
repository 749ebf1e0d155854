/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A domain out of libvirt's sight: its definition is kept as libvirt wrote it, and given back to it. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "libvirt.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"

#define PARKED		"libvirt.xml"		/* in the directory of what is set aside */
#define AUTOSTART	"libvirt.autostart"	/* it started with the host */
#define LOCK_FILE	"libvirt.lock"
#define PARKED_MAX	(4U << 20)

static int keep(int dir, const char *name, const char *text, struct mrg_error *err)
{
	int r = fd_replace_file(dir, name, text, strlen(text), true);

	return r < 0 ? fail_errno(err, r, "cannot write '%s'", name) : 0;
}

static int set_aside(struct libvirt *self, const struct mrg_unit *unit, int dir, struct mrg_error *err)
{
	_cleanup_free_ char *xml = NULL;
	int r;

	/* The file went last: what was kept before it did is whole. */
	if (!libvirt_is_defined(unit->name) && faccessat(dir, PARKED, F_OK, 0) == 0)
		return 0;
	r = libvirt_read_definition(unit->name, &xml, err);
	if (r == 0 && libvirt_autostart(self, unit, -1, NULL) == 1)
		r = keep(dir, AUTOSTART, "", err);
	if (r == 0)
		r = keep(dir, PARKED, xml, err);
	return r < 0 ? r : libvirt_destroy(self, unit, err);
}

static int bring_back(struct libvirt *self, const struct mrg_unit *unit, int dir, struct mrg_error *err)
{
	_cleanup_close_ int lock = -1;
	_cleanup_free_ char *xml = NULL;
	struct agent_call call = { .op = AGENT_DEFINE, .fds = &lock, .n_fds = 1 };
	int r = fd_read_file(dir, PARKED, PARKED_MAX, &xml, NULL);

	/* Nothing was kept: nothing was set aside. */
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return fail_errno(err, r, "cannot read '" PARKED "'");
	lock = openat(dir, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (lock < 0)
		return fail_errno(err, -errno, "cannot open '" LOCK_FILE "'");
	call.text = xml;
	if (!libvirt_is_defined(unit->name))
		r = libvirt_ask(self, unit->path, &call, NULL, NULL, err);
	if (r == 0 && faccessat(dir, AUTOSTART, F_OK, 0) == 0)
		r = libvirt_autostart(self, unit, 1, err);
	return r < 0 ? r : 0;
}

int libvirt_park(void *self, const struct mrg_unit *unit, int dir, const char *tag, int how, struct mrg_error *err)
{
	(void)tag;
	/* What is discarded is in the directory, which goes with it. */
	if (how == MRG_PARK_DISCARD)
		return 0;
	return how == MRG_PARK_ASIDE ? set_aside(self, unit, dir, err) : bring_back(self, unit, dir, err);
}
