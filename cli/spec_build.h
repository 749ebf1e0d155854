/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_SPEC_BUILD_H
#define CLI_SPEC_BUILD_H

/* From options to a spec. */

#include "cli/cli.h"

/* The spec under construction. */
struct builder {
	struct cli *cli;
	struct mrg_spec *spec;
	const char *backend;
	const struct mrg_fields *able;	/* what the backend can honour here */
};

typedef int option_apply(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err);

/* The options of run and create, and those of update. */
extern const struct option_table run_tables[], create_tables[], update_tables[];

/* Handlers of the option table. Errors begin with what was wrong; the name of the option is put in front. */
option_apply apply_field, apply_flag;
option_apply apply_volume, apply_mount, apply_bind, apply_tmpfs, apply_shm_size, apply_device;
option_apply apply_cpus, apply_ulimit, apply_rate;
option_apply apply_env, apply_env_file, apply_group, apply_namespace, apply_userns, apply_opt,
	apply_log_driver, apply_log_opt, apply_restart;
option_apply apply_cap_add, apply_cap_drop, apply_privileged, apply_security;

/* Applies the settings of @phase. */
int spec_apply(struct builder *b, int phase, struct mrg_error *err);

/* The whole: from the options, operands (root and command) and --from of @cli. The caller frees *ret. */
int spec_build(struct cli *cli, const char *backend, const struct mrg_fields *able, struct mrg_spec **ret,
	       struct mrg_error *err);

/* "out of memory" */
int no_memory(struct mrg_error *err);

/* The next part of @at up to @separator, NUL put behind it; NULL at the end. As strsep(3), with an empty text giving none. */
char *next_part(char **at, char separator);

/* "K=V" as typed, "K" taken from our own environment (NULL: not there). The caller frees *ret. */
int env_assignment(const char *text, char **ret, struct mrg_error *err);

/* The whole of a file of the user's, which may be a pipe; "-" is standard input. The caller frees *ret. */
int file_read(const char *path, size_t max, char **ret, size_t *ret_length, struct mrg_error *err);

/* Writes @text to a file of the user's, whole or not at all: one that is there is replaced and keeps its mode; a pipe or a device is written to. */
int file_write(const char *path, const char *text, struct mrg_error *err);

/* Calls @line for every line of a file of assignments; comments and empty lines are left out. */
int env_file_read(const char *path, int (*line)(const char *text, void *data, struct mrg_error *err), void *data,
		  struct mrg_error *err);

#endif
