/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FORMATS_LXC_LIMITS_H
#define FORMATS_LXC_LIMITS_H

/* Internal to cgroup.c and limits.c: files of cgroups by name. */

#include "core/formats/lxc/lxc.h"

enum { LXC_V1, LXC_V2 };

/* The limits that one version asks for. */
struct lxc_side {
	struct mrg_spec *spec;
	bool have_swap;			/* v2 counts swap alone: the sum is made at the end */
	int64_t swap;
};

/* Takes the value of a file of @version: 0 and its field; 1 when no field can say it; a negative errno with the rule. */
int lxc_limit_read(struct lxc_side *side, const char *file, int version, const char *value, int *field, struct mrg_error *err);

/* Whether each line for the file adds something. */
bool lxc_limit_collects(const char *file);

/* Writes the lines of all limits, for both versions. */
void lxc_limits_write(struct key_writer *out);

#endif
