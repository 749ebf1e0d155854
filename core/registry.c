/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding and loading plugins. Loaded by name when asked for, never all there are, and never unloaded: a library that
 * started threads or registered handlers would leave dangling pointers. */

#include "config.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/registry.h"
#include "core/util/backend_name.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/path.h"
#include "core/util/str.h"

/* What the core does for every backend: records, the monitor's streams and log, the signal and patience of stop. */
static const uint16_t fields_of_core[] = {
	MRG_FIELD_ANNOTATIONS, MRG_FIELD_STDIN, MRG_FIELD_STOP_SIGNAL, MRG_FIELD_STOP_TIMEOUT, MRG_FIELD_LABELS,
	MRG_FIELD_LOG, MRG_FIELD_END,
};

/* Which Debian package brings a library that plugins need. */
static const struct { const char *library, *package; } packages[] = {
	{ "libseccomp.so.2", "libseccomp2" },
	{ "libcap.so.2", "libcap2" },
	{ "liblxc.so.1", "liblxc1" },
	{ "libvirt.so.0", "libvirt0" },
	{ "libvirt-lxc.so.0", "libvirt0" },
	{ "libsystemd.so.0", "libsystemd0" },
};

int registry_explain(const char *path, const char *reason, struct mrg_error *err)
{
	const char *end = strstr(reason, ": cannot open shared object file");
	const char *undefined = strstr(reason, "undefined symbol: ");
	char library[128] = "";

	if (end && strncmp(reason, path, strlen(path)) != 0)
		snprintf(library, sizeof(library), "%.*s", (int)(end - reason), reason);
	if (library[0]) {
		mrg_error_set(err, -MRG_E_NO_ENGINE, "cannot load '%s': the shared library '%s' is missing", path, library);
		for (size_t i = 0; i < ARRAY_SIZE(packages); i++)
			if (strcmp(packages[i].library, library) == 0) {
				mrg_error_hint(err, "apt-get install %s", packages[i].package);
				return -MRG_E_NO_ENGINE;
			}
		mrg_error_hint(err, "find its package with: apt-file search %s", library);
		return -MRG_E_NO_ENGINE;
	}
	if (undefined)
		return mrg_error_set(err, -MRG_E_ABI,
				     "cannot load '%s': it needs '%.*s', which this libmoorage lacks: built for a newer moorage?",
				     path, (int)strcspn(undefined + 18, " ,"), undefined + 18);
	return mrg_error_set(err, -MRG_E_ABI, "cannot load '%s': %s", path,
			     strncmp(reason, path, strlen(path)) == 0 && reason[strlen(path)] == ':' ?
			     reason + strlen(path) + 2 : reason);
}

/* Code is about to run with our rights: whoever can write it must be root or us. */
static int check_trust(int fd, const char *path, struct mrg_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail_errno(err, -errno, "cannot look at '%s'", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return mrg_error_set(err, -MRG_E_PERMISSION, "refusing to load from '%s': it belongs to user %u, neither root nor you",
				     path, (unsigned int)st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		mrg_error_set(err, -MRG_E_PERMISSION, "refusing to load from '%s': it is writable by others", path);
		mrg_error_hint(err, "chmod go-w '%s'", path);
		return -MRG_E_PERMISSION;
	}
	return 0;
}

static int check_file(int dir, const char *file, const char *path, struct mrg_error *err)
{
	/* O_NONBLOCK: a FIFO of that name must not hang us. */
	_cleanup_close_ int fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 && errno == ELOOP)
		return mrg_error_set(err, -MRG_E_PERMISSION, "refusing to load '%s': it is a symbolic link", path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_errno(err, -errno, "cannot open '%s'", path);
	if (!S_ISREG(st.st_mode))
		return mrg_error_set(err, -MRG_E_ABI, "cannot load '%s': it is not a regular file", path);
	return check_trust(fd, path, err);
}

/* Looks for @name in one directory: 0 not there, 1 there and to be trusted, *ret_path its path without links. */
static int find_in(const char *directory, const char *name, char **ret_path, struct mrg_error *err)
{
	_cleanup_close_ int dir = -1;
	_cleanup_free_ char *path = NULL;
	char file[80], link[PATH_OF_FD_SIZE], real[PATH_MAX];
	struct stat st;
	ssize_t n;
	int r;

	if (directory[0] != '/')
		return mrg_error_set(err, -MRG_E_INVALID, "the backend directory '%s' is not an absolute path", directory);
	dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	snprintf(file, sizeof(file), "%s.so", name);
	if (dir < 0 || fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : fail_errno(err, -errno, "cannot look into '%s'", directory);
	/* The path of what was checked, so that a link on the way there cannot lead elsewhere afterwards. A
	 * path through /proc/self/fd would be wrong: dlopen(3) takes an equal path for the same library. */
	n = readlink(path_of_fd(link, dir), real, sizeof(real) - 1);
	if (n < 0)
		return fail_errno(err, -errno, "cannot tell the path of '%s'", directory);
	real[n] = '\0';
	if (asprintf(&path, "%s/%s", real, file) < 0)
		return fail_memory(err);
	r = check_trust(dir, real, err);
	if (r == 0)
		r = check_file(dir, file, path, err);
	if (r < 0)
		return r;
	*ret_path = take_ptr(path);
	return 1;
}

static int collect(const char *directory, char ***names, struct mrg_error *err)
{
	_cleanup_closedir_ DIR *d = opendir(directory);
	struct dirent *entry;

	if (!d && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (!d)
		return fail_errno(err, -errno, "cannot look into '%s'", directory);
	while ((entry = readdir(d))) {
		size_t length = strlen(entry->d_name);

		if (length < 4 || strcmp(entry->d_name + length - 3, ".so") != 0)
			continue;
		entry->d_name[length - 3] = '\0';
		if (!backend_name_is_valid(entry->d_name) || strv_contains(*names, entry->d_name))
			continue;
		if (strv_append(names, entry->d_name) < 0)
			return fail_memory(err);
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int mrg_backend_names(struct mrg *m, char ***ret, struct mrg_error *err)
{
	_cleanup_free_ char *path = strdup(m->backend_path);
	_cleanup_(strv_freep) char **names = calloc(1, sizeof(char *));
	char *next = path, *directory;

	if (!path || !names)
		return fail_memory(err);
	while ((directory = strsep(&next, ":"))) {
		int r = *directory ? collect(directory, &names, err) : 0;

		if (r < 0)
			return r;
	}
	qsort(names, strv_length(names), sizeof(char *), compare);
	*ret = take_ptr(names);
	return 0;
}

char **mrg_strv_free(char **strv)
{
	return strv_free(strv);
}

static int unknown_backend(struct mrg *m, const char *name, struct mrg_error *err)
{
	_cleanup_(strv_freep) char **names = NULL;
	struct buffer list = { 0 };
	const char *nearest;
	int r = mrg_backend_names(m, &names, err);

	if (r < 0)
		return r;
	for (size_t i = 0; names[i]; i++)
		buffer_addf(&list, "%s%s", i == 0 ? "" : names[i + 1] ? ", " : " and ", names[i]);
	if (names[0])
		mrg_error_set(err, -MRG_E_NO_ENGINE, "no backend '%s' is installed; there %s %s", name,
			      names[1] ? "are" : "is", list.text ? list.text : "");
	else
		mrg_error_set(err, -MRG_E_NO_ENGINE, "no backend '%s' is installed; there is none in '%s'", name,
			      m->backend_path);
	nearest = str_nearest(name, (const char *const *)names);
	if (nearest)
		mrg_error_hint(err, "did you mean '%s'?", nearest);
	buffer_deinit(&list);
	return -MRG_E_NO_ENGINE;
}

static int find(struct mrg *m, const char *name, char **ret_path, struct mrg_error *err)
{
	_cleanup_free_ char *path = strdup(m->backend_path);
	char *next = path, *directory;

	if (!path)
		return fail_memory(err);
	while ((directory = strsep(&next, ":"))) {
		int r = *directory ? find_in(directory, name, ret_path, err) : 0;

		if (r != 0)
			return r < 0 ? r : 0;
	}
	return unknown_backend(m, name, err);
}

static struct plugin *plugin_free(struct plugin *p)
{
	if (!p)
		return NULL;
	free(p->path);
	free(p->verbs);
	free(p);
	return NULL;
}

static void plugin_freep(struct plugin **p)
{
	plugin_free(*p);
}

static int list_verbs(const struct mrg_backend *table, char **ret)
{
	struct buffer b = { 0 };

	buffer_add(&b, "", 0);
	for (size_t i = 0; registry_verbs[i].name; i++)
		if (registry_verbs[i].kind == VERB_OPTIONAL && registry_verb_is_set(table, &registry_verbs[i]))
			buffer_addf(&b, "%s%s", b.length ? " " : "", registry_verbs[i].name);
	*ret = b.text;
	return b.failed ? -ENOMEM : 0;
}

/* Maps the object and finds its table. */
static int load_table(const char *name, const char *path, const struct mrg_backend **ret, struct mrg_error *err)
{
	const struct mrg_backend *table;
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	const char *reason = object ? NULL : dlerror();

	if (!object)
		return registry_explain(path, reason ? reason : "unknown reason", err);
	table = dlsym(object, MRG_BACKEND_SYMBOL);
	if (!table)
		return mrg_error_set(err, -MRG_E_ABI, "'%s' exports no %s: built for another major of the ABI?", path,
				     MRG_BACKEND_SYMBOL);
	if (registry_validate(name, table, err) < 0) {
		mrg_error_prefix(err, "'%s'", path);
		return -MRG_E_ABI;
	}
	*ret = table;
	return 0;
}

static void add_fields(struct mrg_fields *fields, const uint16_t *ids)
{
	for (; *ids != MRG_FIELD_END; ids++)
		mrg_fields_add(fields, *ids);
}

static int instantiate(struct mrg *m, struct plugin *p, struct mrg_error *err)
{
	struct mrg_error e = { 0 };
	int r;

	if (!p->table.open)
		return 0;
	r = p->table.open(m, &p->self, &e);
	if (r >= 0)
		return 0;
	p->self = NULL;
	return mrg_error_set(err, r, "%s: %s", p->table.name, e.message[0] ? e.message : "its open verb failed without a reason");
}

int registry_load(struct mrg *m, const char *name, struct plugin **ret, struct mrg_error *err)
{
	_cleanup_(plugin_freep) struct plugin *p = NULL;
	const struct mrg_backend *table = NULL;
	int r;

	if (!backend_name_is_valid(name))
		return mrg_error_set(err, -MRG_E_INVALID,
				     "'%s' is no name of a backend: lower-case letters, digits and '-', a letter first", name);
	for (struct plugin *known = m->plugins; known; known = known->next)
		if (strcmp(known->table.name, name) == 0) {
			*ret = known;
			return 0;
		}
	p = calloc(1, sizeof(*p));
	if (!p)
		return fail_memory(err);
	r = find(m, name, &p->path, err);
	if (r == 0)
		r = load_table(name, p->path, &table, err);
	if (r < 0)
		return r;
	memcpy(&p->table, table, table->size < sizeof(p->table) ? table->size : sizeof(p->table));
	add_fields(&p->fields, p->table.fields);
	add_fields(&p->core, fields_of_core);
	if (p->table.options && p->table.options->key)
		mrg_fields_add(&p->core, MRG_FIELD_OPTIONS);
	for (size_t i = 0; i < MRG_FIELDS_WORDS; i++)
		p->fields.word[i] |= p->core.word[i];
	if (list_verbs(&p->table, &p->verbs) < 0)
		return fail_memory(err);
	r = instantiate(m, p, err);
	if (r < 0)
		return r;
	p->next = m->plugins;
	m->plugins = p;
	*ret = take_ptr(p);
	return 0;
}

void registry_free(struct mrg *m)
{
	while (m->plugins) {
		struct plugin *p = m->plugins;

		m->plugins = p->next;
		if (p->table.close)
			p->table.close(p->self);
		plugin_free(p);
	}
}
