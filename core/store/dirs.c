/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The directories that hold the records: made on demand, and trusted only when nobody else can write them. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/store/internal.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/proc.h"

/* That below /run is made by whoever logs a user in. */
static int make_failed(const char *path, struct mrg_error *err)
{
	bool login = errno == EACCES && strncmp(path, "/run/user", 9) == 0;
	int r = fail_errno(err, -errno, "cannot make the directory '%s'", path);

	if (login)
		mrg_error_hint(err, "XDG_RUNTIME_DIR is not set: log in as this user (su does not), or 'loginctl enable-linger'; or set MOORAGE_RUN_DIR");
	return r;
}

/* Makes @path and what is missing above it. */
static int make_path(const char *path, struct mrg_error *err)
{
	_cleanup_free_ char *copy = strdup(path);

	if (!copy)
		return fail_memory(err);
	for (char *slash = copy + 1;; slash++) {
		bool last;

		slash += strcspn(slash, "/");
		last = *slash == '\0';
		*slash = '\0';
		if (mkdir(copy, last ? 0700 : 0755) < 0 && errno != EEXIST)
			return make_failed(copy, err);
		if (last)
			return 0;
		*slash = '/';
	}
}

static int check_private(int fd, const char *path, struct mrg_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail_errno(err, -errno, "cannot look at '%s'", path);
	if (st.st_uid != geteuid())
		return mrg_error_set(err, -MRG_E_PERMISSION, "'%s' belongs to user %u, not to you: refusing to use it", path,
				     (unsigned int)st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		mrg_error_set(err, -MRG_E_PERMISSION, "'%s' is writable by others: refusing to use it", path);
		mrg_error_hint(err, "chmod 700 '%s'", path);
		return -MRG_E_PERMISSION;
	}
	return 0;
}

/* Opens STATE_DIR or RUN_DIR. -ENOENT without a sentence when it is not there and not to be made. */
static int open_top(const char *path, bool make, struct mrg_error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0 && errno == ENOENT && !make)
		return -ENOENT;
	if (fd < 0 && errno == ENOENT) {
		r = make_path(path, err);
		if (r < 0)
			return r;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return fail_errno(err, -errno, "cannot open the directory '%s'", path);
	r = check_private(fd, path, err);
	return r < 0 ? r : take_fd(&fd);
}

static int open_below(const char *top, const char *name, bool make, struct mrg_error *err)
{
	_cleanup_close_ int parent = open_top(top, make, err), fd = -1;
	char path[512];
	int r;

	if (parent < 0)
		return parent;
	snprintf(path, sizeof(path), "%s/%s", top, name);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && !make)
		return -ENOENT;
	if (fd < 0 && errno == ENOENT) {
		if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
			return fail_errno(err, -errno, "cannot make the directory '%s'", path);
		fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd < 0)
		return fail_errno(err, -errno, "cannot open the directory '%s'", path);
	r = check_private(fd, path, err);
	return r < 0 ? r : take_fd(&fd);
}

int store_base(struct mrg *m, bool transient, bool make, struct mrg_error *err)
{
	return open_below(transient ? m->run_dir : m->state_dir, "containers", make, err);
}

void store_look_begin(struct mrg *m, struct mrg_look *look)
{
	for (int transient = 0; transient < 2; transient++)
		look->records[transient] = store_base(m, transient, false, NULL);
	look->index = look->records[0] >= 0 ? index_load(m) : NULL;
}

void store_look_end(struct mrg *m, struct mrg_look *look)
{
	index_save(m, look->index, look->records[0]);
	look->index = index_free(look->index);
	for (int transient = 0; transient < 2; transient++)
		look->records[transient] = fd_close(look->records[transient]);
}

int store_look(struct mrg *m, bool transient, int *ret_own, struct mrg_error *err)
{
	int base = m->looks > 0 ? m->look.records[transient] : -EIO;

	/* One that cannot be used is tried again, for the sentence. */
	if (base < 0 && base != -ENOENT)
		base = *ret_own = store_base(m, transient, false, err);
	return base;
}

int store_boot_id(struct mrg *m, char ret[BOOT_ID_SIZE])
{
	int r = m->boot_id[0] ? 0 : proc_boot_id(m->boot_id);

	if (r == 0)
		memcpy(ret, m->boot_id, BOOT_ID_SIZE);
	return r;
}

int store_cache(struct mrg *m, const char *name, bool make, struct mrg_error *err)
{
	return open_below(m->run_dir, name, make, err);
}

int store_state_dir(struct mrg *m, const char *name, bool make, struct mrg_error *err)
{
	return open_below(m->state_dir, name, make, err);
}

int store_temporary(char ret[STORE_TEMPORARY_SIZE], const char *prefix)
{
	uint64_t nonce;

	if (getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce))
		return -EIO;
	snprintf(ret, STORE_TEMPORARY_SIZE, "%s%016llx", prefix, (unsigned long long)nonce);
	return 0;
}
