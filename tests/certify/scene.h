/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CERTIFY_SCENE_H
#define CERTIFY_SCENE_H

/* One container by the users' API, from its spec to its removal: what a user of the backend gets. A step that fails ends the test. */

#include <moorage/moorage.h>

#include "tests/certify/certify.h"

struct scene {
	struct trial *t;
	struct mrg *m;
	struct mrg_spec *spec;
	struct mrg_container *c;
	struct mrg_session *s;
	char name[NAME_SIZE];
	struct buffer out, err_out;	/* what it has printed */
	bool ended;
	int status;			/* as a shell has it, once it has ended */
	bool oom_killed;
	struct mrg_error err;
};

/* Before the variable of a test: what is left of it is removed at the end of its scope. */
static inline void scene_leave(struct scene *s)
{
	trial_undo(s->t);
}
#define _scene_	_cleanup_(scene_leave)

/* A context, a name and a spec with the root. Container and all are removed at the end of the test. */
void scene_begin(struct scene *s, struct trial *t, unsigned int n);

/* One word for moorage-probe more. */
void scene_word(struct scene *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* mrg_spec_set(); a field that the backend does not claim skips the test, for it is not the one it is about. */
void scene_set(struct scene *s, enum mrg_field field, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Fills in the defaults and creates. What the plugin's check says no to, naming what it cannot do, skips the test: nothing was ignored. (A field of
 * which every use is refused is not observed.) scene_try_create() gives what mrg_create() returned. */
void scene_create(struct scene *s);
int scene_try_create(struct scene *s);

void scene_start(struct scene *s);

/* create, start, and all output until the end. */
void scene_run(struct scene *s);

/* The same without looking at the exit status: scene_run() fails the test when it is not 0. */
void scene_run_any(struct scene *s);

/* create, start, and output until @line has been printed. */
void scene_run_until(struct scene *s, const char *line);

/* Reads output until @line is among it, or the end. */
void scene_await(struct scene *s, const char *line);
void scene_await_end(struct scene *s);

/* The same without failing the test: 1 there it is, or the end; 0 neither came in time; a negative error of the session's. */
int scene_listen(struct scene *s, const char *line);

/* Runs a command inside; output and status are those of the scene from then on, what was read before is gone. */
void scene_exec(struct scene *s, const struct mrg_exec *exec);
void scene_exec_words(struct scene *s, const char *const *words);

/* Whether @line is a whole line of the output. */
bool scene_has(const struct scene *s, const char *line);

/* Fails the test unless it is; tells what stands behind the same "WORD=" instead. */
void scene_expect(struct scene *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What stands behind "WORD=", in @ret; fails the test when there is no such line. */
void scene_value(struct scene *s, const char *word, char *ret, size_t size);

struct mrg_status scene_status(struct scene *s);

/* Waits until mrg_container_status() says @state. */
void scene_await_state(struct scene *s, int state);

/* mrg_stop(); fails the test when it does. How long the first process lived on, in ms: what engine and monitor tidy up afterwards takes as long as it takes. */
int64_t scene_stop(struct scene *s, int timeout_ms);

/* mrg_remove(); fails the test when it does. */
void scene_remove(struct scene *s);

/* Whether the backend claims @field. */
bool scene_can(const struct scene *s, enum mrg_field field);

#endif
