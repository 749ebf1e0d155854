/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CONTAINER_FIXTURE_H
#define CONTAINER_FIXTURE_H

/* Containers of the fake backend in directories of their own for each test. */

#include <stdbool.h>
#include <stddef.h>

#include "core/container/internal.h"

struct fixture {
	char top[40];
	char root[64], trace[64];
	struct mrg *m;
};
extern const char *const sleeper[];

struct mrg *context(const char *top);

int setup(void **state);

int remove_one(struct mrg_container *c, void *data);

int teardown(void **state);

struct mrg_spec *spec_of(struct fixture *f, const char *const *args);

struct mrg_container *make(struct fixture *f, const char *name, const char *const *args, unsigned int flags);

struct mrg_container *open_named(struct fixture *f, const char *name);

void begin(struct mrg_container *c);

int state_of(struct mrg_container *c);

size_t traced(struct fixture *f, const char *line);

/* A descriptor of @pid, whose number may soon be another's. */
int hold(pid_t pid);
void assert_lives(int pidfd);

/* Waits for its end, which must come, and closes @pidfd. A zombie, which its new parent has yet to reap, is gone as well. */
void assert_gone(int pidfd);

int count_names(const char *name, void *data);

int names(struct fixture *f);

/* Whether its root has this file, with this text when it is given. */
bool root_has(struct mrg_container *c, const char *name, const char *text);

/* Removes it, with the root that was made for it. */
void finish(struct mrg_container *c);

void tear(struct fixture *f, const char *name, const char *file);

#endif
