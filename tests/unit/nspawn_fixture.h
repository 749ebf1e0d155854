/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef NSPAWN_FIXTURE_H
#define NSPAWN_FIXTURE_H

/* Texts of systemd-nspawn for tests. */

#include "core/util/str.h"
#include "tests/unit/spec_fixture.h"

/* Adds "LINE VERDICT SOURCE TARGET" to a struct buffer; fails when a loss has no note. */
int collect_row(const struct mrg_report_row *row, void *data);

/* Both must succeed. @report may be NULL. */
struct mrg_spec *read_nspawn(const char *text, struct buffer *report);
char *write_nspawn(const struct mrg_spec *spec, struct buffer *report);

/* What was read is the same after it was written and read again. */
void assert_nspawn_stable(const char *text);

#endif
