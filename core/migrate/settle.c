/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Migrations that are over: cut short, taken back on request, or to be forgotten. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "core/archive/own_root.h"
#include "core/migrate/migrate.h"
#include "core/migrate/remote.h"
#include "core/migrate/tree/tree.h"
#include "core/util/backend_name.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/path.h"

static void container_freep(struct mrg_container **c)
{
	mrg_container_free(*c);
}

/* ---- cut short ----------------------------------------------------------------------------------- */

struct settling {
	struct mrg *m;
	void (*failed)(const char *name, const struct mrg_error *err, void *data);
	void *data;
};

/* 1: the other host has the container for good, all that was not done is to say so here. As long as it cannot be asked nothing is undone there: what it has kept
 * may have been at work since. */
static int is_handed_over(struct mrg *m, struct journal *j, struct mrg_error *err)
{
	struct migration g = { .m = m, .j = j };
	bool kept, running;
	int r;

	if (!j->host || j->phase != JOURNAL_FORWARD || j->begun < (int)migration_count_steps(j))
		return 0;
	r = remote_state(&g, &kept, &running, err);
	if (r < 0)
		mrg_error_hint(err, "until '%s' answers, '%s' stays stopped here: it may run there", j->host, j->source.name);
	remote_free(&g);
	return r < 0 ? r : kept;
}

/* One whose owner is at work is not ours to touch. What did not get as far as its end is taken back. */
static int settle_one(const char *id, void *data)
{
	struct settling *s = data;
	_cleanup_journal_ struct journal *j = NULL;
	struct mrg_error why = { 0 };
	bool empty;
	int r = journal_open(s->m, JOURNAL_ACTIVE, id, &j, &empty, &why);

	if (r == -MRG_E_BUSY || r == -MRG_E_NOT_FOUND || empty)
		return 0;
	if (r == 0)
		r = is_handed_over(s->m, j, &why);
	if (r > 0)
		r = journal_move(j, JOURNAL_KEPT, &why);
	else if (r == 0)
		r = journal_undo(s->m, j, NULL, NULL, &why);
	if (r < 0 && s->failed)
		s->failed(j ? j->source.name : id, &why, s->data);
	return 0;
}

int mrg_settle(struct mrg *m, void (*failed)(const char *name, const struct mrg_error *err, void *data), void *data, struct mrg_error *err)
{
	return journal_walk(m, JOURNAL_ACTIVE, settle_one, &(struct settling){ m, failed, data }, err);
}

/* ---- taken back ---------------------------------------------------------------------------------- */

/* "BACKEND:NAME" is two words; *ret_backend is NULL for "NAME". */
static int split_name(const char *name, char **ret_backend, const char **ret_name, struct mrg_error *err)
{
	_cleanup_free_ char *backend = strndup(name, strcspn(name, ":"));

	if (!backend)
		return fail_memory(err);
	*ret_name = name;
	if (name[strlen(backend)] != ':' || !backend_name_is_valid(backend))
		return 0;
	*ret_name = name + strlen(backend) + 1;
	*ret_backend = take_ptr(backend);
	return 0;
}

/* What is called so by now may have got its name since. */
static int find_by_container(struct mrg *m, const char *name, struct journal **ret)
{
	struct record *record = NULL;
	bool empty;
	int r = store_open(m, name, &record, NULL);

	if (r == 0)
		r = journal_open(m, JOURNAL_KEPT, record->id, ret, &empty, NULL);
	if (r == 0)
		r = journal_set(*ret, &(*ret)->target.name, record->name, NULL);
	store_free(record);
	return r == 0;
}

static int find_kept(struct mrg *m, const char *full, struct journal **ret, struct mrg_error *err)
{
	_cleanup_free_ char *backend = NULL;
	const char *name = full;
	int r = split_name(full, &backend, &name, err);

	if (r == 0)
		r = find_by_container(m, name, ret) ? 1 : journal_find(m, name, backend, ret, err);
	if (r == 0) {
		mrg_error_set(err, -MRG_E_NOT_FOUND, "no migration to a container named '%s' is kept", name);
		return mrg_error_hint(err, "it may have been made with --purge, or taken back before"), -MRG_E_NOT_FOUND;
	}
	return r < 0 ? r : 0;
}

/* The source runs afterwards if the target does now. */
static int note_state(struct migration *g, struct mrg_error *err)
{
	_cleanup_(container_freep) struct mrg_container *c = NULL;
	struct mrg_status status = { 0 };
	bool kept;
	int r;

	/* A host that does not answer now is not asked to undo anything. */
	if (g->j->host) {
		r = remote_state(g, &kept, &g->j->ran, err);
		remote_free(g);
		return r;
	}
	r = target_open(g, &c, err);
	if (r == 0)
		r = mrg_container_status(c, &status, err);
	g->j->ran = r == 0 && state_is_alive(status.state);
	return r == -MRG_E_NOT_FOUND ? 0 : r;
}

/* The root has to be somewhere: with a target that was removed with its root there is nothing to come back to. */
static int check_root(const struct journal *j, struct mrg_error *err)
{
	const char *root = j->method == MRG_ROOT_MOVE && !j->copied ? j->root_to : j->hidden ? j->hidden : j->root_from;

	if (access(root, F_OK) == 0)
		return 0;
	return mrg_error_set(err, -MRG_E_STATE, "the root of '%s' is gone: there is no '%s'", j->source.name, root);
}

struct attempt {
	struct mrg *m;
	const char *name;
	int (*progress)(const struct mrg_progress *progress, void *data);
	void *data;
	struct mrg_error *err;
	int found;			/* 1: undone, or the error */
};

static int retry(const char *id, void *data)
{
	struct attempt *a = data;
	_cleanup_journal_ struct journal *j = NULL;
	bool empty;
	int r = journal_open(a->m, JOURNAL_ACTIVE, id, &j, &empty, a->err);

	if (r == -MRG_E_NOT_FOUND || empty || !j || (strcmp(j->source.name, a->name) != 0 && strcmp(j->target.name, a->name) != 0))
		return 0;
	r = journal_undo(a->m, j, a->progress, a->data, a->err);
	a->found = r < 0 ? r : 1;
	return 1;
}

int mrg_rollback(struct mrg *m, const char *name, int (*progress)(const struct mrg_progress *progress, void *data), void *data,
		 struct mrg_error *err)
{
	struct attempt a = { .m = m, .name = strchr(name, ':') ? strchr(name, ':') + 1 : name, .progress = progress, .data = data, .err = err };
	_cleanup_journal_ struct journal *j = NULL;
	struct migration g = { .m = m, .progress = progress, .data = data };
	int r = journal_walk(m, JOURNAL_ACTIVE, retry, &a, err);

	if (r < 0 || a.found)
		return r < 0 ? r : a.found < 0 ? a.found : 0;
	r = find_kept(m, name, &j, err);
	if (r == 0)
		r = check_root(j, err);
	g.j = j;
	if (r == 0)
		r = note_state(&g, err);
	if (r < 0)
		return r;
	/* From the move on the next command goes on with it. */
	j->finished = true;
	j->phase = JOURNAL_UNDO;
	r = journal_write(j, err);
	if (r == 0)
		r = journal_move(j, JOURNAL_ACTIVE, err);
	return r < 0 ? r : journal_undo(m, j, progress, data, err);
}

/* ---- forgotten ------------------------------------------------------------------------------------- */

/* One that an import has made, unless another container uses it by now. */
static int discard_own_root(const struct journal *j, struct mrg_error *err)
{
	_cleanup_(own_root_end) struct own_root_removal root = OWN_ROOT_REMOVAL;
	struct record *record = NULL;
	int r = source_record(j, &record, NULL);

	if (r == 0 && j->hidden && record->own_root.path) {
		free(record->own_root.path);
		record->own_root.path = strdup(j->hidden);
	}
	if (r == 0)
		r = own_root_begin(&root, j->m, record, NULL);
	store_free(record);
	return r < 0 ? 0 : own_root_remove(&root, err);
}

/* The root of a copy's source goes as its engine's own tools would remove it with the container. One that the user gave stays. */
static int discard_root(const struct journal *j, struct mrg_error *err)
{
	const char *root = j->hidden ? j->hidden : j->root_from, *slash = strrchr(root, '/');
	_cleanup_free_ char *above = strndup(root, (size_t)(slash - root));
	_cleanup_close_ int parent = -1;

	if (!j->copied || !path_is_clean(root))
		return 0;
	if (!j->adopted)
		return discard_own_root(j, err);
	if (!above)
		return fail_memory(err);
	parent = open(*above ? above : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return parent < 0 ? 0 : tree_remove(parent, slash + 1, NULL, err);
}

static int forget_before(const struct journal *j, struct mrg_error *err);

int journal_discard(struct journal *j, struct mrg_error *err)
{
	struct mrg_unit unit = { .name = j->source.name, .id = j->id, .dir = -1, .path = j->source.path, .adopted = j->adopted };
	struct plugin *p = NULL;
	struct mrg_spec *empty = mrg_spec_new();
	int r = empty ? registry_load(j->m, j->source.backend, &p, err) : fail_memory(err);

	unit.spec = empty;
	if (r == 0)
		r = discard_root(j, err);
	if (r == 0)
		r = dispatch_park(p, &unit, j->dir, j->id, MRG_PARK_DISCARD, err);
	mrg_spec_free(empty);
	if (r == 0)
		r = journal_remove(j, err);
	return r < 0 ? r : forget_before(j, err);
}

int mrg_forget(struct mrg *m, const char *name, struct mrg_error *err)
{
	int n = 0, r;

	do {
		_cleanup_journal_ struct journal *j = NULL;

		r = find_kept(m, name, &j, err);
		if (r == 0)
			r = journal_discard(j, err);
		n += r == 0;
	} while (r == 0);
	return r == -MRG_E_NOT_FOUND ? n : r;
}

/* A source that has a root of its own is not forgotten by the way. */
static int forget(struct journal *j, struct mrg_error *err)
{
	return j->copied ? 0 : journal_discard(j, err);
}

int migration_forget(struct mrg *m, const char *id, struct mrg_error *err)
{
	_cleanup_journal_ struct journal *j = NULL;
	bool empty;
	int r = journal_open(m, JOURNAL_KEPT, id, &j, &empty, err);

	if (r == -MRG_E_NOT_FOUND)
		return 0;
	return r < 0 ? r : forget(j, err);
}

/* What an engine's own tools made has no id: who came back to it is known by its name, and until when. */
struct returned {
	struct mrg *m;
	const char *name, *backend;
	int64_t before;			/* ns since the epoch */
};

static int forget_returned(const char *id, void *data)
{
	const struct returned *to = data;
	_cleanup_journal_ struct journal *j = NULL;
	bool empty;

	if (journal_open(to->m, JOURNAL_KEPT, id, &j, &empty, NULL) < 0 || !j->returned || strcmp(j->target.name, to->name) != 0 ||
	    strcmp(j->target.backend, to->backend) != 0 || j->created >= to->before)
		return 0;
	return forget(j, NULL);
}

/* The source of @j, which is no more, was the target of others. */
static int forget_before(const struct journal *j, struct mrg_error *err)
{
	struct returned to = { j->m, j->source.name, j->source.backend, j->created };

	return j->adopted ? journal_walk(j->m, JOURNAL_KEPT, forget_returned, &to, err) : migration_forget(j->m, j->source_id, err);
}

int migration_forget_container(struct mrg_container *c, struct mrg_error *err)
{
	struct returned to = { c->m, c->record->name, c->record->backend, INT64_MAX };

	return c->record->adopted ? journal_walk(c->m, JOURNAL_KEPT, forget_returned, &to, err) : migration_forget(c->m, c->record->id, err);
}
