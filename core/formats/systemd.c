/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Service units of systemd: walking assignments and rows, and what is kept verbatim. */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/systemd.h"
#include "core/util/cleanup.h"

int unit_fail(struct unit_reader *in, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	mrg_error_setv(in->err, -MRG_E_INVALID, format, args);
	va_end(args);
	mrg_error_prefix(in->err, "line %u: %.64s=", in->now->line, in->now->key);
	return -MRG_E_INVALID;
}

int unit_words(struct unit_reader *in, const char *value, char ***ret)
{
	_cleanup_(strv_freep) char **words = NULL;
	_cleanup_free_ char *word = NULL;
	int r;

	while ((r = unit_word(&value, &word)) > 0) {
		if (unit_unspecify(word) < 0) {
			in->note = "has a specifier that only systemd can expand";
			return 1;
		}
		if (strv_append(&words, word) < 0)
			return mrg_error_set(in->err, -ENOMEM, "out of memory");
		free(take_ptr(word));
	}
	if (r < 0)
		return unit_fail(in, "has an open quote or an unknown escape");
	*ret = take_ptr(words);
	return 0;
}

int unit_lost(struct unit_reader *in, const struct key *key, const char *note)
{
	if (note)
		in->note = note;
	return key->confines ? MRG_WEAKENS : MRG_DROPPED;
}

void unit_reset(struct unit_reader *in, unsigned int field)
{
	struct mrg_spec empty = { 0 };

	spec_copy_value(in->spec, &spec_fields[field].value, in->spec, &empty);
	mrg_fields_remove(&in->spec->set, field);
}

int unit_set(struct unit_reader *in, enum mrg_field field, const char *text)
{
	int r = mrg_spec_set(in->spec, field, text, in->err);

	if (r < 0)
		mrg_error_prefix(in->err, "line %u: %.64s=", in->now->line, in->now->key);
	return r;
}

static const struct key *find_key(const struct assignment *now)
{
	const char *section = strcmp(now->section, "Install") == 0 ? "Install." : "";

	if (strcmp(now->section, "Service") != 0 && !*section)
		return NULL;
	for (const struct key *key = systemd_keys; key->name; key++)
		if (strncmp(key->name, section, strlen(section)) == 0 &&
		    strcmp(key->name + strlen(section), now->key) == 0)
			return key;
	return NULL;
}

/* What only the reader of this assignment knows is forgotten before the next. */
static int read_assignment(struct unit_reader *in, const struct report *report)
{
	const struct assignment *now = in->now;
	const struct key *key = find_key(now);
	struct mrg_report_row row = { .field = key ? key->field : -1, .line = now->line };
	char source[160];
	bool on;
	int r;

	in->note = key ? key->note : NULL;
	in->keep = false;
	if (key && key->read)
		r = key->read(in, key, now->value);
	else if (unit_name_confines(now->key) && (parse_bool(now->value, &on) < 0 || on) && *now->value)
		r = MRG_WEAKENS;
	else
		r = MRG_DROPPED;
	if (r < 0)
		return r;
	if (r >= MRG_DROPPED && !in->note)
		in->note = "has no field; kept verbatim for systemd";
	in->keep |= r >= MRG_DROPPED;
	snprintf(source, sizeof(source), "%.60s.%.90s=", now->section, now->key);
	row.verdict = r;
	row.source = source;
	row.note = r == MRG_CARRIED ? NULL : in->note;
	if (row.field >= 0 && r < MRG_DROPPED)
		row.target = mrg_field_info((unsigned int)row.field)->path;
	return report_row(report, &row);
}

static void json_text(struct buffer *b, const char *text)
{
	if (json_quote(b, text) < 0)
		b->failed = true;
}

/* Adds all kept values of the key of assignment @i as an array. */
static void native_values(struct buffer *b, const struct unit *unit, const bool *keep, size_t i)
{
	const char *comma = "";

	json_text(b, unit->item[i].key);
	buffer_add(b, ":[", 2);
	for (size_t j = i; j < unit->n; j++)
		if (keep[j] && unit->item[j].section == unit->item[i].section &&
		    strcmp(unit->item[j].key, unit->item[i].key) == 0) {
			buffer_addf(b, "%s", comma);
			json_text(b, unit->item[j].value);
			comma = ",";
		}
	buffer_add(b, "]", 1);
}

static bool seen_before(const struct unit *unit, const bool *keep, size_t i, bool with_key)
{
	for (size_t j = 0; j < i; j++)
		if (keep[j] && unit->item[j].section == unit->item[i].section &&
		    (!with_key || strcmp(unit->item[j].key, unit->item[i].key) == 0))
			return true;
	return false;
}

/* The keys of the section of assignment @i, which is the first of it. */
static void native_section(struct buffer *b, const struct unit *unit, const bool *keep, size_t i)
{
	const char *comma = "";

	json_text(b, unit->item[i].section);
	buffer_add(b, ":{", 2);
	for (size_t j = i; j < unit->n; j++)
		if (keep[j] && unit->item[j].section == unit->item[i].section && !seen_before(unit, keep, j, true)) {
			buffer_addf(b, "%s", comma);
			native_values(b, unit, keep, j);
			comma = ",";
		}
	buffer_add(b, "}", 1);
}

/* In the order in which they are written: [Unit], [Service], others. */
static int section_rank(const char *section)
{
	return strcmp(section, "Unit") == 0 ? 0 : strcmp(section, "Service") == 0 ? 1 : 2;
}

/* { "systemd": { SECTION: { KEY: [ VALUE, ... ] } } }; a section given twice is one. */
static int set_native(struct unit_reader *in, const struct unit *unit, const bool *keep)
{
	struct buffer b = { 0 };
	const char *comma = "";
	int r = 0;

	buffer_addf(&b, "{\"systemd\":{");
	for (int rank = 0; rank < 3; rank++)
		for (size_t i = 0; i < unit->n; i++)
			if (keep[i] && section_rank(unit->item[i].section) == rank && !seen_before(unit, keep, i, false)) {
				buffer_addf(&b, "%s", comma);
				native_section(&b, unit, keep, i);
				comma = ",";
			}
	buffer_add(&b, "}}", 2);
	if (b.failed)
		r = mrg_error_set(in->err, -ENOMEM, "out of memory");
	else if (*comma)
		r = mrg_spec_set(in->spec, MRG_FIELD_NATIVE, b.text, in->err);
	buffer_deinit(&b);
	return r;
}

/* Equal sections become the same pointer, so that comparing them is cheap. */
static void unify_sections(struct unit *unit)
{
	for (size_t i = 1; i < unit->n; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(unit->item[j].section, unit->item[i].section) == 0) {
				unit->item[i].section = unit->item[j].section;
				break;
			}
}

static int read_unit(struct unit_reader *in, struct unit *unit, const struct report *report)
{
	static int (*const finish[])(struct unit_reader *in) = { unit_finish_user, unit_finish_devices, unit_finish_mounts,
								 unit_finish_limits, unit_finish_sandbox };
	_cleanup_free_ bool *keep = calloc(unit->n + 1, sizeof(*keep));
	int r = keep ? 0 : mrg_error_set(in->err, -ENOMEM, "out of memory");

	unify_sections(unit);
	for (size_t i = 0; i < unit->n; i++)
		if (strcmp(unit->item[i].section, "Service") == 0 && strcmp(unit->item[i].key, "RootDirectory") == 0)
			in->root = unit->item[i].value;
	unit_judge_filter(in, unit);
	for (size_t i = 0; i < unit->n && r == 0; i++) {
		in->now = &unit->item[i];
		r = read_assignment(in, report);
		if (r == 0)
			keep[i] = in->keep;
		/* An empty assignment makes systemd forget the earlier ones. */
		for (size_t j = 0; j < i && !*in->now->value; j++)
			if (unit->item[j].section == in->now->section && strcmp(unit->item[j].key, in->now->key) == 0)
				keep[j] = false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(finish) && r == 0; i++)
		r = finish[i](in);
	return r != 0 || !keep ? r : set_native(in, unit, keep);
}

static int systemd_read(const char *text, size_t length, struct mrg_spec *spec, const struct report *report,
			struct mrg_error *err)
{
	struct unit_reader in = { .spec = spec, .err = err };
	struct unit unit = { 0 };
	int r = unit_parse(text, length, &unit, err);

	if (r == 0)
		r = read_unit(&in, &unit, report);
	strv_free(in.filter);
	unit_deinit(&unit);
	return r;
}

void unit_key(struct unit_writer *out, const char *name)
{
	buffer_addf(&out->b, "%s=", name);
}

bool unit_line(struct unit_writer *out, const char *name, const char *value)
{
	if (!unit_is_plain(value))
		return false;
	buffer_addf(&out->b, "%s=", name);
	for (const char *c = value; *c; c++)
		buffer_addf(&out->b, *c == '%' ? "%%%%" : "%c", *c);
	buffer_add(&out->b, "\n", 1);
	return true;
}

void unit_report(struct unit_writer *out, unsigned int field, int verdict, const char *target, const char *note)
{
	struct mrg_report_row row = { .verdict = verdict, .field = (int)field, .source = mrg_field_info(field)->path,
				      .target = verdict < MRG_DROPPED ? target : NULL,
				      .note = verdict == MRG_CARRIED ? NULL : note };

	if (mrg_fields_has(&out->reported, field))
		return;
	mrg_fields_add(&out->reported, field);
	if (out->result == 0)
		out->result = report_row(out->report, &row);
}

/* A backslash at the end says that the line goes on: then it does, and the next one is empty. */
static bool write_verbatim(struct unit_writer *out, const char *name, const char *value)
{
	_cleanup_free_ char *body = strdup(value);
	size_t length = strlen(value);
	bool goes_on = length > 0 && value[length - 1] == '\\';

	if (!body) {
		out->b.failed = true;
		return false;
	}
	for (; goes_on && length > 0 && strchr(" \t\\", body[length - 1]); length--)
		body[length - 1] = '\0';
	if (*body && !unit_is_plain(body))
		return false;
	buffer_addf(&out->b, "%s=%s%s\n", name, value, goes_on ? " \\\n" : "");
	return true;
}

/* Lines of a section kept verbatim. Values are checked: the JSON may come from anybody, and a newline in it would be a line of its own. */
static bool write_native_section(struct unit_writer *out, const struct json *section)
{
	bool whole = section->type == JSON_OBJECT;

	for (const struct json *key = section->first; key && whole; key = key->next) {
		whole = key->type == JSON_ARRAY && unit_is_plain(key->key) && !strpbrk(key->key, "=[]#; ");
		for (const struct json *value = key->first; value && whole; value = value->next) {
			whole = value->type == JSON_STRING && write_verbatim(out, key->key, value->text);
		}
	}
	return whole;
}

static void write_sections(struct unit_writer *out, const struct json *native)
{
	const struct json *systemd = native ? json_member(native, "systemd") : NULL;
	const struct json *unit = systemd ? json_member(systemd, "Unit") : NULL;
	const struct json *service = systemd ? json_member(systemd, "Service") : NULL;
	bool whole = true, installed = false;

	if (unit) {
		buffer_addf(&out->b, "[Unit]\n");
		whole &= write_native_section(out, unit);
		buffer_addf(&out->b, "\n");
	}
	buffer_addf(&out->b, "[Service]\n");
	for (const struct key *key = systemd_keys; key->name; key++)
		if (key->write && strncmp(key->name, "Install.", 8) != 0) {
			out->now = key;
			key->write(out, key);
		}
	if (service)
		whole &= write_native_section(out, service);
	for (const struct json *section = systemd ? systemd->first : NULL; section; section = section->next) {
		if (section == unit || section == service)
			continue;
		if (!unit_is_plain(section->key) || strpbrk(section->key, "[]")) {
			whole = false;
			continue;
		}
		buffer_addf(&out->b, "\n[%s]\n", section->key);
		if (strcmp(section->key, "Install") == 0 && unit_has(out, MRG_FIELD_AUTOSTART)) {
			installed = true;
			unit_report(out, MRG_FIELD_AUTOSTART, MRG_CARRIED, "WantedBy=", NULL);
			if (out->spec->autostart)
				buffer_addf(&out->b, "WantedBy=multi-user.target\n");
		}
		whole &= write_native_section(out, section);
	}
	if (!installed && unit_has(out, MRG_FIELD_AUTOSTART)) {
		unit_report(out, MRG_FIELD_AUTOSTART, MRG_CARRIED, "WantedBy=", NULL);
		if (out->spec->autostart)
			buffer_addf(&out->b, "\n[Install]\nWantedBy=multi-user.target\n");
	}
	if (unit_has(out, MRG_FIELD_NATIVE))
		unit_report(out, MRG_FIELD_NATIVE, systemd && native->n == 1 && whole ? MRG_CARRIED : MRG_DROPPED,
			    "the keys kept verbatim", "has keys that are not systemd's");
}

static int systemd_write(const struct mrg_spec *spec, char **ret, const struct report *report, struct mrg_error *err)
{
	struct unit_writer out = { .spec = spec, .report = report };
	_cleanup_(json_freep) struct json *native = NULL;

	if (spec->native_json && json_parse(spec->native_json, strlen(spec->native_json), &native, err) < 0)
		return mrg_error_prefix(err, "/moorage/native");
	write_sections(&out, native);
	for (unsigned int i = 0; i < MRG_FIELD_MAX; i++)
		if (mrg_fields_has(&spec->set, i))
			unit_report(&out, i, format_confines(i) ? MRG_WEAKENS : MRG_DROPPED, NULL,
				    "a service unit cannot say this");
	if (out.b.failed)
		out.result = mrg_error_set(err, -ENOMEM, "out of memory");
	if (out.result != 0)
		buffer_deinit(&out.b);
	else
		*ret = out.b.text;
	return out.result;
}

const struct format format_systemd = { "systemd", systemd_read, systemd_write };
