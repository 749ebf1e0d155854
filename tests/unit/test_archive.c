/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Archives: a hostile root packed and unpacked again, and archives that are hostile themselves. */

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
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/archive/acl.h"
#include "core/archive/extract.h"
#include "core/archive/pack.h"
#include "core/util/cleanup.h"
#include "core/util/command.h"
#include "core/util/fd.h"
#include "core/util/path.h"
#include "tests/unit/tree_fixture.h"

static const struct tree_options portable = { .portable = true };

static int setup(void **state)
{
	struct tree_fixture *f = calloc(1, sizeof(*f));

	*state = f;
	return !f || tree_fixture_init(f) < 0 || mkdirat(f->dir, "work", 0700) < 0 ? -1 : 0;
}

static int open_work(struct tree_fixture *f)
{
	int fd = openat(f->dir, "work", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* Unpacks the file "archive" into "work": what the extractor says. */
static int unpack(struct tree_fixture *f, bool devices)
{
	_cleanup_close_ int fd = openat(f->dir, "archive", O_RDONLY | O_CLOEXEC), work = open_work(f);
	struct tar_entry entry = { .path = NULL };
	struct tree_report report = { 0 };
	struct stream_reader stream;
	struct tar_reader tar;
	struct extractor x;
	int r;

	f->err = (struct mrg_error) { 0 };
	r = stream_reader_init(&stream, stream_source_fd, &fd, &f->err);
	if (r == 0)
		r = extractor_init(&x, work, NULL, &report, &f->err);
	assert_int_equal(r, 0);
	x.devices = devices;
	tar_reader_init(&tar, &stream);
	while (r >= 0 && (r = tar_next(&tar, &entry, &f->err)) > 0) {
		_cleanup_free_ char *path = NULL;

		r = extract_clean_path(entry.path, &path, &f->err);
		if (r == 0)
			r = extract_entry(&x, &tar, &entry, path);
	}
	if (r == 0)
		r = extract_end(&x);
	if (r == 0)
		r = stream_finish(&stream, &f->err);
	extractor_deinit(&x);
	stream_reader_deinit(&stream);
	tar_entry_deinit(&entry);
	tree_report_deinit(&report);
	return r;
}

static void clear_work(struct tree_fixture *f)
{
	_cleanup_close_ int work = open_work(f);

	assert_works(f, tree_clear(work, &f->err));
}

static void pack_root(struct tree_fixture *f, const char *codec, struct tree_report *report)
{
	_cleanup_close_ int fd = openat(f->dir, "archive", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char made[TREE_DIGEST_SIZE], wanted[TREE_DIGEST_SIZE];
	const struct tree_options options = { .digest = made };
	struct stream_writer w;

	assert_works(f, stream_writer_init(&w, stream_sink_fd, &fd, codec, &f->err));
	assert_works(f, pack_tree(&w, f->root, ".", &options, report, &f->err));
	assert_works(f, tar_write_end(&w, &f->err));
	assert_works(f, stream_writer_end(&w, &f->err));
	stream_writer_deinit(&w);
	assert_works(f, tree_digest(f->root, NULL, &portable, wanted, &f->err));
	assert_string_equal(made, wanted);
}

static void same_digest(struct tree_fixture *f)
{
	char left[TREE_DIGEST_SIZE], right[TREE_DIGEST_SIZE];
	_cleanup_close_ int work = open_work(f);

	assert_works(f, tree_digest(f->root, NULL, &portable, left, &f->err));
	assert_works(f, tree_digest(work, NULL, &portable, right, &f->err));
	assert_string_equal(left, right);
}

/* ---- there and back -------------------------------------------------------------- */

static void a_root_survives_every_codec(void **state)
{
	static const char *const codecs[] = { NULL, "gzip", "zstd", "xz" };
	struct tree_fixture *f = *state;
	struct stat st;

	NEEDS_ROOT();
	assert_int_equal(tree_fixture_fill(f), 0);
	for (size_t i = 0; i < ARRAY_SIZE(codecs); i++) {
		struct tree_report report = { 0 };

		pack_root(f, codecs[i], &report);
		assert_int_equal(report.told[TREE_TOLD_SOCKET].count, 1);
		assert_int_equal(report.told[TREE_TOLD_FLAGS].count, 1);
		assert_int_equal(report.told[TREE_TOLD_XATTR].count, 1);	/* trusted.note */
		tree_report_deinit(&report);
		clear_work(f);
		assert_works(f, unpack(f, true));
		same_digest(f);
		assert_int_equal(fstatat(f->dir, "work/sparse", &st, 0), 0);
		assert_true(st.st_blocks < 1024);
		assert_int_equal(fstatat(f->dir, "work/one", &st, 0), 0);
		assert_int_equal(st.st_nlink, 3);
	}
}

/* What GNU tar writes is read, and what we write GNU tar reads. */
static void gnu_tar_agrees(void **state)
{
	static const char *const formats[] = { "--format=gnu", "--format=pax" };
	struct tree_fixture *f = *state;
	char archive[80], root[80], work[80];
	struct tree_report report = { 0 };

	NEEDS_ROOT();
	assert_int_equal(tree_fixture_fill(f), 0);
	snprintf(archive, sizeof(archive), "%s/archive", f->top);
	snprintf(root, sizeof(root), "%s/root", f->top);
	snprintf(work, sizeof(work), "%s/work", f->top);
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		const char *const argv[] = { "tar", "-C", root, formats[i], "-S", "--numeric-owner", "-cf", archive, ".", NULL };
		const char *const compare[] = { "tar", "-C", work, "--numeric-owner", "-df", archive, NULL };
		_cleanup_free_ char *output = NULL;

		assert_int_equal(command_run(argv, NULL, &f->err), 0);
		clear_work(f);
		assert_works(f, unpack(f, true));
		if (command_run(compare, &output, &f->err) != 0)
			fail_msg("%s: %s", formats[i], output);
	}
	pack_root(f, "zstd", &report);
	tree_report_deinit(&report);
	{
		const char *const argv[] = { "tar", "-C", root, "--zstd", "--numeric-owner", "-df", archive, NULL };
		_cleanup_free_ char *output = NULL;

		if (command_run(argv, &output, &f->err) != 0)
			fail_msg("%s", output);
	}
}

/* ---- hostile archives ------------------------------------------------------------- */

/* An archive made of a few entries. */
struct made {
	mode_t type;
	const char *path, *link, *text;
	mode_t mode;
};

/* @groups: of each, or NULL, root's. */
static void make_archive(struct tree_fixture *f, const struct made *entries, const gid_t *groups, size_t n)
{
	_cleanup_close_ int fd = openat(f->dir, "archive", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct stream_writer w;

	assert_works(f, stream_writer_init(&w, stream_sink_fd, &fd, NULL, &f->err));
	for (size_t i = 0; i < n; i++) {
		const struct made *m = &entries[i];
		struct tar_entry e = { .type = m->type, .path = (char *)m->path, .link = (char *)m->link, .mode = m->mode ? m->mode : 0755, .gid = groups ? groups[i] : 0,
				       .size = m->text ? strlen(m->text) : 0, .seconds = 1000, .major = 8 };

		assert_works(f, tar_write_entry(&w, &e, &f->err));
		if (m->text) {
			assert_works(f, stream_write(&w, m->text, strlen(m->text), &f->err));
			assert_works(f, tar_write_padding(&w, strlen(m->text), &f->err));
		}
	}
	assert_works(f, tar_write_end(&w, &f->err));
	stream_writer_deinit(&w);
}

/* Each is refused, or does nothing outside; teardown and this look at the canary. */
static void hostile_names_stay_inside(void **state)
{
	struct tree_fixture *f = *state;
	char canary[80], file[96], up[PATH_MAX] = "";

	NEEDS_ROOT();
	snprintf(canary, sizeof(canary), "%s/canary", f->top);
	snprintf(file, sizeof(file), "%s/canary/file", f->top);
	for (int i = 0; i < 30; i++)
		strcat(up, "../");
	strcat(up, file + 1);

	const struct {
		struct made entries[3];
		int expected;
	} cases[] = {
		{ { { S_IFREG, file, NULL, "evil", 0 } }, 0 },				/* absolute: made inside */
		{ { { S_IFREG, up, NULL, "evil", 0 } }, -EINVAL },
		{ { { S_IFREG, "a/../../canary/file", NULL, "evil", 0 } }, -EINVAL },
		{ { { S_IFREG, "a/..", NULL, "evil", 0 } }, -EINVAL },
		{ { { S_IFLNK, "l", canary, NULL, 0 }, { S_IFREG, "l/file", NULL, "evil", 0 } }, -ENOENT },
		{ { { S_IFLNK, "l", "../canary", NULL, 0 }, { S_IFREG, "l/file", NULL, "evil", 0 } }, -ENOENT },
		{ { { S_IFLNK, "l", "/proc/self/root", NULL, 0 }, { S_IFREG, "l/file", NULL, "evil", 0 } }, -ENOENT },
		{ { { S_IFLNK, "l", file, NULL, 0 }, { S_IFREG, "l", NULL, "evil", 0 } }, 0 },	/* the link is replaced */
		{ { { S_IFLNK, "l", canary, NULL, 0 }, { S_IFDIR, "l", NULL, NULL, 0777 }, { S_IFREG, "l/file", NULL, "evil", 0 } }, 0 },
		{ { { 0, "h", file, NULL, 0 } }, -ENOENT },
		{ { { 0, "h", up, NULL, 0 } }, -EINVAL },
		{ { { S_IFLNK, "l", canary, NULL, 0 }, { 0, "h", "l/file", NULL, 0 } }, -ENOENT },
		{ { { S_IFLNK, "l", file, NULL, 0 }, { 0, "h", "l", NULL, 0 }, { S_IFREG, "h", NULL, "evil", 0 } }, 0 },
		{ { { 0, "h", "h", NULL, 0 } }, -ENOENT },
		{ { { S_IFBLK, "disk", NULL, NULL, 0666 } }, -EPERM },
		{ { { S_IFLNK, "./", canary, NULL, 0 } }, -EINVAL },
		{ { { S_IFREG, ".", NULL, "evil", 0 } }, -EINVAL },
		{ { { S_IFDIR, "d", NULL, NULL, 0 }, { S_IFREG, "d/x", NULL, "x", 0 }, { S_IFLNK, "d", canary, NULL, 0 } }, 0 },
		{ { { S_IFIFO, "p", NULL, NULL, 0 }, { S_IFREG, "p", NULL, "x", 0 } }, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t n = 0;
		int r;

		while (n < 3 && cases[i].entries[n].path)
			n++;
		clear_work(f);
		make_archive(f, cases[i].entries, NULL, n);
		r = unpack(f, false);
		if (r != cases[i].expected || !tree_fixture_canary_lives(f))
			fail_msg("case %zu: %d instead of %d: %s", i, r, cases[i].expected, r < 0 ? f->err.message : "");
	}
}

/* Symlinks inside lead where they would in the container. */
static void links_inside_are_followed_inside(void **state)
{
	static const struct made entries[] = {
		{ S_IFDIR, "usr/", NULL, NULL, 0755 }, { S_IFDIR, "usr/lib/", NULL, NULL, 0755 }, { S_IFLNK, "lib", "/usr/lib", NULL, 0777 },
		{ S_IFREG, "lib/x", NULL, "x", 0644 }, { S_IFREG, "new/deep/y", NULL, "y", 0644 },
	};
	struct tree_fixture *f = *state;
	_cleanup_free_ char *text = NULL;
	struct stat st;

	NEEDS_ROOT();
	make_archive(f, entries, NULL, ARRAY_SIZE(entries));
	assert_works(f, unpack(f, false));
	assert_int_equal(fd_read_file(f->dir, "work/usr/lib/x", 10, &text, NULL), 0);
	assert_string_equal(text, "x");
	/* A directory that was filled late has the time that its entry said. */
	assert_int_equal(fstatat(f->dir, "work/usr/lib", &st, 0), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1000);
	assert_int_equal(fstatat(f->dir, "work/new/deep/y", &st, 0), 0);
}

/* Neither by the directory in which the root is made, nor by one that was filled before. */
static void groups_are_not_handed_down(void **state)
{
	static const struct made entries[] = {
		{ S_IFREG, "first", NULL, "x", 0644 }, { S_IFDIR, "shared/", NULL, NULL, 02775 }, { S_IFREG, "shared/early", NULL, "x", 0644 },
		{ S_IFREG, "other", NULL, "x", 0644 }, { S_IFREG, "shared/late", NULL, "x", 0644 },
	};
	static const gid_t groups[ARRAY_SIZE(entries)] = { 0, 5, 0, 7, 0 };
	struct tree_fixture *f = *state;
	struct stat st;

	NEEDS_ROOT();
	make_archive(f, entries, groups, ARRAY_SIZE(entries));
	for (mode_t mode = 0700; mode <= 02700; mode += 02000) {
		assert_int_equal(fchownat(f->dir, "work", 0, 9, 0), 0);
		assert_int_equal(fchmodat(f->dir, "work", mode, 0), 0);
		assert_works(f, unpack(f, false));
		for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
			char path[32];

			snprintf(path, sizeof(path), "work/%s", entries[i].path);
			assert_int_equal(fstatat(f->dir, path, &st, 0), 0);
			assert_int_equal(st.st_gid, groups[i]);
		}
		clear_work(f);
	}
}

/* Cut anywhere it is an error, never a half root that counts as whole. */
static void cut_archives_are_errors(void **state)
{
	static const char *const codecs[] = { NULL, "gzip", "zstd", "xz" };
	struct tree_fixture *f = *state;
	struct tree_report report = { 0 };
	struct stat st;

	NEEDS_ROOT();
	assert_int_equal(tree_fixture_file(f->root, "file", "text", 0644), 0);
	assert_int_equal(mkdirat(f->root, "directory", 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(codecs); i++) {
		_cleanup_close_ int fd = -1;

		pack_root(f, codecs[i], &report);
		assert_int_equal(fstatat(f->dir, "archive", &st, 0), 0);
		fd = openat(f->dir, "archive", O_WRONLY | O_CLOEXEC);
		for (off_t at = st.st_size - (codecs[i] ? 1 : 1025); at >= 0; at -= codecs[i] ? 1 : 37) {
			assert_int_equal(ftruncate(fd, at), 0);
			clear_work(f);
			if (unpack(f, false) >= 0)
				fail_msg("%s, cut at %ld of %ld", codecs[i] ? codecs[i] : "plain", (long)at, (long)st.st_size);
		}
	}
	tree_report_deinit(&report);
}

/* Beyond what is unpacked without a thread: a file of which nothing can be packed. */
static void fill_with_noise(struct tree_fixture *f)
{
	_cleanup_close_ int fd = openat(f->root, "noise", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	uint64_t x = 88172645463325252;

	for (int i = 0; i < 24; i++) {
		uint64_t block[32768];

		for (size_t k = 0; k < ARRAY_SIZE(block); k++) {
			x ^= x << 13;
			x ^= x >> 7;
			block[k] = x ^= x << 17;
		}
		assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
	}
}

/* A bit that is another one is noticed wherever it is, also in contents: by the checksum at the end, if not before. */
static void damage_is_noticed(void **state)
{
	static const char *const codecs[] = { "gzip", "zstd", "xz" };
	struct tree_fixture *f = *state;
	struct tree_report report = { 0 };
	struct stat st;

	NEEDS_ROOT();
	fill_with_noise(f);
	for (size_t i = 0; i < ARRAY_SIZE(codecs); i++) {
		_cleanup_close_ int fd = -1;

		pack_root(f, codecs[i], &report);
		assert_int_equal(fstatat(f->dir, "archive", &st, 0), 0);
		assert_true(st.st_size > 6 << 20);
		fd = openat(f->dir, "archive", O_RDWR | O_CLOEXEC);
		clear_work(f);
		assert_works(f, unpack(f, false));
		same_digest(f);
		for (off_t at = 5000; at < st.st_size; at += st.st_size / 5) {
			unsigned char byte, other;

			assert_int_equal(pread(fd, &byte, 1, at), 1);
			other = byte ^ 0x10;
			assert_int_equal(pwrite(fd, &other, 1, at), 1);
			clear_work(f);
			if (unpack(f, false) >= 0)
				fail_msg("%s, damaged at %ld of %ld", codecs[i], (long)at, (long)st.st_size);
			assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		}
		/* Given up in the middle, whoever unpacks ahead ends as well. */
		assert_int_equal(ftruncate(fd, st.st_size - 3000000), 0);
		clear_work(f);
		assert_int_equal(unpack(f, false), -EBADMSG);
	}
	tree_report_deinit(&report);
}

static void put_header(struct tree_fixture *f, size_t offset, const char *field)
{
	_cleanup_close_ int fd = openat(f->dir, "archive", O_RDWR | O_CLOEXEC);
	struct tar_header h;
	unsigned int sum = 0;
	char text[8];

	assert_int_equal(pread(fd, &h, sizeof(h), 0), sizeof(h));
	memcpy((char *)&h + offset, field, strlen(field));
	memset(h.checksum, ' ', sizeof(h.checksum));
	for (size_t i = 0; i < sizeof(h); i++)
		sum += ((unsigned char *)&h)[i];
	snprintf(text, sizeof(text), "%06o", sum);
	memcpy(h.checksum, text, 7);
	assert_int_equal(pwrite(fd, &h, sizeof(h), 0), sizeof(h));
}

static void headers_that_lie_are_refused(void **state)
{
	static const struct made file[] = { { S_IFREG, "file", NULL, "text", 0644 } };
	static const struct {
		size_t offset;
		const char *field;
	} lies[] = {
		{ offsetof(struct tar_header, size), "77777777777" }, { offsetof(struct tar_header, size), "\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" },
		{ offsetof(struct tar_header, size), "99999999999" }, { offsetof(struct tar_header, uid), "\x80\xff\xff\xff\xff\xff\xff\xff" },
		{ offsetof(struct tar_header, type), "Z" }, { offsetof(struct tar_header, type), "x" }, { offsetof(struct tar_header, type), "S" },
		{ offsetof(struct tar_header, mode), "abcdefg" }, { offsetof(struct tar_header, type), "g" },
	};
	struct tree_fixture *f = *state;

	NEEDS_ROOT();
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		clear_work(f);
		make_archive(f, file, NULL, 1);
		put_header(f, lies[i].offset, lies[i].field);
		if (unpack(f, false) >= 0)
			fail_msg("lie %zu is believed", i);
	}
}

/* A gigabyte of zeros in a megabyte: ended early, in little memory. */
static void bombs_are_refused(void **state)
{
	static const char zeros[65536];
	struct tree_fixture *f = *state;
	struct tar_entry e = { .type = S_IFREG, .path = (char *)"zeros", .mode = 0644, .size = (uint64_t)400 << 20 };
	_cleanup_close_ int fd = openat(f->dir, "archive", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct stream_writer w;
	struct rusage usage;

	NEEDS_ROOT();
	assert_works(f, stream_writer_init(&w, stream_sink_fd, &fd, "zstd", &f->err));
	assert_works(f, tar_write_entry(&w, &e, &f->err));
	for (uint64_t at = 0; at < e.size; at += sizeof(zeros))
		assert_works(f, stream_write(&w, zeros, sizeof(zeros), &f->err));
	assert_works(f, tar_write_end(&w, &f->err));
	assert_works(f, stream_writer_end(&w, &f->err));
	stream_writer_deinit(&w);
	assert_int_equal(unpack(f, false), -EFBIG);
	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	assert_true(usage.ru_maxrss < 64 * 1024);
}

/* ---- layers ------------------------------------------------------------------------ */

static void marks_of_layers(void **state)
{
	static const struct {
		const char *path;
		int expected;
	} marks[] = {
		{ ".wh.file", 0 }, { "directory/.wh..wh..opq", 0 }, { "nowhere/.wh.file", 0 }, { ".wh.", -EINVAL }, { ".wh...", -EINVAL },
		{ ".wh..", -EINVAL }, { ".wh..wh.x", -EINVAL }, { "up/.wh.file", 0 },
	};
	struct tree_fixture *f = *state;
	_cleanup_close_ int work = open_work(f);

	assert_int_equal(tree_fixture_file(work, "file", "x", 0644), 0);
	assert_int_equal(mkdirat(work, "directory", 0755), 0);
	assert_int_equal(tree_fixture_file(work, "directory/a", "x", 0644), 0);
	assert_int_equal(symlinkat("../canary", work, "up"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		struct tree_report report = { 0 };
		struct tar_entry e = { .type = S_IFREG };
		struct extractor x;

		assert_works(f, extractor_init(&x, work, NULL, &report, &f->err));
		x.marks = EXTRACT_MARKS_ONLY;
		assert_int_equal(extract_entry(&x, NULL, &e, marks[i].path), marks[i].expected);
		extractor_deinit(&x);
	}
	assert_int_equal(faccessat(work, "file", F_OK, 0), -1);
	assert_int_equal(faccessat(work, "directory", F_OK, 0), 0);
	assert_int_equal(faccessat(work, "directory/a", F_OK, 0), -1);
	assert_int_equal(faccessat(work, "nowhere", F_OK, 0), -1);
}

/* ---- ACLs -------------------------------------------------------------------------- */

static void acls_as_text(void **state)
{
	unsigned char value[ACL_VALUE_MAX], again[ACL_VALUE_MAX];
	size_t length = tree_fixture_acl(value, 1003, 1004), got;
	_cleanup_free_ char *text = acl_to_text(value, length);

	(void)state;
	assert_string_equal(text, "user::rw-,user:1003:r--,group::r--,group:1004:-w-,mask::rwx,other::---");
	assert_int_equal(acl_from_text(text, again, &got), 0);
	assert_int_equal(got, length);
	assert_memory_equal(value, again, length);
	assert_int_equal(acl_from_text("u::rw-\ng::r--\no:---\nmask:rwx\nuser:somebody:r--:1003\ngroup:1004:-w-\n", again, &got), 0);
	assert_memory_equal(value, again, length);
	assert_int_equal(acl_from_text("user:somebody:r--", again, &got), -ENOTNAM);
	assert_int_equal(acl_from_text("user:1:rwz", again, &got), -EINVAL);
	assert_int_equal(acl_from_text("nobody", again, &got), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bombs_are_refused, setup, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(a_root_survives_every_codec, setup, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(gnu_tar_agrees, setup, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(hostile_names_stay_inside, setup, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(links_inside_are_followed_inside, setup, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(groups_are_not_handed_down, setup, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(cut_archives_are_errors, setup, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(damage_is_noticed, setup, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(headers_that_lie_are_refused, setup, tree_fixture_teardown),
		cmocka_unit_test_setup_teardown(marks_of_layers, setup, tree_fixture_teardown),
		cmocka_unit_test(acls_as_text),
	};

	return cmocka_run_group_tests_name("archive", tests, NULL, NULL);
}
