/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the backend refuses: what the writer of its format reports as lost, and we do not do beside it. */

#include "config.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <moorage/format.h>

#include "core/util/cleanup.h"
#include "nspawn.h"

/* Done by moorage-init, from outside while it waits, or in the cgroup that we make. The core keeps the rest. */
static bool is_done_beside(unsigned int field)
{
	static const enum mrg_field fields[] = {
		MRG_FIELD_TERMINAL, MRG_FIELD_CONSOLE_SIZE, MRG_FIELD_UID, MRG_FIELD_GID, MRG_FIELD_UMASK, MRG_FIELD_ADDITIONAL_GIDS,
		MRG_FIELD_ARGS, MRG_FIELD_ENV, MRG_FIELD_CWD, MRG_FIELD_CAP_INHERITABLE, MRG_FIELD_CAP_AMBIENT, MRG_FIELD_MASKED_PATHS,
		MRG_FIELD_ANNOTATIONS, MRG_FIELD_BOOT, MRG_FIELD_INIT, MRG_FIELD_STDIN, MRG_FIELD_USER, MRG_FIELD_LABELS, MRG_FIELD_LOG,
		MRG_FIELD_STOP_SIGNAL, MRG_FIELD_STOP_TIMEOUT, MRG_FIELD_CGROUPS_PATH, MRG_FIELD_AUTOSTART, MRG_FIELD_READONLY_PATHS,
		MRG_FIELD_SECCOMP, MRG_FIELD_SECCOMP_PROFILE, MRG_FIELD_DEVICES,
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i] == field)
			return true;
	return field >= MRG_FIELD_DEVICE_RULES && field <= MRG_FIELD_UNIFIED;
}

static bool is_root(const struct mrg_spec *spec)
{
	return spec->user ? strcmp(spec->user, "root") == 0 || strcmp(spec->user, "0") == 0 : spec->uid == 0;
}

struct judgement {
	const struct mrg_spec *spec;
	struct mrg_error *err;
};

static int judge(const struct mrg_report_row *row, void *data)
{
	const struct judgement *j = data;
	const struct mrg_field_info *info = row->field >= 0 ? mrg_field_info((unsigned int)row->field) : NULL;

	if (row->verdict < MRG_DROPPED || (row->field >= 0 && is_done_beside((unsigned int)row->field)))
		return 0;
	/* The kernel takes them from every other user at execve(2). */
	if ((row->field == MRG_FIELD_CAP_EFFECTIVE || row->field == MRG_FIELD_CAP_PERMITTED) && !is_root(j->spec))
		return 0;
	return mrg_error_set(j->err, -MRG_E_UNSUPPORTED, "%s: systemd-nspawn cannot do that: %s", info ? info->path : row->source,
			     row->note ? row->note : "it has nothing for it");
}

static int check_user(const struct mrg_spec *spec, struct mrg_error *err)
{
	if (spec->boot && !is_root(spec))
		return mrg_error_set(err, -MRG_E_INVALID, "/moorage/user: an init system must run as root");
	return 0;
}

static bool is_hosts(const struct mrg_device *device)
{
	struct stat st;

	return stat(device->path, &st) == 0 && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) &&
	       st.st_rdev == makedev((unsigned int)device->major, (unsigned int)device->minor);
}

static int check_devices(const struct mrg_spec *spec, struct mrg_error *err)
{
	for (size_t i = 0; i < spec->devices.n; i++) {
		const struct mrg_device *device = &spec->devices.item[i];

		if (strncmp(device->path, "/dev/", 5) != 0)
			return mrg_error_set(err, -MRG_E_UNSUPPORTED, "/linux/devices: '%s' is not below '/dev'", device->path);
		if (spec->ns_user && !is_hosts(device))
			return mrg_error_set(err, -MRG_E_UNSUPPORTED, "/linux/devices: users of its own cannot be given '%s', which is not"
					     " that of the host", device->path);
	}
	return 0;
}

/* nspawn gives each container all of these, anew. */
static int check_namespaces(const struct mrg_spec *spec, struct mrg_error *err)
{
	const struct {
		enum mrg_field field;
		const char *value;
	} own[] = {
		{ MRG_FIELD_NS_PID, spec->ns_pid }, { MRG_FIELD_NS_MOUNT, spec->ns_mount }, { MRG_FIELD_NS_UTS, spec->ns_uts },
		{ MRG_FIELD_NS_IPC, spec->ns_ipc }, { MRG_FIELD_NS_CGROUP, spec->ns_cgroup },
	};

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (mrg_fields_has(&spec->set, own[i].field) && !own[i].value) {
			mrg_error_set(err, -MRG_E_UNSUPPORTED, "%s: systemd-nspawn cannot let a container use the host's",
				      mrg_field_info(own[i].field)->path);
			return mrg_error_hint(err, "use the backend native, or leave it private"), -MRG_E_UNSUPPORTED;
		}
	return 0;
}

static int check_root(const struct mrg_spec *spec, struct mrg_error *err)
{
	if (strcmp(spec->root_path, "/") != 0)
		return 0;
	mrg_error_set(err, -MRG_E_UNSUPPORTED, "/root/path: systemd-nspawn cannot use the host's own root%s",
		      spec->ephemeral ? ": it would copy all of it" : " in place");
	return mrg_error_hint(err, "use the backend native with --ephemeral"), -MRG_E_UNSUPPORTED;
}

int nspawn_check(void *self _unused_, const struct mrg_spec *spec, struct mrg_error *err)
{
	struct mrg_nspawn_texts texts;
	struct mrg_spec *reduced = NULL;
	int r = check_root(spec, err);

	if (r == 0)
		r = check_namespaces(spec, err);
	if (r == 0)
		r = check_user(spec, err);
	if (r == 0)
		r = check_devices(spec, err);
	if (r == 0)
		r = nspawn_reduce(spec, &reduced, err);
	if (r < 0)
		return r;
	r = mrg_helper_nspawn_write(reduced, &texts, judge, &(struct judgement){ reduced, err }, err);
	mrg_spec_free(reduced);
	if (r == 0)
		mrg_helper_nspawn_free(&texts);
	return r;
}
