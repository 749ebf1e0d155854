/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a spec asks for against what a backend can: the refusal, and the dropping on request. */

#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cgroup/user.h"
#include "core/container/internal.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/str.h"

#define NAMED_MAX	6		/* fields named in one sentence */

size_t fields_missing(const struct mrg_spec *spec, const struct mrg_fields *able, struct mrg_fields *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < MRG_FIELDS_WORDS; i++) {
		ret->word[i] = spec->set.word[i] & ~able->word[i];
		n += (size_t)__builtin_popcountll(ret->word[i]);
	}
	return n;
}

static const char *field_name(unsigned int field)
{
	const struct mrg_field_info *info = mrg_field_info(field);

	return info ? info->name : "?";
}

static void list_fields(struct buffer *b, const struct mrg_fields *fields)
{
	size_t named = 0, more = 0;

	for (unsigned int field = 0; field < MRG_FIELD_MAX; field++) {
		if (!mrg_fields_has(fields, field))
			continue;
		if (named == NAMED_MAX) {
			more++;
			continue;
		}
		buffer_addf(b, "%s%s", named++ ? ", " : "", field_name(field));
	}
	if (more)
		buffer_addf(b, " and %zu more", more);
}

/* Names the other installed backends that can do the whole spec. One that does not load or probe is passed over. */
static void list_able(struct buffer *b, struct mrg *m, const struct plugin *except, const struct mrg_spec *spec)
{
	_cleanup_(strv_freep) char **names = NULL;
	_cleanup_(strv_freep) char **able = NULL;
	size_t n;

	if (mrg_backend_names(m, &names, NULL) < 0)
		return;
	for (size_t i = 0; names[i]; i++) {
		struct mrg_probe probe;
		struct mrg_fields missing;
		struct plugin *p;

		if (strcmp(names[i], except->table.name) == 0 || registry_load(m, names[i], &p, NULL) < 0 ||
		    backend_probe(p, &probe, NULL) < 0 || fields_missing(spec, &probe.fields, &missing) > 0)
			continue;
		if (strv_append(&able, names[i]) < 0)
			return;
	}
	n = strv_length(able);
	for (size_t i = 0; i < n; i++)
		buffer_addf(b, "%s%s", i == 0 ? "; " : i + 1 < n ? ", " : " and ", able[i]);
	if (n)
		buffer_addf(b, " can");
	else
		buffer_addf(b, "; no other installed backend can");
}

int fields_refuse(struct mrg *m, struct plugin *p, const struct mrg_probe *probe, const struct mrg_spec *spec,
		  const struct mrg_fields *missing, struct mrg_error *err)
{
	struct buffer b = { 0 };
	bool in_principle = true;

	for (size_t i = 0; i < MRG_FIELDS_WORDS; i++)
		in_principle &= (missing->word[i] & ~p->fields.word[i]) == 0;
	buffer_addf(&b, "backend '%s' cannot do ", p->table.name);
	list_fields(&b, missing);
	if (in_principle)
		buffer_addf(&b, " here%s%s", probe->reason[0] ? ": " : "", probe->reason);
	list_able(&b, m, p, spec);
	mrg_error_set(err, -MRG_E_UNSUPPORTED, "%s", b.text ? b.text : "the backend cannot do what the spec asks for");
	buffer_deinit(&b);
	if (in_principle && geteuid() != 0)
		cgroup_user_hint(missing, err);
	return -MRG_E_UNSUPPORTED;
}

int fields_drop(const struct mrg_spec *spec, const struct mrg_fields *dropped, struct mrg_spec **ret,
		struct mrg_error *err)
{
	/* Only fields that are set are copied, so the others are zeroed as well. This copy is shallow: it is read only, and the arena stays the
	 * original's. */
	struct mrg_spec kept = *spec;

	for (size_t i = 0; i < MRG_FIELDS_WORDS; i++)
		kept.set.word[i] &= ~dropped->word[i];
	return mrg_spec_copy(&kept, ret, err);
}

/* ---- options -------------------------------------------------------------------------------- */

static bool in_enumeration(const char *words, const char *value)
{
	size_t length = strlen(value);

	for (const char *word = words; length > 0; word++) {
		size_t n = strcspn(word, "|");

		if (n == length && strncmp(word, value, n) == 0)
			return true;
		word += n;
		if (!*word)
			break;
	}
	return false;
}

static int check_value(const struct mrg_option *option, const char *value, struct mrg_error *err)
{
	uint64_t number;
	bool flag, good = true;

	if (strcmp(option->values, "bool") == 0)
		good = parse_bool(value, &flag) == 0;
	else if (strcmp(option->values, "uint") == 0)
		good = parse_uint64(value, &number) == 0;
	else if (strncmp(option->values, "enum:", 5) == 0)
		good = in_enumeration(option->values + 5, value);
	if (good)
		return 0;
	return mrg_error_set(err, -MRG_E_INVALID, "option '%s': '%s' is not of type %s", option->key, value,
			     option->values);
}

static int check_option(struct plugin *p, const char *text, struct mrg_error *err)
{
	size_t length = strcspn(text, "=");

	if (text[length] != '=')
		return mrg_error_set(err, -MRG_E_INVALID, "option '%s' is not of the form KEY=VALUE", text);
	for (const struct mrg_option *option = p->table.options; option && option->key; option++)
		if (strlen(option->key) == length && strncmp(option->key, text, length) == 0)
			return check_value(option, text + length + 1, err);
	mrg_error_set(err, -MRG_E_INVALID, "backend '%s' has no option '%.*s'", p->table.name, (int)length, text);
	mrg_error_hint(err, "see: moorage help backend %s", p->table.name);
	return -MRG_E_INVALID;
}

int options_check(struct plugin *p, const struct mrg_spec *spec, struct mrg_error *err)
{
	for (size_t i = 0; spec->options && spec->options[i]; i++) {
		int r = check_option(p, spec->options[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}
