/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The three texts of a container of systemd-nspawn, from a spec. */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/nspawn/nspawn.h"
#include "core/util/cleanup.h"

void nspawn_add_option(struct key_writer *out, const char *name, const char *value)
{
	struct buffer b = { 0 };

	buffer_addf(&b, "%s%s%s", name, value ? "=" : "", value ? value : "");
	if (b.failed || strv_append(&nspawn_writer_of(out)->argv, b.text) < 0)
		out->b.failed = true;
	buffer_deinit(&b);
}

bool nspawn_has_native(struct key_writer *out, const char *section, const char *key)
{
	const struct json *native = nspawn_writer_of(out)->native, *keys = native ? json_member(native, section) : NULL;

	return keys && keys->type == JSON_OBJECT && json_member(keys, key);
}

void nspawn_settings_add(struct key_writer *out, struct nspawn_settings *settings, const struct nspawn_setting *item)
{
	struct nspawn_setting *bigger = realloc(settings->item, (settings->n + 1) * sizeof(*bigger));

	if (!bigger || !item->value || !item->argument) {
		out->b.failed = true;
		free(item->value);
		free(item->argument);
	}
	if (!bigger)
		return;
	settings->item = bigger;
	if (item->value && item->argument)
		settings->item[settings->n++] = *item;
}

void nspawn_settings_write(struct key_writer *out, struct nspawn_settings *settings)
{
	bool plain = true;

	for (size_t i = 0; i < settings->n; i++)
		plain &= unit_is_plain(settings->item[i].value);
	for (size_t i = 0; i < settings->n; i++) {
		struct nspawn_setting *item = &settings->item[i];

		if (plain)
			key_line(out, item->key, item->value);
		else
			nspawn_add_option(out, item->option, item->argument);
		free(item->value);
		free(item->argument);
	}
	free(settings->item);
	*settings = (struct nspawn_settings){ 0 };
}

/* ---- sections --------------------------------------------------------------------------- */

static const struct json *native_section(struct key_writer *out, const char *name)
{
	const struct json *native = nspawn_writer_of(out)->native;

	return native ? json_member(native, name) : NULL;
}

/* Devices are all denied but for what is listed, or none is. The list of the unit itself must not count. */
static void write_devices_first(struct key_writer *out, struct buffer *before)
{
	const struct mrg_spec *spec = out->spec;
	bool all = spec->device_rules.n == 1 && spec->device_rules.item[0].allow && spec->device_rules.item[0].major < 0 &&
		   (!spec->device_rules.item[0].type || spec->device_rules.item[0].type[0] == 'a');

	if (all) {
		buffer_addf(before, "DevicePolicy=auto\nDeviceAllow=\n");
		key_report(out, MRG_FIELD_DEVICE_RULES, MRG_CARRIED, "DevicePolicy", NULL);
	} else if (out->b.text && strncmp(out->b.text, "DevicePolicy=", 13) == 0) {
		buffer_addf(before, "DeviceAllow=\n");
	}
}

static void write_service(struct key_writer *out)
{
	struct buffer before;

	keys_write(out, nspawn_service_keys);
	before = out->b;
	out->b = (struct buffer){ 0 };
	keys_write(out, systemd_resource_keys);
	/* The unit has a limit of its own. */
	if (!key_has(out, MRG_FIELD_PIDS_LIMIT))
		buffer_addf(&out->b, "TasksMax=\n");
	write_devices_first(out, &before);
	buffer_add(&before, out->b.text ? out->b.text : "", out->b.length);
	before.failed |= out->b.failed;
	buffer_deinit(&out->b);
	out->b = before;
}

/* A section with what rows write and what was kept verbatim of it; none when both are nothing. */
static bool write_section(struct key_writer *out, const char *name, const struct key *keys)
{
	const struct json *kept = native_section(out, name);
	bool whole = true;
	size_t begin, length;

	buffer_addf(&out->b, "%s[%s]\n", out->b.length > 0 ? "\n" : "", name);
	begin = out->b.length;
	if (strcmp(name, "Service") == 0)
		write_service(out);
	else if (keys)
		keys_write(out, keys);
	if (kept)
		whole = keys_write_native(out, kept);
	length = strlen(name) + 3 + (begin > strlen(name) + 3);
	if (out->b.length == begin && !out->b.failed) {
		out->b.length = begin - length;
		out->b.text[out->b.length] = '\0';
	}
	return whole;
}

/* Sections of units that have no rows. */
static bool write_others(struct key_writer *out)
{
	static const char *const known[] = { "Exec", "Files", "Network", "Unit", "Service", "Install", NULL };
	const struct json *native = nspawn_writer_of(out)->native;
	bool whole = true;

	for (const struct json *section = native ? native->first : NULL; section; section = section->next) {
		if (section->type == JSON_ARRAY || strv_contains((char *const *)known, section->key))
			continue;
		if (unit_is_plain(section->key) && !strpbrk(section->key, "[]"))
			whole &= write_section(out, section->key, NULL);
		else
			whole = false;
	}
	return whole;
}

/* ---- the command line -------------------------------------------------------------------- */

/* An option kept verbatim. Only in a unit can it have something to expand. */
static bool write_kept_option(struct key_writer *out, const char *name, const char *value)
{
	struct nspawn_writer *writer = nspawn_writer_of(out);
	_cleanup_free_ char *text = strdup(value);
	struct buffer b = { 0 };
	bool argument, whole;

	if (!text) {
		out->b.failed = true;
		return false;
	}
	if (!nspawn_option(name, &argument))
		return false;
	if (!writer->unit) {
		whole = nspawn_literal(text);
		if (whole)
			nspawn_add_option(out, name, argument ? text : NULL);
		return whole;
	}
	buffer_addf(&b, "%s%s%s", name, argument ? "=" : "", argument ? value : "");
	if (b.failed || strv_append(&writer->raw, b.text) < 0)
		out->b.failed = true;
	buffer_deinit(&b);
	return true;
}

/* Words behind the options that only a unit can expand. */
static bool write_kept_words(struct key_writer *out, const char *value)
{
	struct nspawn_writer *writer = nspawn_writer_of(out);
	_cleanup_free_ char *word = NULL;
	int r;

	if (!writer->unit || writer->words || writer->command)
		return false;
	while ((r = unit_word(&value, &word)) > 0) {
		if (strv_append(&writer->words, word) < 0)
			out->b.failed = true;
		free(take_ptr(word));
	}
	return r == 0;
}

static bool write_kept_options(struct key_writer *out)
{
	const struct json *native = nspawn_writer_of(out)->native;
	bool whole = true;

	for (const struct json *option = native ? native->first : NULL; option; option = option->next)
		for (const struct json *value = option->type == JSON_ARRAY ? option->first : NULL; value; value = value->next) {
			if (value->type != JSON_STRING)
				whole = false;
			else if (strcmp(option->key, "--") == 0)
				whole &= write_kept_words(out, value->text);
			else
				whole &= write_kept_option(out, option->key, value->text);
		}
	return whole;
}

/* In the unit the command line stands in ExecStart=, in place of the unit's own. */
KEY_WRITER(nspawn_write_exec_start)
{
	const struct nspawn_writer *writer = nspawn_writer_of(out);
	char *const *lists[] = { writer->argv, writer->raw, writer->command, writer->words };

	if (!writer->unit)
		return;
	buffer_addf(&out->b, "%s=\n%s=systemd-nspawn --quiet --keep-unit --settings=override --machine=%%i", key->name, key->name);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		if (i == 2 && (writer->command || writer->words))
			buffer_addf(&out->b, " --");
		for (size_t j = 0; lists[i] && lists[i][j]; j++) {
			buffer_addf(&out->b, " ");
			unit_quote(&out->b, lists[i][j], i % 2 == 1 ? UNIT_RAW : UNIT_COMMAND);
		}
	}
	buffer_addf(&out->b, "\n");
}

/* ---- all of it ------------------------------------------------------------------------------ */

/* The file, then the command line, which the unit may hold, then the unit. */
static void write_texts(struct key_writer *out, struct buffer *settings)
{
	static const struct {
		const char *name;
		const struct key *keys;
	} sections[] = { { "Exec", nspawn_exec_keys }, { "Files", nspawn_files_keys }, { "Network", nspawn_network_keys } };
	/* What is no key is reported as it is. */
	static const struct key_syntax no_key = { .native = "nspawn", .sign = "" };
	const struct nspawn_writer *writer = nspawn_writer_of(out);
	bool whole = true;

	out->syntax = &nspawn_settings_syntax;
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		whole &= write_section(out, sections[i].name, sections[i].keys);
	*settings = out->b;
	out->b = (struct buffer){ .failed = settings->failed };
	out->syntax = &nspawn_command_syntax;
	keys_write(out, nspawn_command_keys);
	whole &= write_kept_options(out);
	out->syntax = &nspawn_unit_syntax;
	whole &= write_section(out, "Unit", NULL);
	whole &= write_section(out, "Service", nspawn_service_keys);
	whole &= write_others(out);
	whole &= write_section(out, "Install", nspawn_install_keys);
	out->syntax = &no_key;
	nspawn_report_fixed(out);
	nspawn_report_devices(out);
	if (key_has(out, MRG_FIELD_NATIVE))
		key_report(out, MRG_FIELD_NATIVE, writer->native && writer->only && whole ? MRG_CARRIED : MRG_DROPPED,
			   "the keys kept verbatim", "has keys that are not systemd-nspawn's");
	keys_write_rest(out, "systemd-nspawn cannot say this");
}

static int take_command(struct nspawn_writer *writer, struct mrg_nspawn_texts *ret)
{
	for (size_t i = 0; writer->command && writer->command[i]; i++)
		if ((i == 0 && strv_append(&writer->argv, "--") < 0) || strv_append(&writer->argv, writer->command[i]) < 0)
			return -ENOMEM;
	if (!writer->argv) {
		writer->argv = calloc(1, sizeof(char *));
		if (!writer->argv)
			return -ENOMEM;
	}
	ret->argv = take_ptr(writer->argv);
	return 0;
}

static int take_texts(struct nspawn_writer *writer, struct buffer *settings, struct mrg_nspawn_texts *ret, struct mrg_error *err)
{
	struct key_writer *out = &writer->out;

	buffer_add(&out->b, "", 0);
	buffer_add(settings, "", 0);
	if (out->result != 0)
		return out->result;
	if (out->b.failed || settings->failed || take_command(writer, ret) < 0)
		return mrg_error_set(err, -ENOMEM, "out of memory");
	ret->settings = take_ptr(settings->text);
	ret->dropin = take_ptr(out->b.text);
	return 0;
}

int nspawn_compose(const struct mrg_spec *spec, bool unit, struct mrg_nspawn_texts *ret, const struct report *report,
		   struct mrg_error *err)
{
	struct nspawn_writer writer = { .out = { .spec = spec, .report = report }, .unit = unit };
	_cleanup_(json_freep) struct json *native = NULL;
	struct buffer settings = { 0 };
	int r;

	if (spec->native_json && json_parse(spec->native_json, strlen(spec->native_json), &native, err) < 0)
		return mrg_error_prefix(err, "/moorage/native");
	writer.native = native ? json_member(native, "nspawn") : NULL;
	if (writer.native && writer.native->type != JSON_OBJECT)
		writer.native = NULL;
	writer.only = native && native->n == 1;
	write_texts(&writer.out, &settings);
	r = take_texts(&writer, &settings, ret, err);
	buffer_deinit(&settings);
	buffer_deinit(&writer.out.b);
	strv_free(writer.argv);
	strv_free(writer.raw);
	strv_free(writer.command);
	strv_free(writer.words);
	return r;
}

int mrg_helper_nspawn_write(const struct mrg_spec *spec, struct mrg_nspawn_texts *ret, mrg_report_fn report, void *data,
			    struct mrg_error *err)
{
	*ret = (struct mrg_nspawn_texts){ 0 };
	return nspawn_compose(spec, false, ret, &(struct report){ report, data }, err);
}

void mrg_helper_nspawn_free(struct mrg_nspawn_texts *texts)
{
	free(texts->settings);
	free(texts->dropin);
	strv_free(texts->argv);
	*texts = (struct mrg_nspawn_texts){ 0 };
}
