/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_CLI_H
#define CLI_CLI_H

/* What all parts of the command share: verbs and options as tables, and one invocation. */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <moorage/moorage.h>

struct cli;
struct builder;

/* ---- options ---- */

enum option_kind {
	OPTION_FLAG,			/* int at @offset becomes @number, or 0 for --NAME=no */
	OPTION_TEXT,			/* const char * at @offset */
	OPTION_LIST,			/* char ** at @offset: appended */
	OPTION_SPEC,			/* kept for spec_build(), which calls @apply */
	OPTION_LATER,			/* known, refused: @help is the reason */
};

/* When the option of a spec takes effect: before the defaults are filled in, or on top of them. */
enum { PHASE_BEFORE, PHASE_PRIVILEGED, PHASE_DROP, PHASE_AFTER };

struct option_spec {
	const char *names;		/* long names, blanks between; the first is ours; NULL ends a table */
	const char *letters;		/* short letters, the first is ours; NULL: none */
	const char *arg;		/* what it takes, for humans; NULL: a flag */
	const char *help;		/* one line */
	enum option_kind kind;
	size_t offset;			/* in struct cli */
	int number;
	int (*apply)(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err);
	int field;			/* enum mrg_field, for @apply */
	const char *value;		/* what a flag stands for, for @apply */
	int phase;
	bool hidden;			/* works, is not shown: spellings with a hint of their own */
};

struct option_table {
	const char *title;		/* heading in the help; NULL ends a list of tables */
	const struct option_spec *options;
};

#define FLAG(names_, letters_, member_, help_)					\
	{ .names = names_, .letters = letters_, .help = help_, .kind = OPTION_FLAG,	\
	  .offset = offsetof(struct cli, member_), .number = 1 }
#define TEXT(names_, letters_, arg_, member_, help_)				\
	{ .names = names_, .letters = letters_, .arg = arg_, .help = help_,	\
	  .kind = OPTION_TEXT, .offset = offsetof(struct cli, member_) }
#define LIST(names_, letters_, arg_, member_, help_)				\
	{ .names = names_, .letters = letters_, .arg = arg_, .help = help_,	\
	  .kind = OPTION_LIST, .offset = offsetof(struct cli, member_) }
#define LATER(names_, letters_, arg_, reason_)					\
	{ .names = names_, .letters = letters_, .arg = arg_, .help = reason_, .kind = OPTION_LATER }

/* ---- verbs ---- */

enum {
	VERB_PAYLOAD	= 1 << 0,	/* runs a program: its own failures are exit status 125 */
	VERB_COMMAND	= 1 << 1,	/* a command line follows: options end at the first operand */
	VERB_NAME	= 1 << 2,	/* -n/--name NAME stands for the first operand */
	VERB_HIDDEN	= 1 << 3,
	VERB_EXPLAIN	= 1 << 4,	/* --explain is understood */
	VERB_TO		= 1 << 5,	/* --to says where it goes, which is easily typed as an operand */
};

/* What completion offers as operand. */
enum verb_complete {
	COMPLETE_NOTHING, COMPLETE_ANY, COMPLETE_RUNNING, COMPLETE_STOPPED, COMPLETE_PAUSED, COMPLETE_ALIVE,
	COMPLETE_ROOT, COMPLETE_SHELL, COMPLETE_VERB, COMPLETE_FILE,
};

struct verb {
	const char *name;
	const char *aliases;		/* blanks between; NULL: none */
	const char *group;
	const char *operands;		/* "NAME..." */
	const char *summary;		/* one line */
	const char *text;		/* examples, then what there is to say; NULL: nothing */
	const struct option_table *options;
	unsigned int flags;		/* VERB_* */
	enum verb_complete complete;
	int min, max;			/* operands; max -1: any number */
	int (*run)(struct cli *cli);
};

/* A verb of other tools, or of a later version. */
struct known_word {
	const char *name;
	const char *text;		/* what to say */
	const char *use;		/* our verb, or NULL */
	bool payload;
};

extern const struct verb verbs[];
extern const struct known_word later_verbs[], foreign_verbs[], foreign_options[];
extern const struct option_table global_options[];

const struct verb *verb_find(const char *name);
const struct known_word *known_word_find(const struct known_word *words, const char *name);

/* Whether @word is one of those in @words, which has blanks between them. */
bool word_in(const char *words, const char *word);

/* The next of @words: moves on *words, gives its length in *ret; NULL at the end. */
const char *word_next(const char **words, size_t *ret);

/* ---- one invocation ---- */

enum output_format {
	FORMAT_TABLE, FORMAT_WIDE, FORMAT_JSON, FORMAT_JSONL, FORMAT_CSV, FORMAT_ENV, FORMAT_NAME, FORMAT_TEMPLATE,
};

struct setting {
	const struct option_spec *option;
	const char *text;
};

struct cli {
	const struct verb *verb;
	const char *typed;		/* the verb as it was typed */
	bool payload;			/* failures are exit status 125 */
	struct mrg *m;
	char **operands;
	int n_operands;
	char **own_operands;		/* when they had to be copied */
	bool dashes;			/* "--" stood before the operands */
	enum output_format output;
	const char *error_backend;	/* for errors as JSON; NULL: not known */
	struct setting *settings;	/* of the spec, in the order they were typed */
	size_t n_settings;

	/* global options */
	const char *backend, *path, *format, *color, *timeout;
	int json, quiet, no_headings, no_trunc, no_pager, explain, help, version;

	/* options of verbs; each verb uses its own few */
	const char *name, *rootfs, *from, *cidfile, *pidfile, *detach_keys;
	int detach, rm, interactive, tty, replace, best_effort, sig_proxy;
	const char *user, *workdir, *entrypoint;
	char **env, **env_file;
	int privileged, attach, all, force, ignore, kill, no_kill, all_processes;
	const char *time, *signal, *states;
	const char *columns, *sort;
	char **filter;
	int follow, timestamps, raw;
	const char *tail, *since, *until;
	int no_stream, features, man, native, batch;
	const char *interval, *iterations;
	char *to_backend;		/* of "BACKEND@HOST" */
	const char *ssh_config;
	const char *rename, *rebase, *to_path, *health_cmd, *health_timeout, *progress;
	int move, copy, in_place, keep, keep_storage, purge, no_stop, start_it;
	const char *to, *output_file;
	char **accept;
	int strict;
	const char *pid, *baseline, *fail_on;
	int diff, facts, probe;
	const char *backends, *root, *runs, *against, *html, *save;
	void *data;			/* what a verb gathers while cli_each() calls it */
};

/* Reads options from @argv[@from...] by @tables (and the global ones) and leaves the operands in @cli. Exit status 0, or -1 after a
 * message. */
int options_parse(struct cli *cli, const struct option_table *tables, int argc, char **argv, bool stop_at_operand);

/* The settings from @text for handlers that a file of options feeds. */
int options_keep(struct cli *cli, const struct option_spec *option, const char *text);

/* ---- errors: error.c ---- */

/* The exit status for the code in @err. */
int exit_code_of(const struct cli *cli, int code);

/* Prints @err on standard error, as text or JSON; returns its exit status. */
int cli_fail(struct cli *cli, const struct mrg_error *err);

/* The same for what a listing goes on without; returns 1, the exit status of one that is not whole. */
int cli_warn(struct cli *cli, const struct mrg_error *err);

/* As a warning what mrg_list() tells of @name, as an error when that is the backend that was asked for. Returns the exit status. */
int cli_tell_left_out(struct cli *cli, const char *name, const struct mrg_error *err);

/* The same for a mistake in the command line: exit status 2 (125 where a payload would run). @hint may be NULL. */
int cli_usage(struct cli *cli, const char *hint, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A line on standard error that is no failure; nothing with --quiet. */
void cli_note(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The library's context, made on first use; NULL after a message. */
struct mrg *cli_context(struct cli *cli);

/* Whether a container is a security boundary: by its backend's means, or by a user namespace of its own. *ret_reason: why (not). */
int cli_boundary(const struct mrg_backend_info *info, const struct mrg_spec *spec, const char **ret_reason);

/* Opens container @name, honouring -B. */
int cli_open(struct cli *cli, const char *name, struct mrg_container **ret, struct mrg_error *err);

/* Opens the container of the first operand and tells failures. NULL: *ret_exit is the exit status. */
struct mrg_container *cli_open_first(struct cli *cli, int *ret_exit);

/* Does @each for every container named (with -a/--all: for all of them). The first failure decides the exit status. */
int cli_each(struct cli *cli, int (*each)(struct cli *cli, struct mrg_container *c, struct mrg_error *err));

/* Milliseconds of a duration as typed, or -1 when @text is NULL; -2 after a message. */
int cli_duration(struct cli *cli, const char *option, const char *text);

static inline void cli_container_freep(struct mrg_container **c)
{
	mrg_container_free(*c);
}
#define _cleanup_container_ _cleanup_(cli_container_freep)

static inline void cli_spec_freep(struct mrg_spec **spec)
{
	mrg_spec_free(*spec);
}
#define _cleanup_spec_ _cleanup_(cli_spec_freep)

static inline void cli_session_freep(struct mrg_session **session)
{
	mrg_session_free(*session);
}
#define _cleanup_session_ _cleanup_(cli_session_freep)

static inline void cli_names_freep(char ***names)
{
	mrg_strv_free(*names);
}
#define _cleanup_names_ _cleanup_(cli_names_freep)

#endif
