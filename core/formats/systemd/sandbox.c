/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows that confine: capabilities, namespaces, protected parts of the kernel, system calls. */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/systemd/systemd.h"
#include "core/util/cleanup.h"

#define CAPS_ALL	((UINT64_C(1) << (CAPABILITY_LAST + 1)) - 1)

/* ---- capabilities ----------------------------------------------------------- */

/* A list adds to what was given before, one that begins with "~" takes away; the first "~" takes away from all. */
static int merge_caps(struct key_reader *in, char *value, bool first, uint64_t *caps)
{
	_cleanup_(strv_freep) char **words = NULL;
	bool invert = value[0] == '~';
	uint64_t set = 0;
	int r = unit_words(in, value + invert, &words);

	if (r != 0)
		return r;
	for (size_t i = 0; words && words[i]; i++) {
		int number = parse_capability(words[i]);

		if (number < 0)
			return key_fail(in, "must be capabilities such as CAP_CHOWN, not '%.40s'", words[i]);
		set |= UINT64_C(1) << number;
	}
	if (first)
		*caps = invert ? CAPS_ALL : 0;
	*caps = invert ? *caps & ~set : *caps | set;
	return 0;
}

KEY_READER(read_bounding)
{
	bool first = !mrg_fields_has(&in->spec->set, MRG_FIELD_CAP_BOUNDING);
	int r = merge_caps(in, value, first, &in->spec->cap_bounding);

	if (r != 0)
		return r < 0 ? r : key_lost(in, key, NULL);
	if (!*value)
		in->spec->cap_bounding = 0;
	mrg_fields_add(&in->spec->set, MRG_FIELD_CAP_BOUNDING);
	return MRG_CARRIED;
}

/* Ambient capabilities are permitted and inheritable too, or the kernel refuses them. */
KEY_READER(read_ambient)
{
	bool first = !mrg_fields_has(&in->spec->set, MRG_FIELD_CAP_AMBIENT);
	int r = merge_caps(in, value, first, &in->spec->cap_ambient);

	if (r != 0)
		return r < 0 ? r : key_lost(in, key, NULL);
	if (!*value)
		in->spec->cap_ambient = 0;
	mrg_fields_add(&in->spec->set, MRG_FIELD_CAP_AMBIENT);
	return MRG_CARRIED;
}

static void write_caps(struct key_writer *out, const char *name, uint64_t caps)
{
	buffer_addf(&out->b, "%s=", name);
	for (unsigned int i = 0; i <= CAPABILITY_LAST; i++)
		if (caps >> i & 1)
			buffer_addf(&out->b, "%sCAP_%s", caps & ((UINT64_C(1) << i) - 1) ? " " : "", capability_name(i));
	buffer_addf(&out->b, "\n");
}

/* systemd gives root all of the bounding set and others the ambient set. */
static void report_caps(struct key_writer *out, unsigned int field, uint64_t caps, uint64_t given)
{
	if (!key_has(out, field))
		return;
	if (caps == given)
		key_report(out, field, MRG_CARRIED, "CapabilityBoundingSet", NULL);
	else
		key_report(out, field, caps & ~given ? MRG_DROPPED : MRG_WEAKENS, NULL, "systemd derives it from the bounding set");
}

KEY_WRITER(write_bounding)
{
	const struct mrg_spec *spec = out->spec;

	if (!key_has(out, MRG_FIELD_CAP_BOUNDING))
		return;
	write_caps(out, key->name, spec->cap_bounding);
	key_report(out, MRG_FIELD_CAP_BOUNDING, MRG_CARRIED, key->name, NULL);
	report_caps(out, MRG_FIELD_CAP_EFFECTIVE, spec->cap_effective, spec->cap_bounding);
	report_caps(out, MRG_FIELD_CAP_PERMITTED, spec->cap_permitted, spec->cap_bounding);
}

KEY_WRITER(write_ambient)
{
	const struct mrg_spec *spec = out->spec;

	if (key_has(out, MRG_FIELD_CAP_AMBIENT)) {
		write_caps(out, key->name, spec->cap_ambient);
		key_report(out, MRG_FIELD_CAP_AMBIENT, MRG_CARRIED, key->name, NULL);
	}
	report_caps(out, MRG_FIELD_CAP_INHERITABLE, spec->cap_inheritable, spec->cap_ambient);
}

/* ---- namespaces ------------------------------------------------------------- */

KEY_READER(read_namespace)
{
	bool on = false;

	if (*value && parse_bool(value, &on) < 0)
		return key_lost(in, key, "only yes and no are known");
	if (!on) {
		key_reset(in, (unsigned int)key->field);
		return MRG_CARRIED;
	}
	return key_set(in, (enum mrg_field)key->field, "private") < 0 ? -MRG_E_INVALID : key->verdict;
}

KEY_WRITER(write_namespace)
{
	const char *path = *(const char *const *)member_at_const(&spec_fields[key->field].value, out->spec);

	if (!key_has(out, (unsigned int)key->field) || (path && *path))
		return;
	if (path)
		key_line(out, key->name, "yes");
	key_report(out, (unsigned int)key->field, path ? key->verdict : MRG_CARRIED, key->name, key->note);
}

/* ---- Protect*=: what they hide, make read-only and take away ------------------ */

static const struct protection {
	const char *key;
	const char *masked[4], *readonly[10];
	const char *caps[3];
} protections[] = {
	{ "ProtectKernelTunables", { NULL },
	  { "/proc/acpi", "/proc/apm", "/proc/fs", "/proc/irq", "/proc/latency_stats", "/proc/mtrr", "/proc/sys",
	    "/proc/sysrq-trigger", "/sys" }, { NULL } },
	{ "ProtectKernelLogs", { "/proc/kmsg", "/dev/kmsg" }, { NULL }, { "SYSLOG" } },
	{ "ProtectKernelModules", { "/usr/lib/modules" }, { NULL }, { "SYS_MODULE" } },
	{ "ProtectControlGroups", { NULL }, { "/sys/fs/cgroup" }, { NULL } },
	{ "ProtectClock", { NULL }, { NULL }, { "SYS_TIME", "WAKE_ALARM" } },
};

static int protect_paths(struct key_reader *in, enum mrg_field field, const char *const *paths, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && paths[i] && r == 0; i++) {
		char **given = *(char ***)member_at(&spec_fields[field].value, in->spec);

		if (!strv_contains(given, paths[i]))
			r = key_set(in, field, paths[i]);
	}
	return r;
}

KEY_READER(read_protect)
{
	struct unit_reader *unit = unit_of(in);
	const struct protection *row = protections;
	bool on = false;
	int r;

	if (*value && parse_bool(value, &on) < 0)
		return key_lost(in, key, "only yes and no are known");
	if (!on)
		return MRG_CARRIED;
	while (strcmp(row->key, key->name) != 0)
		row++;
	r = protect_paths(in, MRG_FIELD_MASKED_PATHS, row->masked, ARRAY_SIZE(row->masked));
	if (r == 0)
		r = protect_paths(in, MRG_FIELD_READONLY_PATHS, row->readonly, ARRAY_SIZE(row->readonly));
	for (size_t i = 0; i < ARRAY_SIZE(row->caps) && row->caps[i]; i++)
		unit->bounding_drop |= UINT64_C(1) << parse_capability(row->caps[i]);
	return r < 0 ? r : key->verdict;
}

/* ---- system calls ----------------------------------------------------------- */

/* What systemd adds to every list of allowed names, systemd.exec(5). */
static const char *const implied[] = {
	"execve", "exit", "exit_group", "getrlimit", "rt_sigreturn", "sigreturn", "clock_getres", "clock_gettime",
	"clock_nanosleep", "gettimeofday", "nanosleep", "time", "restart_syscall", "brk", "mmap", "mprotect",
};

static const struct {
	const char *name;
	uint32_t value;
} errnos[] = {
	{ "EPERM", EPERM }, { "ENOSYS", ENOSYS }, { "EACCES", EACCES }, { "EINVAL", EINVAL }, { "ENOENT", ENOENT },
	{ "EAFNOSUPPORT", EAFNOSUPPORT }, { "EOPNOTSUPP", EOPNOTSUPP }, { "EUCLEAN", EUCLEAN }, { "EIO", EIO },
};

static bool is_name(const char *text)
{
	return *text && text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

/* Why a list cannot be kept; NULL: it can. */
static const char *filter_problem(char *const *words)
{
	for (size_t i = 0; words && words[i]; i++)
		if (!is_name(words[i]))
			return words[i][0] == '@' ? "groups of system calls are systemd's own: the filter is lost" :
				"an error per system call cannot be kept: the filter is lost";
	return NULL;
}

/* Half a list of allowed names would break the program, half a list of refused ones protect less: when one line cannot be kept,
 * all are lost, those before it too. */
void unit_judge_filter(struct key_reader *in, const struct assignments *list)
{
	struct unit_reader *unit = unit_of(in);
	const struct assignment *first = NULL;

	for (size_t i = 0; i < list->n; i++) {
		_cleanup_(strv_freep) char **words = NULL;
		const struct assignment *now = &list->item[i];
		bool deny = now->value[0] == '~';

		if (strcmp(now->section, "Service") != 0 || strcmp(now->key, "SystemCallFilter") != 0)
			continue;
		if (!*now->value || !first) {
			first = *now->value ? now : NULL;
			unit->filter_lost = NULL;
			unit->filter_deny = deny;
		}
		in->now = now;
		in->note = NULL;
		if (unit_words(in, now->value + deny, &words) == 0 && !unit->filter_lost)
			in->note = filter_problem(words);
		if (!in->note && deny != unit->filter_deny)
			in->note = "lists that allow and refuse are mixed: the filter is lost";
		if (*now->value && in->note && !unit->filter_lost) {
			unit->filter_lost = first;
			unit->filter_note = in->note;
		}
	}
}

KEY_READER(read_filter)
{
	struct unit_reader *unit = unit_of(in);
	_cleanup_(strv_freep) char **words = NULL;
	int r;

	if (!*value) {
		unit->filter = strv_free(unit->filter);
		return MRG_CARRIED;
	}
	r = unit_words(in, value + (value[0] == '~'), &words);
	if (r < 0)
		return r;
	if (unit->filter_lost && in->now >= unit->filter_lost)
		return key_lost(in, key, unit->filter_note);
	for (size_t i = 0; words && words[i]; i++)
		if (is_name(words[i]) && !strv_contains(unit->filter, words[i]) && strv_append(&unit->filter, words[i]) < 0)
			return key_no_memory(in);
	return MRG_CARRIED;
}

KEY_READER(read_filter_errno)
{
	struct unit_reader *unit = unit_of(in);
	uint32_t number = 0;

	if (!*value || strcmp(value, "kill") == 0) {
		unit->filter_errno = false;
		return MRG_CARRIED;
	}
	for (size_t i = 0; i < ARRAY_SIZE(errnos); i++)
		if (strcmp(errnos[i].name, value) == 0)
			number = errnos[i].value;
	if (number == 0 && (parse_uint32(value, &number) < 0 || number < 1 || number > 4095))
		return key_lost(in, key, "the name of the error is not known");
	unit->filter_errno = true;
	unit->filter_errno_value = number;
	return MRG_CARRIED;
}

KEY_READER(read_architectures)
{
	return !*value || strcmp(value, "native") == 0 ? MRG_CARRIED :
		key_lost(in, key, "only the native architecture can be said");
}

static int finish_filter(struct key_reader *in)
{
	struct unit_reader *unit = unit_of(in);
	struct mrg_seccomp *seccomp;
	struct mrg_seccomp_syscall *call;
	const char *refuse = unit->filter_errno ? "SCMP_ACT_ERRNO" : "SCMP_ACT_KILL_PROCESS";
	uint32_t number = unit->filter_errno ? unit->filter_errno_value : 0;
	int r = 0;

	if (!unit->filter || unit->filter_lost)
		return 0;
	seccomp = mrg_spec_alloc(in->spec, sizeof(*seccomp));
	call = mrg_spec_alloc(in->spec, sizeof(*call));
	if (!seccomp || !call)
		return key_no_memory(in);
	seccomp->syscalls.item = call;
	seccomp->syscalls.n = 1;
	seccomp->default_action = unit->filter_deny ? "SCMP_ACT_ALLOW" : refuse;
	seccomp->default_errno_ret = unit->filter_deny ? 0 : number;
	call->action = unit->filter_deny ? refuse : "SCMP_ACT_ALLOW";
	call->errno_ret = unit->filter_deny ? number : 0;
	for (size_t i = 0; unit->filter[i] && r == 0; i++)
		r = spec_strv_append(in->spec, &call->names, unit->filter[i]);
	for (size_t i = 0; i < ARRAY_SIZE(implied) && !unit->filter_deny && r == 0; i++)
		if (!strv_contains(call->names, implied[i]))
			r = spec_strv_append(in->spec, &call->names, implied[i]);
	in->spec->seccomp = seccomp;
	mrg_fields_add(&in->spec->set, MRG_FIELD_SECCOMP);
	return r < 0 ? key_no_memory(in) : 0;
}

static bool refuses(const char *action)
{
	return strcmp(action, "SCMP_ACT_ERRNO") == 0 || strcmp(action, "SCMP_ACT_KILL_PROCESS") == 0;
}

/* Only one list without conditions can be said. */
static const struct mrg_seccomp_syscall *plain_filter(const struct mrg_seccomp *seccomp)
{
	const struct mrg_seccomp_syscall *call = seccomp->syscalls.item;
	bool allow;

	if (seccomp->syscalls.n != 1 || call->args.n > 0 || !call->names || seccomp->architectures || seccomp->flags)
		return NULL;
	for (char *const *name = call->names; *name; name++)
		if (!is_name(*name))
			return NULL;
	allow = strcmp(call->action, "SCMP_ACT_ALLOW") == 0;
	if (allow ? refuses(seccomp->default_action) :
		    refuses(call->action) && strcmp(seccomp->default_action, "SCMP_ACT_ALLOW") == 0)
		return call;
	return NULL;
}

KEY_WRITER(write_filter)
{
	const struct mrg_seccomp *seccomp = out->spec->seccomp;
	const struct mrg_seccomp_syscall *call = key_has(out, MRG_FIELD_SECCOMP) ? plain_filter(seccomp) : NULL;
	const char *action;
	uint32_t number;
	bool allow;

	if (!call)
		return;
	allow = strcmp(call->action, "SCMP_ACT_ALLOW") == 0;
	action = allow ? seccomp->default_action : call->action;
	number = allow ? seccomp->default_errno_ret : call->errno_ret;
	buffer_addf(&out->b, "%s=%s", key->name, allow ? "" : "~");
	for (size_t i = 0; call->names[i]; i++)
		buffer_addf(&out->b, "%s%s", i ? " " : "", call->names[i]);
	buffer_addf(&out->b, "\n");
	if (strcmp(action, "SCMP_ACT_ERRNO") == 0)
		buffer_addf(&out->b, "SystemCallErrorNumber=%u\n", number ? number : EPERM);
	key_report(out, MRG_FIELD_SECCOMP, MRG_CARRIED, key->name, NULL);
}

int unit_finish_sandbox(struct key_reader *in)
{
	struct unit_reader *unit = unit_of(in);
	struct mrg_spec *spec = in->spec;

	if (unit->bounding_drop) {
		if (!mrg_fields_has(&spec->set, MRG_FIELD_CAP_BOUNDING))
			spec->cap_bounding = CAPS_ALL;
		spec->cap_bounding &= ~unit->bounding_drop;
		mrg_fields_add(&spec->set, MRG_FIELD_CAP_BOUNDING);
	}
	if (spec->cap_ambient) {
		spec->cap_inheritable = spec->cap_ambient;
		spec->cap_permitted = mrg_fields_has(&spec->set, MRG_FIELD_CAP_BOUNDING) ? spec->cap_bounding : CAPS_ALL;
		spec->cap_permitted |= spec->cap_ambient;
		mrg_fields_add(&spec->set, MRG_FIELD_CAP_INHERITABLE);
		mrg_fields_add(&spec->set, MRG_FIELD_CAP_PERMITTED);
	}
	return finish_filter(in);
}
