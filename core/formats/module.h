/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FORMATS_MODULE_H
#define FORMATS_MODULE_H

/*
 * Formats that need a library of their own live in shared objects, formats/NAME.so below the directory of the plugins, under the same
 * rules of trust, loaded when first asked for. Each exports one constant of this type. They are part of Moorage and no ABI: a module works
 * with the libmoorage it was built with.
 */

#include "core/formats/format.h"

struct format_module {
	const char *version;		/* PACKAGE_VERSION */
	struct format format;
};

#define FORMAT_MODULE		mrg_format_v0
#define FORMAT_MODULE_SYMBOL	"mrg_format_v0"

/* Loads the module of @name. -MRG_E_NO_ENGINE: it is not installed, or a library it needs is not. */
int format_load(const char *name, const struct format **ret, struct mrg_error *err);

#endif
