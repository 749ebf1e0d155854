/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The terminal of 'moorage top'. */

#include "config.h"

#define NCURSES_NOMACROS
#define NCURSES_WIDECHAR 0
#include <curses.h>

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/top_screen.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/library.h"

#define ESCAPE		27
#define ESCAPE_MS	50		/* what follows later is not part of a key's sequence */

struct ncurses {
	LIBRARY_MEMBER(cbreak);
	LIBRARY_MEMBER(clearok);
	LIBRARY_MEMBER(curs_set);
	LIBRARY_MEMBER(delscreen);
	LIBRARY_MEMBER(delwin);
	LIBRARY_MEMBER(endwin);
	LIBRARY_MEMBER(getmaxx);
	LIBRARY_MEMBER(getmaxy);
	LIBRARY_MEMBER(keypad);
	LIBRARY_MEMBER(newterm);
	LIBRARY_MEMBER(newwin);
	LIBRARY_MEMBER(nodelay);
	LIBRARY_MEMBER(noecho);
	LIBRARY_MEMBER(reset_prog_mode);
	LIBRARY_MEMBER(resizeterm);
	LIBRARY_MEMBER(set_escdelay);
	LIBRARY_MEMBER(waddstr);
	LIBRARY_MEMBER(wattrset);
	LIBRARY_MEMBER(werase);
	LIBRARY_MEMBER(wgetch);
	LIBRARY_MEMBER(wmove);
	LIBRARY_MEMBER(wrefresh);
	LIBRARY_MEMBER(wresize);
};

struct screen {
	struct ncurses n;
	SCREEN *terminal;
	WINDOW *window;
};

static int load(struct ncurses *ret, struct mrg_error *err)
{
#define SYMBOL(function)	LIBRARY_SYMBOL(struct ncurses, function)
	static const struct library_symbol symbols[] = {
		SYMBOL(cbreak), SYMBOL(clearok), SYMBOL(curs_set), SYMBOL(delscreen), SYMBOL(delwin), SYMBOL(endwin), SYMBOL(getmaxx),
		SYMBOL(getmaxy), SYMBOL(keypad), SYMBOL(newterm), SYMBOL(newwin), SYMBOL(nodelay), SYMBOL(noecho), SYMBOL(reset_prog_mode),
		SYMBOL(resizeterm), SYMBOL(set_escdelay), SYMBOL(waddstr), SYMBOL(wattrset), SYMBOL(werase), SYMBOL(wgetch), SYMBOL(wmove),
		SYMBOL(wrefresh), SYMBOL(wresize), { NULL, 0 }
	};
#undef SYMBOL

	return library_open("libncursesw.so.6", "libncursesw6", symbols, ret, err);
}

static int unknown_terminal(struct mrg_error *err)
{
	const char *type = getenv("TERM");

	mrg_error_set(err, -MRG_E_NO_ENGINE, "ncurses knows no terminal of the type '%s' (TERM)", type ? type : "");
	mrg_error_hint(err, "set TERM to what your terminal is, or apt-get install ncurses-term; '--batch' needs neither");
	return -MRG_E_NO_ENGINE;
}

int screen_open(struct screen **ret, struct mrg_error *err)
{
	_cleanup_free_ struct screen *s = calloc(1, sizeof(*s));
	int r = s ? load(&s->n, err) : fail_memory(err);

	if (r < 0)
		return r;
	setlocale(LC_CTYPE, "");
	/* Not initscr(), which ends the process where the terminal is not known. */
	s->terminal = s->n.newterm(NULL, stdout, stdin);
	if (!s->terminal)
		return unknown_terminal(err);
	s->window = s->n.newwin(0, 0, 0, 0);
	if (!s->window) {
		s->n.endwin();
		s->n.delscreen(s->terminal);
		return fail_memory(err);
	}
	s->n.cbreak();
	s->n.noecho();
	s->n.curs_set(0);
	s->n.set_escdelay(ESCAPE_MS);
	s->n.keypad(s->window, TRUE);
	s->n.nodelay(s->window, TRUE);
	*ret = take_ptr(s);
	return 0;
}

struct screen *screen_close(struct screen *screen)
{
	if (!screen)
		return NULL;
	screen->n.endwin();
	screen->n.delwin(screen->window);
	screen->n.delscreen(screen->terminal);
	free(screen);
	return NULL;
}

int screen_key(struct screen *screen)
{
	static const struct {
		int code, key;
	} keys[] = {
		{ ERR, TOP_KEY_NONE }, { ESCAPE, TOP_KEY_ESCAPE }, { KEY_UP, TOP_KEY_UP }, { KEY_DOWN, TOP_KEY_DOWN }, { KEY_LEFT, TOP_KEY_LEFT },
		{ KEY_RIGHT, TOP_KEY_RIGHT }, { KEY_PPAGE, TOP_KEY_PAGE_UP }, { KEY_NPAGE, TOP_KEY_PAGE_DOWN }, { KEY_HOME, TOP_KEY_HOME },
		{ KEY_END, TOP_KEY_END }, { KEY_ENTER, TOP_KEY_ENTER }, { KEY_BACKSPACE, TOP_KEY_BACKSPACE },
	};
	int code = screen->n.wgetch(screen->window);

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].code == code)
			return keys[i].key;
	return code < 256 ? code : TOP_KEY_OTHER;
}

static void put(void *data, size_t line, enum top_style style, const char *text)
{
	static const chtype styles[] = { [TOP_PLAIN] = A_NORMAL, [TOP_BOLD] = A_BOLD, [TOP_HEADING] = A_UNDERLINE, [TOP_CHOSEN] = A_REVERSE };
	const struct screen *s = data;

	s->n.wattrset(s->window, (int)styles[style]);
	s->n.wmove(s->window, (int)line, 0);
	s->n.waddstr(s->window, text);
}

void screen_draw(struct screen *screen, struct top_view *view)
{
	screen->n.werase(screen->window);
	top_draw(view, (size_t)screen->n.getmaxy(screen->window), (size_t)screen->n.getmaxx(screen->window), put, screen);
	screen->n.wrefresh(screen->window);
}

void screen_refit(struct screen *screen)
{
	struct winsize size;

	screen->n.reset_prog_mode();
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
		screen->n.resizeterm(size.ws_row, size.ws_col);
		screen->n.wresize(screen->window, size.ws_row, size.ws_col);
	}
	screen->n.clearok(screen->window, TRUE);
}

void screen_leave(struct screen *screen)
{
	screen->n.endwin();
}
