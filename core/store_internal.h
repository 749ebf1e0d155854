/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_STORE_INTERNAL_H
#define CORE_STORE_INTERNAL_H

/* What the files of the store share with each other and with nobody else. */

#include "core/store.h"

/* Names of directories on their way in and out; no container can have them. */
#define STORE_NEW	".new-"
#define STORE_GONE	".del-"

/* store_dirs.c: the directory "containers" of the kind, with @make made when it is missing: a new descriptor (so a lock of its own). -ENOENT,
 * without a sentence, when it is not there. */
int store_base(struct mrg *m, bool transient, bool make, struct mrg_error *err);

/* A random name behind @prefix. */
#define STORE_TEMPORARY_SIZE	24
int store_temporary(char ret[STORE_TEMPORARY_SIZE], const char *prefix);

/* store_files.c: a new directory's files, and what store_open reads. */
int store_write_record(struct record *record, struct mrg_error *err);
int store_read_record(struct record *record, bool *ret_stale, struct mrg_error *err);
int store_read_spec(struct record *record, struct mrg_error *err);

/* store_walk.c: removes the directory @name below @base unless somebody holds its lock. 0: gone or left to its owner. */
int store_sweep(int base, const char *name);

#endif
