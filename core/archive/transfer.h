/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_ARCHIVE_TRANSFER_H
#define CORE_ARCHIVE_TRANSFER_H

/* What export and import share: the archive's own files, and what is told. */

#include <moorage/archive.h>

#include "core/container/internal.h"
#include "core/migrate/tree/tree.h"

/*
 * An archive of ours is a tar with, in this order,
 *
 *	moorage.json	the manifest: schema, name, backend, whether the root's owners were shifted, checksums of all the rest
 *	config.json	the spec
 *	native/config	the engine's configuration as it was; only where it has one
 *	rootfs/...	the root, owners as the container sees them
 */
#define ARCHIVE_SCHEMA	"moorage/archive/v1"
#define ARCHIVE_MANIFEST "moorage.json"
#define ARCHIVE_SPEC	"config.json"
#define ARCHIVE_NATIVE	"native/config"
#define ARCHIVE_ROOT	"rootfs"

#define ARCHIVE_TEXT_MAX (4 << 20)

struct archive_manifest {
	char *name, *backend;
	bool shifted;			/* on disk owners are those of the host's ids, by the spec's map */
	char spec[TREE_DIGEST_SIZE], native[TREE_DIGEST_SIZE], root[TREE_DIGEST_SIZE];	/* "": there is none */
};

int archive_manifest_write(const struct archive_manifest *manifest, char **ret, struct mrg_error *err);
int archive_manifest_read(const char *text, struct archive_manifest *ret, struct mrg_error *err);
void archive_manifest_deinit(struct archive_manifest *manifest);

/* The SHA-256 of a text. */
int archive_text_digest(const char *text, char ret[TREE_DIGEST_SIZE], struct mrg_error *err);

/* The map from the host's ids to the container's that the spec has (or back); empty when it has none. */
int archive_map(const struct mrg_spec *spec, bool to_host, struct tree_map *ret, struct mrg_error *err);

/* What is told of how far it has come. */
struct archive_watch {
	const struct mrg_transfer *transfer;
	struct mrg_progress at;
};

/* Begins the step that @watch->at says, and lets works on trees with @options tell how far it has come. -ECANCELED: it is to be broken off. */
int archive_watch(struct archive_watch *watch, struct tree_options *options, struct mrg_error *err);

/* Tells what a report tells. */
void archive_tell(const struct mrg_transfer *transfer, const struct tree_report *report);
void archive_note(const struct mrg_transfer *transfer, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
