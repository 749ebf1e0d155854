/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CERTIFY_FIELDS_H
#define CERTIFY_FIELDS_H

/* Tests of fields: a change of the spec, a look from inside, and what must be seen. Most are rows of a table. */

#include "tests/certify/scene.h"

#define SETTINGS_MAX	8
#define WORDS_MAX	10

/* A row: the spec with @set runs moorage-probe with @words, which must print @lines. */
struct observation {
	struct { enum mrg_field field; const char *text; } set[SETTINGS_MAX];	/* of mrg_spec_set(); ended by a NULL text */
	const char *words[WORDS_MAX];
	const char *lines[WORDS_MAX];
};

/* Tests of rows: @data is a struct observation. Of the second kind a command that is run inside looks. */
void is_observed(struct trial *t);
void is_observed_by_exec(struct trial *t);

/* A test of field @id_ by a row; by a function of its own. */
#define ROW(id_, name_, ...)	\
	{ .section = "fields", .name = name_, .run = is_observed, .field = MRG_FIELD_##id_ + 1, \
	  .data = &(const struct observation){ __VA_ARGS__ } }
#define BY(id_, name_, run_)	\
	{ .section = "fields", .name = name_, .run = run_, .field = MRG_FIELD_##id_ + 1 }
#define WITH(id_, name_, run_, data_)	\
	{ .section = "fields", .name = name_, .run = run_, .field = MRG_FIELD_##id_ + 1, .data = data_ }

extern const struct test process_fields[];	/* fields_process.c: who and what the process is */
extern const struct test root_fields[];		/* fields_root.c: the root, mounts, devices */
extern const struct test namespace_fields[];	/* fields_namespaces.c */
extern const struct test network_fields[];	/* fields_network.c */
extern const struct test policy_fields[];	/* fields_policy.c: capabilities, seccomp, sysctl, ... */
extern const struct test limit_fields[];	/* fields_limits.c: cgroups */
extern const struct test life_fields[];		/* fields_life.c: how it starts, stops and is remembered */

/* A new directory on the host, for sources of mounts; goes with the run. */
void host_directory(struct trial *t, const char *name, char ret[PATH_SIZE]);

/* The path of a file of the container's root on the host. */
void root_path(const struct trial *t, const char *path, char ret[PATH_SIZE]);

#endif
