/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every work on trees needs: progress, what is told, errors that name the entry. */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/migrate/tree/walk.h"
#include "core/util/fail.h"
#include "core/util/str.h"

static const struct tree_options no_options;

void tree_work_init(struct tree_work *work, const struct tree_options *options, struct tree_report *report, struct mrg_error *err)
{
	*work = (struct tree_work) { .options = options ? options : &no_options, .report = report, .err = err };
}

int tree_work_step(struct tree_work *work, uint64_t files, uint64_t bytes)
{
	int r;

	work->progress.files += files;
	work->progress.bytes += bytes;
	if (!work->options->progress)
		return 0;
	r = work->options->progress(&work->progress, work->options->data);
	return r < 0 ? mrg_error_set(work->err, r, "ended before it was done, after %llu files",
				     (unsigned long long)work->progress.files) : 0;
}

int tree_work_tell(struct tree_work *work, enum tree_told kind, const char *path)
{
	char text[TREE_TEXT_SIZE];

	if (work->report->told[kind].count++ >= TREE_TOLD_PATHS)
		return 0;
	return strv_append(&work->report->told[kind].paths, tree_path_text(text, path)) < 0 ? fail_memory(work->err) : 0;
}

int tree_work_fail(struct tree_work *work, int code, const char *what, const char *path)
{
	char text[TREE_TEXT_SIZE];

	return fail_errno(work->err, code, "cannot %s '%s'", what, tree_path_text(text, path));
}

/* One byte of a name as it is printed: at most four characters. */
static size_t print_byte(char *to, unsigned char byte)
{
	if (byte >= ' ' && byte < 0x7f && byte != '\\') {
		*to = (char)byte;
		return 1;
	}
	return (size_t)snprintf(to, 5, "\\x%02X", byte);
}

const char *tree_path_text(char buffer[TREE_TEXT_SIZE], const char *path)
{
	/* What is longer keeps its begin and its end: as many bytes of each as fit when all are escaped. */
	const size_t most = (TREE_TEXT_SIZE - 5) / 4, length = strlen(path);
	size_t at = 0;

	for (size_t i = 0; i < length; i++) {
		if (length > most && i == most / 2) {
			memcpy(buffer + at, "...", 3);
			at += 3;
			i = length - most / 2;
		}
		at += print_byte(buffer + at, (unsigned char)path[i]);
	}
	buffer[at] = '\0';
	return buffer;
}

const char *tree_path_of(char buffer[TREE_PATH_SIZE], int dir, const char *name)
{
	snprintf(buffer, TREE_PATH_SIZE, "/proc/self/fd/%d/%s", dir, name);
	return buffer;
}

const char *tree_told_text(enum tree_told kind)
{
	static const char *const texts[TREE_TOLD_MAX] = {
		[TREE_TOLD_SOCKET] = "sockets, which are not copied",
		[TREE_TOLD_MOUNT] = "places where something is mounted, which are left empty",
		[TREE_TOLD_UNMAPPED] = "files with ids that have no place in the new ones, which keep them",
		[TREE_TOLD_XATTR] = "extended attributes that the file system does not take",
		[TREE_TOLD_FLAGS] = "files that are immutable or append-only",
		[TREE_TOLD_LINK] = "files that have names outside of the tree as well",
	};

	return texts[kind];
}

void tree_report_deinit(struct tree_report *report)
{
	for (size_t i = 0; i < TREE_TOLD_MAX; i++)
		strv_free(report->told[i].paths);
	*report = (struct tree_report) { 0 };
}
