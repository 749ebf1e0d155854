/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about the process: command, image, user, environment, signals, health. */

#include "config.h"

#include <string.h>

#include "core/formats/docker/docker.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"

/* ---- command and image --------------------------------------------------------------------- */

/* What is run is said by Path and Args, made of the other two at the end. */
DOCKER_READER(docker_read_command)
{
	for (const struct json *item = value->type == JSON_ARRAY ? value->first : NULL; item; item = item->next)
		if (item->type != JSON_STRING)
			return docker_fail(in, "must be an array of strings");
	if (value->type != JSON_ARRAY && value->type != JSON_STRING)
		return docker_fail(in, "must be a string or an array of strings");
	return key->verdict;
}

static int add_words(struct docker_reader *in, const struct json *words)
{
	int r = 0;

	if (words && words->type == JSON_STRING && *words->text)
		r = mrg_spec_set(in->spec, MRG_FIELD_ARGS, words->text, in->err);
	for (const struct json *item = words && words->type == JSON_ARRAY ? words->first : NULL; item && r == 0; item = item->next)
		r = mrg_spec_set(in->spec, MRG_FIELD_ARGS, item->text, in->err);
	return r < 0 ? docker_place(in) : 0;
}

static int finish_command(struct docker_reader *in)
{
	const struct json *path = json_member(in->container, "Path");
	bool whole = path && path->type == JSON_STRING && *path->text;
	int r = add_words(in, whole ? path : json_member(in->config, "Entrypoint"));

	return r < 0 ? r : add_words(in, whole ? json_member(in->container, "Args") : json_member(in->config, "Cmd"));
}

DOCKER_READER(docker_read_platform)
{
	if (strcmp(value->text, "linux") != 0)
		return docker_fail(in, "must be linux: nothing here runs containers of '%.40s'", value->text);
	return key->verdict;
}

DOCKER_READER(docker_read_image)
{
	(void)value;
	in->note = "the root has to be made of the image";
	return key->verdict < MRG_APPROXIMATED ? MRG_APPROXIMATED : key->verdict;
}

static void add_member(struct buffer *b, const char *name, const char *text)
{
	if (!*text)
		return;
	buffer_addf(b, "%s\"%s\":", b->length > 1 ? "," : "", name);
	if (json_quote(b, text) < 0)
		b->failed = true;
}

/* Podman has the name beside the id, Docker in Config; the same name in both is one. */
static int finish_image(struct docker_reader *in)
{
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };
	const char *name = docker_text(in->container, "ImageName");

	buffer_add(&b, "{", 1);
	add_member(&b, "name", *name ? name : docker_text(in->config, "Image"));
	add_member(&b, "id", docker_text(in->container, "Image"));
	add_member(&b, "digest", docker_text(in->container, "ImageDigest"));
	buffer_add(&b, "}", 1);
	if (b.failed)
		return fail_memory(in->err);
	return b.length > 2 ? mrg_spec_set(in->spec, MRG_FIELD_IMAGE, b.text, in->err) : 0;
}

/* ---- user and environment ------------------------------------------------------------------ */

DOCKER_READER(docker_read_user)
{
	if (engine_set_user(in->spec, value->text, in->err) < 0)
		return docker_place(in);
	in->field = in->spec->user ? MRG_FIELD_USER : MRG_FIELD_UID;
	return key->verdict;
}

DOCKER_READER(docker_read_env)
{
	for (const struct json *item = value->first; item; item = item->next) {
		if (item->type != JSON_STRING)
			return docker_fail(in, "must be an array of strings");
		if (!strchr(item->text, '=') || item->text[0] == '=')
			return docker_fail(in, "must be NAME=VALUE, not '%.40s'", item->text);
	}
	return docker_read_simple(in, key, value);
}

/* The engines add it themselves. */
static int finish_env(struct docker_reader *in)
{
	for (char **variable = in->spec->env; variable && *variable; variable++)
		if (strncmp(*variable, "PATH=", 5) == 0)
			return 0;
	return mrg_spec_set(in->spec, MRG_FIELD_ENV, ENGINE_PATH, in->err);
}

/* With the host name of the host there is none to set. */
DOCKER_READER(docker_read_hostname)
{
	if (strcmp(docker_text(in->host, "UTSMode"), "host") == 0) {
		in->note = "the host name is that of the host";
		return MRG_APPROXIMATED;
	}
	return docker_read_simple(in, key, value);
}

/* Podman keeps notes of its own there. */
DOCKER_READER(docker_read_annotations)
{
	for (const struct json *item = value->first; item; item = item->next) {
		_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };

		if (item->type != JSON_STRING)
			return docker_fail(in, "must be an object of strings");
		if (strncmp(item->key, "io.podman.annotations.", 22) == 0 || strncmp(item->key, "io.kubernetes.cri-o.", 20) == 0)
			continue;
		buffer_addf(&b, "%s=%s", item->key, item->text);
		if (b.failed)
			return fail_memory(in->err);
		if (!*item->key || strchr(item->key, '=') || mrg_spec_set(in->spec, (enum mrg_field)key->field, b.text, in->err) < 0)
			return docker_fail(in, "has the name '%.40s'", item->key);
	}
	return key->verdict;
}

/* The engines load profiles of these names themselves. */
DOCKER_READER(docker_read_profile)
{
	int verdict = docker_read_simple(in, key, value);

	if (verdict < 0 || (strcmp(value->text, "docker-default") != 0 && strncmp(value->text, "containers-default-", 19) != 0))
		return verdict;
	in->note = "the engine loads this profile: without it, load it first";
	return MRG_APPROXIMATED;
}

/* ---- its end and its health ----------------------------------------------------------------- */

/* A name, or Podman's number. */
DOCKER_READER(docker_read_signal)
{
	if (value->type != JSON_STRING && value->type != JSON_NUMBER)
		return docker_fail(in, "must be a signal");
	if (parse_signal(value->text) < 0)
		return docker_fail(in, "must be a signal, not '%.40s'", value->text);
	return docker_read_simple(in, key, value);
}

/* The check is kept as the engine has it. "NONE" switches that of the image off. */
DOCKER_READER(docker_read_health)
{
	const struct json *test = docker_member(value, "Test", JSON_ARRAY);
	_cleanup_(buffer_deinit) struct buffer b = { .text = NULL };

	if (value->type == JSON_STRING)
		return strcmp(value->text, "none") == 0 ? (in->note = NULL, MRG_CARRIED) : key->verdict;
	if (test && test->first && test->first->type == JSON_STRING && strcmp(test->first->text, "NONE") == 0)
		return key->verdict;
	json_compact(&b, value->begin, value->length);
	if (b.failed)
		return fail_memory(in->err);
	return mrg_spec_set(in->spec, (enum mrg_field)key->field, b.text, in->err) < 0 ? docker_place(in) : key->verdict;
}

int docker_finish_process(struct docker_reader *in)
{
	struct mrg_spec *spec = in->spec;
	int r = finish_command(in);

	if (r == 0)
		r = finish_image(in);
	if (r == 0)
		r = finish_env(in);
	if (r == 0 && !mrg_fields_has(&spec->set, MRG_FIELD_CWD))
		r = mrg_spec_set(spec, MRG_FIELD_CWD, "/", in->err);
	if (r == 0 && !mrg_fields_has(&spec->set, MRG_FIELD_UMASK))
		r = mrg_spec_set(spec, MRG_FIELD_UMASK, "0022", in->err);
	if (r == 0 && !mrg_fields_has(&spec->set, MRG_FIELD_STOP_SIGNAL))
		r = mrg_spec_set(spec, MRG_FIELD_STOP_SIGNAL, "SIGTERM", in->err);
	if (r == 0 && !mrg_fields_has(&spec->set, MRG_FIELD_STOP_TIMEOUT))
		r = mrg_spec_set(spec, MRG_FIELD_STOP_TIMEOUT, ENGINE_STOP_TIMEOUT, in->err);
	return r;
}
