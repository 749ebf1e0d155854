/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FORMATS_FORMAT_H
#define FORMATS_FORMAT_H

/* One row per format, and the reports that readers and writers give. */

#include <moorage/moorage.h>

struct report {
	mrg_report_fn fn;		/* may be NULL */
	void *data;
};

/* Passes one row on; what the callback returns. */
static inline int report_row(const struct report *report, const struct mrg_report_row *row)
{
	return report->fn ? report->fn(row, report->data) : 0;
}

struct format {
	const char *name;
	/* NULL: both are in a module (module.h). */
	int (*read)(const char *text, size_t length, struct mrg_spec *spec, const struct report *report,
		    struct mrg_error *err);
	/* NULL: it can only be read. */
	int (*write)(const struct mrg_spec *spec, char **ret, const struct report *report, struct mrg_error *err);
	/* The text of one container of several: everything else becomes blanks, so that lines stay what they were. NULL: a text has one. */
	int (*choose)(const char *text, size_t length, const char *container, char **ret, struct mrg_error *err);
};

/* The name of a format as a constant string; -MRG_E_INVALID when there is none. */
int format_name(const char *name, const char **ret, struct mrg_error *err);

/* The text of @container alone, as long as @text. */
int format_choose(const char *format, const char *text, size_t length, const char *container, char **ret, struct mrg_error *err);

extern const struct format format_oci, format_systemd, format_lxc, format_nspawn, format_docker, format_quadlet;

/* The directories that LXC merges to be the root of @spec, the topmost first, for strv_free(); NULL: its root is a directory, or it has none. */
int lxc_layers(const struct mrg_spec *spec, char ***ret, struct mrg_error *err);

/* Takes them out of what @spec keeps verbatim for LXC. */
int lxc_layers_forget(struct mrg_spec *spec, struct mrg_error *err);

/* Shares of the CPU are 1024 where the weights of cgroup v2 are 100. */
static inline uint64_t format_weight_of_shares(uint64_t shares)
{
	return (shares * 100 + 512) / 1024;
}

static inline uint64_t format_shares_of_weight(uint64_t weight)
{
	return (weight * 1024 + 50) / 100;
}

/* Fields that confine: losing one leaves the container weaker than was asked. */
int format_confines(unsigned int field);

#endif
