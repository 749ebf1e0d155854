/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

/* The terminal of the user and the signals of the command: what has to be put back whatever happens. */

#include <stdbool.h>

#include "cli/cli.h"

/* Makes standard input raw until terminal_restore(), the end of the process or a deadly signal. */
int terminal_raw(void);
void terminal_restore(void);

/* Collects signals from now on: gives a descriptor from which terminal_signal() reads them. -1 after a message. */
int terminal_catch(struct cli *cli);

/* The same, of the signals alone that ask a command to end: a window that changes its size does not, and Ctrl-Z stops it as usual. */
int terminal_catch_end(struct cli *cli);

/* The next signal, 0 when there is none. */
int terminal_signal(int fd);

/* Gives signals their usual effect again. */
void terminal_release(void);

/* Ends the command with the status for a timeout after @text ("10", "1.5s"); NULL: never. Exit status after a message. */
int terminal_deadline(struct cli *cli, const char *text);

/* Has the deadline told by terminal_signal() too (SIGALRM), for who has more to give back than a mode of the terminal, and then calls
 * terminal_deadline_passed(), which says so and gives the exit status. */
void terminal_catch_deadline(void);
int terminal_deadline_passed(void);

/* ---- detach.c: keys that leave a session ---- */

#define DETACH_KEYS_MAX	16

struct detach {
	unsigned char sequence[2][DETACH_KEYS_MAX];
	size_t length[2];		/* 0: none */
	unsigned char held[DETACH_KEYS_MAX];
	size_t n_held;			/* read, and the beginning of a sequence */
};

/* "ctrl-p,ctrl-q", "" for none, NULL for the usual ones; -EINVAL. */
int detach_parse(struct detach *ret, const char *text);

/* Moves what is no part of a sequence from @data to @out (of size @length + DETACH_KEYS_MAX) and gives its length; *ret_detach when a
 * sequence is complete. */
size_t detach_filter(struct detach *d, const unsigned char *data, size_t length, unsigned char *out, bool *ret_detach);

/* ---- session.c ---- */

struct session_options {
	const char *name;		/* of the container, for messages */
	bool input;			/* pass standard input on */
	bool own;			/* the program runs for us: signals and closed pipes are its own */
	bool keys;			/* a detach sequence leaves */
};

/* The keys that were chosen, or the usual ones. Exit status after a message. */
int session_keys(struct cli *cli, struct detach *ret);

/* Pumps until the program ends or the user leaves; the exit status. Frees nothing. */
int session_pump(struct cli *cli, struct mrg_session *session, const struct session_options *options);

#endif
