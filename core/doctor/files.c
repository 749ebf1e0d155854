/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files in which managers keep what they are to do. */

#include "config.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/doctor/doctor.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"

#define FILE_MAX	(1024 * 1024)
#define FILES_MAX	4096		/* of one directory: more are not looked at */

char *doctor_read(const struct doctor *d, const char *path)
{
	char *text;

	return fd_read_file(d->files, path, FILE_MAX, &text, NULL) < 0 ? NULL : text;
}

static bool ends_with(const char *name, const char *suffix)
{
	size_t length = strlen(name), end = strlen(suffix);

	return length > end && strcmp(name + length - end, suffix) == 0;
}

int doctor_read_all(const struct doctor *d, const char *directory, const char *suffix, int (*each)(const char *path, char *text, void *data), void *data)
{
	struct dirent **entries = NULL;
	int n = scandirat(d->files, directory, &entries, NULL, alphasort), r = 0;

	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		char path[PATH_MAX];
		_cleanup_free_ char *text = NULL;

		snprintf(path, sizeof(path), "%.2000s/%.255s%.255s", directory, name, *suffix == '/' ? suffix : "");
		if (r == 0 && i < FILES_MAX && *name != '.' && (*suffix == '/' || ends_with(name, suffix)) && (text = doctor_read(d, path)))
			r = each(path, text, data);
		free(entries[i]);
	}
	free(entries);
	return r;
}

static char *trim(char *text)
{
	char *end;

	text += strspn(text, " \t\r");
	for (end = text + strlen(text); end > text && isspace((unsigned char)end[-1]); end--)
		;
	*end = '\0';
	return text;
}

char *doctor_next_line(char **text)
{
	char *line = *text, *end;

	if (!*line)
		return NULL;
	end = line + strcspn(line, "\n");
	*text = *end ? end + 1 : end;
	*end = '\0';
	return trim(line);
}

char *doctor_value(char *line, const char *key)
{
	size_t length = strlen(key);
	char *value;

	if (strncmp(line, key, length) != 0)
		return NULL;
	value = line + length + strspn(line + length, " \t");
	if (*value != '=')
		return NULL;
	value = trim(value + 1);
	length = strlen(value);
	if (length >= 2 && (*value == '"' || *value == '\'') && value[length - 1] == *value) {
		value[length - 1] = '\0';
		value++;
	}
	return value;
}
