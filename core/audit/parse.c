/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text of procfs, parts of which are the container's to choose: names, mount points, maps. */

#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/audit/audit.h"
#include "core/util/mountinfo.h"
#include "core/util/str.h"

#define MOUNTS_MAX	100000		/* fs.mount-max */

/* What follows "KEY:\t" at the beginning of a line, or NULL. A process's name has its newlines escaped there. */
static const char *value_of(const char *text, const char *key)
{
	size_t length = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (strncmp(line, key, length) == 0 && line[length] == ':')
			return line + length + 1;
	return NULL;
}

static void parse_groups(const char *line, struct audit_status *ret)
{
	const char *end = line + strcspn(line, "\n");
	int used;

	for (ret->n_groups = 0; ret->n_groups < AUDIT_GROUPS && line < end; line += used)
		if (sscanf(line, " %" SCNu32 "%n", &ret->groups[ret->n_groups], &used) != 1 || line + used > end)
			break;
		else
			ret->n_groups++;
}

int audit_parse_status(const char *text, struct audit_status *ret)
{
	static const char *const sets[] = { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" };
	struct audit_status status = { .no_new_privs = -1, .seccomp = -1, .filters = -1 };
	const char *at;

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		at = value_of(text, sets[i]);
		if (!at || sscanf(at, " %" SCNx64, &status.caps[i]) != 1)
			return -EPROTO;
	}
	at = value_of(text, "Uid");
	if (!at || sscanf(at, " %*u %" SCNu32, &status.uid) != 1)
		return -EPROTO;
	at = value_of(text, "Gid");
	if (!at || sscanf(at, " %*u %" SCNu32, &status.gid) != 1)
		return -EPROTO;
	at = value_of(text, "Groups");
	if (at)
		parse_groups(at, &status);
	at = value_of(text, "Umask");
	if (!at || sscanf(at, " %o", &status.umask) != 1)
		status.umask = 022;
	/* Missing where the kernel was built without them. */
	at = value_of(text, "NoNewPrivs");
	if (at)
		sscanf(at, " %d", &status.no_new_privs);
	at = value_of(text, "Seccomp");
	if (at)
		sscanf(at, " %d", &status.seccomp);
	at = value_of(text, "Seccomp_filters");
	if (at)
		sscanf(at, " %d", &status.filters);
	*ret = status;
	return 0;
}

int audit_parse_map(const char *text, struct audit_maps *ret)
{
	struct audit_map map;
	int used;

	ret->n = 0;
	while (text[strspn(text, " \n")]) {
		if (sscanf(text, " %" SCNu32 " %" SCNu32 " %" SCNu32 "%n", &map.inside, &map.outside, &map.size, &used) != 3 ||
		    ret->n == AUDIT_MAPS || map.size == 0 || map.inside + (map.size - 1) < map.inside ||
		    map.outside + (map.size - 1) < map.outside)
			return -EPROTO;
		ret->item[ret->n++] = map;
		text += used;
	}
	return 0;
}

bool audit_map_find(const struct audit_maps *maps, uint32_t inside, uint32_t *ret)
{
	for (size_t i = 0; i < maps->n; i++)
		if (inside >= maps->item[i].inside && inside - maps->item[i].inside < maps->item[i].size) {
			*ret = maps->item[i].outside + (inside - maps->item[i].inside);
			return true;
		}
	return false;
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw" */
static bool parse_mount(char *line, struct audit_mount *ret)
{
	char *save, *numbers, *root, *target, *field;

	field = strtok_r(line, " ", &save);
	if (!field || parse_uint32(field, &ret->id) < 0 || !strtok_r(NULL, " ", &save))
		return false;
	numbers = strtok_r(NULL, " ", &save);
	root = strtok_r(NULL, " ", &save);
	target = strtok_r(NULL, " ", &save);
	ret->options = strtok_r(NULL, " ", &save);
	if (!ret->options || sscanf(numbers, "%u:%u", &ret->major, &ret->minor) != 2)
		return false;
	while ((field = strtok_r(NULL, " ", &save)) && strcmp(field, "-") != 0) {
		sscanf(field, "shared:%" SCNu32, &ret->shared);
		sscanf(field, "master:%" SCNu32, &ret->master);
	}
	ret->type = field ? strtok_r(NULL, " ", &save) : NULL;
	ret->super = ret->type && strtok_r(NULL, " ", &save) ? strtok_r(NULL, " ", &save) : NULL;
	if (!ret->super)
		return false;
	mountinfo_unescape(root);
	mountinfo_unescape(target);
	ret->root = root;
	ret->target = target;
	return true;
}

int audit_parse_mounts(char *text, struct audit_mounts *ret)
{
	struct audit_mounts mounts = { .text = text };
	size_t lines = 0;
	char *save, *line;

	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	if (lines > MOUNTS_MAX)
		return -EFBIG;
	mounts.item = calloc(lines + 1, sizeof(*mounts.item));
	if (!mounts.item)
		return -ENOMEM;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (!parse_mount(line, &mounts.item[mounts.n++])) {
			free(mounts.item);
			return -EPROTO;
		}
	*ret = mounts;
	return 0;
}

void audit_mounts_deinit(struct audit_mounts *mounts)
{
	free(mounts->item);
	free(mounts->text);
	*mounts = (struct audit_mounts){ .n = 0 };
}

/* A number or "unlimited". */
static const char *parse_amount(const char *text, uint64_t *ret)
{
	int used = 0;

	text += strspn(text, " ");
	if (strncmp(text, "unlimited", 9) == 0) {
		*ret = UINT64_MAX;
		return text + 9;
	}
	return sscanf(text, "%" SCNu64 "%n", ret, &used) == 1 ? text + used : NULL;
}

int audit_parse_limit(const char *text, const char *title, uint64_t *ret_soft, uint64_t *ret_hard)
{
	const char *at = strstr(text, title);
	uint64_t soft, hard;

	at = at ? parse_amount(at + strlen(title), &soft) : NULL;
	at = at ? parse_amount(at, &hard) : NULL;
	if (!at)
		return -EPROTO;
	*ret_soft = soft;
	*ret_hard = hard;
	return 0;
}

bool audit_is_below(const char *path, const char *prefix)
{
	size_t length = strlen(prefix);

	while (length > 0 && prefix[length - 1] == '/')
		length--;
	return strncmp(path, prefix, length) == 0 && (path[length] == '\0' || path[length] == '/');
}
