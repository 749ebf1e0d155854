/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Any bytes as what an audit reads of a process that may be hostile, what moorage-try answers from inside, and an audit that was kept. */

#include "config.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/audit/audit.h"
#include "core/audit/probe.h"
#include "core/cgroup/cgroup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_status(char *text)
{
	struct audit_status status;
	int r = audit_parse_status(text, &status);

	assert(r == 0 || r == -EPROTO);
	assert(r < 0 || status.n_groups <= AUDIT_GROUPS);
}

static void read_map(char *text)
{
	struct audit_maps maps;
	uint32_t id;

	if (audit_parse_map(text, &maps) < 0)
		return;
	assert(maps.n <= AUDIT_MAPS);
	for (size_t i = 0; i < maps.n; i++)
		assert(audit_map_find(&maps, maps.item[i].inside, &id));
}

static void read_mounts(char *text)
{
	struct audit_mounts mounts;
	char *copy = strdup(text);

	assert(copy);
	if (audit_parse_mounts(copy, &mounts) < 0) {
		free(copy);
		return;
	}
	for (size_t i = 0; i < mounts.n; i++) {
		assert(mounts.item[i].root && mounts.item[i].target && mounts.item[i].options && mounts.item[i].type && mounts.item[i].super);
		audit_is_below(mounts.item[i].target, mounts.item[i].root);
		audit_mount_is_slow(&mounts.item[i]);
	}
	audit_mounts_deinit(&mounts);
}

static void read_limits(char *text)
{
	uint64_t soft, hard;

	audit_parse_limit(text, "Max open files", &soft, &hard);
}

static void read_cgroups(char *text)
{
	static const struct cgroup_hierarchy kinds[] = { { .version = 2 }, { .version = 1, .controllers = CGROUP_PIDS } };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		char *path = audit_cgroup_path(text, &kinds[i]);

		assert(!path || path[0] == '/');
		free(path);
	}
}

/* Whatever is answered becomes facts without control characters, or nothing. */
static void read_answers(char *text)
{
	struct audit_reading r = { .audit = calloc(1, sizeof(*r.audit)), .pid = 1 };
	char *json = NULL;

	assert(r.audit);
	audit_probe_tell(&r, text, true);
	assert(r.failed || audit_judge(&r) == 0);
	r.audit->name = strdup("");
	r.audit->backend = strdup("");
	assert(mrg_audit_emit(r.audit, &json, NULL) == 0);
	for (const char *p = json; *p; p++)
		assert((unsigned char)*p >= ' ' || *p == '\n');
	free(json);
	mrg_audit_free(r.audit);
}

/* One that is read is the same after it was written. */
static void read_audit(char *text)
{
	struct mrg_audit *audit = NULL, *again = NULL;
	struct mrg_error err = { 0 };
	char *json = NULL;

	if (mrg_audit_parse(text, strlen(text), &audit, &err) < 0) {
		assert(err.code < 0 && err.message[0]);
		return;
	}
	assert(mrg_audit_emit(audit, &json, &err) == 0);
	assert(mrg_audit_parse(json, strlen(json), &again, &err) == 0);
	assert(mrg_audit_compare(audit, again, NULL, NULL) == 0);
	free(json);
	mrg_audit_free(audit);
	mrg_audit_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const readers[])(char *text) = { read_status, read_map, read_mounts, read_limits, read_cgroups, read_answers, read_audit };
	char *text;

	if (size == 0)
		return 0;
	text = malloc(size);
	assert(text);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	/* The first byte says which; letters, so that seeds can be read. */
	readers[(size_t)(uint8_t)(data[0] - 'a') % ARRAY_SIZE(readers)](text);
	free(text);
	return 0;
}
