/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A minimal plugin; the build makes one module per fault by redefining one of the macros below. */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <moorage/backend.h>

#ifndef SYMBOL
#define SYMBOL		mrg_backend_v0
#endif
#ifndef SIZE
#define SIZE		sizeof(struct mrg_backend)
#endif
#ifndef MINOR
#define MINOR		MRG_ABI_MINOR
#endif
#ifndef SUMMARY
#define SUMMARY		"A plugin with one fault"
#endif
#ifndef FIELDS
#define FIELDS		fields
#endif
#ifndef LAST_FIELD
#define LAST_FIELD	MRG_FIELD_ARGS
#endif
#ifndef VALUES
#define VALUES		"bool"
#endif
#ifndef START
#define START		start
#endif
#ifndef PAIRS
#define PAIRS
#endif
#ifndef HELPER
#define HELPER		NULL
#endif

extern int mrg_helper_of_the_future(void *self, const struct mrg_spec *spec, struct mrg_error *err);
int plain_open(struct mrg *ctx, void **ret_self, struct mrg_error *err);
void plain_close(void *self);
int plain_verb(void *self, const struct mrg_unit *unit, struct mrg_error *err);
int plain_adopt(void *self, const struct mrg_unit *unit, struct mrg_spec *spec, struct mrg_error *err);
int plain_list(void *self, const char *path, mrg_found_fn found, void *data, struct mrg_error *err);

int plain_open(struct mrg *ctx __attribute__((unused)), void **ret_self, struct mrg_error *err __attribute__((unused)))
{
	*ret_self = NULL;
	return 0;
}

void plain_close(void *self __attribute__((unused)))
{
}

static int probe(void *self __attribute__((unused)), struct mrg_probe *ret, struct mrg_error *err __attribute__((unused)))
{
	ret->boundary = 0;
	return 0;
}

static int __attribute__((unused)) start(void *self __attribute__((unused)),
					 const struct mrg_unit *unit __attribute__((unused)),
					 struct mrg_stdio *io __attribute__((unused)),
					 struct mrg_process *ret __attribute__((unused)),
					 struct mrg_error *err __attribute__((unused)))
{
	return -ENOSYS;
}

static int send(void *self __attribute__((unused)), const struct mrg_unit *unit __attribute__((unused)),
		int signo __attribute__((unused)), int all __attribute__((unused)),
		struct mrg_error *err __attribute__((unused)))
{
	return -MRG_E_NOT_RUNNING;
}

int plain_verb(void *self __attribute__((unused)), const struct mrg_unit *unit __attribute__((unused)),
	       struct mrg_error *err __attribute__((unused)))
{
	return 0;
}

int plain_adopt(void *self __attribute__((unused)), const struct mrg_unit *unit __attribute__((unused)),
		struct mrg_spec *spec __attribute__((unused)), struct mrg_error *err __attribute__((unused)))
{
	return 0;
}

int plain_list(void *self __attribute__((unused)), const char *path __attribute__((unused)),
	       mrg_found_fn found __attribute__((unused)),
	       void *data __attribute__((unused)), struct mrg_error *err __attribute__((unused)))
{
	return 0;
}

/* Faults of the object that are not in its table. */
#ifdef TEXT_RELOCATION
__asm__(".text\n.balign 8\n.quad mrg_backend_v0\n");
#endif
#ifdef VARIABLE
static int __attribute__((used)) counter[8] = { 1 };
#endif
#ifdef CONSTRUCTOR
static void __attribute__((constructor)) when_loaded(void)
{
	getppid();
#ifdef SPEAKER
	puts("here I am");
#endif
}
#endif
#ifdef EXIT
static void __attribute__((used, noreturn)) leave(void)
{
	exit(1);
}
#endif
#ifdef UNNAMED_LIBRARY
static pid_t __attribute__((used)) borrow(void)
{
	return getppid();
}
#endif

static const uint16_t __attribute__((unused)) fields[] = { MRG_FIELD_ROOT_PATH, LAST_FIELD, MRG_FIELD_END };
static const struct mrg_option options[] = { { "flag", VALUES, "a flag" }, { NULL, NULL, NULL } };

/* Longer than the table of this minor, as that of a newer one would be. */
struct longer {
	struct mrg_backend table;
	void *more[2];
};
extern const struct longer SYMBOL;
__attribute__((visibility("default"))) const struct longer SYMBOL = {
	.table = {
		.size = SIZE,
		.minor = MINOR,
		.name = NAME,
		.summary = SUMMARY,
		.fields = FIELDS,
		.options = options,
		.probe = probe,
		.start = START,
		.kill = send,
		.state = plain_verb,
		.destroy = plain_verb,
		.check = HELPER,
		PAIRS
	},
	.more = { (void *)plain_verb, (void *)plain_verb },
};
