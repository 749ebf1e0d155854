/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Failures: exit statuses from one table, and how they are told. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/text.h"
#include "core/util/cleanup.h"
#include "core/util/str.h"

/* Exit statuses of verbs that run no payload; what is not here is 1. */
static const struct {
	int code, exit;
} exits[] = {
	{ MRG_E_NOT_FOUND, 3 }, { MRG_E_STATE, 4 }, { MRG_E_NOT_RUNNING, 4 }, { MRG_E_NO_ENGINE, 5 }, { MRG_E_ABI, 5 },
	{ MRG_E_UNSUPPORTED, 6 }, { MRG_E_KERNEL, 6 }, { MRG_E_PERMISSION, 7 }, { EACCES, 7 }, { MRG_E_TIMEOUT, 8 },
	{ MRG_E_EXISTS, 9 }, { MRG_E_AMBIGUOUS, 9 }, { MRG_E_BUSY, 9 }, { MRG_E_INVALID, 2 },
};

int exit_code_of(const struct cli *cli, int code)
{
	if (cli->payload)
		return code == -MRG_E_NO_COMMAND ? 127 : code == -MRG_E_NOT_EXECUTABLE ? 126 : 125;
	for (size_t i = 0; i < ARRAY_SIZE(exits); i++)
		if (exits[i].code == -code)
			return exits[i].exit;
	return 1;
}

static void member(struct buffer *b, const char *name, const char *value)
{
	buffer_addf(b, ",\"%s\":", name);
	if (value)
		json_text(b, value, strlen(value));
	else
		buffer_addf(b, "null");
}

static void print_json(const struct cli *cli, int code, const char *message, const char *hint, int exit)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };

	buffer_addf(&b, "{\"error\":{\"code\":\"%s\"", mrg_error_name(code));
	member(&b, "message", message);
	member(&b, "backend", cli->error_backend);
	buffer_addf(&b, ",\"errno\":%d", -code);
	member(&b, "hint", hint);
	buffer_addf(&b, ",\"exit\":%d}}\n", exit);
	if (!b.failed)
		fputs(b.text, stderr);
}

static int tell(struct cli *cli, const char *word, int code, const char *message, int exit)
{
	_cleanup_free_ char *copy = strdup(message);
	char *hint;

	if (!copy)
		return exit;
	hint = strchr(copy, '\n');
	if (hint)
		*hint++ = '\0';
	if (cli->output == FORMAT_JSON || cli->output == FORMAT_JSONL) {
		print_json(cli, code, copy, hint, exit);
		return exit;
	}
	fprintf(stderr, "%smoorage: %s:%s ", style_of(cli, stderr, STYLE_ERROR), word, style_of(cli, stderr, STYLE_NONE));
	text_print(stderr, copy);
	fputc('\n', stderr);
	for (char *line; hint && (line = strsep(&hint, "\n"));) {
		fputs("hint: ", stderr);
		text_print(stderr, line);
		fputc('\n', stderr);
	}
	return exit;
}

int cli_fail(struct cli *cli, const struct mrg_error *err)
{
	return tell(cli, "error", err->code, err->message, exit_code_of(cli, err->code));
}

int cli_warn(struct cli *cli, const struct mrg_error *err)
{
	return tell(cli, "warning", err->code, err->message, 1);
}

int cli_tell_left_out(struct cli *cli, const char *name, const struct mrg_error *err)
{
	return cli->backend && strcmp(cli->backend, name) == 0 ? cli_fail(cli, err) : cli_warn(cli, err);
}

int cli_usage(struct cli *cli, const char *hint, const char *format, ...)
{
	struct mrg_error err;
	va_list args;

	va_start(args, format);
	mrg_error_setv(&err, -MRG_E_INVALID, format, args);
	va_end(args);
	if (hint)
		mrg_error_hint(&err, "%s", hint);
	return tell(cli, "error", err.code, err.message, cli->payload ? 125 : 2);
}

void cli_note(const struct cli *cli, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;
	int n;

	if (cli->quiet)
		return;
	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0) {
		text = NULL;
		return;
	}
	fputs("moorage: ", stderr);
	text_print(stderr, text);
	fputc('\n', stderr);
}
