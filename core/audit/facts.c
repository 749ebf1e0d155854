/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of facts. */

#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/audit/audit.h"
#include "core/util/str.h"
#include "core/util/utf8.h"

#define FACTS_MAX	8000		/* what a container can make more of is cut, and that is told in place of the last */

char *audit_clean(const char *text, size_t length)
{
	struct buffer b = { 0 };

	for (size_t at = 0, n; at < length; at += n) {
		n = utf8_sequence(text + at, length - at);
		if (n == 0 || (n == 1 && ((unsigned char)text[at] < ' ' || text[at] == 0x7f)) ||
		    (n == 2 && text[at] == '\xc2' && (unsigned char)text[at + 1] < 0xa0)) {
			n = n ? n : 1;
			for (size_t i = 0; i < n; i++)
				buffer_addf(&b, "\\x%02x", (unsigned char)text[at + i]);
		} else {
			buffer_add(&b, text + at, n);
		}
	}
	buffer_add(&b, "", 0);
	if (b.failed || !b.text) {
		buffer_deinit(&b);
		return b.failed ? NULL : strdup("");
	}
	return b.text;
}

static char *clean(const char *text)
{
	return audit_clean(text, strlen(text));
}

int audit_add_fact(struct mrg_audit *audit, const struct mrg_audit_fact *fact)
{
	struct mrg_audit_fact copy = {
		.check = clean(fact->check), .item = clean(fact->item), .value = clean(fact->value), .source = clean(fact->source),
		.exposure = fact->exposure,
	};
	struct mrg_audit_fact *facts = audit->facts;

	if (audit->n_facts % 64 == 0)
		facts = realloc(audit->facts, (audit->n_facts + 64) * sizeof(*facts));
	if (facts)
		audit->facts = facts;
	if (!facts || !copy.check || !copy.item || !copy.value || !copy.source) {
		free((char *)copy.check);
		free((char *)copy.item);
		free((char *)copy.value);
		free((char *)copy.source);
		return -ENOMEM;
	}
	facts[audit->n_facts++] = copy;
	return 0;
}

void audit_forget(struct mrg_audit *audit, size_t n)
{
	while (audit->n_facts > n) {
		struct mrg_audit_fact *fact = &audit->facts[--audit->n_facts];

		free((char *)fact->check);
		free((char *)fact->item);
		free((char *)fact->value);
		free((char *)fact->source);
	}
}

void audit_add(struct audit_reading *r, const char *check, const char *item, uint64_t exposure, const char *source, const char *format, ...)
{
	_cleanup_free_ char *value = NULL, *where = NULL;
	va_list args;
	int n;

	if (r->audit->n_facts > FACTS_MAX)
		return;
	if (r->audit->n_facts == FACTS_MAX) {
		check = "walk";
		item = "facts";
		exposure = 1;
	}
	va_start(args, format);
	n = vasprintf(&value, format, args);
	va_end(args);
	if (n < 0)
		value = NULL;
	if (source[0] == '/')
		where = strdup(source);
	else if (asprintf(&where, "/proc/%d/%s", (int)r->pid, source) < 0)
		where = NULL;
	if (!value || !where ||
	    audit_add_fact(r->audit, &(struct mrg_audit_fact){
		.check = check, .item = item, .value = value, .source = where, .exposure = exposure }) < 0)
		r->failed = true;
}
