/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The manifest of an archive, and what export and import tell. */

#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/archive/transfer.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/json.h"
#include "core/util/sha256.h"
#include "core/util/str.h"

int archive_manifest_write(const struct archive_manifest *manifest, char **ret, struct mrg_error *err)
{
	struct buffer b = { .text = NULL };

	buffer_addf(&b, "{\n  \"schema\": \"" ARCHIVE_SCHEMA "\",\n  \"name\": ");
	json_quote(&b, manifest->name);
	buffer_addf(&b, ",\n  \"backend\": ");
	json_quote(&b, manifest->backend);
	buffer_addf(&b, ",\n  \"shifted\": %s,\n  \"sha256\": {\n    \"" ARCHIVE_SPEC "\": \"%s\",\n", manifest->shifted ? "true" : "false",
		    manifest->spec);
	if (*manifest->native)
		buffer_addf(&b, "    \"" ARCHIVE_NATIVE "\": \"%s\",\n", manifest->native);
	buffer_addf(&b, "    \"" ARCHIVE_ROOT "\": \"%s\"\n  }\n}\n", manifest->root);
	if (b.failed) {
		buffer_deinit(&b);
		return fail_memory(err);
	}
	*ret = b.text;
	return 0;
}

static int bad(struct mrg_error *err, const char *what)
{
	return mrg_error_set(err, -MRG_E_INVALID, "the archive's " ARCHIVE_MANIFEST " is damaged: %s", what);
}

static int text_member(const struct json *object, const char *key, char **ret, struct mrg_error *err)
{
	const struct json *member = json_member(object, key);

	if (!member || member->type != JSON_STRING)
		return bad(err, key);
	*ret = strdup(member->text);
	return *ret ? 0 : fail_memory(err);
}

/* A checksum is 64 hexadecimal digits. */
static int digest_member(const struct json *object, const char *key, bool needed, char ret[TREE_DIGEST_SIZE], struct mrg_error *err)
{
	const struct json *member = object && object->type == JSON_OBJECT ? json_member(object, key) : NULL;

	if (!member && !needed)
		return 0;
	if (!member || member->type != JSON_STRING || strlen(member->text) != TREE_DIGEST_SIZE - 1 ||
	    strspn(member->text, "0123456789abcdef") != TREE_DIGEST_SIZE - 1)
		return bad(err, key);
	memcpy(ret, member->text, TREE_DIGEST_SIZE);
	return 0;
}

static int read_members(const struct json *json, struct archive_manifest *m, struct mrg_error *err)
{
	const struct json *schema = json_member(json, "schema"), *shifted = json_member(json, "shifted"), *sums = json_member(json, "sha256");
	int r;

	if (!schema || schema->type != JSON_STRING)
		return bad(err, "schema");
	if (strcmp(schema->text, ARCHIVE_SCHEMA) != 0)
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "the archive is of the form '%.60s', which this version does not know", schema->text);
	if (shifted && shifted->type != JSON_BOOLEAN)
		return bad(err, "shifted");
	m->shifted = shifted && shifted->boolean;
	r = text_member(json, "name", &m->name, err);
	if (r == 0)
		r = text_member(json, "backend", &m->backend, err);
	if (r == 0)
		r = digest_member(sums, ARCHIVE_SPEC, true, m->spec, err);
	if (r == 0)
		r = digest_member(sums, ARCHIVE_NATIVE, false, m->native, err);
	return r < 0 ? r : digest_member(sums, ARCHIVE_ROOT, true, m->root, err);
}

int archive_manifest_read(const char *text, struct archive_manifest *ret, struct mrg_error *err)
{
	_cleanup_(json_freep) struct json *json = NULL;
	struct archive_manifest manifest = { .name = NULL };
	int r = json_parse(text, strlen(text), &json, err);

	if (r < 0)
		return mrg_error_prefix(err, ARCHIVE_MANIFEST), r;
	r = json->type == JSON_OBJECT ? read_members(json, &manifest, err) : bad(err, "it is no object");
	if (r < 0)
		archive_manifest_deinit(&manifest);
	else
		*ret = manifest;
	return r;
}

void archive_manifest_deinit(struct archive_manifest *manifest)
{
	free(manifest->name);
	free(manifest->backend);
	*manifest = (struct archive_manifest) { .name = NULL };
}

int archive_text_digest(const char *text, char ret[TREE_DIGEST_SIZE], struct mrg_error *err)
{
	_cleanup_(sha256_freep) struct sha256 *h = NULL;
	unsigned char digest[SHA256_SIZE];
	int r = sha256_new(&h, err);

	if (r < 0)
		return r;
	sha256_add(h, text, strlen(text));
	if (sha256_end(h, digest) < 0)
		return fail_memory(err);
	sha256_text(digest, ret);
	return 0;
}

int archive_map(const struct mrg_spec *spec, bool to_host, struct tree_map *ret, struct mrg_error *err)
{
	struct tree_map map = { .uids = NULL };
	int r = tree_map_between(to_host ? NULL : spec->uid_mappings.item, to_host ? 0 : spec->uid_mappings.n,
				 to_host ? spec->uid_mappings.item : NULL, to_host ? spec->uid_mappings.n : 0, &map.uids, &map.n_uids, err);

	if (r == 0)
		r = tree_map_between(to_host ? NULL : spec->gid_mappings.item, to_host ? 0 : spec->gid_mappings.n,
				     to_host ? spec->gid_mappings.item : NULL, to_host ? spec->gid_mappings.n : 0, &map.gids, &map.n_gids, err);
	if (r < 0)
		tree_map_deinit(&map);
	else
		*ret = map;
	return r;
}

static int progress(const struct tree_progress *done, void *data)
{
	struct archive_watch *watch = data;

	watch->at.done = done->bytes;
	return watch->transfer->progress(&watch->at, watch->transfer->data) ? -ECANCELED : 0;
}

int archive_watch(struct archive_watch *watch, struct tree_options *options, struct mrg_error *err)
{
	if (!watch->transfer || !watch->transfer->progress)
		return 0;
	watch->at.done = 0;
	options->progress = progress;
	options->data = watch;
	return watch->transfer->progress(&watch->at, watch->transfer->data) ? mrg_error_set(err, -ECANCELED, "broken off before it was done") : 0;
}

void archive_note(const struct mrg_transfer *transfer, const char *format, ...)
{
	char text[1024];
	va_list args;

	if (!transfer || !transfer->note)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	transfer->note(text, transfer->data);
}

void archive_tell(const struct mrg_transfer *transfer, const struct tree_report *report)
{
	for (int kind = 0; kind < TREE_TOLD_MAX; kind++) {
		char *first = report->told[kind].paths ? report->told[kind].paths[0] : NULL;

		if (report->told[kind].count > 0)
			archive_note(transfer, "%" PRIu64 " %s%s%s%s", report->told[kind].count, tree_told_text(kind), first ? " (the first: '" : "",
				     first ? first : "", first ? "')" : "");
	}
}
