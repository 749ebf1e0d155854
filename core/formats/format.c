/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Formats by name. */

#include "config.h"

#include <string.h>

#include "core/formats/format.h"
#include "core/util/cleanup.h"

static const struct format *const formats[] = { &format_oci, &format_systemd, &format_nspawn };

const char *const *mrg_format_names(void)
{
	static const char *const names[] = { "oci", "systemd", "nspawn", NULL };

	_Static_assert(ARRAY_SIZE(names) == ARRAY_SIZE(formats) + 1, "one name per format");
	return names;
}

static int find(const char *name, const struct format **ret, struct mrg_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (strcmp(formats[i]->name, name) == 0) {
			*ret = formats[i];
			return 0;
		}
	mrg_error_set(err, -MRG_E_INVALID, "no format is called '%.40s'", name);
	mrg_error_hint(err, "there are oci, systemd and nspawn");
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

	return r < 0 ? r : row->write(spec, ret, &(struct report){ report, data }, err);
}

int format_confines(unsigned int field)
{
	static const enum mrg_field fields[] = {
		MRG_FIELD_ROOT_READONLY, MRG_FIELD_MOUNTS, MRG_FIELD_UID, MRG_FIELD_GID, MRG_FIELD_USER,
		MRG_FIELD_CAP_BOUNDING, MRG_FIELD_CAP_EFFECTIVE, MRG_FIELD_CAP_PERMITTED, MRG_FIELD_CAP_AMBIENT,
		MRG_FIELD_NO_NEW_PRIVILEGES, MRG_FIELD_APPARMOR_PROFILE, MRG_FIELD_SELINUX_LABEL, MRG_FIELD_NS_PID,
		MRG_FIELD_NS_MOUNT, MRG_FIELD_NS_UTS, MRG_FIELD_NS_IPC, MRG_FIELD_NS_NETWORK, MRG_FIELD_NS_USER,
		MRG_FIELD_NS_CGROUP, MRG_FIELD_NS_TIME, MRG_FIELD_UID_MAPPINGS, MRG_FIELD_GID_MAPPINGS,
		MRG_FIELD_DEVICE_RULES, MRG_FIELD_SECCOMP, MRG_FIELD_SECCOMP_PROFILE, MRG_FIELD_MASKED_PATHS,
		MRG_FIELD_READONLY_PATHS, MRG_FIELD_MOUNT_LABEL, MRG_FIELD_EPHEMERAL, MRG_FIELD_ROOT_PATH,
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i] == field)
			return 1;
	return 0;
}
