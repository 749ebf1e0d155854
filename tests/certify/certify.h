/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CERTIFY_H
#define CERTIFY_H

/*
 * moorage-certify: what its parts share.
 *
 * The judge never loads the plugin. Each test is a process of its own that does, with a deadline, and reports what it found through a pipe; so a
 * plugin that crashes or hangs fails a test and nothing else. The judge is the subreaper of all of them: whatever a test leaves
 * running becomes its child, and is found.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <moorage/backend.h>

#include "core/util/cleanup.h"
#include "core/util/str.h"

#define PATH_SIZE	4096
#define RESULT_SIZE	512
#define NAME_SIZE	64

/* ---- this host (host.c) --------------------------------------------------------------------- */

struct host {
	char kernel[64], machine[64], system[64];
	const char *cgroups;		/* "v1", "v2", "hybrid" or "none" */
	bool systemd;			/* is process 1 */
	bool root;			/* we are */
	int64_t disk_major, disk_minor;	/* of some disk; 0:0 there is none */
	int cpus;			/* those we may run on */
	int last_cpu;			/* the last of them */
};
void host_look(struct host *ret);

/* ---- what is known of the backend (plugin.c) -------------------------------------------------- */

/* Found by the first test that loads the plugin; shared memory. */
struct facts {
	bool loaded;			/* the library accepts it */
	bool usable;			/* its probe succeeded */
	uint32_t minor;
	char summary[128], engine[64], reason[192], verbs[256], why_not[RESULT_SIZE];
	struct mrg_fields table;	/* what it can ever honour */
	struct mrg_fields able;		/* what it says it honours here, and what the core adds */
	int boundary;
};

/* ---- the judge -------------------------------------------------------------------------------- */

struct report;

#define MAPPED_IDS	327680		/* the host's ids for the users of a container */

struct kit {
	const char *name;		/* of the backend */
	char plugin[PATH_SIZE];		/* its file */
	char backend_path[PATH_SIZE];
	char work[PATH_SIZE];		/* all we make is in here */
	char root[PATH_SIZE];		/* of the containers */
	char other_root[PATH_SIZE];	/* of a second one beside it; always the kit's own */
	char mapped_root[PATH_SIZE];	/* of one like that whose files belong to the ids from MAPPED_IDS on, where the kit may give files away */
	char program[PATH_SIZE];	/* moorage-probe on the host */
	bool given_root;		/* --root */
	uint64_t made;			/* what has been added to it: bits of a table of root.c */
	const char *only;		/* a pattern for names of tests, or NULL */
	int seconds;			/* the deadline of every test; 0: its own */
	int patience;			/* in ms, for what must come or go: half of a deadline, so that the test can still tell */
	char prefix[NAME_SIZE];		/* of the names of containers: of this run alone */
	struct host host;
	struct facts *facts;
	struct report *report;
	unsigned int serial;		/* of the test: part of the names of its containers */
	bool interrupted;		/* asked to end: SIGINT, SIGTERM, SIGHUP, which are blocked */
};

/* ABSENT: about something that the backend does not offer; not told. */
enum verdict { VERDICT_OK, VERDICT_FAILED, VERDICT_SKIPPED, VERDICT_MAX, VERDICT_ABSENT };

/* One test, or a row of parts that are found out together. Tests stand in tables, each ended by a NULL name. */
struct trial;
struct test {
	const char *section, *name;
	void (*run)(struct trial *t);
	const void *data;		/* the row of a table that @run goes by */
	const char *const *parts;	/* ended by NULL; NULL: the test has one result, of its own name */
	int seconds;			/* deadline; 0: TEST_SECONDS */
	int field;			/* enum mrg_field it is about, plus one; 0: none */
	bool unusable;			/* also worth running when the backend cannot be used here */
	bool always;			/* runs whatever is asked for: it finds the facts */
};
#define TEST_SECONDS	120
#define FAILED_MS	3000		/* patience once a test has failed: what does not go then is removed, and told by nobody */

/* The sections, in their order. */
extern const struct test static_tests[], load_tests[];
extern const struct test contract_probe_tests[], contract_verb_tests[], contract_engine_tests[];
extern const struct test contract_life_tests[], contract_stream_tests[];
extern const struct test hygiene_tests[];
extern const struct test *const field_tables[];		/* ended by NULL */
extern const struct test crash_tests[];

/* ---- a test at work (trial.c) ------------------------------------------------------------------ */

/* In the process of a test. */
struct plugin_table;
struct trial {
	const struct kit *kit;
	const struct test *test;
	int channel;			/* to the judge */
	size_t part;			/* the one to be told next */
	bool failed;			/* it is over; what was deferred is being undone */
	struct { void (*undo)(void *data); void *data; } deferred[8];
	size_t n_deferred;
};

/* @undo is called with @data when the test ends, whichever way, or by trial_undo(); the last one first. */
void trial_defer(struct trial *t, void (*undo)(void *data), void *data);

/* Undoes all that was deferred. Variables of a test that are deferred call it at the end of their scope, while they are there. */
void trial_undo(struct trial *t);

/* Ends the test: it failed, was skipped for a reason, has nothing to test, or passed. With parts: all that have not been told. */
void trial_fail(struct trial *t, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));
void trial_skip(struct trial *t, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));
void trial_absent(struct trial *t) __attribute__((noreturn));
void trial_pass(struct trial *t) __attribute__((noreturn));

/* Tells the next part; it failed when @text is not empty. */
void trial_part(struct trial *t, const char *text);

/* The container name number @n of this test. */
void trial_name(const struct trial *t, unsigned int n, char ret[NAME_SIZE]);

/* Fails the test unless @r is @expected and, when that is an error, @err has a sentence as it should be. */
void trial_expect(struct trial *t, const char *what, int r, int expected, const struct mrg_error *err);

/* What is wrong with the sentence of a failure, NULL: nothing. */
const char *sentence_fault(int r, const struct mrg_error *err);

/* "-MRG_E_STATE" as a reader of error.h knows it. A constant string, or one in @buffer. */
const char *code_name(int code, char buffer[32]);

/* Waits in small steps until @done says so. false: it did not within @ms; within the kit's patience. */
bool within(int ms, bool (*done)(void *data), void *data);
bool eventually(const struct trial *t, bool (*done)(void *data), void *data);

/* ---- the runner (runner.c) ---------------------------------------------------------------------- */

/* Runs one test, tells the report. */
void run_test(struct kit *kit, const struct test *test);

/* ---- what is left (leftovers.c) ----------------------------------------------------------------- */

/* Adds a line for everything on the host that the tests have made: processes, cgroups, mounts, records. */
void leftovers_list(const struct kit *kit, struct buffer *ret);

/* Ends and removes it. */
void leftovers_clear(const struct kit *kit);

/* Calls @found for each child of the caller. Of the judge: what a test has started and left becomes one. */
void each_child(void (*found)(pid_t pid, void *data), void *data);

/* The bridge that tests of networks make (fields_network.c). */
void bridge_name(const struct kit *kit, char ret[16]);
void bridge_remove(const struct kit *kit);

/* ---- the report (report.c, certificate.c) ---------------------------------------------------------- */

struct result {
	struct result *next;
	const struct test *test;
	char *name;
	enum verdict verdict;
	char *text;
};

struct report {
	struct result *first, **last;
	size_t count[VERDICT_MAX];
};

/* The name of a test: "SECTION: NAME", with its field in between and its part behind; the caller frees it. */
char *test_name(const struct test *test, const char *part);

/* Whether --only lets a test of that name run. */
bool test_is_wanted(const struct kit *kit, const char *name);

/* Prints a result as TAP and keeps it. */
void report_add(struct report *report, const struct test *test, const char *part, enum verdict verdict, const char *text);

void report_free(struct report *report);

/* Writes the certificate. A negative errno. */
int certificate_write(const struct kit *kit, const char *path);

/* ---- the root of the containers (root.c) --------------------------------------------------------------- */

#define PROBE		"/moorage-probe"	/* in the root */

int root_make(struct kit *kit, struct mrg_error *err);
void root_remove(const struct kit *kit);

#endif
