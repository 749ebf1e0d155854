/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UTIL_PATH_H
#define UTIL_PATH_H

/* Paths below a directory that may be hostile: only openat2(2), Linux 5.6. */

#include <stdbool.h>
#include <sys/types.h>

/* Opens @path as seen with @root as "/": absolute symlinks and ".." stay inside,
 * magic links are refused. @flags as open(2), O_CLOEXEC added. A descriptor or a negative errno. */
int path_open_in_root(int root, const char *path, int flags, mode_t mode);

/* The same for a file one is sure is not a link out: fails on any symlink and on leaving @dir. */
int path_open_beneath(int dir, const char *path, int flags, mode_t mode);

/* Makes the directories of @path below @root that are missing (mode 0755) and opens the last, O_PATH. With @file
 * the last component is made as an empty regular file instead. */
int path_make_in_root(int root, const char *path, bool file);

/* Whether @path is absolute and has no ".." component, no newline, and is shorter than PATH_MAX. */
bool path_is_clean(const char *path);

/* Whether @path is @dir or, by its text, below it. Neither ends with a slash. */
bool path_is_below(const char *path, const char *dir);

/* "/proc/self/fd/N" for system calls that want a path. */
#define PATH_OF_FD_SIZE	32
const char *path_of_fd(char buffer[PATH_OF_FD_SIZE], int fd);

#endif
