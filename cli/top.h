/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_TOP_H
#define CLI_TOP_H

/*
 * What 'moorage top' shows, apart from the terminal: columns, order, the tree of processes, what a key does, which lines a screen of some size has. All of it
 * works on figures and keys it is given; top_screen.h has the terminal, cmd_top.c the containers.
 */

#include <moorage/moorage.h>

#include "cli/text.h"
#include "cli/usage.h"
#include "core/util/str.h"

/* ---- top_table.c: columns, rows and their order ---- */

enum top_column {
	TOP_NAME, TOP_BACKEND, TOP_STATE, TOP_CPU, TOP_MEMORY, TOP_LIMIT, TOP_PIDS, TOP_READ, TOP_WRITTEN, TOP_RECEIVED, TOP_SENT,
	TOP_COLUMNS
};

/* The heading of @column. */
const char *top_heading(int column);

/* Whether @column is a figure, which is shown at the right, and largest first. */
bool top_is_figure(int column);

/* The figure of @u for @column; rates are a second's. False: it has none, or that is not known. */
bool top_figure(const struct usage *u, int column, double *ret);

/* What is shown for @column; "-": not known. The text is valid until @buffer or @u changes. */
const char *top_text(const struct usage *u, int column, char buffer[TEXT_SIZE]);

/* Whether "BACKEND:NAME" has @filter in it, in any case. */
bool top_matches(const struct usage *u, const char *filter);

/* Puts @rows in the order of @column: text ascending, figures largest first, the unknown last; @reverse: the other way round, with the unknown last all the same. */
void top_sort(const struct usage **rows, size_t n, int column, bool reverse);

/* The width of each of the @n columns of @shown on a screen @width wide, 0: left out. @names: what the widest name takes. What does not fit is left out, the least
 * important first; the name is cut last. */
void top_layout(const int *shown, size_t n, size_t names, size_t width, size_t *ret_widths);

/* ---- top_tree.c: processes as a tree ---- */

#define TOP_PROCS_MAX	4096		/* a container may have any number: more are counted, not shown */

struct top_procs {
	struct mrg_proc *list;
	size_t n, size, found;
};

struct top_branch {
	size_t proc;			/* which of the list */
	unsigned int depth;
};

/* Adds one; -ENOMEM. */
int top_procs_add(struct top_procs *procs, const struct mrg_proc *proc);
void top_procs_deinit(struct top_procs *procs);

/* Sorts the list by pid and gives one branch for each in @ret, which has room for them: parents before their children. */
int top_tree(struct top_procs *procs, struct top_branch *ret);

/* ---- top_view.c: what a key does ---- */

/* Bytes are themselves. */
enum top_key {
	TOP_KEY_NONE = -1,
	TOP_KEY_UP = 256, TOP_KEY_DOWN, TOP_KEY_LEFT, TOP_KEY_RIGHT, TOP_KEY_PAGE_UP, TOP_KEY_PAGE_DOWN, TOP_KEY_HOME, TOP_KEY_END,
	TOP_KEY_ENTER, TOP_KEY_ESCAPE, TOP_KEY_BACKSPACE, TOP_KEY_OTHER
};

enum top_mode { TOP_LIST, TOP_TREE, TOP_HELP };
enum top_prompt { TOP_PROMPT_NONE, TOP_PROMPT_FILTER, TOP_PROMPT_SIGNAL, TOP_PROMPT_STOP };

/* What the caller has to do. */
enum top_action { TOP_NOTHING, TOP_QUIT, TOP_LOOK, TOP_SEND, TOP_STOP };

#define TOP_INPUT_MAX	64

struct top_view {
	enum top_mode mode;
	enum top_prompt prompt;
	int shown[TOP_COLUMNS];		/* columns, in order */
	size_t n_shown;
	int sort;
	bool reverse;
	int interval_ms;
	char input[TOP_INPUT_MAX], filter[TOP_INPUT_MAX];
	char message[256];		/* of the last action; "": none */
	const struct usages *usages;
	const struct usage **rows;	/* those that match, in order */
	size_t n_rows;
	size_t at, first, page;		/* the line that is chosen, the first and the number of those on the screen */
	char *backend, *name;		/* of the container that is chosen: it stays so while rows move; NULL: none */
	int signo;			/* with TOP_SEND */
	struct top_procs procs;		/* in TOP_TREE: of the one that is chosen */
	struct top_branch *branches;
};

void top_view_init(struct top_view *view);
void top_view_deinit(struct top_view *view);

/* New figures, which the view points to until the next ones. -ENOMEM. */
int top_view_update(struct top_view *view, const struct usages *usages);

/* New processes of the container that is chosen, taken from @procs. -ENOMEM. */
int top_view_take_procs(struct top_view *view, struct top_procs *procs);

/* What is to be done for @key. */
enum top_action top_view_key(struct top_view *view, int key);

/* ---- top_draw.c: the lines of a screen ---- */

enum top_style { TOP_PLAIN, TOP_BOLD, TOP_HEADING, TOP_CHOSEN };

/* Gives each line from the top that is not empty: at most @columns wide, without control characters, padded to the width where the style is seen on blanks. */
typedef void (*top_put)(void *data, size_t line, enum top_style style, const char *text);
void top_draw(struct top_view *view, size_t lines, size_t columns, top_put put, void *data);

#endif
