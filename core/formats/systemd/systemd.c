/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Service units of systemd: what is read of them and in which order they are written. */

#include "config.h"

#include <string.h>

#include "core/formats/systemd/systemd.h"
#include "core/util/cleanup.h"

static const struct key no_keys[] = { { 0 } };

/* Sections in the order in which they are written. */
static const struct key_table tables[] = {
	{ "Unit", no_keys },
	{ "Service", systemd_keys },
	{ "Service", systemd_resource_keys },
	{ "Install", systemd_install_keys },
	{ 0 }
};

static const struct key_syntax syntax = {
	.native = "systemd",
	.sign = "=",
	.unknown = "has no field; kept verbatim for systemd",
	.replaces = unit_replaces,
	.confines = unit_name_confines,
	.undo = unit_undo,
	.line = unit_line,
	.verbatim = unit_verbatim,
};

static int read_unit(struct unit_reader *unit, struct assignments *list)
{
	static int (*const finish[])(struct key_reader *in) = { unit_finish_user, unit_finish_devices, unit_finish_mounts,
								unit_finish_limits, unit_finish_sandbox };
	int r;

	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->item[i].section, "Service") == 0 && strcmp(list->item[i].key, "RootDirectory") == 0)
			unit->root = list->item[i].value;
	unit_judge_filter(&unit->in, list);
	unit->in.all = list;
	r = keys_read(&unit->in, list);
	for (size_t i = 0; i < ARRAY_SIZE(finish) && r == 0; i++)
		r = finish[i](&unit->in);
	if (r == 0)
		r = keys_keep(&unit->in, list);
	unit_name_users(&unit->in, list, "Service");
	return r != 0 ? r : keys_report(&unit->in, list);
}

static int systemd_read(const char *text, size_t length, struct mrg_spec *spec, const struct report *report,
			struct mrg_error *err)
{
	struct unit_reader reader = {
		.in = { .spec = spec, .err = err, .report = report, .syntax = &syntax, .tables = tables, .late = true },
	};
	struct unit unit = { 0 };
	int r = unit_parse(text, length, &unit, err);

	if (r == 0)
		r = read_unit(&reader, &unit.list);
	strv_free(reader.filter);
	unit_deinit(&unit);
	return r;
}

/* A section: what rows write, then what was kept verbatim of it. */
static bool write_section(struct key_writer *out, const char *name, const struct json *kept)
{
	buffer_addf(&out->b, "%s[%s]\n", out->b.length > 0 ? "\n" : "", name);
	for (const struct key_table *table = tables; table->section; table++)
		if (strcmp(table->section, name) == 0)
			keys_write(out, table->keys);
	return !kept || keys_write_native(out, kept);
}

static void write_sections(struct key_writer *out, const struct json *native)
{
	const struct json *systemd = native ? json_member(native, "systemd") : NULL;
	const struct json *unit = systemd ? json_member(systemd, "Unit") : NULL;
	const struct json *service = systemd ? json_member(systemd, "Service") : NULL;
	const struct json *install = systemd ? json_member(systemd, "Install") : NULL;
	bool whole = true;

	if (unit)
		whole &= write_section(out, "Unit", unit);
	whole &= write_section(out, "Service", service);
	for (const struct json *section = systemd ? systemd->first : NULL; section; section = section->next) {
		if (section == unit || section == service || section == install)
			continue;
		if (unit_is_plain(section->key) && !strpbrk(section->key, "[]"))
			whole &= write_section(out, section->key, section);
		else
			whole = false;
	}
	if (install || key_has(out, MRG_FIELD_AUTOSTART))
		whole &= write_section(out, "Install", install);
	if (key_has(out, MRG_FIELD_NATIVE))
		key_report(out, MRG_FIELD_NATIVE, systemd && native->n == 1 && whole ? MRG_CARRIED : MRG_DROPPED,
			   "the keys kept verbatim", "has keys that are not systemd's");
}

static int systemd_write(const struct mrg_spec *spec, char **ret, const struct report *report, struct mrg_error *err)
{
	struct key_writer out = { .spec = spec, .report = report, .syntax = &syntax };
	_cleanup_(json_freep) struct json *native = NULL;

	if (spec->native_json && json_parse(spec->native_json, strlen(spec->native_json), &native, err) < 0)
		return mrg_error_prefix(err, "/moorage/native");
	write_sections(&out, native);
	keys_write_rest(&out, "a service unit cannot say this");
	return keys_write_end(&out, ret, err);
}

const struct format format_systemd = { .name = "systemd", .read = systemd_read, .write = systemd_write };
