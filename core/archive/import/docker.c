/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Archives as "docker save" made them before it made image layouts, and as skopeo and podman still make them on request: manifest.json has for each image
 * the name of its configuration and those of its layers, the lowest first. That configuration has the checksums of what is in the layers.
 */

#include "config.h"

#include <string.h>

#include "core/archive/import/image.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"

/* The short form that Docker itself understands has no tag. */
static bool is_called(const struct json *image, const char *tag)
{
	const struct json *names = image_member(image, "RepoTags", JSON_ARRAY);
	size_t length = tag ? strlen(tag) : 0;

	for (const struct json *name = tag && names ? names->first : NULL; name; name = name->next)
		if (name->type == JSON_STRING &&
		    (strcmp(name->text, tag) == 0 || (strncmp(name->text, tag, length) == 0 && strcmp(name->text + length, ":latest") == 0)))
			return true;
	return !tag;
}

static int nothing_fits(const struct json *images, const char *tag, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };

	for (const struct json *image = images->first; image; image = image->next) {
		const struct json *names = image_member(image, "RepoTags", JSON_ARRAY);

		for (const struct json *name = names ? names->first : NULL; name; name = name->next)
			if (name->type == JSON_STRING)
				buffer_addf(&b, "%s%.80s", b.length ? ", " : "", name->text);
	}
	if (b.failed)
		return fail_memory(err);
	if (!tag)
		return mrg_error_set(err, -MRG_E_INVALID, "the archive has no image in it");
	mrg_error_set(err, -MRG_E_INVALID, "no image there is called '%s'", tag);
	if (b.length)
		mrg_error_hint(err, "it has: %.200s", b.text);
	return -MRG_E_INVALID;
}

static int choose(struct import_job *job, const struct json *images, const struct json **ret, struct mrg_error *err)
{
	size_t n = 0;

	if (images->type != JSON_ARRAY)
		return mrg_error_set(err, -EBADMSG, "'" DOCKER_MANIFEST "' of the image is no array");
	*ret = NULL;
	for (const struct json *image = images->first; image; image = image->next) {
		if (!is_called(image, job->tag))
			continue;
		*ret = *ret ? *ret : image;
		n++;
	}
	if (n > 1)
		archive_note(&job->import->transfer, "there are %zu images: the first is taken", n);
	return n > 0 ? 0 : nothing_fits(images, job->tag, err);
}

/* "sha256:" and 64 digits. */
static const char *hex_of(const struct json *digest)
{
	if (!digest || digest->type != JSON_STRING || strncmp(digest->text, "sha256:", 7) != 0 || strlen(digest->text + 7) != SHA256_TEXT - 1)
		return NULL;
	return digest->text + 7;
}

static int apply_layers(struct import_job *job, const struct json *layers, const struct json *digests, struct mrg_error *err)
{
	const struct json *digest = digests->first;
	int r = 0;

	if (digests->n != layers->n)
		return mrg_error_set(err, -EBADMSG, "the image has %zu layers and %zu checksums of them", layers->n, digests->n);
	for (const struct json *layer = layers->first; r == 0 && layer; layer = layer->next, digest = digest->next) {
		const struct image_layer one = { .file = layer->text, .hex = hex_of(digest), .unpacked = true };

		if (layer->type != JSON_STRING || !one.hex)
			return mrg_error_set(err, -EBADMSG, "the image names a layer by what is no %s", one.hex ? "text" : "SHA-256");
		r = image_layer_apply(job, &one, layer == layers->first, err);
	}
	return r;
}

static int import_image(struct import_job *job, const struct json *image, struct mrg_error *err)
{
	const struct json *layers = image_member(image, "Layers", JSON_ARRAY), *digests;
	const char *file = image_text(image, "Config");
	_cleanup_(json_freep) struct json *config = NULL;
	_cleanup_free_ char *text = NULL;
	int r;

	if (!file || !layers || layers->n == 0)
		return mrg_error_set(err, -MRG_E_INVALID, "the image has no %s", file ? "layers" : "configuration");
	r = import_document(job, file, NULL, &config, &text, err);
	if (r < 0)
		return r;
	digests = image_member(image_member(config, "rootfs", JSON_OBJECT), "diff_ids", JSON_ARRAY);
	if (!digests)
		return mrg_error_set(err, -EBADMSG, "the image's configuration '%.100s' has no checksums of layers", file);
	r = image_begin(job, config, err);
	return r < 0 ? r : apply_layers(job, layers, digests, err);
}

int import_docker(struct import_job *job, struct mrg_error *err)
{
	_cleanup_(json_freep) struct json *images = NULL;
	_cleanup_free_ char *text = NULL;
	const struct json *image = NULL;
	int r = import_document(job, DOCKER_MANIFEST, NULL, &images, &text, err);

	if (r == 0)
		r = choose(job, images, &image, err);
	return r < 0 ? r : import_image(job, image, err);
}
