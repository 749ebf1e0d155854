/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verbs and options as JSON, and as scdoc text for the manual pages. */

#include "config.h"

#include <string.h>

#include "cli/help.h"
#include "cli/text.h"
#include "core/util/cleanup.h"
#include "core/util/str.h"

static void add_member(struct buffer *b, const char *key, const char *text)
{
	buffer_addf(b, ",\"%s\":", key);
	if (text)
		json_text(b, text, strlen(text));
	else
		buffer_addf(b, "null");
}

static void add_words(struct buffer *b, const char *key, const char *words)
{
	const char *word;
	size_t length;
	int n = 0;

	buffer_addf(b, ",\"%s\":[", key);
	while ((word = word_next(&words, &length))) {
		buffer_addf(b, n++ ? "," : "");
		json_text(b, word, length);
	}
	buffer_addf(b, "]");
}

static void add_options(struct buffer *b, const struct option_table *tables)
{
	int n = 0;

	buffer_addf(b, ",\"options\":[");
	for (; tables && tables->title; tables++)
		for (const struct option_spec *o = tables->options; o->names; o++) {
			buffer_addf(b, "%s{\"later\":%s", n++ ? "," : "", o->kind == OPTION_LATER ? "true" : "false");
			add_member(b, "group", tables->title);
			add_words(b, "names", o->names);
			add_member(b, "letters", o->letters ? o->letters : "");
			add_member(b, "arg", o->arg);
			add_member(b, "help", o->help);
			buffer_addf(b, "}");
		}
	buffer_addf(b, "]");
}

int help_json(struct cli *cli)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };

	(void)cli;
	buffer_addf(&b, "{\"schema\":\"moorage/help/v1\",\"verbs\":[");
	for (const struct verb *v = verbs; v->name; v++) {
		if (v->flags & VERB_HIDDEN)
			continue;
		buffer_addf(&b, "%s{\"payload\":%s", v == verbs ? "" : ",", v->flags & VERB_PAYLOAD ? "true" : "false");
		add_member(&b, "name", v->name);
		add_words(&b, "aliases", v->aliases);
		add_member(&b, "group", v->group);
		add_member(&b, "operands", v->operands);
		add_member(&b, "summary", v->summary);
		add_member(&b, "text", v->text);
		add_options(&b, v->options);
		buffer_addf(&b, "}");
	}
	buffer_addf(&b, "]");
	add_options(&b, global_options);
	buffer_addf(&b, "}\n");
	if (!b.failed)
		fputs(b.text, stdout);
	return 0;
}

/* scdoc takes these as markup. */
static void man_text(const char *text)
{
	for (; *text; text++) {
		if (strchr("*_[]#|\\<~", *text))
			putchar('\\');
		putchar(*text);
	}
}

static void man_option(const struct option_spec *o)
{
	const char *words = o->names, *word;
	size_t length;
	int n = 0;

	for (const char *c = o->letters; c && *c; c++)
		printf("%s*-%c*", n++ ? ", " : "", *c);
	while ((word = word_next(&words, &length)))
		printf("%s*--%.*s*", n++ ? ", " : "", (int)length, word);
	if (o->arg) {
		printf(" ");
		man_text(o->arg);
	}
	printf("\n\t");
	man_text(o->help);
	printf("\n\n");
}

static void man_options(const struct option_table *tables)
{
	for (; tables && tables->title; tables++) {
		if (tables->options->kind == OPTION_LATER)
			continue;
		printf("## %s\n\n", tables->title);
		for (const struct option_spec *o = tables->options; o->names; o++)
			if (o->kind != OPTION_LATER)
				man_option(o);
	}
}

static void man_verb(const struct verb *v)
{
	printf("*%s* ", v->name);
	man_text(v->operands);
	printf("\n\t");
	man_text(v->summary);
	if (v->aliases)
		printf("; also called %s", v->aliases);
	printf("\n\n");
}

int help_man(struct cli *cli, const struct verb *v)
{
	const char *group = "";

	(void)cli;
	if (v) {
		printf("*moorage %s* \\[OPTION...\\] ", v->name);
		man_text(v->operands);
		printf("\n\n");
		man_options(v->options);
		return 0;
	}
	for (v = verbs; v->name; v++) {
		if (v->flags & VERB_HIDDEN)
			continue;
		if (strcmp(group, v->group) != 0)
			printf("## %s\n\n", v->group);
		group = v->group;
		man_verb(v);
	}
	man_options(global_options);
	return 0;
}
