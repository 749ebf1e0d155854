/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOORAGE_AUDIT_H
#define MOORAGE_AUDIT_H

/*
 * What the kernel lets a running container do: facts read from procfs, and what is wrong with them.
 *
 * A fact is one line of a table: what it is about, its value, and an exposure, which is 0 where nothing can go wrong and grows with what is
 * possible. Exposures of one fact can be compared between containers; a fact that is missing has none. A finding is a fact that a check objects to.
 * Texts in facts and findings hold no control characters: bytes that are none of UTF-8's, and those below a blank, are spelled \xNN.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <moorage/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mrg;
struct mrg_container;
struct mrg_audit;

/* How bad a finding is. INFO: worth knowing, and also so where the hardened defaults are in force. */
enum mrg_severity {
	MRG_SEVERITY_NONE, MRG_SEVERITY_INFO, MRG_SEVERITY_LOW, MRG_SEVERITY_MEDIUM, MRG_SEVERITY_HIGH, MRG_SEVERITY_CRITICAL,
};

/* "info", "low", ... A constant string. */
const char *mrg_severity_name(int severity);

/* Reads container @c, which must run (-MRG_E_NOT_RUNNING), from its first process. Nothing of the container is executed; files in its root are only looked
 * at, without following them out of it. -ESRCH: it ended meanwhile. */
int mrg_audit(struct mrg_container *c, struct mrg_audit **ret, struct mrg_error *err);

/* The same for process @pid, whoever made its container. */
int mrg_audit_pid(struct mrg *m, pid_t pid, struct mrg_audit **ret, struct mrg_error *err);

/* Both, and what the kernel says when it is tried, as facts of the source "probe": a program of ours enters what the first process is in, takes over
 * its user, capabilities, no_new_privs and seccomp filters, and tries; nothing of it stays. Filters are read by ptrace(2), which stops the process for a
 * moment and takes CAP_SYS_ADMIN; where they or a label cannot be taken over, what works is told as not known. -MRG_E_STATE: it is paused. */
int mrg_audit_probe(struct mrg_container *c, struct mrg_audit **ret, struct mrg_error *err);
int mrg_audit_probe_pid(struct mrg *m, pid_t pid, struct mrg_audit **ret, struct mrg_error *err);

/* Frees @audit (may be NULL). Returns NULL. */
struct mrg_audit *mrg_audit_free(struct mrg_audit *audit);

/* Whose it is: the container's name, "" for a process; its backend, or what seems to have made it ("docker", "podman", "lxc", ...), or "unknown"; the
 * first process. Strings live as long as @audit. */
const char *mrg_audit_name(const struct mrg_audit *audit);
const char *mrg_audit_backend(const struct mrg_audit *audit);
pid_t mrg_audit_process(const struct mrg_audit *audit);

/* One fact. Frozen; strings live as long as the audit. */
struct mrg_audit_fact {
	const char *check;		/* what it is about: "capability", "namespace", "device", ... */
	const char *item;		/* which of its kind: "SYS_ADMIN", "/dev/kvm"; "" when there is one only */
	const char *value;		/* for humans: "shared with the host" */
	const char *source;		/* the file it was read from: "/proc/1234/status: CapBnd"; "probe": tried */
	uint64_t exposure;		/* 0: none; UINT64_MAX: no limit at all, or not known */
};

/* Calls @found with every fact, in a fixed order. Returns 0, or what @found returned when that is not 0. */
int mrg_audit_facts(const struct mrg_audit *audit, int (*found)(const struct mrg_audit_fact *fact, void *data), void *data);

/* One finding. Frozen; strings live as long as the audit. */
struct mrg_audit_finding {
	int severity;			/* enum mrg_severity */
	const char *title;		/* what is wrong, a phrase */
	const char *advice;		/* what changes it, in the words of its backend; NULL: nothing does there */
	const struct mrg_audit_fact *fact;
};

/* Calls @found with every finding, the worst first. An audit that was parsed has none. */
int mrg_audit_findings(const struct mrg_audit *audit, int (*found)(const struct mrg_audit_finding *finding, void *data), void *data);

/* The audit as compact JSON (docs/audit.schema.json), which the caller frees, and back. Parsed are the facts; -MRG_E_INVALID names what is wrong. */
int mrg_audit_emit(const struct mrg_audit *audit, char **ret, struct mrg_error *err);
int mrg_audit_parse(const char *text, size_t length, struct mrg_audit **ret, struct mrg_error *err);

/* One fact in which two containers differ. Frozen. */
struct mrg_audit_difference {
	const struct mrg_audit_fact *a, *b;	/* NULL: has no such fact */
	int weaker;				/* 1: b is weaker, -1: b is stronger */
};

/* Compares @b with @a, which may be audits of now or parsed ones; what was tried in one of them only is left out. Calls @found (may be NULL) with every
 * difference of exposures. Returns in how many facts @b is weaker than @a, or the negative number that @found returned. */
int mrg_audit_compare(const struct mrg_audit *a, const struct mrg_audit *b, int (*found)(const struct mrg_audit_difference *difference, void *data),
		      void *data);

#ifdef __cplusplus
}
#endif
#endif
