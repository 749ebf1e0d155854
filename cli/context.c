/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The library's context and the containers that operands name. */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "core/util/cleanup.h"
#include "core/util/str.h"

struct mrg *cli_context(struct cli *cli)
{
	struct mrg_options options = { .path = cli->path };
	struct mrg_error err;

	if (!cli->m && mrg_new(&cli->m, &options, &err) < 0) {
		cli_fail(cli, &err);
		return NULL;
	}
	return cli->m;
}

int cli_open(struct cli *cli, const char *name, struct mrg_container **ret, struct mrg_error *err)
{
	_cleanup_container_ struct mrg_container *c = NULL;
	_cleanup_free_ char *full = NULL;
	int r;

	if (cli->backend && !strchr(name, ':') && asprintf(&full, "%s:%s", cli->backend, name) < 0) {
		full = NULL;
		return mrg_error_set(err, -ENOMEM, "out of memory");
	}
	r = mrg_container_open(cli->m, full ? full : name, &c, err);
	if (r < 0)
		return r;
	if (cli->backend && strcmp(cli->backend, mrg_container_backend(c)) != 0)
		return mrg_error_set(err, -MRG_E_NOT_FOUND, "no container named '%s' on backend '%s': it is one of '%s'", name,
				     cli->backend, mrg_container_backend(c));
	*ret = take_ptr(c);
	return 0;
}

struct mrg_container *cli_open_first(struct cli *cli, int *ret_exit)
{
	struct mrg_container *c;
	struct mrg_error err;

	*ret_exit = cli->payload ? 125 : 1;
	if (!cli_context(cli))
		return NULL;
	if (cli_open(cli, cli->operands[0], &c, &err) < 0) {
		*ret_exit = cli_fail(cli, &err);
		return NULL;
	}
	cli->error_backend = mrg_container_backend(c);
	return c;
}

struct names {
	struct cli *cli;
	char **list;
	bool adopted;			/* those that others made as well */
	int exit;
};

/* With its backend: another may have one of the same name. */
static int add_name(struct mrg_container *c, void *data)
{
	_cleanup_free_ char *full = NULL;
	struct names *names = data;

	if (mrg_container_adopted(c) && !names->adopted)
		return 0;
	if (asprintf(&full, "%s:%s", mrg_container_backend(c), mrg_container_name(c)) < 0) {
		full = NULL;
		return -ENOMEM;
	}
	return strv_append(&names->list, full);
}

static void warn_broken(const char *name, const struct mrg_error *err, void *data)
{
	struct names *names = data;

	names->exit = cli_tell_left_out(names->cli, name, err);
}

/* The names are collected first: what is done to a container may remove it. What others made is meant only when its backend is named. */
static int all_names(struct cli *cli, char ***ret)
{
	struct names names = { .cli = cli, .adopted = cli->backend != NULL };
	struct mrg_error err = { 0 };
	int r = mrg_list(cli->m, cli->backend, add_name, warn_broken, &names, &err);

	*ret = names.list;
	return r < 0 ? cli_fail(cli, &err) : names.exit;
}

static int do_one(struct cli *cli, const char *name,
		  int (*each)(struct cli *cli, struct mrg_container *c, struct mrg_error *err))
{
	_cleanup_container_ struct mrg_container *c = NULL;
	struct mrg_error err = { 0 };
	int r = cli_open(cli, name, &c, &err);

	cli->error_backend = c ? mrg_container_backend(c) : NULL;
	if (r < 0 && r == -MRG_E_NOT_FOUND && cli->ignore)
		return 0;
	if (r >= 0)
		r = each(cli, c, &err);
	/* With --all a container that went away meanwhile needs nothing more. */
	if (r == -MRG_E_NOT_FOUND && cli->all)
		return 0;
	r = r < 0 ? cli_fail(cli, &err) : r;
	cli->error_backend = NULL;
	return r;
}

int cli_each(struct cli *cli, int (*each)(struct cli *cli, struct mrg_container *c, struct mrg_error *err))
{
	_cleanup_(strv_freep) char **names = NULL;
	int exit = 0, r;

	if (!cli_context(cli))
		return 1;
	if (cli->all && cli->n_operands > 0)
		return cli_usage(cli, NULL, "'--all' and names exclude each other");
	if (cli->all)
		exit = all_names(cli, &names);
	for (int i = 0; i < cli->n_operands; i++) {
		r = do_one(cli, cli->operands[i], each);
		exit = exit ? exit : r;
	}
	for (size_t i = 0; i < strv_length(names); i++) {
		r = do_one(cli, names[i], each);
		exit = exit ? exit : r;
	}
	return exit;
}

int cli_boundary(const struct mrg_backend_info *info, const struct mrg_spec *spec, const char **ret_reason)
{
	if (!info->probe.boundary && spec->ns_user && *spec->ns_user == '\0') {
		*ret_reason = "a user namespace of its own: root inside is an ordinary user on the host";
		return 1;
	}
	*ret_reason = info->probe.boundary_reason;
	return info->probe.boundary;
}
