/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FORMATS_NSPAWN_H
#define FORMATS_NSPAWN_H

/*
 * Internal to nspawn*.c: containers of systemd-nspawn 252.
 *
 * Three texts say together what one is: its .nspawn file ([Exec], [Files], [Network]), a drop-in of the unit that runs it, and the
 * command line. An option of the command line that has a key in the file is read as that key, so that there is one table for both; the
 * others are keys without a section. What the texts leave out is what systemd-nspawn then does, and is said in the spec.
 */

#include <string.h>

#include <moorage/helper.h>

#include "core/formats/systemd/systemd.h"

/* ---- words (text.c) ------------------------------------------------------------- */

/* In .nspawn files quotes group, and a backslash stands for itself. As unit_word(). */
int nspawn_word(const char **at, char **ret);
void nspawn_quote(struct buffer *b, const char *word);

/* All words of a value, or all arguments as a value; false on an open quote. */
int nspawn_words(struct key_reader *in, const char *value, char ***ret);

/* Parts between colons; a backslash makes the next character an ordinary one. False when nothing follows one. The last part, @max, goes on to the end
 * as it is. *ret_n is how many there are. */
int nspawn_parts(struct key_reader *in, const char *value, size_t max, char ***ret);
void nspawn_escape(struct buffer *b, const char *part);

/* Words of ExecStart=: undoes "%%" and "$$" in place; false when there are specifiers or variables, which only systemd can expand. */
bool nspawn_literal(char *word);

bool nspawn_line(struct buffer *b, const char *name, const char *value);

/* ---- the command line (command.c) ------------------------------------------------ */

/* What was read, by who understands it. */
struct nspawn_lists {
	struct assignments settings, unit, command;
};

/* Reads the options of "systemd-nspawn ..." at @line. @unit: of ExecStart=, else as typed. What is made of them lives in in->spec. */
int nspawn_read_command(struct key_reader *in, struct nspawn_lists *texts, const char *text, unsigned int line, bool unit);

/* Whether option @name ("--boot") is one, and takes an argument. */
bool nspawn_option(const char *name, bool *ret_argument);

/* ---- reading (nspawn.c) ------------------------------------------------------------------ */

enum nspawn_start { START_UNSET, START_PID1, START_PID2, START_BOOT };
enum nspawn_users { USERS_UNSET, USERS_NO, USERS_OWNER, USERS_PICK, USERS_RANGE };
enum nspawn_filter { FILTER_NONE, FILTER_ALLOW, FILTER_DENY, FILTER_ADJUST };

/* Networks as the keys give them. */
struct nspawn_network {
	int private, veth;		/* -1: not said */
	const char *bridge, *zone;
	char **extra;			/* pairs: name on the host, name in the container */
	char **interfaces, **macvlan, **ipvlan;
};

#define NSPAWN_SETTINGS_MAX	96

struct nspawn_reader {
	struct unit_reader unit;
	const struct assignments *settings;
	bool given[2][NSPAWN_SETTINGS_MAX];	/* on the command line, in the file: settings, by the first of their group */
	bool override;			/* the file hides the command line, not the other way */
	bool unread;			/* --settings=no */
	enum nspawn_start start;
	char **parameters;
	const char *machine;
	uint64_t add[2], drop[2];	/* capabilities, of the command line and of the file */
	uint64_t ambient;
	enum nspawn_users users;
	uint32_t base, range;
	bool owned;			/* PrivateUsersOwnership= was said */
	bool users_command;		/* PrivateUsers= is of the command line */
	struct nspawn_network network;
	char **ports;			/* JSON objects */
	enum nspawn_filter filter;
	char **allow, **deny;
};

static inline struct nspawn_reader *nspawn_of(struct key_reader *in)
{
	return (struct nspawn_reader *)unit_of(in);
}

/* Whether what is read is of the command line. */
static inline bool nspawn_from_command(const struct assignment *item)
{
	return item->source != NULL;
}

/* Whether the other text hides the setting, or nothing is made of it. NULL, or why. */
const char *nspawn_hidden(const struct nspawn_reader *reader, const struct assignment *item);

/* Whether the container gets a network namespace of its own. */
bool nspawn_is_private(const struct nspawn_network *network);

/* After all keys, in this order. */
int nspawn_finish_process(struct key_reader *in);
int nspawn_finish_network(struct key_reader *in);
int nspawn_finish_users(struct key_reader *in);
int nspawn_finish_caps(struct key_reader *in);
int nspawn_finish_filter(struct key_reader *in);
int nspawn_finish_mounts(struct key_reader *in);

/* Decides beforehand what the lines of SystemCallFilter= make together. */
int nspawn_judge_filter(struct nspawn_reader *reader);

/* ---- file systems (mounts.c, mounts_write.c) ------------------------------- */

/* What nspawn mounts and makes read-only in every container; a NULL destination, and NULL, end them. */
extern const struct mrg_mount nspawn_own_mounts[];
extern const char *const nspawn_own_readonly[];

/* What nspawn has in every container to put over what is to be hidden below /proc: Inaccessible= of 252 looks for it elsewhere. */
#define NSPAWN_HIDE_FILE	"/run/host/inaccessible/reg"
#define NSPAWN_HIDE_DIRECTORY	"/run/host/inaccessible/dir"

/* Whether @path is in one of the file systems that show the kernel. */
bool nspawn_is_kernels(const char *path);

/* nspawn mounts in this order, whatever that of the keys: by path, component by component. */
int nspawn_compare_paths(const char *a, const char *b);

/* ---- writing (write.c) ------------------------------------------------------------ */

struct nspawn_writer {
	struct key_writer out;
	const struct json *native;	/* moorage.native.nspawn, or NULL */
	bool unit;			/* an ExecStart= is wanted */
	char **argv;			/* options, as they are */
	char **raw;			/* options kept verbatim, in a unit, which can expand them */
	char **command, **words;	/* behind the options: as they are, or kept verbatim */
	bool only;			/* moorage.native has nothing else */
};

static inline struct nspawn_writer *nspawn_writer_of(struct key_writer *out)
{
	return (struct nspawn_writer *)((char *)out - offsetof(struct nspawn_writer, out));
}

/* Adds "NAME=VALUE" to the command line. */
void nspawn_add_option(struct key_writer *out, const char *name, const char *value);

/* Whether a setting was kept verbatim, and is not to be written twice. */
bool nspawn_has_native(struct key_writer *out, const char *section, const char *key);

/* One setting, or the option that says the same. */
struct nspawn_setting {
	const char *key, *option;
	char *value;			/* in the file */
	char *argument;			/* of the option */
};
struct nspawn_settings {
	struct nspawn_setting *item;
	size_t n;
};
/* Adds one; its texts are taken. */
void nspawn_settings_add(struct key_writer *out, struct nspawn_settings *settings, const struct nspawn_setting *item);
/* Writes them to the file, or, when one cannot stand in a line, all of them to the command line: either hides the other. Frees them. */
void nspawn_settings_write(struct key_writer *out, struct nspawn_settings *settings);

/* Reports what nspawn does anyway. */
void nspawn_report_fixed(struct key_writer *out);
void nspawn_report_devices(struct key_writer *out);

/* The three texts of a spec. @unit: the drop-in has the command line. */
int nspawn_compose(const struct mrg_spec *spec, bool unit, struct mrg_nspawn_texts *ret, const struct report *report,
		   struct mrg_error *err);

/* Whether the spec asks for a network namespace of the container's own. */
static inline bool nspawn_wants_private(const struct mrg_spec *spec)
{
	return spec->ns_network && !*spec->ns_network;
}

/* Whether the process starts as root, whom nspawn gives the capabilities without more ado. */
static inline bool nspawn_is_root(const struct mrg_spec *spec)
{
	return spec->uid == 0 && (!spec->user || strcmp(spec->user, "root") == 0 || strcmp(spec->user, "0") == 0);
}

/* The range of a user namespace that can be said: one, from 0, the same for users and groups. */
const struct mrg_id_mapping *nspawn_range(const struct mrg_spec *spec);

/* ---- rows ------------------------------------------------------------------------------- */

extern const struct key nspawn_exec_keys[], nspawn_files_keys[], nspawn_network_keys[], nspawn_service_keys[],
	nspawn_install_keys[], nspawn_command_keys[];
extern const struct key_table nspawn_tables[];
/* Whether an empty value resets a setting; of others nspawn makes nothing. */
bool nspawn_can_be_empty(const char *key);

extern const struct key_syntax nspawn_settings_syntax, nspawn_unit_syntax, nspawn_command_syntax;

/* process.c */
KEY_READER(nspawn_read_boot);
KEY_READER(nspawn_read_pid2);
KEY_READER(nspawn_read_parameters);
KEY_WRITER(nspawn_write_start);
KEY_READER(nspawn_read_environment);
KEY_WRITER(nspawn_write_environment);
KEY_READER(nspawn_read_user);
KEY_WRITER(nspawn_write_user);
KEY_READER(nspawn_read_cwd);
KEY_WRITER(nspawn_write_cwd);
KEY_READER(nspawn_read_signal);
KEY_READER(nspawn_read_personality);
KEY_WRITER(nspawn_write_personality);
KEY_READER(nspawn_read_switch);		/* off does nothing, which is what a spec says */
KEY_WRITER(nspawn_write_switch);
KEY_READER(nspawn_read_console);
KEY_WRITER(nspawn_write_console);
KEY_READER(nspawn_read_hostname);
KEY_READER(nspawn_read_machine);
KEY_READER(nspawn_read_run);		/* about how nspawn is run, not about the container */
KEY_READER(nspawn_read_exec_start);
KEY_WRITER(nspawn_write_exec_start);
KEY_WRITER(nspawn_write_option);
KEY_WRITER(nspawn_write_wanted);

/* caps.c, filter.c */
KEY_READER(nspawn_read_capability);
KEY_READER(nspawn_read_ambient);
KEY_WRITER(nspawn_write_caps);
KEY_READER(nspawn_read_filter);
KEY_WRITER(nspawn_write_filter);

/* mounts.c, mounts_write.c */
KEY_READER(nspawn_read_root);
KEY_READER(nspawn_read_ephemeral);
KEY_READER(nspawn_read_volatile);
KEY_WRITER(nspawn_write_ephemeral);
KEY_WRITER(nspawn_write_volatile);
KEY_READER(nspawn_read_bind);
KEY_READER(nspawn_read_tmpfs);
KEY_READER(nspawn_read_overlay);
KEY_READER(nspawn_read_inaccessible);
KEY_WRITER(nspawn_write_mounts);

/* users.c */
KEY_READER(nspawn_read_users);
KEY_READER(nspawn_read_ownership);
KEY_READER(nspawn_read_chown);
KEY_WRITER(nspawn_write_users);
KEY_WRITER(nspawn_write_ownership);

/* network.c */
KEY_READER(nspawn_read_private);
KEY_READER(nspawn_read_names);
KEY_READER(nspawn_read_bridge);
KEY_READER(nspawn_read_extra);
KEY_READER(nspawn_read_port);
KEY_READER(nspawn_read_netns);
KEY_WRITER(nspawn_write_network);
KEY_WRITER(nspawn_write_netns);

#endif
