/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as domain XML. The module is linked in: nothing is loaded. */

#include "core/formats/module.h"
#include "tests/fuzz/fuzz_format.h"

extern const struct format_module FORMAT_MODULE;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_any(&(struct fuzzed){ .row = &FORMAT_MODULE.format }, data, size, 1);
	return 0;
}
