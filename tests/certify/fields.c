/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows of fields: how they are tried. */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/certify/fields.h"

const struct test *const field_tables[] = {
	process_fields, root_fields, namespace_fields, network_fields, policy_fields, limit_fields, life_fields, NULL
};

static void set_all(struct scene *s, const struct observation *o)
{
	for (size_t i = 0; i < SETTINGS_MAX && o->set[i].text; i++)
		scene_set(s, o->set[i].field, "%s", o->set[i].text);
}

static void expect_all(struct scene *s, const struct observation *o)
{
	for (size_t i = 0; i < WORDS_MAX && o->lines[i]; i++)
		scene_expect(s, "%s", o->lines[i]);
}

void is_observed(struct trial *t)
{
	const struct observation *o = t->test->data;
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	set_all(&s, o);
	for (size_t i = 0; i < WORDS_MAX && o->words[i]; i++)
		scene_word(&s, "%s", o->words[i]);
	scene_run(&s);
	expect_all(&s, o);
}

void is_observed_by_exec(struct trial *t)
{
	const struct observation *o = t->test->data;
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	if (!strstr(t->kit->facts->verbs, "exec"))
		trial_absent(t);
	set_all(&s, o);
	scene_word(&s, "wait");
	scene_run_until(&s, "wait=ready");
	scene_exec_words(&s, o->words);
	expect_all(&s, o);
}

void host_directory(struct trial *t, const char *name, char ret[PATH_SIZE])
{
	snprintf(ret, PATH_SIZE, "%.*s/%s-%u", PATH_SIZE - 64, t->kit->work, name, t->kit->serial);
	if (mkdir(ret, 0755) < 0)
		trial_fail(t, "the kit cannot make '%s': %s", ret, strerror(errno));
}

void root_path(const struct trial *t, const char *path, char ret[PATH_SIZE])
{
	snprintf(ret, PATH_SIZE, "%.*s%s", PATH_SIZE - 256, t->kit->root, path);
}
