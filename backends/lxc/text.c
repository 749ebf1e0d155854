/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The text of the file "config": what a spec becomes and what is read back. What LXC's keys cannot say of our own containers, and moorage sees to when
 * it starts them, is in a comment that LXC passes over: the file is the whole truth, whoever has edited it.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <moorage/format.h>

#include "payload.h"

#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"

#define CONFIG_MAX	(1 << 20)
#define KEPT		"# moorage: "

static void free_spec(struct mrg_spec **spec)
{
	mrg_spec_free(*spec);
}

/* ---- reading ----------------------------------------------------------------------------------------- */

static int read_config(const struct mrg_unit *unit, char **ret, size_t *ret_length, struct mrg_error *err)
{
	_cleanup_close_ int dir = -1;
	struct lxc_place place;
	int r = lxc_place_of(unit, &place, err);

	if (r < 0)
		return r;
	dir = lxc_place_open(&place);
	r = dir < 0 ? dir : fd_read_file(dir, LXC_CONFIG, CONFIG_MAX, ret, ret_length);
	return r < 0 ? lxc_config_failed(&place, r, "read", err) : 0;
}

int lxc_native(void *self _unused_, const struct mrg_unit *unit, mrg_explain_fn text, void *data, struct mrg_error *err)
{
	_cleanup_free_ char *config = NULL;
	int r = read_config(unit, &config, NULL, err);

	return r < 0 ? r : text(config, data);
}

/* Says where the lines are that an error is about. */
static int name_config(const struct mrg_unit *unit, int r, struct mrg_error *err)
{
	struct lxc_place place;

	if (lxc_place_of(unit, &place, NULL) == 0)
		mrg_error_prefix(err, "'%s/%s/" LXC_CONFIG "'", place.path, place.name);
	return r;
}

/* Puts what the comment has over what the keys say. */
static int merge_kept(const char *config, struct mrg_spec *spec, struct mrg_error *err)
{
	_cleanup_(free_spec) struct mrg_spec *kept = NULL;
	const char *line = strncmp(config, KEPT, sizeof(KEPT) - 1) == 0 ? config : strstr(config, "\n" KEPT);
	int r;

	if (!line)
		return 0;
	line = strstr(line, KEPT) + sizeof(KEPT) - 1;
	r = mrg_spec_parse(line, strcspn(line, "\n"), &kept, err);
	if (r < 0)
		return mrg_error_prefix(err, "the line '" KEPT "...' of the configuration");
	return mrg_spec_merge(spec, kept, err);
}

int lxc_adopt(void *self _unused_, const struct mrg_unit *unit, struct mrg_spec *spec, struct mrg_error *err)
{
	_cleanup_(free_spec) struct mrg_spec *found = NULL;
	_cleanup_free_ char *config = NULL;
	size_t length;
	int r = read_config(unit, &config, &length, err);

	if (r < 0)
		return r;
	r = mrg_format_read("lxc", config, length, &found, NULL, NULL, err);
	if (r < 0)
		return name_config(unit, r, err);
	r = mrg_spec_merge(spec, found, err);
	if (r < 0)
		return r;
	if (!unit->adopted)
		return merge_kept(config, spec, err);
	/* Their console: LXC makes one unless it is told where, or not to. */
	if (found->native_json && strstr(found->native_json, "\"lxc.console.path\""))
		return 0;
	return mrg_spec_set(spec, MRG_FIELD_TERMINAL, "yes", err);
}

/* ---- writing ----------------------------------------------------------------------------------------- */

static int note_kept(const struct mrg_report_row *row, void *data)
{
	struct mrg_fields *fields = data;

	/* A terminal is not told from the console that every container of LXC has. */
	if (row->field < 0 || (row->verdict < MRG_DROPPED && row->field != MRG_FIELD_TERMINAL))
		return 0;
	/* All that is lost of them is set by moorage-init, and their lines name it. */
	if (row->field == MRG_FIELD_MOUNTS)
		return 0;
	mrg_fields_add(fields, (unsigned int)row->field);
	/* A command that no key can hold would be read back as none, which is the root's own init. */
	if (row->field == MRG_FIELD_ARGS)
		mrg_fields_add(fields, MRG_FIELD_BOOT);
	return 0;
}

/* The fields of @spec that the keys do not carry, as one line of JSON. */
static int write_kept(const struct mrg_spec *spec, const struct mrg_fields *fields, struct buffer *b, struct mrg_error *err)
{
	_cleanup_free_ char *json = NULL;
	struct mrg_spec kept = *spec;
	int r;

	kept.set = *fields;
	r = mrg_spec_emit(&kept, 0, &json, err);
	if (r == 0)
		buffer_addf(b, KEPT "%s\n", json);
	return r;
}

/* Whether the files of the root belong to the container's users as they are on the host, so that LXC has nothing to map. */
static bool is_shifted(const struct mrg_spec *spec)
{
	struct stat st;

	return spec->uid_mappings.n > 0 && stat(spec->root_path, &st) == 0 && st.st_uid != 0 && st.st_uid == spec->uid_mappings.item[0].host_id;
}

/* What has been read from the file as it was has the line already. */
static void add_line(struct buffer *b, const char *text, const char *line)
{
	if (!strstr(text, line))
		buffer_addf(b, "%s", line);
}

static int write_text(const struct mrg_spec *spec, char **ret, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer b = { 0 };
	_cleanup_free_ char *text = NULL;
	struct mrg_fields kept = { 0 };
	int r = mrg_format_write("lxc", spec, &text, note_kept, &kept, err);

	if (r < 0)
		return r;
	buffer_addf(&b, "# Made by moorage. It is read back: change what you like.\n");
	r = write_kept(spec, &kept, &b, err);
	/* The root is the user's: lxc-destroy leaves it alone. */
	buffer_addf(&b, "%s", text);
	add_line(&b, text, "lxc.rootfs.managed = 0\n");
	/* LXC has no layer that is thrown away: its own tools start such a container, but it writes nowhere. */
	if (spec->ephemeral)
		buffer_addf(&b, "lxc.rootfs.options = ro\n");
	else if (spec->ns_user && !lxc_is_user() && !is_shifted(spec))
		buffer_addf(&b, "lxc.rootfs.options = %sidmap=container\n", spec->root_readonly ? "ro," : "");
	if (r < 0 || b.failed)
		return r < 0 ? r : fail_memory(err);
	*ret = b.text;
	b.text = NULL;
	return 0;
}

static int copy_ids(const struct mrg_spec *from, struct mrg_spec *to, struct mrg_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < from->uid_mappings.n; i++)
		r = mrg_spec_add_uid_mapping(to, &from->uid_mappings.item[i], err);
	for (size_t i = 0; r == 0 && i < from->gid_mappings.n; i++)
		r = mrg_spec_add_gid_mapping(to, &from->gid_mappings.item[i], err);
	return r;
}

/* The ids that the file has already, so that files of the container keep their owners; else new ones. */
static int choose_ids(const struct mrg_unit *unit, struct mrg_spec *spec, struct mrg_error *err)
{
	_cleanup_(free_spec) struct mrg_spec *before = mrg_spec_new();
	struct mrg_id_mapping uid, gid;
	int r;

	if (before && lxc_adopt(NULL, unit, before, NULL) == 0 && before->uid_mappings.n && before->gid_mappings.n)
		return copy_ids(before, spec, err);
	if (lxc_is_user())
		return 0;
	r = mrg_helper_ids_choose(unit, &uid, &gid, err);
	if (r == 0)
		r = mrg_spec_add_uid_mapping(spec, &uid, err);
	return r < 0 ? r : mrg_spec_add_gid_mapping(spec, &gid, err);
}

/* Where ids are to be mapped, and which. */
static int map_ids(const struct mrg_unit *unit, struct mrg_spec *spec, struct mrg_error *err)
{
	int r = 0;

	if (lxc_is_user() && !spec->ns_user)
		r = mrg_spec_set(spec, MRG_FIELD_NS_USER, "private", err);
	if (r == 0 && spec->ns_user && spec->uid_mappings.n == 0)
		r = choose_ids(unit, spec, err);
	if (r == 0 && lxc_is_user())
		r = lxc_user_share_sys(spec, err);
	return r == 0 && lxc_is_user() ? lxc_user_map(spec, err) : r;
}

int lxc_make_config(const struct mrg_unit *unit, char **ret, struct mrg_error *err)
{
	_cleanup_(free_spec) struct mrg_spec *spec = NULL;
	int r = mrg_spec_copy(unit->spec, &spec, err);

	if (r == 0)
		r = lxc_resolve_points(spec, err);
	if (r == 0)
		r = map_ids(unit, spec, err);
	return r < 0 ? r : write_text(spec, ret, err);
}

/* ---- what LXC refuses ----------------------------------------------------------------------------- */

static const struct mrg_mount *find_mount(const struct mrg_spec *spec, const char *destination)
{
	for (size_t i = 0; i < spec->mounts.n; i++)
		if (strcmp(spec->mounts.item[i].destination, destination) == 0)
			return &spec->mounts.item[i];
	return NULL;
}

/* moorage-init is executed through /proc: it is in no directory of the container. */
static int check_proc(const struct mrg_spec *spec, struct mrg_error *err)
{
	const struct mrg_mount *proc = find_mount(spec, "/proc");

	if (proc && proc->type && strcmp(proc->type, "proc") == 0)
		return 0;
	return mrg_error_set(err, -MRG_E_UNSUPPORTED, "the lxc backend needs a proc file system on /proc of the container");
}

static int check_layer(const struct mrg_spec *spec, struct mrg_error *err)
{
	if (!spec->ephemeral || !strchr(spec->root_path, ':'))
		return 0;
	return mrg_error_set(err, -MRG_E_UNSUPPORTED, "LXC cannot put a layer over the root '%s': its name has a ':'", spec->root_path);
}

static int check_namespaces(const struct mrg_spec *spec, struct mrg_error *err)
{
	if (!spec->ns_cgroup || !*spec->ns_cgroup)
		return 0;
	return mrg_error_set(err, -MRG_E_UNSUPPORTED, "LXC makes a cgroup namespace, it cannot join '%s'", spec->ns_cgroup);
}

struct loss {
	struct mrg_error *err;
	int r;
};

/* What the configuration cannot say, though all fields it sets are ones of ours. */
static int hear_loss(const struct mrg_report_row *row, void *data)
{
	struct loss *loss = data;
	const struct mrg_field_info *info = row->field >= 0 ? mrg_field_info((unsigned int)row->field) : NULL;

	if (row->verdict < MRG_DROPPED || (row->field >= 0 && lxc_field_is_beside(row->field)))
		return 0;
	loss->r = mrg_error_set(loss->err, -MRG_E_UNSUPPORTED, "%s: %s", info ? info->name : row->source,
				row->note ? row->note : "LXC cannot do this");
	return 1;
}

static int check_text(const struct mrg_spec *spec, struct mrg_error *err)
{
	_cleanup_(free_spec) struct mrg_spec *left = NULL;
	_cleanup_free_ char *text = NULL;
	struct loss loss = { .err = err };
	int r = mrg_spec_copy(spec, &left, err);

	if (r < 0)
		return r;
	lxc_flags_strip(left);
	r = mrg_format_write("lxc", left, &text, hear_loss, &loss, err);
	return loss.r < 0 ? loss.r : r;
}

int lxc_check(void *self _unused_, const struct mrg_spec *spec, struct mrg_error *err)
{
	int r = check_proc(spec, err);

	if (r == 0)
		r = check_layer(spec, err);
	if (r == 0)
		r = check_namespaces(spec, err);
	return r == 0 ? check_text(spec, err) : r;
}
