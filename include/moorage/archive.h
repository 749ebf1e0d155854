/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOORAGE_ARCHIVE_H
#define MOORAGE_ARCHIVE_H

/*
 * A container as one archive, and containers made of archives.
 *
 * What an archive says is not trusted. Its root cannot lead outside of where it is unpacked; its configuration gets no more of the host than a new
 * container would, but for what is accepted by name.
 */

#include <stdint.h>
#include <moorage/moorage.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What an export or import tells on its way. Each may be NULL. */
struct mrg_transfer {
	void (*note)(const char *text, void *data);	/* a sentence: what was left out, or is not as it was */
	int (*progress)(uint64_t files, uint64_t bytes, void *data);	/* how far it has come; a negative errno ends it with that code */
	void *data;
};

/* Writes a container that does not run into the new file @file: one tar archive of its root, its spec, the untouched configuration of its engine
 * and their checksums, packed as the name ends (".tar", ".tar.gz", ".tar.xz", else zstd). Owners are those that the container sees. A file that is
 * there is never replaced (-MRG_E_EXISTS), and an interrupted export leaves none. @transfer may be NULL. */
int mrg_export(struct mrg_container *c, const char *file, const struct mrg_transfer *transfer, struct mrg_error *err);

struct mrg_import {
	/* An archive of mrg_export(), a tar of a root (plain, gzip, xz, zstd), a tar of an LXC container (config and rootfs), an OCI image layout
	 * (a directory or a tar of one; "oci:PATH:TAG" names one of its images), or a directory that is a root or an LXC container. */
	const char *source;
	const char *name;		/* NULL: as the archive says, else as the file is called */
	const char *backend;		/* NULL: as the archive says, else mrg_default_backend() */
	/* What may be less confined than in a new container, NULL-terminated, may be NULL: fields by name or path, "devices" for device nodes in the
	 * root that not every container has, "all". A field that the backend lacks is left out when it is named here, else it is refused. */
	const char *const *accept;
	struct mrg_transfer transfer;
};

/* Makes a container of what @import->source holds, with its root where the backend keeps roots. -MRG_E_PERMISSION: its configuration asks for more
 * than it gets, naming the fields; -EBADMSG: the archive is damaged. Whatever fails leaves nothing; what a crash leaves the next command removes.
 * @ret may be NULL. */
int mrg_import(struct mrg *m, const struct mrg_import *import, struct mrg_container **ret, struct mrg_error *err);

#ifdef __cplusplus
}
#endif
#endif
