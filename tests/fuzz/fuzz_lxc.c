/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as a configuration of LXC, none of whose files are opened. */

#include "core/formats/lxc/lxc.h"
#include "tests/fuzz/fuzz_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mrg_spec *read_config(const char *text, size_t length)
{
	const struct lxc_read_options options = { .keep_includes = true };
	const struct report none = { 0 };
	struct mrg_spec *spec = mrg_spec_new();
	struct mrg_error err = { 0 };

	assert(spec);
	if (lxc_config_read(text, length, &options, spec, &none, &err) == 0)
		return spec;
	assert(err.code < 0 && err.message[0]);
	return mrg_spec_free(spec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mrg_spec *spec = read_config((const char *)data, size), *again;
	struct mrg_error err = { 0 };
	char *text = NULL, *first = NULL, *second = NULL;

	if (!spec)
		return 0;
	assert(mrg_spec_emit(spec, 2, &first, &err) == 0);
	assert(mrg_format_write("lxc", spec, &text, NULL, NULL, &err) == 0);
	again = read_config(text, strlen(text));
	assert(again);
	assert(mrg_spec_emit(again, 2, &second, &err) == 0);
	assert(strcmp(first, second) == 0);
	free(text);
	free(first);
	free(second);
	mrg_spec_free(spec);
	mrg_spec_free(again);
	return 0;
}
