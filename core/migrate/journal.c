/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Journals of migrations: directories that are locked while somebody is at work, and one file that says how far it has come. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/migrate/journal.h"
#include "core/store/store.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/json_table.h"
#include "core/util/proc.h"
#include "core/util/str.h"

#define JOURNAL_FILE	"journal.json"
#define JOURNAL_MAX	(64 << 10)
#define JOURNAL_FORMAT	1
#define JOURNAL_FORMAT_HOST 2		/* to another host: other steps, which older versions do not know */
#define ID_LENGTH	16
#define MAKE_TRIES	8
#define LOCK_TRIES	1000
#define LOCK_PAUSE_NS	10000000

static const char *const places[] = { [JOURNAL_ACTIVE] = "migrations", [JOURNAL_KEPT] = "migrated" };

#define ROW(type, key, member)		{ key, JSON_ROW_##type, offsetof(struct journal, member), false }
#define OPTIONAL_ROW(type, key, member)	{ key, JSON_ROW_##type, offsetof(struct journal, member), true }

static const struct json_row rows[] = {
	ROW(TEXT, "id", id),
	ROW(INT, "phase", phase),
	ROW(INT, "begun", begun),
	ROW(INT64, "created", created),
	ROW(INT64, "owner/pid", pid),
	ROW(INT64, "owner/started", pid_started),
	ROW(TEXT, "source/name", source.name),
	ROW(TEXT, "source/backend", source.backend),
	ROW(TEXT, "source/id", source_id),
	OPTIONAL_ROW(TEXT, "source/path", source.path),
	ROW(TEXT, "target/name", target.name),
	ROW(TEXT, "target/backend", target.backend),
	OPTIONAL_ROW(TEXT, "target/path", target.path),
	ROW(BOOL, "adopted", adopted),
	ROW(BOOL, "ran", ran),
	ROW(BOOL, "finished", finished),
	ROW(BOOL, "autostart", autostart),
	ROW(TEXT, "root/from", root_from),
	ROW(TEXT, "root/to", root_to),
	OPTIONAL_ROW(TEXT, "root/layers", layers),
	ROW(INT, "root/method", method),
	ROW(BOOL, "root/copied", copied),
	OPTIONAL_ROW(TEXT, "root/hidden", hidden),
	OPTIONAL_ROW(TEXT, "returned", returned),
	OPTIONAL_ROW(TEXT, "host", host),
	OPTIONAL_ROW(TEXT, "sshConfig", ssh_config),
	OPTIONAL_ROW(TEXT, "uids", uids),
	OPTIONAL_ROW(TEXT, "gids", gids),
	ROW(BOOL, "rebased", rebased),
	{ NULL, 0, 0, false }
};

/* ---- memory --------------------------------------------------------------------------------- */

static struct journal *allocate(struct mrg *m, enum journal_place place)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->m = m;
	j->place = place;
	j->dir = -1;
	return j;
}

struct journal *journal_free(struct journal *j)
{
	if (!j)
		return NULL;
	fd_close(j->dir);
	json_free(j->json);
	free(j->text);
	strv_free(j->texts);
	free(j);
	return NULL;
}

int journal_set(struct journal *j, const char **member, const char *text, struct mrg_error *err)
{
	if (!text) {
		*member = NULL;
		return 0;
	}
	if (strv_append(&j->texts, text) < 0)
		return fail_memory(err);
	*member = j->texts[strv_length(j->texts) - 1];
	return 0;
}

static bool id_is_valid(const char *id)
{
	return strlen(id) == ID_LENGTH && strspn(id, "0123456789abcdef") == ID_LENGTH;
}

/* ---- making and opening ----------------------------------------------------------------------- */

static int open_dir(int base, const char *id)
{
	int fd = openat(base, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

struct journal *journal_new(struct mrg *m)
{
	_cleanup_journal_ struct journal *j = allocate(m, JOURNAL_ACTIVE);
	char id[ID_LENGTH + 1];
	uint64_t nonce;

	if (!j || getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce))
		return NULL;
	snprintf(id, sizeof(id), "%016" PRIx64, nonce);
	if (journal_set(j, &j->id, id, NULL) < 0)
		return NULL;
	j->created = time_now_ns();
	return take_ptr(j);
}

/* Somebody who looks between mkdir and flock takes it for one that was cut short before it did anything, and removes it. */
static int make_dir(int base, const char *id)
{
	_cleanup_close_ int fd = -1;
	struct stat st;

	for (int i = 0; i < MAKE_TRIES; i++) {
		if (mkdirat(base, id, 0700) < 0)
			return -errno;
		fd = open_dir(base, id);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0)
			return take_fd(&fd);
		fd = fd_close(fd);
	}
	return -EAGAIN;
}

int journal_begin(struct journal *j, struct mrg_error *err)
{
	_cleanup_close_ int base = store_state_dir(j->m, places[JOURNAL_ACTIVE], true, err);

	if (base < 0)
		return base;
	j->dir = make_dir(base, j->id);
	if (j->dir < 0)
		return fail_errno(err, j->dir, "cannot make the journal of a migration in '%s/%s'", j->m->state_dir, places[JOURNAL_ACTIVE]);
	return 0;
}

static int damaged(const struct journal *j, const char *id, const char *what, struct mrg_error *err)
{
	mrg_error_set(err, -EBADMSG, "the journal of a migration is damaged: '%s/%s/%s/" JOURNAL_FILE "' %s", j->m->state_dir, places[j->place], id,
		      what);
	return -EBADMSG;
}

static bool is_sane(const struct journal *j, const char *id)
{
	return strcmp(j->id, id) == 0 && j->root_from[0] == '/' && j->root_to[0] == '/' && j->begun >= 0 && (j->phase == JOURNAL_FORWARD || j->phase == JOURNAL_UNDO);
}

static int read_file(struct journal *j, const char *id, bool *ret_empty, struct mrg_error *err)
{
	const struct json *format;
	uint64_t number = 0;
	bool negative;
	size_t length;
	int r = fd_read_file(j->dir, JOURNAL_FILE, JOURNAL_MAX, &j->text, &length);

	*ret_empty = r == -ENOENT;
	if (r < 0)
		return damaged(j, id, r == -ENOENT ? "is missing" : "cannot be read", err);
	if (json_parse(j->text, length, &j->json, NULL) < 0)
		return damaged(j, id, "is no JSON", err);
	format = json_member(j->json, "format");
	if (!format || format->type != JSON_NUMBER || json_integer(format, &negative, &number) < 0 || negative || number < JOURNAL_FORMAT || number > JOURNAL_FORMAT_HOST)
		return damaged(j, id, "is of another version", err);
	if (json_table_read(j->json, rows, j) < 0 || !is_sane(j, id))
		return damaged(j, id, "lacks something, or has what cannot be", err);
	return 0;
}

/* Whether the process that the journal names is alive; also when that cannot be told. */
static bool has_owner(int dir)
{
	_cleanup_(json_freep) struct json *json = NULL;
	_cleanup_free_ char *text = NULL;
	struct journal named = { 0 };
	uint64_t started;
	size_t length;

	if (fd_read_file(dir, JOURNAL_FILE, JOURNAL_MAX, &text, &length) < 0 || json_parse(text, length, &json, NULL) < 0 ||
	    json_table_read(json, rows, &named) < 0)
		return true;
	return proc_start_time((pid_t)named.pid, &started) == 0 && (int64_t)started == named.pid_started;
}

/* Nobody waits for a command at work; what was killed has let go in a moment. */
static int lock(int dir)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(dir, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (has_owner(dir))
			return -MRG_E_BUSY;
		nanosleep(&(struct timespec){ .tv_nsec = LOCK_PAUSE_NS }, NULL);
	}
	return -MRG_E_BUSY;
}

int journal_open(struct mrg *m, enum journal_place place, const char *id, struct journal **ret, bool *ret_empty, struct mrg_error *err)
{
	_cleanup_close_ int base = store_state_dir(m, places[place], false, err);
	_cleanup_journal_ struct journal *j = allocate(m, place);
	struct stat st;
	int r;

	*ret_empty = false;
	if (base < 0 && base != -ENOENT)
		return base;
	if (!j)
		return fail_memory(err);
	j->dir = base < 0 ? -ENOENT : open_dir(base, id);
	if (j->dir == -ENOENT)
		return mrg_error_set(err, -MRG_E_NOT_FOUND, "there is no migration '%s'", id);
	if (j->dir < 0)
		return fail_errno(err, j->dir, "cannot open the journal of a migration");
	r = lock(j->dir);
	if (r == -MRG_E_BUSY)
		return mrg_error_set(err, r, "another command is at work on this migration");
	if (r < 0)
		return fail_errno(err, r, "cannot lock the journal of a migration");
	/* It may have been moved or removed by whoever held the lock. */
	if (fstatat(base, id, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return mrg_error_set(err, -MRG_E_NOT_FOUND, "there is no migration '%s'", id);
	r = read_file(j, id, ret_empty, err);
	if (*ret_empty)
		fd_remove_tree(base, id);
	if (r == 0)
		*ret = take_ptr(j);
	return r;
}

/* ---- writing, moving, removing ------------------------------------------------------------------ */

int journal_write(struct journal *j, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer b = { 0 }, object = { 0 };
	uint64_t started = 0;
	int r = proc_start_time(getpid(), &started);

	j->pid = getpid();
	j->pid_started = (int64_t)started;
	if (r == 0)
		r = json_table_write(&object, rows, j);
	if (r < 0)
		return fail_errno(err, r, "cannot write the journal of the migration");
	/* The format first, so that whatever comes later can tell. */
	if (!object.failed)
		buffer_addf(&b, "{\"format\":%d,%s\n", j->host ? JOURNAL_FORMAT_HOST : JOURNAL_FORMAT, object.text + 1);
	if (b.failed || object.failed)
		return fail_memory(err);
	r = fd_replace_file(j->dir, JOURNAL_FILE, b.text, b.length, true);
	return r < 0 ? fail_errno(err, r, "cannot write the journal of the migration") : 0;
}

int journal_move(struct journal *j, enum journal_place place, struct mrg_error *err)
{
	_cleanup_close_ int from = store_state_dir(j->m, places[j->place], true, err), to = -1;

	if (from < 0)
		return from;
	to = store_state_dir(j->m, places[place], true, err);
	if (to < 0)
		return to;
	if (renameat(from, j->id, to, j->id) < 0)
		return fail_errno(err, -errno, "cannot move the journal of the migration");
	fsync(to);
	fsync(from);
	j->place = place;
	return 0;
}

/* Without the file it is nothing, whatever else is left in it. */
int journal_remove(struct journal *j, struct mrg_error *err)
{
	_cleanup_close_ int base = store_state_dir(j->m, places[j->place], true, err);
	int r;

	if (base < 0)
		return base;
	r = unlinkat(j->dir, JOURNAL_FILE, 0) < 0 && errno != ENOENT ? -errno : fd_remove_tree(base, j->id);
	return r < 0 ? fail_errno(err, r, "cannot remove the journal of the migration") : 0;
}

/* ---- all of them --------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "TIME ID" for each, so that their order is that of time. */
static int collect(int base, char ***ret)
{
	_cleanup_closedir_ DIR *d = fdopendir(base);
	struct dirent *entry;
	int r = 0;

	if (!d) {
		close(base);
		return -errno;
	}
	while (r == 0 && (entry = readdir(d))) {
		_cleanup_free_ char *sortable = NULL;
		struct stat st;

		if (!id_is_valid(entry->d_name) || fstatat(base, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (asprintf(&sortable, "%020" PRId64 " %s", time_ns(&st.st_mtim), entry->d_name) < 0) {
			sortable = NULL;
			return -ENOMEM;
		}
		r = strv_append(ret, sortable);
	}
	return r;
}

int journal_walk(struct mrg *m, enum journal_place place, int (*found)(const char *id, void *data), void *data, struct mrg_error *err)
{
	_cleanup_(strv_freep) char **ids = NULL;
	int base = store_state_dir(m, places[place], false, err), r;

	if (base < 0)
		return base == -ENOENT ? 0 : base;
	r = collect(base, &ids);
	if (r < 0)
		return fail_errno(err, r, "cannot read the journals of migrations");
	if (ids)
		qsort(ids, strv_length(ids), sizeof(char *), compare);
	for (size_t i = 0; ids && ids[i] && r == 0; i++)
		r = found(strchr(ids[i], ' ') + 1, data);
	return r;
}

struct search {
	struct mrg *m;
	const char *name, *backend;
	struct journal *newest;
};

static int look_at(const char *id, void *data)
{
	struct search *s = data;
	struct journal *j = NULL;
	bool empty;

	if (journal_open(s->m, JOURNAL_KEPT, id, &j, &empty, NULL) < 0)
		return 0;
	if (strcmp(j->target.name, s->name) == 0 && (!s->backend || strcmp(j->target.backend, s->backend) == 0) &&
	    (!s->newest || s->newest->created < j->created)) {
		journal_free(s->newest);
		s->newest = j;
	} else {
		journal_free(j);
	}
	return 0;
}

int journal_find(struct mrg *m, const char *name, const char *backend, struct journal **ret, struct mrg_error *err)
{
	struct search s = { .m = m, .name = name, .backend = backend };
	int r = journal_walk(m, JOURNAL_KEPT, look_at, &s, err);

	if (r < 0) {
		journal_free(s.newest);
		return r;
	}
	*ret = s.newest;
	return s.newest != NULL;
}
