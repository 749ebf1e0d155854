/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_MIGRATE_TREE_H
#define CORE_MIGRATE_TREE_H

/*
 * Root file systems as trees of files: measured, copied, given to other ids, moved, removed, compared.
 *
 * A root is hostile. Everything works on descriptors: one component at a time, never through a symlink, never over a mount, and a directory
 * that was moved away meanwhile ends the work (-ESTALE). Nothing recurses; descriptors and memory are bounded for any depth and any number of
 * entries. Names are bytes; in messages what cannot be printed is escaped as \xHH.
 *
 * What cannot be done for one entry and is no reason to stop is told: counted by its kind in the report, with the first paths.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <moorage/error.h>
#include <moorage/spec.h>

/* ---- ids ---------------------------------------------------------------------- */

/* The ids from @from on become those from @to on. */
struct tree_range {
	uint32_t from, to, count;
};

/* What becomes of owners, of the ids in ACLs (uids and gids), and of the root id of file capabilities (uids). An id in no range stays, and is
 * told when it does not belong to a target range already. No ranges at all: everything stays as it is. */
struct tree_map {
	struct tree_range *uids, *gids;
	size_t n_uids, n_gids;
};

/* The map that takes a root from one container's ids to another's: an id of the host that @from gives to an id of the container becomes the
 * one that @to gives to the same id of the container. @n 0: no user namespace, the ids of the host. Fills one of the two arrays: (&map.uids,
 * &map.n_uids). -MRG_E_INVALID when two ids would become one. */
int tree_map_between(const struct mrg_id_mapping *from, size_t n_from, const struct mrg_id_mapping *to, size_t n_to,
		     struct tree_range **ret, size_t *ret_n, struct mrg_error *err);

/* Whether the map changes nothing. */
bool tree_map_is_empty(const struct tree_map *map);
void tree_map_deinit(struct tree_map *map);

/* ---- options and reports ------------------------------------------------------ */

struct tree_progress {
	uint64_t files, bytes;		/* entries of every kind, and contents, since the begin */
};

/* What is told. */
enum tree_told {
	TREE_TOLD_SOCKET,		/* sockets: not copied, their programs make them anew */
	TREE_TOLD_MOUNT,		/* something is mounted there: an empty directory or file is copied, nothing below it is touched */
	TREE_TOLD_UNMAPPED,		/* an id in no range of the map: kept */
	TREE_TOLD_XATTR,		/* an extended attribute that the target does not take */
	TREE_TOLD_FLAGS,		/* immutable or append-only, where that could not be set in the target or was lifted for the change and set again */
	TREE_TOLD_LINK,			/* has names outside of the tree as well */
	TREE_TOLD_MAX
};

/* A sentence's end for each: "sockets, which are not copied". */
const char *tree_told_text(enum tree_told kind);

#define TREE_TOLD_PATHS	16		/* paths kept of each kind */

struct tree_report {
	uint64_t files, bytes;		/* entries without the root itself; sizes of regular files, each file once */
	uint64_t directories, links;	/* of the files: directories; further names of files that were counted already */
	uint64_t changed;		/* entries whose ids were changed */
	struct {
		uint64_t count;
		char **paths;		/* NULL-terminated, the first TREE_TOLD_PATHS, relative, printable */
	} told[TREE_TOLD_MAX];
};

void tree_report_deinit(struct tree_report *report);

struct tree_options {
	const struct tree_map *map;	/* NULL: owners stay */
	bool no_reflink;		/* copy contents even where the file system could share them */
	bool durable;			/* one syncfs(2) at the end */
	struct writeback *writeback;	/* told of every file that is made (core/util/writeback.h); NULL: what is durable has one of its own */
	bool portable;			/* tree_digest(): only what an archive carries, which is user.*, ACLs and file capabilities of extended attributes */
	char *digest;			/* pack_tree(): TREE_DIGEST_SIZE bytes for what a portable tree_digest() of the tree would give; may be NULL */
	int (*progress)(const struct tree_progress *progress, void *data);	/* may be NULL; a negative return ends the work with that code */
	void *data;
};

/* ---- what is done -------------------------------------------------------------- */

/* What is known of a tree after one look at all of it. */
struct tree_scan {
	struct tree_report report;	/* files, bytes, links; told: sockets, mounts, LINK, UNMAPPED (with a map) */
	uint64_t allocated;		/* bytes it takes on disk, each file once */
	uint32_t uid, gid;		/* the owner of the root itself */
	uint32_t uid_min, uid_max, gid_min, gid_max;
	bool shifted;			/* the root is not 0's, and all owners are within 65536 ids from the root's on, uids and gids: a user namespace's */
	uint64_t in_source, in_target;	/* with a map: entries with an id that would change; whose ids all are target's and not source's */
	bool rebasing;			/* tree_rebase() was interrupted here and has to be called again, with the same map */
};

/* Looks at the tree open as @dir. @map may be NULL. */
int tree_scan(int dir, const struct tree_map *map, const struct tree_options *options, struct tree_scan *ret, struct mrg_error *err);
void tree_scan_deinit(struct tree_scan *scan);

/* Copies the tree open as @source, by two threads, to the new directory @name below @parent (-EEXIST when it is there): types, modes, owners (by the map),
 * times to the nanosecond, hard links, holes, extended attributes, ACLs, file capabilities, device nodes, flags. Shares contents where the
 * file system can. After a failure what was made is there still, for tree_remove(). @ret (may be NULL) is filled also on failure. */
int tree_copy(int source, int parent, const char *name, const struct tree_options *options, struct tree_report *ret, struct mrg_error *err);

/* The same into the directory open as @target, which is empty. */
int tree_copy_into(int source, int target, const struct tree_options *options, struct tree_report *ret, struct mrg_error *err);

/* Gives the tree open as @dir to other ids, in place; setuid bits and file capabilities, which a change of owner removes, are put back. May be
 * interrupted at any point and called again with the same map: an id in a target range has been changed already. Where source and target
 * ranges overlap that cannot be told, so ids then go through a third range, free of both, and which of the two halves is at work is kept in an
 * attribute of the root (trusted.moorage.rebase), as is the map, so that a call with another one is refused (-MRG_E_STATE). Refused before
 * anything is changed: files that have names outside of the tree (they belong to others as well), mounts below it.
 *
 * The attribute stays when all is done, and the same call again does nothing, until tree_rebase_settle(): whoever keeps a journal notes there that
 * it is done, then settles. A call with another map then begins anew. */
int tree_rebase(int dir, const struct tree_map *map, const struct tree_options *options, struct tree_report *ret, struct mrg_error *err);

/* Whether a tree_rebase() with @map may have changed something, and was not settled. A map whose ranges do not overlap does no harm when it is
 * applied again, so that this is not asked there: true. */
bool tree_rebase_begun(int dir, const struct tree_map *map);
int tree_rebase_settle(int dir, struct mrg_error *err);

enum tree_moved { TREE_RENAMED, TREE_COPIED };

/* Brings the tree @name below @parent to @new_name below @new_parent, which must not be there: by rename(2), where @options->map is not
 * applied (tree_rebase() does), or to another file system by tree_copy() with everything in @options; then the source stays, for tree_remove()
 * once the copy is in use. *ret_how tells. */
int tree_move(int parent, const char *name, int new_parent, const char *new_name, const struct tree_options *options, enum tree_moved *ret_how,
	      struct tree_report *ret, struct mrg_error *err);

/* Removes the tree @name below @parent: of any depth, with immutable files. Whatever is mounted below it stays, and is an error (-EBUSY). 0
 * when it is not there. */
int tree_remove(int parent, const char *name, const struct tree_options *options, struct mrg_error *err);

/* Removes what is in the directory open as @dir, itself not. */
int tree_clear(int dir, struct mrg_error *err);

/* A checksum (SHA-256, hexadecimal) of everything that tree_copy() keeps: names, types, modes, owners, times of modification, devices,
 * extended attributes, contents, which names are one file. The same for equal trees, whatever the order of their directories; holes count as
 * zeros. Sockets and what is mounted count not. With a @map owners count as mapped, so that the digest of a tree with the map and that of its
 * re-based copy are equal. */
#define TREE_DIGEST_SIZE	65
int tree_digest(int dir, const struct tree_map *map, const struct tree_options *options, char ret[TREE_DIGEST_SIZE], struct mrg_error *err);

#endif
