/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a spec: no crash, and what is accepted comes back the same from its own text. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <moorage/spec.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mrg_spec *spec = NULL, *again = NULL, *copy = NULL;
	struct mrg_error err = { 0 };
	char *first = NULL, *second = NULL;

	if (mrg_spec_parse((const char *)data, size, &spec, &err) < 0) {
		assert(err.code < 0 && err.message[0]);
		return 0;
	}
	mrg_spec_check(spec, &err);
	assert(mrg_spec_emit(spec, 3, &first, &err) == 0);
	assert(mrg_spec_parse(first, strlen(first), &again, &err) == 0);
	assert(mrg_spec_copy(again, &copy, &err) == 0);
	assert(mrg_spec_emit(copy, 3, &second, &err) == 0);
	assert(strcmp(first, second) == 0);
	assert(mrg_spec_default(copy, NULL, &err) == 0);
	free(first);
	free(second);
	mrg_spec_free(spec);
	mrg_spec_free(again);
	mrg_spec_free(copy);
	return 0;
}
