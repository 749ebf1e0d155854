/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container from an archive or a directory: looked at, unpacked aside, checked, brought to its place, made. */

#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/archive/import/import.h"
#include "core/container/home.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/path.h"
#include "core/util/str.h"

/* ---- who it will be ------------------------------------------------------------------- */

/* What a file is called, without what archives end with and what names may not have. */
static char *name_of_file(const char *file)
{
	static const char *const ends[] = { ".gz", ".xz", ".zst", ".zstd", ".tgz", ".txz", ".tzst", ".tar", ".rootfs", ".oci" };
	_cleanup_free_ char *copy = strdup(file);
	char *base, *to;
	size_t length = copy ? strlen(copy) : 0;

	while (length > 1 && copy[length - 1] == '/')
		copy[--length] = '\0';
	if (!copy)
		return NULL;
	base = strrchr(copy, '/') ? strrchr(copy, '/') + 1 : copy;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		size_t n = strlen(ends[i]);

		length = strlen(base);
		if (length > n && strcmp(base + length - n, ends[i]) == 0)
			base[length - n] = '\0';
	}
	to = base;
	for (const char *p = base; *p; p++)
		if (isalnum((unsigned char)*p) || (to > base && strchr("_.-", *p)))
			*to++ = *p;
	*to = '\0';
	return strdup(base);
}

static int is_taken(const char *name, struct mrg_error *err)
{
	mrg_error_set(err, -MRG_E_EXISTS, "a container named '%s' exists already", name);
	mrg_error_hint(err, "give the new one another: --name NAME");
	return -MRG_E_EXISTS;
}

/* Of ours every name is one container's; an engine may have one that another engine has as well. What is there is found before hours of unpacking. */
int import_check_name(struct mrg *m, const char *backend, const char *name, struct mrg_error *err)
{
	_cleanup_free_ char *full = NULL;
	struct mrg_container *c = NULL;
	struct record *record = NULL;
	bool taken;

	if (!name_is_valid(name)) {
		mrg_error_set(err, -MRG_E_INVALID, "'%s' is no name for a container: letters, digits, '_', '.' and '-', at most 63, a letter or digit first", name);
		mrg_error_hint(err, "give it one: --name NAME");
		return -MRG_E_INVALID;
	}
	if (asprintf(&full, "%s:%s", backend, name) < 0)
		return fail_memory(err);
	taken = store_open(m, name, &record, NULL) == 0 || mrg_container_open(m, full, &c, NULL) == 0;
	store_free(record);
	mrg_container_free(c);
	return taken ? is_taken(name, err) : 0;
}

static int choose(struct import_job *job, struct mrg_error *err)
{
	struct mrg_probe probe;
	int r = 0;

	if (job->import->name)
		job->name = strdup(job->import->name);
	else
		job->name = job->manifest.name ? strdup(job->manifest.name) : name_of_file(job->source);
	if (!job->name)
		return fail_memory(err);
	job->backend = job->import->backend ? job->import->backend : job->manifest.backend;
	if (!job->backend)
		r = mrg_default_backend(job->m, &job->backend, err);
	if (r == 0)
		r = import_check_name(job->m, job->backend, job->name, err);
	if (r == 0)
		r = registry_load(job->m, job->backend, &job->plugin, err);
	return r < 0 ? r : backend_probe(job->plugin, &probe, err);
}

/* ---- what it will be ------------------------------------------------------------------ */

/* The texts of an archive of ours are those that it was made of. */
static int check_text(const char *text, const char *digest, const char *what, struct mrg_error *err)
{
	char found[TREE_DIGEST_SIZE] = "";
	int r = text ? archive_text_digest(text, found, err) : 0;

	if (r == 0 && strcmp(found, digest) != 0)
		r = mrg_error_set(err, -EBADMSG, "the archive is damaged: the checksum of '%s' does not fit", what);
	return r;
}

static int read_ours(struct import_job *job, struct mrg_error *err)
{
	int r;

	if (!job->manifest_text || !job->spec_text)
		return mrg_error_set(err, -EBADMSG, "the archive is damaged: '%s' is not where it has to be", job->spec_text ? ARCHIVE_MANIFEST : ARCHIVE_SPEC);
	r = archive_manifest_read(job->manifest_text, &job->manifest, err);
	if (r == 0)
		r = check_text(job->spec_text, job->manifest.spec, ARCHIVE_SPEC, err);
	if (r == 0)
		r = check_text(job->native_text, job->manifest.native, ARCHIVE_NATIVE, err);
	if (r == 0)
		r = mrg_spec_parse(job->spec_text, strlen(job->spec_text), &job->spec, err);
	return r;
}

/* Starting with the host is not an archive's to say. */
static int judge(struct import_job *job, struct mrg_error *err)
{
	int r;

	if (mrg_fields_has(&job->spec->set, MRG_FIELD_AUTOSTART) && job->spec->autostart) {
		job->spec->autostart = 0;
		mrg_fields_remove(&job->spec->set, MRG_FIELD_AUTOSTART);
		archive_note(&job->import->transfer, "it was started with the host and is not any more: 'moorage enable %s' makes it so", job->name);
	}
	/* What comes from another host was looked through there. */
	r = job->wish ? 0 : import_check_words(job->spec, job->import->accept, err);
	if (r == 0)
		r = import_accept(job->spec, job->import->accept, err);
	return r < 0 ? r : import_native_fit(job, err);
}

/* Our own archives have owners as the container sees them: on disk they are others where the engine does not map them, or where they were so before under the same
 * engine, whose configuration may count on it. */
static int choose_owners(struct import_job *job, struct mrg_error *err)
{
	const struct mrg_unit unit = { .name = job->name, .id = job->place.id, .dir = -1 };
	bool mapped = home_is_mapped(job->plugin, job->spec);
	int r = 0;

	if (job->kind != IMPORT_OURS)
		return 0;
	job->shifts = mapped || (job->manifest.shifted && strcmp(job->manifest.backend, job->backend) == 0);
	if (mapped && job->spec->uid_mappings.n == 0)
		r = home_map_users(job->spec, &unit, NULL, err);
	return r == 0 && job->shifts ? archive_map(job->spec, true, &job->map, err) : r;
}

int import_begin_root(struct import_job *job, struct mrg_error *err)
{
	int r = job->kind == IMPORT_OURS ? read_ours(job, err) : 0;

	if (r == 0)
		r = choose(job, err);
	if (r == 0 && job->spec)
		r = judge(job, err);
	else if (r == 0 && job->kind == IMPORT_ROOT)
		r = import_check_words(NULL, job->import->accept, err);
	if (r == 0)
		r = import_place_begin(&job->place, job->m, job->plugin, job->name, job->spec, err);
	if (r == 0)
		r = choose_owners(job, err);
	job->options.map = &job->map;
	job->options.writeback = job->place.writeback;
	job->watch = (struct archive_watch){ &job->import->transfer, { "unpack", job->source, 1, job->kind == IMPORT_OURS ? 2 : 1, 0, job->size } };
	return r < 0 ? r : archive_watch(&job->watch, &job->options, err);
}

/* ---- its root -------------------------------------------------------------------------- */

/* A file of the archive that is no part of the root. */
static int keep_text(struct import_archive *a, char **place, struct mrg_error *err)
{
	if (*place)
		return mrg_error_set(err, -MRG_E_INVALID, "the archive has '%s' twice", a->path);
	return tar_text(&a->tar, &a->entry, ARCHIVE_TEXT_MAX, place, err);
}

/* What of the root an entry's name is; NULL: it is something else. */
static const char *in_root(const struct import_job *job, const char *path)
{
	const char *rest = path;
	size_t length = strlen(job->prefix);

	if (job->kind == IMPORT_ROOT)
		return path;
	if (strncmp(path, job->prefix, length) != 0)
		return NULL;
	rest += length;
	length = strlen(ARCHIVE_ROOT);
	if (strncmp(rest, ARCHIVE_ROOT, length) != 0 || (rest[length] != '\0' && rest[length] != '/'))
		return NULL;
	return rest + length + (rest[length] == '/');
}

static int other_file(struct import_job *job, struct import_archive *a, struct mrg_error *err)
{
	const struct {
		enum import_kind kind;
		const char *name;
		char **place;
	} files[] = {
		{ IMPORT_OURS, ARCHIVE_MANIFEST, &job->manifest_text },
		{ IMPORT_OURS, ARCHIVE_SPEC, &job->spec_text },
		{ IMPORT_OURS, ARCHIVE_NATIVE, &job->native_text },
		{ IMPORT_LXC, "config", &job->config_text },
	};
	const char *name = a->path;

	if (strncmp(name, job->prefix, strlen(job->prefix)) == 0)
		name += strlen(job->prefix);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (files[i].kind == job->kind && strcmp(files[i].name, name) == 0)
			return keep_text(a, files[i].place, err);
	if (*name && !S_ISDIR(a->entry.type))
		archive_note(&job->import->transfer, "'%s' of the archive is no part of a container and is left out", a->path);
	return 0;
}

/* One entry of the root. Links name others as the archive does. */
static int root_entry(struct import_job *job, struct extractor *x, struct import_archive *a, const char *path, struct mrg_error *err)
{
	_cleanup_free_ char *link = NULL;
	const char *inside;
	int r;

	if (a->entry.type != 0)
		return extract_entry(x, &a->tar, &a->entry, path);
	r = extract_clean_path(a->entry.link, &link, err);
	if (r < 0)
		return r;
	inside = in_root(job, link);
	if (!inside || !*inside)
		return mrg_error_set(err, -MRG_E_INVALID, "'%s' of the archive is a link to what is no file of the root", a->path);
	free(a->entry.link);
	a->entry.link = strdup(inside);
	return a->entry.link ? extract_entry(x, &a->tar, &a->entry, path) : fail_memory(err);
}

/* A word about what was looked for, for who has named the wrong place. */
static int no_root(const struct import_job *job, struct mrg_error *err)
{
	mrg_error_set(err, -MRG_E_INVALID, "'%s' has no root file system in it", job->source);
	mrg_error_hint(err, "looked for: files of a root, 'config' and 'rootfs' as LXC keeps them, an OCI image's 'oci-layout', or what 'moorage export' writes");
	return -MRG_E_INVALID;
}

static int unpack(struct import_job *job, struct import_archive *a, struct extractor *x, struct mrg_error *err)
{
	bool begun = false;
	int r;

	while ((r = import_archive_next(a, err)) > 0) {
		const char *path = in_root(job, a->path);

		if (path && !begun) {
			r = import_begin_root(job, err);
			if (r == 0)
				r = extractor_init(x, job->place.root, &job->options, &job->report, err);
			if (r < 0)
				return r;
			x->devices = import_accepts(job->import->accept, "devices", NULL);
			begun = true;
		}
		r = path ? root_entry(job, x, a, path, err) : other_file(job, a, err);
		if (r < 0)
			return r;
	}
	if (r == 0)
		r = stream_finish(&a->stream, err);
	if (r < 0)
		return r;
	return begun ? extract_end(x) : no_root(job, err);
}

static int import_tar(struct import_job *job, struct mrg_error *err)
{
	struct extractor x = { .late = -1 };
	struct import_archive a;
	int r = import_archive_open(&a, job->source, err);

	if (r == 0)
		r = unpack(job, &a, &x, err);
	extractor_deinit(&x);
	import_archive_close(&a);
	return r;
}

/* The root lacks what its file system does not take, or the archive is damaged. */
static int root_differs(const struct import_job *job, struct mrg_error *err)
{
	const char *const *paths = (const char *const *)job->report.told[TREE_TOLD_XATTR].paths;

	if (job->report.told[TREE_TOLD_XATTR].count == 0)
		return mrg_error_set(err, -EBADMSG, "the archive is damaged: the checksum of its root does not fit");
	return mrg_error_set(err, -EOPNOTSUPP, "the file system of '%s' does not take the extended attributes of '%s'%s", job->place.home,
			     paths && *paths ? *paths : "files", job->report.told[TREE_TOLD_XATTR].count > 1 ? " and others" : "");
}

/* The root is what it was when it was packed. */
static int check_root(struct import_job *job, struct mrg_error *err)
{
	struct tree_options options = { .portable = true };
	struct tree_map map = { .uids = NULL };
	char found[TREE_DIGEST_SIZE];
	int r = job->shifts ? archive_map(job->spec, false, &map, err) : 0;

	job->watch.at = (struct mrg_progress){ "check", job->place.home, 2, 2, 0, job->report.bytes };
	if (r == 0)
		r = archive_watch(&job->watch, &options, err);
	if (r == 0)
		r = tree_digest(job->place.root, &map, &options, found, err);
	if (r == 0 && strcmp(found, job->manifest.root) != 0)
		r = root_differs(job, err);
	tree_map_deinit(&map);
	return r;
}

/* ---- a directory ----------------------------------------------------------------------- */

static bool is_layout(int dir)
{
	struct stat layout, index;

	return fstatat(dir, "oci-layout", &layout, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(layout.st_mode) &&
	       fstatat(dir, "index.json", &index, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(index.st_mode);
}

/* An OCI layout, a root, or what LXC keeps of a container: "config" and "rootfs". */
static int import_directory(struct import_job *job, struct mrg_error *err)
{
	_cleanup_close_ int dir = open(job->source, O_RDONLY | O_DIRECTORY | O_CLOEXEC), root = -1;
	int r;

	if (dir < 0)
		return mrg_error_set(err, errno == ENOENT ? -MRG_E_INVALID : -errno, "cannot open '%s': %s", job->source, strerror(errno));
	if (is_layout(dir)) {
		job->kind = IMPORT_OCI;
		job->layout = take_fd(&dir);
		return import_oci(job, err);
	}
	root = openat(dir, ARCHIVE_ROOT, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	job->kind = root >= 0 && faccessat(dir, "config", F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? IMPORT_LXC : IMPORT_ROOT;
	r = job->kind == IMPORT_LXC ? fd_read_file(dir, "config", ARCHIVE_TEXT_MAX, &job->config_text, NULL) : 0;
	if (r < 0)
		return fail_errno(err, r, "cannot read '%s/config'", job->source);
	r = import_begin_root(job, err);
	return r < 0 ? r : tree_copy_into(job->kind == IMPORT_LXC ? root : dir, job->place.root, &job->options, &job->report, err);
}

/* ---- the container --------------------------------------------------------------------- */

/* What boots is booted, where the backend can; of what does not a shell is run. */
static int make_spec(struct import_job *job, const struct mrg_fields *able, struct mrg_error *err)
{
	static const char *const inits[] = { "/sbin/init", "/lib/systemd/systemd", "/usr/lib/systemd/systemd" };
	bool boot = false;

	job->spec = mrg_spec_new();
	if (!job->spec)
		return fail_memory(err);
	for (size_t i = 0; mrg_fields_has(able, MRG_FIELD_BOOT) && i < ARRAY_SIZE(inits) && !boot; i++) {
		_cleanup_close_ int fd = path_open_in_root(job->place.root, inits[i], O_PATH, 0);

		boot = fd >= 0;
	}
	return boot ? mrg_spec_set(job->spec, MRG_FIELD_BOOT, "yes", err) : mrg_spec_set(job->spec, MRG_FIELD_ARGS, "/bin/sh", err);
}

/* Of LXC's configuration, which may stand behind the root, so that all is looked at only now. */
static int read_lxc(struct import_job *job, struct mrg_error *err)
{
	int r = mrg_format_read("lxc", job->config_text, strlen(job->config_text), &job->spec, NULL, NULL, err);

	return r < 0 ? r : judge(job, err);
}

static int complete_spec(struct import_job *job, const struct mrg_fields *able, struct mrg_error *err)
{
	bool own = job->spec || job->config_text;
	int r = 0;

	if (!job->spec)
		r = job->config_text ? read_lxc(job, err) : make_spec(job, able, err);
	if (r == 0)
		r = mrg_spec_set(job->spec, MRG_FIELD_ROOT_PATH, job->place.home, err);
	/* A configuration of its own says what it says; an image says little. */
	return r < 0 || (own && job->kind != IMPORT_OCI && job->kind != IMPORT_DOCKER) ? r : mrg_spec_default(job->spec, able, err);
}

/* What the backend cannot do and was accepted by name is left out; the rest mrg_create() refuses. */
static bool may_drop(struct import_job *job, const struct mrg_fields *able)
{
	struct mrg_fields missing = { 0 };
	bool all = fields_missing(job->spec, able, &missing) > 0;

	for (unsigned int field = 0; field < MRG_FIELD_MAX; field++) {
		const struct mrg_field_info *info = mrg_field_info(field);

		if (!mrg_fields_has(&missing, field))
			continue;
		if (!import_accepts(job->import->accept, info->name, info->path))
			all = false;
		else
			archive_note(&job->import->transfer, "%s is left out: backend '%s' has nothing for it", info->name, job->backend);
	}
	return all;
}

static int make_container(struct import_job *job, struct mrg_container **ret, struct mrg_error *err)
{
	const struct origin origin = { .id = job->place.id, .owns_root = true };
	struct mrg_create create = { .name = job->name, .backend = job->backend };
	struct mrg_probe probe;
	int r = backend_probe(job->plugin, &probe, err);

	if (r == 0)
		r = complete_spec(job, &probe.fields, err);
	if (r == 0 && job->kind == IMPORT_OURS)
		r = check_root(job, err);
	if (r == 0 && job->wish && job->wish->fit)
		r = job->wish->fit(job->place.root, job->spec, job->wish->data, err);
	if (r == 0)
		r = import_place_commit(&job->place, err);
	if (r < 0)
		return r;
	create.spec = job->spec;
	create.flags = may_drop(job, &probe.fields) ? MRG_CREATE_BEST_EFFORT : 0;
	return container_create_as(job->m, &create, &origin, ret, err);
}

/* Of nothing no container is made; an archive of ours, whose checksum fits, may be of one that has all its files from mounts. */
static int check_content(struct import_job *job, struct mrg_error *err)
{
	int empty = job->kind == IMPORT_OURS ? 0 : fd_is_empty_directory(job->place.root);

	if (empty < 0)
		return fail_errno(err, empty, "cannot read '%s'", job->place.home);
	return empty ? no_root(job, err) : 0;
}

static int import_by_kind(struct import_job *job, struct mrg_error *err)
{
	struct stat st;
	int r;

	if (stat(job->source, &st) < 0)
		return mrg_error_set(err, errno == ENOENT ? -MRG_E_INVALID : -errno, "cannot open '%s': %s", job->source, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return import_directory(job, err);
	/* Packed, it says nothing of what is in it. */
	if (strlen(job->source) > 4 && strcmp(job->source + strlen(job->source) - 4, ".tar") == 0)
		job->size = (uint64_t)st.st_size;
	r = import_kind_of(job->source, &job->kind, &job->prefix, err);
	if (r < 0)
		return r;
	if (job->kind == IMPORT_DOCKER)
		return import_docker(job, err);
	return job->kind == IMPORT_OCI ? import_oci(job, err) : import_tar(job, err);
}

static void job_deinit(struct import_job *job)
{
	free(job->source);
	free(job->tag);
	fd_close(job->layout);
	free(job->prefix);
	free(job->name);
	free(job->manifest_text);
	free(job->spec_text);
	free(job->native_text);
	free(job->config_text);
	mrg_spec_free(job->spec);
	archive_manifest_deinit(&job->manifest);
	tree_map_deinit(&job->map);
	tree_report_deinit(&job->report);
}

int import_as(struct mrg *m, const struct mrg_import *import, const struct import_wish *wish, struct mrg_container **ret, struct mrg_error *err)
{
	struct import_job job = { .m = m, .import = import, .wish = wish, .layout = -1, .place = IMPORT_PLACE };
	struct mrg_container *c = NULL;
	int r;

	if (wish)
		snprintf(job.place.id, sizeof(job.place.id), "%s", wish->id);
	import_sweep(m);
	r = import_source_split(import->source, &job.source, &job.tag, err);
	if (r == 0)
		r = import_by_kind(&job, err);
	/* Who reads an archive does not know what it is called. */
	if (r == -EBADMSG && !wish)
		mrg_error_prefix(err, "cannot import '%s'", job.source);
	if (r == 0)
		r = check_content(&job, err);
	if (r == 0)
		r = make_container(&job, &c, err);
	import_place_end(&job.place, r == 0);
	if (r == 0)
		archive_tell(&import->transfer, &job.report);
	if (r == 0 && ret)
		*ret = take_ptr(c);
	mrg_container_free(c);
	job_deinit(&job);
	return r;
}

int mrg_import(struct mrg *m, const struct mrg_import *import, struct mrg_container **ret, struct mrg_error *err)
{
	return import_as(m, import, NULL, ret, err);
}
