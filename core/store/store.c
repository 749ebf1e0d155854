/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records as directories: they appear, change their name and disappear by one rename each. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/store/internal.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/path.h"
#include "core/util/proc.h"
#include "core/util/str.h"

#define MAKE_TRIES	16
#define REMOVE_TRIES	4

static int lock_blocking(int fd)
{
	int r;

	do
		r = flock(fd, LOCK_EX);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

static int bad_name(const char *name, struct mrg_error *err)
{
	return mrg_error_set(err, -MRG_E_INVALID,
			     "'%s' is no name for a container: letters, digits, '_', '.' and '-', at most 63, a letter or digit first",
			     name);
}

static int taken(const char *name, struct mrg_error *err)
{
	return mrg_error_set(err, -MRG_E_EXISTS, "a container named '%s' exists already", name);
}

static int not_found(const char *name, struct mrg_error *err)
{
	return mrg_error_set(err, -MRG_E_NOT_FOUND, "no container named '%s'", name);
}

/* ---- making --------------------------------------------------------------------------------- */

/* The lock is what tells a walk that it is no left-over. */
int store_make_temporary(int base, char name[STORE_TEMPORARY_SIZE])
{
	for (int i = 0; i < MAKE_TRIES; i++) {
		_cleanup_close_ int fd = -1;
		struct stat st;
		int r = store_temporary(name, STORE_NEW);

		if (r < 0)
			return r;
		if (mkdirat(base, name, 0700) < 0)
			return -errno;
		fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		/* A walk may have come between mkdir and flock, and removed it. */
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0)
			return take_fd(&fd);
		if (fd < 0 && errno != ENOENT) {
			r = -errno;
			unlinkat(base, name, AT_REMOVEDIR);
			return r;
		}
	}
	return -EAGAIN;
}

/* Whether the other of the two directories has @name. */
static int other_has(struct mrg *m, bool transient, const char *name, struct mrg_error *err)
{
	_cleanup_close_ int other = store_base(m, !transient, false, err);
	struct stat st;

	if (other == -ENOENT)
		return 0;
	if (other < 0)
		return other;
	return fstatat(other, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? 1 : 0;
}

/* Renames @from to @name, provided that no container has the name. One lock for both directories makes check and rename one step. */
static int claim_name(struct mrg *m, struct record *record, int base, const char *from, const char *name,
		      struct mrg_error *err)
{
	_cleanup_close_ int names = store_base(m, true, true, err);
	int r;

	if (names < 0)
		return names;
	r = lock_blocking(names);
	if (r < 0)
		return fail_errno(err, r, "cannot lock '%s'", m->run_dir);
	r = other_has(m, record->transient, name, err);
	if (r != 0)
		return r < 0 ? r : taken(name, err);
	if (renameat2(base, from, base, name, RENAME_NOREPLACE) == 0)
		return 0;
	return errno == EEXIST ? taken(name, err) : fail_errno(err, -errno, "cannot make the record of container '%s'", name);
}

/* Drops a transient record of an earlier boot that is in the way of @name. */
static void drop_stale(struct mrg *m, const char *name)
{
	struct record *record = NULL;

	if (store_open(m, name, &record, NULL) == 0)
		store_free(record);
}

static int fill_directory(struct record *record, struct mrg_error *err)
{
	int r = store_write_spec(record, err);

	return r < 0 ? r : store_write_record(record, err);
}

int store_create(struct mrg *m, struct record *record, struct mrg_error *err)
{
	_cleanup_close_ int base = -1;
	char temporary[STORE_TEMPORARY_SIZE];
	int r;

	record->m = m;
	record->dir = record->inherited = -1;
	if (!name_is_valid(record->name))
		return bad_name(record->name, err);
	base = store_base(m, record->transient, true, err);
	if (base < 0)
		return base;
	r = store_make_temporary(base, temporary);
	if (r < 0)
		return fail_errno(err, r, "cannot make the record of container '%s' in '%s'", record->name,
				  record->transient ? m->run_dir : m->state_dir);
	record->dir = r;
	record->created = time_now_ns();
	record->unnamed = true;
	r = fill_directory(record, err);
	record->unnamed = false;
	if (r == 0)
		r = claim_name(m, record, base, temporary, record->name, err);
	if (r == -MRG_E_EXISTS) {
		drop_stale(m, record->name);
		r = claim_name(m, record, base, temporary, record->name, err);
	}
	if (r < 0) {
		fd_remove_tree(base, temporary);
		record->dir = fd_close(record->dir);
		return r;
	}
	record->locked = true;
	if (!record->transient && fsync(base) < 0) {
		r = fail_errno(err, -errno, "cannot write '%s' to disk", m->state_dir);
		store_remove(m, record, NULL);
		record->dir = fd_close(record->dir);
		record->locked = false;
	}
	return r;
}

/* ---- opening -------------------------------------------------------------------------------- */

struct record *store_free(struct record *record)
{
	if (!record)
		return NULL;
	fd_close(record->dir);
	fd_close(record->inherited);
	mrg_spec_free(record->spec);
	free(record->name);
	free(record->entry);
	free(record->backend);
	free(record->path);
	free(record->own_root.path);
	free(record);
	return NULL;
}

static void store_freep(struct record **record)
{
	store_free(*record);
}

struct record *store_new(struct mrg *m, const char *name, int dir)
{
	struct record *record = calloc(1, sizeof(*record));

	if (!record) {
		fd_close(dir);
		return NULL;
	}
	record->m = m;
	record->dir = dir;
	record->inherited = -1;
	record->name = strdup(name);
	return record->name ? record : store_free(record);
}

/* Opens the directory of @name in one of the two places: -ENOENT without a sentence when it is not there. */
static int open_in(struct mrg *m, const char *name, bool transient, struct record **ret, struct mrg_error *err)
{
	_cleanup_close_ int own = -1, dir = -1;
	int base = store_look(m, transient, &own, err);
	struct index *index = m->looks > 0 && !transient ? m->look.index : NULL;
	const struct indexed *indexed;

	if (base < 0)
		return base;
	indexed = index_find(index, base, name);
	if (!indexed) {
		dir = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (dir < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
			return -ENOENT;
		if (dir < 0)
			return fail_errno(err, -errno, "cannot open the record of container '%s'", name);
		index_miss(index);
	}
	*ret = store_new(m, name, take_fd(&dir));
	if (!*ret)
		return fail_memory(err);
	(*ret)->transient = transient;
	(*ret)->indexed = indexed;
	return 0;
}

int store_reach(struct record *record, struct mrg_error *err)
{
	_cleanup_close_ int base = -1, dir = -1;
	struct stat st;

	if (!record->indexed)
		return 0;
	base = store_base(record->m, false, false, err);
	if (base < 0)
		return base == -ENOENT ? not_found(record->name, err) : base;
	dir = openat(base, record->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 && errno != ENOENT)
		return fail_errno(err, -errno, "cannot open the record of container '%s'", record->name);
	if (dir < 0 || fstat(dir, &st) < 0 || (int64_t)st.st_ino != record->indexed->stamp.inode)
		return not_found(record->name, err);
	record->dir = take_fd(&dir);
	record->indexed = NULL;
	return 0;
}

static int open_either(struct mrg *m, const char *name, struct record **ret, struct mrg_error *err)
{
	int r;

	if (!name_is_valid(name))
		return bad_name(name, err);
	r = open_in(m, name, false, ret, err);
	if (r == -ENOENT)
		r = open_in(m, name, true, ret, err);
	return r == -ENOENT ? not_found(name, err) : r;
}

/* A transient record of another boot: its container went with that boot. */
static int remove_stale(struct mrg *m, const char *name, struct mrg_error *err)
{
	_cleanup_close_ int base = store_base(m, true, false, err);

	if (base >= 0)
		store_sweep(base, name);
	return not_found(name, err);
}

static int open_and_read(struct mrg *m, const char *name, bool brief, struct record **ret, struct mrg_error *err)
{
	_cleanup_(store_freep) struct record *record = NULL;
	bool transient, stale;
	int r = open_either(m, name, &record, err);

	if (r < 0)
		return r;
	transient = record->transient;
	record->brief = brief;
	r = store_read_record(record, &stale, err);
	if (r == 0 && stale && transient)
		return remove_stale(m, name, err);
	record->transient = transient;
	if (r == 0 && !record->brief)
		r = store_read_spec(record, err);
	if (r < 0)
		return r;
	*ret = take_ptr(record);
	return 0;
}

int store_open(struct mrg *m, const char *name, struct record **ret, struct mrg_error *err)
{
	return open_and_read(m, name, false, ret, err);
}

int store_open_brief(struct mrg *m, const char *name, struct record **ret, struct mrg_error *err)
{
	return open_and_read(m, name, true, ret, err);
}

int store_open_damaged(struct mrg *m, const char *name, struct record **ret, struct mrg_error *ret_damage,
		       struct mrg_error *err)
{
	_cleanup_(store_freep) struct record *record = NULL;
	bool transient, stale;
	int r = open_either(m, name, &record, err);

	if (r < 0)
		return r;
	*ret_damage = (struct mrg_error){ 0 };
	transient = record->transient;
	r = store_read_record(record, &stale, ret_damage);
	record->transient = transient;
	if (store_read_spec(record, r == 0 ? ret_damage : NULL) < 0) {
		record->spec = mrg_spec_new();
		if (!record->spec)
			return fail_memory(err);
	}
	if (!record->backend && !(record->backend = strdup("")))
		return fail_memory(err);
	*ret = take_ptr(record);
	return 0;
}

int store_open_dir(struct mrg *m, int dir, struct record **ret, struct mrg_error *err)
{
	_cleanup_(store_freep) struct record *record = NULL;
	char link[PATH_OF_FD_SIZE], path[PATH_MAX];
	_cleanup_close_ int inherited = dir;
	const char *entry, *name;
	bool stale;
	ssize_t n;
	int own, r;

	n = readlink(path_of_fd(link, dir), path, sizeof(path) - 1);
	if (n < 0)
		return fail_errno(err, -errno, "cannot tell the name of the container's directory");
	path[n] = '\0';
	entry = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	name = store_adopted_name(entry);
	if (!name && !name_is_valid(entry))
		return mrg_error_set(err, -MRG_E_INVALID, "'%s' is no directory of a container", path);
	/* A description of its own: a lock taken through the inherited one would be shared with the command. */
	own = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (own < 0)
		return fail_errno(err, -errno, "cannot open '%s'", path);
	record = store_new(m, name ? name : entry, own);
	if (!record)
		return fail_memory(err);
	record->inherited = take_fd(&inherited);
	fd_cloexec(record->inherited, true);
	record->adopted = name != NULL;
	if (name && !(record->entry = strdup(entry)))
		return fail_memory(err);
	r = store_read_record(record, &stale, err);
	if (r == 0)
		r = store_read_spec(record, err);
	if (r < 0)
		return r;
	*ret = take_ptr(record);
	return 0;
}

/* ---- locking -------------------------------------------------------------------------------- */

/* flock(2) knows no deadline and timers belong to the caller's process, so it is tried again, more and more rarely. */
static int lock_until(int fd, int timeout_ms)
{
	int64_t deadline = time_monotonic_ms() + timeout_ms;
	long pause_ms = 1;

	if (timeout_ms < 0)
		return lock_blocking(fd);
	for (;;) {
		struct timespec wait = { .tv_nsec = pause_ms * 1000000 };

		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (time_monotonic_ms() >= deadline)
			return -MRG_E_BUSY;
		nanosleep(&wait, NULL);
		if (pause_ms < 20)
			pause_ms *= 2;
	}
}

/* Whether the open directory is still the one of that name. */
static bool is_current(struct mrg *m, const struct record *record)
{
	_cleanup_close_ int base = store_base(m, store_in_run(record), false, NULL);
	struct stat ours, named;

	return base >= 0 && fstat(record->dir, &ours) == 0 &&
	       fstatat(base, store_entry(record), &named, AT_SYMLINK_NOFOLLOW) == 0 && ours.st_dev == named.st_dev &&
	       ours.st_ino == named.st_ino;
}

int store_lock(struct mrg *m, struct record *record, int timeout_ms, struct mrg_error *err)
{
	int r;

	if (record->locked)
		return 0;
	r = record->adopted && record->dir < 0 ? store_make_adopted(m, record, err) : store_reach(record, err);
	if (r < 0)
		return r;
	r = lock_until(record->dir, timeout_ms);
	if (r == -MRG_E_BUSY)
		return mrg_error_set(err, r, "container '%s' is busy: another command is at work on it", record->name);
	if (r < 0)
		return fail_errno(err, r, "cannot lock container '%s'", record->name);
	record->locked = true;
	if (is_current(m, record))
		return 0;
	store_unlock(record);
	return mrg_error_set(err, -MRG_E_NOT_FOUND, "container '%s' was removed or renamed meanwhile", record->name);
}

void store_unlock(struct record *record)
{
	/* Only closed: an unlock would take the command's lock away, which may be at its next verb by now. */
	record->inherited = fd_close(record->inherited);
	if (record->locked)
		flock(record->dir, LOCK_UN);
	record->locked = false;
}

/* ---- renaming and removing ------------------------------------------------------------------ */

int store_rename(struct mrg *m, struct record *record, const char *name, struct mrg_error *err)
{
	_cleanup_close_ int base = -1;
	_cleanup_free_ char *copy = NULL;
	int r;

	if (!name_is_valid(name))
		return bad_name(name, err);
	copy = strdup(name);
	if (!copy)
		return fail_memory(err);
	base = store_base(m, record->transient, false, err);
	if (base < 0)
		return base == -ENOENT ? not_found(record->name, err) : base;
	r = claim_name(m, record, base, record->name, name, err);
	if (r < 0)
		return r;
	free(record->name);
	record->name = take_ptr(copy);
	if (!record->transient && fsync(base) < 0)
		return fail_errno(err, -errno, "cannot write '%s' to disk", m->state_dir);
	return 0;
}

int store_remove(struct mrg *m, struct record *record, struct mrg_error *err)
{
	_cleanup_close_ int base = -1;
	char temporary[STORE_TEMPORARY_SIZE];
	int gone = 0, r;

	if (record->dir < 0)
		return 0;
	base = store_base(m, store_in_run(record), false, err);
	if (base < 0)
		return base == -ENOENT ? not_found(record->name, err) : base;
	r = store_temporary(temporary, STORE_GONE);
	if (r == 0 && renameat2(base, store_entry(record), base, temporary, RENAME_NOREPLACE) < 0)
		r = -errno;
	/* Not empty: somebody with the directory open has just written into it. */
	for (int i = 0; r == 0 && i < REMOVE_TRIES; i++) {
		gone = fd_remove_tree(base, temporary);
		if (gone != -ENOTEMPTY)
			break;
	}
	r = r < 0 ? r : gone;
	if (r == 0 && !store_in_run(record) && fsync(base) < 0)
		r = -errno;
	return r < 0 ? fail_errno(err, r, "cannot remove the record of container '%s'", record->name) : 0;
}

void store_unit(const struct record *record, const struct run *run, struct mrg_unit *ret)
{
	*ret = (struct mrg_unit){
		.name = record->name, .id = record->id, .spec = record->spec, .dir = record->dir,
		.process = run && run->process.pid > 0 ? &run->process : NULL, .path = record->path,
		.adopted = record->adopted, .transient = record->transient,
		.look = record->m->looks > 0 ? &record->m->look : NULL,
	};
}
