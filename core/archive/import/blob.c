/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of an image layout. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/archive/import/blob.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/path.h"
#include "core/util/str.h"

#define DOCUMENT_MAX	(4 << 20)
#define CHUNK		4096
#define LINKS_MAX	4

static int lacks(const char *name, struct mrg_error *err)
{
	return mrg_error_set(err, -EBADMSG, "the image lacks '%s'", name);
}

static int is_no_file(const char *name, struct mrg_error *err)
{
	return mrg_error_set(err, -EBADMSG, "'%s' of the image is no file", name);
}

static int find_entry(struct blob *b, const char *source, const char *name, struct mrg_error *err)
{
	int r = import_archive_open(&b->archive, source, err);

	while (r >= 0 && (r = import_archive_next(&b->archive, err)) > 0)
		if (strcmp(b->archive.path, name) == 0)
			break;
	return r == 0 ? lacks(name, err) : r < 0 ? r : 0;
}

/* What a symlink called @name says, as a name in the archive; NULL: nothing there. */
static char *name_behind(const char *name, const char *link)
{
	const char *slash = strrchr(name, '/');
	size_t length = slash ? (size_t)(slash - name) : 0;
	char *path;

	for (; strncmp(link, "../", 3) == 0; link += 3) {
		if (length == 0)
			return NULL;
		while (length > 0 && name[length - 1] != '/')
			length--;
		length -= length > 0;
	}
	if (*link == '/' || asprintf(&path, "%.*s%s%s", (int)length, name, length ? "/" : "", link) < 0)
		return NULL;
	return path;
}

/* Docker's layers may be symlinks to each other: they are names in the archive, and nothing else. */
static int find_in_archive(struct blob *b, const char *source, const char *name, struct mrg_error *err)
{
	_cleanup_free_ char *path = strdup(name);
	int r = path ? find_entry(b, source, path, err) : fail_memory(err);

	for (int links = 0; r == 0 && S_ISLNK(b->archive.entry.type) && links < LINKS_MAX; links++) {
		char *next = name_behind(path, b->archive.entry.link ?: "/");

		free(path);
		path = next;
		if (!path)
			return is_no_file(name, err);
		import_archive_close(&b->archive);
		r = find_entry(b, source, path, err);
	}
	return r < 0 || S_ISREG(b->archive.entry.type) ? r : is_no_file(name, err);
}

/* No symlink is followed: a layout has none. */
static int find_in_directory(struct blob *b, int layout, const char *name, struct mrg_error *err)
{
	struct stat st;

	b->file = path_open_beneath(layout, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (b->file == -ENOENT)
		return lacks(name, err);
	if (b->file == -ELOOP || (b->file >= 0 && (fstat(b->file, &st) < 0 || !S_ISREG(st.st_mode))))
		return is_no_file(name, err);
	return b->file < 0 ? fail_errno(err, b->file, "cannot open '%s' of the image", name) : 0;
}

int blob_open(struct blob *b, struct import_job *job, const char *name, struct mrg_error *err)
{
	int r;

	*b = (struct blob) { .archive.fd = -1, .file = -1 };
	r = job->layout >= 0 ? find_in_directory(b, job->layout, name, err) : find_in_archive(b, job->source, name, err);
	return r < 0 ? r : sha256_new(&b->sha256, err);
}

void blob_close(struct blob *b)
{
	import_archive_close(&b->archive);
	b->file = fd_close(b->file);
	b->sha256 = sha256_free(b->sha256);
}

static ssize_t read_archive(struct blob *b, void *buffer, size_t size, struct mrg_error *err)
{
	const unsigned char *bytes;
	uint64_t offset;
	ssize_t n = tar_data_some(&b->archive.tar, size, &bytes, &offset, err);

	if (n > 0)
		memcpy(buffer, bytes, (size_t)n);
	return n;
}

static ssize_t read_file(struct blob *b, void *buffer, size_t size, struct mrg_error *err)
{
	ssize_t n = fd_read_all(b->file, buffer, size);

	return n < 0 ? fail_errno(err, (int)n, "cannot read the image") : n;
}

ssize_t blob_read(void *data, void *buffer, size_t size, struct mrg_error *err)
{
	struct blob *b = data;
	ssize_t n = b->file >= 0 ? read_file(b, buffer, size, err) : read_archive(b, buffer, size, err);

	if (n > 0)
		sha256_add(b->sha256, buffer, (size_t)n);
	return n;
}

int blob_check(struct blob *b, const char *hex, struct mrg_error *err)
{
	unsigned char digest[SHA256_SIZE];
	char text[SHA256_TEXT];
	char rest[CHUNK];
	ssize_t n;

	while ((n = blob_read(b, rest, sizeof(rest), err)) > 0)
		;
	if (n < 0)
		return (int)n;
	if (sha256_end(b->sha256, digest) < 0)
		return fail_memory(err);
	if (hex && strcmp(sha256_text(digest, text), hex) != 0)
		return mrg_error_set(err, -EBADMSG, "the image is damaged: the checksum of the blob '%s' does not fit", hex);
	return 0;
}

static int read_text(struct blob *b, const char *name, struct buffer *ret, struct mrg_error *err)
{
	char chunk[CHUNK];
	ssize_t n;

	while ((n = blob_read(b, chunk, sizeof(chunk), err)) > 0) {
		buffer_add(ret, chunk, (size_t)n);
		if (ret->length > DOCUMENT_MAX)
			return mrg_error_set(err, -EFBIG, "'%s' of the image has over %d bytes", name, DOCUMENT_MAX);
	}
	return n < 0 ? (int)n : ret->failed ? fail_memory(err) : 0;
}

int import_document(struct import_job *job, const char *name, const char *hex, struct json **ret, char **ret_text, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer text = { .text = NULL };
	struct json *json = NULL;
	struct blob b;
	int r = blob_open(&b, job, name, err);

	if (r == 0)
		r = read_text(&b, name, &text, err);
	if (r == 0)
		r = blob_check(&b, hex, err);
	blob_close(&b);
	if (r == 0)
		r = json_parse(text.text ? text.text : "", text.length, &json, err);
	if (r < 0)
		return r;
	*ret = json;
	*ret_text = take_ptr(text.text);
	return 0;
}
