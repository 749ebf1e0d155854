/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps on another host: the container is made there, started, watched, enabled, and kept. Until it is kept, moorage there removes it when the connection
 * ends. */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/migrate/remote.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"

/* ---- asked before anything is done ----------------------------------------------------------- */

static int read_fields(struct migration *g, const char *lines)
{
	for (const char *at = lines; at && *at; at += strcspn(at, "\n"), at += *at == '\n')
		for (unsigned int field = 0; field < MRG_FIELD_MAX; field++) {
			const char *name = mrg_field_info(field)->name;

			if (strncmp(at, name, strlen(name)) == 0 && (at[strlen(name)] == '\n' || !at[strlen(name)]))
				mrg_fields_add(&g->able, field);
		}
	return 0;
}

int remote_probe(struct migration *g, struct mrg_error *err)
{
	struct wire_message q = { .op = "probe", .mapped = migration_gets_own_users(g) }, a;
	int r = remote_ask(g, &q, &a, err);

	if (r == 0 && (!a.home || a.home[0] != '/'))
		r = mrg_error_set(err, -EPROTO, "'%s' does not say where the root would be", g->j->host);
	if (r == 0)
		r = journal_set(g->j, &g->j->root_to, a.home, err);
	return r < 0 ? r : read_fields(g, a.fields);
}

static char *join(const char *const *list)
{
	struct buffer b = { 0 };

	for (; list && *list; list++)
		buffer_addf(&b, "%s\n", *list);
	if (!b.failed)
		return b.text ? b.text : strdup("");
	buffer_deinit(&b);
	return NULL;
}

int remote_check(const struct migration *g, struct mrg_error *err)
{
	_cleanup_free_ char *accept = join(g->how->accept), *spec = NULL;
	struct wire_message q = { .op = "check", .bytes = (int64_t)g->parts->plan.bytes }, a;
	int r = accept ? mrg_spec_emit(g->spec, 0, &spec, err) : fail_memory(err);

	q.accept = accept;
	q.spec = spec;
	return r < 0 ? r : remote_ask((struct migration *)g, &q, &a, err);
}

int remote_state(struct migration *g, bool *ret_kept, bool *ret_running, struct mrg_error *err)
{
	struct wire_message q = { .op = "state" }, a;
	int r = remote_ask(g, &q, &a, err);

	*ret_kept = r == 0 && a.found && a.kept;
	*ret_running = r == 0 && a.found && a.running;
	return r;
}

/* ---- undoing --------------------------------------------------------------------------------- */

/* Nothing of it runs there afterwards, or that is not known: then nothing of it may run here either. */
int arrive_undo(struct migration *g, struct mrg_error *err)
{
	struct wire_message q = { .op = "undo", .finished = g->j->finished }, a;
	int r = remote_ask(g, &q, &a, err);

	if (r < 0)
		mrg_error_hint(err, "until '%s' answers, '%s' stays stopped here: it may run there", g->j->host, g->j->source.name);
	return r;
}

/* What has not been started is of no danger, and is removed there when the connection is found to be gone. */
int make_undo(struct migration *g, struct mrg_error *err)
{
	int r = arrive_undo(g, err);

	return r < 0 && remote_is_cut(g) ? 0 : r;
}

/* ---- configure -------------------------------------------------------------------------------- */

bool make_describe(const struct migration *g, struct buffer *b)
{
	buffer_addf(b, "make '%s' of %s there: unpack the root to '%s', compare checksums", g->j->target.name, g->j->target.backend, g->j->root_to);
	return true;
}

int make_run(struct migration *g, struct mrg_error *err)
{
	_cleanup_free_ char *accept = join(g->how->accept), *devices = join((const char *const *)g->devices), *before = NULL;
	struct wire_message q = { .op = "import", .from = g->j->source.backend, .digest = g->digest }, a;
	int r = accept && devices ? mrg_spec_emit(mrg_container_spec(g->source), 0, &before, err) : fail_memory(err);

	q.accept = accept;
	q.devices = devices;
	q.before = before;
	return r < 0 ? r : remote_ask(g, &q, &a, err);
}

/* ---- start, enable, keep ------------------------------------------------------------------------ */

bool arrive_describe(const struct migration *g, struct buffer *b)
{
	buffer_addf(b, "start '%s' there, wait until it is well, and compare how it is confined", g->j->target.name);
	return g->ran || (g->how && g->how->flags & MRG_MIGRATE_START);
}

int arrive_run(struct migration *g, struct mrg_error *err)
{
	struct wire_message q = { .op = "start", .health = g->how->health_command, .timeout_ms = g->how->timeout_ms }, a;
	struct isolation seen = { .known = true };
	int r = remote_ask(g, &q, &a, err);

	if (r < 0)
		return r;
	seen.shared = (uint32_t)a.shared;
	seen.caps = (uint64_t)a.caps;
	seen.filtered = a.filtered;
	seen.no_new_privs = a.no_new_privs;
	seen.root_is_root = a.root_is_root;
	return isolation_compare(g, &g->before, &seen, err);
}

bool enable_there_describe(const struct migration *g, struct buffer *b)
{
	buffer_addf(b, "start '%s' with the host '%s'", g->j->target.name, g->j->host);
	return g->autostart;
}

int enable_there_run(struct migration *g, struct mrg_error *err)
{
	struct wire_message q = { .op = "enable" }, a;

	return remote_ask(g, &q, &a, err);
}

bool keep_describe(const struct migration *g, struct buffer *b)
{
	buffer_addf(b, "hand it over: '%s' is the container of '%s' from then on", g->j->target.name, g->j->host);
	return true;
}

int keep_run(struct migration *g, struct mrg_error *err)
{
	struct wire_message q = { .op = "keep" }, a;

	return remote_ask(g, &q, &a, err);
}
