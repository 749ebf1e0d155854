/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which measurements, of whom, in which order. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "core/compare/measure.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/proc.h"

/* Containers are mostly started one at a time: what the kernel still has to do for the one before is then neither in the way of the next nor
 * shared with it. */
#define REST_MS		50
/* Monitors give back what a start took when they have rested. */
#define SETTLE_MS	1600
#define START_MS	30000

/* ---- what all measurements use ----------------------------------------------------------------------------- */

void measure_name(struct measure *m, char ret[MEASURE_NAME_SIZE])
{
	snprintf(ret, MEASURE_NAME_SIZE, MEASURE_PREFIX "%s-%u", m->id, m->made++);
}

const char *measure_full(const struct measure *m, size_t subject, const char *name, char ret[MEASURE_FULL_SIZE])
{
	snprintf(ret, MEASURE_FULL_SIZE, "%.64s:%s", m->report->subject[subject].name, name);
	return ret;
}

void measure_begin_container(struct measure *m, size_t subject, struct arguments *a, const char *name)
{
	arguments_add(a, "-B", m->report->subject[subject].name, "--name", name, "--label", m->label, "-v", m->volume, m->root, NULL);
}

int measure_hold(struct measure *m, size_t subject, const char *mode, const char *const *options, char name[MEASURE_NAME_SIZE], struct mrg_error *err)
{
	struct arguments a = { .n = 0 };
	struct outcome o;

	if (m->report->subject[subject].kind == KIND_TOOL)
		return measure_tool_hold(m, subject, name, err);
	measure_name(m, name);
	arguments_add(&a, m->command, "run", "-q", "-d", NULL);
	for (; options && *options; options++)
		arguments_add(&a, *options, NULL);
	measure_begin_container(m, subject, &a, name);
	arguments_add(&a, "--", MEASURE_PROGRAM, mode, name, NULL);
	return measure_run(m, &a, NULL, START_MS, &o, err);
}

int measure_remove(struct measure *m, size_t subject, const char *name, struct mrg_error *err)
{
	char full[MEASURE_FULL_SIZE];
	struct arguments a = { .n = 0 };
	struct outcome o;

	if (m->report->subject[subject].kind == KIND_TOOL)
		return measure_tool_remove(m, subject, name, err);
	arguments_add(&a, m->command, "rm", "-q", "-f", measure_full(m, subject, name, full), NULL);
	return measure_run(m, &a, NULL, START_MS, &o, err);
}

int measure_add_time(struct measure *m, size_t subject, enum compare_metric metric, int64_t begin, int64_t end)
{
	return compare_report_sample(&m->report->subject[subject], metric, (double)(end - begin) / 1e6);
}

int measure_add_stamps(struct measure *m, size_t subject, const struct outcome *outcome, struct mrg_error *err)
{
	long long first, last;

	/* A container with a clock of its own would tell another time. */
	if (sscanf(outcome->output, "%lld %lld", &first, &last) != 2 || first < outcome->begin || last < first || last > outcome->end)
		return mrg_error_set(err, -EPROTO, "the payload's stamps are not between the begin and the end of the command");
	if (measure_add_time(m, subject, METRIC_FIRST, outcome->begin, first) < 0 || measure_add_time(m, subject, METRIC_EXIT, outcome->begin, last) < 0)
		return fail_memory(err);
	return 0;
}

/* ---- turns -------------------------------------------------------------------------------------------------- */

/* The first reason is kept: what follows is often due to it. */
static int note_failure(struct measure *m, size_t subject, const char *what, const struct mrg_error *err)
{
	struct compare_subject *s = &m->report->subject[subject];
	char text[sizeof(err->message) + 64];

	m->failed[subject] = true;
	snprintf(text, sizeof(text), "%s: %.*s", what, (int)strcspn(err->message, "\n"), err->message);
	return s->reason ? 0 : compare_report_set(&s->reason, text);
}

static int take_turn(struct measure *m, const char *what, size_t subject, measure_once *once, struct mrg_error *err)
{
	struct mrg_error why = { 0 };
	int r = measure_rest(m, REST_MS, err);

	if (r < 0)
		return r;
	r = once(m, subject, &why);
	if (r == -EINTR || r == -ENOMEM) {
		*err = why;
		return r;
	}
	return r < 0 && note_failure(m, subject, what, &why) < 0 ? fail_memory(err) : 0;
}

int measure_rounds(struct measure *m, const char *what, unsigned int n, unsigned int kinds, measure_once *once, struct mrg_error *err)
{
	int r = 0;

	if (m->options->progress)
		m->options->progress(what, m->options->data);
	for (size_t i = 0; i < m->report->n_subjects; i++)
		m->failed[i] = !m->usable[i];
	for (unsigned int round = 0; round < n; round++)
		for (size_t i = 0; i < m->report->n_subjects && r == 0; i++)
			if (!m->failed[i] && kinds & 1U << m->report->subject[i].kind)
				r = take_turn(m, what, i, once, err);
	return r;
}

/* ---- subjects ----------------------------------------------------------------------------------------------- */

static int set_reason(struct compare_subject *subject, const struct mrg_error *why)
{
	char text[sizeof(why->message)];

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(why->message, "\n"), why->message);
	return compare_report_set(&subject->reason, text);
}

static int add_backend(struct measure *m, const char *name)
{
	struct compare_subject *subject = compare_report_subject(m->report, KIND_BACKEND, name);
	struct mrg_backend_info info;
	struct mrg_error why;

	if (!subject)
		return -ENOMEM;
	if (mrg_backend_info(m->library, name, &info, &why) < 0)
		return set_reason(subject, &why);
	if (!info.usable)
		return set_reason(subject, &info.error);
	m->usable[m->report->n_subjects - 1] = true;
	return compare_report_set(&subject->engine, info.probe.engine);
}

static int add_tool(struct measure *m, const char *name)
{
	struct compare_subject *subject = compare_report_subject(m->report, KIND_TOOL, name);
	struct mrg_error why;

	if (!subject)
		return -ENOMEM;
	if (measure_probe_tool(m, m->report->n_subjects - 1, &why) < 0)
		return set_reason(subject, &why);
	m->usable[m->report->n_subjects - 1] = true;
	return 0;
}

static int add_subjects(struct measure *m, struct mrg_error *err)
{
	int r = compare_report_subject(m->report, KIND_HOST, "host") ? 0 : -ENOMEM;

	m->usable[0] = true;
	for (char *const *name = m->options->backends; name && *name && r == 0; name++)
		r = add_backend(m, *name);
	for (char *const *name = m->options->tools; name && *name && r == 0; name++)
		r = add_tool(m, *name);
	return r < 0 ? fail_memory(err) : 0;
}

/* ---- the head ------------------------------------------------------------------------------------------------ */

static int set_cpu(struct compare_report *report)
{
	_cleanup_free_ char *text = NULL;
	char *name = fd_read_virtual(AT_FDCWD, "/proc/cpuinfo", 1 << 20, &text, NULL) == 0 ? strstr(text, "model name") : NULL;
	char *value = name ? strchr(name, ':') : NULL;

	if (value) {
		value += strspn(value, ": \t");
		value[strcspn(value, "\n")] = '\0';
	}
	return compare_report_set(&report->cpu, value ? value : "unknown");
}

static int set_head(struct measure *m, struct mrg_error *err)
{
	struct compare_report *report = m->report;
	time_t now = time(NULL);
	struct utsname host;
	struct tm tm;
	char when[32];

	if (uname(&host) < 0 || !gmtime_r(&now, &tm) || strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return fail_errno(err, -EIO, "cannot tell the host");
	report->cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	report->runs = m->options->runs;
	if (compare_report_set(&report->version, mrg_version()) < 0 || compare_report_set(&report->kernel, host.release) < 0 ||
	    compare_report_set(&report->host, host.nodename) < 0 || compare_report_set(&report->time, when) < 0 || set_cpu(report) < 0 ||
	    compare_report_set(&report->root, m->options->root ? m->root : "a root with nothing in it") < 0)
		return fail_memory(err);
	return 0;
}

/* ---- the whole ----------------------------------------------------------------------------------------------- */

static int hold_one(struct measure *m, size_t subject, struct mrg_error *err)
{
	char name[MEASURE_NAME_SIZE];
	int r = measure_hold(m, subject, "wait", NULL, name, err);

	if (r == 0)
		memcpy(m->running[subject], name, sizeof(name));
	return r;
}

static int release_one(struct measure *m, size_t subject, struct mrg_error *err)
{
	return *m->running[subject] ? measure_remove(m, subject, m->running[subject], err) : 0;
}

static unsigned int at_most(unsigned int runs, unsigned int most)
{
	return runs < most ? runs : most;
}

/* What is measured of containers that run: they rest beside each other. */
static int measure_held(struct measure *m, unsigned int runs, struct mrg_error *err)
{
	unsigned int both = MEASURE_BACKENDS | MEASURE_TOOLS;
	int r = measure_rounds(m, "run", 1, both, hold_one, err);

	if (r == 0)
		r = measure_rest(m, SETTLE_MS, err);
	if (r == 0)
		r = measure_rounds(m, "cost", 1, both, measure_cost, err);
	if (r == 0)
		r = measure_isolation(m, err);
	if (r == 0)
		r = measure_rounds(m, "exec", runs, both, measure_exec, err);
	if (r == 0)
		r = measure_rounds(m, "work inside", at_most(runs, 5), both | MEASURE_HOST, measure_work, err);
	if (r == 0)
		r = measure_rounds(m, "remove", 1, both, release_one, err);
	return r;
}

static int measure_all(struct measure *m, struct mrg_error *err)
{
	unsigned int runs = m->options->runs;
	int r = measure_rounds(m, "start", runs, MEASURE_BACKENDS | MEASURE_TOOLS, measure_start, err);

	if (r == 0)
		r = measure_held(m, runs, err);
	if (r == 0)
		r = measure_limits(m, err);
	if (r == 0)
		r = measure_rounds(m, "stop", at_most(runs, 10), MEASURE_BACKENDS | MEASURE_TOOLS, measure_stop, err);
	if (r == 0)
		r = measure_rounds(m, "stop of a stubborn process", at_most(runs, 5), MEASURE_BACKENDS, measure_stubborn, err);
	if (r == 0)
		r = measure_lists(m, err);
	if (r == 0 && measure_can_boot(m))
		r = measure_rounds(m, "boot", at_most(runs, 3), MEASURE_BACKENDS, measure_boot, err);
	return r;
}

int compare_measure(struct mrg *library, const struct compare_options *options, struct compare_report **ret, struct mrg_error *err)
{
	_cleanup_report_ struct compare_report *report = compare_report_new();
	struct measure m = { .library = library, .options = options, .report = report, .signals = -1 };
	int64_t begin = time_monotonic_ms();
	int r = report ? measure_set_up(&m, err) : fail_memory(err);

	if (r == 0)
		r = set_head(&m, err);
	if (r == 0)
		r = add_subjects(&m, err);
	if (r == 0)
		r = measure_all(&m, err);
	measure_tear_down(&m);
	if (r == 0 && compare_judge_noise(report) < 0)
		r = fail_memory(err);
	if (r < 0)
		return r;
	report->seconds = (double)(time_monotonic_ms() - begin) / 1000;
	*ret = take_ptr(report);
	return 0;
}
