/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounts, masked and read-only paths as systemd-nspawn has them. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/formats/nspawn/nspawn.h"
#include "core/util/cleanup.h"

#define OPTIONS(...)	.options = (char **)(const char *const[]){ __VA_ARGS__, NULL }

const struct mrg_mount nspawn_own_mounts[] = {
	{ .destination = "/proc", .type = "proc", .source = "proc", OPTIONS("nosuid", "noexec", "nodev") },
	{ .destination = "/sys", .type = "sysfs", .source = "sysfs", OPTIONS("nosuid", "noexec", "nodev", "ro") },
	{ .destination = "/sys/fs/cgroup", .type = "cgroup", .source = "cgroup",
	  OPTIONS("nosuid", "noexec", "nodev", "relatime", "rw") },
	{ .destination = "/dev", .type = "tmpfs", .source = "tmpfs",
	  OPTIONS("nosuid", "strictatime", "mode=755", "size=4m", "nr_inodes=65536") },
	{ .destination = "/dev/pts", .type = "devpts", .source = "devpts",
	  OPTIONS("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5") },
	{ .destination = "/dev/shm", .type = "tmpfs", .source = "tmpfs",
	  OPTIONS("nosuid", "nodev", "strictatime", "mode=1777", "size=10%", "nr_inodes=400k") },
	{ .destination = "/dev/mqueue", .type = "mqueue", .source = "mqueue", OPTIONS("nosuid", "noexec", "nodev") },
	{ .destination = "/run", .type = "tmpfs", .source = "tmpfs",
	  OPTIONS("nosuid", "nodev", "strictatime", "mode=755", "size=20%", "nr_inodes=800k") },
	{ .destination = "/tmp", .type = "tmpfs", .source = "tmpfs",
	  OPTIONS("nosuid", "nodev", "strictatime", "mode=1777", "size=10%", "nr_inodes=400k") },
	{ 0 }
};
#define OWN_MOUNTS	(ARRAY_SIZE(nspawn_own_mounts) - 1)

const char *const nspawn_own_readonly[] = {
	"/proc/acpi", "/proc/apm", "/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/scsi", "/proc/sys", NULL
};

bool nspawn_is_kernels(const char *path)
{
	return strncmp(path, "/proc/", 6) == 0 || strncmp(path, "/sys/", 5) == 0;
}

/* What is lost of mounts or paths. */
struct loss {
	int verdict;
	const char *note;
};

static void lose(struct loss *loss, int verdict, const char *note)
{
	if (verdict > loss->verdict) {
		loss->verdict = verdict;
		loss->note = note;
	}
}

static void add(struct key_writer *out, struct nspawn_settings *settings, const char *key, struct buffer *value)
{
	static const char *const options[][2] = {
		{ "Bind", "--bind" }, { "BindReadOnly", "--bind-ro" }, { "TemporaryFileSystem", "--tmpfs" },
		{ "Overlay", "--overlay" }, { "OverlayReadOnly", "--overlay-ro" }, { "Inaccessible", "--inaccessible" },
	};
	struct nspawn_setting item = { .key = key, .value = value->text };

	out->b.failed |= value->failed;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (strcmp(options[i][0], key) == 0)
			item.option = options[i][1];
	item.argument = value->failed ? NULL : strdup(value->text);
	nspawn_settings_add(out, settings, &item);
}

static void add_pair(struct key_writer *out, struct nspawn_settings *settings, const char *key, const char *source,
		     const char *destination)
{
	struct buffer b = { 0 };

	nspawn_escape(&b, source);
	buffer_add(&b, ":", 1);
	nspawn_escape(&b, destination);
	add(out, settings, key, &b);
}

/* ---- mounts ------------------------------------------------------------------- */

static bool is_bind(const struct mrg_mount *mount)
{
	return strv_contains(mount->options, "bind") || strv_contains(mount->options, "rbind") ||
	       (mount->type && strcmp(mount->type, "bind") == 0);
}

static bool same_options(char *const *a, char *const *b)
{
	size_t n = strv_length(a);

	if (n != strv_length(b))
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

/* Whether the mount is one that nspawn makes by itself, the first of its place. */
static bool is_own(const struct mrg_mount *mount, bool *seen, struct loss *loss)
{
	for (size_t i = 0; i < OWN_MOUNTS; i++) {
		const struct mrg_mount *own = &nspawn_own_mounts[i];

		if (seen[i] || is_bind(mount) || strcmp(own->destination, mount->destination) != 0 || !mount->type ||
		    strncmp(own->type, mount->type, strlen(own->type)) != 0)
			continue;
		seen[i] = true;
		if (!same_options(own->options, mount->options))
			lose(loss, MRG_APPROXIMATED, "/proc, /sys, /dev, /run and /tmp have options of nspawn's own");
		return true;
	}
	return false;
}

static void write_bind(struct key_writer *out, struct nspawn_settings *settings, const struct mrg_mount *mount,
		       struct loss *loss)
{
	static const char *const known[] = { "bind", "rbind", "ro", "rro", "rw", NULL };
	static const char *const protective[] = { "nosuid", "nodev", "noexec", "rnosuid", "rnodev", "rnoexec", NULL };
	bool recursive = strv_contains(mount->options, "rbind"), all = strv_contains(mount->options, "rro");
	bool readonly = all || strv_contains(mount->options, "ro");
	struct buffer b = { 0 };

	for (char *const *option = mount->options; option && *option; option++) {
		if (strv_contains((char *const *)protective, *option))
			lose(loss, MRG_WEAKENS, "nosuid, nodev and noexec cannot be said of a bind mount");
		else if (!strv_contains((char *const *)known, *option))
			lose(loss, MRG_APPROXIMATED, "options of bind mounts other than ro are nspawn's own");
	}
	if (readonly && recursive && !all)
		lose(loss, MRG_APPROXIMATED, "what is mounted below a read-only bind mount is read-only too");
	if (mount->uid_mappings.n > 0 || !mount->source) {
		lose(loss, MRG_WEAKENS, "a mount with other owners cannot be said");
		return;
	}
	nspawn_escape(&b, mount->source);
	buffer_add(&b, ":", 1);
	nspawn_escape(&b, mount->destination);
	buffer_addf(&b, "%s", recursive ? "" : ":norbind");
	add(out, settings, readonly ? "BindReadOnly" : "Bind", &b);
}

static void write_tmpfs(struct key_writer *out, struct nspawn_settings *settings, const struct mrg_mount *mount)
{
	struct buffer b = { 0 };
	const char *separator = ":";
	bool mode = false;

	nspawn_escape(&b, mount->destination);
	for (char *const *option = mount->options; option && *option; option++) {
		if (strcmp(*option, "nodev") == 0 || strcmp(*option, "strictatime") == 0)
			continue;
		buffer_addf(&b, "%s%s", separator, *option);
		separator = ",";
		mode |= strncmp(*option, "mode=", 5) == 0;
	}
	/* Without any option nspawn takes another mode than the kernel. */
	if (!mode && *separator == ':')
		buffer_addf(&b, ":mode=1777");
	add(out, settings, "TemporaryFileSystem", &b);
}

static const char *option_value(const struct mrg_mount *mount, const char *name)
{
	for (char *const *option = mount->options; option && *option; option++)
		if (strncmp(*option, name, strlen(name)) == 0)
			return *option + strlen(name);
	return NULL;
}

/* The lower directories from the bottom, the upper one, the destination. Without an upper one the topmost takes its place. */
static bool write_overlay(struct key_writer *out, struct nspawn_settings *settings, const struct mrg_mount *mount,
			  struct loss *loss)
{
	const char *lower = option_value(mount, "lowerdir="), *upper = option_value(mount, "upperdir=");
	_cleanup_free_ char *copy = lower ? strdup(lower) : NULL;
	struct buffer b = { 0 };
	char *colon;
	size_t n = 1;

	if (!copy || strchr(copy, '\\') || (!upper && !strchr(copy, ':')))
		return false;
	while ((colon = strrchr(copy, ':'))) {
		nspawn_escape(&b, colon + 1);
		buffer_add(&b, ":", 1);
		*colon = '\0';
		n++;
	}
	nspawn_escape(&b, copy);
	if (upper) {
		buffer_add(&b, ":", 1);
		nspawn_escape(&b, upper);
		lose(loss, MRG_APPROXIMATED, "nspawn makes the directory an overlay works in itself");
	}
	for (char *const *option = mount->options; *option; option++)
		if (strncmp(*option, "lowerdir=", 9) != 0 && strncmp(*option, "upperdir=", 9) != 0 &&
		    strncmp(*option, "workdir=", 8) != 0 && strcmp(*option, "ro") != 0)
			lose(loss, MRG_APPROXIMATED, "options of overlays are nspawn's own");
	buffer_add(&b, ":", 1);
	nspawn_escape(&b, mount->destination);
	add(out, settings, upper && !strv_contains(mount->options, "ro") ? "Overlay" : "OverlayReadOnly", &b);
	return true;
}

static void write_mount(struct key_writer *out, struct nspawn_settings *settings, const struct mrg_mount *mount,
			struct loss *loss)
{
	if (is_bind(mount))
		write_bind(out, settings, mount, loss);
	else if (mount->type && strcmp(mount->type, "tmpfs") == 0)
		write_tmpfs(out, settings, mount);
	else if (!mount->type || strcmp(mount->type, "overlay") != 0 || !write_overlay(out, settings, mount, loss))
		lose(loss, MRG_WEAKENS, "only binds, tmpfs and overlays can be said");
}

static void write_all(struct key_writer *out, struct nspawn_settings *settings)
{
	struct loss loss = { MRG_CARRIED, NULL };
	bool seen[OWN_MOUNTS] = { false };
	const struct mrg_mount *last = NULL;

	for (size_t i = 0; i < out->spec->mounts.n; i++) {
		const struct mrg_mount *mount = &out->spec->mounts.item[i];

		if (is_own(mount, seen, &loss))
			continue;
		write_mount(out, settings, mount, &loss);
		if (last && nspawn_compare_paths(last->destination, mount->destination) > 0)
			lose(&loss, MRG_APPROXIMATED, "nspawn mounts in the order of the paths");
		last = mount;
	}
	for (size_t i = 0; i < OWN_MOUNTS; i++)
		if (!seen[i])
			lose(&loss, MRG_APPROXIMATED, "nspawn mounts /proc, /sys, /dev, /run and /tmp whether asked or not");
	if (key_has(out, MRG_FIELD_MOUNTS))
		key_report(out, MRG_FIELD_MOUNTS, loss.verdict, "Bind", loss.note);
}

/* ---- masked and read-only paths -------------------------------------------------- */

/* What is there in the /sys of a container with a network of its own, and shows more than nothing. */
static bool is_shown(const char *path)
{
	static const char *const shown[] = { "/sys/block", "/sys/bus", "/sys/class", "/sys/dev", "/sys/devices", "/sys/kernel",
					     "/sys/fs/cgroup" };
	static const char *const empty[] = { "/sys/kernel/debug", "/sys/kernel/security", "/sys/kernel/tracing",
					     "/sys/kernel/config" };

	for (size_t i = 0; i < ARRAY_SIZE(empty); i++)
		if (strcmp(path, empty[i]) == 0)
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		if (strncmp(path, shown[i], strlen(shown[i])) == 0)
			return true;
	return false;
}

static bool is_directory(const char *path)
{
	static const char *const directories[] = { "/proc/acpi", "/proc/asound", "/proc/bus", "/proc/driver", "/proc/fs", "/proc/irq",
						   "/proc/net", "/proc/scsi", "/proc/sys", "/proc/sysvipc", "/proc/tty" };

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		if (strcmp(path, directories[i]) == 0)
			return true;
	return strncmp(path, "/proc/sys/", 10) == 0 && !strchr(path + 10, '/');
}

static void write_masked(struct key_writer *out, struct nspawn_settings *settings)
{
	struct loss loss = { MRG_CARRIED, NULL };

	for (char *const *path = out->spec->masked_paths; path && *path; path++) {
		struct buffer b = { 0 };

		lose(&loss, MRG_APPROXIMATED, "nspawn does not start when one of them is missing");
		if (strncmp(*path, "/proc/", 6) == 0) {
			add_pair(out, settings, "BindReadOnly", is_directory(*path) ? NSPAWN_HIDE_DIRECTORY : NSPAWN_HIDE_FILE, *path);
		} else if (strncmp(*path, "/sys/", 5) == 0 && nspawn_wants_private(out->spec)) {
			if (is_shown(*path))
				lose(&loss, MRG_WEAKENS, "with a network of its own a container gets its /sys later");
		} else {
			buffer_addf(&b, "%s", *path);
			add(out, settings, "Inaccessible", &b);
		}
	}
	if (key_has(out, MRG_FIELD_MASKED_PATHS))
		key_report(out, MRG_FIELD_MASKED_PATHS, loss.verdict, "Inaccessible", loss.note);
}

/* /sys is read-only as a whole. */
static void write_readonly(struct key_writer *out, struct nspawn_settings *settings)
{
	for (char *const *path = out->spec->readonly_paths; path && *path; path++) {
		struct buffer source = { 0 };

		if (strv_contains((char *const *)nspawn_own_readonly, *path) || strncmp(*path, "/sys/", 5) == 0)
			continue;
		buffer_addf(&source, "%s%s", nspawn_is_kernels(*path) ? "" : "+", *path);
		out->b.failed |= source.failed;
		if (!source.failed)
			add_pair(out, settings, "BindReadOnly", source.text, *path);
		buffer_deinit(&source);
	}
	if (key_has(out, MRG_FIELD_READONLY_PATHS))
		key_report(out, MRG_FIELD_READONLY_PATHS, MRG_CARRIED, "BindReadOnly", NULL);
}

KEY_WRITER(nspawn_write_mounts)
{
	struct nspawn_settings settings = { 0 };

	(void)key;
	write_all(out, &settings);
	write_readonly(out, &settings);
	write_masked(out, &settings);
	nspawn_settings_write(out, &settings);
}

/* ---- the root, and device nodes ---------------------------------------------------- */

/* A throw-away overlay over the root; it would make one that is read-only writable, there a throw-away copy does as well. */
KEY_WRITER(nspawn_write_ephemeral)
{
	const struct mrg_spec *spec = out->spec;

	if (!key_has(out, MRG_FIELD_EPHEMERAL) || (spec->ephemeral && !spec->root_readonly))
		return;
	key_line(out, key->name, spec->ephemeral ? "yes" : "no");
	key_report(out, MRG_FIELD_EPHEMERAL, MRG_CARRIED, key->name, NULL);
}

KEY_WRITER(nspawn_write_volatile)
{
	if (!key_has(out, MRG_FIELD_EPHEMERAL) || !out->spec->ephemeral || out->spec->root_readonly)
		return;
	key_line(out, key->name, "overlay");
	key_report(out, MRG_FIELD_EPHEMERAL, MRG_CARRIED, key->name, NULL);
}

void nspawn_report_devices(struct key_writer *out)
{
	static const char *const standard[] = { "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
						"/dev/net/tun", NULL };

	for (size_t i = 0; i < out->spec->devices.n; i++)
		if (!strv_contains((char *const *)standard, out->spec->devices.item[i].path))
			return;
	if (key_has(out, MRG_FIELD_DEVICES))
		key_report(out, MRG_FIELD_DEVICES, MRG_CARRIED, "systemd-nspawn", NULL);
}
