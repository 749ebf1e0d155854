/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about the file system: the root, what the driver mounts by itself, and what it is told to. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/libvirt/libvirt.h"
#include "core/util/cleanup.h"
#include "core/util/path.h"

/* ---- what the driver mounts for every container ------------------------------ */

static const char *const proc_options[] = { "nosuid", "noexec", "nodev", NULL };
static const char *const sys_options[] = { "nosuid", "noexec", "nodev", "ro", NULL };
static const char *const dev_options[] = { "nosuid", "mode=755", "size=65536", NULL };
static const char *const pts_options[] = { "nosuid", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5", NULL };
static const struct mrg_mount own_mounts[] = {
	{ .destination = "/proc", .type = "proc", .source = "proc", .options = (char **)proc_options },
	{ .destination = "/sys", .type = "sysfs", .source = "sysfs", .options = (char **)sys_options },
	{ .destination = "/dev", .type = "tmpfs", .source = "tmpfs", .options = (char **)dev_options },
	{ .destination = "/dev/pts", .type = "devpts", .source = "devpts", .options = (char **)pts_options },
};

/* ---- reading ---------------------------------------------------------------- */

static int add_mount(struct domain_reader *in, const struct mrg_mount *mount)
{
	return mrg_spec_add_mount(in->spec, mount, in->err);
}

static int claim_all(struct domain_reader *in, const void *const *leaves, size_t n, int verdict, int field, const char *note)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = domain_claim(in, leaves[i], &(struct claim){ .verdict = verdict, .field = field, .note = note });
	return r;
}

/* The leaves of a <filesystem> that a spec has something for. */
struct filesystem {
	xmlNode *element;
	xmlAttr *type, *source, *units, *target;
	xmlNode *readonly;
	const char *source_text, *target_text;
};

static int read_source(struct domain_reader *in, struct filesystem *fs, const char *name)
{
	xmlNode *source = xml_child(fs->element, "source");

	if (!source)
		return domain_fail(in, fs->element, "has no element 'source'");
	return domain_attribute(in, source, name, &fs->source, &fs->source_text);
}

static int claim_filesystem(struct domain_reader *in, const struct filesystem *fs, int field, int verdict, const char *note)
{
	const void *const leaves[] = { fs->type, fs->units, fs->target };
	int r = claim_all(in, leaves, ARRAY_SIZE(leaves), MRG_CARRIED, field, NULL);

	if (r == 0)
		r = domain_claim(in, fs->source, &(struct claim){ .verdict = verdict, .field = field, .note = note });
	return r == 0 && fs->readonly ? domain_carried(in, fs->readonly, field == MRG_FIELD_ROOT_PATH ? MRG_FIELD_ROOT_READONLY : field) : r;
}

static int read_root(struct domain_reader *in, struct filesystem *fs)
{
	int r = domain_set(in, fs->source, MRG_FIELD_ROOT_PATH, fs->source_text);

	if (r == 0 && fs->readonly)
		r = domain_set(in, fs->readonly, MRG_FIELD_ROOT_READONLY, "yes");
	in->root = fs->element;
	return r < 0 ? r : claim_filesystem(in, fs, MRG_FIELD_ROOT_PATH, MRG_CARRIED, NULL);
}

/* A directory or file of the host. Only the mount itself is bound, and only it becomes read-only. */
static int read_directory(struct domain_reader *in, struct filesystem *fs)
{
	int r = read_source(in, fs, "dir");
	const char *options[] = { "bind", fs->readonly ? "ro" : NULL, NULL };
	struct mrg_mount mount = { .destination = fs->target_text, .type = "bind", .options = (char **)options };

	if (r < 0)
		return r;
	if (!path_is_clean(fs->source_text))
		return domain_fail(in, fs->source, "must be an absolute path without '..', not '%.80s'", fs->source_text);
	if (strcmp(fs->target_text, "/") == 0)
		return read_root(in, fs);
	mount.source = fs->source_text;
	r = add_mount(in, &mount);
	return r < 0 ? r : claim_filesystem(in, fs, MRG_FIELD_MOUNTS, MRG_CARRIED, NULL);
}

/* The root as a directory of the host; NULL when it is none. */
static const char *root_directory(const xmlNode *devices)
{
	for (xmlNode *fs = xml_child(devices, "filesystem"); fs; fs = xml_next(fs, "filesystem")) {
		xmlNode *target = xml_child(fs, "target"), *source = xml_child(fs, "source");
		xmlAttr *dir = target ? xml_attribute(target, "dir") : NULL, *path = source ? xml_attribute(source, "dir") : NULL;

		if (dir && strcmp(xml_content((xmlNode *)dir), "/") == 0)
			return path ? xml_content((xmlNode *)path) : NULL;
	}
	return "/";
}

/* What stands below the root of the container, as a directory of the host: as long as nothing else is mounted there it is the same. */
static int read_inner(struct domain_reader *in, struct filesystem *fs)
{
	const char *root = root_directory(fs->element->parent), *options[] = { "bind", fs->readonly ? "ro" : NULL, NULL };
	struct mrg_mount mount = { .destination = fs->target_text, .type = "bind", .options = (char **)options };
	_cleanup_free_ char *source = NULL;
	int r = read_source(in, fs, "dir");

	if (r < 0)
		return r;
	if (strcmp(fs->target_text, "/") == 0)
		return domain_fail(in, fs->element, "cannot be the root");
	if (!root)
		return domain_keep_whole(in, fs->element, MRG_DROPPED, "binds a directory of a root that is no directory of the host; kept verbatim");
	if (asprintf(&source, "%s%s", strcmp(root, "/") == 0 ? "" : root, fs->source_text) < 0)
		return domain_no_memory(in);
	if (!path_is_clean(fs->source_text) || !path_is_clean(source))
		return domain_fail(in, fs->source, "must be an absolute path without '..', not '%.80s'", fs->source_text);
	mount.source = source;
	r = add_mount(in, &mount);
	return r < 0 ? r : claim_filesystem(in, fs, MRG_FIELD_MOUNTS, MRG_APPROXIMATED, "taken from the root on the host, without what is mounted over it");
}

/* KiB unless told: "usage" is what stands in tmpfs's size=. */
static int read_ram(struct domain_reader *in, struct filesystem *fs)
{
	char size[32];
	const char *options[] = { "nosuid", "nodev", size, fs->readonly ? "ro" : NULL, NULL };
	struct mrg_mount mount = { .destination = fs->target_text, .type = "tmpfs", .source = "tmpfs", .options = (char **)options };
	uint64_t usage, bytes, factor = 1024;
	int r = read_source(in, fs, "usage");

	if (r == 0)
		r = domain_number(in, fs->source, 0, UINT64_MAX, &usage);
	if (r < 0)
		return r;
	fs->units = xml_attribute(xml_child(fs->element, "source"), "units");
	if (fs->units) {
		factor = domain_unit(xml_content((xmlNode *)fs->units));
		if (factor == 0)
			return domain_fail(in, fs->units, "must be a unit such as KiB, MiB or bytes, not '%.20s'", xml_content((xmlNode *)fs->units));
	}
	if (__builtin_mul_overflow(usage, factor, &bytes) || bytes > INT64_MAX)
		return domain_fail(in, fs->source, "is too large");
	if (strcmp(fs->target_text, "/") == 0)
		return domain_fail(in, fs->element, "cannot be the root");
	snprintf(size, sizeof(size), "size=%" PRIu64, bytes);
	r = add_mount(in, &mount);
	return r < 0 ? r : claim_filesystem(in, fs, MRG_FIELD_MOUNTS, MRG_CARRIED, NULL);
}

static int read_image(struct domain_reader *in, struct filesystem *fs)
{
	bool root = strcmp(fs->target_text, "/") == 0;

	return domain_keep_whole(in, fs->element, root ? MRG_WEAKENS : MRG_DROPPED,
				 root ? "the root is an image, of which a spec has the directory only; kept verbatim" :
					"an image, block device or volume, whose file system is not known here; kept verbatim");
}

ROW_READER(domain_read_filesystem)
{
	static const char *const types[] = { "mount", "bind", "ram", "block", "file", "template", "volume", NULL };
	static int (*const readers[])(struct domain_reader *in, struct filesystem *fs) = { read_directory, read_inner, read_ram, read_image, read_image,
											   read_image, read_image };
	struct filesystem fs = { .element = element, .type = xml_attribute(element, "type"), .readonly = xml_child(element, "readonly") };
	int type = fs.type ? domain_word(in, fs.type, types) : 0, r;
	xmlNode *target = xml_child(element, "target");

	(void)row;
	if (type < 0)
		return type;
	if (!target)
		return domain_fail(in, element, "has no element 'target'");
	r = domain_attribute(in, target, "dir", &fs.target, &fs.target_text);
	if (r < 0)
		return r;
	if (!path_is_clean(fs.target_text))
		return domain_fail(in, fs.target, "must be an absolute path without '..', not '%.80s'", fs.target_text);
	if (strcmp(fs.target_text, "/") == 0 && (in->root || in->image_root))
		return domain_fail(in, element, "is a second root");
	if (strcmp(fs.target_text, "/") == 0 && type >= 3)
		in->image_root = true;
	if (fs.readonly && (!xml_is_leaf(fs.readonly) || *xml_content(fs.readonly)))
		return domain_fail(in, fs.readonly, "must be empty");
	return readers[type](in, &fs);
}

/* Puts the driver's own mounts in front of those that were read; without a root the container has the host's. */
int domain_finish_files(struct domain_reader *in)
{
	struct mrg_spec *spec = in->spec;
	const struct mrg_mount *own = spec->mounts.item;
	size_t n = spec->mounts.n;
	int r = 0;

	spec->mounts.item = NULL;
	spec->mounts.n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(own_mounts) && r == 0; i++)
		r = add_mount(in, &own_mounts[i]);
	for (size_t i = 0; i < n && r == 0; i++)
		r = add_mount(in, &own[i]);
	if (r == 0)
		r = domain_set(in, in->domain, MRG_FIELD_READONLY_PATHS, "/proc/sys");
	if (r == 0 && !in->root && !in->image_root)
		r = domain_set(in, in->domain, MRG_FIELD_ROOT_PATH, "/");
	return r;
}

/* ---- writing ---------------------------------------------------------------- */

static bool has_option(const struct mrg_mount *mount, const char *option)
{
	return strv_contains(mount->options, option);
}

static bool is_type(const struct mrg_mount *mount, const char *type)
{
	if (mount->type)
		return strcmp(mount->type, type) == 0;
	return strcmp(type, "bind") == 0 && (has_option(mount, "bind") || has_option(mount, "rbind"));
}

static bool same_options(const struct mrg_mount *a, const struct mrg_mount *b)
{
	if (strv_length(a->options) != strv_length(b->options))
		return false;
	for (size_t i = 0; a->options && a->options[i]; i++)
		if (!has_option(b, a->options[i]))
			return false;
	return true;
}

/* What the driver mounts by itself, with the options it likes; the first time only (@seen), for what comes later covers it. */
static bool is_own(unsigned int *seen, struct loss *loss, const struct mrg_mount *mount)
{
	for (size_t i = 0; i < ARRAY_SIZE(own_mounts); i++) {
		if (*seen & 1U << i || strcmp(own_mounts[i].destination, mount->destination) != 0 || !is_type(mount, own_mounts[i].type))
			continue;
		*seen |= 1U << i;
		if (!same_options(&own_mounts[i], mount))
			loss_add(loss, MRG_APPROXIMATED, "libvirt mounts '%s' with options of its own", mount->destination);
		return true;
	}
	if (strcmp(mount->destination, "/sys/fs/cgroup") != 0 || strncmp(mount->type ? mount->type : "", "cgroup", 6) != 0)
		return false;
	loss_add(loss, MRG_APPROXIMATED, "libvirt shows the control groups of the host at '/sys/fs/cgroup'");
	return true;
}

/* Of the options that confine nothing the driver ignores all; those it does by itself are not in the table. */
static void lose_option(struct loss *loss, const struct mrg_mount *mount, const char *option)
{
	static const char *const confining[] = { "nosuid", "nodev", "noexec", "nosymfollow", "rro", "rnosuid", "rnodev", "rnoexec", "idmap", "ridmap" };
	static const char *const inherent[] = { "private", "rprivate", "rw", "suid", "dev", "exec", "relatime", "bind", "ro" };
	static const char *const harmless[] = { "atime", "noatime", "strictatime", "nodiratime", "lazytime", "slave", "rslave" };

	for (size_t i = 0; i < ARRAY_SIZE(inherent); i++)
		if (strcmp(inherent[i], option) == 0)
			return;
	if (strcmp(option, "rbind") == 0) {
		loss_add(loss, MRG_APPROXIMATED, "libvirt binds '%.80s' without the mounts below it", mount->destination);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		if (strcmp(harmless[i], option) == 0) {
			loss_add(loss, MRG_APPROXIMATED, "libvirt knows no option '%s'", harmless[i]);
			return;
		}
	for (size_t i = 0; i < ARRAY_SIZE(confining); i++)
		if (strcmp(confining[i], option) == 0) {
			loss_add(loss, MRG_WEAKENS, "libvirt cannot mount '%.80s' %s", mount->destination, confining[i]);
			return;
		}
	loss_add(loss, MRG_DROPPED, "libvirt knows no option '%.40s' for '%.80s'", option, mount->destination);
}

static xmlNode *add_filesystem(struct domain_writer *out, const char *type, const char *destination, bool readonly)
{
	xmlNode *fs = domain_add(out, domain_at(out, "/domain/devices"), "filesystem", NULL);

	domain_put(out, fs, "type", type);
	domain_add(out, fs, "source", NULL);
	domain_put(out, domain_add(out, fs, "target", NULL), "dir", destination);
	if (readonly)
		domain_add(out, fs, "readonly", NULL);
	return fs ? xml_child(fs, "source") : NULL;
}

static void write_bind(struct domain_writer *out, struct loss *loss, const struct mrg_mount *mount)
{
	if (!mount->source || !path_is_clean(mount->source) || !xml_can_hold(mount->source)) {
		loss_add(loss, MRG_DROPPED, "libvirt cannot bind something to '%.80s' that is no absolute path", mount->destination);
		return;
	}
	domain_put(out, add_filesystem(out, "mount", mount->destination, has_option(mount, "ro") || has_option(mount, "rro")), "dir", mount->source);
	for (char **option = mount->options; option && *option; option++)
		lose_option(loss, mount, *option);
	if (mount->uid_mappings.n || mount->gid_mappings.n)
		loss_add(loss, MRG_WEAKENS, "libvirt cannot map the owners in '%.80s'", mount->destination);
}

/* tmpfs(5): the size, else half of the memory, which is not known here. */
static void write_tmpfs(struct domain_writer *out, struct loss *loss, const struct mrg_mount *mount)
{
	xmlNode *source = add_filesystem(out, "ram", mount->destination, has_option(mount, "ro"));
	int64_t bytes = -1;

	for (char **option = mount->options; option && *option; option++) {
		const char *value = strchr(*option, '=');

		if (strncmp(*option, "size=", 5) == 0) {
			if (parse_size(value + 1, &bytes) < 0 || bytes < 0)
				loss_add(loss, MRG_WEAKENS, "libvirt cannot limit '%.80s' to %.20s", mount->destination, value + 1);
		} else if (strncmp(*option, "mode=", 5) == 0) {
			if (strcmp(value, "=1777") != 0 && strcmp(value, "=01777") != 0)
				loss_add(loss, MRG_WEAKENS, "libvirt lets everybody write to '%.80s'", mount->destination);
		} else if (strcmp(*option, "nosuid") != 0 && strcmp(*option, "nodev") != 0) {
			lose_option(loss, mount, *option);
		}
	}
	if (bytes < 0)
		loss_add(loss, MRG_APPROXIMATED, "without a size libvirt does not limit '%.80s'", mount->destination);
	if (!has_option(mount, "nosuid") || !has_option(mount, "nodev"))
		loss_add(loss, MRG_APPROXIMATED, "libvirt mounts '%.80s' nosuid and nodev", mount->destination);
	domain_putf(out, source, "usage", "%" PRId64, bytes < 0 ? 0 : bytes);
	domain_put(out, source, "units", "bytes");
}

static void write_mount(struct domain_writer *out, struct loss *loss, const struct mrg_mount *mount)
{
	if (!path_is_clean(mount->destination) || !xml_can_hold(mount->destination) || strcmp(mount->destination, "/") == 0)
		loss_add(loss, MRG_DROPPED, "libvirt cannot mount on a path such as '%.80s'", xml_can_hold(mount->destination) ? mount->destination : "?");
	else if (is_type(mount, "bind"))
		write_bind(out, loss, mount);
	else if (is_type(mount, "tmpfs"))
		write_tmpfs(out, loss, mount);
	else
		loss_add(loss, MRG_DROPPED, "libvirt mounts no file system of this type on '%.80s'", mount->destination);
}

static void write_root(struct domain_writer *out)
{
	const char *root = out->spec->root_path;

	if (!domain_has(out, MRG_FIELD_ROOT_PATH)) {
		domain_report(out, MRG_FIELD_ROOT_READONLY, out->spec->root_readonly ? MRG_WEAKENS : MRG_CARRIED, "devices/filesystem",
			      "there is no root to make read-only");
		return;
	}
	if (!path_is_clean(root) || !xml_can_hold(root)) {
		domain_lost(out, MRG_FIELD_ROOT_PATH, "libvirt takes absolute paths only");
		domain_lost(out, MRG_FIELD_ROOT_READONLY, "there is no root to make read-only");
		return;
	}
	domain_put(out, add_filesystem(out, "mount", "/", out->spec->root_readonly), "dir", root);
	domain_report(out, MRG_FIELD_ROOT_PATH, MRG_CARRIED, "devices/filesystem", NULL);
	domain_report(out, MRG_FIELD_ROOT_READONLY, MRG_CARRIED, "devices/filesystem/readonly", NULL);
}

/* /proc/sys and the whole of /sys are read-only in every container. */
static void report_readonly_paths(struct domain_writer *out)
{
	struct loss loss = { 0 };

	for (char **path = out->spec->readonly_paths; path && *path; path++)
		if (strcmp(*path, "/proc/sys") != 0 && strcmp(*path, "/sys") != 0 && strncmp(*path, "/sys/", 5) != 0)
			loss_add(&loss, MRG_WEAKENS, "libvirt cannot make '%.80s' read-only", *path);
	domain_report(out, MRG_FIELD_READONLY_PATHS, loss.verdict, "the driver itself", loss.note);
}

ROW_WRITER(domain_write_filesystems)
{
	struct loss loss = { 0 };
	unsigned int seen = 0;

	(void)row;
	write_root(out);
	for (size_t i = 0; i < out->spec->mounts.n; i++)
		if (!is_own(&seen, &loss, &out->spec->mounts.item[i]))
			write_mount(out, &loss, &out->spec->mounts.item[i]);
	domain_report(out, MRG_FIELD_MOUNTS, loss.verdict, "devices/filesystem", loss.note);
	report_readonly_paths(out);
}
