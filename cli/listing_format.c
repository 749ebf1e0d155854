/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One row of a list as JSON, CSV, shell variables or by a template. */

#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "cli/output.h"
#include "cli/text.h"
#include "core/util/cleanup.h"

/* @buffer: at least TEXT_SIZE. */
int column_find(const struct column *columns, const char *name, size_t length)
{
	for (int i = 0; columns[i].name || columns[i].key; i++) {
		const char *words[] = { columns[i].name, columns[i].key };

		for (size_t k = 0; k < ARRAY_SIZE(words); k++)
			if (words[k] && strlen(words[k]) == length && strncasecmp(words[k], name, length) == 0)
				return i;
	}
	return -1;
}

const char *value_show(const struct value *v, char *buffer, bool humans)
{
	switch (v->type) {
	case VALUE_NONE:
		return humans ? "-" : "";
	case VALUE_TEXT:
	case VALUE_JSON:
		return v->text ? v->text : "";
	case VALUE_BOOL:
		return v->number ? "yes" : "no";
	case VALUE_TIME:
		return humans ? text_ago(buffer, (int64_t)v->number) : text_time(buffer, (int64_t)v->number);
	case VALUE_SIZE:
		if (humans)
			return text_size(buffer, v->number);
		break;
	case VALUE_SPAN:
		if (humans)
			return text_span(buffer, v->number);
		break;
	case VALUE_PERCENT:
		snprintf(buffer, TEXT_SIZE, humans ? "%.1f" : "%.3f", (double)v->number / 1000);
		return buffer;
	case VALUE_NUMBER:
		break;
	}
	snprintf(buffer, TEXT_SIZE, "%" PRId64, (int64_t)v->number);
	return buffer;
}

static void value_json(const struct value *v, struct buffer *b)
{
	char buffer[64];
	const char *text = value_show(v, buffer, false);

	if (v->type == VALUE_JSON)
		buffer_addf(b, "%s", v->json ? v->json : "null");
	else if (v->type == VALUE_NONE)
		buffer_addf(b, "null");
	else if (v->type == VALUE_BOOL)
		buffer_addf(b, v->number ? "true" : "false");
	else if (v->type == VALUE_TEXT || v->type == VALUE_TIME)
		json_text(b, text, strlen(text));
	else if (v->type == VALUE_PERCENT)
		buffer_addf(b, "%s", text);
	else
		buffer_addf(b, "%" PRIu64, v->number);
}

void row_json(const struct listing *l, const struct value *row, struct buffer *b)
{
	buffer_addf(b, "{\"schema\":\"%s\"", l->schema);
	for (size_t i = 0; i < l->n_columns; i++)
		if (l->columns[i].key) {
			buffer_addf(b, ",\"%s\":", l->columns[i].key);
			value_json(&row[i], b);
		}
	buffer_addf(b, "}");
}

/* RFC 4180: quotes where a value has a comma, a quote or a line break; quotes are doubled. */
static void csv_field(struct buffer *b, const char *text)
{
	if (!text[strcspn(text, ",\"\r\n")]) {
		buffer_add(b, text, strlen(text));
		return;
	}
	buffer_add(b, "\"", 1);
	for (; *text; text++)
		buffer_add(b, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
	buffer_add(b, "\"", 1);
}

/* @row NULL: prints the headings. */
void row_csv(const struct listing *l, const struct value *row, struct buffer *b)
{
	char buffer[64];

	for (int i = 0; l->shown[i] >= 0; i++) {
		const struct column *column = &l->columns[l->shown[i]];

		if (!row) {
			fprintf(l->file, "%s%s", i ? "," : "", column->key ? column->key : column->name);
			continue;
		}
		if (i)
			buffer_add(b, ",", 1);
		csv_field(b, value_show(&row[l->shown[i]], buffer, false));
	}
	if (!row)
		fputc('\n', l->file);
}

/* KEY='value' as a shell reads it; an empty line ends each object. */
void row_env(const struct listing *l, const struct value *row, struct buffer *b)
{
	char buffer[64];

	for (size_t i = 0; i < l->n_columns; i++) {
		if (!l->columns[i].key)
			continue;
		for (const char *c = l->columns[i].key; *c; c++)
			buffer_addf(b, "%c", toupper((unsigned char)*c));
		buffer_addf(b, "='");
		for (const char *c = value_show(&row[i], buffer, false); *c; c++)
			buffer_add(b, *c == '\'' ? "'\\''" : c, *c == '\'' ? 4 : 1);
		buffer_addf(b, "'\n");
	}
}

/* ---- templates ---------------------------------------------------------------------------------- */

/* Inside of "{{...}}": ".Name", "json ." or "json .Name". */
static int template_item(const char *text, size_t length, template_member member, const void *data, struct buffer *b)
{
	bool json = length > 5 && strncmp(text, "json ", 5) == 0;

	if (json) {
		text += 5;
		length -= 5;
	}
	if (length == 0 || *text != '.')
		return -EINVAL;
	return member(data, text + 1, length - 1, json, b);
}

int template_expand(const char *template, template_member member, const void *data, struct buffer *b)
{
	for (const char *c = template; *c; c++) {
		const char *end, *begin = c + 2;
		size_t length;

		if (c[0] == '\\' && (c[1] == 't' || c[1] == 'n')) {
			buffer_addf(b, "%c", *++c == 't' ? '\t' : '\n');
			continue;
		}
		if (strncmp(c, "{{", 2) != 0) {
			buffer_add(b, c, 1);
			continue;
		}
		end = strstr(c, "}}");
		if (!end)
			return -EINVAL;
		begin += strspn(begin, " ");
		length = begin > end ? 0 : (size_t)(end - begin);
		while (length && begin[length - 1] == ' ')
			length--;
		if (template_item(begin, length, member, data, b) < 0)
			return -EINVAL;
		c = end + 1;
	}
	return 0;
}

struct template_row {
	const struct listing *list;
	const struct value *row;
};

static int row_member(const void *data, const char *name, size_t length, bool json, struct buffer *b)
{
	const struct template_row *t = data;
	int column = column_find(t->list->columns, name, length);
	char buffer[64];

	if (length == 0 && json)
		row_json(t->list, t->row, b);
	else if (length == 0 || column < 0)
		return -EINVAL;
	else if (json)
		value_json(&t->row[column], b);
	else
		buffer_addf(b, "%s", value_show(&t->row[column], buffer, false));
	return 0;
}

int row_template(const struct listing *l, const struct value *row, const char *template, struct buffer *b)
{
	const struct template_row data = { l, row };

	return template_expand(template, row_member, &data, b);
}
