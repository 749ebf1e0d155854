/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images, whatever their documents look like: for which machine they are, what their configuration says, and layers over each other. */

#include "config.h"

#include <errno.h>
#include <string.h>

#include "core/archive/import/image.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/str.h"

/* ---- documents ------------------------------------------------------------------------- */

const char *image_text(const struct json *object, const char *key)
{
	const struct json *member = object && object->type == JSON_OBJECT ? json_member(object, key) : NULL;

	return member && member->type == JSON_STRING ? member->text : NULL;
}

const struct json *image_member(const struct json *object, const char *key, enum json_type type)
{
	const struct json *member = object && object->type == JSON_OBJECT ? json_member(object, key) : NULL;

	return member && member->type == type ? member : NULL;
}

/* What Go calls this machine; what it is not known to call otherwise keeps its name. */
const char *image_architecture(const struct utsname *host)
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
bool image_is_for(const struct json *platform, const char *architecture)
{
	const char *theirs = image_text(platform, "architecture"), *os = image_text(platform, "os");

	return (!theirs || strcmp(theirs, architecture) == 0) && (!os || strcmp(os, "linux") == 0);
}

/* ---- configuration --------------------------------------------------------------------- */

/* A manifest that no index has described may be for any machine: its configuration tells. */
static void tell_machine(struct import_job *job, const struct json *image)
{
	struct utsname host;

	if (uname(&host) == 0 && !image_is_for(image, image_architecture(&host)))
		archive_note(&job->import->transfer, "the image is for %s on %s; this machine is %s", image_text(image, "os") ?: "linux",
			     image_text(image, "architecture") ?: "", image_architecture(&host));
}

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

static int read_process(struct import_job *job, const struct json *image, struct mrg_error *err)
{
	const struct json *config = image_member(image, "config", JSON_OBJECT);
	int r;

	job->spec = mrg_spec_new();
	r = job->spec ? add_list(job->spec, MRG_FIELD_ARGS, image_member(config, "Entrypoint", JSON_ARRAY), err) : fail_memory(err);
	if (r == 0)
		r = add_list(job->spec, MRG_FIELD_ARGS, image_member(config, "Cmd", JSON_ARRAY), err);
	if (r == 0 && !mrg_fields_has(&job->spec->set, MRG_FIELD_ARGS))
		r = mrg_spec_set(job->spec, MRG_FIELD_ARGS, "/bin/sh", err);
	if (r == 0)
		r = add_list(job->spec, MRG_FIELD_ENV, image_member(config, "Env", JSON_ARRAY), err);
	if (r == 0)
		r = set_text(job->spec, MRG_FIELD_CWD, image_text(config, "WorkingDir"), err);
	if (r == 0)
		r = set_text(job->spec, MRG_FIELD_USER, image_text(config, "User"), err);
	return r < 0 ? r : set_text(job->spec, MRG_FIELD_STOP_SIGNAL, image_text(config, "StopSignal"), err);
}

static bool is_empty(const struct json *value)
{
	return value->type == JSON_NULL || (value->type == JSON_BOOLEAN && !value->boolean) || (value->type == JSON_STRING && !*value->text) ||
	       ((value->type == JSON_ARRAY || value->type == JSON_OBJECT) && value->n == 0);
}

/* What an image says beside that is what Docker makes of it: ports, volumes, labels, a test of health. */
static void tell_rest(struct import_job *job, const struct json *image)
{
	static const char *const taken[] = { "Entrypoint", "Cmd", "Env", "WorkingDir", "User", "StopSignal", "Hostname", "Domainname", "Image", NULL };
	const struct json *config = image_member(image, "config", JSON_OBJECT);
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };

	for (const struct json *key = config ? config->first : NULL; key; key = key->next)
		if (!is_empty(key) && !strv_contains((char *const *)taken, key->key))
			buffer_addf(&b, "%s%.40s", b.length ? ", " : "", key->key);
	if (b.length && !b.failed)
		archive_note(&job->import->transfer, "of the image's configuration this is not taken: %s", b.text);
}

int image_begin(struct import_job *job, const struct json *image, struct mrg_error *err)
{
	struct mrg_spec *spec;
	int r = read_process(job, image, err);

	if (r == 0)
		tell_machine(job, image);
	if (r == 0)
		tell_rest(job, image);
	/* It is no whole configuration, to be judged: what it lacks are the defaults. */
	spec = take_ptr(job->spec);
	if (r == 0)
		r = import_begin_root(job, err);
	job->spec = spec;
	return r;
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
	if (r == 0)
		r = stream_finish(stream, err);
	tar_entry_deinit(&entry);
	extractor_deinit(&x);
	return r;
}

/* Of what has been packed by itself the checksum may be of what is in it. */
static int apply_layer(struct import_job *job, const struct image_layer *layer, int marks, struct mrg_error *err)
{
	struct stream_reader stream = { .in = NULL };
	bool packed;
	struct blob b;
	int r = blob_open(&b, job, layer->file, err);

	if (r == 0)
		r = stream_reader_init(&stream, blob_read, &b, err);
	if (r == 0)
		r = unpack_entries(job, &stream, marks, err);
	packed = stream.codec;
	stream_reader_deinit(&stream);
	if (r == 0)
		r = blob_check(&b, layer->unpacked && packed ? NULL : layer->hex, err);
	blob_close(&b);
	return r;
}

/* The lowest has nothing below that its marks could remove. */
int image_layer_apply(struct import_job *job, const struct image_layer *layer, bool lowest, struct mrg_error *err)
{
	int r = lowest ? 0 : apply_layer(job, layer, EXTRACT_MARKS_ONLY, err);

	return r < 0 ? r : apply_layer(job, layer, EXTRACT_MARKS_OVER, err);
}
