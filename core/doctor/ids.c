/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Subordinate ids: what two users have, either can touch of the other. */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "core/doctor/doctor.h"
#include "core/util/cleanup.h"
#include "core/util/str.h"

#define RANGES_MAX	1024		/* compared with each other: more are not looked at */
#define CLASHES_MAX	16

/* "user:first:count" */
static bool parse_line(char *line, struct subid_range *ret)
{
	char *first = strchr(line, ':'), *count = first ? strchr(first + 1, ':') : NULL;

	if (!count || line[0] == '#')
		return false;
	*first++ = '\0';
	*count++ = '\0';
	ret->user = line;
	return parse_uint64(first, &ret->first) == 0 && parse_uint64(count, &ret->count) == 0 && ret->count > 0 &&
	       ret->first <= UINT32_MAX && ret->count <= UINT32_MAX;
}

static bool overlap(const struct subid_range *a, const struct subid_range *b)
{
	return a->first < b->first + b->count && b->first < a->first + a->count;
}

int subids_clash(char *text, size_t skip, struct subid_clash *ret)
{
	struct subid_range ranges[RANGES_MAX];
	size_t n = 0;
	char *line, *save;

	for (line = strtok_r(text, "\n", &save); line && n < RANGES_MAX; line = strtok_r(NULL, "\n", &save)) {
		if (!parse_line(line, &ranges[n]))
			continue;
		for (size_t i = 0; i < n; i++)
			if (overlap(&ranges[i], &ranges[n]) && strcmp(ranges[i].user, ranges[n].user) != 0 && skip-- == 0) {
				*ret = (struct subid_clash){ ranges[i], ranges[n] };
				return 1;
			}
		n++;
	}
	return 0;
}

bool subids_has(const char *text, const char *name)
{
	for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
			return true;
	return false;
}

static int say_clash(const struct doctor *d, const char *kind, const struct subid_clash *clash)
{
	char subject[32], text[512], fix[256];

	snprintf(subject, sizeof(subject), "subordinate %ss", kind);
	snprintf(text, sizeof(text), "'%.64s' (%llu+%llu) and '%.64s' (%llu+%llu) overlap in /etc/sub%s: what one owns the other can change", clash->a.user,
		 (unsigned long long)clash->a.first, (unsigned long long)clash->a.count, clash->b.user, (unsigned long long)clash->b.first,
		 (unsigned long long)clash->b.count, kind);
	snprintf(fix, sizeof(fix), "usermod --del-sub%ss %llu-%llu '%.64s', and give another range with --add-sub%ss", kind,
		 (unsigned long long)clash->b.first, (unsigned long long)(clash->b.first + clash->b.count - 1), clash->b.user, kind);
	return doctor_say(d, "warning", subject, text, fix);
}

int doctor_check_ranges(const struct doctor *d)
{
	static const struct {
		const char *kind, *path;
	} files[] = { { "uid", "etc/subuid" }, { "gid", "etc/subgid" } };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		for (size_t skip = 0; skip < CLASHES_MAX; skip++) {
			_cleanup_free_ char *text = doctor_read(d, files[i].path);
			struct subid_clash clash;
			int r;

			if (!text || subids_clash(text, skip, &clash) == 0)
				break;
			r = say_clash(d, files[i].kind, &clash);
			if (r != 0)
				return r;
		}
	return 0;
}
