/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names that keys had up to LXC 2.0. LXC 5 refuses them; containers that were made long ago still have them. */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "core/formats/lxc/lxc.h"
#include "core/util/cleanup.h"

static const struct {
	const char *old, *modern;
} names[] = {
	{ "lxc.aa_profile", "lxc.apparmor.profile" },
	{ "lxc.aa_allow_incomplete", "lxc.apparmor.allow_incomplete" },
	{ "lxc.console", "lxc.console.path" },
	{ "lxc.devttydir", "lxc.tty.dir" },
	{ "lxc.haltsignal", "lxc.signal.halt" },
	{ "lxc.rebootsignal", "lxc.signal.reboot" },
	{ "lxc.stopsignal", "lxc.signal.stop" },
	{ "lxc.id_map", "lxc.idmap" },
	{ "lxc.init_cmd", "lxc.init.cmd" },
	{ "lxc.init_uid", "lxc.init.uid" },
	{ "lxc.init_gid", "lxc.init.gid" },
	{ "lxc.logfile", "lxc.log.file" },
	{ "lxc.loglevel", "lxc.log.level" },
	{ "lxc.syslog", "lxc.log.syslog" },
	{ "lxc.mount", "lxc.mount.fstab" },
	{ "lxc.network", "lxc.net" },
	{ "lxc.pts", "lxc.pty.max" },
	{ "lxc.rootfs", "lxc.rootfs.path" },
	{ "lxc.se_context", "lxc.selinux.context" },
	{ "lxc.seccomp", "lxc.seccomp.profile" },
	{ "lxc.tty", "lxc.tty.max" },
	{ "lxc.utsname", "lxc.uts.name" },
};

/* "lxc.network.SUB" belongs to the device that the last type began; "lxc.network.N.SUB" says which. */
static const char *network_key(struct lxc_config *config, const char *sub, const char *value)
{
	size_t digits = strspn(sub, "0123456789");
	const char *name = sub;
	char number[16], key[320];

	if (digits > 0 && digits < sizeof(number) && (sub[digits] == '.' || !sub[digits])) {
		memcpy(number, sub, digits);
		number[digits] = '\0';
		name = sub[digits] ? sub + digits + 1 : "";
	} else {
		if (strcmp(sub, "type") == 0) {
			/* Without a value it took all devices away. */
			if (!*value)
				return "lxc.net";
			config->networks++;
		}
		snprintf(number, sizeof(number), "%u", config->networks ? config->networks - 1 : 0);
	}
	if (strcmp(name, "ipv4") == 0 || strcmp(name, "ipv6") == 0)
		snprintf(key, sizeof(key), "lxc.net.%s.%s.address", number, name);
	else
		snprintf(key, sizeof(key), "lxc.net.%s%s%s", number, *name ? "." : "", name);
	return lxc_own(config, strdup(key));
}

const char *lxc_modern_key(struct lxc_config *config, const char *key, const char *value)
{
	char modern[320];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(key, names[i].old) == 0)
			return names[i].modern;
	if (strncmp(key, "lxc.network.", strlen("lxc.network.")) == 0)
		return network_key(config, key + strlen("lxc.network."), value);
	if (strncmp(key, "lxc.limit.", strlen("lxc.limit.")) == 0) {
		snprintf(modern, sizeof(modern), "lxc.prlimit.%s", key + strlen("lxc.limit."));
		return lxc_own(config, strdup(modern));
	}
	return key;
}
