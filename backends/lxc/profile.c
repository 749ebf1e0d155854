/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The AppArmor profile of our own containers. LXC enters it before moorage-init begins, and its profiles forbid what moorage-init has still to do to
 * mounts; so moorage-init enters it, in front of the command.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "start.h"

#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"

#define KEY		"lxc.apparmor.profile"
#define ENABLED		"/sys/module/apparmor/parameters/enabled"
/* Where the configuration names none. Units of a system that boots are put into mounts of their own, which only the second allows; LXC's own templates ask for
 * as much. */
#define DEFAULT		"lxc-container-default-cgns"
#define BOOTING		"lxc-container-default-with-nesting"

/* Whether this process may choose: one that is confined itself is LXC's affair. */
static bool is_free(void)
{
	_cleanup_free_ char *enabled = NULL, *label = NULL;

	if (fd_read_virtual(AT_FDCWD, ENABLED, 16, &enabled, NULL) < 0 || *enabled != 'Y')
		return false;
	if (fd_read_virtual(AT_FDCWD, "/proc/self/attr/current", 4096, &label, NULL) < 0)
		return false;
	return strcmp(label, "unconfined") == 0 || strcmp(label, "unconfined\n") == 0;
}

/* Made by LXC at the start, or none at all: there is nothing to be entered later. */
static bool is_lxcs_own(const char *profile)
{
	static const char *const words[] = { "generated", "unchanged", "unconfined" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(profile, words[i]) == 0)
			return true;
	return false;
}

/* Behind the name of the program. */
static int tell(char ***args, const char *profile)
{
	_cleanup_(strv_freep) char **told = NULL;
	int r = strv_append(&told, **args);

	if (r == 0)
		r = strv_append(&told, "--profile");
	if (r == 0)
		r = strv_append(&told, profile);
	for (char **word = *args + 1; r == 0 && *word; word++)
		r = strv_append(&told, *word);
	if (r < 0)
		return r;
	strv_free(*args);
	*args = told;
	told = NULL;
	return 0;
}

int lxc_take_profile(struct lxc_start *s, struct lxc_container *c, struct mrg_error *err)
{
	char text[PATH_MAX] = "";
	const char *profile = text;
	int n;

	if (!lxc_has_init(s) || !is_free())
		return 0;
	n = c->get_config_item(c, KEY, text, sizeof(text));
	if (n >= (int)sizeof(text))
		return mrg_error_set(err, -MRG_E_INVALID, "the name of the AppArmor profile is too long");
	/* Of one that is not set LXC says "(null)". */
	if (n <= 0 || strcmp(text, "(null)") == 0)
		profile = s->unit->spec->boot ? BOOTING : DEFAULT;
	if (is_lxcs_own(profile))
		return 0;
	if (!c->set_config_item(c, KEY, "unconfined"))
		return mrg_error_set(err, -MRG_E_INVALID, "LXC does not take '" KEY " = unconfined'");
	return tell(&s->payload.args, profile) < 0 ? fail_memory(err) : 0;
}
