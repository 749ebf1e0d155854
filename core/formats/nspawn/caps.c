/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about the capabilities of a container of systemd-nspawn. */

#include "config.h"

#include <linux/capability.h>
#include <string.h>

#include "core/formats/nspawn/nspawn.h"
#include "core/util/cleanup.h"

#define CAP(name)	(UINT64_C(1) << CAP_##name)
#define CAPS_ALL	((UINT64_C(1) << (CAPABILITY_LAST + 1)) - 1)

/* What nspawn leaves when nothing is said, systemd-nspawn(1) --capability=. */
#define CAPS_DEFAULT	(CAP(AUDIT_CONTROL) | CAP(AUDIT_WRITE) | CAP(CHOWN) | CAP(DAC_OVERRIDE) | CAP(DAC_READ_SEARCH) | CAP(FOWNER) | \
			 CAP(FSETID) | CAP(IPC_OWNER) | CAP(KILL) | CAP(LEASE) | CAP(LINUX_IMMUTABLE) | CAP(MKNOD) | \
			 CAP(NET_BIND_SERVICE) | CAP(NET_BROADCAST) | CAP(NET_RAW) | CAP(SETFCAP) | CAP(SETGID) | CAP(SETPCAP) | \
			 CAP(SETUID) | CAP(SYS_ADMIN) | CAP(SYS_BOOT) | CAP(SYS_CHROOT) | CAP(SYS_NICE) | CAP(SYS_PTRACE) | \
			 CAP(SYS_RESOURCE) | CAP(SYS_TTY_CONFIG))

static int parse_caps(struct key_reader *in, const char *value, uint64_t *caps)
{
	_cleanup_(strv_freep) char **words = NULL;
	int r = nspawn_words(in, value, &words);

	for (size_t i = 0; words && words[i] && r == 0; i++) {
		int number = parse_capability(words[i]);

		if (strcmp(words[i], "all") == 0)
			*caps |= CAPS_ALL;
		else if (number < 0)
			r = key_fail(in, "must be capabilities such as CAP_CHOWN, or all, not '%.40s'", words[i]);
		else
			*caps |= UINT64_C(1) << number;
	}
	return r;
}

KEY_READER(nspawn_read_capability)
{
	struct nspawn_reader *reader = nspawn_of(in);
	uint64_t *caps = strcmp(key->name, "Capability") == 0 ? reader->add : reader->drop;
	int r = parse_caps(in, value, &caps[!nspawn_from_command(in->now)]);

	return r < 0 ? r : MRG_CARRIED;
}

KEY_READER(nspawn_read_ambient)
{
	struct nspawn_reader *reader = nspawn_of(in);
	int r = parse_caps(in, value, &reader->ambient);

	(void)key;
	if (r == 0 && reader->ambient == CAPS_ALL)
		return key_fail(in, "all is not supported");
	return r < 0 ? r : MRG_CARRIED;
}

static int set_caps(struct key_reader *in, enum mrg_field field, uint64_t caps)
{
	*(uint64_t *)member_at(&spec_fields[field].value, in->spec) = caps;
	mrg_fields_add(&in->spec->set, field);
	return 0;
}

/* Those of the command line, then those of the file: in each what is taken away wins. A network of its own brings NET_ADMIN; users
 * of its own without one make NET_BIND_SERVICE useless, and nspawn takes it away. */
int nspawn_finish_caps(struct key_reader *in)
{
	const struct nspawn_reader *reader = nspawn_of(in);
	bool private = nspawn_is_private(&reader->network), users = reader->users > USERS_NO && (reader->users != USERS_RANGE || reader->base);
	uint64_t caps = CAPS_DEFAULT | (private ? CAP(NET_ADMIN) : 0), given;

	for (size_t i = 0; i < ARRAY_SIZE(reader->add); i++)
		caps = (caps | reader->add[i]) & ~reader->drop[i];
	if (users && !private)
		caps &= ~CAP(NET_BIND_SERVICE);
	if (reader->ambient & ~caps)
		return key_fail_of(in, "AmbientCapability", "has capabilities the container does not have");
	if (reader->ambient && in->spec->boot)
		return key_fail_of(in, "AmbientCapability", "is of no use to a container that boots");
	given = nspawn_is_root(in->spec) ? caps : reader->ambient;
	set_caps(in, MRG_FIELD_CAP_BOUNDING, caps);
	set_caps(in, MRG_FIELD_CAP_EFFECTIVE, given);
	set_caps(in, MRG_FIELD_CAP_PERMITTED, given);
	set_caps(in, MRG_FIELD_CAP_INHERITABLE, given);
	return reader->ambient ? set_caps(in, MRG_FIELD_CAP_AMBIENT, reader->ambient) : 0;
}

static void write_list(struct key_writer *out, const char *name, uint64_t caps)
{
	const char *blank = "";

	if (!caps)
		return;
	buffer_addf(&out->b, "%s=", name);
	for (unsigned int i = 0; i <= CAPABILITY_LAST; i++)
		if (caps >> i & 1) {
			buffer_addf(&out->b, "%sCAP_%s", blank, capability_name(i));
			blank = " ";
		}
	buffer_addf(&out->b, "\n");
}

/* nspawn derives the other sets from the bounding one, or for other users than root from the ambient one. An inheritable set alone gives nothing:
 * a file must have the same capability as inheritable, and what it then gives is in the bounding set. */
static void report_derived(struct key_writer *out, unsigned int field, uint64_t asked, uint64_t given)
{
	if (!key_has(out, field))
		return;
	if (asked == given)
		key_report(out, field, MRG_CARRIED, "Capability", NULL);
	else
		key_report(out, field, field == MRG_FIELD_CAP_INHERITABLE ? MRG_APPROXIMATED : given & ~asked ? MRG_WEAKENS : MRG_DROPPED,
			   "Capability", "nspawn derives it from the bounding set");
}

/* All are said, so that what nspawn would add or leave by itself does not count. */
KEY_WRITER(nspawn_write_caps)
{
	const struct mrg_spec *spec = out->spec;
	uint64_t bounding = key_has(out, MRG_FIELD_CAP_BOUNDING) ? spec->cap_bounding : CAPS_DEFAULT, given;
	bool unbound = spec->ns_user && !nspawn_wants_private(spec) && bounding & CAP(NET_BIND_SERVICE);
	uint64_t ambient = spec->boot ? 0 : spec->cap_ambient & bounding;

	if (key_has(out, MRG_FIELD_CAP_BOUNDING)) {
		write_list(out, key->name, bounding);
		write_list(out, "DropCapability", CAPS_ALL & ~bounding);
		key_report(out, MRG_FIELD_CAP_BOUNDING, unbound ? MRG_APPROXIMATED : MRG_CARRIED, key->name,
			   "users of its own and the network of the host: nspawn takes NET_BIND_SERVICE away");
	}
	write_list(out, "AmbientCapability", ambient);
	if (key_has(out, MRG_FIELD_CAP_AMBIENT))
		key_report(out, MRG_FIELD_CAP_AMBIENT, ambient == spec->cap_ambient ? MRG_CARRIED : MRG_DROPPED, "AmbientCapability",
			   "of no use to a container that boots, or not in the bounding set");
	given = nspawn_is_root(spec) ? bounding : ambient;
	report_derived(out, MRG_FIELD_CAP_EFFECTIVE, spec->cap_effective, given);
	report_derived(out, MRG_FIELD_CAP_PERMITTED, spec->cap_permitted, given);
	report_derived(out, MRG_FIELD_CAP_INHERITABLE, spec->cap_inheritable, given);
}
