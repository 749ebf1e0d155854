/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Formats made of assignments: walking assignments and rows, and the generic rows. */

#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/keys.h"
#include "core/util/cleanup.h"

int assignments_add(struct assignments *list, const struct assignment *item)
{
	struct assignment *bigger;

	if (list->n == ASSIGNMENTS_MAX)
		return -E2BIG;
	/* Grows when it has reached a power of two. */
	if ((list->n & (list->n - 1)) == 0) {
		bigger = realloc(list->item, (list->n ? list->n * 2 : 1) * sizeof(*bigger));
		if (!bigger)
			return -ENOMEM;
		list->item = bigger;
	}
	list->item[list->n] = *item;
	for (size_t i = list->n; i-- > 0;) {
		const char *section = list->item[i].section;

		if (section == item->section || strcmp(section, item->section) == 0) {
			list->item[list->n].section = section;
			break;
		}
	}
	list->n++;
	return 0;
}

/* ---- reading -------------------------------------------------------------------------- */

int key_no_memory(struct key_reader *in)
{
	return mrg_error_set(in->err, -ENOMEM, "out of memory");
}

int key_place(struct key_reader *in)
{
	const struct assignment *now = in->now;

	mrg_error_prefix(in->err, "%.80s%sline %u: %.64s%s", now->file ? now->file : "", now->file ? ": " : "", now->line,
			 now->source ? now->source : now->key, now->source ? "" : in->syntax->sign);
	return -MRG_E_INVALID;
}

int key_fail(struct key_reader *in, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	mrg_error_setv(in->err, -MRG_E_INVALID, format, args);
	va_end(args);
	return key_place(in);
}

int key_fail_of(struct key_reader *in, const char *name, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	mrg_error_setv(in->err, -MRG_E_INVALID, format, args);
	va_end(args);
	for (size_t i = in->all ? in->all->n : 0; i-- > 0;)
		if (strcmp(in->all->item[i].key, name) == 0) {
			in->now = &in->all->item[i];
			return key_place(in);
		}
	mrg_error_prefix(in->err, "%.64s%s", name, in->syntax->sign);
	return -MRG_E_INVALID;
}

int key_lost(struct key_reader *in, const struct key *key, const char *note)
{
	if (note)
		in->note = note;
	return key->confines ? MRG_WEAKENS : MRG_DROPPED;
}

void key_reset(struct key_reader *in, unsigned int field)
{
	struct mrg_spec empty = { 0 };

	spec_copy_value(in->spec, &spec_fields[field].value, in->spec, &empty);
	mrg_fields_remove(&in->spec->set, field);
}

int key_set(struct key_reader *in, enum mrg_field field, const char *text)
{
	int r = mrg_spec_set(in->spec, field, text, in->err);

	if (r < 0)
		key_place(in);
	return r;
}

/* Whether @name is of the form @pattern; the part that stands for its "*" is then @rest_length bytes at *@rest. */
static bool matches(const char *pattern, const char *name, const char **rest, size_t *rest_length)
{
	size_t before = 0, after, length;

	*rest = NULL;
	while (pattern[before] && pattern[before] != '*' && pattern[before] == name[before])
		before++;
	if (pattern[before] != '*')
		return pattern[before] == name[before];
	length = strlen(name);
	after = strlen(pattern + before + 1);
	if (length <= before + after || strcmp(name + length - after, pattern + before + 1) != 0)
		return false;
	*rest = name + before;
	*rest_length = length - before - after;
	return true;
}

/* The row of the assignment, NULL when it has none; *@rest is the caller's to free. */
static const struct key *find_key(struct key_reader *in, char **rest)
{
	const char *part;
	size_t length;

	for (const struct key_table *table = in->tables; table->section; table++) {
		const struct key *key = strcmp(table->section, in->now->section) == 0 ? table->keys : NULL;

		while (key && key->name && !matches(key->name, in->now->key, &part, &length))
			key++;
		if (key && key->name) {
			*rest = part ? strndup(part, length) : NULL;
			return key;
		}
	}
	return NULL;
}

/* What a key without a row is: it weakens when its name says that it confines, unless it is switched off or reset. */
static int judge_unknown(struct key_reader *in)
{
	bool on;

	if (!*in->now->value || (parse_bool(in->now->value, &on) == 0 && !on))
		return MRG_DROPPED;
	return in->syntax->confines && in->syntax->confines(in->now->key) ? MRG_WEAKENS : MRG_DROPPED;
}

static int report_assignment(struct key_reader *in, const struct assignment *now)
{
	struct mrg_report_row row = { .verdict = now->verdict, .field = now->field, .line = now->line, .note = now->note };
	char source[256];

	if (now->line == 0 || !in->report->fn)
		return 0;
	snprintf(source, sizeof(source), "%.80s%s%.60s%s%.90s%s", now->file ? now->file : "", now->file ? ":" : "",
		 now->section, *now->section ? "." : "", now->key, in->syntax->sign);
	row.source = now->source ? now->source : source;
	if (row.field >= 0 && row.verdict < MRG_DROPPED)
		row.target = mrg_field_info((unsigned int)row.field)->path;
	return report_row(in->report, &row);
}

int keys_report(struct key_reader *in, const struct assignments *list)
{
	int r = 0;

	for (size_t i = 0; i < list->n && r == 0; i++)
		r = report_assignment(in, &list->item[i]);
	return r;
}

static bool same_key(const struct assignment *a, const struct assignment *b)
{
	return strcmp(a->key, b->key) == 0 && strcmp(a->section, b->section) == 0;
}

/* What comes before a line that replaces it has no effect. */
static int judge_replaced(struct key_reader *in, const struct assignments *list)
{
	const struct assignment *end = list->item + list->n;

	for (const struct assignment *later = in->now + 1; in->syntax->replaces && later < end; later++)
		if (same_key(later, in->now) && in->syntax->replaces(later)) {
			in->note = "without effect: a later line replaces it";
			return MRG_APPROXIMATED;
		}
	return -1;
}

static int read_assignment(struct key_reader *in, const struct assignments *list, struct assignment *now)
{
	_cleanup_free_ char *rest = NULL, *value = strdup(now->value);
	const struct key *key = find_key(in, &rest);
	int verdict;

	if (!value || (key && strchr(key->name, '*') && !rest))
		return key_no_memory(in);
	/* What only the reader of this assignment knows is forgotten before the next. */
	in->note = key ? key->note : NULL;
	in->field = key ? key->field : -1;
	in->keep = false;
	in->kept = NULL;
	in->rest = rest;
	verdict = in->judge ? in->judge(in) : -1;
	if (verdict < 0)
		verdict = judge_replaced(in, list);
	if (verdict < 0)
		verdict = key && key->read ? key->read(in, key, value) : judge_unknown(in);
	in->rest = NULL;
	if (verdict < 0)
		return verdict;
	if (verdict >= MRG_DROPPED && !in->note)
		in->note = in->syntax->unknown;
	now->keep = in->keep || verdict >= MRG_DROPPED;
	if (in->kept)
		now->value = in->kept;
	now->verdict = verdict;
	now->field = in->field;
	now->note = verdict == MRG_CARRIED ? NULL : in->note;
	return in->late ? 0 : report_assignment(in, now);
}

int keys_read(struct key_reader *in, struct assignments *list)
{
	int r = 0;

	for (size_t i = 0; i < list->n && r == 0; i++) {
		in->now = &list->item[i];
		r = read_assignment(in, list, &list->item[i]);
	}
	return r;
}

KEY_READER(key_read_simple)
{
	const char *note;

	if (!*value) {
		key_reset(in, (unsigned int)key->field);
		return MRG_CARRIED;
	}
	note = key_undo(in, value);
	if (note)
		return key_lost(in, key, note);
	return key_set(in, (enum mrg_field)key->field, value) < 0 ? -MRG_E_INVALID : key->verdict;
}

KEY_READER(key_read_native)
{
	(void)value;
	in->keep = true;
	return key->verdict;
}

/* ---- writing -------------------------------------------------------------------------- */

void keys_write(struct key_writer *out, const struct key *keys)
{
	for (const struct key *key = keys; key->name; key++)
		if (key->write)
			key->write(out, key);
}

bool key_line(struct key_writer *out, const char *name, const char *value)
{
	return out->syntax->line(&out->b, name, value);
}

void key_report(struct key_writer *out, unsigned int field, int verdict, const char *target, const char *note)
{
	struct mrg_report_row row = { .verdict = verdict, .field = (int)field, .source = mrg_field_info(field)->path,
				      .target = verdict < MRG_DROPPED ? target : NULL,
				      .note = verdict == MRG_CARRIED ? NULL : note };
	char spelled[96];

	if (mrg_fields_has(&out->reported, field))
		return;
	if (row.target && out->syntax->target) {
		snprintf(spelled, sizeof(spelled), "%s%.60s%s", out->syntax->target, target, out->syntax->sign);
		row.target = spelled;
	}
	mrg_fields_add(&out->reported, field);
	if (out->result == 0)
		out->result = report_row(out->report, &row);
}

void keys_write_rest(struct key_writer *out, const char *note)
{
	for (unsigned int i = 0; i < MRG_FIELD_MAX; i++)
		if (key_has(out, i))
			key_report(out, i, format_confines(i) ? MRG_WEAKENS : MRG_DROPPED, NULL, note);
}

int keys_write_end(struct key_writer *out, char **ret, struct mrg_error *err)
{
	if (out->b.failed)
		out->result = mrg_error_set(err, -ENOMEM, "out of memory");
	if (out->result != 0)
		buffer_deinit(&out->b);
	else
		*ret = out->b.text;
	return out->result;
}

KEY_WRITER(key_write_simple)
{
	const struct member *member = &spec_fields[key->field].value;
	const void *value = member_at_const(member, out->spec);
	char text[32];
	const char *line = text;

	if (!key_has(out, (unsigned int)key->field))
		return;
	switch (member->type) {
	case VALUE_STRING:
		line = *(const char *const *)value;
		break;
	case VALUE_BOOL:
		line = *(const int *)value ? "yes" : "no";
		break;
	case VALUE_MODE:
		snprintf(text, sizeof(text), "0%03o", *(const unsigned int *)value);
		break;
	case VALUE_INT32:
		snprintf(text, sizeof(text), "%d", *(const int *)value);
		break;
	case VALUE_UINT32:
		snprintf(text, sizeof(text), "%" PRIu32, *(const uint32_t *)value);
		break;
	default:
		snprintf(text, sizeof(text), "%" PRId64, *(const int64_t *)value);
		break;
	}
	if (key_line(out, key->name, line))
		key_report(out, (unsigned int)key->field, MRG_CARRIED, key->name, NULL);
}
