/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The definition of a domain: written by the format, kept by libvirt. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <moorage/format.h>

#include "libvirt.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"

#define NAME_KEY	"org.libvirt.name"	/* annotations that the format knows */
#define UUID_KEY	"org.libvirt.uuid"
#define OWN_FILE	"libvirt.json"		/* in the container's directory: what a definition has no place for */
#define OWN_MAX		(64 * 1024)

/* ---- what it is made of ---------------------------------------------------------------------- */

static bool same_strings(char *const *a, char *const *b)
{
	size_t n = strv_length(a);

	if (n != strv_length(b))
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

static bool same_mount(const struct mrg_mount *a, const struct mrg_mount *b)
{
	return strcmp(a->destination, b->destination) == 0 && strcmp(a->type ? a->type : "", b->type ? b->type : "") == 0 &&
	       same_strings(a->options, b->options);
}

static bool has_mount(const struct mrg_spec *spec, const struct mrg_mount *mount)
{
	for (size_t i = 0; i < spec->mounts.n; i++)
		if (same_mount(&spec->mounts.item[i], mount))
			return true;
	return false;
}

/* The mounts that nobody asked for but our defaults are what the driver decides: it makes some its own way and others not at all. */
static int leave_defaults(struct mrg_spec *spec, struct mrg_error *err)
{
	struct mrg_spec *defaults = mrg_spec_new();
	struct mrg_fields able = { { 0 } };
	size_t n = 0;
	int r = 0;

	if (!defaults)
		return fail_memory(err);
	defaults->boot = spec->boot;
	for (const uint16_t *field = libvirt_fields; *field != MRG_FIELD_END; field++)
		mrg_fields_add(&able, *field);
	mrg_fields_add(&able, MRG_FIELD_NS_CGROUP);
	r = mrg_spec_default(defaults, &able, err);
	for (size_t i = 0; r == 0 && i < spec->mounts.n; i++)
		if (!has_mount(defaults, &spec->mounts.item[i]))
			spec->mounts.item[n++] = spec->mounts.item[i];
	if (r == 0)
		spec->mounts.n = n;
	mrg_spec_free(defaults);
	return r;
}

/* What is done beside the definition, by the core or by us at the start. */
static const enum mrg_field beside[] = {
	MRG_FIELD_HOSTNAME, MRG_FIELD_TERMINAL, MRG_FIELD_CONSOLE_SIZE, MRG_FIELD_ANNOTATIONS, MRG_FIELD_BOOT, MRG_FIELD_INIT, MRG_FIELD_STDIN,
	MRG_FIELD_AUTOSTART, MRG_FIELD_STOP_SIGNAL, MRG_FIELD_STOP_TIMEOUT, MRG_FIELD_LABELS, MRG_FIELD_LOG, MRG_FIELD_MASKED_PATHS,
	MRG_FIELD_READONLY_PATHS,
};

struct judgement {
	const struct mrg_spec *spec;
	struct mrg_error *err;
};

/* Executing a command as a user other than root takes the capabilities away that the sets name, unless they are ambient. */
static bool is_lost_anyway(const struct mrg_spec *spec, int field)
{
	bool root = !mrg_fields_has(&spec->set, MRG_FIELD_USER) && spec->uid == 0;

	return !root && spec->cap_ambient == 0 && (field == MRG_FIELD_CAP_EFFECTIVE || field == MRG_FIELD_CAP_PERMITTED);
}

static int judge(const struct mrg_report_row *row, void *data)
{
	const struct judgement *j = data;

	if (row->verdict < MRG_DROPPED || row->field < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(beside); i++)
		if ((int)beside[i] == row->field)
			return 0;
	if (is_lost_anyway(j->spec, row->field))
		return 0;
	return mrg_error_set(j->err, -MRG_E_UNSUPPORTED, "%s: %s", mrg_field_info((unsigned int)row->field)->name, row->note ? row->note : "cannot be kept");
}

static int annotate(struct mrg_spec *spec, const char *key, const char *value, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;

	for (size_t i = 0; i < spec->annotations.n; i++)
		if (strcmp(spec->annotations.item[i].key, key) == 0) {
			spec->annotations.item[i].value = mrg_spec_strdup(spec, value);
			return spec->annotations.item[i].value ? 0 : fail_memory(err);
		}
	if (asprintf(&text, "%s=%s", key, value) < 0) {
		text = NULL;
		return fail_memory(err);
	}
	return mrg_spec_set(spec, MRG_FIELD_ANNOTATIONS, text, err);
}

/* Version 8 of RFC 9562: the 64 bits of our id, then a mark of ours. */
static void make_uuid(const char *id, char ret[37])
{
	snprintf(ret, 37, "%.8s-%.4s-8%.3s-8%.1s6d-6f6f72616765", id, id + 8, id + 12, id + 15);
}

static int name_it(struct mrg_spec *spec, const struct mrg_unit *unit, struct mrg_error *err)
{
	char uuid[37];
	int r = annotate(spec, NAME_KEY, unit->name, err);

	make_uuid(unit->id, uuid);
	return r < 0 ? r : annotate(spec, UUID_KEY, uuid, err);
}

/* libvirt would take root's group for a user without one. */
static int resolve_user(struct mrg_spec *spec, struct mrg_error *err)
{
	_cleanup_close_ int root = -1;
	_cleanup_free_ char *ids = NULL;
	int r;

	if (!mrg_fields_has(&spec->set, MRG_FIELD_USER) || !spec->user)
		return 0;
	root = open(spec->root_path ? spec->root_path : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return fail_errno(err, -errno, "cannot open the root '%s'", spec->root_path);
	r = mrg_helper_user(spec, root, &ids, NULL, err);
	if (r < 0)
		return r;
	ids[strcspn(ids, ",")] = '\0';
	if (sscanf(ids, "%" SCNu32 ":%" SCNu32, &spec->uid, &spec->gid) != 2)
		return mrg_error_set(err, -EIO, "'%s' is no user", ids);
	mrg_fields_remove(&spec->set, MRG_FIELD_USER);
	mrg_fields_add(&spec->set, MRG_FIELD_UID);
	mrg_fields_add(&spec->set, MRG_FIELD_GID);
	spec->user = NULL;
	return 0;
}

static int write_spec(const struct mrg_unit *unit, const struct mrg_spec *spec, char **ret, mrg_report_fn report, struct mrg_error *err)
{
	struct mrg_spec *copy = NULL;
	int r = mrg_spec_copy(spec, &copy, err);

	if (r == 0)
		r = leave_defaults(copy, err);
	if (r == 0)
		r = resolve_user(copy, err);
	if (r == 0)
		r = libvirt_map_users(copy, err);
	if (r == 0 && unit)
		r = name_it(copy, unit, err);
	if (r == 0)
		r = mrg_format_write("libvirt", copy, ret, report, &(struct judgement){ .spec = copy, .err = err }, err);
	mrg_spec_free(copy);
	return r;
}

int libvirt_write(const struct mrg_unit *unit, const struct mrg_spec *spec, char **ret, struct mrg_error *err)
{
	return write_spec(unit, spec, ret, NULL, err);
}

/* What the writer would lose is refused: before anything has been made. */
int libvirt_check(void *self, const struct mrg_spec *spec, struct mrg_error *err)
{
	_cleanup_free_ char *xml = NULL;

	(void)self;
	return write_spec(NULL, spec, &xml, judge, err);
}

/* ---- what it has no place for --------------------------------------------------------------- */

static const enum mrg_field own_fields[] = { MRG_FIELD_HOSTNAME, MRG_FIELD_TERMINAL, MRG_FIELD_CONSOLE_SIZE, MRG_FIELD_INIT, MRG_FIELD_BOOT };

static int copy_own(struct mrg_spec *to, const struct mrg_spec *from, struct mrg_error *err)
{
	to->hostname = from->hostname ? mrg_spec_strdup(to, from->hostname) : NULL;
	if (from->hostname && !to->hostname)
		return fail_memory(err);
	to->terminal = from->terminal;
	to->console_height = from->console_height;
	to->console_width = from->console_width;
	to->init = from->init;
	to->boot = from->boot;
	for (size_t i = 0; i < ARRAY_SIZE(own_fields); i++)
		if (mrg_fields_has(&from->set, own_fields[i]))
			mrg_fields_add(&to->set, own_fields[i]);
		else
			mrg_fields_remove(&to->set, own_fields[i]);
	return 0;
}

static int write_own(const struct mrg_unit *unit, struct mrg_error *err)
{
	struct mrg_spec *own = mrg_spec_new();
	_cleanup_free_ char *text = NULL;
	int r;

	if (!own)
		return fail_memory(err);
	r = copy_own(own, unit->spec, err);
	if (r == 0)
		r = mrg_spec_emit(own, 0, &text, err);
	mrg_spec_free(own);
	if (r < 0)
		return r;
	r = fd_replace_file(unit->dir, OWN_FILE, text, strlen(text), true);
	return r < 0 ? fail_errno(err, r, "cannot write '" OWN_FILE "'") : 0;
}

static int read_own(const struct mrg_unit *unit, struct mrg_spec *spec, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	struct mrg_spec *own = NULL;
	size_t length;
	int r = fd_read_file(unit->dir, OWN_FILE, OWN_MAX, &text, &length);

	if (r == -ENOENT)
		return 0;
	r = r < 0 ? fail_errno(err, r, "cannot read '" OWN_FILE "'") : mrg_spec_parse(text, length, &own, err);
	if (r == 0)
		r = copy_own(spec, own, err);
	mrg_spec_free(own);
	return r;
}

/* ---- verbs ------------------------------------------------------------------------------------ */

int libvirt_define(struct libvirt *self, const struct mrg_unit *unit, int lock, struct mrg_error *err)
{
	_cleanup_free_ char *xml = NULL;
	struct agent_call call = { .op = AGENT_DEFINE, .fds = &lock, .n_fds = 1 };
	int r = write_own(unit, err);

	if (r == 0)
		r = libvirt_write(unit, unit->spec, &xml, err);
	call.text = xml;
	return r < 0 ? r : libvirt_ask(self, unit->path, &call, NULL, NULL, err);
}

int libvirt_create(void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_close_ int lock = -1;
	int r = libvirt_check_users(unit->spec, err);

	if (r == 0)
		r = libvirt_hold(unit, &lock, err);
	if (r == 0)
		r = libvirt_define(self, unit, lock, err);
	if (r == 0 && unit->spec->autostart)
		r = libvirt_autostart(self, unit, 1, err);
	return r < 0 ? r : 0;
}

/* A transient domain has no file, only the daemon. */
static int read_text(struct libvirt *self, const struct mrg_unit *unit, char **ret, struct mrg_error *err)
{
	if (libvirt_is_defined(unit->name))
		return libvirt_read_definition(unit->name, ret, err);
	return libvirt_ask(self, unit->path, &(struct agent_call){ .op = AGENT_XML, .name = unit->name }, NULL, ret, err);
}

int libvirt_native(void *self, const struct mrg_unit *unit, mrg_explain_fn text, void *data, struct mrg_error *err)
{
	_cleanup_free_ char *xml = NULL;
	int r = read_text(self, unit, &xml, err);

	return r < 0 ? r : text(xml, data);
}

static void autostart_path(const struct mrg_unit *unit, char *ret, size_t size)
{
	snprintf(ret, size, LIBVIRT_CONFIG_DIR "/autostart/%s.xml", unit->name);
}

/* With all they own: the caller frees both. */
static void exchange(struct mrg_spec *a, struct mrg_spec *b)
{
	struct mrg_spec kept = *a;

	*a = *b;
	*b = kept;
}

int libvirt_adopt(void *self, const struct mrg_unit *unit, struct mrg_spec *spec, struct mrg_error *err)
{
	_cleanup_free_ char *xml = NULL;
	struct mrg_spec *read = NULL;
	int r = read_text(self, unit, &xml, err);

	if (r == 0)
		r = mrg_format_read("libvirt", xml, strlen(xml), &read, NULL, NULL, err);
	if (r == 0)
		exchange(spec, read);
	mrg_spec_free(read);
	if (r == 0 && unit->dir >= 0 && !unit->adopted)
		r = read_own(unit, spec, err);
	return r;
}

int libvirt_autostart(void *self, const struct mrg_unit *unit, int on, struct mrg_error *err)
{
	char path[512];
	int r;

	autostart_path(unit, path, sizeof(path));
	if (on < 0)
		return access(path, F_OK) == 0;
	r = libvirt_ask(self, unit->path, &(struct agent_call){ .op = AGENT_AUTOSTART, .name = unit->name, .argument = on }, NULL, NULL, err);
	return r < 0 ? r : on;
}
