/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Formats by name. */

#include "config.h"

#include <string.h>

#include "core/formats/format.h"
#include "core/formats/module.h"
#include "core/util/cleanup.h"
#include "core/util/str.h"

/* It takes an XML parser, which no other command should pay for: the rest of it is in a module. */
static const struct format format_libvirt = { .name = "libvirt" };

/* The one list of formats. */
#define FORMATS(row)	row(oci) row(systemd) row(lxc) row(nspawn) row(libvirt) row(docker) row(quadlet)

#define FORMAT_ROW(name)	&format_##name,
#define FORMAT_NAME(name)	#name,

static const struct format *const formats[] = { FORMATS(FORMAT_ROW) };

const char *const *mrg_format_names(void)
{
	static const char *const names[] = { FORMATS(FORMAT_NAME) NULL };

	return names;
}

static void hint_names(struct mrg_error *err)
{
	struct buffer b = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		buffer_addf(&b, "%s%s", i == 0 ? "" : i + 1 < ARRAY_SIZE(formats) ? ", " : " and ", formats[i]->name);
	if (!b.failed)
		mrg_error_hint(err, "there are %s", b.text);
	buffer_deinit(&b);
}

static int find(const char *name, const struct format **ret, struct mrg_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (strcmp(formats[i]->name, name) == 0) {
			*ret = formats[i];
			return formats[i]->read ? 0 : format_load(name, ret, err);
		}
	mrg_error_set(err, -MRG_E_INVALID, "no format is called '%.40s'", name);
	hint_names(err);
	return -MRG_E_INVALID;
}

static void spec_freep(struct mrg_spec **spec)
{
	mrg_spec_free(*spec);
}

int mrg_format_read(const char *format, const char *text, size_t length, struct mrg_spec **ret,
		    mrg_report_fn report, void *data, struct mrg_error *err)
{
	_cleanup_(spec_freep) struct mrg_spec *spec = mrg_spec_new();
	const struct format *row;
	int r;

	if (!spec)
		return mrg_error_set(err, -ENOMEM, "out of memory");
	r = find(format, &row, err);
	if (r == 0)
		r = row->read(text, length, spec, &(struct report){ report, data }, err);
	if (r != 0)
		return r;
	*ret = take_ptr(spec);
	return 0;
}

int mrg_format_write(const char *format, const struct mrg_spec *spec, char **ret,
		     mrg_report_fn report, void *data, struct mrg_error *err)
{
	const struct format *row;
	int r = find(format, &row, err);

	if (r == 0 && !row->write) {
		mrg_error_set(err, -MRG_E_INVALID, "the format '%s' can be read, not written", row->name);
		return mrg_error_hint(err, "'quadlet' and 'oci' are what its tools read");
	}
	return r < 0 ? r : row->write(spec, ret, &(struct report){ report, data }, err);
}

int format_name(const char *name, const char **ret, struct mrg_error *err)
{
	const struct format *row;
	int r = find(name, &row, err);

	if (r == 0)
		*ret = row->name;
	return r;
}

int format_choose(const char *format, const char *text, size_t length, const char *container, char **ret, struct mrg_error *err)
{
	const struct format *row;
	int r = find(format, &row, err);

	if (r == 0 && !row->choose)
		return mrg_error_set(err, -MRG_E_INVALID, "a text of '%s' has one container: no name can be chosen", row->name);
	return r < 0 ? r : row->choose(text, length, container, ret, err);
}
