/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of machines, and where systemd keeps their roots and settings. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/str.h"
#include "nspawn.h"

/* In the order of systemd 252: what is in an earlier one hides the same name in a later one. */
static const char *const machine_dirs[] = {
	"/etc/machines", "/run/machines", "/var/lib/machines", "/var/lib/container", "/usr/local/lib/machines", "/usr/lib/machines",
};
static const char *const settings_dirs[] = { "/etc/systemd/nspawn", "/run/systemd/nspawn" };

/* ---- names ---------------------------------------------------------------------------------- */

int nspawn_check_name(const char *name, struct mrg_error *err)
{
	if (nspawn_name_is_valid(name))
		return 0;
	mrg_error_set(err, -MRG_E_INVALID, "'%s' is no name for a machine of systemd-nspawn: that must be a host name", name);
	return mrg_error_hint(err, "use letters, digits, '-' and '.', with a letter or digit at both ends and around each '.'"), -MRG_E_INVALID;
}

/* ---- roots ---------------------------------------------------------------------------------- */

/* Whether the directory is one that nspawn would run: it wants a /usr. */
static bool has_system(const char *path)
{
	char usr[PATH_MAX];
	struct stat st;

	return snprintf(usr, sizeof(usr), "%s/usr", path) < (int)sizeof(usr) && lstat(usr, &st) == 0;
}

/* 1: there is something, of a kind nspawn can use. In a place that the user names (@asked), which may hold other things as well, a directory must
 * be the root of a system; in the usual ones machinectl takes every directory for one. */
static int look_at(const char *dir, const char *name, bool asked, bool is_file, struct nspawn_image *ret)
{
	struct stat st;
	int n = snprintf(ret->path, sizeof(ret->path), "%s/%s%s", dir, name, is_file ? ".raw" : "");

	if (n < 0 || (size_t)n >= sizeof(ret->path) || stat(ret->path, &st) < 0)
		return 0;
	ret->is_file = is_file;
	if (is_file)
		return S_ISREG(st.st_mode) || S_ISBLK(st.st_mode);
	return S_ISDIR(st.st_mode) && (!asked || has_system(ret->path));
}

int nspawn_image_find(const char *path, const char *name, struct nspawn_image *ret, struct mrg_error *err)
{
	(void)err;
	if (!nspawn_name_is_valid(name))
		return 0;
	for (size_t i = 0; i < (path ? 1 : ARRAY_SIZE(machine_dirs)); i++)
		for (int is_file = 0; is_file < 2; is_file++)
			if (look_at(path ? path : machine_dirs[i], name, path, is_file, ret))
				return 1;
	return 0;
}

/* "web" of "web" and of "web.raw". */
static void cut_suffix(char *name)
{
	size_t length = strlen(name);

	if (length > 4 && strcmp(name + length - 4, ".raw") == 0)
		name[length - 4] = '\0';
}

/* Settings that only others may read are theirs to know, and so is the machine. */
static bool may_know(const char *name)
{
	struct nspawn_settings settings;

	return nspawn_settings_find(NULL, name, &settings, NULL) <= 0 || access(settings.path, R_OK) == 0 || errno != EACCES;
}

/* @asked: it was given by the user, who wants to hear that it cannot be read; of the usual ones everybody sees what may be seen. */
static int list_in(const char *dir, bool asked, char ***names, struct mrg_error *err)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	struct nspawn_image image;
	struct dirent *entry;

	if (!d)
		return errno == ENOENT || errno == ENOTDIR || (errno == EACCES && !asked) ? 0 : fail_errno(err, -errno, "cannot read the machines in '%s'", dir);
	while ((entry = readdir(d))) {
		cut_suffix(entry->d_name);
		if (!nspawn_name_is_valid(entry->d_name) || strv_contains(*names, entry->d_name) ||
		    (!look_at(dir, entry->d_name, asked, false, &image) && !look_at(dir, entry->d_name, asked, true, &image)))
			continue;
		if ((asked || may_know(entry->d_name)) && strv_append(names, entry->d_name) < 0)
			return fail_memory(err);
	}
	return 0;
}

/* Those that were started from elsewhere. */
static int list_running(char ***names, struct mrg_error *err)
{
	_cleanup_closedir_ DIR *d = opendir("/run/systemd/machines");
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		pid_t leader;

		/* Beside each is a link "unit:UNIT". */
		if (!nspawn_name_is_valid(entry->d_name) || strv_contains(*names, entry->d_name) ||
		    nspawn_registered(entry->d_name, &leader, NULL, NULL) != 1)
			continue;
		if (strv_append(names, entry->d_name) < 0)
			return fail_memory(err);
	}
	return 0;
}

int nspawn_image_list(const char *path, int (*found)(const char *name, void *data), void *data, struct mrg_error *err)
{
	_cleanup_(strv_freep) char **names = NULL;
	int r = 0;

	for (size_t i = 0; i < (path ? 1 : ARRAY_SIZE(machine_dirs)) && r == 0; i++)
		r = list_in(path ? path : machine_dirs[i], path, &names, err);
	if (r == 0 && !path)
		r = list_running(&names, err);
	for (size_t i = 0; r == 0 && names && names[i]; i++)
		r = found(names[i], data);
	return r;
}

/* ---- settings ------------------------------------------------------------------------------- */

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

int nspawn_settings_find(const char *path, const char *name, struct nspawn_settings *ret, struct mrg_error *err)
{
	struct nspawn_image image;
	char *slash;

	if (!nspawn_name_is_valid(name))
		return 0;
	ret->trusted = true;
	for (size_t i = 0; i < ARRAY_SIZE(settings_dirs); i++) {
		snprintf(ret->path, sizeof(ret->path), "%s/%s.nspawn", settings_dirs[i], name);
		if (is_file(ret->path))
			return 1;
	}
	if (nspawn_image_find(path, name, &image, err) <= 0)
		return 0;
	slash = strrchr(image.path, '/');
	*slash = '\0';
	ret->trusted = false;
	return snprintf(ret->path, sizeof(ret->path), "%s/%s.nspawn", image.path, name) < (int)sizeof(ret->path) && is_file(ret->path);
}

static int add_path(char ***paths, const char *dir, const char *name)
{
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s/%s.nspawn", dir, name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	return strv_append(paths, path);
}

int nspawn_settings_paths(const char *path, const char *name, char ***ret)
{
	int r = path ? add_path(ret, path, name) : 0;

	for (size_t i = 0; i < ARRAY_SIZE(settings_dirs) && r == 0; i++)
		r = add_path(ret, settings_dirs[i], name);
	for (size_t i = 0; i < ARRAY_SIZE(machine_dirs) && r == 0 && !path; i++)
		r = add_path(ret, machine_dirs[i], name);
	return r;
}
