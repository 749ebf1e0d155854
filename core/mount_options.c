/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of mount options. */

#include "config.h"

#include <stddef.h>
#include <string.h>

#include "core/mount_options.h"
#include "core/util/cleanup.h"

/* MOUNT_ATTR_NOSYMFOLLOW, Linux 5.14: older headers lack it. */
#define ATTR_NOSYMFOLLOW	0x00200000

enum kind {
	KIND_ATTR,			/* of mount_setattr(2) */
	KIND_PROPAGATION,
	KIND_BIND,
	KIND_IDMAP,
	KIND_COPY_UP,
	KIND_NOTHING,			/* says what is so anyway */
	KIND_SUPER,			/* the file system's, with a meaning that a bind mount cannot have */
};

/* Attributes, propagation, bind and idmap also exist with "r" in front: for the whole tree. */
static const struct row {
	const char *name;
	enum kind kind;
	uint64_t set, clear;
} table[] = {
	{ "ro",			KIND_ATTR,	MOUNT_ATTR_RDONLY, 0 },
	{ "rw",			KIND_ATTR,	0, MOUNT_ATTR_RDONLY },
	{ "nosuid",		KIND_ATTR,	MOUNT_ATTR_NOSUID, 0 },
	{ "suid",		KIND_ATTR,	0, MOUNT_ATTR_NOSUID },
	{ "nodev",		KIND_ATTR,	MOUNT_ATTR_NODEV, 0 },
	{ "dev",		KIND_ATTR,	0, MOUNT_ATTR_NODEV },
	{ "noexec",		KIND_ATTR,	MOUNT_ATTR_NOEXEC, 0 },
	{ "exec",		KIND_ATTR,	0, MOUNT_ATTR_NOEXEC },
	{ "nodiratime",		KIND_ATTR,	MOUNT_ATTR_NODIRATIME, 0 },
	{ "diratime",		KIND_ATTR,	0, MOUNT_ATTR_NODIRATIME },
	{ "nosymfollow",	KIND_ATTR,	ATTR_NOSYMFOLLOW, 0 },
	{ "symfollow",		KIND_ATTR,	0, ATTR_NOSYMFOLLOW },
	{ "noatime",		KIND_ATTR,	MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME },
	{ "atime",		KIND_ATTR,	MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
	{ "relatime",		KIND_ATTR,	MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
	{ "norelatime",		KIND_ATTR,	MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
	{ "strictatime",	KIND_ATTR,	MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
	{ "nostrictatime",	KIND_ATTR,	MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
	{ "private",		KIND_PROPAGATION, MS_PRIVATE, 0 },
	{ "shared",		KIND_PROPAGATION, MS_SHARED, 0 },
	{ "slave",		KIND_PROPAGATION, MS_SLAVE, 0 },
	{ "unbindable",		KIND_PROPAGATION, MS_UNBINDABLE, 0 },
	{ "bind",		KIND_BIND,	0, 0 },
	{ "idmap",		KIND_IDMAP,	0, 0 },
	{ "tmpcopyup",		KIND_COPY_UP,	0, 0 },
	{ "defaults",		KIND_NOTHING,	0, 0 },
	{ "async",		KIND_NOTHING,	0, 0 },
	{ "nomand",		KIND_NOTHING,	0, 0 },
	{ "nolazytime",		KIND_NOTHING,	0, 0 },
	{ "sync",		KIND_SUPER,	0, 0 },
	{ "dirsync",		KIND_SUPER,	0, 0 },
	{ "mand",		KIND_SUPER,	0, 0 },
	{ "lazytime",		KIND_SUPER,	0, 0 },
};

static const struct row *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

static const struct row *find_option(const char *option, bool *ret_tree)
{
	const struct row *row = find(option);

	*ret_tree = false;
	if (row || option[0] != 'r')
		return row;
	row = find(option + 1);
	*ret_tree = true;
	return row && row->kind <= KIND_IDMAP ? row : NULL;
}

static void add_attr(struct mount_attr *attr, const struct row *row)
{
	attr->attr_set = (attr->attr_set & ~(row->clear | row->set)) | row->set;
	attr->attr_clr = (attr->attr_clr & ~row->set) | row->clear;
	/* The atime mode is a number in a field, which mount_setattr(2) wants cleared as a whole. */
	if (row->clear == MOUNT_ATTR__ATIME)
		attr->attr_clr |= MOUNT_ATTR__ATIME;
}

static void apply(struct mount_options *options, const struct row *row, const char *option, bool tree)
{
	struct mount_attr *attr = tree ? &options->tree : &options->top;

	switch (row->kind) {
	case KIND_ATTR:
		add_attr(attr, row);
		break;
	case KIND_PROPAGATION:
		attr->propagation = row->set;
		break;
	case KIND_BIND:
		options->bind = true;
		options->recursive = tree;
		break;
	case KIND_IDMAP:
		options->idmap = true;
		options->idmap_recursive = tree;
		break;
	case KIND_COPY_UP:
		options->copy_up = true;
		break;
	case KIND_SUPER:
		options->super = option;
		break;
	case KIND_NOTHING:
		break;
	}
}

void mount_options_parse(char *const *options, struct mount_options *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (; options && *options; options++) {
		bool tree;
		const struct row *row = find_option(*options, &tree);

		if (row)
			apply(ret, row, *options, tree);
	}
}

bool mount_option_is_data(const char *option)
{
	bool tree;
	const struct row *row = find_option(option, &tree);

	return !row || row->kind == KIND_SUPER;
}
