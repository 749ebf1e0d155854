/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Formats made of assignments: what is kept verbatim in moorage.native. */

#include "config.h"

#include <string.h>

#include "core/formats/keys.h"

static void json_text(struct buffer *b, const char *text)
{
	if (json_quote(b, text) < 0)
		b->failed = true;
}

static bool same(const struct assignment *a, const struct assignment *b, bool with_key)
{
	return a->section == b->section && (!with_key || strcmp(a->key, b->key) == 0);
}

static bool seen_before(const struct assignments *list, size_t i, bool with_key)
{
	for (size_t j = 0; j < i; j++)
		if (list->item[j].keep && same(&list->item[j], &list->item[i], with_key))
			return true;
	return false;
}

/* All kept values of the key of assignment @i as an array. */
static void add_values(struct buffer *b, const struct assignments *list, size_t i)
{
	const char *comma = "";

	json_text(b, list->item[i].key);
	buffer_add(b, ":[", 2);
	for (size_t j = i; j < list->n; j++)
		if (list->item[j].keep && same(&list->item[j], &list->item[i], true)) {
			buffer_addf(b, "%s", comma);
			json_text(b, list->item[j].value);
			comma = ",";
		}
	buffer_add(b, "]", 1);
}

/* The keys of the section of assignment @i, which is the first of it. */
static void add_section(struct buffer *b, const struct assignments *list, size_t i)
{
	const char *section = list->item[i].section, *comma = "";

	if (*section) {
		json_text(b, section);
		buffer_add(b, ":{", 2);
	}
	for (size_t j = i; j < list->n; j++)
		if (list->item[j].keep && same(&list->item[j], &list->item[i], false) && !seen_before(list, j, true)) {
			buffer_addf(b, "%s", comma);
			add_values(b, list, j);
			comma = ",";
		}
	if (*section)
		buffer_add(b, "}", 1);
}

/* The place of a section in the tables, which is the order of writing: what is read again comes in the same order. */
static size_t section_rank(const struct key_table *tables, const char *section)
{
	size_t i = 0;

	while (tables[i].section && strcmp(tables[i].section, section) != 0)
		i++;
	return i;
}

static size_t count_tables(const struct key_table *tables)
{
	size_t n = 0;

	while (tables[n].section)
		n++;
	return n;
}

int keys_keep(struct key_reader *in, const struct assignments *list)
{
	struct buffer b = { 0 };
	const char *comma = "";
	size_t ranks = count_tables(in->tables);
	int r = 0;

	buffer_addf(&b, "{\"%s\":{", in->syntax->native);
	for (size_t rank = 0; rank <= ranks; rank++)
		for (size_t i = 0; i < list->n; i++)
			if (list->item[i].keep && section_rank(in->tables, list->item[i].section) == rank &&
			    !seen_before(list, i, false)) {
				buffer_addf(&b, "%s", comma);
				add_section(&b, list, i);
				comma = ",";
			}
	buffer_add(&b, "}}", 2);
	if (b.failed)
		r = key_no_memory(in);
	else if (*comma)
		r = mrg_spec_set(in->spec, MRG_FIELD_NATIVE, b.text, in->err);
	buffer_deinit(&b);
	return r;
}

bool keys_write_native(struct key_writer *out, const struct json *section)
{
	bool whole = section->type == JSON_OBJECT;

	for (const struct json *key = section->first; key && whole; key = key->next) {
		whole = key->type == JSON_ARRAY;
		for (const struct json *value = key->first; value && whole; value = value->next)
			whole = value->type == JSON_STRING && out->syntax->verbatim(&out->b, key->key, value->text);
	}
	return whole;
}
