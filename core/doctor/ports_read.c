/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which containers are to have ports of the host, by the files of systemd-nspawn, Podman's units and Docker. */

#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/doctor/doctor.h"
#include "core/util/cleanup.h"
#include "core/util/json.h"

#define PORTS_MAX	1024		/* compared with each other: more are not looked at */

static int add(struct ports *ports, const struct port *port, const char *path, const char *kind, const char *name)
{
	struct port *item;

	if (ports->n == PORTS_MAX)
		return 0;
	if (!ports->item && !(ports->item = calloc(PORTS_MAX, sizeof(*ports->item))))
		return -ENOMEM;
	item = &ports->item[ports->n++];
	*item = *port;
	snprintf(item->owner, sizeof(item->owner), "%s '%.80s'", kind, name);
	snprintf(item->file, sizeof(item->file), "/%s", path);
	return 0;
}

/* The name of the file @path without what is behind its last dot. */
static const char *name_of(const char *path, char ret[128])
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');

	snprintf(ret, 128, "%.*s", dot && dot - name < 128 ? (int)(dot - name) : 127, name);
	return ret;
}

/* ---- files with lines ----------------------------------------------------------------------------- */

struct lines {
	struct ports *ports;
	const char *key, *kind;
	bool (*parse)(const char *text, struct port *ret);
};

static int read_lines(const char *path, char *text, void *data)
{
	const struct lines *lines = data;
	char *line, *value, name[128];
	int r = 0;

	while (r == 0 && (line = doctor_next_line(&text))) {
		struct port port = { .first = 0 };

		if ((value = doctor_value(line, lines->key)) && lines->parse(value, &port))
			r = add(lines->ports, &port, path, lines->kind, name_of(path, name));
	}
	return r;
}

static int read_units(const struct doctor *d, struct ports *ret)
{
	static const struct {
		const char *directory, *suffix;
		struct lines lines;
	} rows[] = {
		{ "etc/systemd/nspawn", ".nspawn", { NULL, "Port", "the machine", port_parse_nspawn } },
		{ "run/systemd/nspawn", ".nspawn", { NULL, "Port", "the machine", port_parse_nspawn } },
		{ "etc/containers/systemd", ".container", { NULL, "PublishPort", "the unit of Podman", port_parse_podman } },
		{ "etc/containers/systemd", ".pod", { NULL, "PublishPort", "the pod of Podman", port_parse_podman } },
		{ "etc/containers/systemd", ".kube", { NULL, "PublishPort", "the pods of Podman", port_parse_podman } },
		{ "run/containers/systemd", ".container", { NULL, "PublishPort", "the unit of Podman", port_parse_podman } },
		{ "usr/share/containers/systemd", ".container", { NULL, "PublishPort", "the unit of Podman", port_parse_podman } },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows) && r == 0; i++) {
		struct lines lines = rows[i].lines;

		lines.ports = ret;
		r = doctor_read_all(d, rows[i].directory, rows[i].suffix, read_lines, &lines);
	}
	return r;
}

/* ---- Docker ------------------------------------------------------------------------------------------ */

struct docker {
	const struct doctor *d;
	struct ports *ports;
};

static const struct json *member_of(const struct json *object, const char *key, enum json_type type)
{
	const struct json *member = object && object->type == JSON_OBJECT ? json_member(object, key) : NULL;

	return member && member->type == type ? member : NULL;
}

/* Of all containers that one has had, many may have the same port: those count that start by themselves. */
static bool starts_by_itself(const struct json *top)
{
	const struct json *name = member_of(member_of(top, "RestartPolicy", JSON_OBJECT), "Name", JSON_STRING);

	return name && (strcmp(name->text, "always") == 0 || strcmp(name->text, "unless-stopped") == 0);
}

/* The name is in the file beside it; without one the directory, which is the id, will do. */
static void find_name(const struct doctor *d, const char *path, char ret[128])
{
	const char *slash = strrchr(path, '/');
	char beside[PATH_MAX];
	_cleanup_free_ char *text = NULL;
	_cleanup_(json_freep) struct json *top = NULL;
	const struct json *name = NULL;

	snprintf(beside, sizeof(beside), "%.*s/config.v2.json", slash ? (int)(slash - path) : 0, path);
	text = doctor_read(d, beside);
	if (text && json_parse(text, strlen(text), &top, NULL) == 0)
		name = member_of(top, "Name", JSON_STRING);
	if (name)
		snprintf(ret, 128, "%.120s", name->text + strspn(name->text, "/"));
	else
		snprintf(ret, 128, "%.120s", slash && slash - path > 12 ? slash - 12 : path);
}

/* "80/tcp": [{"HostIp": "", "HostPort": "8080"}] */
static int read_bindings(struct docker *docker, const char *path, const char *name, const struct json *inner)
{
	const char *slash = strchr(inner->key, '/');
	int r = 0;

	for (const struct json *b = inner->type == JSON_ARRAY ? inner->first : NULL; b && r == 0; b = b->next) {
		const struct json *address = member_of(b, "HostIp", JSON_STRING), *outer = member_of(b, "HostPort", JSON_STRING);
		struct port port = { .first = 0 };
		char text[128];

		/* As Podman is told it, so that it is read in one place. */
		snprintf(text, sizeof(text), "%.50s:%.16s:0/%.7s", address ? address->text : "", outer ? outer->text : "", slash ? slash + 1 : "tcp");
		if (port_parse_podman(text, &port))
			r = add(docker->ports, &port, path, "the container of Docker", name);
	}
	return r;
}

static int read_container(const char *path, char *text, void *data)
{
	struct docker *docker = data;
	_cleanup_(json_freep) struct json *top = NULL;
	const struct json *bindings;
	char name[128];
	int r = 0;

	if (json_parse(text, strlen(text), &top, NULL) < 0 || !starts_by_itself(top) || !(bindings = member_of(top, "PortBindings", JSON_OBJECT)))
		return 0;
	find_name(docker->d, path, name);
	for (const struct json *inner = bindings->first; inner && r == 0; inner = inner->next)
		r = read_bindings(docker, path, name, inner);
	return r;
}

static int read_docker(const struct doctor *d, struct ports *ret)
{
	_cleanup_(json_freep) struct json *top = docker_configuration(d);
	const struct json *place = member_of(top, "data-root", JSON_STRING);
	struct docker docker = { d, ret };
	char directory[PATH_MAX];

	snprintf(directory, sizeof(directory), "%.2000s/containers", place && place->text[0] == '/' ? place->text + 1 : "var/lib/docker");
	return doctor_read_all(d, directory, "/hostconfig.json", read_container, &docker);
}

int ports_read(const struct doctor *d, struct ports *ret)
{
	int r = read_units(d, ret);

	return r == 0 ? read_docker(d, ret) : r;
}
