/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_AUDIT_PROBE_H
#define CORE_AUDIT_PROBE_H

/*
 * What a process may do, tried: the program moorage-try (try/) does so inside, under the policy of the process. Its answers become facts of the checks
 * "probe" (calls and files), "probe-device" (nodes, opened) and "probe-rule" (numbers of devices that the cgroup lets through); the source is "probe".
 */

#include "core/audit/audit.h"

/* Tries it all for @r's process, and adds the facts. The process is stopped for a moment when it has seccomp filters, which are read by ptrace(2). */
int audit_probe(struct audit_reading *r, int pidfd, struct mrg_error *err);

/* ---- probe_answer.c ------------------------------------------------------------------------------------- */

#define AUDIT_ANSWERS	256

/* One line of the answer: "NAME KIND NUMBER". */
struct audit_answer {
	const char *name;
	int kind;			/* TRY_WORKS ... */
	uint32_t number;		/* an errno, a signal */
};

struct audit_answers {
	struct audit_answer item[AUDIT_ANSWERS];
	size_t n;
};

/* Of @text, which it changes and which may be anything. -EPROTO: this is not what moorage-try writes. */
int audit_parse_answers(char *text, struct audit_answers *ret);

/* The answer with @name, or NULL. */
const struct audit_answer *audit_find_answer(const struct audit_answers *answers, const char *name);

/* Adds the facts. @answer: what was heard, changed; NULL: nothing that can be used. @devices: it was in the cgroup that rules devices. */
void audit_probe_tell(struct audit_reading *r, char *answer, bool devices);

/* ---- probe_rows.c: what is tried ------------------------------------------------------------------------- */

struct audit_probe_row {
	const char *name, *title;
	int severity;			/* where it works and root inside is root of the host */
	const char *capability;		/* the right by which it works; NULL: none is needed */
	const char *remedy, *item;	/* whose advice changes it when it works without that right: a check, and which of its kind */
};

/* NULL: nothing of that name is tried. */
const struct audit_probe_row *audit_probe_find(const char *name);

#endif
