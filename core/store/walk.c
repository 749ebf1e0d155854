/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Going through all records, and removing what crashes left on the way. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/store/internal.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"

int store_sweep(int base, const char *name)
{
	char temporary[STORE_TEMPORARY_SIZE];
	_cleanup_close_ int fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? 0 : -errno;
	if (name[0] != '.') {
		r = store_temporary(temporary, STORE_GONE);
		if (r < 0)
			return r;
		if (renameat2(base, name, base, temporary, RENAME_NOREPLACE) < 0)
			return -errno;
		name = temporary;
	}
	return fd_remove_tree(base, name);
}

bool store_is_stale(struct mrg *m, int base, const char *name)
{
	struct record record = { .m = m, .name = (char *)name, .inherited = -1 };
	bool stale = false;

	record.dir = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (record.dir >= 0)
		store_read_record(&record, &stale, NULL);
	fd_close(record.dir);
	free(record.backend);
	free(record.path);
	free(record.own_root.path);
	return stale;
}

static int take_entry(struct mrg *m, int base, const char *name, bool transient, struct strings *names, struct mrg_error *err)
{
	if (strncmp(name, STORE_NEW, strlen(STORE_NEW)) == 0 || strncmp(name, STORE_GONE, strlen(STORE_GONE)) == 0) {
		store_sweep(base, name); /* what cannot be removed now is tried again by the next walk */
		return 0;
	}
	if (!name_is_valid(name) && !(transient && store_adopted_name(name)))
		return 0;
	if (transient && store_is_stale(m, base, name)) {
		store_sweep(base, name);
		return 0;
	}
	return store_adopted_name(name) ? 0 : strings_add(names, name) < 0 ? fail_memory(err) : 0;
}

static int collect(struct mrg *m, bool transient, struct strings *names, struct mrg_error *err)
{
	_cleanup_close_ int base = store_base(m, transient, false, err), copy = -1;
	_cleanup_closedir_ DIR *d = NULL;
	struct dirent *entry;

	if (base < 0)
		return base == -ENOENT ? 0 : base;
	copy = fcntl(base, F_DUPFD_CLOEXEC, 3);
	d = copy >= 0 ? fdopendir(copy) : NULL;
	if (!d)
		return fail_errno(err, -errno, "cannot read the directory of containers");
	take_fd(&copy);
	while ((entry = readdir(d))) {
		int r = take_entry(m, base, entry->d_name, transient, names, err);

		if (r < 0)
			return r;
	}
	return 0;
}

int store_walk(struct mrg *m, int (*found)(const char *name, void *data), void *data, struct mrg_error *err)
{
	_cleanup_(strings_deinit) struct strings names = { 0 };
	int r = collect(m, true, &names, err);

	if (r == 0)
		r = collect(m, false, &names, err);
	if (r < 0)
		return r;
	strings_sort(&names);
	for (size_t i = 0; i < names.n; i++) {
		r = found(names.strv[i], data);
		if (r != 0)
			return r;
	}
	return 0;
}
