/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Root file systems as trees: given to other ids, moved, removed, summed. */

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/path.h"
#include "tests/unit/root_fixture.h"
#include "tests/unit/tree_fixture.h"

/* Back from those far away; and such that overlap with those of the host. */
static struct tree_range back_ids[] = { { 1000000, 0, 65536 } }, near_ids[] = { { 0, 3, 65536 } };
static const struct tree_map back = { back_ids, back_ids, 1, 1 }, near = { near_ids, near_ids, 1, 1 };

/* ---- other ids ------------------------------------------------------------------ */

static void rebase_there_and_back(void **state)
{
	struct tree_fixture *f = *state;
	char before[TREE_DIGEST_SIZE], wanted[TREE_DIGEST_SIZE], after[TREE_DIGEST_SIZE];
	struct tree_report report;
	struct statx sx;

	NEEDS_ROOT();
	tree_fixture_digest(f, f->root, NULL, before);
	tree_fixture_digest(f, f->root, &tree_fixture_far, wanted);
	assert_works(f, tree_rebase(f->root, &tree_fixture_far, NULL, &report, &f->err));
	assert_string_equal(tree_fixture_digest(f, f->root, NULL, after), wanted);
	assert_int_equal(report.told[TREE_TOLD_FLAGS].count, 1);
	assert_int_equal(statx(f->root, "fixed", 0, STATX_BASIC_STATS, &sx), 0);
	assert_true(sx.stx_attributes & STATX_ATTR_IMMUTABLE);
	tree_report_deinit(&report);
	/* Once more changes nothing. */
	assert_works(f, tree_rebase(f->root, &tree_fixture_far, NULL, &report, &f->err));
	assert_int_equal(report.changed, 0);
	assert_string_equal(tree_fixture_digest(f, f->root, NULL, after), wanted);
	assert_works(f, tree_rebase(f->root, &back, NULL, NULL, &f->err));
	assert_string_equal(tree_fixture_digest(f, f->root, NULL, after), before);
}

/* Interrupted after every step, and taken up again. */
static void rebase_in_pieces(struct tree_fixture *f, const struct tree_map *map)
{
	char wanted[TREE_DIGEST_SIZE], after[TREE_DIGEST_SIZE];
	struct tree_scan scan;
	int r, rounds = 0, step = 40;

	tree_fixture_digest(f, f->root, map, wanted);
	do {
		int n = step;
		struct tree_options options = { .progress = tree_fixture_count_down, .data = &n };

		r = tree_rebase(f->root, map, &options, NULL, &f->err);
		assert_true(r == 0 || r == -ECANCELED);
		assert_works(f, tree_scan(f->root, NULL, NULL, &scan, &f->err));
		assert_int_equal(scan.rebasing, r < 0);
		tree_scan_deinit(&scan);
		step += 40;
		rounds++;
	} while (r < 0);
	assert_true(rounds > 3);
	assert_string_equal(tree_fixture_digest(f, f->root, NULL, after), wanted);
}

static void rebase_resumes(void **state)
{
	struct tree_fixture *f = *state;

	NEEDS_ROOT();
	rebase_in_pieces(f, &tree_fixture_far);
}

static void rebase_resumes_where_ranges_overlap(void **state)
{
	struct tree_fixture *f = *state;
	char copy[TREE_DIGEST_SIZE];

	NEEDS_ROOT();
	rebase_in_pieces(f, &near);
	/* And at once, which is not the same call again. */
	assert_works(f, tree_rebase_settle(f->root, &f->err));
	tree_fixture_digest(f, f->root, &near, copy);
	assert_works(f, tree_rebase(f->root, &near, NULL, NULL, &f->err));
	char after[TREE_DIGEST_SIZE];
	assert_string_equal(tree_fixture_digest(f, f->root, NULL, after), copy);
}

/* Ids of ranges that overlap do not tell whether they were changed. */
static void rebase_again_does_nothing_until_settled(void **state)
{
	struct tree_fixture *f = *state;
	char before[TREE_DIGEST_SIZE], wanted[TREE_DIGEST_SIZE], after[TREE_DIGEST_SIZE];
	struct tree_range ranges[] = { { near.uids[0].to, near.uids[0].from, near.uids[0].count } };
	const struct tree_map inverse = { .uids = ranges, .gids = ranges, .n_uids = 1, .n_gids = 1 };

	NEEDS_ROOT();
	assert_false(tree_rebase_begun(f->root, &near));
	tree_fixture_digest(f, f->root, NULL, before);
	tree_fixture_digest(f, f->root, &near, wanted);
	for (int i = 0; i < 2; i++) {
		assert_works(f, tree_rebase(f->root, &near, NULL, NULL, &f->err));
		assert_true(tree_rebase_begun(f->root, &near));
		assert_string_equal(tree_fixture_digest(f, f->root, NULL, after), wanted);
	}
	assert_works(f, tree_rebase(f->root, &inverse, NULL, NULL, &f->err));
	assert_false(tree_rebase_begun(f->root, &near));
	assert_string_equal(tree_fixture_digest(f, f->root, NULL, after), before);
	assert_works(f, tree_rebase_settle(f->root, &f->err));
	assert_false(tree_rebase_begun(f->root, &inverse));
}

/* Gives what the flags were. */
static int set_immutable(int dir, const char *name, bool on)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	int flags, old;

	assert_int_equal(ioctl(fd, FS_IOC_GETFLAGS, &old), 0);
	flags = on ? old | FS_IMMUTABLE_FL : old & ~FS_IMMUTABLE_FL;
	assert_int_equal(ioctl(fd, FS_IOC_SETFLAGS, &flags), 0);
	return old;
}

static bool is_immutable(int dir, const char *name, uint64_t *ret_inode)
{
	struct statx sx;

	assert_int_equal(statx(dir, name, 0, STATX_BASIC_STATS, &sx), 0);
	*ret_inode = sx.stx_ino;
	return sx.stx_attributes & STATX_ATTR_IMMUTABLE;
}

/* Killed between lifting a flag and setting it again. */
static void rebase_sets_lifted_flags_again(void **state)
{
	struct tree_fixture *f = *state;
	int flags, n = 0;
	struct tree_options options = { .progress = tree_fixture_count_down, .data = &n };
	char note[64];
	uint64_t inode;

	NEEDS_ROOT();
	assert_int_equal(tree_rebase(f->root, &tree_fixture_far, &options, NULL, &f->err), -ECANCELED);
	flags = set_immutable(f->root, "fixed", false);
	assert_false(is_immutable(f->root, "fixed", &inode));
	snprintf(note, sizeof(note), "trusted.moorage.rebase.%" PRIu64, inode);
	assert_int_equal(fsetxattr(f->root, note, &flags, sizeof(flags), 0), 0);
	assert_works(f, tree_rebase(f->root, &tree_fixture_far, NULL, NULL, &f->err));
	assert_true(is_immutable(f->root, "fixed", &inode));
	assert_int_equal(fgetxattr(f->root, note, NULL, 0), -1);
}

/* Killed at any moment, also in the midst of one file. */
static void rebase_survives_being_killed(void **state)
{
	struct tree_fixture *f = *state;
	char wanted[TREE_DIGEST_SIZE], after[TREE_DIGEST_SIZE];
	char name[16];
	ssize_t marks;

	NEEDS_ROOT();
	marks = flistxattr(f->root, NULL, 0);
	for (int i = 0; i < 50; i++) {
		unsigned char value[24];
		size_t length = tree_fixture_capability(value, 0);

		snprintf(name, sizeof(name), "s%d", i);
		assert_int_equal(tree_fixture_file(f->root, name, "s", 0), 0);
		_cleanup_close_ int fd = openat(f->root, name, O_RDONLY | O_CLOEXEC);
		assert_int_equal(fsetxattr(fd, "security.capability", value, length, 0), 0);
		assert_int_equal(fchmod(fd, 06755), 0);
		set_immutable(f->root, name, true);
	}
	tree_fixture_digest(f, f->root, &near, wanted);
	for (int i = 0, ended = 0; !ended; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			_exit(tree_rebase(f->root, &near, NULL, NULL, NULL) < 0);
		usleep((useconds_t)(200 + i * 400));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		ended = WIFEXITED(status);
		assert_true(!ended || WEXITSTATUS(status) == 0);
	}
	assert_string_equal(tree_fixture_digest(f, f->root, NULL, after), wanted);
	for (int i = 0; i < 50; i++) {
		uint64_t inode;

		snprintf(name, sizeof(name), "s%d", i);
		assert_true(is_immutable(f->root, name, &inode));
	}
	assert_int_equal(flistxattr(f->root, NULL, 0), marks + sizeof("trusted.moorage.rebase"));
}

static void rebase_refuses_another_map(void **state)
{
	struct tree_fixture *f = *state;
	int n = 20;
	struct tree_options options = { .progress = tree_fixture_count_down, .data = &n };

	NEEDS_ROOT();
	assert_int_equal(tree_rebase(f->root, &tree_fixture_far, &options, NULL, &f->err), -ECANCELED);
	assert_int_equal(tree_rebase(f->root, &near, NULL, NULL, &f->err), -MRG_E_STATE);
	assert_int_equal(tree_copy(f->root, f->dir, "work", NULL, NULL, &f->err), -MRG_E_STATE);
	assert_works(f, tree_rebase(f->root, &tree_fixture_far, NULL, NULL, &f->err));
}

/* A file that has a name outside belongs to others as well: nothing at all is changed. */
static void rebase_refuses_links_to_outside(void **state)
{
	struct tree_fixture *f = *state;
	char before[TREE_DIGEST_SIZE], after[TREE_DIGEST_SIZE];

	NEEDS_ROOT();
	assert_int_equal(linkat(f->root, "plain", f->dir, "outside", 0), 0);
	tree_fixture_digest(f, f->root, NULL, before);
	assert_int_equal(tree_rebase(f->root, &tree_fixture_far, NULL, NULL, &f->err), -EMLINK);
	assert_string_equal(tree_fixture_digest(f, f->root, NULL, after), before);
}

static void ids_without_a_place_are_told(void **state)
{
	struct tree_fixture *f = *state;
	struct tree_range some[] = { { 0, 1000000, 1000 } };
	const struct tree_map map = { some, some, 1, 1 };
	struct tree_scan scan;
	struct tree_report report;
	struct stat st;

	NEEDS_ROOT();
	assert_works(f, tree_scan(f->root, &map, NULL, &scan, &f->err));
	/* plain, dangling twice, sub and acl by their ACLs. */
	assert_int_equal(scan.report.told[TREE_TOLD_UNMAPPED].count, 5);
	tree_scan_deinit(&scan);
	assert_works(f, tree_rebase(f->root, &map, NULL, &report, &f->err));
	assert_int_equal(report.told[TREE_TOLD_UNMAPPED].count, 5);
	tree_report_deinit(&report);
	assert_int_equal(fstatat(f->root, "plain", &st, 0), 0);
	assert_int_equal(st.st_uid, 1000);
	assert_int_equal(st.st_gid, 1000100);
}

static void scan_tells_what_is_there(void **state)
{
	struct tree_fixture *f = *state;
	struct tree_scan scan;

	NEEDS_ROOT();
	assert_works(f, tree_scan(f->root, NULL, NULL, &scan, &f->err));
	assert_false(scan.shifted);
	assert_int_equal(scan.report.links, 4);
	assert_int_equal(scan.report.told[TREE_TOLD_SOCKET].count, 1);
	assert_int_equal(scan.report.told[TREE_TOLD_LINK].count, 0);
	assert_int_equal(scan.uid_max, 1001);
	tree_scan_deinit(&scan);
	assert_works(f, tree_rebase(f->root, &tree_fixture_far, NULL, NULL, &f->err));
	assert_works(f, tree_scan(f->root, &tree_fixture_far, NULL, &scan, &f->err));
	assert_true(scan.shifted);
	assert_int_equal(scan.uid, 1000000);
	assert_int_equal(scan.in_source, 0);
	assert_int_equal(scan.in_target, scan.report.files + 1);
	tree_scan_deinit(&scan);
}

/* ---- mounts --------------------------------------------------------------------- */

/* Descriptors from before see the mounts of before. */
static int enter_namespace(struct tree_fixture *f)
{
	char path[128];

	close(f->dir);
	close(f->root);
	f->dir = open(f->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/root", f->top);
	f->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return f->dir < 0 || f->root < 0 ? -1 : 0;
}

/* In a mount namespace of its own: a tmpfs on a directory and a file bound over one. */
static int mounts_are_not_crossed(void *data)
{
	struct tree_fixture *f = data;
	char path[128], file[128];
	struct tree_report report;
	struct stat st;

	EXPECT(enter_namespace(f) == 0);
	snprintf(path, sizeof(path), "%s/root/sub", f->top);
	snprintf(file, sizeof(file), "%s/root/plain", f->top);
	EXPECT(mount("mrgt", path, "tmpfs", 0, NULL) == 0);
	EXPECT(tree_fixture_file(f->root, "sub/hidden", "hidden", 0644) == 0);
	snprintf(path, sizeof(path), "%s/canary/file", f->top);
	EXPECT(mount(path, file, NULL, MS_BIND, NULL) == 0);
	EXPECT(tree_copy(f->root, f->dir, "work", NULL, &report, &f->err) == 0);
	EXPECT(report.told[TREE_TOLD_MOUNT].count == 2);
	tree_report_deinit(&report);
	EXPECT(faccessat(f->dir, "work/sub/hidden", F_OK, 0) < 0);
	EXPECT(fstatat(f->dir, "work/sub", &st, 0) == 0 && S_ISDIR(st.st_mode));
	EXPECT(fstatat(f->dir, "work/plain", &st, 0) == 0 && S_ISREG(st.st_mode) && st.st_size == 0);
	EXPECT(tree_rebase(f->root, &tree_fixture_far, NULL, NULL, &f->err) == -MRG_E_STATE);
	EXPECT(tree_remove(f->dir, "root", NULL, &f->err) == -EBUSY);
	EXPECT(faccessat(f->root, "sub/hidden", F_OK, 0) == 0);
	return 0;
}

static void mounts_stay(void **state)
{
	NEEDS_ROOT();
	assert_int_equal(in_mount_namespace(mounts_are_not_crossed, *state), 0);
}

static int move_to_another_file_system(void *data)
{
	struct tree_fixture *f = data;
	char path[128], before[TREE_DIGEST_SIZE], after[TREE_DIGEST_SIZE];
	enum tree_moved how;
	int there, moved;

	snprintf(path, sizeof(path), "%s/there", f->top);
	EXPECT(mkdir(path, 0700) == 0 && mount("mrgt", path, "tmpfs", 0, NULL) == 0);
	there = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	EXPECT(there >= 0);
	EXPECT(tree_digest(f->root, NULL, NULL, before, &f->err) == 0);
	if (tree_move(f->dir, "root", there, "moved", NULL, &how, NULL, &f->err) < 0) {
		expect_failed(f->err.message, __FILE__, __LINE__);
		return 1;
	}
	EXPECT(how == TREE_COPIED && faccessat(f->dir, "root", F_OK, 0) == 0);
	moved = openat(there, "moved", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	EXPECT(tree_digest(moved, NULL, NULL, after, &f->err) == 0);
	EXPECT(strcmp(before, after) == 0);
	close(moved);
	close(there);
	return 0;
}

static void move_renames(void **state)
{
	struct tree_fixture *f = *state;
	enum tree_moved how;
	struct stat st;

	NEEDS_ROOT();
	assert_int_equal(tree_move(f->dir, "root", f->dir, "canary", NULL, &how, NULL, &f->err), -EEXIST);
	assert_int_equal(in_mount_namespace(move_to_another_file_system, f), 0);
	assert_works(f, tree_move(f->dir, "root", f->dir, "moved", NULL, &how, NULL, &f->err));
	assert_int_equal(how, TREE_RENAMED);
	assert_int_equal(fstatat(f->dir, "moved/plain", &st, 0), 0);
}

/* ---- size ----------------------------------------------------------------------- */

/* In a mount namespace of its own: directories of a tmpfs are quickly made. */
static int enter_memory(struct tree_fixture *f)
{
	if (mount("mrgt", f->top, "tmpfs", 0, "mode=0700") < 0)
		return -1;
	f->dir = open(f->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return f->dir < 0 || mkdirat(f->dir, "root", 0755) < 0 || (f->root = openat(f->dir, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 ? -1 : 0;
}

/* With few descriptors. */
static int deep_tree(void *data)
{
	struct tree_fixture *f = data;
	struct rlimit limit;
	char left[TREE_DIGEST_SIZE], right[TREE_DIGEST_SIZE];
	int copy;

	EXPECT(enter_memory(f) == 0 && tree_fixture_deep(f->root, 10000) == 0);
	EXPECT(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = 100;
	EXPECT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	EXPECT(tree_copy(f->root, f->dir, "work", NULL, NULL, &f->err) == 0);
	copy = openat(f->dir, "work", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	EXPECT(copy >= 0);
	EXPECT(tree_digest(f->root, NULL, NULL, left, &f->err) == 0 && tree_digest(copy, NULL, NULL, right, &f->err) == 0);
	EXPECT(strcmp(left, right) == 0);
	EXPECT(tree_rebase(copy, &tree_fixture_far, NULL, NULL, &f->err) == 0);
	EXPECT(tree_remove(f->dir, "work", NULL, &f->err) == 0 && faccessat(f->dir, "work", F_OK, 0) < 0);
	return 0;
}

static int wide_tree(void *data)
{
	struct tree_fixture *f = data;
	struct tree_report report;
	char name[32];

	EXPECT(enter_memory(f) == 0);
	for (int i = 0; i < 30000; i++) {
		snprintf(name, sizeof(name), "entry-%d", i);
		EXPECT((i % 10 ? mknodat(f->root, name, S_IFREG | 0644, 0) : mkdirat(f->root, name, 0755)) == 0);
	}
	EXPECT(tree_copy(f->root, f->dir, "work", NULL, &report, &f->err) == 0);
	EXPECT(report.files == 30000 && report.directories == 3000);
	tree_report_deinit(&report);
	EXPECT(tree_remove(f->dir, "work", NULL, &f->err) == 0 && faccessat(f->dir, "work", F_OK, 0) < 0);
	return 0;
}

static void depth_needs_few_descriptors(void **state)
{
	NEEDS_ROOT();
	assert_int_equal(in_mount_namespace(deep_tree, *state), 0);
}

static void wide_directories_are_read_to_the_end(void **state)
{
	NEEDS_ROOT();
	assert_int_equal(in_mount_namespace(wide_tree, *state), 0);
}

/* ---- removal -------------------------------------------------------------------- */

static void remove_stays_inside(void **state)
{
	struct tree_fixture *f = *state;

	NEEDS_ROOT();
	assert_works(f, tree_remove(f->dir, "root", NULL, &f->err));
	assert_int_equal(faccessat(f->dir, "root", F_OK, 0), -1);
	assert_works(f, tree_remove(f->dir, "root", NULL, &f->err));
	assert_int_equal(symlinkat("canary", f->dir, "link"), 0);
	assert_works(f, tree_remove(f->dir, "link", NULL, &f->err));
	assert_true(tree_fixture_canary_lives(f));
}

/* ---- somebody at work at the same time --------------------------------------------- */

/* Swaps a directory of the root and a symlink to the canary, until killed. */
static pid_t start_swapping(struct tree_fixture *f)
{
	char canary[80];
	pid_t pid;

	snprintf(canary, sizeof(canary), "%s/canary", f->top);
	assert_int_equal(mkdirat(f->root, "swap", 0755), 0);
	assert_int_equal(tree_fixture_file(f->root, "swap/file", "mine", 0644), 0);
	assert_int_equal(symlinkat(canary, f->root, "swapped"), 0);
	pid = fork();
	if (pid == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0)
		for (;;)
			renameat2(f->root, "swap", f->root, "swapped", RENAME_EXCHANGE);
	return pid;
}

static void races_lead_nowhere(void **state)
{
	static const char *const files[] = { "work/swap/file", "work/swapped/file" };
	struct tree_fixture *f = *state;
	bool canary = true, inside = true;
	pid_t pid;

	NEEDS_ROOT();
	pid = start_swapping(f);
	for (int i = 0; i < 30; i++) {
		/* What the other one does may end a work, but never lead it out. */
		tree_copy(f->root, f->dir, "work", NULL, NULL, &f->err);
		for (size_t k = 0; k < ARRAY_SIZE(files); k++) {
			_cleanup_close_ int fd = path_open_beneath(f->dir, files[k], O_RDONLY, 0);
			char text[5] = "";

			inside &= fd < 0 || read(fd, text, 4) <= 0 || strcmp(text, "mine") == 0;
		}
		inside &= tree_remove(f->dir, "work", NULL, &f->err) == 0;
		tree_rebase(f->root, i % 2 ? &back : &tree_fixture_far, NULL, NULL, &f->err);
		canary &= tree_fixture_canary_lives(f);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_true(inside);
	assert_true(canary);
}

/* ---- maps ----------------------------------------------------------------------- */

static void maps_are_composed(void **state)
{
	const struct mrg_id_mapping one[] = { { 0, 100000, 65536 } }, two[] = { { 0, 200000, 1000 }, { 1000, 1000, 1 }, { 1001, 201001, 64535 } };
	const struct mrg_id_mapping twice[] = { { 0, 100000, 10 }, { 10, 100005, 10 } };
	struct tree_map map = { 0 };
	struct mrg_error err;

	(void)state;
	assert_int_equal(tree_map_between(NULL, 0, one, 1, &map.uids, &map.n_uids, &err), 0);
	assert_int_equal(map.n_uids, 1);
	assert_int_equal(map.uids[0].from, 0);
	assert_int_equal(map.uids[0].to, 100000);
	assert_int_equal(map.uids[0].count, 65536);
	assert_false(tree_map_is_empty(&map));
	tree_map_deinit(&map);

	assert_int_equal(tree_map_between(one, 1, two, 3, &map.uids, &map.n_uids, &err), 0);
	assert_int_equal(map.n_uids, 3);
	assert_int_equal(map.uids[1].from, 101000);
	assert_int_equal(map.uids[1].to, 1000);
	assert_int_equal(map.uids[1].count, 1);
	tree_map_deinit(&map);

	assert_int_equal(tree_map_between(one, 1, one, 1, &map.uids, &map.n_uids, &err), 0);
	assert_true(tree_map_is_empty(&map));
	tree_map_deinit(&map);
	assert_int_equal(tree_map_between(NULL, 0, NULL, 0, &map.uids, &map.n_uids, &err), 0);
	assert_true(tree_map_is_empty(&map));
	tree_map_deinit(&map);
	assert_int_equal(tree_map_between(NULL, 0, twice, 2, &map.uids, &map.n_uids, &err), -MRG_E_INVALID);
	assert_null(map.uids);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rebase_there_and_back, tree_fixture_setup_filled, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(rebase_resumes, tree_fixture_setup_filled, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(rebase_resumes_where_ranges_overlap, tree_fixture_setup_filled, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(rebase_again_does_nothing_until_settled, tree_fixture_setup_filled, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(rebase_sets_lifted_flags_again, tree_fixture_setup_filled, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(rebase_survives_being_killed, tree_fixture_setup_filled, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(rebase_refuses_another_map, tree_fixture_setup_filled, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(rebase_refuses_links_to_outside, tree_fixture_setup_filled, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(ids_without_a_place_are_told, tree_fixture_setup_filled, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(scan_tells_what_is_there, tree_fixture_setup_filled, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(mounts_stay, tree_fixture_setup_filled, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(move_renames, tree_fixture_setup_filled, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(depth_needs_few_descriptors, tree_fixture_setup, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(wide_directories_are_read_to_the_end, tree_fixture_setup, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(remove_stays_inside, tree_fixture_setup_filled, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(races_lead_nowhere, tree_fixture_setup_filled, tree_fixture_teardown),
		cmocka_unit_test(maps_are_composed),
	};

	return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
