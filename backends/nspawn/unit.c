/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* systemd-nspawn@NAME.service: what it runs, and whether it starts with the host. Read from its files, whether systemd runs or not. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/command.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"
#include "nspawn.h"

#define UNIT_MAX	(1 << 20)

/* In the order of systemd: what is in an earlier one hides the same name in a later one. */
static const char *const unit_dirs[] = {
	"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system",
};

/* Where the unit itself is missing: that of systemd 252. */
static const char default_command[] =
	"systemd-nspawn --quiet --keep-unit --boot --link-journal=try-guest --network-veth -U --settings=override --machine=%i";

/* ---- drop-ins -------------------------------------------------------------------------------- */

static int list_dropins(const char *dir, char ***names, char ***paths, struct mrg_error *err)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		size_t length = strlen(entry->d_name);
		_cleanup_free_ char *path = NULL;

		if (length < 6 || strcmp(entry->d_name + length - 5, ".conf") != 0 || strv_contains(*names, entry->d_name))
			continue;
		if (asprintf(&path, "%s/%s", dir, entry->d_name) < 0) {
			path = NULL;
			return fail_memory(err);
		}
		if (strv_append(names, entry->d_name) < 0 || strv_append(paths, path) < 0)
			return fail_memory(err);
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(strrchr(*(char *const *)a, '/'), strrchr(*(char *const *)b, '/'));
}

static int find_dropins(const char *name, char ***ret, struct mrg_error *err)
{
	_cleanup_(strv_freep) char **names = NULL;
	const char *const instances[] = { name, "" };
	char dir[PATH_MAX];
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(instances); i++)
		for (size_t j = 0; j < ARRAY_SIZE(unit_dirs) && r == 0; j++) {
			snprintf(dir, sizeof(dir), "%s/systemd-nspawn@%s.service.d", unit_dirs[j], instances[i]);
			r = list_dropins(dir, &names, ret, err);
		}
	if (*ret)
		qsort(*ret, strv_length(*ret), sizeof(char *), by_name);
	return r;
}

/* A file that is empty or a link to /dev/null says nothing. */
static int read_unit(const char *path, char **ret, struct mrg_error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char link[32];
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : fail_errno(err, -errno, "cannot open '%s'", path);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	r = fd_read_virtual(AT_FDCWD, link, UNIT_MAX, ret, NULL);
	return r < 0 ? fail_errno(err, r, "cannot read '%s'", path) : 1;
}

int nspawn_unit_dropins(const char *name, mrg_explain_fn text, void *data, struct mrg_error *err)
{
	_cleanup_(strv_freep) char **paths = NULL;
	int r = find_dropins(name, &paths, err);

	for (size_t i = 0; r == 0 && paths && paths[i]; i++) {
		_cleanup_free_ char *content = NULL;

		r = read_unit(paths[i], &content, err);
		if (r > 0)
			r = text(content, data);
		/* The next one begins with a line of its own. */
		if (r == 0 && content && *content && content[strlen(content) - 1] != '\n')
			r = text("\n", data);
	}
	return r;
}

/* ---- ExecStart= ------------------------------------------------------------------------------- */

/* Takes one line off *at, those that it goes on in included; false at the end. */
static bool next_line(char **at, char **ret)
{
	char *to = *at, *from = *at;

	if (!*from)
		return false;
	*ret = to;
	for (; *from && *from != '\n'; from++) {
		if (from[0] == '\\' && from[1] == '\n') {
			*to++ = ' ';
			from++;
		} else {
			*to++ = *from;
		}
	}
	*at = *from ? from + 1 : from;
	*to = '\0';
	return true;
}

/* Keeps the last ExecStart= of [Service] in *command; an empty one forgets those before. */
static int find_command(char *text, char **command)
{
	bool service = false;
	char *line;

	while (next_line(&text, &line)) {
		line += strspn(line, " \t\r");
		if (*line == '[')
			service = strncmp(line, "[Service]", 9) == 0;
		if (!service || strncmp(line, "ExecStart", 9) != 0)
			continue;
		line += 9 + strspn(line + 9, " \t");
		if (*line != '=')
			continue;
		line += 1 + strspn(line + 1, " \t");
		free(*command);
		*command = *line ? strdup(line) : NULL;
		if (*line && !*command)
			return -ENOMEM;
	}
	return 0;
}

static int find_in_dropin(const char *text, void *command)
{
	_cleanup_free_ char *copy = strdup(text);

	return copy ? find_command(copy, command) : -ENOMEM;
}

static int find_in_unit(const char *name, char **command, struct mrg_error *err)
{
	const char *const instances[] = { name, "" };
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(instances); i++)
		for (size_t j = 0; j < ARRAY_SIZE(unit_dirs); j++) {
			_cleanup_free_ char *text = NULL;
			int r;

			snprintf(path, sizeof(path), "%s/systemd-nspawn@%s.service", unit_dirs[j], instances[i]);
			r = read_unit(path, &text, err);
			if (r > 0)
				r = find_command(text, command);
			if (r < 0 || text)
				return r;
		}
	return 0;
}

/* "%i" and "%I" are the machine: its name has nothing to unescape but what systemd itself escapes. */
static int add_specifier(struct buffer *b, char c, const char *name)
{
	if (c == 'i' || c == 'I')
		buffer_addf(b, "%s", name);
	else if (c == '%')
		buffer_add(b, "%", 1);
	else
		return -EINVAL;
	return 0;
}

/* One character of a word, perhaps an escape; how many were used, 0: none that we know. */
static size_t add_character(struct buffer *b, const char *at)
{
	static const char from[] = "abfnrtvs\\\"'", to[] = "\a\b\f\n\r\t\v \\\"'";
	const char *found = at[0] == '\\' && at[1] ? strchr(from, at[1]) : NULL;
	unsigned int value;
	char c;

	if (at[0] != '\\') {
		buffer_add(b, at, 1);
		return 1;
	}
	if (found) {
		buffer_add(b, to + (found - from), 1);
		return 2;
	}
	if (at[1] != 'x' || sscanf(at + 2, "%2x", &value) != 1 || !value)
		return 0;
	c = (char)value;
	buffer_add(b, &c, 1);
	return 4;
}

/* Takes one word off *at: 1, 0 at the end, -EINVAL. */
static int next_word(const char **at, const char *name, char **ret)
{
	struct buffer b = { 0 };
	char quote = '\0';
	size_t used = 1;
	int r = 0;

	*at += strspn(*at, " \t\r");
	if (!**at)
		return 0;
	buffer_add(&b, "", 0);
	while (**at && (quote || !strchr(" \t\r", **at)) && used && r == 0) {
		used = 1;
		if (quote ? **at == quote : **at == '"' || **at == '\'') {
			quote = quote ? '\0' : **at;
		} else if (**at == '%') {
			r = add_specifier(&b, (*at)[1], name);
			used = 2;
		} else if (**at == '$' && (*at)[1] == '$') {
			buffer_add(&b, "$", 1);
			used = 2;
		} else {
			used = add_character(&b, *at);
		}
		*at += r == 0 ? used : 0;
	}
	if (r < 0 || !used || quote || b.failed) {
		buffer_deinit(&b);
		return b.failed ? -ENOMEM : -EINVAL;
	}
	*ret = b.text;
	return 1;
}

static int split(const char *command, const char *name, char ***ret)
{
	_cleanup_free_ char *word = NULL;
	bool program = true;
	int r;

	command += strspn(command, "-:+!@");
	while ((r = next_word(&command, name, &word)) > 0) {
		if (!program && strv_append(ret, word) < 0)
			return -ENOMEM;
		program = false;
		free(take_ptr(word));
	}
	return r;
}

int nspawn_unit_command(const char *name, char ***ret, struct mrg_error *err)
{
	_cleanup_free_ char *command = NULL;
	int r = find_in_unit(name, &command, err);

	if (r == 0)
		r = nspawn_unit_dropins(name, find_in_dropin, &command, err);
	if (r == 0)
		r = split(command ? command : default_command, name, ret);
	if (r == -EINVAL)
		return mrg_error_set(err, -MRG_E_UNSUPPORTED,
				     "ExecStart= of systemd-nspawn@%s.service has a specifier or an escape that only systemd can expand", name);
	return r == -ENOMEM ? fail_memory(err) : r;
}

/* ---- start with the host ------------------------------------------------------------------------ */

/* The link that "systemctl enable" makes is all there is to it, and is looked at without systemctl. */
static int is_enabled(const char *name)
{
	char link[PATH_MAX];
	struct stat st;

	snprintf(link, sizeof(link), "/etc/systemd/system/machines.target.wants/systemd-nspawn@%s.service", name);
	return lstat(link, &st) == 0;
}

/* What machinectl does: enabling takes the target for all machines along. */
static int systemctl(const char *verb, const char *name, struct mrg_error *err)
{
	char unit[NSPAWN_UNIT_SIZE];
	const char *const argv[] = {
		"systemctl", "--quiet", verb, unit, strcmp(verb, "enable") == 0 ? "machines.target" : NULL, NULL
	};
	_cleanup_free_ char *output = NULL;
	int r;

	snprintf(unit, sizeof(unit), "systemd-nspawn@%s.service", name);
	r = command_run(argv, &output, err);
	if (r <= 0)
		return r;
	output[strcspn(output, "\n")] = '\0';
	return mrg_error_set(err, -EIO, "'systemctl %s %s' failed with status %d: %s", verb, unit, r, output);
}

int nspawn_autostart(void *self _unused_, const struct mrg_unit *unit, int on, struct mrg_error *err)
{
	/* What made it is of no matter to the unit, which looks where machinectl looks. */
	bool elsewhere = unit->adopted && unit->path;
	int r = 0;

	if (on > 0 && elsewhere)
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "systemd-nspawn@.service does not start machines in '%s'", unit->path);
	if (elsewhere)
		return 0;
	if (on > 0 && unit->transient && !unit->adopted)
		return mrg_error_set(err, -MRG_E_STATE, "'%s' is removed when it ends: it cannot start at boot", unit->name);
	if (on >= 0 && on != is_enabled(unit->name))
		r = systemctl(on ? "enable" : "disable", unit->name, err);
	return r < 0 ? r : is_enabled(unit->name);
}
