/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CERTIFY_LIFE_H
#define CERTIFY_LIFE_H

/* The life of one container by the verbs alone: the process of the test stands where moorage-monitor would. */

#include "tests/certify/plugin.h"

enum life_state { LIFE_CREATED, LIFE_RUNNING, LIFE_PAUSED, LIFE_STOPPED, LIFE_DESTROYED };

struct life {
	struct trial *t;
	const struct plugin *p;
	void *self;			/* the instance that calls from this process use */
	struct mrg_spec *spec;
	char name[NAME_SIZE], id[17], path[PATH_SIZE + NAME_SIZE + 16];
	struct mrg_unit unit;
	struct mrg_process process;
	struct mrg_stdio io;		/* the container's ends, closed once it has started */
	int out, err_out;		/* ours */
	struct buffer output, errors;
	struct mrg_error err;		/* of the last call */
	int64_t took;			/* the verb of the last life_call(), in ms */
	int status;			/* of the process that start gave, once it has ended */
	bool created;
};

/* Before the variable of a test: what is left of it is removed at the end of its scope. */
static inline void life_leave(struct life *l)
{
	trial_undo(l->t);
}
#define _life_	_cleanup_(life_leave)

/* A container number @n of the test, to execute moorage-probe with @words; create has been called. Undone at the end of the test. */
void life_begin(struct life *l, struct trial *t, const struct plugin *p, unsigned int n, const char *const *words);

/* The same with the arguments @args as they are. */
void life_begin_args(struct life *l, struct trial *t, const struct plugin *p, unsigned int n, const char *const *args);

/* Calls start: what it returned. */
int life_start(struct life *l);

/* Brings it into @state; its payload waits for SIGTERM. */
void life_reach(struct life *l, enum life_state state);

/* Reads what there is to read until the output has @text; fails the test when it does not come. */
void life_await(struct life *l, const char *text);

/* Waits for its end as the monitor does: until the process that start gave is gone. */
void life_wait(struct life *l);

/* The same and cleanup, which knows better in engines whose process is not the payload's: the exit status as a shell has it. */
int life_status(struct life *l);

/* Waits for any child's end: that of an exec. */
int process_wait(struct trial *t, const struct mrg_process *process);

/* After the end: cleanup; fails the test when it fails. */
void life_cleanup(struct life *l);

/* A verb, called the same way whatever its arguments: with those that every test may use. */
struct call {
	const char *name;		/* of the verb */
	int (*make)(struct life *l, void *self, struct mrg_error *err);
};
extern const struct call calls[];	/* ended by a NULL name */
const struct call *call_named(const char *name);

/* Calls a verb in a process that has made no other call; what it returned, the error in l->err. */
int life_call(struct life *l, const char *name);

/* Fails the test unless that gives @expected. */
void life_expect(struct life *l, const char *name, int expected);

/* Whether its state, asked of a fresh process, is RUNNING or PAUSED. */
bool life_is_alive(struct life *l);

#endif
