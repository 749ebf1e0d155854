/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The config file: lines "key = value", comments after '#' or ';' at the start of a line. */

#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "core/util/backend_name.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"

#define CONFIG_MAX	(64 * 1024)
#define DEFAULT_BACKEND	"native"

static char *strip(char *text)
{
	size_t length;

	while (isspace((unsigned char)*text))
		text++;
	length = strlen(text);
	while (length > 0 && isspace((unsigned char)text[length - 1]))
		text[--length] = '\0';
	return text;
}

/* @file NULL: the value comes from the environment. */
static int take_backend(const char *file, unsigned int number, const char *value, char **ret, struct mrg_error *err)
{
	char *copy;

	if (!backend_name_is_valid(value) && !file)
		return mrg_error_set(err, -MRG_E_INVALID, "MOORAGE_BACKEND: '%s' is no name of a backend", value);
	if (!backend_name_is_valid(value))
		return mrg_error_set(err, -MRG_E_INVALID, "'%s', line %u: '%s' is no name of a backend", file, number,
				     value);
	copy = strdup(value);
	if (!copy)
		return fail_memory(err);
	free(*ret);
	*ret = copy;
	return 0;
}

static int parse_line(const char *file, unsigned int number, char *line, char **ret, struct mrg_error *err)
{
	char *equals, *key;

	line = strip(line);
	if (*line == '\0' || *line == '#' || *line == ';')
		return 0;
	equals = strchr(line, '=');
	if (!equals)
		return mrg_error_set(err, -MRG_E_INVALID, "'%s', line %u: '%s' is not of the form KEY = VALUE", file,
				     number, line);
	*equals = '\0';
	key = strip(line);
	if (strcmp(key, "backend") != 0)
		return mrg_error_set(err, -MRG_E_INVALID, "'%s', line %u: unknown key '%s'; known is 'backend'", file,
				     number, key);
	return take_backend(file, number, strip(equals + 1), ret, err);
}

static int read_config(const char *file, char **ret, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL, *backend = NULL;
	char *next, *line;
	size_t length;
	unsigned int number = 0;
	int r = fd_read_file(AT_FDCWD, file, CONFIG_MAX, &text, &length);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return fail_errno(err, r, "cannot read '%s'", file);
	if (strlen(text) != length)
		return mrg_error_set(err, -MRG_E_INVALID, "'%s' is not a text file", file);
	for (next = text; (line = strsep(&next, "\n"));) {
		r = parse_line(file, ++number, line, &backend, err);
		if (r < 0)
			return r;
	}
	*ret = take_ptr(backend);
	return 0;
}

int mrg_default_backend(struct mrg *m, const char **ret, struct mrg_error *err)
{
	const char *name = secure_getenv("MOORAGE_BACKEND");
	int r = 0;

	if (m->default_backend) {
		*ret = m->default_backend;
		return 0;
	}
	if (name && *name)
		r = take_backend(NULL, 0, name, &m->default_backend, err);
	else
		r = read_config(m->config_file, &m->default_backend, err);
	if (r < 0)
		return r;
	if (!m->default_backend)
		m->default_backend = strdup(DEFAULT_BACKEND);
	if (!m->default_backend)
		return fail_memory(err);
	*ret = m->default_backend;
	return 0;
}
