/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A configuration from elsewhere is hostile: what reaches out to the host, or confines less than a new container is confined, needs its name said. */

#include "config.h"

#include <errno.h>
#include <string.h>

#include "core/archive/import/import.h"
#include "core/convert/convert.h"
#include "core/formats/native.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/str.h"

bool import_accepts(const char *const *accept, const char *name, const char *path)
{
	for (; accept && *accept; accept++)
		if (strcmp(*accept, "all") == 0 || strcmp(*accept, name) == 0 || (path && strcmp(*accept, path) == 0))
			return true;
	return false;
}

/* ---- what each field may not say -------------------------------------------------------- */

/* The kernel's file systems and new ones hold nothing of the host; a path of it does. */
static bool reaches_host(const struct mrg_spec *s, const struct mrg_spec *usual)
{
	(void)usual;
	for (size_t i = 0; i < s->mounts.n; i++) {
		const struct mrg_mount *mount = &s->mounts.item[i];

		if (mount->source && mount->source[0] == '/')
			return true;
		for (char **option = mount->options; option && *option; option++)
			if (strcmp(*option, "bind") == 0 || strcmp(*option, "rbind") == 0)
				return true;
		if (!mount->type || strcmp(mount->type, "bind") == 0)
			return true;
	}
	return false;
}

static bool has_devices(const struct mrg_spec *s, const struct mrg_spec *usual)
{
	(void)usual;
	return s->devices.n > 0;
}

static bool allows(const struct mrg_spec *s, const struct mrg_device_rule *rule)
{
	for (size_t i = 0; i < s->device_rules.n; i++) {
		const struct mrg_device_rule *other = &s->device_rules.item[i];

		if (other->allow && strcmp(other->type ? other->type : "a", rule->type ? rule->type : "a") == 0 && other->major == rule->major &&
		    other->minor == rule->minor)
			return true;
	}
	return false;
}

/* To make a node is not to open it: "m" alone lets nobody reach a device. */
static bool allows_devices(const struct mrg_spec *s, const struct mrg_spec *usual)
{
	for (size_t i = 0; i < s->device_rules.n; i++) {
		const struct mrg_device_rule *rule = &s->device_rules.item[i];

		if (rule->allow && !(rule->access && strcmp(rule->access, "m") == 0) && !allows(usual, rule))
			return true;
	}
	return false;
}

static bool is_said(const struct mrg_spec *s, const struct mrg_spec *usual)
{
	(void)s;
	(void)usual;
	return true;
}

/* Sets of capabilities: more than a system that boots has. */
#define MORE_CAPS(member)										\
	static bool more_##member(const struct mrg_spec *s, const struct mrg_spec *usual)		\
	{												\
		return s->member & ~usual->cap_bounding;						\
	}
MORE_CAPS(cap_bounding)
MORE_CAPS(cap_effective)
MORE_CAPS(cap_permitted)
MORE_CAPS(cap_ambient)
MORE_CAPS(cap_inheritable)

/* Namespaces: the host's, or one that somebody else is in. */
#define SHARED(member)											\
	static bool shared_##member(const struct mrg_spec *s, const struct mrg_spec *usual)		\
	{												\
		return (!s->member && usual->member) || (s->member && *s->member);			\
	}
SHARED(ns_pid)
SHARED(ns_mount)
SHARED(ns_uts)
SHARED(ns_ipc)
SHARED(ns_network)
SHARED(ns_user)

static bool unfiltered(const struct mrg_spec *s, const struct mrg_spec *usual)
{
	(void)usual;
	return s->seccomp_profile && strcmp(s->seccomp_profile, "unconfined") == 0;
}

static bool unconfined(const struct mrg_spec *s, const struct mrg_spec *usual)
{
	(void)usual;
	return s->apparmor_profile && strcmp(s->apparmor_profile, "unconfined") == 0;
}

static bool propagates(const struct mrg_spec *s, const struct mrg_spec *usual)
{
	(void)usual;
	return s->rootfs_propagation && strstr(s->rootfs_propagation, "shared");
}

static bool is_greedy(const struct mrg_spec *s, const struct mrg_spec *usual)
{
	(void)usual;
	return s->oom_score_adj < 0;
}

/* A device of the host's network. */
static bool takes_network(const struct mrg_spec *s, const struct mrg_spec *usual)
{
	(void)usual;
	return s->networks_json && (strstr(s->networks_json, "\"phys") || strstr(s->networks_json, "\"host") || strstr(s->networks_json, "\"interface\""));
}

static bool maps_root(const struct mrg_spec *s, const struct mrg_spec *usual)
{
	(void)usual;
	for (size_t i = 0; i < s->uid_mappings.n; i++)
		if (s->uid_mappings.item[i].host_id == 0)
			return true;
	return false;
}

static const struct {
	enum mrg_field field;
	bool (*refused)(const struct mrg_spec *s, const struct mrg_spec *usual);
	bool unset;			/* also what is not said may be less than usual */
	const char *text;
} rows[] = {
	{ MRG_FIELD_MOUNTS, reaches_host, false, "files of the host" },
	{ MRG_FIELD_DEVICES, has_devices, false, "devices" },
	{ MRG_FIELD_DEVICE_RULES, allows_devices, false, "access to devices" },
	{ MRG_FIELD_HOOKS, is_said, false, "programs run on the host" },
	{ MRG_FIELD_CAP_BOUNDING, more_cap_bounding, false, "capabilities" },
	{ MRG_FIELD_CAP_EFFECTIVE, more_cap_effective, false, "capabilities" },
	{ MRG_FIELD_CAP_PERMITTED, more_cap_permitted, false, "capabilities" },
	{ MRG_FIELD_CAP_AMBIENT, more_cap_ambient, false, "capabilities" },
	{ MRG_FIELD_CAP_INHERITABLE, more_cap_inheritable, false, "capabilities" },
	{ MRG_FIELD_NS_PID, shared_ns_pid, true, "the host's processes" },
	{ MRG_FIELD_NS_MOUNT, shared_ns_mount, true, "the host's mounts" },
	{ MRG_FIELD_NS_UTS, shared_ns_uts, false, "the host's name" },
	{ MRG_FIELD_NS_IPC, shared_ns_ipc, true, "the host's shared memory" },
	{ MRG_FIELD_NS_NETWORK, shared_ns_network, true, "the host's network" },
	{ MRG_FIELD_NS_USER, shared_ns_user, false, "others' ids" },
	{ MRG_FIELD_UID_MAPPINGS, maps_root, false, "the host's root" },
	{ MRG_FIELD_SECCOMP_PROFILE, unfiltered, false, "no filter of system calls" },
	{ MRG_FIELD_APPARMOR_PROFILE, unconfined, false, "no AppArmor profile" },
	{ MRG_FIELD_ROOTFS_PROPAGATION, propagates, false, "mounts that spread to the host" },
	{ MRG_FIELD_CGROUPS_PATH, is_said, false, "a place among the host's cgroups" },
	{ MRG_FIELD_OOM_SCORE_ADJ, is_greedy, false, "memory before others" },
	{ MRG_FIELD_NETWORKS, takes_network, false, "a network device of the host" },
	{ MRG_FIELD_VOLUMES, is_said, false, "volumes of the host" },
	{ MRG_FIELD_OPTIONS, is_said, false, "options of the backend" },
};

/* ---- what is refused ------------------------------------------------------------------------ */

#define LIST_MAX	220		/* so that the hint has room behind it */

#define ALL_OF_THIS	"all of this is accepted with:"

struct verdict {
	const char *const *accept;
	struct buffer list, hint;
	size_t more;			/* for which there was no room */
};

/* Once for each name. */
static void refuse(struct verdict *v, const char *name, const char *text)
{
	_cleanup_(buffer_deinit) struct buffer word = { .text = NULL };
	size_t room = v->list.length + strlen(name) + strlen(text);

	buffer_addf(&word, " --accept %s", name);
	v->list.failed |= word.failed;
	if (word.failed || (v->hint.length && strstr(v->hint.text, word.text)))
		return;
	if (room < LIST_MAX && v->more == 0)
		buffer_addf(&v->list, "%s%s (%s)", v->list.length ? ", " : "", name, text);
	else
		v->more++;
	buffer_add(&v->hint, word.text, word.length);
}

static int judge_key(const char *engine, const char *name, const char *value, void *data)
{
	const struct mrg_report_row row = { .source = name, .field = MRG_FIELD_NATIVE };
	struct verdict *v = data;
	char text[80];

	/* Nobody wrote this one: it is the rest of the mounts' options. */
	if (strcmp(name, IMPORT_MOUNT_OPTIONS) == 0 && import_accepts(v->accept, "mounts", "/mounts"))
		return 0;
	if (import_is_harmless(engine, name, value) || import_accepts(v->accept, name, NULL) || report_row_accepted(&row, v->accept))
		return 0;
	snprintf(text, sizeof(text), "a key of %.40s", engine);
	if (strcmp(name, IMPORT_MOUNT_OPTIONS) == 0)
		refuse(v, "mounts", "files of the host");
	else
		refuse(v, name, text);
	return 0;
}

/* The sets of capabilities are named together; each has a name of its own as well. */
static const char *name_of(const struct mrg_field_info *info)
{
	static const char caps[] = "process.capabilities";

	return strncmp(info->name, caps, sizeof(caps) - 1) == 0 ? caps : info->name;
}

static void judge_fields(struct verdict *v, const struct mrg_spec *spec, const struct mrg_spec *usual)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct mrg_field_info *info = mrg_field_info(rows[i].field);

		if ((rows[i].unset || mrg_fields_has(&spec->set, rows[i].field)) && rows[i].refused(spec, usual) &&
		    !import_accepts(v->accept, info->name, info->path) && !import_accepts(v->accept, name_of(info), NULL))
			refuse(v, name_of(info), rows[i].text);
	}
}

static int tell(const struct verdict *v, struct mrg_error *err)
{
	char more[40] = "";

	if (v->list.failed || v->hint.failed)
		return fail_memory(err);
	if (v->more > 0)
		snprintf(more, sizeof(more), ", and %zu more", v->more);
	mrg_error_set(err, -MRG_E_PERMISSION, "its configuration asks for more than a container from elsewhere gets: %s%s", v->list.text, more);
	/* Half a hint is none. */
	if (err && strlen(err->message) + strlen(ALL_OF_THIS) + v->hint.length + 2 < sizeof(err->message))
		mrg_error_hint(err, ALL_OF_THIS "%s", v->hint.text);
	else
		mrg_error_hint(err, "what is wanted is accepted by its name, or all of it: --accept all");
	return -MRG_E_PERMISSION;
}

/* ---- what words can name ---------------------------------------------------------------------- */

static int add_key(const char *engine, const char *name, const char *value, void *data)
{
	(void)engine;
	(void)value;
	return report_rows_add(&(struct mrg_report_row){ .source = name, .field = MRG_FIELD_NATIVE }, data);
}

int import_names(const struct mrg_spec *spec, struct report_rows *ret, struct mrg_error *err)
{
	static const char *const groups[] = { "devices", "mounts", "process.capabilities" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(groups) && r == 0; i++)
		r = report_rows_add(&(struct mrg_report_row){ .source = groups[i], .field = -1 }, ret);
	for (size_t i = 0; i < ARRAY_SIZE(rows) && r == 0; i++)
		r = report_rows_add(&(struct mrg_report_row){ .field = rows[i].field }, ret);
	for (unsigned int field = 0; spec && field < MRG_FIELD_MAX && r == 0; field++)
		if (mrg_fields_has(&spec->set, field))
			r = report_rows_add(&(struct mrg_report_row){ .field = (int)field }, ret);
	if (r == 0 && spec)
		r = native_each(spec, add_key, ret, err);
	return r == -ENOMEM ? fail_memory(err) : r;
}

int import_check_words(const struct mrg_spec *spec, const char *const *accept, struct mrg_error *err)
{
	struct report_rows names = { NULL, 0 };
	int r = accept && *accept ? import_names(spec, &names, err) : 0;

	if (r == 0)
		r = report_rows_check_words(names.item, names.n, accept, err);
	report_rows_deinit(&names);
	return r;
}

/* ---- judging ------------------------------------------------------------------------------------ */

int import_accept(const struct mrg_spec *spec, const char *const *accept, struct mrg_error *err)
{
	struct verdict v = { .accept = accept };
	struct mrg_spec *usual = mrg_spec_new();
	int r = usual ? mrg_spec_set(usual, MRG_FIELD_BOOT, "yes", err) : fail_memory(err);

	if (r == 0)
		r = mrg_spec_default(usual, NULL, err);
	if (r == 0) {
		judge_fields(&v, spec, usual);
		r = native_each(spec, judge_key, &v, err);
	}
	if (r == 0 && (v.list.length || v.list.failed))
		r = tell(&v, err);
	buffer_deinit(&v.list);
	buffer_deinit(&v.hint);
	mrg_spec_free(usual);
	return r;
}
