/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding the command inside the container, and saying precisely why it cannot be executed. */

#include "config.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/helper/process.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"

#define DEFAULT_PATH	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define HEADER_SIZE	4096

/* 0 when the caller may execute @path, -ENOENT when there is nothing, else why not. */
static int check_file(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

static int not_executable(const char *path, int code, struct mrg_error *err)
{
	if (code == -EISDIR)
		return mrg_error_set(err, -MRG_E_NOT_EXECUTABLE, "'%s' is a directory", path);
	if (code == -EACCES)
		return mrg_error_set(err, -MRG_E_NOT_EXECUTABLE, "'%s' is not executable: permission denied", path);
	return mrg_error_set(err, -MRG_E_NOT_EXECUTABLE, "'%s' cannot be executed: %s", path, strerror(-code));
}

static int keep_path(const char *path, char **ret, struct mrg_error *err)
{
	char *copy = strdup(path);

	if (!copy)
		return mrg_error_set(err, -ENOMEM, "not enough memory to look up the command");
	*ret = copy;
	return 0;
}

static const char *path_of_env(char *const *env)
{
	for (; env && *env; env++)
		if (strncmp(*env, "PATH=", 5) == 0)
			return *env + 5;
	return DEFAULT_PATH;
}

/* The first executable one; if there is none, the first that is there tells why not. */
static int search(const char *name, const char *path, char **ret, struct mrg_error *err)
{
	char candidate[PATH_MAX], denied[PATH_MAX] = "";
	int reason = 0, r;

	for (const char *p = path;; p++) {
		size_t length = strcspn(p, ":");
		int n = snprintf(candidate, sizeof(candidate), "%.*s%s%s", (int)length, p, length ? "/" : "", name);

		p += length;
		if (n > 0 && (size_t)n < sizeof(candidate)) {
			r = check_file(candidate);
			if (r == 0)
				return keep_path(candidate, ret, err);
			if (r != -ENOENT && r != -EISDIR && !reason) {
				reason = r;
				memcpy(denied, candidate, sizeof(denied));
			}
		}
		if (!*p)
			break;
	}
	if (reason)
		return not_executable(denied, reason, err);
	return mrg_error_set(err, -MRG_E_NO_COMMAND, "'%s' not found in the container (PATH=%s)", name, path);
}

int command_find(const char *name, char *const *env, char **ret, struct mrg_error *err)
{
	int r;

	if (*name && !strchr(name, '/'))
		return search(name, path_of_env(env), ret, err);
	r = *name ? check_file(name) : -ENOENT;
	if (r == -ENOENT)
		return mrg_error_set(err, -MRG_E_NO_COMMAND, "'%s' not found in the container", name);
	return r < 0 ? not_executable(name, r, err) : keep_path(name, ret, err);
}

static int missing(const char *interpreter, const char *path, const char *what, struct mrg_error *err)
{
	struct stat st;

	if (stat(interpreter, &st) == 0 || (errno != ENOENT && errno != ENOTDIR))
		return 0;
	return mrg_error_set(err, -MRG_E_NOT_EXECUTABLE, "interpreter '%s' of %s '%s' is missing", interpreter, what, path);
}

static int check_script(char *header, const char *path, struct mrg_error *err)
{
	char *name = header + 2 + strspn(header + 2, " \t");

	name[strcspn(name, " \t\n")] = '\0';
	return *name ? missing(name, path, "script", err) : 0;
}

/* Where the program headers are, in either width. */
struct elf {
	uint64_t offset;
	size_t size, count;
	bool wide;
};

static bool elf_open(const char *header, size_t length, struct elf *ret)
{
	const Elf64_Ehdr *e64 = (const void *)header;
	const Elf32_Ehdr *e32 = (const void *)header;

	if (length < sizeof(*e64) || memcmp(header, ELFMAG, SELFMAG) != 0)
		return false;
	if (header[EI_CLASS] == ELFCLASS64)
		*ret = (struct elf){ e64->e_phoff, sizeof(Elf64_Phdr), e64->e_phnum, true };
	else
		*ret = (struct elf){ e32->e_phoff, sizeof(Elf32_Phdr), e32->e_phnum, false };
	return true;
}

static int check_elf(const char *header, size_t length, const char *path, struct mrg_error *err)
{
	struct elf elf;

	if (!elf_open(header, length, &elf))
		return 0;
	for (size_t i = 0; i < elf.count; i++) {
		const char *at = header + elf.offset + i * elf.size;
		const Elf64_Phdr *p64 = (const void *)at;
		const Elf32_Phdr *p32 = (const void *)at;
		uint64_t offset, size;

		if (elf.offset > length || (i + 1) * elf.size > length - elf.offset)
			return 0;
		if ((elf.wide ? p64->p_type : p32->p_type) != PT_INTERP)
			continue;
		offset = elf.wide ? p64->p_offset : p32->p_offset;
		size = elf.wide ? p64->p_filesz : p32->p_filesz;
		if (size == 0 || offset >= length || size > length - offset || header[offset + size - 1] != '\0')
			return 0;
		return missing(header + offset, path, "program", err);
	}
	return 0;
}

/* The start of the file, NUL added; 0 when it cannot be read, which an executable file need not be. */
static size_t read_header(const char *path, char header[HEADER_SIZE + 1])
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n = fd < 0 ? 0 : fd_read_all(fd, header, HEADER_SIZE);

	header[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

int command_check_interpreter(const char *path, struct mrg_error *err)
{
	char header[HEADER_SIZE + 1] __attribute__((aligned(8)));
	size_t length = read_header(path, header);

	if (length > 2 && memcmp(header, "#!", 2) == 0)
		return check_script(header, path, err);
	return check_elf(header, length, path, err);
}

static int bad_format(const char *path, struct mrg_error *err)
{
	char header[HEADER_SIZE + 1] __attribute__((aligned(8)));
	size_t length = read_header(path, header);

	if (length > SELFMAG && memcmp(header, ELFMAG, SELFMAG) == 0)
		return mrg_error_set(err, -MRG_E_NOT_EXECUTABLE,
				     "'%s' is a program for another architecture, or a damaged one", path);
	mrg_error_set(err, -MRG_E_NOT_EXECUTABLE, "'%s' is neither a program nor a script with a '#!' line", path);
	return mrg_error_hint(err, "if it is a shell script, run it with 'sh %s'", path);
}

int command_explain(const char *path, int code, struct mrg_error *err)
{
	int r;

	if (code == -ENOEXEC)
		return bad_format(path, err);
	if (code == -ENOENT || code == -ENOTDIR || code == -EACCES) {
		r = command_check_interpreter(path, err);
		if (r < 0)
			return r;
	}
	if (code == -ENOENT || code == -ENOTDIR)
		return mrg_error_set(err, -MRG_E_NO_COMMAND, "'%s' not found in the container", path);
	return not_executable(path, code, err);
}
