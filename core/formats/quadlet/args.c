/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PodmanArgs=: options of podman run that have no key of their own, and are fields. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/formats/quadlet/quadlet.h"
#include "core/spec/table.h"
#include "core/util/cleanup.h"

/* ---- reading ------------------------------------------------------------------------------------- */

struct option;
typedef int option_reader(struct key_reader *in, const struct option *option, const char *value);

struct option {
	const char *name;
	int field;
	bool flag;			/* takes no value, or a boolean behind "=" */
	option_reader *read;		/* 1: not understood */
};

static int option_set(struct key_reader *in, const struct option *option, const char *value)
{
	return key_set(in, (enum mrg_field)option->field, value);
}

static int option_flag(struct key_reader *in, const struct option *option, const char *value)
{
	bool on = true;

	if (value && parse_bool(value, &on) < 0)
		return 1;
	return key_set(in, (enum mrg_field)option->field, on ? "yes" : "no");
}

static int option_namespace(struct key_reader *in, const struct option *option, const char *value)
{
	if (strcmp(value, "host") == 0 || strcmp(value, "private") == 0)
		return key_set(in, (enum mrg_field)option->field, value);
	return strncmp(value, "ns:/", 4) == 0 ? key_set(in, (enum mrg_field)option->field, value + 3) : 1;
}

static int option_security(struct key_reader *in, const struct option *option, const char *value)
{
	(void)option;
	if (strncmp(value, "apparmor=", 9) == 0 && value[9])
		return key_set(in, MRG_FIELD_APPARMOR_PROFILE, value + 9);
	return 1;
}

static int option_systemd(struct key_reader *in, const struct option *option, const char *value)
{
	return strcmp(value, "always") == 0 ? key_set(in, (enum mrg_field)option->field, "yes") : 1;
}

static int option_privileged(struct key_reader *in, const struct option *option, const char *value)
{
	bool on = true;

	(void)option;
	if (value && parse_bool(value, &on) < 0)
		return 1;
	quadlet_of(in)->privileged = on;
	return 0;
}

static int option_device_rule(struct key_reader *in, const struct option *option, const char *value)
{
	struct mrg_device_rule rule = { .allow = 1, .major = -1, .minor = -1 };
	char type[2], major[12], minor[12], access[4];
	int end = 0;

	(void)option;
	if (strlen(value) > 40 || sscanf(value, "%1[abc] %11[0-9*]:%11[0-9*] %3[rwm]%n", type, major, minor, access, &end) != 4 || value[end])
		return 1;
	if ((strcmp(major, "*") != 0 && (parse_int64(major, &rule.major) < 0 || rule.major > UINT32_MAX)) ||
	    (strcmp(minor, "*") != 0 && (parse_int64(minor, &rule.minor) < 0 || rule.minor > UINT32_MAX)))
		return 1;
	rule.type = type;
	rule.access = access;
	return mrg_spec_add_device_rule(in->spec, &rule, in->err) < 0 ? key_place(in) : 0;
}

#define FIELD(name)	MRG_FIELD_##name

static const struct option options[] = {
	{ "--pid", FIELD(NS_PID), false, option_namespace }, { "--ipc", FIELD(NS_IPC), false, option_namespace },
	{ "--uts", FIELD(NS_UTS), false, option_namespace }, { "--cgroupns", FIELD(NS_CGROUP), false, option_namespace },
	{ "--tty", FIELD(TERMINAL), true, option_flag }, { "-t", FIELD(TERMINAL), true, option_flag },
	{ "--interactive", FIELD(STDIN), true, option_flag }, { "-i", FIELD(STDIN), true, option_flag },
	{ "--umask", FIELD(UMASK), false, option_set }, { "--oom-score-adj", FIELD(OOM_SCORE_ADJ), false, option_set },
	{ "--security-opt", -1, false, option_security }, { "--systemd", FIELD(BOOT), false, option_systemd },
	{ "--privileged", -1, true, option_privileged }, { "--device-cgroup-rule", -1, false, option_device_rule },
	{ "--memory", FIELD(MEMORY_LIMIT), false, option_set }, { "-m", FIELD(MEMORY_LIMIT), false, option_set },
	{ "--memory-reservation", FIELD(MEMORY_RESERVATION), false, option_set }, { "--memory-swap", FIELD(MEMORY_SWAP), false, option_set },
	{ "--memory-swappiness", FIELD(MEMORY_SWAPPINESS), false, option_set }, { "--cpu-shares", FIELD(CPU_SHARES), false, option_set },
	{ "--cpu-quota", FIELD(CPU_QUOTA), false, option_set }, { "--cpu-period", FIELD(CPU_PERIOD), false, option_set },
	{ "--cpuset-cpus", FIELD(CPUSET_CPUS), false, option_set }, { "--cpuset-mems", FIELD(CPUSET_MEMS), false, option_set },
	{ "--pids-limit", FIELD(PIDS_LIMIT), false, option_set }, { "--blkio-weight", FIELD(IO_WEIGHT), false, option_set },
	{ "--domainname", FIELD(DOMAINNAME), false, option_set },
};

static const struct option *find_option(const char *word, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (strlen(options[i].name) == length && strncmp(options[i].name, word, length) == 0)
			return &options[i];
	return NULL;
}

/* Takes one option off the words; NULL: none that is understood. */
static const struct option *next_option(char ***at, const char **value)
{
	char *word = *(*at)++;
	size_t length = strcspn(word, "=");
	const struct option *option = find_option(word, length);

	*value = word[length] ? word + length + 1 : NULL;
	if (option && !option->flag && !*value) {
		*value = **at;
		if (!*value)
			return NULL;
		(*at)++;
	}
	return option;
}

static bool sounds_confining(char *const *words)
{
	static const char *const names[] = { "--security-opt", "--cap-drop", "--userns", "--uidmap", "--gidmap", "--read-only", "--runtime",
					     "--no-new", "--seccomp", "--device-cgroup" };

	for (; *words; words++)
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (strncmp(*words, names[i], strlen(names[i])) == 0)
				return true;
	return false;
}

/* A line that has one option that is not understood stays whole, and none of it counts: what it says belongs together. */
KEY_READER(quadlet_read_args)
{
	_cleanup_(strv_freep) char **words = NULL;
	const struct option *option = NULL;
	const char *option_value;
	char **at;
	int r = unit_words(in, value, &words);

	if (r != 0)
		return r < 0 ? r : key_lost(in, key, NULL);
	at = words;
	while (at && *at && (option = next_option(&at, &option_value)))
		;
	if (words && !option) {
		in->note = "options of podman that no field says";
		return sounds_confining(words) ? MRG_WEAKENS : MRG_DROPPED;
	}
	for (at = words; at && *at && r == 0;) {
		option = next_option(&at, &option_value);
		in->field = option->field;
		r = option->read(in, option, option_value);
	}
	if (r < 0)
		return r;
	in->note = "a value that only podman understands";
	return r > 0 ? (sounds_confining(words) ? MRG_WEAKENS : MRG_DROPPED) : MRG_CARRIED;
}

/* ---- writing --------------------------------------------------------------------------------------- */

static void write_ns(struct key_writer *out, const char *option, enum mrg_field field, const char *ns)
{
	struct buffer b = { 0 };

	if (!key_has(out, field))
		return;
	if (!ns || *ns) {
		buffer_addf(&b, "%s%s", ns ? "ns:" : "host", ns ? ns : "");
		if (b.failed)
			out->b.failed = true;
		else
			quadlet_option(out, option, b.text);
		buffer_deinit(&b);
	}
	key_report(out, field, MRG_CARRIED, "PodmanArgs", NULL);
}

static void write_flag(struct key_writer *out, const char *option, enum mrg_field field, int on)
{
	if (!key_has(out, field))
		return;
	if (on)
		quadlet_option(out, option, NULL);
	key_report(out, field, MRG_CARRIED, "PodmanArgs", NULL);
}

/* A number in the way that podman takes it; @own: what podman does anyway. */
static void write_number(struct key_writer *out, const char *option, enum mrg_field field, const char *text, bool own)
{
	if (!key_has(out, field))
		return;
	if (!own)
		quadlet_option(out, option, text);
	key_report(out, field, MRG_CARRIED, "PodmanArgs", NULL);
}

static void write_text(struct key_writer *out, const char *option, enum mrg_field field, const char *prefix, const char *text)
{
	struct buffer b = { 0 };

	if (!key_has(out, field) || !text || !*text)
		return;
	buffer_addf(&b, "%s%s", prefix, text);
	if (b.failed)
		out->b.failed = true;
	else
		quadlet_option(out, option, b.text);
	buffer_deinit(&b);
	key_report(out, field, MRG_CARRIED, "PodmanArgs", NULL);
}

KEY_WRITER(quadlet_write_args)
{
	const struct mrg_spec *spec = out->spec;
	char umask[16], oom[16], swappiness[24];

	(void)key;
	snprintf(umask, sizeof(umask), "0%03o", spec->umask);
	snprintf(oom, sizeof(oom), "%d", spec->oom_score_adj);
	snprintf(swappiness, sizeof(swappiness), "%" PRIu64, spec->memory_swappiness);
	write_ns(out, "--pid", MRG_FIELD_NS_PID, spec->ns_pid);
	write_ns(out, "--ipc", MRG_FIELD_NS_IPC, spec->ns_ipc);
	write_ns(out, "--uts", MRG_FIELD_NS_UTS, spec->ns_uts);
	write_ns(out, "--cgroupns", MRG_FIELD_NS_CGROUP, spec->ns_cgroup);
	if (key_has(out, MRG_FIELD_NS_MOUNT) && spec->ns_mount && !*spec->ns_mount)
		key_report(out, MRG_FIELD_NS_MOUNT, MRG_CARRIED, "podman", NULL);
	if (quadlet_writer_of(out)->privileged)
		quadlet_option(out, "--privileged", NULL);
	write_flag(out, "--tty", MRG_FIELD_TERMINAL, spec->terminal);
	write_flag(out, "--interactive", MRG_FIELD_STDIN, spec->stdin_open);
	if (key_has(out, MRG_FIELD_BOOT) && spec->boot)
		quadlet_option(out, "--systemd", "always");
	if (key_has(out, MRG_FIELD_BOOT))
		key_report(out, MRG_FIELD_BOOT, MRG_CARRIED, "PodmanArgs", NULL);
	write_number(out, "--umask", MRG_FIELD_UMASK, umask, spec->umask == 022);
	write_number(out, "--oom-score-adj", MRG_FIELD_OOM_SCORE_ADJ, oom, false);
	write_number(out, "--memory-swappiness", MRG_FIELD_MEMORY_SWAPPINESS, swappiness, false);
	write_text(out, "--domainname", MRG_FIELD_DOMAINNAME, "", spec->domainname);
	write_text(out, "--security-opt", MRG_FIELD_APPARMOR_PROFILE, "apparmor=", spec->apparmor_profile);
}
