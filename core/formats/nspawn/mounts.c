/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about the file systems of a container of systemd-nspawn. */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/nspawn/nspawn.h"
#include "core/util/cleanup.h"
#include "core/util/path.h"

static int bad_path(struct key_reader *in, const char *path)
{
	return key_fail(in, "must be an absolute path without '..', not '%.80s'", path);
}

/* ---- reading: the root ---------------------------------------------------------- */

KEY_READER(nspawn_read_root)
{
	const char *note = key_undo(in, value);

	if (note)
		return key_lost(in, key, note);
	if (!path_is_clean(value))
		return bad_path(in, value);
	return key_set(in, MRG_FIELD_ROOT_PATH, value) < 0 ? -MRG_E_INVALID : MRG_CARRIED;
}

KEY_READER(nspawn_read_ephemeral)
{
	bool yes;

	if (*value && parse_bool(value, &yes) < 0)
		return key_fail(in, "must be yes or no, not '%.40s'", value);
	return key_read_simple(in, key, value);
}

static int tmpfs_at(struct key_reader *in, const char *path)
{
	const char *options[] = { "mode=0755", "nodev", "strictatime", NULL };
	struct mrg_mount mount = { .destination = path, .type = "tmpfs", .source = "tmpfs", .options = (char **)options };

	return mrg_spec_add_mount(in->spec, &mount, in->err);
}

KEY_READER(nspawn_read_volatile)
{
	bool yes = true;

	if (strcmp(value, "overlay") == 0)
		return key_set(in, MRG_FIELD_EPHEMERAL, "yes") < 0 ? -MRG_E_INVALID : MRG_CARRIED;
	if (strcmp(value, "state") == 0) {
		in->note = "read as a read-only root with a tmpfs on /var";
		return key_set(in, MRG_FIELD_ROOT_READONLY, "yes") < 0 || tmpfs_at(in, "/var") < 0 ? -MRG_E_INVALID : MRG_APPROXIMATED;
	}
	if (parse_bool(value, &yes) < 0)
		return key_fail(in, "must be yes, no, state or overlay, not '%.40s'", value);
	return yes ? key_lost(in, key, "a root of which only /usr is there has no field") : MRG_CARRIED;
}

/* ---- reading: mounts ------------------------------------------------------------ */

/* "+PATH" is below the root of the container. */
static int below_root(struct key_reader *in, const char *path, char **ret)
{
	const char *root = in->spec->root_path;
	struct buffer b = { 0 };

	if (!path_is_clean(path))
		return bad_path(in, path);
	buffer_addf(&b, "%s%s", strcmp(root, "/") == 0 ? "" : root, path);
	*ret = b.failed ? NULL : mrg_spec_strdup(in->spec, b.text);
	buffer_deinit(&b);
	return *ret ? 0 : key_no_memory(in);
}

static bool is_hidden(const char *source)
{
	return strcmp(source, NSPAWN_HIDE_FILE) == 0 || strcmp(source, NSPAWN_HIDE_DIRECTORY) == 0;
}

static int add_path(struct key_reader *in, enum mrg_field field, const char *path)
{
	char **paths = *(char ***)member_at(&spec_fields[field].value, in->spec);

	return strv_contains(paths, path) ? MRG_CARRIED : key_set(in, field, path) < 0 ? -MRG_E_INVALID : MRG_CARRIED;
}

/* rbind (the default) and norbind; ids that are mapped are lost. */
static int bind_options(struct key_reader *in, const char *text, bool *recursive, const char **note)
{
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy, *option;

	if (!copy)
		return key_no_memory(in);
	while ((option = strsep(&rest, ","))) {
		if (strcmp(option, "rbind") == 0 || strcmp(option, "norbind") == 0)
			*recursive = option[0] == 'r';
		else if (strcmp(option, "idmap") == 0 || strcmp(option, "rootidmap") == 0)
			*note = "a mount with other owners cannot be said";
		else if (*option && strcmp(option, "noidmap") != 0)
			return key_fail(in, "must be SOURCE[:DESTINATION[:OPTIONS]] with rbind, norbind, idmap, noidmap or rootidmap, not '%.40s'", option);
	}
	return 0;
}

static int add_bind(struct key_reader *in, const char *source, const char *destination, bool readonly, bool recursive)
{
	const char *options[] = { recursive ? "rbind" : "bind", readonly ? recursive ? "rro" : "ro" : NULL, NULL };
	struct mrg_mount mount = { .destination = destination, .type = "bind", .source = source, .options = (char **)options };

	return mrg_spec_add_mount(in->spec, &mount, in->err) < 0 ? -MRG_E_INVALID : MRG_CARRIED;
}

/* Makes of "+/a:/a", read-only, a read-only path; of what hides, a masked one. */
static int read_inner(struct key_reader *in, const struct key *key, char *const parts[2], bool readonly, bool recursive)
{
	char *source;
	int r;

	if (!path_is_clean(parts[0] + 1))
		return bad_path(in, parts[0] + 1);
	if (readonly && recursive && strcmp(parts[0] + 1, parts[1]) == 0 && !nspawn_is_kernels(parts[1]))
		return add_path(in, MRG_FIELD_READONLY_PATHS, parts[1]);
	if (!in->spec->root_path)
		return key_lost(in, key, "where the root is is not known here");
	in->note = "the source is in the root, and is taken from there on the host";
	r = below_root(in, parts[0] + 1, &source);
	if (r == 0)
		r = add_bind(in, source, parts[1], readonly, recursive);
	return r < 0 ? r : MRG_APPROXIMATED;
}

KEY_READER(nspawn_read_bind)
{
	_cleanup_(strv_freep) char **parts = NULL;
	bool readonly = strcmp(key->name, "BindReadOnly") == 0, recursive = true, same;
	const char *note = NULL;
	char *pair[2];
	int r = nspawn_parts(in, value, 3, &parts);

	if (r == 0 && parts[1] && parts[2])
		r = bind_options(in, parts[2], &recursive, &note);
	if (r < 0)
		return r;
	pair[0] = parts[0];
	pair[1] = parts[1] ? parts[1] : parts[0] + (parts[0][0] == '+');
	if (!path_is_clean(pair[1]))
		return bad_path(in, pair[1]);
	if (!*pair[0])
		note = "an empty source, a directory that lives as long as the container, cannot be said";
	if (note)
		return key_lost(in, key, note);
	if (pair[0][0] == '+')
		return read_inner(in, key, pair, readonly, recursive);
	if (!path_is_clean(pair[0]))
		return bad_path(in, pair[0]);
	/* Below /proc sources are looked for in the container. */
	same = strncmp(pair[1], "/proc/", 6) == 0 && readonly && recursive;
	if (same && is_hidden(pair[0]))
		return add_path(in, MRG_FIELD_MASKED_PATHS, pair[1]);
	if (same && strcmp(pair[0], pair[1]) == 0)
		return add_path(in, MRG_FIELD_READONLY_PATHS, pair[1]);
	return add_bind(in, pair[0], pair[1], readonly, recursive);
}

KEY_READER(nspawn_read_tmpfs)
{
	_cleanup_(strv_freep) char **parts = NULL, **options = NULL;
	char *rest, *option;
	int r = nspawn_parts(in, value, 2, &parts);

	(void)key;
	if (r < 0)
		return r;
	if (!path_is_clean(parts[0]))
		return bad_path(in, parts[0]);
	rest = parts[1] && *parts[1] ? parts[1] : (char[]){ "mode=0755" };
	while (r == 0 && (option = strsep(&rest, ",")))
		if (strcmp(option, "bind") == 0 || strcmp(option, "rbind") == 0)
			return key_fail(in, "'%.10s' is no option of a tmpfs", option);
		else if (*option && strcmp(option, "nodev") != 0 && strcmp(option, "strictatime") != 0)
			r = strv_append(&options, option);
	/* Without a mode it is the kernel's; the last two are nspawn's own. */
	if (r == 0 && !options)
		r = strv_append(&options, "mode=1777");
	if (r == 0)
		r = strv_append(&options, "nodev");
	if (r == 0)
		r = strv_append(&options, "strictatime");
	if (r < 0)
		return key_no_memory(in);
	r = mrg_spec_add_mount(in->spec, &(struct mrg_mount){ .destination = parts[0], .type = "tmpfs", .source = "tmpfs",
							      .options = options }, in->err);
	return r < 0 ? -MRG_E_INVALID : MRG_CARRIED;
}

KEY_READER(nspawn_read_inaccessible)
{
	(void)key;
	return path_is_clean(value) ? add_path(in, MRG_FIELD_MASKED_PATHS, value) : bad_path(in, value);
}

/* Lower directories, from the bottom, as lowerdir= has them: from the top. @upper: in front of them. */
static int lower_option(struct key_reader *in, char *const *lower, size_t n, const char *upper, char **ret)
{
	struct buffer b = { 0 };

	buffer_addf(&b, "lowerdir=%s%s", upper ? upper : "", upper ? ":" : "");
	for (size_t i = n; i > 0; i--)
		buffer_addf(&b, "%s%s", lower[i - 1], i > 1 ? ":" : "");
	*ret = b.failed ? NULL : mrg_spec_strdup(in->spec, b.text);
	buffer_deinit(&b);
	return *ret ? 0 : key_no_memory(in);
}

static int add_overlay(struct key_reader *in, char *const *parts, size_t lowers, bool readonly)
{
	const char *upper = parts[lowers], *destination = parts[lowers + 1] ? parts[lowers + 1] : upper;
	const char *options[4] = { NULL };
	struct mrg_mount mount = { .destination = destination, .type = "overlay", .source = "overlay", .options = (char **)options };
	struct buffer text = { 0 }, work = { 0 };
	char *lower;
	int r = lower_option(in, parts, lowers, readonly ? upper : NULL, &lower);

	buffer_addf(&text, "upperdir=%s", upper);
	buffer_addf(&work, "workdir=%s.work", upper);
	if (r == 0 && (text.failed || work.failed))
		r = key_no_memory(in);
	if (r == 0) {
		options[0] = lower;
		options[1] = readonly ? "ro" : text.text;
		options[2] = readonly ? NULL : work.text;
		r = mrg_spec_add_mount(in->spec, &mount, in->err);
	}
	buffer_deinit(&text);
	buffer_deinit(&work);
	return r;
}

/* LOWER:...:UPPER:DESTINATION, or LOWER:UPPER, which is the destination too. */
KEY_READER(nspawn_read_overlay)
{
	_cleanup_(strv_freep) char **parts = NULL;
	bool readonly = strcmp(key->name, "OverlayReadOnly") == 0;
	int r = nspawn_parts(in, value, SIZE_MAX, &parts);
	size_t n = strv_length(parts);

	if (r < 0)
		return r;
	if (n < 2)
		return key_fail(in, "needs at least two directories");
	for (size_t i = 0; i < n; i++) {
		if (parts[i][0] == '+' || (!*parts[i] && n > 2 && i == n - 2))
			return key_lost(in, key, "directories of the root, or made for the time of the container, cannot be said");
		if (!path_is_clean(parts[i]))
			return bad_path(in, parts[i]);
		if (strpbrk(parts[i], ":,\\"))
			return key_lost(in, key, "a colon, comma or backslash in a path cannot be said");
	}
	r = add_overlay(in, parts, n > 2 ? n - 2 : 1, readonly);
	in->note = "nspawn makes the directory the overlay works in; here it must be there";
	return r < 0 ? -MRG_E_INVALID : readonly ? MRG_CARRIED : MRG_APPROXIMATED;
}

/* ---- what nspawn does by itself ----------------------------------------------------- */

/* By destination, component by component: a directory comes before what is in it. */
int nspawn_compare_paths(const char *a, const char *b)
{
	for (; *a && *a == *b; a++)
		b++;
	if (*a == *b)
		return 0;
	return (*a == '/' ? 1 : !*a ? 0 : (unsigned char)*a + 1) < (*b == '/' ? 1 : !*b ? 0 : (unsigned char)*b + 1) ? -1 : 1;
}

/* nspawn mounts in this order, whatever that of the keys. */
static void sort_mounts(struct mrg_mount *item, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct mrg_mount mount = item[i];
		size_t j = i;

		for (; j > 0 && nspawn_compare_paths(item[j - 1].destination, mount.destination) > 0; j--)
			item[j] = item[j - 1];
		item[j] = mount;
	}
}

/* Where there is a network of its own, /sys has a few directories only, and they come after everything else. */
static int check_masks(struct key_reader *in)
{
	if (!in->spec->ns_network)
		return 0;
	for (char **path = in->spec->masked_paths; path && *path; path++)
		if (strncmp(*path, "/sys/", 5) == 0)
			return key_fail_of(in, "Inaccessible", "%.80s is nothing that systemd-nspawn could hide: "
					   "with a network of its own a container gets its /sys later", *path);
	return 0;
}

int nspawn_finish_mounts(struct key_reader *in)
{
	struct mrg_mount *custom = in->spec->mounts.item;
	char **readonly = in->spec->readonly_paths;
	size_t n = in->spec->mounts.n;
	int r = check_masks(in);

	sort_mounts(custom, n);
	in->spec->mounts.item = NULL;
	in->spec->mounts.n = 0;
	in->spec->readonly_paths = NULL;
	for (size_t i = 0; nspawn_own_mounts[i].destination && r == 0; i++)
		r = mrg_spec_add_mount(in->spec, &nspawn_own_mounts[i], in->err);
	for (size_t i = 0; i < n && r == 0; i++)
		r = mrg_spec_add_mount(in->spec, &custom[i], in->err);
	for (size_t i = 0; nspawn_own_readonly[i] && r == 0; i++)
		r = mrg_spec_set(in->spec, MRG_FIELD_READONLY_PATHS, nspawn_own_readonly[i], in->err);
	for (char **path = readonly; path && *path && r == 0; path++)
		if (!strv_contains(in->spec->readonly_paths, *path))
			r = mrg_spec_set(in->spec, MRG_FIELD_READONLY_PATHS, *path, in->err);
	return r;
}
