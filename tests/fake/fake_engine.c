/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An engine that keeps containers of its own: in the directory given as its place each is a file NAME.json, its spec. NAME.auto: it starts at
 * boot; NAME.pid: a process that others have started for it. Without a place there is no engine. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/str.h"
#include "tests/fake/fake.h"

#define TEXT_MAX	(1 << 20)

static int open_place(const char *path)
{
	int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	return fd < 0 ? -ENOENT : fd;
}

static const char *file_of(char file[256], const char *name, const char *suffix)
{
	snprintf(file, 256, "%.200s.%s", name, suffix);
	return file;
}

static bool there(const char *path, const char *name, const char *suffix)
{
	_cleanup_close_ int dir = open_place(path);
	char file[256];

	return dir >= 0 && faccessat(dir, file_of(file, name, suffix), F_OK, 0) == 0;
}

bool fake_engine_has(const struct mrg_unit *unit)
{
	return there(unit->path, unit->name, "json");
}

pid_t fake_engine_pid(const struct mrg_unit *unit)
{
	_cleanup_close_ int dir = open_place(unit->path);
	_cleanup_free_ char *text = NULL;
	char file[256];

	if (dir < 0 || fd_read_file(dir, file_of(file, unit->name, "pid"), 64, &text, NULL) < 0)
		return 0;
	return kill(atoi(text), 0) == 0 ? atoi(text) : 0;
}

int fake_engine_write(const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_close_ int dir = open_place(unit->path);
	_cleanup_free_ char *text = NULL;
	char file[256];
	int r;

	if (dir < 0)
		return 0;
	r = mrg_spec_emit(unit->spec, 0, &text, err);
	if (r == 0)
		r = fd_replace_file(dir, file_of(file, unit->name, "json"), text, strlen(text), false);
	return r < 0 ? mrg_error_set(err, r, "cannot write '%s'", file) : 0;
}

void fake_engine_remove(const struct mrg_unit *unit)
{
	static const char *const suffixes[] = { "json", "auto", "pid" };
	_cleanup_close_ int dir = open_place(unit->path);
	char file[256];

	for (size_t i = 0; dir >= 0 && i < ARRAY_SIZE(suffixes); i++)
		unlinkat(dir, file_of(file, unit->name, suffixes[i]), 0);
}

/* ---- verbs ---------------------------------------------------------------------------------- */

int fake_list(_unused_ void *self, const char *path, mrg_found_fn found, void *data, struct mrg_error *err)
{
	_cleanup_closedir_ DIR *d = path ? opendir(path) : NULL;
	struct dirent *entry;
	int r = fake_fault("list", NULL, err);

	if (r != 0)
		return fake_answer(r);
	while (r == 0 && d && (entry = readdir(d))) {
		size_t length = strlen(entry->d_name);

		if (length < 6 || strcmp(entry->d_name + length - 5, ".json") != 0)
			continue;
		entry->d_name[length - 5] = '\0';
		r = found(&(struct mrg_found){ .name = entry->d_name }, data);
	}
	return r;
}

int fake_find(_unused_ void *self, const char *path, const char *name, struct mrg_error *err)
{
	int r = fake_fault("find", NULL, err);

	return r != 0 ? fake_answer(r) : there(path, name, "json");
}

static int read_text(const struct mrg_unit *unit, char **ret, struct mrg_error *err)
{
	_cleanup_close_ int dir = open_place(unit->path);
	char file[256];
	int r = dir < 0 ? dir : fd_read_file(dir, file_of(file, unit->name, "json"), TEXT_MAX, ret, NULL);

	return r == -ENOENT ? mrg_error_set(err, -MRG_E_NOT_FOUND, "there is no '%s'", unit->name) :
	       r < 0 ? mrg_error_set(err, r, "cannot read the file of '%s'", unit->name) : 0;
}

/* Of the spec what the tests look at. */
int fake_adopt(_unused_ void *self, const struct mrg_unit *unit, struct mrg_spec *spec, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	struct mrg_spec *read = NULL;
	int r = fake_fault("adopt", unit, err);

	if (r != 0)
		return fake_answer(r);
	r = read_text(unit, &text, err);
	if (r == 0)
		r = mrg_spec_parse(text, strlen(text), &read, err);
	if (r < 0)
		return r;
	if (read->root_path)
		r = mrg_spec_set(spec, MRG_FIELD_ROOT_PATH, read->root_path, err);
	if (r == 0 && read->hostname)
		r = mrg_spec_set(spec, MRG_FIELD_HOSTNAME, read->hostname, err);
	for (size_t i = 0; r == 0 && read->args && read->args[i]; i++)
		r = mrg_spec_set(spec, MRG_FIELD_ARGS, read->args[i], err);
	mrg_spec_free(read);
	return r;
}

int fake_process_verb(_unused_ void *self, const struct mrg_unit *unit, struct mrg_process *ret, struct mrg_error *err)
{
	pid_t pid = fake_pid(unit) ? fake_pid(unit) : fake_engine_pid(unit);
	int r = fake_fault("process", unit, err);

	if (r != 0)
		return fake_answer(r);
	if (pid > 0)
		ret->pid = pid;
	return pid > 0;
}

int fake_native(_unused_ void *self, const struct mrg_unit *unit, mrg_explain_fn text, void *data, struct mrg_error *err)
{
	_cleanup_free_ char *content = NULL;
	int r = fake_fault("native", unit, err);

	if (r != 0 || !unit->path)
		return fake_answer(r);
	r = read_text(unit, &content, err);
	return r < 0 ? r : text(content, data);
}

int fake_configure(_unused_ void *self, const struct mrg_unit *unit, struct mrg_error *err)
{
	int r = fake_fault("configure", unit, err);

	return r != 0 ? fake_answer(r) : fake_engine_write(unit, err);
}

int fake_autostart(_unused_ void *self, const struct mrg_unit *unit, int on, struct mrg_error *err)
{
	_cleanup_close_ int dir = open_place(unit->path);
	char file[256];
	int fd, r = fake_fault("autostart", unit, err);

	if (r != 0 || (dir < 0 && on < 0))
		return fake_answer(r);
	if (dir < 0)
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "there is no engine to start it");
	file_of(file, unit->name, "auto");
	if (on == 0)
		unlinkat(dir, file, 0);
	if (on > 0) {
		fd = openat(dir, file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			return mrg_error_set(err, -errno, "cannot make '%s'", file);
		close(fd);
	}
	return faccessat(dir, file, F_OK, 0) == 0;
}
