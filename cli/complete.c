/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage __complete WORD...: candidates for the last word, one a line, a tab and a description behind. */

#include "config.h"

#include <string.h>

#include "cli/commands.h"
#include "cli/text.h"
#include "core/util/cleanup.h"

/* The shell is asked to complete files by a line with this alone. */
#define FILES	":files"

static void offer(const char *begun, const char *text, const char *help)
{
	if (strncmp(text, begun, strlen(begun)) == 0)
		printf("%s\t%s\n", text, help ? help : "");
}

static void offer_verbs(const char *begun)
{
	for (const struct verb *v = verbs; v->name; v++)
		if (!(v->flags & VERB_HIDDEN))
			offer(begun, v->name, v->summary);
}

static void offer_options(const char *begun, const struct option_table *tables)
{
	char text[128];

	for (; tables && tables->title; tables++)
		for (const struct option_spec *o = tables->options; o->names; o++) {
			const char *words = o->names, *word;
			size_t length;

			if (o->kind == OPTION_LATER)
				continue;
			while ((word = word_next(&words, &length))) {
				snprintf(text, sizeof(text), "--%.*s", (int)length, word);
				offer(begun, text, o->help);
			}
		}
}

struct names {
	const char *begun;
	enum verb_complete wanted;
};

static bool is_offered(enum verb_complete wanted, int state)
{
	bool alive = state == MRG_STATE_RUNNING || state == MRG_STATE_PAUSED;

	switch (wanted) {
	case COMPLETE_RUNNING:
		return state == MRG_STATE_RUNNING;
	case COMPLETE_PAUSED:
		return state == MRG_STATE_PAUSED;
	case COMPLETE_ALIVE:
		return alive;
	case COMPLETE_STOPPED:
		return !alive;
	default:
		return true;
	}
}

static int offer_name(struct mrg_container *c, void *data)
{
	const struct names *names = data;
	struct mrg_status status;
	char help[128];

	if (strncmp(mrg_container_name(c), names->begun, strlen(names->begun)) != 0 ||
	    mrg_container_status(c, &status, NULL) < 0 || !is_offered(names->wanted, status.state))
		return 0;
	snprintf(help, sizeof(help), "%s, %s", mrg_container_backend(c), state_name(status.state));
	offer(names->begun, mrg_container_name(c), help);
	return 0;
}

static void offer_backends(struct cli *cli, const char *begun)
{
	_cleanup_names_ char **names = NULL;

	if (!cli_context(cli) || mrg_backend_names(cli->m, &names, NULL) < 0)
		return;
	for (char **name = names; name && *name; name++)
		offer(begun, *name, "backend");
}

static void offer_words(const char *begun, const char *words, const char *help)
{
	const char *word;
	char text[64];
	size_t length;

	while ((word = word_next(&words, &length))) {
		snprintf(text, sizeof(text), "%.*s", (int)length, word);
		offer(begun, text, help);
	}
}

static void offer_operands(struct cli *cli, const struct verb *v, const char *begun)
{
	struct names names = { begun, v->complete };

	switch (v->complete) {
	case COMPLETE_NOTHING:
		return;
	case COMPLETE_ROOT:
		offer(begun, "host", "a throw-away view of this host");
		puts(FILES);
		return;
	case COMPLETE_FILE:
		puts(FILES);
		return;
	case COMPLETE_SHELL:
		offer_words(begun, "bash zsh fish", "shell");
		return;
	case COMPLETE_VERB:
		offer_verbs(begun);
		offer_words(begun, "spec backend", "topic");
		return;
	default:
		if (cli_context(cli))
			mrg_list(cli->m, NULL, offer_name, NULL, &names, NULL);
	}
}

/* The option that @word is, in @tables or among the global ones. */
static const struct option_spec *find_option(const struct option_table *tables, const char *word)
{
	for (; tables && tables->title; tables++)
		for (const struct option_spec *o = tables->options; o->names; o++)
			if ((strncmp(word, "--", 2) == 0 && word_in(o->names, word + 2)) ||
			    (word[0] == '-' && word[1] && word[1] != '-' && o->letters && strchr(o->letters, word[strlen(word) - 1])))
				return o;
	return NULL;
}

static const struct option_spec *option_of(const struct verb *v, const char *word)
{
	const struct option_spec *o = v ? find_option(v->options, word) : NULL;

	return o ? o : find_option(global_options, word);
}

static void offer_formats(const char *begun)
{
	for (const char *const *name = mrg_format_names(); *name; name++)
		offer(begun, *name, "format");
}

/* Values of an option with a closed set; files for the rest. */
static void offer_values(struct cli *cli, const struct option_spec *o, const char *begun)
{
	if (word_in(o->names, "backend"))
		offer_backends(cli, begun);
	else if (strcmp(o->arg, "FORMAT") == 0)
		offer_formats(begun);
	else if (word_in(o->names, "format"))
		offer_words(begun, "table wide json jsonl csv env name", "format");
	else if (word_in(o->names, "color"))
		offer_words(begun, "auto always never", "when");
	else if (word_in(o->names, "network"))
		offer_words(begun, "host none container: ns:", "network");
	else if (word_in(o->names, "signal") || word_in(o->names, "stop-signal"))
		offer_words(begun, "TERM KILL HUP INT QUIT USR1 USR2", "signal");
	else
		puts(FILES);
}

/* The verb among the words before the last one, and whether an operand of it was typed. */
static const struct verb *scan(const struct cli *cli, int *ret_operands)
{
	const struct verb *v = NULL;

	*ret_operands = 0;
	for (int i = 0; i < cli->n_operands - 1; i++) {
		const char *word = cli->operands[i];
		const struct option_spec *o = word[0] == '-' ? option_of(v, word) : NULL;

		if (o && o->arg)
			i++;
		else if (word[0] == '-')
			continue;
		else if (!v)
			v = verb_find(word);
		else
			(*ret_operands)++;
	}
	return v;
}

int cmd_complete(struct cli *cli)
{
	const char *begun = cli->n_operands ? cli->operands[cli->n_operands - 1] : "";
	const char *before = cli->n_operands > 1 ? cli->operands[cli->n_operands - 2] : "";
	int operands;
	const struct verb *v = scan(cli, &operands);
	const struct option_spec *o = before[0] == '-' ? option_of(v, before) : NULL;

	if (o && o->arg)
		offer_values(cli, o, begun);
	else if (begun[0] == '-') {
		offer_options(begun, v ? v->options : NULL);
		offer_options(begun, global_options);
	} else if (!v) {
		offer_verbs(begun);
	} else if (operands && v->flags & VERB_COMMAND) {
		puts(FILES);
	} else {
		offer_operands(cli, v, begun);
	}
	return 0;
}
