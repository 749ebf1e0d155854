/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a listing needs of a spec, told by record.json as well: reading a whole config.json for the sake of two texts is most of what a
 * listing would cost. It is believed as long as config.json is, by inode, size and times, the file that was made together with record.json.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "core/store/internal.h"
#include "core/util/fail.h"
#include "core/util/proc.h"

#define CONFIG		"config.json"

static int look_at_config(const struct record *record, struct stat *ret)
{
	char path[NAME_MAX + sizeof("/" CONFIG)];

	if (!record->indexed)
		return fstatat(record->dir, CONFIG, ret, AT_SYMLINK_NOFOLLOW);
	snprintf(path, sizeof(path), "%s/" CONFIG, record->name);
	return fstatat(record->m->look.records[0], path, ret, AT_SYMLINK_NOFOLLOW);
}

/* The clock that files have their times from goes in steps, and what is written twice within one keeps its time. So it is given one that no
 * writer will: the moment it was made, less a second. */
static int mark(const struct record *record, struct stat *ret)
{
	struct timespec times[] = { { .tv_nsec = UTIME_OMIT }, { 0 } };

	if (look_at_config(record, ret) < 0)
		return -errno;
	times[1] = (struct timespec){ ret->st_mtim.tv_sec - 1, ret->st_mtim.tv_nsec };
	return utimensat(record->dir, CONFIG, times, AT_SYMLINK_NOFOLLOW) < 0 || look_at_config(record, ret) < 0 ? -errno : 0;
}

void brief_take(struct brief *brief, const struct record *record)
{
	const struct mrg_spec *spec = record->spec;
	struct stat st;

	*brief = (struct brief){ 0 };
	/* As soon as its directory has a name, somebody may write into a file that is still ours to describe. */
	if (!record->unnamed || mark(record, &st) < 0)
		return;
	*brief = (struct brief){
		.inode = (int64_t)st.st_ino, .size = st.st_size, .modified = time_ns(&st.st_mtim), .changed = time_ns(&st.st_ctim),
		.root = mrg_fields_has(&spec->set, MRG_FIELD_ROOT_PATH) ? spec->root_path : NULL,
		.cgroups = mrg_fields_has(&spec->set, MRG_FIELD_CGROUPS_PATH) ? spec->cgroups_path : NULL,
	};
}

bool brief_fits(const struct brief *brief, const struct record *record)
{
	struct stat st;

	return brief->inode && look_at_config(record, &st) == 0 && S_ISREG(st.st_mode) && brief->inode == (int64_t)st.st_ino &&
	       brief->size == st.st_size && brief->modified == time_ns(&st.st_mtim) && brief->changed == time_ns(&st.st_ctim);
}

static int set_field(struct mrg_spec *spec, unsigned int field, const char **target, const char *text)
{
	if (!text)
		return 0;
	*target = mrg_spec_strdup(spec, text);
	mrg_fields_add(&spec->set, field);
	return *target ? 0 : -ENOMEM;
}

int brief_give(const struct brief *brief, struct record *record, struct mrg_error *err)
{
	struct mrg_spec *spec = mrg_spec_new();

	if (!spec || set_field(spec, MRG_FIELD_ROOT_PATH, &spec->root_path, brief->root) < 0 ||
	    set_field(spec, MRG_FIELD_CGROUPS_PATH, &spec->cgroups_path, brief->cgroups) < 0) {
		mrg_spec_free(spec);
		return fail_memory(err);
	}
	record->spec = spec;
	return 0;
}
