/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a config.json of another tool. What is written has additions (a filter spelled out), so it need only be readable. */

#include "tests/fuzz/fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_format("oci", data, size, 0);
	return 0;
}
