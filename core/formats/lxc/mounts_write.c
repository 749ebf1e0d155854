/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about mounts, writing; and which mounts LXC makes by keys of their own. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/device_names.h"
#include "core/formats/lxc/mounts.h"
#include "core/util/cleanup.h"
#include "core/util/path.h"

#define DEV_SIZE	500000
#define PTYS		1024

/* ---- what a mount is ------------------------------------------------------------------------------ */

bool lxc_mount_is_bind(const struct mrg_mount *mount)
{
	return strv_contains(mount->options, "bind") || strv_contains(mount->options, "rbind") ||
	       (mount->type && strcmp(mount->type, "bind") == 0);
}

/* /dev has devices, but for what is mounted there too. */
const char *lxc_mount_create(const struct mrg_mount *mount)
{
	static const char *const directories[] = { "/dev/shm", "/dev/mqueue", "/dev/pts", "/dev/hugepages", "/dev/dri", "/dev/input",
						   "/dev/net", "/dev/snd", "/dev/mapper", "/dev/disk" };

	if (!lxc_mount_is_bind(mount) || !mount->source || strncmp(mount->source, "/dev/", 5) != 0)
		return "dir";
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		if (strcmp(mount->source, directories[i]) == 0)
			return "dir";
	return "file";
}

bool lxc_mount_has_options(const struct mrg_mount *mount, const char *const *options)
{
	if (strv_length(mount->options) != strv_length((char *const *)options))
		return false;
	for (; *options; options++)
		if (!strv_contains(mount->options, *options))
			return false;
	return true;
}

bool lxc_mount_is_ignored(const char *option)
{
	static const char *const names[] = { "sync", "async", "dirsync", "lazytime", "mand", "nomand", "remount", "idmap", "ridmap",
					     "tmpcopyup" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], option) == 0)
			return true;
	return false;
}

bool lxc_mount_is_deep(const char *option)
{
	static const char *const names[] = { "rro", "rnosuid", "rnodev", "rnoexec" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], option) == 0)
			return true;
	return false;
}

bool lxc_mount_is_mistaken(const char *option)
{
	return strstr(option, "relative") || strstr(option, "create=") || strstr(option, "idmap=");
}

static bool has_flag(const struct mrg_mount *mount, const char *flag)
{
	for (char *const *option = mount->options; option && *option; option++)
		if (strcmp(lxc_mount_is_deep(*option) ? *option + 1 : *option, flag) == 0)
			return true;
	return false;
}

bool lxc_mount_loses_flags(const struct mrg_mount *mount)
{
	static const char *const flags[] = { "nosuid", "nodev", "noexec" };

	if (!lxc_mount_is_bind(mount) || has_flag(mount, "ro"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (has_flag(mount, flags[i]))
			return true;
	return false;
}

static const char *option_value(const struct mrg_mount *mount, const char *name)
{
	size_t length = strlen(name);

	for (char *const *option = mount->options; option && *option; option++)
		if (strncmp(*option, name, length) == 0 && (*option)[length] == '=')
			return *option + length + 1;
	return NULL;
}

uint32_t lxc_mount_dev_size(const struct mrg_mount *mount)
{
	const char *size = option_value(mount, "size");
	int64_t bytes;

	return size && parse_size(size, &bytes) == 0 && bytes > 0 && bytes <= INT32_MAX ? (uint32_t)bytes : DEV_SIZE;
}

uint32_t lxc_mount_ptys(const struct mrg_mount *mount)
{
	const char *max = option_value(mount, "max");
	uint32_t ptys;

	return max && parse_uint32(max, &ptys) == 0 && ptys > 0 ? ptys : PTYS;
}

static bool is_at(const struct mrg_mount *mount, const char *destination, const char *type)
{
	return mount->type && strcmp(mount->type, type) == 0 && strcmp(mount->destination, destination) == 0;
}

enum lxc_mount_kind lxc_mount_kind(const struct mrg_mount *mount)
{
	static const char *const plain[] = { "nosuid", "nodev", "noexec", NULL }, *const readonly[] = { "nosuid", "nodev", "noexec", "ro", NULL },
				 *const writable[] = { "nosuid", "nodev", "noexec", "rw", NULL };
	bool usual = lxc_mount_has_options(mount, plain);

	if (lxc_mount_is_bind(mount))
		return LXC_MOUNT_ENTRY;
	if (is_at(mount, "/dev", "tmpfs"))
		return LXC_MOUNT_DEV;
	if (is_at(mount, "/proc", "proc") && usual)
		return LXC_MOUNT_PROC;
	if (is_at(mount, "/sys", "sysfs") && (usual || lxc_mount_has_options(mount, readonly) || lxc_mount_has_options(mount, writable)))
		return LXC_MOUNT_SYS;
	if (is_at(mount, "/sys/fs/cgroup", "cgroup"))
		return LXC_MOUNT_CGROUP;
	return is_at(mount, "/dev/pts", "devpts") ? LXC_MOUNT_PTS : LXC_MOUNT_ENTRY;
}

/* ---- fields of an entry ------------------------------------------------------------------------------ */

/* What separates fields is written in octal. */
static void add_field(struct buffer *b, const char *text)
{
	for (; *text; text++) {
		if (strchr(" \t\n\\", *text))
			buffer_addf(b, "\\%03o", (unsigned char)*text);
		else
			buffer_add(b, text, 1);
	}
}

static const char *mount_loss(const struct mrg_mount *mount)
{
	if (!path_is_clean(mount->destination) || mount->destination[1] == '\0')
		return "a target that no line can hold";
	if (lxc_mount_is_bind(mount) && (!mount->source || !path_is_clean(mount->source)))
		return "a source that no line can hold";
	if (!lxc_mount_is_bind(mount) && (!mount->type || !*mount->type || strcmp(mount->type, "none") == 0))
		return "a mount without a type";
	for (char *const *option = mount->options; option && *option; option++)
		if (!**option || strchr(*option, ',') || lxc_mount_is_mistaken(*option))
			return "an option that no line can hold, or in which LXC would find one of its own";
	return NULL;
}

/* What becomes of one option of a mount: what is written for it, and what is lost. */
static const char *write_option(const struct mrg_mount *mount, const char *option, int *verdict, const char **note)
{
	if (lxc_mount_is_deep(option)) {
		*verdict = MRG_WEAKENS;
		*note = "what is mounted below a mount stays as it is: LXC changes the top only";
		return option + 1;
	}
	if (strcmp(option, "idmap") == 0 && mount->uid_mappings.n == 0)
		return "idmap=container";
	if (!lxc_mount_is_ignored(option))
		return option;
	*verdict = *verdict > MRG_APPROXIMATED ? *verdict : MRG_APPROXIMATED;
	*note = "LXC ignores some of its options";
	return NULL;
}

/* Adds the options kept for the target, and what makes LXC create it. */
static void add_own_options(struct key_writer *out, const struct mrg_mount *mount, const char **comma)
{
	const struct json *kept = lxc_kept(out, LXC_KEPT_OPTIONS);
	size_t length = strlen(mount->destination);
	const char *create = lxc_mount_create(mount);
	bool optional = false;

	for (const struct json *value = kept ? kept->first : NULL; value; value = value->next) {
		const char *options = value->type == JSON_STRING && strncmp(value->text, mount->destination, length) == 0 &&
				      value->text[length] == ' ' ? value->text + length : "";

		optional |= strstr(options, "optional") != NULL;
		create = strstr(options, "create=file") ? "file" : strstr(options, "create=dir") ? "dir" : create;
	}
	buffer_addf(&out->b, "%s%screate=%s", *comma, optional ? "optional," : "", create);
}

static void write_entry(struct key_writer *out, const struct mrg_mount *mount, int *verdict, const char **note)
{
	bool bind = lxc_mount_is_bind(mount);
	const char *comma = "", *loss = mount_loss(mount);

	if (loss) {
		*verdict = MRG_WEAKENS;
		*note = loss;
		return;
	}
	buffer_addf(&out->b, "lxc.mount.entry = ");
	/* A "#" in front would make it a comment. */
	add_field(&out->b, mount->source && *mount->source && *mount->source != '#' ? mount->source : "none");
	buffer_addf(&out->b, " ");
	add_field(&out->b, mount->destination + 1);
	buffer_addf(&out->b, " ");
	add_field(&out->b, bind ? "none" : mount->type);
	buffer_addf(&out->b, " ");
	if (bind && !strv_contains(mount->options, "bind") && !strv_contains(mount->options, "rbind")) {
		buffer_addf(&out->b, "bind");
		comma = ",";
	}
	for (char *const *option = mount->options; option && *option; option++) {
		const char *text = write_option(mount, *option, verdict, note);

		if (!text)
			continue;
		buffer_addf(&out->b, "%s", comma);
		add_field(&out->b, text);
		comma = ",";
	}
	add_own_options(out, mount, &comma);
	buffer_addf(&out->b, " 0 0\n");
	if (lxc_mount_loses_flags(mount)) {
		*verdict = MRG_WEAKENS;
		*note = "LXC gives a bind mount nosuid, nodev and noexec only where it is read-only";
	}
	if (mount->uid_mappings.n || mount->gid_mappings.n) {
		*verdict = MRG_WEAKENS;
		*note = "LXC maps owners by the container's user namespace only";
	}
}

/* ---- hidden and read-only paths ------------------------------------------------------------------------ */

/* What is usually hidden, so that only what fits is written: LXC complains of the other. */
static const struct {
	const char *path;
	bool directory;
} usual[] = {
	{ "/proc/acpi", true }, { "/proc/asound", true }, { "/proc/scsi", true }, { "/sys/devices/virtual/powercap", true },
	{ "/sys/firmware", true }, { "/sys/fs/bpf", true }, { "/sys/fs/pstore", true }, { "/sys/fs/selinux", true },
	{ "/sys/kernel/debug", true }, { "/sys/kernel/security", true },
	{ "/proc/config.gz", false }, { "/proc/interrupts", false }, { "/proc/kallsyms", false }, { "/proc/kcore", false },
	{ "/proc/keys", false }, { "/proc/latency_stats", false }, { "/proc/sched_debug", false },
	{ "/proc/sysrq-trigger", false }, { "/proc/timer_list", false }, { "/proc/timer_stats", false },
};

/* /dev/null hides a file and an empty tmpfs a directory; of others both are written, and LXC leaves out what does not fit. */
static void write_masked(struct key_writer *out, const char *path)
{
	bool file = true, directory = true;

	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		if (strcmp(usual[i].path, path) == 0) {
			file = !usual[i].directory;
			directory = usual[i].directory;
		}
	if (file) {
		buffer_addf(&out->b, "lxc.mount.entry = /dev/null ");
		add_field(&out->b, path + 1);
		buffer_addf(&out->b, " none bind,optional 0 0\n");
	}
	if (directory) {
		buffer_addf(&out->b, "lxc.mount.entry = tmpfs ");
		add_field(&out->b, path + 1);
		buffer_addf(&out->b, " tmpfs ro,optional,size=4k 0 0\n");
	}
}

static void write_readonly(struct key_writer *out, const char *path)
{
	buffer_addf(&out->b, "lxc.mount.entry = ");
	add_field(&out->b, path + 1);
	buffer_addf(&out->b, " ");
	add_field(&out->b, path + 1);
	buffer_addf(&out->b, " none rbind,ro,optional,relative 0 0\n");
}

/* What is read-only is its own source, which must not look like a comment. */
static bool can_write_path(const char *path, bool readonly)
{
	return path_is_clean(path) && path[1] && path[1] != '/' && !(readonly && path[1] == '#');
}

static void write_paths(struct key_writer *out, unsigned int field, char *const *paths, bool mixed,
			void (*write)(struct key_writer *out, const char *path))
{
	if (!key_has(out, field))
		return;
	for (; paths && *paths; paths++) {
		if (mixed && (strcmp(*paths, "/proc/sys") == 0 || strcmp(*paths, "/proc/sysrq-trigger") == 0))
			continue;
		if (can_write_path(*paths, field == MRG_FIELD_READONLY_PATHS))
			write(out, *paths);
		else
			lxc_report_loss(out, field, MRG_WEAKENS, "'%.60s' is a path that no line can hold", *paths);
	}
	key_report(out, field, MRG_CARRIED, "lxc.mount.entry", NULL);
}

/* ---- all of them --------------------------------------------------------------------------------------- */

/* The first mount of each kind, or NULL. */
static void find_kinds(const struct mrg_spec *spec, const struct mrg_mount *first[LXC_MOUNT_PTS + 1])
{
	for (size_t i = spec->mounts.n; i-- > 0;)
		if (path_is_clean(spec->mounts.item[i].destination))
			first[lxc_mount_kind(&spec->mounts.item[i])] = &spec->mounts.item[i];
	first[LXC_MOUNT_ENTRY] = NULL;
}

static void write_automatic(struct key_writer *out, const struct mrg_mount *const first[], bool mixed)
{
	const struct mrg_mount *sys = first[LXC_MOUNT_SYS], *cgroup = first[LXC_MOUNT_CGROUP];

	if (!first[LXC_MOUNT_PROC] && !sys && !cgroup)
		return;
	buffer_addf(&out->b, "lxc.mount.auto =");
	if (first[LXC_MOUNT_PROC])
		buffer_addf(&out->b, " proc:%s", mixed ? "mixed" : "rw");
	if (sys)
		buffer_addf(&out->b, " sys:%s", strv_contains(sys->options, "ro") ? "ro" : "rw");
	if (cgroup)
		buffer_addf(&out->b, " cgroup:%s:force", strv_contains(cgroup->options, "ro") ? "ro" : "rw");
	buffer_addf(&out->b, "\n");
}

/* Whether /dev and /dev/pts are as LXC makes them. */
static bool is_made_by_lxc(const struct mrg_mount *mount, const char *const *options)
{
	for (char *const *option = mount ? mount->options : NULL; option && *option; option++) {
		size_t i = 0;

		while (options[i] && strncmp(*option, options[i], strlen(options[i])) != 0)
			i++;
		if (!options[i])
			return false;
	}
	return true;
}

static void write_dev(struct key_writer *out, const struct mrg_mount *const first[], int *verdict, const char **note)
{
	static const char *const dev[] = { "mode=755", "mode=0755", "size=", "nr_inodes=", "strictatime", NULL };
	static const char *const pts[] = { "newinstance", "ptmxmode=0666", "mode=0620", "gid=5", "max=", NULL };

	buffer_addf(&out->b, "lxc.autodev = %d\n", first[LXC_MOUNT_DEV] != NULL);
	if (first[LXC_MOUNT_DEV])
		buffer_addf(&out->b, "lxc.autodev.tmpfs.size = %" PRIu32 "\n", lxc_mount_dev_size(first[LXC_MOUNT_DEV]));
	if (first[LXC_MOUNT_PTS])
		buffer_addf(&out->b, "lxc.pty.max = %" PRIu32 "\n", lxc_mount_ptys(first[LXC_MOUNT_PTS]));
	if (is_made_by_lxc(first[LXC_MOUNT_DEV], dev) && is_made_by_lxc(first[LXC_MOUNT_PTS], pts))
		return;
	*verdict = MRG_APPROXIMATED;
	*note = "/dev and /dev/pts have the mount options that LXC gives them";
}

KEY_WRITER(lxc_write_mounts)
{
	const struct mrg_mount *first[LXC_MOUNT_PTS + 1] = { NULL };
	const struct mrg_spec *spec = out->spec;
	int verdict = MRG_CARRIED;
	const char *note = NULL;
	bool mixed;

	find_kinds(spec, first);
	mixed = first[LXC_MOUNT_PROC] && strv_contains(spec->readonly_paths, "/proc/sys");
	write_dev(out, first, &verdict, &note);
	write_automatic(out, first, mixed);
	for (size_t i = 0; i < spec->mounts.n; i++) {
		const struct mrg_mount *mount = &spec->mounts.item[i];

		if (!path_is_clean(mount->destination) || first[lxc_mount_kind(mount)] != mount)
			write_entry(out, mount, &verdict, &note);
	}
	if (key_has(out, MRG_FIELD_MOUNTS))
		key_report(out, MRG_FIELD_MOUNTS, verdict, key->name, note);
	write_paths(out, MRG_FIELD_MASKED_PATHS, spec->masked_paths, false, write_masked);
	write_paths(out, MRG_FIELD_READONLY_PATHS, spec->readonly_paths, mixed, write_readonly);
}

/* LXC makes no nodes: the host's node of the name is bound, when its number is the one that everybody has there. */
KEY_WRITER(lxc_write_devices)
{
	(void)key;
	if (!key_has(out, MRG_FIELD_DEVICES))
		return;
	for (size_t i = 0; i < out->spec->devices.n; i++) {
		const struct mrg_device *device = &out->spec->devices.item[i];
		struct device_name known;

		if (device_find(device->path, &known) && known.type == device->type[0] && known.major == device->major &&
		    known.minor == device->minor)
			buffer_addf(&out->b, "lxc.mount.entry = %s %s none bind,create=file 0 0\n", device->path, device->path + 1);
		else
			lxc_report_loss(out, MRG_FIELD_DEVICES, MRG_DROPPED,
					"LXC makes no device nodes, and which node of the host '%.60s' is, is not known here", device->path);
	}
	key_report(out, MRG_FIELD_DEVICES, MRG_APPROXIMATED, "lxc.mount.entry", "the node of the host is bound, with its owner and mode");
}
