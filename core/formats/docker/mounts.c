/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about file systems and devices. The list "Mounts" has what was made of the other keys, which say details. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/docker/docker.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/path.h"

static bool has_destination(const struct mrg_spec *spec, const char *destination)
{
	for (size_t i = 0; i < spec->mounts.n; i++)
		if (strcmp(spec->mounts.item[i].destination, destination) == 0)
			return true;
	return false;
}

/* Options of mount(8) stay; what only an engine understands is told. */
static int take_options(struct docker_reader *in, const char *text, char ***options, int *verdict)
{
	static const struct {
		const char *name;
		int verdict;
		const char *note;
	} own[] = {
		{ "rw", MRG_CARRIED, NULL }, { "", MRG_CARRIED, NULL },
		{ "z", MRG_APPROXIMATED, "files are not labelled anew" }, { "Z", MRG_APPROXIMATED, "files are not labelled anew" },
		{ "U", MRG_APPROXIMATED, "files do not change their owner" },
		{ "tmpcopyup", MRG_APPROXIMATED, "files of the root are not copied into the empty file system" },
		{ "notmpcopyup", MRG_CARRIED, NULL }, { "nocopy", MRG_CARRIED, NULL }, { "copy", MRG_CARRIED, NULL },
		{ "O", MRG_WEAKENS, "what is written goes to the directory itself, not to a layer above it" },
		{ "consistent", MRG_CARRIED, NULL }, { "cached", MRG_CARRIED, NULL }, { "delegated", MRG_CARRIED, NULL },
	};
	_cleanup_free_ char *copy = strdup(text);
	char *at = copy, *option;

	if (!copy)
		return fail_memory(in->err);
	while ((option = strsep(&at, ","))) {
		size_t i = 0;

		while (i < ARRAY_SIZE(own) && strcmp(own[i].name, option) != 0)
			i++;
		if (i == ARRAY_SIZE(own)) {
			if (!strv_contains(*options, option) && strv_append(options, option) < 0)
				return fail_memory(in->err);
		} else if (own[i].verdict > *verdict) {
			*verdict = own[i].verdict;
			in->note = own[i].note;
		}
	}
	return 0;
}

static int add_option(struct docker_reader *in, char ***options, const char *option)
{
	return !strv_contains(*options, option) && strv_append(options, option) < 0 ? fail_memory(in->err) : 0;
}

static int add_mount(struct docker_reader *in, const struct mrg_mount *mount)
{
	if (!path_is_clean(mount->destination))
		return docker_fail(in, "must be mounted at an absolute path without '..', not '%.80s'", mount->destination);
	if (strcmp(mount->type, "bind") == 0 && !path_is_clean(mount->source))
		return docker_fail(in, "must be an absolute path without '..', not '%.80s'", mount->source);
	return mrg_spec_add_mount(in->spec, mount, in->err) < 0 ? docker_place(in) : 0;
}

/* ---- the list of all mounts --------------------------------------------------------------------- */

/* The member of HostConfig.Mounts for a destination: it has options that the list has not. */
static const struct json *details_of(const struct docker_reader *in, const char *destination)
{
	const struct json *mounts = docker_member(in->host, "Mounts", JSON_ARRAY);

	for (const struct json *item = mounts ? mounts->first : NULL; item; item = item->next)
		if (strcmp(docker_text(item, "Target"), destination) == 0)
			return item;
	return NULL;
}

static bool is_true(const struct json *object, const char *name)
{
	const struct json *value = docker_member(object, name, JSON_BOOLEAN);

	return value && value->boolean;
}

/* Options of a bind or a volume. */
static int bind_options(struct docker_reader *in, const struct json *item, char ***options, int *verdict)
{
	const struct json *details = docker_member(details_of(in, docker_text(item, "Destination")), "BindOptions", JSON_OBJECT);
	const struct json *list = docker_member(item, "Options", JSON_ARRAY), *rw = docker_member(item, "RW", JSON_BOOLEAN);
	const char *propagation = docker_text(item, "Propagation");
	int r = add_option(in, options, is_true(details, "NonRecursive") ? "bind" : "rbind");

	if (r == 0 && rw && !rw->boolean)
		r = add_option(in, options, "ro");
	if (r == 0 && *propagation)
		r = add_option(in, options, propagation);
	for (const struct json *option = list ? list->first : NULL; option && r == 0; option = option->next)
		if (option->type == JSON_STRING && strcmp(option->text, "rbind") != 0)
			r = take_options(in, option->text, options, verdict);
	return r < 0 ? r : take_options(in, docker_text(item, "Mode"), options, verdict);
}

static int tmpfs_options(struct docker_reader *in, const struct json *item, char ***options)
{
	const struct json *details = docker_member(details_of(in, docker_text(item, "Destination")), "TmpfsOptions", JSON_OBJECT);
	const struct json *size = docker_member(details, "SizeBytes", JSON_NUMBER), *mode = docker_member(details, "Mode", JSON_NUMBER);
	const struct json *rw = docker_member(item, "RW", JSON_BOOLEAN);
	char text[40];
	uint64_t number;
	int r = add_option(in, options, "nosuid");

	if (r == 0)
		r = add_option(in, options, "nodev");
	if (r == 0)
		r = add_option(in, options, "noexec");
	if (r == 0 && size && parse_uint64(size->text, &number) == 0 && number > 0) {
		snprintf(text, sizeof(text), "size=%" PRIu64, number);
		r = add_option(in, options, text);
	}
	if (r == 0 && mode && parse_uint64(mode->text, &number) == 0) {
		snprintf(text, sizeof(text), "mode=%04o", (unsigned int)number & 07777);
		r = add_option(in, options, text);
	}
	return r == 0 && rw && !rw->boolean ? add_option(in, options, "ro") : r;
}

/* A volume of the engine's is a directory of its own, which stays where it is. */
static int read_volume(struct docker_reader *in, const struct json *item, int *verdict)
{
	const char *driver = docker_text(item, "Driver");

	if ((*driver && strcmp(driver, "local") != 0) || !*docker_text(item, "Source")) {
		docker_note(in, "the volume '%.60s' is kept by a driver of the engine", docker_text(item, "Name"));
		*verdict = MRG_DROPPED;
		return 1;
	}
	if (*verdict < MRG_APPROXIMATED) {
		*verdict = MRG_APPROXIMATED;
		docker_note(in, "the directory of the volume '%.60s' is bound where the engine keeps it", docker_text(item, "Name"));
	}
	return 0;
}

static int read_mount(struct docker_reader *in, const struct json *item, int *verdict)
{
	_cleanup_(strv_freep) char **options = NULL;
	const char *type = docker_text(item, "Type");
	struct mrg_mount mount = { .destination = docker_text(item, "Destination"), .source = docker_text(item, "Source"), .type = "bind" };
	int r = 0;

	if (strcmp(type, "tmpfs") == 0) {
		mount.type = mount.source = "tmpfs";
		r = tmpfs_options(in, item, &options);
	} else if (strcmp(type, "bind") == 0 || strcmp(type, "volume") == 0) {
		r = bind_options(in, item, &options, verdict);
		if (r == 0 && strcmp(type, "volume") == 0)
			r = read_volume(in, item, verdict);
	} else {
		docker_note(in, "a mount of the type '%.40s' is the engine's own", type);
		*verdict = MRG_DROPPED;
		return 0;
	}
	mount.options = options;
	return r < 0 ? r : r > 0 ? 0 : add_mount(in, &mount);
}

DOCKER_READER(docker_read_mounts)
{
	int verdict = key->verdict, r = 0;

	for (const struct json *item = value->first; item && r == 0; item = item->next)
		r = item->type == JSON_OBJECT ? read_mount(in, item, &verdict) : docker_fail(in, "must be an array of objects");
	return r < 0 ? r : verdict;
}

/* ---- the keys it was made of ----------------------------------------------------------------------- */

static bool is_listed(const struct docker_reader *in, const char *destination)
{
	const struct json *mounts = docker_member(in->container, "Mounts", JSON_ARRAY);

	for (const struct json *item = mounts ? mounts->first : NULL; item; item = item->next)
		if (strcmp(docker_text(item, "Destination"), destination) == 0)
			return true;
	return false;
}

/* SOURCE:DESTINATION[:OPTIONS] that is in no list: the container was not made yet, or somebody wrote this by hand. */
static int read_bind(struct docker_reader *in, char *text, int *verdict)
{
	_cleanup_(strv_freep) char **options = NULL;
	char *at = text, *source = strsep(&at, ":"), *destination = strsep(&at, ":");
	struct mrg_mount mount = { .destination = destination, .type = "bind", .source = source };
	int r;

	if (!destination)
		return docker_fail(in, "must be SOURCE:DESTINATION[:OPTIONS], not '%.80s'", source);
	if (is_listed(in, destination))
		return 0;
	if (*source != '/') {
		docker_note(in, "the volume '%.60s' is the engine's own", source);
		*verdict = MRG_DROPPED;
		return 0;
	}
	r = add_option(in, &options, "rbind");
	if (r == 0)
		r = take_options(in, at ? at : "", &options, verdict);
	mount.options = options;
	return r < 0 ? r : add_mount(in, &mount);
}

DOCKER_READER(docker_read_binds)
{
	int verdict = key->verdict, r = 0;

	for (const struct json *item = value->first; item && r == 0; item = item->next) {
		_cleanup_free_ char *copy = item->type == JSON_STRING ? strdup(item->text) : NULL;

		if (item->type != JSON_STRING)
			return docker_fail(in, "must be an array of strings");
		r = copy ? read_bind(in, copy, &verdict) : fail_memory(in->err);
	}
	return r < 0 ? r : verdict;
}

DOCKER_READER(docker_read_host_mounts)
{
	for (const struct json *item = value->first; item; item = item->next)
		if (!is_listed(in, docker_text(item, "Target"))) {
			docker_note(in, "'%.80s' is in no list of what is mounted", docker_text(item, "Target"));
			return MRG_DROPPED;
		}
	return key->verdict;
}

/* Docker adds what Podman writes out. */
DOCKER_READER(docker_read_tmpfs)
{
	int verdict = key->verdict, r = 0;

	for (const struct json *item = value->first; item && r == 0; item = item->next) {
		_cleanup_(strv_freep) char **options = NULL;
		struct mrg_mount mount = { .destination = item->key, .type = "tmpfs", .source = "tmpfs" };

		if (item->type != JSON_STRING)
			return docker_fail(in, "must be an object of strings");
		r = in->podman ? 0 : take_options(in, "nosuid,nodev,noexec", &options, &verdict);
		if (r == 0)
			r = take_options(in, item->text, &options, &verdict);
		mount.options = options;
		if (r == 0 && !has_destination(in->spec, item->key))
			r = add_mount(in, &mount);
	}
	return r < 0 ? r : verdict;
}

DOCKER_READER(docker_read_shm)
{
	int64_t size;

	if (parse_int64(value->text, &size) < 0 || size < 0)
		return docker_fail(in, "must be a number of bytes");
	return key->verdict;
}

/* ---- devices ------------------------------------------------------------------------------------------ */

DOCKER_READER(docker_read_devices)
{
	int verdict = key->verdict;

	for (const struct json *item = value->first; item; item = item->next) {
		const char *host = docker_text(item, "PathOnHost"), *inside = docker_text(item, "PathInContainer");
		const char *access = docker_text(item, "CgroupPermissions");
		int r;

		if (!path_is_clean(host) || strspn(access, "rwm") != strlen(access))
			return docker_fail(in, "must be objects of PathOnHost, PathInContainer and CgroupPermissions");
		r = engine_add_device(in->spec, host, *inside ? inside : host, *access ? access : "rwm", in->err);
		if (r < 0)
			return docker_place(in);
		if (r > 0) {
			docker_note(in, "the numbers of '%.60s' are known on its own host only", host);
			verdict = MRG_DROPPED;
		}
	}
	return verdict;
}

/* "c 10:200 rwm" with "*" for all. */
static bool parse_rule(const char *text, char type[2], char access[4], struct mrg_device_rule *ret)
{
	char major[12], minor[12];
	int end = 0;

	if (strlen(text) > 40 || sscanf(text, "%1[abc] %11[0-9*]:%11[0-9*] %3[rwm]%n", type, major, minor, access, &end) != 4 || text[end])
		return false;
	*ret = (struct mrg_device_rule){ .allow = 1, .type = type, .major = -1, .minor = -1, .access = access };
	return (strcmp(major, "*") == 0 || (parse_int64(major, &ret->major) == 0 && ret->major <= UINT32_MAX)) &&
	       (strcmp(minor, "*") == 0 || (parse_int64(minor, &ret->minor) == 0 && ret->minor <= UINT32_MAX));
}

DOCKER_READER(docker_read_device_rules)
{
	for (const struct json *item = value->first; item; item = item->next) {
		struct mrg_device_rule rule;
		char type[2], access[4];

		if (item->type != JSON_STRING || !parse_rule(item->text, type, access, &rule))
			return docker_fail(in, "must be rules such as 'c 10:200 rwm'");
		if (mrg_spec_add_device_rule(in->spec, &rule, in->err) < 0)
			return docker_place(in);
	}
	return key->verdict;
}

/* ---- what was not said ---------------------------------------------------------------------------------- */

/* A terminal's /dev/shm is that of the host when the IPC of the host is shared, and there is none with "none". */
static int64_t shm_size(const struct docker_reader *in)
{
	const struct json *size = docker_member(in->host, "ShmSize", JSON_NUMBER);
	const char *mode = docker_text(in->host, "IpcMode");
	int64_t bytes;

	if (strcmp(mode, "none") == 0 || strcmp(mode, "host") == 0)
		return -1;
	return size && parse_int64(size->text, &bytes) == 0 && bytes > 0 ? bytes : in->podman ? ENGINE_SHM_PODMAN : ENGINE_SHM_DOCKER;
}

int docker_finish_mounts(struct docker_reader *in)
{
	static const char *const options[] = { "rbind", NULL };
	const struct mrg_mount host_shm = { .destination = "/dev/shm", .type = "bind", .source = "/dev/shm", .options = (char **)options };
	const struct mrg_device_rule all = { 1, "a", -1, -1, "rwm" };
	int r = 0;

	if (strcmp(docker_text(in->host, "IpcMode"), "host") == 0 && !has_destination(in->spec, "/dev/shm"))
		r = mrg_spec_add_mount(in->spec, &host_shm, in->err);
	if (r == 0)
		r = engine_add_mounts(in->spec, in->privileged, shm_size(in), in->err);
	if (r == 0 && in->privileged)
		r = mrg_spec_add_device_rule(in->spec, &all, in->err);
	if (r == 0)
		r = engine_add_device_rules(in->spec, in->err);
	return r;
}
