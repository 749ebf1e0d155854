/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arrays of strings and growing buffers. */

#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/util/cleanup.h"
#include "core/util/str.h"

size_t strv_length(char *const *strv)
{
	size_t n = 0;

	while (strv && strv[n])
		n++;
	return n;
}

int strv_append(char ***strv, const char *text)
{
	size_t n = strv_length(*strv);
	char **bigger = realloc(*strv, (n + 2) * sizeof(char *));

	if (!bigger)
		return -ENOMEM;
	*strv = bigger;
	bigger[n + 1] = NULL;
	bigger[n] = strdup(text);
	return bigger[n] ? 0 : -ENOMEM;
}

char **strv_free(char **strv)
{
	for (size_t i = 0; strv && strv[i]; i++)
		free(strv[i]);
	free(strv);
	return NULL;
}

bool strv_contains(char *const *strv, const char *text)
{
	for (size_t i = 0; strv && strv[i]; i++)
		if (str_equal(strv[i], text))
			return true;
	return false;
}

int strings_add(struct strings *strings, const char *text)
{
	_cleanup_free_ char *copy = strdup(text);

	/* With its NULL it is full at each power of two. */
	if (copy && (strings->n & (strings->n + 1)) == 0) {
		char **bigger = reallocarray(strings->strv, strings->n + 1, 2 * sizeof(char *));

		if (!bigger)
			return -ENOMEM;
		strings->strv = bigger;
	}
	if (!copy)
		return -ENOMEM;
	strings->strv[strings->n++] = take_ptr(copy);
	strings->strv[strings->n] = NULL;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strings_sort(struct strings *strings)
{
	if (strings->n > 0)
		qsort(strings->strv, strings->n, sizeof(char *), compare);
}

bool strings_find(const struct strings *sorted, const char *text)
{
	return sorted->n > 0 && bsearch(&text, sorted->strv, sorted->n, sizeof(char *), compare);
}

void strings_deinit(struct strings *strings)
{
	strv_free(strings->strv);
	*strings = (struct strings){ 0 };
}

/* Makes room for @length bytes more and a NUL. */
static bool reserve(struct buffer *b, size_t length)
{
	size_t size = (b->length + length + 1) * 2;
	char *bigger;

	if (b->failed || b->size - b->length > length)
		return !b->failed;
	bigger = realloc(b->text, size);
	if (!bigger) {
		b->failed = true;
		return false;
	}
	b->text = bigger;
	b->size = size;
	return true;
}

void buffer_add(struct buffer *b, const char *data, size_t length)
{
	if (!reserve(b, length))
		return;
	memcpy(b->text + b->length, data, length);
	b->length += length;
	b->text[b->length] = '\0';
}

void buffer_addf(struct buffer *b, const char *format, ...)
{
	va_list args, again;
	int n;

	if (!reserve(b, 0))
		return;
	va_start(args, format);
	va_copy(again, args);
	n = vsnprintf(b->text + b->length, b->size - b->length, format, args);
	if (n >= 0 && (size_t)n >= b->size - b->length) {
		b->text[b->length] = '\0';
		n = reserve(b, (size_t)n) ? vsnprintf(b->text + b->length, b->size - b->length, format, again) : -1;
	}
	va_end(again);
	va_end(args);
	if (n < 0)
		b->failed = true;
	else
		b->length += (size_t)n;
}

void buffer_deinit(struct buffer *b)
{
	free(b->text);
	*b = (struct buffer){ 0 };
}

void reason_add(char *reasons, size_t size, const char *why)
{
	while (*why) {
		size_t length = strlen(reasons), n = strcspn(why, ";");

		if (!memmem(reasons, length, why, n) && length + strlen("; ") + n < size)
			snprintf(reasons + length, size - length, "%s%.*s", length ? "; " : "", (int)n, why);
		why += n;
		why += strspn(why, "; ");
	}
}

bool name_is_valid(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");

	return length >= 1 && length <= 63 && name[length] == '\0' && !strchr("_.-", name[0]);
}

#define WORD_MAX	64

/* Edit distance, cut off at 3; two neighbours swapped are one mistake (optimal string alignment). */
static unsigned int edit_distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	unsigned int rows[3][WORD_MAX + 1];	/* one, the one before it, and that before both, in turn */

	if (n > WORD_MAX || m > WORD_MAX || (n > m ? n - m : m - n) > 2)
		return 3;
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned int *row = rows[i % 3];
		const unsigned int *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned int best = above[j - 1] + (a[i - 1] != b[j - 1]);

			best = above[j] + 1 < best ? above[j] + 1 : best;
			best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			row[j] = best;
		}
	}
	return rows[n % 3][m];
}

const char *str_nearest(const char *text, const char *const *candidates)
{
	const char *nearest = NULL;
	unsigned int best = 3;

	for (size_t i = 0; candidates[i]; i++) {
		unsigned int distance = edit_distance(text, candidates[i]);

		/* "x" is not a typo of "ls": at least half of the word must be right. */
		if (distance < best && distance * 2 <= strlen(text)) {
			best = distance;
			nearest = candidates[i];
		}
	}
	return nearest;
}
