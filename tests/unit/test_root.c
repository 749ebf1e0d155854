/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The root as a mount, devices, masked and read-only paths. */

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
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/path.h"
#include "tests/unit/mount_fixture.h"

static void mount_on(struct fixture *x, const char *type, const char *destination)
{
	const struct mrg_mount m = { .type = type, .source = type, .destination = destination };

	assert_int_equal(mrg_spec_add_mount(x->spec, &m, NULL), 0);
}

static int said(int r, const struct fixture *x)
{
	if (r < 0)
		fprintf(stderr, "# %s\n", x->err.message);
	return r;
}

static int open_root(struct fixture *x)
{
	int root, r = said(mrg_helper_root_open(x->spec, -1, &root, &x->err), x);

	return r < 0 ? r : root;
}

/* ---- the root --------------------------------------------------------------------------- */

static int plain_is_nodev(void *data)
{
	struct statvfs fs;
	int root = open_root(data);

	EXPECT(root >= 0 && fstatvfs(root, &fs) == 0);
	EXPECT(fs.f_flag & ST_NODEV);
	EXPECT(!(fs.f_flag & ST_RDONLY));
	return 0;
}

static void a_plain_root_is_nodev(void **state)
{
	assert_int_equal(live(plain_is_nodev, *state), 0);
}

static int readonly_refuses_writes(void *data)
{
	int root = open_root(data);

	EXPECT(root >= 0);
	EXPECT(path_open_in_root(root, "/etc/new", O_WRONLY | O_CREAT, 0600) == -EROFS);
	return 0;
}

static void a_readonly_root_refuses_writes(void **state)
{
	((struct fixture *)*state)->spec->root_readonly = 1;
	assert_int_equal(live(readonly_refuses_writes, *state), 0);
}

static int readonly_gets_mount_points(void *data)
{
	struct fixture *x = data;
	int root = open_root(x);

	EXPECT(root >= 0);
	EXPECT(said(mrg_helper_root_mounts(&x->unit, root, &x->err), x) == 0);
	EXPECT(path_open_in_root(root, "/etc/new", O_WRONLY | O_CREAT, 0600) == -EROFS);
	return 0;
}

static void a_readonly_root_gets_its_mount_points(void **state)
{
	mount_on(*state, "tmpfs", "/missing");
	((struct fixture *)*state)->spec->root_readonly = 1;
	assert_int_equal(live(readonly_gets_mount_points, *state), 0);
}

static int writes_go_to_the_overlay(void *data)
{
	int root = open_root(data);
	_cleanup_close_ int fd = -1;

	EXPECT(root >= 0);
	fd = path_open_in_root(root, "/etc/new", O_WRONLY | O_CREAT, 0600);
	EXPECT(fd >= 0);
	return 0;
}

static void what_is_written_over_an_ephemeral_root_is_gone(void **state)
{
	struct fixture *x = *state;
	char path[PATH_MAX];

	x->spec->ephemeral = 1;
	assert_int_equal(live(writes_go_to_the_overlay, x), 0);
	snprintf(path, sizeof(path), "%s/etc", x->f.root);
	assert_true(is_empty_directory(path));
}

static int owner_is_kept(void *data)
{
	int root = open_root(data);
	struct stat st;

	EXPECT(root >= 0 && fstat(root, &st) == 0);
	EXPECT((st.st_mode & 07777) == 0751 && st.st_uid == 1234);
	return 0;
}

static void an_ephemeral_root_keeps_owner_and_mode(void **state)
{
	struct fixture *x = *state;

	if (geteuid() == 0) {
		assert_int_equal(chown(x->f.root, 1234, 1234), 0);
		assert_int_equal(chmod(x->f.root, 0751), 0);
	}
	x->spec->ephemeral = 1;
	assert_int_equal(live(owner_is_kept, x), 0);
}

static int host_root_hides_state(void *data)
{
	int root = open_root(data);
	_cleanup_close_ int etc = -1, missing = -1;
	struct root_fixture *f = &((struct fixture *)data)->f;

	EXPECT(root >= 0);
	etc = path_open_in_root(root, "/etc/passwd", O_RDONLY, 0);
	EXPECT(etc >= 0);
	missing = path_open_in_root(root, f->canary, O_PATH, 0);
	EXPECT(missing == -ENOENT);
	return 0;
}

static void the_host_root_has_an_empty_tmp(void **state)
{
	struct fixture *x = *state;

	x->spec->root_path = "/";
	x->spec->ephemeral = 1;
	assert_int_equal(live(host_root_hides_state, x), 0);
}

/* ---- devices ---------------------------------------------------------------------------- */

static int devices_are_made(void *data)
{
	struct fixture *x = data;
	int root = open_root(x);
	_cleanup_close_ int fd = -1;
	struct stat st;

	EXPECT(root >= 0);
	EXPECT(said(mrg_helper_root_mounts(&x->unit, root, &x->err), x) == 0);
	EXPECT(said(mrg_helper_root_devices(&x->unit, root, &x->err), x) == 0);
	fd = path_open_in_root(root, "/dev/urandom", O_RDWR, 0);
	EXPECT(fd >= 0 && fstat(fd, &st) == 0);
	EXPECT(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 9) && (st.st_mode & 0777) == 0666);
	return 0;
}

static void devices_are_made_on_our_tmpfs(void **state)
{
	mode_t mask = umask(077);

	mount_on(*state, "tmpfs", "/dev");
	assert_int_equal(live(devices_are_made, *state), 0);
	umask(mask);
}

static int own_dev_is_left_alone(void *data)
{
	struct fixture *x = data;
	int root = open_root(x);

	EXPECT(root >= 0);
	EXPECT(said(mrg_helper_root_devices(&x->unit, root, &x->err), x) == 0);
	return 0;
}

static void the_roots_own_dev_is_left_alone(void **state)
{
	struct fixture *x = *state;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/dev", x->f.root);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(live(own_dev_is_left_alone, x), 0);
	assert_true(is_empty_directory(path));
}

static int device_is_refused(void *data)
{
	struct fixture *x = data;
	int root = open_root(x);

	EXPECT(root >= 0);
	EXPECT(mrg_helper_root_mounts(&x->unit, root, &x->err) == 0);
	EXPECT(mrg_helper_root_devices(&x->unit, root, &x->err) == -MRG_E_UNSUPPORTED);
	EXPECT(strstr(x->err.message, "'/data/disk'"));
	return 0;
}

static void a_device_where_none_works_is_refused(void **state)
{
	const struct mrg_device device = { .path = "/data/disk", .type = "b", .major = 7, .minor = 0 };
	struct fixture *x = *state;

	mount_on(x, "tmpfs", "/dev");
	assert_int_equal(mrg_spec_add_device(x->spec, &device, NULL), 0);
	assert_int_equal(live(device_is_refused, x), 0);
}

/* ---- masks ------------------------------------------------------------------------------ */

static int masked_are_covered(void *data)
{
	struct fixture *x = data;
	int root = open_root(x);
	_cleanup_close_ int file = -1, directory = -1;
	struct stat st;

	EXPECT(root >= 0);
	EXPECT(said(mrg_helper_root_mask(&x->unit, root, &x->err), x) == 0);
	file = path_open_in_root(root, "/etc/secret", O_PATH, 0);
	EXPECT(file >= 0 && fstat(file, &st) == 0);
	EXPECT(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
	directory = path_open_in_root(root, "/data/secret", O_PATH, 0);
	EXPECT(directory < 0);
	EXPECT(path_open_in_root(root, "/bin/new", O_WRONLY | O_CREAT, 0600) == -EROFS);
	return 0;
}

static void masks_do_not_use_what_the_root_calls_null(void **state)
{
	char *masked[] = { (char[]){ "/etc/secret" }, (char[]){ "/data" }, (char[]){ "/missing" }, NULL };
	char *readonly[] = { (char[]){ "/bin" }, (char[]){ "/missing" }, NULL };
	static const char *const files[] = { "/etc/secret", "/data/secret", "/dev/null" };
	struct fixture *x = *state;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/dev", x->f.root);
	assert_int_equal(mkdir(path, 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "%s%s", x->f.root, files[i]);
		assert_int_equal(mknod(path, S_IFREG | 0644, 0), 0);
	}
	x->spec->masked_paths = masked;
	x->spec->readonly_paths = readonly;
	assert_int_equal(live(masked_are_covered, x), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		LIVE(a_plain_root_is_nodev),
		LIVE(a_readonly_root_refuses_writes),
		LIVE(a_readonly_root_gets_its_mount_points),
		LIVE(what_is_written_over_an_ephemeral_root_is_gone),
		LIVE(an_ephemeral_root_keeps_owner_and_mode),
		LIVE(the_host_root_has_an_empty_tmp),
		LIVE(devices_are_made_on_our_tmpfs),
		LIVE(the_roots_own_dev_is_left_alone),
		LIVE(a_device_where_none_works_is_refused),
		LIVE(masks_do_not_use_what_the_root_calls_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
