/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FORMATS_SYSTEMD_H
#define FORMATS_SYSTEMD_H

/*
 * Internal to systemd*.c: service units, both ways by one table.
 *
 * The reader hands each assignment to the row of its key; the writer asks each row in turn for its lines. What no row carries is kept
 * verbatim in the spec (moorage.native.systemd) and written back.
 */

#include <stdbool.h>

#include "core/formats/format.h"
#include "core/spec_table.h"

/* ---- the text (systemd_text.c) ------------------------------------------------------- */

struct assignment {
	const char *section, *key;
	char *value;			/* continuation lines joined, blanks around it removed */
	unsigned int line;
};

struct unit {
	struct assignment *item;
	size_t n;
	bool has_section;
	char *text;			/* what they point into */
};

/* Splits a unit file. Errors name the line. */
int unit_parse(const char *text, size_t length, struct unit *ret, struct mrg_error *err);
void unit_deinit(struct unit *unit);

/* Takes the first word off *at, quotes and escapes undone: 1 and *ret (the caller frees it), 0 at the end,
 * -EINVAL on an open quote or an unknown escape. */
int unit_word(const char **at, char **ret);

/* The same up to one of @separators outside quotes, which may give an empty text; 0 or an error. */
int unit_part(const char **at, const char *separators, char **ret);
#define UNIT_BLANKS	" \t\n\r"

/* Undoes "%%". -EINVAL when there is any other specifier. */
int unit_unspecify(char *text);

/* Adds a word so that unit_word() gives it back: quoted when needed, "%" doubled, and "$" when @dollar. */
void unit_quote(struct buffer *b, const char *word, bool dollar);

/* Whether text can stand as a value without quotes. */
bool unit_is_plain(const char *text);

/* ---- the engine (systemd.c) ---------------------------------------------------------- */

struct unit_reader {
	struct mrg_spec *spec;
	struct mrg_error *err;
	const struct assignment *now;	/* the one being read */
	const char *note;		/* a row may say what was lost of this one */
	bool keep;			/* keep it verbatim as well */
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

struct unit_writer {
	const struct mrg_spec *spec;
	struct buffer b;
	struct mrg_fields reported;
	const struct report *report;
	const struct key *now;
	int result;			/* of the report function */
};

/* One key of [Service]. */
struct key {
	const char *name;
	int field;			/* enum mrg_field, or -1 */
	bool confines;			/* what of it cannot be kept weakens */
	/* Gives the verdict (enum mrg_verdict; from DROPPED on the assignment is kept verbatim), or a negative errno. @value is
	 * "" for an assignment that resets. NULL: never read. */
	int (*read)(struct unit_reader *in, const struct key *key, char *value);
	/* Writes lines and reports the fields it handles. NULL: never written. */
	void (*write)(struct unit_writer *out, const struct key *key);
	int verdict;			/* of generic readers */
	const char *note;		/* what is lost, either way */
};

/* Whether the name of a key no row knows tells that it confines. */
bool unit_name_confines(const char *name);

extern const struct key systemd_keys[];	/* ends with a NULL name */

/* "KEY=: RULE" with the line. */
int unit_fail(struct unit_reader *in, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* All words of a value, specifiers undone: 0, 1 when one has a specifier that only systemd can expand (then nothing is
 * returned and the note says so), or a negative errno. */
int unit_words(struct unit_reader *in, const char *value, char ***ret);

/* The verdict on an assignment that cannot be kept, with the reason. */
int unit_lost(struct unit_reader *in, const struct key *key, const char *note);

/* Forgets a field: what an empty assignment does. */
void unit_reset(struct unit_reader *in, unsigned int field);

/* Sets a field from text; errors name key and line. */
int unit_set(struct unit_reader *in, enum mrg_field field, const char *text);

/* Starts "KEY="; the caller adds the value and a newline. */
void unit_key(struct unit_writer *out, const char *name);

/* A line "NAME=VALUE" of a value that needs no quotes; false when it cannot stand there. */
bool unit_line(struct unit_writer *out, const char *name, const char *value);

/* Reports a field of the spec, once. */
void unit_report(struct unit_writer *out, unsigned int field, int verdict, const char *target, const char *note);

static inline bool unit_has(const struct unit_writer *out, unsigned int field)
{
	return mrg_fields_has(&out->spec->set, field);
}

/* ---- rows (systemd_process.c, systemd_paths.c, systemd_limits.c, systemd_sandbox.c) ---- */

#define ROW_READER(name)	int name(struct unit_reader *in, const struct key *key, char *value)
#define ROW_WRITER(name)	void name(struct unit_writer *out, const struct key *key)

/* Generic: any simple field, one row one field. */
ROW_READER(read_simple);
ROW_WRITER(write_simple);
ROW_READER(read_native);		/* kept verbatim: what was said of it is in the row */

ROW_READER(read_exec);
ROW_WRITER(write_exec);
ROW_READER(read_environment);
ROW_WRITER(write_environment);
ROW_READER(read_user);
ROW_READER(read_group);
ROW_WRITER(write_user);
ROW_WRITER(write_group);
ROW_READER(read_groups);
ROW_WRITER(write_groups);
ROW_READER(read_cwd);
ROW_READER(read_restart);
ROW_WRITER(write_restart);
ROW_READER(read_signal);
ROW_WRITER(write_signal);
ROW_READER(read_timeout);
ROW_READER(read_input);
ROW_WRITER(write_input);
ROW_READER(read_wanted);

ROW_READER(read_root);
ROW_READER(read_paths);
ROW_WRITER(write_paths);
ROW_READER(read_bind);
ROW_WRITER(write_mounts);
int unit_finish_mounts(struct unit_reader *in);
ROW_READER(read_tmpfs);
ROW_READER(read_api_mounts);
ROW_READER(read_private_tmp);
ROW_READER(read_protect_system);
ROW_WRITER(write_protect_system);
ROW_READER(read_protect_home);
ROW_READER(read_device_policy);
ROW_READER(read_device_allow);
ROW_WRITER(write_devices);
ROW_READER(read_private_devices);
/* The numbers of "/dev/block/8:0". */
bool unit_block_device(const char *word, int64_t *major, int64_t *minor);
int unit_finish_devices(struct unit_reader *in);

ROW_READER(read_rlimit);
ROW_WRITER(write_rlimits);
ROW_READER(read_memory);
ROW_WRITER(write_memory);
ROW_READER(read_swap);
ROW_WRITER(write_swap);
ROW_READER(read_unified);
ROW_READER(read_quota);
ROW_READER(read_period);
ROW_WRITER(write_quota);
ROW_READER(read_weight);
ROW_WRITER(write_weight);
ROW_READER(read_cpuset);
ROW_WRITER(write_unified);
ROW_READER(read_tasks);
ROW_WRITER(write_tasks);
ROW_READER(read_io_weight);
ROW_WRITER(write_io_weight);
ROW_READER(read_io_limit);
ROW_WRITER(write_io_limit);
int unit_finish_limits(struct unit_reader *in);

ROW_READER(read_bounding);
ROW_READER(read_ambient);
ROW_WRITER(write_bounding);
ROW_WRITER(write_ambient);
ROW_READER(read_namespace);
ROW_WRITER(write_namespace);
ROW_READER(read_protect);
ROW_READER(read_filter);
ROW_READER(read_filter_errno);
ROW_READER(read_architectures);
ROW_WRITER(write_filter);
/* Decides beforehand whether the lines of SystemCallFilter= can be kept. */
void unit_judge_filter(struct unit_reader *in, const struct unit *unit);
int unit_finish_sandbox(struct unit_reader *in);
int unit_finish_user(struct unit_reader *in);

#endif
