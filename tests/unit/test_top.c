/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* 'moorage top' without a terminal: rates, order, filter, width, the tree of processes, keys, the lines of a screen. */

#include "config.h"

#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/top.h"
#include "core/util/cleanup.h"

#define HOSTILE		"\x1b]0;x\x07\xff\xe2\x80\xae"
#define SECOND		INT64_C(1000000000)
#define BIT(stat)	(UINT64_C(1) << (stat))

/* ---- rates ---------------------------------------------------------------------------------- */

static void note(struct usages *usages, const char *backend, const char *name, uint64_t cpu_ns, uint64_t memory, int64_t at)
{
	struct mrg_stats stats = { .valid = BIT(MRG_STAT_CPU) | BIT(MRG_STAT_MEMORY), .cpu_ns = cpu_ns, .memory = memory };
	struct usage *u = usages_note(usages, backend, name, &stats, at);

	assert_non_null(u);
	u->state = MRG_STATE_RUNNING;
}

static void rates_need_two_looks(void **state)
{
	struct usages usages = { 0 };
	uint64_t figure;
	double rate;

	(void)state;
	usages_begin(&usages);
	note(&usages, "lxc", "web", 5 * SECOND, 4096, 10 * SECOND);
	usages_end(&usages);
	assert_true(usage_figure(&usages.list[0], MRG_STAT_CPU, &figure));
	assert_int_equal(figure, 5 * SECOND);
	assert_false(usage_figure(&usages.list[0], MRG_STAT_PIDS, &figure));
	assert_false(usage_rate(&usages.list[0], MRG_STAT_CPU, &rate));
	usages_begin(&usages);
	note(&usages, "lxc", "web", 5 * SECOND + SECOND / 2, 4096, 12 * SECOND);
	usages_end(&usages);
	assert_true(usage_rate(&usages.list[0], MRG_STAT_CPU, &rate));
	assert_int_equal(usage_percent(rate), 25000);
	usages_deinit(&usages);
}

static void counters_that_go_back_are_of_another_life(void **state)
{
	struct usages usages = { 0 };
	double rate;

	(void)state;
	for (int i = 0; i < 2; i++) {
		usages_begin(&usages);
		note(&usages, "lxc", "web", i ? 1 : SECOND, 0, (i + 1) * SECOND);
		usages_end(&usages);
	}
	assert_false(usage_rate(&usages.list[0], MRG_STAT_CPU, &rate));
	/* And no time has passed between two looks at once. */
	note(&usages, "lxc", "web", 2, 0, 2 * SECOND);
	assert_false(usage_rate(&usages.list[0], MRG_STAT_CPU, &rate));
	usages_deinit(&usages);
}

static void one_name_of_two_backends(void **state)
{
	struct usages usages = { 0 };
	double rate;

	(void)state;
	for (int i = 0; i < 2; i++) {
		usages_begin(&usages);
		note(&usages, "nspawn", "web", (uint64_t)i * SECOND, 0, i * SECOND);
		note(&usages, "lxc", "web", (uint64_t)i * SECOND / 4, 0, i * SECOND);
		usages_end(&usages);
	}
	assert_int_equal(usages.n, 2);
	assert_string_equal(usages.list[0].backend, "lxc");
	assert_true(usage_rate(&usages.list[0], MRG_STAT_CPU, &rate));
	assert_int_equal(usage_percent(rate), 25000);
	assert_true(usage_rate(&usages.list[1], MRG_STAT_CPU, &rate));
	assert_int_equal(usage_percent(rate), 100000);
	usages_deinit(&usages);
}

static void who_is_gone_is_forgotten(void **state)
{
	struct usages usages = { 0 };
	char name[16];

	(void)state;
	usages_begin(&usages);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "c%d", (i * 37) % 100);
		note(&usages, "fake", name, 0, 0, SECOND);
	}
	usages_end(&usages);
	assert_int_equal(usages.n, 100);
	for (size_t i = 1; i < usages.n; i++)
		assert_true(strcmp(usages.list[i - 1].name, usages.list[i].name) < 0);
	usages_begin(&usages);
	note(&usages, "fake", "c42", 0, 0, 2 * SECOND);
	usages_end(&usages);
	assert_int_equal(usages.n, 1);
	assert_string_equal(usages.list[0].name, "c42");
	usages_deinit(&usages);
}

/* ---- tables --------------------------------------------------------------------------------- */

/* Names in the order given by a sort. */
static void assert_order(const struct usages *usages, int column, bool reverse, const char *expected)
{
	const struct usage *rows[8];
	char order[64] = "";

	for (size_t i = 0; i < usages->n; i++)
		rows[i] = &usages->list[i];
	top_sort(rows, usages->n, column, reverse);
	for (size_t i = 0; i < usages->n; i++)
		strcat(order, rows[i]->name);
	assert_string_equal(order, expected);
}

static void add_three(struct usages *usages)
{
	usages_begin(usages);
	note(usages, "lxc", "b", 0, 300, 0);
	note(usages, "native", "a", 0, 100, 0);
	usages_end(usages);
	usages_begin(usages);
	note(usages, "lxc", "b", SECOND / 10, 300, SECOND);
	note(usages, "native", "a", SECOND / 2, 100, SECOND);
	note(usages, "chroot", "c", 0, 200, SECOND);
	usages_end(usages);
}

static void order(void **state)
{
	struct usages usages = { 0 };

	(void)state;
	add_three(&usages);
	assert_order(&usages, TOP_NAME, false, "abc");
	assert_order(&usages, TOP_NAME, true, "cba");
	assert_order(&usages, TOP_BACKEND, false, "cba");
	assert_order(&usages, TOP_MEMORY, false, "bca");
	assert_order(&usages, TOP_MEMORY, true, "acb");
	/* What is not known is last, either way. */
	assert_order(&usages, TOP_CPU, false, "abc");
	assert_order(&usages, TOP_CPU, true, "bac");
	assert_order(&usages, TOP_SENT, false, "abc");
	usages_deinit(&usages);
}

static void cells(void **state)
{
	struct usages usages = { 0 };
	char buffer[TEXT_SIZE];

	(void)state;
	add_three(&usages);
	assert_string_equal(top_text(&usages.list[2], TOP_CPU, buffer), "50.0");
	assert_string_equal(top_text(&usages.list[0], TOP_CPU, buffer), "-");
	assert_string_equal(top_text(&usages.list[0], TOP_MEMORY, buffer), "200 B");
	assert_string_equal(top_text(&usages.list[0], TOP_STATE, buffer), "running");
	assert_string_equal(top_text(&usages.list[0], TOP_PIDS, buffer), "-");
	usages_deinit(&usages);
}

static void filter(void **state)
{
	struct usage u = { .backend = (char *)"lxc", .name = (char *)"Web-1" };
	(void)state;

	assert_true(top_matches(&u, ""));
	assert_true(top_matches(&u, "web"));
	assert_true(top_matches(&u, "LXC:W"));
	assert_true(top_matches(&u, "lxc:web-1"));
	assert_false(top_matches(&u, "lxc:web-12"));
	assert_false(top_matches(&u, "*"));
}

static void columns_fit_the_width(void **state)
{
	static const int all[] = { TOP_NAME, TOP_BACKEND, TOP_STATE, TOP_CPU, TOP_MEMORY, TOP_LIMIT, TOP_PIDS, TOP_READ, TOP_WRITTEN, TOP_RECEIVED, TOP_SENT };
	size_t widths[TOP_COLUMNS];

	(void)state;
	for (size_t width = 0; width < 300; width++) {
		size_t sum = 0, shown = 0;

		top_layout(all, ARRAY_SIZE(all), 30, width, widths);
		for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
			sum += widths[i];
			shown += widths[i] > 0;
		}
		if (shown > 1)
			sum += 2 * (shown - 1);
		assert_true(sum <= width);
		assert_true(width == 0 || widths[0] >= (width < 8 ? width : 8));
		assert_true(widths[0] <= 30);
	}
	assert_int_equal(widths[0], 30);
	assert_true(widths[TOP_STATE] > 0);
	/* The state goes first, then the limit; CPU time is the last of the figures. */
	top_layout(all, ARRAY_SIZE(all), 8, 100, widths);
	assert_true(widths[TOP_STATE] == 0 && widths[TOP_LIMIT] == 0 && widths[TOP_SENT] > 0);
	top_layout(all, ARRAY_SIZE(all), 8, 20, widths);
	assert_true(widths[TOP_CPU] > 0 && widths[TOP_MEMORY] == 0);
	/* Without the name. */
	top_layout(all + 3, 2, 8, 7, widths);
	assert_true(widths[0] == 7 && widths[1] == 0);
}

/* ---- trees ---------------------------------------------------------------------------------- */

/* "pid/depth " of each line of the tree of @pids, in which pid 0 ends. */
static void assert_tree(const pid_t (*pids)[2], const char *expected)
{
	struct top_procs procs = { .list = NULL };
	struct top_branch branches[16] = { { .proc = SIZE_MAX } };
	char text[128] = "";

	for (; (*pids)[0]; pids++) {
		struct mrg_proc proc = { .pid = (*pids)[0], .parent = (*pids)[1] };

		assert_int_equal(top_procs_add(&procs, &proc), 0);
	}
	assert_int_equal(top_tree(&procs, branches), 0);
	for (size_t i = 0; i < procs.n; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%d/%u ", (int)procs.list[branches[i].proc].pid, branches[i].depth);
	assert_string_equal(text, expected);
	top_procs_deinit(&procs);
}

static void trees(void **state)
{
	(void)state;
	assert_tree((const pid_t[][2]){ { 0, 0 } }, "");
	/* The parent of the first is of no interest; children are in order, whatever that of the list is. */
	assert_tree((const pid_t[][2]){ { 9, 5 }, { 5, 1 }, { 7, 5 }, { 8, 7 }, { 0, 0 } }, "5/0 7/1 8/2 9/1 ");
	/* A process that was entered from outside is another tree. */
	assert_tree((const pid_t[][2]){ { 5, 1 }, { 7, 2 }, { 8, 5 }, { 0, 0 } }, "5/0 8/1 7/0 ");
	/* What cannot be: a circle, alone or with a tail, one's own parent, and siblings around them. */
	assert_tree((const pid_t[][2]){ { 3, 4 }, { 4, 3 }, { 0, 0 } }, "3/0 4/1 ");
	assert_tree((const pid_t[][2]){ { 3, 3 }, { 4, 3 }, { 0, 0 } }, "3/0 4/1 ");
	assert_tree((const pid_t[][2]){ { 3, 5 }, { 4, 3 }, { 5, 4 }, { 6, 5 }, { 7, 3 }, { 0, 0 } }, "3/0 4/1 5/2 6/3 7/1 ");
	assert_tree((const pid_t[][2]){ { 4, 6 }, { 5, 6 }, { 6, 5 }, { 7, 6 }, { 0, 0 } }, "4/0 5/0 6/1 7/2 ");
}

static void deep_and_many(void **state)
{
	struct top_procs procs = { .list = NULL };
	_cleanup_free_ struct top_branch *branches = calloc(TOP_PROCS_MAX, sizeof(*branches));

	(void)state;
	assert_non_null(branches);
	for (int i = 1; i <= TOP_PROCS_MAX + 1000; i++) {
		struct mrg_proc proc = { .pid = i, .parent = i - 1 };

		assert_int_equal(top_procs_add(&procs, &proc), 0);
	}
	assert_int_equal(procs.n, TOP_PROCS_MAX);
	assert_int_equal(procs.found, TOP_PROCS_MAX + 1000);
	assert_int_equal(top_tree(&procs, branches), 0);
	assert_int_equal(branches[TOP_PROCS_MAX - 1].depth, TOP_PROCS_MAX - 1);
	top_procs_deinit(&procs);
}

/* ---- keys ----------------------------------------------------------------------------------- */

static struct top_view begin(struct usages *usages)
{
	struct top_view view;

	*usages = (struct usages){ .n = 0 };
	add_three(usages);
	top_view_init(&view);
	view.interval_ms = 1000;
	assert_int_equal(top_view_update(&view, usages), 0);
	return view;
}

static void end(struct top_view *view, struct usages *usages)
{
	top_view_deinit(view);
	usages_deinit(usages);
}

static enum top_action type(struct top_view *view, const char *keys)
{
	enum top_action action = TOP_NOTHING;

	for (; *keys; keys++)
		action = top_view_key(view, (unsigned char)*keys);
	return action;
}

static void what_is_chosen_stays_so(void **state)
{
	struct usages usages;
	struct top_view view = begin(&usages);

	(void)state;
	assert_string_equal(view.name, "a");
	top_view_key(&view, TOP_KEY_DOWN);
	assert_string_equal(view.name, "b");
	assert_int_equal(view.at, 1);
	type(&view, "m");
	assert_string_equal(view.name, "b");
	assert_int_equal(view.at, 0);
	type(&view, "r");
	assert_int_equal(view.at, 2);
	top_view_key(&view, TOP_KEY_DOWN);
	assert_int_equal(view.at, 2);
	top_view_key(&view, TOP_KEY_HOME);
	assert_string_equal(view.name, "a");
	end(&view, &usages);
}

static void keys_sort(void **state)
{
	struct usages usages;
	struct top_view view = begin(&usages);
	static const struct {
		const char *keys;
		int sort;
		bool reverse;
	} cases[] = {
		{ "m", TOP_MEMORY, false }, { "r", TOP_MEMORY, true }, { "i", TOP_READ, false }, { "i", TOP_WRITTEN, false }, { "i", TOP_READ, false },
		{ "n", TOP_RECEIVED, false }, { "n", TOP_SENT, false }, { "a", TOP_NAME, false }, { "<", TOP_SENT, false }, { ">>", TOP_BACKEND, false },
		{ "p", TOP_PIDS, false }, { "c", TOP_CPU, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(type(&view, cases[i].keys), TOP_NOTHING);
		assert_int_equal(view.sort, cases[i].sort);
		assert_int_equal(view.reverse, cases[i].reverse);
	}
	end(&view, &usages);
}

static void keys_filter(void **state)
{
	struct usages usages;
	struct top_view view = begin(&usages);

	(void)state;
	type(&view, "/xx");
	top_view_key(&view, TOP_KEY_BACKSPACE);
	type(&view, "\x15" "lxc\xc3\xa9");
	top_view_key(&view, TOP_KEY_BACKSPACE);
	assert_string_equal(view.input, "lxc");
	assert_int_equal(view.n_rows, 3);
	top_view_key(&view, TOP_KEY_ENTER);
	assert_int_equal(view.n_rows, 1);
	assert_string_equal(view.name, "b");
	/* Keys are text while something is typed, and far too much of it is no harm. */
	for (int i = 0; i < 100; i++)
		type(&view, i ? "q" : "/");
	assert_int_equal(strlen(view.input), TOP_INPUT_MAX - 1);
	top_view_key(&view, TOP_KEY_ESCAPE);
	assert_int_equal(view.n_rows, 1);
	top_view_key(&view, TOP_KEY_ESCAPE);
	assert_int_equal(view.n_rows, 3);
	end(&view, &usages);
}

static void keys_send_signals(void **state)
{
	struct usages usages;
	struct top_view view = begin(&usages);

	(void)state;
	assert_int_equal(type(&view, "k\n"), TOP_SEND);
	assert_int_equal(view.signo, SIGTERM);
	assert_int_equal(type(&view, "k\x15hup\n"), TOP_SEND);
	assert_int_equal(view.signo, SIGHUP);
	assert_int_equal(type(&view, "k\x15no\n"), TOP_NOTHING);
	assert_non_null(strstr(view.message, "no signal 'no'"));
	assert_int_equal(type(&view, "k"), TOP_NOTHING);
	assert_int_equal(top_view_key(&view, TOP_KEY_ESCAPE), TOP_NOTHING);
	assert_int_equal(type(&view, "sn"), TOP_NOTHING);
	assert_int_equal(type(&view, "sy"), TOP_STOP);
	assert_int_equal(type(&view, "q"), TOP_QUIT);
	end(&view, &usages);
}

/* Who is asked about 'a' must not stop 'b' because 'a' has gone meanwhile. */
static void a_question_keeps_its_container(void **state)
{
	struct usages usages;
	struct top_view view = begin(&usages);

	(void)state;
	type(&view, "s");
	assert_string_equal(view.name, "a");
	usages_begin(&usages);
	note(&usages, "lxc", "b", 0, 0, 2 * SECOND);
	usages_end(&usages);
	assert_int_equal(top_view_update(&view, &usages), 0);
	assert_string_equal(view.name, "a");
	assert_int_equal(type(&view, "y"), TOP_STOP);
	assert_string_equal(view.name, "a");
	assert_int_equal(top_view_update(&view, &usages), 0);
	assert_string_equal(view.name, "b");
	end(&view, &usages);
}

static void nothing_to_choose(void **state)
{
	struct usages none = { .n = 0 };
	struct top_view view;

	(void)state;
	top_view_init(&view);
	assert_int_equal(top_view_update(&view, &none), 0);
	assert_int_equal(type(&view, "k"), TOP_NOTHING);
	assert_int_equal(view.prompt, TOP_PROMPT_NONE);
	assert_int_equal(top_view_key(&view, TOP_KEY_ENTER), TOP_NOTHING);
	assert_int_equal(view.mode, TOP_LIST);
	assert_int_equal(top_view_key(&view, TOP_KEY_PAGE_DOWN), TOP_NOTHING);
	top_view_deinit(&view);
}

/* ---- screens -------------------------------------------------------------------------------- */

#define LINES	40

struct shot {
	char line[LINES][400];
	enum top_style style[LINES];
	size_t lines, columns;
};

static void take(void *data, size_t line, enum top_style style, const char *text)
{
	struct shot *shot = data;
	size_t width;

	assert_true(line < shot->lines && line < LINES);
	assert_int_equal(text[text_fit(text, SIZE_MAX, &width)], '\0');
	assert_int_equal(width, shot->columns);
	for (const char *c = text; *c; c++)
		assert_true((unsigned char)*c >= ' ' && *c != 0x7f);
	snprintf(shot->line[line], sizeof(shot->line[line]), "%s", text);
	shot->style[line] = style;
}

static void draw(struct top_view *view, struct shot *shot, size_t lines, size_t columns)
{
	*shot = (struct shot){ .lines = lines, .columns = columns };
	top_draw(view, lines, columns, take, shot);
}

static void a_screen(void **state)
{
	struct usages usages;
	struct top_view view = begin(&usages);
	struct shot shot;

	(void)state;
	draw(&view, &shot, 8, 60);
	assert_string_equal(shot.line[0], "moorage top: 3 containers, CPU 60.0%, memory 600 B, 0 proces");
	assert_non_null(strstr(shot.line[1], "by CPU%, largest first"));
	assert_string_equal(shot.line[2], "NAME      BACKEND      CPU%     MEMORY    PIDS     READ/S   ");
	assert_string_equal(shot.line[3], "a         native       50.0      100 B       -          -   ");
	assert_int_equal(shot.style[3], TOP_CHOSEN);
	assert_string_equal(shot.line[4], "b         lxc          10.0      300 B       -          -   ");
	assert_string_equal(shot.line[5], "c         chroot          -      200 B       -          -   ");
	assert_string_equal(shot.line[6], "");
	assert_non_null(strstr(shot.line[7], "h help"));
	/* What is chosen is on the screen, however low that is. */
	top_view_key(&view, TOP_KEY_END);
	draw(&view, &shot, 4, 60);
	assert_int_equal(shot.line[3][0], 'c');
	assert_int_equal(shot.style[3], TOP_CHOSEN);
	draw(&view, &shot, 7, 60);
	assert_int_equal(shot.line[3][0], 'a');
	end(&view, &usages);
}

static void every_size(void **state)
{
	struct usages usages;
	struct top_view view = begin(&usages);
	struct top_procs procs = { .list = NULL };
	struct mrg_proc proc = { .pid = 1, .state = 'S', .command = HOSTILE };
	struct shot shot;

	(void)state;
	assert_int_equal(top_procs_add(&procs, &proc), 0);
	assert_int_equal(type(&view, "\n"), TOP_LOOK);
	assert_int_equal(top_view_take_procs(&view, &procs), 0);
	for (int mode = TOP_LIST; mode <= TOP_HELP; mode++)
		for (int prompt = TOP_PROMPT_NONE; prompt <= TOP_PROMPT_STOP; prompt++)
			for (size_t lines = 0; lines < 30; lines++)
				for (size_t columns = 0; columns < 150; columns += 1 + columns / 10) {
					view.mode = (enum top_mode)mode;
					view.prompt = (enum top_prompt)prompt;
					draw(&view, &shot, lines, columns);
				}
	end(&view, &usages);
}

static void names_are_no_commands(void **state)
{
	struct usages usages = { 0 };
	struct top_procs procs = { .list = NULL };
	struct mrg_proc proc = { .pid = 1, .state = 'S', .command = HOSTILE };
	struct top_view view;
	struct shot shot;

	(void)state;
	usages_begin(&usages);
	note(&usages, "fake", HOSTILE, 0, 0, 0);
	usages_end(&usages);
	top_view_init(&view);
	assert_int_equal(top_view_update(&view, &usages), 0);
	draw(&view, &shot, 10, 160);
	assert_non_null(strstr(shot.line[3], "\\x1b]0;x\\x07\\xff\\xe2\\x80\\xae"));
	type(&view, "s");
	draw(&view, &shot, 10, 160);
	assert_non_null(strstr(shot.line[1], "stop 'fake:\\x1b]0;x\\x07\\xff\\xe2\\x80\\xae'? y or n"));
	type(&view, "n\n");
	assert_int_equal(top_procs_add(&procs, &proc), 0);
	assert_int_equal(top_view_take_procs(&view, &procs), 0);
	draw(&view, &shot, 10, 160);
	assert_non_null(strstr(shot.line[1], "1 process of fake:\\x1b]0;x\\x07"));
	assert_non_null(strstr(shot.line[3], "\\x1b]0;x\\x07\\xff\\xe2\\x80\\xae"));
	end(&view, &usages);
}

/* Where characters are single bytes, the others are spelled out too: two columns each must not push a figure off its place. */
static void locales(void **state)
{
	struct usages usages = { 0 };
	struct top_view view;
	struct shot shot;

	(void)state;
	usages_begin(&usages);
	note(&usages, "fake", "\u6f22\u6f22", 0, 7, 0);
	usages_end(&usages);
	top_view_init(&view);
	assert_int_equal(top_view_update(&view, &usages), 0);
	draw(&view, &shot, 5, 100);
	assert_int_equal(strncmp(shot.line[3], "\\xe6\\xbc\\xa2\\xe6\\xbc\\xa2", 24), 0);
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	draw(&view, &shot, 5, 100);
	assert_int_equal(strncmp(shot.line[3], "\u6f22\u6f22      fake", 16), 0);
	setlocale(LC_CTYPE, "C");
	end(&view, &usages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_need_two_looks),
		cmocka_unit_test(counters_that_go_back_are_of_another_life),
		cmocka_unit_test(one_name_of_two_backends),
		cmocka_unit_test(who_is_gone_is_forgotten),
		cmocka_unit_test(order),
		cmocka_unit_test(cells),
		cmocka_unit_test(filter),
		cmocka_unit_test(columns_fit_the_width),
		cmocka_unit_test(trees),
		cmocka_unit_test(deep_and_many),
		cmocka_unit_test(what_is_chosen_stays_so),
		cmocka_unit_test(keys_sort),
		cmocka_unit_test(keys_filter),
		cmocka_unit_test(keys_send_signals),
		cmocka_unit_test(a_question_keeps_its_container),
		cmocka_unit_test(nothing_to_choose),
		cmocka_unit_test(a_screen),
		cmocka_unit_test(every_size),
		cmocka_unit_test(names_are_no_commands),
		cmocka_unit_test(locales),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
