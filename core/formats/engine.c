/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What Docker and Podman do to a container when nothing is said. */

#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/device_names.h"
#include "core/formats/engine.h"
#include "core/spec/table.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"

#define CAP(name)	ENGINE_CAP(name)

const uint64_t engine_caps_podman = CAP(CHOWN) | CAP(DAC_OVERRIDE) | CAP(FOWNER) | CAP(FSETID) | CAP(KILL) | CAP(NET_BIND_SERVICE) |
	CAP(SETFCAP) | CAP(SETGID) | CAP(SETPCAP) | CAP(SETUID) | CAP(SYS_CHROOT);
const uint64_t engine_caps_docker = CAP(CHOWN) | CAP(DAC_OVERRIDE) | CAP(FOWNER) | CAP(FSETID) | CAP(KILL) | CAP(NET_BIND_SERVICE) |
	CAP(SETFCAP) | CAP(SETGID) | CAP(SETPCAP) | CAP(SETUID) | CAP(SYS_CHROOT) | CAP(MKNOD) | CAP(NET_RAW) | CAP(AUDIT_WRITE);

const char *const engine_masked[] = {
	"/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
	"/proc/scsi", "/sys/firmware", "/sys/fs/selinux", "/sys/dev/block", "/sys/devices/virtual/powercap", NULL
};
const char *const engine_readonly[] = {
	"/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL
};

/* ---- mounts ------------------------------------------------------------------------------- */

#define SHM	"/dev/shm"

static const struct {
	const char *destination, *type, *source;
	const char *options[8];
	bool readonly;			/* unless privileged */
} mounts[] = {
	{ "/proc", "proc", "proc", { "nosuid", "noexec", "nodev" }, false },
	{ "/dev", "tmpfs", "tmpfs", { "nosuid", "noexec", "strictatime", "mode=755", "size=65536k" }, false },
	{ "/dev/pts", "devpts", "devpts", { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" }, false },
	{ "/sys", "sysfs", "sysfs", { "nosuid", "noexec", "nodev" }, true },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", { "nosuid", "noexec", "nodev", "relatime" }, true },
	{ "/dev/mqueue", "mqueue", "mqueue", { "nosuid", "noexec", "nodev" }, false },
	{ SHM, "tmpfs", "shm", { "nosuid", "noexec", "nodev", "mode=1777" }, false },
};
#define OPTIONS_MAX	(ARRAY_SIZE(mounts[0].options) + 2)

/* The options of mount @i; @last is room for one more. */
static void fill_options(size_t i, bool privileged, const char *last, const char *options[OPTIONS_MAX])
{
	size_t n = 0;

	for (; n < ARRAY_SIZE(mounts[i].options) && mounts[i].options[n]; n++)
		options[n] = mounts[i].options[n];
	if (mounts[i].readonly && !privileged)
		options[n++] = "ro";
	if (last)
		options[n++] = last;
	options[n] = NULL;
}

/* What the container itself mounts there takes the place of the engine's. */
static bool is_taken(const struct mrg_mount *own, size_t n, const char *destination)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(own[i].destination, destination) == 0)
			return true;
	return false;
}

int engine_add_mounts(struct mrg_spec *spec, bool privileged, int64_t shm_size, struct mrg_error *err)
{
	const struct mrg_mount *own = spec->mounts.item;
	size_t n = spec->mounts.n;
	char size[32];
	int r = 0;

	snprintf(size, sizeof(size), "size=%" PRId64, shm_size);
	spec->mounts.item = NULL;
	spec->mounts.n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(mounts) && r == 0; i++) {
		const char *options[OPTIONS_MAX];
		struct mrg_mount mount = { .destination = mounts[i].destination, .type = mounts[i].type, .source = mounts[i].source,
					   .options = (char **)options };
		bool shm = strcmp(mount.destination, SHM) == 0;

		fill_options(i, privileged, shm && shm_size > 0 ? size : NULL, options);
		if (!is_taken(own, n, mount.destination) && (!shm || shm_size >= 0))
			r = mrg_spec_add_mount(spec, &mount, err);
	}
	for (size_t i = 0; i < n && r == 0; i++)
		r = mrg_spec_add_mount(spec, &own[i], err);
	return r;
}

bool engine_has_mount(const char *destination)
{
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++)
		if (strcmp(mounts[i].destination, destination) == 0)
			return true;
	return false;
}

bool engine_is_mount(const struct mrg_mount *mount, bool privileged)
{
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		const char *options[OPTIONS_MAX];
		size_t n = 0, sized = 0;

		if (strcmp(mounts[i].destination, mount->destination) != 0)
			continue;
		fill_options(i, privileged, NULL, options);
		while (options[n] && strv_contains(mount->options, options[n]))
			n++;
		for (char **option = mount->options; option && *option; option++)
			sized += strcmp(mount->destination, SHM) == 0 && strncmp(*option, "size=", 5) == 0;
		return !options[n] && strv_length(mount->options) == n + sized && sized < 2 && mount->type &&
		       strcmp(mount->type, mounts[i].type) == 0 && mount->source && strcmp(mount->source, mounts[i].source) == 0;
	}
	return false;
}

int64_t engine_mount_size(const struct mrg_mount *mount)
{
	int64_t size;

	for (char **option = mount->options; option && *option; option++)
		if (strncmp(*option, "size=", 5) == 0)
			return parse_size(*option + 5, &size) == 0 && size > 0 ? size : -1;
	return -1;
}

/* ---- devices and namespaces ----------------------------------------------------------------- */

/* null, zero, full, random, urandom, tty, ptmx and terminals. */
static const struct mrg_device_rule rules[] = {
	{ 0, "a", -1, -1, "rwm" }, { 1, "c", 1, 3, "rwm" }, { 1, "c", 1, 5, "rwm" }, { 1, "c", 1, 7, "rwm" }, { 1, "c", 1, 8, "rwm" },
	{ 1, "c", 1, 9, "rwm" }, { 1, "c", 5, 0, "rwm" }, { 1, "c", 5, 2, "rwm" }, { 1, "c", 136, -1, "rwm" },
};

int engine_add_device_rules(struct mrg_spec *spec, struct mrg_error *err)
{
	const struct mrg_device_rule *own = spec->device_rules.item;
	size_t n = spec->device_rules.n;
	int r = 0;

	spec->device_rules.item = NULL;
	spec->device_rules.n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(rules) && r == 0; i++)
		r = mrg_spec_add_device_rule(spec, &rules[i], err);
	for (size_t i = 0; i < n && r == 0; i++)
		r = mrg_spec_add_device_rule(spec, &own[i], err);
	return r;
}

static bool same_rule(const struct mrg_device_rule *a, const struct mrg_device_rule *b)
{
	return a->allow == b->allow && strcmp(a->type ? a->type : "a", b->type) == 0 && a->major == b->major && a->minor == b->minor &&
	       strcmp(a->access ? a->access : "rwm", b->access) == 0;
}

size_t engine_device_rules(const struct mrg_spec *spec)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (i >= spec->device_rules.n || !same_rule(&spec->device_rules.item[i], &rules[i]))
			return 0;
	return ARRAY_SIZE(rules);
}

int engine_add_namespaces(struct mrg_spec *spec, struct mrg_error *err)
{
	static const enum mrg_field fields[] = { MRG_FIELD_NS_PID, MRG_FIELD_NS_MOUNT, MRG_FIELD_NS_UTS, MRG_FIELD_NS_IPC,
						 MRG_FIELD_NS_NETWORK, MRG_FIELD_NS_CGROUP };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(fields) && r == 0; i++)
		if (!mrg_fields_has(&spec->set, fields[i]))
			r = mrg_spec_set(spec, fields[i], "private", err);
	return r;
}

int engine_add_device(struct mrg_spec *spec, const char *host, const char *inside, const char *access, struct mrg_error *err)
{
	struct mrg_device_rule rule = { .allow = 1, .access = access };
	struct mrg_device device = { .path = inside, .file_mode = 0666 };
	struct device_name name;
	char type[2] = "c";
	int r;

	if (!device_find(host, &name) || name.minor < 0)
		return 1;
	type[0] = name.type;
	device.type = rule.type = type;
	device.major = rule.major = name.major;
	device.minor = rule.minor = name.minor;
	r = mrg_spec_add_device(spec, &device, err);
	return r < 0 ? r : mrg_spec_add_device_rule(spec, &rule, err);
}

/* ---- networks ------------------------------------------------------------------------------ */

void engine_add_network(struct buffer *b, const char *name, const char *more)
{
	buffer_addf(b, "%s{\"type\":\"veth\",\"zone\":", b->length ? "," : "");
	if (json_quote(b, name) < 0)
		b->failed = true;
	buffer_addf(b, "%s%s}", more ? "," : "", more ? more : "");
}

static bool is_port(const char *text, size_t length, uint32_t *ret)
{
	char digits[8];

	if (length == 0 || length >= sizeof(digits))
		return false;
	memcpy(digits, text, length);
	digits[length] = '\0';
	return parse_uint32(digits, ret) == 0 && *ret >= 1 && *ret <= 65535;
}

/* The part behind the last colon, cut off: *length is what is left in front of it, 0 when there was none. */
static const char *last_part(const char *text, size_t *length, size_t *ret)
{
	size_t end = *length, at = end;

	while (at > 0 && text[at - 1] != ':')
		at--;
	*ret = end - at;
	*length = at > 0 ? at - 1 : 0;
	return text + at;
}

const char *engine_add_port(struct buffer *b, const char *text)
{
	size_t length = strcspn(text, "/"), host_length, inside_length;
	const char *protocol = text[length] ? text + length + 1 : "tcp", *host, *inside;
	uint32_t host_port, inside_port;

	if (strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0)
		return "only ports of tcp and udp can be published";
	inside = last_part(text, &length, &inside_length);
	host = last_part(text, &length, &host_length);
	if (memchr(inside, '-', inside_length) || (inside != text && memchr(host, '-', host_length)))
		return "ranges of ports are not published: give the ports one by one";
	if (inside == text || host_length == 0)
		return "the engine chooses the port of the host, which nothing else does";
	if (!is_port(inside, inside_length, &inside_port) || !is_port(host, host_length, &host_port))
		return "is no port";
	if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	}
	buffer_addf(b, "%s{\"hostPort\":%" PRIu32 ",\"containerPort\":%" PRIu32, b->length ? "," : "", host_port, inside_port);
	if (strcmp(protocol, "tcp") != 0)
		buffer_addf(b, ",\"protocol\":\"udp\"");
	if (length > 0) {
		_cleanup_free_ char *address = strndup(text, length);

		buffer_addf(b, ",\"hostAddress\":");
		if (!address || json_quote(b, address) < 0)
			b->failed = true;
	}
	buffer_addf(b, "}");
	return NULL;
}

/* ---- the process ----------------------------------------------------------------------------- */

int engine_add_ulimit(struct mrg_spec *spec, const char *name, int64_t soft, int64_t hard, struct mrg_error *err)
{
	struct mrg_rlimit limit = { .soft = soft < 0 ? UINT64_MAX : (uint64_t)soft, .hard = hard < 0 ? UINT64_MAX : (uint64_t)hard };
	struct field_place place;
	char type[32];

	if (strncmp(name, "RLIMIT_", 7) == 0)
		name += 7;
	snprintf(type, sizeof(type), "RLIMIT_%.20s", name);
	for (char *c = type; *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	if (spec_check_enum(&spec_fields[MRG_FIELD_RLIMITS].value.object->members[0], type, spec_field_place(&place, MRG_FIELD_RLIMITS),
			    err) < 0)
		return -MRG_E_INVALID;
	limit.type = type;
	if (limit.soft > limit.hard)
		return mrg_error_set(err, -MRG_E_INVALID, "the soft limit is above the hard one");
	for (size_t i = 0; i < spec->rlimits.n; i++)
		if (strcmp(spec->rlimits.item[i].type, type) == 0) {
			spec->rlimits.item[i].soft = limit.soft;
			spec->rlimits.item[i].hard = limit.hard;
			return 0;
		}
	return mrg_spec_add_rlimit(spec, &limit, err);
}

int engine_set_user(struct mrg_spec *spec, const char *user, struct mrg_error *err)
{
	_cleanup_free_ char *name = strndup(user, strcspn(user, ":"));
	const char *colon = strchr(user, ':');
	uint32_t uid, gid;
	int r;

	if (!name)
		return fail_memory(err);
	if (!*name || (colon && (!colon[1] || strchr(colon + 1, ':'))))
		return mrg_error_set(err, -MRG_E_INVALID, "must be NAME[:GROUP], not '%.40s'", user);
	if (!colon || parse_uint32(name, &uid) < 0 || parse_uint32(colon + 1, &gid) < 0)
		return mrg_spec_set(spec, MRG_FIELD_USER, user, err);
	r = mrg_spec_set(spec, MRG_FIELD_UID, name, err);
	return r < 0 ? r : mrg_spec_set(spec, MRG_FIELD_GID, colon + 1, err);
}

static void set_caps(struct mrg_spec *spec, enum mrg_field field, uint64_t caps)
{
	*(uint64_t *)member_at(&spec_fields[field].value, spec) = caps;
	mrg_fields_add(&spec->set, field);
}

void engine_finish_caps(struct mrg_spec *spec, uint64_t bounding, uint64_t ambient)
{
	bool root = spec->uid == 0 && (!spec->user || strcmp(spec->user, "root") == 0 || strcmp(spec->user, "0") == 0 ||
				       strncmp(spec->user, "root:", 5) == 0 || strncmp(spec->user, "0:", 2) == 0);
	uint64_t given = root ? bounding : ambient & bounding;

	set_caps(spec, MRG_FIELD_CAP_BOUNDING, bounding);
	set_caps(spec, MRG_FIELD_CAP_EFFECTIVE, given);
	set_caps(spec, MRG_FIELD_CAP_PERMITTED, given);
	set_caps(spec, MRG_FIELD_CAP_INHERITABLE, root ? 0 : given);
	set_caps(spec, MRG_FIELD_CAP_AMBIENT, root ? 0 : given);
}
