/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_HELP_H
#define CLI_HELP_H

/* Help, made from the tables of verbs and options. All return an exit status. */

#include <stdio.h>

#include "cli/cli.h"

int help_overview(struct cli *cli, FILE *file);
int help_verb(struct cli *cli, const struct verb *v);
int help_version(struct cli *cli);

/* help_topics.c: the fields of a spec, the options of a backend. */
int help_spec(struct cli *cli);
int help_backend(struct cli *cli, const char *name);

/* help_dump.c: verbs and options as JSON, and as scdoc text for the manual. */
int help_json(struct cli *cli);
int help_man(struct cli *cli, const struct verb *v);

#endif
