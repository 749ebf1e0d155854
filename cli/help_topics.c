/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage help spec, moorage help backend NAME */

#include "config.h"

#include <errno.h>
#include <string.h>

#include "cli/help.h"
#include "cli/output.h"
#include "core/util/cleanup.h"

enum { FIELD, TYPE, RANGE, HELP, PATH };

static const struct column field_columns[] = {
	[FIELD] = { "FIELD", "name", 0, "name" },
	[TYPE] = { "TYPE", "type", 0, "type" },
	[RANGE] = { "RANGE", "range", COLUMN_WIDE, "values" },
	[HELP] = { "MEANING", "help", 0, "one line" },
	[PATH] = { "PATH", "path", COLUMN_EXTRA, "JSON pointer" },
	{ 0 }
};

int help_spec(struct cli *cli)
{
	_cleanup_listing_ struct listing list;
	const struct mrg_field_info *info;
	int exit = listing_begin(&list, cli, field_columns, "moorage/field/v1");

	for (unsigned int i = 0; exit == 0 && (info = mrg_field_info(i)); i++) {
		struct value *row = listing_row(&list);

		if (!row)
			break;
		value_text(&row[FIELD], info->name);
		value_text(&row[TYPE], info->type);
		value_text(&row[RANGE], *info->range ? info->range : NULL);
		value_text(&row[HELP], info->help);
		value_text(&row[PATH], info->path);
	}
	return exit ? exit : listing_print(&list);
}

enum { KEY, VALUES, TEXT, BACKEND };

static const struct column option_columns[] = {
	[KEY] = { "OPTION", "key", 0, "for --opt" },
	[VALUES] = { "VALUES", "values", 0, "what it takes" },
	[TEXT] = { "MEANING", "help", 0, "one line" },
	[BACKEND] = { NULL, "backend", 0, "backend" },
	{ 0 }
};

int help_backend(struct cli *cli, const char *name)
{
	_cleanup_listing_ struct listing list = { .values = NULL };
	struct mrg_backend_info info;
	struct mrg_error err = { 0 };
	char key[128];
	int exit;

	if (!cli_context(cli))
		return 1;
	if (mrg_backend_info(cli->m, name, &info, &err) < 0)
		return cli_fail(cli, &err);
	exit = listing_begin(&list, cli, option_columns, "moorage/option/v1");
	for (const struct mrg_option *o = info.options; exit == 0 && o && o->key; o++) {
		struct value *row = listing_row(&list);

		if (!row)
			break;
		snprintf(key, sizeof(key), "%s.%s", name, o->key);
		value_text(&row[KEY], key);
		value_text(&row[VALUES], o->values);
		value_text(&row[TEXT], o->help);
		value_text(&row[BACKEND], name);
	}
	if (exit == 0 && cli->output <= FORMAT_WIDE) {
		printf("%s: %s\n", name, info.summary);
		if (list.n_rows == 0) {
			puts("It has no options of its own.");
			return 0;
		}
	}
	return exit ? exit : listing_print(&list);
}
