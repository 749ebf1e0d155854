/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ROOT_FIXTURE_H
#define ROOT_FIXTURE_H

/* A small root file system, and code that runs in a mount namespace of its own. */

#include <limits.h>

struct root_fixture {
	char top[64];			/* removed at the end */
	char root[80];			/* TOP/root: /bin, /etc, with busybox when there is one */
	char canary[80];		/* TOP/canary: outside of the root, empty */
};

int root_fixture_init(struct root_fixture *f);
void root_fixture_deinit(struct root_fixture *f);

/* Makes busybox and the links NAMES (NULL-terminated) to it in /bin; 0, or -1 when the host has none. */
int root_fixture_busybox(const struct root_fixture *f, const char *const *names);

/* Whether @path is a directory without entries. */
int is_empty_directory(const char *path);

/* Runs @check in a child with private mounts; what it returns (0-100), 127 when the namespace cannot be made. */
int in_mount_namespace(int (*check)(void *data), void *data);

/* In such a child: ends it with @line when @condition is false. */
#define EXPECT(condition)	do { if (!(condition)) { expect_failed(#condition, __FILE__, __LINE__); return 1; } } while (0)
void expect_failed(const char *condition, const char *file, int line);

#endif
