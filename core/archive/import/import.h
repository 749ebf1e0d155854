/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_ARCHIVE_IMPORT_H
#define CORE_ARCHIVE_IMPORT_H

/* The parts of an import. */

#include "core/archive/extract.h"
#include "core/archive/root_note.h"
#include "core/archive/transfer.h"
#include "core/convert/convert.h"
#include "core/util/sha256.h"

/* ---- place.c: where the new root is made --------------------------------------- */

/* A root is made beside its place and renamed there once it is whole. */
struct import_place {
	struct mrg *m;
	struct root_note note;
	char id[17];			/* of the container as well; "": one is made */
	char *container;		/* its name */
	char *home;			/* the root's place */
	struct writeback *writeback;	/* until it is whole */
	int parent;			/* the directory it is in */
	char aside[48];			/* its name there until it is whole */
	int root;			/* it, open */
	uint64_t inode;
	bool placed;
};
#define IMPORT_PLACE	{ .note.dir = -1, .parent = -1, .root = -1 }

/* Begins a new root for the container @name of the backend @p; @spec: as far as it is known, or NULL. */
int import_place_begin(struct import_place *place, struct mrg *m, struct plugin *p, const char *name, const struct mrg_spec *spec, struct mrg_error *err);

/* It is whole: to its place. */
int import_place_commit(struct import_place *place, struct mrg_error *err);

/* Done; when not @keep the root is removed, wherever it is. */
void import_place_end(struct import_place *place, bool keep);

/* ---- accept.c ------------------------------------------------------------------- */

/* Refuses what reaches out to the host, or is less confined than @able's defaults, but for what is accepted. -MRG_E_PERMISSION. */
int import_accept(const struct mrg_spec *spec, const char *const *accept, struct mrg_error *err);
bool import_accepts(const char *const *accept, const char *name, const char *path);

/* All that a word of --accept can name: rows with a key or a field. @spec may be NULL: a root alone. */
int import_names(const struct mrg_spec *spec, struct report_rows *ret, struct mrg_error *err);

/* Whether each word names something: -MRG_E_INVALID. */
int import_check_words(const struct mrg_spec *spec, const char *const *accept, struct mrg_error *err);

/* ---- native.c ------------------------------------------------------------------- */

#define IMPORT_MOUNT_OPTIONS	"lxc.mount.options"	/* what mounts of LXC's have beside the spec's options */

/* Whether this value of a key that is kept verbatim reaches nothing of the host, whoever wrote it. */
bool import_is_harmless(const char *engine, const char *name, const char *value);

/* ---- source.c: what a file or directory is --------------------------------------- */

enum import_kind {
	IMPORT_OURS,			/* an archive of mrg_export() */
	IMPORT_ROOT,			/* a tar of a root */
	IMPORT_LXC,			/* a tar with "config" and "rootfs" */
	IMPORT_OCI,			/* an OCI layout */
	IMPORT_DOCKER,			/* an archive of "docker save" without one */
};

/* An archive, open at its begin. */
struct import_archive {
	int fd;
	struct stream_reader stream;
	struct tar_reader tar;
	struct tar_entry entry;		/* the last that import_archive_next() gave, */
	char *path;			/* and its clean name */
};

int import_archive_open(struct import_archive *a, const char *file, struct mrg_error *err);
int import_archive_next(struct import_archive *a, struct mrg_error *err);	/* 1, or 0 at the end */
void import_archive_close(struct import_archive *a);

/* "oci:PATH:TAG", "oci-archive:PATH:TAG" and "docker-archive:PATH:TAG" as other tools have it; else @text is a path. The caller frees both; *ret_tag may be NULL. */
int import_source_split(const char *text, char **ret_path, char **ret_tag, struct mrg_error *err);

/* Looks at the first entries; *ret_prefix is the directory of the archive that all is in ("" or "NAME/"), the caller's to free. */
int import_kind_of(const char *file, enum import_kind *ret, char **ret_prefix, struct mrg_error *err);

/* ---- the work -------------------------------------------------------------------------- */

/* What whoever moves a container, and does not make a new one, wants beside. */
struct import_wish {
	const char *id;			/* of the container */
	int (*fit)(int root, const struct mrg_spec *spec, void *data, struct mrg_error *err);	/* what is to be changed in the root before anybody sees it */
	void *data;
};

struct import_job {
	struct mrg *m;
	const struct mrg_import *import;
	const struct import_wish *wish;	/* NULL: none */
	char *source;			/* the file or directory */
	char *tag;			/* of the image there; NULL: none was named */
	enum import_kind kind;
	int layout;			/* an OCI layout that is a directory, open; else -1 */
	char *prefix;
	char *name;
	const char *backend;
	struct plugin *plugin;
	struct archive_manifest manifest;
	char *manifest_text, *spec_text, *native_text, *config_text;
	struct mrg_spec *spec;		/* of the new container */
	bool shifts;			/* files get the ids of the host that the spec maps to; */
	struct tree_map map;
	struct tree_options options;
	struct tree_report report;
	struct archive_watch watch;
	uint64_t size;			/* of the contents, where the source tells; else 0 */
	struct import_place place;
};

/* import.c: name, backend and place are known from here on, or it is refused: before the first entry of a root. */
int import_begin_root(struct import_job *job, struct mrg_error *err);

/* native.c: what is kept verbatim for other engines goes, and is told; and that a root is LXC's to remove, which is ours to say. */
int import_native_fit(struct import_job *job, struct mrg_error *err);

/* As mrg_import(). */
int import_as(struct mrg *m, const struct mrg_import *import, const struct import_wish *wish, struct mrg_container **ret, struct mrg_error *err);

/* Whether a container could be called so, of this backend: -MRG_E_INVALID, -MRG_E_EXISTS. */
int import_check_name(struct mrg *m, const char *backend, const char *name, struct mrg_error *err);

/* oci.c: layers and configuration of an image; import_begin_root() is called by it. */
int import_oci(struct import_job *job, struct mrg_error *err);

/* docker.c: so for Docker's archives. */
#define DOCKER_MANIFEST		"manifest.json"
int import_docker(struct import_job *job, struct mrg_error *err);

#endif
