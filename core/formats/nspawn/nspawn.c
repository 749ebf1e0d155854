/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Containers of systemd-nspawn: one text that holds the .nspawn file, the drop-in of the unit and, in its ExecStart=, the command line. */

#include "config.h"

#include <errno.h>
#include <string.h>

#include "core/formats/nspawn/nspawn.h"
#include "core/util/cleanup.h"
#include "core/util/utf8.h"

/* systemd-nspawn@.service of systemd 252, as far as it reaches the container. A scope that nspawn makes itself has about the same. */
static const char unit_command[] = "systemd-nspawn --quiet --keep-unit --boot --link-journal=try-guest --network-veth -U --settings=override "
				   "--machine=%i";
static const char unit_text[] = "[Service]\nTimeoutStopSec=90s\nTasksMax=16384\nDevicePolicy=closed\nDeviceAllow=/dev/net/tun rwm\n"
				"DeviceAllow=char-pts rw\nDeviceAllow=/dev/loop-control rw\nDeviceAllow=block-loop rw\n";
/* --keep-unit, and nothing is known of the unit. */
static const char no_unit_text[] = "[Service]\nTimeoutStopSec=90s\n";

/* ---- which text hides what of the other ---------------------------------------------- */

/* Settings that hide each other's; others hide their like only. The first one stands for the group. */
static const struct {
	const char *key, *first;
} groups[] = {
	{ "ProcessTwo", "Boot" }, { "Parameters", "Boot" }, { "DropCapability", "Capability" }, { "AmbientCapability", "Capability" },
	{ "BindReadOnly", "Bind" }, { "TemporaryFileSystem", "Bind" }, { "Inaccessible", "Bind" }, { "Overlay", "Bind" },
	{ "OverlayReadOnly", "Bind" }, { "PrivateUsersOwnership", "PrivateUsers" }, { "PrivateUsersChown", "PrivateUsers" },
	{ "VirtualEthernet", "Private" }, { "VirtualEthernetExtra", "Private" }, { "Bridge", "Private" }, { "Zone", "Private" },
	{ "Interface", "Private" }, { "MACVLAN", "Private" }, { "IPVLAN", "Private" },
};

/* A number for the setting, -1 when it is none; keys of other sections are none. */
static int number_of(const char *section, const char *key)
{
	int n = 0;

	for (const struct key_table *table = nspawn_tables; strcmp(table->section, "Unit") != 0; table++)
		for (const struct key *row = table->keys; row->name; row++, n++)
			if (strcmp(row->name, key) == 0 && (!section || strcmp(table->section, section) == 0))
				return n < NSPAWN_SETTINGS_MAX ? n : -1;
	return -1;
}

/* The number of the first of its group. */
static int group_of(const struct assignment *item)
{
	if (number_of(item->section, item->key) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (strcmp(groups[i].key, item->key) == 0)
			return number_of(NULL, groups[i].first);
	return number_of(item->section, item->key);
}

static bool is_setting(const struct assignment *item)
{
	return strcmp(item->section, "Exec") == 0 || strcmp(item->section, "Files") == 0 || strcmp(item->section, "Network") == 0;
}

static void note_given(struct nspawn_reader *reader)
{
	for (size_t i = 0; i < reader->settings->n; i++) {
		const struct assignment *item = &reader->settings->item[i];
		int group = group_of(item);
		bool command = nspawn_from_command(item);

		/* In a file Parameters= does not count alone. */
		if (group >= 0 && *item->value && (command || strcmp(item->key, "Parameters") != 0))
			reader->given[!command][group] = true;
	}
}

const char *nspawn_hidden(const struct nspawn_reader *reader, const struct assignment *item)
{
	int group = group_of(item);
	bool command = nspawn_from_command(item);

	if (group < 0)
		return NULL;
	if (!command && reader->unread)
		return "--settings=no: the file is not read";
	if (!command && strcmp(item->key, "Parameters") == 0 && !reader->given[1][group])
		return "is ignored by nspawn unless Boot= or ProcessTwo= is there too";
	/* Capabilities of the file come on top of those of the command line. */
	if (command && reader->override && reader->given[1][group] && group != number_of("Exec", "Capability"))
		return "the file hides it";
	if (!command && !reader->override && reader->given[0][group])
		return "the command line hides it";
	return NULL;
}

static int judge(struct key_reader *in)
{
	const char *note;

	if (!is_setting(in->now) || group_of(in->now) < 0)
		return -1;
	note = !*in->now->value && !nspawn_can_be_empty(in->now->key) ? "an empty value has no effect here" :
	       nspawn_hidden(nspawn_of(in), in->now);
	if (!note)
		return -1;
	in->note = note;
	return MRG_APPROXIMATED;
}

/* ---- taking the text apart -------------------------------------------------------------- */

/* Whether the text is a command line: the first line that says something opens no section. */
static bool is_command(const char *text)
{
	for (;;) {
		text += strspn(text, UNIT_BLANKS);
		if (*text != '#' && *text != ';')
			return *text && *text != '[';
		text += strcspn(text, "\n");
	}
}

static int add_items(struct key_reader *in, struct nspawn_lists *texts, const struct assignments *list, bool made_up)
{
	for (size_t i = 0; i < list->n; i++) {
		struct assignment item = list->item[i];
		int r;

		if (made_up)
			item.line = 0;
		r = assignments_add(is_setting(&item) ? &texts->settings : &texts->unit, &item);
		if (r == -E2BIG)
			return mrg_error_set(in->err, -MRG_E_INVALID, "line %u: there are more than 4096 assignments", item.line);
		if (r < 0)
			return key_no_memory(in);
	}
	return 0;
}

/* The last ExecStart=, in *ret; NULL: there is none. */
static int find_command(struct key_reader *in, const struct assignments *list, const struct assignment **ret)
{
	*ret = NULL;
	for (size_t i = 0; i < list->n; i++) {
		const struct assignment *item = &list->item[i];

		if (strcmp(item->section, "Service") != 0 || strcmp(item->key, "ExecStart") != 0)
			continue;
		if (*item->value && *ret)
			return mrg_error_set(in->err, -MRG_E_INVALID, "line %u: ExecStart=: is there already; put an empty one in front",
					     item->line);
		*ret = *item->value ? item : NULL;
	}
	return 0;
}

/* A typed line, which may go on in the next. */
static int read_line(struct key_reader *in, struct nspawn_lists *texts, const char *text, size_t length)
{
	_cleanup_free_ char *line = strndup(text, length), *end;
	unsigned int number = 1;
	char *at = line;

	if (!line)
		return key_no_memory(in);
	for (;; at = end) {
		at += strspn(at, " \t\r\n");
		if (*at != '#' && *at != ';')
			break;
		end = at + strcspn(at, "\n");
	}
	for (const char *c = line; c < at; c++)
		number += *c == '\n';
	while ((end = strstr(at, "\\\n")))
		memset(end, ' ', 2);
	end = NULL;
	return nspawn_read_command(in, texts, at, number, false);
}

static bool has_option(const struct nspawn_lists *texts, const char *name)
{
	for (size_t i = 0; i < texts->command.n; i++)
		if (strcmp(texts->command.item[i].key, name) == 0)
			return true;
	return false;
}

/* ---- what was not said ------------------------------------------------------------------- */

static int add_implied(struct key_reader *in, struct assignments *list, const char *section, const char *key, const char *value)
{
	struct assignment item = { .section = section, .key = key, .value = mrg_spec_strdup(in->spec, value), .keep = true };

	return !item.value || assignments_add(list, &item) == -ENOMEM ? key_no_memory(in) : 0;
}

/* What was kept of the command line and cannot stand in a line of a file stays an option. */
static int keep_option(struct key_reader *in, struct assignments *list, struct assignment *item)
{
	bool property = strcmp(item->source, "--property") == 0;
	struct buffer b = { 0 };
	int r = 0;

	buffer_addf(&b, "%s%s", property ? item->key : "", property ? "=" : "");
	for (const char *c = item->value; *c; c++)
		buffer_addf(&b, *c == '%' && is_setting(item) ? "%%%%" : *c == '$' ? "$$" : "%c", *c);
	item->key = item->source;
	item->value = b.failed ? NULL : mrg_spec_strdup(in->spec, b.text);
	item->section = "";
	for (size_t i = 0; i < list->n; i++)
		if (!*list->item[i].section)
			item->section = list->item[i].section;
	if (!item->value)
		r = key_no_memory(in);
	buffer_deinit(&b);
	return r;
}

static int finish_options(struct key_reader *in, struct assignments *list)
{
	int r = 0;

	for (size_t i = 0; i < list->n && r == 0; i++) {
		struct assignment *item = &list->item[i];

		if (item->keep && item->source && *item->section && !unit_is_plain(item->value))
			r = keep_option(in, list, item);
	}
	return r;
}

/* What nspawn does to files of the root when nothing is said. Kept for it, as if it had been said. */
static int finish_implied(struct key_reader *in, struct assignments *list)
{
	static const char *const keys[] = { "ResolvConf", "Timezone", "LinkJournal" };
	const struct nspawn_reader *reader = nspawn_of(in);
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(keys) && r == 0; i++) {
		int group = number_of("Exec", keys[i]);
		bool given = reader->given[0][group] || (reader->given[1][group] && !reader->unread);

		if (!given && (i > 0 || !in->spec->ns_network))
			r = add_implied(in, list, "Exec", keys[i], "auto");
	}
	/* On the command line the files are shown with other owners, in a file they are changed. */
	if (r == 0 && reader->users > USERS_NO && !reader->owned)
		r = add_implied(in, list, "Files", "PrivateUsersOwnership",
				reader->users != USERS_PICK ? "off" : reader->users_command ? "auto" : "chown");
	return r;
}

static int finish_machine(struct key_reader *in, const struct nspawn_lists *texts)
{
	const char *machine = nspawn_of(in)->machine;
	struct buffer b = { 0 };
	int r = 0;

	if (!machine)
		return 0;
	if (!mrg_fields_has(&in->spec->set, MRG_FIELD_HOSTNAME))
		r = mrg_spec_set(in->spec, MRG_FIELD_HOSTNAME, machine, in->err);
	if (mrg_fields_has(&in->spec->set, MRG_FIELD_ROOT_PATH) || has_option(texts, "--image") || has_option(texts, "--oci-bundle") ||
	    has_option(texts, "--directory"))
		return r;
	buffer_addf(&b, "/var/lib/machines/%s", machine);
	if (r == 0)
		r = b.failed ? key_no_memory(in) : mrg_spec_set(in->spec, MRG_FIELD_ROOT_PATH, b.text, in->err);
	buffer_deinit(&b);
	return r;
}

static int finish_namespaces(struct key_reader *in)
{
	static const enum mrg_field namespaces[] = { MRG_FIELD_NS_PID, MRG_FIELD_NS_MOUNT, MRG_FIELD_NS_UTS, MRG_FIELD_NS_IPC,
						     MRG_FIELD_NS_CGROUP };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(namespaces) && r == 0; i++)
		r = mrg_spec_set(in->spec, namespaces[i], "private", in->err);
	return r;
}

/* No policy is said as one that allows everything: nothing said means that of the unit. */
static int finish_unit(struct key_reader *in)
{
	const struct mrg_device_rule all = { 1, "a", -1, -1, "rwm" };
	int r = unit_finish_devices(in);

	if (r == 0 && !mrg_fields_has(&in->spec->set, MRG_FIELD_DEVICE_RULES))
		r = mrg_spec_add_device_rule(in->spec, &all, in->err);
	if (r == 0 && !mrg_fields_has(&in->spec->set, MRG_FIELD_STOP_TIMEOUT))
		r = mrg_spec_set(in->spec, MRG_FIELD_STOP_TIMEOUT, "90", in->err);
	return r < 0 ? r : unit_finish_limits(in);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* --settings=: the file hides the command line, or the other way, or is not read. */
static int read_mode(struct nspawn_reader *reader, const struct nspawn_lists *texts)
{
	bool on;

	for (size_t i = 0; i < texts->command.n; i++) {
		const struct assignment *item = &texts->command.item[i];

		if (strcmp(item->key, "--settings") != 0)
			continue;
		reader->override = strcmp(item->value, "override") == 0;
		reader->unread = parse_bool(item->value, &on) == 0 && !on;
		if (!reader->override && strcmp(item->value, "trusted") != 0 && parse_bool(item->value, &on) < 0)
			return mrg_error_set(reader->unit.in.err, -MRG_E_INVALID,
					     "line %u: --settings: must be yes, no, override or trusted, not '%.40s'", item->line,
					     item->value);
	}
	return 0;
}

static int join(struct key_reader *in, struct assignments *list, const struct assignments *part)
{
	for (size_t i = 0; i < part->n; i++) {
		int r = assignments_add(list, &part->item[i]);

		if (r == -E2BIG)
			return mrg_error_set(in->err, -MRG_E_INVALID, "there are more than 4096 assignments and options");
		if (r < 0)
			return key_no_memory(in);
	}
	return 0;
}

/* Options first: others need the root. Each part is a piece of the list, so that what is kept of all is found there. */
static int read_parts(struct nspawn_reader *reader, struct nspawn_lists *texts, struct assignments *list)
{
	struct key_reader *in = &reader->unit.in;
	const struct {
		const struct assignments *part;
		const struct key_syntax *syntax;
	} parts[] = { { &texts->command, &nspawn_command_syntax }, { &texts->settings, &nspawn_settings_syntax },
		      { &texts->unit, &nspawn_unit_syntax } };
	size_t done = 0;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts) && r == 0; i++)
		r = join(in, list, parts[i].part);
	in->syntax = &nspawn_settings_syntax;
	if (r == 0)
		r = read_mode(reader, texts);
	if (r == 0) {
		note_given(reader);
		r = nspawn_judge_filter(reader);
	}
	for (size_t i = 0; i < ARRAY_SIZE(parts) && r == 0; done += parts[i++].part->n) {
		struct assignments piece = { list->item + done, parts[i].part->n };

		in->syntax = parts[i].syntax;
		if (piece.n > 0)
			r = keys_read(in, &piece);
	}
	return r;
}

static int read_all(struct nspawn_reader *reader, struct nspawn_lists *texts)
{
	static int (*const finish[])(struct key_reader *in) = { finish_namespaces, nspawn_finish_process, nspawn_finish_network,
								nspawn_finish_users, nspawn_finish_caps, nspawn_finish_filter,
								nspawn_finish_mounts, finish_unit };
	struct key_reader *in = &reader->unit.in;
	struct assignments list = { 0 };
	int r;

	reader->settings = &texts->settings;
	in->all = &list;
	r = read_parts(reader, texts, &list);
	if (r == 0)
		r = finish_machine(in, texts);
	for (size_t i = 0; i < ARRAY_SIZE(finish) && r == 0; i++)
		r = finish[i](in);
	if (r == 0)
		r = finish_options(in, &list);
	if (r == 0)
		r = finish_implied(in, &list);
	if (r == 0)
		r = keys_keep(in, &list);
	free(list.item);
	return r;
}

/* The three texts, and what the unit adds to them. */
static int take_apart(struct key_reader *in, const char *text, size_t length, struct unit units[2], struct nspawn_lists *texts)
{
	const struct assignment *command = NULL;
	bool typed = is_command(text);
	int r = typed ? unit_check(text, length, in->err) : unit_parse(text, length, &units[0], in->err);

	if (r == 0)
		r = find_command(in, &units[0].list, &command);
	if (r == 0 && typed)
		r = read_line(in, texts, text, length);
	else if (r == 0)
		r = nspawn_read_command(in, texts, command ? command->value : unit_command, command ? command->line : 0, true);
	if (r == 0) {
		const char *implied = typed && has_option(texts, "--keep-unit") ? no_unit_text : unit_text;

		r = unit_parse(implied, strlen(implied), &units[1], in->err);
	}
	if (r == 0)
		r = add_items(in, texts, &units[1].list, true);
	return r < 0 ? r : add_items(in, texts, &units[0].list, false);
}

static int nspawn_read(const char *text, size_t length, struct mrg_spec *spec, const struct report *report,
		       struct mrg_error *err)
{
	struct nspawn_reader reader = {
		.unit.in = { .spec = spec, .err = err, .report = report, .syntax = &nspawn_settings_syntax,
			     .tables = nspawn_tables, .judge = judge },
		.network = { .private = -1, .veth = -1 },
	};
	_cleanup_free_ char *copy = strndup(text, length);
	struct nspawn_lists texts = { 0 };
	struct unit units[2] = { { { NULL, 0 }, false, NULL }, { { NULL, 0 }, false, NULL } };
	int r = copy ? unit_check(text, length, err) : key_no_memory(&reader.unit.in);

	if (r == 0)
		r = take_apart(&reader.unit.in, copy, length, units, &texts);
	if (r == 0)
		r = read_all(&reader, &texts);
	strv_free(reader.allow);
	strv_free(reader.deny);
	free(texts.settings.item);
	free(texts.unit.item);
	free(texts.command.item);
	unit_deinit(&units[0]);
	unit_deinit(&units[1]);
	return r;
}

/* ---- writing ---------------------------------------------------------------------------------- */

static int nspawn_write(const struct mrg_spec *spec, char **ret, const struct report *report, struct mrg_error *err)
{
	struct mrg_nspawn_texts texts = { 0 };
	struct buffer b = { 0 };
	int r = nspawn_compose(spec, true, &texts, report, err);

	if (r != 0)
		return r;
	buffer_addf(&b, "# /etc/systemd/nspawn/NAME.nspawn\n%s\n", texts.settings);
	buffer_addf(&b, "# /etc/systemd/system/systemd-nspawn@NAME.service.d/moorage.conf\n%s", texts.dropin);
	mrg_helper_nspawn_free(&texts);
	if (b.failed) {
		buffer_deinit(&b);
		return mrg_error_set(err, -ENOMEM, "out of memory");
	}
	*ret = b.text;
	return 0;
}

const struct format format_nspawn = { .name = "nspawn", .read = nspawn_read, .write = nspawn_write };
