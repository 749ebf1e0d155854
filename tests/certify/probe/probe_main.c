/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program: finds each word's observation and prints its line. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe.h"

/* One word at a time, one line at a time. */
static struct {
	const char *word;
	char text[65536];
	size_t length;
} line;

static void add(char c)
{
	if (line.length < sizeof(line.text) - 1)
		line.text[line.length++] = c;
}

void say_bytes(const char *data, size_t length)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)data[i];

		if (c >= ' ' && c < 0x7f && c != '\\') {
			add((char)c);
			continue;
		}
		add('\\');
		add('x');
		add(digits[c >> 4]);
		add(digits[c & 15]);
	}
}

void say(const char *format, ...)
{
	char text[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	say_bytes(text, strlen(text));
}

void put(int fd, const char *text)
{
	size_t length = strlen(text);

	while (length > 0) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			text += n;
			length -= (size_t)n;
		}
	}
}

void say_end(void)
{
	add('\n');
	line.text[line.length] = '\0';
	put(STDOUT_FILENO, line.text);
	line.length = 0;
}

void say_result(int code)
{
	static const struct {
		int code;
		const char *name;
	} names[] = {
		{ 0, "ok" }, { EPERM, "EPERM" }, { ENOENT, "ENOENT" }, { ESRCH, "ESRCH" }, { EIO, "EIO" }, { ENXIO, "ENXIO" },
		{ ECHILD, "ECHILD" }, { EAGAIN, "EAGAIN" }, { ENOMEM, "ENOMEM" }, { EACCES, "EACCES" }, { EFAULT, "EFAULT" },
		{ EBUSY, "EBUSY" }, { EEXIST, "EEXIST" }, { ENODEV, "ENODEV" }, { ENOTDIR, "ENOTDIR" }, { EISDIR, "EISDIR" },
		{ EINVAL, "EINVAL" }, { ENOTTY, "ENOTTY" }, { EFBIG, "EFBIG" }, { ENOSPC, "ENOSPC" }, { EROFS, "EROFS" },
		{ EDOM, "EDOM" }, { ENOSYS, "ENOSYS" }, { ELOOP, "ELOOP" }, { ENOKEY, "ENOKEY" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].code == code) {
			say("%s", names[i].name);
			return;
		}
	say("errno %d", code);
}

long number(const char *text, const char **ret_rest)
{
	char *end;
	long n = strtol(text, &end, 0);

	if (ret_rest)
		*ret_rest = *end == ':' ? end + 1 : "";
	return n;
}

static const struct word *find(const char *text, size_t length)
{
	static const struct word *const tables[] = { process_words, file_words, load_words, life_words };

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct word *word = tables[i]; word->name; word++)
			if (strlen(word->name) == length && strncmp(word->name, text, length) == 0)
				return word;
	return NULL;
}

/* All that follows on the command line, each in quotes: what became of arguments on their way. */
static void observe_args(char **argv)
{
	say("args=");
	for (; *argv; argv++) {
		say("[");
		say_bytes(*argv, strlen(*argv));
		say("]");
	}
	say_end();
}

static int observe(const char *text)
{
	size_t length = strcspn(text, ":");
	const struct word *word = find(text, length);

	if (!word) {
		put(STDERR_FILENO, "moorage-probe: unknown word\n");
		return -1;
	}
	say_bytes(text, strlen(text));
	say("=");
	word->observe(text[length] ? text + length + 1 : "");
	say_end();
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');

	if (argc == 0 || strcmp(name ? name + 1 : argv[0], "init") == 0)
		return play_init();
	for (char **arg = argv + 1; *arg; arg++) {
		if (strcmp(*arg, "args") == 0) {
			observe_args(arg + 1);
			return 0;
		}
		if (observe(*arg) < 0)
			return 125;
	}
	return 0;
}
