/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * OCI archives: a tar of an image layout (image-spec 1.1). index.json leads to a manifest, that to a configuration and layers; each is a blob named
 * by its SHA-256, which is checked over exactly what is used. Nothing is fetched.
 */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "core/archive/import.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/json.h"

#define NESTED_MAX	3		/* indexes in indexes */
#define DOCUMENT_MAX	(4 << 20)
#define BLOBS		"blobs/sha256/"

/* ---- blobs ----------------------------------------------------------------------------- */

/* A file of the archive, being read, and its checksum. */
struct blob {
	struct import_archive archive;
	struct sha256 *sha256;
};

static int find_file(struct blob *b, const char *source, const char *name, struct mrg_error *err)
{
	int r = import_archive_open(&b->archive, source, err);

	b->sha256 = NULL;
	while (r >= 0 && (r = import_archive_next(&b->archive, err)) > 0)
		if (strcmp(b->archive.path, name) == 0)
			break;
	if (r == 0)
		r = mrg_error_set(err, -EBADMSG, "the image lacks '%s'", name);
	if (r > 0 && !S_ISREG(b->archive.entry.type))
		r = mrg_error_set(err, -EBADMSG, "'%s' of the image is no file", name);
	return r < 0 ? r : sha256_new(&b->sha256, err);
}

static void blob_close(struct blob *b)
{
	import_archive_close(&b->archive);
	b->sha256 = sha256_free(b->sha256);
}

/* For a reader of what is packed in it. */
static ssize_t read_blob(void *data, void *buffer, size_t size, struct mrg_error *err)
{
	struct blob *b = data;
	const unsigned char *bytes;
	uint64_t offset;
	ssize_t n = tar_data_some(&b->archive.tar, size, &bytes, &offset, err);

	if (n <= 0)
		return n;
	memcpy(buffer, bytes, (size_t)n);
	sha256_add(b->sha256, bytes, (size_t)n);
	return n;
}

/* All of it is read, and its checksum is its name. */
static int check_blob(struct blob *b, const char *hex, struct mrg_error *err)
{
	unsigned char digest[SHA256_SIZE];
	char text[SHA256_TEXT];
	char rest[4096];
	ssize_t n;

	while ((n = read_blob(b, rest, sizeof(rest), err)) > 0)
		;
	if (n < 0)
		return (int)n;
	if (sha256_end(b->sha256, digest) < 0)
		return fail_memory(err);
	if (hex && strcmp(sha256_text(digest, text), hex) != 0)
		return mrg_error_set(err, -EBADMSG, "the image is damaged: the checksum of the blob '%s' does not fit", hex);
	return 0;
}

static int read_document(struct import_job *job, const char *name, const char *hex, struct json **ret, char **ret_text, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	struct blob b;
	int r = find_file(&b, job->import->source, name, err);

	if (r == 0)
		r = tar_text(&b.archive.tar, &b.archive.entry, DOCUMENT_MAX, &text, err);
	if (r == 0)
		sha256_add(b.sha256, text, (size_t)b.archive.entry.size);
	if (r == 0)
		r = check_blob(&b, hex, err);
	blob_close(&b);
	if (r == 0)
		r = json_parse(text, strlen(text), ret, err);
	if (r == 0 && (*ret)->type != JSON_OBJECT)
		r = mrg_error_set(err, -EBADMSG, "'%s' of the image is no object", name);
	if (r < 0)
		return r;
	*ret_text = take_ptr(text);
	return 0;
}

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

/* As Go calls this machine. */
static bool is_ours(const struct json *descriptor)
{
	static const struct {
		const char *machine, *architecture;
	} names[] = {
		{ "x86_64", "amd64" }, { "aarch64", "arm64" }, { "ppc64le", "ppc64le" }, { "s390x", "s390x" }, { "riscv64", "riscv64" },
	};
	const struct json *platform = list_of(descriptor, "platform", JSON_OBJECT);
	const char *architecture = text_of(platform, "architecture");
	struct utsname host;

	if (!architecture || uname(&host) < 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i].machine, host.machine) == 0)
			return strcmp(names[i].architecture, architecture) == 0;
	return true;
}

/* A blob that is a document. */
static int read_blob_document(struct import_job *job, const struct json *descriptor, struct json **ret, char **ret_text, struct mrg_error *err)
{
	const char *hex = hex_of(descriptor);
	char name[sizeof(BLOBS) + SHA256_TEXT];

	if (!hex)
		return mrg_error_set(err, -MRG_E_INVALID, "the image names a blob by '%.100s', which is no SHA-256", text_of(descriptor, "digest") ?: "");
	snprintf(name, sizeof(name), BLOBS "%s", hex);
	return read_document(job, name, hex, ret, ret_text, err);
}

static int choose_manifest(struct import_job *job, struct json **document, char **text, struct mrg_error *err)
{
	for (int depth = 0; depth <= NESTED_MAX; depth++) {
		const struct json *manifests = list_of(*document, "manifests", JSON_ARRAY), *m;
		struct json *next = NULL;
		char *next_text = NULL;
		int r;

		if (list_of(*document, "layers", JSON_ARRAY))
			return manifests ? mrg_error_set(err, -MRG_E_INVALID, "a document of the image is index and manifest at once") : 0;
		for (m = manifests ? manifests->first : NULL; m && !is_ours(m); m = m->next)
			;
		if (!m)
			return mrg_error_set(err, -MRG_E_INVALID, "the image has nothing for this kind of machine");
		if (depth == 0 && manifests->n > 1 && !list_of(m, "platform", JSON_OBJECT))
			archive_note(&job->import->transfer, "the archive has %zu images: the first is taken", manifests->n);
		r = read_blob_document(job, m, &next, &next_text, err);
		if (r < 0)
			return r;
		json_free(*document);
		free(*text);
		*document = next;
		*text = next_text;
	}
	return mrg_error_set(err, -MRG_E_INVALID, "the image has indexes in indexes, over %d deep", NESTED_MAX);
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
	r = find_file(&b, job->import->source, name, err);
	if (r == 0)
		r = stream_reader_init(&stream, read_blob, &b, err);
	if (r == 0)
		r = unpack_entries(job, &stream, marks, err);
	if (r == 0)
		r = check_blob(&b, hex, err);
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
	int r = read_document(job, "index.json", NULL, &document, &text, err);

	if (r == 0)
		r = choose_manifest(job, &document, &text, err);
	return r < 0 ? r : import_image(job, document, err);
}
