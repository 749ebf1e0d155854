/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys that leave a session: sequences found over the borders of reads. */

#include "config.h"

#include <errno.h>
#include <string.h>

#include "cli/terminal.h"
#include "core/util/cleanup.h"

/* "x" or "ctrl-x". */
static int parse_key(const char *text, size_t length)
{
	char c;

	if (length == 1)
		return (unsigned char)*text;
	if (length != 6 || strncmp(text, "ctrl-", 5) != 0)
		return -EINVAL;
	c = text[5];
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 1;
	return c >= '@' && c <= '_' ? c - '@' : -EINVAL;
}

static int parse_sequence(const char *text, unsigned char *ret, size_t *ret_length)
{
	size_t n = 0;

	while (*text) {
		size_t length = strcspn(text, ",");
		int key = parse_key(text, length);

		if (key < 0 || n == DETACH_KEYS_MAX)
			return -EINVAL;
		ret[n++] = (unsigned char)key;
		text += length;
		if (*text == ',' && !*++text)
			return -EINVAL;
	}
	*ret_length = n;
	return 0;
}

int detach_parse(struct detach *ret, const char *text)
{
	static const char *const usual[] = { "ctrl-p,ctrl-q", "ctrl-],ctrl-],ctrl-]" };
	struct detach d = { .n_held = 0 };
	int r = 0;

	if (text)
		r = parse_sequence(text, d.sequence[0], &d.length[0]);
	for (size_t i = 0; !text && i < ARRAY_SIZE(usual); i++)
		parse_sequence(usual[i], d.sequence[i], &d.length[i]);
	if (r == 0)
		*ret = d;
	return r;
}

/* Whether what is held is the beginning of a sequence; *ret_whole: all of it. */
static bool is_begun(const struct detach *d, bool *ret_whole)
{
	for (size_t i = 0; i < ARRAY_SIZE(d->length); i++)
		if (d->n_held <= d->length[i] && memcmp(d->held, d->sequence[i], d->n_held) == 0) {
			*ret_whole = d->n_held == d->length[i];
			return true;
		}
	return false;
}

size_t detach_filter(struct detach *d, const unsigned char *data, size_t length, unsigned char *out, bool *ret_detach)
{
	size_t n = 0;

	*ret_detach = false;
	for (size_t i = 0; i < length; i++) {
		bool whole = false;

		d->held[d->n_held++] = data[i];
		while (d->n_held && !is_begun(d, &whole)) {
			out[n++] = d->held[0];
			memmove(d->held, d->held + 1, --d->n_held);
		}
		if (d->n_held && whole) {
			*ret_detach = true;
			return n;
		}
	}
	return n;
}
