/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage backends: what is installed, what works here, and what each can honour */

#include "config.h"

#include <errno.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "core/util/cleanup.h"
#include "core/util/str.h"

enum { NAME, USABLE, ENGINE, BOUNDARY, SUMMARY, REASON, BOUNDARY_REASON, VERBS, PATH, BACKEND };

static const struct column columns[] = {
	[NAME] = { "NAME", "name", 0, "name" },
	[USABLE] = { "USABLE", "usable", 0, "works on this host for this user" },
	[ENGINE] = { "ENGINE", "engine", 0, "version of what it drives" },
	[BOUNDARY] = { "BOUNDARY", "securityBoundary", 0, "is a security boundary" },
	[SUMMARY] = { "SUMMARY", "summary", 0, "one line" },
	[REASON] = { "REASON", "reason", 0, "why it, or a part of it, is not usable" },
	[BOUNDARY_REASON] = { "BOUNDARY-REASON", "boundaryReason", COLUMN_EXTRA, "why it is no boundary" },
	[VERBS] = { "VERBS", "verbs", COLUMN_WIDE, "optional verbs it has" },
	[PATH] = { "PATH", "path", COLUMN_WIDE, "plugin" },
	[BACKEND] = { NULL, "backend", 0, "name" },
	{ 0 }
};

static void set_usable(struct value *row, const struct mrg_probe *probe)
{
	value_text(&row[ENGINE], probe->engine);
	value_number(&row[BOUNDARY], VALUE_BOOL, (uint64_t)probe->boundary);
	if (probe->reason[0])
		value_text(&row[REASON], probe->reason);
	if (probe->boundary_reason[0])
		value_text(&row[BOUNDARY_REASON], probe->boundary_reason);
}

static void set_reason(struct value *row, const struct mrg_error *err)
{
	const char *hint = strchr(err->message, '\n');
	char text[sizeof(err->message) + 2];

	snprintf(text, sizeof(text), "%.*s%s%s", (int)strcspn(err->message, "\n"), err->message, hint ? "; " : "", hint ? hint + 1 : "");
	value_text(&row[REASON], text);
}

static int add_row(struct listing *list, const char *name)
{
	struct mrg_backend_info info;
	struct mrg_error err = { 0 };
	struct value *row = listing_row(list);
	int r;

	if (!row)
		return -ENOMEM;
	r = mrg_backend_info(list->cli->m, name, &info, &err);
	value_text(&row[NAME], name);
	value_text(&row[BACKEND], name);
	value_number(&row[USABLE], VALUE_BOOL, r == 0 && info.usable);
	if (r < 0) {
		set_reason(row, &err);
		return 0;
	}
	value_text(&row[SUMMARY], info.summary);
	value_text(&row[VERBS], info.verbs);
	value_text(&row[PATH], info.path);
	if (info.usable)
		set_usable(row, &info.probe);
	else
		set_reason(row, &info.error);
	return 0;
}

static int list_backends(struct cli *cli, char *const *names)
{
	_cleanup_listing_ struct listing list;
	int exit = listing_begin(&list, cli, columns, "moorage/backends/v1");

	for (; exit == 0 && names && *names; names++)
		if (!cli->backend || strcmp(cli->backend, *names) == 0)
			add_row(&list, *names);
	return exit ? exit : listing_print(&list);
}

/* ---- the matrix of fields --------------------------------------------------------------------- */

#define BACKENDS_MAX	24

static const char *verdict(const struct mrg_backend_info *info, unsigned int field)
{
	if (!mrg_fields_has(&info->fields, field))
		return "no";
	return info->usable && mrg_fields_has(&info->probe.fields, field) ? "yes" : "not here";
}

static int list_features(struct cli *cli, char *const *names)
{
	_cleanup_listing_ struct listing list;
	struct column matrix[BACKENDS_MAX + 2] = { { "FIELD", "field", 0, "field of the spec" } };
	struct mrg_backend_info infos[BACKENDS_MAX];
	size_t n = 0;
	int exit;

	for (; names && *names && n < BACKENDS_MAX; names++)
		if ((!cli->backend || strcmp(cli->backend, *names) == 0) &&
		    mrg_backend_info(cli->m, *names, &infos[n], NULL) == 0) {
			matrix[n + 1] = (struct column){ *names, *names, 0, "backend" };
			n++;
		}
	exit = listing_begin(&list, cli, matrix, "moorage/features/v1");
	for (unsigned int field = 0; exit == 0 && field < MRG_FIELD_MAX; field++) {
		struct value *row = listing_row(&list);

		if (!row)
			break;
		value_text(&row[0], mrg_field_info(field)->name);
		for (size_t i = 0; i < n; i++)
			value_text(&row[i + 1], verdict(&infos[i], field));
	}
	return exit ? exit : listing_print(&list);
}

static bool has_name(char *const *names, const char *name)
{
	return strv_contains(names, name);
}

int cmd_backends(struct cli *cli)
{
	_cleanup_names_ char **names = NULL;
	struct mrg_backend_info info;
	struct mrg_error err = { 0 };

	if (!cli_context(cli))
		return 1;
	if (mrg_backend_names(cli->m, &names, &err) < 0)
		return cli_fail(cli, &err);
	/* The library knows how to say that there is none of that name. */
	if (cli->backend && !has_name(names, cli->backend) && mrg_backend_info(cli->m, cli->backend, &info, &err) < 0)
		return cli_fail(cli, &err);
	return cli->features ? list_features(cli, names) : list_backends(cli, names);
}
