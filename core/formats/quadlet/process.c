/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about the root and the process: image, command, user, signals, rlimits. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/formats/quadlet/quadlet.h"
#include "core/util/cleanup.h"
#include "core/util/path.h"

/* ---- root --------------------------------------------------------------------------------------- */

KEY_READER(quadlet_read_image)
{
	const char *note = key_undo(in, value);

	if (note)
		return key_lost(in, key, note);
	quadlet_of(in)->image = *value ? mrg_spec_strdup(in->spec, value) : NULL;
	return key->verdict;
}

/* PATH[:OPTIONS]; of the options only "O" is understood, a layer that is thrown away. */
KEY_READER(quadlet_read_rootfs)
{
	char *options = strchr(value, ':'), *path = value;
	const char *note;

	if (!*path)
		return MRG_CARRIED;
	if (options && strcmp(options, ":O") != 0)
		return key_lost(in, key, "the root has options that only podman understands");
	note = key_undo(in, value);
	if (note)
		return key_lost(in, key, note);
	path = strsep(&value, ":");
	if (!path_is_clean(path))
		return key_fail(in, "must be an absolute path without '..', not '%.80s'", path);
	if (options && key_set(in, MRG_FIELD_EPHEMERAL, "yes") < 0)
		return -MRG_E_INVALID;
	return key_set(in, MRG_FIELD_ROOT_PATH, path) < 0 ? -MRG_E_INVALID : MRG_CARRIED;
}

static void write_image(struct key_writer *out)
{
	_cleanup_(json_freep) struct json *image = NULL;
	const struct json *name = NULL;

	if (!key_has(out, MRG_FIELD_IMAGE))
		return;
	if (json_parse(out->spec->image_json, strlen(out->spec->image_json), &image, NULL) == 0)
		name = json_member(image, "name") ? json_member(image, "name") : json_member(image, "id");
	if (out->spec->root_path)
		key_report(out, MRG_FIELD_IMAGE, MRG_APPROXIMATED, "Rootfs", "the root is given, made of the image or not");
	else if (name && name->type == JSON_STRING && *name->text && key_line(out, "Image", name->text))
		key_report(out, MRG_FIELD_IMAGE, MRG_CARRIED, "Image", NULL);
}

KEY_WRITER(quadlet_write_root)
{
	const struct mrg_spec *spec = out->spec;
	struct buffer b = { 0 };

	write_image(out);
	if (!spec->root_path)
		return;
	buffer_addf(&b, "%s%s", spec->root_path, spec->ephemeral ? ":O" : "");
	/* What is behind a colon are options. */
	if (b.failed) {
		out->b.failed = true;
	} else if (!strchr(spec->root_path, ':') && key_line(out, key->name, b.text)) {
		key_report(out, MRG_FIELD_ROOT_PATH, MRG_CARRIED, key->name, NULL);
		if (key_has(out, MRG_FIELD_EPHEMERAL))
			key_report(out, MRG_FIELD_EPHEMERAL, MRG_CARRIED, key->name, NULL);
	}
	buffer_deinit(&b);
}

/* ---- command ------------------------------------------------------------------------------------ */

/* Entrypoint= is one word or an array in JSON. */
static int read_entrypoint(struct key_reader *in, const char *value, char ***ret)
{
	_cleanup_(strv_freep) char **words = NULL;
	_cleanup_(json_freep) struct json *array = NULL;

	if (*value != '[')
		return *value && strv_append(ret, value) < 0 ? key_no_memory(in) : 0;
	if (json_parse(value, strlen(value), &array, in->err) < 0)
		return key_place(in);
	for (const struct json *item = array->first; item; item = item->next) {
		if (item->type != JSON_STRING)
			return key_fail(in, "must be one word, or an array of strings");
		if (strv_append(&words, item->text) < 0)
			return key_no_memory(in);
	}
	*ret = take_ptr(words);
	return 0;
}

/* The last one counts. Only with the root at hand, or with an entry point, is it the whole command. */
KEY_READER(quadlet_read_exec)
{
	struct quadlet_reader *quadlet = quadlet_of(in);
	bool entry = strcmp(key->name, "Entrypoint") == 0, variables = false;
	char ***words = entry ? &quadlet->entrypoint : &quadlet->exec;
	const char *note;
	int r;

	*words = strv_free(*words);
	if (!entry) {
		r = unit_words(in, value, words);
		quadlet->command_lost |= r > 0;
		if (r != 0)
			return r < 0 ? r : key_lost(in, key, NULL);
		for (size_t i = 0; *words && (*words)[i]; i++)
			variables |= !unit_undo_dollars((*words)[i]);
		in->keep = *words && quadlet_has_line(in, "Image") && !quadlet_has_line(in, "Rootfs") && !quadlet_has_line(in, "Entrypoint");
		in->note = "an entry point of the image comes in front of it, and is not known here";
		if (!in->keep && variables)
			in->note = "variables in the command are not expanded";
		return in->keep || variables ? MRG_APPROXIMATED : MRG_CARRIED;
	}
	note = key_undo(in, value);
	quadlet->command_lost |= note != NULL;
	if (note)
		return key_lost(in, key, note);
	unit_undo_dollars(value);
	r = read_entrypoint(in, value, words);
	return r < 0 ? r : MRG_CARRIED;
}

/* What only podman can expand takes the other half of the command with it. */
static void lose_command(struct quadlet_reader *quadlet)
{
	for (size_t i = 0; i < quadlet->list->n; i++) {
		struct assignment *item = &quadlet->list->item[i];

		if (strcmp(item->section, "Container") != 0 || item->verdict >= MRG_DROPPED || item->field != MRG_FIELD_ARGS ||
		    (item->verdict == MRG_APPROXIMATED && !item->keep))
			continue;
		item->keep = true;
		item->verdict = MRG_DROPPED;
		item->note = "the other half of the command has a specifier that only systemd can expand";
	}
	quadlet->entrypoint = strv_free(quadlet->entrypoint);
	quadlet->exec = strv_free(quadlet->exec);
}

static int add_words(struct key_reader *in, char *const *words)
{
	int r = 0;

	for (; words && *words && r == 0; words++)
		r = mrg_spec_set(in->spec, MRG_FIELD_ARGS, *words, in->err);
	return r;
}

static bool needs_json(const char *word)
{
	return *word == '[' || !unit_is_plain(word);
}

static void write_entrypoint(struct key_writer *out, const char *word)
{
	struct buffer b = { 0 }, line = { 0 };

	if (needs_json(word)) {
		buffer_add(&b, "[", 1);
		b.failed |= json_quote(&b, word) < 0;
		buffer_add(&b, "]", 1);
	} else {
		buffer_addf(&b, "%s", word);
	}
	/* A dollar sign is doubled: systemd sees the line. */
	for (const char *c = b.failed ? "" : b.text; *c; c++)
		buffer_addf(&line, *c == '$' ? "$$" : "%c", *c);
	if (b.failed || line.failed || !key_line(out, "Entrypoint", line.text))
		out->b.failed = true;
	buffer_deinit(&line);
	buffer_deinit(&b);
}

/* With an image the first word has to be said as its entry point: the image may have one of its own. */
KEY_WRITER(quadlet_write_exec)
{
	static const char *const boot[] = { "/sbin/init", NULL };
	char *const *args = out->spec->args;
	bool image = quadlet_writer_of(out)->image;

	bool kept = quadlet_has_kept(out, key->name) || quadlet_has_kept(out, "Entrypoint");

	if (out->spec->boot && !args)
		args = (char *const *)boot;
	if (!args)
		return;
	if (image && !kept)
		write_entrypoint(out, *args++);
	if (*args && !kept) {
		buffer_addf(&out->b, "%s=", key->name);
		for (size_t i = 0; args[i]; i++) {
			buffer_addf(&out->b, "%s", i ? " " : "");
			unit_quote(&out->b, args[i], UNIT_COMMAND);
		}
		buffer_add(&out->b, "\n", 1);
	}
	if (key_has(out, MRG_FIELD_ARGS))
		key_report(out, MRG_FIELD_ARGS, MRG_CARRIED, key->name, NULL);
}

/* ---- user ----------------------------------------------------------------------------------------- */

KEY_READER(quadlet_read_user)
{
	struct quadlet_reader *quadlet = quadlet_of(in);
	bool user = strcmp(key->name, "User") == 0;
	const char *note = key_undo(in, value), *copy;

	if (note)
		return key_lost(in, key, note);
	if (strchr(value, ':') && !user)
		return key_fail(in, "must be a name or a number, not '%.40s'", value);
	copy = mrg_spec_strdup(in->spec, value);
	if (!copy)
		return key_no_memory(in);
	*(user ? &quadlet->user : &quadlet->group) = *copy ? copy : NULL;
	return MRG_CARRIED;
}

static int finish_user(struct key_reader *in)
{
	const struct quadlet_reader *quadlet = quadlet_of(in);
	struct buffer b = { 0 };
	int r;

	if (!quadlet->user && !quadlet->group)
		return 0;
	if (!quadlet->user || (quadlet->group && strchr(quadlet->user, ':')))
		return mrg_error_set(in->err, -MRG_E_INVALID, quadlet->user ? "Group=: a group is in User= already" : "Group=: needs User= too");
	buffer_addf(&b, "%s%s%s", quadlet->user, quadlet->group ? ":" : "", quadlet->group ? quadlet->group : "");
	r = b.failed ? key_no_memory(in) : engine_set_user(in->spec, b.text, in->err);
	if (r == -MRG_E_INVALID)
		mrg_error_prefix(in->err, "User=");
	buffer_deinit(&b);
	return r;
}

KEY_WRITER(quadlet_write_user)
{
	const struct mrg_spec *spec = out->spec;
	char text[24];

	if (key_has(out, MRG_FIELD_UID) || (key_has(out, MRG_FIELD_GID) && !spec->user)) {
		snprintf(text, sizeof(text), "%" PRIu32, spec->uid);
		key_line(out, key->name, text);
		snprintf(text, sizeof(text), "%" PRIu32, spec->gid);
		key_line(out, "Group", text);
		if (key_has(out, MRG_FIELD_UID))
			key_report(out, MRG_FIELD_UID, MRG_CARRIED, key->name, NULL);
		if (key_has(out, MRG_FIELD_GID))
			key_report(out, MRG_FIELD_GID, MRG_CARRIED, "Group", NULL);
	} else if (spec->user && key_line(out, key->name, spec->user)) {
		key_report(out, MRG_FIELD_USER, MRG_CARRIED, key->name, NULL);
	}
}

KEY_READER(quadlet_read_groups)
{
	uint32_t gid;

	if (parse_uint32(value, &gid) < 0)
		return key_lost(in, key, "names of groups are not looked up: give numbers");
	return key_set(in, MRG_FIELD_ADDITIONAL_GIDS, value) < 0 ? -MRG_E_INVALID : MRG_CARRIED;
}

KEY_WRITER(quadlet_write_groups)
{
	if (!key_has(out, MRG_FIELD_ADDITIONAL_GIDS))
		return;
	for (size_t i = 0; i < out->spec->additional_gids.n; i++)
		buffer_addf(&out->b, "%s=%" PRIu32 "\n", key->name, out->spec->additional_gids.item[i]);
	key_report(out, MRG_FIELD_ADDITIONAL_GIDS, MRG_CARRIED, key->name, NULL);
}

/* ---- the rest --------------------------------------------------------------------------------------- */

KEY_READER(quadlet_read_cwd)
{
	if (*value && *value != '%' && !path_is_clean(value))
		return key_fail(in, "must be an absolute path without '..', not '%.80s'", value);
	return key_read_simple(in, key, value);
}

KEY_READER(quadlet_read_signal)
{
	if (*value && *value != '%' && parse_signal(value) < 0)
		return key_fail(in, "must be a signal, not '%.40s'", value);
	return key_read_simple(in, key, value);
}

/* What podman does anyway is not written. */
KEY_WRITER(quadlet_write_timeout)
{
	if (!key_has(out, MRG_FIELD_STOP_TIMEOUT))
		return;
	if (out->spec->stop_timeout != 10)
		buffer_addf(&out->b, "%s=%" PRIu32 "\n", key->name, out->spec->stop_timeout);
	key_report(out, MRG_FIELD_STOP_TIMEOUT, MRG_CARRIED, key->name, NULL);
}

/* NAME=SOFT[:HARD]; -1 and "unlimited" are the same. */
KEY_READER(quadlet_read_ulimit)
{
	char *limits = value, *name = strsep(&limits, "="), *hard = limits;
	int64_t numbers[2];
	const char *soft;

	if (!limits && strcmp(name, "host") == 0)
		return key_lost(in, key, "the limits of the host are not taken over");
	soft = limits ? strsep(&hard, ":") : "";
	if (!hard)
		hard = (char *)soft;
	if ((parse_int64(soft, &numbers[0]) < 0 && strcmp(soft, "unlimited") != 0) ||
	    (parse_int64(hard, &numbers[1]) < 0 && strcmp(hard, "unlimited") != 0))
		return key_fail(in, "must be NAME=SOFT[:HARD], not '%.40s'", name);
	if (strcmp(soft, "unlimited") == 0)
		numbers[0] = -1;
	if (strcmp(hard, "unlimited") == 0)
		numbers[1] = -1;
	return engine_add_ulimit(in->spec, name, numbers[0], numbers[1], in->err) < 0 ? key_place(in) : MRG_CARRIED;
}

static void add_limit(struct key_writer *out, uint64_t limit)
{
	if (limit > INT64_MAX)
		buffer_addf(&out->b, "-1");
	else
		buffer_addf(&out->b, "%" PRIu64, limit);
}

KEY_WRITER(quadlet_write_ulimits)
{
	if (!key_has(out, MRG_FIELD_RLIMITS))
		return;
	for (size_t i = 0; i < out->spec->rlimits.n; i++) {
		const struct mrg_rlimit *limit = &out->spec->rlimits.item[i];

		buffer_addf(&out->b, "%s=", key->name);
		for (const char *c = limit->type + strlen("RLIMIT_"); *c; c++)
			buffer_addf(&out->b, "%c", *c - 'A' + 'a');
		buffer_addf(&out->b, "=");
		add_limit(out, limit->soft);
		buffer_addf(&out->b, ":");
		add_limit(out, limit->hard);
		buffer_addf(&out->b, "\n");
	}
	key_report(out, MRG_FIELD_RLIMITS, MRG_CARRIED, key->name, NULL);
}

int quadlet_finish_process(struct key_reader *in)
{
	struct quadlet_reader *quadlet = quadlet_of(in);
	struct buffer b = { 0 };
	int r;

	if (quadlet->command_lost)
		lose_command(quadlet);
	r = add_words(in, quadlet->entrypoint);
	if (r == 0)
		r = add_words(in, quadlet->exec);
	if (r == 0)
		r = finish_user(in);
	if (r == 0 && !mrg_fields_has(&in->spec->set, MRG_FIELD_STOP_TIMEOUT))
		r = mrg_spec_set(in->spec, MRG_FIELD_STOP_TIMEOUT, ENGINE_STOP_TIMEOUT, in->err);
	if (r == 0 && !mrg_fields_has(&in->spec->set, MRG_FIELD_UMASK))
		r = mrg_spec_set(in->spec, MRG_FIELD_UMASK, "0022", in->err);
	if (r < 0 || !quadlet->image)
		return r;
	buffer_addf(&b, "{\"name\":");
	b.failed |= json_quote(&b, quadlet->image) < 0;
	buffer_add(&b, "}", 1);
	r = b.failed ? key_no_memory(in) : mrg_spec_set(in->spec, MRG_FIELD_IMAGE, b.text, in->err);
	buffer_deinit(&b);
	return r;
}
