/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where LXC keeps its containers. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lxc.h"

#include "core/util/fail.h"
#include "core/util/fd.h"

#define GLOBAL_MAX	(64 << 10)

/* The value of lxc.lxcpath: the first that is given, as LXC reads it. */
static const char *find_value(char *text)
{
	char *save, *line;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *key = line + strspn(line, " \t"), *value = strchr(key, '=');

		if (!value || strncmp(key, "lxc.lxcpath", 11) != 0 || key + 11 + strspn(key + 11, " \t") != value)
			continue;
		value += 1 + strspn(value + 1, " \t");
		if (*value)
			return value;
	}
	return NULL;
}

/* Root has one place for the host, others have one each in their home. */
static int default_path(char ret[PATH_MAX])
{
	const char *home = secure_getenv("HOME");
	_cleanup_free_ char *text = NULL;
	char file[PATH_MAX] = "/etc/lxc/lxc.conf";
	const char *value = NULL;

	if (geteuid() != 0 && !home)
		return -ENOENT;
	if (geteuid() != 0 && snprintf(file, sizeof(file), "%s/.config/lxc/lxc.conf", home) >= (int)sizeof(file))
		return -ENAMETOOLONG;
	if (fd_read_file(AT_FDCWD, file, GLOBAL_MAX, &text, NULL) == 0)
		value = find_value(text);
	if (value)
		return snprintf(ret, PATH_MAX, "%s", value) < PATH_MAX ? 0 : -ENAMETOOLONG;
	if (geteuid() == 0)
		return snprintf(ret, PATH_MAX, "/var/lib/lxc") > 0 ? 0 : -EIO;
	return snprintf(ret, PATH_MAX, "%s/.local/share/lxc", home) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int lxc_place_path(const char *asked, char ret[PATH_MAX], struct mrg_error *err)
{
	size_t length;
	int r = 0;

	if (asked)
		r = snprintf(ret, PATH_MAX, "%s", asked) < PATH_MAX ? 0 : -ENAMETOOLONG;
	else
		r = default_path(ret);
	if (r == -ENOENT)
		return mrg_error_set(err, -MRG_E_INVALID, "HOME is not set, below which LXC has the containers of an ordinary user");
	if (r < 0)
		return mrg_error_set(err, -MRG_E_INVALID, "the path of LXC's containers is too long");
	if (ret[0] != '/')
		return mrg_error_set(err, -MRG_E_INVALID, "the path of LXC's containers must be absolute, not '%s'", ret);
	/* The monitor's socket has it in its name, so it must be spelled as LXC does. */
	for (length = strlen(ret); length > 1 && ret[length - 1] == '/'; length--)
		ret[length - 1] = '\0';
	return 0;
}

static int check_name(const char *name, struct mrg_error *err)
{
	if (*name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !strchr(name, '/'))
		return 0;
	return mrg_error_set(err, -MRG_E_INVALID, "'%s' is no name for a container of LXC", name);
}

int lxc_place_of(const struct mrg_unit *unit, struct lxc_place *ret, struct mrg_error *err)
{
	int r = check_name(unit->name, err);

	ret->name = unit->name;
	return r < 0 ? r : lxc_place_path(unit->path, ret->path, err);
}

int lxc_place_open(const struct lxc_place *place)
{
	char path[PATH_MAX];
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", place->path, place->name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

int lxc_place_exists(const struct lxc_place *place)
{
	char path[PATH_MAX];
	struct stat st;

	return snprintf(path, sizeof(path), "%s/%s/" LXC_CONFIG, place->path, place->name) < PATH_MAX && lstat(path, &st) == 0 &&
	       S_ISREG(st.st_mode);
}

int lxc_config_failed(const struct lxc_place *place, int r, const char *what, struct mrg_error *err)
{
	if (r == -ENOENT)
		return mrg_error_set(err, -MRG_E_NOT_FOUND, "no container named '%s' in '%s'", place->name, place->path);
	return fail_errno(err, r == -EEXIST || r == -ENOTEMPTY ? -EIO : r, "cannot %s '%s/%s/" LXC_CONFIG "'", what, place->path,
			  place->name);
}
