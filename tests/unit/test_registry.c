/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loading plugins: every malformed one is refused with its own sentence, and none stops the others. */

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
#include <unistd.h>

#include "core/registry/registry.h"
#include "core/registry/module.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/str.h"

static char *bad_dir(void)
{
	const char *build = getenv("abs_top_builddir");
	char *dir;

	assert_true(asprintf(&dir, "%s/tests/fake/bad/.libs", build ? build : ".") > 0);
	return dir;
}

static struct mrg *context(const char *path)
{
	struct mrg_options options = {
		.state_dir = "/nonexistent", .run_dir = "/nonexistent", .backend_path = path,
	};
	struct mrg *m = NULL;

	assert_int_equal(mrg_new(&m, &options, NULL), 0);
	return m;
}

/* A directory of its own below /tmp with, when @from is given, a copy of that plugin as NAME.so. */
struct place {
	char dir[32];
	char file[64];
};

static void put(const char *path, const void *data, size_t length)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, data, length), 0);
	close(fd);
}

static void place_make(struct place *place, const char *from, const char *name)
{
	_cleanup_free_ char *bad = bad_dir(), *text = NULL;
	char path[4096];
	size_t length;

	strcpy(place->dir, "/tmp/mrgt-reg-XXXXXX");
	assert_non_null(mkdtemp(place->dir));
	snprintf(place->file, sizeof(place->file), "%s/%s.so", place->dir, name);
	if (!from)
		return;
	snprintf(path, sizeof(path), "%s/%s.so", bad, from);
	if (strcmp(from, "fake") == 0)
		snprintf(path, sizeof(path), "%s/../../.libs/fake.so", bad);
	assert_int_equal(fd_read_file(AT_FDCWD, path, 1 << 24, &text, &length), 0);
	put(place->file, text, length);
}

static void place_remove(struct place *place)
{
	int tmp = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(fd_remove_tree(tmp, place->dir + strlen("/tmp/")), 0);
	close(tmp);
}

static void expect(const char *dir, const char *name, int code, const char *sentence)
{
	struct mrg *m = context(dir);
	struct mrg_error err = { 0 };
	struct plugin *p = NULL;
	int r = registry_load(m, name, &p, &err);

	if (r != code || (sentence && !strstr(err.message, sentence)))
		print_message("# %s: %d '%s', expected %d '%s'\n", name, r, err.message, code, sentence ? sentence : "");
	assert_int_equal(r, code);
	if (code < 0) {
		assert_int_equal(err.code, code);
		assert_non_null(strstr(err.message, sentence));
		assert_null(p);
	}
	mrg_free(m);
}

static void test_malformed(_unused_ void **state)
{
	static const struct { const char *name; int code; const char *sentence; } cases[] = {
		{ "no-symbol", -MRG_E_ABI, "exports no mrg_backend_v0: built for another major of the ABI?" },
		{ "wrong-major", -MRG_E_ABI, "exports no mrg_backend_v0" },
		{ "newer-minor", -MRG_E_ABI, "built for a newer moorage" },
		{ "too-small", -MRG_E_ABI, "its table has 64 bytes" },
		{ "too-large", -MRG_E_ABI, "its table has 65536 bytes" },
		{ "odd-size", -MRG_E_ABI, "which no version of the ABI has" },
		{ "no-start", -MRG_E_ABI, "it lacks the mandatory verb 'start'" },
		{ "half-open", -MRG_E_ABI, "the verb 'open' without 'close'" },
		{ "half-close", -MRG_E_ABI, "the verb 'close' without 'open'" },
		{ "half-pause", -MRG_E_ABI, "the verb 'pause' without 'resume'" },
		{ "half-resume", -MRG_E_ABI, "the verb 'resume' without 'pause'" },
		{ "half-list", -MRG_E_ABI, "the verb 'list' without 'find'" },
		{ "half-adopt", -MRG_E_ABI, "the verb 'adopt' without 'list'" },
		{ "wrong-name", -MRG_E_ABI, "it calls itself 'other', not 'wrong-name'" },
		{ "no-summary", -MRG_E_ABI, "its summary is not one line" },
		{ "unknown-field", -MRG_E_ABI, "has the unknown id" },
		{ "no-fields", -MRG_E_ABI, "it has no list of fields" },
		{ "bad-option", -MRG_E_ABI, "its option 'flag' takes the unknown type 'float'" },
		{ "needs-helper", -MRG_E_ABI, "it needs 'mrg_helper_of_the_future'" },
	};
	_cleanup_free_ char *dir = bad_dir();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect(dir, cases[i].name, cases[i].code, cases[i].sentence);
}

static void test_well_formed(_unused_ void **state)
{
	_cleanup_free_ char *dir = bad_dir();

	expect(dir, "well-formed", 0, NULL);
	expect(dir, "newer-table", 0, NULL);
}

/* Older and newer tables: only what both sides know is taken over. */
static void test_copy_is_bounded(_unused_ void **state)
{
	_cleanup_free_ char *dir = bad_dir();
	struct mrg *m = context(dir);
	struct plugin *p = NULL, *again = NULL;

	assert_int_equal(registry_load(m, "newer-table", &p, NULL), 0);
	assert_int_equal(p->table.size, sizeof(struct mrg_backend) + 16);
	assert_null(p->table.explain);
	assert_null(p->self);
	assert_true(mrg_fields_has(&p->fields, MRG_FIELD_ROOT_PATH));
	assert_true(mrg_fields_has(&p->fields, MRG_FIELD_LABELS)); /* the core's */
	assert_false(mrg_fields_has(&p->fields, MRG_FIELD_MEMORY_LIMIT));
	assert_int_equal(registry_load(m, "newer-table", &again, NULL), 0);
	assert_ptr_equal(p, again);
	mrg_free(m);
}

static void test_names(_unused_ void **state)
{
	static const char *const names[] = { "", "../evil", "A", "1x", "a/b", "a.b", "-a", "a b", "fake.so" };
	_cleanup_free_ char *dir = bad_dir();

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		expect(dir, names[i], -MRG_E_INVALID, "is no name of a backend");
}

static void test_unknown(_unused_ void **state)
{
	struct place place;

	place_make(&place, "well-formed", "well-formed");
	expect(place.dir, "wel-formed", -MRG_E_NO_ENGINE, "no backend 'wel-formed' is installed; there is well-formed\ndid you mean 'well-formed'?");
	assert_int_equal(unlink(place.file), 0);
	expect(place.dir, "native", -MRG_E_NO_ENGINE, "there is none in");
	place_remove(&place);
}

static void test_no_elf(_unused_ void **state)
{
	struct place place;

	place_make(&place, NULL, "text");
	put(place.file, "#!/bin/sh\nexit 0\n", 17);
	expect(place.dir, "text", -MRG_E_ABI, "cannot load");
	put(place.file, "", 0);
	expect(place.dir, "text", -MRG_E_ABI, "file too short");
	place_remove(&place);
}

/* Cut off within the headers: the loader says what it thinks of it, and we live. */
static void test_truncated_elf(_unused_ void **state)
{
	static const off_t lengths[] = { 1, 16, 52, 63, 64, 200, 500 };
	struct place place;

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		place_make(&place, "well-formed", "well-formed");
		assert_int_equal(truncate(place.file, lengths[i]), 0);
		expect(place.dir, "well-formed", -MRG_E_ABI, "cannot load");
		place_remove(&place);
	}
}

static void test_untrusted(_unused_ void **state)
{
	struct place place;

	place_make(&place, "well-formed", "well-formed");
	assert_int_equal(chmod(place.file, 0666), 0);
	expect(place.dir, "well-formed", -MRG_E_PERMISSION, "is writable by others");
	assert_int_equal(chmod(place.file, 0664), 0);
	expect(place.dir, "well-formed", -MRG_E_PERMISSION, "chmod go-w");
	assert_int_equal(chmod(place.file, 0644), 0);
	assert_int_equal(chmod(place.dir, 0777), 0);
	expect(place.dir, "well-formed", -MRG_E_PERMISSION, "is writable by others");
	assert_int_equal(chmod(place.dir, 0755), 0);
	expect(place.dir, "well-formed", 0, NULL);
	if (geteuid() == 0) {
		assert_int_equal(chown(place.file, 12345, 0), 0);
		expect(place.dir, "well-formed", -MRG_E_PERMISSION, "belongs to user 12345");
	}
	place_remove(&place);
}

static void test_not_regular(_unused_ void **state)
{
	struct place place;
	char link[64];

	place_make(&place, "well-formed", "well-formed");
	snprintf(link, sizeof(link), "%s/link.so", place.dir);
	assert_int_equal(symlink("well-formed.so", link), 0);
	expect(place.dir, "link", -MRG_E_PERMISSION, "is a symbolic link");
	place_remove(&place);
	place_make(&place, NULL, "pipe");
	assert_int_equal(mkfifo(place.file, 0600), 0);
	expect(place.dir, "pipe", -MRG_E_ABI, "is not a regular file");
	place_remove(&place);
	place_make(&place, NULL, "folder");
	assert_int_equal(mkdir(place.file, 0700), 0);
	expect(place.dir, "folder", -MRG_E_ABI, "is not a regular file");
	place_remove(&place);
}

/* The first directory that has it decides, also when it is refused there. */
/* What a full disk leaves of a plugin. */
static void test_cut_short(_unused_ void **state)
{
	static const size_t lengths[] = { 1000, 5000 };

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct place place;

		place_make(&place, "well-formed", "short");
		assert_int_equal(truncate(place.file, (off_t)lengths[i]), 0);
		expect(place.dir, "short", -MRG_E_ABI, "the file is cut short; install it again");
		place_remove(&place);
	}
}

static void test_search_path(_unused_ void **state)
{
	_cleanup_free_ char *path = NULL;
	struct place first, second;

	place_make(&first, NULL, "well-formed");
	place_make(&second, "well-formed", "well-formed");
	assert_true(asprintf(&path, "%s:/nonexistent::%s", first.dir, second.dir) > 0);
	expect(path, "well-formed", 0, NULL);
	assert_int_equal(mkdir(first.file, 0700), 0);
	expect(path, "well-formed", -MRG_E_ABI, "is not a regular file");
	place_remove(&first);
	place_remove(&second);
}

static void test_relative_path(_unused_ void **state)
{
	struct mrg_options options = { .backend_path = "plugins" };
	struct mrg_error err = { 0 };
	struct mrg *m = NULL;

	assert_int_equal(mrg_new(&m, &options, &err), -MRG_E_INVALID);
	assert_non_null(strstr(err.message, "'plugins' (MOORAGE_BACKEND_PATH) must be an absolute path"));
	assert_null(m);
	expect("/nonexistent:plugins", "native", -MRG_E_INVALID, "'plugins' is not an absolute path");
}

static void test_listing(_unused_ void **state)
{
	char **names = NULL;
	struct place place;
	struct mrg *m;

	place_make(&place, "well-formed", "zebra");
	put(place.file, "x", 1);
	for (size_t i = 0; i < 3; i++) {
		static const char *const more[] = { "alpha.so", "Not-A-Name.so", "README" };
		char path[80];

		snprintf(path, sizeof(path), "%s/%s", place.dir, more[i]);
		put(path, "x", 1);
	}
	m = context(place.dir);
	assert_int_equal(mrg_backend_names(m, &names, NULL), 0);
	assert_int_equal(strv_length(names), 2);
	assert_string_equal(names[0], "alpha");
	assert_string_equal(names[1], "zebra");
	mrg_strv_free(names);
	mrg_free(m);
	place_remove(&place);
}

static void test_missing_library(_unused_ void **state)
{
	static const struct { const char *reason, *sentence; } cases[] = {
		{ "liblxc.so.1: cannot open shared object file: No such file or directory",
		  "the shared library 'liblxc.so.1' is missing\napt-get install liblxc1" },
		{ "libvirt-lxc.so.0: cannot open shared object file: No such file or directory", "apt-get install libvirt0" },
		{ "libfoo.so.7: cannot open shared object file: No such file or directory", "apt-file search libfoo.so.7" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mrg_error err = { 0 };

		assert_int_equal(module_explain("/x/y.so", cases[i].reason, &err), -MRG_E_NO_ENGINE);
		assert_non_null(strstr(err.message, cases[i].sentence));
	}
}

/* A needed library that is not there, for real: the name of one that is needed is changed in a copy. */
static void test_missing_library_loads_not(_unused_ void **state)
{
	_cleanup_free_ char *text = NULL;
	struct place place;
	size_t length;
	char *needed;

	place_make(&place, "fake", "fake");
	assert_int_equal(fd_read_file(AT_FDCWD, place.file, 1 << 24, &text, &length), 0);
	needed = memmem(text, length, "libc.so.6", 9);
	assert_non_null(needed);
	memcpy(needed, "libq.so.6", 9);
	put(place.file, text, length);
	expect(place.dir, "fake", -MRG_E_NO_ENGINE, "the shared library 'libq.so.6' is missing");
	place_remove(&place);
}

static void test_validate_lists(_unused_ void **state)
{
	static uint16_t endless[4096];
	static struct mrg_option options[3] = { { "a", "enum:x|y", "help" } };
	_cleanup_free_ char *dir = bad_dir();
	struct mrg *m = context(dir);
	struct plugin *p = NULL;
	struct mrg_backend table;
	static const struct { const char *key, *values, *help; int good; } cases[] = {
		{ "a", "enum:x|y", "h", 1 }, { "a", "enum:x", "h", 1 }, { "a-b", "uint", "h", 1 }, { "a", "string", "h", 1 },
		{ "a", "enum:", "h", 0 }, { "a", "enum:|x", "h", 0 }, { "a", "enum:x|", "h", 0 }, { "a", "enum:x||y", "h", 0 },
		{ "a", NULL, "h", 0 }, { "a", "bool", NULL, 0 }, { "a", "bool", "", 0 }, { "a=b", "bool", "h", 0 },
		{ "", "bool", "h", 0 },
	};

	assert_int_equal(registry_load(m, "well-formed", &p, NULL), 0);
	table = p->table;
	table.options = options;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		options[0] = (struct mrg_option){ cases[i].key, cases[i].values, cases[i].help };
		assert_int_equal(registry_validate("well-formed", &table, NULL), cases[i].good ? 0 : -MRG_E_ABI);
	}
	table.options = NULL;
	table.fields = endless;
	assert_int_equal(registry_validate("well-formed", &table, NULL), -MRG_E_ABI);
	mrg_free(m);
}

/* Each mandatory verb is missed, each optional one is not. */
static void test_validate_verbs(_unused_ void **state)
{
	_cleanup_free_ char *dir = bad_dir();
	struct mrg *m = context(dir);
	struct plugin *p = NULL;
	size_t mandatory = 0;

	assert_int_equal(registry_load(m, "well-formed", &p, NULL), 0);
	for (const struct verb *verb = registry_verbs; verb->name; verb++) {
		struct mrg_backend table = p->table;
		struct mrg_error err = { 0 };
		int r;

		memset((char *)&table + verb->offset, 0, sizeof(void *));
		r = registry_validate("well-formed", &table, &err);
		assert_int_equal(r, verb->kind == VERB_MANDATORY ? -MRG_E_ABI : 0);
		if (verb->kind == VERB_MANDATORY)
			assert_non_null(strstr(err.message, verb->name));
		mandatory += verb->kind == VERB_MANDATORY;
	}
	assert_int_equal(mandatory, 5);
	mrg_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_well_formed),
		cmocka_unit_test(test_copy_is_bounded),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_no_elf),
		cmocka_unit_test(test_truncated_elf),
		cmocka_unit_test(test_untrusted),
		cmocka_unit_test(test_not_regular),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_search_path),
		cmocka_unit_test(test_relative_path),
		cmocka_unit_test(test_listing),
		cmocka_unit_test(test_missing_library),
		cmocka_unit_test(test_missing_library_loads_not),
		cmocka_unit_test(test_validate_lists),
		cmocka_unit_test(test_validate_verbs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
