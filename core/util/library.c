/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Libraries that are loaded when they are first needed. */

#include "config.h"

#include <dlfcn.h>
#include <string.h>

#include "core/util/library.h"

int library_open(const char *soname, const char *package, const struct library_symbol *symbols, void *functions,
		 struct mrg_error *err)
{
	/* By its bare name: the engine's library is the system's, wherever the dynamic linker keeps it. */
	void *object = dlopen(soname, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

	if (!object) {
		mrg_error_set(err, -MRG_E_NO_ENGINE, "the library '%s' cannot be loaded: %s", soname, dlerror());
		mrg_error_hint(err, "apt-get install %s", package);
		return -MRG_E_NO_ENGINE;
	}
	for (; symbols->name; symbols++) {
		void *address = dlsym(object, symbols->name);

		if (!address)
			return mrg_error_set(err, -MRG_E_NO_ENGINE, "the library '%s' is too old: it lacks '%s'", soname, symbols->name);
		memcpy((char *)functions + symbols->offset, &address, sizeof(address));
	}
	return 0;
}
