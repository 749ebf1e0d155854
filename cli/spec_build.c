/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From options to a spec: the root, the command, the options, the defaults between them. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "cli/spec_build.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/json.h"

int no_memory(struct mrg_error *err)
{
	return mrg_error_set(err, -ENOMEM, "out of memory");
}

char *next_part(char **at, char separator)
{
	const char separators[] = { separator, '\0' };

	return *at && **at ? strsep(at, separators) : NULL;
}

/* The library names a place in the spec; who typed an option wants to read its name. */
static int name_option(const struct option_spec *o, struct mrg_error *err)
{
	struct mrg_error plain = *err;
	const char *message = plain.message;

	if (message[0] == '/' && strstr(message, ": "))
		message = strstr(message, ": ") + 2;
	return mrg_error_set(err, plain.code, "option '--%.*s': %s", (int)strcspn(o->names, " "), o->names, message);
}

int spec_apply(struct builder *b, int phase, struct mrg_error *err)
{
	int r = 0;

	for (size_t i = 0; i < b->cli->n_settings && r == 0; i++) {
		const struct setting *s = &b->cli->settings[i];

		if (s->option->phase != phase)
			continue;
		r = s->option->apply(b, s->option, s->text, err);
		if (r < 0)
			return name_option(s->option, err);
	}
	return r;
}

int file_read(const char *path, size_t max, char **ret, size_t *ret_length, struct mrg_error *err)
{
	_cleanup_close_ int opened = strcmp(path, "-") == 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	ssize_t n;

	if (opened < 0 && strcmp(path, "-") != 0) {
		/* "not found" is said of containers only. */
		fail_errno(err, -errno, "cannot read '%s'", path);
		return err->code = err->code == -ENOENT ? -MRG_E_INVALID : err->code;
	}
	text = malloc(max + 1);
	if (!text)
		return no_memory(err);
	n = fd_read_all(opened < 0 ? STDIN_FILENO : opened, text, max + 1);
	if (n < 0)
		return fail_errno(err, (int)n, "cannot read '%s'", path);
	if ((size_t)n > max)
		return mrg_error_set(err, -MRG_E_INVALID, "'%s' is larger than %zu KiB", path, max >> 10);
	text[n] = '\0';
	*ret_length = (size_t)n;
	*ret = take_ptr(text);
	return 0;
}

static int read_spec_file(const char *path, struct mrg_spec **ret, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r = file_read(path, JSON_MAX_SIZE, &text, &length, err);

	if (r < 0)
		return r;
	r = mrg_spec_parse(text, length, ret, err);
	if (r < 0)
		mrg_error_prefix(err, "%s", path);
	return r;
}

static int set_root(struct builder *b, const char *text, struct mrg_error *err)
{
	_cleanup_free_ char *real = NULL;
	struct stat st;
	int r;

	if (strcmp(text, "host") == 0) {
		r = mrg_spec_set(b->spec, MRG_FIELD_ROOT_PATH, "/", err);
		return r < 0 ? r : mrg_spec_set(b->spec, MRG_FIELD_EPHEMERAL, "yes", err);
	}
	real = realpath(text, NULL);
	if (!real && errno == ENOENT)
		return mrg_error_set(err, -MRG_E_INVALID, "there is no directory '%s'", text);
	if (!real || stat(real, &st) < 0)
		return fail_errno(err, -errno, "cannot use '%s' as a root", text);
	if (!S_ISDIR(st.st_mode))
		return mrg_error_set(err, -MRG_E_INVALID, "'%s' is not a directory", text);
	return mrg_spec_set(b->spec, MRG_FIELD_ROOT_PATH, real, err);
}

/* A root typed as operand has a slash or is ".", ".." or "host"; all else will be the name of an image. */
static int check_root_word(const char *text, struct mrg_error *err)
{
	if (strchr(text, '/') || word_in("host . ..", text))
		return 0;
	mrg_error_set(err, -MRG_E_INVALID, "'%s' is no directory path, and images come in a later version", text);
	return mrg_error_hint(err, "a directory needs a slash: ./%s; the host's own root is called 'host'", text);
}

/* Takes the root, and gives where the command begins. */
static int take_root(struct builder *b, int *ret_command, struct mrg_error *err)
{
	const struct cli *cli = b->cli;
	int r;

	*ret_command = 0;
	if (cli->rootfs)
		return set_root(b, cli->rootfs, err);
	if (cli->n_operands == 0 || (cli->from && cli->dashes)) {
		if (cli->from)
			return 0;
		mrg_error_set(err, -MRG_E_INVALID, "no root was given");
		return mrg_error_hint(err,
				      "usage: moorage %s [OPTION...] ROOT [COMMAND...]; ROOT is a directory such as "
				      "./root, or 'host'",
				      cli->verb->name);
	}
	r = check_root_word(cli->operands[0], err);
	if (r == 0)
		r = set_root(b, cli->operands[0], err);
	*ret_command = 1;
	return r;
}

/* No command begins so, unless it says so with "--"; after a command of its own (--entrypoint) it is an argument. */
static bool is_late_option(const struct cli *cli, int from)
{
	return !cli->dashes && !cli->entrypoint && from < cli->n_operands && cli->operands[from][0] == '-';
}

static int late_option(const struct cli *cli, const char *text, struct mrg_error *err)
{
	mrg_error_set(err, -MRG_E_INVALID, "'%s' stands where the command should be", text);
	return mrg_error_hint(err, "options stand before the root: moorage %s [OPTION...] ROOT -- COMMAND", cli->verb->name);
}

static int set_command(struct builder *b, int from, struct mrg_error *err)
{
	const struct cli *cli = b->cli;
	const char *entry = cli->entrypoint && *cli->entrypoint ? cli->entrypoint : NULL;
	int r = 0;

	if (!cli->dashes && from < cli->n_operands && strcmp(cli->operands[from], "--") == 0)
		from++;
	else if (is_late_option(cli, from))
		return late_option(cli, cli->operands[from], err);
	if (b->spec->boot && (entry || from < cli->n_operands))
		return mrg_error_set(err, -MRG_E_INVALID, "'--boot' runs the root's own init: it takes no command");
	if (entry || from < cli->n_operands) {
		mrg_fields_remove(&b->spec->set, MRG_FIELD_ARGS);
		b->spec->args = NULL;
	}
	if (entry)
		r = mrg_spec_set(b->spec, MRG_FIELD_ARGS, entry, err);
	for (int i = from; i < cli->n_operands && r == 0; i++)
		r = mrg_spec_set(b->spec, MRG_FIELD_ARGS, cli->operands[i], err);
	if (r == 0 && !b->spec->boot && !mrg_fields_has(&b->spec->set, MRG_FIELD_ARGS))
		r = mrg_spec_set(b->spec, MRG_FIELD_ARGS, "/bin/sh", err);
	return r;
}

/* The size the terminal has now, so that a program that asks first thing is told right. */
static int set_console_size(struct builder *b, struct mrg_error *err)
{
	struct winsize size;
	char text[64];

	if (!mrg_fields_has(b->able, MRG_FIELD_CONSOLE_SIZE) || ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0 ||
	    !size.ws_row)
		return 0;
	snprintf(text, sizeof(text), "{\"height\":%u,\"width\":%u}", size.ws_row, size.ws_col);
	return mrg_spec_set(b->spec, MRG_FIELD_CONSOLE_SIZE, text, err);
}

static int set_streams(struct builder *b, struct mrg_error *err)
{
	int r = 0;

	/* A system that boots writes to a console and asks for a login there. */
	if (b->cli->tty || (b->spec->boot && mrg_fields_has(b->able, MRG_FIELD_TERMINAL)))
		r = mrg_spec_set(b->spec, MRG_FIELD_TERMINAL, "yes", err);
	if (r == 0 && b->spec->terminal)
		r = set_console_size(b, err);
	if (r == 0 && (b->cli->interactive || (b->spec->boot && mrg_fields_has(b->able, MRG_FIELD_STDIN))))
		r = mrg_spec_set(b->spec, MRG_FIELD_STDIN, "yes", err);
	return r;
}

static int fill_in(struct builder *b, struct mrg_error *err)
{
	int command, r = take_root(b, &command, err);

	if (r == 0)
		r = spec_apply(b, PHASE_BEFORE, err);
	if (r == 0)
		r = set_command(b, command, err);
	if (r == 0)
		r = set_streams(b, err);
	/* A whole spec is taken as it is. */
	if (r == 0 && !b->cli->from)
		r = mrg_spec_default(b->spec, b->able, err);
	for (int phase = PHASE_PRIVILEGED; r == 0 && phase <= PHASE_AFTER; phase++)
		r = spec_apply(b, phase, err);
	return r;
}

int spec_build(struct cli *cli, const char *backend, const struct mrg_fields *able, struct mrg_spec **ret,
	       struct mrg_error *err)
{
	_cleanup_spec_ struct mrg_spec *spec = NULL;
	struct builder b = { .cli = cli, .backend = backend, .able = able };
	int r;

	if (cli->from) {
		r = read_spec_file(cli->from, &spec, err);
		if (r < 0)
			return r;
	} else {
		spec = mrg_spec_new();
	}
	if (!spec)
		return no_memory(err);
	b.spec = spec;
	r = fill_in(&b, err);
	if (r == 0)
		*ret = take_ptr(spec);
	return r;
}
