/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef IMAGE_FIXTURE_H
#define IMAGE_FIXTURE_H

/* Images of layers, imported on the fake backend. cmocka.h comes before. */

#include "core/util/sha256.h"
#include "core/util/str.h"
#include "tests/unit/container_fixture.h"

struct world {
	void *fixture;			/* struct fixture: containers */
	char image[80];			/* a file or directory beside them */
	int dir;			/* it, open, where it is a directory; else -1 */
	char notes[512];		/* what an import has told */
	struct mrg_error err;
};

#define assert_works(w, call)	do { int r_ = (call); if (r_ < 0) fail_msg("%s: %s", #call, (w)->err.message); } while (0)

/* A world whose image is called @name, and not made yet. */
int image_setup(void **state, const char *name);
int image_teardown(void **state);

/* An entry of a tar: a file when it has a @text, a symlink when it has a @link, a further name of the file @other, else a directory. */
struct item {
	const char *path, *text, *link, *other;
	size_t length;			/* of the text, where it is none */
};

/* Appends a tar of @items, the last one without a path, packed by @codec. */
void image_tar(struct world *w, const struct item *items, const char *codec, struct buffer *ret);

void image_digest(struct world *w, const void *data, size_t length, char ret[SHA256_TEXT]);

/* As "moorage import SOURCE --name mrgt-image". */
int image_import(struct world *w, const char *source, struct mrg_container **ret);

#endif
