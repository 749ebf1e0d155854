/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_CGROUP_H
#define CORE_CGROUP_H

/*
 * The cgroups of one container: where the hierarchies are, its directory in each of them, its limits.
 *
 * One hierarchy tracks the container (tells its processes, freezes, kills): cgroup v2 wherever it is mounted, else the
 * best of v1. All work is done on descriptors below the mounts.
 */

#include <stdbool.h>

#include <moorage/helper.h>

/* Controllers as bits. Those of cgroup v1 with other names (blkio) stand under the name of v2. */
enum {
	CGROUP_CPU	= 1 << 0,
	CGROUP_CPUACCT	= 1 << 1,
	CGROUP_CPUSET	= 1 << 2,
	CGROUP_MEMORY	= 1 << 3,
	CGROUP_IO	= 1 << 4,
	CGROUP_PIDS	= 1 << 5,
	CGROUP_HUGETLB	= 1 << 6,
	CGROUP_DEVICES	= 1 << 7,
	CGROUP_FREEZER	= 1 << 8,
	CGROUP_SYSTEMD	= 1 << 9,	/* name=systemd: no controller, but what a systemd inside needs */
	CGROUP_RDMA	= 1 << 10,
	CGROUP_MISC	= 1 << 11,
};

/* The bit of a name as in /proc/self/mountinfo or cgroup.controllers; 0: unknown. */
unsigned int cgroup_controller(const char *name, size_t length);

/* The bits of a list of names with separators of @separators; unknown names are left out. */
unsigned int cgroup_controllers_parse(const char *text, const char *separators);

/* The name of the lowest bit in @controllers as cgroup @version spells it. */
const char *cgroup_controller_name(unsigned int controllers, int version);

/* What there is on this host, by version. */
struct cgroup_controllers {
	unsigned int v1, v2;
	bool unified;			/* cgroup v2 is mounted, with controllers or without */
};

struct cgroup_hierarchy {
	int version;
	unsigned int controllers;	/* of v2: read only by cgroup_available() */
	int root;			/* the mount, O_PATH */
	int dir;			/* the container's directory; -1: there is none */
};

struct cgroup;

/* How the tracking hierarchy does what the verbs need. Times out with -ETIMEDOUT. */
struct cgroup_ops {
	int (*populated)(const struct cgroup *cg);		/* 1, 0 or a negative errno; zombies do not count */
	int (*frozen)(const struct cgroup *cg);			/* 1, 0 or a negative errno */
	int (*freeze)(const struct cgroup *cg, bool freeze, int timeout_ms);
	int (*kill)(const struct cgroup *cg);			/* SIGKILL to all at once */
};
extern const struct cgroup_ops cgroup_v1_ops, cgroup_v2_ops;

#define CGROUP_PARENT		"moorage"	/* of ours, where cgroup v2 is all there is; elsewhere they are told by their names */
#define CGROUP_LEAF_SIZE	(sizeof("moorage-") + 63 + 1 + 16)
#define CGROUP_PATH_SIZE	4096

struct cgroup {
	struct cgroup_hierarchy item[MRG_CGROUP_MAX + 1];
	size_t n;
	struct cgroup_hierarchy *tracker;	/* NULL: no cgroups on this host */
	const struct cgroup_ops *ops;
	char parent[CGROUP_PATH_SIZE];		/* below the mounts; "": the mounts themselves */
	char path[CGROUP_PATH_SIZE];		/* parent and leaf */
	const char *leaf;			/* the end of @path */
	bool unified_only;			/* cgroup v2 and nothing else */
	bool own_parent;			/* ours by name: removed when empty, whoever made it */
	bool user;				/* the root is that of an ordinary user's manager */
	bool foreign;				/* there are cgroups, where this user may make none: left out */
};

/* ---- mounts.c ---- */

struct cgroup_mount {
	int version;
	unsigned int controllers;
	unsigned int major, minor;
	char *root, *path;			/* point into the line */
};

/* Reads one line of mountinfo, which it changes. Whether it is a hierarchy of cgroups we can use. */
bool cgroup_parse_mount(char *line, struct cgroup_mount *ret);

/* Fills in the hierarchies of @cg; with @tracker_only the tracking one is enough. A negative errno. */
int cgroup_find_mounts(struct cgroup *cg, bool tracker_only);

/* Reads what tells of most containers that they have no cgroup, for whoever looks at many. */
void cgroup_look_begin(struct mrg_look *look);
void cgroup_look_end(struct mrg_look *look);

/* ---- tree.c: names and directories ---- */

/* As mrg_error_set() for an error of cgroupfs, with the system's words behind the sentence. Codes that mean something
 * else here (ENOENT: no such container, EBUSY: wrong state, ...) become EIO. */
int cgroup_fail(struct mrg_error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The path of @unit. Without a PARENT of the user's it is moorage/NAME-ID where there is only v2, whose controllers are given
 * to the children of a cgroup; elsewhere it is moorage-NAME-ID: a parent would double what starting and ending cost. */
int cgroup_name(struct cgroup *cg, const struct mrg_unit *unit, struct mrg_error *err);

/* Finds the hierarchies (with @tracker_only the tracking one is enough, which is quicker) and @unit's directories. */
int cgroup_open(struct cgroup *ret, const struct mrg_unit *unit, bool tracker_only, struct mrg_error *err);
void cgroup_close(struct cgroup *cg);

/* Whether it has its directory in the hierarchy that tracks. */
static inline bool cgroup_is_tracked(const struct cgroup *cg)
{
	return cg->tracker && cg->tracker->dir >= 0;
}

/* Whether @unit has no directory in the tracking hierarchy, where a look at many tells that without opening anything. */
bool cgroup_is_absent(const struct mrg_unit *unit);
#define _cleanup_cgroup_	_cleanup_(cgroup_close)
#define CGROUP_INIT		{ .n = 0 }

/* What the hierarchies of @cg offer; reads cgroup.controllers of v2. */
struct cgroup_controllers cgroup_available(struct cgroup *cg);

/* The hierarchy with @controller in @version that @cg is a member of, or NULL. */
struct cgroup_hierarchy *cgroup_find(struct cgroup *cg, unsigned int controller, int version);

/* Makes PARENT and the directory of @cg in @h. -EEXIST when it is there already. */
int cgroup_make(struct cgroup *cg, struct cgroup_hierarchy *h);

/* Removes the directories of @cg with those below them, and PARENT when it is ours and empty. */
int cgroup_remove(struct cgroup *cg, int timeout_ms);

/* Calls @found for @dir and all cgroups below it, children first. */
int cgroup_walk(int dir, int (*found)(int dir, void *data), void *data);

/* ---- of.c ---- */

/* The path of a container's cgroup in the text of /proc/PID/cgroup of its first process, which is changed; NULL: it has none of its own. */
const char *cgroup_choose(char *text);

/* ---- processes.c ---- */

/* Calls @found for each process in the tracking hierarchy. */
int cgroup_processes(const struct cgroup *cg, int (*found)(pid_t pid, void *data), void *data);

/* SIGKILL to every process, frozen meanwhile so that none forks away. */
int cgroup_kill_frozen(const struct cgroup *cg);

/* SIGKILL to whoever left the tracking hierarchy, which root inside may do, but not this one of v1. */
void cgroup_kill_strays(const struct cgroup_hierarchy *h);

/* Waits until no process is left. */
int cgroup_wait_empty(const struct cgroup *cg, int timeout_ms);

/* The number after @key and a blank at the start of a line of a small file; with @key "" the number the file begins
 * with. -ENOENT: no such file, -ENODATA: no such key. */
int cgroup_read_number(int dir, const char *file, const char *key, uint64_t *ret);

/* ---- v2.c ---- */

/* Enables @controllers for the children of PARENT and of what is above it; those in @optional only if that works. */
int cgroup_v2_enable(struct cgroup *cg, unsigned int controllers, unsigned int optional, struct mrg_error *err);

/* Waits until who is enabling @controller for the children of PARENT is done; negative: it is not to be had there. */
int cgroup_v2_settle(struct cgroup *cg, unsigned int controller);

/* A descriptor of some cgroup where @controller is on, whose files show what this kernel has; negative: there is none. */
int cgroup_v2_example(const struct cgroup_hierarchy *h, unsigned int controller);

/* The directory that a process may enter: that of the container's first process, since a cgroup with controllers
 * enabled for its children takes none. A descriptor or a negative errno. */
int cgroup_v2_entry(const struct cgroup *cg, const struct mrg_unit *unit);

/* ---- v1.c ---- */

/* The controllers of v1 that a container with @needed is put into. */
unsigned int cgroup_v1_wanted(const struct cgroup *cg, unsigned int needed, bool boot);

/* A cpuset of v1 starts empty and takes no process: copies that of its parent, PARENT first. */
int cgroup_v1_fill_cpuset(const struct cgroup *cg, const struct cgroup_hierarchy *h);

/* ---- limits.c: the spec as files ---- */

struct cgroup_setting {
	unsigned int field;		/* enum mrg_field */
	unsigned int controller;
	int version;
	char *file, *text;
	char *other_file, *other_text;	/* used when @file does not exist; may be NULL */
	char *device;			/* "8:0" when the file has a line per device; else NULL */
	char *reset;			/* what removes that line */
	bool optional;			/* not asked for: the file may be missing */
	bool done;
	char *old;			/* what @file held */
};

struct cgroup_plan {
	struct cgroup_setting *item;
	size_t n;
	struct cgroup_controllers needed;
};
#define CGROUP_PLAN_INIT	{ .item = NULL }

/* Which files @spec's fields in @fields become. Pure: touches nothing. A missing controller is an error naming the
 * field. */
int cgroup_plan(struct cgroup_plan *ret, const struct mrg_spec *spec, const struct mrg_fields *fields,
		const struct cgroup_controllers *available, struct mrg_error *err);
void cgroup_plan_deinit(struct cgroup_plan *plan);
#define _cleanup_plan_		_cleanup_(cgroup_plan_deinit)

/* Whether @field is in the table, that is: a limit that this file knows. */
bool cgroup_is_limit(unsigned int field);

/* @spec with the resource limits of @changes over it: a shallow copy that owns nothing. */
struct mrg_spec cgroup_merge(const struct mrg_spec *spec, const struct mrg_spec *changes);

#define CGROUP_NEVER_HAD	"some limits are of the other version of cgroups"

/* Removes from @fields what @cg cannot honour, naming the causes in @reason: what can be mended, or else that nothing but this is missing. */
void cgroup_limits_probe(struct cgroup *cg, const struct cgroup_controllers *available, struct mrg_fields *fields,
			 char *reason, size_t size);

/* ---- apply.c ---- */

/* Writes the files of @plan. With @undo, when one fails, those written get their old text back. */
int cgroup_plan_apply(struct cgroup *cg, struct cgroup_plan *plan, bool undo, struct mrg_error *err);
void cgroup_plan_undo(struct cgroup *cg, struct cgroup_plan *plan);

/* ---- devices.c ---- */

/* The v1 controller that holds the rules of @spec: CGROUP_DEVICES, or 0 for a BPF program on v2 (or no rules). */
int cgroup_devices_choose(const struct cgroup_controllers *available, const struct mrg_spec *spec,
			  unsigned int *ret_v1, struct mrg_error *err);

/* Whether this caller can apply rules, by trying. */
bool cgroup_devices_work(const struct cgroup_controllers *available);

/* Makes the rules of @spec those of @cg, in place of earlier ones. */
int cgroup_devices_apply(struct cgroup *cg, const struct mrg_spec *spec, struct mrg_error *err);

struct bpf_insn;

/* The program of @rules: for each kind of access the last match wins, what matches none is denied. The caller frees
 * *ret. */
int cgroup_devices_program(const struct mrg_device_rule *rules, size_t n, struct bpf_insn **ret, size_t *ret_n);

/* The same rules as lines for v1: each begins with 'd' (devices.deny) or 'a' (devices.allow) and the text follows. The
 * caller frees with strv_free. -MRG_E_UNSUPPORTED: an exception of an exception, which v1 cannot hold. */
int cgroup_devices_lines(const struct mrg_device_rule *rules, size_t n, char ***ret, struct mrg_error *err);

/* ---- helper/cgroup.c ---- */

/* Kills what is left in @cg, counts what the kernel killed for want of memory, removes the cgroups. */
int cgroup_clear(struct cgroup *cg, uint64_t *ret_oom_kills, struct mrg_error *err);

/* ---- stats.c ---- */

void cgroup_stats_read(struct cgroup *cg, const struct mrg_unit *unit, struct mrg_stats *ret);
uint64_t cgroup_oom_kills(struct cgroup *cg);

#endif
