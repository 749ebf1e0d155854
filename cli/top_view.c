/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is shown and chosen, and what a key does. */

#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli/top.h"
#include "core/util/cleanup.h"

#define CTRL(c)		((c) & 0x1f)
#define DELETE		0x7f

void top_view_init(struct top_view *view)
{
	*view = (struct top_view){ .sort = TOP_CPU };
	for (int i = 0; i < TOP_COLUMNS; i++)
		view->shown[view->n_shown++] = i;
}

static void drop_procs(struct top_view *view)
{
	top_procs_deinit(&view->procs);
	free(view->branches);
	view->branches = NULL;
}

void top_view_deinit(struct top_view *view)
{
	drop_procs(view);
	free(view->rows);
	free(view->backend);
	free(view->name);
}

static void say(struct top_view *view, const char *text)
{
	snprintf(view->message, sizeof(view->message), "%s", text);
}

/* ---- what is chosen ------------------------------------------------------------------------- */

static size_t n_lines(const struct top_view *view)
{
	return view->mode == TOP_TREE ? view->procs.n : view->n_rows;
}

/* The line that is chosen, and those around it, are on the screen. */
static void scroll_to(struct top_view *view, size_t at)
{
	size_t n = n_lines(view);

	view->at = at < n ? at : n ? n - 1 : 0;
	if (view->at < view->first)
		view->first = view->at;
	if (view->page && view->at >= view->first + view->page)
		view->first = view->at - view->page + 1;
	if (view->first + view->page > n)
		view->first = n > view->page ? n - view->page : 0;
}

static void choose(struct top_view *view, size_t at)
{
	const struct usage *u;

	scroll_to(view, at);
	if (view->mode == TOP_TREE)
		return;
	free(view->backend);
	free(view->name);
	u = view->n_rows ? view->rows[view->at] : NULL;
	view->backend = u ? strdup(u->backend) : NULL;
	view->name = u ? strdup(u->name) : NULL;
}

/* Where the chosen one is now. One that is gone is not replaced by another while the user is asked what to do to it. */
static void choose_again(struct top_view *view)
{
	for (size_t i = 0; view->backend && view->name && i < view->n_rows; i++)
		if (strcmp(view->rows[i]->name, view->name) == 0 && strcmp(view->rows[i]->backend, view->backend) == 0) {
			scroll_to(view, i);
			return;
		}
	if (view->prompt == TOP_PROMPT_NONE || view->prompt == TOP_PROMPT_FILTER)
		choose(view, view->at);
}

static int arrange(struct top_view *view)
{
	const struct usage **rows = reallocarray(view->rows, view->usages->n + 1, sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	view->rows = rows;
	view->n_rows = 0;
	for (size_t i = 0; i < view->usages->n; i++)
		if (!view->usages->list[i].hidden && top_matches(&view->usages->list[i], view->filter))
			rows[view->n_rows++] = &view->usages->list[i];
	top_sort(rows, view->n_rows, view->sort, view->reverse);
	if (view->mode != TOP_TREE)
		choose_again(view);
	return 0;
}

int top_view_update(struct top_view *view, const struct usages *usages)
{
	view->usages = usages;
	return arrange(view);
}

int top_view_take_procs(struct top_view *view, struct top_procs *procs)
{
	struct top_branch *branches = calloc(procs->n + 1, sizeof(*branches));

	if (!branches || top_tree(procs, branches) < 0) {
		free(branches);
		return -ENOMEM;
	}
	drop_procs(view);
	view->procs = *procs;
	view->branches = branches;
	*procs = (struct top_procs){ .list = NULL };
	scroll_to(view, view->at);
	return 0;
}

/* ---- moving, order, modes ------------------------------------------------------------------- */

static bool move(struct top_view *view, int key)
{
	size_t page = view->page ? view->page : 1, n = n_lines(view);
	const struct {
		int key;
		size_t at;
	} moves[] = {
		{ TOP_KEY_UP, view->at ? view->at - 1 : 0 }, { TOP_KEY_DOWN, view->at + 1 },
		{ TOP_KEY_PAGE_UP, view->at > page ? view->at - page : 0 }, { TOP_KEY_PAGE_DOWN, view->at + page },
		{ TOP_KEY_HOME, 0 }, { TOP_KEY_END, n },
	};

	for (size_t i = 0; i < ARRAY_SIZE(moves); i++)
		if (moves[i].key == key) {
			choose(view, moves[i].at);
			return true;
		}
	return false;
}

/* Sorts by @column; again by the same key: by the @other one, which is what goes the other way. */
static void sort_by(struct top_view *view, int column, int other)
{
	view->sort = view->sort == column ? other : column;
	view->reverse = false;
}

static void sort_by_neighbour(struct top_view *view, bool next)
{
	size_t i = 0;

	while (i < view->n_shown && view->shown[i] != view->sort)
		i++;
	if (i == view->n_shown)
		i = 0;
	else
		i = (i + (next ? 1 : view->n_shown - 1)) % view->n_shown;
	view->sort = view->shown[i];
	view->reverse = false;
}

static bool order(struct top_view *view, int key)
{
	static const struct {
		int key, column, other;
	} keys[] = {
		{ 'c', TOP_CPU, TOP_CPU }, { 'm', TOP_MEMORY, TOP_MEMORY }, { 'i', TOP_READ, TOP_WRITTEN },
		{ 'n', TOP_RECEIVED, TOP_SENT }, { 'p', TOP_PIDS, TOP_PIDS }, { 'a', TOP_NAME, TOP_BACKEND },
	};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].key == key) {
			sort_by(view, keys[i].column, keys[i].other);
			return true;
		}
	if (key == 'r')
		view->reverse = !view->reverse;
	else if (key == '<' || key == '>' || key == TOP_KEY_LEFT || key == TOP_KEY_RIGHT)
		sort_by_neighbour(view, key == '>' || key == TOP_KEY_RIGHT);
	else
		return false;
	return true;
}

static void leave_tree(struct top_view *view)
{
	drop_procs(view);
	view->mode = TOP_LIST;
	choose_again(view);
}

static void ask(struct top_view *view, enum top_prompt prompt, const char *input)
{
	view->prompt = prompt;
	snprintf(view->input, sizeof(view->input), "%s", input);
}

static bool is_enter(int key)
{
	return key == TOP_KEY_ENTER || key == '\n' || key == '\r';
}

/* What concerns the container that is chosen. */
static enum top_action chosen_key(struct top_view *view, int key)
{
	if (!view->name) {
		say(view, "nothing is chosen: no container runs");
		return TOP_NOTHING;
	}
	if (is_enter(key)) {
		view->mode = TOP_TREE;
		view->at = view->first = 0;
		return TOP_LOOK;
	}
	if (key == 'k')
		ask(view, TOP_PROMPT_SIGNAL, "TERM");
	else
		ask(view, TOP_PROMPT_STOP, "");
	return TOP_NOTHING;
}

static enum top_action list_key(struct top_view *view, int key)
{
	if (order(view, key)) {
		arrange(view);
	} else if (key == '/') {
		ask(view, TOP_PROMPT_FILTER, view->filter);
	} else if (key == TOP_KEY_ESCAPE) {
		view->filter[0] = '\0';
		arrange(view);
	} else if (key == 'q') {
		return TOP_QUIT;
	} else if (key == 'k' || key == 's' || is_enter(key)) {
		return chosen_key(view, key);
	}
	return TOP_NOTHING;
}

/* ---- what is typed -------------------------------------------------------------------------- */

static void edit(struct top_view *view, int key)
{
	size_t length = strlen(view->input);

	if (key == CTRL('u')) {
		view->input[0] = '\0';
	} else if (key == TOP_KEY_BACKSPACE || key == DELETE || key == CTRL('h')) {
		/* A whole character, which may be of several bytes. */
		while (length > 0 && ((unsigned char)view->input[--length] & 0xc0) == 0x80)
			;
		view->input[length] = '\0';
	} else if (key >= ' ' && key < 256 && length + 1 < sizeof(view->input)) {
		view->input[length] = (char)key;
		view->input[length + 1] = '\0';
	}
}

static enum top_action answer(struct top_view *view, enum top_prompt prompt)
{
	if (prompt == TOP_PROMPT_FILTER) {
		snprintf(view->filter, sizeof(view->filter), "%s", view->input);
		arrange(view);
		return TOP_NOTHING;
	}
	view->signo = parse_signal(view->input);
	if (view->signo > 0)
		return TOP_SEND;
	snprintf(view->message, sizeof(view->message), "there is no signal '%s'", view->input);
	return TOP_NOTHING;
}

static enum top_action prompt_key(struct top_view *view, int key)
{
	enum top_prompt prompt = view->prompt;

	if (prompt == TOP_PROMPT_STOP || key == TOP_KEY_ESCAPE) {
		view->prompt = TOP_PROMPT_NONE;
		if (prompt == TOP_PROMPT_STOP && (key == 'y' || key == 'Y'))
			return TOP_STOP;
		say(view, "nothing was done");
		return TOP_NOTHING;
	}
	if (is_enter(key)) {
		view->prompt = TOP_PROMPT_NONE;
		return answer(view, prompt);
	}
	edit(view, key);
	return TOP_NOTHING;
}

enum top_action top_view_key(struct top_view *view, int key)
{
	if (view->prompt != TOP_PROMPT_NONE)
		return prompt_key(view, key);
	view->message[0] = '\0';
	if (view->mode == TOP_HELP) {
		view->mode = TOP_LIST;
		return TOP_NOTHING;
	}
	if (key == ' ')
		return TOP_LOOK;
	if (move(view, key))
		return TOP_NOTHING;
	if (view->mode == TOP_TREE) {
		if (key == 'q' || key == TOP_KEY_ESCAPE || key == TOP_KEY_BACKSPACE || key == TOP_KEY_LEFT)
			leave_tree(view);
		return TOP_NOTHING;
	}
	if (key == 'h' || key == '?') {
		view->mode = TOP_HELP;
		return TOP_NOTHING;
	}
	return list_key(view, key);
}
