/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* .container files of Podman: what is read of them and in which order they are written. */

#include "config.h"

#include <linux/capability.h>
#include <string.h>

#include "core/formats/quadlet/quadlet.h"
#include "core/spec/table.h"
#include "core/util/cleanup.h"

static const struct key no_keys[] = { { 0 } };

static const struct key_table tables[] = {
	{ "Unit", no_keys }, { "Container", quadlet_keys }, { "Service", quadlet_service_keys }, { "Install", systemd_install_keys }, { 0 }
};

static bool replaces(const struct assignment *now);

static const struct key_syntax syntax = {
	.native = "quadlet",
	.sign = "=",
	.unknown = "has no field; kept verbatim for podman",
	.replaces = replaces,
	.confines = quadlet_name_confines,
	.undo = unit_undo,
	.line = unit_line,
	.verbatim = unit_verbatim,
};

/* ---- rows of several files ------------------------------------------------------------------ */

KEY_READER(quadlet_read_kept)
{
	bool on;

	in->keep = true;
	if (*value && (parse_bool(value, &on) < 0 || on || strcmp(value, "0") == 0))
		return key->verdict;
	in->note = "asks for nothing";
	return MRG_APPROXIMATED;
}

KEY_READER(quadlet_read_map)
{
	const struct list *map = member_at(&spec_fields[key->field].value, in->spec);
	_cleanup_(strv_freep) char **words = NULL;
	int r;

	r = unit_words(in, value, &words);
	if (r != 0)
		return r < 0 ? r : key_lost(in, key, NULL);
	for (size_t i = 0; words && words[i]; i++)
		if (!strchr(words[i], '=') || words[i][0] == '=')
			return key_fail(in, "must be NAME=VALUE words, not '%.40s'", words[i]);
	/* Each name is looked for among the others. */
	if (map->n + strv_length(words) > ASSIGNMENTS_MAX)
		return key_fail(in, "there are more than %d", ASSIGNMENTS_MAX);
	for (size_t i = 0; words && words[i] && r == 0; i++)
		r = key_set(in, (enum mrg_field)key->field, words[i]);
	return r < 0 ? r : MRG_CARRIED;
}

KEY_WRITER(quadlet_write_map)
{
	const struct list *map = member_at_const(&spec_fields[key->field].value, out->spec);
	const struct mrg_pair *pairs = map->item;

	if (!key_has(out, (unsigned int)key->field))
		return;
	for (size_t i = 0; i < map->n; i++) {
		struct buffer b = { 0 };

		buffer_addf(&b, "%s=%s", pairs[i].key, pairs[i].value);
		if (b.failed)
			out->b.failed = true;
		else
			quadlet_word(out, key->name, b.text);
		buffer_deinit(&b);
	}
	key_report(out, (unsigned int)key->field, MRG_CARRIED, key->name, NULL);
}

bool quadlet_has_kept(const struct key_writer *out, const char *key)
{
	const struct json *kept = quadlet_writer_of(out)->kept;

	return kept && json_member(kept, key);
}

void quadlet_word(struct key_writer *out, const char *key, const char *word)
{
	buffer_addf(&out->b, "%s=", key);
	unit_quote(&out->b, word, UNIT_VALUE);
	buffer_add(&out->b, "\n", 1);
}

void quadlet_option(struct key_writer *out, const char *option, const char *value)
{
	struct buffer b = { 0 };

	buffer_addf(&b, "%s%s%s", option, value ? "=" : "", value ? value : "");
	if (b.failed)
		out->b.failed = true;
	else
		quadlet_word(out, "PodmanArgs", b.text);
	buffer_deinit(&b);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Of most keys of [Container] podman takes the last line; these collect. */
static bool collects(const char *key)
{
	static const char *const keys[] = {
		"AddCapability", "AddDevice", "AddHost", "Annotation", "ContainersConfModule", "DNS", "DNSOption", "DNSSearch",
		"DropCapability", "Environment", "EnvironmentFile", "ExposeHostPort", "GIDMap", "GlobalArgs", "GroupAdd", "Label", "LogOpt",
		"Mask", "Mount", "Network", "NetworkAlias", "PodmanArgs", "PublishPort", "Secret", "Sysctl", "Tmpfs", "UIDMap", "Ulimit",
		"Unmask", "Volume", NULL
	};

	return strv_contains((char *const *)keys, key);
}

bool quadlet_has_line(struct key_reader *in, const char *key)
{
	const struct assignments *list = quadlet_of(in)->list;
	bool has = false;

	/* An empty one takes the others back. */
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->item[i].section, "Container") == 0 && strcmp(list->item[i].key, key) == 0)
			has = *list->item[i].value;
	return has;
}

static bool replaces(const struct assignment *now)
{
	if (strcmp(now->section, "Container") != 0)
		return unit_replaces(now);
	return !*now->value || !collects(now->key);
}

/* An empty line has done all it can when the earlier ones were passed over. */
static int judge(struct key_reader *in)
{
	bool reset = strcmp(in->now->section, "Container") == 0 && !*in->now->value && collects(in->now->key);

	return reset ? MRG_CARRIED : -1;
}

static void deinit(struct quadlet_reader *reader)
{
	strv_free(reader->entrypoint);
	strv_free(reader->exec);
	strv_free(reader->masked);
	strv_free(reader->unmasked);
	strv_free(reader->unit.filter);
	buffer_deinit(&reader->networks);
	buffer_deinit(&reader->ports);
	buffer_deinit(&reader->volumes);
}

static bool has_section(const struct assignments *list, const char *section)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->item[i].section, section) == 0)
			return true;
	return false;
}

/* What podman itself refuses. */
static int check(struct key_reader *in, const struct assignments *list)
{
	if (!has_section(list, "Container")) {
		mrg_error_set(in->err, -MRG_E_INVALID, "has no section [Container]");
		return mrg_error_hint(in->err, "of Podman's units only .container files describe a container");
	}
	if (quadlet_has_line(in, "Image") && quadlet_has_line(in, "Rootfs"))
		return mrg_error_set(in->err, -MRG_E_INVALID, "Image= and Rootfs= exclude each other");
	if (!quadlet_has_line(in, "Image") && !quadlet_has_line(in, "Rootfs"))
		return mrg_error_set(in->err, -MRG_E_INVALID, "has neither Image= nor Rootfs=");
	return 0;
}

static int read_container(struct quadlet_reader *reader, struct assignments *list)
{
	static int (*const finish[])(struct key_reader *in) = { quadlet_finish_process, quadlet_finish_life, quadlet_finish_network,
								quadlet_finish_confinement, quadlet_finish_mounts, unit_finish_limits };
	struct key_reader *in = &reader->unit.in;
	int r;

	reader->list = list;
	r = check(in, list);
	if (r == 0)
		r = keys_read(in, list);
	for (size_t i = 0; i < ARRAY_SIZE(finish) && r == 0; i++)
		r = finish[i](in);
	if (r == 0)
		r = keys_keep(in, list);
	unit_name_users(in, list, "Container");
	return r != 0 ? r : keys_report(in, list);
}

static int quadlet_read(const char *text, size_t length, struct mrg_spec *spec, const struct report *report, struct mrg_error *err)
{
	struct quadlet_reader reader = {
		.unit.in = { .spec = spec, .err = err, .report = report, .syntax = &syntax, .tables = tables, .judge = judge, .late = true },
		.shm_size = ENGINE_SHM_PODMAN, .readonly_tmpfs = true,
	};
	struct unit unit = { 0 };
	int r = unit_parse(text, length, &unit, err);

	if (r == 0)
		r = read_container(&reader, &unit.list);
	deinit(&reader);
	unit_deinit(&unit);
	return r;
}

/* ---- writing ---------------------------------------------------------------------------------- */

static const struct json *kept_section(const struct json *quadlet, const char *name)
{
	const struct json *section = quadlet && quadlet->type == JSON_OBJECT ? json_member(quadlet, name) : NULL;

	return section && section->type == JSON_OBJECT ? section : NULL;
}

/* A section that has nothing to say is left out again. */
static bool write_section(struct key_writer *out, const char *name, const struct key *keys, const struct json *kept)
{
	size_t before = out->b.length, begun;
	bool whole = true;

	buffer_addf(&out->b, "%s[%s]\n", before > 0 ? "\n" : "", name);
	begun = out->b.length;
	keys_write(out, keys);
	if (kept)
		whole = keys_write_native(out, kept);
	if (out->b.length == begun && out->b.text) {
		out->b.length = before;
		out->b.text[before] = '\0';
	}
	return whole;
}

/* Sections that no table has, [Quadlet] say. */
static bool write_others(struct key_writer *out, const struct json *quadlet)
{
	bool whole = true;

	for (const struct json *section = quadlet && quadlet->type == JSON_OBJECT ? quadlet->first : NULL; section; section = section->next) {
		size_t i = 0;

		while (tables[i].section && strcmp(tables[i].section, section->key) != 0)
			i++;
		if (tables[i].section)
			whole &= section->type == JSON_OBJECT;
		else if (unit_is_plain(section->key) && !strpbrk(section->key, "[]"))
			whole &= write_section(out, section->key, no_keys, section);
		else
			whole = false;
	}
	return whole;
}

/* Whether the spec leaves as much to the container as --privileged does: a writable /sys is had by no other way. */
static bool is_privileged(const struct mrg_spec *spec)
{
	bool writable = false, all = false;

	for (size_t i = 0; i < spec->mounts.n; i++)
		writable |= engine_is_mount(&spec->mounts.item[i], true) && !engine_is_mount(&spec->mounts.item[i], false);
	if (spec->device_rules.n > 0) {
		const struct mrg_device_rule *last = &spec->device_rules.item[spec->device_rules.n - 1];

		all = last->allow && (!last->type || strcmp(last->type, "a") == 0) && last->major < 0 && last->minor < 0;
	}
	return writable && all && spec->cap_bounding == ENGINE_CAPS_ALL && !spec->masked_paths && !spec->readonly_paths &&
	       spec->seccomp_profile && strcmp(spec->seccomp_profile, "unconfined") == 0;
}

static void write_sections(struct quadlet_writer *writer, const struct json *native)
{
	const struct json *quadlet = native ? json_member(native, "quadlet") : NULL;
	struct key_writer *out = &writer->out;
	bool whole = true;

	writer->kept = kept_section(quadlet, "Container");
	writer->image = !out->spec->root_path && (out->spec->image_json || quadlet_has_kept(out, "Image"));
	writer->privileged = is_privileged(out->spec);
	for (const struct key_table *table = tables; table->section; table++)
		whole &= write_section(out, table->section, table->keys, kept_section(quadlet, table->section));
	whole &= write_others(out, quadlet);
	if (key_has(out, MRG_FIELD_NATIVE))
		key_report(out, MRG_FIELD_NATIVE, quadlet && native->n == 1 && whole ? MRG_CARRIED : MRG_DROPPED, "the keys kept verbatim",
			   "has keys that are not podman's");
	keys_write_rest(out, "podman cannot say this");
}

static int quadlet_write(const struct mrg_spec *spec, char **ret, const struct report *report, struct mrg_error *err)
{
	struct quadlet_writer writer = { .out = { .spec = spec, .report = report, .syntax = &syntax } };
	_cleanup_(json_freep) struct json *native = NULL;
	struct key_writer *out = &writer.out;

	if (spec->native_json && json_parse(spec->native_json, strlen(spec->native_json), &native, err) < 0)
		return mrg_error_prefix(err, "/moorage/native");
	buffer_add(&out->b, "", 0);
	write_sections(&writer, native);
	return keys_write_end(out, ret, err);
}

const struct format format_quadlet = { .name = "quadlet", .read = quadlet_read, .write = quadlet_write };
