/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UTIL_LIBRARY_H
#define UTIL_LIBRARY_H

/*
 * Libraries of engines, loaded when they are first needed: a plugin that links its engine's library would cost every
 * command that only asks whether the engine has a container of some name, and could not say what is missing.
 */

#include <stddef.h>

#include <moorage/error.h>

/* A function of the library and where its address goes. */
struct library_symbol {
	const char *name;
	size_t offset;			/* of a function pointer in the structure given to library_open() */
};

/* A row of a table: struct S { LIBRARY_MEMBER(virConnectOpen); ... } and { LIBRARY_SYMBOL(struct S, virConnectOpen), ... { NULL, 0 } } */
#define LIBRARY_MEMBER(function)		__typeof__(&function) function
#define LIBRARY_SYMBOL(type, function)		{ #function, offsetof(type, function) }

/* Loads @soname, never to be unloaded, and fills @functions by @symbols (ended by a NULL name). -MRG_E_NO_ENGINE: it is not installed (the hint names
 * @package, Debian's) or lacks one of them. */
int library_open(const char *soname, const char *package, const struct library_symbol *symbols, void *functions,
		 struct mrg_error *err);

#endif
