/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parts of archives that come from another host. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "core/migrate/receive.h"
#include "core/migrate/received.h"
#include "core/store/store.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"

#define SUFFIX		".part"
#define KEPT_SECONDS	(7 * 24 * 60 * 60)

int received_open(struct mrg *m, struct mrg_error *err)
{
	return store_state_dir(m, RECEIVED, true, err);
}

static bool key_is_valid(const char *key)
{
	return strlen(key) == SHA256_TEXT - 1 && strspn(key, "0123456789abcdef") == SHA256_TEXT - 1;
}

/* A sum ends with its digest: what goes on has one of its own. */
static int sum_up(struct part *part, char ret_digest[SHA256_TEXT], struct mrg_error *err)
{
	_cleanup_free_ unsigned char *buffer = malloc(WIRE_CHUNK);
	_cleanup_(sha256_freep) struct sha256 *now = NULL;
	unsigned char digest[SHA256_SIZE];
	ssize_t n;
	int r = buffer ? sha256_new(&part->sum, err) : fail_memory(err);

	if (r == 0)
		r = sha256_new(&now, err);
	if (r < 0)
		return r;

	while ((n = fd_read_all(part->fd, buffer, WIRE_CHUNK)) > 0) {
		sha256_add(part->sum, buffer, (size_t)n);
		sha256_add(now, buffer, (size_t)n);
		part->length += (uint64_t)n;
	}
	if (n < 0)
		return fail_errno(err, (int)n, "cannot read what has come of the archive");
	if (sha256_end(now, digest) < 0)
		return fail_memory(err);
	sha256_text(digest, ret_digest);
	return 0;
}

int part_open(struct part *part, int dir, const char *key, char ret_digest[SHA256_TEXT], struct mrg_error *err)
{
	struct stat st;

	part_close(part);
	if (!key_is_valid(key))
		return mrg_error_set(err, -MRG_E_INVALID, "what the archive holds is not told");
	snprintf(part->name, sizeof(part->name), "%s" SUFFIX, key);
	part->fd = openat(dir, part->name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (part->fd < 0)
		return fail_errno(err, -errno, "cannot make the file for the archive");
	if (flock(part->fd, LOCK_EX | LOCK_NB) < 0)
		return mrg_error_set(err, -MRG_E_BUSY, "the same archive is being received already");
	/* Whoever has been done with it has removed it. */
	if (fstat(part->fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1)
		return mrg_error_set(err, -MRG_E_BUSY, "the file for the archive was removed meanwhile");
	return sum_up(part, ret_digest, err);
}

int part_receive(struct part *part, uint64_t offset, struct wire *w, char ret_digest[SHA256_TEXT], struct mrg_error *err)
{
	_cleanup_free_ unsigned char *buffer = malloc(WIRE_CHUNK);
	unsigned char digest[SHA256_SIZE];
	ssize_t n;

	if (!buffer)
		return fail_memory(err);
	if (offset == 0 && part->length > 0) {
		if (ftruncate(part->fd, 0) < 0)
			return fail_errno(err, -errno, "cannot begin the archive anew");
		sha256_end(part->sum, digest);
		part->length = 0;
	}
	if (offset != part->length || part->whole)
		return mrg_error_set(err, -MRG_E_INVALID, "the archive does not go on where it has ended");
	if (lseek(part->fd, (off_t)offset, SEEK_SET) < 0)
		return fail_errno(err, -errno, "cannot go on with the archive");
	while ((n = wire_receive_piece(w, buffer, err)) > 0) {
		int r = fd_write_all(part->fd, buffer, (size_t)n);

		if (r < 0)
			return fail_errno(err, r, "cannot keep the archive");
		sha256_add(part->sum, buffer, (size_t)n);
		part->length += (uint64_t)n;
	}
	if (n < 0)
		return (int)n;
	if (fdatasync(part->fd) < 0)
		return fail_errno(err, -errno, "cannot keep the archive");
	if (sha256_end(part->sum, digest) < 0)
		return fail_memory(err);
	sha256_text(digest, ret_digest);
	part->whole = true;
	return 0;
}

void part_close(struct part *part)
{
	part->fd = fd_close(part->fd);
	part->sum = sha256_free(part->sum);
	part->length = 0;
	part->whole = false;
}

static void sweep(int dir, const char *name)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_mtime + KEPT_SECONDS < time(NULL) && flock(fd, LOCK_EX | LOCK_NB) == 0)
		unlinkat(dir, name, 0);
}

void part_sweep(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		size_t length = strlen(entry->d_name);

		if (length > strlen(SUFFIX) && strcmp(entry->d_name + length - strlen(SUFFIX), SUFFIX) == 0)
			sweep(dir, entry->d_name);
	}
}
