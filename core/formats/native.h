/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FORMATS_NATIVE_H
#define FORMATS_NATIVE_H

/* The keys of engines that a spec keeps verbatim (moorage.native). */

#include <moorage/spec.h>

/* A value of a key, which is called as a report calls it: "lxc.tty.max", "Exec.LinkJournal", "/domain/title". Other than 0 ends native_each(). */
typedef int (*native_fn)(const char *engine, const char *name, const char *value, void *data);

/* Calls @fn for each value; what is no text has the value "". What @fn returned, or a negative errno. */
int native_each(const struct mrg_spec *spec, native_fn fn, void *data, struct mrg_error *err);

/* Leaves the keys of @engine alone: 1 when there were others. Without any left the field is unset. */
int native_reduce(struct mrg_spec *spec, const char *engine, struct mrg_error *err);

/* Takes out a key of LXC, or what else stands directly below @engine. */
int native_forget(struct mrg_spec *spec, const char *engine, const char *key, struct mrg_error *err);

#endif
