/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a .container file of Podman; and any spec written as one. */

#include "tests/fuzz/fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };
	char *text = NULL;

	fuzz_format("quadlet", data, size, 1);
	if (mrg_format_read("oci", (const char *)data, size, &spec, NULL, NULL, &err) == 0)
		assert(mrg_format_write("quadlet", spec, &text, NULL, NULL, &err) == 0);
	free(text);
	mrg_spec_free(spec);
	return 0;
}
