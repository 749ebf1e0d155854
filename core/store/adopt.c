/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records of containers that engines keep without us: nothing on disk until a run needs it, and then below the run directory. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/store/internal.h"
#include "core/util/backend_name.h"
#include "core/util/cleanup.h"
#include "core/util/digest.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"

#define NAME_MAX_ADOPTED	200	/* with backend and hash before it still the name of a file */

bool store_adopted_name_is_valid(const char *name)
{
	size_t length = strlen(name);

	for (const unsigned char *c = (const unsigned char *)name; *c; c++)
		if (*c < ' ' || *c == 0x7f || *c == '/')
			return false;
	return length > 0 && length <= NAME_MAX_ADOPTED;
}

const char *store_adopted_name(const char *entry)
{
	size_t backend = strcspn(entry, "+:"), prefix = strcspn(entry, ":");
	_cleanup_free_ char *name = strndup(entry, backend);

	if (entry[prefix] != ':' || !name || !backend_name_is_valid(name) || !store_adopted_name_is_valid(entry + prefix + 1))
		return NULL;
	return entry + prefix + 1;
}

/* "lxc:", or "lxc+0123456789abcdef:" for another place than the engine's own. */
static int make_prefix(const char *backend, const char *path, char **ret)
{
	uint64_t digest = path ? digest_text(path, strlen(path)) : 0;

	if (!path)
		return asprintf(ret, "%s:", backend);
	return asprintf(ret, "%s+%016" PRIx64 ":", backend, digest);
}

static int make_entry(const char *backend, const char *path, const char *name, char **ret)
{
	_cleanup_free_ char *prefix = NULL;

	if (make_prefix(backend, path, &prefix) < 0) {
		prefix = NULL;
		return -ENOMEM;
	}
	return asprintf(ret, "%s%s", prefix, name) < 0 ? -ENOMEM : 0;
}

/* Opens the directory @record has below @base, when there is one of this boot. */
static int open_existing(int base, struct record *record, struct mrg_error *err)
{
	if (store_is_stale(record->m, base, record->entry))
		store_sweep(base, record->entry);
	record->dir = openat(base, record->entry, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (record->dir < 0)
		return errno == ENOENT ? 0 : fail_errno(err, -errno, "cannot open the record of container '%s'", record->name);
	return 0;
}

static void record_freep(struct record **record)
{
	store_free(*record);
}

int store_open_adopted(struct mrg *m, const char *backend, const char *path, const char *name, struct record **ret,
		       struct mrg_error *err)
{
	_cleanup_(record_freep) struct record *record = store_new(m, name, -1);
	_cleanup_close_ int own = -1;
	int base = store_look(m, true, &own, NULL), r = 0;

	if (!record)
		return fail_memory(err);
	record->adopted = true;
	record->backend = strdup(backend);
	record->path = path ? strdup(path) : NULL;
	record->spec = mrg_spec_new();
	if (!record->backend || (path && !record->path) || !record->spec || make_entry(backend, path, name, &record->entry) < 0)
		return fail_memory(err);
	snprintf(record->id, sizeof(record->id), "%016" PRIx64, digest_text(record->entry, strlen(record->entry)));
	if (base >= 0)
		r = open_existing(base, record, err);
	if (r < 0)
		return r;
	*ret = take_ptr(record);
	return 0;
}

static int fill(struct record *record, struct mrg_error *err)
{
	int r = store_write_spec(record, err);

	return r < 0 ? r : store_write_record(record, err);
}

int store_make_adopted(struct mrg *m, struct record *record, struct mrg_error *err)
{
	_cleanup_close_ int base = store_base(m, true, true, err);
	char temporary[STORE_TEMPORARY_SIZE];
	int r;

	if (base < 0)
		return base;
	r = store_make_temporary(base, temporary);
	if (r < 0)
		return fail_errno(err, r, "cannot make the record of container '%s' in '%s'", record->name, m->run_dir);
	record->dir = r;
	r = fill(record, err);
	if (r == 0 && renameat2(base, temporary, base, record->entry, RENAME_NOREPLACE) == 0) {
		flock(record->dir, LOCK_UN);
		return 0;
	}
	if (r == 0 && errno != EEXIST)
		r = fail_errno(err, -errno, "cannot make the record of container '%s'", record->name);
	fd_remove_tree(base, temporary);
	record->dir = fd_close(record->dir);
	/* Another command was first: its directory will do. */
	return r < 0 ? r : open_existing(base, record, err);
}

void store_forget_adopted(struct mrg *m, const char *backend, const char *path, char *const *names,
			  bool (*may)(const char *name, void *data), void *data)
{
	_cleanup_close_ int base = store_base(m, true, false, NULL), copy = -1;
	_cleanup_free_ char *prefix = NULL;
	_cleanup_closedir_ DIR *d = NULL;
	struct dirent *entry;

	if (base < 0 || make_prefix(backend, path, &prefix) < 0) {
		prefix = NULL;
		return;
	}
	copy = fcntl(base, F_DUPFD_CLOEXEC, 3);
	d = copy >= 0 ? fdopendir(copy) : NULL;
	if (!d)
		return;
	take_fd(&copy);
	while ((entry = readdir(d))) {
		const char *name = entry->d_name + strlen(prefix);

		if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 && !strv_contains(names, name) && may(name, data))
			store_sweep(base, entry->d_name);
	}
}
