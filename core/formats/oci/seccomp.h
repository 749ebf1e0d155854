/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FORMATS_OCI_SECCOMP_H
#define FORMATS_OCI_SECCOMP_H

/* The filters that come with moorage, spelled out as linux.seccomp. */

#include <moorage/moorage.h>

/* Replaces the profile's name in @spec by its rules. */
int oci_seccomp_expand(struct mrg_spec *spec, struct mrg_error *err);

/* What that loses. */
void oci_seccomp_report(const struct mrg_spec *spec, struct mrg_report_row *row);

#endif
