/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options about the process, its namespaces and the record: environment, groups, --pid host, --opt, --log-opt. */

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

#define ENV_FILE_MAX	(1U << 20)

int apply_field(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err)
{
	return mrg_spec_set(b->spec, (enum mrg_field)option->field, text, err);
}

/* --flag is the value of the row, --flag=no its opposite. */
int apply_flag(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err)
{
	bool on = true;

	if (text && parse_bool(text, &on) < 0)
		return mrg_error_set(err, -MRG_E_INVALID, "takes yes or no, not '%s'", text);
	if (!on)
		return mrg_spec_set(b->spec, (enum mrg_field)option->field,
				    strcmp(option->value, "yes") == 0 ? "no" : "yes", err);
	return mrg_spec_set(b->spec, (enum mrg_field)option->field, option->value, err);
}

int env_assignment(const char *text, char **ret, struct mrg_error *err)
{
	const char *equals = strchr(text, '='), *value;

	*ret = NULL;
	if (equals == text || !*text)
		return mrg_error_set(err, -MRG_E_INVALID, "must be NAME=VALUE or NAME, not '%s'", text);
	if (equals) {
		*ret = strdup(text);
		return *ret ? 0 : no_memory(err);
	}
	value = getenv(text);
	if (value && asprintf(ret, "%s=%s", text, value) < 0) {
		*ret = NULL;
		return no_memory(err);
	}
	return 0;
}

/* The last assignment of a name counts. */
static int set_variable(struct mrg_spec *spec, const char *assignment, struct mrg_error *err)
{
	size_t length = strcspn(assignment, "=") + 1;

	for (char **at = spec->env; at && *at; at++)
		if (strncmp(*at, assignment, length) == 0) {
			*at = mrg_spec_strdup(spec, assignment);
			return *at ? 0 : no_memory(err);
		}
	return mrg_spec_set(spec, MRG_FIELD_ENV, assignment, err);
}

int apply_env(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err)
{
	_cleanup_free_ char *assignment = NULL;
	int r = env_assignment(text, &assignment, err);

	(void)option;
	return r < 0 || !assignment ? r : set_variable(b->spec, assignment, err);
}

static int env_line(const char *text, void *data, struct mrg_error *err)
{
	return apply_env(data, NULL, text, err);
}

int env_file_read(const char *path, int (*line)(const char *text, void *data, struct mrg_error *err), void *data,
		  struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r = file_read(path, ENV_FILE_MAX, &text, &length, err);
	char *at = text;

	for (char *word; r == 0 && (word = strsep(&at, "\n"));) {
		word += strspn(word, " \t");
		if (*word && *word != '#')
			r = line(word, data, err);
	}
	return r;
}

int apply_env_file(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err)
{
	(void)option;
	return env_file_read(text, env_line, b, err);
}

int apply_group(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err)
{
	uint32_t gid;

	(void)option;
	if (parse_uint32(text, &gid) < 0)
		return mrg_error_set(err, -MRG_E_INVALID, "must be the number of a group, not '%s'", text);
	return mrg_spec_add_gid(b->spec, gid, err);
}

/* The file of @type of the namespace that container @name has now. */
static int container_namespace(struct builder *b, const char *name, const char *type, char **ret, struct mrg_error *err)
{
	_cleanup_container_ struct mrg_container *c = NULL;
	struct mrg_status status;
	int r = mrg_container_open(b->cli->m, name, &c, err);

	if (r == 0)
		r = mrg_container_status(c, &status, err);
	if (r < 0)
		return mrg_error_set(err, -MRG_E_INVALID, "there is no container named '%s'", name);
	if (status.pid <= 0)
		return mrg_error_set(err, -MRG_E_INVALID, "container '%s' does not run", name);
	return asprintf(ret, "/proc/%d/ns/%s", (int)status.pid, type) < 0 ? no_memory(err) : 0;
}

/* host, private (or none), ns:PATH, container:NAME; anything else names a network. */
int apply_namespace(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err)
{
	enum mrg_field field = (enum mrg_field)option->field;
	char *path = NULL;
	int r;

	if (strcmp(text, "host") == 0) {
		/* A backend without the namespace shares the host's anyway. */
		return mrg_fields_has(b->able, field) ? mrg_spec_set(b->spec, field, text, err) : 0;
	}
	if (word_in("private none new", text))
		return mrg_spec_set(b->spec, field, "private", err);
	if (strncmp(text, "ns:/", 4) == 0)
		return mrg_spec_set(b->spec, field, text + 3, err);
	if (strncmp(text, "container:", 10) == 0) {
		r = container_namespace(b, text + 10, option->value, &path, err);
		if (r == 0)
			r = mrg_spec_set(b->spec, field, path, err);
		free(path);
		return r;
	}
	if (field == MRG_FIELD_NS_NETWORK)
		return mrg_error_set(err, -MRG_E_INVALID,
				     "'%s' is not in this version: there are host, none, ns:PATH and container:NAME", text);
	return mrg_error_set(err, -MRG_E_INVALID, "takes host, private, ns:PATH or container:NAME, not '%s'", text);
}

/* BACKEND.KEY=VALUE */
int apply_opt(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err)
{
	size_t length = strcspn(text, ".");

	(void)option;
	if (text[length] != '.' || !strchr(text + length, '='))
		return mrg_error_set(err, -MRG_E_INVALID, "must be BACKEND.KEY=VALUE, not '%s'", text);
	if (strlen(b->backend) != length || strncmp(b->backend, text, length) != 0)
		return mrg_error_set(err, -MRG_E_INVALID, "'%s' is for another backend than '%s'", text, b->backend);
	return mrg_spec_set(b->spec, MRG_FIELD_OPTIONS, text + length + 1, err);
}

int apply_log_driver(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err)
{
	char json[128];

	(void)option;
	if (!word_in("file none", text)) {
		mrg_error_set(err, -MRG_E_INVALID, "there is no log driver '%s'", text);
		return mrg_error_hint(err, "there are file and none");
	}
	snprintf(json, sizeof(json), "{\"driver\":\"%s\",\"maxSize\":%llu}", text, (unsigned long long)b->spec->log_max_size);
	return mrg_spec_set(b->spec, MRG_FIELD_LOG, json, err);
}

int apply_log_opt(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err)
{
	char json[128];
	int64_t size;

	(void)option;
	if (strncmp(text, "max-size=", 9) != 0)
		return mrg_error_set(err, -MRG_E_INVALID, "must be max-size=SIZE, not '%s'", text);
	if (parse_size(text + 9, &size) < 0 || size < 0)
		return mrg_error_set(err, -MRG_E_INVALID, "max-size must be a size such as 10M, not '%s'", text + 9);
	snprintf(json, sizeof(json), "{\"driver\":\"%s\",\"maxSize\":%lld}",
		 b->spec->log_driver ? b->spec->log_driver : "file", (long long)size);
	return mrg_spec_set(b->spec, MRG_FIELD_LOG, json, err);
}

/* "no" is what everybody has; the rest is up to the backend. */
int apply_restart(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err)
{
	return strcmp(text, "no") == 0 ? 0 : apply_field(b, option, text, err);
}
