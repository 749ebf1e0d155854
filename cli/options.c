/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Option tables to getopt_long(3) and back. */

#include "config.h"

#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "core/util/cleanup.h"
#include "core/util/str.h"

#define OPTION_MAX 256

/* All options of one verb; a value of getopt_long() is BASE plus the index in @option. */
#define BASE 1000

struct parser {
	const struct option_spec *option[OPTION_MAX];
	size_t n;
	struct option longs[2 * OPTION_MAX];
	size_t n_longs;
	char letters[4 * OPTION_MAX];
	char words[8 * OPTION_MAX * 4]; /* the long names, NUL after each */
	size_t words_used;
};

static void add_long(struct parser *p, const struct option_spec *o, const char *word, size_t length)
{
	char *copy = p->words + p->words_used;

	if (p->n_longs + 1 == ARRAY_SIZE(p->longs) || p->words_used + length + 1 > sizeof(p->words))
		return;
	memcpy(copy, word, length);
	copy[length] = '\0';
	p->words_used += length + 1;
	p->longs[p->n_longs++] = (struct option){
		/* --flag=no works for every flag. */
		.name = copy,
		.has_arg = o->arg ? required_argument : optional_argument,
		.val = (int)(BASE + p->n),
	};
}

/* A verb's own letters and names go before the global ones: getopt_long() takes the first. */
static void add_option(struct parser *p, const struct option_spec *o)
{
	const char *words = o->names, *word;
	size_t length, n = strlen(p->letters);

	if (p->n == OPTION_MAX)
		return;
	while ((word = word_next(&words, &length)))
		add_long(p, o, word, length);
	for (const char *c = o->letters; c && *c; c++)
		if (!strchr(p->letters + 1, *c)) {
			p->letters[n++] = *c;
			if (o->arg)
				p->letters[n++] = ':';
			p->letters[n] = '\0';
		}
	p->option[p->n++] = o;
}

static void add_tables(struct parser *p, const struct option_table *tables)
{
	for (; tables && tables->title; tables++)
		for (const struct option_spec *o = tables->options; o->names; o++)
			add_option(p, o);
}

/* What getopt_long() returned, as a row. */
static const struct option_spec *row_of(const struct parser *p, int c)
{
	if (c >= BASE)
		return p->option[c - BASE];
	for (size_t i = 0; i < p->n; i++)
		if (p->option[i]->letters && strchr(p->option[i]->letters, c))
			return p->option[i];
	return NULL;
}

int options_keep(struct cli *cli, const struct option_spec *option, const char *text)
{
	struct setting *grown = realloc(cli->settings, (cli->n_settings + 1) * sizeof(*grown));

	if (!grown)
		return cli_usage(cli, NULL, "out of memory"), -1;
	cli->settings = grown;
	grown[cli->n_settings++] = (struct setting){ option, text };
	return 0;
}

static int set_flag(struct cli *cli, const struct option_spec *o, const char *text)
{
	bool on = true;

	if (text && parse_bool(text, &on) < 0) {
		cli_usage(cli, NULL, "option '--%.*s' takes yes or no, not '%s'", (int)strcspn(o->names, " "), o->names,
			  text);
		return -1;
	}
	*(int *)((char *)cli + o->offset) = on ? o->number : !o->number;
	return 0;
}

static int set_option(struct cli *cli, const struct option_spec *o, const char *text)
{
	void *member = (char *)cli + o->offset;

	switch (o->kind) {
	case OPTION_FLAG:
		return set_flag(cli, o, text);
	case OPTION_TEXT:
		*(const char **)member = text;
		return 0;
	case OPTION_LIST:
		return strv_append(member, text);
	case OPTION_SPEC:
		return options_keep(cli, o, text);
	case OPTION_LATER:
		cli_usage(cli, NULL, "option '--%.*s': %s", (int)strcspn(o->names, " "), o->names, o->help);
		return -1;
	}
	return 0;
}

static const char *nearest_option(const struct parser *p, const char *name)
{
	const char *names[ARRAY_SIZE(p->longs) + 1];
	size_t n = 0;

	for (size_t i = 0; i < p->n_longs; i++)
		names[n++] = p->longs[i].name;
	names[n] = NULL;
	return str_nearest(name, names);
}

/* An option that no row has: a hint from other tools' words, then from spelling. */
static void tell_unknown(struct cli *cli, const struct parser *p, const char *typed)
{
	_cleanup_free_ char *name = strndup(typed, strcspn(typed, "="));
	const struct known_word *known = name ? known_word_find(foreign_options, name) : NULL;
	const char *nearest = NULL;
	char hint[256];

	if (name && strncmp(name, "--", 2) == 0 && !known)
		nearest = nearest_option(p, name + 2);
	if (known)
		snprintf(hint, sizeof(hint), "%s", known->text);
	else if (nearest)
		snprintf(hint, sizeof(hint), "did you mean '--%s'?", nearest);
	else
		snprintf(hint, sizeof(hint), "'moorage %s%s--help' lists the options", cli->verb ? cli->verb->name : "",
			 cli->verb ? " " : "");
	cli_usage(cli, hint, "unknown option '%s'", name ? name : typed);
}

static void tell_wrong(struct cli *cli, const struct parser *p, int c, const char *typed)
{
	char letter[3] = { '-', (char)optopt, '\0' };

	if (c == ':')
		cli_usage(cli, NULL, "option '%s' needs a value",
			  optopt >= BASE || strncmp(typed, "--", 2) == 0 ? typed : letter);
	else if (optopt > 0 && optopt < BASE && strncmp(typed, "--", 2) != 0)
		tell_unknown(cli, p, letter);
	else
		tell_unknown(cli, p, typed);
}

/* getopt_long() takes the beginning of a name for the whole; then a script breaks when an option is added. */
static bool is_whole(const struct option *o, int argc, char **argv)
{
	size_t length = strlen(o->name);
	const char *last = optind > 0 && optind <= argc ? argv[optind - 1] : "";

	if (strncmp(last, "--", 2) == 0 && strncmp(last + 2, o->name, length) == 0 &&
	    (!last[length + 2] || last[length + 2] == '='))
		return true;
	return o->has_arg == required_argument && optind > 1 && strncmp(argv[optind - 2], "--", 2) == 0 &&
	       strcmp(argv[optind - 2] + 2, o->name) == 0;
}

/* Errors of the command line are told as asked for even when that was not read yet. */
static void look_for_json(struct cli *cli, int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "--format=json") == 0)
			cli->output = FORMAT_JSON;
}

static void tell_abbreviation(struct cli *cli, const char *name)
{
	char hint[128];

	snprintf(hint, sizeof(hint), "did you mean '--%s'?", name);
	cli_usage(cli, hint, "options are not abbreviated");
}

int options_parse(struct cli *cli, const struct option_table *tables, int argc, char **argv, bool stop_at_operand)
{
	/* Large, and of most verbs little is used. */
	_cleanup_free_ struct parser *p = malloc(sizeof(*p));
	int c, r = 0, which = 0;

	if (!p)
		return cli_usage(cli, NULL, "out of memory"), -1;
	p->n = p->n_longs = p->words_used = 0;
	snprintf(p->letters, sizeof(p->letters), "%s", stop_at_operand ? "+:" : ":");
	add_tables(p, tables);
	if (tables != global_options)
		add_tables(p, global_options);
	p->longs[p->n_longs] = (struct option){ 0 };
	look_for_json(cli, argc, argv);
	opterr = 0;
	optind = 0;
	while (r == 0 && (c = getopt_long(argc, argv, p->letters, p->longs, &which)) != -1) {
		if (c == '?' || c == ':') {
			tell_wrong(cli, p, c, argv[optind > 1 ? optind - 1 : 1]);
			return -1;
		}
		if (c >= BASE && !is_whole(&p->longs[which], argc, argv)) {
			tell_abbreviation(cli, p->longs[which].name);
			return -1;
		}
		r = set_option(cli, row_of(p, c), optarg);
	}
	cli->operands = argv + optind;
	cli->n_operands = argc - optind;
	cli->dashes = optind > 1 && strcmp(argv[optind - 1], "--") == 0;
	return r < 0 ? -1 : 0;
}

int cli_duration(struct cli *cli, const char *option, const char *text)
{
	int64_t ms;

	if (!text)
		return -1;
	if (parse_duration_ms(text, &ms) == 0 && ms <= INT_MAX)
		return (int)ms;
	cli_usage(cli, NULL, "option '%s' takes a time such as 10 or 1.5s, not '%s'", option, text);
	return -2;
}
