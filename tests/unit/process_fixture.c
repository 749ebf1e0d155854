/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A busybox root in a temporary directory, and processes executed in it by the helpers. */

#include "config.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "tests/unit/process_fixture.h"

#define BUSYBOX	"/bin/busybox"

struct run {
	const struct fixture *f;
	struct mrg_helper_process *process;
	struct mrg_stdio io;
};

const char *fixture_reason(void)
{
	if (geteuid() != 0)
		return "needs root";
	if (access(BUSYBOX, X_OK) < 0)
		return "needs the package busybox-static";
	return NULL;
}

void fixture_file(struct fixture *f, const char *path, const char *text, int mode)
{
	char full[256];
	_cleanup_close_ int fd = -1;

	snprintf(full, sizeof(full), "%s%s", f->root, path);
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0 || fchmod(fd, (mode_t)mode) < 0)
		abort();
}

static int copy_busybox(const struct fixture *f)
{
	static const char *const names[] = { "sh", "cat", "id", "ls", "true", "sleep", "readlink", "tty", "stat", "chroot", "mount" };
	_cleanup_close_ int from = open(BUSYBOX, O_RDONLY | O_CLOEXEC), to = -1;
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/bin/busybox", f->root);
	to = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	if (from < 0 || to < 0 || fstat(from, &st) < 0 || sendfile(to, from, NULL, (size_t)st.st_size) != st.st_size)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/bin/%s", f->root, names[i]);
		if (symlink("busybox", path) < 0)
			return -errno;
	}
	return 0;
}

int fixture_open(struct fixture *f)
{
	static const char *const dirs[] = { "bin", "etc", "proc", "dev", "dev/pts", "tmp", "root", "sys" };

	*f = (struct fixture){ .root = "/tmp/mrgt-process-root-XXXXXX", .run_dir = "/tmp/mrgt-process-run-XXXXXX", .dir = -1 };
	if (!mkdtemp(f->root) || !mkdtemp(f->run_dir) || chmod(f->root, 0755) < 0)
		return -errno;
	setenv("MOORAGE_RUN_DIR", f->run_dir, 1);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		char path[256];

		snprintf(path, sizeof(path), "%s/%s", f->root, dirs[i]);
		if (mkdir(path, 0755) < 0)
			return -errno;
	}
	fixture_file(f, "/etc/passwd", "root:x:0:0::/root:/bin/sh\njoe:x:1000:100:Joe:/tmp:/bin/sh\n77:x:5:5::/five:/bin/sh\n", 0644);
	fixture_file(f, "/etc/group", "root:x:0:\nusers:x:100:\nwheel:x:10:joe,ann\nvideo:x:44:ann,joe\nother:x:45:ann\n", 0644);
	f->spec = mrg_spec_new();
	f->dir = open(f->run_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (!f->spec || f->dir < 0)
		return -ENOMEM;
	f->spec->root_path = f->root;
	mrg_fields_add(&f->spec->set, MRG_FIELD_ROOT_PATH);
	f->unit = (struct mrg_unit){ .name = "mrgt-process", .id = "0123456789abcdef", .spec = f->spec, .dir = f->dir };
	return copy_busybox(f);
}

void fixture_close(struct fixture *f)
{
	_cleanup_close_ int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	mrg_spec_free(f->spec);
	fd_close(f->dir);
	fd_remove_tree(tmp, f->root + strlen("/tmp/"));
	fd_remove_tree(tmp, f->run_dir + strlen("/tmp/"));
}

int fixture_setup(void **state)
{
	struct fixture *f;

	if (fixture_reason())
		return 0;
	f = calloc(1, sizeof(*f));
	*state = f;
	return f ? fixture_open(f) : -1;
}

int fixture_teardown(void **state)
{
	if (*state)
		fixture_close(*state);
	free(*state);
	return 0;
}

struct fixture *fixture_of(void **state)
{
	if (!*state) {
		print_message("skipped: %s\n", fixture_reason());
		skip();
	}
	return *state;
}

static int child(void *data, struct mrg_error *err)
{
	struct run *run = data;
	char path[128];
	int r;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return mrg_error_set(err, -errno, "private");
	snprintf(path, sizeof(path), "%s/proc", run->f->root);
	if (mount("proc", path, "proc", 0, NULL) < 0)
		return mrg_error_set(err, -errno, "proc");
	snprintf(path, sizeof(path), "%s/dev/pts", run->f->root);
	if (run->io.terminal && mount("devpts", path, "devpts", 0, "newinstance,ptmxmode=0666") < 0)
		return mrg_error_set(err, -errno, "devpts");
	if (chroot(run->f->root) < 0 || chdir("/") < 0)
		return mrg_error_set(err, -errno, "chroot");
	r = mrg_helper_process_stdio(&run->io, -1, err);
	return r < 0 ? r : mrg_helper_process_execute(run->process, err);
}

static void spawn(struct run *run, int output, struct result *ret)
{
	struct mrg_process process;
	ssize_t n;

	ret->r = mrg_helper_spawn(CLONE_NEWNS, NULL, child, NULL, run, &process, &ret->err);
	fd_close(run->io.out);
	n = fd_read_all(output, ret->out, sizeof(ret->out) - 1);
	ret->out[n > 0 ? n : 0] = '\0';
	if (ret->r < 0)
		return;
	close(process.pidfd);
	waitpid(process.pid, &ret->status, 0);
}

void fixture_run(struct fixture *f, const char *script, const struct mrg_command *command, struct result *ret)
{
	char sh[] = "/bin/sh", option[] = "-c";
	char *args[] = { sh, option, (char *)(uintptr_t)script, NULL };
	struct run run = { .f = f, .io = { .master = -1 } };
	int pipe[2];

	memset(ret, 0, sizeof(*ret));
	if (script)
		f->spec->args = args;
	run.io.in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (pipe2(pipe, O_CLOEXEC) < 0)
		abort();
	run.io.out = run.io.err = pipe[1];
	ret->r = mrg_helper_process_prepare(&f->unit, command, &run.process, &ret->err);
	if (ret->r == 0)
		spawn(&run, pipe[0], ret);
	else
		close(pipe[1]);
	mrg_helper_process_free(run.process);
	close(run.io.in);
	close(pipe[0]);
	if (script)
		f->spec->args = NULL;
}

const char *status_field(const struct result *result, const char *name, char value[256])
{
	size_t length = strlen(name);

	for (const char *line = result->out; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) != 0 || line[length] != ':')
			continue;
		line += length + 1;
		line += strspn(line, " \t");
		length = strcspn(line, "\n");
		while (length > 0 && line[length - 1] == ' ')
			length--;
		snprintf(value, 256, "%.*s", (int)length, line);
		return value;
	}
	return NULL;
}
