/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an archive is made of: texts, checksums, the root. */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/archive/export.h"
#include "core/archive/pack.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"

int archive_content_owners(struct archive_content *content, const struct mrg_spec *spec, bool *ret_shifted, struct mrg_error *err)
{
	struct stat st;

	*ret_shifted = false;
	if (spec->uid_mappings.n == 0)
		return 0;
	if (fstat(content->root, &st) < 0)
		return fail_errno(err, -errno, "cannot look at the root");
	for (size_t i = 0; i < spec->uid_mappings.n && !*ret_shifted; i++) {
		uint32_t seen = st.st_uid - spec->uid_mappings.item[i].host_id;

		*ret_shifted = st.st_uid != 0 && seen < spec->uid_mappings.item[i].size;
	}
	return *ret_shifted ? archive_map(spec, false, &content->map, err) : 0;
}

int archive_content_sum(struct archive_content *content, const char *name, const char *backend, const struct mrg_spec *spec,
			const struct tree_options *options, struct mrg_error *err)
{
	struct archive_manifest *manifest = &content->manifest;
	int r = mrg_spec_emit(spec, 2, &content->spec, err);

	manifest->name = strdup(name);
	manifest->backend = strdup(backend);
	if (r == 0 && (!manifest->name || !manifest->backend))
		r = fail_memory(err);
	if (r == 0)
		r = archive_text_digest(content->spec, manifest->spec, err);
	if (r == 0 && content->native)
		r = archive_text_digest(content->native, manifest->native, err);
	if (r == 0 && content->later)
		memset(manifest->root, '0', sizeof(manifest->root) - 1);
	else if (r == 0)
		r = tree_digest(content->root, &content->map, options, manifest->root, err);
	return r < 0 ? r : archive_manifest_write(manifest, &content->manifest_text, err);
}

int archive_content_write(struct archive_content *content, struct stream_writer *w, const struct tree_options *options,
			  struct tree_report *report, struct mrg_error *err)
{
	struct tree_options packing = *options;
	int r = tar_write_text(w, ARCHIVE_MANIFEST, content->manifest_text, err);

	if (r == 0)
		r = tar_write_text(w, ARCHIVE_SPEC, content->spec, err);
	if (r == 0 && content->native)
		r = tar_write_text(w, ARCHIVE_NATIVE, content->native, err);
	packing.digest = content->later ? content->manifest.root : NULL;
	if (r == 0)
		r = pack_tree(w, content->root, ARCHIVE_ROOT, &packing, report, err);
	if (r == 0)
		r = tar_write_end(w, err);
	return r < 0 ? r : stream_writer_end(w, err);
}

/* The manifest is the first file, and has one header: none of what it is needs more. As long as it was, no header changes. */
int archive_content_settle(struct archive_content *content, int fd, struct mrg_error *err)
{
	size_t length = strlen(content->manifest_text);
	int r;

	content->manifest_text = (free(content->manifest_text), NULL);
	r = archive_manifest_write(&content->manifest, &content->manifest_text, err);
	if (r < 0)
		return r;
	if (strlen(content->manifest_text) != length || pwrite(fd, content->manifest_text, length, TAR_BLOCK) != (ssize_t)length)
		return fail_errno(err, -EIO, "cannot write the checksum");
	return 0;
}

void archive_content_deinit(struct archive_content *content)
{
	free(content->spec);
	free(content->native);
	free(content->manifest_text);
	tree_map_deinit(&content->map);
	archive_manifest_deinit(&content->manifest);
}
