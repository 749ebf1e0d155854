/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

/* Text for humans and machines: what a container wrote never reaches a terminal raw. */

#include <stdint.h>
#include <stdio.h>

#include "core/util/str.h"

struct cli;

/* Adds @length bytes of @text with control characters, direction marks and bytes that are not UTF-8 spelled out (\x1b). @keep: control
 * characters to let through, "\n\t" say. */
void text_escape(struct buffer *b, const char *text, size_t length, const char *keep);

/* Writes @text, escaped when @file is a terminal. */
void text_print(FILE *file, const char *text);

/* The bytes of @text that take at most @width columns of a terminal in this locale; *ret_width: how many they take. */
size_t text_fit(const char *text, size_t width, size_t *ret_width);

/* Adds a JSON string; bytes that are not UTF-8 become U+FFFD. */
void json_text(struct buffer *b, const char *text, size_t length);

/* "12.3 MiB", "3 hours ago", "2m 5s", "2026-01-02T03:04:05.000000006Z". The buffers are large enough for any value. */
#define TEXT_SIZE 48
const char *text_size(char buffer[TEXT_SIZE], uint64_t bytes);
const char *text_ago(char buffer[TEXT_SIZE], int64_t ns);
const char *text_span(char buffer[TEXT_SIZE], uint64_t ns);
const char *text_time(char buffer[TEXT_SIZE], int64_t ns);

/* RFC 3339, "@SECONDS", or a span before now ("10m"): ns since the epoch. -EINVAL. */
int text_parse_time(const char *text, int64_t *ret);

/* "running", ... of enum mrg_state. */
const char *state_name(int state);

/* Escape sequences, empty unless @file gets colour. */
enum style { STYLE_NONE, STYLE_BOLD, STYLE_ERROR, STYLE_WARNING, STYLE_GOOD };
const char *style_of(const struct cli *cli, FILE *file, enum style style);

#endif
