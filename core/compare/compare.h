/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_COMPARE_COMPARE_H
#define CORE_COMPARE_COMPARE_H

/* Measuring: the same root and the same program on every backend, in turn. */

#include <moorage/moorage.h>

#include "core/compare/report.h"

struct compare_options {
	char *const *backends;		/* NULL-terminated */
	char *const *tools;		/* raw tools beside them; NULL: none */
	const char *root;		/* a directory, "host", or NULL: a root with nothing in it, made for the time of the comparison */
	unsigned int runs;
	void (*progress)(const char *what, void *data);	/* may be NULL: a part of the comparison begins */
	void *data;
};

#define COMPARE_RUNS	20
#define COMPARE_LABEL	"moorage.compare"

/* Measures. Backends and tools that are not usable are in the report, with the reason. SIGINT, SIGTERM and SIGHUP must be blocked: when one comes all is
 * removed and -EINTR returned. What a killed comparison has left is removed first. */
int compare_measure(struct mrg *m, const struct compare_options *options, struct compare_report **ret, struct mrg_error *err);

/* The raw tools that there are, NULL at the end. */
extern const char *const compare_tools[];

#endif
