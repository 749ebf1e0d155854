/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * OCI image layouts (image-spec 1.1), as a directory or as a tar of one. index.json leads to a manifest, that to a configuration and layers; each is a blob
 * named by its SHA-256. Nothing is fetched.
 */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "core/archive/import.h"
#include "core/archive/import_blob.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/json.h"
#include "core/util/str.h"

#define NESTED_MAX	3		/* indexes in indexes */
#define REF_NAME	"org.opencontainers.image.ref.name"

/* ---- documents ------------------------------------------------------------------------- */

static const char *text_of(const struct json *object, const char *key)
{
	const struct json *member = object && object->type == JSON_OBJECT ? json_member(object, key) : NULL;

	return member && member->type == JSON_STRING ? member->text : NULL;
}

static const struct json *list_of(const struct json *object, const char *key, enum json_type type)
{
	const struct json *member = object && object->type == JSON_OBJECT ? json_member(object, key) : NULL;

	return member && member->type == type ? member : NULL;
}

/* "sha256:" and 64 digits, or it is no name of a blob: NULL. */
static const char *hex_of(const struct json *descriptor)
{
	const char *digest = text_of(descriptor, "digest");

	if (!digest || strncmp(digest, "sha256:", 7) != 0 || strlen(digest + 7) != SHA256_TEXT - 1 ||
	    strspn(digest + 7, "0123456789abcdef") != SHA256_TEXT - 1)
		return NULL;
	return digest + 7;
}

/* What Go calls this machine; what it is not known to call otherwise keeps its name. */
static const char *architecture_of(const struct utsname *host)
{
	static const struct {
		const char *machine, *architecture;
	} names[] = {
		{ "x86_64", "amd64" }, { "aarch64", "arm64" }, { "armv8l", "arm" }, { "armv7l", "arm" }, { "armv6l", "arm" }, { "i686", "386" }, { "i586", "386" },
		{ "loongarch64", "loong64" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i].machine, host->machine) == 0)
			return names[i].architecture;
	return host->machine;
}

/* A document that says nothing of machines is for all of them. */
static bool is_for(const struct json *platform, const char *architecture)
{
	const char *theirs = text_of(platform, "architecture"), *os = text_of(platform, "os");

	return (!theirs || strcmp(theirs, architecture) == 0) && (!os || strcmp(os, "linux") == 0);
}

static bool is_called(const struct json *descriptor, const char *tag)
{
	const char *name = text_of(list_of(descriptor, "annotations", JSON_OBJECT), REF_NAME);

	return !tag || (name && strcmp(name, tag) == 0);
}

/* A blob that is a document. */
static int read_blob_document(struct import_job *job, const struct json *descriptor, struct json **ret, char **ret_text, struct mrg_error *err)
{
	const char *hex = hex_of(descriptor);
	char name[sizeof(BLOBS) + SHA256_TEXT];

	if (!hex)
		return mrg_error_set(err, -MRG_E_INVALID, "the image names a blob by '%.100s', which is no SHA-256", text_of(descriptor, "digest") ?: "");
	snprintf(name, sizeof(name), BLOBS "%s", hex);
	return import_document(job, name, hex, ret, ret_text, err);
}

/* What there is in place of what was looked for. */
static int nothing_fits(const struct json *manifests, const char *tag, const char *architecture, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };

	for (const struct json *m = manifests ? manifests->first : NULL; m; m = m->next) {
		const char *name = tag ? text_of(list_of(m, "annotations", JSON_OBJECT), REF_NAME) : text_of(list_of(m, "platform", JSON_OBJECT), "architecture");

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
	const struct json *manifests = list_of(index, "manifests", JSON_ARRAY), *found = NULL;
	struct utsname host;
	size_t others = 0;

	if (uname(&host) < 0)
		return fail_errno(err, -errno, "cannot tell the kind of machine");
	for (const struct json *m = manifests ? manifests->first : NULL; m; m = m->next) {
		if (!is_called(m, tag) || !is_for(list_of(m, "platform", JSON_OBJECT), architecture_of(&host)))
			continue;
		others += found != NULL;
		found = found ? found : m;
	}
	if (!found)
		return nothing_fits(manifests, tag, architecture_of(&host), err);
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

		if (list_of(*document, "layers", JSON_ARRAY))
			return list_of(*document, "manifests", JSON_ARRAY) ?
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

/* A manifest that no index has described may be for any machine: its configuration tells. */
static void tell_machine(struct import_job *job, const struct json *image)
{
	struct utsname host;

	if (uname(&host) == 0 && !is_for(image, architecture_of(&host)))
		archive_note(&job->import->transfer, "the image is for %s on %s; this machine is %s", text_of(image, "os") ?: "linux",
			     text_of(image, "architecture") ?: "", architecture_of(&host));
}

/* ---- layers ---------------------------------------------------------------------------- */

static int unpack_entries(struct import_job *job, struct stream_reader *stream, int marks, struct mrg_error *err)
{
	struct tar_entry entry = { .path = NULL };
	struct extractor x = { .late = -1 };
	struct tar_reader tar;
	int r = extractor_init(&x, job->place.root, &job->options, &job->report, err);

	x.marks = marks;
	x.devices = import_accepts(job->import->accept, "devices", NULL);
	tar_reader_init(&tar, stream);
	while (r == 0 && (r = tar_next(&tar, &entry, err)) > 0) {
		_cleanup_free_ char *path = NULL;

		r = extract_clean_path(entry.path, &path, err);
		if (r == 0)
			r = extract_entry(&x, &tar, &entry, path);
	}
	if (r == 0)
		r = extract_end(&x);
	tar_entry_deinit(&entry);
	extractor_deinit(&x);
	return r;
}

static int apply_layer(struct import_job *job, const struct json *descriptor, int marks, struct mrg_error *err)
{
	const char *hex = hex_of(descriptor);
	struct stream_reader stream = { .in = NULL };
	char name[sizeof(BLOBS) + SHA256_TEXT];
	struct blob b;
	int r;

	if (!hex)
		return mrg_error_set(err, -MRG_E_INVALID, "the image names a layer by what is no SHA-256");
	snprintf(name, sizeof(name), BLOBS "%s", hex);
	r = blob_open(&b, job, name, err);
	if (r == 0)
		r = stream_reader_init(&stream, blob_read, &b, err);
	if (r == 0)
		r = unpack_entries(job, &stream, marks, err);
	if (r == 0)
		r = blob_check(&b, hex, err);
	stream_reader_deinit(&stream);
	blob_close(&b);
	return r;
}

/* The lowest has nothing below that its marks could remove. */
static int apply_layers(struct import_job *job, const struct json *layers, struct mrg_error *err)
{
	int r = 0;

	for (const struct json *layer = layers->first; r == 0 && layer; layer = layer->next) {
		if (layer != layers->first)
			r = apply_layer(job, layer, EXTRACT_MARKS_ONLY, err);
		if (r == 0)
			r = apply_layer(job, layer, EXTRACT_MARKS_OVER, err);
	}
	return r;
}

/* ---- configuration --------------------------------------------------------------------- */

static int add_list(struct mrg_spec *spec, enum mrg_field field, const struct json *list, struct mrg_error *err)
{
	int r = 0;

	for (const struct json *item = list ? list->first : NULL; r == 0 && item; item = item->next)
		r = item->type == JSON_STRING ? mrg_spec_set(spec, field, item->text, err) :
						mrg_error_set(err, -MRG_E_INVALID, "the image's configuration has a list of what is no text");
	return r;
}

static int set_text(struct mrg_spec *spec, enum mrg_field field, const char *text, struct mrg_error *err)
{
	return text && *text ? mrg_spec_set(spec, field, text, err) : 0;
}

static int read_config(struct import_job *job, const struct json *image, struct mrg_error *err)
{
	const struct json *config = list_of(image, "config", JSON_OBJECT);
	int r;

	job->spec = mrg_spec_new();
	r = job->spec ? add_list(job->spec, MRG_FIELD_ARGS, list_of(config, "Entrypoint", JSON_ARRAY), err) : fail_memory(err);
	if (r == 0)
		r = add_list(job->spec, MRG_FIELD_ARGS, list_of(config, "Cmd", JSON_ARRAY), err);
	if (r == 0 && !mrg_fields_has(&job->spec->set, MRG_FIELD_ARGS))
		r = mrg_spec_set(job->spec, MRG_FIELD_ARGS, "/bin/sh", err);
	if (r == 0)
		r = add_list(job->spec, MRG_FIELD_ENV, list_of(config, "Env", JSON_ARRAY), err);
	if (r == 0)
		r = set_text(job->spec, MRG_FIELD_CWD, text_of(config, "WorkingDir"), err);
	if (r == 0)
		r = set_text(job->spec, MRG_FIELD_USER, text_of(config, "User"), err);
	return r < 0 ? r : set_text(job->spec, MRG_FIELD_STOP_SIGNAL, text_of(config, "StopSignal"), err);
}

static int import_image(struct import_job *job, const struct json *manifest, struct mrg_error *err)
{
	const struct json *layers = list_of(manifest, "layers", JSON_ARRAY), *descriptor = list_of(manifest, "config", JSON_OBJECT);
	_cleanup_(json_freep) struct json *image = NULL;
	_cleanup_free_ char *text = NULL;
	struct mrg_spec *spec;
	int r;

	if (!descriptor || layers->n == 0)
		return mrg_error_set(err, -MRG_E_INVALID, "the image has no %s", descriptor ? "layers" : "configuration");
	r = read_blob_document(job, descriptor, &image, &text, err);
	if (r == 0)
		r = read_config(job, image, err);
	if (r == 0)
		tell_machine(job, image);
	/* It is no whole configuration, to be judged: what it lacks are the defaults. */
	spec = take_ptr(job->spec);
	if (r == 0)
		r = import_begin_root(job, err);
	job->spec = spec;
	return r < 0 ? r : apply_layers(job, layers, err);
}

int import_oci(struct import_job *job, struct mrg_error *err)
{
	_cleanup_(json_freep) struct json *document = NULL;
	_cleanup_free_ char *text = NULL;
	int r = import_document(job, "index.json", NULL, &document, &text, err);

	if (r == 0)
		r = choose_manifest(job, &document, &text, err);
	return r < 0 ? r : import_image(job, document, err);
}
