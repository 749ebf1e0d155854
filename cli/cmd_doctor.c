/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage doctor: what this host lacks, and how to get it */

#include "config.h"

#include <errno.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/text.h"
#include "core/util/cleanup.h"

enum { LEVEL, SUBJECT, TEXT, FIX, BACKEND };

static const struct column columns[] = {
	[LEVEL] = { "LEVEL", "level", 0, "ok, warning or error" },
	[SUBJECT] = { "SUBJECT", "subject", 0, "what was looked at" },
	[TEXT] = { "FINDING", "text", 0, "what was found" },
	[FIX] = { "FIX", "fix", 0, "what would help" },
	[BACKEND] = { NULL, "backend", 0, "backend" },
	{ 0 }
};

struct visit {
	struct listing list;
	bool bad;
};

static int found(const struct mrg_finding *finding, void *data)
{
	struct visit *visit = data;
	struct value *row = listing_row(&visit->list);

	if (strcmp(finding->level, "error") == 0)
		visit->bad = true;
	if (!row)
		return -ENOMEM;
	value_text(&row[LEVEL], finding->level);
	value_text(&row[SUBJECT], finding->subject);
	value_text(&row[TEXT], finding->text);
	value_text(&row[FIX], finding->fix);
	return 0;
}

static void print_page(const struct cli *cli, const struct listing *list)
{
	for (size_t i = 0; i < list->n_rows; i++) {
		const struct value *row = list->values + i * list->n_columns;
		const char *level = row[LEVEL].text ? row[LEVEL].text : "";
		enum style style = strcmp(level, "ok") == 0 ? STYLE_GOOD : strcmp(level, "error") == 0 ? STYLE_ERROR :
													  STYLE_WARNING;

		printf("%s%-8s%s ", style_of(cli, stdout, style), level, style_of(cli, stdout, STYLE_NONE));
		text_print(stdout, row[SUBJECT].text ? row[SUBJECT].text : "");
		fputs(": ", stdout);
		text_print(stdout, row[TEXT].text ? row[TEXT].text : "");
		putchar('\n');
		if (row[FIX].text) {
			fputs("         fix: ", stdout);
			text_print(stdout, row[FIX].text);
			putchar('\n');
		}
	}
}

int cmd_doctor(struct cli *cli)
{
	struct visit visit = { .bad = false };
	struct mrg_error err = { 0 };
	int exit = listing_begin(&visit.list, cli, columns, "moorage/doctor/v1");

	if (exit == 0 && !cli_context(cli))
		exit = 1;
	if (exit == 0 && mrg_doctor(cli->m, found, &visit, &err) < 0)
		exit = cli_fail(cli, &err);
	if (exit == 0 && cli->output == FORMAT_TABLE && !cli->columns)
		print_page(cli, &visit.list);
	else if (exit == 0)
		exit = listing_print(&visit.list);
	listing_deinit(&visit.list);
	return exit ? exit : visit.bad;
}
