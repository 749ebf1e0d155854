/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which format a text is of, by its content. */

#include "config.h"

#include <string.h>

#include "core/formats/format.h"
#include "core/util/cleanup.h"
#include "core/util/json.h"

#define BLANKS " \t\r\n"

/* Formats a text may be of: a bit each, so that what speaks for two is seen. */
enum { OCI = 1, DOCKER = 2, LIBVIRT = 4, LXC = 8, NSPAWN = 16, SYSTEMD = 32, QUADLET = 64 };

static const struct {
	int bit;
	const char *name;
} formats[] = {
	{ OCI, "oci" }, { DOCKER, "docker" }, { LIBVIRT, "libvirt" }, { LXC, "lxc" }, { NSPAWN, "nspawn" }, { SYSTEMD, "systemd" },
	{ QUADLET, "quadlet" },
};

/* Members and sections that no other format has; those of units are in several, and the weakest of them. */
static const struct {
	const char *name;
	int bit;
} members[] = {
	{ "ociVersion", OCI }, { "process", OCI }, { "moorage", OCI }, { "linux", OCI },
	{ "HostConfig", DOCKER }, { "Config", DOCKER }, { "NetworkSettings", DOCKER },
}, sections[] = {
	{ "[Exec]", NSPAWN }, { "[Files]", NSPAWN }, { "[Network]", NSPAWN },
	{ "[Container]", QUADLET },
};

static int json_bits(const struct json *root)
{
	int bits = 0;

	if (root->type == JSON_ARRAY)
		root = root->first;
	for (size_t i = 0; root && root->type == JSON_OBJECT && i < ARRAY_SIZE(members); i++)
		if (json_member(root, members[i].name))
			bits |= members[i].bit;
	return bits;
}

/* Whether the line at @at begins with @word. */
static bool begins(const char *at, const char *end, const char *word)
{
	size_t length = strlen(word);

	return (size_t)(end - at) >= length && memcmp(at, word, length) == 0;
}

/* Whether the line is an ExecStart= whose command is systemd-nspawn. */
static bool runs_nspawn(const char *at, const char *end)
{
	size_t length = strcspn(at, BLANKS "=");

	if (!begins(at, end, "ExecStart"))
		return false;
	at += length + strspn(at + length, " \t=");
	length = strcspn(at, BLANKS);
	return at + length <= end && length >= 14 && memcmp(at + length - 14, "systemd-nspawn", 14) == 0;
}

static int line_bits(const char *at, const char *end, bool first)
{
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		if (begins(at, end, sections[i].name))
			return sections[i].bit;
	if (begins(at, end, "lxc."))
		return LXC;
	if (runs_nspawn(at, end) || (first && (begins(at, end, "systemd-nspawn") || begins(at, end, "/usr/bin/systemd-nspawn"))))
		return NSPAWN;
	return begins(at, end, "[Service]") || begins(at, end, "[Unit]") || begins(at, end, "[Install]") ? SYSTEMD : 0;
}

static int text_bits(const char *text)
{
	bool first = true;
	int bits = 0;

	for (const char *at = text + strspn(text, BLANKS); *at; at += strspn(at, BLANKS)) {
		const char *end = at + strcspn(at, "\n");

		if (*at != '#' && *at != ';') {
			bits |= line_bits(at, end, first);
			first = false;
		}
		at = end;
	}
	/* Sections of units stand in the files of the other two as well. */
	return bits & (NSPAWN | QUADLET) ? bits & ~SYSTEMD : bits;
}

/* '[' begins a section, or an array. */
static bool is_json(const char *text)
{
	if (*text == '[')
		return strchr("{]", text[1 + strspn(text + 1, BLANKS)]);
	return *text == '{';
}

static int tell(int bits, struct mrg_error *err)
{
	char names[96] = "";

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (bits & formats[i].bit) {
			size_t length = strlen(names);

			snprintf(names + length, sizeof(names) - length, "%s%s", length ? " and " : "", formats[i].name);
		}
	if (*names)
		mrg_error_set(err, -MRG_E_INVALID, "the format cannot be told from the content: there are signs of %s", names);
	else
		mrg_error_set(err, -MRG_E_INVALID, "the format cannot be told from the content");
	mrg_error_hint(err, "name it with '--from'");
	return -MRG_E_INVALID;
}

int mrg_format_guess(const char *text, size_t length, const char **ret, struct mrg_error *err)
{
	_cleanup_free_ char *copy = length <= JSON_MAX_SIZE ? strndup(text, length) : NULL;
	_cleanup_(json_freep) struct json *root = NULL;
	const char *begin;
	int bits = 0;

	if (!copy)
		return length > JSON_MAX_SIZE ? mrg_error_set(err, -MRG_E_INVALID, "is larger than 4 MiB") :
						mrg_error_set(err, -ENOMEM, "out of memory");
	begin = copy + strspn(copy, BLANKS);
	if (*begin == '<') {
		bits = LIBVIRT;
	} else if (is_json(begin)) {
		int r = json_parse(text, length, &root, err);

		if (r < 0)
			return r;
		bits = json_bits(root);
	} else {
		bits = text_bits(begin);
	}
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (bits == formats[i].bit) {
			*ret = formats[i].name;
			return 0;
		}
	return tell(bits, err);
}
