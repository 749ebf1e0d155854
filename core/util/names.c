/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a directory has. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/names.h"

int names_read(int dir, const char *path, struct strings *ret)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	_cleanup_closedir_ DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (!d) {
		r = -errno;
		fd_close(fd);
		return r;
	}
	while (r == 0 && (entry = readdir(d)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = strings_add(ret, entry->d_name);
	strings_sort(ret);
	return r;
}
