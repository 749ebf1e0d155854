/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_AUDIT_AUDIT_H
#define CORE_AUDIT_AUDIT_H

/*
 * The parts of an audit: parsers of procfs text (parse.c), readers that add facts (read_*.c), what is tried (probe.h), judges (checks.c).
 *
 * Facts are read once; whatever is said of a container is said of them.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <moorage/audit.h>
#include <moorage/spec.h>

#include "core/util/cleanup.h"

/* ---- what was read, as it is needed by more than one reader ------------------------------------ */

#define AUDIT_MAPS	340		/* lines of an id map, user_namespaces(7) */
#define AUDIT_GROUPS	64		/* more are not looked at */

struct audit_map {
	uint32_t inside, outside, size;
};

struct audit_maps {
	struct audit_map item[AUDIT_MAPS];
	size_t n;
};

/* A line of mountinfo; strings point into its text, blanks unescaped. */
struct audit_mount {
	uint32_t id;
	unsigned int major, minor;
	const char *root, *target, *options, *type, *super;	/* super: options of the file system */
	uint32_t shared, master;	/* peer groups; 0: none */
};

struct audit_mounts {
	char *text;
	struct audit_mount *item;
	size_t n;
};

/* /proc/PID/status. */
struct audit_status {
	uint64_t caps[5];		/* AUDIT_INHERITABLE ... */
	uint32_t uid, gid;		/* effective, on the host */
	uint32_t groups[AUDIT_GROUPS];
	size_t n_groups;
	unsigned int umask;
	int no_new_privs, seccomp, filters;
};
enum { AUDIT_INHERITABLE, AUDIT_PERMITTED, AUDIT_EFFECTIVE, AUDIT_BOUNDING, AUDIT_AMBIENT };

enum audit_maker {
	MAKER_MOORAGE, MAKER_LXC, MAKER_NSPAWN, MAKER_LIBVIRT, MAKER_DOCKER, MAKER_PODMAN, MAKER_OTHER, MAKER_MAX
};

enum { NS_CGROUP, NS_IPC, NS_MNT, NS_NET, NS_PID, NS_TIME, NS_USER, NS_UTS, NS_MAX };
extern const char *const audit_namespaces[NS_MAX];

/* The process and what is known of it so far. */
struct audit_reading {
	struct mrg_audit *audit;
	const struct mrg_spec *spec;	/* what was asked for; NULL: not known */
	pid_t pid;
	int proc, root;			/* /proc/PID; its root, O_PATH */
	struct audit_status status;
	struct audit_maps users;
	struct audit_mounts mounts, host_mounts;
	bool namespaces[NS_MAX];	/* which kinds this kernel has */
	bool shared[NS_MAX];		/* with this process, that is the host */
	bool own_users;			/* a user namespace of its own */
	bool host_root;			/* somebody inside can be root of the host */
	bool host_tree;			/* its root is that of the host */
	bool host_terminal;		/* one was told of */
	bool all_devices;		/* its cgroup lets every device through */
	bool device_rules;		/* its cgroup has rules of version 1 */
	bool failed;			/* memory ran out */
};

/* ---- the result --------------------------------------------------------------------------------- */

struct mrg_audit {
	char *name, *backend;
	enum audit_maker maker;
	pid_t pid;
	struct mrg_audit_fact *facts;	/* strings are owned */
	size_t n_facts;
	struct mrg_audit_finding *findings;	/* advice is owned */
	size_t n_findings;
};

struct audit_check;

/* facts.c: adds a fact; texts are copied, control characters spelled out. The source is "/proc/PID/" and @source, unless that begins with a slash. */
void audit_add(struct audit_reading *r, const char *check, const char *item, uint64_t exposure, const char *source, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
int audit_add_fact(struct mrg_audit *audit, const struct mrg_audit_fact *fact);
/* Takes back all facts but the first @n. */
void audit_forget(struct mrg_audit *audit, size_t n);
char *audit_clean(const char *text, size_t length);

/* ---- parse.c: pure, of text that may be hostile ---------------------------------------------------- */

/* Each takes the whole text of the file. -EPROTO: it is not what the kernel writes. */
int audit_parse_status(const char *text, struct audit_status *ret);
int audit_parse_map(const char *text, struct audit_maps *ret);
/* Takes @text, which it changes. */
int audit_parse_mounts(char *text, struct audit_mounts *ret);
void audit_mounts_deinit(struct audit_mounts *mounts);
/* One row "Max open files   1024   4096   files" of /proc/PID/limits. */
int audit_parse_limit(const char *text, const char *title, uint64_t *ret_soft, uint64_t *ret_hard);
/* The id on the host of @inside; false: not mapped. */
bool audit_map_find(const struct audit_maps *maps, uint32_t inside, uint32_t *ret);
/* Whether @path is @prefix or below it. */
bool audit_is_below(const char *path, const char *prefix);

/* ---- readers -------------------------------------------------------------------------------------- */

/* A failure is a negative errno of a file that every process has; what is missing on this kernel is passed over. */
int audit_read_process(struct audit_reading *r, struct mrg_error *err);	/* read_process.c: status, namespaces, maps, limits */
void audit_read_cgroup(struct audit_reading *r);			/* read_cgroup.c */
struct cgroup;
void audit_read_devices(struct audit_reading *r, const struct cgroup *cg, const char *cgroups);	/* read_devices.c; @cgroups: /proc/PID/cgroup */
void audit_read_kernel_files(struct audit_reading *r);			/* read_kernel.c: masks, what can be written */
void audit_read_mounts(struct audit_reading *r);			/* read_mounts.c: host's files and sockets, flags, propagation */
void audit_read_tree(struct audit_reading *r);				/* read_tree.c: devices, setuid files */
void audit_read_descriptors(struct audit_reading *r, pid_t pid);	/* read_descriptors.c: leaks, terminals */

/* The path in the hierarchy @h that /proc/PID/cgroup, @text, tells; allocated, NULL: none. */
struct cgroup_hierarchy;
char *audit_cgroup_path(const char *text, const struct cgroup_hierarchy *h);

/* What is known by the @n programs of version 2 that decide on devices; a negative errno: they could not be asked for. */
void audit_tell_programs(struct audit_reading *r, const uint32_t *ids, int n);

/* Whether looking at what is mounted there could wait for somebody who need not answer. */
bool audit_mount_is_slow(const struct audit_mount *mount);

/* Whether @fd, opened below the container's root, is on @mount. */
bool audit_is_on(int fd, const struct audit_mount *mount);

/* Opens @path of the container, O_PATH; a negative errno, also where looking could wait. */
int audit_open(const struct audit_reading *r, const char *path);

/* ---- tree.c: a bounded walk ------------------------------------------------------------------------ */

struct audit_entry {
	const char *path;		/* in the container */
	uint32_t mode, uid, gid;
	unsigned int major, minor;	/* of a device */
	bool nosuid, nodev;
};

struct audit_walk {
	const struct audit_reading *r;
	size_t budget;			/* entries that may still be looked at */
	unsigned int depth;		/* levels */
	void (*visit)(struct audit_reading *r, const struct audit_entry *entry, void *data);
	void *data;
};

/* Walks what is below @path without leaving the root, without following links. Returns false when it was cut short. */
bool audit_walk(struct audit_reading *r, struct audit_walk *walk, const char *path);

/* ---- checks.c ---------------------------------------------------------------------------------------- */

/* Makes the findings of @r's audit. */
int audit_judge(struct audit_reading *r);

/* devices.c: how much the device gives away: MRG_SEVERITY_NONE for what every container has. @type 'c' or 'b'; -1: every number. */
int audit_device_severity(char type, int64_t major, int64_t minor);

#endif
