/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files and the command that create and start amount to. */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include <moorage/format.h>

#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/str.h"
#include "nspawn.h"

/* For sh(1), whatever is in it. */
static void add_quoted(struct buffer *b, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,@%+";

	if (*word && word[strspn(word, plain)] == '\0') {
		buffer_addf(b, "%s", word);
		return;
	}
	buffer_addf(b, "'");
	for (; *word; word++)
		buffer_addf(b, *word == '\'' ? "'\\''" : "%c", *word);
	buffer_addf(b, "'");
}

static int say_file(const struct mrg_unit *unit, mrg_explain_fn line, void *data, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_(buffer_deinit) struct buffer b = { 0 };
	struct mrg_spec *reduced = NULL;
	char *dropin;
	int r = nspawn_reduce(unit->spec, &reduced, err);

	if (r < 0)
		return r;
	r = mrg_format_write("nspawn", reduced, &text, NULL, NULL, err);
	mrg_spec_free(reduced);
	if (r < 0)
		return r;
	dropin = strstr(text, "\n# /etc/systemd/system/");
	if (unit->transient && dropin)
		*dropin = '\0';
	buffer_addf(&b, "cat >%s/systemd/nspawn/%s.nspawn <<END\n%sEND", unit->transient ? "/run" : "/etc", unit->name, text);
	if (b.failed)
		return fail_memory(err);
	return line(b.text, data);
}

static int say_command(const struct mrg_unit *unit, mrg_explain_fn line, void *data, struct mrg_error *err)
{
	_cleanup_(strv_freep) char **argv = NULL;
	_cleanup_(buffer_deinit) struct buffer b = { 0 };
	struct mrg_spec *reduced = NULL;
	char *payload[] = { NULL };
	int r = nspawn_reduce(unit->spec, &reduced, err);

	if (r == 0)
		r = nspawn_command(unit, reduced, unit->spec->terminal ? "interactive" : "pipe", payload, &argv, err);
	mrg_spec_free(reduced);

	for (size_t i = 0; r == 0 && argv[i]; i++) {
		buffer_addf(&b, "%s", i ? " " : "");
		add_quoted(&b, argv[i]);
	}
	if (r == 0 && unit->spec->init)
		buffer_addf(&b, " moorage-init --");
	for (char **arg = unit->spec->args; r == 0 && arg && *arg; arg++) {
		buffer_addf(&b, " ");
		add_quoted(&b, *arg);
	}
	if (r == 0 && b.failed)
		r = fail_memory(err);
	return r < 0 ? r : line(b.text, data);
}

int nspawn_explain(void *self _unused_, const struct mrg_unit *unit, mrg_explain_fn line, void *data, struct mrg_error *err)
{
	int r = nspawn_check_name(unit->name, err);

	if (r == 0)
		r = say_file(unit, line, data, err);
	return r != 0 ? r : say_command(unit, line, data, err);
}
