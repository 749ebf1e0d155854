/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files of a record: written whole, read with distrust. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/store_internal.h"
#include "core/util/backend_name.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/proc.h"

#define STORE_FORMAT	1
#define RECORD_MAX	(64 * 1024)
#define SPEC_MAX	(4 * 1024 * 1024 + 1)
#define ID_LENGTH	16

#define _cleanup_json_ _cleanup_(json_decrefp)

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

/* Replaces @file by @json, which it takes (NULL: memory ran out). */
static int write_json(const struct record *record, const char *file, json_t *json, bool durable, struct mrg_error *err)
{
	_cleanup_json_ json_t *owned = json;
	_cleanup_free_ char *text = owned ? json_dumps(owned, JSON_COMPACT) : NULL;

	return text ? write_file(record, file, text, durable, err) : fail_memory(err);
}

/* 0: there is no such file; 1: read. An empty file is none: what a power cut leaves of a file that was not synced. */
static int read_json(const struct record *record, const char *file, json_t **ret, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ json_t *json = NULL;
	size_t length;
	int r = record->dir < 0 ? -ENOENT : fd_read_file(record->dir, file, RECORD_MAX, &text, &length);

	if (r == -ENOENT)
		return 0;
	if (r == -EFBIG || r == -EINVAL || r == -EISDIR || r == -ELOOP)
		return damaged(record, file, "is not a small regular file", err);
	if (r < 0)
		return fail_errno(err, r, "cannot read '%s' of container '%s'", file, record->name);
	if (length == 0)
		return 0;
	json = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(json))
		return damaged(record, file, "is not a JSON object", err);
	*ret = take_ptr(json);
	return 1;
}

static bool id_is_valid(const char *id)
{
	return strspn(id, "0123456789abcdef") == ID_LENGTH && id[ID_LENGTH] == '\0';
}

static json_t *record_to_json(const struct record *record)
{
	char boot[BOOT_ID_SIZE] = "";

	if (store_in_run(record) && proc_boot_id(boot) < 0)
		return NULL;
	return json_pack("{s:i, s:s, s:s, s:I, s:s, s:b, s:s, s:s*, s:I}", "format", STORE_FORMAT, "id", record->id,
			 "backend", record->backend, "created", (json_int_t)record->created, "phase",
			 record->creating ? "creating" : "created", "transient", record->transient, "boot", boot, "path",
			 record->path, "native", (json_int_t)record->native);
}

int store_write_record(struct record *record, struct mrg_error *err)
{
	return write_json(record, "record.json", record_to_json(record), !store_in_run(record), err);
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
static int parse_record(struct record *record, json_t *json, bool *ret_stale, struct mrg_error *err)
{
	const char *id = "", *backend = "", *phase = "", *boot = "", *path = NULL;
	char boot_now[BOOT_ID_SIZE];
	json_int_t created = 0, format = 0, native = 0;
	int transient = 0;

	json_unpack(json, "{s:s}", "id", &id);
	json_unpack(json, "{s:s}", "backend", &backend);
	if (id_is_valid(id))
		memcpy(record->id, id, ID_LENGTH + 1);
	if (backend_name_is_valid(backend) && !(record->backend = strdup(backend)))
		return fail_memory(err);
	if (json_unpack(json, "{s:I}", "format", &format) < 0)
		return damaged(record, "record.json", "lacks its format", err);
	if (format > STORE_FORMAT)
		return mrg_error_set(err, -MRG_E_ABI, "the record of container '%s' has format %lld: it was written by a newer moorage",
				     record->name, (long long)format);
	if (json_unpack(json, "{s:I, s:s, s:b, s:s, s?s, s?I}", "created", &created, "phase", &phase, "transient",
			&transient, "boot", &boot, "path", &path, "native", &native) < 0 || format < 1 || !record->id[0] || !record->backend ||
	    (strcmp(phase, "creating") != 0 && strcmp(phase, "created") != 0))
		return damaged(record, "record.json", "lacks a member or has a wrong one", err);
	if (path && !(record->path = strdup(path)))
		return fail_memory(err);
	record->created = created;
	record->native = (uint64_t)native;
	record->creating = strcmp(phase, "creating") == 0;
	record->transient = transient;
	*ret_stale = *boot && proc_boot_id(boot_now) == 0 && strcmp(boot, boot_now) != 0;
	return 0;
}

int store_read_record(struct record *record, bool *ret_stale, struct mrg_error *err)
{
	_cleanup_json_ json_t *json = NULL;
	int r = read_json(record, "record.json", &json, err);

	*ret_stale = false;
	if (r == 0)
		return damaged(record, "record.json", "is missing or empty", err);
	return r < 0 ? r : parse_record(record, json, ret_stale, err);
}

int store_read_spec(struct record *record, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	struct mrg_error why = { 0 };
	size_t length;
	int r = fd_read_file(record->dir, "config.json", SPEC_MAX, &text, &length);

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

int store_write_run(struct record *record, const struct run *run, struct mrg_error *err)
{
	char boot[BOOT_ID_SIZE];
	uint64_t monitor_start = 0;
	int r = proc_boot_id(boot);

	if (r < 0)
		return fail_errno(err, r, "cannot read the boot id");
	if (run->monitor > 0)
		proc_start_time(run->monitor, &monitor_start);
	/* Never synced: after a reboot nothing in it is believed. */
	return write_json(record, "run.json",
			  json_pack("{s:s, s:{s:i, s:I}, s:{s:i, s:I}, s:I}", "boot", boot, "monitor", "pid",
				    (int)run->monitor, "start", (json_int_t)monitor_start, "process", "pid",
				    (int)run->process.pid, "start", (json_int_t)run->process.start_time, "started",
				    (json_int_t)run->started), false, err);
}

/* A claimed process, verified: the pid is no longer it when the start time differs. */
static void verify_run(struct run *run, int monitor, json_int_t monitor_start, int pid, json_int_t start)
{
	uint64_t now;
	int fd;

	if (monitor > 0 && proc_start_time(monitor, &now) == 0 && now == (uint64_t)monitor_start)
		run->monitor = monitor;
	fd = pid > 0 ? proc_open(pid, (uint64_t)start) : -1;
	if (fd >= 0)
		run->process = (struct mrg_process){ .pid = pid, .pidfd = fd, .start_time = (uint64_t)start };
}

int store_read_run(struct record *record, struct run *ret, struct mrg_error *err)
{
	_cleanup_json_ json_t *json = NULL;
	struct run run = { .process.pidfd = -1 };
	json_int_t monitor_start, start, started;
	char boot_now[BOOT_ID_SIZE];
	int monitor, pid, r;
	const char *boot;

	r = read_json(record, "run.json", &json, err);
	if (r < 0)
		return r;
	if (r > 0) {
		if (json_unpack(json, "{s:s, s:{s:i, s:I}, s:{s:i, s:I}, s:I}", "boot", &boot, "monitor", "pid", &monitor,
				"start", &monitor_start, "process", "pid", &pid, "start", &start, "started", &started) < 0)
			return damaged(record, "run.json", "lacks a member or has a wrong one", err);
		run.started = started;
		if (proc_boot_id(boot_now) == 0 && strcmp(boot, boot_now) == 0)
			verify_run(&run, monitor, monitor_start, pid, start);
	}
	*ret = run;
	return 0;
}

void store_run_deinit(struct run *run)
{
	fd_close(run->process.pidfd);
	run->process = (struct mrg_process){ .pidfd = -1 };
}

int store_write_exit(struct record *record, const struct exit_record *exit, struct mrg_error *err)
{
	/* Not synced: somebody waits for the end, and after a power cut it is one of which nobody knows how it was. */
	return write_json(record, "exit.json",
			  json_pack("{s:i, s:b, s:b, s:I}", "status", exit->status, "oom_killed", exit->oom_killed,
				    "known", exit->known, "finished", (json_int_t)exit->finished), false, err);
}

int store_read_exit(struct record *record, struct exit_record *ret, struct mrg_error *err)
{
	_cleanup_json_ json_t *json = NULL;
	json_int_t finished;
	int status, oom_killed, known, r;

	r = read_json(record, "exit.json", &json, err);
	if (r <= 0)
		return r;
	if (json_unpack(json, "{s:i, s:b, s:b, s:I}", "status", &status, "oom_killed", &oom_killed, "known", &known,
			"finished", &finished) < 0)
		return damaged(record, "exit.json", "lacks a member or has a wrong one", err);
	*ret = (struct exit_record){ .status = status, .oom_killed = oom_killed, .known = known, .finished = finished };
	return 1;
}
