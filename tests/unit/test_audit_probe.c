/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The answer of what was tried inside, which anything may have written; findings of it. */

#include "config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/audit/probe.h"
#include "core/audit/try/try.h"
#include "core/util/str.h"

#define WHOLE(answers)	"filters works 0\npolicy works 0\n" answers "done works 0\n"

static int parse(const char *text, struct audit_answers *ret)
{
	/* They point into the text. */
	static char copy[8192];

	snprintf(copy, sizeof(copy), "%s", text);
	return audit_parse_answers(copy, ret);
}

static void test_answers(void **state)
{
	struct audit_answers answers;

	(void)state;
	assert_int_equal(parse("mount errno 1\n/dev/a b works 0\nbpf signal 31\nperf late 0\n", &answers), 0);
	assert_int_equal(answers.n, 4);
	assert_true(answers.item[0].kind == TRY_ERRNO && answers.item[0].number == 1);
	assert_string_equal(answers.item[1].name, "/dev/a b");
	assert_true(answers.item[2].kind == TRY_SIGNAL && answers.item[2].number == 31 && answers.item[3].kind == TRY_LATE);
	assert_ptr_equal(audit_find_answer(&answers, "bpf"), &answers.item[2]);
	assert_null(audit_find_answer(&answers, "bp"));
	assert_int_equal(parse("", &answers), 0);
	assert_int_equal(answers.n, 0);
}

static void test_bad_answers(void **state)
{
	static const char *const bad[] = {
		"mount errno 1", "\n", "mount\n", "mount errno\n", "errno 1\n", " errno 1\n", "mount perhaps 1\n", "mount errno -1\n", "mount errno 4096\n",
		"mount errno 0\n", "mount signal 0\n", "mount errno 1x\n", "mount errno  \n", "mount works 0\nmount errno 1\n", "mount errno 99999999999999999999\n",
	};
	struct audit_answers answers;
	struct buffer b = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (parse(bad[i], &answers) != -EPROTO)
			fail_msg("'%s' is taken", bad[i]);
	for (size_t i = 0; i <= AUDIT_ANSWERS; i++)
		buffer_addf(&b, "a%zu works 0\n", i);
	assert_int_equal(audit_parse_answers(b.text, &answers), -EPROTO);
	buffer_deinit(&b);
}

/* ---- facts ------------------------------------------------------------------------------------- */

/* An audit of a process with one node of a device; what is answered is told of it. */
static struct audit_reading begin(const char *label, const char *text, bool devices)
{
	struct audit_reading r = { .audit = calloc(1, sizeof(*r.audit)), .host_root = true, .status = { .seccomp = 2 } };
	_cleanup_free_ char *answer = text ? strdup(text) : NULL;

	assert_non_null(r.audit);
	audit_add(&r, "device", "/dev/fuse", MRG_SEVERITY_LOW, "root", "c 10:229");
	audit_add(&r, "lsm", "", 0, "attr/current", "%s", label);
	audit_probe_tell(&r, answer, devices);
	assert_false(r.failed);
	return r;
}

static const struct mrg_audit_fact *find(const struct audit_reading *r, const char *check, const char *item)
{
	for (size_t i = 0; i < r->audit->n_facts; i++)
		if (strcmp(r->audit->facts[i].check, check) == 0 && strcmp(r->audit->facts[i].item, item) == 0)
			return &r->audit->facts[i];
	return NULL;
}

static void expect(const struct audit_reading *r, const char *check, const char *item, uint64_t exposure, const char *value)
{
	const struct mrg_audit_fact *fact = find(r, check, item);

	if (!fact)
		fail_msg("there is no fact %s:%s", check, item);
	assert_string_equal(fact->value, value);
	assert_string_equal(fact->source, "probe");
	assert_true(fact->exposure == exposure);
}

static void test_facts(void **state)
{
	struct audit_reading r = begin("no label", WHOLE("c-10:229 works 0\nb-8:0 errno 1\nmount works 0\nbpf errno 38\nperf signal 31\nswap errno 2999\n"
							 "clock late 0\n/dev/fuse works 0\n"), true);

	(void)state;
	expect(&r, "probe", "", 0, "tried under its policy and a copy of its filters");
	expect(&r, "probe", "mount", 1, "works");
	expect(&r, "probe", "bpf", 0, "refused: ENOSYS");
	expect(&r, "probe", "perf", 0, "ends the process: SIGSYS");
	expect(&r, "probe", "swap", 0, "fails: errno 2999");
	expect(&r, "probe", "clock", 0, "does not end in time");
	expect(&r, "probe-rule", "c 10:229", MRG_SEVERITY_LOW, "works");
	expect(&r, "probe-rule", "b 8:0", 0, "refused: EPERM");
	expect(&r, "probe-device", "/dev/fuse", MRG_SEVERITY_LOW, "works");
	assert_null(find(&r, "device-rules", ""));
	mrg_audit_free(r.audit);
}

/* What a filter or a label that we are not under might refuse is not known to work; what is refused without it is. */
static void test_doubt(void **state)
{
	struct audit_reading r = begin("no label", "filters errno 13\npolicy works 0\nc-1:1 works 0\nmount works 0\nbpf errno 1\ndone works 0\n", true);

	(void)state;
	expect(&r, "probe", "", UINT64_MAX, "tried under its policy, but its filters could not be taken over: EACCES");
	expect(&r, "probe", "mount", UINT64_MAX, "not known: works, but its filters could not be taken over");
	expect(&r, "probe", "bpf", 0, "refused: EPERM");
	/* The cgroup asks no filter. */
	expect(&r, "probe-rule", "c 1:1", MRG_SEVERITY_CRITICAL, "works");
	mrg_audit_free(r.audit);
	r = begin("docker-default (enforce)", WHOLE("mount works 0\n"), true);
	expect(&r, "probe", "mount", UINT64_MAX, "not known: works, but its label could not be taken over");
	mrg_audit_free(r.audit);
}

static void test_cgroups(void **state)
{
	struct audit_reading r = begin("no label", WHOLE("c-1:1 works 0\n/dev/fuse works 0\n"), false);

	(void)state;
	/* Whoever is not in its cgroup knows nothing of what that lets through. */
	assert_null(find(&r, "probe-rule", "c 1:1"));
	expect(&r, "probe-device", "/dev/fuse", UINT64_MAX, "not known: works, but its device cgroup could not be entered");
	mrg_audit_free(r.audit);
	r = begin("no label", WHOLE("c-1:1 works 0\nb-8:0 works 0\n"), true);
	expect(&r, "device-rules", "", 1, "every device that was asked for may be opened");
	mrg_audit_free(r.audit);
}

/* Answers that are none, that are not whole, or that tell of what was not asked: nothing of them is believed. */
static void test_lies(void **state)
{
	static const char *const lies[] = {
		NULL, "", "works\n", "mount errno 1\n", WHOLE("no-such-thing works 0\n"), WHOLE("/etc/shadow works 0\n"), WHOLE("c-1:1x works 0\n"),
		"filters works 0\npolicy works 0\nmount errno 1\n", "filters works 0\npolicy errno 1\nmount works 0\ndone works 0\n",
		"policy works 0\nmount works 0\ndone works 0\n", WHOLE("mount works 0\n") "\n", WHOLE("mount works 0\nx\033[31m works 0\n"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		struct audit_reading r = begin("no label", lies[i], true);
		const struct mrg_audit_fact *fact = find(&r, "probe", "");

		assert_non_null(fact);
		assert_true(fact->exposure == UINT64_MAX && strncmp(fact->value, "not known: ", 11) == 0);
		assert_int_equal(r.audit->n_facts, 3);
		mrg_audit_free(r.audit);
	}
}

/* ---- findings ------------------------------------------------------------------------------------- */

struct seen {
	const char *item;
	int severity;
	const char *title, *advice;
};

static int see(const struct mrg_audit_finding *finding, void *data)
{
	struct seen *seen = data;

	if (strcmp(finding->fact->check, "probe") == 0 && strcmp(finding->fact->item, seen->item) == 0) {
		seen->severity = finding->severity;
		seen->title = finding->title;
		seen->advice = finding->advice;
	}
	return 0;
}

static struct seen found(const struct audit_reading *r, const char *item)
{
	struct seen seen = { .item = item };

	mrg_audit_findings(r->audit, see, &seen);
	return seen;
}

/* What changes it is the right by which it works, or else the filter or the file. */
static void test_findings(void **state)
{
	struct audit_reading r = begin("no label", WHOLE("mount works 0\nkernel-memory works 0\nbpf errno 1\n"), true);
	struct seen seen;

	(void)state;
	r.audit->maker = MAKER_MOORAGE;
	r.status.caps[AUDIT_EFFECTIVE] = UINT64_C(1) << 21;
	assert_int_equal(audit_judge(&r), 0);
	seen = found(&r, "mount");
	assert_int_equal(seen.severity, MRG_SEVERITY_HIGH);
	assert_string_equal(seen.title, "it can mount file systems");
	assert_string_equal(seen.advice, "--cap-drop SYS_ADMIN");
	seen = found(&r, "kernel-memory");
	assert_string_equal(seen.advice, "--security-opt mask=/proc/kcore");
	assert_int_equal(found(&r, "bpf").severity, MRG_SEVERITY_NONE);
	mrg_audit_free(r.audit);
}

static void test_findings_of_users(void **state)
{
	struct audit_reading r = begin("no label", WHOLE("mount works 0\nunshare-user works 0\n"), true);

	(void)state;
	r.audit->maker = MAKER_LXC;
	r.own_users = true;
	/* A right over its own user namespace, though root of the host is mapped there. */
	assert_int_equal(audit_judge(&r), 0);
	assert_int_equal(found(&r, "mount").severity, MRG_SEVERITY_LOW);
	assert_string_equal(found(&r, "unshare-user").advice, "lxc.seccomp.profile, one that refuses it");
	mrg_audit_free(r.audit);
}

/* An audit that tried is compared with one that did not by what both know. */
static void test_compare(void **state)
{
	struct audit_reading tried = begin("no label", WHOLE("mount works 0\n"), true), refused = begin("no label", WHOLE("mount errno 1\n"), true);
	struct audit_reading read = { .audit = calloc(1, sizeof(*read.audit)) };

	(void)state;
	audit_add(&read, "device", "/dev/fuse", MRG_SEVERITY_LOW, "root", "c 10:229");
	assert_int_equal(mrg_audit_compare(read.audit, tried.audit, NULL, NULL), 0);
	assert_int_equal(mrg_audit_compare(refused.audit, tried.audit, NULL, NULL), 1);
	assert_int_equal(mrg_audit_compare(tried.audit, refused.audit, NULL, NULL), 0);
	mrg_audit_free(tried.audit);
	mrg_audit_free(refused.audit);
	mrg_audit_free(read.audit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers), cmocka_unit_test(test_bad_answers), cmocka_unit_test(test_facts), cmocka_unit_test(test_doubt),
		cmocka_unit_test(test_cgroups), cmocka_unit_test(test_lies), cmocka_unit_test(test_findings), cmocka_unit_test(test_findings_of_users),
		cmocka_unit_test(test_compare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
