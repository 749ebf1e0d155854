/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIVE_CHANGE_H
#define LIVE_CHANGE_H

/* A change as a line of JSON, and back. */

#include <moorage/events.h>

#include "core/util/json.h"
#include "core/util/str.h"

/* Adds the line without its break. */
void change_emit(struct buffer *b, const struct mrg_change *change);

/* Reads one; strings of *ret point into *ret_json, which the caller frees also after a failure. -EPROTO: it is none. */
int change_parse(const char *line, size_t length, struct mrg_change *ret, struct json **ret_json);

#endif
