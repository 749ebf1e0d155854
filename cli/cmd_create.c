/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage create: a container from the command line. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/spec_build.h"
#include "cli/text.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"

int write_new_file(const char *path, const char *text, struct mrg_error *err)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int r = fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));

	if (r == 0)
		r = fd_write_all(fd, "\n", 1);
	return r < 0 ? fail_errno(err, r, "cannot write '%s'", path) : 0;
}

/* Before anything is made: a file that is there would be found out too late. */
static int check_new_file(struct cli *cli, const char *option, const char *path)
{
	if (!path || access(path, F_OK) < 0)
		return 0;
	return cli_usage(cli, "remove it first", "option '%s': '%s' exists already", option, path);
}

static int print_line(const char *text, void *data)
{
	(void)data;
	text_print(stdout, text);
	if (!*text || text[strlen(text) - 1] != '\n')
		putchar('\n');
	return 0;
}

static int add_line(const char *text, void *data)
{
	struct buffer *b = data;
	size_t length = strlen(text);

	if (b->length)
		buffer_add(b, ",", 1);
	json_text(b, text, length && text[length - 1] == '\n' ? length - 1 : length);
	return 0;
}

int explain(struct cli *cli, const struct mrg_create *create, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer lines = { .text = NULL };
	bool json = cli->output == FORMAT_JSON || cli->output == FORMAT_JSONL;
	int r = mrg_explain(cli->m, create, json ? add_line : print_line, &lines, err);

	if (r < 0 || lines.failed)
		return cli_fail(cli, r < 0 ? err : (mrg_error_set(err, -ENOMEM, "out of memory"), err));
	if (json)
		printf("{\"schema\":\"moorage/explain/v1\",\"backend\":\"%s\",\"lines\":[%s]}\n", create->backend,
		       lines.text ? lines.text : "");
	return 0;
}

static void tell_dropped(struct cli *cli, const char *backend, const struct mrg_fields *dropped)
{
	for (unsigned int field = 0; field < MRG_FIELD_MAX; field++)
		if (mrg_fields_has(dropped, field))
			cli_note(cli, "warning: backend '%s' cannot honour %s: dropped", backend, mrg_field_info(field)->name);
}

/* The backend that will do it, found usable. */
static int choose_backend(struct cli *cli, const char **ret_name, struct mrg_backend_info *ret, struct mrg_error *err)
{
	int r = 0;

	*ret_name = cli->backend;
	if (!cli->backend)
		r = mrg_default_backend(cli->m, ret_name, err);
	if (r < 0)
		return r;
	cli->error_backend = *ret_name;
	/* What run will need soonest comes up while we work. */
	if (cli->payload && !cli->explain)
		mrg_launch_ahead(cli->m, *ret_name, NULL);
	r = mrg_backend_info(cli->m, *ret_name, ret, err);
	if (r < 0)
		return r;
	if (!ret->usable) {
		*err = ret->error;
		return err->code;
	}
	return 0;
}

static int make(struct cli *cli, struct mrg_create *create, struct mrg_container **ret, struct mrg_error *err)
{
	_cleanup_container_ struct mrg_container *c = NULL;
	struct mrg_fields dropped = { 0 };
	int r;

	create->ret_dropped = &dropped;
	r = mrg_create(cli->m, create, &c, err);
	if (r < 0)
		return r;
	tell_dropped(cli, create->backend, &dropped);
	if (cli->cidfile)
		r = write_new_file(cli->cidfile, mrg_container_id(c), err);
	if (r < 0) {
		mrg_remove(c, MRG_REMOVE_FORCE, NULL);
		return r;
	}
	*ret = take_ptr(c);
	return 0;
}

int create_container(struct cli *cli, unsigned int flags, struct mrg_container **ret)
{
	_cleanup_spec_ struct mrg_spec *spec = NULL;
	struct mrg_create create = { .name = cli->name, .flags = flags };
	struct mrg_backend_info info;
	struct mrg_error err = { 0 };
	int r = check_new_file(cli, "--cidfile", cli->cidfile);

	*ret = NULL;
	if (r == 0)
		r = check_new_file(cli, "--pidfile", cli->pidfile);
	if (r != 0)
		return r;
	if (!cli_context(cli))
		return cli->payload ? 125 : 1;
	r = choose_backend(cli, &create.backend, &info, &err);
	if (r == 0)
		r = spec_build(cli, create.backend, &info.probe.fields, &spec, &err);
	if (r < 0)
		return cli_fail(cli, &err);
	create.spec = spec;
	create.flags |= (cli->best_effort ? MRG_CREATE_BEST_EFFORT : 0) | (cli->replace ? MRG_CREATE_REPLACE : 0);
	if (cli->explain)
		return explain(cli, &create, &err);
	r = make(cli, &create, ret, &err);
	return r < 0 ? cli_fail(cli, &err) : 0;
}

int cmd_create(struct cli *cli)
{
	_cleanup_container_ struct mrg_container *c = NULL;
	int exit = create_container(cli, 0, &c);

	if (c && !cli->quiet)
		puts(mrg_container_name(c));
	return exit;
}
