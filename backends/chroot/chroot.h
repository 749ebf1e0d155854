/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BACKENDS_CHROOT_H
#define BACKENDS_CHROOT_H

/* What the files of the chroot backend share. */

#include <moorage/helper.h>

/* Verb explain. */
int chroot_explain(void *self, const struct mrg_unit *unit, mrg_explain_fn line, void *data, struct mrg_error *err);

#endif
