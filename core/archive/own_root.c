/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Roots that go with their containers. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/archive/own_root.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/mountinfo.h"
#include "core/util/path.h"

#define NS_PER_S	INT64_C(1000000000)

/* ---- which it is ------------------------------------------------------------------------ */

static int look(const char *path, struct statx *ret)
{
	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, ret) < 0)
		return -errno;
	return S_ISDIR(ret->stx_mode) ? 0 : -ENOTDIR;
}

/* An inode is used again as soon as it is free: only with its birth it tells one directory from all others. */
static int64_t birth(const struct statx *st)
{
	return st->stx_mask & STATX_BTIME ? st->stx_btime.tv_sec * NS_PER_S + st->stx_btime.tv_nsec : 0;
}

int own_root_take(struct record *record, struct mrg_error *err)
{
	struct statx st;
	int r = look(record->spec->root_path, &st);

	if (r < 0)
		return fail_errno(err, r, "cannot look at the root '%s'", record->spec->root_path);
	record->own_root.path = strdup(record->spec->root_path);
	record->own_root.inode = (int64_t)st.stx_ino;
	record->own_root.born = birth(&st);
	return record->own_root.path ? 0 : fail_memory(err);
}

static bool is_it(const struct own_root *own, const struct statx *st)
{
	return (int64_t)st->stx_ino == own->inode && birth(st) == own->born;
}

bool own_root_is(const struct record *record, const char *path)
{
	struct statx st;

	return record->own_root.path && look(path, &st) == 0 && is_it(&record->own_root, &st);
}

/* Where it is: where it was made, or where it has gone with its container since. NULL: nowhere. */
static const char *find(const struct record *record, struct statx *ret)
{
	const char *const places[] = { record->own_root.path, record->spec ? record->spec->root_path : NULL };

	for (size_t i = 0; record->own_root.path && i < ARRAY_SIZE(places); i++)
		if (places[i] && places[i][0] == '/' && places[i][1] && look(places[i], ret) == 0 && is_it(&record->own_root, ret))
			return places[i];
	return NULL;
}

/* ---- who uses it ------------------------------------------------------------------------ */

struct use {
	struct mrg *m;
	const char *path;		/* as the kernel knows it */
	const struct record *but;	/* who may */
	char *by;			/* "BACKEND:NAME" of who does */
};

static bool leads_below(const char *root, const char *dir)
{
	_cleanup_free_ char *real = root ? realpath(root, NULL) : NULL;

	return real && path_is_below(real, dir);
}

bool own_root_holds(const struct record *record, const char *path)
{
	struct statx st;
	const char *own = find(record, &st);
	_cleanup_free_ char *real = own ? realpath(own, NULL) : NULL;

	return real && leads_below(path, real);
}

static int check_container(struct mrg_container *c, void *data)
{
	struct use *use = data;
	const struct record *record = c->record;

	if (!record->adopted && strcmp(record->id, use->but->id) == 0)
		return 0;
	/* Of one whose configuration cannot be read nobody knows what it uses; it cannot be started either. */
	if (mrg_container_load(c, NULL) < 0 || !leads_below(mrg_container_spec(c)->root_path, use->path))
		return 0;
	if (asprintf(&use->by, "%s:%s", record->backend, record->name) < 0)
		use->by = NULL;
	return -EBUSY;
}

static int check_record(const char *name, void *data)
{
	const struct use *use = data;
	struct record *record = NULL;
	bool uses = store_open(use->m, name, &record, NULL) == 0 && record->spec && leads_below(record->spec->root_path, use->path);

	store_free(record);
	return uses;
}

bool own_root_is_recorded(struct mrg *m, const char *path)
{
	_cleanup_free_ char *real = realpath(path, NULL);

	return !real || store_walk(m, check_record, &(struct use){ .m = m, .path = real }, NULL) != 0;
}

static int check_users(struct mrg *m, const struct record *record, const char *path, const char *real, struct mrg_error *err)
{
	struct use use = { .m = m, .path = real, .but = record };
	_cleanup_free_ char *by = NULL;
	int r = mrg_list(m, NULL, check_container, NULL, &use, err);

	by = use.by;
	if (r != -EBUSY)
		return r;
	mrg_error_set(err, -MRG_E_BUSY, "the root '%s' is also that of the container '%s'", path, by ? by : "");
	return mrg_error_hint(err, "to remove '%s' and leave the root: --keep-storage", record->name), -MRG_E_BUSY;
}

/* ---- what hinders ----------------------------------------------------------------------- */

/* The fifth of the words of a line of mountinfo, in place. */
static char *mount_point(char *line)
{
	char *word = NULL;

	for (int i = 0; i < 5; i++)
		word = strsep(&line, " ");
	if (word)
		mountinfo_unescape(word);
	return word;
}

static int check_mounts(const char *real, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	char *rest, *line;
	int r = fd_read_virtual(AT_FDCWD, "/proc/self/mountinfo", 64 << 20, &text, NULL);

	if (r < 0)
		return fail_errno(err, r, "cannot read '/proc/self/mountinfo'");
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		const char *at = mount_point(line);

		if (!at || !path_is_below(at, real))
			continue;
		mrg_error_set(err, -MRG_E_BUSY, "something is mounted at '%s', in the root that would be removed", at);
		return mrg_error_hint(err, "umount it first"), -MRG_E_BUSY;
	}
	return 0;
}

/* Whoever marks a whole root means that it shall stay. Of single files in it, which a container may have marked, that is not said. */
static int check_mark(const char *path, const struct statx *st, struct mrg_error *err)
{
	if (!(st->stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)))
		return 0;
	mrg_error_set(err, -MRG_E_PERMISSION, "the root '%s' is marked immutable", path);
	return mrg_error_hint(err, "take the mark away with 'chattr -i -a', or leave the root: --keep-storage"), -MRG_E_PERMISSION;
}

/* ---- removal ---------------------------------------------------------------------------- */

static int check(struct mrg *m, const struct record *record, const char *path, const struct statx *st, struct mrg_error *err)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	int r = real ? check_mark(path, st, err) : fail_errno(err, -errno, "cannot open the root '%s'", path);

	if (r == 0)
		r = check_mounts(real, err);
	return r < 0 ? r : check_users(m, record, path, real, err);
}

static int begin(struct own_root_removal *removal, struct mrg *m, const struct record *record, const char *path)
{
	_cleanup_free_ char *above = strndup(path, (size_t)(strrchr(path, '/') - path));
	int r;

	removal->root.container = strdup(record->name);
	removal->root.home = strdup(path);
	removal->root.aside = removal->aside;
	if (!above || !removal->root.container || !removal->root.home)
		return -ENOMEM;
	snprintf(removal->aside, sizeof(removal->aside), ".moorage-remove-%s", record->id);
	removal->parent = open(*above ? above : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (removal->parent < 0)
		return -errno;
	r = root_note_begin(&removal->note, m, record->id);
	return r < 0 ? r : root_note_write(&removal->note, &removal->root);
}

int own_root_begin(struct own_root_removal *removal, struct mrg *m, const struct record *record, struct mrg_error *err)
{
	struct statx st;
	const char *path = find(record, &st);
	int r = path ? check(m, record, path, &st, err) : 0;

	if (r < 0 || !path)
		return r;
	removal->root.inode = st.stx_ino;
	r = begin(removal, m, record, path);
	return r < 0 ? fail_errno(err, r, "cannot note that the root '%s' is to be removed", path) : 0;
}

/* Under its other name nobody finds a part of it. */
int own_root_remove(struct own_root_removal *removal, struct mrg_error *err)
{
	const char *name = removal->parent >= 0 ? strrchr(removal->root.home, '/') + 1 : NULL;
	int r = 0;

	if (!name)
		return 0;
	if (renameat2(removal->parent, name, removal->parent, removal->aside, RENAME_NOREPLACE) < 0)
		r = fail_errno(err, -errno, "cannot rename it");
	if (r == 0)
		r = root_note_remove(removal->parent, removal->aside, &removal->root, err);
	if (r < 0)
		mrg_error_prefix(err, "container '%s' is removed, but its root '%s' is not", removal->root.container, removal->root.home);
	removal->failed = r < 0;
	return r;
}

void own_root_end(struct own_root_removal *removal)
{
	root_note_end(&removal->note, !removal->failed);
	fd_close(removal->parent);
	free(removal->root.container);
	free(removal->root.home);
}
