/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding and loading plugins. Loaded by name when asked for, never all there are, and never unloaded: a library that
 * started threads or registered handlers would leave dangling pointers. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/registry/registry.h"
#include "core/registry/module.h"
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
	int r = module_find(m->backend_path, NULL, name, ret_path, err);

	return r == 0 ? unknown_backend(m, name, err) : r < 0 ? r : 0;
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

static int load_table(const char *name, const char *path, const struct mrg_backend **ret, struct mrg_error *err)
{
	const void *table;
	int r = module_load(path, MRG_BACKEND_SYMBOL, &table, err);

	if (r < 0)
		return r;
	if (r == 0)
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
