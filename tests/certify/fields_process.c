/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fields about the process: who it is, what it is given, what it may use. */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/certify/fields.h"

/* Of the password file of the kit's own root. */
static void a_name_is_looked_up(struct trial *t)
{
	if (t->kit->given_root)
		trial_skip(t, "the given root has other users");
	is_observed(t);
}

/* The groups in "1,2,3", without the group of the process itself: whether that is among them is told apart nowhere. */
static void without_own(const char *groups, char ret[256])
{
	size_t length = 0;

	ret[0] = '\0';
	while (*groups) {
		size_t n = strcspn(groups, ",");

		if (!(n == 1 && *groups == '0') && length + n + 2 < 256)
			length += (size_t)snprintf(ret + length, 256 - length, "%s%.*s", length ? "," : "", (int)n, groups);
		groups += n + (groups[n] == ',');
	}
}

/* @data: "exec" or "". */
static void groups_are_these(struct trial *t)
{
	static const char *const words[] = { "groups", NULL };
	_scene_ struct scene s = { .t = t };
	char groups[256], others[256];

	scene_begin(&s, t, 0);
	if (*(const char *)t->test->data && !strstr(t->kit->facts->verbs, "exec"))
		trial_absent(t);
	scene_set(&s, MRG_FIELD_ADDITIONAL_GIDS, "3456");
	scene_set(&s, MRG_FIELD_ADDITIONAL_GIDS, "44");
	scene_word(&s, "groups");
	scene_word(&s, "wait");
	scene_run_until(&s, "wait=ready");
	if (*(const char *)t->test->data)
		scene_exec_words(&s, words);
	scene_value(&s, "groups", groups, sizeof(groups));
	without_own(groups, others);
	if (strcmp(others, "44,3456") != 0)
		trial_fail(t, "inside: 'groups=%s', not '44,3456'", groups);
}

static void of_a_command_inside(struct trial *t)
{
	_scene_ struct scene s = { .t = t };
	char expected[64], json[128];
	static const char *const words[] = { "affinity", NULL };

	scene_begin(&s, t, 0);
	if (t->kit->host.cpus < 2)
		trial_skip(t, "there is one processor only");
	snprintf(json, sizeof(json), "{\"initial\":\"%d\",\"final\":\"%d\"}", t->kit->host.last_cpu, t->kit->host.last_cpu);
	scene_set(&s, MRG_FIELD_EXEC_CPU_AFFINITY, "%s", json);
	scene_word(&s, "wait");
	scene_run_until(&s, "wait=ready");
	scene_exec_words(&s, words);
	snprintf(expected, sizeof(expected), "affinity=%d", t->kit->host.last_cpu);
	scene_expect(&s, "%s", expected);
}

const struct test process_fields[] = {
	ROW(UID, "the process has it", { { MRG_FIELD_UID, "1234" } }, { "uid" }, { "uid=1234 1234" }),
	ROW(GID, "the process has it", { { MRG_FIELD_GID, "2345" } }, { "gid" }, { "gid=2345 2345" }),
	WITH(ADDITIONAL_GIDS, "the process has them and no others", groups_are_these, ""),
	WITH(ADDITIONAL_GIDS, "a command inside has them and no others", groups_are_these, "exec"),
	ROW(UMASK, "the process has it", { { MRG_FIELD_UMASK, "0027" } }, { "umask" }, { "umask=0027" }),
	WITH(UMASK, "a command inside has it too", is_observed_by_exec,
	     &((const struct observation){ { { MRG_FIELD_UMASK, "0027" } }, { "umask" }, { "umask=0027" } })),
	WITH(USER, "a name is looked up in the root", a_name_is_looked_up,
	     &((const struct observation){ { { MRG_FIELD_USER, "joe" } }, { "uid", "gid" }, { "uid=1000 1000", "gid=100 100" } })),
	WITH(USER, "name and group are looked up in the root", a_name_is_looked_up,
	     &((const struct observation){ { { MRG_FIELD_USER, "joe:video" } }, { "uid", "gid" }, { "uid=1000 1000", "gid=44 44" } })),
	ROW(USER, "numbers need no entry", { { MRG_FIELD_USER, "4321:5432" } }, { "uid", "gid" },
	    { "uid=4321 4321", "gid=5432 5432" }),

	ROW(ARGS, "they arrive whole: blanks, quotes, what means something to shells and unit files",
	    { { MRG_FIELD_ARGS, "args" }, { MRG_FIELD_ARGS, "" }, { MRG_FIELD_ARGS, "two words" }, { MRG_FIELD_ARGS, "$HOME %i %% ${x}" },
	      { MRG_FIELD_ARGS, "'\"\\ #;<&>" } }, { NULL },
	    { "args=[][two words][$HOME %i %% ${x}]['\"\\x5c #;<&>]" }),
	ROW(ARGS, "they arrive whole: line breaks, tabs, bytes beyond ASCII",
	    { { MRG_FIELD_ARGS, "args" }, { MRG_FIELD_ARGS, "a\nb\tc" }, { MRG_FIELD_ARGS, "\xc3\xa4" } }, { NULL },
	    { "args=[a\\x0ab\\x09c][\\xc3\\xa4]" }),
	ROW(ENV, "it arrives whole: blanks, quotes, what means something to shells and unit files",
	    { { MRG_FIELD_ENV, "MRGT_A=two words" }, { MRG_FIELD_ENV, "MRGT_B=$HOME %i '\"\\ #;<&>" }, { MRG_FIELD_ENV, "MRGT_C=" },
	      { MRG_FIELD_ENV, "MRGT_D=a=b=c" } },
	    { "env:MRGT_A", "env:MRGT_B", "env:MRGT_C", "env:MRGT_D" },
	    { "env:MRGT_A=two words", "env:MRGT_B=$HOME %i '\"\\x5c #;<&>", "env:MRGT_C=", "env:MRGT_D=a=b=c" }),
	ROW(ENV, "it arrives whole: line breaks, tabs, bytes beyond ASCII",
	    { { MRG_FIELD_ENV, "MRGT_E=x\ny\tz" }, { MRG_FIELD_ENV, "MRGT_F=\xc3\xa4" } }, { "env:MRGT_E", "env:MRGT_F" },
	    { "env:MRGT_E=x\\x0ay\\x09z", "env:MRGT_F=\\xc3\\xa4" }),
	ROW(CWD, "the process starts in it", { { MRG_FIELD_CWD, "/home/dir" } }, { "cwd" }, { "cwd=/home/dir" }),
	WITH(CWD, "a command inside starts in it too", is_observed_by_exec,
	     &((const struct observation){ { { MRG_FIELD_CWD, "/home/dir" } }, { "cwd" }, { "cwd=/home/dir" } })),

	ROW(TERMINAL, "the process has one of its own, which controls it", { { MRG_FIELD_TERMINAL, "yes" } }, { "terminal" },
	    { "terminal=in,out,err controlling" }),
	ROW(TERMINAL, "without it there is none", { { MRG_FIELD_TERMINAL, "no" } }, { "terminal" }, { "terminal= none" }),
	ROW(CONSOLE_SIZE, "the terminal has it from the start",
	    { { MRG_FIELD_TERMINAL, "yes" }, { MRG_FIELD_CONSOLE_SIZE, "{\"height\":33,\"width\":77}" } }, { "winsize" },
	    { "winsize=33x77" }),

	ROW(RLIMITS, "both limits of several are in force",
	    { { MRG_FIELD_RLIMITS, "[{\"type\":\"RLIMIT_NOFILE\",\"soft\":123,\"hard\":456},"
				   "{\"type\":\"RLIMIT_CORE\",\"soft\":0,\"hard\":4096},"
				   "{\"type\":\"RLIMIT_FSIZE\",\"soft\":1048576,\"hard\":2097152}]" } },
	    { "rlimit:NOFILE", "rlimit:CORE", "rlimit:FSIZE" },
	    { "rlimit:NOFILE=123:456", "rlimit:CORE=0:4096", "rlimit:FSIZE=1048576:2097152" }),
	WITH(RLIMITS, "a command inside has them too", is_observed_by_exec,
	     &((const struct observation){ { { MRG_FIELD_RLIMITS, "[{\"type\":\"RLIMIT_NOFILE\",\"soft\":123,\"hard\":456}]" } },
					   { "rlimit:NOFILE" }, { "rlimit:NOFILE=123:456" } })),
	ROW(OOM_SCORE_ADJ, "the kernel knows it", { { MRG_FIELD_OOM_SCORE_ADJ, "567" } }, { "read:/proc/self/oom_score_adj" },
	    { "read:/proc/self/oom_score_adj=567\\x0a" }),
	WITH(OOM_SCORE_ADJ, "of a command inside too", is_observed_by_exec,
	     &((const struct observation){ { { MRG_FIELD_OOM_SCORE_ADJ, "567" } }, { "read:/proc/self/oom_score_adj" },
					   { "read:/proc/self/oom_score_adj=567\\x0a" } })),
	ROW(SCHEDULER, "the process is scheduled by it", { { MRG_FIELD_SCHEDULER, "{\"policy\":\"SCHED_BATCH\",\"nice\":3}" } },
	    { "scheduler" }, { "scheduler=3 nice 3" }),
	ROW(IO_PRIORITY, "the process has it", { { MRG_FIELD_IO_PRIORITY, "{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":6}" } },
	    { "io_priority" }, { "io_priority=2/6" }),
	BY(EXEC_CPU_AFFINITY, "a command inside runs there", of_a_command_inside),
	ROW(PERSONALITY, "the process has it", { { MRG_FIELD_PERSONALITY, "{\"domain\":\"LINUX32\"}" } }, { "personality" },
	    { "personality=8" }),
	{ .name = NULL }
};
