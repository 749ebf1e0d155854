/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Roots that were made for a container: when they go with it, what stays, and a removal that is killed. */

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "tests/unit/import_fixture.h"

/* A container of an archive with a root that is quickly made; *ret_root is the caller's. */
static struct mrg_container *import_small(struct world *w, char **ret_root)
{
	struct mrg_container *c = NULL;

	write_archive(w, CONFINED(""));
	assert_works(w, import_one(w, "mrgt-small", NULL, &c));
	*ret_root = strdup(mrg_container_spec(c)->root_path);
	assert_non_null(*ret_root);
	return c;
}

static void put(const char *root, const char *name)
{
	_cleanup_close_ int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(fd_make_file(dir, name, "x", 1, false), 0);
}

static void its_root_goes_with_it(void **state)
{
	struct world *w = *state;
	struct mrg_container *c;
	_cleanup_free_ char *root = NULL;

	NEEDS_ROOT();
	c = import_small(w, &root);
	put(root, "file");
	assert_works(w, mrg_remove(c, 0, &w->err));
	release(c);
	assert_true(nothing_is_left(w));
}

static void a_root_is_kept_when_asked_for(void **state)
{
	struct world *w = *state;
	struct mrg_container *c;
	_cleanup_free_ char *root = NULL;

	NEEDS_ROOT();
	c = import_small(w, &root);
	assert_works(w, mrg_remove(c, MRG_REMOVE_KEEP_ROOT, &w->err));
	release(c);
	assert_int_equal(access(root, F_OK), 0);
	assert_int_equal(import_one(w, "mrgt-small", NULL, &c), -MRG_E_EXISTS);
}

/* A directory that a user gave, or put where the root was. */
static void what_users_gave_stays(void **state)
{
	struct world *w = *state;
	struct fixture *f = w->fixture;
	struct mrg_container *c = make(f, "mrgt-given", sleeper, 0);
	_cleanup_free_ char *root = NULL, *aside = NULL;

	NEEDS_ROOT();
	assert_works(w, mrg_remove(c, 0, &w->err));
	release(c);
	assert_int_equal(access(f->root, F_OK), 0);

	c = import_small(w, &root);
	assert_true(asprintf(&aside, "%s.old", root) > 0);
	assert_int_equal(rename(root, aside), 0);
	assert_int_equal(mkdir(root, 0755), 0);
	put(root, "precious");
	assert_works(w, mrg_remove(c, 0, &w->err));
	release(c);
	assert_int_equal(tree_remove(AT_FDCWD, aside, NULL, NULL), 0);
	assert_int_equal(access(root, F_OK), 0);
}

static void what_others_use_is_not_removed(void **state)
{
	static const char *const places[] = { "roots/mrgt-small", "roots/mrgt-small/sub", "link" };
	struct world *w = *state;
	struct fixture *f = w->fixture;
	_cleanup_free_ char *root = NULL, *link = NULL;
	struct mrg_container *c;

	NEEDS_ROOT();
	c = import_small(w, &root);
	assert_true(asprintf(&link, "%s/state/link", f->top) > 0);
	assert_int_equal(symlink("roots/mrgt-small/sub", link), 0);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct mrg_spec *spec = spec_of(f, sleeper);
		struct mrg_create create = { .name = "mrgt-other", .backend = "fake", .spec = spec };
		_cleanup_free_ char *path = NULL;
		struct mrg_container *other;

		assert_true(asprintf(&path, "%s/state/%s", f->top, places[i]) > 0);
		assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
		assert_works(w, mrg_spec_set(spec, MRG_FIELD_ROOT_PATH, path, &w->err));
		assert_works(w, mrg_create(f->m, &create, &other, &w->err));
		mrg_spec_free(spec);
		assert_int_equal(mrg_remove(c, 0, &w->err), -MRG_E_BUSY);
		assert_non_null(strstr(w->err.message, "fake:mrgt-other"));
		assert_int_equal(names(f), 2);
		/* Who has not made it does not remove it. */
		assert_works(w, mrg_remove(other, 0, &w->err));
		assert_int_equal(access(root, F_OK), 0);
		release(other);
	}
	assert_int_equal(unlink(link), 0);
	assert_works(w, mrg_remove(c, 0, &w->err));
	release(c);
	assert_true(nothing_is_left(w));
}

/* The new one on the same root has it from the old one. */
static void a_replaced_container_hands_its_root_on(void **state)
{
	struct world *w = *state;
	struct fixture *f = w->fixture;
	_cleanup_free_ char *root = NULL;
	struct mrg_spec *spec = spec_of(f, sleeper);
	struct mrg_create create = { .name = "mrgt-small", .backend = "fake", .spec = spec, .flags = MRG_CREATE_REPLACE };
	struct mrg_container *c;

	NEEDS_ROOT();
	release(import_small(w, &root));
	put(root, "file");
	assert_works(w, mrg_spec_set(spec, MRG_FIELD_ROOT_PATH, root, &w->err));
	assert_works(w, mrg_create(f->m, &create, &c, &w->err));
	mrg_spec_free(spec);
	assert_int_equal(access(root, F_OK), 0);
	assert_works(w, mrg_remove(c, 0, &w->err));
	release(c);
	assert_true(nothing_is_left(w));
}

/* In a child with mounts of its own. */
static int remove_with_mount(struct world *w, struct mrg_container *c, const char *root)
{
	_cleanup_free_ char *at = NULL;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || asprintf(&at, "%s/a mount", root) < 0 ||
	    mkdir(at, 0755) < 0 || mount("mrgt-none", at, "tmpfs", 0, NULL) < 0)
		return 2;
	return mrg_remove(c, 0, &w->err) == -MRG_E_BUSY && strstr(w->err.message, "a mount") && access(root, F_OK) == 0 ? 0 : 1;
}

static void what_is_mounted_or_marked_hinders(void **state)
{
	struct world *w = *state;
	struct fixture *f = w->fixture;
	_cleanup_free_ char *root = NULL;
	struct mrg_container *c;
	int status, flags = FS_IMMUTABLE_FL;
	_cleanup_close_ int fd = -1;
	pid_t pid;

	NEEDS_ROOT();
	c = import_small(w, &root);
	pid = fork();
	if (pid == 0)
		_exit(remove_with_mount(w, c, root));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(names(f), 1);
	fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0) {
		assert_int_equal(mrg_remove(c, 0, &w->err), -MRG_E_PERMISSION);
		flags = 0;
		assert_int_equal(ioctl(fd, FS_IOC_SETFLAGS, &flags), 0);
		assert_int_equal(names(f), 1);
	}
	assert_works(w, mrg_remove(c, 0, &w->err));
	release(c);
	assert_true(nothing_is_left(w));
}

/* Killed at any moment: with the next command it is there, whole, or gone with its root. */
static void a_killed_removal_is_finished(void **state)
{
	struct world *w = *state;
	struct fixture *f = w->fixture;
	size_t gone = 0;

	NEEDS_ROOT();
	/* Until it is quick enough to be whole at times, however busy the machine is. */
	for (useconds_t us = 0; gone < 3; us += 100 + us / 8) {
		_cleanup_free_ char *root = NULL;
		struct mrg_container *c = import_small(w, &root);
		char name[16];
		pid_t pid;

		assert_true(us < 10000000);
		for (int i = 0; i < 200; i++) {
			snprintf(name, sizeof(name), "file-%d", i);
			put(root, name);
		}
		pid = fork();
		if (pid == 0)
			_exit(mrg_remove(c, 0, NULL) < 0);
		usleep(us);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		release(c);
		assert_int_equal(mrg_list(f->m, NULL, see_nothing, NULL, NULL, &w->err), 0);
		if (names(f) == 1) {
			_cleanup_close_ int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

			assert_true(dir >= 0);
			for (int i = 0; i < 200; i++) {
				snprintf(name, sizeof(name), "file-%d", i);
				assert_int_equal(faccessat(dir, name, F_OK, 0), 0);
			}
			c = open_named(f, "mrgt-small");
			assert_works(w, mrg_remove(c, 0, &w->err));
			release(c);
		} else {
			gone++;
		}
		assert_true(nothing_is_left(w));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(its_root_goes_with_it, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(a_root_is_kept_when_asked_for, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(what_users_gave_stays, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(what_others_use_is_not_removed, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(a_replaced_container_hands_its_root_on, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(what_is_mounted_or_marked_hinders, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(a_killed_removal_is_finished, setup_world, teardown_world),
	};

	return cmocka_run_group_tests_name("own root", tests, NULL, NULL);
}
