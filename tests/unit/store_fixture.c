/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records in directories of their own for each test. */

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/store/internal.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/proc.h"
#include "core/util/str.h"
#include "tests/unit/store_fixture.h"

struct mrg *context(const char *top)
{
	char state[64], run[64];
	struct mrg_options options = { .state_dir = state, .run_dir = run };
	struct mrg *m = NULL;

	snprintf(state, sizeof(state), "%s/state", top);
	snprintf(run, sizeof(run), "%s/run", top);
	assert_int_equal(mrg_new(&m, &options, NULL), 0);
	return m;
}

int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->top, "/tmp/mrgt-store-XXXXXX");
	if (!mkdtemp(f->top))
		return -1;
	f->m = context(f->top);
	*state = f;
	return 0;
}

int teardown(void **state)
{
	struct fixture *f = *state;
	int tmp = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = fd_remove_tree(tmp, f->top + strlen("/tmp/"));

	close(tmp);
	mrg_free(f->m);
	free(f);
	return r;
}

struct record *fresh(const char *name, bool transient)
{
	struct record *record = calloc(1, sizeof(*record));

	record->name = strdup(name);
	record->backend = strdup("fake");
	strcpy(record->id, ID);
	record->transient = transient;
	record->dir = record->inherited = -1;
	record->spec = mrg_spec_new();
	mrg_spec_set(record->spec, MRG_FIELD_ROOT_PATH, "/", NULL);
	mrg_spec_set(record->spec, MRG_FIELD_ARGS, "true", NULL);
	return record;
}

int make(struct mrg *m, const char *name, bool transient)
{
	struct record *record = fresh(name, transient);
	int r = store_create(m, record, NULL);

	store_free(record);
	return r;
}

int open_base(struct fixture *f, bool transient)
{
	int fd = store_base(f->m, transient, true, NULL);

	assert_true(fd >= 0);
	return fd;
}

/* How many entries, hidden ones included, the directory of records has. */
int entries(struct fixture *f, bool transient)
{
	DIR *d = fdopendir(open_base(f, transient));
	struct dirent *entry;
	int n = 0;

	assert_non_null(d);
	while ((entry = readdir(d)))
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(d);
	return n;
}

int append(const char *name, void *data)
{
	return strv_append(data, name);
}

size_t walk(struct mrg *m)
{
	char **names = NULL;
	size_t n;

	assert_int_equal(store_walk(m, append, &names, NULL), 0);
	n = strv_length(names);
	strv_free(names);
	return n;
}

/* After a crash: each name is whole or absent, and after one walk nothing else is there. */
int whole(struct fixture *f, const char *name, int crash)
{
	struct mrg_error err = { 0 };
	struct record *record = NULL;
	struct exit_record end;
	struct run run;
	int r = store_open(f->m, name, &record, &err);

	if (r == -MRG_E_NOT_FOUND)
		return 0;
	if (r < 0)
		print_message("# after crash %d: %s\n", crash, err.message);
	assert_int_equal(r, 0);
	assert_int_equal(store_lock(f->m, record, 0, NULL), 0); /* the lock went with its holder */
	assert_int_equal(store_read_run(record, &run, NULL), 0);
	store_run_deinit(&run);
	assert_true(store_read_exit(record, &end, NULL) >= 0);
	store_free(record);
	return 1;
}

void overwrite(int dir, const char *file, const void *data, size_t length)
{
	assert_int_equal(fd_replace_file(dir, file, data, length, false), 0);
}

char *read_file(struct fixture *f, const char *file, size_t *length)
{
	struct record *record = NULL;
	char *text = NULL;

	assert_int_equal(store_open(f->m, "web", &record, NULL), 0);
	assert_int_equal(fd_read_file(record->dir, file, 1 << 20, &text, length), 0);
	store_free(record);
	return text;
}

void put(struct fixture *f, bool transient, const char *file, const char *text)
{
	int base = open_base(f, transient), dir = openat(base, "web", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	overwrite(dir, file, text, strlen(text));
	close(dir);
	close(base);
}
