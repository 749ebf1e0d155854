/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files of a record: written whole, read with distrust. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/store/internal.h"
#include "core/util/backend_name.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/json_table.h"
#include "core/util/proc.h"

#define STORE_FORMAT	1
#define SPEC_MAX	(4 * 1024 * 1024 + 1)
#define ID_LENGTH	16

#define ROW(structure, type, key, member)		{ key, JSON_ROW_##type, offsetof(structure, member), false }
#define OPTIONAL_ROW(structure, type, key, member)	{ key, JSON_ROW_##type, offsetof(structure, member), true }

#define _cleanup_json_ _cleanup_(json_freep)

static int damaged(const struct record *record, const char *file, const char *what, struct mrg_error *err)
{
	mrg_error_set(err, -EBADMSG, "the record of container '%s' is damaged: '%s' %s", record->name, file, what);
	mrg_error_hint(err, "remove it with: moorage rm -f %s", record->name);
	return -EBADMSG;
}

static int cannot_write(const struct record *record, const char *file, int r, struct mrg_error *err)
{
	return fail_errno(err, r, "cannot write '%s' of container '%s'", file, record->name);
}

static int write_file(const struct record *record, const char *file, const char *text, bool durable, struct mrg_error *err)
{
	int r = record->unnamed ? fd_make_file(record->dir, file, text, strlen(text), durable) :
				  fd_replace_file(record->dir, file, text, strlen(text), durable);

	return r < 0 ? cannot_write(record, file, r, err) : 0;
}

/* Replaces @file by what @rows make of @from. */
static int write_json(const struct record *record, const char *file, const struct json_row *rows, const void *from, bool durable,
		      struct mrg_error *err)
{
	struct buffer b = { 0 };
	int r = json_table_write(&b, rows, from);

	if (r < 0)
		fail_errno(err, r, "cannot write '%s' of container '%s'", file, record->name);
	else
		r = b.failed ? fail_memory(err) : write_file(record, file, b.text, durable, err);
	buffer_deinit(&b);
	return r;
}

/* An empty file is none: what a power cut leaves of a file that was not synced. */
static int parse_json(const struct record *record, const char *file, const char *text, size_t length, struct json **ret, struct mrg_error *err)
{
	_cleanup_json_ struct json *json = NULL;
	int r;

	if (!text || length == 0)
		return 0;
	r = json_parse(text, length, &json, NULL);
	if (r == -ENOMEM)
		return fail_memory(err);
	if (r < 0 || json->type != JSON_OBJECT)
		return damaged(record, file, "is not a JSON object", err);
	*ret = take_ptr(json);
	return 1;
}

/* 0: there is no such file; 1: read. */
static int read_json(const struct record *record, const char *file, struct json **ret, struct mrg_error *err)
{
	const struct index_text *known = record->indexed ? index_text(record->indexed, file) : NULL;
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r;

	if (known)
		return parse_json(record, file, known->text, known->length, ret, err);
	r = record->dir < 0 ? -ENOENT : fd_read_file(record->dir, file, RECORD_MAX, &text, &length);
	if (r == -ENOENT)
		return 0;
	if (r == -EFBIG || r == -EINVAL || r == -EISDIR || r == -ELOOP)
		return damaged(record, file, "is not a small regular file", err);
	if (r < 0)
		return fail_errno(err, r, "cannot read '%s' of container '%s'", file, record->name);
	return parse_json(record, file, text, length, ret, err);
}

/* The same for what most records do not have: looking for it costs less than failing to open it. */
static int read_json_of_run(const struct record *record, const char *file, struct json **ret, struct mrg_error *err)
{
	if (record->dir >= 0 && faccessat(record->dir, file, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return 0;
	return read_json(record, file, ret, err);
}

static bool id_is_valid(const char *id)
{
	return strspn(id, "0123456789abcdef") == ID_LENGTH && id[ID_LENGTH] == '\0';
}

/* record.json */
struct record_file {
	int format;
	const char *id, *backend, *phase, *boot, *path;
	int64_t created, native;
	bool transient;
	struct brief brief;
	const char *own_root;
	int64_t own_inode, own_born;
};

#define OWN_ROOT_ROWS	3		/* the first; not written where there is no such root */

static const struct json_row record_rows[] = {
	OPTIONAL_ROW(struct record_file, TEXT, "ownRoot/path", own_root),
	OPTIONAL_ROW(struct record_file, INT64, "ownRoot/inode", own_inode),
	OPTIONAL_ROW(struct record_file, INT64, "ownRoot/born", own_born),
	ROW(struct record_file, INT, "format", format),
	ROW(struct record_file, TEXT, "id", id),
	ROW(struct record_file, TEXT, "backend", backend),
	ROW(struct record_file, INT64, "created", created),
	ROW(struct record_file, TEXT, "phase", phase),
	ROW(struct record_file, BOOL, "transient", transient),
	ROW(struct record_file, TEXT, "boot", boot),
	OPTIONAL_ROW(struct record_file, TEXT, "path", path),
	OPTIONAL_ROW(struct record_file, INT64, "native", native),
	OPTIONAL_ROW(struct record_file, INT64, "spec/inode", brief.inode),
	OPTIONAL_ROW(struct record_file, INT64, "spec/size", brief.size),
	OPTIONAL_ROW(struct record_file, INT64, "spec/modified", brief.modified),
	OPTIONAL_ROW(struct record_file, INT64, "spec/changed", brief.changed),
	OPTIONAL_ROW(struct record_file, TEXT, "spec/root", brief.root),
	OPTIONAL_ROW(struct record_file, TEXT, "spec/cgroups", brief.cgroups),
	{ NULL, 0, 0, false }
};

int store_write_record(struct record *record, struct mrg_error *err)
{
	char boot[BOOT_ID_SIZE] = "";
	struct record_file file = {
		.format = STORE_FORMAT, .id = record->id, .backend = record->backend, .phase = record->creating ? "creating" : "created",
		.boot = boot, .path = record->path, .created = record->created, .native = (int64_t)record->native,
		.transient = record->transient,
		.own_root = record->own_root.path, .own_inode = record->own_root.inode, .own_born = record->own_root.born,
	};
	int r = store_in_run(record) ? store_boot_id(record->m, boot) : 0;

	if (r < 0)
		return fail_errno(err, r, "cannot read the boot id");
	brief_take(&file.brief, record);
	return write_json(record, "record.json", record_rows + (file.own_root ? 0 : OWN_ROOT_ROWS), &file, !store_in_run(record), err);
}

int store_commit(struct record *record, struct mrg_error *err)
{
	int r;

	if (!record->creating)
		return 0;
	record->creating = false;
	r = store_write_record(record, err);
	if (r < 0)
		record->creating = true;
	return r;
}

/* Whatever of the record is readable is filled in before the first complaint, for store_open_damaged(). */
static int take_record(struct record *record, const struct json *json, bool *ret_stale, struct mrg_error *err)
{
	struct record_file file = { .id = "", .backend = "", .phase = "", .boot = "" };
	int r = json_table_read(json, record_rows, &file);
	char boot_now[BOOT_ID_SIZE];

	if (id_is_valid(file.id))
		memcpy(record->id, file.id, ID_LENGTH + 1);
	if (backend_name_is_valid(file.backend) && !(record->backend = strdup(file.backend)))
		return fail_memory(err);
	if (file.format > STORE_FORMAT)
		return mrg_error_set(err, -MRG_E_ABI, "the record of container '%s' has format %d: it was written by a newer moorage",
				     record->name, file.format);
	if (r < 0 || file.format < 1 || !record->id[0] || !record->backend ||
	    (strcmp(file.phase, "creating") != 0 && strcmp(file.phase, "created") != 0))
		return damaged(record, "record.json", "lacks a member or has a wrong one", err);
	if ((file.path && !(record->path = strdup(file.path))) || (file.own_root && !(record->own_root.path = strdup(file.own_root))))
		return fail_memory(err);
	record->own_root.inode = file.own_inode;
	record->own_root.born = file.own_born;
	record->created = file.created;
	record->native = (uint64_t)file.native;
	record->creating = strcmp(file.phase, "creating") == 0;
	record->transient = file.transient;
	*ret_stale = *file.boot && store_boot_id(record->m, boot_now) == 0 && strcmp(file.boot, boot_now) != 0;
	/* Where the engine keeps the truth, and where a half made one is to be removed, the whole spec is needed. */
	record->brief = record->brief && !record->native && !record->creating && brief_fits(&file.brief, record);
	return record->brief ? brief_give(&file.brief, record, err) : 0;
}

int store_read_record(struct record *record, bool *ret_stale, struct mrg_error *err)
{
	_cleanup_json_ struct json *json = NULL;
	int r = read_json(record, "record.json", &json, err);

	*ret_stale = false;
	if (r == 0)
		return damaged(record, "record.json", "is missing or empty", err);
	return r < 0 ? r : take_record(record, json, ret_stale, err);
}

int store_read_spec(struct record *record, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	struct mrg_error why = { 0 };
	size_t length;
	int r = store_reach(record, err);

	if (r < 0)
		return r;
	r = fd_read_file(record->dir, "config.json", SPEC_MAX, &text, &length);
	if (r == -ENOENT)
		return damaged(record, "config.json", "is missing", err);
	if (r < 0)
		return fail_errno(err, r, "cannot read 'config.json' of container '%s'", record->name);
	if (mrg_spec_parse(text, length, &record->spec, &why) == 0)
		return 0;
	why.message[strcspn(why.message, "\n")] = '\0';
	mrg_error_set(err, -EBADMSG, "the record of container '%s' is damaged: 'config.json': %s", record->name, why.message);
	mrg_error_hint(err, "remove it with: moorage rm -f %s", record->name);
	return -EBADMSG;
}

int store_write_spec(struct record *record, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	int r = mrg_spec_emit(record->spec, 0, &text, err);

	return r < 0 ? r : write_file(record, "config.json", text, !store_in_run(record), err);
}

/* run.json */
struct run_file {
	const char *boot;
	int monitor, process;
	int64_t monitor_start, process_start, started;
};

static const struct json_row run_rows[] = {
	ROW(struct run_file, TEXT, "boot", boot),
	ROW(struct run_file, INT, "monitor/pid", monitor),
	ROW(struct run_file, INT64, "monitor/start", monitor_start),
	ROW(struct run_file, INT, "process/pid", process),
	ROW(struct run_file, INT64, "process/start", process_start),
	ROW(struct run_file, INT64, "started", started),
	{ NULL, 0, 0, false }
};

int store_write_run(struct record *record, const struct run *run, struct mrg_error *err)
{
	char boot[BOOT_ID_SIZE];
	struct run_file file = {
		.boot = boot, .monitor = run->monitor, .process = run->process.pid,
		.process_start = (int64_t)run->process.start_time, .started = run->started,
	};
	uint64_t start = 0;
	int r = store_boot_id(record->m, boot);

	if (r < 0)
		return fail_errno(err, r, "cannot read the boot id");
	if (run->monitor > 0)
		proc_start_time(run->monitor, &start);
	file.monitor_start = (int64_t)start;
	/* Never synced: after a reboot nothing in it is believed. */
	return write_json(record, "run.json", run_rows, &file, false, err);
}

/* A claimed process, verified: the pid is no longer it when the start time differs. */
static void verify_run(struct run *run, const struct run_file *file)
{
	uint64_t now;
	int fd;

	if (file->monitor > 0 && proc_start_time(file->monitor, &now) == 0 && now == (uint64_t)file->monitor_start)
		run->monitor = file->monitor;
	fd = file->process > 0 ? proc_open(file->process, (uint64_t)file->process_start) : -1;
	if (fd >= 0)
		run->process = (struct mrg_process){
			.pid = file->process, .pidfd = fd, .start_time = (uint64_t)file->process_start,
		};
}

int store_read_run(struct record *record, struct run *ret, struct mrg_error *err)
{
	_cleanup_json_ struct json *json = NULL;
	struct run run = { .process.pidfd = -1 };
	struct run_file file;
	char boot_now[BOOT_ID_SIZE];
	int r = read_json_of_run(record, "run.json", &json, err);

	if (r < 0)
		return r;
	if (r > 0) {
		if (json_table_read(json, run_rows, &file) < 0)
			return damaged(record, "run.json", "lacks a member or has a wrong one", err);
		run.started = file.started;
		if (store_boot_id(record->m, boot_now) == 0 && strcmp(file.boot, boot_now) == 0)
			verify_run(&run, &file);
	}
	*ret = run;
	return 0;
}

void store_run_deinit(struct run *run)
{
	fd_close(run->process.pidfd);
	run->process = (struct mrg_process){ .pidfd = -1 };
}

static const struct json_row exit_rows[] = {
	ROW(struct exit_record, INT, "status", status),
	ROW(struct exit_record, BOOL, "oom_killed", oom_killed),
	ROW(struct exit_record, BOOL, "known", known),
	ROW(struct exit_record, INT64, "finished", finished),
	{ NULL, 0, 0, false }
};

int store_write_exit(struct record *record, const struct exit_record *exit, struct mrg_error *err)
{
	/* Not synced: somebody waits for the end, and after a power cut it is one of which nobody knows how it was. */
	return write_json(record, "exit.json", exit_rows, exit, false, err);
}

int store_read_exit(struct record *record, struct exit_record *ret, struct mrg_error *err)
{
	_cleanup_json_ struct json *json = NULL;
	struct exit_record exit;
	int r = read_json_of_run(record, "exit.json", &json, err);

	if (r <= 0)
		return r;
	if (json_table_read(json, exit_rows, &exit) < 0)
		return damaged(record, "exit.json", "lacks a member or has a wrong one", err);
	*ret = exit;
	return 1;
}
