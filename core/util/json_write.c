/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing JSON text: strings, and the blanks between tokens. */

#include "config.h"

#include <errno.h>
#include <string.h>

#include "core/util/json.h"
#include "core/util/utf8.h"

static bool needs_escape(unsigned char c)
{
	return c < ' ' || c == '"' || c == '\\' || c == 0x7f;
}

static void escape(struct buffer *b, char c)
{
	static const char names[] = "\"\\bfnrt", values[] = "\"\\\b\f\n\r\t";
	const char *special = strchr(values, c);

	if (special)
		buffer_addf(b, "\\%c", names[special - values]);
	else
		buffer_addf(b, "\\u%04x", (unsigned char)c);
}

int json_quote(struct buffer *b, const char *text)
{
	if (!utf8_is_valid(text))
		return -EILSEQ;
	buffer_add(b, "\"", 1);
	for (const char *plain = text;; text++)
		if (needs_escape((unsigned char)*text)) {
			buffer_add(b, plain, (size_t)(text - plain));
			if (!*text)
				break;
			escape(b, *text);
			plain = text + 1;
		}
	buffer_add(b, "\"", 1);
	return 0;
}

/* The bytes of the token at @text: a whole string, else one character. */
static size_t token_length(const char *text, size_t left)
{
	size_t n = 1;

	if (text[0] != '"')
		return 1;
	while (n < left && text[n] != '"')
		n += text[n] == '\\' ? 2 : 1;
	return n < left ? n + 1 : left;
}

void json_compact(struct buffer *b, const char *text, size_t length)
{
	for (size_t at = 0, n; at < length; at += n) {
		n = token_length(text + at, length - at);
		if (!strchr(" \t\r\n", text[at]))
			buffer_add(b, text + at, n);
	}
}

static void new_line(struct buffer *b, unsigned int spaces)
{
	buffer_addf(b, "\n%*s", (int)spaces, "");
}

void json_indent(struct buffer *b, const char *text, unsigned int indent)
{
	size_t length = strlen(text);
	unsigned int level = 0;

	for (size_t at = 0, n; at < length; at += n) {
		n = token_length(text + at, length - at);
		if (strchr("}]", text[at]) && !strchr("{[", text[at - 1]))
			new_line(b, --level * indent);
		else if (strchr("}]", text[at]))
			level--;
		buffer_add(b, text + at, n);
		if (strchr("{[", text[at])) {
			level++;
			if (!strchr("}]", text[at + 1]))
				new_line(b, level * indent);
		} else if (text[at] == ',') {
			new_line(b, level * indent);
		} else if (text[at] == ':') {
			buffer_add(b, " ", 1);
		}
	}
}
