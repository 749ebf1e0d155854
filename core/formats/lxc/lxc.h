/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FORMATS_LXC_H
#define FORMATS_LXC_H

/*
 * Internal to lxc*.c: configurations of LXC, lxc.container.conf(5), both ways.
 *
 * A configuration is lines "KEY = VALUE", read in order: of most keys the last line counts, others collect, an empty value clears.
 * Lines that have no effect are taken out first, so that the rows of keys only see what counts. What lines of several keys make
 * together (mounts, namespaces, capabilities, limits of both versions of cgroups) is put into the spec at the end, and rows of the
 * report are written after that.
 */

#include <stdint.h>
#include <sys/types.h>

#include "core/formats/keys.h"

#define LXC_BLANKS	" \t"

/* ---- reading from elsewhere in the library (lxc.c) -------------------------------------- */

struct lxc_read_options {
	bool keep_includes;		/* no file is opened: lxc.include and lxc.mount.fstab stay as they are */
	const char *directory;		/* of the container, "/var/lib/lxc/NAME": mount targets below its rootfs count; may be NULL */
};

/* As mrg_format_read("lxc"), which gives no options. */
int lxc_config_read(const char *text, size_t length, const struct lxc_read_options *options, struct mrg_spec *spec,
		    const struct report *report, struct mrg_error *err);

/* ---- the text (text.c) --------------------------------------------------------------- */

/* One file on the way down through includes. */
struct lxc_source {
	const struct lxc_source *parent;
	const char *name;		/* NULL: the text itself */
	dev_t device;
	ino_t inode;
	unsigned int depth;
};

struct lxc_config {
	struct assignments list;
	const char **original;		/* how the keys of the list are spelled in the text */
	char **owned;			/* what they point into */
	const struct lxc_read_options *options;
	struct mrg_error *err;
	size_t bytes;
	unsigned int files;		/* included */
	unsigned int networks;		/* begun with the old lxc.network.type */
	const char *fstab;		/* the table of mounts that was read */
};

/* Splits a text and all it includes into @config, in the order of LXC. Errors name file and line. */
int lxc_parse(struct lxc_config *config, const char *text, size_t length);
void lxc_config_deinit(struct lxc_config *config);

/* Splits @text, which @config then owns, and is a file. */
int lxc_split(struct lxc_config *config, char *text, size_t length, const struct lxc_source *source);

/* Adds an assignment; @original is the key as it is spelled. */
int lxc_add(struct lxc_config *config, const struct assignment *item, const char *original);

/* Keeps @text until the end. Returns it, or NULL when memory runs out. */
char *lxc_own(struct lxc_config *config, char *text);

/* "FILE: line LINE: RULE". */
int lxc_line_fail(struct lxc_config *config, const struct lxc_source *source, unsigned int line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Lines of struct key_syntax: "NAME = VALUE". */
bool lxc_line(struct buffer *b, const char *name, const char *value);
bool lxc_verbatim(struct buffer *b, const char *name, const char *value);

/* Names of lines that are no key, or have no effect; a key has no parentheses. */
static inline bool lxc_is_no_key(const char *name)
{
	return name[0] == '(';
}
#define LXC_NO_KEY	"(no key)"
#define LXC_REPLACED	"(replaced)"
#define LXC_RESERVED	"(reserved)"	/* called as we call what is kept, which LXC has no keys for */

/* Where device rules are kept that no field holds: "allow RULE" and "deny RULE", in order. */
#define LXC_KEPT_DEVICES	"lxc.cgroup.devices"
#define LXC_KEPT_DEVICES2	"lxc.cgroup2.devices"
/* Where options of mounts are kept that only LXC has: "TARGET optional,create=file". */
#define LXC_KEPT_OPTIONS	"lxc.mount.options"

/* ---- files (include.c) --------------------------------------------------------------- */

/* Reads what "lxc.include = @path" asks for: a file, or all *.conf of a directory as they come. */
int lxc_include(struct lxc_config *config, const char *path, const struct lxc_source *source, unsigned int line);

/* Puts the lines of the table of mounts @path into @config as if each were an lxc.mount.entry: 0, 1 when there is no such file. */
int lxc_read_fstab(struct lxc_config *config, const char *path, unsigned int line);

/* ---- old names (legacy.c) -------------------------------------------------------------- */

/* The name that @key of LXC 2 has today, which may be @key itself; NULL when memory runs out. */
const char *lxc_modern_key(struct lxc_config *config, const char *key, const char *value);

/* ---- what counts (replace.c) ----------------------------------------------------------- */

/* Renames lines that later ones replace or clear to LXC_REPLACED. */
void lxc_replace(struct assignments *list);

/* ---- what rows keep between them ----------------------------------------------------------- */

struct lxc_reader {
	struct key_reader in;
	struct lxc_config *config;
	const char *backend;		/* lxc.rootfs.backend of LXC 2 */
	bool autodev;
	uint32_t ptys;
	uint32_t dev_size;
	uint64_t cap_drop, cap_keep;
	bool have_drop, have_keep;
	unsigned int ns_clone, ns_keep;	/* bits, by the table of namespaces */
	bool have_clone, have_keep_ns;
	bool host_network;		/* lxc.net.N.type = none, and nothing else */
	struct { bool said; int64_t secs; uint32_t nanosecs; } offset[2];	/* boottime, monotonic */
	struct { struct lxc_nic *item; size_t n; } nics;
};

static inline struct lxc_reader *lxc_of(struct key_reader *in)
{
	return (struct lxc_reader *)((char *)in - offsetof(struct lxc_reader, in));
}

struct lxc_writer {
	struct key_writer out;
	const struct json *kept;	/* the object of KEY: [ VALUE, ... ], or NULL */
};

static inline struct lxc_writer *lxc_writer_of(struct key_writer *out)
{
	return (struct lxc_writer *)((char *)out - offsetof(struct lxc_writer, out));
}

/* The values of a key that was kept verbatim, or NULL. */
const struct json *lxc_kept(const struct key_writer *out, const char *name);

/* The next line that counts from *@at on whose key is @key, or begins with it when that ends in a dot; it becomes in->now.
 * NULL at the end. */
struct assignment *lxc_next(struct key_reader *in, size_t *at, const char *key);

/* Corrects what becomes of an assignment. */
static inline void lxc_judge(struct assignment *item, int verdict, const char *note)
{
	item->verdict = verdict;
	item->note = note;
	item->keep |= verdict >= MRG_DROPPED;
}

/* Reports a field that is set and cannot be said, or only in part, in the words of @format. */
void lxc_report_loss(struct key_writer *out, unsigned int field, int verdict, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* A number as LXC takes it: decimal, 0x and 0 in front as in C, nothing behind. */
int lxc_number(const char *text, uint32_t *ret);

/* Takes the next part off *at, up to one of @separators; empty parts are skipped. NULL at the end. */
char *lxc_part(char **at, const char *separators);

/* ---- rows ------------------------------------------------------------------------------------ */

extern const struct key lxc_keys[];
bool lxc_name_confines(const char *name);

KEY_READER(lxc_read_nothing);		/* read at the end, or without effect */
KEY_READER(lxc_read_kept);		/* kept verbatim */
KEY_READER(lxc_read_kept_flag);		/* the same; 0 and an empty value lose nothing */
KEY_READER(lxc_read_gone);
KEY_READER(lxc_read_path);
KEY_READER(lxc_read_flag);
KEY_WRITER(lxc_write_string);
KEY_WRITER(lxc_write_flag);
KEY_READER(lxc_read_include);

KEY_READER(lxc_read_root);
KEY_READER(lxc_read_backend);
KEY_READER(lxc_read_root_options);
KEY_WRITER(lxc_write_root);
KEY_WRITER(lxc_write_root_options);
int lxc_finish_root(struct key_reader *in);

KEY_WRITER(lxc_write_command);
int lxc_finish_command(struct key_reader *in);
KEY_READER(lxc_read_id);
KEY_WRITER(lxc_write_ids);
KEY_READER(lxc_read_groups);
KEY_WRITER(lxc_write_groups);
KEY_READER(lxc_read_hostname);
KEY_WRITER(lxc_write_hostname);
KEY_READER(lxc_read_environment);
KEY_WRITER(lxc_write_environment);
KEY_READER(lxc_read_signal);
KEY_WRITER(lxc_write_signal);
KEY_READER(lxc_read_arch);
KEY_WRITER(lxc_write_arch);
KEY_READER(lxc_read_prlimit);
KEY_WRITER(lxc_write_prlimits);
KEY_READER(lxc_read_sysctl);
KEY_WRITER(lxc_write_sysctls);
int lxc_finish_sysctls(struct key_reader *in);
KEY_READER(lxc_read_proc);
KEY_WRITER(lxc_write_oom_score);
KEY_READER(lxc_read_apparmor);
KEY_WRITER(lxc_write_seccomp);
KEY_WRITER(lxc_write_terminal);

KEY_READER(lxc_read_caps);
KEY_WRITER(lxc_write_caps);
int lxc_finish_caps(struct key_reader *in);

KEY_READER(lxc_read_namespaces);
KEY_READER(lxc_read_share);
KEY_READER(lxc_read_idmap);
KEY_READER(lxc_read_time_offset);
KEY_WRITER(lxc_write_namespaces);
KEY_WRITER(lxc_write_idmap);
KEY_WRITER(lxc_write_time_offset);
int lxc_finish_namespaces(struct key_reader *in);

KEY_READER(lxc_read_autodev);
KEY_READER(lxc_read_dev_size);
KEY_READER(lxc_read_ptys);
KEY_READER(lxc_read_fstab_key);
KEY_WRITER(lxc_write_mounts);
KEY_WRITER(lxc_write_devices);
int lxc_finish_mounts(struct key_reader *in);

KEY_READER(lxc_read_network);
KEY_WRITER(lxc_write_networks);
int lxc_finish_networks(struct key_reader *in);

KEY_READER(lxc_read_cgroup_dir);
KEY_WRITER(lxc_write_cgroup_dir);
KEY_WRITER(lxc_write_cgroups);
int lxc_finish_cgroups(struct key_reader *in);
KEY_WRITER(lxc_write_device_rules);
int lxc_finish_device_rules(struct key_reader *in);

#endif
