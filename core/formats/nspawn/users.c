/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about the users of a container of systemd-nspawn: one range, and who owns the files of the root. */

#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "core/formats/nspawn/nspawn.h"
#include "core/util/cleanup.h"

#define RANGE_DEFAULT	65536

/* "BASE[:RANGE]". */
static int read_range(struct key_reader *in, const char *value)
{
	struct nspawn_reader *reader = nspawn_of(in);
	_cleanup_free_ char *base = strndup(value, strcspn(value, ":"));
	const char *range = strchr(value, ':');

	if (!base)
		return key_no_memory(in);
	reader->range = RANGE_DEFAULT;
	if (parse_uint32(base, &reader->base) < 0 || (range && parse_uint32(range + 1, &reader->range) < 0))
		return key_fail(in, "must be yes, no, pick, identity or BASE:RANGE, not '%.40s'", value);
	if (reader->range == 0 || reader->base > UINT32_MAX - reader->range)
		return key_fail(in, "is a range that is empty or goes beyond 4294967294");
	reader->users = USERS_RANGE;
	return MRG_CARRIED;
}

/* On the command line numbers are no booleans. */
KEY_READER(nspawn_read_users)
{
	struct nspawn_reader *reader = nspawn_of(in);
	bool number = nspawn_from_command(in->now) && value[strspn(value, "0123456789")] == '\0', yes;

	(void)key;
	reader->users_command = nspawn_from_command(in->now);
	if (!number && parse_bool(value, &yes) == 0) {
		reader->users = yes ? USERS_OWNER : USERS_NO;
		in->keep = yes;
		in->note = "the range begins with the owner of the root, who is not known here";
		return yes ? MRG_APPROXIMATED : MRG_CARRIED;
	}
	if (strcmp(value, "pick") == 0) {
		reader->users = USERS_PICK;
		in->note = "the range is chosen at start";
		return MRG_APPROXIMATED;
	}
	return read_range(in, strcmp(value, "identity") == 0 ? "0:65536" : value);
}

KEY_READER(nspawn_read_ownership)
{
	static const char *const modes[] = { "off", "chown", "map", "auto" };
	bool known = false, yes;

	if (parse_bool(value, &yes) == 0)
		known = true;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		known |= strcmp(modes[i], value) == 0;
	if (!known)
		return key_fail(in, "must be off, chown, map or auto, not '%.40s'", value);
	nspawn_of(in)->owned = true;
	return key_lost(in, key, NULL);
}

KEY_READER(nspawn_read_chown)
{
	bool yes;

	if (parse_bool(value, &yes) < 0)
		return key_fail(in, "must be yes or no, not '%.40s'", value);
	nspawn_of(in)->owned = true;
	return key_lost(in, key, NULL);
}

/* Who owns the files, said alone, means that users are the host's. */
int nspawn_finish_users(struct key_reader *in)
{
	const struct nspawn_reader *reader = nspawn_of(in);
	struct mrg_id_mapping map = { 0, reader->base, reader->range };
	int r;

	if (reader->users <= USERS_NO)
		return 0;
	r = mrg_spec_set(in->spec, MRG_FIELD_NS_USER, "private", in->err);
	if (r == 0 && reader->users == USERS_RANGE)
		r = mrg_spec_add_uid_mapping(in->spec, &map, in->err);
	if (r == 0 && reader->users == USERS_RANGE)
		r = mrg_spec_add_gid_mapping(in->spec, &map, in->err);
	return r;
}

const struct mrg_id_mapping *nspawn_range(const struct mrg_spec *spec)
{
	const struct mrg_id_mapping *users = spec->uid_mappings.item, *groups = spec->gid_mappings.item;

	if (spec->uid_mappings.n != 1 || spec->gid_mappings.n != 1 || users->container_id != 0 ||
	    memcmp(users, groups, sizeof(*users)) != 0 || users->size == 0 || users->host_id > UINT32_MAX - users->size)
		return NULL;
	return users;
}

/* Both are always said: what is left out depends on where the other was. Moorage changes no owners of files. */
KEY_WRITER(nspawn_write_users)
{
	const struct mrg_spec *spec = out->spec;
	const struct mrg_id_mapping *range = nspawn_range(spec);
	bool mapped = spec->uid_mappings.n > 0 || spec->gid_mappings.n > 0, kept = nspawn_has_native(out, "Exec", key->name);

	if ((spec->ns_user && *spec->ns_user) || (spec->ns_user && mapped && !range)) {
		buffer_addf(&out->b, "%s=no\n", key->name);
		return;
	}
	if (!spec->ns_user)
		buffer_addf(&out->b, "%s=no\n", key->name);
	else if (range)
		buffer_addf(&out->b, "%s=%" PRIu32 ":%" PRIu32 "\n", key->name, range->host_id, range->size);
	else if (!kept)
		buffer_addf(&out->b, "%s=pick\n", key->name);
	if (key_has(out, MRG_FIELD_NS_USER))
		key_report(out, MRG_FIELD_NS_USER, MRG_CARRIED, key->name, NULL);
	if (key_has(out, MRG_FIELD_UID_MAPPINGS))
		key_report(out, MRG_FIELD_UID_MAPPINGS, MRG_CARRIED, key->name, NULL);
	if (key_has(out, MRG_FIELD_GID_MAPPINGS))
		key_report(out, MRG_FIELD_GID_MAPPINGS, MRG_CARRIED, key->name, NULL);
}

/* The files of the root belong to the same users inside, whatever the range: they are shown so, not changed. A layer that is thrown away cannot be shown so by
 * every kernel, and may be changed. */
KEY_WRITER(nspawn_write_ownership)
{
	const struct mrg_spec *spec = out->spec;
	bool mapped = spec->uid_mappings.n > 0 || spec->gid_mappings.n > 0, layer = spec->ephemeral && !spec->root_readonly;

	if (!spec->ns_user || *spec->ns_user || (mapped && !nspawn_range(spec)) || nspawn_has_native(out, "Files", key->name) ||
	    nspawn_has_native(out, "Files", "PrivateUsersChown"))
		return;
	buffer_addf(&out->b, "%s=%s\n", key->name, layer ? "auto" : "map");
}
