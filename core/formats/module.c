/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Formats in shared objects. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "core/formats/module.h"
#include "core/registry/module.h"
#include "core/util/cleanup.h"

/* Formats have no context: the directories are those a new one would have. */
static const char *search_path(void)
{
	const char *path = secure_getenv("MOORAGE_BACKEND_PATH");

	return path && *path ? path : MRG_BACKEND_DIR;
}

int format_load(const char *name, const struct format **ret, struct mrg_error *err)
{
	_cleanup_free_ char *path = NULL;
	const struct format_module *module;
	const void *table = NULL;
	int r = module_find(search_path(), "formats", name, &path, err);

	if (r == 0) {
		mrg_error_set(err, -MRG_E_NO_ENGINE, "the format '%s' is not installed: there is no 'formats/%s.so' in '%s'", name, name,
			      search_path());
		mrg_error_hint(err, "build moorage with libxml2: apt-get install libxml2-dev, then configure --with-libxml2");
		return -MRG_E_NO_ENGINE;
	}
	if (r > 0)
		r = module_load(path, FORMAT_MODULE_SYMBOL, &table, err);
	if (r < 0)
		return r;
	if (r == 0)
		return mrg_error_set(err, -MRG_E_ABI, "'%s' exports no %s: it is no format of moorage", path, FORMAT_MODULE_SYMBOL);
	module = table;
	if (strcmp(module->version, PACKAGE_VERSION) != 0 || strcmp(module->format.name, name) != 0)
		return mrg_error_set(err, -MRG_E_ABI, "'%s' is the format '%.40s' of moorage %.40s, not '%s' of " PACKAGE_VERSION, path,
				     module->format.name, module->version, name);
	*ret = &module->format;
	return 0;
}
