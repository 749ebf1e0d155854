/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A small root file system, and code that runs in a mount namespace of its own. */

#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/util/fd.h"
#include "tests/unit/root_fixture.h"

int root_fixture_init(struct root_fixture *f)
{
	static const char *const directories[] = { "", "/bin", "/etc", "/data" };
	char path[PATH_MAX];

	strcpy(f->top, "/tmp/mrgt-root-XXXXXX");
	if (!mkdtemp(f->top) || chmod(f->top, 0755) < 0)
		return -1;
	snprintf(f->root, sizeof(f->root), "%s/root", f->top);
	snprintf(f->canary, sizeof(f->canary), "%s/canary", f->top);
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", f->root, directories[i]);
		if (mkdir(path, 0755) < 0)
			return -1;
	}
	return mkdir(f->canary, 0755);
}

void root_fixture_deinit(struct root_fixture *f)
{
	fd_remove_tree(AT_FDCWD, f->top);
}

static int copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out, r = -1;

	if (in < 0)
		return -1;
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (out >= 0) {
		r = 0;
		while (sendfile(out, in, NULL, 1 << 20) > 0)
			;
		close(out);
	}
	close(in);
	return r;
}

int root_fixture_busybox(const struct root_fixture *f, const char *const *names)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/bin/busybox", f->root);
	if (copy("/bin/busybox", path) < 0)
		return -1;
	for (; *names; names++) {
		snprintf(path, sizeof(path), "%s/bin/%s", f->root, *names);
		if (symlink("busybox", path) < 0)
			return -1;
	}
	return 0;
}

int is_empty_directory(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n == 2;
}

int in_mount_namespace(int (*check)(void *data), void *data)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0)
			_exit(127);
		_exit(check(data));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 126;
	return WEXITSTATUS(status);
}

void expect_failed(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
}
