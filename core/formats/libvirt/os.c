/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about names, the first process and its console. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/libvirt/libvirt.h"
#include "core/util/cleanup.h"
#include "core/util/path.h"

/* ---- names ------------------------------------------------------------------ */

/* The name the driver gives the host: without what is no letter, digit or '-', and without a '-' in front. */
static char *host_name(const char *name)
{
	char *host = strdup(name), *end = host;

	if (!host)
		return NULL;
	for (const char *c = name; *c; c++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", *c))
			*end++ = *c;
	*end = '\0';
	if (*host == '-')
		memmove(host, host + 1, strlen(host));
	return host;
}

static bool is_domain_name(const char *name)
{
	return *name && !strpbrk(name, "/\n") && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && xml_can_hold(name);
}

static const char *annotation(const struct mrg_spec *spec, const char *key)
{
	for (size_t i = 0; i < spec->annotations.n; i++)
		if (strcmp(spec->annotations.item[i].key, key) == 0)
			return spec->annotations.item[i].value;
	return NULL;
}

/* What the driver gives to every init. "container" and the UUIDs are its own business. */
static const char *const given[] = { "PATH=/bin:/sbin", "TERM=linux", "HOME=/" };

/* What every container of the driver gets, and what libvirt refuses to be without. */
ROW_READER(domain_read_domain)
{
	static const char *const types[] = { "lxc", NULL };
	static const enum mrg_field namespaces[] = { MRG_FIELD_NS_PID, MRG_FIELD_NS_MOUNT };
	static const char *const wanted[] = { "name", "memory", "os" };
	xmlAttr *type = xml_attribute(element, "type");
	int r;

	(void)row;
	if (!type)
		return domain_fail(in, element, "has no attribute 'type'");
	r = domain_word(in, type, types);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (!xml_child(element, wanted[i]))
			return domain_fail(in, element, "has no element '%s', and libvirt takes no domain without", wanted[i]);
	for (size_t i = 0; i < ARRAY_SIZE(namespaces) && r == 0; i++)
		r = domain_set(in, element, namespaces[i], "private");
	for (size_t i = 0; i < ARRAY_SIZE(given) && r == 0; i++)
		r = domain_set(in, element, MRG_FIELD_ENV, given[i]);
	if (r == 0)
		r = domain_set(in, element, MRG_FIELD_TERMINAL, "yes");
	return r < 0 ? r : domain_carried(in, type, -1);
}

ROW_READER(domain_read_name)
{
	_cleanup_free_ char *host = NULL;
	const char *name;
	int r = domain_text(in, element, &name);
	bool same;

	if (r < 0)
		return r;
	if (!is_domain_name(name))
		return domain_fail(in, element, "must be no path and one line, not '%.40s'", name);
	host = host_name(name);
	if (!host)
		return domain_no_memory(in);
	if (*host)
		r = domain_set(in, element, MRG_FIELD_HOSTNAME, host);
	same = strcmp(name, host) == 0;
	return r < 0 ? r : domain_claim(in, element, &(struct claim){
		.verdict = same ? MRG_CARRIED : MRG_APPROXIMATED, .field = *host ? row->field : MRG_FIELD_ANNOTATIONS,
		.note = "libvirt makes the host name of the letters, digits and '-' of the name" });
}

ROW_WRITER(domain_write_name)
{
	const char *host = out->spec->hostname, *name = annotation(out->spec, ANNOTATION_NAME);
	_cleanup_free_ char *made = NULL;

	(void)row;
	if (!name || !is_domain_name(name))
		name = host && is_domain_name(host) ? host : "moorage";
	domain_add(out, out->domain, "name", name);
	made = host_name(name);
	if (!made)
		out->failed = true;
	else if (host && strcmp(host, made) == 0)
		domain_report(out, MRG_FIELD_HOSTNAME, MRG_CARRIED, "name", NULL);
	else
		domain_report(out, MRG_FIELD_HOSTNAME, MRG_APPROXIMATED, "name", "libvirt makes the host name of the letters, digits and '-' of the name");
}

static bool is_uuid(const char *text)
{
	size_t digits = 0;

	for (const char *c = text; *c; c++)
		if (strchr("0123456789abcdefABCDEF", *c))
			digits++;
		else if (*c != '-')
			return false;
	return digits == 32 && strlen(text) <= 36;
}

ROW_READER(domain_read_uuid)
{
	const char *uuid;
	int r = domain_text(in, element, &uuid);

	if (r < 0)
		return r;
	if (!is_uuid(uuid))
		return domain_fail(in, element, "must be a UUID, not '%.40s'", uuid);
	return domain_carried(in, element, row->field);
}

ROW_WRITER(domain_write_uuid)
{
	const char *uuid = annotation(out->spec, ANNOTATION_UUID);

	(void)row;
	if (uuid && is_uuid(uuid))
		domain_add(out, out->domain, "uuid", uuid);
}

/* <title> and <description>. */
ROW_READER(domain_read_words)
{
	bool title = strcmp(row->path, "/domain/title") == 0;
	const char *text = xml_content(element);

	if (!text)
		return domain_fail(in, element, "must hold text and nothing else");
	if (title && strchr(text, '\n'))
		return domain_fail(in, element, "must be one line");
	return domain_carried(in, element, row->field);
}

/* Last of the annotations: reports all of them. */
ROW_WRITER(domain_write_words)
{
	static const char *const known[] = { ANNOTATION_NAME, ANNOTATION_UUID, ANNOTATION_TITLE, ANNOTATION_DESCRIPTION };
	const char *title = annotation(out->spec, ANNOTATION_TITLE), *description = annotation(out->spec, ANNOTATION_DESCRIPTION);
	struct loss loss = { 0 };

	(void)row;
	if (title && xml_can_hold(title) && !strchr(title, '\n'))
		domain_add(out, out->domain, "title", title);
	if (description && xml_can_hold(description))
		domain_add(out, out->domain, "description", description);
	for (size_t i = 0; i < out->spec->annotations.n; i++) {
		const struct mrg_pair *pair = &out->spec->annotations.item[i];
		bool ok = xml_can_hold(pair->value), is_known = false;

		for (size_t j = 0; j < ARRAY_SIZE(known); j++)
			is_known |= strcmp(known[j], pair->key) == 0;
		if (strcmp(pair->key, ANNOTATION_NAME) == 0)
			ok = is_domain_name(pair->value);
		else if (strcmp(pair->key, ANNOTATION_UUID) == 0)
			ok = is_uuid(pair->value);
		else if (strcmp(pair->key, ANNOTATION_TITLE) == 0)
			ok &= !strchr(pair->value, '\n');
		if (!is_known)
			loss_add(&loss, MRG_DROPPED, "'%.60s' is none of libvirt's", pair->key);
		else if (!ok)
			loss_add(&loss, MRG_DROPPED, "'%.60s' is nothing that libvirt takes", pair->key);
	}
	domain_report(out, MRG_FIELD_ANNOTATIONS, loss.verdict, "name, uuid, title, description", loss.note);
}

/* ---- what runs -------------------------------------------------------------- */

/* Architectures of 32 bits, of which the kernel of a 64-bit host makes a personality. */
static const char *const narrow[] = { "i686", "armv7l", "ppc", "s390", "parisc", "sparc", "mips", "mipsel" };

ROW_READER(domain_read_type)
{
	static const char *const types[] = { "exe", NULL };
	xmlAttr *arch = xml_attribute(element, "arch");
	int r = domain_word(in, element, types);

	if (r < 0)
		return r;
	r = domain_carried(in, element, -1);
	for (size_t i = 0; arch && i < ARRAY_SIZE(narrow) && r == 0; i++)
		if (strcmp(xml_content((xmlNode *)arch), narrow[i]) == 0) {
			r = domain_set(in, arch, MRG_FIELD_PERSONALITY, "{\"domain\":\"LINUX32\"}");
			if (r == 0)
				r = domain_claim(in, arch, &(struct claim){ .verdict = MRG_CARRIED, .field = row->field, .rest = REST_KEPT });
		}
	return r;
}

ROW_WRITER(domain_write_type)
{
	xmlNode *type = domain_add(out, domain_at(out, "/domain/os"), "type", "exe");
	const char *json = out->spec->personality_json;

	(void)row;
	if (json && strcmp(json, "{\"domain\":\"LINUX\"}") == 0)
		domain_report(out, MRG_FIELD_PERSONALITY, MRG_CARRIED, "os/type/@arch", NULL);
	if (!json || strcmp(json, "{\"domain\":\"LINUX32\"}") != 0)
		return;
	/* One kept from a domain replaces it. */
	domain_put(out, type, "arch", "i686");
	domain_report(out, MRG_FIELD_PERSONALITY, MRG_APPROXIMATED, "os/type/@arch", "written as i686, the 32 bits of an x86_64 host");
}

static int add_argument(struct domain_reader *in, xmlNode *element, const char **ret)
{
	int r = domain_text(in, element, ret);

	if (r == 0)
		r = domain_set(in, element, MRG_FIELD_ARGS, *ret);
	return r < 0 ? r : domain_carried(in, element, MRG_FIELD_ARGS);
}

/* With its arguments, which may stand anywhere. */
ROW_READER(domain_read_init)
{
	const char *text;
	int r = add_argument(in, element, &in->init);

	(void)row;
	for (xmlNode *arg = xml_child(element->parent, "initarg"); arg && r == 0; arg = xml_next(arg, "initarg"))
		r = add_argument(in, arg, &text);
	return r;
}

/* libvirt refuses empty arguments, and XML has no control characters. */
static const char *unsayable(char *const *args)
{
	for (size_t i = 0; args && args[i]; i++) {
		if (!*args[i])
			return "libvirt takes no empty argument";
		if (!xml_can_hold(args[i]))
			return "XML cannot hold the control characters of an argument";
	}
	return NULL;
}

ROW_WRITER(domain_write_args)
{
	char *const *args = out->spec->args;
	xmlNode *os = domain_at(out, "/domain/os");
	const char *lost = unsayable(args);

	(void)row;
	if (lost || !args || !args[0]) {
		domain_add(out, os, "init", "/sbin/init");
		domain_report(out, MRG_FIELD_ARGS, MRG_DROPPED, NULL, lost ? lost : "there is no command; written as /sbin/init");
	} else {
		domain_add(out, os, "init", args[0]);
		for (size_t i = 1; args[i]; i++)
			domain_add(out, os, "initarg", args[i]);
		domain_report(out, MRG_FIELD_ARGS, args[0][0] == '/' ? MRG_CARRIED : MRG_APPROXIMATED, "os/init, os/initarg",
			      "libvirt looks for the command without PATH");
	}
	if (!out->spec->boot)
		domain_report(out, MRG_FIELD_BOOT, MRG_CARRIED, "os/init", NULL);
	else
		domain_report(out, MRG_FIELD_BOOT, MRG_APPROXIMATED, "os/init", args ? "the command is what runs" : "written as the command /sbin/init");
}

/* ---- its environment -------------------------------------------------------- */

static size_t name_length(const char *assignment)
{
	return strcspn(assignment, "=");
}

static bool same_variable(const char *a, const char *b)
{
	size_t n = name_length(a);

	return n == name_length(b) && strncmp(a, b, n) == 0;
}

ROW_READER(domain_read_env)
{
	_cleanup_free_ char *text = NULL;
	const char *name, *value;
	xmlAttr *attribute;
	int r = domain_attribute(in, element, "name", &attribute, &name);

	if (r == 0)
		r = domain_text(in, element, &value);
	if (r < 0)
		return r;
	if (strchr(name, '='))
		return domain_fail(in, attribute, "must be the name of a variable, not '%.40s'", name);
	if (asprintf(&text, "%s=%s", name, value) < 0)
		return domain_no_memory(in);
	for (char **env = in->spec->env; env && *env; env++)
		if (same_variable(*env, text)) {
			*env = mrg_spec_strdup(in->spec, text);
			if (!*env)
				return domain_no_memory(in);
			free(take_ptr(text));
			break;
		}
	if (text)
		r = domain_set(in, element, MRG_FIELD_ENV, text);
	if (r == 0)
		r = domain_carried(in, attribute, row->field);
	return r < 0 ? r : domain_carried(in, element, row->field);
}

ROW_WRITER(domain_write_env)
{
	char *const *env = out->spec->env;
	struct loss loss = { 0 };

	(void)row;
	for (size_t i = 0; i < ARRAY_SIZE(given); i++) {
		bool found = false;

		for (size_t j = 0; env && env[j]; j++)
			found |= same_variable(env[j], given[i]);
		if (!found)
			loss_add(&loss, MRG_APPROXIMATED, "libvirt adds %s", given[i]);
	}
	for (size_t i = 0; env && env[i]; i++) {
		size_t n = name_length(env[i]);
		char name[128];
		bool is_given = false;

		for (size_t j = 0; j < ARRAY_SIZE(given); j++)
			is_given |= strcmp(given[j], env[i]) == 0;
		if (is_given)
			continue;
		if (!env[i][n] || !env[i][n + 1] || n == 0 || n >= sizeof(name) || !xml_can_hold(env[i])) {
			loss_add(&loss, MRG_DROPPED, "libvirt cannot give '%.*s' this value", (int)(n > 40 ? 40 : n), xml_can_hold(env[i]) ? env[i] : "?");
			continue;
		}
		snprintf(name, sizeof(name), "%.*s", (int)n, env[i]);
		domain_put(out, domain_add(out, domain_at(out, "/domain/os"), "initenv", env[i] + n + 1), "name", name);
	}
	domain_report(out, MRG_FIELD_ENV, loss.verdict, "os/initenv", loss.note);
}

/* ---- paths ------------------------------------------------------------------ */

static const char *path_of(const struct mrg_spec *spec, int field)
{
	return field == MRG_FIELD_CWD ? spec->cwd : spec->cgroups_path;
}

ROW_READER(domain_read_path)
{
	const char *text;
	int r = domain_text(in, element, &text);

	if (r < 0)
		return r;
	if (!path_is_clean(text))
		return domain_fail(in, element, "must be an absolute path without '..', not '%.80s'", text);
	r = domain_set(in, element, (unsigned int)row->field, text);
	return r < 0 ? r : domain_claim(in, element, &(struct claim){ .verdict = row->verdict, .field = row->field, .note = row->note });
}

ROW_WRITER(domain_write_path)
{
	const char *path = path_of(out->spec, row->field), *element = strrchr(row->path, '/') + 1;
	char parent[64];

	if (!domain_has(out, (unsigned int)row->field))
		return;
	if (!path_is_clean(path) || !xml_can_hold(path)) {
		domain_report(out, (unsigned int)row->field, MRG_DROPPED, NULL, "libvirt takes absolute paths only");
		return;
	}
	snprintf(parent, sizeof(parent), "%.*s", (int)(element - 1 - row->path), row->path);
	domain_add(out, domain_at(out, parent), element, path);
	domain_report(out, (unsigned int)row->field, row->verdict, row->path + strlen("/domain/"), row->note);
}

/* ---- its user --------------------------------------------------------------- */

/* A name, a number, or "+NUMBER": both are read together at the end. */
ROW_READER(domain_read_user)
{
	bool group = strcmp(row->path, "/domain/os/initgroup") == 0;
	const char **to = group ? &in->group : &in->user;
	int r = domain_text(in, element, to);

	if (r < 0)
		return r;
	if (strpbrk(*to, ": \t\n"))
		return domain_fail(in, element, "must be a name, a number or +NUMBER, not '%.40s'", *to);
	return domain_carried(in, element, row->field);
}

static bool parse_id(const char *text, uint32_t *ret)
{
	return parse_uint32(text + (*text == '+'), ret) == 0 && *ret != UINT32_MAX;
}

/* Without a group the process keeps root's, whatever the user's own is. */
static int finish_user(struct domain_reader *in)
{
	const char *user = in->user ? in->user : "0", *group = in->group ? in->group : "0";
	uint32_t uid = 0, gid = 0;
	bool uid_known = parse_id(user, &uid), gid_known = parse_id(group, &gid);
	const xmlNode *os = xml_child(in->domain, "os");
	_cleanup_free_ char *text = NULL;
	char uid_text[16], gid_text[16];
	int r;

	if (!in->user && !in->group)
		return 0;
	snprintf(uid_text, sizeof(uid_text), "%" PRIu32, uid);
	snprintf(gid_text, sizeof(gid_text), "%" PRIu32, gid);
	/* Root in root's group is what runs without a word about it. */
	if (uid_known && gid_known && uid == 0 && gid == 0)
		return 0;
	if (uid_known && gid_known) {
		r = domain_set(in, in->domain, MRG_FIELD_UID, uid_text);
		return r < 0 ? r : domain_set(in, in->domain, MRG_FIELD_GID, gid_text);
	}
	if (asprintf(&text, "%s:%s", uid_known ? uid_text : user, gid_known ? gid_text : group) < 0)
		return domain_no_memory(in);
	r = domain_set(in, in->domain, MRG_FIELD_USER, text);
	if (r == 0)
		r = domain_carried(in, xml_child(os, "inituser"), MRG_FIELD_USER);
	return r < 0 ? r : domain_carried(in, xml_child(os, "initgroup"), MRG_FIELD_USER);
}

static bool is_account(const char *text)
{
	return *text && *text != ':' && xml_can_hold(text) && !strpbrk(text, " \t\r\n");
}

/* libvirt takes the capabilities away before it changes the user, which takes three of them. */
static bool can_change_user(const struct mrg_spec *spec)
{
	const uint64_t needed = UINT64_C(1) << parse_capability("SETUID") | UINT64_C(1) << parse_capability("SETGID") |
				UINT64_C(1) << parse_capability("SETPCAP");

	return !mrg_fields_has(&spec->set, MRG_FIELD_CAP_BOUNDING) || (spec->cap_bounding & needed) == needed;
}

static const char cannot_change[] = "libvirt starts nothing for a user other than root without setuid, setgid and setpcap in the bounding set";

static void write_named_user(struct domain_writer *out)
{
	xmlNode *os = domain_at(out, "/domain/os");
	const char *user = out->spec->user, *colon = strchr(user, ':');
	_cleanup_free_ char *name = strndup(user, strcspn(user, ":"));
	bool can = can_change_user(out->spec);

	if (!name) {
		out->failed = true;
		return;
	}
	if (!is_account(user) || (colon && (!colon[1] || strchr(colon + 1, ':')))) {
		domain_lost(out, MRG_FIELD_USER, "is no user that libvirt takes");
		return;
	}
	domain_add(out, os, "inituser", name);
	if (colon)
		domain_add(out, os, "initgroup", colon + 1);
	domain_report(out, MRG_FIELD_USER, !can ? MRG_DROPPED : colon ? MRG_CARRIED : MRG_APPROXIMATED, "os/inituser, os/initgroup",
		      can ? "libvirt leaves the process in the group of root" : cannot_change);
}

ROW_WRITER(domain_write_user)
{
	const struct mrg_spec *spec = out->spec;
	xmlNode *os = domain_at(out, "/domain/os");
	int verdict = MRG_CARRIED;

	(void)row;
	if (domain_has(out, MRG_FIELD_USER)) {
		write_named_user(out);
		return;
	}
	if (spec->uid != 0 || spec->gid != 0) {
		domain_addf(out, os, "inituser", "+%" PRIu32, spec->uid);
		domain_addf(out, os, "initgroup", "+%" PRIu32, spec->gid);
		verdict = can_change_user(spec) ? MRG_CARRIED : MRG_DROPPED;
	}
	domain_report(out, MRG_FIELD_UID, verdict, "os/inituser", cannot_change);
	domain_report(out, MRG_FIELD_GID, verdict, "os/initgroup", cannot_change);
}

/* ---- its console ------------------------------------------------------------ */

/* The first one is where the process's streams are; the driver takes pseudo terminals only, and cannot be without one. */
ROW_READER(domain_read_console)
{
	static const char *const types[] = { "pty", NULL };
	xmlAttr *type = xml_attribute(element, "type");

	if (xml_child(element->parent, "console") != element)
		return domain_keep_whole(in, element, MRG_DROPPED, "a further terminal, for which a spec has no field; kept verbatim");
	if (!type)
		return domain_fail(in, element, "has no attribute 'type'");
	if (domain_word(in, type, types) < 0)
		return -MRG_E_INVALID;
	return domain_carried(in, type, row->field);
}

ROW_WRITER(domain_write_console)
{
	(void)row;
	domain_put(out, domain_add(out, domain_at(out, "/domain/devices"), "console", NULL), "type", "pty");
	domain_report(out, MRG_FIELD_TERMINAL, out->spec->terminal ? MRG_CARRIED : MRG_APPROXIMATED, "devices/console",
		      "libvirt gives every container a terminal");
}

/* What libvirt executes as root for each container. It fills its own in where nothing is said, so that every domain it prints has it. */
ROW_READER(domain_read_emulator)
{
	static const char *const own[] = { "/usr/lib/libvirt/libvirt_lxc", "/usr/libexec/libvirt_lxc", "/usr/libexec/libvirt/libvirt_lxc",
					   "/usr/lib/libvirt_lxc", "/usr/lib64/libvirt_lxc" };
	const char *program = xml_content(element);

	(void)row;
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (strcmp(program, own[i]) == 0)
			return domain_keep_whole(in, element, MRG_APPROXIMATED, "libvirt's own program around a container, which others have of their own; kept verbatim");
	return domain_keep_whole(in, element, MRG_DROPPED, "a program of the host that libvirt executes around the container instead of its own; kept verbatim");
}

/* In this order, wherever they stand. */
static int finish_names(struct domain_reader *in)
{
	static const struct {
		const char *element, *key;
	} names[] = {
		{ "name", ANNOTATION_NAME }, { "uuid", ANNOTATION_UUID }, { "title", ANNOTATION_TITLE }, { "description", ANNOTATION_DESCRIPTION },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names) && r == 0; i++) {
		const xmlNode *element = xml_child(in->domain, names[i].element);
		_cleanup_free_ char *text = NULL;

		if (!element)
			continue;
		if (asprintf(&text, "%s=%s", names[i].key, xml_content(element)) < 0)
			return domain_no_memory(in);
		r = domain_set(in, element, MRG_FIELD_ANNOTATIONS, text);
	}
	return r;
}

int domain_finish_os(struct domain_reader *in)
{
	int r = finish_names(in);

	if (r < 0)
		return r;
	if (!in->init)
		return domain_fail(in, xml_child(in->domain, "os"), "has no element 'init', and libvirt takes no container without");
	return finish_user(in);
}
