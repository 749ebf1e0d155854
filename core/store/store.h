/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_STORE_H
#define CORE_STORE_H

/*
 * Records on disk: one directory per container,
 *
 *	STATE_DIR/containers/NAME/	kept over reboots, written with fsync
 *	RUN_DIR/containers/NAME/	transient ones: gone with the boot, no fsync
 *	RUN_DIR/containers/BACKEND:NAME/	of adopted ones, made when they are first driven by us: what a run needs (BACKEND+HASH: where
 *			the engine keeps them elsewhere than it does by default)
 *
 * each 0700 and with the files
 *
 *	record.json	format, id, backend, created, phase ("creating" until the backend has created it, and from when it destroys it); of
 *			what is below RUN_DIR also the boot id: what is of another boot is gone; what a listing needs of the spec; its own root
 *	config.json	the spec (moorage-spec(5))
 *	run.json	boot id, monitor and first process (pid and start time), time of start; of the last start
 *	exit.json	how the last run ended: wait status, oom_killed, time
 *	log, log.1	output (log.c)
 *	attach		socket of the monitor, while it lives
 *
 * and beside them RUN_DIR/index/records, what the three of all kept containers say: a cache of looks at many (index.c).
 *
 * A directory is made under a temporary name and renamed into place whole; it is renamed away before it is removed; what a crash leaves
 * under a temporary name is removed by the next walk. The lock is flock(2) on the directory itself.
 */

#include <stdbool.h>

#include "core/context.h"

/* Of run.json, verified against the kernel by store_read_run(). */
struct run {
	struct mrg_process process;	/* pidfd is open when it lives; pid 0 when it does not */
	pid_t monitor;			/* 0 when it does not live */
	int64_t started;		/* ns since the epoch; 0: never started */
};

struct exit_record {
	int status;			/* wait(2) status word */
	bool oom_killed;
	bool known;			/* false: the monitor died first */
	int64_t finished;
};

/* A root that was made for the container, and goes with it: told by the directory, not by its name alone. */
struct own_root {
	char *path;			/* NULL: it has none, its root is the user's */
	int64_t inode;
	int64_t born;			/* ns since the epoch; 0: the file system does not tell */
};

struct record {
	struct mrg *m;
	char *name;
	char *entry;			/* the name of the directory; NULL: that of the container */
	char id[17];			/* 16 hex digits */
	char *backend;
	char *path;			/* where the engine keeps it; NULL: its default */
	uint64_t native;		/* digest of the engine's configuration as we wrote it; 0: none */
	struct own_root own_root;
	bool adopted;			/* made by the engine's tools; @dir is -1 until store_lock() has made it */
	int64_t created;
	bool transient;
	bool creating;			/* half made: the backend's create has not returned */
	struct mrg_spec *spec;
	bool brief;			/* of the spec only root.path and linux.cgroupsPath were read */
	int dir;			/* the directory, open; -1 while @indexed stands for its files */
	const struct indexed *indexed;	/* index.c: of a look at many, as long as that takes; NULL: none */
	int inherited;			/* store_open_dir(): the descriptor whose lock is shared with the command; else -1 */
	bool locked;
	bool unnamed;			/* being made: nobody looks into its directory before that has its name */
};

/* Makes a record (name, id, backend, spec, transient, creating given; dir and created filled in), locked. -MRG_E_EXISTS when either
 * directory has the name. */
int store_create(struct mrg *m, struct record *record, struct mrg_error *err);

/* Marks the record as made: the backend has created it. */
int store_commit(struct record *record, struct mrg_error *err);

/* Writes record.json: @native has changed. */
int store_write_record(struct record *record, struct mrg_error *err);

/* Opens and reads one record by name, unlocked. -MRG_E_NOT_FOUND. */
int store_open(struct mrg *m, const char *name, struct record **ret, struct mrg_error *err);

/* The same, for a look: of the spec only what record.json tells of it (then record->brief is set), if it tells that and nobody has changed the
 * spec since. store_read_spec() reads the rest, and opens the directory where that was not needed so far. */
int store_open_brief(struct mrg *m, const char *name, struct record **ret, struct mrg_error *err);

/* The same as store_open(), reading what can be read: id and backend may be empty, the spec may be. For the removal of what is damaged; *ret_damage
 * tells what store_open() would have said. */
int store_open_damaged(struct mrg *m, const char *name, struct record **ret, struct mrg_error *ret_damage,
		       struct mrg_error *err);

/* A record of a container that the engine of @backend keeps at @path (NULL: its default) as @name, with an empty
 * spec: the directory that an earlier command has made, or none yet. */
int store_open_adopted(struct mrg *m, const char *backend, const char *path, const char *name, struct record **ret,
		       struct mrg_error *err);

/* Names that an engine may have given: 1 to 200 bytes, no '/' and no control characters. */
bool store_adopted_name_is_valid(const char *name);

/* Removes the directories of adopted containers of @backend at @path that @names (may be NULL) has not: the engine has lost them. @may is asked for
 * each, and one that it says no to stays. */
void store_forget_adopted(struct mrg *m, const char *backend, const char *path, char *const *names,
			  bool (*may)(const char *name, void *data), void *data);

/* Reads the record in the directory @dir (taken): what a monitor does with the descriptor it inherits. A lock that the command holds on that
 * descriptor is shared (flock(2)), so it outlives a killed command until store_unlock(): call that with the verdict. */
int store_open_dir(struct mrg *m, int dir, struct record **ret, struct mrg_error *err);

/* Makes the directory of an adopted one if it has none, then locks for a change, waiting at most @timeout_ms (-1: for ever), then
 * verifies that the directory is still the one of that name. -MRG_E_BUSY; -MRG_E_NOT_FOUND when it was removed meanwhile. */
int store_lock(struct mrg *m, struct record *record, int timeout_ms, struct mrg_error *err);
void store_unlock(struct record *record);

struct record *store_free(struct record *record);

/* Files of a record. Writers need the lock, or to be its monitor. */
int store_read_spec(struct record *record, struct mrg_error *err);	/* the caller frees the one there was */
int store_write_spec(struct record *record, struct mrg_error *err);
int store_write_run(struct record *record, const struct run *run, struct mrg_error *err);
int store_read_run(struct record *record, struct run *ret, struct mrg_error *err);
void store_run_deinit(struct run *run);
int store_write_exit(struct record *record, const struct exit_record *exit, struct mrg_error *err);
int store_read_exit(struct record *record, struct exit_record *ret, struct mrg_error *err);	/* 0: none; 1: read */

/* Locked. */
int store_rename(struct mrg *m, struct record *record, const char *name, struct mrg_error *err);
int store_remove(struct mrg *m, struct record *record, struct mrg_error *err);

/* park.c: the record of a kept container, locked, becomes the entry @entry of the directory @dir (of the same file system), where nobody looks for it;
 * and back, under @name: -MRG_E_EXISTS. 0 also when it was brought back before. */
int store_set_aside(struct mrg *m, struct record *record, int dir, const char *entry, struct mrg_error *err);
int store_put_back(struct mrg *m, const char *name, int dir, const char *entry, struct mrg_error *err);

/* Opens the directories that hold the records, for whoever looks at many. */
void store_look_begin(struct mrg *m, struct mrg_look *look);
void store_look_end(struct mrg *m, struct mrg_look *look);

/* Calls @found for each name in order; a non-zero return ends the walk. Removes what crashes left under temporary names. */
int store_walk(struct mrg *m, int (*found)(const char *name, void *data), void *data, struct mrg_error *err);

/* A directory below RUN_DIR for caches, with @make made when it is missing, 0700, owned by us: open, or a negative errno. */
int store_cache(struct mrg *m, const char *name, bool make, struct mrg_error *err);

/* A directory below STATE_DIR for what is kept over reboots, 0700, owned by us: open, or a negative errno; -ENOENT, without a sentence, when it is not there
 * and not to be made. */
int store_state_dir(struct mrg *m, const char *name, bool make, struct mrg_error *err);

/* The unit of a record, as verbs want it; @run may be NULL. Borrows from both. */
void store_unit(const struct record *record, const struct run *run, struct mrg_unit *ret);

#endif
