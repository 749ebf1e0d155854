/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_MOUNT_OPTIONS_H
#define CORE_MOUNT_OPTIONS_H

/* Mount options in mount(8) and OCI spelling, sorted by who obeys them: the mount, its propagation, the file system, or us. */

#include <stdbool.h>
#include <sys/mount.h>

#include <moorage/error.h>

struct mount_options {
	struct mount_attr top;		/* of the mount itself; propagation included */
	struct mount_attr tree;		/* of the mount and all below it: "rro", "rslave" ... */
	bool bind, recursive;		/* "bind"; "rbind" sets both */
	bool idmap, idmap_recursive;
	bool copy_up;			/* "tmpcopyup": a tmpfs starts with what it covers */
	const char *super;		/* the last option a bind mount cannot have, such as "sync" */
};

/* Sorts @options (NULL: none); later ones win. What is not known here is for the file system and left out. */
void mount_options_parse(char *const *options, struct mount_options *ret);

/* Whether @option is to be given to the file system as it is. */
bool mount_option_is_data(const char *option);

#endif
