/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is still mounted below roots that nobody runs: whoever copies or removes such a root reaches what is mounted there. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/doctor/doctor.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/mountinfo.h"
#include "core/util/str.h"

#define MOUNTINFO_MAX	(64 << 20)
#define TOLD		8		/* mounts in one command */

/* ---- mount points ---------------------------------------------------------------------------------- */

int mounts_parse(char *text, struct strings *ret)
{
	char *line;

	while ((line = doctor_next_line(&text))) {
		char *save, *field = strtok_r(line, " ", &save);

		for (int i = 0; i < 4 && field; i++)
			field = strtok_r(NULL, " ", &save);
		if (!field)
			continue;
		mountinfo_unescape(field);
		if (strings_add(ret, field) < 0)
			return -ENOMEM;
	}
	return 0;
}

static bool is_inside(const char *path, const char *root)
{
	size_t length = strlen(root);

	return strncmp(path, root, length) == 0 && path[length] == '/';
}

/* Whether @fstab, which may be NULL, has a line for @target: then it is there on purpose. */
static bool is_wanted(const char *fstab, const char *target)
{
	for (const char *line = fstab; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		char where[PATH_MAX];

		if (sscanf(line, " %*s %4095s", where) != 1 || line[strspn(line, " \t")] == '#')
			continue;
		mountinfo_unescape(where);
		if (strcmp(where, target) == 0)
			return true;
	}
	return false;
}

/* Below another one that is told: unmounting that takes it along. */
static bool is_nested(char *const *told, const char *target)
{
	for (size_t i = 0; told && told[i]; i++)
		if (is_inside(target, told[i]) || strcmp(target, told[i]) == 0)
			return true;
	return false;
}

int mounts_below(const struct strings *mounts, const char *root, const char *fstab, struct strings *ret)
{
	for (size_t i = 0; i < mounts->n; i++) {
		const char *target = mounts->strv[i];

		if (!is_inside(target, root) || is_wanted(fstab, target) || is_nested(ret->strv, target))
			continue;
		if (strings_add(ret, target) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* ---- who is there ------------------------------------------------------------------------------------ */

static bool leads_into(int process, const char *link, const char *root)
{
	char path[PATH_MAX];
	ssize_t n = readlinkat(process, link, path, sizeof(path) - 1);

	if (n < 0)
		return false;
	path[n] = '\0';
	return strcmp(path, root) == 0 || is_inside(path, root);
}

/* Somebody in a chroot by hand. */
static bool is_in_use(const char *root)
{
	_cleanup_closedir_ DIR *all = opendir("/proc");
	struct dirent *entry;

	while (all && (entry = readdir(all))) {
		_cleanup_close_ int process = *entry->d_name >= '1' && *entry->d_name <= '9' ?
			openat(dirfd(all), entry->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

		if (process >= 0 && (leads_into(process, "root", root) || leads_into(process, "cwd", root)))
			return true;
	}
	return false;
}

/* ---- telling -------------------------------------------------------------------------------------------- */

static int say(const struct doctor *d, const struct stopped_root *stopped, const struct strings *found)
{
	struct buffer fix = { 0 };
	char text[PATH_MAX + 512], more[48] = "";
	int r;

	if (found->n > 1)
		snprintf(more, sizeof(more), " and %zu more", found->n - 1);
	snprintf(text, sizeof(text), "'%.1024s'%s: still mounted below the root of '%s', which does not run; who removes or copies it reaches what is mounted there",
		 found->strv[0], more, stopped->owner);
	buffer_addf(&fix, "umount -R");
	for (size_t i = 0; i < found->n && i < TOLD; i++)
		buffer_addf(&fix, " '%s'", found->strv[i]);
	r = fix.failed ? -ENOMEM : doctor_say(d, "warning", "mounts left behind", text, fix.text);
	buffer_deinit(&fix);
	return r;
}

int doctor_check_mounts(const struct doctor *d, const struct stopped_root *stopped, size_t n)
{
	_cleanup_free_ char *text = NULL, *fstab = doctor_read(d, "etc/fstab");
	struct strings mounts = { .n = 0 };
	int r = n > 0 ? fd_read_virtual(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text, NULL) : 0;

	/* Without a table of mounts there is nothing to be told of them. */
	if (!text || r < 0)
		return 0;
	r = mounts_parse(text, &mounts);
	for (size_t i = 0; i < n && r == 0; i++) {
		struct strings found = { .n = 0 };

		r = mounts_below(&mounts, stopped[i].root, fstab, &found);
		if (r == 0 && found.n > 0 && !is_in_use(stopped[i].root))
			r = say(d, &stopped[i], &found);
		strings_deinit(&found);
	}
	strings_deinit(&mounts);
	return r;
}
