/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A root file system with one of everything. */

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "tests/unit/tree_fixture.h"

#define TRY(call)	do { if ((call) < 0) { fprintf(stderr, "%s: %s\n", #call, strerror(errno)); return -1; } } while (0)

static const struct timespec long_ago[2] = { { 1000000000, 123456789 }, { 1100000000, 987654321 } };

int tree_fixture_init(struct tree_fixture *f)
{
	*f = (struct tree_fixture) { .dir = -1, .root = -1, .canary = -1 };
	strcpy(f->top, "/tmp/mrgt-tree-XXXXXX");
	if (!mkdtemp(f->top))
		return -1;
	TRY(f->dir = open(f->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	TRY(mkdirat(f->dir, "root", 0755));
	TRY(mkdirat(f->dir, "canary", 0750));
	TRY(f->root = openat(f->dir, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	TRY(f->canary = openat(f->dir, "canary", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	TRY(tree_fixture_file(f->canary, "file", "alive", 04710));
	TRY(utimensat(f->canary, "file", long_ago, 0));
	TRY(futimens(f->canary, long_ago));
	return 0;
}

void tree_fixture_deinit(struct tree_fixture *f)
{
	fd_close(f->root);
	fd_close(f->canary);
	fd_close(f->dir);
	tree_remove(AT_FDCWD, f->top, NULL, NULL);
}

static int as_made(const struct stat *st, mode_t mode)
{
	return st->st_uid == geteuid() && (st->st_mode & 07777) == mode && st->st_mtim.tv_sec == long_ago[1].tv_sec &&
	       st->st_mtim.tv_nsec == long_ago[1].tv_nsec;
}

int tree_fixture_canary_lives(struct tree_fixture *f)
{
	_cleanup_free_ char *text = NULL;
	struct stat directory, file;

	return fstat(f->canary, &directory) == 0 && as_made(&directory, 0750) && fstatat(f->canary, "file", &file, AT_SYMLINK_NOFOLLOW) == 0 &&
	       as_made(&file, 04710) && file.st_nlink == 1 && fd_read_file(f->canary, "file", 100, &text, NULL) == 0 && strcmp(text, "alive") == 0;
}

int tree_fixture_teardown(void **state)
{
	struct tree_fixture *f = *state;
	int r = tree_fixture_canary_lives(f) ? 0 : -1;

	tree_fixture_deinit(f);
	free(f);
	return r;
}

int tree_fixture_file(int dir, const char *name, const char *text, mode_t mode)
{
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	TRY(fd);
	TRY(fd_write_all(fd, text, strlen(text)));
	return fchmod(fd, mode);
}

int tree_fixture_deep(int dir, unsigned int levels)
{
	int at = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	for (unsigned int i = 0; i < levels && at >= 0; i++) {
		int below = mkdirat(at, "d", 0755) < 0 ? -1 : openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		close(at);
		at = below;
	}
	TRY(at);
	r = tree_fixture_file(at, "last", "deep", 0644);
	close(at);
	return r;
}

static void put32(unsigned char *at, uint32_t value)
{
	value = htole32(value);
	memcpy(at, &value, 4);
}

size_t tree_fixture_capability(unsigned char ret[24], uint32_t rootid)
{
	memset(ret, 0, 24);
	put32(ret, (rootid ? 0x03000000 : 0x02000000) | 1);
	put32(ret + 4, 1 << 13);
	put32(ret + 20, rootid);
	return rootid ? 24 : 20;
}

size_t tree_fixture_acl(unsigned char ret[TREE_FIXTURE_ACL], uint32_t uid, uint32_t gid)
{
	const struct {
		uint16_t tag, permissions;
		uint32_t id;
	} entries[6] = {
		{ 0x01, 6, UINT32_MAX }, { 0x02, 4, uid }, { 0x04, 4, UINT32_MAX }, { 0x08, 2, gid }, { 0x10, 7, UINT32_MAX }, { 0x20, 0, UINT32_MAX },
	};

	put32(ret, 2);
	for (size_t i = 0; i < 6; i++) {
		put32(ret + 4 + 8 * i, entries[i].tag | (uint32_t)entries[i].permissions << 16);
		put32(ret + 8 + 8 * i, entries[i].id);
	}
	return TREE_FIXTURE_ACL;
}

static int fill_files(int root)
{
	_cleanup_close_ int sparse = openat(root, "sparse", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	_cleanup_close_ int big = openat(root, "big", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	static char block[65536];

	TRY(tree_fixture_file(root, "empty", "", 0400));
	TRY(tree_fixture_file(root, "plain", "some text", 0644));
	TRY(fchownat(root, "plain", 1000, 100, 0));
	TRY(pwrite(sparse, "begin", 5, 0));
	TRY(pwrite(sparse, "middle", 6, 1 << 20));
	TRY(ftruncate(sparse, 8 << 20));
	for (int i = 0; i < 5; i++) {
		memset(block, 'a' + i, sizeof(block));
		TRY(fd_write_all(big, block, sizeof(block) - 100));
	}
	return 0;
}

static int fill_special(int root)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	TRY(mkfifoat(root, "fifo", 0640));
	TRY(fchmodat(root, "fifo", 0640, 0));
	TRY(mknodat(root, "null", S_IFCHR | 0666, makedev(1, 3)));
	TRY(mknodat(root, "disk", S_IFBLK | 0660, makedev(7, 200)));
	TRY(fchownat(root, "disk", 0, 6, 0));
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/socket", root);
	TRY(bind(sock, (struct sockaddr *)&address, sizeof(address)));
	return 0;
}

static int fill_links(int root, const char *canary)
{
	char up[PATH_MAX] = "";

	for (int i = 0; i < 40; i++)
		strcat(up, "../");
	strcat(up, canary + 1);
	TRY(symlinkat(canary, root, "absolute"));
	TRY(symlinkat(up, root, "dots"));
	TRY(symlinkat("/proc/self/root/tmp", root, "magic"));
	TRY(symlinkat("..", root, "up"));
	TRY(symlinkat("nowhere", root, "dangling"));
	TRY(symlinkat("loop", root, "loop"));
	TRY(fchownat(root, "dangling", 1001, 1002, AT_SYMLINK_NOFOLLOW));
	TRY(utimensat(root, "dangling", long_ago, AT_SYMLINK_NOFOLLOW));
	TRY(tree_fixture_file(root, "one", "several names", 0644));
	TRY(linkat(root, "one", root, "two", 0));
	TRY(linkat(root, "one", root, "sub/three", 0));
	TRY(linkat(root, "dangling", root, "sub/dangling", 0));
	TRY(linkat(root, "null", root, "sub/null", 0));
	return 0;
}

static int fill_names(int root)
{
	char longest[256];

	memset(longest, 'n', 255);
	longest[255] = '\0';
	TRY(tree_fixture_file(root, longest, "long", 0644));
	TRY(tree_fixture_file(root, "new\nline", "newline", 0644));
	TRY(tree_fixture_file(root, "\xff\xfe", "bytes", 0644));
	TRY(tree_fixture_file(root, "-rf *;`$", "shell", 0644));
	TRY(tree_fixture_file(root, "...", "dots", 0644));
	return 0;
}

static int fill_attributes(int root)
{
	unsigned char value[64];
	size_t length = tree_fixture_capability(value, 0);
	_cleanup_close_ int sub = openat(root, "sub", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;
	int flags;

	TRY(tree_fixture_file(root, "setuid", "s", 04755));
	TRY(fchownat(root, "setuid", 5, 6, 0));
	TRY(fchmodat(root, "setuid", 06755, 0));
	TRY(fd = openat(root, "setuid", O_RDONLY | O_CLOEXEC));
	TRY(fsetxattr(fd, "security.capability", value, length, 0));
	length = tree_fixture_acl(value, 1003, 1004);
	TRY(fsetxattr(sub, "system.posix_acl_default", value, length, 0));
	TRY(fsetxattr(sub, "system.posix_acl_access", value, length, 0));
	TRY(fsetxattr(sub, "user.note", "of a directory", 14, 0));
	TRY(tree_fixture_file(sub, "acl", "acl", 0640));
	close(fd);
	TRY(fd = openat(sub, "acl", O_RDONLY | O_CLOEXEC));
	TRY(fsetxattr(fd, "system.posix_acl_access", value, length, 0));
	TRY(fsetxattr(fd, "user.empty", "", 0, 0));
	TRY(fsetxattr(fd, "trusted.note", "x", 1, 0));
	TRY(fchown(sub, 7, 8));
	TRY(fchmod(sub, 03771));
	TRY(futimens(fd, long_ago));
	close(fd);
	TRY(tree_fixture_file(root, "fixed", "immutable", 0644));
	TRY(fd = openat(root, "fixed", O_RDONLY | O_CLOEXEC));
	TRY(ioctl(fd, FS_IOC_GETFLAGS, &flags));
	flags |= FS_IMMUTABLE_FL;
	TRY(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	return 0;
}

int tree_fixture_fill(struct tree_fixture *f)
{
	char canary[80];

	snprintf(canary, sizeof(canary), "%s/canary", f->top);
	TRY(mkdirat(f->root, "sub", 0755));
	TRY(mkdirat(f->root, "closed", 0));
	TRY(tree_fixture_file(f->root, "closed/in", "in", 0));
	TRY(fill_files(f->root));
	TRY(fill_special(f->root));
	TRY(fill_links(f->root, canary));
	TRY(fill_names(f->root));
	TRY(fill_attributes(f->root));
	TRY(tree_fixture_deep(f->root, 100));
	TRY(utimensat(f->root, "sub", long_ago, 0));
	TRY(utimensat(f->root, "closed", long_ago, 0));
	return futimens(f->root, long_ago);
}

/* ---- for cmocka ---- */

static struct tree_range far_ids[] = { { 0, 1000000, 65536 } };
const struct tree_map tree_fixture_far = { far_ids, far_ids, 1, 1 };

int tree_fixture_setup(void **state)
{
	struct tree_fixture *f = calloc(1, sizeof(*f));

	*state = f;
	return !f || tree_fixture_init(f) < 0 ? -1 : 0;
}

/* With the hostile root; what needs rights is skipped without. */
int tree_fixture_setup_filled(void **state)
{
	if (tree_fixture_setup(state) < 0)
		return -1;
	return geteuid() == 0 ? tree_fixture_fill(*state) : 0;
}

const char *tree_fixture_digest(struct tree_fixture *f, int dir, const struct tree_map *map, char ret[TREE_DIGEST_SIZE])
{
	assert_works(f, tree_digest(dir, map, NULL, ret, &f->err));
	return ret;
}

void tree_fixture_same(struct tree_fixture *f, int a, const struct tree_map *map, int b)
{
	char left[TREE_DIGEST_SIZE], right[TREE_DIGEST_SIZE];

	assert_string_equal(tree_fixture_digest(f, a, map, left), tree_fixture_digest(f, b, NULL, right));
}

int tree_fixture_open(struct tree_fixture *f, const char *name)
{
	int fd = openat(f->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

int tree_fixture_count_down(const struct tree_progress *progress, void *data)
{
	(void)progress;
	return --*(int *)data < 0 ? -ECANCELED : 0;
}
