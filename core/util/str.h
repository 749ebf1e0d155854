/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef UTIL_STR_H
#define UTIL_STR_H

/* Text: arrays of strings, growing buffers, strict parsers of what users type. Parsers return 0 or -EINVAL (-ERANGE when too large)
 * and take the whole string or nothing. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Most texts that differ do so in their first byte. */
static inline bool str_equal(const char *a, const char *b)
{
	return a[0] == b[0] && strcmp(a, b) == 0;
}

/* NULL-terminated arrays of strings, each allocated. A NULL array is an empty one. */
size_t strv_length(char *const *strv);
int strv_append(char ***strv, const char *text);
char **strv_free(char **strv);
static inline void strv_freep(char ***strv)
{
	strv_free(*strv);
}
bool strv_contains(char *const *strv, const char *text);

/* Many strings, which are not counted each time that one is added. @strv is one of the above. */
struct strings {
	char **strv;
	size_t n;
};
int strings_add(struct strings *strings, const char *text);
void strings_deinit(struct strings *strings);

/* In the order of strcmp(3), and whether one is among sorted ones. */
void strings_sort(struct strings *strings);
bool strings_find(const struct strings *sorted, const char *text);

/* A buffer that grows; @text is NUL-terminated, or NULL while nothing was added. Failure sticks: check @failed once at the end. */
struct buffer {
	char *text;
	size_t length, size;
	bool failed;
};
void buffer_add(struct buffer *b, const char *data, size_t length);
void buffer_addf(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_deinit(struct buffer *b);

/* Appends @why, one reason or some with "; " between them, to those told already, but for what is among them and what @size leaves no room for. */
void reason_add(char *reasons, size_t size, const char *why);

/* Decimal numbers without sign, blanks or leading "+". */
int parse_uint64(const char *text, uint64_t *ret);
int parse_uint32(const char *text, uint32_t *ret);
int parse_int64(const char *text, int64_t *ret);		/* a leading "-" is allowed */

/* "64M", "1.5G", "4096": bytes, units of 1024, suffix b k m g t, optionally followed by "i", "b" or "ib", any case. "max", "infinity", "unlimited" and "-1" give -1. */
int parse_size(const char *text, int64_t *ret);

/* "10", "1.5s", "2m", "1h30m", "500ms": milliseconds; a number alone is seconds. */
int parse_duration_ms(const char *text, int64_t *ret);

/* "yes", "true", "on", "1" and their opposites. */
int parse_bool(const char *text, bool *ret);

/* "TERM", "SIGTERM", "15", "RTMIN+3": 1-64, or -EINVAL. And the name back ("SIGTERM", "SIGRTMIN+3"). */
int parse_signal(const char *text);
const char *signal_name(int signo, char buffer[16]);

/* "CAP_SYS_ADMIN", "sys_admin": the number, or -EINVAL. And the name back
 * without prefix ("SYS_ADMIN"), NULL if unknown. Numbers of capabilities(7). */
int parse_capability(const char *text);
const char *capability_name(unsigned int number);
#define CAPABILITY_LAST	40

/* Container names: [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 63. */
bool name_is_valid(const char *name);

/* The nearest of @candidates (NULL-terminated) within edit distance 2, or NULL. */
const char *str_nearest(const char *text, const char *const *candidates);

#endif
