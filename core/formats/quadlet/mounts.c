/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about file systems. Podman mounts in the order of the destinations, whatever that of the keys. */

#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/quadlet/quadlet.h"
#include "core/util/cleanup.h"
#include "core/util/path.h"

/* Options of podman's own: what is lost with them. NULL: nothing. */
static const struct {
	const char *name;
	int verdict;
	const char *note;
} own_options[] = {
	{ "rw", MRG_CARRIED, NULL }, { "", MRG_CARRIED, NULL }, { "notmpcopyup", MRG_CARRIED, NULL }, { "tmpcopyup", MRG_APPROXIMATED, NULL },
	{ "z", MRG_APPROXIMATED, "files are not labelled anew" }, { "Z", MRG_APPROXIMATED, "files are not labelled anew" },
	{ "U", MRG_APPROXIMATED, "files do not change their owner" },
	{ "O", MRG_WEAKENS, "what is written goes to the directory itself, not to a layer above it" },
	{ "copy", MRG_CARRIED, NULL }, { "nocopy", MRG_CARRIED, NULL }, { "idmap", MRG_WEAKENS, "the owners of its files are not mapped" },
};

/* Options with commas between them; the verdict. */
static int take_options(struct key_reader *in, const char *text, char ***options)
{
	_cleanup_free_ char *copy = strdup(text);
	int worst = MRG_CARRIED;
	char *at = copy, *option;

	if (!copy)
		return key_no_memory(in);
	while ((option = strsep(&at, ","))) {
		size_t i = 0, length = strcspn(option, "=");

		if (strpbrk(option, " \t\r\n\"'\\"))
			return key_fail(in, "has the option '%.40s'", option);
		while (i < ARRAY_SIZE(own_options) && (strlen(own_options[i].name) != length || strncmp(own_options[i].name, option, length) != 0))
			i++;
		if (i < ARRAY_SIZE(own_options)) {
			if (own_options[i].verdict > worst) {
				worst = own_options[i].verdict;
				in->note = own_options[i].note;
			}
		} else if (!strv_contains(*options, option) && strv_append(options, option) < 0) {
			return key_no_memory(in);
		}
	}
	return worst;
}

static int prefer(struct key_reader *in, char ***options, const char *one, const char *other)
{
	if (strv_contains(*options, one) || strv_contains(*options, other))
		return 0;
	return strv_append(options, one) < 0 ? key_no_memory(in) : 0;
}

/* Two at one place are refused by podman. */
static int add_mount(struct key_reader *in, const struct mrg_mount *mount)
{
	if (!path_is_clean(mount->destination))
		return key_fail(in, "must be mounted at an absolute path without '..', not '%.80s'", mount->destination);
	if (strcmp(mount->type, "bind") == 0 && !path_is_clean(mount->source))
		return key_fail(in, "must be an absolute path without '..', not '%.80s'", mount->source);
	for (size_t i = 0; i < in->spec->mounts.n; i++)
		if (strcmp(in->spec->mounts.item[i].destination, mount->destination) == 0)
			return key_fail(in, "something is mounted at '%.80s' already", mount->destination);
	return mrg_spec_add_mount(in->spec, mount, in->err) < 0 ? key_place(in) : 0;
}

static int add_bind(struct key_reader *in, const char *source, const char *destination, const char *text)
{
	_cleanup_(strv_freep) char **options = NULL, **given = NULL;
	int verdict = take_options(in, text, &given), r;

	if (verdict < 0)
		return verdict;
	/* The kind comes first, as it is written. */
	if (strv_append(&options, strv_contains(given, "bind") && !strv_contains(given, "rbind") ? "bind" : "rbind") < 0)
		return key_no_memory(in);
	for (size_t i = 0; given && given[i]; i++)
		if (strcmp(given[i], "bind") != 0 && strcmp(given[i], "rbind") != 0 && strv_append(&options, given[i]) < 0)
			return key_no_memory(in);
	r = add_mount(in, &(struct mrg_mount){ .destination = destination, .type = "bind", .source = source, .options = options });
	/* What podman alone does is done again when this is written for it. */
	in->keep = verdict > MRG_CARRIED;
	return r < 0 ? r : verdict;
}

static void add_member(struct buffer *b, const char *name, const char *value)
{
	buffer_addf(b, "%s\"%s\":", b->text[b->length - 1] == '{' ? "" : ",", name);
	if (json_quote(b, value) < 0)
		b->failed = true;
}

static bool is_volume(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	return name[strspn(name, letters)] == '\0' && !strchr("_.-", *name);
}

/* A volume of podman's, by name or without one. */
static int add_volume(struct key_reader *in, const char *name, const char *destination, const char *options)
{
	struct buffer *b = &quadlet_of(in)->volumes;

	in->field = MRG_FIELD_VOLUMES;
	if (*name && !is_volume(name))
		return key_fail(in, "must be a path, or the name of a volume, not '%.80s'", name);
	if (!path_is_clean(destination))
		return key_fail(in, "must be mounted at an absolute path without '..', not '%.80s'", destination);
	buffer_addf(b, "%s{", b->length ? "," : "");
	if (b->failed)
		return key_no_memory(in);
	if (*name)
		add_member(b, "name", name);
	add_member(b, "destination", destination);
	if (*options)
		add_member(b, "options", options);
	buffer_add(b, "}", 1);
	return b->failed ? key_no_memory(in) : MRG_CARRIED;
}

/* [[SOURCE:]DESTINATION[:OPTIONS]] */
KEY_READER(quadlet_read_volume)
{
	char *at = value, *source, *destination, *options;
	const char *note = key_undo(in, value);

	if (note)
		return key_lost(in, key, note);
	source = strsep(&at, ":");
	destination = at ? strsep(&at, ":") : NULL;
	options = at ? at : (char *)"";
	if (strchr(options, ':'))
		return key_fail(in, "must be SOURCE:DESTINATION[:OPTIONS], not '%.80s'", in->now->value);
	if (!destination)
		return add_volume(in, "", source, "");
	if (*source == '.')
		return key_lost(in, key, "a path relative to that of the unit is known to podman only");
	return *source == '/' ? add_bind(in, source, destination, options) : add_volume(in, source, destination, options);
}

static int add_tmpfs(struct key_reader *in, const struct key *key, const char *destination, const char *text)
{
	_cleanup_(strv_freep) char **options = NULL;
	int verdict;

	if (engine_has_mount(destination))
		return key_lost(in, key, "podman mounts a file system of its own there");
	verdict = take_options(in, text, &options);
	if (verdict >= 0 && (prefer(in, &options, "nosuid", "suid") < 0 || prefer(in, &options, "nodev", "dev") < 0))
		return -ENOMEM;
	if (verdict < 0)
		return verdict;
	return add_mount(in, &(struct mrg_mount){ .destination = destination, .type = "tmpfs", .source = "tmpfs", .options = options }) < 0 ?
		       -MRG_E_INVALID : MRG_CARRIED;
}

KEY_READER(quadlet_read_tmpfs)
{
	char *options = value, *destination;
	const char *note = key_undo(in, value);

	if (note)
		return key_lost(in, key, note);
	destination = strsep(&options, ":");
	return add_tmpfs(in, key, destination, options ? options : "");
}

/* ---- type=bind,source=/a,destination=/b,ro=true ---------------------------------------------------------- */

struct mount_words {
	const char *type, *source, *destination;
	struct buffer options;
	bool unknown;
};

static void take_word(struct mount_words *words, const char *name, const char *value)
{
	static const char *const propagations[] = { "private", "rprivate", "slave", "rslave", "shared", "rshared", NULL };
	bool on = true;

	if (strcmp(name, "type") == 0)
		words->type = value ? value : "";
	else if (strcmp(name, "source") == 0 || strcmp(name, "src") == 0)
		words->source = value ? value : "";
	else if (strcmp(name, "destination") == 0 || strcmp(name, "dst") == 0 || strcmp(name, "target") == 0)
		words->destination = value ? value : "";
	else if ((strcmp(name, "ro") == 0 || strcmp(name, "readonly") == 0) && (!value || parse_bool(value, &on) == 0))
		buffer_addf(&words->options, "%s,", on ? "ro" : "rw");
	else if (strcmp(name, "bind-propagation") == 0 && value && strv_contains((char *const *)propagations, value))
		buffer_addf(&words->options, "%s,", value);
	else if (strcmp(name, "bind-nonrecursive") == 0 && (!value || parse_bool(value, &on) == 0))
		buffer_addf(&words->options, "%s,", on ? "bind" : "rbind");
	else if (strcmp(name, "tmpfs-size") == 0 && value)
		buffer_addf(&words->options, "size=%s,", value);
	else if (strcmp(name, "tmpfs-mode") == 0 && value)
		buffer_addf(&words->options, "mode=%s,", value);
	else
		words->unknown = true;
}

KEY_READER(quadlet_read_mount)
{
	struct mount_words words = { .source = "" };
	char *at = value, *word, *options;
	int r;

	words.unknown = key_undo(in, value) || strpbrk(value, "\"'\\");
	while ((word = strsep(&at, ","))) {
		char *text = strchr(word, '=');

		if (text)
			*text++ = '\0';
		take_word(&words, word, text);
	}
	options = words.options.text ? words.options.text : (char *)"";
	if (*options)
		options[words.options.length - 1] = '\0';
	if (words.options.failed)
		r = key_no_memory(in);
	else if (words.unknown || !words.type || !words.destination || strpbrk(words.destination, ":") || strpbrk(words.source, ":") ||
		 (strcmp(words.type, "bind") == 0 && strpbrk(options, ":")))
		r = key_lost(in, key, "the mount has options that only podman understands");
	else if (strcmp(words.type, "tmpfs") == 0)
		r = add_tmpfs(in, key, words.destination, options);
	else if (strcmp(words.type, "bind") == 0)
		r = add_bind(in, words.source, words.destination, options);
	else
		r = key_lost(in, key, "a mount that only podman can make");
	buffer_deinit(&words.options);
	return r;
}

/* ---- switches ------------------------------------------------------------------------------------------- */

static int read_bool(struct key_reader *in, const char *value, bool *ret)
{
	*ret = false;
	return *value && parse_bool(value, ret) < 0 ? key_fail(in, "must be yes or no, not '%.40s'", value) : 0;
}

KEY_READER(quadlet_read_switch)
{
	struct quadlet_reader *quadlet = quadlet_of(in);
	bool volatile_tmp = strcmp(key->name, "VolatileTmp") == 0, on;
	int r = read_bool(in, value, &on);

	if (r < 0)
		return r;
	*(volatile_tmp ? &quadlet->volatile_tmp : &quadlet->readonly_tmpfs) = on || (!volatile_tmp && !*value);
	return MRG_CARRIED;
}

KEY_READER(quadlet_read_shm)
{
	struct quadlet_reader *quadlet = quadlet_of(in);

	(void)key;
	quadlet->shm_size = ENGINE_SHM_PODMAN;
	if (*value && (parse_size(value, &quadlet->shm_size) < 0 || quadlet->shm_size < 0))
		return key_fail(in, "must be a size such as 64m, not '%.40s'", value);
	return MRG_CARRIED;
}

/* ---- at the end --------------------------------------------------------------------------------------------- */

static int compare_mounts(const void *a, const void *b)
{
	return strcmp(((const struct mrg_mount *)a)->destination, ((const struct mrg_mount *)b)->destination);
}

static bool is_mounted(const struct mrg_spec *spec, const char *destination)
{
	for (size_t i = 0; i < spec->mounts.n; i++)
		if (strcmp(spec->mounts.item[i].destination, destination) == 0)
			return true;
	return false;
}

/* What podman mounts beside a root that is read-only, or when asked for a /tmp that is thrown away. */
static int add_volatile(struct key_reader *in)
{
	static const char *const options[] = { "nosuid", "nodev", NULL };
	static const char *const tmp_options[] = { "size=512M", "mode=1777", "nosuid", "nodev", NULL };
	static const char *const places[] = { "/run", "/tmp", "/var/tmp" };
	const struct quadlet_reader *quadlet = quadlet_of(in);
	struct mrg_mount mount = { .type = "tmpfs", .source = "tmpfs", .options = (char **)options };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(places) && in->spec->root_readonly && quadlet->readonly_tmpfs && r == 0; i++) {
		mount.destination = places[i];
		if (!is_mounted(in->spec, places[i]))
			r = mrg_spec_add_mount(in->spec, &mount, in->err);
	}
	mount.options = (char **)tmp_options;
	mount.destination = "/tmp";
	if (r == 0 && quadlet->volatile_tmp && !in->spec->root_readonly && !is_mounted(in->spec, "/tmp"))
		r = mrg_spec_add_mount(in->spec, &mount, in->err);
	return r;
}

int quadlet_finish_mounts(struct key_reader *in)
{
	static const char *const bind[] = { "rbind", NULL };
	const struct mrg_mount host_shm = { .destination = "/dev/shm", .type = "bind", .source = "/dev/shm", .options = (char **)bind };
	struct quadlet_reader *quadlet = quadlet_of(in);
	struct mrg_spec *spec = in->spec;
	struct buffer b = { 0 };
	bool shared = mrg_fields_has(&spec->set, MRG_FIELD_NS_IPC) && !spec->ns_ipc;
	int r = add_volatile(in);

	if (r == 0 && shared && !is_mounted(spec, "/dev/shm"))
		r = mrg_spec_add_mount(spec, &host_shm, in->err);
	if (r == 0 && spec->mounts.n > 1)
		qsort(spec->mounts.item, spec->mounts.n, sizeof(*spec->mounts.item), compare_mounts);
	if (r == 0)
		r = engine_add_mounts(spec, quadlet->privileged, quadlet->shm_size, in->err);
	if (r == 0 && quadlet->volumes.text) {
		buffer_addf(&b, "[%s]", quadlet->volumes.text);
		r = b.failed ? key_no_memory(in) : mrg_spec_set(spec, MRG_FIELD_VOLUMES, b.text, in->err);
		buffer_deinit(&b);
	}
	return r;
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

KEY_WRITER(quadlet_write_readonly)
{
	if (!key_has(out, MRG_FIELD_ROOT_READONLY))
		return;
	key_write_simple(out, key);
	/* What podman would add has to be said then, or is not wanted. */
	if (out->spec->root_readonly)
		key_line(out, "ReadOnlyTmpfs", "no");
}

/* Whether the line SOURCE:DESTINATION:OPTIONS, as it was kept, is the mount. */
static bool is_line_of(const char *line, const struct mrg_mount *mount)
{
	_cleanup_free_ char *copy = strdup(line);
	size_t source = strlen(mount->source), destination = strlen(mount->destination);

	if (!copy || unit_undo(copy) || strncmp(copy, mount->source, source) != 0 || copy[source] != ':')
		return false;
	return strncmp(copy + source + 1, mount->destination, destination) == 0 && copy[source + 1 + destination] == ':';
}

static bool is_kept(const struct key_writer *out, const struct mrg_mount *mount)
{
	const struct json *kept = quadlet_writer_of(out)->kept, *lines = kept ? json_member(kept, "Volume") : NULL;

	for (const struct json *line = lines && lines->type == JSON_ARRAY ? lines->first : NULL; line; line = line->next)
		if (line->type == JSON_STRING && mount->source && is_line_of(line->text, mount))
			return true;
	return false;
}

/* A path that can stand between colons, and between commas; whether the line can hold it is seen when it is whole. */
static bool is_sayable(const char *path, const char *not)
{
	return *path && !strpbrk(path, not);
}

static void add_options(struct buffer *b, const struct mrg_mount *mount, const char *first)
{
	buffer_addf(b, ":%s", first);
	for (char **option = mount->options; option && *option; option++)
		if (strcmp(*option, "rbind") != 0 && strcmp(*option, "bind") != 0)
			buffer_addf(b, ",%s", *option);
}

static bool plain_options(const struct mrg_mount *mount, const char *not)
{
	for (char **option = mount->options; option && *option; option++)
		if (!is_sayable(*option, not))
			return false;
	return mount->uid_mappings.n == 0 && mount->gid_mappings.n == 0;
}

static int write_bind(struct key_writer *out, const struct mrg_mount *mount)
{
	struct buffer b = { 0 };
	bool whole = plain_options(mount, ",:") && is_sayable(mount->source, ":") && is_sayable(mount->destination, ":") && *mount->source == '/';

	buffer_addf(&b, "%s:%s", mount->source, mount->destination);
	add_options(&b, mount, strv_contains(mount->options, "rbind") ? "rbind" : "bind");
	whole = whole && !b.failed && key_line(out, "Volume", b.text);
	buffer_deinit(&b);
	return whole ? MRG_CARRIED : MRG_WEAKENS;
}

static int write_tmpfs(struct key_writer *out, const struct mrg_mount *mount)
{
	struct buffer b = { 0 };
	bool whole = plain_options(mount, ",") && is_sayable(mount->destination, ":");

	/* The first of the two is podman's own choice, if neither is said. */
	buffer_addf(&b, "%s", mount->destination);
	add_options(&b, mount, "rw");
	if (!strv_contains(mount->options, "nosuid") && !strv_contains(mount->options, "suid"))
		buffer_addf(&b, ",suid");
	if (!strv_contains(mount->options, "nodev") && !strv_contains(mount->options, "dev"))
		buffer_addf(&b, ",dev");
	whole = whole && !b.failed && key_line(out, "Tmpfs", b.text);
	buffer_deinit(&b);
	return whole ? MRG_CARRIED : MRG_WEAKENS;
}

/* The engine's own are not written, but for the size of one. */
static int write_own(struct key_writer *out, const struct mrg_mount *mount)
{
	int64_t size = strcmp(mount->destination, "/dev/shm") == 0 ? engine_mount_size(mount) : -1;

	if (size > 0 && size != ENGINE_SHM_PODMAN)
		buffer_addf(&out->b, "ShmSize=%" PRId64 "\n", size);
	else if (strcmp(mount->destination, "/dev/shm") == 0 && size < 0)
		buffer_addf(&out->b, "ShmSize=0\n");
	return engine_is_mount(mount, false) || engine_is_mount(mount, true) ? MRG_CARRIED : MRG_APPROXIMATED;
}

static int write_mount(struct key_writer *out, const struct mrg_mount *mount)
{
	bool bind = (mount->type && strcmp(mount->type, "bind") == 0) || strv_contains(mount->options, "bind") || strv_contains(mount->options, "rbind");
	bool shared = key_has(out, MRG_FIELD_NS_IPC) && !out->spec->ns_ipc && strcmp(mount->destination, "/dev/shm") == 0;

	if (is_kept(out, mount) || (shared && bind))
		return MRG_CARRIED;
	if (bind)
		return mount->source ? write_bind(out, mount) : MRG_WEAKENS;
	if (engine_has_mount(mount->destination))
		return write_own(out, mount);
	return mount->type && strcmp(mount->type, "tmpfs") == 0 ? write_tmpfs(out, mount) : MRG_WEAKENS;
}

static const char *text_of(const struct json *object, const char *name)
{
	const struct json *member = object->type == JSON_OBJECT ? json_member(object, name) : NULL;

	return member && member->type == JSON_STRING ? member->text : "";
}

static void write_volumes(struct key_writer *out, const char *key)
{
	_cleanup_(json_freep) struct json *list = NULL;
	bool whole = true;

	if (!key_has(out, MRG_FIELD_VOLUMES) || json_parse(out->spec->volumes_json, strlen(out->spec->volumes_json), &list, NULL) < 0)
		return;
	for (const struct json *volume = list->first; volume; volume = volume->next) {
		const char *name = text_of(volume, "name"), *destination = text_of(volume, "destination"), *options = text_of(volume, "options");
		struct buffer b = { 0 };
		bool said = *destination && !strchr(destination, ':') && (!*name || is_volume(name));

		buffer_addf(&b, "%s%s%s%s%s", name, *name ? ":" : "", destination, *options ? ":" : "", options);
		said = said && !b.failed && (*name || !*options) && key_line(out, key, b.text);
		whole &= said;
		buffer_deinit(&b);
	}
	key_report(out, MRG_FIELD_VOLUMES, whole ? MRG_CARRIED : MRG_DROPPED, key, "a volume without a place, or with one that has a colon");
}

static const char *loss_of(int verdict)
{
	return verdict == MRG_WEAKENS ? "only binds and tmpfs can be said, by paths without colons" :
					"options of /proc, /sys, /dev and the like are podman's own";
}

KEY_WRITER(quadlet_write_mounts)
{
	int worst = MRG_CARRIED;

	for (size_t i = 0; i < out->spec->mounts.n; i++) {
		int verdict = write_mount(out, &out->spec->mounts.item[i]);

		worst = verdict > worst ? verdict : worst;
	}
	if (key_has(out, MRG_FIELD_MOUNTS))
		key_report(out, MRG_FIELD_MOUNTS, worst, key->name, loss_of(worst));
	write_volumes(out, key->name);
}
