/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The words of .nspawn files and of command lines, as systemd 252 takes them apart. */

#include "config.h"

#include <errno.h>
#include <string.h>

#include "core/formats/nspawn/nspawn.h"
#include "core/util/cleanup.h"

int nspawn_word(const char **at, char **ret)
{
	struct buffer b = { 0 };
	char quote = '\0';

	*at += strspn(*at, UNIT_BLANKS);
	if (!**at)
		return 0;
	buffer_add(&b, "", 0);
	for (; **at && (quote || !strchr(UNIT_BLANKS, **at)); ++*at) {
		char c = **at;

		if (quote ? c == quote : c == '"' || c == '\'')
			quote = quote ? '\0' : c;
		else
			buffer_add(&b, &c, 1);
	}
	if (quote || b.failed) {
		buffer_deinit(&b);
		return quote ? -EINVAL : -ENOMEM;
	}
	*ret = b.text;
	return 1;
}

/* Quotes of the other kind go around quotes, so that a word may have both. */
void nspawn_quote(struct buffer *b, const char *word)
{
	if (*word && !word[strcspn(word, UNIT_BLANKS "\"'\\")]) {
		buffer_add(b, word, strlen(word));
		return;
	}
	do {
		size_t n = strcspn(word, "\"");
		const char *quote = n > 0 || !*word ? "\"" : "'";

		if (n == 0)
			n = strspn(word, "\"");
		buffer_add(b, quote, 1);
		buffer_add(b, word, n);
		buffer_add(b, quote, 1);
		word += n;
	} while (*word);
}

int nspawn_words(struct key_reader *in, const char *value, char ***ret)
{
	_cleanup_(strv_freep) char **words = NULL;
	_cleanup_free_ char *word = NULL;
	int r;

	while ((r = nspawn_word(&value, &word)) > 0) {
		if (strv_append(&words, word) < 0)
			return key_no_memory(in);
		free(take_ptr(word));
	}
	if (r < 0)
		return r == -ENOMEM ? key_no_memory(in) : key_fail(in, "has an open quote");
	*ret = take_ptr(words);
	return 0;
}

int nspawn_parts(struct key_reader *in, const char *value, size_t max, char ***ret)
{
	_cleanup_(strv_freep) char **parts = NULL;

	for (size_t n = 1;; n++) {
		struct buffer b = { 0 };
		int r;

		buffer_add(&b, "", 0);
		for (; *value && (*value != ':' || n == max); value++) {
			if (*value == '\\' && n < max && !*++value) {
				buffer_deinit(&b);
				return key_fail(in, "ends in a backslash");
			}
			buffer_add(&b, value, 1);
		}
		r = b.failed ? -ENOMEM : strv_append(&parts, b.text);
		buffer_deinit(&b);
		if (r < 0)
			return key_no_memory(in);
		if (!*value)
			break;
		value++;
	}
	*ret = take_ptr(parts);
	return 0;
}

void nspawn_escape(struct buffer *b, const char *part)
{
	for (; *part; part++)
		buffer_addf(b, "%s%c", *part == ':' || *part == '\\' ? "\\" : "", *part);
}

bool nspawn_literal(char *word)
{
	char *to = word;

	/* Nothing is changed unless all of it can be undone. */
	for (const char *c = word; *c; c++)
		if (*c == '%' || *c == '$') {
			if (c[1] != c[0])
				return false;
			c++;
		}
	for (const char *from = word; *from; from++) {
		from += *from == '%' || *from == '$';
		*to++ = *from;
	}
	*to = '\0';
	return true;
}

bool nspawn_line(struct buffer *b, const char *name, const char *value)
{
	if (!unit_is_plain(value))
		return false;
	buffer_addf(b, "%s=%s\n", name, value);
	return true;
}
