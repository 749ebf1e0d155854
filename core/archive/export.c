/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container as one archive. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/archive/pack.h"
#include "core/archive/transfer.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/path.h"

struct exporter {
	struct mrg_container *c;
	const char *file;
	const struct mrg_transfer *transfer;
	int root, out;
	bool named;			/* the file has its name already: the file system knows none without */
	struct tree_map map;		/* from what is on disk to what the container sees */
	struct archive_manifest manifest;
	char *spec, *native;		/* texts */
};

/* A file gets its name when it is whole, where the file system can do that. */
static int open_out(struct exporter *x, struct mrg_error *err)
{
	_cleanup_free_ char *directory = strdup(x->file);
	char *slash = directory ? strrchr(directory, '/') : NULL;

	if (!directory)
		return fail_memory(err);
	if (access(x->file, F_OK) == 0)
		return mrg_error_set(err, -MRG_E_EXISTS, "the file '%s' is there already", x->file);
	if (slash)
		slash[slash == directory] = '\0';
	x->out = open(slash ? directory : ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (x->out < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		x->out = open(x->file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		x->named = x->out >= 0;
	}
	return x->out < 0 ? fail_errno(err, -errno, "cannot make '%s'", x->file) : 0;
}

static int name_out(struct exporter *x, struct mrg_error *err)
{
	char path[PATH_OF_FD_SIZE];

	if (fsync(x->out) < 0)
		return fail_errno(err, -errno, "cannot write '%s'", x->file);
	if (!x->named && linkat(AT_FDCWD, path_of_fd(path, x->out), AT_FDCWD, x->file, AT_SYMLINK_FOLLOW) < 0) {
		if (errno == EEXIST)
			return mrg_error_set(err, -MRG_E_EXISTS, "the file '%s' is there already", x->file);
		return fail_errno(err, -errno, "cannot make '%s'", x->file);
	}
	return 0;
}

/* Whether the root's owners on disk are ids of the host that the container's map gives it. */
static int look_at_root(struct exporter *x, const struct mrg_spec *spec, struct mrg_error *err)
{
	struct stat st;
	uint32_t seen;

	if (!spec->root_path)
		return mrg_error_set(err, -MRG_E_INVALID, "container '%s' has no root of its own", x->c->record->name);
	x->root = open(spec->root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (x->root < 0 || fstat(x->root, &st) < 0)
		return fail_errno(err, -errno, "cannot open the root '%s'", spec->root_path);
	if (spec->uid_mappings.n == 0)
		return 0;
	for (size_t i = 0; i < spec->uid_mappings.n && !x->manifest.shifted; i++) {
		seen = st.st_uid - spec->uid_mappings.item[i].host_id;
		x->manifest.shifted = st.st_uid != 0 && seen < spec->uid_mappings.item[i].size;
	}
	return x->manifest.shifted ? archive_map(spec, false, &x->map, err) : 0;
}

/* All texts and checksums, before anything is written. */
static int prepare(struct exporter *x, const struct mrg_spec *spec, const struct tree_options *options, struct mrg_error *err)
{
	struct mrg_error none = { 0 };
	int r = look_at_root(x, spec, err);

	x->manifest.name = strdup(x->c->record->name);
	x->manifest.backend = strdup(x->c->record->backend);
	if (r == 0 && (!x->manifest.name || !x->manifest.backend))
		r = fail_memory(err);
	if (r == 0)
		r = mrg_spec_emit(spec, 2, &x->spec, err);
	if (r == 0)
		r = archive_text_digest(x->spec, x->manifest.spec, err);
	if (r == 0 && mrg_native(x->c, &x->native, &none) < 0 && none.code != -MRG_E_UNSUPPORTED) {
		if (err)
			*err = none;
		r = none.code;
	}
	if (r == 0 && x->native)
		r = archive_text_digest(x->native, x->manifest.native, err);
	return r < 0 ? r : tree_digest(x->root, &x->map, options, x->manifest.root, err);
}

static int write_archive(struct exporter *x, struct stream_writer *w, const struct tree_options *options, struct mrg_error *err)
{
	_cleanup_free_ char *manifest = NULL;
	struct tree_report report = { 0 };
	int r = archive_manifest_write(&x->manifest, &manifest, err);

	if (r == 0)
		r = tar_write_text(w, ARCHIVE_MANIFEST, manifest, err);
	if (r == 0)
		r = tar_write_text(w, ARCHIVE_SPEC, x->spec, err);
	if (r == 0 && x->native)
		r = tar_write_text(w, ARCHIVE_NATIVE, x->native, err);
	if (r == 0)
		r = pack_tree(w, x->root, ARCHIVE_ROOT, options, &report, err);
	if (r == 0)
		r = tar_write_end(w, err);
	if (r == 0)
		r = stream_writer_end(w, err);
	if (r == 0)
		archive_tell(x->transfer, &report);
	tree_report_deinit(&report);
	return r;
}

/* Locked and at rest: nothing changes under us. */
static int export_at_rest(struct exporter *x, const struct mrg_spec *spec, struct mrg_error *err)
{
	struct tree_options options = { .portable = true, .map = &x->map };
	struct stream_writer w = { .fd = -1 };
	const char *codec;
	int r;

	archive_progress(&options, x->transfer);
	if (!stream_codec_of_name(x->file, &codec))
		codec = "zstd";
	r = open_out(x, err);
	if (r == 0)
		r = prepare(x, spec, &options, err);
	if (r == 0)
		r = stream_writer_init(&w, x->out, codec, err);
	if (r == 0)
		r = write_archive(x, &w, &options, err);
	stream_writer_deinit(&w);
	if (r == 0)
		r = name_out(x, err);
	if (r < 0 && x->named)
		unlink(x->file);
	return r;
}

int mrg_export(struct mrg_container *c, const char *file, const struct mrg_transfer *transfer, struct mrg_error *err)
{
	struct exporter x = { .c = c, .file = file, .transfer = transfer, .root = -1, .out = -1 };
	_cleanup_view_ struct view view;
	int r = container_plugin(c, err);

	if (r == 0)
		r = mrg_container_load(c, err);
	view.run.process.pidfd = -1;
	if (r == 0)
		r = container_lock_at_rest(c, &view, err);
	if (r < 0)
		return r;
	if (state_is_alive(view.state)) {
		mrg_error_set(err, -MRG_E_STATE, "container '%s' is running: its files would change while they are read", c->record->name);
		mrg_error_hint(err, "stop it first");
		r = -MRG_E_STATE;
	} else {
		r = export_at_rest(&x, view.unit.spec, err);
	}
	store_unlock(c->record);
	fd_close(x.root);
	fd_close(x.out);
	free(x.spec);
	free(x.native);
	tree_map_deinit(&x.map);
	archive_manifest_deinit(&x.manifest);
	return r;
}
