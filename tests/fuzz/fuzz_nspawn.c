/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as the texts of a container of systemd-nspawn; and any spec written for it. */

#include "tests/fuzz/fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };
	char *text = NULL;

	fuzz_format("nspawn", data, size, 1);
	if (mrg_format_read("oci", (const char *)data, size, &spec, NULL, NULL, &err) == 0 &&
	    mrg_format_write("nspawn", spec, &text, NULL, NULL, &err) == 0) {
		struct mrg_spec *again = NULL;

		/* What is written is always understood, except for what the spec itself has wrong. */
		if (mrg_spec_check(spec, &err) == 0)
			assert(mrg_format_read("nspawn", text, strlen(text), &again, NULL, NULL, &err) == 0);
		mrg_spec_free(again);
	}
	free(text);
	mrg_spec_free(spec);
	return 0;
}
