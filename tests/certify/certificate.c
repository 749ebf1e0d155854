/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The certificate: schema "moorage/certificate/v1". */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <moorage/moorage.h>

#include "core/util/fd.h"
#include "core/util/json.h"
#include "core/util/proc.h"
#include "core/util/rfc3339.h"
#include "tests/certify/certify.h"
#include "tests/certify/elf_file.h"

static const char *const verdicts[VERDICT_MAX] = {
	[VERDICT_OK] = "ok", [VERDICT_FAILED] = "failed", [VERDICT_SKIPPED] = "skipped",
};

/* Bytes that are not UTF-8 come from hostile places only: they are left out whole. */
static void add_string(struct buffer *b, const char *key, const char *text)
{
	buffer_addf(b, "\"%s\":", key);
	if (!text || json_quote(b, text) < 0)
		buffer_addf(b, "null");
}

static void add_boolean(struct buffer *b, const char *key, bool value)
{
	buffer_addf(b, "\"%s\":%s", key, value ? "true" : "false");
}

static void add_host(struct buffer *b, const struct host *host)
{
	buffer_addf(b, ",\"host\":{");
	add_string(b, "kernel", host->kernel);
	buffer_addf(b, ",");
	add_string(b, "machine", host->machine);
	buffer_addf(b, ",");
	add_string(b, "system", host->system);
	buffer_addf(b, ",");
	add_string(b, "cgroups", host->cgroups);
	buffer_addf(b, ",");
	add_boolean(b, "systemd", host->systemd);
	buffer_addf(b, ",");
	add_boolean(b, "root", host->root);
	buffer_addf(b, "}");
}

static void add_plugin(struct buffer *b, const struct kit *kit)
{
	struct elf_file elf;
	char id[2 * 64 + 1] = "";

	if (!elf_open(&elf, kit->plugin)) {
		elf_build_id(&elf, id, sizeof(id));
		elf_close(&elf);
	}
	add_string(b, "backend", kit->name);
	buffer_addf(b, ",");
	add_string(b, "summary", kit->facts->summary);
	buffer_addf(b, ",");
	add_string(b, "buildId", id);
	buffer_addf(b, ",\"abi\":{\"symbol\":\"%s\",\"minor\":%u}", MRG_BACKEND_SYMBOL, kit->facts->minor);
	buffer_addf(b, ",");
	add_string(b, "verbs", kit->facts->verbs);
	buffer_addf(b, ",");
	add_string(b, "engine", kit->facts->engine);
	buffer_addf(b, ",");
	add_boolean(b, "usable", kit->facts->usable);
	buffer_addf(b, ",");
	add_boolean(b, "securityBoundary", kit->facts->boundary);
	buffer_addf(b, ",");
	add_string(b, "reason", kit->facts->usable ? kit->facts->reason : kit->facts->why_not);
}

static void add_results(struct buffer *b, const struct report *report)
{
	const char *separator = "";

	buffer_addf(b, ",\"results\":[");
	for (const struct result *result = report->first; result; result = result->next) {
		buffer_addf(b, "%s{", separator);
		add_string(b, "test", result->name);
		buffer_addf(b, ",\"verdict\":\"%s\"", verdicts[result->verdict]);
		if (*result->text) {
			buffer_addf(b, ",");
			add_string(b, "text", result->text);
		}
		buffer_addf(b, "}");
		separator = ",";
	}
	buffer_addf(b, "]");
}

/* What the tests of @field came to: the worst counts, and what was skipped only when nothing was observed. */
static const char *field_verdict(const struct kit *kit, unsigned int field, const char **ret_text)
{
	const struct result *skipped = NULL;
	bool observed = false;

	*ret_text = NULL;
	if (!mrg_fields_has(&kit->facts->able, field)) {
		if (!mrg_fields_has(&kit->facts->table, field))
			return "not claimed";
		*ret_text = kit->facts->reason;
		return "not on this host";
	}
	for (const struct result *result = kit->report->first; result; result = result->next) {
		if (result->test->field != (int)field + 1)
			continue;
		*ret_text = result->text;
		if (result->verdict == VERDICT_FAILED)
			return "failed";
		if (result->verdict == VERDICT_SKIPPED)
			skipped = result;
		observed |= result->verdict == VERDICT_OK;
	}
	*ret_text = !observed && skipped ? skipped->text : NULL;
	if (!observed && skipped)
		return kit->given_root ? "skipped" : "failed";
	return observed ? "observed" : "not tested";
}

static void add_fields(struct buffer *b, const struct kit *kit)
{
	buffer_addf(b, ",\"fields\":{");
	for (unsigned int field = 0; field < MRG_FIELD_MAX; field++) {
		const char *text, *verdict = field_verdict(kit, field, &text);

		buffer_addf(b, "%s\"%s\":{\"verdict\":\"%s\"", field ? "," : "", mrg_field_info(field)->name, verdict);
		if (text && *text) {
			buffer_addf(b, ",");
			add_string(b, "reason", text);
		}
		buffer_addf(b, "}");
	}
	buffer_addf(b, "}");
}

/* "loads": what can be told without a container is well; "conforms": all that could be tried is, for the user who tried. */
static const char *level(const struct kit *kit)
{
	if (kit->report->count[VERDICT_FAILED])
		return "none";
	if (!kit->facts->usable || kit->only)
		return "loads";
	return kit->host.root ? "conforms" : "conforms rootless";
}

int certificate_write(const struct kit *kit, const char *path)
{
	struct buffer b = { 0 }, pretty = { 0 };
	char date[RFC3339_LENGTH + 1];
	int fd, r;

	rfc3339_format(time_now_ns(), date);
	buffer_addf(&b, "{\"schema\":\"moorage/certificate/v1\",");
	add_plugin(&b, kit);
	buffer_addf(&b, ",\"moorage\":\"%s\",\"date\":\"%.19sZ\",\"level\":\"%s\"", mrg_version(), date, level(kit));
	buffer_addf(&b, ",\"whole\":%s", kit->only ? "false" : "true");
	add_host(&b, &kit->host);
	buffer_addf(&b, ",\"totals\":{\"ok\":%zu,\"failed\":%zu,\"skipped\":%zu}", kit->report->count[VERDICT_OK],
		    kit->report->count[VERDICT_FAILED], kit->report->count[VERDICT_SKIPPED]);
	add_fields(&b, kit);
	add_results(&b, kit->report);
	buffer_addf(&b, "}");
	if (!b.failed)
		json_indent(&pretty, b.text, 1);
	buffer_addf(&pretty, "\n");
	fd = b.failed || pretty.failed ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	r = b.failed || pretty.failed ? -ENOMEM : fd < 0 ? -errno : fd_write_all(fd, pretty.text, pretty.length);
	fd_close(fd);
	buffer_deinit(&b);
	buffer_deinit(&pretty);
	return r;
}
