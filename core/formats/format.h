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
	int (*read)(const char *text, size_t length, struct mrg_spec *spec, const struct report *report,
		    struct mrg_error *err);
	int (*write)(const struct mrg_spec *spec, char **ret, const struct report *report, struct mrg_error *err);
};

extern const struct format format_nspawn, format_oci, format_systemd;

/* Fields that confine: losing one leaves the container weaker than was asked. */
int format_confines(unsigned int field);

#endif
