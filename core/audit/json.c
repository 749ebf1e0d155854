/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An audit as JSON, to be kept as a baseline: docs/audit.schema.json. */

#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/audit/audit.h"
#include "core/util/fail.h"
#include "core/util/json.h"

#define SCHEMA	"moorage/audit/v1"

static void add_text(struct buffer *b, const char *key, const char *text)
{
	buffer_addf(b, "%s\"%s\":", strchr("{[", b->text[b->length - 1]) ? "" : ",", key);
	/* Never fails: texts are cleaned, and this is for one that could not be. */
	if (!text || json_quote(b, text) < 0)
		buffer_addf(b, "null");
}

static void add_fact(struct buffer *b, const struct mrg_audit_fact *fact)
{
	buffer_addf(b, "%s{", b->text[b->length - 1] == '[' ? "" : ",");
	add_text(b, "check", fact->check);
	add_text(b, "item", fact->item);
	add_text(b, "value", fact->value);
	add_text(b, "source", fact->source);
	if (fact->exposure == UINT64_MAX)
		buffer_addf(b, ",\"exposure\":null}");
	else
		buffer_addf(b, ",\"exposure\":%" PRIu64 "}", fact->exposure);
}

static void add_finding(struct buffer *b, const struct mrg_audit_finding *finding)
{
	buffer_addf(b, "%s{", b->text[b->length - 1] == '[' ? "" : ",");
	add_text(b, "severity", mrg_severity_name(finding->severity));
	add_text(b, "check", finding->fact->check);
	add_text(b, "item", finding->fact->item);
	add_text(b, "title", finding->title);
	add_text(b, "value", finding->fact->value);
	add_text(b, "source", finding->fact->source);
	add_text(b, "advice", finding->advice);
	buffer_addf(b, "}");
}

int mrg_audit_emit(const struct mrg_audit *audit, char **ret, struct mrg_error *err)
{
	struct buffer b = { 0 };

	buffer_addf(&b, "{\"schema\":\"%s\"", SCHEMA);
	if (!b.failed) {
		add_text(&b, "name", audit->name);
		add_text(&b, "backend", audit->backend);
		buffer_addf(&b, ",\"pid\":%d,\"findings\":[", (int)audit->pid);
	}
	for (size_t i = 0; i < audit->n_findings && !b.failed; i++)
		add_finding(&b, &audit->findings[i]);
	buffer_addf(&b, "],\"facts\":[");
	for (size_t i = 0; i < audit->n_facts && !b.failed; i++)
		add_fact(&b, &audit->facts[i]);
	buffer_addf(&b, "]}");
	if (b.failed) {
		buffer_deinit(&b);
		return fail_memory(err);
	}
	*ret = b.text;
	return 0;
}

/* ---- and back ---------------------------------------------------------------------------------------- */

static const char *text_of(const struct json *object, const char *key)
{
	const struct json *member = object && object->type == JSON_OBJECT ? json_member(object, key) : NULL;

	return member && member->type == JSON_STRING ? member->text : NULL;
}

static int parse_fact(const struct json *object, struct mrg_audit *audit)
{
	const struct json *exposure = object->type == JSON_OBJECT ? json_member(object, "exposure") : NULL;
	struct mrg_audit_fact fact = {
		.check = text_of(object, "check"), .item = text_of(object, "item"), .value = text_of(object, "value"), .source = text_of(object, "source"),
		.exposure = UINT64_MAX,
	};
	bool negative = false;

	if (!fact.check || !fact.item || !fact.value || !fact.source || !exposure)
		return -EBADMSG;
	if (exposure->type != JSON_NULL &&
	    (exposure->type != JSON_NUMBER || json_integer(exposure, &negative, &fact.exposure) < 0 || negative))
		return -EBADMSG;
	return audit_add_fact(audit, &fact);
}

/* What `--format json` prints for one container may stand in a list of one. */
static const struct json *only_element(const struct json *json)
{
	return json->type == JSON_ARRAY && json->n == 1 ? json->first : json;
}

int mrg_audit_parse(const char *text, size_t length, struct mrg_audit **ret, struct mrg_error *err)
{
	_cleanup_(json_freep) struct json *json = NULL;
	const struct json *object, *facts, *pid;
	struct mrg_audit *audit;
	bool negative;
	uint64_t number = 0;
	int r = json_parse(text, length, &json, err);

	if (r < 0)
		return r;
	object = only_element(json);
	facts = object->type == JSON_OBJECT ? json_member(object, "facts") : NULL;
	pid = object->type == JSON_OBJECT ? json_member(object, "pid") : NULL;
	if (!text_of(object, "schema") || strcmp(text_of(object, "schema"), SCHEMA) != 0 || !text_of(object, "name") || !text_of(object, "backend") ||
	    !facts || facts->type != JSON_ARRAY)
		return mrg_error_set(err, -MRG_E_INVALID, "this is no audit of one container: its schema is not '%s'", SCHEMA);
	audit = calloc(1, sizeof(*audit));
	if (!audit)
		return fail_memory(err);
	audit->maker = MAKER_OTHER;
	if (pid && pid->type == JSON_NUMBER && json_integer(pid, &negative, &number) == 0 && number <= INT32_MAX)
		audit->pid = (pid_t)number;
	audit->name = strdup(text_of(object, "name"));
	audit->backend = strdup(text_of(object, "backend"));
	r = audit->name && audit->backend ? 0 : -ENOMEM;
	for (const struct json *fact = facts->first; fact && r == 0; fact = fact->next)
		r = parse_fact(fact, audit);
	if (r == 0) {
		*ret = audit;
		return 0;
	}
	mrg_audit_free(audit);
	return r == -ENOMEM ? fail_memory(err) : mrg_error_set(err, -MRG_E_INVALID, "a fact lacks check, item, value, source or exposure");
}
