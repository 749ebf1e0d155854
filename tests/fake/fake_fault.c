/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Faults on request, and a trace of the calls. */

#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/fake/fake.h"

#define NOTHING	INT_MAX			/* an answer: done, without doing it */

const char *fake_option(const struct mrg_spec *spec, const char *key)
{
	size_t length = strlen(key);

	for (size_t i = 0; spec && spec->options && spec->options[i]; i++)
		if (strncmp(spec->options[i], key, length) == 0 && spec->options[i][length] == '=')
			return spec->options[i] + length + 1;
	return NULL;
}

static void trace(const char *verb, const struct mrg_unit *unit)
{
	const char *path = getenv("MRG_FAKE_TRACE");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

	if (fd < 0)
		return;
	dprintf(fd, "%s %s\n", verb, unit ? unit->name : "-");
	close(fd);
}

static int errno_of(const char *text, size_t length)
{
	for (int number = 1; number < 256; number++) {
		const char *name = strerrorname_np(number);

		if (name && strlen(name) == length && strncmp(name, text, length) == 0)
			return number;
	}
	return atoi(text);
}

static int inject(const char *what, const char *verb, struct mrg_error *err)
{
	size_t length = strlen(verb), word;
	int code;

	if (!what || strncmp(what, verb, length) != 0 || what[length] != ':')
		return 0;
	what += length + 1;
	word = strcspn(what, ":");
	if (strcmp(what, "SIGKILL") == 0)
		kill(getpid(), SIGKILL);
	if (strncmp(what, "return=", 7) == 0)
		return atoi(what + 7);
	if (strcmp(what, "nothing") == 0)
		return NOTHING;
	if (fake_misdeed(what))
		return 0;
	if (strncmp(what, "delay=", 6) == 0) {
		long ms = atol(what + 6);
		struct timespec delay = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

		nanosleep(&delay, NULL);
		return 0;
	}
	code = errno_of(what, word);
	if (code <= 0)
		return 0;
	/* Without a message none is given, to see what the core makes of that. */
	return what[word] == ':' ? mrg_error_set(err, -code, "%s", what + word + 1) : -code;
}

int fake_fault(const char *verb, const struct mrg_unit *unit, struct mrg_error *err)
{
	int r;

	trace(verb, unit);
	r = inject(getenv("MRG_FAKE_FAULT"), verb, err);
	if (r == 0 && unit)
		r = inject(fake_option(unit->spec, "fault"), verb, err);
	return r;
}

int fake_answer(int fault)
{
	return fault == NOTHING ? 0 : fault;
}
