/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about what confines a container, and about its life. */

#include "config.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "core/formats/docker/docker.h"
#include "core/spec/table.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"

/* ---- namespaces ------------------------------------------------------------------------------ */

/* What makes a new namespace, by any of the keys. */
static const char *const private_modes[] = { "private", "shareable", "none", NULL };

DOCKER_READER(docker_read_namespace)
{
	const char *mode = value->text;

	if (strv_contains((char *const *)private_modes, mode))
		mode = "private";
	else if (strncmp(mode, "ns:/", 4) == 0)
		mode += 3;
	else if (strncmp(mode, "container:", 10) == 0 || strcmp(mode, "pod") == 0) {
		in->note = "the namespace of another container is not joined: it gets one of its own";
		return MRG_DROPPED;
	} else if (strcmp(mode, "host") != 0)
		return docker_fail(in, "must be private, shareable, none, host, container:NAME or ns:PATH, not '%.40s'", mode);
	return mrg_spec_set(in->spec, (enum mrg_field)key->field, mode, in->err) < 0 ? docker_place(in) : key->verdict;
}

DOCKER_READER(docker_read_users)
{
	if (strcmp(value->text, "host") == 0)
		return mrg_spec_set(in->spec, MRG_FIELD_NS_USER, "host", in->err) < 0 ? docker_place(in) : key->verdict;
	if (strncmp(value->text, "ns:/", 4) == 0)
		return mrg_spec_set(in->spec, MRG_FIELD_NS_USER, value->text + 3, in->err) < 0 ? docker_place(in) : key->verdict;
	if (strncmp(value->text, "container:", 10) == 0) {
		in->note = "the users of another container are not shared, and it gets none of its own";
		return MRG_WEAKENS;
	}
	if (mrg_spec_set(in->spec, MRG_FIELD_NS_USER, "private", in->err) < 0)
		return docker_place(in);
	if (docker_member(in->host, "IDMappings", JSON_OBJECT))
		return key->verdict;
	in->note = "the engine chooses the range of users: choose one";
	return MRG_APPROXIMATED;
}

static int add_mappings(struct docker_reader *in, const struct json *list,
			int (*add)(struct mrg_spec *spec, const struct mrg_id_mapping *item, struct mrg_error *err))
{
	for (const struct json *item = list ? list->first : NULL; item; item = item->next) {
		struct mrg_id_mapping map;
		int end = 0;

		if (item->type != JSON_STRING || strlen(item->text) > 40 ||
		    sscanf(item->text, "%10" SCNu32 ":%10" SCNu32 ":%10" SCNu32 "%n", &map.container_id, &map.host_id, &map.size, &end) != 3 ||
		    item->text[end] || map.size == 0 || map.container_id == UINT32_MAX || map.host_id == UINT32_MAX)
			return docker_fail(in, "must be CONTAINER:HOST:SIZE");
		if (add(in->spec, &map, in->err) < 0)
			return docker_place(in);
	}
	return 0;
}

DOCKER_READER(docker_read_mappings)
{
	int r = add_mappings(in, docker_member(value, "UidMap", JSON_ARRAY), mrg_spec_add_uid_mapping);

	if (r == 0)
		r = add_mappings(in, docker_member(value, "GidMap", JSON_ARRAY), mrg_spec_add_gid_mapping);
	return r < 0 ? r : key->verdict;
}

/* ---- capabilities ----------------------------------------------------------------------------- */

static int read_caps(struct docker_reader *in, const struct json *list, uint64_t *ret)
{
	for (const struct json *item = list->first; item; item = item->next) {
		int cap = item->type == JSON_STRING ? parse_capability(item->text) : -1;

		if (item->type == JSON_STRING && (strcmp(item->text, "ALL") == 0 || strcmp(item->text, "all") == 0 ||
						  strcmp(item->text, "CAP_ALL") == 0))
			*ret = ENGINE_CAPS_ALL;
		else if (cap < 0)
			return docker_fail(in, "must be capabilities, not '%.40s'", item->type == JSON_STRING ? item->text : "another value");
		else
			*ret |= UINT64_C(1) << cap;
	}
	return 0;
}

DOCKER_READER(docker_read_caps)
{
	bool whole = strcmp(key->name, "EffectiveCaps") == 0 || strcmp(key->name, "BoundingCaps") == 0;
	uint64_t caps = 0;
	int r = read_caps(in, value, whole ? &caps : strcmp(key->name, "HostConfig.CapAdd") == 0 ? &in->add : &in->drop);

	if (r < 0 || !whole)
		return r < 0 ? r : key->verdict;
	*(uint64_t *)member_at(&spec_fields[key->field].value, in->spec) = caps;
	mrg_fields_add(&in->spec->set, (unsigned int)key->field);
	return key->verdict;
}

DOCKER_READER(docker_read_privileged)
{
	(void)value;
	in->note = "all devices and capabilities, and no filter: say what it needs instead";
	return key->verdict;
}

/* Podman says what comes out; Docker says what differs from its list. */
static int finish_caps(struct docker_reader *in)
{
	uint64_t caps = in->privileged ? ENGINE_CAPS_ALL : in->podman ? engine_caps_podman : engine_caps_docker;

	if (in->add == ENGINE_CAPS_ALL)
		caps = ENGINE_CAPS_ALL & ~in->drop;
	else if (in->drop == ENGINE_CAPS_ALL)
		caps = in->add;
	else
		caps = (caps | in->add) & ~in->drop;
	if (!mrg_fields_has(&in->spec->set, MRG_FIELD_CAP_BOUNDING)) {
		engine_finish_caps(in->spec, caps, 0);
	} else {
		uint64_t effective = in->spec->cap_effective;

		engine_finish_caps(in->spec, in->spec->cap_bounding, effective);
		in->spec->cap_effective = in->spec->cap_permitted = effective;
	}
	return 0;
}

/* ---- other confinement -------------------------------------------------------------------------- */

/* A profile in the form of OCI is taken; Docker's own form has conditions, and Podman has the path of a file. */
static int read_seccomp(struct docker_reader *in, const char *text)
{
	struct mrg_error err = { 0 };

	if (strcmp(text, "unconfined") == 0)
		return mrg_spec_set(in->spec, MRG_FIELD_SECCOMP_PROFILE, "unconfined", in->err) < 0 ? docker_place(in) : MRG_CARRIED;
	if (strcmp(text, "builtin") == 0 || strcmp(text, "default") == 0)
		return MRG_CARRIED;
	if (*text == '{' && mrg_spec_set(in->spec, MRG_FIELD_SECCOMP, text, &err) == 0)
		return MRG_CARRIED;
	in->note = *text == '{' ? "the filter of system calls is not in the form of OCI" : "the filter of system calls is in a file, which is not read";
	return MRG_WEAKENS;
}

static int read_label(struct docker_reader *in, const char *text)
{
	if (strcmp(text, "disable") == 0)
		return MRG_CARRIED;
	in->note = "SELinux labels are chosen by the engine: the whole label is in ProcessLabel";
	return *docker_text(in->container, "ProcessLabel") ? MRG_APPROXIMATED : MRG_WEAKENS;
}

static int read_unmask(struct docker_reader *in, const char *text)
{
	if (strcmp(text, "ALL") != 0 && strcmp(text, "all") != 0 && strcmp(text, "unconfined") != 0) {
		in->note = "single paths stay hidden or read-only";
		return MRG_DROPPED;
	}
	in->unconfined_paths = true;
	return MRG_CARRIED;
}

static int read_mask(struct docker_reader *in, const char *text)
{
	in->note = "hides paths of its own";
	(void)text;
	return MRG_WEAKENS;
}

static int read_apparmor(struct docker_reader *in, const char *text)
{
	return mrg_spec_set(in->spec, MRG_FIELD_APPARMOR_PROFILE, text, in->err) < 0 ? docker_place(in) : MRG_CARRIED;
}

static int read_privileges(struct docker_reader *in, const char *text)
{
	return mrg_spec_set(in->spec, MRG_FIELD_NO_NEW_PRIVILEGES, *text ? text : "yes", in->err) < 0 ? docker_place(in) : MRG_CARRIED;
}

/* NAME=VALUE, or NAME:VALUE as it was before. */
static const struct {
	const char *name;
	int (*read)(struct docker_reader *in, const char *text);
} security[] = {
	{ "seccomp", read_seccomp }, { "apparmor", read_apparmor }, { "label", read_label }, { "no-new-privileges", read_privileges },
	{ "systempaths", read_unmask }, { "unmask", read_unmask }, { "mask", read_mask },
};

static int read_option(struct docker_reader *in, const char *option)
{
	size_t length = strcspn(option, "=:");

	for (size_t i = 0; i < ARRAY_SIZE(security); i++)
		if (strlen(security[i].name) == length && strncmp(security[i].name, option, length) == 0)
			return security[i].read(in, option[length] ? option + length + 1 : "");
	docker_note(in, "'%.*s' is not known", (int)(length < 40 ? length : 40), option);
	return MRG_WEAKENS;
}

DOCKER_READER(docker_read_security)
{
	int worst = key->verdict;
	const char *note = NULL;

	for (const struct json *item = value->first; item; item = item->next) {
		int verdict;

		if (item->type != JSON_STRING)
			return docker_fail(in, "must be an array of strings");
		in->note = NULL;
		verdict = read_option(in, item->text);
		if (verdict < 0)
			return verdict;
		if (verdict > worst) {
			worst = verdict;
			note = in->note;
		}
	}
	in->note = note;
	return worst;
}

/* Runtimes that put a kernel or a monitor of their own between container and host confine more than any field says. */
DOCKER_READER(docker_read_runtime)
{
	static const char *const plain[] = { "runc", "crun", "oci", "youki", "io.containerd.runc.v2", "docker-runc", NULL };
	const char *name = strrchr(value->text, '/') ? strrchr(value->text, '/') + 1 : value->text;

	if (strv_contains((char *const *)plain, name))
		return key->verdict;
	docker_note(in, "the runtime '%.40s' may confine by means of its own", name);
	return MRG_WEAKENS;
}

DOCKER_READER(docker_read_groups)
{
	int verdict = key->verdict;
	uint32_t gid;

	for (const struct json *item = value->first; item; item = item->next) {
		if (item->type != JSON_STRING)
			return docker_fail(in, "must be an array of strings");
		if (parse_uint32(item->text, &gid) < 0) {
			in->note = "names of groups are not looked up: give numbers";
			verdict = MRG_DROPPED;
		} else if (mrg_spec_set(in->spec, MRG_FIELD_ADDITIONAL_GIDS, item->text, in->err) < 0) {
			return docker_place(in);
		}
	}
	return verdict;
}

DOCKER_READER(docker_read_paths)
{
	bool masked = key->field == MRG_FIELD_MASKED_PATHS;

	*(masked ? &in->masked : &in->readonly) = true;
	return docker_read_simple(in, key, value);
}

static int add_paths(struct docker_reader *in, enum mrg_field field, const char *const *paths)
{
	int r = 0;

	for (; *paths && r == 0; paths++)
		r = mrg_spec_set(in->spec, field, *paths, in->err);
	return r;
}

int docker_finish_confinement(struct docker_reader *in)
{
	struct mrg_spec *spec = in->spec;
	bool open = in->privileged || in->unconfined_paths;
	int r = finish_caps(in);

	if (r == 0)
		r = engine_add_namespaces(spec, in->err);
	if (r == 0 && !in->masked && !open)
		r = add_paths(in, MRG_FIELD_MASKED_PATHS, engine_masked);
	if (r == 0 && !in->readonly && !open)
		r = add_paths(in, MRG_FIELD_READONLY_PATHS, engine_readonly);
	if (r == 0 && !mrg_fields_has(&spec->set, MRG_FIELD_SECCOMP) && !mrg_fields_has(&spec->set, MRG_FIELD_SECCOMP_PROFILE))
		r = mrg_spec_set(spec, MRG_FIELD_SECCOMP_PROFILE, in->privileged ? "unconfined" : "default", in->err);
	if (r == 0 && !mrg_fields_has(&spec->set, MRG_FIELD_NO_NEW_PRIVILEGES))
		r = mrg_spec_set(spec, MRG_FIELD_NO_NEW_PRIVILEGES, "no", in->err);
	return r;
}

/* ---- its life ------------------------------------------------------------------------------------- */

DOCKER_READER(docker_read_restart)
{
	const char *name = docker_text(value, "Name");
	const struct json *tries = docker_member(value, "MaximumRetryCount", JSON_NUMBER);

	if (!*name || strcmp(name, "no") == 0)
		return key->verdict;
	if (mrg_spec_set(in->spec, MRG_FIELD_RESTART, name, in->err) < 0)
		return docker_place(in);
	/* The daemon starts them when it starts itself. */
	if (strcmp(name, "on-failure") != 0 && mrg_spec_set(in->spec, MRG_FIELD_AUTOSTART, "yes", in->err) < 0)
		return docker_place(in);
	if (!tries || strcmp(tries->text, "0") == 0)
		return key->verdict;
	in->note = "there is no limit to how often it is started again";
	return MRG_APPROXIMATED;
}

/* Drivers that write a file, and the one that writes none. */
DOCKER_READER(docker_read_log)
{
	static const char *const files[] = { "json-file", "local", "k8s-file", "file", NULL };
	const char *type = docker_text(value, "Type"), *size = docker_text(docker_member(value, "Config", JSON_OBJECT), "max-size");
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };
	bool none = strcmp(type, "none") == 0;
	int64_t bytes = 0;

	if (!*type)
		return key->verdict;
	if (!none && !strv_contains((char *const *)files, type)) {
		docker_note(in, "the log does not go to '%.40s'", type);
		return MRG_DROPPED;
	}
	if (!*size)
		size = docker_text(value, "Size");
	if (*size && (parse_size(size, &bytes) < 0 || bytes < 0))
		return docker_fail(in, "has the size '%.40s'", size);
	buffer_addf(&b, "{\"driver\":\"%s\",\"maxSize\":%" PRId64 "}", none ? "none" : "file", none ? 0 : bytes);
	if (b.failed)
		return fail_memory(in->err);
	if (mrg_spec_set(in->spec, MRG_FIELD_LOG, b.text, in->err) < 0)
		return docker_place(in);
	in->note = "where and how the log is kept is Moorage's own";
	return none ? key->verdict : MRG_APPROXIMATED;
}
