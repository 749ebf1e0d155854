/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sizes and offsets of everything that crosses the border to plugins, pinned for minor 2 on 64-bit hosts. This file is compiled,
 * not run. Whoever makes it fail has changed the ABI: a frozen structure needs a new major; one that grew at its end a new
 * minor, an entry in docs/abi-changes.md and new lines here. */

#include "config.h"

#include <stddef.h>

#include <moorage/helper.h>
#include <moorage/moorage.h>

#define SIZE(type, n)		_Static_assert(sizeof(type) == (n), "size of " #type)
#define OFFSET(type, member, n)	_Static_assert(offsetof(type, member) == (n), "offset of " #member " in " #type)

_Static_assert(MRG_ABI_MINOR == 4, "new minor: add its lines here and an entry in docs/abi-changes.md");

/* Frozen. */
SIZE(struct mrg_error, 512);
OFFSET(struct mrg_error, message, 4);
SIZE(struct mrg_fields, 32);
SIZE(struct mrg_process, 16);
OFFSET(struct mrg_process, pidfd, 4);
OFFSET(struct mrg_process, start_time, 8);
SIZE(struct mrg_stdio, 20);
OFFSET(struct mrg_stdio, terminal, 12);
OFFSET(struct mrg_stdio, master, 16);
SIZE(struct mrg_found, 24);
OFFSET(struct mrg_found, rootfs, 8);
OFFSET(struct mrg_found, init, 16);
OFFSET(struct mrg_found, state, 20);
SIZE(struct mrg_option, 24);
OFFSET(struct mrg_option, values, 8);
OFFSET(struct mrg_option, help, 16);
SIZE(struct mrg_pair, 16);
SIZE(struct mrg_id_mapping, 12);
SIZE(struct mrg_mount, 64);
OFFSET(struct mrg_mount, options, 24);
OFFSET(struct mrg_mount, gid_mappings, 48);
SIZE(struct mrg_rlimit, 24);
SIZE(struct mrg_device, 48);
OFFSET(struct mrg_device, file_mode, 32);
SIZE(struct mrg_device_rule, 40);
OFFSET(struct mrg_device_rule, access, 32);
SIZE(struct mrg_io_limit, 24);
SIZE(struct mrg_hugepage_limit, 16);
SIZE(struct mrg_seccomp_arg, 32);
SIZE(struct mrg_seccomp_syscall, 40);
SIZE(struct mrg_seccomp, 64);

/* Grow at their end only. */
SIZE(struct mrg_unit, 80);
OFFSET(struct mrg_unit, process, 32);
OFFSET(struct mrg_unit, adopted, 48);
OFFSET(struct mrg_unit, transient, 64);
OFFSET(struct mrg_unit, look, 72);
SIZE(struct mrg_command, 40);
OFFSET(struct mrg_command, privileged, 32);
SIZE(struct mrg_stats, 88);
OFFSET(struct mrg_stats, oom_kills, 80);
SIZE(struct mrg_probe, 424);
OFFSET(struct mrg_probe, engine, 32);
OFFSET(struct mrg_probe, reason, 96);
OFFSET(struct mrg_probe, boundary, 288);
OFFSET(struct mrg_probe, boundary_reason, 292);
SIZE(struct mrg_exit, 12);
SIZE(struct mrg_spec, 880);
OFFSET(struct mrg_spec, hostname, 40);
OFFSET(struct mrg_spec, args, 128);
OFFSET(struct mrg_spec, cap_bounding, 152);
OFFSET(struct mrg_spec, ns_pid, 256);
OFFSET(struct mrg_spec, memory_limit, 392);
OFFSET(struct mrg_spec, seccomp, 624);
OFFSET(struct mrg_spec, boot, 720);
OFFSET(struct mrg_spec, native_json, 872);
SIZE(struct mrg_cgroup_entry, 80);

/* The table. */
SIZE(struct mrg_backend, 296);
OFFSET(struct mrg_backend, minor, 4);
OFFSET(struct mrg_backend, name, 8);
OFFSET(struct mrg_backend, fields, 24);
OFFSET(struct mrg_backend, options, 32);
OFFSET(struct mrg_backend, open, 40);
OFFSET(struct mrg_backend, close, 48);
OFFSET(struct mrg_backend, probe, 56);
OFFSET(struct mrg_backend, check, 64);
OFFSET(struct mrg_backend, create, 72);
OFFSET(struct mrg_backend, start, 80);
OFFSET(struct mrg_backend, cleanup, 88);
OFFSET(struct mrg_backend, stop, 96);
OFFSET(struct mrg_backend, kill, 104);
OFFSET(struct mrg_backend, wait, 112);
OFFSET(struct mrg_backend, pause, 120);
OFFSET(struct mrg_backend, resume, 128);
OFFSET(struct mrg_backend, exec, 136);
OFFSET(struct mrg_backend, console, 144);
OFFSET(struct mrg_backend, state, 152);
OFFSET(struct mrg_backend, stats, 160);
OFFSET(struct mrg_backend, update, 168);
OFFSET(struct mrg_backend, processes, 176);
OFFSET(struct mrg_backend, destroy, 184);
OFFSET(struct mrg_backend, list, 192);
OFFSET(struct mrg_backend, adopt, 200);
OFFSET(struct mrg_backend, explain, 208);
OFFSET(struct mrg_backend, find, 216);
OFFSET(struct mrg_backend, process, 224);
OFFSET(struct mrg_backend, native, 232);
OFFSET(struct mrg_backend, configure, 240);
OFFSET(struct mrg_backend, rename, 248);
OFFSET(struct mrg_backend, autostart, 256);
OFFSET(struct mrg_backend, ready, 264);
OFFSET(struct mrg_backend, home, 272);
OFFSET(struct mrg_backend, park, 280);
OFFSET(struct mrg_backend, keeps_owners, 288);

/* Numbers that plugins and records carry. */
_Static_assert(MRG_FIELD_HOSTNAME == 0, "MRG_FIELD_HOSTNAME keeps its number");
_Static_assert(MRG_FIELD_ARGS == 11, "MRG_FIELD_ARGS keeps its number");
_Static_assert(MRG_FIELD_CAP_BOUNDING == 14, "MRG_FIELD_CAP_BOUNDING keeps its number");
_Static_assert(MRG_FIELD_NS_PID == 27, "MRG_FIELD_NS_PID keeps its number");
_Static_assert(MRG_FIELD_MEMORY_LIMIT == 40, "MRG_FIELD_MEMORY_LIMIT keeps its number");
_Static_assert(MRG_FIELD_UNIFIED == 61, "MRG_FIELD_UNIFIED keeps its number");
_Static_assert(MRG_FIELD_SECCOMP == 63, "MRG_FIELD_SECCOMP keeps its number");
_Static_assert(MRG_FIELD_BOOT == 73, "MRG_FIELD_BOOT keeps its number");
_Static_assert(MRG_FIELD_NATIVE == 91, "MRG_FIELD_NATIVE keeps its number");
_Static_assert(MRG_FIELD_MAX == 92, "MRG_FIELD_MAX keeps its number");
_Static_assert(MRG_STATE_ABSENT == 0, "MRG_STATE_ABSENT keeps its number");
_Static_assert(MRG_STATE_STOPPED == 4, "MRG_STATE_STOPPED keeps its number");
_Static_assert(MRG_STAT_CPU == 0, "MRG_STAT_CPU keeps its number");
_Static_assert(MRG_STAT_OOM_KILLS == 9, "MRG_STAT_OOM_KILLS keeps its number");
