/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_REGISTRY_MODULE_H
#define CORE_REGISTRY_MODULE_H

/* Shared objects loaded on demand, plugins and formats alike: from absolute directories only, never unloaded, and refused when anybody
 * but root or the caller could have written them. */

#include <moorage/error.h>

/* Looks for NAME.so in the directories of @search (separated by ':'), or in the sub-directory @below of each (NULL: none).
 * 1 and the path without links, 0 when it is in none, or why it is refused. @name must be valid as a file name. */
int module_find(const char *search, const char *below, const char *name, char **ret_path, struct mrg_error *err);

/* Maps the object at @path and finds what it exports as @symbol: 1, 0 when it exports no such thing, or why it cannot be mapped. */
int module_load(const char *path, const char *symbol, const void **ret, struct mrg_error *err);

/* Turns the @reason that dlerror(3) gave for the object at @path into an error: what is missing decides code and hint. */
int module_explain(const char *path, const char *reason, struct mrg_error *err);

#endif
