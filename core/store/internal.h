/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_STORE_INTERNAL_H
#define CORE_STORE_INTERNAL_H

/* What the files of the store share with each other and with nobody else. */

#include "core/store/store.h"

#define RECORD_MAX	(64 * 1024)	/* bytes of a small file of a record */

/* Names of directories on their way in and out; no container can have them. */
#define STORE_NEW	".new-"
#define STORE_GONE	".del-"

/* dirs.c: the directory "containers" of the kind, with @make made when it is missing: a new descriptor (so a lock of its own). -ENOENT,
 * without a sentence, when it is not there. */
int store_base(struct mrg *m, bool transient, bool make, struct mrg_error *err);

/* The same for looking into it: borrowed where it is kept open, else @ret_own closes it. */
int store_look(struct mrg *m, bool transient, int *ret_own, struct mrg_error *err);

/* The id of this boot. */
int store_boot_id(struct mrg *m, char ret[BOOT_ID_SIZE]);

/* A random name behind @prefix. */
#define STORE_TEMPORARY_SIZE	24
int store_temporary(char ret[STORE_TEMPORARY_SIZE], const char *prefix);

/* store.c: an empty directory under a temporary name, locked. */
int store_make_temporary(int base, char name[STORE_TEMPORARY_SIZE]);

/* A record of @name with the directory @dir, which it takes also on failure (-1: none yet). */
struct record *store_new(struct mrg *m, const char *name, int dir);

/* Opens the directory for which an index stood. -MRG_E_NOT_FOUND when it was removed meanwhile. */
int store_reach(struct record *record, struct mrg_error *err);

/* Whether its directory is below the run directory, unsynced and gone with the boot. */
static inline bool store_in_run(const struct record *record)
{
	return record->transient || record->adopted;
}

static inline const char *store_entry(const struct record *record)
{
	return record->entry ? record->entry : record->name;
}

/* adopt.c: what the name of an adopted one's directory says: the name of the container in it, or NULL when it is none. */
const char *store_adopted_name(const char *entry);

/* Makes the directory of an adopted record, or opens the one that another command has just made. */
int store_make_adopted(struct mrg *m, struct record *record, struct mrg_error *err);

/* files.c: what store_open reads. With record->brief set beforehand also what record.json tells of the spec; it stays set if that fits. */
int store_read_record(struct record *record, bool *ret_stale, struct mrg_error *err);

/* brief.c: what record.json tells of the spec; texts are borrowed. */
struct brief {
	int64_t inode, size, modified, changed;	/* of config.json; inode 0: nothing is told */
	const char *root, *cgroups;
};

/* Of @record, whose config.json was just made: nothing, where that is not so. */
void brief_take(struct brief *brief, const struct record *record);

/* Whether config.json is still what it was taken from. */
bool brief_fits(const struct brief *brief, const struct record *record);

/* Makes it the spec of @record. */
int brief_give(const struct brief *brief, struct record *record, struct mrg_error *err);

/* index.c: what small files of kept containers say, for a look at many. */
#define INDEX_FILES	3		/* record.json, run.json, exit.json */

struct index_stamp {
	int64_t inode, modified, changed;	/* of the container's directory */
};

struct index_text {
	const char *text;		/* NULL: there is no such file; not NUL-terminated */
	size_t length;
};

struct indexed {
	const char *name;
	struct index_stamp stamp;
	struct index_text file[INDEX_FILES];
};

/* What is known: nothing, where there is no such file or it is torn. NULL: no memory. */
struct index *index_load(struct mrg *m);
struct index *index_free(struct index *index);

/* What is known of the container @name below @base and still true, or NULL. Lives as long as @index. */
const struct indexed *index_find(struct index *index, int base, const char *name);

/* Counts a container that it did not know, and that is there. */
void index_miss(struct index *index);

/* What it says of @file; NULL when that is none of the three. */
const struct index_text *index_text(const struct indexed *item, const char *file);

/* Writes it anew if it did not know much of what was looked for. */
void index_save(struct mrg *m, struct index *index, int base);

/* walk.c: removes the directory @name below @base unless somebody holds its lock. 0: gone or left to its owner. */
int store_sweep(int base, const char *name);

/* Whether the record @name below the run directory is of another boot. */
bool store_is_stale(struct mrg *m, int base, const char *name);

#endif
