/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes of a root in the journal, and going through them. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/migrate/guest.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/json_table.h"

#define GUEST_LIST	"guest.json"
#define LIST_MAX	(1U << 20)

/* A change as the list has it; contents are files of their own. */
#define ROW(type, key, member)	{ key, JSON_ROW_##type, offsetof(struct guest_change, member), false }
#define STATE_ROWS(key, member)							\
	ROW(INT, key "/kind", member.kind), ROW(INT, key "/mode", member.mode), ROW(INT64, key "/uid", member.uid), \
	ROW(INT64, key "/gid", member.gid), ROW(INT64, key "/mtime", member.mtime)
static const struct json_row rows[] = {
	ROW(TEXT, "rule", rule), ROW(TEXT, "path", path), ROW(TEXT, "text", text), STATE_ROWS("before", before), STATE_ROWS("after", after),
	{ NULL, 0, 0, false }
};

#define CONTENT_NAME_SIZE	32

/* ---- saving ----------------------------------------------------------------------------------- */

static int save_content(int dir, const char *what, size_t number, const struct guest_state *state)
{
	char name[CONTENT_NAME_SIZE];

	if (!state->content)
		return 0;
	snprintf(name, sizeof(name), "%s.%zu", what, number);
	return fd_replace_file(dir, name, state->content, state->length, true);
}

/* The list last: what it names is there. */
int guest_save(int dir, const struct guest_changes *changes, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer b = { 0 };
	int r = 0;

	buffer_addf(&b, "[");
	for (size_t i = 0; i < changes->n && r == 0; i++) {
		buffer_addf(&b, "%s", i ? ",\n" : "");
		r = json_table_write(&b, rows, &changes->item[i]);
		if (r == 0)
			r = save_content(dir, "old", i, &changes->item[i].before);
		if (r == 0)
			r = save_content(dir, "new", i, &changes->item[i].after);
	}
	buffer_addf(&b, "]\n");
	if (r == 0)
		r = b.failed ? -ENOMEM : fd_replace_file(dir, GUEST_LIST, b.text, b.length, true);
	return r < 0 ? fail_errno(err, r, "cannot keep what was in the root before") : 0;
}

/* ---- loading ---------------------------------------------------------------------------------- */

static int load_content(int dir, const char *what, size_t number, struct guest_state *state)
{
	char name[CONTENT_NAME_SIZE];

	if (state->kind != GUEST_FILE && state->kind != GUEST_LINK)
		return 0;
	snprintf(name, sizeof(name), "%s.%zu", what, number);
	return fd_read_file(dir, name, GUEST_FILE_MAX + 1, &state->content, &state->length);
}

/* Texts are borrowed from the JSON until they are copied. */
static int load_change(int dir, const struct json *object, size_t number, struct guest_change *ret)
{
	struct guest_change borrowed = { 0 };
	int r = json_table_read(object, rows, &borrowed);

	if (r < 0)
		return r;
	*ret = borrowed;
	ret->rule = strdup(borrowed.rule);
	ret->path = strdup(borrowed.path);
	ret->text = strdup(borrowed.text);
	if (!ret->rule || !ret->path || !ret->text)
		return -ENOMEM;
	r = load_content(dir, "old", number, &ret->before);
	return r < 0 ? r : load_content(dir, "new", number, &ret->after);
}

static int load(int dir, const struct json *list, struct guest_changes *ret)
{
	int r = list->type == JSON_ARRAY ? 0 : -EBADMSG;

	ret->item = calloc(list->n + 1, sizeof(*ret->item));
	if (!ret->item)
		return -ENOMEM;
	for (const struct json *object = list->first; object && r == 0; object = object->next)
		r = load_change(dir, object, ret->n, &ret->item[ret->n]) < 0 ? -EBADMSG : (ret->n++, 0);
	if (r < 0 && ret->n < list->n)
		ret->n++;
	return r;
}

int guest_load(int dir, struct guest_changes *ret, struct mrg_error *err)
{
	_cleanup_(json_freep) struct json *json = NULL;
	_cleanup_free_ char *text = NULL;
	size_t length;
	int r = fd_read_file(dir, GUEST_LIST, LIST_MAX, &text, &length);

	*ret = (struct guest_changes){ 0 };
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = json_parse(text, length, &json, NULL);
	if (r == 0)
		r = load(dir, json, ret);
	if (r < 0)
		guest_changes_deinit(ret);
	return r < 0 ? fail_errno(err, r, "cannot read what was in the root before") : 0;
}

/* ---- doing and undoing ------------------------------------------------------------------------- */

int guest_apply(int root, const struct guest_changes *changes, struct mrg_error *err)
{
	int r = 0;

	for (size_t i = 0; i < changes->n && r == 0; i++)
		r = guest_put(root, changes->item[i].path, &changes->item[i].after, err);
	return r;
}

/* 1: it is as we made it. What cannot be looked at is somebody else's by now. */
static bool is_ours(int root, const struct guest_change *change)
{
	struct guest_state now;
	bool same = guest_look(root, change->path, &now) == 0 && guest_same(&now, &change->after);

	guest_state_deinit(&now);
	return same;
}

static bool is_undone(int root, const struct guest_change *change)
{
	struct guest_state now;
	bool same = guest_look(root, change->path, &now) == 0 && guest_same(&now, &change->before);

	guest_state_deinit(&now);
	return same;
}

int guest_revert(int root, const struct guest_changes *changes, size_t *ret_left, struct mrg_error *err)
{
	size_t left = 0;
	int r = 0;

	for (size_t i = changes->n; i-- > 0 && r == 0;) {
		const struct guest_change *change = &changes->item[i];

		if (is_undone(root, change))
			continue;
		if (ret_left && !is_ours(root, change))
			left++;
		else
			r = guest_put(root, change->path, &change->before, err);
	}
	if (ret_left)
		*ret_left = left;
	return r;
}
