/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TREE_FIXTURE_H
#define TREE_FIXTURE_H

/* A root file system with one of everything, made to lead astray who follows names: /tmp/mrgt-tree-XXXXXX/{root,canary,work}. */

#include "core/migrate/tree/tree.h"

struct tree_fixture {
	char top[64];
	int dir, root, canary;		/* the top, and what is below it */
	struct mrg_error err;
};

int tree_fixture_init(struct tree_fixture *f);
void tree_fixture_deinit(struct tree_fixture *f);

/* For cmocka: no test may have changed the canary. */
int tree_fixture_teardown(void **state);

#define NEEDS_ROOT()	do { if (geteuid() != 0) { print_message("needs root\n"); skip(); } } while (0)

/* A success, or its error. */
#define assert_works(f, call)	do { int r_ = (call); if (r_ < 0) fail_msg("%s: %s", #call, (f)->err.message); } while (0)

/* Makes the hostile root; needs root's rights. */
int tree_fixture_fill(struct tree_fixture *f);

/* Whether the canary is as it was made: contents, owner, mode, times. */
int tree_fixture_canary_lives(struct tree_fixture *f);

/* Makes a regular file. */
int tree_fixture_file(int dir, const char *name, const char *text, mode_t mode);

/* A chain of @levels directories, "d/d/d...", below @dir, with a file in the last. */
int tree_fixture_deep(int dir, unsigned int levels);

/* A capability attribute: cap_net_raw+ep, of version 3 when @rootid is not 0. The length. */
size_t tree_fixture_capability(unsigned char ret[24], uint32_t rootid);

/* An ACL with one more user and one more group. The length. */
#define TREE_FIXTURE_ACL	52
size_t tree_fixture_acl(unsigned char ret[TREE_FIXTURE_ACL], uint32_t uid, uint32_t gid);

/* For cmocka: the fixture, empty; and with the hostile root, where rights allow it (what needs them is skipped without). */
int tree_fixture_setup(void **state);
int tree_fixture_setup_filled(void **state);

/* Ids of a user namespace, far from all others. */
extern const struct tree_map tree_fixture_far;

const char *tree_fixture_digest(struct tree_fixture *f, int dir, const struct tree_map *map, char ret[TREE_DIGEST_SIZE]);

/* Both trees are equal, @a with its owners mapped. */
void tree_fixture_same(struct tree_fixture *f, int a, const struct tree_map *map, int b);

/* The directory @name of the top, open. */
int tree_fixture_open(struct tree_fixture *f, const char *name);

/* A progress that ends the work after as many calls as the int @data says. */
int tree_fixture_count_down(const struct tree_progress *progress, void *data);

#endif
