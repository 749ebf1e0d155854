/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as what "docker inspect" prints: read, and what is read from it is a spec that can be written and read again. */

#include "tests/fuzz/fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mrg_spec *spec = NULL, *again = NULL;
	struct mrg_error err = { 0 };
	char *text = NULL;
	const char *name;

	if (mrg_format_guess((const char *)data, size, &name, &err) < 0)
		assert(err.code < 0 && err.message[0]);
	if (mrg_format_read("docker", (const char *)data, size, &spec, NULL, NULL, &err) < 0) {
		assert(err.code < 0 && err.message[0]);
		return 0;
	}
	assert(mrg_spec_emit(spec, 0, &text, &err) == 0);
	assert(mrg_spec_parse(text, strlen(text), &again, &err) == 0);
	mrg_spec_free(again);
	free(text);
	assert(mrg_format_write("quadlet", spec, &text, NULL, NULL, &err) == 0);
	free(text);
	mrg_spec_free(spec);
	return 0;
}
