/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared objects loaded on demand: who may have written them, and what their failures mean. */

#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/registry/module.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/path.h"

/* Which Debian package brings a library that plugins need. */
static const struct { const char *library, *package; } packages[] = {
	{ "libseccomp.so.2", "libseccomp2" },
	{ "libcap.so.2", "libcap2" },
	{ "liblxc.so.1", "liblxc1" },
	{ "libvirt.so.0", "libvirt0" },
	{ "libvirt-lxc.so.0", "libvirt0" },
	{ "libsystemd.so.0", "libsystemd0" },
	{ "libxml2.so.2", "libxml2" },
};

int module_explain(const char *path, const char *reason, struct mrg_error *err)
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

/* A file that was cut short, as by a full disk, is not found wanting by dlopen(3): what is mapped beyond its end kills the program. What is no ELF
 * file, or has its table elsewhere than linkers put it, is left to dlopen(3). */
static bool is_cut_short(int fd, off_t size)
{
	union {
		ElfW(Ehdr) elf;
		char bytes[1024];
	} head;
	ssize_t n = pread(fd, &head, sizeof(head), 0);

	if (n < (ssize_t)sizeof(head.elf) || memcmp(head.elf.e_ident, ELFMAG, SELFMAG) != 0)
		return false;
	for (size_t i = 0; i < head.elf.e_phnum; i++) {
		size_t at = sizeof(head.elf) + i * sizeof(ElfW(Phdr));
		ElfW(Phdr) segment;

		if (head.elf.e_phoff != sizeof(head.elf) || at + sizeof(segment) > (size_t)n)
			break;
		memcpy(&segment, head.bytes + at, sizeof(segment));
		if (segment.p_type == PT_LOAD && (segment.p_offset > (uint64_t)size || segment.p_filesz > (uint64_t)size - segment.p_offset))
			return true;
	}
	return false;
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
	if (is_cut_short(fd, st.st_size))
		return mrg_error_set(err, -MRG_E_ABI, "cannot load '%s': the file is cut short; install it again", path);
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

int module_find(const char *search, const char *below, const char *name, char **ret_path, struct mrg_error *err)
{
	_cleanup_free_ char *copy = strdup(search);
	char *next = copy, *directory;
	int r = 0;

	if (!copy)
		return fail_memory(err);
	while (r == 0 && (directory = strsep(&next, ":"))) {
		_cleanup_free_ char *whole = NULL;

		if (!*directory)
			continue;
		if (below && asprintf(&whole, "%s/%s", directory, below) < 0)
			return fail_memory(err);
		r = find_in(whole ? whole : directory, name, ret_path, err);
	}
	return r;
}

int module_load(const char *path, const char *symbol, const void **ret, struct mrg_error *err)
{
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	const char *reason = object ? NULL : dlerror();

	if (!object)
		return module_explain(path, reason ? reason : "unknown reason", err);
	*ret = dlsym(object, symbol);
	return *ret != NULL;
}
