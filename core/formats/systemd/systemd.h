/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FORMATS_SYSTEMD_H
#define FORMATS_SYSTEMD_H

/*
 * Internal to systemd*.c: service units, both ways by one table of keys; what nspawn shares of it is used there too.
 */

#include "core/formats/keys.h"

/* ---- the text (text.c) ------------------------------------------------------- */

struct unit {
	struct assignments list;	/* continuation lines joined, blanks around values removed */
	bool has_section;
	char *text;			/* what they point into */
};

/* What all of a text must be: at most 1 MiB of UTF-8 without control characters. */
int unit_check(const char *text, size_t length, struct mrg_error *err);

/* Splits a unit file. Errors name the line. */
int unit_parse(const char *text, size_t length, struct unit *ret, struct mrg_error *err);

/* A span of systemd.time(7), "1min 30s", in microseconds; a number alone counts @unit of them. */
int unit_time(const char *text, uint64_t unit, uint64_t *ret);
#define UNIT_SECOND	UINT64_C(1000000)
void unit_deinit(struct unit *unit);

/* Takes the first word off *at, quotes and escapes undone: 1 and *ret (the caller frees it), 0 at the end,
 * -EINVAL on an open quote or an unknown escape. */
int unit_word(const char **at, char **ret);

/* The same up to one of @separators outside quotes, which may give an empty text; 0 or an error. */
int unit_part(const char **at, const char *separators, char **ret);
#define UNIT_BLANKS	" \t\n\r"

/* Undoes "%%"; the reason when there is any other specifier. */
const char *unit_undo(char *text);

/* Undoes "$$" of a command line; false when a variable is left. */
bool unit_undo_dollars(char *text);

/* Adds a word so that unit_word() gives it back, quoted when needed. Doubled is what systemd would expand: UNIT_VALUE in any value, UNIT_COMMAND in
 * a command line, nothing where it shall. */
#define UNIT_RAW	""
#define UNIT_VALUE	"%"
#define UNIT_COMMAND	"%$"
void unit_quote(struct buffer *b, const char *word, const char *doubled);

/* Whether text can stand as a value without quotes. */
bool unit_is_plain(const char *text);

/* Lines of struct key_syntax: "NAME=VALUE". */
bool unit_line(struct buffer *b, const char *name, const char *value);
bool unit_verbatim(struct buffer *b, const char *name, const char *value);

/* All words of a value, specifiers undone: 0, 1 when one has a specifier that only systemd can expand (then nothing is
 * returned and the note says so), or a negative errno. */
int unit_words(struct key_reader *in, const char *value, char ***ret);

/* ---- what rows keep between them (systemd.c) -------------------------------------------- */

struct unit_reader {
	struct key_reader in;
	const char *root;		/* RootDirectory=, known from the beginning */
	/* What several keys make together, put into the spec at the end. */
	char *user, *group;
	bool api, private_devices;
	bool have_swap, have_quota, bounding_set;
	int64_t swap;
	uint64_t quota;			/* hundredths of a percent of one CPU */
	uint64_t bounding_drop;		/* capabilities other keys take away */
	int device_policy;		/* DEVICE_* */
	bool have_devices;
	struct { struct mrg_device_rule *item; size_t n; } device_allow;
	bool filter_deny;
	const struct assignment *filter_lost;	/* the first line of a filter that cannot be kept */
	const char *filter_note;
	char **filter;			/* names */
	bool filter_errno;
	uint32_t filter_errno_value;
};

enum { DEVICE_AUTO, DEVICE_CLOSED, DEVICE_STRICT };

static inline struct unit_reader *unit_of(struct key_reader *in)
{
	return (struct unit_reader *)((char *)in - offsetof(struct unit_reader, in));
}

/* Whether a line takes the earlier ones of its key back, as systemd.exec(5) and systemd.resource-control(5) say of each: an empty one does, and each of
 * the keys that have one value. Of keys that no row knows all lines count. */
bool unit_replaces(const struct assignment *now);

/* Whether the name of a key no row knows tells that it confines. */
bool unit_name_confines(const char *name);

/* [Service] but for control groups, control groups, [Install]. */
extern const struct key systemd_keys[], systemd_resource_keys[], systemd_install_keys[];

/* ---- rows (process.c, paths.c, limits.c, sandbox.c) ---- */

KEY_READER(read_exec);
KEY_WRITER(write_exec);
KEY_READER(read_environment);
KEY_WRITER(write_environment);
KEY_READER(read_user);
KEY_READER(read_group);
KEY_WRITER(write_user);
KEY_WRITER(write_group);
KEY_READER(read_groups);
KEY_WRITER(write_groups);
KEY_READER(read_cwd);
KEY_READER(read_restart);
KEY_WRITER(write_restart);
KEY_READER(read_signal);
KEY_WRITER(write_signal);
KEY_READER(read_timeout);
KEY_WRITER(write_timeout);
KEY_READER(read_input);
KEY_WRITER(write_input);
KEY_READER(read_wanted);
KEY_WRITER(write_wanted);

KEY_READER(read_root);
KEY_READER(read_paths);
KEY_WRITER(write_paths);
KEY_READER(read_bind);
KEY_WRITER(write_mounts);
int unit_finish_mounts(struct key_reader *in);
KEY_READER(read_tmpfs);
KEY_READER(read_api_mounts);
KEY_READER(read_private_tmp);
KEY_READER(read_protect_system);
KEY_WRITER(write_protect_system);
KEY_READER(read_protect_home);
KEY_READER(read_device_policy);
KEY_READER(read_device_allow);
KEY_WRITER(write_devices);
KEY_READER(read_private_devices);
/* The numbers of "/dev/block/8:0". */
bool unit_block_device(const char *word, int64_t *major, int64_t *minor);
int unit_finish_devices(struct key_reader *in);

KEY_READER(read_rlimit);
KEY_WRITER(write_rlimits);
KEY_READER(read_memory);
KEY_WRITER(write_memory);
KEY_READER(read_swap);
KEY_WRITER(write_swap);
KEY_READER(read_unified);
KEY_READER(read_quota);
KEY_READER(read_period);
KEY_WRITER(write_quota);
KEY_READER(read_weight);
KEY_WRITER(write_weight);
KEY_READER(read_cpuset);
KEY_WRITER(write_unified);
KEY_READER(read_tasks);
KEY_WRITER(write_tasks);
KEY_READER(read_io_weight);
KEY_WRITER(write_io_weight);
KEY_READER(read_io_limit);
KEY_WRITER(write_io_limit);
int unit_finish_limits(struct key_reader *in);

KEY_READER(read_bounding);
KEY_READER(read_ambient);
KEY_WRITER(write_bounding);
KEY_WRITER(write_ambient);
KEY_READER(read_namespace);
KEY_WRITER(write_namespace);
KEY_READER(read_protect);
KEY_READER(read_filter);
KEY_READER(read_filter_errno);
KEY_READER(read_architectures);
KEY_WRITER(write_filter);
/* Decides beforehand whether the lines of SystemCallFilter= can be kept. */
void unit_judge_filter(struct key_reader *in, const struct assignments *list);
int unit_finish_sandbox(struct key_reader *in);
int unit_finish_user(struct key_reader *in);
/* Says in the report of User= and Group= which fields they became, which both of them decide. */
void unit_name_users(struct key_reader *in, const struct assignments *list, const char *section);

#endif
