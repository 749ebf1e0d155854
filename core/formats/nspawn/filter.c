/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SystemCallFilter= of systemd-nspawn: names that are added to a list of its own, or taken away from it. */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/nspawn/nspawn.h"
#include "core/seccomp/library.h"
#include "core/util/cleanup.h"

/* No kernel has more in one table, those of "x32" apart. */
#define SYSCALLS_MAX	600
#define NAMES_MAX	2000

static bool is_name(const char *text)
{
	return *text && text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

/* Calls @found for the name of each system call of the architectures whose programs run here; false as soon as it returns false. */
static bool for_each_name(const struct seccomp_library *library, bool (*found)(const char *name, void *data), void *data)
{
	const uint32_t native = library->seccomp_arch_native(), arches[] = { native, seccomp_compat_arch(native) };

	for (size_t i = 0; i < ARRAY_SIZE(arches) && arches[i]; i++)
		for (int number = 0; number < SYSCALLS_MAX; number++) {
			_cleanup_free_ char *name = library->seccomp_syscall_resolve_num_arch(arches[i], number);

			if (name && !found(name, data))
				return false;
		}
	return true;
}

static bool is_listed(const char *name, void *data)
{
	const struct nspawn_reader *reader = data;

	return strv_contains(reader->allow, name) || strv_contains(reader->deny, name);
}

static bool all_names(char *const *words)
{
	for (; words && *words; words++)
		if (!is_name(*words))
			return false;
	return true;
}

/* Everything is allowed but for some; or nothing but some, when every other name there is was taken away; else nspawn's own list counts. */
static int judge(struct nspawn_reader *reader, enum nspawn_filter *ret)
{
	struct seccomp_library library;
	int r;

	*ret = FILTER_ADJUST;
	if (!reader->allow && !reader->deny)
		*ret = FILTER_NONE;
	if (*ret == FILTER_NONE || strv_length(reader->allow) > NAMES_MAX || strv_length(reader->deny) > NAMES_MAX || !all_names(reader->deny))
		return 0;
	if (strv_contains(reader->allow, "@known")) {
		*ret = FILTER_DENY;
		return 0;
	}
	if (!all_names(reader->allow))
		return 0;
	r = seccomp_library_open(&library, reader->unit.in.err);
	if (r == 0 && for_each_name(&library, is_listed, reader))
		*ret = FILTER_ALLOW;
	return r;
}

int nspawn_judge_filter(struct nspawn_reader *reader)
{
	struct key_reader *in = &reader->unit.in;
	int r = 0;

	for (size_t i = 0; i < reader->settings->n && r == 0; i++) {
		_cleanup_(strv_freep) char **words = NULL;
		const struct assignment *item = &reader->settings->item[i];
		bool deny = item->value[0] == '~';

		if (strcmp(item->key, "SystemCallFilter") != 0 || strcmp(item->section, "Exec") != 0 || nspawn_hidden(reader, item))
			continue;
		in->now = item;
		r = nspawn_words(in, item->value + deny, &words);
		for (size_t j = 0; words && words[j] && r == 0; j++)
			r = strv_append(deny ? &reader->deny : &reader->allow, words[j]);
		if (r == -ENOMEM)
			key_no_memory(in);
	}
	return r < 0 ? r : judge(reader, &reader->filter);
}

KEY_READER(nspawn_read_filter)
{
	const struct nspawn_reader *reader = nspawn_of(in);

	(void)key;
	if (!*value || reader->filter != FILTER_ADJUST)
		return MRG_CARRIED;
	in->note = "changes a list of nspawn's own; kept for it";
	return value[0] == '~' ? MRG_WEAKENS : MRG_DROPPED;
}

static int set_filter(struct key_reader *in, char *const *names, char *const *except, bool allow)
{
	struct mrg_seccomp *seccomp = mrg_spec_alloc(in->spec, sizeof(*seccomp));
	struct mrg_seccomp_syscall *call = mrg_spec_alloc(in->spec, sizeof(*call));
	int r = 0;

	if (!seccomp || !call)
		return key_no_memory(in);
	seccomp->default_action = allow ? "SCMP_ACT_ERRNO" : "SCMP_ACT_ALLOW";
	call->action = allow ? "SCMP_ACT_ALLOW" : "SCMP_ACT_ERRNO";
	for (; names && *names && r == 0; names++)
		if (!strv_contains(except, *names) && !strv_contains(call->names, *names))
			r = spec_strv_append(in->spec, &call->names, *names);
	/* A filter that lets everything pass is none. */
	if (r == 0 && !call->names && !allow)
		return mrg_spec_set(in->spec, MRG_FIELD_SECCOMP_PROFILE, "unconfined", in->err);
	seccomp->syscalls.item = call;
	seccomp->syscalls.n = call->names ? 1 : 0;
	in->spec->seccomp = seccomp;
	mrg_fields_add(&in->spec->set, MRG_FIELD_SECCOMP);
	return r < 0 ? key_no_memory(in) : 0;
}

/* nspawn's own list is nearest to the profiles that come with moorage. */
int nspawn_finish_filter(struct key_reader *in)
{
	const struct nspawn_reader *reader = nspawn_of(in);

	if (reader->filter == FILTER_DENY)
		return set_filter(in, reader->deny, NULL, false);
	if (reader->filter == FILTER_ALLOW)
		return set_filter(in, reader->allow, reader->deny, true);
	return mrg_spec_set(in->spec, MRG_FIELD_SECCOMP_PROFILE, in->spec->boot ? "boot" : "default", in->err);
}

/* ---- writing ------------------------------------------------------------------ */

static bool refuses(const char *action)
{
	return strcmp(action, "SCMP_ACT_ERRNO") == 0 || strncmp(action, "SCMP_ACT_KILL", 13) == 0;
}

/* Only lists without conditions can be said, all of which allow, or all of which refuse. */
static bool is_plain(const struct mrg_seccomp *seccomp, bool *allow)
{
	*allow = strcmp(seccomp->default_action, "SCMP_ACT_ALLOW") != 0;
	if ((*allow && !refuses(seccomp->default_action)) || seccomp->flags || seccomp->listener_path)
		return false;
	for (size_t i = 0; i < seccomp->syscalls.n; i++) {
		const struct mrg_seccomp_syscall *call = &seccomp->syscalls.item[i];

		if (call->args.n > 0 || !all_names(call->names) ||
		    (*allow ? strcmp(call->action, "SCMP_ACT_ALLOW") != 0 : !refuses(call->action)))
			return false;
	}
	return true;
}

/* nspawn refuses with EPERM. */
static bool is_exact(const struct mrg_seccomp *seccomp, bool allow)
{
	bool exact = !allow || strcmp(seccomp->default_action, "SCMP_ACT_ERRNO") == 0;

	exact &= !allow || seccomp->default_errno_ret == 0 || seccomp->default_errno_ret == EPERM;
	for (size_t i = 0; i < seccomp->syscalls.n && !allow; i++) {
		const struct mrg_seccomp_syscall *call = &seccomp->syscalls.item[i];

		exact &= strcmp(call->action, "SCMP_ACT_ERRNO") == 0 && (call->errno_ret == 0 || call->errno_ret == EPERM);
	}
	return exact;
}

static void write_names(struct key_writer *out, const char *start, const struct mrg_seccomp *seccomp)
{
	const char *blank = "";

	buffer_addf(&out->b, "SystemCallFilter=%s", start);
	for (size_t i = 0; i < seccomp->syscalls.n; i++)
		for (char *const *name = seccomp->syscalls.item[i].names; name && *name; name++) {
			buffer_addf(&out->b, "%s%s", blank, *name);
			blank = " ";
		}
	buffer_addf(&out->b, "\n");
}

static bool add_unlisted(const char *name, void *data)
{
	struct key_writer *out = data;
	const struct mrg_seccomp *seccomp = out->spec->seccomp;

	for (size_t i = 0; i < seccomp->syscalls.n; i++)
		if (strv_contains(seccomp->syscalls.item[i].names, name))
			return true;
	buffer_addf(&out->b, " %s", name);
	return true;
}

/* A list of what is allowed has to take away every other name: which ones nspawn allows by itself differs between its versions. */
static void write_seccomp(struct key_writer *out, const struct mrg_seccomp *seccomp)
{
	struct seccomp_library library;
	bool allow, names = false;

	/* Without libseccomp no other name is known, and nothing is said. */
	if (!is_plain(seccomp, &allow) || (allow && seccomp_library_open(&library, NULL) < 0))
		return;
	for (size_t i = 0; i < seccomp->syscalls.n; i++)
		names |= seccomp->syscalls.item[i].names != NULL;
	if (allow) {
		buffer_addf(&out->b, "SystemCallFilter=~");
		for_each_name(&library, add_unlisted, out);
		buffer_addf(&out->b, "\n");
		if (names)
			write_names(out, "", seccomp);
	} else {
		buffer_addf(&out->b, "SystemCallFilter=@known\n");
		if (names)
			write_names(out, "~", seccomp);
	}
	key_report(out, MRG_FIELD_SECCOMP, is_exact(seccomp, allow) ? MRG_CARRIED : MRG_APPROXIMATED, "SystemCallFilter",
		   "what is refused fails with EPERM");
}

KEY_WRITER(nspawn_write_filter)
{
	const struct mrg_spec *spec = out->spec;
	bool unconfined = spec->seccomp_profile && strcmp(spec->seccomp_profile, "unconfined") == 0;

	if (key_has(out, MRG_FIELD_SECCOMP))
		write_seccomp(out, spec->seccomp);
	else if (unconfined)
		key_line(out, key->name, "@known");
	if (key_has(out, MRG_FIELD_SECCOMP_PROFILE))
		key_report(out, MRG_FIELD_SECCOMP_PROFILE, unconfined ? MRG_CARRIED : MRG_APPROXIMATED, key->name,
			   "nspawn has a list of its own");
}
