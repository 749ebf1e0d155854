/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys that a configuration from elsewhere keeps verbatim for an engine: which of them reach nothing, and which this backend writes. */

#include "config.h"

#include <string.h>

#include "core/archive/import/import.h"
#include "core/formats/native.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/str.h"

/*
 * What is nothing to the host: settings of terminals, of the order of starts, of signals, and what packages of the engine themselves put into configurations.
 * Without a value here it is any single word; a piece of libvirt's is what its name says, whatever is in it.
 */
static const struct {
	const char *engine, *name, *value;
} harmless[] = {
	{ "lxc", "lxc.tty.dir", NULL }, { "lxc", "lxc.tty.max", NULL }, { "lxc", "lxc.pty.max", NULL }, { "lxc", "lxc.console.buffer.size", NULL },
	{ "lxc", "lxc.start.delay", NULL }, { "lxc", "lxc.start.order", NULL }, { "lxc", "lxc.group", NULL }, { "lxc", "lxc.log.level", NULL },
	{ "lxc", "lxc.rootfs.managed", NULL }, { "lxc", "lxc.signal.halt", NULL }, { "lxc", "lxc.signal.reboot", NULL }, { "lxc", "lxc.signal.stop", NULL },
	{ "lxc", "lxc.apparmor.profile", "generated" }, { "lxc", "lxc.seccomp.profile", "/usr/share/lxc/config/common.seccomp" },
	{ "lxc", "lxc.hook.clone", "/usr/share/lxc/hooks/clonehostname" },
	{ "nspawn", "Exec.NotifyReady", NULL }, { "nspawn", "Exec.Timezone", NULL }, { "nspawn", "Exec.LinkJournal", "no" },
	{ "libvirt", "/domain/on_poweroff", NULL }, { "libvirt", "/domain/on_reboot", NULL }, { "libvirt", "/domain/on_crash", NULL },
	{ "libvirt", "/domain/clock/@offset", NULL }, { "libvirt", "/domain/vcpu/@placement", NULL }, { "libvirt", "/domain/vcpu", NULL },
	{ "libvirt", "/domain/os/type/@arch", NULL }, { "libvirt", "/domain/devices/filesystem[1]/@accessmode", NULL },
	{ "libvirt", "/domain/devices/emulator", "<emulator>/usr/lib/libvirt/libvirt_lxc</emulator>" },
};

static bool is_word(const char *value)
{
	static const char characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+,-";

	return value[strspn(value, characters)] == '\0';
}

/* "/DESTINATION optional": of the options that only LXC has, the one that does no more than forgive. */
static bool is_optional(const char *value)
{
	const char *space = strchr(value, ' ');

	return space && strcmp(space, " optional") == 0;
}

bool import_is_harmless(const char *engine, const char *name, const char *value)
{
	if (strcmp(name, IMPORT_MOUNT_OPTIONS) == 0 && is_optional(value))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++) {
		if (strcmp(harmless[i].engine, engine) != 0 || strcmp(harmless[i].name, name) != 0)
			continue;
		return harmless[i].value ? strcmp(value, harmless[i].value) == 0 : name[0] == '/' || is_word(value);
	}
	return false;
}

/* ---- what is written ---------------------------------------------------------------------- */

struct others {
	const char *backend;
	struct buffer names;
};

/* Values of one key come one after the other. */
static int add_name(const char *engine, const char *name, const char *value, void *data)
{
	struct others *others = data;
	size_t length = strlen(name), n = others->names.length;

	(void)value;
	if (strcmp(engine, others->backend) != 0 && (n <= length || others->names.text[n - length - 1] != ' ' || strcmp(others->names.text + n - length, name) != 0))
		buffer_addf(&others->names, " %s", name);
	return 0;
}

int import_native_fit(struct import_job *job, struct mrg_error *err)
{
	struct others others = { .backend = job->backend };
	int r = native_forget(job->spec, "lxc", "lxc.rootfs.managed", err);

	if (r == 0)
		r = native_each(job->spec, add_name, &others, err);
	if (r == 0 && others.names.failed)
		r = fail_memory(err);
	if (r == 0)
		r = native_reduce(job->spec, job->backend, err);
	if (r > 0)
		archive_note(&job->import->transfer, "backend '%s' has nothing for these, which are left out:%s", job->backend, others.names.text ? others.names.text : "");
	buffer_deinit(&others.names);
	return r < 0 ? r : 0;
}
