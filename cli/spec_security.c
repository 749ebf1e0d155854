/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options that widen or narrow what a container may do. They come on top of the defaults. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "cli/spec_build.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"

#define CAPS_ALL    ((UINT64_C(1) << (CAPABILITY_LAST + 1)) - 1)
#define PROFILE_MAX (1U << 20)

/* "ALL" or one name. */
static int parse_caps(const char *text, uint64_t *ret, struct mrg_error *err)
{
	int number = parse_capability(text);

	if (strcmp(text, "ALL") == 0 || strcmp(text, "all") == 0)
		*ret = CAPS_ALL;
	else if (number >= 0)
		*ret = UINT64_C(1) << number;
	else
		return mrg_error_set(err, -MRG_E_INVALID, "there is no capability '%s'", text);
	return 0;
}

static void set_caps(struct mrg_spec *spec, enum mrg_field field, uint64_t *member, uint64_t caps)
{
	*member = caps;
	mrg_fields_add(&spec->set, field);
}

static bool is_root(const struct mrg_spec *spec)
{
	if (spec->user)
		return strcmp(spec->user, "root") == 0 || strcmp(spec->user, "0") == 0 ||
		       strncmp(spec->user, "0:", 2) == 0 || strncmp(spec->user, "root:", 5) == 0;
	return spec->uid == 0;
}

static void add_caps(struct mrg_spec *spec, uint64_t caps)
{
	set_caps(spec, MRG_FIELD_CAP_BOUNDING, &spec->cap_bounding, spec->cap_bounding | caps);
	set_caps(spec, MRG_FIELD_CAP_EFFECTIVE, &spec->cap_effective, spec->cap_effective | caps);
	set_caps(spec, MRG_FIELD_CAP_PERMITTED, &spec->cap_permitted, spec->cap_permitted | caps);
	if (is_root(spec))
		return;
	/* Without these two an exec as an ordinary user would take them away again. */
	set_caps(spec, MRG_FIELD_CAP_INHERITABLE, &spec->cap_inheritable, spec->cap_inheritable | caps);
	set_caps(spec, MRG_FIELD_CAP_AMBIENT, &spec->cap_ambient, spec->cap_ambient | caps);
}

static int each_cap(struct builder *b, const char *text, bool add, struct mrg_error *err)
{
	_cleanup_free_ char *copy = strdup(text);
	struct mrg_spec *spec = b->spec;
	char *at = copy;
	uint64_t caps = 0;
	int r;

	if (!copy)
		return no_memory(err);
	for (char *word; (word = next_part(&at, ','));) {
		r = parse_caps(word, &caps, err);
		if (r < 0)
			return r;
		if (add) {
			add_caps(spec, caps);
			continue;
		}
		set_caps(spec, MRG_FIELD_CAP_BOUNDING, &spec->cap_bounding, spec->cap_bounding & ~caps);
		set_caps(spec, MRG_FIELD_CAP_EFFECTIVE, &spec->cap_effective, spec->cap_effective & ~caps);
		set_caps(spec, MRG_FIELD_CAP_PERMITTED, &spec->cap_permitted, spec->cap_permitted & ~caps);
		spec->cap_inheritable &= ~caps;
		spec->cap_ambient &= ~caps;
	}
	return 0;
}

int apply_cap_add(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err)
{
	(void)option;
	return each_cap(b, text, true, err);
}

int apply_cap_drop(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err)
{
	(void)option;
	return each_cap(b, text, false, err);
}

static void unmask_all(struct mrg_spec *spec)
{
	spec->masked_paths = NULL;
	spec->readonly_paths = NULL;
	mrg_fields_remove(&spec->set, MRG_FIELD_MASKED_PATHS);
	mrg_fields_remove(&spec->set, MRG_FIELD_READONLY_PATHS);
}

/* Without a profile there is no filter. */
static void unfilter(struct mrg_spec *spec)
{
	spec->seccomp = NULL;
	spec->seccomp_profile = NULL;
	mrg_fields_remove(&spec->set, MRG_FIELD_SECCOMP);
	mrg_fields_remove(&spec->set, MRG_FIELD_SECCOMP_PROFILE);
}

/* For what a backend that lacks the field does anyway. */
static int set_if_able(struct builder *b, enum mrg_field field, const char *text, struct mrg_error *err)
{
	return mrg_fields_has(b->able, field) ? mrg_spec_set(b->spec, field, text, err) : 0;
}

/* Everything that keeps a container in, except its namespaces. */
int apply_privileged(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err)
{
	const struct mrg_device_rule all = { .allow = 1, .type = "a", .major = -1, .minor = -1, .access = "rwm" };
	struct mrg_spec *spec = b->spec;
	bool on = true;
	int r;

	(void)option;
	if (text && parse_bool(text, &on) < 0)
		return mrg_error_set(err, -MRG_E_INVALID, "takes yes or no, not '%s'", text);
	if (!on)
		return 0;
	add_caps(spec, CAPS_ALL);
	unmask_all(spec);
	unfilter(spec);
	r = set_if_able(b, MRG_FIELD_NO_NEW_PRIVILEGES, "no", err);
	if (r == 0 && mrg_fields_has(b->able, MRG_FIELD_DEVICE_RULES))
		r = mrg_spec_add_device_rule(spec, &all, err);
	if (r == 0)
		cli_note(b->cli, "warning: --privileged: this container can take over the host");
	return r;
}

static int security_seccomp(struct builder *b, const char *value, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r;

	if (!value || !*value)
		return mrg_error_set(err, -MRG_E_INVALID, "seccomp takes default, unconfined or a file");
	unfilter(b->spec);
	if (strcmp(value, "unconfined") == 0)
		return 0;
	if (word_in("default boot", value))
		return mrg_spec_set(b->spec, MRG_FIELD_SECCOMP_PROFILE, value, err);
	r = file_read(value, PROFILE_MAX, &text, &length, err);
	return r < 0 ? r : mrg_spec_set(b->spec, MRG_FIELD_SECCOMP, text, err);
}

static int security_no_new_privileges(struct builder *b, const char *value, struct mrg_error *err)
{
	return mrg_spec_set(b->spec, MRG_FIELD_NO_NEW_PRIVILEGES, value ? value : "yes", err);
}

static void remove_path(char **paths, const char *path)
{
	char **to = paths;

	for (; paths && *paths; paths++)
		if (strcmp(*paths, path) != 0)
			*to++ = *paths;
	if (to)
		*to = NULL;
}

static int security_unmask(struct builder *b, const char *value, struct mrg_error *err)
{
	_cleanup_free_ char *copy = strdup(value ? value : "");
	char *at = copy;

	if (!copy)
		return no_memory(err);
	if (!*copy)
		return mrg_error_set(err, -MRG_E_INVALID, "unmask takes ALL or paths");
	if (strcmp(copy, "ALL") == 0 || strcmp(copy, "all") == 0) {
		unmask_all(b->spec);
		return 0;
	}
	for (char *path; (path = next_part(&at, ':'));) {
		remove_path(b->spec->masked_paths, path);
		remove_path(b->spec->readonly_paths, path);
	}
	return 0;
}

static int security_mask(struct builder *b, const char *value, struct mrg_error *err)
{
	_cleanup_free_ char *copy = strdup(value ? value : "");
	char *at = copy;
	int r = 0;

	if (!copy)
		return no_memory(err);
	if (!*copy)
		return mrg_error_set(err, -MRG_E_INVALID, "mask takes paths");
	for (char *path; r == 0 && (path = next_part(&at, ':'));)
		r = mrg_spec_set(b->spec, MRG_FIELD_MASKED_PATHS, path, err);
	return r;
}

static int security_system_paths(struct builder *b, const char *value, struct mrg_error *err)
{
	if (!value || strcmp(value, "unconfined") != 0)
		return mrg_error_set(err, -MRG_E_INVALID, "systempaths takes unconfined");
	unmask_all(b->spec);
	return 0;
}

/* The words for "no profile" set nothing: there is none without being asked for. */
static int security_apparmor(struct builder *b, const char *value, struct mrg_error *err)
{
	if (value && strcmp(value, "unconfined") == 0)
		return 0;
	return mrg_spec_set(b->spec, MRG_FIELD_APPARMOR_PROFILE, value ? value : "", err);
}

static int security_label(struct builder *b, const char *value, struct mrg_error *err)
{
	if (value && strcmp(value, "disable") == 0)
		return 0;
	return mrg_spec_set(b->spec, MRG_FIELD_SELINUX_LABEL, value ? value : "", err);
}

/* A spelling that is not understood must not pass: it may have been meant to protect. */
int apply_security(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err)
{
	static const struct {
		const char *name;
		int (*apply)(struct builder *b, const char *value, struct mrg_error *err);
	} words[] = {
		{ "no-new-privileges", security_no_new_privileges },
		{ "seccomp", security_seccomp },
		{ "unmask", security_unmask },
		{ "mask", security_mask },
		{ "systempaths", security_system_paths },
		{ "apparmor", security_apparmor },
		{ "label", security_label },
	};
	size_t length = strcspn(text, "=:");

	(void)option;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i].name) == length && strncmp(words[i].name, text, length) == 0)
			return words[i].apply(b, text[length] ? text + length + 1 : NULL, err);
	mrg_error_set(err, -MRG_E_INVALID, "there is no '%s'", text);
	return mrg_error_hint(
		err, "there are no-new-privileges, seccomp=FILE|default|unconfined, mask=PATH and unmask=ALL|PATH");
}

/* ---- user namespaces ---- */

static int map_ids(struct builder *b, uint32_t container, uint32_t host, uint32_t size, int which,
		   struct mrg_error *err)
{
	const struct mrg_id_mapping map = { container, host, size };
	int r = 0;

	if (which & 1)
		r = mrg_spec_add_uid_mapping(b->spec, &map, err);
	if (r == 0 && which & 2)
		r = mrg_spec_add_gid_mapping(b->spec, &map, err);
	return r;
}

/* KIND=CONTAINER:HOST:SIZE */
static int map_by_text(struct builder *b, const char *text, int *seen, struct mrg_error *err)
{
	_cleanup_free_ char *copy = strdup(text);
	char *at = copy, *kind = next_part(&at, '='), *part[3];
	uint32_t number[3];
	int which = !kind ? 0 : strcmp(kind, "uidmap") == 0 ? 1 : strcmp(kind, "gidmap") == 0 ? 2 : 0;

	if (!copy)
		return no_memory(err);
	for (size_t i = 0; i < ARRAY_SIZE(part); i++) {
		part[i] = next_part(&at, ':');
		if (!which || !part[i] || parse_uint32(part[i], &number[i]) < 0)
			return mrg_error_set(err, -MRG_E_INVALID,
					     "takes host, auto or uidmap=CONTAINER:HOST:SIZE[,gidmap=...], not '%s'",
					     text);
	}
	*seen |= which;
	return map_ids(b, number[0], number[1], number[2], which, err);
}

int apply_userns(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err)
{
	_cleanup_free_ char *copy = strdup(option->value ? option->value : text);
	char *at = copy;
	int seen = 0, r;

	if (!copy)
		return no_memory(err);
	if (strcmp(copy, "host") == 0)
		return set_if_able(b, MRG_FIELD_NS_USER, "host", err);
	r = mrg_spec_set(b->spec, MRG_FIELD_NS_USER, "private", err);
	/* The backend chooses: it knows which ids are in use, and which ones this user has. */
	if (r == 0 && word_in("auto private", copy))
		return 0;
	for (char *word; r == 0 && (word = next_part(&at, ','));)
		r = map_by_text(b, word, &seen, err);
	/* One map given stands for both, as with podman. */
	for (size_t i = 0; r == 0 && seen == 1 && i < b->spec->uid_mappings.n; i++)
		r = mrg_spec_add_gid_mapping(b->spec, &b->spec->uid_mappings.item[i], err);
	return r;
}
