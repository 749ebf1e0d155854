/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mount options, and mounts below a root that may be hostile. */

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/path.h"
#include "tests/unit/mount_fixture.h"

/* ---- the table -------------------------------------------------------------------------- */

static void parse(struct mount_options *ret, char *a, char *b)
{
	char *options[] = { a, b, NULL };

	mount_options_parse(options, ret);
}

#define PARSE(ret, a, b)	parse(ret, (char[]){ a }, (char[]){ b })

static void attributes_are_set(void **state)
{
	struct mount_options o;

	(void)state;
	PARSE(&o, "ro", "noexec");
	assert_int_equal(o.top.attr_set, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC);
	assert_int_equal(o.tree.attr_set, 0);
}

static void later_option_wins(void **state)
{
	struct mount_options o;

	(void)state;
	PARSE(&o, "ro", "rw");
	assert_int_equal(o.top.attr_set, 0);
	assert_int_equal(o.top.attr_clr, MOUNT_ATTR_RDONLY);
}

static void access_time_is_one_field(void **state)
{
	struct mount_options o;

	(void)state;
	PARSE(&o, "noatime", "strictatime");
	assert_int_equal(o.top.attr_set, MOUNT_ATTR_STRICTATIME);
	assert_int_equal(o.top.attr_clr & MOUNT_ATTR__ATIME, MOUNT_ATTR__ATIME);
}

static void r_means_the_whole_tree(void **state)
{
	struct mount_options o;

	(void)state;
	PARSE(&o, "rro", "rslave");
	assert_int_equal(o.tree.attr_set, MOUNT_ATTR_RDONLY);
	assert_int_equal(o.tree.propagation, MS_SLAVE);
	assert_int_equal(o.top.attr_set | o.top.propagation, 0);
}

static void relatime_is_no_recursive_option(void **state)
{
	struct mount_options o;

	(void)state;
	PARSE(&o, "relatime", "rw");
	assert_int_equal(o.tree.attr_clr, 0);
}

static void unknown_options_are_data(void **state)
{
	(void)state;
	assert_true(mount_option_is_data("size=64k"));
	assert_true(mount_option_is_data("rsize=8192"));
	assert_true(mount_option_is_data("sync"));
	assert_false(mount_option_is_data("rbind"));
	assert_false(mount_option_is_data("rnosuid"));
}

/* ---- live ------------------------------------------------------------------------------- */

static void add(struct fixture *x, const char *type, const char *source, const char *destination, char **options)
{
	const struct mrg_mount m = { .type = type, .source = source, .destination = destination, .options = options };

	assert_int_equal(mrg_spec_add_mount(x->spec, &m, NULL), 0);
}

static void put_link(struct fixture *x, const char *target, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", x->f.root, name);
	assert_int_equal(symlink(target, path), 0);
}

/* Opens the root and mounts; the descriptor, or a negative errno. */
static int mount_all(struct fixture *x)
{
	int root, r = mrg_helper_root_open(x->spec, -1, &root, &x->err);

	if (r == 0)
		r = mrg_helper_root_mounts(&x->unit, root, &x->err);
	if (r < 0)
		fprintf(stderr, "# %s\n", x->err.message);
	return r < 0 ? r : root;
}

static int mounts_at_all(void *data)
{
	return mount_all(data) < 0 ? 1 : 0;
}

static int tmpfs_is_mounted(void *data)
{
	int root = mount_all(data), fd;
	struct statvfs fs;

	EXPECT(root >= 0);
	fd = path_open_in_root(root, "/new/place", O_PATH, 0);
	EXPECT(fd >= 0 && fstatvfs(fd, &fs) == 0);
	EXPECT(fs.f_flag & ST_NOEXEC);
	EXPECT(fs.f_blocks * fs.f_frsize == 65536);
	return 0;
}

static void mounts_a_tmpfs(void **state)
{
	char noexec[] = "noexec", size[] = "size=64k", *options[] = { noexec, size, NULL };

	add(*state, "tmpfs", "tmpfs", "/new/place", options);
	assert_int_equal(live(tmpfs_is_mounted, *state), 0);
}

static void names_the_option_a_file_system_refuses(void **state)
{
	struct fixture *x = *state;
	char size[] = "size=much", *options[] = { size, NULL };

	add(x, "tmpfs", "tmpfs", "/data", options);
	assert_int_equal(live(mounts_at_all, x), 1);
	/* The child's error is not ours: once more here, without mounting. */
	assert_true(root_filesystem(&(struct root_filesystem){ .type = "tmpfs", .data = options }, &x->err) < 0);
	assert_non_null(strstr(x->err.message, "'size=much'"));
}

static int bind_is_readonly(void *data)
{
	int root = mount_all(data);

	EXPECT(root >= 0);
	EXPECT(path_open_in_root(root, "/data/new", O_WRONLY | O_CREAT, 0600) == -EROFS);
	return 0;
}

static void binds_readonly(void **state)
{
	struct fixture *x = *state;
	char rbind[] = "rbind", rro[] = "rro", *options[] = { rbind, rro, NULL };

	add(x, NULL, x->f.canary, "/data", options);
	assert_int_equal(live(bind_is_readonly, x), 0);
	assert_true(is_empty_directory(x->f.canary));
}

static int file_is_bound(void *data)
{
	int root = mount_all(data), fd;
	struct stat st;

	EXPECT(root >= 0);
	fd = path_open_in_root(root, "/etc/null", O_PATH, 0);
	EXPECT(fd >= 0 && fstat(fd, &st) == 0);
	EXPECT(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
	return 0;
}

static void binds_a_file(void **state)
{
	char bind[] = "bind", *options[] = { bind, NULL };

	add(*state, NULL, "/dev/null", "/etc/null", options);
	assert_int_equal(live(file_is_bound, *state), 0);
}

static void sync_is_refused_for_a_bind(void **state)
{
	struct fixture *x = *state;
	char bind[] = "bind", sync[] = "sync", *options[] = { bind, sync, NULL };

	add(x, NULL, x->f.canary, "/data", options);
	assert_int_equal(live(mounts_at_all, x), 1);
}

/* A link in the root that leads out of it as the host sees it stays inside as the root sees it. */
static int link_is_confined(void *data)
{
	struct fixture *x = data;
	char inside[PATH_MAX];
	int root, fd;

	snprintf(inside, sizeof(inside), "%s%s", x->f.root, x->f.canary);
	root = mount_all(x);
	EXPECT(root >= 0);
	EXPECT(is_empty_directory(x->f.canary));
	fd = path_open_in_root(root, x->f.canary, O_PATH | O_DIRECTORY, 0);
	EXPECT(fd >= 0);
	return 0;
}

static void a_link_as_mount_point_stays_inside(void **state)
{
	struct fixture *x = *state;

	char path[PATH_MAX];

	/* The place the link means inside: ROOT/tmp/mrgt-.../canary */
	snprintf(path, sizeof(path), "%s/tmp", x->f.root);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s%s", x->f.root, x->f.top);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s%s", x->f.root, x->f.canary);
	assert_int_equal(mkdir(path, 0755), 0);
	put_link(x, x->f.canary, "/volume");
	add(x, "tmpfs", "tmpfs", "/volume", NULL);
	assert_int_equal(live(link_is_confined, x), 0);
}

static void check_refused_link(struct fixture *x, const char *name, const char *type)
{
	put_link(x, x->f.canary, name);
	add(x, type, type, name, NULL);
	assert_int_equal(live(mounts_at_all, x), 1);
	assert_true(is_empty_directory(x->f.canary));
}

static void dev_as_link_is_refused(void **state)
{
	check_refused_link(*state, "/dev", "tmpfs");
}

static void proc_as_link_is_refused(void **state)
{
	check_refused_link(*state, "/proc", "proc");
}

static void sys_as_link_is_refused(void **state)
{
	check_refused_link(*state, "/sys", "sysfs");
}

static void nothing_is_mounted_in_proc(void **state)
{
	add(*state, "proc", "proc", "/proc", NULL);
	add(*state, "tmpfs", "tmpfs", "/proc/sys", NULL);
	assert_int_equal(live(mounts_at_all, *state), 1);
}

static void nothing_is_mounted_over_proc(void **state)
{
	add(*state, "proc", "proc", "/proc", NULL);
	add(*state, "tmpfs", "tmpfs", "/proc", NULL);
	assert_int_equal(live(mounts_at_all, *state), 1);
}

static void proc_is_not_reached_by_a_link(void **state)
{
	put_link(*state, "/proc/self", "/volume");
	add(*state, "proc", "proc", "/proc", NULL);
	add(*state, "tmpfs", "tmpfs", "/volume/attr", NULL);
	assert_int_equal(live(mounts_at_all, *state), 1);
}

static void dots_are_refused(void **state)
{
	add(*state, "tmpfs", "tmpfs", "/data/../../canary", NULL);
	assert_int_equal(live(mounts_at_all, *state), 1);
}

static int copy_is_there(void *data)
{
	int root = mount_all(data);
	_cleanup_close_ int fd = -1;
	struct stat st;

	EXPECT(root >= 0);
	fd = path_open_in_root(root, "/data/sub/file", O_PATH, 0);
	EXPECT(fd >= 0 && fstat(fd, &st) == 0);
	EXPECT((st.st_mode & 07777) == 0640 && st.st_size == 5);
	return 0;
}

static void tmpcopyup_copies(void **state)
{
	struct fixture *x = *state;
	char copyup[] = "tmpcopyup", *options[] = { copyup, NULL }, path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/data/sub", x->f.root);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/data/sub/file", x->f.root);
	fd = open(path, O_WRONLY | O_CREAT, 0640);
	assert_int_equal(write(fd, "hello", 5), 5);
	fchmod(fd, 0640);
	close(fd);
	add(x, "tmpfs", "tmpfs", "/data", options);
	assert_int_equal(live(copy_is_there, x), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes_are_set),
		cmocka_unit_test(later_option_wins),
		cmocka_unit_test(access_time_is_one_field),
		cmocka_unit_test(r_means_the_whole_tree),
		cmocka_unit_test(relatime_is_no_recursive_option),
		cmocka_unit_test(unknown_options_are_data),
		LIVE(mounts_a_tmpfs),
		LIVE(names_the_option_a_file_system_refuses),
		LIVE(binds_readonly),
		LIVE(binds_a_file),
		LIVE(sync_is_refused_for_a_bind),
		LIVE(a_link_as_mount_point_stays_inside),
		LIVE(dev_as_link_is_refused),
		LIVE(proc_as_link_is_refused),
		LIVE(sys_as_link_is_refused),
		LIVE(nothing_is_mounted_in_proc),
		LIVE(nothing_is_mounted_over_proc),
		LIVE(proc_is_not_reached_by_a_link),
		LIVE(dots_are_refused),
		LIVE(tmpcopyup_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
