/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SPEC_FIXTURE_H
#define SPEC_FIXTURE_H

/* Specs for tests: parsed, expected to fail, made at random from the table itself. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <moorage/moorage.h>

#include "core/util/str.h"

/* A spec from JSON that must parse. */
struct mrg_spec *spec_of(const char *json);

/* JSON that must not parse, with this sentence. */
void assert_refused(const char *json, const char *message);

/* The text of a spec; the caller frees it. */
char *text_of(const struct mrg_spec *spec);

/* Whether two specs have the same values, member by member, by the table. */
int same_specs(const struct mrg_spec *a, const struct mrg_spec *b);

/* A spec of random fields with random values the table allows; the same seed gives the same. */
struct mrg_spec *random_spec(unsigned int seed);

/* Of random specs each field that is set has one line in the report of @write. */
void assert_reported_once(char *(*write)(const struct mrg_spec *spec, struct buffer *report));

/* Cut anywhere, a text of @format is read or refused with a reason. */
void assert_survives_cuts(const char *format, const char *text, size_t length);

#endif
