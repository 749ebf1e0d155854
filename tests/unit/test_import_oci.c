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
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "tests/unit/image_fixture.h"

static int setup_world(void **state)
{
	struct world *w;

	if (image_setup(state, "layout") < 0)
		return -1;
	w = *state;
	if (mkdir(w->image, 0700) < 0)
		return -1;
	w->dir = open(w->image, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return mkdirat(w->dir, "blobs", 0700) < 0 || mkdirat(w->dir, "blobs/sha256", 0700) < 0 ||
	       fd_make_file(w->dir, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}", 30, false) < 0 ? -1 : 0;
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
	char name[128];

	image_digest(w, data, length, ret);
	snprintf(name, sizeof(name), "blobs/sha256/%s", ret);
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

static void put_layer(struct world *w, const struct item *items, char ret[SHA256_TEXT])
{
	_cleanup_(buffer_deinit) struct buffer packed = { 0 };

	image_tar(w, items, "gzip", &packed);
	put_blob(w, packed.text, packed.length, ret);
}

/* An image of one layer that holds the file @name; *ret is its manifest. */
static void put_image(struct world *w, const char *name, char ret[SHA256_TEXT])
{
	const struct item items[] = { { .path = name, .text = name }, { 0 } };
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

/* @source NULL: the layout as it is. */
static int import_it(struct world *w, const char *source, struct mrg_container **ret)
{
	return image_import(w, source ? source : w->image, ret);
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
		{ .path = "etc/" }, { .path = "etc/one", .text = "lower" }, { .path = "etc/two", .other = "etc/one" },
		{ .path = "gone", .text = "x" }, { .path = "tree/" },
		{ .path = "tree/deep/" }, { .path = "tree/deep/file", .text = "x" }, { .path = "opaque/" }, { .path = "opaque/old", .text = "x" },
		{ .path = "turns/" }, { .path = "turns/in", .text = "x" }, { 0 },
	};
	/* A further name of a file below; marks; a directory that becomes a file; one name of two that is replaced. */
	static const struct item upper[] = {
		{ .path = "etc/three", .other = "etc/one" }, { .path = "etc/two", .text = "upper" }, { .path = ".wh.gone", .text = "" },
		{ .path = ".wh.tree", .text = "" }, { .path = "opaque/" },
		{ .path = "opaque/new", .text = "x" }, { .path = "opaque/.wh..wh..opq", .text = "" }, { .path = "turns", .text = "file" },
		{ .path = "etc/.wh.never", .text = "" }, { 0 },
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
	snprintf(source, sizeof(source), "oci:%s:v2", w->image);
	assert_works(w, import_it(w, source, &c));
	assert_true(root_has(c, "two", NULL));
	finish(c);
	snprintf(source, sizeof(source), "oci:%s", w->image);
	assert_works(w, import_it(w, source, &c));
	assert_true(root_has(c, "one", NULL));
	assert_non_null(strstr(w->notes, "2 images"));
	finish(c);
	snprintf(source, sizeof(source), "oci:%s:v3", w->image);
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
		{ { { .path = "../out", .text = "x" } }, "lead outside" },
		{ { { .path = "a/../../out", .text = "x" } }, "lead outside" },
		{ { { .path = "a/.wh...", .text = "" } }, "names nothing" },
		{ { { .path = ".wh..", .text = "" } }, "names nothing" },
		{ { { .path = "link", .other = "../layout/oci-layout" } }, "lead outside" },
		{ { { .path = "link", .other = "/nowhere" } }, "make the link" },
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
		cmocka_unit_test_setup_teardown(layers_lie_over_each_other, setup_world, image_teardown),
		cmocka_unit_test_setup_teardown(the_image_for_this_machine_is_taken, setup_world, image_teardown),
		cmocka_unit_test_setup_teardown(a_tag_tells_which, setup_world, image_teardown),
		cmocka_unit_test_setup_teardown(what_is_hostile_is_refused, setup_world, image_teardown),
		cmocka_unit_test_setup_teardown(hostile_layers_are_refused, setup_world, image_teardown),
	};

	return cmocka_run_group_tests_name("import_oci", tests, NULL, NULL);
}
