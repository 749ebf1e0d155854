/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Containers that have come from another host and are not kept yet. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "core/migrate/copies.h"
#include "core/migrate/received.h"
#include "core/migrate/tree/tree.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/path.h"

#define LOOK_MS		50
#define NOTE_MAX	(3 * PATH_MAX)

static void container_freep(struct mrg_container **c)
{
	mrg_container_free(*c);
}

struct journal received_journal(const struct wire_message *q)
{
	return (struct journal){ .dir = -1, .id = q->id, .target = { .name = q->name, .backend = q->backend, .path = q->path } };
}

/* ---- notes ------------------------------------------------------------------------------------- */

/* "NAME\nBACKEND\nPATH". Written before anything is made. */
int received_begin(struct received *one, int dir, const struct wire_message *q, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	int n = asprintf(&text, "%s\n%s\n%s", q->name, q->backend, q->path ? q->path : ""), r;

	if (n < 0)
		return fail_memory(err);
	if (one->note >= 0)
		return mrg_error_set(err, -MRG_E_STATE, "a container has come by this connection already");
	one->note = openat(dir, q->id, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (one->note < 0)
		return fail_errno(err, -errno, "cannot note what comes from another host");
	snprintf(one->id, sizeof(one->id), "%s", q->id);
	r = flock(one->note, LOCK_EX | LOCK_NB) < 0 ? -errno : fd_write_all(one->note, text, (size_t)n);
	if (r == 0 && (fsync(one->note) < 0 || fsync(dir) < 0))
		r = -errno;
	return r < 0 ? fail_errno(err, r, "cannot note what comes from another host") : 0;
}

int received_keep(struct received *one, int dir, struct mrg_error *err)
{
	if (one->note < 0)
		return mrg_error_set(err, -MRG_E_STATE, "no container has come by this connection");
	if (unlinkat(dir, one->id, 0) < 0 || fsync(dir) < 0)
		return fail_errno(err, -errno, "cannot keep the container");
	one->note = fd_close(one->note);
	return 0;
}

int received_wait(const struct received *one, int dir, const char *id, struct mrg_error *err)
{
	_cleanup_close_ int fd = one->note >= 0 && strcmp(one->id, id) == 0 ? -1 : openat(dir, id, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	int waited = 0;

	while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (waited >= CONTAINER_END_MS)
			return mrg_error_set(err, -MRG_E_BUSY, "the container is still being made, by a connection that has ended");
		poll(NULL, 0, LOOK_MS);
		waited += LOOK_MS;
	}
	return 0;
}

int received_forget(struct received *one, int dir, const char *id)
{
	unlinkat(dir, id, 0);
	if (one->note >= 0 && strcmp(one->id, id) == 0)
		one->note = fd_close(one->note);
	return 0;
}

/* ---- undoing ------------------------------------------------------------------------------------- */

/* The root goes, with the directory that was made for it; or is called otherwise. */
static int put_root_away(struct mrg *m, const char *root, const struct wire_message *q, struct mrg_error *err)
{
	const char *slash = strrchr(root, '/');
	_cleanup_free_ char *above = strndup(root, (size_t)(slash - root)), *kept = NULL;
	_cleanup_close_ int parent = -1;
	int r = 0;

	if (!above)
		return fail_memory(err);
	parent = open(*above ? above : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return errno == ENOENT ? 0 : fail_errno(err, -errno, "cannot open '%s'", above);
	if (!q->finished)
		r = tree_remove(parent, slash + 1, NULL, err);
	else
		r = copies_keep(m, parent, root, q->id, &kept, err);
	if (r == -ENOENT)
		r = 0;
	slash = strrchr(above, '/');
	if (r == 0 && slash && strcmp(slash + 1, q->name) == 0)
		rmdir(above);
	return r;
}

/* The root first: while there is a container the next attempt finds both. */
static int undo(struct mrg *m, const struct wire_message *q, struct mrg_error *err)
{
	_cleanup_(container_freep) struct mrg_container *c = NULL;
	struct journal j = received_journal(q);
	struct migration g = { .m = m, .j = &j };
	struct mrg_status status;
	const char *root;
	int r = target_open(&g, &c, err);

	if (r < 0)
		return r == -MRG_E_NOT_FOUND ? 0 : r;
	r = mrg_container_load(c, err);
	if (r == 0)
		r = q->finished ? mrg_stop(c, -1, 0, err) : container_kill_all(c, err);
	if (r >= 0)
		r = container_wait_end(c, CONTAINER_END_MS, &status, err);
	if (r < 0)
		return r;
	root = mrg_container_spec(c)->root_path;
	if (root && path_is_clean(root) && root[1])
		r = put_root_away(m, root, q, err);
	return r < 0 ? r : mrg_remove(c, MRG_REMOVE_FORCE | MRG_REMOVE_KEEP_ROOT, err);
}

int received_undo(struct mrg *m, int dir, const struct wire_message *q, struct mrg_error *err)
{
	int r;

	if (flock(dir, LOCK_EX) < 0)
		return fail_errno(err, -errno, "cannot lock what comes from other hosts");
	r = undo(m, q, err);
	flock(dir, LOCK_UN);
	return r;
}

/* What a note says, undone; then it goes. */
static void undo_note(struct mrg *m, int dir, const char *id)
{
	_cleanup_free_ char *text = NULL;
	struct wire_message q = { .id = id };
	struct mrg_error ignored;
	char *at;

	if (fd_read_file(dir, id, NOTE_MAX, &text, NULL) < 0)
		return;
	at = text;
	q.name = strsep(&at, "\n");
	q.backend = strsep(&at, "\n");
	q.path = at && *at ? at : NULL;
	/* One that was not written to its end is of a container that was not begun. */
	if (!at || !name_is_valid(q.name) || received_undo(m, dir, &q, &ignored) == 0)
		unlinkat(dir, id, 0);
}

void received_end(struct mrg *m, struct received *one, int dir)
{
	if (one->note >= 0)
		undo_note(m, dir, one->id);
	one->note = fd_close(one->note);
}

static void sweep(struct mrg *m, int dir, const char *id)
{
	_cleanup_close_ int fd = openat(dir, id, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		undo_note(m, dir, id);
}

void received_sweep(struct mrg *m, int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (strlen(entry->d_name) == 16 && strspn(entry->d_name, "0123456789abcdef") == 16)
			sweep(m, dir, entry->d_name);
}
