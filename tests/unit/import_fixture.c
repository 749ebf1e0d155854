/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/archive/tar/tar.h"
#include "core/archive/transfer.h"
#include "core/util/cleanup.h"
#include "tests/unit/import_fixture.h"

int setup_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	*state = w;
	if (!w || setup(&w->fixture) < 0 || tree_fixture_init(&w->tree) < 0)
		return -1;
	snprintf(w->archive, sizeof(w->archive), "%s/archive.tar", w->tree.top);
	return geteuid() == 0 ? tree_fixture_fill(&w->tree) : 0;
}

int teardown_world(void **state)
{
	struct world *w = *state;
	struct fixture *f = w->fixture;
	int r = tree_fixture_canary_lives(&w->tree) ? 0 : -1;
	char roots[80];

	snprintf(roots, sizeof(roots), "%s/state/roots", f->top);
	tree_remove(AT_FDCWD, roots, NULL, NULL);
	tree_fixture_deinit(&w->tree);
	r = teardown(&w->fixture) < 0 ? -1 : r;
	free(w);
	return r;
}

void release(struct mrg_container *c)
{
	mrg_container_free(c);
}

bool nothing_is_left(struct world *w)
{
	struct fixture *f = w->fixture;
	char path[80];

	snprintf(path, sizeof(path), "%s/state/imports", f->top);
	if (access(path, F_OK) == 0)
		return false;
	snprintf(path, sizeof(path), "%s/state/roots", f->top);
	return access(path, F_OK) < 0;
}

int import_one(struct world *w, const char *name, const char *const *accept, struct mrg_container **ret)
{
	struct fixture *f = w->fixture;
	const struct mrg_import import = { .source = w->archive, .name = name, .backend = "fake", .accept = accept };

	w->err = (struct mrg_error) { 0 };
	return mrg_import(f->m, &import, ret, &w->err);
}

void write_archive(struct world *w, const char *json)
{
	_cleanup_close_ int fd = open(w->archive, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	_cleanup_free_ char *manifest = NULL;
	struct archive_manifest m = { .name = (char *)"mrgt-evil", .backend = (char *)"fake" };
	struct tar_entry root = { .type = S_IFDIR, .path = (char *)"rootfs/", .mode = 0755, .seconds = 1 };
	struct stream_writer out;
	_cleanup_close_ int empty = -1;

	assert_works(w, archive_text_digest(json, m.spec, &w->err));
	assert_int_equal(mkdirat(w->tree.dir, "empty", 0755) < 0 && errno != EEXIST, 0);
	empty = openat(w->tree.dir, "empty", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(futimens(empty, (struct timespec[2]){ { 1, 0 }, { 1, 0 } }), 0);
	assert_works(w, tree_digest(empty, NULL, NULL, m.root, &w->err));
	assert_works(w, archive_manifest_write(&m, &manifest, &w->err));
	assert_works(w, stream_writer_init(&out, stream_sink_fd, &fd, NULL, &w->err));
	assert_works(w, tar_write_text(&out, ARCHIVE_MANIFEST, manifest, &w->err));
	assert_works(w, tar_write_text(&out, ARCHIVE_SPEC, json, &w->err));
	assert_works(w, tar_write_entry(&out, &root, &w->err));
	assert_works(w, tar_write_end(&out, &w->err));
	stream_writer_deinit(&out);
}

int see_nothing(struct mrg_container *c, void *data)
{
	(void)c;
	(void)data;
	return 0;
}
