/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Archives to import: opened, gone through, and what they are. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/archive/import/import.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"

int import_source_split(const char *text, char **ret_path, char **ret_tag, struct mrg_error *err)
{
	static const char *const transports[] = { "oci:", "oci-archive:", "docker-archive:" };
	char *colon = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(transports); i++)
		if (strncmp(text, transports[i], strlen(transports[i])) == 0) {
			text += strlen(transports[i]);
			colon = strchr(text, ':');
			break;
		}
	*ret_path = colon ? strndup(text, (size_t)(colon - text)) : strdup(text);
	*ret_tag = colon && colon[1] ? strdup(colon + 1) : NULL;
	return *ret_path && (*ret_tag || !colon || !colon[1]) ? 0 : fail_memory(err);
}

int import_archive_open(struct import_archive *a, const char *file, struct mrg_error *err)
{
	struct stat st;
	int r;

	*a = (struct import_archive) { .fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) };
	if (a->fd < 0 || fstat(a->fd, &st) < 0)
		return mrg_error_set(err, errno == ENOENT ? -MRG_E_INVALID : -errno, "cannot open '%s': %s", file, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return mrg_error_set(err, -MRG_E_INVALID, "'%s' is no file and no directory", file);
	r = stream_reader_init(&a->stream, stream_source_fd, &a->fd, err);
	tar_reader_init(&a->tar, &a->stream);
	return r;
}

int import_archive_next(struct import_archive *a, struct mrg_error *err)
{
	int r = tar_next(&a->tar, &a->entry, err);

	free(a->path);
	a->path = NULL;
	if (r <= 0)
		return r;
	r = extract_clean_path(a->entry.path, &a->path, err);
	return r < 0 ? r : 1;
}

void import_archive_close(struct import_archive *a)
{
	stream_reader_deinit(&a->stream);
	tar_entry_deinit(&a->entry);
	free(a->path);
	fd_close(a->fd);
	*a = (struct import_archive) { .fd = -1 };
}

static bool is(const char *path, const char *name)
{
	size_t length = strlen(name);

	return strncmp(path, name, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

/* A root may have a directory "blobs" or a file "manifest.json": the file that marks a layout tells, or what the other says. */
static int find_marks(const char *file, enum import_kind *ret, struct mrg_error *err)
{
	_cleanup_free_ char *manifest = NULL;
	struct import_archive a;
	int r = import_archive_open(&a, file, err);

	*ret = IMPORT_ROOT;
	while (r >= 0 && *ret != IMPORT_OCI && (r = import_archive_next(&a, err)) > 0) {
		if (strcmp(a.path, "oci-layout") == 0)
			*ret = IMPORT_OCI;
		else if (strcmp(a.path, DOCKER_MANIFEST) == 0 && S_ISREG(a.entry.type) && a.entry.size <= ARCHIVE_TEXT_MAX && !manifest)
			r = tar_text(&a.tar, &a.entry, ARCHIVE_TEXT_MAX, &manifest, err);
	}
	import_archive_close(&a);
	if (r >= 0 && *ret == IMPORT_ROOT && manifest && strstr(manifest, "\"Layers\""))
		*ret = IMPORT_DOCKER;
	return r < 0 ? r : 0;
}

/* Docker's archives begin with one of these: an id, in hexadecimal digits, or a document. */
static bool is_docker(const char *path)
{
	return strspn(path, "0123456789abcdef") == 64 || strcmp(path, DOCKER_MANIFEST) == 0 || strcmp(path, "repositories") == 0;
}

/* By the first names: 0 when more have to be seen. @above: the only directory so far. */
static int judge(const char *path, mode_t type, char **above, enum import_kind *ret)
{
	size_t length = *above ? strlen(*above) : 0;

	*ret = IMPORT_ROOT;
	if (*above) {
		/* "NAME/" and then "NAME/config" or "NAME/rootfs". */
		if (strncmp(path, *above, length) != 0 || path[length] != '/')
			return 1;
		*ret = is(path + length + 1, "config") || is(path + length + 1, ARCHIVE_ROOT) ? IMPORT_LXC : IMPORT_ROOT;
		return 1;
	}
	if (strcmp(path, ARCHIVE_MANIFEST) == 0)
		*ret = IMPORT_OURS;
	else if (is_docker(path))
		*ret = IMPORT_DOCKER;
	else if (is(path, "blobs") || is(path, "oci-layout") || is(path, "index.json"))
		*ret = IMPORT_OCI;
	else if (strcmp(path, "config") == 0 || is(path, ARCHIVE_ROOT))
		*ret = IMPORT_LXC;
	else if (S_ISDIR(type) && !strchr(path, '/'))
		return (*above = strdup(path)) ? 0 : -ENOMEM;
	return 1;
}

int import_kind_of(const char *file, enum import_kind *ret, char **ret_prefix, struct mrg_error *err)
{
	_cleanup_free_ char *above = NULL;
	struct import_archive a;
	int r = import_archive_open(&a, file, err), decided = 0;

	*ret = IMPORT_ROOT;
	while (r >= 0 && decided == 0 && (r = import_archive_next(&a, err)) > 0)
		decided = *a.path ? judge(a.path, a.entry.type, &above, ret) : 0;
	import_archive_close(&a);
	if (r < 0 || decided < 0)
		return r < 0 ? r : fail_memory(err);
	if (*ret == IMPORT_OCI || *ret == IMPORT_DOCKER)
		r = find_marks(file, ret, err);
	if (r < 0)
		return r;
	if (asprintf(ret_prefix, "%s%s", *ret == IMPORT_LXC && above ? above : "", *ret == IMPORT_LXC && above ? "/" : "") < 0)
		return fail_memory(err);
	return 0;
}
