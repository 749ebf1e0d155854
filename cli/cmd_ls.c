/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage ls and ps: containers */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/text.h"
#include "core/util/cleanup.h"
#include "core/util/proc.h"

enum {
	NAME, BACKEND, STATE, PID, UPTIME, MEMORY, ADDRESSES, AUTOSTART, CREATED, ROOT, COMMAND, EXIT, ID, STARTED, FINISHED, TRANSIENT,
	ADOPTED, OOM, MONITOR_LOST, LABELS,
};

static const struct column columns[] = {
	[NAME] = { "NAME", "name", 0, "name" },
	[BACKEND] = { "BACKEND", "backend", 0, "backend" },
	[STATE] = { "STATE", "state", 0, "created, running, paused or stopped" },
	[PID] = { "PID", "pid", COLUMN_RIGHT, "first process, on the host" },
	[UPTIME] = { "UPTIME", NULL, COLUMN_RIGHT, "time since the start" },
	[MEMORY] = { "MEMORY", "memory", COLUMN_RIGHT, "what it uses" },
	[ADDRESSES] = { "ADDRESSES", "addresses", 0, "in its network; 'host' when that is the host's" },
	[AUTOSTART] = { "AUTOSTART", "autostart", 0, "starts with the host" },
	[CREATED] = { "CREATED", "created", COLUMN_WIDE, "when it was made" },
	[ROOT] = { "ROOT", "root", COLUMN_TRUNCATE, "root directory" },
	[COMMAND] = { "COMMAND", "command", COLUMN_WIDE | COLUMN_TRUNCATE, "command line" },
	[EXIT] = { "EXIT", "exit", COLUMN_WIDE | COLUMN_RIGHT, "exit status of the last run" },
	[ID] = { "ID", "id", COLUMN_WIDE, "id" },
	[STARTED] = { "STARTED", "started", COLUMN_EXTRA, "last start" },
	[FINISHED] = { "FINISHED", "finished", COLUMN_EXTRA, "last end" },
	[TRANSIENT] = { "TRANSIENT", "transient", COLUMN_EXTRA, "removed when it ends" },
	[ADOPTED] = { "ADOPTED", "adopted", COLUMN_EXTRA, "made by the engine's own tools" },
	[OOM] = { "OOM-KILLED", "oomKilled", COLUMN_EXTRA, "the last run was killed for its memory" },
	[MONITOR_LOST] = { "MONITOR-LOST", "monitorLost", COLUMN_EXTRA, "the monitor of this run is gone" },
	[LABELS] = { "LABELS", "labels", COLUMN_EXTRA, "labels" },
	{ 0 }
};

struct walk {
	struct listing list;
	bool all;
	int exit;
};

static bool has_label(const struct mrg_spec *spec, const char *wanted)
{
	size_t length = strcspn(wanted, "=");

	for (size_t i = 0; i < spec->labels.n; i++)
		if (strlen(spec->labels.item[i].key) == length && strncmp(spec->labels.item[i].key, wanted, length) == 0 &&
		    (!wanted[length] || strcmp(spec->labels.item[i].value, wanted + length + 1) == 0))
			return true;
	return false;
}

static bool has_labels(struct cli *cli, struct mrg_container *c)
{
	for (char **filter = cli->filter; filter && *filter; filter++)
		if (strncmp(*filter, "label=", 6) == 0 && !has_label(mrg_container_spec(c), *filter + 6))
			return false;
	return true;
}

/* The command line as text, and as an array. */
static void set_command(struct value *v, const struct mrg_spec *spec)
{
	struct buffer text = { .text = NULL }, json = { .text = NULL };

	buffer_addf(&json, "[");
	for (char **arg = spec->args; arg && *arg; arg++) {
		buffer_addf(&text, "%s%s", arg == spec->args ? "" : " ", *arg);
		buffer_addf(&json, "%s", arg == spec->args ? "" : ",");
		json_text(&json, *arg, strlen(*arg));
	}
	buffer_addf(&json, "]");
	if (!spec->args)
		buffer_addf(&text, spec->boot ? "(init)" : "");
	v->type = VALUE_JSON;
	v->text = text.text;
	v->json = json.text;
}

static void set_labels(struct value *v, const struct mrg_spec *spec)
{
	struct buffer text = { .text = NULL }, json = { .text = NULL };

	buffer_addf(&json, "{");
	for (size_t i = 0; i < spec->labels.n; i++) {
		const struct mrg_pair *pair = &spec->labels.item[i];

		buffer_addf(&text, "%s%s=%s", i ? "," : "", pair->key, pair->value);
		buffer_addf(&json, "%s", i ? "," : "");
		json_text(&json, pair->key, strlen(pair->key));
		buffer_addf(&json, ":");
		json_text(&json, pair->value, strlen(pair->value));
	}
	buffer_addf(&json, "}");
	v->type = VALUE_JSON;
	v->text = text.text;
	v->json = json.text;
}

static int add_address(const char *address, void *data)
{
	struct buffer *lists = data;	/* for people, and as JSON */

	buffer_addf(&lists[0], "%s%s", lists[0].length ? "," : "", address);
	buffer_addf(&lists[1], "%s\"%s\"", lists[1].length > 1 ? "," : "", address);
	return 0;
}

static void set_addresses(struct value *v, struct mrg_container *c)
{
	struct buffer lists[2] = { { .text = NULL }, { .text = NULL } };
	int r;

	buffer_addf(&lists[1], "[");
	r = mrg_addresses(c, add_address, lists, NULL);
	if (r == 1)
		buffer_addf(&lists[0], "host");
	buffer_addf(&lists[1], "]");
	if (r < 0) {
		buffer_deinit(&lists[0]);
		buffer_deinit(&lists[1]);
		return;
	}
	v->type = VALUE_JSON;
	v->text = lists[0].text;
	v->json = lists[1].text;
}

/* What costs a look into the kernel or the engine, each only when somebody wants to see it. */
static void set_looked_up(const struct listing *l, struct value *row, struct mrg_container *c, bool alive)
{
	struct mrg_stats stats;
	int on = listing_wants(l, AUTOSTART) ? mrg_autostart(c, -1, NULL) : -1;

	if (alive && listing_wants(l, ADDRESSES))
		set_addresses(&row[ADDRESSES], c);
	if (alive && listing_wants(l, MEMORY) && mrg_stats(c, &stats, NULL) == 0 && stats.valid >> MRG_STAT_MEMORY & 1)
		value_number(&row[MEMORY], VALUE_SIZE, stats.memory);
	if (on >= 0)
		value_number(&row[AUTOSTART], VALUE_BOOL, (uint64_t)on);
}

static void set_status(struct value *row, const struct mrg_status *status)
{
	bool alive = status->state == MRG_STATE_RUNNING || status->state == MRG_STATE_PAUSED;

	value_text(&row[STATE], state_name(status->state));
	if (status->pid > 0)
		value_number(&row[PID], VALUE_NUMBER, (uint64_t)status->pid);
	if (status->started) {
		value_number(&row[STARTED], VALUE_TIME, (uint64_t)status->started);
		if (alive)
			value_number(&row[UPTIME], VALUE_SPAN, (uint64_t)(time_now_ns() - status->started));
	}
	if (status->finished)
		value_number(&row[FINISHED], VALUE_TIME, (uint64_t)status->finished);
	if (status->has_exit)
		value_number(&row[EXIT], VALUE_NUMBER, (uint64_t)mrg_exit_code(status->exit_status));
	value_number(&row[OOM], VALUE_BOOL, (uint64_t)status->oom_killed);
	value_number(&row[MONITOR_LOST], VALUE_BOOL, (uint64_t)status->monitor_lost);
}

static void set_record(struct value *row, struct mrg_container *c)
{
	value_text(&row[NAME], mrg_container_name(c));
	value_text(&row[BACKEND], mrg_container_backend(c));
	value_text(&row[ID], mrg_container_id(c));
	if (mrg_container_created(c))
		value_number(&row[CREATED], VALUE_TIME, (uint64_t)mrg_container_created(c));
	value_number(&row[ADOPTED], VALUE_BOOL, (uint64_t)mrg_container_adopted(c));
	value_number(&row[TRANSIENT], VALUE_BOOL, (uint64_t)mrg_container_transient(c));
}

/* What the spec says. That is not read as a whole for the root alone. */
static int set_spec(const struct listing *l, struct value *row, struct mrg_container *c, struct mrg_error *err)
{
	bool command = listing_wants(l, COMMAND), labels = listing_wants(l, LABELS);
	const char *root = NULL;
	int r;

	if (command)
		set_command(&row[COMMAND], mrg_container_spec(c));
	if (labels)
		set_labels(&row[LABELS], mrg_container_spec(c));
	r = mrg_container_root(c, &root, err);
	value_text(&row[ROOT], root && strcmp(root, "/") == 0 ? "host" : root);
	return r;
}

static int found(struct mrg_container *c, void *data)
{
	struct walk *walk = data;
	struct mrg_error err = { 0 };
	struct mrg_status status;
	struct value *row;
	bool alive;
	int r;

	if (!has_labels(walk->list.cli, c))
		return 0;
	r = mrg_container_status(c, &status, &err);
	if (r == -MRG_E_NOT_FOUND)
		return 0;
	if (r < 0) {
		walk->exit = cli_warn(walk->list.cli, &err);
		status = (struct mrg_status){ .state = -1 };
	}
	alive = status.state == MRG_STATE_RUNNING || status.state == MRG_STATE_PAUSED;
	if (!walk->all && !alive)
		return 0;
	row = listing_row(&walk->list);
	if (!row)
		return 0;
	set_record(row, c);
	set_status(row, &status);
	set_looked_up(&walk->list, row, c, alive);
	r = set_spec(&walk->list, row, c, &err);
	/* Removed since its state was seen, which was true then. */
	if (r < 0 && r != -MRG_E_NOT_FOUND)
		walk->exit = cli_warn(walk->list.cli, &err);
	return 0;
}

static void broken(const char *name, const struct mrg_error *err, void *data)
{
	struct walk *walk = data;

	walk->exit = cli_tell_left_out(walk->list.cli, name, err);
}

/* Nothing found may mean that the backend was misspelt. */
static int check_backend(struct walk *walk, struct mrg_error *err)
{
	struct cli *cli = walk->list.cli;
	struct mrg_backend_info info;

	return cli->backend && walk->list.n_rows == 0 ? mrg_backend_info(cli->m, cli->backend, &info, err) : 0;
}

static int list(struct cli *cli, bool all)
{
	struct walk walk = { .all = all };
	struct mrg_error err = { 0 };
	int exit = listing_begin(&walk.list, cli, columns, "moorage/list/v1");

	if (exit == 0 && cli_context(cli)) {
		if (mrg_list(cli->m, cli->backend, found, broken, &walk, &err) < 0 || check_backend(&walk, &err) < 0)
			exit = cli_fail(cli, &err);
		else
			exit = listing_print(&walk.list);
	}
	listing_deinit(&walk.list);
	return exit ? exit : walk.exit;
}

int cmd_ls(struct cli *cli)
{
	return list(cli, true);
}

int cmd_ps(struct cli *cli)
{
	return list(cli, cli->all);
}
