/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage-certify NAME: the judge of backend plugins. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <moorage/moorage.h>

#include "core/util/backend_name.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "tests/certify/certify.h"

enum { EXIT_NOT_CERTIFIED = 1, EXIT_USAGE = 2, EXIT_NO_BACKEND = 5 };

struct options {
	const char *json, *root, *path, *only;
	uint32_t seconds;
	bool list;
};

static const char usage[] =
	"usage: moorage-certify [OPTION...] NAME\n"
	"Judges the backend plugin NAME: its file, the contract of its verbs, what it leaves behind, the effect of\n"
	"every field it claims, and what is left when something is killed. Prints TAP.\n"
	"\n"
	"  --json FILE      write the certificate\n"
	"  --root DIR       a root directory made for this, in place of the kit's own\n"
	"  --path DIR       the directory the plugin is in\n"
	"  --only PATTERN   only tests whose name matches the shell pattern\n"
	"  --seconds N      time for each test, in place of its own deadline\n"
	"  --list           names of the tests; runs none\n"
	"  --help, --version\n";

/* ---- sections ---------------------------------------------------------------------------------- */

static void each_test(const struct test *tests, void (*work)(struct kit *kit, const struct test *test), struct kit *kit)
{
	for (; tests->name; tests++)
		work(kit, tests);
}

/* Why nothing of @field was observed: what the first of its tests was skipped for, when all were; else NULL. */
static const char *why_not_observed(const struct report *report, unsigned int field)
{
	const char *why = NULL;

	for (const struct result *result = report->first; result; result = result->next) {
		if (result->test->field != (int)field + 1)
			continue;
		if (result->verdict != VERDICT_SKIPPED)
			return NULL;
		why = why ? why : result->text;
	}
	return why;
}

/* A claim that nobody can see fulfilled is none. A root that was given is made for some tests only. */
static void judge_claim(struct kit *kit, unsigned int field)
{
	static const struct test observed = { .section = "fields", .name = "it was observed" };
	const char *why = kit->given_root ? NULL : why_not_observed(kit->report, field);
	char text[RESULT_SIZE];

	if (!why)
		return;
	snprintf(text, sizeof(text), "it is claimed, and all its tests were skipped: %.*s", RESULT_SIZE - 64, why);
	report_add(kit->report, &observed, mrg_field_info(field)->name, VERDICT_FAILED, text);
}

/* A field that is not claimed is not tested; one that is claimed and has no test, or none that was run, is a failure. */
static void each_field(void (*work)(struct kit *kit, const struct test *test), struct kit *kit, bool all)
{
	static const struct test missing = { .section = "fields", .name = "it has a test" };
	struct mrg_fields tested = { 0 };

	for (size_t i = 0; field_tables[i]; i++)
		for (const struct test *test = field_tables[i]; test->name; test++) {
			unsigned int field = (unsigned int)test->field - 1;

			mrg_fields_add(&tested, field);
			if (all || mrg_fields_has(&kit->facts->able, field))
				work(kit, test);
		}
	for (unsigned int field = 0; field < MRG_FIELD_MAX && !all; field++) {
		if (!mrg_fields_has(&kit->facts->able, field))
			continue;
		if (!mrg_fields_has(&tested, field))
			report_add(kit->report, &missing, mrg_field_info(field)->name, VERDICT_FAILED,
				   "it is claimed, and the kit has no test of it");
		else
			judge_claim(kit, field);
	}
}

static void each_section(void (*work)(struct kit *kit, const struct test *test), struct kit *kit, bool all)
{
	static const struct test *const before[] = {
		static_tests, load_tests, contract_probe_tests, contract_verb_tests, contract_engine_tests, contract_life_tests,
		contract_stream_tests, hygiene_tests,
	};

	for (size_t i = 0; i < ARRAY_SIZE(before); i++)
		each_test(before[i], work, kit);
	each_field(work, kit, all);
	each_test(crash_tests, work, kit);
}

static void print_name(struct kit *kit, const struct test *test)
{
	static const char *const whole[] = { NULL, NULL };
	const char *const *parts = test->parts ? test->parts : whole;

	do {
		_cleanup_free_ char *name = test_name(test, *parts);

		if (name && test_is_wanted(kit, name))
			puts(name);
	} while (*parts++ && *parts);
}

/* ---- setting up --------------------------------------------------------------------------------- */

static int complain(const struct mrg_error *err)
{
	size_t length = strcspn(err->message, "\n");

	fprintf(stderr, "moorage-certify: error: %.*s\n", (int)length, err->message);
	if (err->message[length])
		fprintf(stderr, "hint: %s\n", err->message + length + 1);
	return EXIT_NO_BACKEND;
}

/* The file is found without the library, which would load it. */
static int find_plugin(struct kit *kit, const char *path, struct mrg_error *err)
{
	const char *next = path ? path : getenv("MOORAGE_BACKEND_PATH");

	if (!next || !*next)
		next = MRG_BACKEND_DIR;
	snprintf(kit->backend_path, sizeof(kit->backend_path), "%s", next);
	while (*next) {
		size_t length = strcspn(next, ":");
		char file[PATH_SIZE + NAME_SIZE + 8];

		snprintf(file, sizeof(file), "%.*s/%s.so", (int)length, next, kit->name);
		if (access(file, F_OK) == 0) {
			snprintf(kit->plugin, sizeof(kit->plugin), "%.*s", PATH_SIZE - 1, file);
			return 0;
		}
		next += length + (next[length] == ':');
	}
	return mrg_error_set(err, -MRG_E_NO_ENGINE, "there is no '%s.so' in '%s'", kit->name, kit->backend_path);
}

static int make_directory(const struct kit *kit, const char *name, const char *variable, struct mrg_error *err)
{
	char path[PATH_SIZE + NAME_SIZE];

	snprintf(path, sizeof(path), "%s/%s", kit->work, name);
	if (mkdir(path, 0700) < 0 || (variable && setenv(variable, path, 1) < 0))
		return fail_errno(err, -errno, "cannot make '%s'", path);
	return 0;
}

static int set_up(struct kit *kit, const struct options *options, struct mrg_error *err)
{
	const char *libexec = getenv("MOORAGE_LIBEXEC_DIR");
	int r;

	snprintf(kit->work, sizeof(kit->work), "/tmp/mrgt-certify.XXXXXX");
	/* All of one length, or what is another judge's would look like ours; pids have seven digits at most. */
	snprintf(kit->prefix, sizeof(kit->prefix), "mrgt-c%07d", (int)getpid());
	/* A directory that other users can pass: of a user namespace, for one. */
	if (!mkdtemp(kit->work) || chmod(kit->work, 0755) < 0)
		return fail_errno(err, -errno, "cannot make a directory in '/tmp'");
	snprintf(kit->program, sizeof(kit->program), "%s/moorage-probe", libexec && *libexec ? libexec : MRG_LIBEXEC_DIR);
	kit->given_root = options->root;
	if (options->root && !realpath(options->root, kit->root))
		return fail_errno(err, -errno, "there is no root '%s'", options->root);
	if (!options->root)
		snprintf(kit->root, sizeof(kit->root), "%.*s/root", PATH_SIZE - 8, kit->work);
	snprintf(kit->other_root, sizeof(kit->other_root), "%.*s/root-2", PATH_SIZE - 8, kit->work);
	snprintf(kit->mapped_root, sizeof(kit->mapped_root), "%.*s/root-mapped", PATH_SIZE - 16, kit->work);
	r = make_directory(kit, "state", "MOORAGE_STATE_DIR", err);
	if (r == 0)
		r = make_directory(kit, "run", "MOORAGE_RUN_DIR", err);
	if (r == 0)
		r = make_directory(kit, "units", NULL, err);
	if (r == 0)
		r = root_make(kit, err);
	/* What would show up in a container that is given its caller's environment. */
	if (r == 0 && (setenv("MOORAGE_BACKEND_PATH", kit->backend_path, 1) < 0 || setenv("MRGT_HOST_ENVIRONMENT", "1", 1) < 0))
		r = fail_errno(err, -errno, "cannot set the environment");
	return r;
}

static void tear_down(const struct kit *kit)
{
	root_remove(kit);
	if (kit->work[0])
		fd_remove_tree(AT_FDCWD, kit->work);
}

/* An interrupted run must not leave its containers: the runner looks whether it was asked to end. */
static int own_process(struct kit *kit, struct mrg_error *err)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	kit->facts = mmap(NULL, sizeof(*kit->facts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (kit->facts == MAP_FAILED)
		return fail_memory(err);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return fail_errno(err, -errno, "cannot become the parent of what tests leave");
	umask(022);
	return 0;
}

/* ---- the whole ------------------------------------------------------------------------------------ */

static int judge(struct kit *kit, const struct options *options)
{
	struct mrg_error err = { 0 };
	int r = find_plugin(kit, options->path, &err);

	if (r == 0)
		r = own_process(kit, &err);
	if (r == 0)
		r = set_up(kit, options, &err);
	if (r < 0) {
		tear_down(kit);
		return complain(&err);
	}
	host_look(&kit->host);
	puts("TAP version 13");
	each_section(run_test, kit, false);
	if (kit->interrupted)
		puts("Bail out! interrupted");
	printf("1..%zu\n", kit->report->count[VERDICT_OK] + kit->report->count[VERDICT_FAILED] + kit->report->count[VERDICT_SKIPPED]);
	r = options->json ? certificate_write(kit, options->json) : 0;
	tear_down(kit);
	if (r < 0) {
		fail_errno(&err, r, "cannot write '%s'", options->json);
		complain(&err);
	}
	return r < 0 || kit->interrupted || kit->report->count[VERDICT_FAILED] ? EXIT_NOT_CERTIFIED : EXIT_SUCCESS;
}

static int parse_options(int argc, char **argv, struct options *ret)
{
	static const struct option long_options[] = {
		{ "json", required_argument, NULL, 'j' }, { "root", required_argument, NULL, 'r' },
		{ "path", required_argument, NULL, 'p' }, { "only", required_argument, NULL, 'o' },
		{ "seconds", required_argument, NULL, 's' },
		{ "list", no_argument, NULL, 'l' }, { "help", no_argument, NULL, 'h' }, { "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) >= 0) {
		switch (option) {
		case 'j': ret->json = optarg; break;
		case 'r': ret->root = optarg; break;
		case 'p': ret->path = optarg; break;
		case 'o': ret->only = optarg; break;
		case 's':
			if (parse_uint32(optarg, &ret->seconds) < 0 || ret->seconds < 1 || ret->seconds > 86400)
				return -EINVAL;
			break;
		case 'l': ret->list = true; break;
		case 'h': fputs(usage, stdout); exit(EXIT_SUCCESS);
		case 'V': printf("moorage-certify %s\n", mrg_version()); exit(EXIT_SUCCESS);
		default: return -EINVAL;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct report report = { .last = &report.first };
	struct kit kit = { .report = &report };
	int r;

	if (parse_options(argc, argv, &options) < 0 || argc != optind + !options.list + (options.list && argc > optind)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	kit.only = options.only;
	kit.seconds = (int)options.seconds;
	kit.patience = 1000 * (kit.seconds ? kit.seconds : TEST_SECONDS) / 2;
	if (options.list) {
		each_section(print_name, &kit, true);
		return EXIT_SUCCESS;
	}
	kit.name = argv[optind];
	if (!backend_name_is_valid(kit.name)) {
		fprintf(stderr, "moorage-certify: error: '%s' is no name of a backend\n", kit.name);
		return EXIT_USAGE;
	}
	r = judge(&kit, &options);
	report_free(&report);
	return r;
}
