/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NATIVE_H
#define NATIVE_H

/* What the files of the native backend share. */

#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <moorage/helper.h>

#define _cleanup_close_	__attribute__((cleanup(native_close)))

static inline void native_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline int native_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* "TEXT: cause"; codes that mean something else to our callers become EIO or EINVAL. */
int native_fail(struct mrg_error *err, int r, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- namespaces.c ---- */

enum { NS_USER, NS_PID, NS_MOUNT, NS_UTS, NS_IPC, NS_NETWORK, NS_CGROUP, NS_TIME, NS_MAX };

struct native_namespace {
	const char *name;		/* of unshare(1)'s option */
	const char *file;		/* below /proc/PID/ns */
	uint64_t flag;			/* CLONE_NEW* */
	unsigned int field;
	size_t offset;			/* of its member in struct mrg_spec */
};
extern const struct native_namespace native_namespaces[NS_MAX];

/* What the spec says of namespace @i: NULL, "" or a path. */
const char *native_namespace_of(const struct mrg_spec *spec, size_t i);

/* The flags for clone3(2). That of cgroups is not among them: it is made when the child is where it belongs. */
uint64_t native_clone_flags(const struct mrg_spec *spec);

/* Namespaces to join, opened and proven to be of their kind. */
struct native_joins {
	int fd[NS_MAX];			/* -1: not to be joined */
};
int native_joins_open(const struct mrg_spec *spec, struct native_joins *ret, struct mrg_error *err);
void native_joins_close(struct native_joins *joins);

/* In the child: all but the pid namespace, which only children of the joiner are in, and that of cgroups, which is for later. */
int native_joins_enter(const struct native_joins *joins, struct mrg_error *err);

/* ---- userns.c ---- */

struct native_maps {
	char uid[4096], gid[4096];	/* as /proc/PID/uid_map wants them */
	uid_t root_uid;			/* on the host: user and group 0 of the container */
	gid_t root_gid;
};

/* The maps of the spec, or a range of 65536 ids that no process on this host uses. */
int native_maps_choose(const struct mrg_unit *unit, struct native_maps *ret, struct mrg_error *err);

/* Gives @pid its maps; ret_fd: its user namespace. */
int native_maps_apply(pid_t pid, const struct native_maps *maps, int *ret_fd, struct mrg_error *err);

/* Hands the root and the sources of all bind mounts to the child: what it cannot reach itself. */
int native_sources_send(const struct mrg_unit *unit, int userns, int socket, struct mrg_error *err);

/* In the child: takes them, then becomes root of the user namespace. *ret_root -1: none was sent. */
int native_sources_receive(const struct mrg_unit *unit, int socket, int *ret_root, struct mrg_root_sources *ret,
			   struct mrg_error *err);

/* ---- rootless.c: without the rights of root ---- */

/* Whether we lack CAP_SYS_ADMIN. */
int native_is_rootless(void);

/* Makes the calling monitor root of a user namespace. There is no way back. */
int native_rootless_enter(struct mrg_error *err);

/* ---- network.c ---- */

/* Brings the loopback interface of the caller's network namespace up. */
int native_loopback_up(struct mrg_error *err);

/* A new network namespace with its loopback interface up, of which the caller does not become a part: a descriptor in *ret, -1 when none
 * can be made. Fails only when the caller could not come back. */
int native_network_make(int *ret, struct mrg_error *err);

/* ---- setup.c: in the child ---- */

/* Everything between the birth of the child and its program: a table of steps. */
struct native_start {
	const struct mrg_unit *unit;
	const struct mrg_stdio *io;
	struct native_joins joins;
	uint64_t flags;			/* of clone3(2) */
	struct mrg_helper_cgroups *cgroups;
	struct mrg_cgroup_entry entry;	/* whole in the monitor alone */
	struct native_maps maps;
	int socket[2];			/* monitor's end, child's end */
	struct mrg_helper_process *process;
	struct mrg_root_sources sources;	/* of the child */
	int root;				/* of the child */
};
int native_setup(void *start, struct mrg_error *err);

/* ---- check.c, explain.c: verbs ---- */

int native_check(void *self, const struct mrg_spec *spec, struct mrg_error *err);
int native_explain(void *self, const struct mrg_unit *unit, mrg_explain_fn line, void *data, struct mrg_error *err);

/* ---- probe.c ---- */

int native_probe(void *self, struct mrg_probe *ret, struct mrg_error *err);
extern const uint16_t native_fields[];

#endif
