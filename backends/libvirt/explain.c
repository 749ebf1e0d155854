/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The definition and the commands of virsh that amount to what the libvirt backend does. */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "libvirt.h"
#include "core/util/cleanup.h"

int libvirt_explain(void *self, const struct mrg_unit *unit, mrg_explain_fn line, void *data, struct mrg_error *err)
{
	_cleanup_free_ char *xml = NULL, *define = NULL, *start = NULL;
	const char *uri = unit->path ? unit->path : LIBVIRT_URI;
	size_t length;
	int r = libvirt_write(unit, unit->spec, &xml, err);

	(void)self;
	if (r < 0)
		return r;
	length = strlen(xml);
	while (length > 0 && xml[length - 1] == '\n')
		length--;
	if (asprintf(&define, "cat >'%s.xml' <<'END'\n%.*s\nEND", unit->name, (int)length, xml) < 0)
		define = NULL;
	if (asprintf(&start, "virsh -c '%s' define '%s.xml'\nvirsh -c '%s' start '%s'%s", uri, unit->name, uri, unit->name,
		     unit->spec->boot ? "" : "    # as /dev/.moorage-init -- COMMAND, for its streams and its exit status") < 0)
		start = NULL;
	if (!define || !start)
		return mrg_error_set(err, -ENOMEM, "out of memory");
	r = line(define, data);
	return r != 0 ? r : line(start, data);
}
