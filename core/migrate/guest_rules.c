/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is changed in a root, rule by rule. */

#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/migrate/guest.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/path.h"
#include "core/util/str.h"

#define MARK		"#moorage# "	/* before lines that are taken out */
#define TERMINALS_MAX	1000		/* more than any system has */
#define FILES_MAX	256		/* in a directory that is gone through */

/* ---- helpers for rules -------------------------------------------------------------------------- */

static struct guest_change *find_change(const struct guest_changes *changes, const char *path)
{
	for (size_t i = 0; i < changes->n; i++)
		if (strcmp(changes->item[i].path, path) == 0)
			return &changes->item[i];
	return NULL;
}

int guest_add(struct guest_changes *changes, const struct guest_context *x, const char *rule, const char *path, struct guest_state *after, const char *text,
	      struct mrg_error *err)
{
	struct guest_change change = { .after = *after };
	struct guest_change *bigger;

	*after = (struct guest_state){ 0 };
	/* What cannot be looked at is nothing that a rule is about; the first rule about a file has the say. */
	if (find_change(changes, path) || guest_look(x->root, path, &change.before) < 0 || guest_same(&change.before, &change.after)) {
		guest_state_deinit(&change.before);
		guest_state_deinit(&change.after);
		return 0;
	}
	change.rule = strdup(rule);
	change.path = strdup(path);
	change.text = strdup(text);
	bigger = realloc(changes->item, (changes->n + 1) * sizeof(*bigger));
	if (bigger)
		changes->item = bigger;
	if (!bigger || !change.rule || !change.path || !change.text) {
		guest_change_deinit(&change);
		return fail_memory(err);
	}
	changes->item[changes->n++] = change;
	return 0;
}

static struct guest_state state_of_text(struct buffer *b, int mode)
{
	struct guest_state state = { .kind = GUEST_FILE, .mode = mode, .uid = -1, .gid = -1, .mtime = -1, .content = b->text, .length = b->length };

	*b = (struct buffer){ 0 };
	return state;
}

/* Rewrites one line; false: it stays as it is. */
typedef bool (*line_fn)(const struct guest_context *x, const char *line, size_t length, struct buffer *b);

/* Goes through a text file line by line. */
static int edit_lines(const struct guest_context *x, struct guest_changes *changes, const char *const what[3], line_fn edit, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer b = { 0 };
	_cleanup_(guest_state_deinit) struct guest_state now = { 0 };
	struct guest_state after;
	bool changed = false;

	if (guest_look(x->root, what[1], &now) < 0 || now.kind != GUEST_FILE || memchr(now.content, '\0', now.length))
		return 0;
	buffer_add(&b, "", 0);
	for (const char *line = now.content; *line;) {
		size_t length = strcspn(line, "\n");

		if (edit(x, line, length, &b))
			changed = true;
		else
			buffer_add(&b, line, length);
		line += length;
		if (*line == '\n') {
			buffer_add(&b, "\n", 1);
			line++;
		}
	}
	if (b.failed)
		return fail_memory(err);
	if (!changed)
		return 0;
	after = state_of_text(&b, now.mode);
	return guest_add(changes, x, what[0], what[1], &after, what[2], err);
}

/* Calls @each with the path of each entry of @dir that ends with @suffix. */
static int each_file(const struct guest_context *x, struct guest_changes *changes, const char *const what[2],
		     int (*each)(const struct guest_context *x, struct guest_changes *changes, const char *path, struct mrg_error *err), struct mrg_error *err)
{
	int fd = path_open_in_root(x->root, what[0], O_RDONLY | O_DIRECTORY, 0), r = 0, n = 0;
	_cleanup_closedir_ DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (fd >= 0 && !d)
		close(fd);
	while (d && r == 0 && n++ < FILES_MAX && (entry = readdir(d))) {
		size_t length = strlen(entry->d_name), suffix = strlen(what[1]);
		char path[PATH_MAX];

		if (entry->d_name[0] == '.' || length < suffix || strcmp(entry->d_name + length - suffix, what[1]) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", what[0], entry->d_name);
		r = each(x, changes, path, err);
	}
	return r;
}

/* ---- what an earlier migration has changed -------------------------------------------------------- */

/* One change taken back, on top of the later ones that are. */
static int restore_file(const struct guest_context *x, struct guest_changes *changes, struct guest_change *earlier, struct mrg_error *err)
{
	_cleanup_(guest_state_deinit) struct guest_state now = { 0 };
	struct guest_change *later = find_change(changes, earlier->path);

	/* Owners may have been given other numbers since. */
	earlier->before.uid = earlier->before.gid = -1;
	if (later && guest_same(&later->after, &earlier->after)) {
		guest_state_deinit(&later->after);
		later->after = earlier->before;
		earlier->before = (struct guest_state){ 0 };
	}
	if (later || guest_look(x->root, earlier->path, &now) < 0 || !guest_same(&now, &earlier->after))
		return 0;
	return guest_add(changes, x, "restore", earlier->path, &earlier->before, "as it was before the migration from there", err);
}

/* Back where it came from: what was changed for the way here is as it was before, where nobody has touched it. */
static int restore_one(const struct guest_context *x, struct guest_changes *changes, int journal, struct mrg_error *err)
{
	_cleanup_(guest_changes_deinit) struct guest_changes earlier = { 0 };
	int r = guest_load(journal, &earlier, err);

	for (size_t i = earlier.n; i-- > 0 && r == 0;)
		r = restore_file(x, changes, &earlier.item[i], err);
	return r;
}

static int restore_earlier(const struct guest_context *x, struct guest_changes *changes, struct mrg_error *err)
{
	int r = 0;

	for (size_t i = 0; i < x->n_earlier && r == 0; i++)
		r = restore_one(x, changes, x->earlier[i], err);
	return r;
}

/* ---- identity -------------------------------------------------------------------------------------- */

/* Two systems with one id clash in journals and leases. systemd makes a new one where the file is empty. */
static int renew_machine_id(const struct guest_context *x, struct guest_changes *changes, struct mrg_error *err)
{
	static const char *const paths[] = { "/etc/machine-id", "/var/lib/dbus/machine-id" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(paths) && r == 0 && x->copied; i++) {
		_cleanup_(guest_state_deinit) struct guest_state now = { 0 };
		struct buffer empty = { 0 };
		struct guest_state after;

		if (guest_look(x->root, paths[i], &now) < 0 || now.kind != GUEST_FILE || now.length == 0)
			continue;
		buffer_add(&empty, "", 0);
		if (empty.failed)
			return fail_memory(err);
		after = state_of_text(&empty, now.mode);
		r = guest_add(changes, x, "machine-id", paths[i], &after, "a copy gets an id of its own when it boots", err);
	}
	return r;
}

/* ---- terminals ------------------------------------------------------------------------------------- */

/* How many of /dev/tty1 and so on the engine gives. */
static int count_terminals(const char *backend)
{
	static const struct { const char *backend; int n; } given[] = { { "lxc", 4 }, { "libvirt", 1 } };

	for (size_t i = 0; i < ARRAY_SIZE(given); i++)
		if (strcmp(given[i].backend, backend) == 0)
			return given[i].n;
	return 0;
}

/* The number in "ttyN" at @text, 0 when it is none. */
static int terminal_number(const char *text)
{
	int n = 0;

	if (strncmp(text, "tty", 3) != 0 || text[3] == '0')
		return 0;
	for (text += 3; isdigit((unsigned char)*text) && n < TERMINALS_MAX; text++)
		n = n * 10 + *text - '0';
	return n;
}

static int remove_getty(const struct guest_context *x, struct guest_changes *changes, const char *path, struct mrg_error *err)
{
	const char *instance = strstr(path, "/getty@");
	int n = instance ? terminal_number(instance + 7) : 0;
	struct guest_state absent = { 0 };

	if (n <= count_terminals(x->to))
		return 0;
	return guest_add(changes, x, "getty", path, &absent, "there is no such terminal: its getty would be started again and again", err);
}

/* systemd's own unit passes over terminals that are not there; those that templates of LXC have put in its place try again and again. */
static bool getty_insists(const struct guest_context *x)
{
	static const char *const units[] = {
		"/etc/systemd/system/getty@.service", "/usr/lib/systemd/system/getty@.service", "/lib/systemd/system/getty@.service",
	};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		_cleanup_(guest_state_deinit) struct guest_state unit = { 0 };

		if (guest_look(x->root, units[i], &unit) == 0 && unit.kind == GUEST_FILE)
			return !strstr(unit.content, "\nConditionPathExists=/dev/tty");
	}
	return false;
}

static int remove_gettys(const struct guest_context *x, struct guest_changes *changes, struct mrg_error *err)
{
	static const char *const what[] = { "/etc/systemd/system/getty.target.wants", ".service" };

	return getty_insists(x) ? each_file(x, changes, what, remove_getty, err) : 0;
}

/* "1:2345:respawn:/sbin/getty 38400 tty1", or busybox's "tty1::respawn:/sbin/getty 38400 tty1". */
static bool edit_inittab(const struct guest_context *x, const char *line, size_t length, struct buffer *b)
{
	_cleanup_free_ char *copy = strndup(line, length);
	const char *at = copy;
	int n = 0;

	if (!copy || *copy == '#' || !strstr(copy, ":respawn:") || !strstr(copy, "getty"))
		return false;
	while (n == 0 && at && (at = strstr(at, "tty"))) {
		n = at == copy || !isalpha((unsigned char)at[-1]) ? terminal_number(at) : 0;
		at += 3;
	}
	if (n <= count_terminals(x->to))
		return false;
	buffer_addf(b, MARK "%s", copy);
	return true;
}

static int fit_inittab(const struct guest_context *x, struct guest_changes *changes, struct mrg_error *err)
{
	static const char *const what[] = { "inittab", "/etc/inittab", "there are no such terminals: their gettys would be started again and again" };

	return edit_lines(x, changes, what, edit_inittab, err);
}

/* ---- network --------------------------------------------------------------------------------------- */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.' || c == '@';
}

/* The new name of the device whose name is the word at @word, or NULL. */
static const char *new_name(const struct guest_context *x, const char *word, size_t length)
{
	for (char *const *pair = x->devices; pair && pair[0] && pair[1]; pair += 2)
		if (strlen(pair[0]) == length && strncmp(pair[0], word, length) == 0)
			return pair[1];
	return NULL;
}

/* Whole words, not in comments. */
static bool edit_devices(const struct guest_context *x, const char *line, size_t length, struct buffer *b)
{
	size_t length_before = b->length;
	bool changed = false;

	if (line[strspn(line, " \t")] == '#' || line[strspn(line, " \t")] == ';')
		return false;
	for (size_t i = 0; i < length;) {
		size_t word = 0;
		const char *name;

		while (i + word < length && is_word(line[i + word]))
			word++;
		name = word ? new_name(x, line + i, word) : NULL;
		if (name)
			buffer_add(b, name, strlen(name));
		else
			buffer_add(b, line + i, word ? word : 1);
		changed |= name != NULL;
		i += word ? word : 1;
	}
	if (!changed && !b->failed)
		b->length = length_before;
	return changed;
}

static int rename_devices_in(const struct guest_context *x, struct guest_changes *changes, const char *path, struct mrg_error *err)
{
	const char *const what[] = { "network", path, "the network device has another name" };

	return edit_lines(x, changes, what, edit_devices, err);
}

static int rename_devices(const struct guest_context *x, struct guest_changes *changes, struct mrg_error *err)
{
	static const char *const dirs[][2] = {
		{ "/etc/network/interfaces.d", "" }, { "/etc/systemd/network", ".network" }, { "/etc/netplan", ".yaml" },
	};
	int r = 0;

	if (!x->devices || !x->devices[0])
		return 0;
	r = rename_devices_in(x, changes, "/etc/network/interfaces", err);
	for (size_t i = 0; i < ARRAY_SIZE(dirs) && r == 0; i++)
		r = each_file(x, changes, dirs[i], rename_devices_in, err);
	return r;
}

/* With the host's network and no resolver of its own, the host's is right. nspawn has put it there at each start, so that it was not missing. */
static int copy_resolver(const struct guest_context *x, struct guest_changes *changes, struct mrg_error *err)
{
	_cleanup_(guest_state_deinit) struct guest_state now = { 0 };
	_cleanup_close_ int there = -1, etc = path_open_in_root(x->root, "/etc", O_PATH | O_DIRECTORY, 0);
	struct guest_state after = { .kind = GUEST_FILE, .mode = 0644, .uid = -1, .gid = -1, .mtime = -1 };

	/* An application's root may have no such directory, and then nothing in it that would look there. */
	if (etc < 0 || x->after->ns_network || strcmp(x->to, "nspawn") == 0 || guest_look(x->root, "/etc/resolv.conf", &now) < 0)
		return 0;
	if ((now.kind == GUEST_FILE && now.length > 0) || now.kind == GUEST_DIRECTORY)
		return 0;
	there = path_open_in_root(x->root, "/etc/resolv.conf", O_PATH, 0);
	if (now.kind == GUEST_LINK && (there >= 0 || !strstr(now.content, "run/")))
		return 0;
	/* Links of the host are the host's word. */
	if (fd_read_file(AT_FDCWD, "/etc/resolv.conf", GUEST_FILE_MAX, &after.content, &after.length) < 0)
		return 0;
	return guest_add(changes, x, "resolv.conf", "/etc/resolv.conf", &after, "the network is the host's, and so is the resolver", err);
}

/* ---- the engine's name ------------------------------------------------------------------------------ */

static const char *word_of(const char *backend)
{
	static const struct { const char *backend, *word; } words[] = {
		{ "lxc", "lxc" }, { "nspawn", "systemd-nspawn" }, { "libvirt", "lxc-libvirt" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].backend, backend) == 0)
			return words[i].word;
	return "moorage";
}

static bool edit_environment(const struct guest_context *x, const char *line, size_t length, struct buffer *b)
{
	const char *word = word_of(x->from);

	if (strncmp(line, "container=", 10) != 0 || length != 10 + strlen(word) || strncmp(line + 10, word, strlen(word)) != 0)
		return false;
	buffer_addf(b, "container=%s", word_of(x->to));
	return true;
}

static int rename_container(const struct guest_context *x, struct guest_changes *changes, struct mrg_error *err)
{
	static const char *const what[] = { "container", "/etc/environment", "it names the engine" };

	return edit_lines(x, changes, what, edit_environment, err);
}

#define OLDROOT		"/.oldroot"

/* What libvirt would make, so that it is known to go with it. */
static int make_remains(const struct guest_context *x, struct guest_changes *changes, struct mrg_error *err)
{
	_cleanup_(guest_state_deinit) struct guest_state now = { 0 };
	struct guest_state after = { .kind = GUEST_DIRECTORY, .mode = 0755, .uid = -1, .gid = -1, .mtime = -1 };

	if (strcmp(x->to, "libvirt") != 0 || guest_look(x->root, OLDROOT, &now) < 0 || now.kind != GUEST_ABSENT)
		return 0;
	return guest_add(changes, x, "remains", OLDROOT, &after, "libvirt makes it at each start", err);
}

/* What libvirt makes in the root at each start. Only an empty directory can be removed. */
static int remove_remains(const struct guest_context *x, struct guest_changes *changes, struct mrg_error *err)
{
	_cleanup_(guest_state_deinit) struct guest_state now = { 0 };
	struct guest_state absent = { 0 };
	_cleanup_closedir_ DIR *d = NULL;
	struct dirent *entry;
	int fd;

	if (strcmp(x->from, "libvirt") != 0 || guest_look(x->root, OLDROOT, &now) < 0 || now.kind != GUEST_DIRECTORY)
		return 0;
	fd = path_open_in_root(x->root, OLDROOT, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	d = fd < 0 ? NULL : fdopendir(fd);
	while (d && (entry = readdir(d)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return 0;
	return d ? guest_add(changes, x, "remains", OLDROOT, &absent, "libvirt makes it at each start", err) : 0;
}

/* ---- all of them ------------------------------------------------------------------------------------- */

/* What was changed there and back in the meantime is as it has to be. */
static void forget_unchanged(struct guest_changes *changes)
{
	size_t kept = 0;

	for (size_t i = 0; i < changes->n; i++)
		if (guest_same(&changes->item[i].before, &changes->item[i].after))
			guest_change_deinit(&changes->item[i]);
		else
			changes->item[kept++] = changes->item[i];
	changes->n = kept;
}

int guest_plan(const struct guest_context *x, struct guest_changes *ret, struct mrg_error *err)
{
	static int (*const rules[])(const struct guest_context *x, struct guest_changes *changes, struct mrg_error *err) = {
		restore_earlier, renew_machine_id, remove_gettys, fit_inittab, rename_devices, copy_resolver, rename_container, make_remains,
		remove_remains,
	};
	int r = 0;

	*ret = (struct guest_changes){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(rules) && r == 0; i++)
		r = rules[i](x, ret, err);
	forget_unchanged(ret);
	if (r < 0)
		guest_changes_deinit(ret);
	return r;
}
