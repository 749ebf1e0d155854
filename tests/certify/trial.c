/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The process of a test: what it tells the judge, and how it ends. */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/util/fd.h"
#include "core/util/proc.h"
#include "tests/certify/certify.h"
#include "tests/certify/runner.h"

static void tell(struct trial *t, enum verdict verdict, bool whole, const char *text)
{
	struct message message = { .verdict = verdict, .whole = whole };

	snprintf(message.text, sizeof(message.text), "%s", text);
	fd_write_all(t->channel, &message, sizeof(message));
	t->part++;
}

static size_t parts_of(const struct test *test)
{
	size_t n = 0;

	while (test->parts && test->parts[n])
		n++;
	return n ? n : 1;
}

static void __attribute__((noreturn)) end(struct trial *t, enum verdict verdict, const char *text)
{
	if (t->part == 0 && verdict != VERDICT_OK)
		tell(t, verdict, true, text);
	else
		while (t->part < parts_of(t->test))
			tell(t, verdict, false, text);
	t->failed = verdict == VERDICT_FAILED;
	trial_undo(t);
	/* The judge's own handlers and buffers are not ours to flush. */
	_exit(EXIT_SUCCESS);
}

void trial_defer(struct trial *t, void (*undo)(void *data), void *data)
{
	if (t->n_deferred == ARRAY_SIZE(t->deferred))
		trial_fail(t, "the kit defers too much");
	t->deferred[t->n_deferred].undo = undo;
	t->deferred[t->n_deferred++].data = data;
}

void trial_undo(struct trial *t)
{
	while (t->n_deferred > 0) {
		t->n_deferred--;
		t->deferred[t->n_deferred].undo(t->deferred[t->n_deferred].data);
	}
}

void trial_fail(struct trial *t, const char *format, ...)
{
	char text[RESULT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	end(t, VERDICT_FAILED, text);
}

void trial_skip(struct trial *t, const char *format, ...)
{
	char text[RESULT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	end(t, VERDICT_SKIPPED, text);
}

void trial_absent(struct trial *t)
{
	end(t, VERDICT_ABSENT, "");
}

void trial_pass(struct trial *t)
{
	end(t, VERDICT_OK, "");
}

void trial_part(struct trial *t, const char *text)
{
	tell(t, *text ? VERDICT_FAILED : VERDICT_OK, false, text);
}

void trial_name(const struct trial *t, unsigned int n, char ret[NAME_SIZE])
{
	snprintf(ret, NAME_SIZE, "%.40s-%u-%u", t->kit->prefix, t->kit->serial, n);
}

/* ---- errors -------------------------------------------------------------------------------- */

const char *code_name(int code, char buffer[32])
{
	static const struct {
		int code;
		const char *name;
	} names[] = {
		{ MRG_E_INVALID, "-MRG_E_INVALID" }, { MRG_E_NOT_FOUND, "-MRG_E_NOT_FOUND" }, { MRG_E_EXISTS, "-MRG_E_EXISTS" },
		{ MRG_E_AMBIGUOUS, "-MRG_E_AMBIGUOUS" }, { MRG_E_BUSY, "-MRG_E_BUSY" }, { MRG_E_STATE, "-MRG_E_STATE" }, { MRG_E_NOT_RUNNING, "-MRG_E_NOT_RUNNING" },
		{ MRG_E_UNSUPPORTED, "-MRG_E_UNSUPPORTED" }, { MRG_E_NO_ENGINE, "-MRG_E_NO_ENGINE" }, { MRG_E_ABI, "-MRG_E_ABI" },
		{ MRG_E_PERMISSION, "-MRG_E_PERMISSION" }, { MRG_E_KERNEL, "-MRG_E_KERNEL" }, { MRG_E_TIMEOUT, "-MRG_E_TIMEOUT" },
		{ MRG_E_NO_COMMAND, "-MRG_E_NO_COMMAND" }, { MRG_E_NOT_EXECUTABLE, "-MRG_E_NOT_EXECUTABLE" },
	};
	const char *name = code < 0 ? strerrorname_np(-code) : NULL;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].code == -code)
			return names[i].name;
	snprintf(buffer, 32, name ? "-%s" : "%.0s%d", name ? name : "", code);
	return buffer;
}

const char *sentence_fault(int r, const struct mrg_error *err)
{
	size_t length = strcspn(err->message, "\n");

	if (r >= 0)
		return NULL;
	if (!memchr(err->message, '\0', sizeof(err->message)))
		return "its message has no end";
	if (length == 0)
		return "it has no sentence";
	if (err->code != r)
		return "the code in the error is another than the one returned";
	if (err->message[length - 1] == '.')
		return "its sentence has a final stop";
	return NULL;
}

void trial_expect(struct trial *t, const char *what, int r, int expected, const struct mrg_error *err)
{
	const char *fault = sentence_fault(r, err);
	char is[32], should[32];

	if (r != expected)
		trial_fail(t, "%s: returned %s, not %s%s%.200s", what, code_name(r, is), code_name(expected, should),
			   r < 0 && err->message[0] ? ": " : "", r < 0 ? err->message : "");
	if (fault)
		trial_fail(t, "%s: %s: '%.200s'", what, fault, err->message);
}

bool within(int ms, bool (*done)(void *data), void *data)
{
	int64_t deadline = time_monotonic_ms() + ms;
	struct timespec step = { .tv_nsec = 5000000 };

	while (!done(data)) {
		if (time_monotonic_ms() > deadline)
			return false;
		nanosleep(&step, NULL);
	}
	return true;
}

bool eventually(const struct trial *t, bool (*done)(void *data), void *data)
{
	return within(t->failed ? FAILED_MS : t->kit->patience, done, data);
}
