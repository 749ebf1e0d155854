/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container as one archive. */

#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/archive/export.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/path.h"

#define FLUSH	(8 << 20)		/* so much at once is given to the disk */

struct exporter {
	struct mrg_container *c;
	const char *file;
	const struct mrg_transfer *transfer;
	struct archive_content content;
	struct archive_watch watch;
	int out;
	off_t written, flushed;		/* of it; on their way to the disk */
	bool named;			/* the file has its name already: the file system knows none without */
};

/* What is said of containers only, that there is none, is said of no file. */
static int fail_file(struct mrg_error *err, int code, const char *what, const char *path)
{
	fail_errno(err, code, "cannot %s '%s'", what, path);
	if (code == -ENOENT && err)
		err->code = -MRG_E_INVALID;
	return code == -ENOENT ? -MRG_E_INVALID : code;
}

/* A dot within the name, and behind the last one letters and digits, not digits alone: those of a version end nothing. */
static bool has_ending(const char *file)
{
	const char *base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
	const char *dot = strrchr(base, '.');
	bool letter = false;

	if (!dot || dot == base)
		return false;
	for (const char *p = dot + 1; *p; p++) {
		if (!isalnum((unsigned char)*p))
			return false;
		letter |= isalpha((unsigned char)*p) != 0;
	}
	return letter;
}

/* What a name promises the file has to be. */
static int choose_codec(const char *file, const char **ret, struct mrg_error *err)
{
	if (stream_codec_of_name(file, ret))
		return 0;
	*ret = "zstd";
	if (!has_ending(file))
		return 0;
	mrg_error_set(err, -MRG_E_INVALID, "no archive is made that ends as '%s' does", file);
	mrg_error_hint(err, "there are .tar, .tar.gz, .tar.xz and .tar.zst; without an ending it is packed with zstd");
	return -MRG_E_INVALID;
}

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
	return x->out < 0 ? fail_file(err, -errno, "make", x->file) : 0;
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

static int open_root(struct exporter *x, const struct mrg_spec *spec, struct mrg_error *err)
{
	if (!spec->root_path)
		return mrg_error_set(err, -MRG_E_INVALID, "container '%s' has no root of its own", x->c->record->name);
	x->content.root = open(spec->root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return x->content.root < 0 ? fail_file(err, -errno, "open the root", spec->root_path) : 0;
}

static int prepare(struct exporter *x, const struct mrg_spec *spec, struct tree_options *options, struct mrg_error *err)
{
	struct mrg_error none = { 0 };
	int r = open_root(x, spec, err);

	if (r == 0)
		r = archive_content_owners(&x->content, spec, &x->content.manifest.shifted, err);
	if (r == 0 && mrg_native(x->c, &x->content.native, &none) < 0 && none.code != -MRG_E_UNSUPPORTED) {
		if (err)
			*err = none;
		r = none.code;
	}
	x->watch = (struct archive_watch){ x->transfer, { .step = "sum", .text = spec->root_path, .number = 1, .total = 2 } };
	if (r == 0 && !x->content.later)
		r = archive_watch(&x->watch, options, err);
	return r < 0 ? r : archive_content_sum(&x->content, x->c->record->name, x->c->record->backend, spec, options, err);
}

/* All of it has to be on disk at the end: while it is made, the disk is at work. */
static int sink(void *data, const void *bytes, size_t length, struct mrg_error *err)
{
	struct exporter *x = data;
	int r = stream_sink_fd(&x->out, bytes, length, err);

	x->written += (off_t)length;
	if (r == 0 && x->written - x->flushed >= FLUSH) {
		sync_file_range(x->out, x->flushed, x->written - x->flushed, SYNC_FILE_RANGE_WRITE);
		x->flushed = x->written;
	}
	return r;
}

static int write_archive(struct exporter *x, struct stream_writer *w, struct tree_options *options, struct mrg_error *err)
{
	struct tree_report report = { 0 };
	unsigned int steps = x->content.later ? 1 : 2;
	int r;

	/* By now it is known how much there is, when it was read before. */
	x->watch.at = (struct mrg_progress){ .step = "pack", .text = x->file, .number = steps, .total = steps, .size = x->watch.at.done };
	r = archive_watch(&x->watch, options, err);
	if (r == 0)
		r = archive_content_write(&x->content, w, options, &report, err);
	if (r == 0)
		archive_tell(x->transfer, &report);
	tree_report_deinit(&report);
	return r;
}

/* Locked and at rest: nothing changes under us. */
static int export_at_rest(struct exporter *x, const struct mrg_spec *spec, struct mrg_error *err)
{
	struct tree_options options = { .portable = true, .map = &x->content.map };
	struct stream_writer w = { 0 };
	const char *codec;
	int r = choose_codec(x->file, &codec, err);

	if (r < 0)
		return r;
	/* What is not packed can be written to afterwards: so files are read once. */
	x->content.later = !codec;
	r = open_out(x, err);
	if (r == 0)
		r = prepare(x, spec, &options, err);
	if (r == 0)
		r = stream_writer_init(&w, sink, x, codec, err);
	if (r == 0)
		r = write_archive(x, &w, &options, err);
	stream_writer_deinit(&w);
	if (r == 0 && x->content.later)
		r = archive_content_settle(&x->content, x->out, err);
	if (r == 0)
		r = name_out(x, err);
	if (r < 0 && x->named)
		unlink(x->file);
	return r;
}

int mrg_export(struct mrg_container *c, const char *file, const struct mrg_transfer *transfer, struct mrg_error *err)
{
	struct exporter x = { .c = c, .file = file, .transfer = transfer, .content.root = -1, .out = -1 };
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
	fd_close(x.content.root);
	fd_close(x.out);
	archive_content_deinit(&x.content);
	return r;
}
