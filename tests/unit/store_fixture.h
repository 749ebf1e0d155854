/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

/* Records in directories of their own for each test. */

#include <stdbool.h>
#include <stddef.h>

#include "core/store/internal.h"

#define ID	"0123456789abcdef"

/* Directories of its own for each test. */
struct fixture {
	char top[32];
	struct mrg *m;
};

struct mrg *context(const char *top);

int setup(void **state);

int teardown(void **state);

struct record *fresh(const char *name, bool transient);

int make(struct mrg *m, const char *name, bool transient);

int open_base(struct fixture *f, bool transient);

/* How many entries, hidden ones included, the directory of records has. */
int entries(struct fixture *f, bool transient);

int append(const char *name, void *data);

size_t walk(struct mrg *m);

/* After a crash: each name is whole or absent, and after one walk nothing else is there. */
int whole(struct fixture *f, const char *name, int crash);

void overwrite(int dir, const char *file, const void *data, size_t length);

char *read_file(struct fixture *f, const char *file, size_t *length);

void put(struct fixture *f, bool transient, const char *file, const char *text);

#endif
