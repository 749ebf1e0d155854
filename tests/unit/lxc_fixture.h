/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LXC_FIXTURE_H
#define LXC_FIXTURE_H

/* Configurations of LXC for tests: read, written, and what the report says of their lines. */

#include "core/formats/lxc/lxc.h"
#include "core/util/str.h"
#include "tests/unit/spec_fixture.h"

/* A configuration that must be read; rows "LINE VERDICT SOURCE TARGET: NOTE" are added to @report, which may be NULL. */
struct mrg_spec *read_lxc(const char *text, struct buffer *report);

/* The same without opening files. */
struct mrg_spec *read_lxc_alone(const char *text, struct buffer *report);

/* The text of a spec, which must be written; the caller frees it. */
char *write_lxc(const struct mrg_spec *spec, struct buffer *report);

/* A configuration that must not be read, with this sentence. */
void assert_lxc_refused(const char *text, size_t length, const char *message);

/* The value of the field called @name as compact JSON, "" when it is not set; the caller frees it. */
char *lxc_field_text(const struct mrg_spec *spec, const char *name);

/* A spec read from @text is the same after it was written and read again. */
void assert_lxc_stable(const char *text);

#endif
