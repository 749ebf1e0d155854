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
	const char *source;		/* key of the source: JSON pointer or "Section.Key="; NULL in a conversion: no key says it */
	unsigned int line;		/* of the source; 0: none */
	const char *target;		/* key of the target; NULL: none */
	const char *note;		/* one sentence; NULL: nothing to say */
};
typedef int (*mrg_report_fn)(const struct mrg_report_row *row, void *data);

/* Names of the formats, NULL-terminated, constant: "oci", "systemd", "lxc", "nspawn", "libvirt", "docker" (what docker inspect and podman
 * inspect print: read only) and "quadlet". One in a module is loaded when first used: -MRG_E_NO_ENGINE when that is not installed. */
const char *const *mrg_format_names(void);

/* @text of @format to a spec, and a spec to text (the caller frees it). Every key of the input, or every field set in the spec, is reported exactly once;
 * @report may be NULL. No engine is needed, and no file is opened but those that a configuration of LXC includes. */
int mrg_format_read(const char *format, const char *text, size_t length, struct mrg_spec **ret,
		    mrg_report_fn report, void *data, struct mrg_error *err);
int mrg_format_write(const char *format, const struct mrg_spec *spec, char **ret,
		     mrg_report_fn report, void *data, struct mrg_error *err);

/* The format that @text is of, by its content: a constant string. -MRG_E_INVALID when it may be several or none. */
int mrg_format_guess(const char *text, size_t length, const char **ret, struct mrg_error *err);

/* ---- from one format to another -------------------------------------------------------- */

struct mrg_convert {
	const char *from, *to;		/* formats; @from NULL: guessed */
	const char *text;
	size_t length;
	const char *name;		/* which container, of a text that has several; NULL: there is one */
};

/* What was made of a configuration. */
struct mrg_conversion {
	const char *from, *to;		/* names of the formats */
	const struct mrg_spec *spec;
	const char *text;		/* in the format @to */
	/* Every key of the source exactly once, in its order, with what became of it: @source, @line, @field, @target. Then, without
	 * @source, what the source format means by saying nothing and the target says or loses. */
	const struct mrg_report_row *rows;
	size_t n_rows;
};

/* Converts. Nothing is refused here but what cannot be read: mrg_conversion_check() tells whether the result may be used. */
int mrg_convert(const struct mrg_convert *convert, struct mrg_conversion **ret, struct mrg_error *err);
struct mrg_conversion *mrg_conversion_free(struct mrg_conversion *conversion);

enum { MRG_CONVERT_STRICT = 1 << 0 };	/* what is dropped is refused like what weakens */

/* 0: everything was carried or approximated; 1: something was dropped; -MRG_E_UNSUPPORTED: something weakens security. What @accept names
 * (NULL-terminated, may be NULL) by source key, field name or path, or "all", does not count; -MRG_E_INVALID: it names what is not there. */
int mrg_conversion_check(const struct mrg_conversion *conversion, unsigned int flags, const char *const *accept, struct mrg_error *err);

#ifdef __cplusplus
}
#endif
#endif
