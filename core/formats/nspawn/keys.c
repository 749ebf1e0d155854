/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tables of keys: systemd.nspawn(5), the unit, and options that have no key. */

#include "config.h"

#include <string.h>

#include "core/formats/nspawn/nspawn.h"

#define FIELD(name)	MRG_FIELD_##name

#define SIMPLE(key_, field_)	{ key_, FIELD(field_), false, key_read_simple, key_write_simple, MRG_CARRIED, NULL }
#define BOTH(key_, field_, read_, write_)	{ key_, FIELD(field_), false, read_, write_, MRG_CARRIED, NULL }
#define CONFINES(key_, field_, read_, write_)	{ key_, FIELD(field_), true, read_, write_, MRG_CARRIED, NULL }
/* Read only: written back by another row. */
#define READ(key_, field_, read_)	{ key_, FIELD(field_), false, read_, NULL, MRG_CARRIED, NULL }
#define LIMIT(name)	{ "Limit" name, FIELD(RLIMITS), false, read_rlimit, write_rlimits, MRG_CARRIED, NULL }
/* Kept verbatim. */
#define KEPT(key_, note_)	{ key_, -1, false, key_read_native, NULL, MRG_DROPPED, note_ }
/* The same unless it is switched off, which is what a spec means that has nothing to say of it. */
#define SWITCH(key_, note_)	{ key_, -1, false, nspawn_read_switch, NULL, MRG_CARRIED, note_ }
#define WRITTEN(key_, note_)	{ key_, -1, false, nspawn_read_switch, nspawn_write_switch, MRG_CARRIED, note_ }

const struct key nspawn_exec_keys[] = {
	{ "Boot", FIELD(BOOT), false, nspawn_read_boot, nspawn_write_start, MRG_CARRIED, NULL },
	READ("ProcessTwo", INIT, nspawn_read_pid2),
	READ("Parameters", ARGS, nspawn_read_parameters),
	BOTH("Environment", ENV, nspawn_read_environment, nspawn_write_environment),
	CONFINES("User", USER, nspawn_read_user, nspawn_write_user),
	BOTH("WorkingDirectory", CWD, nspawn_read_cwd, nspawn_write_cwd),
	BOTH("Hostname", HOSTNAME, nspawn_read_hostname, key_write_simple),
	BOTH("KillSignal", STOP_SIGNAL, nspawn_read_signal, key_write_simple),
	CONFINES("Ephemeral", EPHEMERAL, nspawn_read_ephemeral, nspawn_write_ephemeral),
	{ "Personality", FIELD(PERSONALITY), false, nspawn_read_personality, nspawn_write_personality, MRG_CARRIED, NULL },

	CONFINES("Capability", CAP_BOUNDING, nspawn_read_capability, nspawn_write_caps),
	CONFINES("DropCapability", CAP_BOUNDING, nspawn_read_capability, NULL),
	CONFINES("AmbientCapability", CAP_AMBIENT, nspawn_read_ambient, NULL),
	CONFINES("NoNewPrivileges", NO_NEW_PRIVILEGES, key_read_simple, key_write_simple),
	CONFINES("SystemCallFilter", SECCOMP, nspawn_read_filter, nspawn_write_filter),
	CONFINES("PrivateUsers", NS_USER, nspawn_read_users, nspawn_write_users),

	LIMIT("AS"), LIMIT("CORE"), LIMIT("CPU"), LIMIT("DATA"), LIMIT("FSIZE"), LIMIT("LOCKS"), LIMIT("MEMLOCK"),
	LIMIT("MSGQUEUE"), LIMIT("NICE"), LIMIT("NOFILE"), LIMIT("NPROC"), LIMIT("RSS"), LIMIT("RTPRIO"), LIMIT("RTTIME"),
	LIMIT("SIGPENDING"), LIMIT("STACK"),
	SIMPLE("OOMScoreAdjust", OOM_SCORE_ADJ),

	WRITTEN("ResolvConf", "nspawn writes /etc/resolv.conf into the root, or mounts it; kept for it"),
	WRITTEN("Timezone", "nspawn writes /etc/localtime into the root, or mounts it; kept for it"),
	{ "LinkJournal", -1, false, nspawn_read_switch, nspawn_write_switch, MRG_CARRIED,
	  "journals are linked by nspawn only; kept for it" },
	SWITCH("NotifyReady", "a container counts as started when its command was executed"),
	SWITCH("SuppressSync", "only nspawn can make sync do nothing"),
	KEPT("MachineID", "the machine id is in the root"),
	KEPT("PivotRoot", "a root is one directory"),
	KEPT("CPUAffinity", "not the same as the CPUs of a control group, AllowedCPUs="),
	{ 0 }
};

const struct key nspawn_files_keys[] = {
	CONFINES("ReadOnly", ROOT_READONLY, key_read_simple, key_write_simple),
	CONFINES("Volatile", EPHEMERAL, nspawn_read_volatile, nspawn_write_volatile),
	BOTH("Bind", MOUNTS, nspawn_read_bind, nspawn_write_mounts),
	CONFINES("BindReadOnly", MOUNTS, nspawn_read_bind, NULL),
	READ("TemporaryFileSystem", MOUNTS, nspawn_read_tmpfs),
	READ("Overlay", MOUNTS, nspawn_read_overlay),
	CONFINES("OverlayReadOnly", MOUNTS, nspawn_read_overlay, NULL),
	CONFINES("Inaccessible", MASKED_PATHS, nspawn_read_inaccessible, NULL),
	{ "PrivateUsersOwnership", -1, false, nspawn_read_ownership, nspawn_write_ownership, MRG_CARRIED,
	  "Moorage changes no owners in a root; kept for nspawn" },
	{ "PrivateUsersChown", -1, false, nspawn_read_chown, NULL, MRG_CARRIED,
	  "Moorage changes no owners in a root; kept for nspawn" },
	KEPT("BindUser", "users of the host are not shown to a container"),
	{ 0 }
};

const struct key nspawn_network_keys[] = {
	CONFINES("Private", NS_NETWORK, nspawn_read_private, nspawn_write_network),
	READ("VirtualEthernet", NETWORKS, nspawn_read_private),
	READ("VirtualEthernetExtra", NETWORKS, nspawn_read_extra),
	READ("Bridge", NETWORKS, nspawn_read_bridge),
	READ("Zone", NETWORKS, nspawn_read_bridge),
	READ("Interface", NETWORKS, nspawn_read_names),
	READ("MACVLAN", NETWORKS, nspawn_read_names),
	READ("IPVLAN", NETWORKS, nspawn_read_names),
	READ("Port", PUBLISH, nspawn_read_port),
	{ 0 }
};

/* [Service] is about systemd-nspawn itself: of all that confines, only control groups reach what it runs. */
const struct key nspawn_service_keys[] = {
	{ "ExecStart", -1, false, nspawn_read_exec_start, nspawn_write_exec_start, MRG_CARRIED, NULL },
	BOTH("TimeoutStopSec", STOP_TIMEOUT, read_timeout, write_timeout),
	BOTH("Restart", RESTART, read_restart, write_restart),
	KEPT("Slice", "where the control group is is up to who runs the container"),
	KEPT("Environment", "the environment of systemd-nspawn itself"),
	{ 0 }
};

const struct key nspawn_install_keys[] = {
	{ "WantedBy", FIELD(AUTOSTART), false, read_wanted, nspawn_write_wanted, MRG_APPROXIMATED,
	  "it starts with the host, whatever the target" },
	{ 0 }
};

const struct key nspawn_command_keys[] = {
	CONFINES("--directory", ROOT_PATH, nspawn_read_root, nspawn_write_option),
	{ "--machine", -1, false, nspawn_read_machine, NULL, MRG_APPROXIMATED,
	  "the name is no part of a spec; it is the host name too" },
	CONFINES("--network-namespace-path", NS_NETWORK, nspawn_read_netns, nspawn_write_netns),
	CONFINES("--selinux-context", SELINUX_LABEL, key_read_simple, nspawn_write_option),
	CONFINES("--selinux-apifs-context", MOUNT_LABEL, key_read_simple, nspawn_write_option),
	BOTH("--console", TERMINAL, nspawn_read_console, nspawn_write_console),
	READ("--pipe", TERMINAL, nspawn_read_console),
	{ "--settings", -1, false, nspawn_read_run, NULL, MRG_CARRIED, NULL },
	{ "--keep-unit", -1, false, nspawn_read_run, NULL, MRG_CARRIED, NULL },
	{ "--quiet", -1, false, nspawn_read_run, NULL, MRG_CARRIED, NULL },
	{ "--no-pager", -1, false, nspawn_read_run, NULL, MRG_CARRIED, NULL },
	KEPT("--register", "machined is told of every container where systemd manages the host"),
	KEPT("--image", "a root is a directory"),
	KEPT("--oci-bundle", "a bundle is read from its own config.json, with --from oci"),
	{ "--root-hash", -1, true, key_read_native, NULL, MRG_WEAKENS, "what the root holds is not checked by a hash" },
	{ "--root-hash-sig", -1, true, key_read_native, NULL, MRG_WEAKENS, "what the root holds is not checked by a hash" },
	{ "--verity-data", -1, true, key_read_native, NULL, MRG_WEAKENS, "what the root holds is not checked by a hash" },
	KEPT("--load-credential", "secrets are not handed to the first process"),
	KEPT("--set-credential", "secrets are not handed to the first process"),
	KEPT("--template", "a root is not copied"),
	KEPT("--share-system", "nspawn's namespaces are read as always of its own"),
	{ 0 }
};

/* Options that have a key are kept as options when only systemd can expand them. */
static bool option_confines(const char *name)
{
	static const char *const confining[] = {
		"--private", "--drop-", "--read-only", "--inaccessible", "--bind-ro", "--overlay-ro", "--system-call-filter",
		"--no-new", "--network", "--user", "--root-hash", "--verity", "--ephemeral", "--volatile",
	};

	for (size_t i = 0; i < sizeof(confining) / sizeof(confining[0]); i++)
		if (strncmp(confining[i], name, strlen(confining[i])) == 0)
			return true;
	return false;
}

static const char *undo_option(char *value)
{
	return nspawn_literal(value) ? NULL : "has a specifier or variable that only systemd can expand";
}

static const struct key no_keys[] = { { 0 } };

const struct key_table nspawn_tables[] = {
	{ "Exec", nspawn_exec_keys },
	{ "Files", nspawn_files_keys },
	{ "Network", nspawn_network_keys },
	{ "Unit", no_keys },
	{ "Service", nspawn_service_keys },
	{ "Service", systemd_resource_keys },
	{ "Install", nspawn_install_keys },
	{ "", nspawn_command_keys },
	{ 0 }
};

bool nspawn_can_be_empty(const char *key)
{
	static const char *const keys[] = {
		"Ephemeral", "Parameters", "Environment", "User", "WorkingDirectory", "NotifyReady", "Hostname", "NoNewPrivileges",
		"OOMScoreAdjust", "CPUAffinity", "SuppressSync", "ReadOnly", "Private", "VirtualEthernet", "Interface", "MACVLAN",
		"IPVLAN", "Bridge", NULL
	};

	return strv_contains((char *const *)keys, key);
}

/* Lines of most settings add up, and empty ones do not reset all of them. */
static bool replaces(const struct assignment *now)
{
	static const char *const single[] = {
		"User", "WorkingDirectory", "Hostname", "KillSignal", "Ephemeral", "Personality", "NoNewPrivileges",
		"PrivateUsers", "OOMScoreAdjust", "ResolvConf", "Timezone", "LinkJournal", "NotifyReady", "SuppressSync", "MachineID", "PivotRoot",
		"ReadOnly", "Volatile", "PrivateUsersOwnership", "PrivateUsersChown", "Private", "VirtualEthernet", "Bridge", "Zone", NULL
	};

	if (!*now->value)
		return nspawn_can_be_empty(now->key);
	return strncmp(now->key, "Limit", 5) == 0 || strv_contains((char *const *)single, now->key);
}

const struct key_syntax nspawn_settings_syntax = {
	.replaces = replaces,
	.native = "nspawn",
	.sign = "=",
	.unknown = "has no field; kept verbatim for systemd-nspawn",
	.target = "",
	.line = nspawn_line,
	.verbatim = unit_verbatim,
};

const struct key_syntax nspawn_unit_syntax = {
	.native = "nspawn",
	.sign = "=",
	.unknown = "has no field; kept verbatim for the unit",
	.target = "unit: ",
	.replaces = unit_replaces,
	.confines = unit_name_confines,
	.undo = unit_undo,
	.line = unit_line,
	.verbatim = unit_verbatim,
};

const struct key_syntax nspawn_command_syntax = {
	.native = "nspawn",
	.sign = "=",
	.unknown = "has no field; kept verbatim for systemd-nspawn",
	.target = "",
	.confines = option_confines,
	.undo = undo_option,
};
