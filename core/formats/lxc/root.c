/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about the root: where it is and how it is mounted. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/formats/lxc/lxc.h"
#include "core/util/cleanup.h"
#include "core/util/path.h"

/* "BACKEND:PATH"; a plain path is split at a colon too, so that it cannot have one. */
KEY_READER(lxc_read_root)
{
	const char *colon = strchr(value, ':');
	size_t length = colon ? (size_t)(colon - value) : 0;
	char *path = colon ? value + length + 1 : value;

	if (!*value)
		return key_read_simple(in, key, value);
	if (colon && value[0] == '/')
		return key_lost(in, key, "LXC takes what is before the first ':' for a kind of storage");
	if (colon && !(length == 3 && strncmp(value, "dir", 3) == 0) && !(length == 5 && strncmp(value, "btrfs", 5) == 0))
		return key_lost(in, key, "a root is a directory: LXC mounts this one before it starts the container");
	if (!path_is_clean(path))
		return key_fail(in, "must be an absolute path without '..', not '%.80s'", path);
	if (key_set(in, MRG_FIELD_ROOT_PATH, path) < 0)
		return -MRG_E_INVALID;
	in->note = "a directory like any other: LXC may make snapshots of a btrfs volume";
	return length == 5 ? MRG_APPROXIMATED : MRG_CARRIED;
}

KEY_READER(lxc_read_backend)
{
	(void)value;
	lxc_of(in)->backend = in->now->value;
	return key->verdict;
}

/* In LXC 2 the kind of storage had a key of its own. */
int lxc_finish_root(struct key_reader *in)
{
	struct lxc_reader *reader = lxc_of(in);
	struct assignment *root;

	if (!reader->backend || !*reader->backend || strcmp(reader->backend, "dir") == 0 || strcmp(reader->backend, "btrfs") == 0)
		return 0;
	for (size_t at = 0; (root = lxc_next(in, &at, "lxc.rootfs.path"));) {
		struct buffer b = { 0 };
		char *value;

		if (strchr(root->value, ':') || !*root->value)
			continue;
		buffer_addf(&b, "%s:%s", reader->backend, root->value);
		value = b.failed ? NULL : mrg_spec_strdup(in->spec, b.text);
		buffer_deinit(&b);
		if (!value)
			return key_no_memory(in);
		root->value = value;
		key_reset(in, MRG_FIELD_ROOT_PATH);
		lxc_judge(root, MRG_WEAKENS, "a root is a directory: LXC mounts this one before it starts the container");
	}
	return 0;
}

static const char *const propagations[] = { "private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable",
					    "runbindable" };

/* Options that take something from whoever is in the container. */
static const char *const confining[] = { "nosuid", "nodev", "noexec" };

/* Options of LXC itself that it refuses here. */
static bool is_refused(const char *option)
{
	return strcmp(option, "optional") == 0 || strcmp(option, "relative") == 0 || strncmp(option, "create=", 7) == 0;
}

static bool is_among(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* What an option becomes: carried into a field, or left in @rest. */
static int read_option(struct key_reader *in, const char *option, struct buffer *rest)
{
	if (is_refused(option))
		return key_fail(in, "'%.40s' is for mount entries only", option);
	if (strcmp(option, "ro") == 0 || strcmp(option, "rw") == 0)
		return key_set(in, MRG_FIELD_ROOT_READONLY, option[1] == 'o' ? "yes" : "no") < 0 ? -MRG_E_INVALID : MRG_CARRIED;
	if (is_among(propagations, ARRAY_SIZE(propagations), option))
		return key_set(in, MRG_FIELD_ROOTFS_PROPAGATION, option) < 0 ? -MRG_E_INVALID : MRG_CARRIED;
	buffer_addf(rest, "%s%s", rest->length ? "," : "", option);
	return is_among(confining, ARRAY_SIZE(confining), option) ? MRG_WEAKENS : MRG_DROPPED;
}

KEY_READER(lxc_read_root_options)
{
	struct buffer rest = { 0 };
	char *option;
	int verdict = MRG_CARRIED;

	(void)key;
	while (verdict >= 0 && (option = lxc_part(&value, ","))) {
		int r = read_option(in, option, &rest);

		verdict = r < 0 || r > verdict ? r : verdict;
	}
	/* The rest is kept; the writer puts it behind what the fields say. */
	if (verdict >= MRG_DROPPED) {
		in->kept = rest.failed ? NULL : mrg_spec_strdup(in->spec, rest.text);
		in->note = "only read-only and propagation have fields; the other options are kept verbatim for LXC";
	}
	if (rest.failed || (verdict >= MRG_DROPPED && !in->kept))
		verdict = key_no_memory(in);
	buffer_deinit(&rest);
	return verdict;
}

KEY_WRITER(lxc_write_root)
{
	struct buffer b = { 0 };

	if (!key_has(out, MRG_FIELD_ROOT_PATH))
		return;
	/* With the kind in front, the path may have colons. */
	buffer_addf(&b, "dir:%s", out->spec->root_path);
	if (!b.failed && path_is_clean(out->spec->root_path) && key_line(out, key->name, b.text))
		key_report(out, MRG_FIELD_ROOT_PATH, MRG_CARRIED, key->name, NULL);
	else
		lxc_report_loss(out, MRG_FIELD_ROOT_PATH, MRG_WEAKENS, "is no absolute path that a line can hold");
	buffer_deinit(&b);
}

/* The options that were kept verbatim: the last line. */
static const char *kept_options(const struct key_writer *out, const char *name)
{
	const struct json *values = lxc_kept(out, name);
	const char *text = NULL;

	for (const struct json *value = values ? values->first : NULL; value; value = value->next)
		text = value->type == JSON_STRING ? value->text : NULL;
	return text;
}

KEY_WRITER(lxc_write_root_options)
{
	const struct mrg_spec *spec = out->spec;
	const char *propagation = key_has(out, MRG_FIELD_ROOTFS_PROPAGATION) ? spec->rootfs_propagation : NULL;
	const char *kept = kept_options(out, key->name);
	struct buffer b = { 0 };

	if (key_has(out, MRG_FIELD_ROOT_READONLY))
		buffer_addf(&b, "%s", spec->root_readonly ? "ro" : "rw");
	if (propagation)
		buffer_addf(&b, "%s%s", b.length ? "," : "", propagation);
	if (kept && b.length)
		buffer_addf(&b, ",%s", kept);
	if (b.length && key_line(out, key->name, b.text)) {
		if (key_has(out, MRG_FIELD_ROOT_READONLY))
			key_report(out, MRG_FIELD_ROOT_READONLY, MRG_CARRIED, key->name, NULL);
		if (propagation)
			key_report(out, MRG_FIELD_ROOTFS_PROPAGATION, MRG_CARRIED, key->name, NULL);
	}
	buffer_deinit(&b);
}
