/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UTIL_CLEANUP_H
#define UTIL_CLEANUP_H

/* Release at the end of scope, and handing over of what must survive it. */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(function)	__attribute__((cleanup(function)))
#define _cleanup_free_		_cleanup_(cleanup_free)
#define _cleanup_close_		_cleanup_(cleanup_close)
#define _cleanup_fclose_	_cleanup_(cleanup_fclose)
#define _cleanup_closedir_	_cleanup_(cleanup_closedir)
#define _unused_		__attribute__((unused))

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclose(FILE **file)
{
	if (*file)
		fclose(*file);
}

static inline void cleanup_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* Gives the descriptor away: what is returned is no longer closed at the end of scope. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* The same for a pointer. */
#define take_ptr(p)					\
	({						\
		__typeof__(p) *taken_from_ = &(p);	\
		__typeof__(p) taken_ = *taken_from_;	\
		*taken_from_ = NULL;			\
		taken_;					\
	})

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#endif
