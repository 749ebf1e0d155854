/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fields from text as a user types it, and elements of lists. */

#include <stdlib.h>
#include <string.h>

#include "core/spec/table.h"
#include "core/util/cleanup.h"
#include "tests/unit/spec_fixture.h"

struct set {
	enum mrg_field field;
	const char *text, *json;	/* what the spec then says; or @json NULL and an error */
	const char *message;
};

static const struct set sets[] = {
	{ MRG_FIELD_HOSTNAME, "web", "\"hostname\":\"web\"", NULL },
	{ MRG_FIELD_TERMINAL, "yes", "\"process\":{\"terminal\":true}", NULL },
	{ MRG_FIELD_TERMINAL, "maybe", NULL, "/process/terminal: must be yes or no, not 'maybe'" },
	{ MRG_FIELD_UID, "1000", "\"process\":{\"user\":{\"uid\":1000}}", NULL },
	{ MRG_FIELD_UID, "-1", NULL, "/process/user/uid: must be from 0 to 4294967294, not -1" },
	{ MRG_FIELD_UID, "root", NULL, "/process/user/uid: must be a whole number, not 'root'" },
	{ MRG_FIELD_UID, "", NULL, "/process/user/uid: must be a whole number, not ''" },
	{ MRG_FIELD_UMASK, "027", "\"process\":{\"user\":{\"umask\":23}}", NULL },
	{ MRG_FIELD_UMASK, "8", NULL, "/process/user/umask: must be octal such as 022, not '8'" },
	{ MRG_FIELD_UMASK, "1000", NULL, "/process/user/umask: must be from 0 to 511, not 512" },
	{ MRG_FIELD_MEMORY_LIMIT, "64M", "\"linux\":{\"resources\":{\"memory\":{\"limit\":67108864}}}", NULL },
	{ MRG_FIELD_MEMORY_LIMIT, "max", "\"linux\":{\"resources\":{\"memory\":{\"limit\":-1}}}", NULL },
	{ MRG_FIELD_MEMORY_LIMIT, "lots", NULL,
	  "/linux/resources/memory/limit: must be a size such as 512M or 2G, not 'lots'" },
	{ MRG_FIELD_OOM_SCORE_ADJ, "-500", "\"process\":{\"oomScoreAdj\":-500}", NULL },
	{ MRG_FIELD_PIDS_LIMIT, "-1", "\"linux\":{\"resources\":{\"pids\":{\"limit\":-1}}}", NULL },
	{ MRG_FIELD_RESTART, "always", "\"moorage\":{\"restart\":\"always\"}", NULL },
	{ MRG_FIELD_RESTART, "alway", NULL,
	  "/moorage/restart: must be one of no|on-failure|always|unless-stopped, not 'alway'" },
	{ MRG_FIELD_ARGS, "a b", "\"process\":{\"args\":[\"a b\"]}", NULL },
	{ MRG_FIELD_ADDITIONAL_GIDS, "7", "\"process\":{\"user\":{\"additionalGids\":[7]}}", NULL },
	{ MRG_FIELD_LABELS, "a=b=c", "\"moorage\":{\"labels\":{\"a\":\"b=c\"}}", NULL },
	{ MRG_FIELD_LABELS, "a", NULL, "/moorage/labels: must be KEY=VALUE, not 'a'" },
	{ MRG_FIELD_LABELS, "=a", NULL, "/moorage/labels: must be KEY=VALUE, not '=a'" },
	{ MRG_FIELD_CAP_BOUNDING, "KILL, chown", "\"process\":{\"capabilities\":{\"bounding\":[\"CAP_CHOWN\",\"CAP_KILL\"]}}", NULL },
	{ MRG_FIELD_CAP_BOUNDING, "none", "\"process\":{\"capabilities\":{\"bounding\":[]}}", NULL },
	{ MRG_FIELD_CAP_BOUNDING, "FLY", NULL,
	  "/process/capabilities/bounding: must be capabilities such as CHOWN,KILL, all or none, not 'FLY'" },
	{ MRG_FIELD_NS_PID, "private", "\"linux\":{\"namespaces\":[{\"type\":\"pid\"}]}", NULL },
	{ MRG_FIELD_NS_PID, "/proc/1/ns/pid", "\"linux\":{\"namespaces\":[{\"type\":\"pid\",\"path\":\"/proc/1/ns/pid\"}]}", NULL },
	{ MRG_FIELD_NS_PID, "host", "\"moorage\":{\"hostNamespaces\":[\"pid\"]}", NULL },
	{ MRG_FIELD_NS_PID, "other", NULL,
	  "/linux/namespaces/pid: must be host, private or the path of a namespace, not 'other'" },
	{ MRG_FIELD_LOG, "{\"driver\":\"none\"}", "\"moorage\":{\"log\":{\"driver\":\"none\"}}", NULL },
	{ MRG_FIELD_LOG, "{\"driver\":1}", NULL, "/moorage/log/driver: must be a string" },
	{ MRG_FIELD_LOG, "file", NULL, "/moorage/log: line 1, column 1: not a JSON value" },
	{ MRG_FIELD_HOOKS, " { } ", "\"hooks\":{}", NULL },
	{ MRG_FIELD_MOUNTS, "[{\"destination\":\"/a\"}]", "\"mounts\":[{\"destination\":\"/a\"}]", NULL },
};

static void test_set(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		struct mrg_spec *spec = mrg_spec_new();
		struct mrg_error err = { 0 };
		struct buffer wanted = { 0 };
		int r = mrg_spec_set(spec, sets[i].field, sets[i].text, &err);
		char *text = NULL;

		assert_string_equal(err.message, sets[i].message ? sets[i].message : "");
		assert_int_equal(r, sets[i].message ? -MRG_E_INVALID : 0);
		assert_int_equal(mrg_fields_has(&spec->set, sets[i].field), r == 0);
		if (r == 0) {
			buffer_addf(&wanted, "{\"ociVersion\":\"1.2.0\",%s}", sets[i].json);
			text = text_of(spec);
			assert_string_equal(text, wanted.text);
		}
		buffer_deinit(&wanted);
		free(text);
		mrg_spec_free(spec);
	}
}

static void test_all_capabilities(void **state)
{
	struct mrg_spec *spec = mrg_spec_new();

	(void)state;
	assert_int_equal(mrg_spec_set(spec, MRG_FIELD_CAP_BOUNDING, "all", NULL), 0);
	assert_true(spec->cap_bounding == (UINT64_C(1) << 41) - 1);
	mrg_spec_free(spec);
}

static void test_no_such_field(void **state)
{
	struct mrg_spec *spec = mrg_spec_new();
	struct mrg_error err = { 0 };

	(void)state;
	assert_int_equal(mrg_spec_set(spec, MRG_FIELD_MAX, "x", &err), -MRG_E_INVALID);
	assert_true(err.message[0]);
	mrg_spec_free(spec);
}

static void test_appends(void **state)
{
	struct mrg_spec *spec = mrg_spec_new();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(mrg_spec_set(spec, MRG_FIELD_ARGS, "arg", NULL), 0);
		assert_int_equal(mrg_spec_add_gid(spec, (uint32_t)i, NULL), 0);
	}
	assert_int_equal(strv_length(spec->args), 1000);
	assert_int_equal(spec->additional_gids.n, 1000);
	assert_int_equal(spec->additional_gids.item[999], 999);
	mrg_spec_free(spec);
}

static void test_map_replaces(void **state)
{
	struct mrg_spec *spec = mrg_spec_new();

	(void)state;
	mrg_spec_set(spec, MRG_FIELD_LABELS, "a=1", NULL);
	mrg_spec_set(spec, MRG_FIELD_LABELS, "b=2", NULL);
	mrg_spec_set(spec, MRG_FIELD_LABELS, "a=3", NULL);
	assert_int_equal(spec->labels.n, 2);
	assert_string_equal(spec->labels.item[0].value, "3");
	mrg_spec_free(spec);
}

/* A list made by somebody else has no room behind its end. */
static void test_append_to_foreign_list(void **state)
{
	struct mrg_spec *spec = mrg_spec_new();
	struct mrg_mount mount = { .destination = "/b", .type = "tmpfs" };
	char **args = mrg_spec_alloc(spec, 2 * sizeof(char *));

	(void)state;
	args[0] = mrg_spec_strdup(spec, "a");
	spec->args = args;
	spec->mounts.item = mrg_spec_alloc(spec, sizeof(mount));
	spec->mounts.item[0].destination = "/a";
	spec->mounts.n = 1;
	assert_int_equal(mrg_spec_set(spec, MRG_FIELD_ARGS, "b", NULL), 0);
	assert_int_equal(mrg_spec_add_mount(spec, &mount, NULL), 0);
	assert_string_equal(spec->args[0], "a");
	assert_string_equal(spec->args[1], "b");
	assert_string_equal(spec->mounts.item[0].destination, "/a");
	assert_string_equal(spec->mounts.item[1].destination, "/b");
	mrg_spec_free(spec);
}

static void test_items_are_copied(void **state)
{
	char destination[] = "/data", option[] = "ro", *options[] = { option, NULL };
	struct mrg_mount mount = { .destination = destination, .type = "tmpfs", .options = options };
	struct mrg_spec *spec = mrg_spec_new();

	(void)state;
	assert_int_equal(mrg_spec_add_mount(spec, &mount, NULL), 0);
	destination[1] = 'X';
	option[1] = 'X';
	assert_string_equal(spec->mounts.item[0].destination, "/data");
	assert_string_equal(spec->mounts.item[0].options[0], "ro");
	mrg_spec_free(spec);
}

static void test_item_without_a_must(void **state)
{
	struct mrg_spec *spec = mrg_spec_new();
	struct mrg_error err = { 0 };

	(void)state;
	assert_int_equal(mrg_spec_add_mount(spec, &(struct mrg_mount){ .type = "tmpfs" }, &err), -MRG_E_INVALID);
	assert_string_equal(err.message, "/mounts/0/destination: is missing");
	assert_int_equal(spec->mounts.n, 0);
	mrg_spec_free(spec);
}

static void test_all_lists(void **state)
{
	struct mrg_spec *spec = mrg_spec_new();
	char *text;

	(void)state;
	mrg_spec_add_device(spec, &(struct mrg_device){ .path = "/dev/x", .type = "c", .major = 1, .minor = 2 }, NULL);
	mrg_spec_add_device_rule(spec, &(struct mrg_device_rule){ .allow = 1, .major = -1, .minor = -1 }, NULL);
	mrg_spec_add_rlimit(spec, &(struct mrg_rlimit){ "RLIMIT_CPU", 2, 1 }, NULL);
	mrg_spec_add_uid_mapping(spec, &(struct mrg_id_mapping){ 0, 5, 1 }, NULL);
	mrg_spec_add_gid_mapping(spec, &(struct mrg_id_mapping){ 0, 6, 1 }, NULL);
	text = text_of(spec);
	assert_string_equal(text, "{\"ociVersion\":\"1.2.0\",\"process\":{\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"hard\":2,\"soft\":1}]},"
				  "\"linux\":{\"uidMappings\":[{\"containerID\":0,\"hostID\":5,\"size\":1}],\"gidMappings\":"
				  "[{\"containerID\":0,\"hostID\":6,\"size\":1}],\"devices\":[{\"type\":\"c\",\"path\":\"/dev/x\","
				  "\"major\":1,\"minor\":2}],\"resources\":{\"devices\":[{\"allow\":true}]}}}");
	free(text);
	mrg_spec_free(spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set), cmocka_unit_test(test_all_capabilities), cmocka_unit_test(test_no_such_field),
		cmocka_unit_test(test_appends), cmocka_unit_test(test_map_replaces),
		cmocka_unit_test(test_append_to_foreign_list), cmocka_unit_test(test_items_are_copied),
		cmocka_unit_test(test_item_without_a_must), cmocka_unit_test(test_all_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
