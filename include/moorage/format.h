/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOORAGE_FORMAT_H
#define MOORAGE_FORMAT_H

/*
 * Translations between a spec and the configuration of other systems, with a
 * report of what each key became. Used by conversion and by backends alike: what
 * a backend cannot honour is what its writer reports as lost.
 */

#include <stddef.h>
#include <moorage/error.h>
#include <moorage/spec.h>

#ifdef __cplusplus
extern "C" {
#endif

enum mrg_verdict { MRG_CARRIED, MRG_APPROXIMATED, MRG_DROPPED, MRG_WEAKENS };

/* One row of a conversion report. Strings valid during the call. */
struct mrg_report_row {
	int verdict;			/* enum mrg_verdict */
	int field;			/* enum mrg_field; -1: the source key has none */
	const char *source;		/* key of the source: JSON pointer or "Section.Key=" */
	unsigned int line;		/* of the source; 0: none */
	const char *target;		/* key of the target; NULL: none */
	const char *note;		/* one sentence; NULL: nothing to say */
};
typedef int (*mrg_report_fn)(const struct mrg_report_row *row, void *data);

/* Names of the formats, NULL-terminated, constant: "oci", "systemd", "lxc", "nspawn", "libvirt". One in a module is loaded when first
 * used: -MRG_E_NO_ENGINE when that is not installed. */
const char *const *mrg_format_names(void);

/* @text of @format to a spec, and a spec to text (the caller frees it). Every key of the input, or every field set in the spec, is reported exactly once;
 * @report may be NULL. No engine is needed, and no file is opened but those that a configuration of LXC includes. */
int mrg_format_read(const char *format, const char *text, size_t length, struct mrg_spec **ret,
		    mrg_report_fn report, void *data, struct mrg_error *err);
int mrg_format_write(const char *format, const struct mrg_spec *spec, char **ret,
		     mrg_report_fn report, void *data, struct mrg_error *err);

#ifdef __cplusplus
}
#endif
#endif
