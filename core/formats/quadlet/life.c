/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows about the life of a container: log and health. */

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/formats/quadlet/quadlet.h"
#include "core/util/cleanup.h"

/* ---- log ------------------------------------------------------------------------------------------ */

static bool is_driver(const char *name)
{
	static const char *const drivers[] = { "", "none", "k8s-file", "json-file", NULL };

	return strv_contains((char *const *)drivers, name);
}

/* Whether the driver, wherever it stands, is one of those. */
static bool has_driver(struct key_reader *in)
{
	const struct assignments *list = quadlet_of(in)->list;
	const char *last = "";

	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->item[i].section, "Container") == 0 && strcmp(list->item[i].key, "LogDriver") == 0)
			last = list->item[i].value;
	return is_driver(last);
}

/* The driver that writes a file, its size, and the one that writes none. */
KEY_READER(quadlet_read_log)
{
	struct quadlet_reader *quadlet = quadlet_of(in);
	int64_t bytes;
	const char *copy;

	if (!*value) {
		*(strcmp(key->name, "LogDriver") == 0 ? &quadlet->log_driver : &quadlet->log_size) = NULL;
		return MRG_CARRIED;
	}
	copy = mrg_spec_strdup(in->spec, value);
	if (!copy)
		return key_no_memory(in);
	if (strcmp(key->name, "LogDriver") == 0) {
		if (!is_driver(value))
			return key_lost(in, key, "the log goes to a file");
		quadlet->log_driver = copy;
		return MRG_CARRIED;
	}
	if (strncmp(value, "max-size=", 9) != 0 || !has_driver(in))
		return key_lost(in, key, "of the log only the size can be said");
	if (parse_size(value + 9, &bytes) < 0 || bytes < 0)
		return key_fail(in, "must be a size such as max-size=10m, not '%.40s'", value);
	quadlet->log_size = copy + 9;
	return MRG_CARRIED;
}

static int finish_log(struct key_reader *in)
{
	const struct quadlet_reader *quadlet = quadlet_of(in);
	bool none = quadlet->log_driver && strcmp(quadlet->log_driver, "none") == 0;
	int64_t bytes = 0;

	if (!quadlet->log_driver && !quadlet->log_size)
		return 0;
	if (quadlet->log_size)
		parse_size(quadlet->log_size, &bytes);
	in->spec->log_driver = none ? "none" : "file";
	in->spec->log_max_size = (uint64_t)bytes;
	mrg_fields_add(&in->spec->set, MRG_FIELD_LOG);
	return 0;
}

KEY_WRITER(quadlet_write_log)
{
	const struct mrg_spec *spec = out->spec;

	if (!key_has(out, MRG_FIELD_LOG))
		return;
	key_line(out, key->name, spec->log_driver && strcmp(spec->log_driver, "none") == 0 ? "none" : "k8s-file");
	if (spec->log_max_size > 0)
		buffer_addf(&out->b, "LogOpt=max-size=%" PRIu64 "\n", spec->log_max_size);
	key_report(out, MRG_FIELD_LOG, MRG_CARRIED, key->name, NULL);
}

/* ---- health ------------------------------------------------------------------------------------------ */

static const char *const times[] = { "Interval", "Timeout", "StartPeriod" };

/* Whether podman takes it for words, and not for the shell: "[ -f /a ]" is for the shell. */
static struct json *parse_words(const char *value)
{
	struct json *array = NULL;

	if (*value != '[' || json_parse(value, strlen(value), &array, NULL) < 0)
		return NULL;
	return array->type == JSON_ARRAY && array->first ? array : json_free(array);
}

/* "none" switches the check of the image off. */
static int read_test(struct key_reader *in, const char *value)
{
	struct quadlet_reader *quadlet = quadlet_of(in);
	_cleanup_(json_freep) struct json *array = NULL;
	struct buffer b = { 0 };

	quadlet->health_test = NULL;
	if (!*value || strcmp(value, "none") == 0)
		return *value ? (quadlet->health_test = "[\"NONE\"]", MRG_CARRIED) : MRG_CARRIED;
	array = parse_words(value);
	if (array) {
		buffer_addf(&b, "[\"CMD\"");
		for (const struct json *item = array->first; item; item = item->next) {
			buffer_add(&b, ",", 1);
			b.failed |= item->type != JSON_STRING || json_quote(&b, item->text) < 0;
		}
	} else {
		buffer_addf(&b, "[\"CMD-SHELL\",");
		b.failed |= json_quote(&b, value) < 0;
	}
	buffer_add(&b, "]", 1);
	if (!b.failed)
		quadlet->health_test = mrg_spec_strdup(in->spec, b.text);
	buffer_deinit(&b);
	return quadlet->health_test ? MRG_CARRIED : key_fail(in, "must be a command, or an array of strings");
}

KEY_READER(quadlet_read_health)
{
	struct quadlet_reader *quadlet = quadlet_of(in);
	const char *note = key_undo(in, value), *name = key->name + strlen("Health");
	int64_t ms;
	uint32_t retries;
	char text[32];

	if (note)
		return key_lost(in, key, note);
	if (strcmp(name, "Cmd") == 0)
		return read_test(in, value);
	if (strcmp(name, "Retries") == 0) {
		if (*value && parse_uint32(value, &retries) < 0)
			return key_fail(in, "must be a number, not '%.40s'", value);
		snprintf(text, sizeof(text), "%" PRIu32, *value ? retries : 0);
		quadlet->health_retries = *value ? mrg_spec_strdup(in->spec, text) : NULL;
		return MRG_CARRIED;
	}
	if (strcmp(value, "disable") == 0)
		return key_lost(in, key, "a check that runs by hand only");
	if (*value && (parse_duration_ms(value, &ms) < 0 || ms > INT64_MAX / 1000000))
		return key_fail(in, "must be a time such as 30s, not '%.40s'", value);
	snprintf(text, sizeof(text), "%" PRId64, *value ? ms * 1000000 : 0);
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		if (strcmp(times[i], name) == 0)
			quadlet->health_time[i] = *value ? mrg_spec_strdup(in->spec, text) : NULL;
	return MRG_CARRIED;
}

static void add_member(struct buffer *b, const char *name, const char *value)
{
	if (value)
		buffer_addf(b, "%s\"%s\":%s", b->length > 1 ? "," : "", name, value);
}

/* As the engines themselves keep it: times in nanoseconds. */
static int finish_health(struct key_reader *in)
{
	const struct quadlet_reader *quadlet = quadlet_of(in);
	struct buffer b = { 0 };
	int r = 0;

	buffer_add(&b, "{", 1);
	add_member(&b, "Test", quadlet->health_test);
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		add_member(&b, times[i], quadlet->health_time[i]);
	add_member(&b, "Retries", quadlet->health_retries);
	buffer_add(&b, "}", 1);
	if (b.failed)
		r = key_no_memory(in);
	else if (b.length > 2)
		r = mrg_spec_set(in->spec, MRG_FIELD_HEALTH, b.text, in->err);
	buffer_deinit(&b);
	return r;
}

/* A command line for the shell as it is, words as an array. */
static bool write_test(struct key_writer *out, const char *key, const struct json *test)
{
	const struct json *first = test->type == JSON_ARRAY ? test->first : NULL;
	_cleanup_(json_freep) struct json *words = NULL;
	struct buffer b = { 0 };
	bool whole = first && first->type == JSON_STRING;

	if (whole && strcmp(first->text, "NONE") == 0 && !first->next) {
		buffer_addf(&b, "none");
	} else if (whole && strcmp(first->text, "CMD-SHELL") == 0 && first->next && first->next->type == JSON_STRING && !first->next->next) {
		buffer_addf(&b, "%s", first->next->text);
		/* It would be taken for something else. */
		words = parse_words(first->next->text);
		whole = *first->next->text && !words && strcmp(first->next->text, "none") != 0;
	} else if (whole && strcmp(first->text, "CMD") == 0 && first->next) {
		for (const struct json *item = first->next; item && whole; item = item->next) {
			buffer_addf(&b, item == first->next ? "[" : ",");
			whole = item->type == JSON_STRING && json_quote(&b, item->text) == 0;
		}
		buffer_add(&b, "]", 1);
	} else {
		whole = false;
	}
	whole = whole && !b.failed && key_line(out, key, b.text);
	buffer_deinit(&b);
	return whole;
}

/* Nanoseconds, as milliseconds or seconds. */
static bool write_time(struct key_writer *out, const char *name, const struct json *value)
{
	int64_t ns;

	if (value->type != JSON_NUMBER || parse_int64(value->text, &ns) < 0 || ns < 0 || ns % 1000000 != 0)
		return false;
	buffer_addf(&out->b, "Health%s=%" PRId64 "%s\n", name, ns % 1000000000 ? ns / 1000000 : ns / 1000000000, ns % 1000000000 ? "ms" : "s");
	return true;
}

static bool write_member(struct key_writer *out, const char *key, const struct json *member)
{
	uint32_t retries;

	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		if (strcmp(times[i], member->key) == 0)
			return write_time(out, times[i], member);
	if (strcmp(member->key, "Test") == 0)
		return write_test(out, key, member);
	if (strcmp(member->key, "Retries") != 0 || member->type != JSON_NUMBER || parse_uint32(member->text, &retries) < 0)
		return false;
	buffer_addf(&out->b, "HealthRetries=%" PRIu32 "\n", retries);
	return true;
}

KEY_WRITER(quadlet_write_health)
{
	_cleanup_(json_freep) struct json *health = NULL;
	bool whole = true;

	if (!key_has(out, MRG_FIELD_HEALTH) || json_parse(out->spec->health_json, strlen(out->spec->health_json), &health, NULL) < 0)
		return;
	for (const struct json *member = health->first; member; member = member->next)
		whole &= write_member(out, key->name, member);
	key_report(out, MRG_FIELD_HEALTH, whole ? MRG_CARRIED : MRG_DROPPED, key->name, "has members that podman has no key for");
}

int quadlet_finish_life(struct key_reader *in)
{
	int r = finish_log(in);

	return r < 0 ? r : finish_health(in);
}
