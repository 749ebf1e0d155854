/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FUZZ_FORMAT_H
#define FUZZ_FORMAT_H

/* Any bytes as a text of a format: no crash, and the spec read from it is the same after being written and read again. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/format.h"

/* By name, or by a row that is linked in. */
struct fuzzed {
	const char *name;
	const struct format *row;
};

static inline int fuzz_read(const struct fuzzed *format, const char *text, size_t size, struct mrg_spec **ret, struct mrg_error *err)
{
	int r;

	if (!format->row)
		return mrg_format_read(format->name, text, size, ret, NULL, NULL, err);
	*ret = mrg_spec_new();
	assert(*ret);
	r = format->row->read(text, size, *ret, &(struct report){ 0 }, err);
	if (r < 0)
		*ret = mrg_spec_free(*ret);
	return r;
}

static inline int fuzz_write(const struct fuzzed *format, const struct mrg_spec *spec, char **ret, struct mrg_error *err)
{
	return format->row ? format->row->write(spec, ret, &(struct report){ 0 }, err) : mrg_format_write(format->name, spec, ret, NULL, NULL, err);
}

static inline void fuzz_any(const struct fuzzed *format, const uint8_t *data, size_t size, int stable)
{
	struct mrg_spec *spec = NULL, *again = NULL;
	struct mrg_error err = { 0 };
	char *text = NULL, *first = NULL, *second = NULL;

	if (fuzz_read(format, (const char *)data, size, &spec, &err) < 0) {
		assert(err.code < 0 && err.message[0]);
		return;
	}
	assert(mrg_spec_emit(spec, 2, &first, &err) == 0);
	assert(fuzz_write(format, spec, &text, &err) == 0);
	assert(fuzz_read(format, text, strlen(text), &again, &err) == 0 || !stable);
	if (again && stable) {
		assert(mrg_spec_emit(again, 2, &second, &err) == 0);
		assert(strcmp(first, second) == 0);
	}
	free(text);
	free(first);
	free(second);
	mrg_spec_free(spec);
	mrg_spec_free(again);
}

static inline void fuzz_format(const char *name, const uint8_t *data, size_t size, int stable)
{
	fuzz_any(&(struct fuzzed){ .name = name }, data, size, stable);
}

#endif
