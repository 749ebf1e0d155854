/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of words in one text, with blanks between them. */

#include "config.h"

#include <string.h>

#include "cli/cli.h"

const char *word_next(const char **words, size_t *ret)
{
	const char *word;

	if (!*words)
		return NULL;
	word = *words + strspn(*words, " ");
	*ret = strcspn(word, " ");
	*words = word + *ret;
	return *ret ? word : NULL;
}

bool word_in(const char *words, const char *word)
{
	size_t length, n = strlen(word);

	for (const char *at; (at = word_next(&words, &length));)
		if (length == n && memcmp(at, word, n) == 0)
			return true;
	return false;
}

const struct known_word *known_word_find(const struct known_word *words, const char *name)
{
	for (; words->name; words++)
		if (word_in(words->name, name))
			return words;
	return NULL;
}
