/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How far a migration, an export or an import has come. */

#include "config.h"

#include <string.h>
#include <unistd.h>

#include "cli/migration.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "core/util/cleanup.h"
#include "core/util/proc.h"

#define BAR_WIDTH	30
#define SHOW_MS		100		/* between two looks at the same step: files are told one by one */

static const struct {
	const char *name;
	enum progress_mode mode;
} modes[] = { { "none", PROGRESS_NONE }, { "lines", PROGRESS_LINES }, { "bar", PROGRESS_BAR }, { "json", PROGRESS_JSON } };

int migration_progress_begin(struct migration_progress *p, struct cli *cli, enum progress_mode usual, bool interruptible)
{
	*p = (struct migration_progress){ .cli = cli, .signals = -1 };
	p->mode = cli->quiet ? PROGRESS_NONE : isatty(STDERR_FILENO) ? PROGRESS_BAR : usual;
	for (size_t i = 0; cli->progress && i < ARRAY_SIZE(modes); i++)
		if (strcmp(cli->progress, modes[i].name) == 0) {
			p->mode = modes[i].mode;
			break;
		} else if (i + 1 == ARRAY_SIZE(modes) && strcmp(cli->progress, "auto") != 0) {
			return cli_usage(cli, "it is auto, none, lines, bar or json", "'%s' is no way to show progress", cli->progress);
		}
	if (interruptible)
		p->signals = terminal_catch_end(cli);
	return interruptible && p->signals < 0 ? 1 : 0;
}

void migration_progress_end(struct migration_progress *p)
{
	if (p->open)
		fputc('\n', stderr);
	p->open = false;
	if (p->signals >= 0)
		terminal_release();
}

static void show_json(const struct mrg_progress *progress)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };

	buffer_addf(&b, "{\"schema\":\"moorage/progress/v1\",\"step\":");
	json_text(&b, progress->step, strlen(progress->step));
	buffer_addf(&b, ",\"text\":");
	json_text(&b, progress->text, strlen(progress->text));
	buffer_addf(&b, ",\"number\":%u,\"total\":%u,\"done\":%llu,\"size\":%llu}\n", progress->number, progress->total, (unsigned long long)progress->done,
		    (unsigned long long)progress->size);
	if (!b.failed)
		fputs(b.text, stderr);
}

/* Of bytes a bar, of anything else the step. */
static void show_bar(struct migration_progress *p, const struct mrg_progress *progress)
{
	unsigned int filled = progress->size ? (unsigned int)(progress->done * BAR_WIDTH / progress->size) : 0;
	char done[TEXT_SIZE];

	if (filled > BAR_WIDTH)
		filled = BAR_WIDTH;
	if (progress->done && !progress->size)
		fprintf(stderr, "\r\033[K%-10s %s", progress->step, text_size(done, progress->done));
	else if (progress->done)
		fprintf(stderr, "\r\033[K%-10s [%.*s%*s] %s", progress->step, (int)filled, "##############################", (int)(BAR_WIDTH - filled), "",
			text_size(done, progress->done));
	else
		fprintf(stderr, "\r\033[K%-10s ", progress->step);
	if (!progress->done)
		text_print(stderr, progress->text);
	fflush(stderr);
	p->open = true;
}

static void show_line(const struct mrg_progress *progress)
{
	if (progress->total == 0 || progress->done > 0)
		return;
	fprintf(stderr, "%s: ", progress->step);
	text_print(stderr, progress->text);
	fputc('\n', stderr);
}

int migration_progress_show(const struct mrg_progress *progress, void *data)
{
	struct migration_progress *p = data;
	int64_t now = time_monotonic_ms();

	bool again = progress->step == p->step && progress->text == p->text;

	if ((again || progress->done > 0) && now - p->shown < SHOW_MS)
		return 0;
	p->shown = now;
	p->step = progress->step;
	p->text = progress->text;
	if (p->mode == PROGRESS_JSON)
		show_json(progress);
	else if (p->mode == PROGRESS_BAR)
		show_bar(p, progress);
	else if (p->mode == PROGRESS_LINES && !again)
		show_line(progress);
	return p->signals >= 0 && terminal_signal(p->signals) != 0;
}

void migration_progress_note(const char *text, void *data)
{
	struct migration_progress *p = data;

	if (p->open)
		fputs("\r\033[K", stderr);
	p->open = false;
	cli_note(p->cli, "note: %s", text);
}
