/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about capabilities. */

#include "config.h"

#include <string.h>

#include "core/formats/lxc/lxc.h"
#include "core/util/cleanup.h"

#define CAPS_ALL	((UINT64_C(1) << (CAPABILITY_LAST + 1)) - 1)

/* "chown" or a number; LXC knows no "CAP_" and no capitals. */
static int cap_number(const char *word)
{
	uint32_t number;

	if (lxc_number(word, &number) == 0)
		return number <= CAPABILITY_LAST ? (int)number : -EINVAL;
	return word[strspn(word, "abcdefghijklmnopqrstuvwxyz_")] || strncmp(word, "cap_", 4) == 0 ? -EINVAL : parse_capability(word);
}

KEY_READER(lxc_read_caps)
{
	struct lxc_reader *reader = lxc_of(in);
	bool keep = strcmp(key->name, "lxc.cap.keep") == 0;
	char *at = value, *word;

	while ((word = lxc_part(&at, LXC_BLANKS))) {
		int number = cap_number(word);

		if (keep && strcmp(word, "none") == 0)
			reader->cap_keep = 0;
		else if (number < 0)
			return key_fail(in, "must be capabilities such as sys_time, in small letters without 'cap_', not '%.40s'", word);
		else if (keep)
			reader->cap_keep |= UINT64_C(1) << number;
		else
			reader->cap_drop |= UINT64_C(1) << number;
		reader->have_keep |= keep;
		reader->have_drop |= !keep;
	}
	return key->verdict;
}

/* LXC takes away from the bounding set; what root then has follows from it. */
int lxc_finish_caps(struct key_reader *in)
{
	static const enum mrg_field fields[] = { MRG_FIELD_CAP_BOUNDING, MRG_FIELD_CAP_EFFECTIVE, MRG_FIELD_CAP_PERMITTED,
						 MRG_FIELD_CAP_INHERITABLE, MRG_FIELD_CAP_AMBIENT };
	struct lxc_reader *reader = lxc_of(in);
	struct mrg_spec *spec = in->spec;

	if (reader->have_keep && reader->have_drop)
		return key_fail_of(in, "lxc.cap.keep", "excludes lxc.cap.drop");
	spec->cap_bounding = reader->have_keep ? reader->cap_keep : CAPS_ALL & ~reader->cap_drop;
	spec->cap_effective = spec->cap_permitted = spec->cap_bounding;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		mrg_fields_add(&spec->set, fields[i]);
	return 0;
}

static void write_names(struct buffer *b, uint64_t caps)
{
	for (unsigned int i = 0; i <= CAPABILITY_LAST; i++) {
		if (!(caps >> i & 1))
			continue;
		buffer_addf(b, " ");
		for (const char *c = capability_name(i); *c; c++)
			buffer_addf(b, "%c", *c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
	}
}

static void report_derived(struct key_writer *out, unsigned int field, uint64_t caps, uint64_t given, const char *note)
{
	if (key_has(out, field))
		key_report(out, field, caps == given ? MRG_CARRIED : given & ~caps ? MRG_WEAKENS : MRG_DROPPED, "lxc.cap.drop", note);
}

/* Whichever list is shorter. */
KEY_WRITER(lxc_write_caps)
{
	const struct mrg_spec *spec = out->spec;
	uint64_t dropped = CAPS_ALL & ~spec->cap_bounding;
	bool keep = __builtin_popcountll(dropped) > __builtin_popcountll(spec->cap_bounding);

	if (key_has(out, MRG_FIELD_CAP_BOUNDING)) {
		buffer_addf(&out->b, "%s =", keep ? "lxc.cap.keep" : key->name);
		write_names(&out->b, keep ? spec->cap_bounding : dropped);
		buffer_addf(&out->b, "%s\n", keep && !spec->cap_bounding ? " none" : "");
		key_report(out, MRG_FIELD_CAP_BOUNDING, MRG_CARRIED, keep ? "lxc.cap.keep" : key->name, NULL);
		report_derived(out, MRG_FIELD_CAP_EFFECTIVE, spec->cap_effective, spec->cap_bounding, "LXC gives all of the bounding set");
		report_derived(out, MRG_FIELD_CAP_PERMITTED, spec->cap_permitted, spec->cap_bounding, "LXC gives all of the bounding set");
	}
	report_derived(out, MRG_FIELD_CAP_INHERITABLE, spec->cap_inheritable, 0, "LXC gives none");
	report_derived(out, MRG_FIELD_CAP_AMBIENT, spec->cap_ambient, 0, "LXC gives none");
}
