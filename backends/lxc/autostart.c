/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Start at boot: one line of the configuration, lxc.start.auto, which lxc-autostart reads. All others stay as they are. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lxc.h"

#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"

#define KEY		"lxc.start.auto"
#define CONFIG_MAX	(1 << 20)

struct line {
	const char *begin, *end;	/* the line break not included; NULL: there is none */
	int on;
};

/* The last line of the key: the one that counts. */
static struct line find_line(const char *text)
{
	struct line found = { NULL, NULL, 0 };

	for (const char *line = text; *line;) {
		const char *end = line + strcspn(line, "\r\n"), *key = line + strspn(line, " \t"), *value = key + strlen(KEY);

		if (strncmp(key, KEY, strlen(KEY)) == 0) {
			value += strspn(value, " \t");
			if (*value == '=') {
				value += 1 + strspn(value + 1, " \t\"'");
				found = (struct line){ line, end, *value == '1' };
			}
		}
		line = end + strspn(end, "\r\n");
	}
	return found;
}

static void rewrite(struct buffer *b, const char *text, const struct line *line, int on)
{
	size_t length = strlen(text);

	if (line->begin) {
		buffer_add(b, text, (size_t)(line->begin - text));
		buffer_addf(b, KEY " = %d", on);
		buffer_add(b, line->end, strlen(line->end));
		return;
	}
	buffer_add(b, text, length);
	buffer_addf(b, "%s" KEY " = %d\n", length && text[length - 1] != '\n' ? "\n" : "", on);
}

/* Owner and mode stay, too. */
static int replace(int dir, const char *text)
{
	struct stat st;
	int r;

	if (fstatat(dir, LXC_CONFIG, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	r = fd_replace_file(dir, LXC_CONFIG, text, strlen(text), true);
	if (r == 0 && (fchownat(dir, LXC_CONFIG, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
		       fchmodat(dir, LXC_CONFIG, st.st_mode & 07777, 0) < 0))
		r = -errno;
	return r;
}

static int change(int dir, const char *text, const struct line *line, int on)
{
	_cleanup_(buffer_deinit) struct buffer b = { 0 };

	rewrite(&b, text, line, on);
	return b.failed ? -ENOMEM : replace(dir, b.text);
}

int lxc_autostart(void *self _unused_, const struct mrg_unit *unit, int on, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int dir = -1;
	struct lxc_place place;
	struct line line;
	int r = lxc_place_of(unit, &place, err);

	if (r < 0)
		return r;
	dir = lxc_place_open(&place);
	r = dir < 0 ? dir : fd_read_file(dir, LXC_CONFIG, CONFIG_MAX, &text, NULL);
	if (r == -ENOENT)
		return mrg_error_set(err, -MRG_E_NOT_FOUND, "no container named '%s' in '%s'", place.name, place.path);
	if (r == 0) {
		line = find_line(text);
		if (on < 0 || on == line.on)
			return line.on;
		r = change(dir, text, &line, on);
	}
	return r < 0 ? fail_errno(err, r, "cannot change '%s/%s/" LXC_CONFIG "'", place.path, place.name) : on;
}
