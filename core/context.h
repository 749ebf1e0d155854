/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_CONTEXT_H
#define CORE_CONTEXT_H

/* The library's context: where things are, and the plugins loaded so far. */

#include <stdbool.h>

#include <moorage/moorage.h>

#include "core/util/proc.h"
#include "core/util/str.h"

struct plugin;
struct index;

/* What a directory has, sorted. */
struct look_names {
	bool known;			/* it could be read */
	struct strings names;
};

/* What is found out once for all containers that are looked at. */
struct mrg_look {
	int records[2];			/* store/dirs.c: directory of the kept and of the transient ones; or a negative errno */
	struct index *index;		/* store/index.c: what the small files of the kept ones say; NULL: nothing is known */
	struct look_names cgroups;	/* cgroup/mounts.c: of cgroup v2, if it is mounted at a usual place */
	bool cgroups_unified;		/* and it is all there is */
	struct look_names enabled;	/* container/autostart.c: where systemd has what starts at boot */
};

struct mrg {
	char *state_dir, *run_dir;
	char *backend_path;		/* directories separated by ':' */
	char *libexec_dir;
	char *config_file;
	struct plugin *plugins;		/* registry.c: a list, newest first */
	char *default_backend;		/* config.c: read on demand */
	char *path;			/* where engines keep their containers; NULL: each its default */
	unsigned int looks;		/* container/list.c: how many look at many containers now */
	struct mrg_look look;		/* valid while @looks is not 0 */
	char boot_id[BOOT_ID_SIZE];	/* store/dirs.c: read on demand; "": not yet */
	int ahead[2];			/* launch.c: session and control of a monitor that waits for its order; -1: none */
};

#endif
