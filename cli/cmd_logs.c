/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage logs */

#include "config.h"

#include <string.h>

#include "cli/commands.h"
#include "cli/text.h"
#include "core/util/cleanup.h"
#include "core/util/str.h"

struct printer {
	struct cli *cli;
	const char *name; /* prefix when there are several; else NULL */
	const char *container, *backend;
	bool continues[3]; /* the last line of the stream was cut */
	FILE *last;	   /* written to */
};

static void print_json_line(const struct printer *p, const struct mrg_log_line *line)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };
	char time[TEXT_SIZE];

	buffer_addf(
		&b,
		"{\"schema\":\"moorage/log/"
		"v1\",\"name\":\"%s\",\"backend\":\"%s\",\"time\":\"%s\",\"stream\":\"%s\",\"partial\":%s,\"text\":",
		p->container, p->backend, text_time(time, line->time), line->stream == 2 ? "stderr" : "stdout",
		line->partial ? "true" : "false");
	json_text(&b, line->text, line->length);
	buffer_addf(&b, "}\n");
	if (!b.failed)
		fputs(b.text, stdout);
}

static void print_text(const struct printer *p, FILE *file, const struct mrg_log_line *line)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };

	if (p->cli->raw || !isatty(fileno(file))) {
		fwrite(line->text, 1, line->length, file);
		return;
	}
	text_escape(&b, line->text, line->length, "\t\r");
	if (b.text && !b.failed)
		fputs(b.text, file);
}

static int print_line(const struct mrg_log_line *line, void *data)
{
	struct printer *p = data;
	FILE *file = line->stream == 2 ? stderr : stdout;
	int stream = line->stream == 2 ? 2 : 1;
	char time[TEXT_SIZE];

	/* Both may lead to one place; the order of the lines is that of the log. */
	if (p->last && p->last != file)
		fflush(p->last);
	p->last = file;
	if (p->cli->output == FORMAT_JSON || p->cli->output == FORMAT_JSONL) {
		print_json_line(p, line);
	} else {
		if (!p->continues[stream] && p->name)
			fprintf(file, "%s  ", p->name);
		if (!p->continues[stream] && p->cli->timestamps)
			fprintf(file, "%s ", text_time(time, line->time));
		print_text(p, file, line);
		if (!line->partial)
			fputc('\n', file);
		p->continues[stream] = line->partial;
	}
	if (p->cli->follow)
		fflush(file);
	return ferror(file) ? 1 : 0;
}

static int bounds(struct cli *cli, struct mrg_log_query *ret)
{
	*ret = (struct mrg_log_query){ .tail = -1, .follow = cli->follow };
	if (cli->tail && strcmp(cli->tail, "all") != 0 && (parse_int64(cli->tail, &ret->tail) < 0 || ret->tail < -1))
		return cli_usage(cli, NULL, "option '--tail' takes a number of lines or all, not '%s'", cli->tail);
	if (cli->since && text_parse_time(cli->since, &ret->since) < 0)
		return cli_usage(cli, NULL, "option '--since' takes a time or a span such as 10m, not '%s'",
				 cli->since);
	if (cli->until && text_parse_time(cli->until, &ret->until) < 0)
		return cli_usage(cli, NULL, "option '--until' takes a time or a span such as 10m, not '%s'",
				 cli->until);
	return 0;
}

static int logs_one(struct cli *cli, struct mrg_container *c, struct mrg_error *err)
{
	struct printer p = { .cli = cli, .container = mrg_container_name(c), .backend = mrg_container_backend(c) };
	struct mrg_log_query query;
	int r = bounds(cli, &query);

	if (r != 0)
		return r;
	if (cli->n_operands > 1)
		p.name = mrg_container_name(c);
	r = mrg_logs(c, &query, print_line, &p, err);
	/* The next container begins on a line of its own. */
	if (p.name && p.continues[1])
		putchar('\n');
	if (p.name && p.continues[2])
		fputc('\n', stderr);
	return r < 0 ? r : 0;
}

int cmd_logs(struct cli *cli)
{
	struct mrg_log_query query;
	int r = bounds(cli, &query);

	if (r != 0)
		return r;
	if (cli->follow && cli->n_operands > 1)
		return cli_usage(cli, NULL, "'--follow' takes one container");
	return cli_each(cli, logs_one);
}
