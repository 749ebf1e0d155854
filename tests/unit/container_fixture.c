/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Containers of the fake backend in directories of their own for each test. */

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/container/internal.h"
#include "core/store/internal.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/proc.h"
#include "core/util/str.h"
#include "tests/unit/container_fixture.h"
#include "tests/unit/patience.h"

const char *const sleeper[] = { "sleep", "1000", NULL };

struct mrg *context(const char *top)
{
	const char *build = getenv("abs_top_builddir");
	char state[64], run[64], plugins[4096], config[64];
	struct mrg_options options = {
		.state_dir = state, .run_dir = run, .backend_path = plugins, .config_file = config,
	};
	struct mrg *m = NULL;

	snprintf(state, sizeof(state), "%s/state", top);
	snprintf(run, sizeof(run), "%s/run", top);
	snprintf(config, sizeof(config), "%s/moorage.conf", top);
	snprintf(plugins, sizeof(plugins), "%s/tests/fake/.libs", build ? build : ".");
	assert_int_equal(mrg_new(&m, &options, NULL), 0);
	return m;
}

int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->top, "/tmp/mrgt-cont-XXXXXX");
	if (!mkdtemp(f->top))
		return -1;
	snprintf(f->root, sizeof(f->root), "%s/root", f->top);
	snprintf(f->trace, sizeof(f->trace), "%s/trace", f->top);
	if (mkdir(f->root, 0755) < 0)
		return -1;
	setenv("MRG_FAKE_TRACE", f->trace, 1);
	f->m = context(f->top);
	*state = f;
	return 0;
}

int remove_one(struct mrg_container *c, _unused_ void *data)
{
	return mrg_remove(c, 1, NULL);
}

int teardown(void **state)
{
	struct fixture *f = *state;
	int tmp = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC), r;

	unsetenv("MRG_FAKE_FAULT");
	unsetenv("MRG_FAKE_LESS");
	mrg_list(f->m, NULL, remove_one, NULL, NULL, NULL);
	mrg_free(f->m);
	r = fd_remove_tree(tmp, f->top + strlen("/tmp/"));
	close(tmp);
	free(f);
	return r;
}

struct mrg_spec *spec_of(struct fixture *f, const char *const *args)
{
	struct mrg_spec *spec = mrg_spec_new();

	assert_non_null(spec);
	assert_int_equal(mrg_spec_set(spec, MRG_FIELD_ROOT_PATH, f->root, NULL), 0);
	assert_int_equal(mrg_spec_set(spec, MRG_FIELD_CWD, "/", NULL), 0);
	assert_int_equal(mrg_spec_set(spec, MRG_FIELD_ENV, "PATH=/usr/bin:/bin", NULL), 0);
	for (size_t i = 0; args[i]; i++)
		assert_int_equal(mrg_spec_set(spec, MRG_FIELD_ARGS, args[i], NULL), 0);
	return spec;
}

struct mrg_container *make(struct fixture *f, const char *name, const char *const *args, unsigned int flags)
{
	struct mrg_spec *spec = spec_of(f, args);
	struct mrg_create create = { .name = name, .backend = "fake", .spec = spec, .flags = flags };
	struct mrg_container *c = NULL;
	struct mrg_error err = { 0 };
	int r = mrg_create(f->m, &create, &c, &err);

	if (r < 0)
		print_message("# create: %s\n", err.message);
	assert_int_equal(r, 0);
	mrg_spec_free(spec);
	return c;
}

struct mrg_container *open_named(struct fixture *f, const char *name)
{
	struct mrg_container *c = NULL;

	assert_int_equal(mrg_container_open(f->m, name, &c, NULL), 0);
	return c;
}

void begin(struct mrg_container *c)
{
	struct mrg_error err = { 0 };
	int r = mrg_start(c, NULL, &err);

	if (r != 0)
		print_message("# start: %d %s\n", r, err.message);
	assert_int_equal(r, 0);
}

int state_of(struct mrg_container *c)
{
	struct mrg_status status;
	int r = mrg_container_status(c, &status, NULL);

	return r < 0 ? r : status.state;
}

size_t traced(struct fixture *f, const char *line)
{
	_cleanup_free_ char *text = NULL;
	size_t n = 0;

	if (fd_read_file(AT_FDCWD, f->trace, 1 << 20, &text, NULL) < 0)
		return 0;
	for (const char *p = text; (p = strstr(p, line)); p++)
		n++;
	return n;
}

int hold(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	assert_true(pidfd >= 0);
	return pidfd;
}

void assert_lives(int pidfd)
{
	assert_int_equal(poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, 0), 0);
}

void assert_gone(int pidfd)
{
	assert_int_equal(poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, PATIENCE_MS), 1);
	close(pidfd);
}

int count_names(_unused_ const char *name, void *data)
{
	++*(int *)data;
	return 0;
}

int names(struct fixture *f)
{
	int n = 0;

	assert_int_equal(store_walk(f->m, count_names, &n, NULL), 0);
	return n;
}

void tear(struct fixture *f, const char *name, const char *file)
{
	int base = store_base(f->m, false, false, NULL), dir = openat(base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(fd_replace_file(dir, file, "{\"for", 5, false), 0);
	close(dir);
	close(base);
}

bool root_has(struct mrg_container *c, const char *name, const char *text)
{
	_cleanup_close_ int root = open(mrg_container_spec(c)->root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *found = NULL;

	return text ? fd_read_file(root, name, 4096, &found, NULL) == 0 && strcmp(found, text) == 0 : faccessat(root, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void finish(struct mrg_container *c)
{
	struct mrg_error err = { 0 };

	if (mrg_remove(c, 0, &err) < 0)
		fail_msg("cannot remove: %s", err.message);
	mrg_container_free(c);
}
