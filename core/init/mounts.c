/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The last touches to mounts, for engines that leave them out or take long for them: flags, what is hidden, what is read-only. */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/init/init.h"

/* The same on every architecture; Linux 5.12. The headers of some C libraries lack them. */
#ifndef SYS_mount_setattr
#define SYS_mount_setattr	442
#endif
#define RECURSIVE		0x8000	/* AT_RECURSIVE */
#define READ_ONLY		1	/* MOUNT_ATTR_RDONLY */

struct attributes {			/* struct mount_attr of Linux, its first version */
	uint64_t set, clear, propagation, userns;
};

static void set_attributes(const char *path, unsigned int flags, const struct attributes *attributes)
{
	if (syscall(SYS_mount_setattr, AT_FDCWD, path, flags, attributes, sizeof(*attributes)) < 0)
		fail(-errno, "cannot set the flags of the mount '", path, "'");
}

/* "SET:CLEAR PATH" */
static void change(const char *line)
{
	struct attributes attributes = { 0 };
	char *end;

	attributes.set = strtoull(line, &end, 16);
	if (*end == ':')
		attributes.clear = strtoull(end + 1, &end, 16);
	if (*end != ' ')
		fail(-EINVAL, "'", line, "' is no flags of a mount");
	set_attributes(end + 1, 0, &attributes);
}

/* Whether there is something to be hidden, which is not so on every kernel. */
static int exists(const char *path, struct stat *ret)
{
	if (stat(path, ret) == 0)
		return 1;
	if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
		fail(-errno, "cannot look at '", path, "'");
	return 0;
}

static void hide(const char *path)
{
	struct stat st;
	int r;

	if (!exists(path, &st))
		return;
	if (S_ISDIR(st.st_mode))
		r = mount("tmpfs", path, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k");
	else
		r = mount("/dev/null", path, NULL, MS_BIND, NULL);
	if (r < 0)
		fail(-errno, "cannot hide '", path, "'");
}

static void make_readonly(const char *path)
{
	const struct attributes attributes = { .set = READ_ONLY };
	struct stat st;

	if (!exists(path, &st))
		return;
	if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) < 0)
		fail(-errno, "cannot make '", path, "' read-only");
	set_attributes(path, RECURSIVE, &attributes);
}

static void make_private(const char *path)
{
	const struct attributes attributes = { .propagation = MS_PRIVATE };

	set_attributes(path, RECURSIVE, &attributes);
}

static const struct {
	const char *word;
	void (*touch)(const char *line);
} touches[] = {
	{ "flags ", change }, { "hide ", hide }, { "readonly ", make_readonly }, { "private ", make_private },
};

void set_mounts(void)
{
	for (char **lines = take_strings(MOUNTS_FD, "what is to be done to mounts"); *lines; lines++)
		for (size_t i = 0; i < sizeof(touches) / sizeof(touches[0]); i++)
			if (strncmp(*lines, touches[i].word, strlen(touches[i].word)) == 0)
				touches[i].touch(*lines + strlen(touches[i].word));
}
