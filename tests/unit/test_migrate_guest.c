/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What migrations change in a root: by which rule, how it is undone, and what a hostile root makes of it, which is nothing. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/migrate/guest.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"

struct fixture {
	char top[32];
	int top_fd, root, journal;
	struct mrg_spec *spec;
	struct guest_context x;
	struct guest_changes changes;
	struct mrg_error err;
};

static void make_dirs(int dir, const char *path)
{
	char copy[256];

	snprintf(copy, sizeof(copy), "%s/", path);
	for (char *slash = strchr(copy, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (*copy)
			mkdirat(dir, copy, 0755);
		*slash = '/';
	}
}

/* A file below the root, with the directories above it. */
static void put(struct fixture *f, const char *path, const char *text)
{
	char above[256];
	int fd;

	snprintf(above, sizeof(above), "%.*s", (int)(strrchr(path, '/') ? strrchr(path, '/') - path : 0), path);
	make_dirs(f->root, above);
	fd = openat(f->root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static void assert_text(int dir, const char *path, const char *text)
{
	_cleanup_free_ char *found = NULL;

	assert_int_equal(fd_read_file(dir, path, 1 << 20, &found, NULL), 0);
	assert_string_equal(found, text);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->top, "/tmp/mrgt-guest.XXXXXX");
	assert_non_null(mkdtemp(f->top));
	f->top_fd = open(f->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make_dirs(f->top_fd, "root/etc");
	make_dirs(f->top_fd, "journal");
	f->root = openat(f->top_fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->journal = openat(f->top_fd, "journal", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->spec = mrg_spec_new();
	assert_int_equal(mrg_spec_set(f->spec, MRG_FIELD_NS_NETWORK, "private", NULL), 0);
	f->x = (struct guest_context){ .root = f->root, .from = "lxc", .to = "nspawn", .before = f->spec, .after = f->spec };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	guest_changes_deinit(&f->changes);
	mrg_spec_free(f->spec);
	close(f->root);
	close(f->journal);
	close(f->top_fd);
	fd_remove_tree(AT_FDCWD, f->top);
	free(f);
	return 0;
}

/* Plans, keeps, does. */
static void change(struct fixture *f)
{
	guest_changes_deinit(&f->changes);
	assert_int_equal(guest_plan(&f->x, &f->changes, &f->err), 0);
	assert_int_equal(guest_save(f->journal, &f->changes, &f->err), 0);
	assert_int_equal(guest_apply(f->root, &f->changes, &f->err), 0);
}

/* As another process would, from the journal alone. */
static size_t undo(struct fixture *f)
{
	struct guest_changes kept;
	size_t left = 0;

	assert_int_equal(guest_load(f->journal, &kept, &f->err), 0);
	assert_int_equal(guest_revert(f->root, &kept, &left, &f->err), 0);
	guest_changes_deinit(&kept);
	return left;
}

/* ---- rules --------------------------------------------------------------------------------------- */

static void test_copy_gets_an_identity(void **state)
{
	struct fixture *f = *state;
	struct stat before, after;

	put(f, "etc/machine-id", "0123\n");
	fchmodat(f->root, "etc/machine-id", 0444, 0);
	assert_int_equal(fstatat(f->root, "etc/machine-id", &before, 0), 0);
	change(f);
	assert_int_equal(f->changes.n, 0);
	f->x.copied = true;
	change(f);
	assert_int_equal(f->changes.n, 1);
	assert_string_equal(f->changes.item[0].rule, "machine-id");
	assert_text(f->root, "etc/machine-id", "");
	assert_int_equal(undo(f), 0);
	assert_text(f->root, "etc/machine-id", "0123\n");
	assert_int_equal(fstatat(f->root, "etc/machine-id", &after, 0), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(after.st_mode, before.st_mode);
	assert_int_equal(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
	assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
}

static void test_devices_are_renamed(void **state)
{
	char *devices[] = { (char *)"eth0", (char *)"host0", NULL };
	struct fixture *f = *state;

	put(f, "etc/network/interfaces", "# eth0 is first\nauto lo eth0\niface eth0 inet dhcp\niface eth01 inet dhcp\n");
	put(f, "etc/systemd/network/a.network", "[Match]\nName=eth0\n");
	put(f, "etc/systemd/network/a.netdev", "Name=eth0\n");
	f->x.devices = devices;
	change(f);
	assert_int_equal(f->changes.n, 2);
	assert_text(f->root, "etc/network/interfaces", "# eth0 is first\nauto lo host0\niface host0 inet dhcp\niface eth01 inet dhcp\n");
	assert_text(f->root, "etc/systemd/network/a.network", "[Match]\nName=host0\n");
	assert_text(f->root, "etc/systemd/network/a.netdev", "Name=eth0\n");
	/* What the guest has changed since stays. */
	put(f, "etc/systemd/network/a.network", "[Match]\nName=host0\n# mine\n");
	assert_int_equal(undo(f), 1);
	assert_text(f->root, "etc/network/interfaces", "# eth0 is first\nauto lo eth0\niface eth0 inet dhcp\niface eth01 inet dhcp\n");
	assert_text(f->root, "etc/systemd/network/a.network", "[Match]\nName=host0\n# mine\n");
}

static void test_gettys_of_missing_terminals(void **state)
{
	static const char wants[] = "etc/systemd/system/getty.target.wants";
	struct fixture *f = *state;
	struct stat st;

	put(f, "etc/inittab", "::sysinit:/etc/rcS\ntty1::respawn:/sbin/getty 38400 tty1\n1:2345:respawn:/sbin/getty 38400 console\n#tty2::respawn:/sbin/getty x\n");
	make_dirs(f->root, wants);
	assert_int_equal(symlinkat("/lib/systemd/system/getty@.service", f->root, "etc/systemd/system/getty.target.wants/getty@tty1.service"), 0);
	put(f, "lib/systemd/system/getty@.service", "[Unit]\nConditionPathExists=/dev/tty0\n");
	change(f);
	assert_int_equal(f->changes.n, 1);
	assert_text(f->root, "etc/inittab",
		    "::sysinit:/etc/rcS\n#moorage# tty1::respawn:/sbin/getty 38400 tty1\n1:2345:respawn:/sbin/getty 38400 console\n#tty2::respawn:/sbin/getty x\n");
	/* A unit that insists on its terminal goes; LXC has that terminal. */
	assert_int_equal(undo(f), 0);
	put(f, "lib/systemd/system/getty@.service", "[Unit]\nDescription=x\n");
	change(f);
	assert_int_equal(f->changes.n, 2);
	assert_int_equal(fstatat(f->root, "etc/systemd/system/getty.target.wants/getty@tty1.service", &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(undo(f), 0);
	assert_int_equal(fstatat(f->root, "etc/systemd/system/getty.target.wants/getty@tty1.service", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISLNK(st.st_mode));
	f->x.from = "nspawn";
	f->x.to = "lxc";
	change(f);
	assert_int_equal(f->changes.n, 0);
}

static void test_what_libvirt_leaves(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	make_dirs(f->root, ".oldroot");
	change(f);
	assert_int_equal(f->changes.n, 0);
	f->x.from = "libvirt";
	change(f);
	assert_int_equal(fstatat(f->root, ".oldroot", &st, 0), -1);
	assert_int_equal(undo(f), 0);
	assert_int_equal(fstatat(f->root, ".oldroot", &st, 0), 0);
	put(f, ".oldroot/mine", "");
	change(f);
	assert_int_equal(f->changes.n, 0);
}

/* Made before libvirt does it, so that going back takes it away; but not with what somebody has put there. */
static void test_what_libvirt_will_leave(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	f->x.to = "libvirt";
	change(f);
	assert_int_equal(f->changes.n, 1);
	assert_int_equal(fstatat(f->root, ".oldroot", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(undo(f), 0);
	assert_int_equal(fstatat(f->root, ".oldroot", &st, 0), -1);
	change(f);
	put(f, ".oldroot/mine", "");
	assert_int_equal(undo(f), 0);
	assert_text(f->root, ".oldroot/mine", "");
}

static void test_the_name_of_the_engine(void **state)
{
	struct fixture *f = *state;

	put(f, "etc/environment", "PATH=/bin\ncontainer=lxc\ncontainer=lxcx\n");
	change(f);
	assert_text(f->root, "etc/environment", "PATH=/bin\ncontainer=systemd-nspawn\ncontainer=lxcx\n");
}

/* The way back restores what the way here had changed. */
static void test_the_way_back(void **state)
{
	struct fixture *f = *state;

	put(f, "etc/inittab", "tty1::respawn:/sbin/getty 38400 tty1\n");
	change(f);
	f->x.from = "nspawn";
	f->x.to = "lxc";
	f->x.earlier = &f->journal;
	f->x.n_earlier = 1;
	guest_changes_deinit(&f->changes);
	assert_int_equal(guest_plan(&f->x, &f->changes, &f->err), 0);
	assert_int_equal(f->changes.n, 1);
	assert_string_equal(f->changes.item[0].rule, "restore");
	assert_int_equal(guest_apply(f->root, &f->changes, &f->err), 0);
	assert_text(f->root, "etc/inittab", "tty1::respawn:/sbin/getty 38400 tty1\n");
}

/* Where there is no directory for it nothing is copied. */
static void test_no_place_for_a_resolver(void **state)
{
	struct fixture *f = *state;
	struct mrg_spec *host = mrg_spec_new();

	f->x.to = "chroot";
	f->x.after = host;
	assert_int_equal(unlinkat(f->root, "etc", AT_REMOVEDIR), 0);
	change(f);
	assert_int_equal(f->changes.n, 0);
	make_dirs(f->top_fd, "root/etc");
	assert_int_equal(guest_plan(&f->x, &f->changes, &f->err), 0);
	assert_int_equal(f->changes.n, access("/etc/resolv.conf", R_OK) == 0 ? 1 : 0);
	mrg_spec_free(host);
}

/* By way of a third engine: both changes of a file are taken back, and one that was undone on the way is none. */
static void test_a_longer_way_back(void **state)
{
	static const char *const engines[] = { "lxc", "libvirt", "nspawn", "lxc" };
	struct fixture *f = *state;
	int journals[2];

	put(f, "etc/environment", "container=lxc\n");
	make_dirs(f->top_fd, "second");
	journals[1] = f->journal;
	journals[0] = openat(f->top_fd, "second", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 2; i++) {
		f->x.from = engines[i];
		f->x.to = engines[i + 1];
		f->journal = journals[1 - i];
		change(f);
	}
	f->journal = journals[1];
	assert_text(f->root, "etc/environment", "container=systemd-nspawn\n");
	assert_int_equal(faccessat(f->root, ".oldroot", F_OK, 0), -1);
	f->x.from = "nspawn";
	f->x.to = "lxc";
	f->x.earlier = journals;
	f->x.n_earlier = 2;
	guest_changes_deinit(&f->changes);
	assert_int_equal(guest_plan(&f->x, &f->changes, &f->err), 0);
	assert_int_equal(f->changes.n, 1);
	assert_int_equal(guest_apply(f->root, &f->changes, &f->err), 0);
	assert_text(f->root, "etc/environment", "container=lxc\n");
	assert_int_equal(faccessat(f->root, ".oldroot", F_OK, 0), -1);
	close(journals[0]);
}

/* A crash in the middle of a file leaves neither text: with nobody else at work it is undone all the same. */
static void test_torn(void **state)
{
	struct fixture *f = *state;

	put(f, "etc/environment", "container=lxc\n");
	change(f);
	put(f, "etc/environment", "conta");
	assert_int_equal(undo(f), 1);
	assert_int_equal(guest_revert(f->root, &f->changes, NULL, &f->err), 0);
	assert_text(f->root, "etc/environment", "container=lxc\n");
}

/* ---- hostile roots --------------------------------------------------------------------------------- */

static void put_outside(struct fixture *f, const char *text)
{
	int fd = openat(f->top_fd, "outside", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

/* Each makes of the root what leads to the file "outside" beside it. */
static void link_file(struct fixture *f)
{
	assert_int_equal(symlinkat("../../outside", f->root, "etc/environment"), 0);
}

static void link_file_absolutely(struct fixture *f)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/outside", f->top);
	assert_int_equal(symlinkat(path, f->root, "etc/environment"), 0);
}

static void link_directory(struct fixture *f)
{
	assert_int_equal(unlinkat(f->root, "etc", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("../../../../..", f->root, "etc"), 0);
	/* "/environment" of the root, if it is looked up inside. */
	assert_int_equal(linkat(f->top_fd, "outside", f->root, "environment", 0), 0);
}

static void link_hard(struct fixture *f)
{
	assert_int_equal(linkat(f->top_fd, "outside", f->root, "etc/environment", 0), 0);
}

static void make_fifo(struct fixture *f)
{
	assert_int_equal(mkfifoat(f->root, "etc/environment", 0644), 0);
}

static void make_directory(struct fixture *f)
{
	assert_int_equal(mkdirat(f->root, "etc/environment", 0755), 0);
}

static void make_long(struct fixture *f)
{
	int fd;

	put(f, "etc/environment", "container=lxc\n");
	fd = openat(f->root, "etc/environment", O_WRONLY | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, (off_t)GUEST_FILE_MAX + 1), 0);
	close(fd);
}

static void test_hostile(void **state)
{
	static void (*const traps[])(struct fixture *f) = {
		link_file, link_file_absolutely, link_directory, link_hard, make_fifo, make_directory, make_long,
	};

	for (size_t i = 0; i < ARRAY_SIZE(traps); i++) {
		struct fixture *f;

		teardown(state);
		setup(state);
		f = *state;
		put_outside(f, "container=lxc\n");
		traps[i](f);
		change(f);
		assert_int_equal(f->changes.n, 0);
		assert_text(f->top_fd, "outside", "container=lxc\n");
	}
}

/* Between plan and change the file becomes a way out. */
static void test_exchanged(void **state)
{
	struct fixture *f = *state;

	put_outside(f, "container=lxc\n");
	put(f, "etc/environment", "container=lxc\n");
	assert_int_equal(guest_plan(&f->x, &f->changes, &f->err), 0);
	assert_int_equal(f->changes.n, 1);
	assert_int_equal(unlinkat(f->root, "etc/environment", 0), 0);
	assert_int_equal(symlinkat("../../outside", f->root, "etc/environment"), 0);
	assert_int_equal(guest_apply(f->root, &f->changes, &f->err), 0);
	assert_text(f->top_fd, "outside", "container=lxc\n");
	assert_text(f->root, "etc/environment", "container=systemd-nspawn\n");
}

static void test_damaged_list(void **state)
{
	static const char *const lists[] = { "", "{", "{}", "[1]", "[{}]", "[{\"rule\":\"a\",\"path\":\"/b\",\"text\":\"c\"}]", "null" };
	struct fixture *f = *state;
	struct guest_changes kept;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		assert_int_equal(fd_replace_file(f->journal, "guest.json", lists[i], strlen(lists[i]), false), 0);
		assert_true(guest_load(f->journal, &kept, &f->err) < 0);
		assert_int_equal(kept.n, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_copy_gets_an_identity, setup, teardown),
		cmocka_unit_test_setup_teardown(test_devices_are_renamed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gettys_of_missing_terminals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_libvirt_leaves, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_libvirt_will_leave, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_name_of_the_engine, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_way_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_place_for_a_resolver, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_longer_way_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_torn, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exchanged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_list, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
