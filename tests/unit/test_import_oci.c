/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Image layouts that are directories, on the fake backend: layers over each other, the image for this machine, and what is hostile. */

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
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/archive/tar.h"
#include "core/archive/transfer.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/sha256.h"
#include "tests/unit/container_fixture.h"

struct world {
	void *fixture;			/* struct fixture: containers */
	char layout[64];
	int dir;			/* it, open */
	char note[256];			/* the last that was told */
	struct mrg_error err;
};

#define assert_works(w, call)	do { int r_ = (call); if (r_ < 0) fail_msg("%s: %s", #call, (w)->err.message); } while (0)

static int setup_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	*state = w;
	if (!w || setup(&w->fixture) < 0)
		return -1;
	snprintf(w->layout, sizeof(w->layout), "%s/layout", ((struct fixture *)w->fixture)->top);
	if (mkdir(w->layout, 0700) < 0)
		return -1;
	w->dir = open(w->layout, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return mkdirat(w->dir, "blobs", 0700) < 0 || mkdirat(w->dir, "blobs/sha256", 0700) < 0 ||
	       fd_make_file(w->dir, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}", 30, false) < 0 ? -1 : 0;
}

static int teardown_world(void **state)
{
	struct world *w = *state;
	int r;

	fd_remove_tree(AT_FDCWD, w->layout);
	fd_close(w->dir);
	r = teardown(&w->fixture);
	free(w);
	return r;
}

/* ---- making layouts ------------------------------------------------------------------------- */

static void put_file(struct world *w, const char *name, const void *data, size_t length)
{
	_cleanup_close_ int fd = openat(w->dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(fd_write_all(fd, data, length), 0);
}

/* A blob of these bytes; *ret is its name. */
static void put_blob(struct world *w, const void *data, size_t length, char ret[SHA256_TEXT])
{
	_cleanup_(sha256_freep) struct sha256 *h = NULL;
	unsigned char digest[SHA256_SIZE];
	char name[128];

	assert_works(w, sha256_new(&h, &w->err));
	sha256_add(h, data, length);
	assert_int_equal(sha256_end(h, digest), 0);
	snprintf(name, sizeof(name), "blobs/sha256/%s", sha256_text(digest, ret));
	put_file(w, name, data, length);
}

/* A document as a blob, with its text made by @format. */
static void put_document(struct world *w, char ret[SHA256_TEXT], const char *format, ...) __attribute__((format(printf, 3, 4)));

static void put_document(struct world *w, char ret[SHA256_TEXT], const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	assert_true(vasprintf(&text, format, args) >= 0);
	va_end(args);
	put_blob(w, text, strlen(text), ret);
}

static void put_index(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put_index(struct world *w, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	assert_true(vasprintf(&text, format, args) >= 0);
	va_end(args);
	put_file(w, "index.json", text, strlen(text));
}

/* An entry of a layer: a file when it has a @text, a further name when it has a @link, else a directory. */
struct item {
	const char *path, *text, *link;
};

static void put_layer(struct world *w, const struct item *items, char ret[SHA256_TEXT])
{
	_cleanup_close_ int fd = openat(w->dir, "layer", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	_cleanup_free_ char *text = NULL;
	struct stream_writer out;
	size_t length;

	assert_works(w, stream_writer_init(&out, stream_sink_fd, &fd, "gzip", &w->err));
	for (; items->path; items++) {
		struct tar_entry e = { .type = items->link ? 0 : items->text ? S_IFREG : S_IFDIR, .path = (char *)items->path, .link = (char *)items->link,
				       .mode = 0755, .uid = geteuid(), .gid = getegid(), .size = items->text ? strlen(items->text) : 0 };

		assert_works(w, tar_write_entry(&out, &e, &w->err));
		assert_works(w, items->text ? stream_write(&out, items->text, e.size, &w->err) : 0);
		assert_works(w, items->text ? tar_write_padding(&out, e.size, &w->err) : 0);
	}
	assert_works(w, tar_write_end(&out, &w->err));
	assert_works(w, stream_writer_end(&out, &w->err));
	stream_writer_deinit(&out);
	assert_works(w, fd_read_file(w->dir, "layer", 1 << 20, &text, &length));
	put_blob(w, text, length, ret);
	assert_int_equal(unlinkat(w->dir, "layer", 0), 0);
}

/* An image of one layer that holds the file @name; *ret is its manifest. */
static void put_image(struct world *w, const char *name, char ret[SHA256_TEXT])
{
	const struct item items[] = { { name, name, NULL }, { NULL, NULL, NULL } };
	char layer[SHA256_TEXT], config[SHA256_TEXT];

	put_layer(w, items, layer);
	put_document(w, config, "{\"config\":{\"Cmd\":[\"/%s\"]}}", name);
	put_document(w, ret, "{\"config\":{\"digest\":\"sha256:%s\"},\"layers\":[{\"digest\":\"sha256:%s\"}]}", config, layer);
}

static const char *our_architecture(void)
{
	static const struct { const char *machine, *name; } names[] = { { "x86_64", "amd64" }, { "aarch64", "arm64" } };
	static struct utsname host;

	assert_int_equal(uname(&host), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i].machine, host.machine) == 0)
			return names[i].name;
	return host.machine;
}

/* ---- importing ------------------------------------------------------------------------------ */

static void note(const char *text, void *data)
{
	struct world *w = data;

	snprintf(w->note, sizeof(w->note), "%s", text);
}

/* @source NULL: the layout as it is. */
static int import_it(struct world *w, const char *source, struct mrg_container **ret)
{
	struct fixture *f = w->fixture;
	const struct mrg_import import = { .source = source ? source : w->layout, .name = "mrgt-image", .backend = "fake", .transfer = { .note = note, .data = w } };

	w->err = (struct mrg_error) { 0 };
	*w->note = '\0';
	return mrg_import(f->m, &import, ret, &w->err);
}

/* Nothing but the layout is there. */
static void assert_nothing(struct world *w)
{
	struct fixture *f = w->fixture;
	char path[80];

	assert_int_equal(names(f), 0);
	snprintf(path, sizeof(path), "%s/state/roots", f->top);
	assert_int_equal(access(path, F_OK), -1);
	snprintf(path, sizeof(path), "%s/state/imports", f->top);
	assert_int_equal(access(path, F_OK), -1);
}

static void layers_lie_over_each_other(void **state)
{
	static const struct item lower[] = {
		{ "etc/", NULL, NULL }, { "etc/one", "lower", NULL }, { "etc/two", NULL, "etc/one" }, { "gone", "x", NULL }, { "tree/", NULL, NULL },
		{ "tree/deep/", NULL, NULL }, { "tree/deep/file", "x", NULL }, { "opaque/", NULL, NULL }, { "opaque/old", "x", NULL },
		{ "turns/", NULL, NULL }, { "turns/in", "x", NULL }, { NULL, NULL, NULL },
	};
	/* A further name of a file below; marks; a directory that becomes a file; one name of two that is replaced. */
	static const struct item upper[] = {
		{ "etc/three", NULL, "etc/one" }, { "etc/two", "upper", NULL }, { ".wh.gone", "", NULL }, { ".wh.tree", "", NULL }, { "opaque/", NULL, NULL },
		{ "opaque/new", "x", NULL }, { "opaque/.wh..wh..opq", "", NULL }, { "turns", "file", NULL }, { "etc/.wh.never", "", NULL }, { NULL, NULL, NULL },
	};
	struct world *w = *state;
	char a[SHA256_TEXT], b[SHA256_TEXT], config[SHA256_TEXT], manifest[SHA256_TEXT];
	struct mrg_container *c;

	put_layer(w, lower, a);
	put_layer(w, upper, b);
	put_document(w, config, "{\"config\":{\"Entrypoint\":[\"/bin/x\"],\"Cmd\":[\"y\"],\"WorkingDir\":\"/etc\"}}");
	put_document(w, manifest, "{\"config\":{\"digest\":\"sha256:%s\"},\"layers\":[{\"digest\":\"sha256:%s\"},{\"digest\":\"sha256:%s\"}]}", config, a, b);
	put_index(w, "{\"manifests\":[{\"digest\":\"sha256:%s\"}]}", manifest);
	assert_works(w, import_it(w, NULL, &c));
	assert_string_equal(mrg_container_spec(c)->args[1], "y");
	assert_string_equal(mrg_container_spec(c)->cwd, "/etc");
	assert_true(root_has(c, "etc/one", "lower") && root_has(c, "etc/two", "upper") && root_has(c, "etc/three", "lower") && root_has(c, "turns", "file"));
	assert_true(root_has(c, "opaque/new", NULL) && !root_has(c, "opaque/old", NULL) && !root_has(c, "gone", NULL) && !root_has(c, "tree", NULL));
	assert_false(root_has(c, ".wh.gone", NULL) || root_has(c, "opaque/.wh..wh..opq", NULL) || root_has(c, "etc/.wh.never", NULL));
	finish(c);
	assert_nothing(w);
}

static void the_image_for_this_machine_is_taken(void **state)
{
	struct world *w = *state;
	char ours[SHA256_TEXT], other[SHA256_TEXT], nested[SHA256_TEXT];
	struct mrg_container *c;

	put_image(w, "ours", ours);
	put_image(w, "other", other);
	put_document(w, nested,
		     "{\"manifests\":[{\"digest\":\"sha256:%s\",\"platform\":{\"architecture\":\"vax\",\"os\":\"linux\"}},"
		     "{\"digest\":\"sha256:%s\",\"platform\":{\"architecture\":\"%s\",\"os\":\"windows\"}},"
		     "{\"digest\":\"sha256:%s\",\"platform\":{\"architecture\":\"%s\",\"os\":\"linux\"}},"
		     "{\"digest\":\"sha256:%s\",\"platform\":{\"architecture\":\"unknown\",\"os\":\"unknown\"}}]}",
		     other, other, our_architecture(), ours, our_architecture(), other);
	put_index(w, "{\"manifests\":[{\"digest\":\"sha256:%s\"}]}", nested);
	assert_works(w, import_it(w, NULL, &c));
	assert_true(root_has(c, "ours", NULL));
	finish(c);

	put_document(w, nested,
		     "{\"manifests\":[{\"digest\":\"sha256:%s\",\"platform\":{\"architecture\":\"vax\"}},"
		     "{\"digest\":\"sha256:%s\",\"platform\":{\"architecture\":\"pdp11\"}}]}",
		     other, other);
	put_index(w, "{\"manifests\":[{\"digest\":\"sha256:%s\"}]}", nested);
	assert_int_equal(import_it(w, NULL, &c), -MRG_E_INVALID);
	assert_non_null(strstr(w->err.message, our_architecture()));
	assert_non_null(strstr(w->err.message, "vax, pdp11"));
	assert_nothing(w);
}

static void a_tag_tells_which(void **state)
{
	struct world *w = *state;
	char one[SHA256_TEXT], two[SHA256_TEXT], source[96];
	struct mrg_container *c;

	put_image(w, "one", one);
	put_image(w, "two", two);
	put_index(w,
		  "{\"manifests\":[{\"digest\":\"sha256:%s\",\"annotations\":{\"org.opencontainers.image.ref.name\":\"v1\"}},"
		  "{\"digest\":\"sha256:%s\",\"annotations\":{\"org.opencontainers.image.ref.name\":\"v2\"}}]}",
		  one, two);
	snprintf(source, sizeof(source), "oci:%s:v2", w->layout);
	assert_works(w, import_it(w, source, &c));
	assert_true(root_has(c, "two", NULL));
	finish(c);
	snprintf(source, sizeof(source), "oci:%s", w->layout);
	assert_works(w, import_it(w, source, &c));
	assert_true(root_has(c, "one", NULL));
	assert_non_null(strstr(w->note, "2 images"));
	finish(c);
	snprintf(source, sizeof(source), "oci:%s:v3", w->layout);
	assert_int_equal(import_it(w, source, &c), -MRG_E_INVALID);
	assert_non_null(strstr(w->err.message, "v1, v2"));
}

static void what_is_hostile_is_refused(void **state)
{
	static const struct {
		const char *index, *text;
	} cases[] = {
		{ "{}", "nothing for this kind" },
		{ "[]", "no object" },
		{ "{\"manifests\":[{\"digest\":\"sha256:../../../../etc/passwd\"}]}", "no SHA-256" },
		{ "{\"manifests\":[{\"digest\":\"sha512:00\"}]}", "no SHA-256" },
		{ "{\"manifests\":[{\"digest\":7}]}", "no SHA-256" },
		{ "{\"manifests\":[{\"digest\":\"sha256:0000000000000000000000000000000000000000000000000000000000000000\"}]}", "lacks" },
		{ "{\"manifests\":[{\"digest\":\"sha256:1111111111111111111111111111111111111111111111111111111111111111\"}]}", "no file" },
		{ "{\"manifests\":[{\"digest\":\"sha256:2222222222222222222222222222222222222222222222222222222222222222\"}]}", "no file" },
		{ "{\"manifests\":[{\"digest\":\"sha256:3333333333333333333333333333333333333333333333333333333333333333\"}]}", "does not fit" },
	};
	struct world *w = *state;
	struct mrg_container *c;

	assert_int_equal(symlinkat("/etc/passwd", w->dir, "blobs/sha256/1111111111111111111111111111111111111111111111111111111111111111"), 0);
	assert_int_equal(mkfifoat(w->dir, "blobs/sha256/2222222222222222222222222222222222222222222222222222222222222222", 0600), 0);
	put_file(w, "blobs/sha256/3333333333333333333333333333333333333333333333333333333333333333", "{}", 2);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		put_index(w, "%s", cases[i].index);
		assert_true(import_it(w, NULL, &c) < 0);
		if (!strstr(w->err.message, cases[i].text))
			fail_msg("case %zu says: %s", i, w->err.message);
		assert_nothing(w);
	}
}

/* Names of a layer that lead out, and marks that would remove what is not in it. */
static void hostile_layers_are_refused(void **state)
{
	static const struct {
		struct item items[2];
		const char *text;
	} layers[] = {
		{ { { "../out", "x", NULL } }, "lead outside" },
		{ { { "a/../../out", "x", NULL } }, "lead outside" },
		{ { { "a/.wh...", "", NULL } }, "names nothing" },
		{ { { ".wh..", "", NULL } }, "names nothing" },
		{ { { "link", NULL, "../layout/oci-layout" } }, "lead outside" },
		{ { { "link", NULL, "/nowhere" } }, "make the link" },
	};
	struct world *w = *state;
	char layer[SHA256_TEXT], config[SHA256_TEXT], manifest[SHA256_TEXT];
	struct mrg_container *c;

	put_document(w, config, "{}");
	for (size_t i = 0; i < ARRAY_SIZE(layers); i++) {
		put_layer(w, layers[i].items, layer);
		put_document(w, manifest, "{\"config\":{\"digest\":\"sha256:%s\"},\"layers\":[{\"digest\":\"sha256:%s\"}]}", config, layer);
		put_index(w, "{\"manifests\":[{\"digest\":\"sha256:%s\"}]}", manifest);
		assert_true(import_it(w, NULL, &c) < 0);
		if (!strstr(w->err.message, layers[i].text))
			fail_msg("layer %zu: %s", i, w->err.message);
		assert_nothing(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(layers_lie_over_each_other, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(the_image_for_this_machine_is_taken, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(a_tag_tells_which, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(what_is_hostile_is_refused, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(hostile_layers_are_refused, setup_world, teardown_world),
	};

	return cmocka_run_group_tests_name("import_oci", tests, NULL, NULL);
}
