/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_TOP_SCREEN_H
#define CLI_TOP_SCREEN_H

/* The terminal of 'moorage top', by ncurses, which is loaded when a screen is opened. Signals are the caller's (terminal_catch() comes first: ncurses leaves
 * alone what has a handler already). */

#include "cli/top.h"

struct screen;

/* Takes the terminal. -MRG_E_NO_ENGINE: ncurses is not there, or does not know this terminal. */
int screen_open(struct screen **ret, struct mrg_error *err);

/* Gives it back as it was. Returns NULL. */
struct screen *screen_close(struct screen *screen);

/* The next key that was typed, enum top_key or a byte; TOP_KEY_NONE: there is none. */
int screen_key(struct screen *screen);

/* Shows @view. */
void screen_draw(struct screen *screen, struct top_view *view);

/* The terminal has another size, or others have written on it: all is drawn anew. */
void screen_refit(struct screen *screen);

/* Gives the terminal back for a while, until screen_refit(). */
void screen_leave(struct screen *screen);

#endif
