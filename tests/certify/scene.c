/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container driven as a user does. */

#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/util/fd.h"
#include "core/util/proc.h"
#include "tests/certify/plugin.h"
#include "tests/certify/scene.h"

static void __attribute__((noreturn)) failed(struct scene *s, const char *what)
{
	trial_fail(s->t, "%s: %.300s%s%.150s", what, s->err.message, s->err_out.length ? "; it said: " : "",
		   s->err_out.text ? s->err_out.text : "");
}

/* The container may have been renamed, removed, or never made. */
static void end(void *data)
{
	struct scene *s = data;
	struct mrg_error ignored;

	mrg_session_free(s->s);
	if (s->c)
		mrg_remove(s->c, 1, &ignored);
	mrg_container_free(s->c);
	mrg_spec_free(s->spec);
	mrg_free(s->m);
}

void scene_begin(struct scene *s, struct trial *t, unsigned int n)
{
	*s = (struct scene){ .t = t, .m = kit_context(t), .spec = mrg_spec_new() };
	trial_name(t, n, s->name);
	trial_defer(t, end, s);
	if (!s->spec || mrg_spec_set(s->spec, MRG_FIELD_ROOT_PATH, t->kit->root, &s->err) < 0 ||
	    mrg_spec_set(s->spec, MRG_FIELD_ARGS, PROBE, &s->err) < 0)
		failed(s, "spec");
}

bool scene_can(const struct scene *s, enum mrg_field field)
{
	return mrg_fields_has(&s->t->kit->facts->able, field);
}

void scene_word(struct scene *s, const char *format, ...)
{
	char text[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (mrg_spec_set(s->spec, MRG_FIELD_ARGS, text, &s->err) < 0)
		failed(s, "arguments");
}

void scene_set(struct scene *s, enum mrg_field field, const char *format, ...)
{
	char text[8192];
	va_list args;

	if (!scene_can(s, field))
		trial_skip(s->t, "it takes '%s' to see, which the backend does not claim", mrg_field_info(field)->name);
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (mrg_spec_set(s->spec, field, text, &s->err) < 0)
		failed(s, mrg_field_info(field)->name);
}

int scene_try_create(struct scene *s)
{
	struct mrg_create create = { .name = s->name, .backend = s->t->kit->name, .spec = s->spec };
	int r = mrg_spec_default(s->spec, &s->t->kit->facts->able, &s->err);

	return r < 0 ? r : mrg_create(s->m, &create, &s->c, &s->err);
}

/* The core puts the backend's name in front of what a plugin says. */
static bool is_refused(const struct scene *s, int r)
{
	size_t length = strlen(s->t->kit->name);

	return s->t->test->field && (r == -MRG_E_UNSUPPORTED || r == -MRG_E_INVALID) && s->err.message[length] == ':' &&
	       strncmp(s->err.message, s->t->kit->name, length) == 0;
}

/* Engines that map no ids of files want the files to belong to the mapped ids. */
static bool wants_mapped_root(const struct scene *s)
{
	return s->spec->ns_user && !*s->spec->ns_user && geteuid() == 0 && strcmp(s->spec->root_path, s->t->kit->root) == 0;
}

void scene_create(struct scene *s)
{
	int r = scene_try_create(s);

	if (is_refused(s, r) && wants_mapped_root(s)) {
		mrg_spec_set(s->spec, MRG_FIELD_ROOT_PATH, s->t->kit->mapped_root, NULL);
		r = scene_try_create(s);
	}
	if (is_refused(s, r))
		trial_skip(s->t, "refused: %.*s", (int)strcspn(s->err.message, "\n"), s->err.message);
	if (r < 0)
		failed(s, "create");
}

void scene_start(struct scene *s)
{
	s->s = mrg_session_free(s->s);
	s->ended = false;
	s->out.length = s->err_out.length = 0;
	if (mrg_start(s->c, &s->s, &s->err) < 0)
		failed(s, "start");
}

/* ---- output ------------------------------------------------------------------------------------ */

/* One event: 0 when there is none just now. */
static int take_event(struct scene *s)
{
	struct mrg_event event = { 0 };
	int r = mrg_session_read(s->s, &event, &s->err);

	if (r < 0)
		return r;
	if (event.type == MRG_EVENT_LOST)
		return mrg_error_set(&s->err, -EPIPE, "the container's end was not told");
	if (event.type == MRG_EVENT_STDOUT)
		buffer_add(&s->out, event.data, event.length);
	if (event.type == MRG_EVENT_STDERR)
		buffer_add(&s->err_out, event.data, event.length);
	if (event.type == MRG_EVENT_EXIT) {
		s->ended = true;
		s->status = mrg_exit_code(event.status);
		s->oom_killed = event.oom_killed;
	}
	return event.type != MRG_EVENT_NONE;
}

int scene_listen(struct scene *s, const char *line)
{
	int64_t deadline = time_monotonic_ms() + s->t->kit->patience;

	while (!s->ended && (!line || !scene_has(s, line))) {
		struct pollfd p = { .fd = mrg_session_fd(s->s), .events = POLLIN };
		int64_t left = deadline - time_monotonic_ms();
		int r = take_event(s);

		if (r < 0)
			return r;
		if (r > 0)
			continue;
		if (left <= 0)
			return 0;
		poll(&p, 1, (int)left);
	}
	return 1;
}

void scene_await_end(struct scene *s)
{
	int r = scene_listen(s, NULL);

	if (r < 0)
		failed(s, "session");
	if (r == 0)
		trial_fail(s->t, "it did not end; it said '%.200s' and '%.200s'", s->out.text ? s->out.text : "",
			   s->err_out.text ? s->err_out.text : "");
}

void scene_await(struct scene *s, const char *line)
{
	if (scene_listen(s, line) < 0)
		failed(s, "session");
	if (!scene_has(s, line))
		trial_fail(s->t, "it did not say '%s'; it said '%.150s' and '%.150s'%s", line, s->out.text ? s->out.text : "",
			   s->err_out.text ? s->err_out.text : "", s->ended ? " and ended" : "");
}

void scene_run_any(struct scene *s)
{
	scene_create(s);
	scene_start(s);
	scene_await_end(s);
}

void scene_run(struct scene *s)
{
	scene_run_any(s);
	if (s->status != 0)
		trial_fail(s->t, "exit status %d; it said '%.200s' and '%.200s'", s->status, s->out.text ? s->out.text : "",
			   s->err_out.text ? s->err_out.text : "");
}

void scene_run_until(struct scene *s, const char *line)
{
	scene_create(s);
	scene_start(s);
	scene_await(s, line);
}

void scene_exec(struct scene *s, const struct mrg_exec *exec)
{
	s->s = mrg_session_free(s->s);
	s->ended = false;
	s->out.length = s->err_out.length = 0;
	if (mrg_exec(s->c, exec, &s->s, &s->err) < 0)
		failed(s, "exec");
}

void scene_exec_words(struct scene *s, const char *const *words)
{
	const char *args[32] = { PROBE };

	for (size_t i = 0; words[i] && i < ARRAY_SIZE(args) - 2; i++)
		args[i + 1] = words[i];
	scene_exec(s, &(struct mrg_exec){ .args = args });
	scene_await_end(s);
}

/* A terminal ends its lines with CR LF. */
static size_t line_length(const char *line)
{
	return strcspn(line, "\r\n");
}

static const char *next_line(const char *line)
{
	line += line_length(line);
	return *line ? line + strspn(line, "\r\n") : NULL;
}

bool scene_has(const struct scene *s, const char *line)
{
	size_t length = strlen(line);

	for (const char *l = s->out.length ? s->out.text : NULL; l && *l; l = next_line(l))
		if (line_length(l) == length && memcmp(l, line, length) == 0)
			return true;
	return false;
}

/* The line that begins with the first @length bytes of @text. */
static const char *line_of(const struct scene *s, const char *text, size_t length)
{
	for (const char *l = s->out.length ? s->out.text : NULL; l && *l; l = next_line(l))
		if (strncmp(l, text, length) == 0)
			return l;
	return NULL;
}

void scene_expect(struct scene *s, const char *format, ...)
{
	char text[4096];
	const char *line;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (scene_has(s, text))
		return;
	line = line_of(s, text, strcspn(text, "=") + 1);
	if (!line)
		trial_fail(s->t, "'%.200s' is not among what was seen inside: '%.150s'", text, s->out.length ? s->out.text : "");
	trial_fail(s->t, "inside: '%.*s', not '%.200s'", (int)(line_length(line) < 200 ? line_length(line) : 200), line, text);
}

void scene_value(struct scene *s, const char *word, char *ret, size_t size)
{
	char begin[4096];
	const char *line;

	snprintf(begin, sizeof(begin), "%s=", word);
	line = line_of(s, begin, strlen(begin));
	if (!line)
		trial_fail(s->t, "'%s' was not seen inside: '%.200s'", word, s->out.length ? s->out.text : "");
	line += strlen(begin);
	snprintf(ret, size, "%.*s", (int)line_length(line), line);
}

/* ---- the container -------------------------------------------------------------------------------- */

struct mrg_status scene_status(struct scene *s)
{
	struct mrg_status status;

	if (mrg_container_status(s->c, &status, &s->err) < 0)
		failed(s, "status");
	return status;
}

struct wanted {
	struct scene *s;
	int state;
};

static bool is_in_state(void *data)
{
	struct wanted *w = data;

	return scene_status(w->s).state == w->state;
}

void scene_await_state(struct scene *s, int state)
{
	struct wanted wanted = { s, state };

	if (!eventually(s->t, is_in_state, &wanted))
		trial_fail(s->t, "its state is %d, not %d", scene_status(s).state, state);
}

/* Tells through @fd when the process of @pidfd ends. */
static void __attribute__((noreturn)) tell_end(int pidfd, int fd, int patience)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int64_t end = poll(&p, 1, patience) > 0 ? time_monotonic_ms() : INT64_MAX;

	fd_write_all(fd, &end, sizeof(end));
	_exit(0);
}

int64_t scene_stop(struct scene *s, int timeout_ms)
{
	int ends[2], pidfd = pidfd_open(scene_status(s).pid, 0);
	int64_t begin = time_monotonic_ms(), end;
	pid_t watcher;

	if (pidfd < 0 || pipe2(ends, O_CLOEXEC) < 0 || (watcher = fork()) < 0)
		trial_fail(s->t, "the kit cannot watch the first process: %s", strerror(errno));
	if (watcher == 0)
		tell_end(pidfd, ends[1], s->t->kit->patience);
	fd_close(ends[1]);
	if (mrg_stop(s->c, timeout_ms, 0, &s->err) != 0)
		failed(s, "stop");
	if (fd_read_all(ends[0], &end, sizeof(end)) != sizeof(end))
		trial_fail(s->t, "the kit cannot read when the first process ended");
	waitpid(watcher, NULL, 0);
	fd_close(ends[0]);
	fd_close(pidfd);
	return end - begin;
}

void scene_remove(struct scene *s)
{
	if (mrg_remove(s->c, 0, &s->err) < 0)
		failed(s, "remove");
	s->c = mrg_container_free(s->c);
}
