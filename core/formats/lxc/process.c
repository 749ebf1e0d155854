/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about the process: command, environment, user, signals, limits; and the generic rows. */

#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/lxc/lxc.h"
#include "core/util/cleanup.h"
#include "core/util/path.h"

#define UNSAYABLE	"is empty, too long or has a newline: no line can hold it"

/* ---- generic -------------------------------------------------------------------------------- */

int lxc_number(const char *text, uint32_t *ret)
{
	unsigned long long value;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno != 0 || *end || value > UINT32_MAX)
		return -EINVAL;
	*ret = (uint32_t)value;
	return 0;
}

KEY_READER(lxc_read_nothing)
{
	(void)in;
	(void)value;
	return key->verdict;
}

/* A value that clears leaves nothing to be kept. */
KEY_READER(lxc_read_kept)
{
	(void)in;
	return *value ? key->verdict : MRG_CARRIED;
}

KEY_READER(lxc_read_kept_flag)
{
	uint32_t number;

	if (*value && (lxc_number(value, &number) < 0 || number > 1))
		return key_fail(in, "must be 0 or 1, not '%.40s'", value);
	in->keep = *value;
	return *value && number ? key->verdict : MRG_CARRIED;
}

KEY_READER(lxc_read_gone)
{
	(void)in;
	(void)value;
	return key->verdict;
}

KEY_READER(lxc_read_include)
{
	if (!*value || !lxc_of(in)->config->options->keep_includes)
		return MRG_CARRIED;
	return key_lost(in, key, key->note);
}

KEY_READER(lxc_read_path)
{
	if (*value && !path_is_clean(value))
		return key_fail(in, "must be an absolute path without '..', not '%.80s'", value);
	return key_read_simple(in, key, value);
}

KEY_READER(lxc_read_flag)
{
	uint32_t number = 0;

	if (*value && (lxc_number(value, &number) < 0 || number > 1))
		return key_fail(in, "must be 0 or 1, not '%.40s'", value);
	return key_read_simple(in, key, !*value ? value : number ? (char *)"yes" : (char *)"no");
}

KEY_WRITER(lxc_write_string)
{
	key_write_simple(out, key);
	if (key_has(out, (unsigned int)key->field))
		lxc_report_loss(out, (unsigned int)key->field, format_confines((unsigned int)key->field) ? MRG_WEAKENS : MRG_DROPPED,
				UNSAYABLE);
}

KEY_WRITER(lxc_write_flag)
{
	int flag;

	if (!key_has(out, (unsigned int)key->field))
		return;
	memcpy(&flag, member_at_const(&spec_fields[key->field].value, out->spec), sizeof(flag));
	key_line(out, key->name, flag ? "1" : "0");
	key_report(out, (unsigned int)key->field, MRG_CARRIED, key->name, NULL);
}

/* ---- names ---------------------------------------------------------------------------------- */

KEY_READER(lxc_read_hostname)
{
	if (strlen(value) > 64)
		return key_fail(in, "must be at most 64 characters");
	return key_read_simple(in, key, value);
}

/* LXC sets the name in whatever namespace the container is, be it the host's. */
KEY_WRITER(lxc_write_hostname)
{
	if (!key_has(out, MRG_FIELD_HOSTNAME))
		return;
	if (!out->spec->ns_uts)
		key_report(out, MRG_FIELD_HOSTNAME, MRG_DROPPED, NULL, "without a uts namespace it would rename the host");
	else if (strlen(out->spec->hostname) > 64)
		key_report(out, MRG_FIELD_HOSTNAME, MRG_DROPPED, NULL, "is longer than 64 characters");
	else
		lxc_write_string(out, key);
}

/* Only the execution domain matters, and these names stand for the two. */
static const char *const archs32[] = {
	"linux32", "arm", "armel", "armhf", "armv7l", "athlon", "i386", "i486", "i586", "i686", "mips", "mipsel", "powerpc", "ppc",
	"x86",
};
static const char *const archs64[] = {
	"linux64", "aarch64", "amd64", "arm64", "mips64", "mips64el", "powerpc64", "ppc64", "ppc64el", "ppc64le", "riscv64",
	"s390x", "x86_64", "loongarch64",
};

static bool is_named(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

KEY_READER(lxc_read_arch)
{
	const char *domain = NULL;

	if (is_named(archs32, ARRAY_SIZE(archs32), value))
		domain = "{\"domain\":\"LINUX32\"}";
	else if (is_named(archs64, ARRAY_SIZE(archs64), value))
		domain = "{\"domain\":\"LINUX\"}";
	if (!domain)
		return key_fail(in, "must be an architecture such as x86_64, i686 or arm64, not '%.40s'", value);
	return key_set(in, MRG_FIELD_PERSONALITY, domain) < 0 ? -MRG_E_INVALID : key->verdict;
}

KEY_WRITER(lxc_write_arch)
{
	_cleanup_(json_freep) struct json *json = NULL;
	const struct json *domain;
	const char *text = out->spec->personality_json;
	bool narrow;

	if (!key_has(out, MRG_FIELD_PERSONALITY) || json_parse(text, strlen(text), &json, NULL) < 0)
		return;
	domain = json_member(json, "domain");
	if (!domain || domain->type != JSON_STRING)
		return;
	narrow = strcmp(domain->text, "LINUX32") == 0;
	if (!narrow && strcmp(domain->text, "LINUX") != 0)
		return;
	key_line(out, key->name, narrow ? archs32[0] : archs64[0]);
	key_report(out, MRG_FIELD_PERSONALITY, json->n == 1 ? MRG_CARRIED : MRG_APPROXIMATED, key->name,
		   "LXC has the domain only, no flags");
}

/* ---- the command ------------------------------------------------------------------------------ */

/* What makes a system boot. */
static const char *const inits[] = {
	"/sbin/init", "/usr/sbin/init", "/init", "/bin/init", "/lib/systemd/systemd", "/usr/lib/systemd/systemd", "/sbin/openrc-init",
	"/bin/systemd", "/usr/bin/systemd",
};

/* LXC splits at spaces and knows no quotes. */
static int set_args(struct key_reader *in, const char *value)
{
	_cleanup_free_ char *copy = strdup(value);
	char *at = copy, *word;
	int r = 0;

	if (!copy)
		return key_no_memory(in);
	while (r == 0 && (word = lxc_part(&at, " ")))
		r = key_set(in, MRG_FIELD_ARGS, word);
	return r;
}

static int finish_init(struct key_reader *in, struct assignment *init)
{
	size_t length = strcspn(init->value, " ");
	bool boot = false;
	int r = 0;

	in->now = init;
	for (size_t i = 0; i < ARRAY_SIZE(inits); i++)
		boot |= strlen(inits[i]) == length && strncmp(inits[i], init->value, length) == 0;
	/* The first of them is what a system boots anyway. */
	if (strcmp(init->value, inits[0]) != 0)
		r = set_args(in, init->value);
	if (boot)
		init->field = MRG_FIELD_BOOT;
	return r == 0 && boot ? key_set(in, MRG_FIELD_BOOT, "yes") : r;
}

/* lxc-start runs lxc.init.cmd as the first process, lxc-execute runs lxc.execute.cmd below an init of LXC's own. */
int lxc_finish_command(struct key_reader *in)
{
	struct assignment *init = NULL, *execute = NULL, *item;
	int r;

	for (size_t at = 0; (item = lxc_next(in, &at, "lxc.init.cmd"));)
		init = *item->value ? item : NULL;
	for (size_t at = 0; (item = lxc_next(in, &at, "lxc.execute.cmd"));)
		execute = *item->value ? item : NULL;
	if (init && execute)
		lxc_judge(execute, MRG_DROPPED, "a container has one command: lxc.init.cmd, which lxc-start runs");
	if (init)
		return finish_init(in, init);
	if (!execute)
		return mrg_spec_set(in->spec, MRG_FIELD_BOOT, "yes", in->err);
	in->now = execute;
	r = set_args(in, execute->value);
	return r < 0 ? r : key_set(in, MRG_FIELD_INIT, "yes");
}

/* The words with spaces between them; false when one has a space itself, or is empty. */
static bool join_args(struct key_writer *out, struct buffer *b)
{
	char *const *args = out->spec->args;

	for (size_t i = 0; args && args[i]; i++) {
		if (!*args[i] || strchr(args[i], ' ')) {
			lxc_report_loss(out, MRG_FIELD_ARGS, MRG_DROPPED,
					"argument %zu is empty or has a space in it: LXC splits at spaces and knows no quotes", i);
			return false;
		}
		buffer_addf(b, "%s%s", i ? " " : "", args[i]);
	}
	return b->text != NULL;
}

KEY_WRITER(lxc_write_command)
{
	const struct mrg_spec *spec = out->spec;
	const char *name = spec->init && !spec->boot ? "lxc.execute.cmd" : key->name;
	struct buffer b = { 0 };

	if (join_args(out, &b)) {
		if (key_line(out, name, b.text))
			key_report(out, MRG_FIELD_ARGS, MRG_CARRIED, name, NULL);
		else
			lxc_report_loss(out, MRG_FIELD_ARGS, MRG_DROPPED, UNSAYABLE);
	} else if (spec->boot && !spec->args) {
		key_line(out, key->name, inits[0]);
	}
	buffer_deinit(&b);
	if (key_has(out, MRG_FIELD_BOOT))
		key_report(out, MRG_FIELD_BOOT, MRG_CARRIED, key->name, NULL);
	if (key_has(out, MRG_FIELD_INIT))
		key_report(out, MRG_FIELD_INIT, MRG_CARRIED, name, NULL);
}

/* ---- environment -------------------------------------------------------------------------------- */

/* A later value of a variable replaces an earlier one, where that stood. */
KEY_READER(lxc_read_environment)
{
	size_t length = strcspn(value, "=") + 1;

	if (!*value)
		return MRG_CARRIED;
	if (!strchr(value, '='))
		return key_lost(in, key, "has the value it has where LXC is started");
	if (*value == '=')
		return key_fail(in, "must be NAME=VALUE, not '%.40s'", value);
	for (char **env = in->spec->env; env && *env; env++)
		if (strncmp(*env, value, length) == 0) {
			*env = mrg_spec_strdup(in->spec, value);
			return *env ? MRG_CARRIED : key_no_memory(in);
		}
	return key_set(in, MRG_FIELD_ENV, value) < 0 ? -MRG_E_INVALID : key->verdict;
}

KEY_WRITER(lxc_write_environment)
{
	if (!key_has(out, MRG_FIELD_ENV))
		return;
	for (size_t i = 0; out->spec->env && out->spec->env[i]; i++) {
		const char *variable = out->spec->env[i];

		if (!strchr(variable, '=') || *variable == '=' || !key_line(out, key->name, variable))
			lxc_report_loss(out, MRG_FIELD_ENV, MRG_DROPPED, "'%.*s' has a newline, or is no variable: no line can hold it",
					(int)strcspn(variable, "=\n") > 40 ? 40 : (int)strcspn(variable, "=\n"), variable);
	}
	key_report(out, MRG_FIELD_ENV, MRG_CARRIED, key->name, NULL);
}

/* ---- ids ------------------------------------------------------------------------------------------ */

KEY_READER(lxc_read_id)
{
	char text[16];
	uint32_t id = 0;

	if (*value && lxc_number(value, &id) < 0)
		return key_fail(in, "must be a number: LXC looks no names up, not '%.40s'", value);
	snprintf(text, sizeof(text), "%" PRIu32, id);
	return key_set(in, (enum mrg_field)key->field, text) < 0 ? -MRG_E_INVALID : key->verdict;
}

/* "USER[:GROUP]" in numbers. */
static bool numeric_user(const char *user, uint32_t *uid, uint32_t *gid, bool *has_gid)
{
	const char *colon = strchr(user, ':');
	_cleanup_free_ char *name = strndup(user, colon ? (size_t)(colon - user) : strlen(user));

	*has_gid = colon != NULL;
	return name && parse_uint32(name, uid) == 0 && (!colon || parse_uint32(colon + 1, gid) == 0);
}

static void write_id(struct key_writer *out, const char *name, uint32_t id)
{
	buffer_addf(&out->b, "%s = %" PRIu32 "\n", name, id);
}

KEY_WRITER(lxc_write_ids)
{
	const struct mrg_spec *spec = out->spec;
	uint32_t uid, gid;
	bool has_gid;

	if (key_has(out, MRG_FIELD_UID)) {
		write_id(out, key->name, spec->uid);
		key_report(out, MRG_FIELD_UID, MRG_CARRIED, key->name, NULL);
	}
	if (key_has(out, MRG_FIELD_GID)) {
		write_id(out, "lxc.init.gid", spec->gid);
		key_report(out, MRG_FIELD_GID, MRG_CARRIED, "lxc.init.gid", NULL);
	}
	if (!key_has(out, MRG_FIELD_USER))
		return;
	if (!numeric_user(spec->user, &uid, &gid, &has_gid) || key_has(out, MRG_FIELD_UID) || key_has(out, MRG_FIELD_GID)) {
		key_report(out, MRG_FIELD_USER, MRG_WEAKENS, NULL, "LXC looks no names up and starts the process as root: give numbers");
		return;
	}
	write_id(out, key->name, uid);
	if (has_gid)
		write_id(out, "lxc.init.gid", gid);
	key_report(out, MRG_FIELD_USER, has_gid ? MRG_CARRIED : MRG_APPROXIMATED, key->name, "the group is 0: LXC looks none up");
}

KEY_READER(lxc_read_groups)
{
	char *at = value, *word, text[16];
	uint32_t gid;

	(void)key;
	while ((word = lxc_part(&at, ", \t"))) {
		if (lxc_number(word, &gid) < 0)
			return key_fail(in, "must be numbers with commas between them, not '%.40s'", word);
		snprintf(text, sizeof(text), "%" PRIu32, gid);
		if (key_set(in, MRG_FIELD_ADDITIONAL_GIDS, text) < 0)
			return -MRG_E_INVALID;
	}
	return MRG_CARRIED;
}

KEY_WRITER(lxc_write_groups)
{
	const struct mrg_spec *spec = out->spec;

	if (!key_has(out, MRG_FIELD_ADDITIONAL_GIDS))
		return;
	for (size_t i = 0; i < spec->additional_gids.n; i++)
		buffer_addf(&out->b, "%s%s%" PRIu32, i ? "" : key->name, i ? "," : " = ", spec->additional_gids.item[i]);
	buffer_addf(&out->b, "%s", spec->additional_gids.n ? "\n" : "");
	key_report(out, MRG_FIELD_ADDITIONAL_GIDS, spec->uid_mappings.n && spec->additional_gids.n ? MRG_DROPPED : MRG_CARRIED,
		   key->name, "LXC ignores groups in a user namespace");
}

/* ---- signals, console ------------------------------------------------------------------------------- */

/* As parse_signal(), and "SIGRTMAX-N". */
static int signal_number(const char *text)
{
	uint32_t below;

	if (strncmp(text, "SIGRTMAX-", 9) == 0 && parse_uint32(text + 9, &below) == 0 && below <= (uint32_t)(SIGRTMAX - SIGRTMIN))
		return SIGRTMAX - (int)below;
	if (strcmp(text, "SIGRTMAX") == 0)
		return SIGRTMAX;
	return parse_signal(text);
}

KEY_READER(lxc_read_signal)
{
	char name[16];
	int signo = *value ? signal_number(value) : 0;
	bool named = value[0] < '0' || value[0] > '9';

	if (signo < 0 || (*value && named && strncasecmp(value, "SIG", 3) != 0))
		return key_fail(in, "must be a signal such as SIGPWR, SIGRTMIN+3 or 30, not '%.40s'", value);
	return key_read_simple(in, key, *value ? (char *)signal_name(signo, name) : value);
}

KEY_WRITER(lxc_write_signal)
{
	char name[16];
	int signo = key_has(out, MRG_FIELD_STOP_SIGNAL) ? parse_signal(out->spec->stop_signal) : -1;

	if (signo < 0)
		return;
	key_line(out, key->name, signal_name(signo, name));
	key_report(out, MRG_FIELD_STOP_SIGNAL, MRG_CARRIED, key->name, NULL);
}

KEY_WRITER(lxc_write_terminal)
{
	if (key_has(out, MRG_FIELD_TERMINAL))
		key_report(out, MRG_FIELD_TERMINAL, out->spec->terminal ? MRG_CARRIED : MRG_APPROXIMATED, key->name,
			   "LXC gives every container a console");
}

/* ---- limits and files of /proc ------------------------------------------------------------------------ */

static bool parse_limit(const char *text, uint64_t *ret)
{
	if (strcmp(text, "unlimited") != 0)
		return parse_uint64(text, ret) == 0;
	*ret = UINT64_MAX;
	return true;
}

/* The limit as a spec names it, or NULL. */
static const char *limit_type(const char *name, char *type, size_t size)
{
	static const char *const names[] = { "as", "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile",
					     "nproc", "rss", "rtprio", "rttime", "sigpending", "stack" };

	if (!is_named(names, ARRAY_SIZE(names), name))
		return NULL;
	snprintf(type, size, "RLIMIT_%s", name);
	for (char *c = type; *c; c++)
		*c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
	return type;
}

KEY_READER(lxc_read_prlimit)
{
	char type[32], *at = value, *soft, *hard;
	struct mrg_rlimit limit = { .type = limit_type(in->rest, type, sizeof(type)) };

	if (!limit.type)
		return key_fail(in, "there is no such limit");
	if (!*value)
		return MRG_CARRIED;
	soft = lxc_part(&at, ": \t");
	hard = soft ? lxc_part(&at, ": \t") : NULL;
	if (!soft || lxc_part(&at, ": \t") || !parse_limit(soft, &limit.soft) || !parse_limit(hard ? hard : soft, &limit.hard))
		return key_fail(in, "must be a number or unlimited, or SOFT:HARD");
	if (limit.soft > limit.hard)
		return key_fail(in, "the soft limit is above the hard one");
	return mrg_spec_add_rlimit(in->spec, &limit, in->err) < 0 ? -MRG_E_INVALID : key->verdict;
}

static void add_limit(struct buffer *b, uint64_t value)
{
	if (value == UINT64_MAX)
		buffer_addf(b, "unlimited");
	else
		buffer_addf(b, "%" PRIu64, value);
}

KEY_WRITER(lxc_write_prlimits)
{
	const struct mrg_spec *spec = out->spec;

	(void)key;
	if (!key_has(out, MRG_FIELD_RLIMITS))
		return;
	for (size_t i = 0; i < spec->rlimits.n; i++) {
		const char *name = spec->rlimits.item[i].type + strlen("RLIMIT_");

		buffer_addf(&out->b, "lxc.prlimit.");
		for (; *name; name++)
			buffer_addf(&out->b, "%c", *name >= 'A' && *name <= 'Z' ? *name - 'A' + 'a' : *name);
		buffer_addf(&out->b, " = ");
		add_limit(&out->b, spec->rlimits.item[i].soft);
		buffer_addf(&out->b, ":");
		add_limit(&out->b, spec->rlimits.item[i].hard);
		buffer_addf(&out->b, "\n");
	}
	key_report(out, MRG_FIELD_RLIMITS, MRG_CARRIED, "lxc.prlimit", NULL);
}

KEY_READER(lxc_read_sysctl)
{
	struct buffer b = { 0 };
	int r;

	if (!*value)
		return MRG_CARRIED;
	buffer_addf(&b, "%s=%s", in->rest, value);
	r = b.failed ? key_no_memory(in) : key_set(in, MRG_FIELD_SYSCTL, b.text);
	buffer_deinit(&b);
	return r < 0 ? r : key->verdict;
}

/* A container of LXC that asks for these does not start: nothing else should do what LXC does not. */
int lxc_finish_sysctls(struct key_reader *in)
{
	struct mrg_spec *spec = in->spec;
	struct assignment *item;
	size_t n = 0;

	if (!strv_contains(spec->readonly_paths, "/proc/sys"))
		return 0;
	for (size_t at = 0; (item = lxc_next(in, &at, "lxc.sysctl."));)
		if (*item->value && strncmp(item->key, "lxc.sysctl.net.", strlen("lxc.sysctl.net.")) != 0)
			lxc_judge(item, MRG_DROPPED, "LXC cannot set it: /proc/sys is read-only; kept verbatim for LXC");
	for (size_t i = 0; i < spec->sysctl.n; i++)
		if (strncmp(spec->sysctl.item[i].key, "net.", 4) == 0)
			spec->sysctl.item[n++] = spec->sysctl.item[i];
	spec->sysctl.n = n;
	if (n == 0)
		key_reset(in, MRG_FIELD_SYSCTL);
	return 0;
}

/* LXC writes them through the container's own /proc/sys, where only net can be written once it is read-only. */
KEY_WRITER(lxc_write_sysctls)
{
	const struct mrg_spec *spec = out->spec;
	bool readonly = strv_contains(spec->readonly_paths, "/proc/sys");

	(void)key;
	for (size_t i = 0; i < spec->sysctl.n && key_has(out, MRG_FIELD_SYSCTL); i++) {
		const struct mrg_pair *pair = &spec->sysctl.item[i];
		struct buffer name = { 0 };

		buffer_addf(&name, "lxc.sysctl.%s", pair->key);
		if (readonly && strncmp(pair->key, "net.", 4) != 0)
			lxc_report_loss(out, MRG_FIELD_SYSCTL, MRG_DROPPED, "'%.60s' cannot be set: /proc/sys is read-only, and LXC writes late",
					pair->key);
		else if (name.failed || !*pair->value || !lxc_verbatim(&out->b, name.text, pair->value))
			lxc_report_loss(out, MRG_FIELD_SYSCTL, MRG_DROPPED, "a name or a value that no line can hold");
		buffer_deinit(&name);
	}
	if (key_has(out, MRG_FIELD_SYSCTL))
		key_report(out, MRG_FIELD_SYSCTL, MRG_CARRIED, "lxc.sysctl", NULL);
}

KEY_READER(lxc_read_proc)
{
	return key_read_simple(in, key, value);
}

KEY_WRITER(lxc_write_oom_score)
{
	key_write_simple(out, key);
}

KEY_READER(lxc_read_apparmor)
{
	if (strcmp(value, "generated") == 0)
		return key_lost(in, key, "LXC makes a profile for each container; nothing else does");
	if (strcmp(value, "unchanged") == 0) {
		in->note = "the profile that LXC has itself";
		return MRG_DROPPED;
	}
	return key_read_simple(in, key, value);
}

/* Filters are in files that nobody writes here; none is what LXC has without one. */
KEY_WRITER(lxc_write_seccomp)
{
	const char *profile = out->spec->seccomp_profile;

	if (key_has(out, MRG_FIELD_SECCOMP_PROFILE) && strcmp(profile, "unconfined") == 0)
		key_report(out, MRG_FIELD_SECCOMP_PROFILE, lxc_kept(out, key->name) ? MRG_APPROXIMATED : MRG_CARRIED, key->name,
			   "the profile that was kept verbatim is in force");
}
