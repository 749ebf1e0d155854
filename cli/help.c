/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage help, --help and --version. */

#include "config.h"

#include <string.h>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/text.h"

#define WIDTH 100

static void heading(const struct cli *cli, FILE *file, const char *text)
{
	fprintf(file, "\n%s%s%s\n", style_of(cli, file, STYLE_BOLD), text, style_of(cli, file, STYLE_NONE));
}

int help_overview(struct cli *cli, FILE *file)
{
	const char *group = "";

	fputs("usage: moorage [OPTION...] VERB [OPTION...] [NAME] [-- COMMAND...]\n"
	      "\n"
	      "Examples:\n"
	      "  moorage run --rm -it ./root -- /bin/sh        a shell in a root directory\n"
	      "  moorage run --rm host -- ps ax                on a throw-away view of this host\n"
	      "  moorage create --name web ./root -- /bin/httpd -f && moorage start web\n",
	      file);
	for (const struct verb *v = verbs; v->name; v++) {
		if (v->flags & VERB_HIDDEN)
			continue;
		if (strcmp(group, v->group) != 0)
			heading(cli, file, v->group);
		group = v->group;
		fprintf(file, "  %-12s %s", v->name, v->summary);
		if (v->aliases)
			fprintf(file, " (also: %s)", v->aliases);
		fputc('\n', file);
	}
	fputs("\n'moorage VERB --help' tells the options of a verb, 'moorage help spec' the fields of a spec,\n"
	      "'moorage help backend NAME' the options of a backend.\n",
	      file);
	return 0;
}

/* "-e, -E, --env, --setenv NAME[=VALUE]" */
static int option_names(const struct option_spec *o, char *buffer, size_t size)
{
	const char *words = o->names, *word;
	size_t length;
	int n = 0;

	for (const char *c = o->letters; c && *c; c++)
		n += snprintf(buffer + n, size - (size_t)n, "-%c, ", *c);
	while ((word = word_next(&words, &length)))
		n += snprintf(buffer + n, size - (size_t)n, "--%.*s, ", (int)length, word);
	n -= 2;
	buffer[n] = '\0';
	if (o->arg)
		n += snprintf(buffer + n, size - (size_t)n, " %s", o->arg);
	return n;
}

/* @later: those that are refused, under a heading of their own. */
static void print_options(const struct cli *cli, const struct option_table *table, bool later, bool *headed)
{
	char names[256];

	for (const struct option_spec *o = table->options; o->names; o++) {
		if ((o->kind == OPTION_LATER) != later)
			continue;
		if (!*headed)
			heading(cli, stdout, later ? "Not in this version" : table->title);
		*headed = true;
		if (option_names(o, names, sizeof(names)) > 34)
			printf("  %s\n  %-34s  %s\n", names, "", o->help);
		else
			printf("  %-34s  %s\n", names, o->help);
	}
}

static void print_wrapped(const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		while (length > WIDTH) {
			size_t cut = WIDTH;

			while (cut > 0 && text[cut] != ' ')
				cut--;
			cut = cut ? cut : WIDTH;
			printf("%.*s\n", (int)cut, text);
			text += cut + (text[cut] == ' ');
			length = strcspn(text, "\n");
		}
		printf("%.*s\n", (int)length, text);
		text += length + (text[length] == '\n');
	}
}

/* Examples stand before the first empty line. */
static void print_text(const struct cli *cli, const char *text)
{
	const char *rest = strstr(text, "\n\n");

	heading(cli, stdout, "Examples");
	for (const char *line = text; line < (rest ? rest : text + strlen(text));) {
		size_t length = strcspn(line, "\n");

		printf("  %.*s\n", (int)length, line);
		line += length + (line[length] == '\n');
	}
	if (rest) {
		putchar('\n');
		print_wrapped(rest + 2);
	}
}

static void print_tables(const struct cli *cli, const struct option_table *tables, bool later)
{
	bool headed = false;

	for (; tables && tables->title; tables++) {
		headed = headed && later;
		print_options(cli, tables, later, &headed);
	}
}

int help_verb(struct cli *cli, const struct verb *v)
{
	printf("usage: moorage %s [OPTION...]%s%s\n\n%c%s.\n", v->name, *v->operands ? " " : "", v->operands,
	       v->summary[0] - (v->summary[0] >= 'a' && v->summary[0] <= 'z' ? 32 : 0), v->summary + 1);
	if (v->aliases)
		printf("Also called: %s\n", v->aliases);
	if (v->text)
		print_text(cli, v->text);
	print_tables(cli, v->options, false);
	print_tables(cli, global_options, false);
	print_tables(cli, v->options, true);
	return 0;
}

int help_version(struct cli *cli)
{
	if (cli->output == FORMAT_JSON || cli->output == FORMAT_JSONL)
		printf("{\"schema\":\"moorage/version/v1\",\"backend\":null,\"version\":\"%s\",\"library\":\"%s\"}\n",
		       PACKAGE_VERSION, mrg_version());
	else
		printf("moorage %s\n", PACKAGE_VERSION);
	return 0;
}

int cmd_version(struct cli *cli)
{
	return help_version(cli);
}

int cmd_help(struct cli *cli)
{
	const char *word = cli->n_operands ? cli->operands[0] : NULL;
	const struct verb *v;
	char hint[200];

	if (cli->output == FORMAT_JSON && !word)
		return help_json(cli);
	if (!word)
		return cli->man ? help_man(cli, NULL) : help_overview(cli, stdout);
	if (strcmp(word, "spec") == 0)
		return help_spec(cli);
	if (strcmp(word, "backend") == 0 && cli->n_operands == 2)
		return help_backend(cli, cli->operands[1]);
	v = verb_find(word);
	if (v)
		return cli->man ? help_man(cli, v) : help_verb(cli, v);
	snprintf(hint, sizeof(hint),
		 "'moorage help' lists the verbs; there are also 'help spec' and 'help backend NAME'");
	return cli_usage(cli, hint, "there is no help on '%s'", word);
}
