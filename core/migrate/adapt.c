/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The spec of the source is made to fit the target: what is missing is added, what cannot be is dropped and told. */

#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <moorage/helper.h>

#include "core/container/home.h"
#include "core/convert/convert.h"
#include "core/formats/format.h"
#include "core/formats/native.h"
#include "core/migrate/migrate.h"
#include "core/spec/table.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/path.h"

#define IDS_DEFAULT	65536

/* ---- users ------------------------------------------------------------------------------------------ */

static int read_rebase(struct migration *g, struct mrg_error *err)
{
	struct mrg_id_mapping map = { .size = IDS_DEFAULT };
	const char *text = g->how->rebase;
	_cleanup_free_ char *first = text ? strndup(text, strcspn(text, ":")) : NULL;
	static const enum mrg_field fields[] = { MRG_FIELD_NS_USER, MRG_FIELD_UID_MAPPINGS, MRG_FIELD_GID_MAPPINGS };
	int r;

	if (!text)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		mrg_fields_remove(&g->spec->set, fields[i]);
	g->spec->ns_user = NULL;
	g->spec->uid_mappings.n = g->spec->gid_mappings.n = 0;
	if (strcmp(text, "none") == 0)
		return 0;
	if (!first || parse_uint32(first, &map.host_id) < 0 || (strchr(text, ':') && parse_uint32(strchr(text, ':') + 1, &map.size) < 0) || map.size == 0 ||
	    map.host_id == 0 || map.host_id > UINT32_MAX - map.size)
		return mrg_error_set(err, -MRG_E_INVALID, "'%s' is no range of ids: HOST[:COUNT], or none", text);
	r = mrg_spec_set(g->spec, MRG_FIELD_NS_USER, "private", err);
	if (r == 0)
		r = mrg_spec_add_uid_mapping(g->spec, &map, err);
	return r < 0 ? r : mrg_spec_add_gid_mapping(g->spec, &map, err);
}

/* ---- what the target cannot do --------------------------------------------------------------------- */

static int drop(struct migration *g, unsigned int field, const char *note, struct report_rows *write, struct mrg_error *err)
{
	bool confines = format_confines(field);
	struct mrg_spec *reduced = NULL;
	int r;

	/* A copy has nothing of what is not set. */
	mrg_fields_remove(&g->spec->set, field);
	r = mrg_spec_copy(g->spec, &reduced, err);
	if (r < 0)
		return r;
	mrg_spec_free(g->spec);
	g->spec = reduced;
	/* What an earlier migration has lost already is not lost once more. */
	if (!mrg_fields_has(&mrg_container_spec(g->source)->set, field))
		return 0;
	if (confines)
		mrg_fields_add(&g->parts->weakened, field);
	return report_add_field(write, field, confines ? MRG_WEAKENS : MRG_DROPPED, note, err);
}

static int drop_unable(struct migration *g, const struct mrg_fields *able, struct report_rows *write, struct mrg_error *err)
{
	char note[96];
	int r = 0;

	snprintf(note, sizeof(note), "backend '%s' cannot do this here", g->j->target.backend);
	/* Nothing is lost of what is not wanted. */
	if (!g->spec->boot && mrg_fields_has(&g->spec->set, MRG_FIELD_BOOT) && !mrg_fields_has(able, MRG_FIELD_BOOT)) {
		mrg_fields_remove(&g->spec->set, MRG_FIELD_BOOT);
		r = report_add_field(write, MRG_FIELD_BOOT, MRG_CARRIED, NULL, err);
	}
	for (unsigned int field = 0; r == 0 && field < MRG_FIELD_MAX; field++)
		if (mrg_fields_has(&g->spec->set, field) && !mrg_fields_has(able, field))
			r = drop(g, field, note, write, err);
	return r;
}

/* The field that a backend's check names, as all of them do, by path or by name: -1 when none is. */
static int named_field(const struct mrg_spec *spec, const char *message)
{
	size_t longest = 0;
	int found = -1;

	for (unsigned int field = 0; field < MRG_FIELD_MAX; field++) {
		const struct mrg_field_info *info = mrg_field_info(field);
		const char *names[] = { info->path, info->name };

		for (size_t i = 0; i < 2 && mrg_fields_has(&spec->set, field) && field != MRG_FIELD_ROOT_PATH; i++) {
			const char *at = strstr(message, names[i]);

			if (at && at[strlen(names[i])] == ':' && strlen(names[i]) > longest) {
				longest = strlen(names[i]);
				found = (int)field;
			}
		}
	}
	return found;
}

/* Which ids the files are to belong to must be known where they are not mapped: those that they have, or some that nobody uses. */
static int choose_users(struct migration *g, struct mrg_error *err)
{
	const struct mrg_unit unit = { .name = g->j->target.name, .id = g->j->id, .dir = -1 };
	struct stat st;

	if (!home_is_mapped(g->to, g->spec) || g->spec->uid_mappings.n > 0)
		return 0;
	g->chosen = true;
	return home_map_users(g->spec, &unit, !g->j->host && !g->j->layers && stat(g->j->root_from, &st) == 0 ? &st : NULL, err);
}

/* Those were good enough to be judged with; another host chooses for itself. */
static void leave_users(struct migration *g)
{
	if (!g->chosen || !g->j->host)
		return;
	g->spec->uid_mappings.n = g->spec->gid_mappings.n = 0;
	mrg_fields_remove(&g->spec->set, MRG_FIELD_UID_MAPPINGS);
	mrg_fields_remove(&g->spec->set, MRG_FIELD_GID_MAPPINGS);
}

/* Goes without what the backend's check refuses, one after the other; a refusal that names no field stands. */
static int drop_refused(struct migration *g, struct report_rows *write, struct mrg_error *err)
{
	struct mrg_error why = { 0 };
	int r = 0, field;

	for (size_t tries = 0; tries < MRG_FIELD_MAX && r == 0; tries++) {
		r = dispatch_check(g->to, g->spec, &why);
		if (r != -MRG_E_UNSUPPORTED)
			break;
		field = named_field(g->spec, why.message);
		r = field < 0 ? -MRG_E_UNSUPPORTED : drop(g, (unsigned int)field, why.message, write, err);
	}
	if (r < 0 && why.code && err)
		*err = why;
	return r;
}

/* ---- what belongs to one engine ---------------------------------------------------------------------- */

/* Verbatim keys of other engines mean nothing to this one; the source keeps them. */
static int reduce_native(struct migration *g, struct report_rows *write, struct mrg_error *err)
{
	int r = native_reduce(g->spec, g->j->target.backend, err);

	if (r <= 0 || mrg_fields_has(&g->spec->set, MRG_FIELD_NATIVE))
		return r < 0 ? r : 0;
	return drop(g, MRG_FIELD_NATIVE, "keys of another engine", write, err);
}

/* Each engine sets it itself. */
static void drop_engine_variables(struct mrg_spec *spec)
{
	static const char *const names[] = { "container=", "container_uuid=", "container_ttys=", "NOTIFY_SOCKET=", "LIBVIRT_LXC_" };
	size_t n = 0;

	for (char **env = spec->env; env && *env; env++) {
		bool engines = false;

		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			engines |= strncmp(*env, names[i], strlen(names[i])) == 0;
		if (!engines)
			spec->env[n++] = *env;
	}
	if (spec->env)
		spec->env[n] = NULL;
	if (n == 0)
		mrg_fields_remove(&spec->set, MRG_FIELD_ENV);
}

/* Whether a filter of system calls is in force at the source that cannot be brought over. */
static bool loses_filter(const struct migration *g)
{
	const struct mrg_spec *source = mrg_container_spec(g->source);

	return g->before.filtered || (source->native_json && strstr(source->native_json, "seccomp"));
}

/* The signal that asks the init in the root for the end, where the engine does not choose it: the one of systemd, or of busybox. NULL: not known. */
static const char *stop_signal(const struct journal *j)
{
	_cleanup_close_ int root = source_root_open(j, NULL);
	_cleanup_close_ int systemd = -1, busybox = -1;

	if (root < 0)
		return NULL;
	systemd = path_open_in_root(root, "/usr/lib/systemd/systemd", O_PATH, 0);
	busybox = path_open_in_root(root, "/bin/busybox", O_PATH, 0);
	return systemd >= 0 ? "RTMIN+3" : busybox >= 0 ? "USR2" : NULL;
}

/* What a system that boots, or a container that was filtered, needs to be told where the engine does not say it by itself. */
static int complete(struct migration *g, const struct mrg_fields *able, struct mrg_error *err)
{
	bool ours = !report_has_format(g->j->target.backend), asks = ours || strcmp(g->j->target.backend, "libvirt") == 0;
	struct mrg_spec *spec = g->spec;
	const char *signal = spec->boot && asks ? stop_signal(g->j) : NULL;
	const struct {
		enum mrg_field field;
		bool wanted;
		const char *value;
	} values[] = {
		{ MRG_FIELD_NS_CGROUP, ours && spec->boot, "private" },
		{ MRG_FIELD_STOP_SIGNAL, signal, signal },
		{ MRG_FIELD_SECCOMP_PROFILE, (ours || loses_filter(g)) && !mrg_fields_has(&spec->set, MRG_FIELD_SECCOMP), spec->boot ? "boot" : "default" },
	};
	int r = 0;

	mrg_fields_remove(&spec->set, MRG_FIELD_AUTOSTART);
	drop_engine_variables(spec);
	for (size_t i = 0; i < ARRAY_SIZE(values) && r == 0; i++)
		if (values[i].wanted && mrg_fields_has(able, values[i].field) && !mrg_fields_has(&spec->set, values[i].field))
			r = mrg_spec_set(spec, values[i].field, values[i].value, err);
	if (r == 0 && ours && spec->boot && mrg_fields_has(able, MRG_FIELD_ENV))
		r = mrg_spec_set(spec, MRG_FIELD_ENV, "container=moorage", err);
	return r;
}

/* The console of LXC is one of the host's terminals; with us a container takes it from its own. */
static int give_terminals(struct migration *g, struct report_rows *write, struct mrg_error *err)
{
	static const char *const options[] = { "newinstance", "ptmxmode=0666", "mode=0620", NULL };
	struct mrg_spec *spec = g->spec;
	int r;

	if (report_has_format(g->j->target.backend) || !spec->terminal)
		return 0;
	for (size_t i = 0; i < spec->mounts.n; i++)
		if (strcmp(spec->mounts.item[i].destination, "/dev/pts") == 0)
			return 0;
	r = mrg_spec_add_mount(spec, &(struct mrg_mount){ .destination = "/dev/pts", .type = "devpts", .source = "devpts",
							  .options = (char **)options }, err);
	return r < 0 ? r : report_add_field(write, MRG_FIELD_MOUNTS, MRG_APPROXIMATED, "a terminal comes from /dev/pts, which is mounted", err);
}

/* What has come since the migration from there, and goes with it. */
int adapt_drop_unmerged(struct migration *g, struct report_rows *write, struct mrg_error *err)
{
	const struct mrg_spec *source = mrg_container_spec(g->source);
	int r = 0;

	for (unsigned int field = 0; field < MRG_FIELD_MAX && r == 0; field++)
		if (mrg_fields_has(&source->set, field) && !mrg_fields_has(&g->spec->set, field) && field != MRG_FIELD_AUTOSTART && field != MRG_FIELD_ENV)
			r = drop(g, field, "it was not so before the migration from there", write, err);
	return r;
}

/* What the host itself has not, the source could not have either. */
static int drop_impossible_caps(struct migration *g, struct report_rows *write, struct mrg_error *err)
{
	static const enum mrg_field fields[] = {
		MRG_FIELD_CAP_BOUNDING, MRG_FIELD_CAP_EFFECTIVE, MRG_FIELD_CAP_PERMITTED, MRG_FIELD_CAP_INHERITABLE, MRG_FIELD_CAP_AMBIENT,
	};
	struct mrg_spec *spec = g->spec;
	uint64_t *const sets[] = { &spec->cap_bounding, &spec->cap_effective, &spec->cap_permitted, &spec->cap_inheritable, &spec->cap_ambient };
	struct isolation own;
	int r = isolation_observe(getpid(), &own);

	if (r < 0)
		return fail_errno(err, r, "cannot look at the capabilities of this process");
	/* Among users of its own, which an ordinary user's always is, it has all there are. */
	if (spec->ns_user || geteuid() != 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(fields) && r == 0; i++) {
		if (!mrg_fields_has(&spec->set, fields[i]) || !(*sets[i] & ~own.caps))
			continue;
		*sets[i] &= own.caps;
		r = report_add_field(write, fields[i], MRG_APPROXIMATED, "without capabilities that nobody has on this host", err);
	}
	return r;
}

/* Whether the first two mappings say what every container of this user has: the user is its root, the user's other ids follow. */
static bool is_own_map(const struct mrg_id_mapping *item, size_t n, unsigned int own, const struct mrg_id_mapping *others)
{
	return n >= 1 && item[0].container_id == 0 && item[0].host_id == own && item[0].size == 1 &&
	       (n == 1 || (n == 2 && item[1].container_id == 1 && item[1].host_id == others->host_id));
}

/* An ordinary user's containers have users of their own, said or not: where they are those that every backend gives, nothing of them need be said. */
static int forget_own_users(struct migration *g, struct report_rows *write, struct mrg_error *err)
{
	static const enum mrg_field fields[] = { MRG_FIELD_NS_USER, MRG_FIELD_UID_MAPPINGS, MRG_FIELD_GID_MAPPINGS };
	struct mrg_id_mapping uid = { 0 }, gid = { 0 };
	struct mrg_spec *spec = g->spec;
	char why[96];
	int r = 0;

	if (geteuid() == 0 || g->j->host)
		return 0;
	mrg_helper_user_ids(&uid, &gid, why, sizeof(why));
	if (spec->uid_mappings.n && (!is_own_map(spec->uid_mappings.item, spec->uid_mappings.n, geteuid(), &uid) ||
				     !is_own_map(spec->gid_mappings.item, spec->gid_mappings.n, getegid(), &gid)))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(fields) && r == 0; i++) {
		if (mrg_fields_has(&spec->set, fields[i]))
			r = report_add_field(write, fields[i], MRG_CARRIED, NULL, err);
		mrg_fields_remove(&spec->set, fields[i]);
	}
	spec->ns_user = NULL;
	spec->uid_mappings.n = spec->gid_mappings.n = 0;
	return r;
}

int adapt_spec(struct migration *g, const struct mrg_fields *able, struct report_rows *write, struct mrg_error *err)
{
	int r = read_rebase(g, err);

	if (r == 0)
		r = choose_users(g, err);
	if (r == 0)
		r = complete(g, able, err);
	if (r == 0)
		r = give_terminals(g, write, err);
	if (r == 0 && g->n_earlier > 0)
		r = adapt_drop_unmerged(g, write, err);
	if (r == 0)
		r = forget_own_users(g, write, err);
	if (r == 0)
		r = reduce_native(g, write, err);
	if (r == 0)
		r = drop_impossible_caps(g, write, err);
	if (r == 0)
		r = drop_unable(g, able, write, err);
	if (r == 0)
		r = drop_refused(g, write, err);
	leave_users(g);
	return r;
}

