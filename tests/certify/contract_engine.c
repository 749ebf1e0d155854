/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The contract of verbs for engines that keep containers of their own: list, find, adopt, process, native, configure, rename, autostart, home,
 * park. */

#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/util/fd.h"
#include "core/util/proc.h"
#include "tests/certify/life.h"

static void reach(struct trial *t, struct plugin *p, struct life *l, const char *verb, enum life_state state)
{
	plugin_open(t, p);
	if (!plugin_offers(p, verb))
		trial_absent(t);
	*l = (struct life){ .t = t, .p = p };
	life_reach(l, state);
}

/* ---- find, list ------------------------------------------------------------------------------------- */

struct search {
	struct trial *t;
	const char *name;
	size_t n;
	bool found;
	struct mrg_found entry;
	int answer;
};

static int look_at(const struct mrg_found *entry, void *data)
{
	struct search *search = data;

	search->n++;
	if (!entry->name || !*entry->name || strlen(entry->name) > 200 || strchr(entry->name, '/'))
		trial_fail(search->t, "a container has the name '%.100s'", entry->name ? entry->name : "(null)");
	if (entry->state < MRG_STATE_ABSENT || entry->state > MRG_STATE_STOPPED)
		trial_fail(search->t, "'%s' has state %d", entry->name, entry->state);
	if (entry->rootfs && entry->rootfs[0] != '/')
		trial_fail(search->t, "'%s' has the root '%.100s', which is not absolute", entry->name, entry->rootfs);
	if (strcmp(entry->name, search->name) == 0) {
		search->found = true;
		search->entry = *entry;
	}
	return search->answer;
}

/* Whether it is found, which list and find must say alike. An engine may keep no list of its own of what was made elsewhere. */
static bool is_found(struct life *l)
{
	struct search search = { .t = l->t, .name = l->name };
	int r;

	trial_expect(l->t, "list", l->p->table.list(l->self, NULL, look_at, &search, &l->err), 0, &l->err);
	r = life_call(l, "find");
	trial_expect(l->t, search.found ? "find of what is listed" : "find of what is not listed", r, search.found, &l->err);
	if (search.found && (search.entry.state == MRG_STATE_RUNNING || search.entry.init != 0) && !life_is_alive(l))
		trial_fail(l->t, "it lists one that does not run as running");
	return search.found;
}

static void find_and_list_agree(struct trial *t)
{
	struct plugin p;
	_life_ struct life l = { .t = t };

	reach(t, &p, &l, "find", LIFE_CREATED);
	is_found(&l);
}

static void find_and_list_forget(struct trial *t)
{
	struct plugin p;
	_life_ struct life l = { .t = t };

	reach(t, &p, &l, "find", LIFE_DESTROYED);
	if (is_found(&l))
		trial_fail(t, "it is still there after destroy");
}

static void list_stops_when_told(struct trial *t)
{
	struct plugin p;
	_life_ struct life l = { .t = t };
	struct search search = { .t = t, .answer = 7 };
	int r;

	reach(t, &p, &l, "list", LIFE_CREATED);
	search.name = l.name;
	r = p.table.list(l.self, NULL, look_at, &search, &l.err);
	if (search.n == 0)
		trial_absent(t);
	if (r != 7 || search.n != 1)
		trial_fail(t, "it returned %d after %zu containers, not 7 after one", r, search.n);
}

/* ---- adopt, native ------------------------------------------------------------------------------------- */

static int add_text(const char *text, void *data)
{
	buffer_addf(data, "%s\n", text);
	return 0;
}

static void read_native(struct life *l, struct buffer *ret)
{
	buffer_add(ret, "", 0);
	if (l->p->table.native)
		trial_expect(l->t, "native", l->p->table.native(l->self, &l->unit, add_text, ret, &l->err), 0, &l->err);
}

static struct mrg_spec *adopt(struct life *l)
{
	struct mrg_spec *empty = mrg_spec_new(), *spec = mrg_spec_new();
	struct mrg_unit unit = { .name = l->name, .id = l->id, .spec = empty, .dir = -1, .adopted = 1 };

	if (!empty || !spec)
		trial_fail(l->t, "out of memory");
	trial_expect(l->t, "adopt", l->p->table.adopt(l->self, &unit, spec, &l->err), 0, &l->err);
	return spec;
}

static void adopt_reads_what_was_made(struct trial *t)
{
	struct buffer before = { 0 }, after = { 0 };
	struct plugin p;
	_life_ struct life l = { .t = t };
	struct mrg_spec *spec;

	reach(t, &p, &l, "adopt", LIFE_CREATED);
	read_native(&l, &before);
	spec = adopt(&l);
	if (!spec->root_path || strcmp(spec->root_path, t->kit->root) != 0)
		trial_fail(t, "its root is '%s'", spec->root_path ? spec->root_path : "(none)");
	read_native(&l, &after);
	if (strcmp(before.text, after.text) != 0)
		trial_fail(t, "the engine's configuration is another afterwards");
}

static void adopt_misses_what_is_missing(struct trial *t)
{
	struct plugin p;
	_life_ struct life l = { .t = t };

	reach(t, &p, &l, "adopt", LIFE_DESTROYED);
	life_expect(&l, "adopt", -MRG_E_NOT_FOUND);
}

static void native_has_a_text(struct trial *t)
{
	struct buffer text = { 0 };
	struct plugin p;
	_life_ struct life l = { .t = t };

	reach(t, &p, &l, "native", LIFE_CREATED);
	read_native(&l, &text);
	if (text.length < 2 || !strstr(text.text, t->kit->root))
		trial_fail(t, "the root is not in '%.200s'", text.text);
}

static bool has_variable(const struct mrg_spec *spec, const char *variable)
{
	for (char **env = spec->env; env && *env; env++)
		if (strcmp(*env, variable) == 0)
			return true;
	return false;
}

/* A variable: the host name is no key of every engine's, some make it of the container's name. */
static void configure_writes_the_change(struct trial *t)
{
	static const char change[] = "MRGT_CHANGED=since it was made";
	struct plugin p;
	_life_ struct life l = { .t = t };

	reach(t, &p, &l, "configure", LIFE_CREATED);
	if (!p.table.adopt)
		trial_absent(t);
	if (has_variable(adopt(&l), change))
		trial_fail(t, "the change is there before it was made");
	if (mrg_spec_set(l.spec, MRG_FIELD_ENV, change, &l.err) < 0)
		trial_fail(t, "%s", l.err.message);
	life_expect(&l, "configure", 0);
	if (!has_variable(adopt(&l), change))
		trial_fail(t, "the engine's configuration does not have the new variable");
}

/* ---- process, rename, autostart -------------------------------------------------------------------------- */

static void process_tells_the_first(struct trial *t)
{
	struct mrg_process process = { .pidfd = -1 };
	uint64_t start_time;
	struct plugin p;
	_life_ struct life l = { .t = t };

	reach(t, &p, &l, "process", LIFE_RUNNING);
	l.unit.process = NULL;
	trial_expect(t, "process", p.table.process(l.self, &l.unit, &process, &l.err), 1, &l.err);
	if (process.pid <= 1 || proc_start_time(process.pid, &start_time) < 0)
		trial_fail(t, "there is no process %d", (int)process.pid);
	fd_close(process.pidfd);
	l.unit.process = &l.process;
	p.table.kill(l.self, &l.unit, SIGKILL, 1, &l.err);
	life_wait(&l);
	life_cleanup(&l);
	life_expect(&l, "process", 0);
}

static void process_of_what_does_not_run(struct trial *t)
{
	struct plugin p;
	_life_ struct life l = { .t = t };

	reach(t, &p, &l, "process", LIFE_CREATED);
	life_expect(&l, "process", 0);
}

static void rename_moves_all(struct trial *t)
{
	char name[NAME_SIZE];
	struct plugin p;
	bool found;
	_life_ struct life l = { .t = t };

	reach(t, &p, &l, "rename", LIFE_CREATED);
	found = p.table.find && is_found(&l);
	trial_name(t, 9, name);
	trial_expect(t, "rename", p.table.rename(l.self, &l.unit, name, &l.err), 0, &l.err);
	if (p.table.find && is_found(&l))
		trial_fail(t, "the old name is still there");
	snprintf(l.name, sizeof(l.name), "%s", name);
	if (p.table.find && is_found(&l) != found)
		trial_fail(t, "the new name is %s", found ? "not there" : "there, the old one was not");
	life_expect(&l, "destroy", 0);
}

static void autostart_is_set_and_asked(struct trial *t)
{
	static const struct { int on, expected; } steps[] = { { -1, 0 }, { 1, 1 }, { -1, 1 }, { 1, 1 }, { 0, 0 }, { -1, 0 } };
	struct plugin p;
	_life_ struct life l = { .t = t };

	reach(t, &p, &l, "autostart", LIFE_CREATED);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		trial_expect(t, steps[i].on < 0 ? "asking" : steps[i].on ? "switching on" : "switching off",
			     p.table.autostart(l.self, &l.unit, steps[i].on, &l.err), steps[i].expected, &l.err);
}

/* ---- home, park ------------------------------------------------------------------------------------------ */

/* The place of @name for such a container, in the memory of the test; NULL: it has none. */
static char *home_of(struct life *l, const char *name, const struct mrg_spec *spec)
{
	struct mrg_unit unit = { .name = name, .id = l->id, .spec = spec, .dir = -1 };
	char *home = NULL;

	trial_expect(l->t, "home", l->p->table.home(l->self, &unit, &home, &l->err), 0, &l->err);
	if (home && (home[0] != '/' || !strstr(home, name)))
		trial_fail(l->t, "the place of '%s' is '%s'", name, home);
	return home;
}

/* Whether there is one for containers of @spec; then it is the same each time, and one container's alone. */
static bool has_home(struct life *l, const struct mrg_spec *spec)
{
	_cleanup_free_ char *one = home_of(l, l->name, spec), *again = home_of(l, l->name, spec), *other = NULL;
	char name[NAME_SIZE];

	trial_name(l->t, 9, name);
	other = home_of(l, name, spec);
	if (!one != !again || !one != !other)
		trial_fail(l->t, "there is a place, and there is none");
	if (one && strcmp(one, again) != 0)
		trial_fail(l->t, "it was '%s' and is '%s' now", one, again);
	if (one && strcmp(one, other) == 0)
		trial_fail(l->t, "two containers have the place '%s'", one);
	return one;
}

static void home_is_a_place_for_each(struct trial *t)
{
	const struct mrg_spec own_users = { .ns_user = (char *)"" };
	struct plugin p;
	_life_ struct life l = { .t = t };
	bool any;

	reach(t, &p, &l, "home", LIFE_CREATED);
	any = has_home(&l, l.spec);
	any |= has_home(&l, &own_users);
	any |= has_home(&l, NULL);
	if (!any)
		trial_fail(t, "it has a place for none");
}

static int open_kept(struct life *l)
{
	int dir;

	if (mkdirat(l->unit.dir, "kept", 0700) < 0 || (dir = openat(l->unit.dir, "kept", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		trial_fail(l->t, "the kit cannot make a directory for what is kept");
	return dir;
}

/* Twice: what is so already is done again without harm. */
static void park(struct life *l, int kept, const char *what, int how)
{
	for (int i = 0; i < 2; i++)
		trial_expect(l->t, what, l->p->table.park(l->self, &l->unit, kept, l->id, how, &l->err), 0, &l->err);
}

static void park_hides_and_brings_back(struct trial *t)
{
	struct buffer before = { 0 }, after = { 0 };
	_cleanup_close_ int kept = -1;
	struct plugin p;
	_life_ struct life l = { .t = t };

	reach(t, &p, &l, "park", LIFE_CREATED);
	if (!p.table.find || !is_found(&l))
		trial_absent(t);
	kept = open_kept(&l);
	read_native(&l, &before);
	park(&l, kept, "setting aside", MRG_PARK_ASIDE);
	if (is_found(&l))
		trial_fail(t, "it is found while it is set aside");
	park(&l, kept, "bringing back", MRG_PARK_BACK);
	if (!is_found(&l))
		trial_fail(t, "it is not found after it was brought back");
	read_native(&l, &after);
	if (strcmp(before.text, after.text) != 0)
		trial_fail(t, "the engine's configuration is another afterwards");
	life_expect(&l, "destroy", 0);
}

static void park_discards_what_is_aside(struct trial *t)
{
	_cleanup_close_ int kept = -1;
	struct plugin p;
	_life_ struct life l = { .t = t };

	reach(t, &p, &l, "park", LIFE_CREATED);
	kept = open_kept(&l);
	park(&l, kept, "setting aside", MRG_PARK_ASIDE);
	park(&l, kept, "discarding", MRG_PARK_DISCARD);
	if (p.table.find && is_found(&l))
		trial_fail(t, "it is found after it was discarded");
}

#define ENGINE(name_, run_)	{ .section = "contract", .name = name_, .run = run_ }

const struct test contract_engine_tests[] = {
	ENGINE("find and list agree about what was made", find_and_list_agree),
	ENGINE("find and list forget what was destroyed", find_and_list_forget),
	ENGINE("list stops when it is told to", list_stops_when_told),
	ENGINE("adopt reads what was made, and leaves it alone", adopt_reads_what_was_made),
	ENGINE("adopt of what is missing gives -MRG_E_NOT_FOUND", adopt_misses_what_is_missing),
	ENGINE("native gives the engine's text", native_has_a_text),
	ENGINE("configure writes what has changed", configure_writes_the_change),
	ENGINE("process tells the first process, and that there is none any more", process_tells_the_first),
	ENGINE("process of what was never started gives 0", process_of_what_does_not_run),
	ENGINE("rename moves all the engine has", rename_moves_all),
	ENGINE("autostart is what was set last", autostart_is_set_and_asked),
	ENGINE("home is a place for each name", home_is_a_place_for_each),
	ENGINE("park hides it from the engine and brings it back as it was", park_hides_and_brings_back),
	ENGINE("park discards what was set aside", park_discards_what_is_aside),
	{ .name = NULL }
};
