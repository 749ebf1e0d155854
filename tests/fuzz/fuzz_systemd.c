/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a service unit. */

#include "tests/fuzz/fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_format("systemd", data, size, 1);
	return 0;
}
