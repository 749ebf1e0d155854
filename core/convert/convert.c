/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A configuration from one format to another. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/convert/convert.h"
#include "core/formats/format.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/json.h"

/* What is given to the caller, and what it points to. */
struct whole {
	struct mrg_conversion conversion;
	struct mrg_spec *spec;
	char *text;
	struct report_rows rows;
};

struct mrg_conversion *mrg_conversion_free(struct mrg_conversion *conversion)
{
	struct whole *whole = (struct whole *)conversion;

	if (!whole)
		return NULL;
	mrg_spec_free(whole->spec);
	free(whole->text);
	report_rows_deinit(&whole->rows);
	free(whole);
	return NULL;
}

static void conversion_freep(struct mrg_conversion **conversion)
{
	mrg_conversion_free(*conversion);
}

/* Whether what the reader of @format could not carry is in the spec, for a writer of the same format. */
static int kept(const struct mrg_spec *spec, const char *format, bool *ret, struct mrg_error *err)
{
	_cleanup_(json_freep) struct json *native = NULL;
	int r = spec->native_json ? json_parse(spec->native_json, strlen(spec->native_json), &native, err) : 0;

	*ret = native && json_member(native, format);
	return r;
}

static int convert_read(struct whole *whole, const struct mrg_convert *convert, struct report_rows *read, struct mrg_error *err)
{
	_cleanup_free_ char *one = NULL;
	const char *text = convert->text;
	int r = 0;

	if (convert->name) {
		r = format_choose(whole->conversion.from, convert->text, convert->length, convert->name, &one, err);
		text = one;
	}
	return r < 0 ? r : mrg_format_read(whole->conversion.from, text, convert->length, &whole->spec, report_rows_add, read, err);
}

static int convert_write(struct whole *whole, const struct report_rows *read, struct mrg_error *err)
{
	const struct mrg_conversion *conversion = &whole->conversion;
	struct report_rows write = { NULL, 0 };
	bool same = false;
	int r = mrg_format_write(conversion->to, whole->spec, &whole->text, report_rows_add, &write, err);

	if (r == 0 && strcmp(conversion->from, conversion->to) == 0)
		r = kept(whole->spec, conversion->to, &same, err);
	if (r == 0)
		r = report_rows_join(read, &write, same, &whole->rows, err);
	report_rows_deinit(&write);
	return r;
}

int mrg_convert(const struct mrg_convert *convert, struct mrg_conversion **ret, struct mrg_error *err)
{
	_cleanup_(conversion_freep) struct mrg_conversion *conversion = calloc(1, sizeof(struct whole));
	struct whole *whole = (struct whole *)conversion;
	struct report_rows read = { NULL, 0 };
	int r;

	if (!whole)
		return fail_memory(err);
	r = format_name(convert->to, &conversion->to, err);
	if (r == 0)
		r = convert->from ? format_name(convert->from, &conversion->from, err) :
		    mrg_format_guess(convert->text, convert->length, &conversion->from, err);
	if (r == 0)
		r = convert_read(whole, convert, &read, err);
	if (r == 0)
		r = convert_write(whole, &read, err);
	report_rows_deinit(&read);
	if (r != 0)
		return r == -ENOMEM ? fail_memory(err) : r;
	conversion->spec = whole->spec;
	conversion->text = whole->text;
	conversion->rows = whole->rows.item;
	conversion->n_rows = whole->rows.n;
	*ret = take_ptr(conversion);
	return 0;
}

int mrg_conversion_check(const struct mrg_conversion *conversion, unsigned int flags, const char *const *accept, struct mrg_error *err)
{
	int r = report_rows_check_words(conversion->rows, conversion->n_rows, accept, err);

	return r < 0 ? r : report_rows_judge(conversion->rows, conversion->n_rows, flags & MRG_CONVERT_STRICT ? MRG_DROPPED : MRG_WEAKENS, accept, err);
}
