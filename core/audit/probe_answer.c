/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What moorage-try has written, or who answered in its place, as facts. */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/audit/probe.h"
#include "core/audit/try/try.h"
#include "core/util/str.h"

#define SOURCE		"probe"
#define NUMBER_MAX	4095		/* of an errno */

/* ---- lines --------------------------------------------------------------------------------------------- */

static int parse_kind(const char *word)
{
	static const char *const kinds[] = { [TRY_WORKS] = "works", [TRY_ERRNO] = "errno", [TRY_SIGNAL] = "signal", [TRY_LATE] = "late" };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(word, kinds[i]) == 0)
			return (int)i;
	return -1;
}

/* From its end: a name may have blanks in it. */
static bool parse_line(char *line, struct audit_answer *ret)
{
	char *number = strrchr(line, ' '), *kind;

	if (!number)
		return false;
	*number = '\0';
	kind = strrchr(line, ' ');
	if (!kind || kind == line)
		return false;
	*kind = '\0';
	ret->name = line;
	ret->kind = parse_kind(kind + 1);
	return ret->kind >= 0 && parse_uint32(number + 1, &ret->number) == 0 && ret->number <= NUMBER_MAX &&
	       (ret->number > 0 || ret->kind == TRY_WORKS || ret->kind == TRY_LATE);
}

const struct audit_answer *audit_find_answer(const struct audit_answers *answers, const char *name)
{
	for (size_t i = 0; i < answers->n; i++)
		if (strcmp(answers->item[i].name, name) == 0)
			return &answers->item[i];
	return NULL;
}

int audit_parse_answers(char *text, struct audit_answers *ret)
{
	ret->n = 0;
	for (char *end; *text; text = end + 1) {
		struct audit_answer answer;

		end = strchr(text, '\n');
		if (!end || ret->n == AUDIT_ANSWERS)
			return -EPROTO;
		*end = '\0';
		if (!parse_line(text, &answer) || audit_find_answer(ret, answer.name))
			return -EPROTO;
		ret->item[ret->n++] = answer;
	}
	return 0;
}

/* ---- facts ---------------------------------------------------------------------------------------------- */

/* What is known of the policy that all was tried under. */
struct telling {
	struct audit_reading *r;
	const char *doubt;		/* why what works need not work for the process; NULL: it does */
	bool devices;
};

static void tell(struct audit_reading *r, const char *check, const char *item, uint64_t exposure, const char *value)
{
	if (audit_add_fact(r->audit, &(struct mrg_audit_fact){
		.check = check, .item = item, .value = value, .source = SOURCE, .exposure = exposure }) < 0)
		r->failed = true;
}

static const char *errno_name(uint32_t number)
{
	static const struct {
		uint32_t number;
		const char *name;
	} rows[] = {
		{ EPERM, "EPERM" }, { ENOENT, "ENOENT" }, { EINTR, "EINTR" }, { EIO, "EIO" }, { ENXIO, "ENXIO" }, { EBADF, "EBADF" }, { EAGAIN, "EAGAIN" },
		{ ENOMEM, "ENOMEM" }, { EACCES, "EACCES" }, { EFAULT, "EFAULT" }, { EBUSY, "EBUSY" }, { EEXIST, "EEXIST" }, { ENODEV, "ENODEV" },
		{ ENOTDIR, "ENOTDIR" }, { EINVAL, "EINVAL" }, { EMFILE, "EMFILE" }, { ENOTTY, "ENOTTY" }, { ENOSPC, "ENOSPC" }, { EROFS, "EROFS" },
		{ ENOSYS, "ENOSYS" }, { ELOOP, "ELOOP" }, { EUSERS, "EUSERS" }, { EOPNOTSUPP, "EOPNOTSUPP" }, { EAFNOSUPPORT, "EAFNOSUPPORT" },
		{ EPROTONOSUPPORT, "EPROTONOSUPPORT" }, { ESOCKTNOSUPPORT, "ESOCKTNOSUPPORT" }, { ENOKEY, "ENOKEY" }, { EDQUOT, "EDQUOT" },
		{ ESTALE, "ESTALE" }, { ENOMEDIUM, "ENOMEDIUM" }, { EOVERFLOW, "EOVERFLOW" }, { ESRCH, "ESRCH" }, { ETIMEDOUT, "ETIMEDOUT" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].number == number)
			return rows[i].name;
	return NULL;
}

static void describe(const struct telling *t, const struct audit_answer *answer, char text[160])
{
	bool refused = answer->number == EPERM || answer->number == EACCES || answer->number == ENOSYS || answer->number == EROFS;
	const char *name = errno_name(answer->number);
	char number[32], signal[16];

	snprintf(number, sizeof(number), "errno %u", answer->number);
	if (answer->kind == TRY_WORKS && t->doubt)
		snprintf(text, 160, "not known: works, but %s", t->doubt);
	else if (answer->kind == TRY_WORKS)
		snprintf(text, 160, "works");
	else if (answer->kind == TRY_ERRNO)
		snprintf(text, 160, "%s: %s", refused ? "refused" : "fails", name ? name : number);
	else if (answer->kind == TRY_SIGNAL)
		snprintf(text, 160, "ends the process: %s", signal_name((int)answer->number, signal));
	else
		snprintf(text, 160, "does not end in time");
}

static void tell_answer(const struct telling *t, const char *check, const char *item, uint64_t exposure, const struct audit_answer *answer)
{
	char text[160];

	describe(t, answer, text);
	tell(t->r, check, item, answer->kind != TRY_WORKS ? 0 : t->doubt ? UINT64_MAX : exposure, text);
}

/* "c-10:200" */
static bool tell_rule(const struct telling *t, const struct audit_answer *answer)
{
	const struct telling certain = { .r = t->r };
	unsigned int major, minor;
	char type, item[48];
	int used = 0, severity;

	if (sscanf(answer->name, "%c-%u:%u%n", &type, &major, &minor, &used) != 3 || answer->name[used] || (type != 'c' && type != 'b'))
		return false;
	severity = audit_device_severity(type, major, minor);
	snprintf(item, sizeof(item), "%c %u:%u", type, major, minor);
	/* No filter has a say in what the cgroup lets through. */
	if (t->devices)
		tell_answer(&certain, "probe-rule", item, (uint64_t)severity, answer);
	return true;
}

/* A node that was looked at before, and no other. */
static bool tell_device(const struct telling *t, const struct audit_answer *answer, size_t n_facts)
{
	const struct telling elsewhere = { .r = t->r, .doubt = "its device cgroup could not be entered" };

	for (size_t i = 0; i < n_facts; i++) {
		const struct mrg_audit_fact *fact = &t->r->audit->facts[i];

		if (strcmp(fact->check, "device") == 0 && strcmp(fact->item, answer->name) == 0) {
			tell_answer(t->devices ? t : &elsewhere, "probe-device", answer->name, fact->exposure, answer);
			return true;
		}
	}
	return false;
}

static bool tell_one(const struct telling *t, const struct audit_answer *answer, size_t n_facts)
{
	static const char *const words[] = { "filters", "policy", "done" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(answer->name, words[i]) == 0)
			return true;
	if (!audit_probe_find(answer->name))
		return tell_rule(t, answer) || tell_device(t, answer, n_facts);
	tell_answer(t, "probe", answer->name, 1, answer);
	return true;
}

/* ---- the policy ------------------------------------------------------------------------------------------- */

static bool is_labelled(const struct audit_reading *r)
{
	for (size_t i = 0; i < r->audit->n_facts; i++) {
		const struct mrg_audit_fact *fact = &r->audit->facts[i];

		if (strcmp(fact->check, "lsm") == 0)
			return strcmp(fact->value, "no label") != 0 && strcmp(fact->value, "this kernel labels nothing") != 0 && fact->exposure == 0;
	}
	return false;
}

static void tell_policy(const struct telling *t, const struct audit_answer *filters)
{
	char text[256];

	if (t->doubt && filters->kind == TRY_ERRNO)
		snprintf(text, sizeof(text), "tried under its policy, but %s: %s", t->doubt, errno_name(filters->number) ? errno_name(filters->number) : "refused");
	else if (t->doubt)
		snprintf(text, sizeof(text), "tried under its policy, but %s", t->doubt);
	else
		snprintf(text, sizeof(text), "tried under its policy%s", t->r->status.seccomp != 2 ? "" : filters->number ?
			 " and a copy of its filters; calls that a supervisor of its decides fail here" : " and a copy of its filters");
	tell(t->r, "probe", "", t->doubt ? UINT64_MAX : 0, text);
}

/* Nothing is said of what could not be tried: no answer is better than one that may be somebody else's. */
static bool tell_failure(struct audit_reading *r, const struct audit_answers *answers)
{
	const struct audit_answer *policy = audit_find_answer(answers, "policy");
	char text[160];

	if (policy && policy->kind == TRY_WORKS && audit_find_answer(answers, "filters") && audit_find_answer(answers, "done"))
		return false;
	if (policy && policy->kind == TRY_ERRNO)
		snprintf(text, sizeof(text), "not known: its policy could not be taken over (%s)",
			 errno_name(policy->number) ? errno_name(policy->number) : "refused");
	else
		snprintf(text, sizeof(text), "not known: the attempts did not come to their end");
	tell(r, "probe", "", UINT64_MAX, text);
	return true;
}

/* A cgroup that lets every number through has no rules, or one that says so. */
static void tell_rules(const struct telling *t, const struct audit_answers *answers)
{
	size_t asked = 0, open = 0;

	for (size_t i = 0; i < answers->n; i++) {
		bool rule = strncmp(answers->item[i].name, "c-", 2) == 0 || strncmp(answers->item[i].name, "b-", 2) == 0;

		asked += rule;
		open += rule && answers->item[i].kind == TRY_WORKS;
	}
	if (!t->devices || asked == 0 || open < asked || t->r->all_devices)
		return;
	t->r->all_devices = true;
	tell(t->r, "device-rules", "", 1, "every device that was asked for may be opened");
}

void audit_probe_tell(struct audit_reading *r, char *answer, bool devices)
{
	_cleanup_free_ struct audit_answers *answers = calloc(1, sizeof(*answers));
	struct telling t = { .r = r, .devices = devices };
	size_t n_facts = r->audit->n_facts, before = n_facts;
	const struct audit_answer *filters;
	bool ours = true;

	if (!answers) {
		r->failed = true;
		return;
	}
	ours = answer && audit_parse_answers(answer, answers) == 0;
	if (ours && tell_failure(r, answers))
		return;
	filters = ours ? audit_find_answer(answers, "filters") : NULL;
	if (filters && filters->kind != TRY_WORKS)
		t.doubt = "its filters could not be taken over";
	else if (is_labelled(r))
		t.doubt = "its label could not be taken over";
	if (filters)
		tell_policy(&t, filters);
	for (size_t i = 0; i < answers->n && ours; i++)
		ours = tell_one(&t, &answers->item[i], n_facts);
	if (ours) {
		tell_rules(&t, answers);
		return;
	}
	audit_forget(r->audit, before);
	tell(r, "probe", "", UINT64_MAX, "not known: what answered inside is not what was sent there");
}
