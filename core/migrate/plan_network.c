/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Network devices: what each is called under the one engine and under the other. */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "core/migrate/migrate.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/json.h"

#define DEVICE_SIZE	16		/* IFNAMSIZ */

static void spec_freep(struct mrg_spec **spec)
{
	mrg_spec_free(*spec);
}

/* What the engine calls a device that is not named. */
static void default_name(const char *backend, size_t i, char ret[DEVICE_SIZE])
{
	if (strcmp(backend, "nspawn") == 0)
		snprintf(ret, DEVICE_SIZE, "host%zu", i);
	else
		snprintf(ret, DEVICE_SIZE, "eth%zu", i);
}

static const char *text_of(const struct json *device, const char *key)
{
	const struct json *member = json_member(device, key);

	return member && member->type == JSON_STRING ? member->text : NULL;
}

static struct json *parse(const struct mrg_spec *spec)
{
	struct json *list = NULL;

	if (mrg_fields_has(&spec->set, MRG_FIELD_NETWORKS) && spec->networks_json)
		json_parse(spec->networks_json, strlen(spec->networks_json), &list, NULL);
	return list && list->type == JSON_ARRAY ? list : json_free(list);
}

/* The target as its engine will understand it: written and read back. One that keeps no configuration of its own takes the spec's word. */
static int as_understood(const struct migration *g, struct mrg_spec **ret)
{
	_cleanup_free_ char *text = NULL;
	struct mrg_error ignored;
	int r = mrg_format_write(g->j->target.backend, g->spec, &text, NULL, NULL, &ignored);

	return r < 0 ? r : mrg_format_read(g->j->target.backend, text, strlen(text), ret, NULL, NULL, &ignored);
}

static int add_device(struct migration *g, const char *before, const char *after, const char *type, struct mrg_error *err)
{
	char sentence[160];
	int r;

	if (strcmp(before, after) == 0)
		snprintf(sentence, sizeof(sentence), "%s (%.32s) keeps its name", before, type);
	else
		snprintf(sentence, sizeof(sentence), "%s (%.32s) is called %s", before, type, after);
	r = strv_append(&g->parts->networks, sentence);
	if (r == 0 && strcmp(before, after) != 0)
		r = strv_append(&g->devices, before);
	if (r == 0 && strcmp(before, after) != 0)
		r = strv_append(&g->devices, after);
	return r < 0 ? fail_memory(err) : 0;
}

static int compare(struct migration *g, const struct json *before, const struct json *after, struct mrg_error *err)
{
	const struct json *now = after ? after->first : NULL;
	size_t i = 0;
	int r = 0;

	for (const struct json *device = before->first; device && r == 0; device = device->next, i++) {
		const char *type = text_of(device, "type"), *old = text_of(device, "name"), *new = now ? text_of(now, "name") : NULL;
		char defaults[2][DEVICE_SIZE];

		default_name(g->j->source.backend, i, defaults[0]);
		default_name(g->j->target.backend, i, defaults[1]);
		if (type && strcmp(type, "empty") != 0)
			r = add_device(g, old ? old : defaults[0], new ? new : defaults[1], type, err);
		now = now ? now->next : NULL;
	}
	return r;
}

int plan_networks(struct migration *g, struct mrg_error *err)
{
	const struct mrg_spec *source = mrg_container_spec(g->source);
	_cleanup_(json_freep) struct json *before = parse(source), *after = NULL;
	_cleanup_(spec_freep) struct mrg_spec *read = NULL;
	int r = 0;

	if (!g->spec->ns_network)
		r = strv_append(&g->parts->networks, source->ns_network ? "the network becomes the host's" : "the network is the host's");
	else if (!before)
		r = strv_append(&g->parts->networks, "a network of its own, with no device but the loopback");
	if (r < 0)
		return fail_memory(err);
	if (!before || !g->spec->ns_network)
		return 0;
	after = parse(as_understood(g, &read) == 0 ? read : g->spec);
	return compare(g, before, after, err);
}
