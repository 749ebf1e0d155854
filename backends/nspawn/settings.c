/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Showing nspawn other settings than those that are kept for it. The file itself is not touched. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"
#include "nspawn.h"

#define SETTINGS_MAX	(1 << 20)
#define SHOWN		"settings.nspawn"	/* in the directory of the container */

static bool is_key(const char *line, const char *key)
{
	size_t length = strlen(key);

	return strncmp(line, key, length) == 0 && line[length + strspn(line + length, " \t")] == '=';
}

static bool says_what(const char *line)
{
	static const char *const keys[] = { "Boot", "ProcessTwo", "Parameters" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (is_key(line, keys[i]))
			return true;
	return false;
}

/* How long the line at @text is, those that it goes on in included. */
static size_t line_length(const char *text)
{
	size_t length = 0;

	for (;;) {
		length += strcspn(text + length, "\n");
		if (!text[length])
			return length;
		length++;
		if (length < 2 || text[length - 2] != '\\')
			return length;
	}
}

static void strip(struct buffer *b, const char *text)
{
	bool exec = false;

	buffer_add(b, "", 0);
	while (*text) {
		size_t length = line_length(text);
		const char *line = text + strspn(text, " \t");

		if (*line == '[')
			exec = strncmp(line, "[Exec]", 6) == 0;
		if (!exec || !says_what(line))
			buffer_add(b, text, length);
		text += length;
	}
}

/* Without what others' settings say of the command, which moorage-init executes. */
static int compose_others(const char *path, struct buffer *b, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	int r = fd_read_file(AT_FDCWD, path, SETTINGS_MAX, &text, NULL);

	if (r < 0)
		return fail_errno(err, r, "cannot read '%s'", path);
	strip(b, text);
	return 0;
}

static int compose_own(const struct mrg_spec *spec, struct buffer *b, struct mrg_error *err)
{
	struct mrg_nspawn_texts texts;
	int r = mrg_helper_nspawn_write(spec, &texts, NULL, NULL, err);

	if (r < 0)
		return r;
	buffer_addf(b, "%s", texts.settings);
	mrg_helper_nspawn_free(&texts);
	return 0;
}

int nspawn_cover_prepare(const struct mrg_unit *unit, const struct mrg_spec *spec, struct nspawn_cover *ret, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer b = { 0 };
	struct nspawn_settings settings;
	int r = nspawn_settings_find(unit->path, unit->name, &settings, err);

	if (r <= 0)
		return r;
	r = spec ? compose_own(spec, &b, err) : compose_others(settings.path, &b, err);
	if (r < 0)
		return r;
	r = b.failed ? -ENOMEM : fd_replace_file(unit->dir, SHOWN, b.text, b.length, false);
	if (r == 0) {
		ret->file = open_tree(unit->dir, SHOWN, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
		r = ret->file < 0 ? -errno : 0;
	}
	if (r < 0)
		return fail_errno(err, r, "cannot copy '%s'", settings.path);
	memcpy(ret->path, settings.path, sizeof(ret->path));
	return 0;
}

int nspawn_cover_mount(const struct nspawn_cover *cover, struct mrg_error *err)
{
	struct mount_attr slave = { .propagation = MS_SLAVE };

	/* What the host mounts later is still seen, what is mounted here is not. */
	if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &slave, sizeof(slave)) < 0)
		return fail_errno(err, -errno, "cannot separate the mounts from the host's");
	if (move_mount(cover->file, "", AT_FDCWD, cover->path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return fail_errno(err, -errno, "cannot cover '%s'", cover->path);
	return 0;
}
