/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Contents of files: shared where the file system can, else copied, holes left out. */

#include "config.h"

#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/migrate/tree/copy.h"
#include "core/util/fd.h"

#define SMALL	(32 * 1024)		/* read and written: the kernel's own copying takes longer to begin */
#define CHUNK	(16 * 1024 * 1024)	/* between two reports of progress */

/* 1: shared. */
static int share(struct tree_copier *c, int source, int target)
{
	if (!c->reflink)
		return 0;
	if (ioctl(target, FICLONE, source) == 0)
		return 1;
	/* EINVAL is about this file, all else about the file systems. */
	c->reflink = errno == EINVAL;
	return 0;
}

static int copy_by_hand(struct tree_copier *c, int source, int target, off_t *at, off_t end)
{
	while (*at < end) {
		size_t want = end - *at < COPY_BUFFER ? (size_t)(end - *at) : COPY_BUFFER;
		ssize_t n = pread(source, c->buffer, want, *at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		for (ssize_t done = 0; done < n;) {
			ssize_t w = pwrite(target, c->buffer + done, (size_t)(n - done), *at + done);

			if (w < 0 && errno != EINTR)
				return -errno;
			done += w > 0 ? w : 0;
		}
		*at += n;
	}
	return 0;
}

/* The bytes from @at to @end, which are no hole; what the file has become shorter by is left out. */
static int copy_range(struct tree_copier *c, int source, int target, off_t at, off_t end)
{
	while (at < end) {
		size_t want = end - at < CHUNK ? (size_t)(end - at) : CHUNK;
		off_t from = at, to = at;
		ssize_t n = 0;
		int r = 0;

		if (c->in_kernel && want > SMALL) {
			n = copy_file_range(source, &from, target, &to, want, 0);
			if (n < 0 && errno != EINTR && errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP && errno != ENOSYS)
				return -errno;
			c->in_kernel = n >= 0 || errno == EINTR;
			at = n > 0 ? from : at;
		}
		/* Some file systems say that they copied nothing, meaning that they cannot. */
		if (n <= 0) {
			off_t begin = at;

			r = copy_by_hand(c, source, target, &at, at + (off_t)want);
			n = at - begin;
		}
		if (r < 0 || n == 0)
			return r;
		r = tree_work_step(&c->work, 0, (uint64_t)n);
		if (r < 0)
			return r;
	}
	return 0;
}

static int copy_data(struct tree_copier *c, int source, int target, off_t size)
{
	off_t at = 0;
	int r = 0;

	while (r == 0 && at < size) {
		off_t begin = lseek(source, at, SEEK_DATA), end;

		if (begin < 0 && errno == ENXIO)
			break;
		end = begin < 0 ? -1 : lseek(source, begin, SEEK_HOLE);
		if (end < 0)
			return -errno;
		end = end < size ? end : size;
		r = copy_range(c, source, target, begin, end);
		at = end;
	}
	return r;
}

int tree_copy_contents(struct tree_copier *c, int source, int target, const struct statx *st, const char *path)
{
	off_t size = (off_t)st->stx_size;
	bool holes = st->stx_blocks * 512 < st->stx_size;
	int r;

	if (size == 0)
		return 0;
	c->work.report->bytes += st->stx_size;
	r = share(c, source, target);
	if (r > 0)
		return tree_work_step(&c->work, 0, st->stx_size);
	r = holes ? copy_data(c, source, target, size) : copy_range(c, source, target, 0, size);
	if (r == 0 && holes && ftruncate(target, size) < 0)
		r = -errno;
	return r < 0 && !(c->work.err && c->work.err->code) ? tree_work_fail(&c->work, r, "copy", path) : r;
}
