/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files of a container that nspawn and systemd read: its settings, and the drop-in of the unit that runs it. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <moorage/format.h>

#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"
#include "nspawn.h"

#define SETTINGS_KEPT		"/etc/systemd/nspawn"
#define SETTINGS_TRANSIENT	"/run/systemd/nspawn"
#define UNFINISHED		16		/* digits behind the name of a file that is being written */
#define MARK			"nspawn.files"	/* in the directory of the container, as long as the files may be there */

/* ---- places ----------------------------------------------------------------------------------- */

static int open_dir(const char *path, struct mrg_error *err)
{
	int fd;

	if (mkdir(path, 0755) < 0 && errno != EEXIST && errno != ENOENT)
		return fail_errno(err, -errno, "cannot make '%s'", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? fail_errno(err, -errno, "cannot open '%s'", path) : fd;
}

static int open_settings(const struct mrg_unit *unit, struct mrg_error *err)
{
	return open_dir(unit->transient ? SETTINGS_TRANSIENT : SETTINGS_KEPT, err);
}

static void settings_name(char ret[NAME_MAX + 1], const char *name)
{
	snprintf(ret, NAME_MAX + 1, "%s.nspawn", name);
}

static void dropin_dir(char ret[PATH_MAX], const char *name)
{
	snprintf(ret, PATH_MAX, NSPAWN_DROPIN_DIR, name);
}

/* ---- writing ---------------------------------------------------------------------------------- */

/* The text has both, each under a line of its own. */
static int compose(const struct mrg_spec *spec, char **ret_text, char **ret_dropin, struct mrg_error *err)
{
	static const char mark[] = "\n# " NSPAWN_UNITS "/";
	struct mrg_spec *reduced = NULL;
	char *found;
	int r = nspawn_reduce(spec, &reduced, err);

	if (r < 0)
		return r;
	r = mrg_format_write("nspawn", reduced, ret_text, NULL, NULL, err);
	mrg_spec_free(reduced);
	if (r < 0)
		return r;
	found = strstr(*ret_text, mark);
	if (!found)
		return mrg_error_set(err, -EPROTO, "the format 'nspawn' wrote no drop-in");
	found[1] = '\0';
	found = strchr(found + 2, '\n');
	*ret_dropin = found ? found + 1 : *ret_text + strlen(*ret_text);
	return 0;
}

static int write_settings(const struct mrg_unit *unit, const char *text, struct mrg_error *err)
{
	_cleanup_close_ int dir = open_settings(unit, err);
	char name[NAME_MAX + 1];
	const char *first = strchr(text, '\n');
	int r;

	if (dir < 0)
		return dir;
	settings_name(name, unit->name);
	/* Without the line that names the file. */
	text = *text == '#' && first ? first + 1 : text;
	r = fd_replace_file(dir, name, text, strlen(text), !unit->transient);
	return r < 0 ? fail_errno(err, r, "cannot write '%s/%s'", unit->transient ? SETTINGS_TRANSIENT : SETTINGS_KEPT, name) : 0;
}

/* So that machinectl starts the same container: with its root, wherever that is, and its limits. */
static int write_dropin(const struct mrg_unit *unit, const char *text, struct mrg_error *err)
{
	_cleanup_close_ int dir = -1;
	char path[PATH_MAX];
	int r;

	dropin_dir(path, unit->name);
	dir = open_dir(path, err);
	if (dir < 0)
		return dir;
	r = fd_replace_file(dir, NSPAWN_DROPIN_FILE, text, strlen(text), true);
	return r < 0 ? fail_errno(err, r, "cannot write '%s/" NSPAWN_DROPIN_FILE "'", path) : 0;
}

int nspawn_configure(void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	char *dropin = NULL;
	int r = compose(unit->spec, &text, &dropin, err);

	if (r == 0)
		r = write_settings(unit, text, err);
	/* Nothing starts a transient one but we. */
	if (r == 0 && !unit->transient)
		r = write_dropin(unit, dropin, err);
	if (r == 0 && !unit->transient && mrg_fields_has(&unit->spec->set, MRG_FIELD_AUTOSTART))
		r = nspawn_autostart(self, unit, unit->spec->autostart, err);
	return r < 0 ? r : 0;
}

/* ---- removing --------------------------------------------------------------------------------- */

/* What a writer that was killed has left: the names of fd_replace_file(). */
static void remove_unfinished(const char *path, const char *name)
{
	_cleanup_closedir_ DIR *d = opendir(path);
	char prefix[NAME_MAX + 1];
	struct dirent *entry;
	int length = snprintf(prefix, sizeof(prefix), ".%s.", name);

	while (d && (entry = readdir(d)))
		if (strncmp(entry->d_name, prefix, (size_t)length) == 0 && strlen(entry->d_name + length) == UNFINISHED &&
		    strspn(entry->d_name + length, "0123456789abcdef") == UNFINISHED)
			unlinkat(dirfd(d), entry->d_name, 0);
}

static int remove_settings(const char *dir, const char *name, struct mrg_error *err)
{
	char path[PATH_MAX], file[NAME_MAX + 1];

	settings_name(file, name);
	remove_unfinished(dir, file);
	snprintf(path, sizeof(path), "%s/%s.nspawn", dir, name);
	return unlink(path) < 0 && errno != ENOENT ? fail_errno(err, -errno, "cannot remove '%s'", path) : 0;
}

static int remove_dropin(const char *name, struct mrg_error *err)
{
	char dir[PATH_MAX], path[PATH_MAX + sizeof(NSPAWN_DROPIN_FILE)];

	dropin_dir(dir, name);
	snprintf(path, sizeof(path), "%s/" NSPAWN_DROPIN_FILE, dir);
	if (unlink(path) < 0 && errno != ENOENT)
		return fail_errno(err, -errno, "cannot remove '%s'", path);
	remove_unfinished(dir, NSPAWN_DROPIN_FILE);
	/* Stays when others have put something there. */
	rmdir(dir);
	return 0;
}

/* Others' drop-ins stay, as machinectl leaves them; the root and its settings go, as machinectl removes them. Started with the host it would be in vain. */
static int remove_adopted(const struct mrg_unit *unit, struct mrg_error *err)
{
	struct nspawn_settings settings;
	struct nspawn_image image;
	int r = nspawn_image_find(unit->path, unit->name, &image, err);

	if (r <= 0)
		return r;
	while (nspawn_settings_find(unit->path, unit->name, &settings, err) > 0)
		if (unlink(settings.path) < 0)
			return fail_errno(err, -errno, "cannot remove '%s'", settings.path);
	r = nspawn_autostart(NULL, unit, 0, err);
	if (r < 0)
		return r;
	if (!image.is_file)
		r = fd_remove_tree(AT_FDCWD, image.path);
	else
		r = unlink(image.path) < 0 ? -errno : 0;
	return r < 0 ? fail_errno(err, r, "cannot remove '%s'", image.path) : 0;
}

static int remove_own(const struct mrg_unit *unit, struct mrg_error *err)
{
	int r;

	/* A creation that was refused has written nothing: what is there of that name is somebody else's. */
	if (faccessat(unit->dir, MARK, F_OK, 0) < 0)
		return 0;
	if (unit->transient)
		return remove_settings(SETTINGS_TRANSIENT, unit->name, err);
	r = nspawn_autostart(NULL, unit, 0, err);
	if (r == 0)
		r = remove_dropin(unit->name, err);
	return r < 0 ? r : remove_settings(SETTINGS_KEPT, unit->name, err);
}

int nspawn_destroy(void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_machine_ struct nspawn_machine m = NSPAWN_MACHINE_INIT;
	int r = nspawn_machine_open(unit, &m, err);

	if (r > 0)
		return mrg_error_set(err, -MRG_E_STATE, "'%s' still runs", unit->name);
	if (r == 0)
		r = mrg_helper_cgroup_destroy(self, unit, err);
	if (r < 0)
		return r;
	nspawn_tidy(unit);
	nspawn_unit_forget(unit);
	return unit->adopted ? remove_adopted(unit, err) : remove_own(unit, err);
}

/* ---- creating and renaming ---------------------------------------------------------------------- */

/* Settings of that name that are not ours would be overwritten, or hide ours. */
static int check_free(const struct mrg_unit *unit, const char *name, struct mrg_error *err)
{
	struct nspawn_settings settings;
	char dir[PATH_MAX], path[PATH_MAX + sizeof(NSPAWN_DROPIN_FILE)];
	int r = nspawn_settings_find(unit->path, name, &settings, err);

	if (r > 0 && settings.trusted)
		return mrg_error_set(err, -MRG_E_EXISTS, "there are settings for a machine '%s' already: '%s'", name, settings.path);
	dropin_dir(dir, name);
	snprintf(path, sizeof(path), "%s/" NSPAWN_DROPIN_FILE, dir);
	if (r >= 0 && access(path, F_OK) == 0)
		return mrg_error_set(err, -MRG_E_EXISTS, "there is a drop-in for a machine '%s' already: '%s'", name, path);
	return r < 0 ? r : 0;
}

int nspawn_create(void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	int r = nspawn_check_name(unit->name, err);

	if (r == 0)
		r = check_free(unit, unit->name, err);
	if (r < 0)
		return r;
	r = fd_replace_file(unit->dir, MARK, "", 0, !unit->transient);
	return r < 0 ? fail_errno(err, r, "cannot write the record of '%s'", unit->name) : nspawn_configure(self, unit, err);
}

static int move(const char *from, const char *to, struct mrg_error *err)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EEXIST)
		return mrg_error_set(err, -MRG_E_EXISTS, "'%s' exists already", to);
	return fail_errno(err, -errno, "cannot rename '%s'", from);
}

/* What machinectl rename does: the root, then its settings. */
static int rename_adopted(const struct mrg_unit *unit, const char *name, struct mrg_error *err)
{
	struct nspawn_settings settings;
	struct nspawn_image image;
	char to[PATH_MAX];
	int r = nspawn_image_find(unit->path, unit->name, &image, err), has;

	if (r == 0)
		r = mrg_error_set(err, -MRG_E_STATE, "the machine '%s' has no root of its own that could be renamed", unit->name);
	if (r < 0)
		return r;
	has = nspawn_settings_find(unit->path, unit->name, &settings, err);
	snprintf(to, sizeof(to), "%.*s%s%s", (int)(strrchr(image.path, '/') + 1 - image.path), image.path, name, image.is_file ? ".raw" : "");
	r = move(image.path, to, err);
	if (r < 0 || has <= 0)
		return r;
	r = snprintf(to, sizeof(to), "%.*s%s.nspawn", (int)(strrchr(settings.path, '/') + 1 - settings.path), settings.path, name);
	return move(settings.path, to, err);
}

int nspawn_rename(void *self, const struct mrg_unit *unit, const char *name, struct mrg_error *err)
{
	struct mrg_unit renamed = *unit;
	int r = nspawn_check_name(name, err), on;

	if (r == 0)
		r = check_free(unit, name, err);
	if (r < 0)
		return r;
	if (unit->adopted)
		return rename_adopted(unit, name, err);
	renamed.name = name;
	on = unit->transient ? 0 : nspawn_autostart(self, unit, -1, err);
	r = nspawn_configure(self, &renamed, err);
	if (r == 0 && on > 0)
		r = nspawn_autostart(self, &renamed, 1, err);
	return r < 0 ? r : remove_own(unit, err);
}
