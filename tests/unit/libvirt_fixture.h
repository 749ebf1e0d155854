/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIBVIRT_FIXTURE_H
#define LIBVIRT_FIXTURE_H

/* Domains for tests: a small one that can be added to, read and written by the module of the build. */

#include "core/util/str.h"
#include "tests/unit/spec_fixture.h"

/* Makes the module of the build the one that is found. */
int libvirt_setup(void **state);

/* A domain with @xml put into the element @place ("os", "devices", "features"; "": the domain itself), on a line of its own, the second. The
 * caller frees it. */
char *domain_with(const char *place, const char *xml);

/* One line a row of the report: "LINE VERDICT SOURCE TARGET". */
int collect_rows(const struct mrg_report_row *row, void *data);

struct mrg_spec *read_domain(const char *text, struct buffer *report);
char *write_domain(const struct mrg_spec *spec, struct buffer *report);

/* Fails with the place where two specs begin to differ. */
void assert_same(const struct mrg_spec *a, const struct mrg_spec *b, const char *about);

/* Reading what is written gives the same spec. */
void assert_domain_stable(const struct mrg_spec *spec);

/* Text that must not be read, with this sentence. */
void assert_domain_refused(const char *text, size_t length, const char *message);

#endif
