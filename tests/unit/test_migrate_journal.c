/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Journals of migrations: written and read again, locked while somebody is at work, moved in one step, and refused when damaged. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/migrate/journal.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/str.h"

struct fixture {
	char top[32];
	struct mrg m;
	struct mrg_error err;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->top, "/tmp/mrgt-journal.XXXXXX");
	assert_non_null(mkdtemp(f->top));
	f->m.state_dir = f->top;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fd_remove_tree(AT_FDCWD, f->top);
	free(f);
	return 0;
}

static struct journal *make(struct fixture *f, const char *source, const char *target)
{
	struct journal *j = journal_new(&f->m);

	assert_non_null(j);
	assert_int_equal(journal_set(j, &j->source.name, source, NULL), 0);
	assert_int_equal(journal_set(j, &j->source.backend, "lxc", NULL), 0);
	assert_int_equal(journal_set(j, &j->source_id, "0123456789abcdef", NULL), 0);
	assert_int_equal(journal_set(j, &j->target.name, target, NULL), 0);
	assert_int_equal(journal_set(j, &j->target.backend, "nspawn", NULL), 0);
	assert_int_equal(journal_set(j, &j->root_from, "/a \"b\"/c", NULL), 0);
	assert_int_equal(journal_set(j, &j->root_to, "/d", NULL), 0);
	return j;
}

static int count(const char *id, void *data)
{
	assert_int_equal(strlen(id), 16);
	++*(int *)data;
	return 0;
}

static int keep(const char *id, void *data)
{
	*(char **)data = strdup(id);
	return 0;
}

static int count_in(struct fixture *f, enum journal_place place)
{
	int n = 0;

	assert_int_equal(journal_walk(&f->m, place, count, &n, &f->err), 0);
	return n;
}

/* What is written is read again, by another who opens it. */
static void test_round_trip(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *id = NULL;
	struct journal *j = make(f, "web", "www");
	bool empty;

	id = strdup(j->id);
	j->adopted = j->ran = true;
	j->begun = 3;
	j->method = 2;
	assert_int_equal(journal_set(j, &j->uids, "100000:0:65536", NULL), 0);
	assert_int_equal(count_in(f, JOURNAL_ACTIVE), 0);
	assert_int_equal(journal_begin(j, &f->err), 0);
	assert_int_equal(journal_write(j, &f->err), 0);
	journal_free(j);
	assert_int_equal(journal_open(&f->m, JOURNAL_ACTIVE, id, &j, &empty, &f->err), 0);
	assert_string_equal(j->source.name, "web");
	assert_null(j->source.path);
	assert_string_equal(j->target.name, "www");
	assert_string_equal(j->root_from, "/a \"b\"/c");
	assert_string_equal(j->uids, "100000:0:65536");
	assert_null(j->gids);
	assert_true(j->adopted && j->ran && !j->finished && !j->copied);
	assert_int_equal(j->begun, 3);
	assert_int_equal(j->pid, getpid());
	assert_int_equal(journal_remove(j, &f->err), 0);
	journal_free(j);
	assert_int_equal(count_in(f, JOURNAL_ACTIVE), 0);
}

static void test_owner_at_work(void **state)
{
	struct fixture *f = *state;
	struct journal *j = make(f, "web", "web"), *second = NULL;
	bool empty;

	assert_int_equal(journal_begin(j, &f->err), 0);
	assert_int_equal(journal_write(j, &f->err), 0);
	assert_int_equal(journal_open(&f->m, JOURNAL_ACTIVE, j->id, &second, &empty, &f->err), -MRG_E_BUSY);
	journal_free(j);
}

/* A child that a killed owner had just made holds the lock a little longer: it is waited for. */
static void test_owner_killed(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *id = NULL;
	struct journal *j;
	pid_t owner;
	bool empty;
	int status;

	owner = fork();
	if (owner == 0) {
		j = make(f, "web", "web");
		if (journal_begin(j, NULL) < 0 || journal_write(j, NULL) < 0)
			_exit(1);
		if (fork() == 0) {
			usleep(200000);
			_exit(0);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(owner, &status, 0), owner);
	assert_int_equal(status, 0);
	assert_int_equal(count_in(f, JOURNAL_ACTIVE), 1);
	assert_int_equal(journal_walk(&f->m, JOURNAL_ACTIVE, keep, &id, &f->err), 0);
	assert_int_equal(journal_open(&f->m, JOURNAL_ACTIVE, id, &j, &empty, &f->err), 0);
	journal_free(j);
}

/* One that has not written anything has not done anything: it goes. */
static void test_empty(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *id = NULL;
	struct journal *j = make(f, "web", "web");
	bool empty = false;

	id = strdup(j->id);
	assert_int_equal(journal_begin(j, &f->err), 0);
	journal_free(j);
	assert_int_equal(count_in(f, JOURNAL_ACTIVE), 1);
	assert_int_equal(journal_open(&f->m, JOURNAL_ACTIVE, id, &j, &empty, &f->err), -EBADMSG);
	assert_true(empty);
	assert_int_equal(count_in(f, JOURNAL_ACTIVE), 0);
}

static void test_moved_and_found(void **state)
{
	struct fixture *f = *state;
	struct journal *first = make(f, "a", "web"), *second = make(f, "b", "web"), *found = NULL;

	assert_int_equal(journal_find(&f->m, "web", NULL, &found, &f->err), 0);
	first->created = 1;
	second->created = 2;
	for (int i = 0; i < 2; i++) {
		struct journal *j = i ? first : second;

		assert_int_equal(journal_begin(j, &f->err), 0);
		assert_int_equal(journal_write(j, &f->err), 0);
		assert_int_equal(journal_move(j, JOURNAL_KEPT, &f->err), 0);
		journal_free(j);
	}
	assert_int_equal(count_in(f, JOURNAL_ACTIVE), 0);
	assert_int_equal(count_in(f, JOURNAL_KEPT), 2);
	assert_int_equal(journal_find(&f->m, "web", "native", &found, &f->err), 0);
	assert_int_equal(journal_find(&f->m, "web", "nspawn", &found, &f->err), 1);
	assert_string_equal(found->source.name, "b");
	journal_free(found);
}

static void test_damaged(void **state)
{
	static const char *const texts[] = {
		"", "x", "[]", "{}", "{\"format\":2}", "{\"format\":1}", "{\"format\":\"1\"}",
		"{\"format\":1,\"id\":\"0000000000000000\",\"phase\":0}",
	};
	struct fixture *f = *state;
	_cleanup_free_ char *id = NULL;
	struct journal *j = make(f, "web", "web"), *read = NULL;
	_cleanup_close_ int dir = -1;
	bool empty;

	id = strdup(j->id);
	assert_int_equal(journal_begin(j, &f->err), 0);
	dir = fcntl(j->dir, F_DUPFD_CLOEXEC, 3);
	assert_int_equal(journal_write(j, &f->err), 0);
	/* The lock goes with the last descriptor of it. */
	journal_free(j);
	assert_int_equal(flock(dir, LOCK_UN), 0);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(fd_replace_file(dir, "journal.json", texts[i], strlen(texts[i]), false), 0);
		assert_int_equal(journal_open(&f->m, JOURNAL_ACTIVE, id, &read, &empty, &f->err), -EBADMSG);
		assert_false(empty);
		assert_non_null(strstr(f->err.message, id));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_owner_at_work, setup, teardown),
		cmocka_unit_test_setup_teardown(test_owner_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_moved_and_found, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
