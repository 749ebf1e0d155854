/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A format in a module of another release: it must not be used. */

#include "core/formats/module.h"

extern const struct format_module FORMAT_MODULE;
const struct format_module FORMAT_MODULE = { "0.0.0", { .name = "libvirt" } };
