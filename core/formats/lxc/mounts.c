/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about mounts, reading: entries of a table of mounts, and those that LXC makes by itself. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/lxc/mounts.h"
#include "core/util/cleanup.h"
#include "core/util/path.h"

/* ---- keys that stand for a mount --------------------------------------------------------------- */

KEY_READER(lxc_read_autodev)
{
	uint32_t number = 0;

	if (*value && (lxc_number(value, &number) < 0 || number > 1))
		return key_fail(in, "must be 0 or 1, not '%.40s'", value);
	lxc_of(in)->autodev = number;
	return key->verdict;
}

/* What is no number counts as the usual size. */
KEY_READER(lxc_read_dev_size)
{
	uint32_t size;

	if (*value && lxc_number(value, &size) == 0)
		lxc_of(in)->dev_size = size;
	return key->verdict;
}

KEY_READER(lxc_read_ptys)
{
	if (*value && lxc_number(value, &lxc_of(in)->ptys) < 0)
		return key_fail(in, "must be a number, not '%.40s'", value);
	return key->verdict;
}

/* Its lines are entries by now. */
KEY_READER(lxc_read_fstab_key)
{
	const struct lxc_config *config = lxc_of(in)->config;

	if (!*value)
		return key_fail(in, "must not be empty");
	if (!config->options->keep_includes && value[0] == '/' && config->fstab)
		return MRG_CARRIED;
	return key_lost(in, key, config->options->keep_includes ? "the file is not opened" : "there is no such file, or no absolute path");
}

/* ---- lxc.mount.auto ------------------------------------------------------------------------------ */

struct automatic {
	bool proc, proc_readonly, sys, sys_readonly, cgroup, cgroup_readonly;
};

static const char note_proc[] = "with CAP_NET_ADMIN LXC leaves /proc/sys/net writable";
static const char note_sys[] = "LXC leaves /sys/devices/virtual/net writable";
static const char note_cgroup[] = "LXC mounts cgroups only without a cgroup namespace: a system inside mounts its own";
static const char note_forced[] = "the cgroup of the container, without those above it";

/* @cgroup: 'n' does nothing as long as there is a cgroup namespace. */
static const struct token {
	const char *name;
	char proc, sys, cgroup;		/* 'r' read-only, 'w' writable; 0: says nothing of it */
	int verdict;
	const char *note;
} tokens[] = {
	{ "proc", 'r', 0, 0, MRG_APPROXIMATED, note_proc },
	{ "proc:mixed", 'r', 0, 0, MRG_APPROXIMATED, note_proc },
	{ "proc:rw", 'w', 0, 0, MRG_CARRIED, NULL },
	{ "sys", 0, 'r', 0, MRG_APPROXIMATED, note_sys },
	{ "sys:mixed", 0, 'r', 0, MRG_APPROXIMATED, note_sys },
	{ "sys:ro", 0, 'r', 0, MRG_CARRIED, NULL },
	{ "sys:rw", 0, 'w', 0, MRG_CARRIED, NULL },
	{ "cgroup:force", 0, 0, 'w', MRG_APPROXIMATED, note_forced },
	{ "cgroup:mixed:force", 0, 0, 'r', MRG_APPROXIMATED, note_forced },
	{ "cgroup:ro:force", 0, 0, 'r', MRG_APPROXIMATED, note_forced },
	{ "cgroup:rw:force", 0, 0, 'w', MRG_APPROXIMATED, note_forced },
	{ "cgroup-full:force", 0, 0, 'w', MRG_APPROXIMATED, note_forced },
	{ "cgroup-full:mixed:force", 0, 0, 'r', MRG_APPROXIMATED, note_forced },
	{ "cgroup-full:ro:force", 0, 0, 'r', MRG_APPROXIMATED, note_forced },
	{ "cgroup-full:rw:force", 0, 0, 'w', MRG_APPROXIMATED, note_forced },
	{ "cgroup2", 0, 0, 'w', MRG_APPROXIMATED, note_forced },
	{ "cgroup2:rw", 0, 0, 'w', MRG_APPROXIMATED, note_forced },
	{ "cgroup2:ro", 0, 0, 'r', MRG_APPROXIMATED, note_forced },
	{ "cgroup2:force", 0, 0, 'w', MRG_APPROXIMATED, note_forced },
	{ "cgroup2:rw:force", 0, 0, 'w', MRG_APPROXIMATED, note_forced },
	{ "cgroup2:ro:force", 0, 0, 'r', MRG_APPROXIMATED, note_forced },
	{ "cgroup", 0, 0, 'n', MRG_APPROXIMATED, note_cgroup },
	{ "cgroup:mixed", 0, 0, 'n', MRG_APPROXIMATED, note_cgroup },
	{ "cgroup:ro", 0, 0, 'n', MRG_APPROXIMATED, note_cgroup },
	{ "cgroup:rw", 0, 0, 'n', MRG_APPROXIMATED, note_cgroup },
	{ "cgroup-full", 0, 0, 'n', MRG_APPROXIMATED, note_cgroup },
	{ "cgroup-full:mixed", 0, 0, 'n', MRG_APPROXIMATED, note_cgroup },
	{ "cgroup-full:ro", 0, 0, 'n', MRG_APPROXIMATED, note_cgroup },
	{ "cgroup-full:rw", 0, 0, 'n', MRG_APPROXIMATED, note_cgroup },
};

static const struct token *find_token(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++)
		if (strcmp(tokens[i].name, word) == 0)
			return &tokens[i];
	return NULL;
}

/* Later words of a class replace earlier ones. */
static void apply_token(struct automatic *automatic, const struct token *token)
{
	if (token->proc) {
		automatic->proc = true;
		automatic->proc_readonly = token->proc == 'r';
	} else if (token->sys) {
		automatic->sys = true;
		automatic->sys_readonly = token->sys == 'r';
	} else {
		automatic->cgroup = token->cgroup != 'n';
		automatic->cgroup_readonly = token->cgroup == 'r';
	}
}

/* One line; what is shared with the host by "shmounts:" alone has no field, and stays a line of its own. */
static int read_automatic(struct key_reader *in, struct assignment *item, struct automatic *automatic)
{
	_cleanup_free_ char *copy = strdup(item->value);
	char *at = copy, *word, *shared = NULL;

	if (!copy)
		return key_no_memory(in);
	while ((word = lxc_part(&at, LXC_BLANKS))) {
		const struct token *token = find_token(word);

		if (strncmp(word, "shmounts:", 9) == 0 && word[9]) {
			shared = word;
			lxc_judge(item, MRG_DROPPED, "a directory shared with the host while the container runs; kept verbatim for LXC");
			continue;
		}
		if (!token)
			return key_fail(in, "must be proc, sys or cgroup, or one with ':mixed', ':ro' or ':rw', not '%.40s'", word);
		apply_token(automatic, token);
		if (token->verdict > item->verdict)
			lxc_judge(item, token->verdict, token->note);
	}
	if (shared)
		memmove(item->value, item->value + (shared - copy), strlen(shared) + 1);
	if (shared)
		item->value[strlen(shared)] = '\0';
	return 0;
}

/* ---- entries --------------------------------------------------------------------------------------- */

struct entry {
	struct assignment *item;
	struct mrg_mount mount;
	const char *create;		/* "dir", "file" or NULL */
	bool optional, relative;
	bool made;			/* becomes the mount of its kind that LXC makes */
};

/* getmntent(3): a blank, tab, newline or backslash is written in octal. */
static void decode(char *text)
{
	static const struct { const char *code; char character; } codes[] = { { "\\040", ' ' }, { "\\011", '\t' }, { "\\012", '\n' },
									       { "\\134", '\\' }, { "\\\\", '\\' } };
	char *to = text;

	for (const char *from = text; *from; to++) {
		size_t i = *from == '\\' ? 0 : ARRAY_SIZE(codes);

		while (i < ARRAY_SIZE(codes) && strncmp(from, codes[i].code, strlen(codes[i].code)) != 0)
			i++;
		*to = i < ARRAY_SIZE(codes) ? codes[i].character : *from;
		from += i < ARRAY_SIZE(codes) ? strlen(codes[i].code) : 1;
	}
	*to = '\0';
}

/* Takes an option that is LXC's own; 0 when it is not. */
static int own_option(struct entry *entry, const char *option, char ***options)
{
	if (strcmp(option, "optional") == 0)
		entry->optional = true;
	else if (strcmp(option, "relative") == 0)
		entry->relative = true;
	else if (strcmp(option, "create=dir") == 0 || strcmp(option, "create=file") == 0)
		entry->create = strcmp(option + 7, "dir") == 0 ? "dir" : "file";
	else if (strcmp(option, "idmap=container") == 0)
		return strv_append(options, "idmap") < 0 ? -1 : 1;
	else
		return 0;
	return 1;
}

static int read_options(struct key_reader *in, struct entry *entry, char *text)
{
	_cleanup_(strv_freep) char **options = NULL;
	char *at = text, *option;
	int r = 0;

	while (r >= 0 && (option = lxc_part(&at, ","))) {
		r = own_option(entry, option, &options);
		if (r != 0)
			continue;
		if (strncmp(option, "create=", 7) == 0)
			return key_fail(in, "create= must be dir or file, not '%.40s'", option + 7);
		/* LXC looks for this word anywhere. */
		entry->optional |= strstr(option, "optional") != NULL;
		if (lxc_mount_is_ignored(option) || lxc_mount_is_deep(option))
			entry->item->note = "LXC ignores some of its options";
		else
			r = strv_append(&options, option);
	}
	for (size_t i = 0; options && options[i] && r >= 0; i++)
		r = spec_strv_append(in->spec, &entry->mount.options, options[i]);
	if (r >= 0 && lxc_mount_loses_flags(&entry->mount))
		entry->item->note = "LXC sets nosuid, nodev and noexec of a bind mount only where it is read-only";
	return r < 0 ? key_no_memory(in) : 0;
}

/* Below @root, which has no slash at its end: what is behind it. */
static const char *below(const char *path, const char *root)
{
	size_t length = root ? strlen(root) : 0;

	while (length > 1 && root[length - 1] == '/')
		length--;
	return length > 1 && strncmp(path, root, length) == 0 && path[length] == '/' ? path + length : NULL;
}

/* Targets are relative to the root. Absolute ones count when they lie below it, as the host sees it; others when there is no root. */
static int read_target(struct key_reader *in, struct entry *entry, const char *target)
{
	const struct mrg_spec *spec = in->spec;
	const char *directory = lxc_of(in)->config->options->directory, *inside;
	struct buffer own = { 0 }, path = { 0 };

	buffer_addf(&own, "%s/rootfs", directory ? directory : "");
	inside = below(target, spec->root_path);
	if (!inside && directory && !own.failed)
		inside = below(target, own.text);
	if (target[0] != '/' || inside || !mrg_fields_has(&spec->set, MRG_FIELD_ROOT_PATH)) {
		buffer_addf(&path, "/%s", (inside ? inside : target) + strspn(inside ? inside : target, "/"));
		entry->mount.destination = path.failed ? NULL : mrg_spec_strdup(in->spec, path.text);
	}
	buffer_deinit(&own);
	buffer_deinit(&path);
	if (!entry->mount.destination && target[0] == '/') {
		lxc_judge(entry->item, MRG_DROPPED, "LXC ignores mounts whose target is absolute and not below the root");
		return 1;
	}
	if (!entry->mount.destination)
		return key_no_memory(in);
	if (!path_is_clean(entry->mount.destination))
		return key_fail(in, "the target must be a path in the container without '..', not as in '%.80s'", entry->item->value);
	return 0;
}

/* A source in the container is one below its root as the host sees that, as long as nothing is mounted over it. */
static int read_relative(struct key_reader *in, struct entry *entry)
{
	struct buffer b = { 0 };

	if (!entry->relative)
		return 0;
	if (!mrg_fields_has(&in->spec->set, MRG_FIELD_ROOT_PATH)) {
		lxc_judge(entry->item, MRG_DROPPED, "where its source is, is not known without a root");
		return 1;
	}
	buffer_addf(&b, "%s/%s", in->spec->root_path, entry->mount.source + strspn(entry->mount.source, "/"));
	entry->mount.source = b.failed ? NULL : mrg_spec_strdup(in->spec, b.text);
	buffer_deinit(&b);
	lxc_judge(entry->item, MRG_APPROXIMATED, "the source is taken from the root on the host, not from what is mounted over it");
	return entry->mount.source ? 0 : key_no_memory(in);
}

static int set_path(struct key_reader *in, enum mrg_field field, const char *path)
{
	char **paths = *(char ***)member_at(&spec_fields[field].value, in->spec);

	return strv_contains(paths, path) ? 1 : key_set(in, field, path) < 0 ? -MRG_E_INVALID : 1;
}

static bool is_plain_bind(const struct mrg_mount *mount, bool readonly)
{
	for (char *const *option = mount->options; option && *option; option++)
		if (strcmp(*option, "bind") != 0 && strcmp(*option, "rbind") != 0 && strcmp(*option, "ro") != 0)
			return false;
	return lxc_mount_is_bind(mount) && (!readonly || strv_contains(mount->options, "ro"));
}

/* Paths that are hidden or made read-only are mounts in LXC: 1 when this is one of those. */
static int read_path(struct key_reader *in, const struct entry *entry)
{
	static const char *const hidden[] = { "ro", "size=4k", NULL };
	const struct mrg_mount *mount = &entry->mount;
	const char *source = mount->source + (mount->source[0] == '/');
	bool null = strcmp(source, "dev/null") == 0 && (mount->source[0] == '/' || entry->relative);

	if (null && entry->optional && is_plain_bind(mount, false))
		return set_path(in, MRG_FIELD_MASKED_PATHS, mount->destination);
	if (mount->type && strcmp(mount->type, "tmpfs") == 0 && entry->optional && lxc_mount_has_options(mount, hidden))
		return set_path(in, MRG_FIELD_MASKED_PATHS, mount->destination);
	if (entry->relative && entry->optional && is_plain_bind(mount, true) && strcmp(source, mount->destination + 1) == 0)
		return set_path(in, MRG_FIELD_READONLY_PATHS, mount->destination);
	return 0;
}

/* SOURCE TARGET TYPE [OPTIONS [FREQ PASS]]: 0, 1 when it is no mount, or an error. */
static int read_entry(struct key_reader *in, struct entry *entry)
{
	_cleanup_free_ char *copy = strdup(entry->item->value);
	char *at = copy, *field[4] = { NULL };
	int r;

	if (!copy)
		return key_no_memory(in);
	for (const char *c = copy; *c; c++)
		if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
			return key_fail(in, "has control characters");
	if (copy[strspn(copy, LXC_BLANKS)] == '#') {
		entry->item->note = "a comment";
		return 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(field); i++) {
		field[i] = lxc_part(&at, LXC_BLANKS);
		if (field[i])
			decode(field[i]);
	}
	if (!field[2])
		return key_fail(in, "must be SOURCE TARGET TYPE OPTIONS, as in fstab(5)");
	entry->mount.source = mrg_spec_strdup(in->spec, field[0]);
	if (!entry->mount.source)
		return key_no_memory(in);
	r = field[3] ? read_options(in, entry, field[3]) : 0;
	if (r == 0)
		r = read_target(in, entry, field[1]);
	if (r != 0)
		return r;
	entry->mount.type = lxc_mount_is_bind(&entry->mount) ? "bind" : mrg_spec_strdup(in->spec, field[2]);
	if (!entry->mount.type)
		return key_no_memory(in);
	r = read_path(in, entry);
	return r != 0 ? r : read_relative(in, entry);
}

/* What LXC can mount and a spec cannot hold. */
static const char *problem(const struct entry *entry)
{
	const struct mrg_mount *mount = &entry->mount;
	bool bind = lxc_mount_is_bind(mount);

	if (entry->mount.destination[strspn(entry->mount.destination, "/.")] == '\0')
		return "would hide the root";
	if (bind && !path_is_clean(mount->source))
		return "the source must be an absolute path without '..': LXC takes another from where it is started";
	if (!bind && strcmp(mount->type, "none") == 0)
		return "changes a mount that is there, which is no mount of its own";
	for (char *const *option = mount->options; option && *option; option++)
		if (lxc_mount_is_mistaken(*option))
			return "has an option in which LXC finds one of its own, or a mapping that is not the container's";
	return NULL;
}

/* ---- what is put into the spec ------------------------------------------------------------------------ */

static int add_mount(struct key_reader *in, const char *destination, const char *type, const char *const *options)
{
	return mrg_spec_add_mount(in->spec, &(struct mrg_mount){ .destination = destination, .type = type, .source = type,
								 .options = (char **)options }, in->err);
}

static int add_dev(struct key_reader *in, uint32_t size)
{
	char text[32];

	snprintf(text, sizeof(text), "size=%" PRIu32, size);
	return add_mount(in, "/dev", "tmpfs", (const char *const[]){ "mode=755", text, NULL });
}

static int add_pts(struct key_reader *in, uint32_t ptys)
{
	char text[32];

	snprintf(text, sizeof(text), "max=%" PRIu32, ptys);
	return add_mount(in, "/dev/pts", "devpts",
			 (const char *const[]){ "newinstance", "ptmxmode=0666", "mode=0620", "gid=5", text, NULL });
}

/* Read-only or not, as a key or else an entry says. */
static int add_api(struct key_reader *in, const char *destination, const char *type, bool readonly)
{
	return add_mount(in, destination, type, (const char *const[]){ "nosuid", "nodev", "noexec", readonly ? "ro" : "rw", NULL });
}

/* A mount of a kind, as keys ask for it; else the first entry of the kind stands for it. */
static int add_kind(struct key_reader *in, enum lxc_mount_kind kind, const struct mrg_mount *entry, const struct automatic *automatic)
{
	const struct lxc_reader *reader = lxc_of(in);
	bool readonly = entry && strv_contains(entry->options, "ro");

	switch (kind) {
	case LXC_MOUNT_DEV:
		return reader->autodev ? add_dev(in, reader->dev_size) : entry ? add_dev(in, lxc_mount_dev_size(entry)) : 0;
	case LXC_MOUNT_PROC:
		if (!automatic->proc && !entry)
			return 0;
		return add_mount(in, "/proc", "proc", (const char *const[]){ "nosuid", "nodev", "noexec", NULL });
	case LXC_MOUNT_SYS:
		if (!automatic->sys && !entry)
			return 0;
		return add_api(in, "/sys", "sysfs", automatic->sys ? automatic->sys_readonly : readonly);
	case LXC_MOUNT_CGROUP:
		if (!automatic->cgroup && !entry)
			return 0;
		return add_api(in, "/sys/fs/cgroup", "cgroup", automatic->cgroup ? automatic->cgroup_readonly : readonly);
	default:
		return reader->ptys ? add_pts(in, reader->ptys) : entry ? add_pts(in, lxc_mount_ptys(entry)) : 0;
	}
}

static const struct mrg_mount *first_of_kind(const struct entry *entries, size_t n, enum lxc_mount_kind kind)
{
	for (size_t i = 0; i < n; i++)
		if (lxc_mount_kind(&entries[i].mount) == kind)
			return &entries[i].mount;
	return NULL;
}

/* Options that only LXC has are kept beside the mount, once for a target. */
static int keep_options(struct key_reader *in, struct entry *entries, size_t n, size_t i)
{
	struct buffer b = { 0 };
	const char *create = NULL;
	bool optional = false;

	for (size_t j = 0; j < n; j++) {
		if (entries[j].made || strcmp(entries[j].mount.destination, entries[i].mount.destination) != 0)
			continue;
		if (j < i)
			return 0;
		optional |= entries[j].optional;
		if (entries[j].create && strcmp(entries[j].create, lxc_mount_create(&entries[j].mount)) != 0)
			create = entries[j].create;
	}
	if (!optional && !create)
		return 0;
	buffer_addf(&b, "%s %s%s%s%s", entries[i].mount.destination, optional ? "optional" : "", optional && create ? "," : "",
		    create ? "create=" : "", create ? create : "");
	entries[i].item->key = LXC_KEPT_OPTIONS;
	entries[i].item->value = b.failed ? NULL : mrg_spec_strdup(in->spec, b.text);
	entries[i].item->keep = true;
	buffer_deinit(&b);
	return entries[i].item->value ? 0 : key_no_memory(in);
}

static int add_entry(struct key_reader *in, struct entry *entries, size_t n, size_t i)
{
	struct assignment *item = entries[i].item;

	if (mrg_spec_add_mount(in->spec, &entries[i].mount, in->err) < 0)
		return -MRG_E_INVALID;
	if (entries[i].optional && item->verdict == MRG_CARRIED)
		lxc_judge(item, MRG_APPROXIMATED, "that it may fail is LXC's own; elsewhere it must work");
	return keep_options(in, entries, n, i);
}

/* The first of each kind, unless keys ask for that. */
static void find_made(struct key_reader *in, struct entry *entries, size_t n, const struct automatic *automatic)
{
	bool seen[LXC_MOUNT_PTS + 1] = { [LXC_MOUNT_DEV] = lxc_of(in)->autodev, [LXC_MOUNT_PROC] = automatic->proc,
					 [LXC_MOUNT_SYS] = automatic->sys, [LXC_MOUNT_CGROUP] = automatic->cgroup,
					 [LXC_MOUNT_PTS] = lxc_of(in)->ptys > 0 };

	for (size_t i = 0; i < n; i++) {
		enum lxc_mount_kind kind = lxc_mount_kind(&entries[i].mount);

		entries[i].made = kind != LXC_MOUNT_ENTRY && !seen[kind];
		if (entries[i].made && (kind == LXC_MOUNT_DEV || kind == LXC_MOUNT_CGROUP || kind == LXC_MOUNT_PTS))
			lxc_judge(entries[i].item, MRG_APPROXIMATED, "becomes the one that LXC makes itself");
		seen[kind] = true;
	}
}

static int add_entries(struct key_reader *in, struct entry *entries, size_t n, const struct automatic *automatic)
{
	int r = 0;

	find_made(in, entries, n, automatic);
	for (size_t i = 0; i < n && r == 0; i++) {
		in->now = entries[i].item;
		if (!entries[i].made)
			r = add_entry(in, entries, n, i);
	}
	return r;
}

/* A read-only /proc/sys is proc:mixed in LXC, whose paths come before all others. */
static int order_readonly(struct key_reader *in)
{
	static const char *const mixed[] = { "/proc/sys", "/proc/sysrq-trigger" };
	char **others = in->spec->readonly_paths;
	bool proc = false;
	int r = 0;

	for (size_t i = 0; i < in->spec->mounts.n; i++)
		proc |= lxc_mount_kind(&in->spec->mounts.item[i]) == LXC_MOUNT_PROC;
	if (!proc || !strv_contains(others, mixed[0]))
		return 0;
	in->spec->readonly_paths = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(mixed) && r >= 0; i++)
		r = set_path(in, MRG_FIELD_READONLY_PATHS, mixed[i]);
	for (; *others && r >= 0; others++)
		r = set_path(in, MRG_FIELD_READONLY_PATHS, *others);
	return r < 0 ? r : 0;
}

static int read_entries(struct key_reader *in, struct entry *entries, size_t *n)
{
	struct assignment *item;
	int r = 0;

	/* Those of the table of mounts come first. */
	for (int own = 0; own < 2; own++)
		for (size_t at = 0; r == 0 && (item = lxc_next(in, &at, "lxc.mount.entry"));) {
			struct entry *entry = &entries[*n];
			const char *reason;

			if ((item->file == lxc_of(in)->config->fstab && item->file) == own || !*item->value)
				continue;
			*entry = (struct entry){ .item = item };
			r = read_entry(in, entry);
			if (r == 0) {
				reason = problem(entry);
				if (reason)
					lxc_judge(item, MRG_DROPPED, reason);
				*n += !reason;
			}
			r = r > 0 ? 0 : r;
		}
	return r;
}

int lxc_finish_mounts(struct key_reader *in)
{
	_cleanup_free_ struct entry *entries = calloc(lxc_of(in)->config->list.n + 1, sizeof(*entries));
	struct automatic automatic = { 0 };
	struct assignment *item;
	size_t n = 0;
	int r = entries ? 0 : key_no_memory(in);

	for (size_t at = 0; r == 0 && (item = lxc_next(in, &at, "lxc.mount.auto"));)
		r = read_automatic(in, item, &automatic);
	if (r == 0 && automatic.proc_readonly)
		r = set_path(in, MRG_FIELD_READONLY_PATHS, "/proc/sys") < 0 ? -MRG_E_INVALID : 0;
	if (r == 0)
		r = read_entries(in, entries, &n);
	for (int kind = LXC_MOUNT_DEV; kind <= LXC_MOUNT_PTS && r == 0; kind++)
		r = kind == LXC_MOUNT_ENTRY ? add_entries(in, entries, n, &automatic) :
					      add_kind(in, kind, first_of_kind(entries, n, kind), &automatic);
	return r == 0 ? order_readonly(in) : r;
}
