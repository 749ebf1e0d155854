/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FUZZ_FORMAT_H
#define FUZZ_FORMAT_H

/* Any bytes as a text of a format: no crash, and the spec read from it is the same after being written and read again. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <moorage/moorage.h>

static inline void fuzz_format(const char *format, const uint8_t *data, size_t size, int stable)
{
	struct mrg_spec *spec = NULL, *again = NULL;
	struct mrg_error err = { 0 };
	char *text = NULL, *first = NULL, *second = NULL;

	if (mrg_format_read(format, (const char *)data, size, &spec, NULL, NULL, &err) < 0) {
		assert(err.code < 0 && err.message[0]);
		return;
	}
	assert(mrg_spec_emit(spec, 2, &first, &err) == 0);
	assert(mrg_format_write(format, spec, &text, NULL, NULL, &err) == 0);
	assert(mrg_format_read(format, text, strlen(text), &again, NULL, NULL, &err) == 0 || !stable);
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

#endif
