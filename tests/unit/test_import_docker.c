/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Archives of "docker save", on the fake backend: layers over each other, layers that are links, one image of several, and what is hostile. */

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "tests/unit/image_fixture.h"

#define ID_A	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B	"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define ID_C	"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static int setup_world(void **state)
{
	return image_setup(state, "image.tar");
}

/* ---- making archives ------------------------------------------------------------------------ */

static const struct item lower[] = {
	{ .path = "etc/" }, { .path = "etc/one", .text = "lower" }, { .path = "gone", .text = "x" }, { .path = "opaque/" }, { .path = "opaque/old", .text = "x" }, { 0 },
};
static const struct item upper[] = {
	{ .path = "etc/one", .text = "upper" }, { .path = ".wh.gone", .text = "" }, { .path = "opaque/" }, { .path = "opaque/.wh..wh..opq", .text = "" },
	{ .path = "out", .link = "/etc" }, { .path = "out/passwd", .text = "inside" }, { 0 },
};

/* The image of both layers, the upper one by @top and packed by @codec; the manifest is @manifest. @damage: the checksum of the upper one is another. */
static void write_image(struct world *w, const char *manifest, const char *codec, bool damage)
{
	_cleanup_(buffer_deinit) struct buffer a = { 0 }, b = { 0 }, packed = { 0 }, whole = { 0 };
	char one[SHA256_TEXT], two[SHA256_TEXT], config[512];
	_cleanup_close_ int fd = open(w->image, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	image_tar(w, lower, NULL, &a);
	image_tar(w, upper, NULL, &b);
	image_tar(w, upper, codec, &packed);
	image_digest(w, a.text, a.length, one);
	image_digest(w, damage ? a.text : b.text, damage ? a.length : b.length, two);
	snprintf(config, sizeof(config), "{\"config\":{\"Cmd\":[\"/bin/x\"],\"User\":\"7\",\"ExposedPorts\":{\"80/tcp\":{}}},"
		 "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:%s\",\"sha256:%s\"]}}", one, two);
	const struct item items[] = {
		{ .path = ID_A "/" }, { .path = ID_A "/layer.tar", .text = a.text, .length = a.length },
		{ .path = ID_B ".tar", .text = packed.text, .length = packed.length }, { .path = ID_B "/layer.tar", .link = "../" ID_B ".tar" },
		{ .path = ID_C "/loop", .link = "loop" }, { .path = ID_C "/out", .link = "../../etc/passwd" }, { .path = ID_C "/host", .link = "/etc/passwd" },
		{ .path = ID_C ".json", .text = config }, { .path = "none.json", .text = "{}" }, { .path = "manifest.json", .text = manifest }, { 0 },
	};

	image_tar(w, items, NULL, &whole);
	assert_int_equal(fd_write_all(fd, whole.text, whole.length), 0);
}

#define IMAGE(tags, config, layers)	"{\"Config\":\"" config "\",\"RepoTags\":[" tags "],\"Layers\":[" layers "]}"
#define BOTH				"\"" ID_A "/layer.tar\",\"" ID_B ".tar\""
#define WHOLE(layers)			"[" IMAGE("\"x:1\"", ID_C ".json", layers) "]"

/* ---- importing ------------------------------------------------------------------------------ */

static int import_it(struct world *w, const char *tag, struct mrg_container **ret)
{
	char source[160];

	snprintf(source, sizeof(source), "%s%s%s%s", tag ? "docker-archive:" : "", w->image, tag ? ":" : "", tag ? tag : "");
	return image_import(w, source, ret);
}

static void layers_lie_over_each_other(void **state)
{
	static const struct {
		const char *manifest, *codec;
	} ways[] = {
		{ WHOLE(BOTH), NULL }, { WHOLE(BOTH), "gzip" }, { WHOLE("\"" ID_A "/layer.tar\",\"" ID_B "/layer.tar\""), NULL },
	};
	struct world *w = *state;
	struct mrg_container *c;

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		write_image(w, ways[i].manifest, ways[i].codec, false);
		assert_works(w, import_it(w, NULL, &c));
		assert_string_equal(mrg_container_spec(c)->args[0], "/bin/x");
		assert_string_equal(mrg_container_spec(c)->user, "7");
		assert_true(root_has(c, "etc/one", "upper") && !root_has(c, "gone", NULL) && root_has(c, "opaque", NULL) && !root_has(c, "opaque/old", NULL));
		assert_true(root_has(c, "etc/passwd", "inside"));
		assert_non_null(strstr(w->notes, "not taken: ExposedPorts\n"));
		finish(c);
	}
}

static void a_tag_tells_which(void **state)
{
	struct world *w = *state;
	struct mrg_container *c;

	write_image(w, "[" IMAGE("\"x:1\"", ID_C ".json", BOTH) "," IMAGE("\"y:latest\",\"z:3\"", ID_C ".json", BOTH) "]", NULL, false);
	assert_works(w, import_it(w, NULL, &c));
	assert_non_null(strstr(w->notes, "2 images"));
	finish(c);
	assert_works(w, import_it(w, "y", &c));
	assert_null(strstr(w->notes, "images"));
	finish(c);
	assert_int_equal(import_it(w, "x:2", &c), -MRG_E_INVALID);
	assert_non_null(strstr(w->err.message, "x:1, y:latest, z:3"));
}

static void what_is_hostile_is_refused(void **state)
{
	static const struct {
		const char *manifest, *text;
		bool damage;
	} cases[] = {
		{ "{\"Layers\":1}", "no array", false },
		{ "[{\"Layers\":1}]", "no configuration", false },
		{ "[\"Layers\"]", "no configuration", false },
		{ "[ \n] \"Layers\"", "line 2", false },
		{ "[" IMAGE("", ID_C ".json", "") "]", "no layers", false },
		{ "[" IMAGE("", "../../etc/passwd", BOTH) "]", "lacks", false },
		{ "[" IMAGE("", "/etc/passwd", BOTH) "]", "lacks", false },
		{ "[" IMAGE("", "none.json", BOTH) "]", "no checksums", false },
		{ "[" IMAGE("", ID_A "/layer.tar", BOTH) "]", "line 1", false },
		{ WHOLE("\"" ID_A "/layer.tar\""), "1 layers and 2 checksums", false },
		{ WHOLE("\"" ID_A "/layer.tar\",7"), "no text", false },
		{ WHOLE("\"" ID_A "/layer.tar\",\"" ID_C "/loop\""), "no file", false },
		{ WHOLE("\"" ID_A "/layer.tar\",\"" ID_C "/out\""), "no file", false },
		{ WHOLE("\"" ID_A "/layer.tar\",\"" ID_C "/host\""), "no file", false },
		{ WHOLE("\"" ID_A "/layer.tar\",\"" ID_A "\""), "no file", false },
		{ WHOLE(BOTH), "does not fit", true },
	};
	struct world *w = *state;
	struct fixture *f = w->fixture;
	struct mrg_container *c;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		write_image(w, cases[i].manifest, NULL, cases[i].damage);
		if (import_it(w, NULL, &c) >= 0 || !strstr(w->err.message, cases[i].text))
			fail_msg("case %zu says: %s", i, w->err.message);
		assert_int_equal(names(f), 0);
	}
}

/* A root may have a file of that name. */
static void a_root_stays_one(void **state)
{
	static const struct item items[] = { { .path = "manifest.json", .text = "[]" }, { .path = "bin/" }, { 0 } };
	_cleanup_(buffer_deinit) struct buffer b = { 0 };
	struct world *w = *state;
	struct mrg_container *c;
	int fd = open(w->image, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	image_tar(w, items, NULL, &b);
	assert_int_equal(fd_write_all(fd, b.text, b.length), 0);
	close(fd);
	assert_works(w, import_it(w, NULL, &c));
	assert_true(root_has(c, "manifest.json", "[]") && root_has(c, "bin", NULL));
	finish(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(layers_lie_over_each_other, setup_world, image_teardown),
		cmocka_unit_test_setup_teardown(a_tag_tells_which, setup_world, image_teardown),
		cmocka_unit_test_setup_teardown(what_is_hostile_is_refused, setup_world, image_teardown),
		cmocka_unit_test_setup_teardown(a_root_stays_one, setup_world, image_teardown),
	};

	return cmocka_run_group_tests_name("import_docker", tests, NULL, NULL);
}
