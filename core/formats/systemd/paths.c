/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about the file system: root, paths hidden or made read-only, mounts. */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/systemd/systemd.h"
#include "core/util/cleanup.h"
#include "core/util/path.h"

KEY_READER(read_root)
{
	if (*value && !path_is_clean(value))
		return key_fail(in, "must be an absolute path without '..', not '%.80s'", value);
	return key_read_simple(in, key, value);
}

/* The path as seen inside. With "+" it is one already; else systemd takes it from the host, so that only what is below the root counts. */
static const char *inside(struct key_reader *in, const char *word, int *verdict)
{
	struct unit_reader *unit = unit_of(in);
	size_t length = unit->root ? strlen(unit->root) : 0;

	if (*word == '-')
		word++;
	if (*word == '+')
		return word + 1;
	while (length > 1 && unit->root[length - 1] == '/')
		length--;
	if (length <= 1)
		return word;
	if (strncmp(word, unit->root, length) == 0 && (word[length] == '/' || word[length] == '\0'))
		return word[length] ? word + length : "/";
	*verdict = MRG_APPROXIMATED;
	in->note = "taken as a path inside the root; systemd looks for it on the host unless '+' is put in front";
	return word;
}

static int add_path(struct key_reader *in, unsigned int field, const char *path)
{
	char **paths = *(char ***)member_at(&spec_fields[field].value, in->spec);

	if (strv_contains(paths, path))
		return 0;
	return key_set(in, (enum mrg_field)field, path);
}

KEY_READER(read_paths)
{
	_cleanup_(strv_freep) char **words = NULL;
	int verdict = MRG_CARRIED, r;

	if (!*value) {
		key_reset(in, (unsigned int)key->field);
		return MRG_CARRIED;
	}
	r = unit_words(in, value, &words);
	if (r != 0)
		return r < 0 ? r : key_lost(in, key, NULL);
	for (size_t i = 0; words && words[i]; i++) {
		const char *path = inside(in, words[i], &verdict);

		if (!path_is_clean(path))
			return key_fail(in, "must be absolute paths without '..', not '%.80s'", words[i]);
		r = add_path(in, (unsigned int)key->field, path);
		if (r < 0)
			return r;
	}
	return verdict;
}

KEY_WRITER(write_paths)
{
	char *const *paths = *(char *const *const *)member_at_const(&spec_fields[key->field].value, out->spec);

	if (!key_has(out, (unsigned int)key->field))
		return;
	for (size_t i = 0; paths && paths[i]; i++) {
		/* A path that is missing is no failure here either; it is one inside the root. */
		buffer_addf(&out->b, "%s=-+", key->name);
		unit_quote(&out->b, paths[i], UNIT_VALUE);
		buffer_addf(&out->b, "\n");
	}
	key_report(out, (unsigned int)key->field, MRG_CARRIED, key->name, NULL);
}

static bool same_mount(const struct mrg_mount *a, const struct mrg_mount *b)
{
	size_t n = strv_length(a->options);

	if (strcmp(a->destination, b->destination) != 0 || strcmp(a->type, b->type) != 0 ||
	    strcmp(a->source, b->source) != 0 || n != strv_length(b->options))
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(a->options[i], b->options[i]) != 0)
			return false;
	return true;
}

static int add_mount(struct key_reader *in, const struct mrg_mount *mount)
{
	for (size_t i = 0; i < in->spec->mounts.n; i++)
		if (same_mount(&in->spec->mounts.item[i], mount))
			return 0;
	return mrg_spec_add_mount(in->spec, mount, in->err);
}

/* An empty assignment forgets all mounts of the type. */
static int reset_mounts(struct key_reader *in, const char *type)
{
	size_t n = 0;

	for (size_t i = 0; i < in->spec->mounts.n; i++)
		if (strcmp(in->spec->mounts.item[i].type, type) != 0)
			in->spec->mounts.item[n++] = in->spec->mounts.item[i];
	in->spec->mounts.n = n;
	if (n == 0)
		key_reset(in, MRG_FIELD_MOUNTS);
	return MRG_CARRIED;
}

/* SOURCE, DESTINATION and option of one bind; NULL where nothing was said. 1: a specifier. */
static int bind_parts(struct key_reader *in, const char **at, char *parts[3])
{
	const char *note;
	int n = 0;

	for (;;) {
		if (unit_part(at, UNIT_BLANKS ":", &parts[n]) < 0)
			return key_fail(in, "has an open quote or an unknown escape");
		note = key_undo(in, parts[n]);
		if (note) {
			in->note = note;
			return 1;
		}
		if (**at != ':')
			return 0;
		if (++n == 3)
			return key_fail(in, "must be SOURCE[:DESTINATION[:rbind|norbind]]");
		++*at;
	}
}

static int bind_mount(struct key_reader *in, bool readonly, char *const parts[3])
{
	bool missing_ok = parts[0][0] == '-', norbind = parts[2] && strcmp(parts[2], "norbind") == 0;
	const char *options[] = { norbind ? "bind" : "rbind", readonly ? "ro" : NULL, NULL };
	struct mrg_mount mount = { .type = "bind", .source = parts[0] + missing_ok, .options = (char **)options };

	mount.destination = parts[1] && *parts[1] ? parts[1] : mount.source;
	if (parts[2] && *parts[2] && !norbind && strcmp(parts[2], "rbind") != 0)
		return key_fail(in, "must be SOURCE[:DESTINATION[:rbind|norbind]]");
	if (!path_is_clean(mount.source) || !path_is_clean(mount.destination))
		return key_fail(in, "must be absolute paths without '..', not '%.80s'",
				path_is_clean(mount.source) ? mount.destination : mount.source);
	if (missing_ok)
		in->note = "the source must exist";
	return add_mount(in, &mount) < 0 ? -MRG_E_INVALID : missing_ok ? MRG_APPROXIMATED : MRG_CARRIED;
}

KEY_READER(read_bind)
{
	const char *at = value;
	int verdict = MRG_CARRIED, r = 0;

	if (!*value)
		return reset_mounts(in, "bind");
	while (r >= 0 && *(at += strspn(at, UNIT_BLANKS))) {
		char *parts[3] = { NULL };

		r = bind_parts(in, &at, parts);
		if (r == 0)
			r = bind_mount(in, strcmp(key->name, "BindReadOnlyPaths") == 0, parts);
		else if (r > 0)
			r = key_lost(in, key, NULL);
		for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
			free(parts[i]);
		verdict = r > verdict ? r : verdict;
		if (r >= MRG_DROPPED)
			break;
	}
	return r < 0 ? r : verdict;
}

/* /proc, /sys and /dev as systemd mounts them, in front of everything else; PrivateDevices= has a /dev of its own. */
static const char *const bind_options[] = { "rbind", NULL }, *const proc_options[] = { "nosuid", "noexec", "nodev", NULL },
	*const dev_options[] = { "nosuid", "noexec", "strictatime", "mode=755", "size=4m", NULL };
enum { API_PROC, API_SYS, API_DEV, API_PRIVATE_DEV };
static const struct mrg_mount api_mounts[] = {
	[API_PROC] = { .destination = "/proc", .type = "proc", .source = "proc", .options = (char **)proc_options },
	[API_SYS] = { .destination = "/sys", .type = "bind", .source = "/sys", .options = (char **)bind_options },
	[API_DEV] = { .destination = "/dev", .type = "bind", .source = "/dev", .options = (char **)bind_options },
	[API_PRIVATE_DEV] = { .destination = "/dev", .type = "tmpfs", .source = "tmpfs", .options = (char **)dev_options },
};

int unit_finish_mounts(struct key_reader *in)
{
	struct unit_reader *unit = unit_of(in);
	const struct mrg_mount *own = in->spec->mounts.item;
	const bool wanted[] = { unit->api, unit->api, unit->api && !unit->private_devices, unit->private_devices };
	size_t n = in->spec->mounts.n;
	int r = 0;

	in->spec->mounts.item = NULL;
	in->spec->mounts.n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(api_mounts) && r == 0; i++)
		if (wanted[i])
			r = add_mount(in, &api_mounts[i]);
	for (size_t i = 0; i < n && r == 0; i++)
		r = add_mount(in, &own[i]);
	return r;
}

enum mount_kind { MOUNT_BIND, MOUNT_TMPFS, MOUNT_API, MOUNT_PRIVATE_DEV, MOUNT_OTHER };

static enum mount_kind mount_kind(const struct mrg_mount *mount)
{
	static const char *const api_types[] = { "proc", "sysfs", "devpts", "mqueue", "cgroup", "cgroup2", NULL };
	bool bind = strv_contains(mount->options, "bind") || strv_contains(mount->options, "rbind") ||
		    (mount->type && strcmp(mount->type, "bind") == 0);

	if (bind)
		return mount->source ? MOUNT_BIND : MOUNT_OTHER;
	if (mount->type && strcmp(mount->type, "tmpfs") == 0)
		return strcmp(mount->destination, "/dev") == 0 ? MOUNT_PRIVATE_DEV :
		       strchr(mount->destination, ':') ? MOUNT_OTHER : MOUNT_TMPFS;
	return mount->type && strv_contains((char *const *)api_types, mount->type) ? MOUNT_API : MOUNT_OTHER;
}

static bool has_kind(const struct mrg_spec *spec, enum mount_kind kind)
{
	for (size_t i = 0; i < spec->mounts.n; i++)
		if (mount_kind(&spec->mounts.item[i]) == kind)
			return true;
	return false;
}

static void write_bind(struct key_writer *out, const struct mrg_mount *mount)
{
	buffer_addf(&out->b, "%s=", strv_contains(mount->options, "ro") ? "BindReadOnlyPaths" : "BindPaths");
	unit_quote(&out->b, mount->source, UNIT_VALUE);
	buffer_add(&out->b, ":", 1);
	unit_quote(&out->b, mount->destination, UNIT_VALUE);
	buffer_addf(&out->b, ":%s\n", strv_contains(mount->options, "rbind") ? "rbind" : "norbind");
}

static void write_tmpfs(struct key_writer *out, const struct mrg_mount *mount)
{
	struct buffer word = { 0 };

	buffer_addf(&word, "%s", mount->destination);
	for (size_t i = 0; mount->options && mount->options[i]; i++)
		buffer_addf(&word, "%c%s", i ? ',' : ':', mount->options[i]);
	buffer_addf(&out->b, "TemporaryFileSystem=");
	if (word.failed)
		out->b.failed = true;
	else
		unit_quote(&out->b, word.text, UNIT_VALUE);
	buffer_addf(&out->b, "\n");
	buffer_deinit(&word);
}

/* Mounts are one list in which the order counts: this row writes them all, each by the key that can say it. */
KEY_WRITER(write_mounts)
{
	int verdict = MRG_CARRIED;

	(void)key;
	for (size_t i = 0; i < out->spec->mounts.n; i++) {
		const struct mrg_mount *mount = &out->spec->mounts.item[i];
		enum mount_kind kind = mount_kind(mount);

		if (kind == MOUNT_TMPFS)
			write_tmpfs(out, mount);
		else if (kind == MOUNT_BIND)
			write_bind(out, mount);
		if (kind == MOUNT_OTHER)
			verdict = MRG_WEAKENS;
		else if (verdict == MRG_CARRIED && (kind == MOUNT_API || kind == MOUNT_PRIVATE_DEV ||
						    (kind == MOUNT_BIND && strv_length(mount->options) > 2)))
			verdict = MRG_APPROXIMATED;
	}
	if (has_kind(out->spec, MOUNT_API))
		key_line(out, "MountAPIVFS", "yes");
	if (has_kind(out->spec, MOUNT_PRIVATE_DEV))
		key_line(out, "PrivateDevices", "yes");
	if (key_has(out, MRG_FIELD_MOUNTS))
		key_report(out, MRG_FIELD_MOUNTS, verdict, "BindPaths", verdict == MRG_WEAKENS ?
			   "only binds, tmpfs and the API file systems can be said" :
			   "options of binds and of the API file systems are systemd's own");
}

KEY_READER(read_tmpfs)
{
	_cleanup_(strv_freep) char **words = NULL;
	int r;

	if (!*value)
		return reset_mounts(in, "tmpfs");
	r = unit_words(in, value, &words);
	if (r != 0)
		return r < 0 ? r : key_lost(in, key, NULL);
	for (size_t i = 0; words && words[i]; i++) {
		_cleanup_(strv_freep) char **options = NULL;
		char *rest = words[i], *path = strsep(&rest, ":"), *option;

		while ((option = strsep(&rest, ",")))
			if (*option && strv_append(&options, option) < 0)
				return key_no_memory(in);
		if (!path_is_clean(path))
			return key_fail(in, "must be absolute paths without '..', not '%.80s'", path);
		if (path[strspn(path, "/.")] == '\0' || strcmp(path, "/dev") == 0)
			return key_lost(in, key, "an empty file system cannot take the place of / or /dev");
		r = add_mount(in, &(struct mrg_mount){ .destination = path, .type = "tmpfs", .source = "tmpfs",
						       .options = options });
		if (r < 0)
			return r;
	}
	return MRG_CARRIED;
}

KEY_READER(read_api_mounts)
{
	struct unit_reader *unit = unit_of(in);
	bool on = false;

	if (*value && parse_bool(value, &on) < 0)
		return key_fail(in, "must be yes or no, not '%.40s'", value);
	unit->api = on;
	return on ? key->verdict : MRG_CARRIED;
}

static int tmpfs_at(struct key_reader *in, const char *path, const char *mode)
{
	const char *options[] = { "nosuid", "nodev", mode, NULL };

	return add_mount(in, &(struct mrg_mount){ .destination = path, .type = "tmpfs", .source = "tmpfs",
						  .options = (char **)options });
}

KEY_READER(read_private_tmp)
{
	bool on;
	int r;

	if (!*value || strcmp(value, "disconnected") == 0)
		on = *value;
	else if (parse_bool(value, &on) < 0)
		return key_fail(in, "must be yes or no, not '%.40s'", value);
	if (!on)
		return MRG_CARRIED;
	r = tmpfs_at(in, "/tmp", "mode=1777");
	if (r == 0)
		r = tmpfs_at(in, "/var/tmp", "mode=1777");
	return r < 0 ? r : key->verdict;
}

/* yes: /usr and the boot loader; full: /etc too; strict: everything. */
KEY_READER(read_protect_system)
{
	static const char *const paths[] = { "/usr", "/boot", "/efi", "/etc" };
	bool on = false;
	size_t n = 3;
	int r = 0;

	if (strcmp(value, "strict") == 0)
		return key_set(in, MRG_FIELD_ROOT_READONLY, "yes") < 0 ? -MRG_E_INVALID : MRG_APPROXIMATED;
	if (strcmp(value, "full") == 0)
		n = 4;
	else if (*value && parse_bool(value, &on) < 0)
		return key_fail(in, "must be yes, no, full or strict, not '%.40s'", value);
	else if (!on)
		return MRG_CARRIED;
	in->field = MRG_FIELD_READONLY_PATHS;
	for (size_t i = 0; i < n && r == 0; i++)
		r = add_path(in, MRG_FIELD_READONLY_PATHS, paths[i]);
	return r < 0 ? r : key->verdict;
}

KEY_WRITER(write_protect_system)
{
	if (!key_has(out, MRG_FIELD_ROOT_READONLY))
		return;
	if (out->spec->root_readonly)
		key_line(out, key->name, "strict");
	key_report(out, MRG_FIELD_ROOT_READONLY, out->spec->root_readonly ? MRG_APPROXIMATED : MRG_CARRIED, key->name,
		   "/dev, /proc and /sys stay writable");
}

KEY_READER(read_protect_home)
{
	static const char *const homes[] = { "/home", "/root", "/run/user" };
	unsigned int field = strcmp(value, "read-only") == 0 ? MRG_FIELD_READONLY_PATHS : MRG_FIELD_MASKED_PATHS;
	bool tmpfs = strcmp(value, "tmpfs") == 0, on = true;
	int r = 0;

	if (!*value)
		return MRG_CARRIED;
	if (field == MRG_FIELD_MASKED_PATHS && !tmpfs && parse_bool(value, &on) < 0)
		return key_fail(in, "must be yes, no, read-only or tmpfs, not '%.40s'", value);
	in->field = tmpfs ? MRG_FIELD_MOUNTS : (int)field;
	for (size_t i = 0; i < ARRAY_SIZE(homes) && on && r == 0; i++)
		r = tmpfs ? tmpfs_at(in, homes[i], "mode=755") : add_path(in, field, homes[i]);
	return r < 0 ? r : on ? key->verdict : MRG_CARRIED;
}
