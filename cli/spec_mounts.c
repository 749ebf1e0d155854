/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options that mount something or make a device: --volume, --mount, --bind, --tmpfs, --shm-size, --device. */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cli/spec_build.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/str.h"

/* What may stand behind the paths of a mount, as the kernel or mount(8) knows it. */
static const char mount_words[] =
	"ro rw exec noexec suid nosuid dev nodev atime noatime relatime norelatime strictatime "
	"private rprivate slave rslave shared rshared bind rbind sync async dirsync idmap";

static int add_option(char ***options, const char *word, struct mrg_error *err)
{
	if (!word_in(mount_words, word) && !strchr(word, '='))
		return mrg_error_set(err, -MRG_E_INVALID, "unknown mount option '%s'", word);
	if (strcmp(word, "rw") == 0)
		return 0;
	return strv_append(options, word) < 0 ? no_memory(err) : 0;
}

static int add_options(char ***options, char *text, struct mrg_error *err)
{
	int r = 0;

	for (char *word; r == 0 && (word = next_part(&text, ','));)
		r = add_option(options, word, err);
	return r;
}

/* An absolute path of what is there on the host. */
static int source_path(const char *text, char **ret, struct mrg_error *err)
{
	if (!strchr(text, '/') && !word_in(". ..", text)) {
		mrg_error_set(err, -MRG_E_INVALID, "'%s' is no path, and named volumes come in a later version", text);
		return mrg_error_hint(err, "a directory needs a slash: ./%s", text);
	}
	*ret = realpath(text, NULL);
	if (*ret)
		return 0;
	if (errno == ENOENT)
		return mrg_error_set(err, -MRG_E_INVALID, "there is no '%s' on the host", text);
	return fail_errno(err, -errno, "cannot use '%s'", text);
}

static int add_bind(struct builder *b, const char *source, const char *destination, char **options,
		    struct mrg_error *err)
{
	struct mrg_mount mount = { .destination = destination, .type = "bind", .options = options };
	_cleanup_free_ char *real = NULL;
	int r = source_path(source, &real, err);

	if (r < 0)
		return r;
	if (destination[0] != '/')
		return mrg_error_set(err, -MRG_E_INVALID, "'%s' must be an absolute path in the container",
				     destination);
	mount.source = real;
	return mrg_spec_add_mount(b->spec, &mount, err);
}

/* SRC[:DST[:OPTIONS]]; @common: what each gets. */
static int add_volume(struct builder *b, const char *text, const char *extra, struct mrg_error *err)
{
	_cleanup_(strv_freep) char **options = NULL;
	_cleanup_free_ char *copy = strdup(text);
	char *at = copy, *source, *destination;
	int r;

	if (!copy || strv_append(&options, "rbind") < 0 || strv_append(&options, "rprivate") < 0)
		return no_memory(err);
	source = next_part(&at, ':');
	destination = next_part(&at, ':');
	if (!source || !*source)
		return mrg_error_set(err, -MRG_E_INVALID, "must be SOURCE:DESTINATION[:ro], not '%s'", text);
	r = at ? add_options(&options, at, err) : 0;
	if (r == 0 && extra)
		r = add_option(&options, extra, err);
	return r < 0 ? r : add_bind(b, source, destination ? destination : source, options, err);
}

int apply_volume(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err)
{
	(void)option;
	if (!strchr(text, ':'))
		return mrg_error_set(err, -MRG_E_INVALID, "must be SOURCE:DESTINATION[:ro], not '%s'", text);
	return add_volume(b, text, NULL, err);
}

/* systemd-nspawn's --bind and --bind-ro. */
int apply_bind(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err)
{
	return add_volume(b, text, option->value, err);
}

struct mount_text {
	char *type, *source, *destination;
	char **options;
};

/* One KEY[=VALUE] of --mount. */
static int mount_word(struct mount_text *m, char *word, struct mrg_error *err)
{
	char *value = strchr(word, '=');
	char option[64];

	if (value)
		*value++ = '\0';
	if (word_in("type src source dst destination target", word) && !value)
		return mrg_error_set(err, -MRG_E_INVALID, "'%s' needs a value", word);
	if (strcmp(word, "type") == 0)
		m->type = value;
	else if (word_in("src source", word))
		m->source = value;
	else if (word_in("dst destination target", word))
		m->destination = value;
	else if (strcmp(word, "bind-propagation") == 0 && value)
		return add_option(&m->options, value, err);
	else if (word_in("tmpfs-size tmpfs-mode", word) && value)
		return add_option(&m->options, (snprintf(option, sizeof(option), "%s=%s", word + 6, value), option),
				  err);
	else if (word_in("ro readonly", word))
		return !value || word_in("true yes 1", value) ? add_option(&m->options, "ro", err) : 0;
	else if (value)
		return mrg_error_set(err, -MRG_E_INVALID, "unknown key '%s'", word);
	else
		return add_option(&m->options, word, err);
	return 0;
}

static int add_parsed(struct builder *b, struct mount_text *m, struct mrg_error *err)
{
	struct mrg_mount mount = { .destination = m->destination, .type = "tmpfs", .source = "tmpfs" };

	if (!m->destination || m->destination[0] != '/')
		return mrg_error_set(err, -MRG_E_INVALID, "needs dst=PATH, absolute");
	if (m->type && strcmp(m->type, "tmpfs") == 0) {
		if (strv_append(&m->options, "nosuid") < 0 || strv_append(&m->options, "nodev") < 0)
			return no_memory(err);
		mount.options = m->options;
		return mrg_spec_add_mount(b->spec, &mount, err);
	}
	if (m->type && strcmp(m->type, "bind") != 0)
		return mrg_error_set(err, -MRG_E_INVALID, "type '%s' is not in this version: there are bind and tmpfs",
				     m->type);
	if (!m->source)
		return mrg_error_set(err, -MRG_E_INVALID, "needs src=PATH");
	if (strv_append(&m->options, "rbind") < 0)
		return no_memory(err);
	return add_bind(b, m->source, m->destination, m->options, err);
}

int apply_mount(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err)
{
	_cleanup_free_ char *copy = strdup(text);
	struct mount_text m = { .type = NULL };
	char *at = copy;
	int r = 0;

	(void)option;
	if (!copy)
		return no_memory(err);
	for (char *word; r == 0 && (word = next_part(&at, ','));)
		r = mount_word(&m, word, err);
	if (r == 0)
		r = add_parsed(b, &m, err);
	strv_free(m.options);
	return r;
}

/* PATH[:OPTIONS] */
int apply_tmpfs(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err)
{
	_cleanup_(strv_freep) char **options = NULL;
	_cleanup_free_ char *copy = strdup(text);
	struct mrg_mount mount = { .type = "tmpfs", .source = "tmpfs" };
	char *at = copy;
	int r;

	(void)option;
	if (!copy)
		return no_memory(err);
	mount.destination = next_part(&at, ':');
	if (!mount.destination || mount.destination[0] != '/')
		return mrg_error_set(err, -MRG_E_INVALID, "must be PATH[:OPTIONS], the path absolute, not '%s'", text);
	r = at ? add_options(&options, at, err) : 0;
	for (const char *const *word = (const char *const[]){ "nosuid", "nodev", "noexec", NULL }; *word && r == 0;
	     word++)
		if (!strv_contains(options, *word) && !strv_contains(options, *word + 2))
			r = add_option(&options, *word, err);
	mount.options = options;
	return r < 0 ? r : mrg_spec_add_mount(b->spec, &mount, err);
}

int apply_shm_size(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err)
{
	char size[32];
	char *options[] = { (char *)"nosuid", (char *)"noexec", (char *)"nodev", (char *)"mode=1777", size, NULL };
	struct mrg_mount mount = { .destination = "/dev/shm", .type = "tmpfs", .source = "shm", .options = options };
	int64_t bytes;

	(void)option;
	if (parse_size(text, &bytes) < 0 || bytes <= 0)
		return mrg_error_set(err, -MRG_E_INVALID, "must be a size such as 64M, not '%s'", text);
	snprintf(size, sizeof(size), "size=%lld", (long long)bytes);
	/* Behind /dev, which the defaults put in front of what is there already. */
	return mrg_spec_add_mount(b->spec, &mount, err);
}

/* SRC[:DST[:rwm]], or SRC:rwm. */
int apply_device(struct builder *b, const struct option_spec *option, const char *text, struct mrg_error *err)
{
	_cleanup_free_ char *copy = strdup(text);
	char *at = copy, *source, *path, *access;
	struct mrg_device_rule rule = { .allow = 1 };
	struct mrg_device device = { .type = "c" };
	struct stat st;
	int r;

	(void)option;
	if (!copy)
		return no_memory(err);
	source = next_part(&at, ':');
	path = next_part(&at, ':');
	access = next_part(&at, ':');
	if (path && !access && path[0] != '/') {
		access = path;
		path = NULL;
	}
	if (!source || source[0] != '/' || at || (access && (!*access || access[strspn(access, "rwm")])))
		return mrg_error_set(err, -MRG_E_INVALID, "must be PATH[:PATH_INSIDE[:rwm]], not '%s'", text);
	if (stat(source, &st) < 0)
		return mrg_error_set(err, -MRG_E_INVALID, "cannot use '%s': %s", source, strerror(errno));
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return mrg_error_set(err, -MRG_E_INVALID, "'%s' is no device", source);
	device.path = path ? path : source;
	rule.type = device.type = S_ISBLK(st.st_mode) ? "b" : "c";
	rule.major = device.major = major(st.st_rdev);
	rule.minor = device.minor = minor(st.st_rdev);
	rule.access = access ? access : "rwm";
	device.file_mode = st.st_mode & 0777;
	r = mrg_spec_add_device(b->spec, &device, err);
	return r < 0 ? r : mrg_spec_add_device_rule(b->spec, &rule, err);
}
