/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Formats in modules: what is missing is named, and what anybody could have written is not loaded. */

#include "config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <moorage/moorage.h>

#include "core/util/cleanup.h"
#include "core/util/fd.h"

/* A directory of plugins with a copy of a module of tests/fake/bad as formats/libvirt.so. */
struct place {
	char dir[40], formats[60], file[80];
};

static void place_make(struct place *place, const char *from)
{
	const char *build = getenv("abs_top_builddir");
	_cleanup_free_ char *source = NULL, *text = NULL;
	_cleanup_close_ int fd = -1;
	size_t length;

	strcpy(place->dir, "/tmp/mrgt-format-XXXXXX");
	assert_non_null(mkdtemp(place->dir));
	snprintf(place->formats, sizeof(place->formats), "%s/formats", place->dir);
	snprintf(place->file, sizeof(place->file), "%s/libvirt.so", place->formats);
	assert_int_equal(mkdir(place->formats, 0700), 0);
	assert_true(asprintf(&source, "%s/tests/fake/bad/.libs/%s.so", build ? build : ".", from) > 0);
	assert_int_equal(fd_read_file(AT_FDCWD, source, 1 << 24, &text, &length), 0);
	fd = open(place->file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, length), 0);
	assert_int_equal(setenv("MOORAGE_BACKEND_PATH", place->dir, 1), 0);
}

static void place_remove(const struct place *place)
{
	unlink(place->file);
	rmdir(place->formats);
	rmdir(place->dir);
}

static void assert_refused(int code, const char *format, const char *argument)
{
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };
	_cleanup_free_ char *message = NULL;

	assert_true(asprintf(&message, format, argument) > 0);
	assert_int_equal(mrg_format_read("libvirt", "<domain/>", 9, &spec, NULL, NULL, &err), code);
	assert_string_equal(err.message, message);
	assert_null(spec);
}

static void test_missing(void **state)
{
	(void)state;
	setenv("MOORAGE_BACKEND_PATH", "/nonexistent:/tmp", 1);
	assert_refused(-MRG_E_NO_ENGINE, "the format 'libvirt' is not installed: there is no 'formats/libvirt.so' in '%s'\n"
		       "build moorage with libxml2: apt-get install libxml2-dev, then configure --with-libxml2", "/nonexistent:/tmp");
	setenv("MOORAGE_BACKEND_PATH", "relative", 1);
	assert_refused(-MRG_E_INVALID, "the backend directory '%s/formats' is not an absolute path", "relative");
}

static void test_no_format(void **state)
{
	struct place place;

	(void)state;
	place_make(&place, "no-symbol");
	assert_refused(-MRG_E_ABI, "'%s' exports no mrg_format_v0: it is no format of moorage", place.file);
	place_remove(&place);
}

static void test_other_version(void **state)
{
	struct place place;

	(void)state;
	place_make(&place, "old-format");
	assert_refused(-MRG_E_ABI, "'%s' is the format 'libvirt' of moorage 0.0.0, not 'libvirt' of " PACKAGE_VERSION, place.file);
	place_remove(&place);
}

static void test_writable(void **state)
{
	struct place place;

	(void)state;
	place_make(&place, "old-format");
	assert_int_equal(chmod(place.file, 0622), 0);
	assert_refused(-MRG_E_PERMISSION, "refusing to load from '%1$s': it is writable by others\nchmod go-w '%1$s'", place.file);
	assert_int_equal(chmod(place.file, 0600), 0);
	assert_int_equal(chmod(place.formats, 0777), 0);
	assert_refused(-MRG_E_PERMISSION, "refusing to load from '%1$s': it is writable by others\nchmod go-w '%1$s'", place.formats);
	place_remove(&place);
}

static void test_link(void **state)
{
	struct place place;
	char moved[100];

	(void)state;
	place_make(&place, "old-format");
	snprintf(moved, sizeof(moved), "%s.real", place.file);
	assert_int_equal(rename(place.file, moved), 0);
	assert_int_equal(symlink(moved, place.file), 0);
	assert_refused(-MRG_E_PERMISSION, "refusing to load '%s': it is a symbolic link", place.file);
	unlink(moved);
	place_remove(&place);
}

static void test_named(void **state)
{
	const char *const *names = mrg_format_names();
	struct mrg_error err = { 0 };

	(void)state;
	while (*names && strcmp(*names, "libvirt") != 0)
		names++;
	assert_non_null(*names);
	assert_int_equal(mrg_format_write("libvir", NULL, NULL, NULL, NULL, &err), -MRG_E_INVALID);
	assert_string_equal(err.message, "no format is called 'libvir'\nthere are oci, systemd, lxc, nspawn, libvirt, docker and quadlet");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_missing), cmocka_unit_test(test_no_format), cmocka_unit_test(test_other_version),
		cmocka_unit_test(test_writable), cmocka_unit_test(test_link), cmocka_unit_test(test_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
