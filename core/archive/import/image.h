/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_ARCHIVE_IMPORT_IMAGE_H
#define CORE_ARCHIVE_IMPORT_IMAGE_H

/* What the kinds of images have in common. */

#include <stdbool.h>
#include <sys/utsname.h>

#include "core/archive/import/blob.h"

/* The text @key of @object, its member @key of this type; NULL: there is none, or @object is no object. */
const char *image_text(const struct json *object, const char *key);
const struct json *image_member(const struct json *object, const char *key, enum json_type type);

/* What Go calls this machine; what it is not known to call otherwise keeps its name. */
const char *image_architecture(const struct utsname *host);

/* Whether @platform is that; a document that says nothing of machines is for all of them. */
bool image_is_for(const struct json *platform, const char *architecture);

/* Takes command, variables and the like of an image's configuration and begins the root: import_begin_root() is called. */
int image_begin(struct import_job *job, const struct json *image, struct mrg_error *err);

struct image_layer {
	const char *file;		/* in the layout or archive */
	const char *hex;		/* its SHA-256; NULL: not known */
	bool unpacked;			/* that is, of what it is without its packing */
};

/* Brings a layer over those that are there. */
int image_layer_apply(struct import_job *job, const struct image_layer *layer, bool lowest, struct mrg_error *err);

#endif
