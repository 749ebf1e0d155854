/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * OCI image layouts (image-spec 1.1), as a directory or as a tar of one. index.json leads to a manifest, that to a configuration and layers; each is a blob
 * named by its SHA-256. Nothing is fetched.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/archive/import/image.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/json.h"
#include "core/util/str.h"

#define NESTED_MAX	3		/* indexes in indexes */
#define REF_NAME	"org.opencontainers.image.ref.name"

/* ---- documents ------------------------------------------------------------------------- */

/* "sha256:" and 64 digits, or it is no name of a blob: NULL. */
static const char *hex_of(const struct json *descriptor)
{
	const char *digest = image_text(descriptor, "digest");

	if (!digest || strncmp(digest, "sha256:", 7) != 0 || strlen(digest + 7) != SHA256_TEXT - 1 ||
	    strspn(digest + 7, "0123456789abcdef") != SHA256_TEXT - 1)
		return NULL;
	return digest + 7;
}

static bool is_called(const struct json *descriptor, const char *tag)
{
	const char *name = image_text(image_member(descriptor, "annotations", JSON_OBJECT), REF_NAME);

	return !tag || (name && strcmp(name, tag) == 0);
}

static int read_object(struct import_job *job, const char *name, const char *hex, struct json **ret, char **ret_text, struct mrg_error *err)
{
	int r = import_document(job, name, hex, ret, ret_text, err);

	return r < 0 || (*ret)->type == JSON_OBJECT ? r : mrg_error_set(err, -EBADMSG, "'%s' of the image is no object", name);
}

/* A blob that is a document. */
static int read_blob_document(struct import_job *job, const struct json *descriptor, struct json **ret, char **ret_text, struct mrg_error *err)
{
	const char *hex = hex_of(descriptor);
	char name[sizeof(BLOBS) + SHA256_TEXT];

	if (!hex)
		return mrg_error_set(err, -MRG_E_INVALID, "the image names a blob by '%.100s', which is no SHA-256", image_text(descriptor, "digest") ?: "");
	snprintf(name, sizeof(name), BLOBS "%s", hex);
	return read_object(job, name, hex, ret, ret_text, err);
}

/* What there is in place of what was looked for. */
static int nothing_fits(const struct json *manifests, const char *tag, const char *architecture, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };

	for (const struct json *m = manifests ? manifests->first : NULL; m; m = m->next) {
		const char *name = tag ? image_text(image_member(m, "annotations", JSON_OBJECT), REF_NAME) : image_text(image_member(m, "platform", JSON_OBJECT), "architecture");

		if (name && strcmp(name, "unknown") != 0)
			buffer_addf(&b, "%s%.40s", b.length ? ", " : "", name);
	}
	if (b.failed)
		return fail_memory(err);
	if (tag)
		mrg_error_set(err, -MRG_E_INVALID, "no image there is called '%s'", tag);
	else
		mrg_error_set(err, -MRG_E_INVALID, "the image has nothing for this kind of machine (%s)", architecture);
	if (b.length)
		mrg_error_hint(err, "it has: %.200s", b.text);
	return -MRG_E_INVALID;
}

/* One of an index: that of the tag, for this kind of machine. */
static int choose_one(struct import_job *job, const struct json *index, const char *tag, const struct json **ret, struct mrg_error *err)
{
	const struct json *manifests = image_member(index, "manifests", JSON_ARRAY), *found = NULL;
	struct utsname host;
	size_t others = 0;

	if (uname(&host) < 0)
		return fail_errno(err, -errno, "cannot tell the kind of machine");
	for (const struct json *m = manifests ? manifests->first : NULL; m; m = m->next) {
		if (!is_called(m, tag) || !image_is_for(image_member(m, "platform", JSON_OBJECT), image_architecture(&host)))
			continue;
		others += found != NULL;
		found = found ? found : m;
	}
	if (!found)
		return nothing_fits(manifests, tag, image_architecture(&host), err);
	if (others > 0)
		archive_note(&job->import->transfer, "there are %zu images: the first is taken", others + 1);
	*ret = found;
	return 0;
}

static int choose_manifest(struct import_job *job, struct json **document, char **text, struct mrg_error *err)
{
	for (int depth = 0; depth <= NESTED_MAX; depth++) {
		const struct json *chosen = NULL;
		struct json *next = NULL;
		char *next_text = NULL;
		int r;

		if (image_member(*document, "layers", JSON_ARRAY))
			return image_member(*document, "manifests", JSON_ARRAY) ?
			       mrg_error_set(err, -MRG_E_INVALID, "a document of the image is index and manifest at once") : 0;
		r = choose_one(job, *document, depth == 0 ? job->tag : NULL, &chosen, err);
		if (r == 0)
			r = read_blob_document(job, chosen, &next, &next_text, err);
		if (r < 0)
			return r;
		json_free(*document);
		free(*text);
		*document = next;
		*text = next_text;
	}
	return mrg_error_set(err, -MRG_E_INVALID, "the image has indexes in indexes, over %d deep", NESTED_MAX);
}

/* ---- the image -------------------------------------------------------------------------- */

static int apply_layers(struct import_job *job, const struct json *layers, struct mrg_error *err)
{
	int r = 0;

	for (const struct json *layer = layers->first; r == 0 && layer; layer = layer->next) {
		char name[sizeof(BLOBS) + SHA256_TEXT];
		const struct image_layer one = { .file = name, .hex = hex_of(layer) };

		if (!one.hex)
			return mrg_error_set(err, -MRG_E_INVALID, "the image names a layer by what is no SHA-256");
		snprintf(name, sizeof(name), BLOBS "%s", one.hex);
		r = image_layer_apply(job, &one, layer == layers->first, err);
	}
	return r;
}

static int import_image(struct import_job *job, const struct json *manifest, struct mrg_error *err)
{
	const struct json *layers = image_member(manifest, "layers", JSON_ARRAY), *descriptor = image_member(manifest, "config", JSON_OBJECT);
	_cleanup_(json_freep) struct json *image = NULL;
	_cleanup_free_ char *text = NULL;
	int r;

	if (!descriptor || layers->n == 0)
		return mrg_error_set(err, -MRG_E_INVALID, "the image has no %s", descriptor ? "layers" : "configuration");
	r = read_blob_document(job, descriptor, &image, &text, err);
	if (r == 0)
		r = image_begin(job, image, err);
	return r < 0 ? r : apply_layers(job, layers, err);
}

int import_oci(struct import_job *job, struct mrg_error *err)
{
	_cleanup_(json_freep) struct json *document = NULL;
	_cleanup_free_ char *text = NULL;
	int r = read_object(job, "index.json", NULL, &document, &text, err);

	if (r == 0)
		r = choose_manifest(job, &document, &text, err);
	return r < 0 ? r : import_image(job, document, err);
}
