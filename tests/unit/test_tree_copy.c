/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Root file systems as trees: copied. */

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/path.h"
#include "tests/unit/root_fixture.h"
#include "tests/unit/tree_fixture.h"

static void copy_keeps_everything(void **state)
{
	struct tree_fixture *f = *state;
	struct tree_report report;
	struct stat a, b;
	struct statx sx;
	int copy;

	NEEDS_ROOT();
	assert_works(f, tree_copy(f->root, f->dir, "work", NULL, &report, &f->err));
	copy = tree_fixture_open(f, "work");
	tree_fixture_same(f, f->root, NULL, copy);

	assert_int_equal(report.told[TREE_TOLD_SOCKET].count, 1);
	assert_string_equal(report.told[TREE_TOLD_SOCKET].paths[0], "socket");
	assert_int_equal(faccessat(copy, "socket", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(report.told[TREE_TOLD_XATTR].count + report.told[TREE_TOLD_FLAGS].count, 0);
	assert_int_equal(report.links, 4);

	/* What no digest tells: holes, times of access, one inode, flags. */
	fstatat(f->root, "sparse", &a, 0);
	fstatat(copy, "sparse", &b, 0);
	assert_true(b.st_blocks <= a.st_blocks);
	fstatat(f->root, "sub/acl", &a, 0);
	fstatat(copy, "sub/acl", &b, 0);
	assert_int_equal(b.st_atim.tv_sec, 1000000000);
	assert_int_equal(b.st_atim.tv_nsec, 123456789);
	fstatat(copy, "one", &a, 0);
	fstatat(copy, "sub/three", &b, 0);
	assert_int_equal(a.st_nlink, 3);
	assert_int_equal(a.st_ino, b.st_ino);
	assert_int_equal(statx(copy, "fixed", 0, STATX_BASIC_STATS, &sx), 0);
	assert_true(sx.stx_attributes & STATX_ATTR_IMMUTABLE);
	tree_report_deinit(&report);
	close(copy);
}

static void copy_maps_ids(void **state)
{
	struct tree_fixture *f = *state;
	struct tree_options options = { .map = &tree_fixture_far };
	unsigned char expected[64], value[64];
	struct stat st;
	size_t length;
	int copy;

	NEEDS_ROOT();
	assert_works(f, tree_copy(f->root, f->dir, "work", &options, NULL, &f->err));
	copy = tree_fixture_open(f, "work");
	tree_fixture_same(f, f->root, &tree_fixture_far, copy);

	assert_int_equal(fstatat(copy, "setuid", &st, 0), 0);
	assert_int_equal(st.st_uid, 1000005);
	assert_int_equal(st.st_gid, 1000006);
	assert_int_equal(st.st_mode & 07777, 06755);
	length = tree_fixture_capability(expected, 1000000);
	char path[128];
	snprintf(path, sizeof(path), "%s/work/setuid", f->top);
	assert_int_equal(getxattr(path, "security.capability", value, sizeof(value)), length);
	assert_memory_equal(value, expected, length);
	length = tree_fixture_acl(expected, 1001003, 1001004);
	snprintf(path, sizeof(path), "%s/work/sub", f->top);
	assert_int_equal(getxattr(path, "system.posix_acl_default", value, sizeof(value)), length);
	assert_memory_equal(value, expected, length);
	close(copy);
}

static void copy_refuses_what_is_there(void **state)
{
	struct tree_fixture *f = *state;

	assert_int_equal(symlinkat("canary", f->dir, "work"), 0);
	assert_int_equal(tree_copy(f->root, f->dir, "work", NULL, NULL, &f->err), -EEXIST);
	assert_int_equal(tree_copy(f->root, f->dir, "canary", NULL, NULL, &f->err), -EEXIST);
	assert_true(tree_fixture_canary_lives(f));
}

static void copy_can_be_cancelled_and_removed(void **state)
{
	struct tree_fixture *f = *state;

	NEEDS_ROOT();
	for (int left = 0, r = -1; r < 0; left += 7) {
		int n = left;
		struct tree_options options = { .progress = tree_fixture_count_down, .data = &n };

		r = tree_copy(f->root, f->dir, "work", &options, NULL, &f->err);
		assert_true(r == 0 || r == -ECANCELED);
		assert_works(f, tree_remove(f->dir, "work", NULL, &f->err));
		assert_int_equal(faccessat(f->dir, "work", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	}
}

static size_t count_descriptors(void)
{
	_cleanup_closedir_ DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	while (d && readdir(d))
		n++;
	return n;
}

/* Files are filled by a thread, which is some files behind. */
static void copy_without_room_names_the_file(void **state)
{
	struct tree_fixture *f = *state;
	size_t before = count_descriptors();
	char path[128], name[16];
	int small, large;

	NEEDS_ROOT();
	assert_int_equal(mkdirat(f->dir, "small", 0700), 0);
	snprintf(path, sizeof(path), "%s/small", f->top);
	assert_int_equal(mount("tmpfs", path, "tmpfs", 0, "size=1m"), 0);
	large = openat(f->root, "large", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(posix_fallocate(large, 0, 2 << 20), 0);
	close(large);
	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "file-%d", i);
		assert_int_equal(tree_fixture_file(f->root, name, "text", 0600), 0);
	}
	small = openat(f->dir, "small", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(tree_copy(f->root, small, "copy", NULL, NULL, &f->err), -ENOSPC);
	assert_non_null(strstr(f->err.message, "large"));
	close(small);
	snprintf(path, sizeof(path), "%s/small", f->top);
	assert_int_equal(umount(path), 0);
	assert_int_equal(count_descriptors(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(copy_keeps_everything, tree_fixture_setup_filled, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(copy_maps_ids, tree_fixture_setup_filled, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(copy_refuses_what_is_there, tree_fixture_setup, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(copy_can_be_cancelled_and_removed, tree_fixture_setup_filled, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(copy_without_room_names_the_file, tree_fixture_setup, tree_fixture_teardown),
	};

	return cmocka_run_group_tests_name("tree copy", tests, NULL, NULL);
}
