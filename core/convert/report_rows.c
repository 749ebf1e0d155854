/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of a report: collected, joined, judged. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/convert/convert.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/str.h"

static void row_free(struct mrg_report_row *row)
{
	free((char *)row->source);
	free((char *)row->target);
	free((char *)row->note);
}

static char *copy_text(const char *text, bool *failed)
{
	char *copy = text ? strdup(text) : NULL;

	*failed |= text && !copy;
	return copy;
}

int report_rows_add(const struct mrg_report_row *row, void *data)
{
	struct report_rows *rows = data;
	struct mrg_report_row copy = *row;
	bool failed = false;

	/* Grows when it has reached a power of two. */
	if ((rows->n & (rows->n - 1)) == 0) {
		struct mrg_report_row *bigger = realloc(rows->item, (rows->n ? rows->n * 2 : 1) * sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		rows->item = bigger;
	}
	copy.source = copy_text(row->source, &failed);
	copy.target = copy_text(row->target, &failed);
	copy.note = copy_text(row->note, &failed);
	if (failed) {
		row_free(&copy);
		return -ENOMEM;
	}
	rows->item[rows->n++] = copy;
	return 0;
}

void report_rows_deinit(struct report_rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		row_free(&rows->item[i]);
	free(rows->item);
	*rows = (struct report_rows){ NULL, 0 };
}

/* ---- joining ---------------------------------------------------------------------------- */

struct join {
	const struct mrg_report_row *written[MRG_FIELD_MAX];	/* what the writer said of each field; NULL: it is not set */
	bool named[MRG_FIELD_MAX];				/* by a key of the source */
	bool same;
	struct report_rows *ret;
};

/* Both sentences; the second alone when they are equal. */
static int add_row(struct join *join, struct mrg_report_row *row, const char *first, const char *second)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };

	if (first && second && strcmp(first, second) != 0) {
		buffer_addf(&b, "%s; %s", first, second);
		if (b.failed)
			return -ENOMEM;
		row->note = b.text;
	} else {
		row->note = first ? first : second;
	}
	return report_rows_add(row, join->ret);
}

static int join_row(struct join *join, const struct mrg_report_row *read)
{
	const struct mrg_report_row *native = join->written[MRG_FIELD_NATIVE];
	const struct mrg_report_row *written = read->field >= 0 ? join->written[read->field] : NULL;
	struct mrg_report_row row = *read;

	row.target = NULL;
	if (read->verdict >= MRG_DROPPED) {
		if (!join->same || !native || native->verdict != MRG_CARRIED)
			return add_row(join, &row, read->note, NULL);
		row.verdict = MRG_CARRIED;
		row.target = read->source;
		return add_row(join, &row, NULL, NULL);
	}
	if (!written)
		return add_row(join, &row, read->note, NULL);
	join->named[read->field] = true;
	if (written->verdict > row.verdict)
		row.verdict = written->verdict;
	row.target = written->target;
	/* How near it would have been does not matter when it is lost. */
	return add_row(join, &row, written->verdict < MRG_DROPPED ? read->note : NULL, written->note);
}

int report_rows_join(const struct report_rows *read, const struct report_rows *write, bool same, struct report_rows *ret,
		     struct mrg_error *err)
{
	struct join join = { .same = same, .ret = ret };
	int r = 0;

	for (size_t i = 0; i < write->n; i++)
		join.written[write->item[i].field] = &write->item[i];
	/* What was kept verbatim has rows of its own, under its keys. */
	join.named[MRG_FIELD_NATIVE] = !same;
	for (size_t i = 0; i < read->n && r == 0; i++)
		r = join_row(&join, &read->item[i]);
	for (size_t i = 0; i < write->n && r == 0; i++) {
		struct mrg_report_row row = write->item[i];

		row.source = NULL;
		if (!join.named[row.field])
			r = report_rows_add(&row, ret);
	}
	return r < 0 ? fail_memory(err) : 0;
}

/* ---- judging ---------------------------------------------------------------------------- */

/* The source key as somebody would type it: without what ends it, with or without what stands before the name of the section. */
static bool names_key(const char *source, const char *word)
{
	size_t length = strlen(source), n = strlen(word);

	if (length > 0 && source[length - 1] == '=')
		length--;
	if (n > 0 && word[n - 1] == '=')
		n--;
	if (n > length || n == 0 || memcmp(source + length - n, word, n) != 0)
		return false;
	return n == length || source[length - n - 1] == '.' || source[length - n - 1] == ':';
}

bool report_row_accepted(const struct mrg_report_row *row, const char *const *accept)
{
	const struct mrg_field_info *field = row->field >= 0 ? mrg_field_info((unsigned int)row->field) : NULL;

	for (; accept && *accept; accept++)
		if (strcmp(*accept, ACCEPT_ALL) == 0 || (row->source && (strcmp(row->source, *accept) == 0 || names_key(row->source, *accept))) ||
		    (field && (strcmp(field->path, *accept) == 0 || strcmp(field->name, *accept) == 0)))
			return true;
	return false;
}

/* What a row can be called: its key, with and without the section, and its field. */
static int add_names(struct strings *names, const struct mrg_report_row *row)
{
	const struct mrg_field_info *field = row->field >= 0 ? mrg_field_info((unsigned int)row->field) : NULL;
	size_t length = row->source ? strlen(row->source) : 0;
	_cleanup_free_ char *key = row->source ? strndup(row->source, length - (length > 0 && row->source[length - 1] == '=')) : NULL;
	const char *dot = key && length > strlen(key) ? strrchr(key, '.') : NULL;
	int r = row->source && !key ? -ENOMEM : 0;

	if (r == 0 && key)
		r = strings_add(names, key);
	if (r == 0 && dot)
		r = strings_add(names, dot + 1);
	if (r == 0 && field)
		r = strings_add(names, field->path);
	return r < 0 || !field ? r : strings_add(names, field->name);
}

static int no_such_name(const struct mrg_report_row *rows, size_t n, const char *word, struct mrg_error *err)
{
	struct strings names = { NULL, 0 };
	const char *nearest;
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = add_names(&names, &rows[i]);
	nearest = r == 0 && names.n > 0 ? str_nearest(word, (const char *const *)names.strv) : NULL;
	mrg_error_set(err, -MRG_E_INVALID, "'--accept %.100s' names no key that is there, and no field", word);
	if (nearest)
		mrg_error_hint(err, "did you mean '%s'?", nearest);
	else
		mrg_error_hint(err, "without it you are told what there is to accept");
	strings_deinit(&names);
	return r < 0 ? fail_memory(err) : -MRG_E_INVALID;
}

int report_rows_check_words(const struct mrg_report_row *rows, size_t n, const char *const *accept, struct mrg_error *err)
{
	for (; accept && *accept; accept++) {
		const char *const word[] = { *accept, NULL };
		bool named = strcmp(*accept, ACCEPT_ALL) == 0;

		for (size_t i = 0; i < n && !named; i++)
			named = report_row_accepted(&rows[i], word);
		if (!named)
			return no_such_name(rows, n, *accept, err);
	}
	return 0;
}

static const char *key_of(const struct mrg_report_row *row)
{
	return row->source ? row->source : mrg_field_info((unsigned int)row->field)->path;
}

/* What takes all losses, as far as a hint has room for it. */
struct acceptance {
	char words[240];
	bool left_out;
};

/* Adds " --accept KEY", once a key; without the file that it is in, which need not be typed. */
static void add_accept(struct acceptance *accept, const struct mrg_report_row *row)
{
	const char *key = key_of(row), *colon = strrchr(key, ':');
	size_t length = strlen(accept->words);
	char word[160];

	snprintf(word, sizeof(word), " --accept %s", colon && colon[1] ? colon + 1 : key);
	if (strstr(accept->words, word))
		return;
	if (length + strlen(word) < sizeof(accept->words))
		memcpy(accept->words + length, word, strlen(word) + 1);
	else
		accept->left_out = true;
}

static int refuse(const struct mrg_report_row *row, size_t more, const struct acceptance *accept, struct mrg_error *err)
{
	const char *key = key_of(row);
	char line[24] = "", others[40] = "";

	if (row->line > 0)
		snprintf(line, sizeof(line), "line %u: ", row->line);
	if (more > 0)
		snprintf(others, sizeof(others), "; and %zu more", more);
	mrg_error_set(err, -MRG_E_UNSUPPORTED, "%s%.100s %s: %.200s%s", line, key,
		      row->verdict == MRG_WEAKENS ? "would be lost, which weakens the container" : "would be lost",
		      row->note ? row->note : "the target cannot say it", others);
	mrg_error_hint(err, "this takes the loss:%s%s", accept->words, accept->left_out ? ", and the other keys of the report likewise" : "");
	return -MRG_E_UNSUPPORTED;
}

int report_rows_judge(const struct mrg_report_row *rows, size_t n, int worst, const char *const *accept, struct mrg_error *err)
{
	struct acceptance accepting = { .left_out = false };
	const struct mrg_report_row *first = NULL;
	size_t refused = 0;
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		/* What nobody said is only worth telling when it confines. */
		if (rows[i].verdict < MRG_DROPPED || (!rows[i].source && rows[i].verdict == MRG_DROPPED) ||
		    report_row_accepted(&rows[i], accept))
			continue;
		r = 1;
		if (rows[i].verdict < worst)
			continue;
		first = first ? first : &rows[i];
		refused++;
		add_accept(&accepting, &rows[i]);
	}
	return first ? refuse(first, refused - 1, &accepting, err) : r;
}
