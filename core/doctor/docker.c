/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Docker's configuration, read as its daemon would: what it does not start with. */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "core/doctor/doctor.h"
#include "core/util/cleanup.h"
#include "core/util/json.h"
#include "core/util/str.h"

#define CONFIGURATION	"etc/docker/daemon.json"

struct json *docker_configuration(const struct doctor *d)
{
	_cleanup_free_ char *text = doctor_read(d, CONFIGURATION);
	struct json *top = NULL;

	if (!text || json_parse(text, strlen(text), &top, NULL) < 0)
		return NULL;
	return top->type == JSON_OBJECT ? top : json_free(top);
}

/* Ids that it maps containers to. An account called "default" stands for one that it makes itself, and a number needs a line as much as a name. */
static int check_remap(const struct doctor *d, const char *remap)
{
	static const struct {
		const char *path, *kind;
	} files[] = { { "etc/subuid", "uid" }, { "etc/subgid", "gid" } };
	const char *colon = strchr(remap, ':');
	char names[2][64];

	if (!*remap || strcmp(remap, "default") == 0)
		return 0;
	snprintf(names[0], sizeof(names[0]), "%.*s", colon ? (int)(colon - remap) : 60, remap);
	snprintf(names[1], sizeof(names[1]), "%.60s", colon ? colon + 1 : remap);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_free_ char *text = doctor_read(d, files[i].path);
		char said[384], fix[256];

		if (subids_has(text, names[i]))
			continue;
		snprintf(said, sizeof(said), "\"userns-remap\" in /" CONFIGURATION " is '%.64s', and '%s' has no line in /%s: its daemon does not start", remap, names[i],
			 files[i].path);
		snprintf(fix, sizeof(fix), "usermod --add-sub%ss FIRST-LAST '%s', of ids that no other line has", files[i].kind, names[0]);
		return doctor_say(d, "error", "docker", said, fix);
	}
	return 0;
}

int doctor_check_docker(const struct doctor *d)
{
	_cleanup_free_ char *text = doctor_read(d, CONFIGURATION);
	_cleanup_(json_freep) struct json *top = NULL;
	struct mrg_error err = { 0 };
	const struct json *remap;
	char said[512];

	if (!text)
		return 0;
	if (json_parse(text, strlen(text), &top, &err) < 0) {
		snprintf(said, sizeof(said), "/" CONFIGURATION " is broken, and its daemon does not start: %.300s", err.message);
		return doctor_say(d, "error", "docker", said, "correct it; 'dockerd --validate' says when it is right");
	}
	remap = top->type == JSON_OBJECT ? json_member(top, "userns-remap") : NULL;
	return remap && remap->type == JSON_STRING ? check_remap(d, remap->text) : 0;
}
