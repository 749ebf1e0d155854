/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of unit files: lines, sections, quoting; systemd.syntax(7) and systemd.service(5). */

#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/formats/systemd/systemd.h"
#include "core/util/cleanup.h"
#include "core/util/utf8.h"

#define UNIT_MAX_SIZE	(1U << 20)
_Static_assert(ASSIGNMENTS_MAX == 4096, "the messages say so");
#define LINE_MAX_SIZE	(64U << 10)
#define NAME_CHARACTERS	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

static int line_fail(struct mrg_error *err, unsigned int line, const char *rule)
{
	return mrg_error_set(err, -MRG_E_INVALID, "line %u: %s", line, rule);
}

static char *strip(char *text)
{
	size_t length;

	text += strspn(text, " \t\r");
	length = strlen(text);
	while (length > 0 && strchr(" \t\r", text[length - 1]))
		text[--length] = '\0';
	return text;
}

/* Cuts one physical line off *at. */
static char *next_line(char **at, unsigned int *line)
{
	char *text = *at, *end;

	if (!*text)
		return NULL;
	end = text + strcspn(text, "\n");
	*at = *end ? end + 1 : end;
	*end = '\0';
	++*line;
	return strip(text);
}

static bool is_comment(const char *text)
{
	return *text == '#' || *text == ';';
}

/* Whether a line goes on in the next: it ends in a backslash that is not itself escaped by one. */
static bool goes_on(const char *text, const char *end)
{
	const char *last = end;

	while (last > text && last[-1] == '\\')
		last--;
	return (end - last) % 2 == 1;
}

/* A logical line at *ret, in place: lines that go on are joined, comments between them are skipped. 1, 0 at the end. */
static int next_logical(char **at, unsigned int *line, unsigned int *first, char **ret, struct mrg_error *err)
{
	char *text = next_line(at, line), *end, *more;

	*first = *line;
	if (!text)
		return 0;
	*ret = text;
	if (is_comment(text))
		return 1;
	end = text + strlen(text);
	while (goes_on(text, end)) {
		end[-1] = ' ';
		do
			more = next_line(at, line);
		while (more && is_comment(more));
		if (!more)
			return line_fail(err, *line, "the last line says that it goes on, and the file ends");
		memmove(end, more, strlen(more) + 1);
		end += strlen(end);
		if ((size_t)(end - text) > LINE_MAX_SIZE)
			return line_fail(err, *first, "longer than 64 KiB with what follows it");
	}
	return 1;
}

static int add_assignment(struct unit *unit, const char *section, char *text, unsigned int line, struct mrg_error *err)
{
	char *equals = strchr(text, '=');
	int r;

	if (!section)
		return line_fail(err, line, "stands before the first [Section]");
	if (!equals || equals == text)
		return line_fail(err, line, "is neither [Section], KEY=VALUE nor a comment");
	*equals = '\0';
	text = strip(text);
	if (text[strspn(text, NAME_CHARACTERS)])
		return line_fail(err, line, "has a key with other characters than letters, digits, '-' and '_'");
	r = assignments_add(&unit->list, &(struct assignment){ .section = section, .key = text, .value = strip(equals + 1),
							       .line = line });
	if (r == -E2BIG)
		return line_fail(err, line, "a unit has at most 4096 assignments");
	return r < 0 ? mrg_error_set(err, -ENOMEM, "out of memory") : 0;
}

static int split(struct unit *unit, struct mrg_error *err)
{
	const char *section = NULL;
	char *at = unit->text, *text;
	unsigned int line = 0, first;
	int r;

	while ((r = next_logical(&at, &line, &first, &text, err)) > 0) {
		size_t length;

		if (is_comment(text))
			continue;
		text = strip(text);
		length = strlen(text);
		if (length == 0)
			continue;
		if (text[0] == '[') {
			if (length < 3 || text[length - 1] != ']' || strspn(text + 1, NAME_CHARACTERS) != length - 2)
				return line_fail(err, first, "is no [Section]");
			text[length - 1] = '\0';
			section = text + 1;
			unit->has_section = true;
			continue;
		}
		r = add_assignment(unit, section, text, first, err);
		if (r < 0)
			return r;
	}
	return r;
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < ' ' && !strchr("\t\n\r", *text)) || *text == 0x7f ||
		    (*text == '\r' && text[1] != '\n'))
			return true;
	return false;
}

int unit_check(const char *text, size_t length, struct mrg_error *err)
{
	_cleanup_free_ char *copy = NULL;

	if (length > UNIT_MAX_SIZE)
		return mrg_error_set(err, -MRG_E_INVALID, "the unit is larger than 1 MiB");
	if (memchr(text, '\0', length))
		return mrg_error_set(err, -MRG_E_INVALID, "the unit has a NUL byte");
	copy = strndup(text, length);
	if (!copy)
		return mrg_error_set(err, -ENOMEM, "out of memory");
	if (has_control(copy))
		return mrg_error_set(err, -MRG_E_INVALID, "the unit has control characters");
	if (!utf8_is_valid(copy))
		return mrg_error_set(err, -MRG_E_INVALID, "the unit is not UTF-8");
	return 0;
}

int unit_parse(const char *text, size_t length, struct unit *ret, struct mrg_error *err)
{
	struct unit unit = { 0 };
	int r = unit_check(text, length, err);

	if (r < 0)
		return r;
	unit.text = strndup(text, length);
	r = unit.text ? split(&unit, err) : mrg_error_set(err, -ENOMEM, "out of memory");
	if (r == 0 && !unit.has_section)
		r = mrg_error_set(err, -MRG_E_INVALID, "the unit is empty");
	if (r < 0)
		unit_deinit(&unit);
	else
		*ret = unit;
	return r;
}

void unit_deinit(struct unit *unit)
{
	free(unit->list.item);
	free(unit->text);
	*unit = (struct unit){ 0 };
}

/* Reads up to @max digits of @base. */
static int read_digits(const char **at, unsigned int base, unsigned int max, uint32_t *ret)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t value = 0;

	for (unsigned int i = 0; i < max; i++, ++*at) {
		const char *digit = **at ? strchr(digits, tolower((unsigned char)**at)) : NULL;

		if (!digit || digit - digits >= (ptrdiff_t)base)
			return -EINVAL;
		value = value * base + (uint32_t)(digit - digits);
	}
	*ret = value;
	return 0;
}

/* Behind a backslash. */
static int read_escape(const char **at, struct buffer *b)
{
	static const char names[] = "abfnrtv\\\"'s;$: ", values[] = "\a\b\f\n\r\t\v\\\"' ;$: ";
	static const struct { char name; unsigned int digits; } codes[] = { { 'x', 2 }, { 'u', 4 }, { 'U', 8 } };
	const char *found = **at ? strchr(names, **at) : NULL;
	uint32_t code = 0;
	char bytes[4];

	if (found) {
		buffer_add(b, &values[found - names], 1);
		++*at;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (**at == codes[i].name) {
			++*at;
			if (read_digits(at, 16, codes[i].digits, &code) < 0 || code == 0 || code > 0x10ffff)
				return -EINVAL;
			if (codes[i].digits == 2) {
				bytes[0] = (char)code;
				buffer_add(b, bytes, 1);
			} else {
				buffer_add(b, bytes, utf8_encode(code, bytes));
			}
			return 0;
		}
	if (read_digits(at, 8, 3, &code) < 0 || code == 0 || code > 255)
		return -EINVAL;
	bytes[0] = (char)code;
	buffer_add(b, bytes, 1);
	return 0;
}

static int read_word(const char **at, const char *separators, struct buffer *b)
{
	char quote = '\0';

	buffer_add(b, "", 0);
	while (**at && (quote || !strchr(separators, **at))) {
		char c = *(*at)++;

		if (c == '\\') {
			if (read_escape(at, b) < 0)
				return -EINVAL;
		} else if (quote ? c == quote : c == '"' || c == '\'') {
			quote = quote ? '\0' : c;
		} else {
			buffer_add(b, &c, 1);
		}
	}
	return quote ? -EINVAL : 0;
}

int unit_part(const char **at, const char *separators, char **ret)
{
	struct buffer b = { 0 };
	int r = read_word(at, separators, &b);

	if (r == 0 && (b.failed || !utf8_is_valid(b.text)))
		r = b.failed ? -ENOMEM : -EINVAL;
	if (r < 0) {
		buffer_deinit(&b);
		return r;
	}
	*ret = b.text;
	return 0;
}

int unit_word(const char **at, char **ret)
{
	int r;

	*at += strspn(*at, UNIT_BLANKS);
	if (!**at)
		return 0;
	r = unit_part(at, UNIT_BLANKS, ret);
	return r < 0 ? r : 1;
}

const char *unit_undo(char *text)
{
	char *to = text;

	/* Nothing is changed on failure: the text is then kept as it was. */
	for (const char *c = text; *c; c++)
		if (*c == '%' && *++c != '%')
			return "has a specifier that only systemd can expand";
	for (const char *from = text; *from; from++) {
		from += *from == '%';
		*to++ = *from;
	}
	*to = '\0';
	return NULL;
}

void unit_quote(struct buffer *b, const char *word, const char *doubled)
{
	bool quotes = !*word || word[strcspn(word, UNIT_BLANKS "\"'\\;#:")] != '\0';

	if (quotes)
		buffer_add(b, "\"", 1);
	for (const char *c = word; *c; c++) {
		if (*c == '"' || *c == '\\')
			buffer_addf(b, "\\%c", *c);
		else if (strchr(doubled, *c))
			buffer_addf(b, "%c%c", *c, *c);
		else if ((unsigned char)*c < ' ' || *c == 0x7f)
			buffer_addf(b, "\\x%02x", (unsigned char)*c);
		else
			buffer_add(b, c, 1);
	}
	if (quotes)
		buffer_add(b, "\"", 1);
}

bool unit_is_plain(const char *text)
{
	size_t length = strlen(text);

	if (length == 0 || length > LINE_MAX_SIZE || strchr(" \t", text[0]) || strchr(" \t", text[length - 1]) ||
	    goes_on(text, text + length) || strpbrk(text, "\n\r") || has_control(text))
		return false;
	return utf8_is_valid(text);
}

bool unit_line(struct buffer *b, const char *name, const char *value)
{
	if (!unit_is_plain(value))
		return false;
	buffer_addf(b, "%s=", name);
	for (const char *c = value; *c; c++)
		buffer_addf(b, *c == '%' ? "%%%%" : "%c", *c);
	buffer_add(b, "\n", 1);
	return true;
}

/* A backslash at the end says that the line goes on: then it does, and the next one is empty. */
bool unit_verbatim(struct buffer *b, const char *name, const char *value)
{
	size_t length = strlen(value), body = length;
	bool more = goes_on(value, value + length);
	_cleanup_free_ char *plain = NULL;

	while (more && body > 0 && strchr(" \t\\", value[body - 1]))
		body--;
	plain = strndup(value, body);
	if (!plain) {
		b->failed = true;
		return false;
	}
	if (!unit_is_plain(name) || strpbrk(name, "=[]#; ") || (*plain && !unit_is_plain(plain)))
		return false;
	buffer_addf(b, "%s=%s%s\n", name, value, more ? " \\\n" : "");
	return true;
}

int unit_words(struct key_reader *in, const char *value, char ***ret)
{
	_cleanup_(strv_freep) char **words = NULL;
	_cleanup_free_ char *word = NULL;
	int r;

	while ((r = unit_word(&value, &word)) > 0) {
		const char *note = key_undo(in, word);

		if (note) {
			in->note = note;
			return 1;
		}
		if (strv_append(&words, word) < 0)
			return key_no_memory(in);
		free(take_ptr(word));
	}
	if (r < 0)
		return key_fail(in, "has an open quote or an unknown escape");
	*ret = take_ptr(words);
	return 0;
}

/* ---- times ------------------------------------------------------------------ */

/* How many microseconds the unit is that @text begins with, and how long its name; a number without one counts @unit. */
static uint64_t time_unit(const char *text, uint64_t unit, size_t *ret_length)
{
	static const struct { const char *names; uint64_t us; } units[] = {
		{ " us usec µs ", 1 },
		{ " ms msec ", 1000 },
		{ " s sec second seconds ", UNIT_SECOND },
		{ " m min minute minutes ", 60 * UNIT_SECOND },
		{ " h hr hour hours ", 3600 * UNIT_SECOND },
		{ " d day days ", 86400 * UNIT_SECOND },
		{ " w week weeks ", 7 * 86400 * UNIT_SECOND },
		{ " M month months ", 2629800 * UNIT_SECOND },
		{ " y year years ", 31557600 * UNIT_SECOND },
	};
	char name[16];

	*ret_length = strcspn(text, " \t0123456789.");
	if (*ret_length == 0)
		return unit;
	if (*ret_length > sizeof(name) - 3)
		return 0;
	snprintf(name, sizeof(name), " %.*s ", (int)*ret_length, text);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strstr(units[i].names, name))
			return units[i].us;
	return 0;
}

/* The digits behind the point of a number of @scale. */
static uint64_t time_fraction(const char **text, uint64_t scale)
{
	uint64_t value = 0;

	for (; isdigit((unsigned char)**text); (*text)++) {
		scale /= 10;
		value += (uint64_t)(**text - '0') * scale;
	}
	return value;
}

int unit_time(const char *text, uint64_t unit, uint64_t *ret)
{
	uint64_t total = 0;

	text += strspn(text, " \t");
	if (!*text)
		return -EINVAL;
	while (*text) {
		const char *fraction = NULL;
		uint64_t value = 0, scale;
		size_t length;

		if (!isdigit((unsigned char)*text))
			return -EINVAL;
		for (; isdigit((unsigned char)*text); text++)
			if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
				return -ERANGE;
		if (*text == '.') {
			fraction = ++text;
			text += strspn(text, "0123456789");
		}
		text += strspn(text, " \t");
		scale = time_unit(text, unit, &length);
		if (scale == 0 || (fraction && !isdigit((unsigned char)*fraction)))
			return -EINVAL;
		if (__builtin_mul_overflow(value, scale, &value) || __builtin_add_overflow(total, value, &total) ||
		    (fraction && __builtin_add_overflow(total, time_fraction(&fraction, scale), &total)))
			return -ERANGE;
		text += length;
		text += strspn(text, " \t");
	}
	*ret = total;
	return 0;
}
