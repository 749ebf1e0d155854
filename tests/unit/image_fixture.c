/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/archive/tar/tar.h"
#include "core/archive/transfer.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "tests/unit/image_fixture.h"

int image_setup(void **state, const char *name)
{
	struct world *w = calloc(1, sizeof(*w));

	*state = w;
	if (!w || setup(&w->fixture) < 0)
		return -1;
	w->dir = -1;
	snprintf(w->image, sizeof(w->image), "%s/%s", ((struct fixture *)w->fixture)->top, name);
	return 0;
}

int image_teardown(void **state)
{
	struct world *w = *state;
	int r;

	fd_close(w->dir);
	fd_remove_tree(AT_FDCWD, w->image);
	r = teardown(&w->fixture);
	free(w);
	return r;
}

/* Bytes that grow as a stream is written. */
static int add_bytes(void *data, const void *bytes, size_t length, struct mrg_error *err)
{
	(void)err;
	buffer_add(data, bytes, length);
	return 0;
}

static mode_t type_of(const struct item *item)
{
	return item->other ? 0 : item->link ? S_IFLNK : item->text ? S_IFREG : S_IFDIR;
}

void image_tar(struct world *w, const struct item *items, const char *codec, struct buffer *ret)
{
	struct stream_writer out;

	assert_works(w, stream_writer_init(&out, add_bytes, ret, codec, &w->err));
	for (; items->path; items++) {
		uint64_t size = items->length ? items->length : items->text ? strlen(items->text) : 0;
		struct tar_entry e = { .type = type_of(items), .path = (char *)items->path, .link = (char *)(items->other ? items->other : items->link),
				       .mode = 0755, .uid = geteuid(), .gid = getegid(), .size = size };

		assert_works(w, tar_write_entry(&out, &e, &w->err));
		assert_works(w, items->text ? stream_write(&out, items->text, size, &w->err) : 0);
		assert_works(w, items->text ? tar_write_padding(&out, size, &w->err) : 0);
	}
	assert_works(w, tar_write_end(&out, &w->err));
	assert_works(w, stream_writer_end(&out, &w->err));
	stream_writer_deinit(&out);
}

void image_digest(struct world *w, const void *data, size_t length, char ret[SHA256_TEXT])
{
	_cleanup_(sha256_freep) struct sha256 *h = NULL;
	unsigned char digest[SHA256_SIZE];

	assert_works(w, sha256_new(&h, &w->err));
	sha256_add(h, data, length);
	assert_int_equal(sha256_end(h, digest), 0);
	sha256_text(digest, ret);
}

static void note(const char *text, void *data)
{
	struct world *w = data;
	size_t n = strlen(w->notes);

	snprintf(w->notes + n, sizeof(w->notes) - n, "%s\n", text);
}

int image_import(struct world *w, const char *source, struct mrg_container **ret)
{
	struct fixture *f = w->fixture;
	const struct mrg_import import = { .source = source, .name = "mrgt-image", .backend = "fake", .transfer = { .note = note, .data = w } };

	w->err = (struct mrg_error) { 0 };
	*w->notes = '\0';
	return mrg_import(f->m, &import, ret, &w->err);
}
