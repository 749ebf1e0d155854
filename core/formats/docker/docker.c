/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What "docker inspect" and "podman inspect" print of a container: the walk over its keys. */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "core/formats/docker/docker.h"
#include "core/spec/table.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"

#define ELEMENTS_MAX	4096

int docker_place(struct docker_reader *in)
{
	if (in->line > 0)
		mrg_error_prefix(in->err, "line %u: %.100s", in->line, in->key);
	else
		mrg_error_prefix(in->err, "%.100s", in->key);
	return -MRG_E_INVALID;
}

int docker_fail(struct docker_reader *in, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	mrg_error_setv(in->err, -MRG_E_INVALID, format, args);
	va_end(args);
	return docker_place(in);
}

const struct json *docker_member(const struct json *object, const char *name, enum json_type type)
{
	const struct json *member = object && object->type == JSON_OBJECT ? json_member(object, name) : NULL;

	return member && member->type == type ? member : NULL;
}

const char *docker_text(const struct json *object, const char *name)
{
	const struct json *member = docker_member(object, name, JSON_STRING);

	return member ? member->text : "";
}

const char *docker_note(struct docker_reader *in, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(in->words, sizeof(in->words), format, args);
	va_end(args);
	return in->note = in->words;
}

/* ---- generic rows ------------------------------------------------------------------------- */

/* A value as mrg_spec_set() takes it. */
static const char *value_text(const struct json *value)
{
	return value->type == JSON_BOOLEAN ? (value->boolean ? "yes" : "no") : value->text;
}

DOCKER_READER(docker_read_simple)
{
	enum mrg_field field = (enum mrg_field)key->field;
	if (value->type != JSON_ARRAY)
		return mrg_spec_set(in->spec, field, value_text(value), in->err) < 0 ? docker_place(in) : key->verdict;
	for (const struct json *item = value->first; item; item = item->next) {
		if (item->type != JSON_STRING)
			return docker_fail(in, "must be an array of strings");
		if (mrg_spec_set(in->spec, field, item->text, in->err) < 0)
			return docker_place(in);
	}
	return key->verdict;
}

DOCKER_READER(docker_read_map)
{
	for (const struct json *item = value->first; item; item = item->next) {
		_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };

		if (item->type != JSON_STRING)
			return docker_fail(in, "must be an object of strings");
		buffer_addf(&b, "%s=%s", item->key, item->text);
		if (b.failed)
			return fail_memory(in->err);
		if (!*item->key || strchr(item->key, '='))
			return docker_fail(in, "has the name '%.40s'", item->key);
		if (mrg_spec_set(in->spec, (enum mrg_field)key->field, b.text, in->err) < 0)
			return docker_place(in);
	}
	return key->verdict;
}

DOCKER_READER(docker_read_verdict)
{
	(void)in;
	(void)value;
	return key->verdict;
}

/* ---- the walk ------------------------------------------------------------------------------- */

/* null, false, 0, "", [] and {} are what a key has that nobody gave. */
static bool is_empty(const struct json *value)
{
	switch (value->type) {
	case JSON_NULL:
		return true;
	case JSON_BOOLEAN:
		return !value->boolean;
	case JSON_NUMBER:
		return strcmp(value->text, "0") == 0;
	case JSON_STRING:
		return !*value->text;
	default:
		return !value->first;
	}
}

static bool sounds_confining(const char *name)
{
	static const char *const parts[] = { "Cap", "Secur", "Seccomp", "Mask", "Readonly", "ReadOnly", "Userns", "User", "Isolat", "Privileg",
					     "Label", "AppArmor", "Selinux", "SELinux" };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (strstr(name, parts[i]))
			return true;
	return false;
}

static void count_lines(struct docker_reader *in, const struct json *value)
{
	for (; in->counted < value->begin; in->counted++)
		in->line += *in->counted == '\n';
}

static int report_key(struct docker_reader *in, int verdict, int field)
{
	bool target = field >= 0 && verdict < MRG_DROPPED;
	const struct mrg_report_row row = {
		.verdict = verdict, .field = field, .source = in->key, .line = in->line, .note = in->note,
		.target = target ? mrg_field_info((unsigned int)field)->path : NULL,
	};

	return report_row(in->report, &row);
}

static const char *type_rule(enum json_type type)
{
	static char const *const rules[] = { [JSON_NULL] = "null", [JSON_BOOLEAN] = "true or false", [JSON_NUMBER] = "a number",
					     [JSON_STRING] = "a string", [JSON_ARRAY] = "an array", [JSON_OBJECT] = "an object" };

	return rules[type];
}

static int read_known(struct docker_reader *in, const struct docker_key *key, const struct json *value)
{
	int verdict;

	in->note = NULL;
	if (is_empty(value) && (!key->always || value->type == JSON_NULL))
		return report_key(in, MRG_CARRIED, -1);
	if (key->type != JSON_NULL && value->type != key->type)
		return docker_fail(in, "must be %s", type_rule(key->type));
	/* Each element is looked for among the others. */
	if ((value->type == JSON_ARRAY || value->type == JSON_OBJECT) && value->n > ELEMENTS_MAX && key->read != docker_read_verdict)
		return docker_fail(in, "has more than %d elements", ELEMENTS_MAX);
	in->note = key->note;
	in->field = key->field;
	verdict = key->read(in, key, value);
	return verdict < 0 ? verdict : report_key(in, verdict, in->field);
}

static int read_unknown(struct docker_reader *in, const struct json *value)
{
	in->note = is_empty(value) ? NULL : "is not a key of Docker 20.10 to 28 or Podman 4 and 5";
	return report_key(in, is_empty(value) ? MRG_CARRIED : sounds_confining(value->key) ? MRG_WEAKENS : MRG_DROPPED, -1);
}

/* The keys of an object, each by the row of its name with @prefix. */
static int read_object(struct docker_reader *in, const char *prefix, const struct docker_key *keys, const struct json *object)
{
	int r = 0;

	for (const struct json *member = object->first; member && r == 0; member = member->next) {
		const struct docker_key *key = keys;

		snprintf(in->key, sizeof(in->key), "%s%.200s", prefix, member->key);
		count_lines(in, member);
		while (key->name && strcmp(key->name, in->key) != 0)
			key++;
		if (member == in->host)
			r = read_object(in, "HostConfig.", docker_host_keys, member);
		else if (member == in->config)
			r = read_object(in, "Config.", docker_config_keys, member);
		else
			r = key->name ? read_known(in, key, member) : read_unknown(in, member);
	}
	return r;
}

/* ---- the containers of a text --------------------------------------------------------------- */

static bool has_name(const struct json *container, const char *name)
{
	const char *own = docker_text(container, "Name"), *id = docker_text(container, "Id");
	size_t length = strlen(name);

	own += *own == '/';
	return strcmp(own, name) == 0 || (length >= 12 && strncmp(id, name, length) == 0);
}

static void name_all(const struct json *list, struct mrg_error *err)
{
	char names[160] = "";

	for (const struct json *item = list->first; item; item = item->next) {
		const char *name = docker_text(item, "Name");
		size_t length = strlen(names);

		snprintf(names + length, sizeof(names) - length, "%s%.30s", length ? ", " : "", name + (*name == '/'));
	}
	mrg_error_hint(err, "there are %s", names);
}

/* The one container of an array, or @name of several. */
static int find_container(const struct json *root, const char *name, const struct json **ret, struct mrg_error *err)
{
	*ret = NULL;
	if (root->type == JSON_OBJECT)
		*ret = !name || has_name(root, name) ? root : NULL;
	else if (root->type != JSON_ARRAY)
		return mrg_error_set(err, -MRG_E_INVALID, "must be the array that 'inspect' prints");
	else if (!root->first)
		return mrg_error_set(err, -MRG_E_INVALID, "the array has no container");
	else if (root->n > 1 && !name) {
		mrg_error_set(err, -MRG_E_INVALID, "there are %zu containers: choose one by its name", root->n);
		name_all(root, err);
		return -MRG_E_INVALID;
	}
	for (const struct json *item = root->type == JSON_ARRAY ? root->first : NULL; item && !*ret; item = item->next)
		*ret = !name || has_name(item, name) ? item : NULL;
	if (!*ret) {
		mrg_error_set(err, -MRG_E_INVALID, "no container is called '%.60s'", name);
		if (root->type == JSON_ARRAY)
			name_all(root, err);
		return -MRG_E_INVALID;
	}
	if ((*ret)->type != JSON_OBJECT)
		return mrg_error_set(err, -MRG_E_INVALID, "a container must be an object");
	return 0;
}

static int docker_choose(const char *text, size_t length, const char *container, char **ret, struct mrg_error *err)
{
	_cleanup_(json_freep) struct json *root = NULL;
	const struct json *chosen;
	char *copy;
	int r = json_parse(text, length, &root, err);

	if (r == 0)
		r = find_container(root, container, &chosen, err);
	if (r < 0)
		return r;
	copy = strndup(text, length);
	if (!copy)
		return fail_memory(err);
	for (size_t i = 0; i < length; i++)
		if (copy[i] != '\n' && (text + i < chosen->begin || text + i >= chosen->begin + chosen->length))
			copy[i] = ' ';
	*ret = copy;
	return 0;
}

static int read_container(struct docker_reader *in)
{
	static int (*const finish[])(struct docker_reader *in) = { docker_finish_process, docker_finish_network, docker_finish_confinement,
								   docker_finish_mounts };
	int r = read_object(in, "", docker_top_keys, in->container);

	in->line = 0;
	snprintf(in->key, sizeof(in->key), "the container");
	for (size_t i = 0; i < ARRAY_SIZE(finish) && r == 0; i++)
		r = finish[i](in);
	return r;
}

static int docker_read(const char *text, size_t length, struct mrg_spec *spec, const struct report *report, struct mrg_error *err)
{
	struct docker_reader in = { .spec = spec, .err = err, .report = report, .counted = text, .line = 1 };
	_cleanup_(json_freep) struct json *root = NULL;
	int r = json_parse(text, length, &root, err);

	if (r == 0)
		r = find_container(root, NULL, &in.container, err);
	if (r < 0)
		return r;
	in.host = docker_member(in.container, "HostConfig", JSON_OBJECT);
	in.config = docker_member(in.container, "Config", JSON_OBJECT);
	if (!in.host || !in.config) {
		mrg_error_set(err, -MRG_E_INVALID, "has no %s: it describes no container", in.host ? "Config" : "HostConfig");
		return mrg_error_hint(err, "images, volumes and networks are inspected too; use 'docker container inspect NAME'");
	}
	/* Only Podman tells how its containers are made. */
	in.podman = json_member(in.container, "OCIRuntime") || json_member(in.container, "ImageName") || json_member(in.host, "CgroupManager");
	in.privileged = docker_member(in.host, "Privileged", JSON_BOOLEAN) && docker_member(in.host, "Privileged", JSON_BOOLEAN)->boolean;
	r = read_container(&in);
	buffer_deinit(&in.networks);
	buffer_deinit(&in.ports);
	return r;
}

const struct format format_docker = { .name = "docker", .read = docker_read, .choose = docker_choose };
