/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_MIGRATION_H
#define CLI_MIGRATION_H

/* What plan, migrate, rollback, export and import share. */

#include "cli/cli.h"

/* What the options ask for. An exit status after a message. */
int migration_wishes(struct cli *cli, struct mrg_migrate *ret);

/* Prints a plan, as a page or as JSON; an exit status. */
int migration_print_plan(struct cli *cli, const struct mrg_plan *plan);

/* How far it has come, on standard error: a line that is written over on a terminal, lines elsewhere, JSON lines with --progress json. */
struct migration_progress {
	struct cli *cli;
	enum progress_mode { PROGRESS_NONE, PROGRESS_LINES, PROGRESS_BAR, PROGRESS_JSON } mode;
	int signals;			/* descriptor; -1: nothing breaks it off */
	bool open;			/* a line is not ended yet */
	int64_t shown;			/* when, in ms; */
	const char *step, *text;	/* and what: only compared */
};

/* Reads --progress; @usual: what is shown where no terminal is. An exit status after a message. */
int migration_progress_begin(struct migration_progress *p, struct cli *cli, enum progress_mode usual, bool interruptible);
void migration_progress_end(struct migration_progress *p);

/* Of struct mrg_migrate and mrg_transfer; @data is a struct migration_progress. */
int migration_progress_show(const struct mrg_progress *progress, void *data);

/* Of struct mrg_transfer: a note, over the line that is open. */
void migration_progress_note(const char *text, void *data);

#endif
