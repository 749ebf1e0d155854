/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FORMATS_KEYS_H
#define FORMATS_KEYS_H

/*
 * Formats made of assignments (SECTION, KEY, VALUE), both ways by one table.
 *
 * The reader hands each assignment to the row of its key; the writer asks each row in turn for its lines. What no row carries is
 * kept verbatim in the spec (moorage.native, under the name of the format) and written back. Each assignment gets one row of the
 * report, and each field that is set.
 *
 * What a format adds of its own (the text, quoting, rows) is in its files; what its rows keep between them is in a structure of its
 * own that embeds struct key_reader.
 */

#include <stdbool.h>

#include "core/formats/format.h"
#include "core/spec/table.h"

struct assignment {
	const char *section, *key;	/* section: "" in formats without */
	char *value;
	unsigned int line;		/* 0: not in the text, made up by the format; not reported */
	const char *file;		/* NULL: the text itself, else the name of what it includes */
	const char *source;		/* how messages and reports name it; NULL: by section and key */
	bool keep;			/* verbatim: set by the reader */
	/* What the reader makes of it. */
	int verdict, field;
	const char *note;		/* NULL: nothing to say; must live as long as the spec */
};

struct assignments {
	struct assignment *item;
	size_t n;
};

/* Appends one; what it points to stays the caller's. Equal sections become the same pointer, so that comparing them is cheap.
 * -ENOMEM, or -E2BIG beyond ASSIGNMENTS_MAX. */
#define ASSIGNMENTS_MAX	4096
int assignments_add(struct assignments *list, const struct assignment *item);

/* How a format spells things. */
struct key_syntax {
	const char *native;		/* its name under moorage.native */
	const char *sign;		/* ends a key in messages and reports: "=" or "" */
	const char *unknown;		/* the note on keys that have no row */
	const char *target;		/* put in front of the keys of the writer's report, @sign behind; NULL: neither */
	/* Whether a line takes the earlier ones of its key back, which then have no effect. NULL: none does. */
	bool (*replaces)(const struct assignment *now);
	/* Whether the name of a key that has no row tells that it confines. */
	bool (*confines)(const char *name);
	/* Undoes, in place, what a plain value is written with: NULL, or why only the engine itself can understand it. NULL: nothing is to undo. */
	const char *(*undo)(char *value);
	/* Adds the line of a plain value; false when it cannot stand there. */
	bool (*line)(struct buffer *b, const char *name, const char *value);
	/* The same for a value that was kept verbatim. It may come from anybody, and must not become two lines. */
	bool (*verbatim)(struct buffer *b, const char *name, const char *value);
};

struct key;

struct key_table {
	const char *section;
	const struct key *keys;		/* ends with a NULL name */
};

struct key_reader {
	struct mrg_spec *spec;
	struct mrg_error *err;
	const struct report *report;
	const struct key_syntax *syntax;
	const struct key_table *tables;	/* ends with a NULL section */
	/* What the format decides of an assignment before its row sees it: a verdict, or -1. May be NULL. */
	int (*judge)(struct key_reader *in);
	const struct assignments *all;	/* what key_fail_of() looks into; may be NULL */
	const struct assignment *now;	/* the one being read */
	const char *rest;		/* what the "*" of the row stands for, else NULL */
	const char *note;		/* a row may say what was lost of this one */
	int field;			/* a row may say which field this one became, when it is not that of the row */
	bool keep;			/* keep it verbatim as well */
	char *kept;			/* what of the value is kept, in memory of the spec; NULL: all */
	bool late;			/* keys_report() is called by the format: later lines may change what becomes of earlier ones */
};

struct key_writer {
	const struct mrg_spec *spec;
	const struct report *report;
	const struct key_syntax *syntax;
	struct buffer b;
	struct mrg_fields reported;
	int result;			/* of the report function */
};

struct key {
	const char *name;		/* one "*" in it stands for one or more characters; exact names come first */
	int field;			/* enum mrg_field, or -1 */
	bool confines;			/* what of it cannot be kept weakens */
	/* Gives the verdict (enum mrg_verdict; from DROPPED on the assignment is kept verbatim), or a negative errno. @value is
	 * a copy that the reader may cut up, gone after the call; "" for an assignment that resets. NULL: never read. */
	int (*read)(struct key_reader *in, const struct key *key, char *value);
	/* Writes lines and reports the fields it handles. NULL: never written. */
	void (*write)(struct key_writer *out, const struct key *key);
	int verdict;			/* of generic readers */
	const char *note;		/* what is lost, either way */
};

#define KEY_READER(name)	int name(struct key_reader *in, const struct key *key, char *value)
#define KEY_WRITER(name)	void name(struct key_writer *out, const struct key *key)

/* Generic rows: any simple field, one key one field. */
KEY_READER(key_read_simple);
KEY_WRITER(key_write_simple);
/* Kept verbatim: what was said of it is in the row. */
KEY_READER(key_read_native);

/* ---- reading -------------------------------------------------------------------------- */

/* Reads @list in order and reports each (unless @in->late); stops with the first error. */
int keys_read(struct key_reader *in, struct assignments *list);

/* Reports what was made of each of @list. */
int keys_report(struct key_reader *in, const struct assignments *list);

/* Puts what is to be kept verbatim into the spec: { FORMAT: { SECTION: { KEY: [ VALUE, ... ] } } }, without the level of sections
 * in formats that have none. A section or key given twice is one; sections are in the order of the tables, then others. */
int keys_keep(struct key_reader *in, const struct assignments *list);

/* "line LINE: KEY=: RULE". */
int key_fail(struct key_reader *in, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same of what several keys make together: the line is that of the last of @name. */
int key_fail_of(struct key_reader *in, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
int key_no_memory(struct key_reader *in);

/* Puts file, line and key in front of an error that is there already. Returns -MRG_E_INVALID. */
int key_place(struct key_reader *in);

/* What the syntax undoes of a plain value. */
static inline const char *key_undo(struct key_reader *in, char *value)
{
	return in->syntax->undo ? in->syntax->undo(value) : NULL;
}

/* The verdict on an assignment that cannot be kept, with the reason. */
int key_lost(struct key_reader *in, const struct key *key, const char *note);

/* Forgets a field: what an empty assignment does. */
void key_reset(struct key_reader *in, unsigned int field);

/* Sets a field from text; errors name key and line. */
int key_set(struct key_reader *in, enum mrg_field field, const char *text);

/* ---- writing -------------------------------------------------------------------------- */

/* Asks the rows of @keys in order. */
void keys_write(struct key_writer *out, const struct key *keys);

/* Writes lines kept verbatim, an object of KEY: [ VALUE, ... ]; false when there is something else in it. */
bool keys_write_native(struct key_writer *out, const struct json *section);

/* Reports the fields no row has reported: @note says that the format has nothing for them. */
void keys_write_rest(struct key_writer *out, const char *note);

/* Hands over what was written, or says why it was not. */
int keys_write_end(struct key_writer *out, char **ret, struct mrg_error *err);

/* A line of a plain value; false when it cannot stand there. */
bool key_line(struct key_writer *out, const char *name, const char *value);

/* Reports a field of the spec, once. */
void key_report(struct key_writer *out, unsigned int field, int verdict, const char *target, const char *note);

static inline bool key_has(const struct key_writer *out, unsigned int field)
{
	return mrg_fields_has(&out->spec->set, field);
}

#endif
