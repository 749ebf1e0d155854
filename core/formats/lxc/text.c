/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of LXC configurations: lines, keys, quotes. */

#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/lxc/lxc.h"
#include "core/util/cleanup.h"
#include "core/util/utf8.h"

#define CONFIG_MAX_SIZE	(1U << 20)
#define LINE_MAX_SIZE	(64U << 10)
#define KEY_MAX_SIZE	255

int lxc_line_fail(struct lxc_config *config, const struct lxc_source *source, unsigned int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	mrg_error_setv(config->err, -MRG_E_INVALID, format, args);
	va_end(args);
	return mrg_error_prefix(config->err, "%.80s%sline %u", source->name ? source->name : "", source->name ? ": " : "", line);
}

char *lxc_own(struct lxc_config *config, char *text)
{
	size_t n = strv_length(config->owned);
	char **bigger = text ? realloc(config->owned, (n + 2) * sizeof(*bigger)) : NULL;

	if (!bigger) {
		free(text);
		return NULL;
	}
	bigger[n] = text;
	bigger[n + 1] = NULL;
	config->owned = bigger;
	return text;
}

int lxc_add(struct lxc_config *config, const struct assignment *item, const char *original)
{
	int r;

	if (!config->original)
		config->original = calloc(ASSIGNMENTS_MAX, sizeof(*config->original));
	if (!config->original)
		return -ENOMEM;
	r = assignments_add(&config->list, item);
	if (r == 0)
		config->original[config->list.n - 1] = original;
	return r;
}

static char *strip(char *text)
{
	size_t length;

	text += strspn(text, LXC_BLANKS);
	length = strlen(text);
	while (length > 0 && strchr(LXC_BLANKS, text[length - 1]))
		text[--length] = '\0';
	return text;
}

/* One pair of quotes around the whole value is no part of it. */
static char *unquote(char *value)
{
	size_t length = strlen(value);

	if (length < 2 || (value[0] != '"' && value[0] != '\'') || value[length - 1] != value[0])
		return value;
	value[length - 1] = '\0';
	return value + 1;
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7f)
			return true;
	return false;
}

static bool is_key(const char *key)
{
	size_t length = strlen(key);

	/* "lxc." and something behind it that is printed as it is. */
	if (length < 5 || length > KEY_MAX_SIZE)
		return false;
	for (; *key; key++)
		if (*key <= ' ' || *key == 0x7f || strchr("\"'=#", *key))
			return false;
	return true;
}

static bool is_reserved(const char *key)
{
	return key && (strcmp(key, LXC_KEPT_OPTIONS) == 0 || strcmp(key, LXC_KEPT_DEVICES) == 0 || strcmp(key, LXC_KEPT_DEVICES2) == 0);
}

static int add_line(struct lxc_config *config, char *text, const struct lxc_source *source, unsigned int line)
{
	struct assignment item = { .section = "", .key = LXC_NO_KEY, .value = text, .line = line, .file = source->name };
	const char *original = LXC_NO_KEY;
	char *equals;
	int r;

	if (strncmp(text, "lxc.", 4) == 0) {
		equals = strchr(text, '=');
		if (!equals)
			return lxc_line_fail(config, source, line, "%.64s: has no '='", text);
		*equals = '\0';
		original = strip(text);
		if (!is_key(original))
			return lxc_line_fail(config, source, line, "the key must be printable ASCII without blanks and quotes, and at most 255 long");
		item.value = unquote(strip(equals + 1));
		item.key = lxc_modern_key(config, original, item.value);
		if (is_reserved(item.key))
			item.key = LXC_RESERVED;
	}
	r = item.key ? lxc_add(config, &item, original) : -ENOMEM;
	if (r == -E2BIG)
		return lxc_line_fail(config, source, line, "a configuration has at most %d lines", ASSIGNMENTS_MAX);
	if (r < 0)
		return mrg_error_set(config->err, -ENOMEM, "out of memory");
	if (strcmp(item.key, "lxc.include") == 0 && *item.value && !config->options->keep_includes)
		return lxc_include(config, item.value, source, line);
	return 0;
}

/* Lines end in LF or CR; a pair of them ends one. */
static char *next_line(char **at, unsigned int *line)
{
	char *text = *at, *end;

	if (!*text)
		return NULL;
	end = text + strcspn(text, "\r\n");
	*at = end + (end[0] == '\r' && end[1] == '\n') + (*end != '\0');
	*end = '\0';
	++*line;
	return text;
}

static int check_text(struct lxc_config *config, const char *text, size_t length, const struct lxc_source *source)
{
	const char *rule = NULL;

	config->bytes += length;
	if (config->bytes > CONFIG_MAX_SIZE)
		rule = "the configuration and what it includes are larger than 1 MiB";
	else if (memchr(text, '\0', length))
		rule = "the configuration has a NUL byte";
	else if (!utf8_is_valid(text))
		rule = "the configuration is not UTF-8";
	if (!rule)
		return 0;
	mrg_error_set(config->err, -MRG_E_INVALID, "%s", rule);
	return source->name ? mrg_error_prefix(config->err, "%.80s", source->name) : -MRG_E_INVALID;
}

int lxc_split(struct lxc_config *config, char *text, size_t length, const struct lxc_source *source)
{
	unsigned int line = 0;
	char *at = text;
	int r = check_text(config, text, length, source);

	while (r == 0 && (text = next_line(&at, &line))) {
		text += strspn(text, LXC_BLANKS);
		if (!*text || *text == '#')
			continue;
		if (strlen(text) > LINE_MAX_SIZE)
			return lxc_line_fail(config, source, line, "longer than 64 KiB");
		if (has_control(text))
			return lxc_line_fail(config, source, line, "has control characters");
		r = add_line(config, text, source, line);
	}
	return r;
}

int lxc_parse(struct lxc_config *config, const char *text, size_t length)
{
	static const struct lxc_source top = { .name = NULL };
	char *copy;

	if (length > CONFIG_MAX_SIZE)
		return mrg_error_set(config->err, -MRG_E_INVALID, "the configuration is larger than 1 MiB");
	if (memchr(text, '\0', length))
		return mrg_error_set(config->err, -MRG_E_INVALID, "the configuration has a NUL byte");
	copy = lxc_own(config, strndup(text, length));
	if (!copy)
		return mrg_error_set(config->err, -ENOMEM, "out of memory");
	return lxc_split(config, copy, length, &top);
}

void lxc_config_deinit(struct lxc_config *config)
{
	free(config->list.item);
	free(config->original);
	strv_free(config->owned);
}

char *lxc_part(char **at, const char *separators)
{
	char *part;

	*at += strspn(*at, separators);
	part = *at;
	if (!*part)
		return NULL;
	*at += strcspn(*at, separators);
	if (**at)
		*(*at)++ = '\0';
	return part;
}

/* ---- writing ------------------------------------------------------------------------------ */

bool lxc_line(struct buffer *b, const char *name, const char *value)
{
	size_t length = strlen(value);
	bool quotes;

	if (length == 0 || length > LINE_MAX_SIZE - KEY_MAX_SIZE - 8 || has_control(value) || !utf8_is_valid(value))
		return false;
	/* Quotes of its own come off, and so do blanks: a pair around it keeps both. */
	quotes = strchr(LXC_BLANKS, value[0]) || strchr(LXC_BLANKS, value[length - 1]) ||
		 (length > 1 && strchr("\"'", value[0]) && value[0] == value[length - 1]);
	buffer_addf(b, quotes ? "%s = \"%s\"\n" : "%s = %s\n", name, value);
	return true;
}

/* A device rule, "allow RULE". */
static bool kept_device(struct buffer *b, const char *name, const char *value)
{
	static const char *const words[] = { "allow", "deny" };
	char key[64];

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t length = strlen(words[i]);

		snprintf(key, sizeof(key), "%s.%s", name, words[i]);
		if (strncmp(value, words[i], length) == 0 && value[length] == ' ')
			return lxc_line(b, key, value + length + 1);
	}
	return false;
}

bool lxc_verbatim(struct buffer *b, const char *name, const char *value)
{
	if (strncmp(name, "lxc.", 4) != 0 || !is_key(name))
		return false;
	if (strcmp(name, LXC_KEPT_OPTIONS) == 0)	/* written with its mount */
		return true;
	if (strcmp(name, LXC_KEPT_DEVICES) == 0 || strcmp(name, LXC_KEPT_DEVICES2) == 0)
		return kept_device(b, name, value);
	if (*value)
		return lxc_line(b, name, value);
	buffer_addf(b, "%s =\n", name);
	return true;
}
