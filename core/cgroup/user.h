/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_CGROUP_USER_H
#define CORE_CGROUP_USER_H

/* An ordinary user's cgroups, below the cgroup of the manager that systemd runs for each user. */

#include "core/cgroup/cgroup.h"

/* ---- user.c ---- */

#define CGROUP_MANAGER_SIZE	(sizeof("user.slice/user-4294967295.slice/user@4294967295.service"))
#define CGROUP_SCOPE_SIZE	(sizeof("moorage--.scope") + 63 + 16)
#define CGROUP_USER_SLICE	"moorage.slice"

/* The path of that cgroup, below the mount. */
void cgroup_user_manager(char ret[CGROUP_MANAGER_SIZE]);

/* What a user lacks for cgroups of their own: CGROUP_LACK_NONE, or what it is in words. Of the mounts of @cg. */
enum cgroup_lack {
	CGROUP_LACK_NONE, CGROUP_LACK_ALL, CGROUP_LACK_V2, CGROUP_LACK_SYSTEMD, CGROUP_LACK_LIBRARY, CGROUP_LACK_MANAGER, CGROUP_LACK_BUS,
};
enum cgroup_lack cgroup_user_lack(const struct cgroup *cg);
const char *cgroup_lack_text(enum cgroup_lack lack);
void cgroup_user_hint_lack(enum cgroup_lack lack, struct mrg_error *err);

/* The same of the caller: NONE for root. */
enum cgroup_lack cgroup_user_own_lack(void);

/* The socket of the user's bus; -ENOENT: nobody has made it. */
int cgroup_user_bus(char *ret, size_t size);

/* Puts the cgroup of the user's manager in the place of the mount, if there is one. */
void cgroup_user_take(struct cgroup *cg);

/* The name of the scope of @unit. */
void cgroup_user_scope(const struct mrg_unit *unit, char ret[CGROUP_SCOPE_SIZE]);

/* Makes @cg, which may not make any at the top, that of @unit in its scope. False: there is no scope, and the place may have been taken. */
bool cgroup_user_enter(struct cgroup *cg, const struct mrg_unit *unit);

/* Whether there may be scopes of ours below the mount @root. */
bool cgroup_user_has_scopes(int root);

/* As cgroup_limits_probe(), of a user who lacks nothing. */
void cgroup_user_probe(struct mrg_fields *fields, char *reason, size_t size);

/* The controllers of the host that the user's manager has not got, as a list; false: it has all. And what would give them. */
bool cgroup_user_withheld(char *ret, size_t size);
void cgroup_user_hint_withheld(struct mrg_error *err);

/* What would give this user the limits among @missing that this host has, or the cgroup of a system that boots. */
void cgroup_user_hint(const struct mrg_fields *missing, struct mrg_error *err);

/* ---- helper/cgroup_scope.c ---- */

/* Brings this process to where it may have children in @cg, if that is an ordinary user's. */
int cgroup_scope_reach(const struct cgroup *cg, struct mrg_error *err);

/* ---- scope.c: asking the manager; without libsystemd at hand when it was built, scope_none.c ---- */

/* Has it make the scope of @unit, with this process in it. */
int cgroup_scope_make(const struct mrg_unit *unit, struct mrg_error *err);

/* Has it move this process into @below, a path that begins with '/', of the unit @name. */
int cgroup_scope_join(const char *name, const char *below, struct mrg_error *err);
extern const bool cgroup_scope_built;

#endif
