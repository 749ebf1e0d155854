/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about limits: control groups and rlimits. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/formats/device_names.h"
#include "core/formats/docker/docker.h"
#include "core/spec/table.h"
#include "core/util/cleanup.h"

static bool whole_number(const struct json *value, int64_t *ret)
{
	return value && value->type == JSON_NUMBER && parse_int64(value->text, ret) == 0;
}

/* -1 is "as the kernel has it" for those that have no such value in a spec. */
DOCKER_READER(docker_read_number)
{
	struct bounds bounds = spec_bounds(&spec_fields[key->field].value);
	int64_t number;
	char text[24];

	if (!whole_number(value, &number))
		return docker_fail(in, "must be a whole number");
	/* Podman prints 0 for a swappiness that nobody gave. */
	if ((number == -1 && bounds.low >= 0) || (number == 0 && in->podman && key->field == MRG_FIELD_MEMORY_SWAPPINESS))
		return key->verdict;
	if (key->field == MRG_FIELD_CPU_SHARES && number == 1)
		number = 2;
	snprintf(text, sizeof(text), "%" PRId64, number);
	return mrg_spec_set(in->spec, (enum mrg_field)key->field, text, in->err) < 0 ? docker_place(in) : key->verdict;
}

/* Billionths of a CPU, which are a quota of a period of a tenth of a second. */
DOCKER_READER(docker_read_cpus)
{
	int64_t number;

	if (!whole_number(value, &number) || number < 0)
		return docker_fail(in, "must be a whole number, not below 0");
	in->spec->cpu_quota = number / 10000;
	in->spec->cpu_period = 100000;
	mrg_fields_add(&in->spec->set, MRG_FIELD_CPU_QUOTA);
	mrg_fields_add(&in->spec->set, MRG_FIELD_CPU_PERIOD);
	if (in->spec->cpu_quota < 1000)
		return docker_fail(in, "must be at least 0.01 CPU");
	return key->verdict;
}

DOCKER_READER(docker_read_ulimits)
{
	for (const struct json *item = value->first; item; item = item->next) {
		const char *name = docker_text(item, "Name");
		int64_t soft, hard;

		if (!*name || !whole_number(docker_member(item, "Soft", JSON_NUMBER), &soft) ||
		    !whole_number(docker_member(item, "Hard", JSON_NUMBER), &hard))
			return docker_fail(in, "must be objects of Name, Soft and Hard");
		if (engine_add_ulimit(in->spec, name, soft, hard, in->err) < 0)
			return docker_place(in);
	}
	return key->verdict;
}

/* Height and width. */
DOCKER_READER(docker_read_console)
{
	int64_t height, width;

	if (value->n != 2 || !whole_number(value->first, &height) || !whole_number(value->first->next, &width) || height < 0 || width < 0 ||
	    height > 65535 || width > 65535)
		return docker_fail(in, "must be height and width");
	if (height == 0 && width == 0)
		return key->verdict;
	in->spec->console_height = (uint32_t)height;
	in->spec->console_width = (uint32_t)width;
	mrg_fields_add(&in->spec->set, MRG_FIELD_CONSOLE_SIZE);
	return key->verdict;
}

DOCKER_READER(docker_read_rates)
{
	struct list *list = member_at(&spec_fields[key->field].value, in->spec);
	int verdict = key->verdict;

	for (const struct json *item = value->first; item; item = item->next) {
		const char *path = docker_text(item, "Path");
		struct mrg_io_limit *limit;
		struct device_name name;
		int64_t rate;

		if (!*path || !whole_number(docker_member(item, "Rate", JSON_NUMBER), &rate) || rate < 0)
			return docker_fail(in, "must be objects of Path and Rate");
		if (!device_find(path, &name) || name.type != 'b' || name.minor < 0) {
			docker_note(in, "the numbers of '%.60s' are known on its own host only", path);
			verdict = MRG_DROPPED;
			continue;
		}
		limit = spec_list_append(in->spec, list, sizeof(*limit));
		if (!limit)
			return mrg_error_set(in->err, -ENOMEM, "out of memory");
		*limit = (struct mrg_io_limit){ name.major, name.minor, (uint64_t)rate };
		mrg_fields_add(&in->spec->set, (unsigned int)key->field);
	}
	return verdict;
}
