/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UTIL_FD_H
#define UTIL_FD_H

/* Descriptors: whole reads and writes, atomic files. All return 0 or a negative errno. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Closes @fd unless it is negative; keeps errno; returns -1. */
int fd_close(int fd);

/* Writes all of @data, through short writes and EINTR. */
int fd_write_all(int fd, const void *data, size_t length);

/* Reads until @length bytes or the end of file; gives the count. */
ssize_t fd_read_all(int fd, void *data, size_t length);

/* The whole of a file below @dir (or AT_FDCWD), NUL added; the caller frees *ret. -EFBIG beyond @max bytes; regular files only, no
 * final symlink followed. */
int fd_read_file(int dir, const char *path, size_t max, char **ret, size_t *ret_length);

/* The same for files of procfs, sysfs and cgroupfs, which tell no size. */
int fd_read_virtual(int dir, const char *path, size_t max, char **ret, size_t *ret_length);

/* Writes @text with one write(2) into an existing file: what kernel files want. */
int fd_write_file(int dir, const char *path, const char *text);

/* Makes a file that must not be there yet; what a failure leaves is the caller's to remove. With @durable also fsync of file and directory.
 * Mode 0600. */
int fd_make_file(int dir, const char *name, const void *data, size_t length, bool durable);

/* Replaces a file whole: temporary name, write, rename; with @durable also fsync of file and directory. Mode 0600. */
int fd_replace_file(int dir, const char *name, const void *data, size_t length, bool durable);

/* Sets or clears FD_CLOEXEC. */
int fd_cloexec(int fd, bool on);

/* Whether the directory @fd has nothing in it: 1 or 0, or a negative errno. Its position is left alone. */
int fd_is_empty_directory(int fd);

/* Removes the tree @name below @dir (or AT_FDCWD), never crossing a symlink or a mount on the way down; what stands before the
 * last slash of @name is the caller's word. 0 when it is not there. */
int fd_remove_tree(int dir, const char *name);

#endif
