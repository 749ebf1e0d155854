/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_SPEC_CHECK_H
#define CORE_SPEC_CHECK_H

/* Internal to spec_check*.c: rules that fill files of their own. */

#include "core/spec/table.h"

/* Id maps as the kernel accepts them: at most 340 extents, no wrap, no overlap on either side. */
int spec_check_map(const struct mrg_id_mapping *map, size_t n, const char *pointer, struct mrg_error *err);

/* Kernel parameters: only those of a namespace the container has for itself. */
int spec_check_sysctls(const struct mrg_spec *spec, struct mrg_error *err);

/* cgroup path, limits that depend on each other, lists of CPUs, device numbers. */
int spec_check_resources(const struct mrg_spec *spec, struct mrg_error *err);

#endif
