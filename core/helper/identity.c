/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who a container's process runs as: look-up in /etc/passwd and /etc/group of its root, which may hold anything. */

#include "config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/helper/process.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/path.h"
#include "core/util/str.h"

#define DATABASE_MAX	(10U << 20)
#define LINE_MAX_BYTES	(64U << 10)
#define GROUPS_MAX	65536U		/* NGROUPS_MAX of Linux */
#define ID_MAX		4294967294U	/* 2^32-1 means "no change" to setresuid(2) */

/* A user or group as it was asked for: a number when it has digits only, whatever the files say. */
struct wanted {
	const char *name;		/* NULL: by number */
	uint32_t id;
};

/* Reads a database whole; *ret is NULL when there is none. */
static int read_database(int root, const char *path, char **ret, struct mrg_error *err)
{
	/* O_NONBLOCK: a FIFO in its place must not hang us. */
	_cleanup_close_ int fd = path_open_in_root(root, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 && fd != -ENOENT && fd != -ENOTDIR)
		return mrg_error_set(err, fd, "cannot open %s of the container: %s", path, strerror(-fd));
	if (fd < 0) {
		*ret = NULL;
		return 0;
	}
	if (fstat(fd, &st) < 0)
		return mrg_error_set(err, -errno, "cannot look at %s of the container: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return mrg_error_set(err, -MRG_E_INVALID, "%s of the container is not a regular file", path);
	if (st.st_size > (off_t)DATABASE_MAX)
		return mrg_error_set(err, -MRG_E_INVALID, "%s of the container is larger than %u MiB", path,
				     DATABASE_MAX >> 20);
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return mrg_error_set(err, -ENOMEM, "not enough memory to read %s of the container", path);
	n = fd_read_all(fd, text, (size_t)st.st_size);
	if (n < 0)
		return mrg_error_set(err, (int)n, "cannot read %s of the container: %s", path, strerror((int)-n));
	text[n] = '\0';
	*ret = take_ptr(text);
	return 0;
}

/* Takes the next line off @cursor; NULL at the end (a NUL byte ends the file too). Longer lines than anybody needs are skipped. */
static char *next_line(char **cursor)
{
	while (**cursor) {
		char *line = *cursor;
		size_t length = strcspn(line, "\n");

		*cursor += length + (line[length] == '\n');
		line[length] = '\0';
		if (length <= LINE_MAX_BYTES)
			return line;
	}
	return NULL;
}

/* Splits "a:b:c" in place; whether there are at least @n fields. */
static bool split(char *line, char *fields[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		fields[i] = line;
		line += strcspn(line, ":");
		if (*line == '\0')
			return i + 1 == n;
		*line++ = '\0';
	}
	return true;
}

static bool parse_id(const char *text, uint32_t *ret)
{
	return parse_uint32(text, ret) == 0 && *ret <= ID_MAX;
}

static bool all_digits(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

static int parse_wanted(const char *text, const char *what, struct wanted *ret, struct mrg_error *err)
{
	struct wanted w = { 0 };

	if (!*text)
		return mrg_error_set(err, -MRG_E_INVALID, "the %s to run as is empty", what);
	if (!all_digits(text))
		w.name = text;
	else if (!parse_id(text, &w.id))
		return mrg_error_set(err, -MRG_E_INVALID, "%s id '%s' is out of range", what, text);
	*ret = w;
	return 0;
}

static bool matches(const struct wanted *w, const char *name, uint32_t id)
{
	return w->name ? strcmp(w->name, name) == 0 : w->id == id;
}

/* Finds @user in /etc/passwd: *ret_name is the name to look for in /etc/group (NULL: none). */
static int find_user(int root, const struct wanted *user, struct identity *who, char **ret_name, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	char *cursor, *line, *f[7];
	int r = read_database(root, "/etc/passwd", &text, err);

	/* A number needs no file: an unreadable one costs only the home directory. */
	if (r < 0 && user->name)
		return r;
	who->uid = user->id;
	cursor = text;
	while (cursor && (line = next_line(&cursor))) {
		uint32_t uid, gid;

		if (!split(line, f, 7) || !parse_id(f[2], &uid) || !parse_id(f[3], &gid) || !matches(user, f[0], uid))
			continue;
		who->uid = uid;
		who->gid = gid;
		who->home = f[5][0] == '/' ? strdup(f[5]) : NULL;
		*ret_name = strdup(f[0]);
		if (!*ret_name || (f[5][0] == '/' && !who->home))
			return mrg_error_set(err, -ENOMEM, "not enough memory to look up the user");
		return 0;
	}
	if (user->name)
		return mrg_error_set(err, -MRG_E_INVALID, "user '%s' is not in /etc/passwd of the container", user->name);
	return 0;
}

static int add_group(struct identity *who, gid_t gid)
{
	gid_t *bigger;

	for (size_t i = 0; i < who->n_groups; i++)
		if (who->groups[i] == gid)
			return 0;
	if (who->n_groups == GROUPS_MAX)
		return -E2BIG;
	bigger = reallocarray(who->groups, who->n_groups + 1, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	who->groups = bigger;
	who->groups[who->n_groups++] = gid;
	return 0;
}

static bool is_member(char *members, const char *name)
{
	for (char *m; (m = strsep(&members, ","));)
		if (strcmp(m, name) == 0)
			return true;
	return false;
}

static int find_group(int root, const struct wanted *group, struct identity *who, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	char *cursor, *line, *f[4];
	int r;

	who->gid = group->id;
	if (!group->name)
		return 0;
	r = read_database(root, "/etc/group", &text, err);
	if (r < 0)
		return r;
	cursor = text;
	while (cursor && (line = next_line(&cursor)))
		if (split(line, f, 4) && strcmp(f[0], group->name) == 0 && parse_id(f[2], &who->gid))
			return 0;
	return mrg_error_set(err, -MRG_E_INVALID, "group '%s' is not in /etc/group of the container", group->name);
}

/* The groups that list @name as a member. */
static int find_memberships(int root, const char *name, struct identity *who, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	char *cursor, *line, *f[4];
	int r = read_database(root, "/etc/group", &text, err);

	if (r < 0)
		return r;
	cursor = text;
	while (cursor && (line = next_line(&cursor))) {
		uint32_t gid;

		if (!split(line, f, 4) || !is_member(f[3], name) || !parse_id(f[2], &gid))
			continue;
		r = add_group(who, gid);
		if (r < 0)
			return mrg_error_set(err, r, "user '%s' is in too many groups", name);
	}
	return 0;
}

/* "name|uid[:group|gid]". With a group given the user's memberships do not count, as with docker. */
static int find_by_text(int root, const char *spec, struct identity *who, struct mrg_error *err)
{
	_cleanup_free_ char *text = strdup(spec), *name = NULL;
	struct wanted user, group;
	char *colon;
	int r;

	if (!text)
		return mrg_error_set(err, -ENOMEM, "not enough memory to look up the user");
	colon = strchr(text, ':');
	if (colon)
		*colon = '\0';
	r = parse_wanted(text, "user", &user, err);
	if (r == 0 && colon)
		r = parse_wanted(colon + 1, "group", &group, err);
	if (r == 0)
		r = find_user(root, &user, who, &name, err);
	if (r < 0)
		return r;
	if (colon)
		return find_group(root, &group, who, err);
	if (add_group(who, who->gid) < 0)
		return mrg_error_set(err, -ENOMEM, "not enough memory to look up the user");
	return name ? find_memberships(root, name, who, err) : 0;
}

/* Numbers, as OCI has them: the files are only asked for the home directory. */
static int find_by_number(int root, const struct mrg_spec *spec, bool home, struct identity *who, struct mrg_error *err)
{
	struct wanted user = { .id = spec->uid };
	_cleanup_free_ char *name = NULL;
	int r = home ? find_user(root, &user, who, &name, err) : 0;

	who->uid = spec->uid;
	who->gid = spec->gid;
	return r;
}

int identity_find(int root, const struct mrg_helper_process *p, bool home, struct identity *ret, struct mrg_error *err)
{
	const char *user = p->command && p->command->user ? p->command->user : p->spec->user;
	struct identity who = { 0 };
	int r = user ? find_by_text(root, user, &who, err) : find_by_number(root, p->spec, home, &who, err);

	/* Left out, a file that denies its group something would not deny it to us. */
	if (r == 0 && add_group(&who, who.gid) < 0)
		r = mrg_error_set(err, -ENOMEM, "not enough memory to look up the user");
	for (size_t i = 0; r == 0 && i < p->spec->additional_gids.n; i++)
		if (add_group(&who, p->spec->additional_gids.item[i]) < 0)
			r = mrg_error_set(err, -MRG_E_INVALID, "there are too many additional groups");
	if (r < 0) {
		identity_deinit(&who);
		return r;
	}
	*ret = who;
	return 0;
}

void identity_deinit(struct identity *who)
{
	free(who->groups);
	free(who->home);
	*who = (struct identity){ 0 };
}

/* As moorage-init wants it. */
static int print_ids(const struct identity *who, char **ret)
{
	_cleanup_(buffer_deinit) struct buffer b = { 0 };

	buffer_addf(&b, "%u:%u", who->uid, who->gid);
	for (size_t i = 0; i < who->n_groups; i++)
		if (who->groups[i] != who->gid)
			buffer_addf(&b, ",%u", who->groups[i]);
	if (b.failed)
		return -ENOMEM;
	*ret = take_ptr(b.text);
	return 0;
}

int mrg_helper_user(const struct mrg_spec *spec, int root, char **ret_ids, char **ret_home, struct mrg_error *err)
{
	const struct mrg_helper_process p = { .spec = spec, .init = -1 };
	_cleanup_(identity_deinit) struct identity who = { 0 };
	_cleanup_free_ char *home = NULL;
	int r = identity_find(root, &p, ret_home != NULL, &who, err);

	if (r < 0)
		return r;
	home = strdup(who.home ? who.home : "/");
	if (!home || print_ids(&who, ret_ids) < 0)
		return mrg_error_set(err, -ENOMEM, "not enough memory to look up the user");
	if (ret_home)
		*ret_home = take_ptr(home);
	return 0;
}
