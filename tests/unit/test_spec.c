/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Specs as text: types, ranges, unknown and double keys, hostile input, and coming back the same. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/spec/table.h"
#include "core/util/cleanup.h"
#include "tests/unit/spec_fixture.h"

static void test_wrong_types(void **state)
{
	static const struct { const char *json, *message; } cases[] = {
		{ "[]", "a spec must be an object" },
		{ "{\"process\":[]}", "/process: must be an object" },
		{ "{\"process\":{\"args\":\"ls\"}}", "/process/args: must be an array" },
		{ "{\"process\":{\"args\":[\"ls\",1]}}", "/process/args/1: must be a string" },
		{ "{\"process\":{\"terminal\":\"yes\"}}", "/process/terminal: must be true or false" },
		{ "{\"process\":{\"user\":{\"uid\":\"0\"}}}", "/process/user/uid: must be a whole number" },
		{ "{\"process\":{\"user\":{\"uid\":1.5}}}", "/process/user/uid: must be a whole number" },
		{ "{\"process\":{\"user\":{\"uid\":1e2}}}", "/process/user/uid: must be a whole number" },
		{ "{\"process\":{\"user\":{\"additionalGids\":[1,null]}}}",
		  "/process/user/additionalGids/1: must be a whole number" },
		{ "{\"mounts\":{}}", "/mounts: must be an array" },
		{ "{\"mounts\":[1]}", "/mounts/0: must be an object" },
		{ "{\"mounts\":[{\"destination\":\"/a\",\"options\":[null]}]}", "/mounts/0/options/0: must be a string" },
		{ "{\"mounts\":[{}]}", "/mounts/0/destination: is missing" },
		{ "{\"annotations\":{\"a/b~c\":1}}", "/annotations/a~1b~0c: must be a string" },
		{ "{\"linux\":{\"seccomp\":{}}}", "/linux/seccomp/defaultAction: is missing" },
		{ "{\"hooks\":[]}", "/hooks: must be an object" },
		{ "{\"moorage\":{\"networks\":{}}}", "/moorage/networks: must be an array" },
		{ "{\"moorage\":{\"log\":\"file\"}}", "/moorage/log: must be an object" },
		{ "{\"linux\":{\"namespaces\":[{}]}}", "/linux/namespaces/0/type: is missing" },
		{ "{\"linux\":{\"namespaces\":[{\"type\":\"pid\",\"path\":1}]}}",
		  "/linux/namespaces/0/path: must be a string" },
		{ "{\"ociVersion\":1}", "/ociVersion: must be a string" },
		{ "{\"ociVersion\":\"2.0.0\"}", "/ociVersion: must be 1.x, not '2.0.0'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refused(cases[i].json, cases[i].message);
}

static void test_ranges(void **state)
{
	static const struct { const char *json, *message; } cases[] = {
		{ "{\"process\":{\"user\":{\"uid\":4294967295}}}",
		  "/process/user/uid: must be from 0 to 4294967294, not 4294967295" },
		{ "{\"process\":{\"user\":{\"uid\":-1}}}", "/process/user/uid: must be from 0 to 4294967294, not -1" },
		{ "{\"process\":{\"oomScoreAdj\":1001}}", "/process/oomScoreAdj: must be from -1000 to 1000, not 1001" },
		{ "{\"process\":{\"oomScoreAdj\":-1001}}", "/process/oomScoreAdj: must be from -1000 to 1000, not -1001" },
		{ "{\"linux\":{\"resources\":{\"memory\":{\"limit\":-2}}}}",
		  "/linux/resources/memory/limit: must be from -1 to 9223372036854775807, not -2" },
		{ "{\"linux\":{\"resources\":{\"memory\":{\"limit\":99999999999999999999}}}}",
		  "/linux/resources/memory/limit: must be a whole number of 64 bits" },
		{ "{\"linux\":{\"resources\":{\"memory\":{\"swappiness\":101}}}}",
		  "/linux/resources/memory/swappiness: must be from 0 to 100, not 101" },
		{ "{\"linux\":{\"resources\":{\"cpu\":{\"shares\":1}}}}",
		  "/linux/resources/cpu/shares: must be from 2 to 262144, not 1" },
		{ "{\"moorage\":{\"restart\":\"maybe\"}}",
		  "/moorage/restart: must be one of no|on-failure|always|unless-stopped, not 'maybe'" },
		{ "{\"process\":{\"capabilities\":{\"bounding\":[\"CAP_FLY\"]}}}",
		  "/process/capabilities/bounding/0: must be a capability such as CAP_CHOWN, not 'CAP_FLY'" },
		{ "{\"linux\":{\"namespaces\":[{\"type\":\"net\"}]}}",
		  "/linux/namespaces/0/type: must be one of pid|mount|uts|ipc|network|user|cgroup|time, not 'net'" },
		{ "{\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"pid\"}]}}",
		  "/linux/namespaces/1/type: 'pid' was given before" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refused(cases[i].json, cases[i].message);
}

/* Of every number the table bounds, the bounds are accepted and what lies beyond is not. */
static void test_every_bound(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < MRG_FIELD_MAX; i++) {
		const struct member *member = &spec_fields[i].value;
		struct bounds bounds = spec_bounds(member);
		struct mrg_spec *spec = mrg_spec_new();

		if (member->type >= VALUE_INT32 && member->type <= VALUE_BYTES) {
			assert_int_equal(spec_store_integer(member, spec, false, bounds.high, NULL, NULL), 0);
			if (bounds.high < UINT64_MAX)
				assert_true(spec_store_integer(member, spec, false, bounds.high + 1, NULL, NULL) < 0);
			assert_int_equal(spec_store_integer(member, spec, bounds.low < 0, bounds.low < 0 ? -(uint64_t)bounds.low :
							    (uint64_t)bounds.low, NULL, NULL), 0);
			if (bounds.low > 0)
				assert_true(spec_store_integer(member, spec, false, (uint64_t)bounds.low - 1, NULL, NULL) < 0);
			assert_true(spec_store_integer(member, spec, true, -(uint64_t)bounds.low + 1, NULL, NULL) < 0 ||
				    bounds.low > 0);
		}
		mrg_spec_free(spec);
	}
}

static void test_unknown_keys(void **state)
{
	static const struct { const char *json, *message; } cases[] = {
		{ "{\"proces\":{}}", "/proces: unknown key\ndid you mean 'process'?" },
		{ "{\"process\":{\"argz\":[]}}", "/process/argz: unknown key\ndid you mean 'args'?" },
		{ "{\"linux\":{\"resources\":{\"memory\":{\"limits\":1}}}}",
		  "/linux/resources/memory/limits: unknown key\ndid you mean 'limit'?" },
		{ "{\"mounts\":[{\"destination\":\"/a\",\"tipe\":\"x\"}]}", "/mounts/0/tipe: unknown key\ndid you mean 'type'?" },
		{ "{\"linux\":{\"namespaces\":[{\"type\":\"pid\",\"pathh\":\"/x\"}]}}",
		  "/linux/namespaces/0/pathh: unknown key\ndid you mean 'path'?" },
		{ "{\"linux\":{\"namespace\":[]}}", "/linux/namespace: unknown key\ndid you mean 'namespaces'?" },
		{ "{\"windows\":{}}", "/windows: unknown key" },
		{ "{\"process/args\":[]}", "/process~1args: unknown key" },
		{ "{\"\":1}", "/: unknown key" },
		{ "{\"a\\u001b[2Jb\":1}", "/a?[2Jb: unknown key" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refused(cases[i].json, cases[i].message);
}

static void test_double_keys(void **state)
{
	(void)state;
	assert_refused("{\"moorage\":{\"boot\":true,\"boot\":false}}",
		       "line 1, column 32: this key was given before in the same object");
	assert_refused("{\"annotations\":{\"a\":\"1\",\"\\u0061\":\"2\"}}",
		       "line 1, column 34: this key was given before in the same object");
}

static void test_bad_text(void **state)
{
	static const char *const cases[] = {
		"", " ", "{", "{}}", "{\"a\"}", "{\"a\":}", "{a:1}", "{\"a\":1,}", "[1,]", "{'a':1}", "nul", "{\"a\":01}", "{\"a\":+1}",
		"{\"a\":1.}", "{\"a\":.5}", "{\"a\":1e}", "{\"a\":NaN}", "{\"hostname\":\"\\x41\"}", "{\"hostname\":\"\\u12\"}",
		"{\"hostname\":\"\\ud800\"}", "{\"hostname\":\"\\udc00\"}", "{\"hostname\":\"\\ud800\\u0041\"}",
		"{\"hostname\":\"a\nb\"}", "{\"hostname\":\"\377\"}", "{\"hostname\":\"\300\200\"}", "{\"hostname\":\"a\\u0000b\"}",
		"// comment\n{}", "\357\273\277{}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mrg_spec *spec = NULL;
		struct mrg_error err = { 0 };

		assert_int_equal(mrg_spec_parse(cases[i], strlen(cases[i]), &spec, &err), -MRG_E_INVALID);
		assert_true(err.message[0]);
		assert_null(spec);
	}
}

static void test_nul_byte(void **state)
{
	struct mrg_spec *spec = NULL;

	(void)state;
	assert_int_equal(mrg_spec_parse("{}\0", 3, &spec, NULL), -MRG_E_INVALID);
	assert_int_equal(mrg_spec_parse("{\"hostname\":\"a\0b\"}", 18, &spec, NULL), -MRG_E_INVALID);
}

static void test_depth(void **state)
{
	char text[400] = "{\"hooks\":{\"a\":";
	size_t n = strlen(text);
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };

	(void)state;
	memset(text + n, '[', 62);
	memset(text + n + 62, ']', 62);
	strcpy(text + n + 124, "}}");
	assert_int_equal(mrg_spec_parse(text, strlen(text), &spec, &err), 0);
	mrg_spec_free(spec);
	memset(text + n, '[', 63);
	memset(text + n + 63, ']', 63);
	strcpy(text + n + 126, "}}");
	assert_refused(text, "line 1, column 78: nested deeper than 64 levels");
}

static void test_depth_bomb(void **state)
{
	size_t size = 3 << 20;
	char *text = malloc(size);
	struct mrg_spec *spec = NULL;

	(void)state;
	memset(text, '[', size);
	assert_int_equal(mrg_spec_parse(text, size, &spec, NULL), -MRG_E_INVALID);
	free(text);
}

static void test_size_limit(void **state)
{
	size_t size = 4 << 20;
	char *text = malloc(size + 1);
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };

	(void)state;
	memset(text, ' ', size + 1);
	memcpy(text, "{}", 2);
	assert_int_equal(mrg_spec_parse(text, size, &spec, &err), 0);
	mrg_spec_free(spec);
	assert_int_equal(mrg_spec_parse(text, size + 1, &spec, &err), -MRG_E_INVALID);
	assert_string_equal(err.message, "the text is larger than 4 MiB");
	free(text);
}

/* A hundred thousand keys are read in a blink, not by comparing each with each. */
static void test_many_keys(void **state)
{
	struct buffer b = { 0 };
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };

	(void)state;
	buffer_addf(&b, "{\"annotations\":{");
	for (int i = 0; i < 100000; i++)
		buffer_addf(&b, "%s\"key%d\":\"\"", i ? "," : "", i);
	buffer_addf(&b, "}}");
	assert_int_equal(mrg_spec_parse(b.text, b.length, &spec, &err), 0);
	assert_int_equal(spec->annotations.n, 100000);
	assert_string_equal(spec->annotations.item[99999].key, "key99999");
	mrg_spec_free(spec);
	buffer_deinit(&b);
}

static void test_long_names_are_cut(void **state)
{
	struct buffer b = { 0 };
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };

	(void)state;
	buffer_addf(&b, "{\"");
	for (int i = 0; i < 100000; i++)
		buffer_add(&b, "k", 1);
	buffer_addf(&b, "\":1}");
	assert_int_equal(mrg_spec_parse(b.text, b.length, &spec, &err), -MRG_E_INVALID);
	assert_non_null(strstr(err.message, "...: unknown key"));
	assert_true(strlen(err.message) < 100);
	buffer_deinit(&b);
}

static void test_values(void **state)
{
	struct mrg_spec *spec = spec_of("{\"process\":{\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"hard\":18446744073709551615,"
					"\"soft\":18446744073709551614}],\"consoleSize\":{\"height\":24,\"width\":80}},"
					"\"linux\":{\"resources\":{\"devices\":[{\"allow\":false}]},\"namespaces\":[{\"type\":\"ipc\","
					"\"path\":\"/x\"}]},\"hooks\":{ \"a\" : [ 1.50 , \" : \" ] },\"moorage\":{\"hostNamespaces\":"
					"[\"pid\"]}}");

	(void)state;
	assert_true(spec->rlimits.item[0].hard == UINT64_MAX);
	assert_true(spec->rlimits.item[0].soft == UINT64_MAX - 1);
	assert_int_equal(spec->console_height, 24);
	assert_int_equal(spec->console_width, 80);
	assert_true(spec->device_rules.item[0].major == -1 && spec->device_rules.item[0].minor == -1);
	assert_null(spec->device_rules.item[0].type);
	assert_string_equal(spec->ns_ipc, "/x");
	assert_true(mrg_fields_has(&spec->set, MRG_FIELD_NS_PID) && !spec->ns_pid);
	assert_false(mrg_fields_has(&spec->set, MRG_FIELD_NS_UTS));
	assert_string_equal(spec->hooks_json, "{\"a\":[1.50,\" : \"]}");
	mrg_spec_free(spec);
}

static void test_emitted_text(void **state)
{
	struct mrg_spec *spec = spec_of("{\"moorage\":{\"log\":{\"driver\":\"none\"},\"boot\":true},\"root\":{\"path\":\"/r\"},"
					"\"linux\":{\"resources\":{\"pids\":{\"limit\":5}}},\"hostname\":\"h\"}");
	char *text = text_of(spec), *indented;

	(void)state;
	assert_string_equal(text, "{\"ociVersion\":\"1.2.0\",\"hostname\":\"h\",\"root\":{\"path\":\"/r\"},\"linux\":{\"resources\":"
				  "{\"pids\":{\"limit\":5}}},\"moorage\":{\"boot\":true,\"log\":{\"driver\":\"none\"}}}");
	free(text);
	assert_int_equal(mrg_spec_emit(spec, 2, &indented, NULL), 0);
	assert_true(strncmp(indented, "{\n  \"ociVersion\": \"1.2.0\",\n  \"hostname\": \"h\",\n  \"root\": {\n    \"path\": \"/r\"\n  },", 74) == 0);
	free(indented);
	mrg_spec_free(spec);
}

static void test_empty_spec(void **state)
{
	struct mrg_spec *spec = mrg_spec_new();
	char *text = text_of(spec);

	(void)state;
	assert_string_equal(text, "{\"ociVersion\":\"1.2.0\"}");
	free(text);
	mrg_spec_free(spec);
	assert_null(mrg_spec_free(NULL));
}

static void test_emit_refuses(void **state)
{
	struct mrg_spec *spec = mrg_spec_new();
	struct mrg_error err = { 0 };
	char *text = NULL;

	(void)state;
	mrg_spec_set(spec, MRG_FIELD_ENV, "A=\377", &err);
	assert_int_equal(mrg_spec_emit(spec, 0, &text, &err), -MRG_E_INVALID);
	assert_string_equal(err.message, "/process/env/0: is not UTF-8");
	mrg_spec_free(spec);
	spec = mrg_spec_new();
	spec->hooks_json = "{\"a\":1},\"x\":{";
	mrg_fields_add(&spec->set, MRG_FIELD_HOOKS);
	assert_int_equal(mrg_spec_emit(spec, 0, &text, &err), -MRG_E_INVALID);
	assert_string_equal(err.message, "/hooks: must be an object in JSON");
	assert_null(text);
	mrg_spec_free(spec);
}

static void test_comes_back(void **state)
{
	(void)state;
	for (unsigned int seed = 0; seed < 2000; seed++) {
		struct mrg_spec *spec = random_spec(seed), *again = NULL, *copy = NULL;
		struct mrg_error err = { 0 };
		char *text = NULL;

		mrg_spec_emit(spec, (int)(seed % 9), &text, &err);
		assert_string_equal(err.message, "");
		mrg_spec_parse(text, strlen(text), &again, &err);
		assert_string_equal(err.message, "");
		assert_true(same_specs(spec, again));
		assert_int_equal(mrg_spec_copy(spec, &copy, &err), 0);
		assert_true(same_specs(spec, copy));
		mrg_spec_free(spec);
		mrg_spec_free(again);
		mrg_spec_free(copy);
		free(text);
	}
}

/* The comparison above is no constant. */
static void test_random_specs_differ(void **state)
{
	struct mrg_spec *a = random_spec(1), *b = random_spec(2);

	(void)state;
	assert_false(same_specs(a, b));
	mrg_spec_free(a);
	mrg_spec_free(b);
}

/* A file cut anywhere, as by a full disk, is an error with a sentence and nothing else. */
static void test_truncated(void **state)
{
	struct mrg_spec *spec = random_spec(11), *half = NULL;
	struct mrg_error err = { 0 };
	char *text = text_of(spec);

	(void)state;
	for (size_t n = 0; n < strlen(text); n++) {
		char *cut = malloc(n ? n : 1);

		memcpy(cut, text, n);
		err.message[0] = '\0';
		assert_int_equal(mrg_spec_parse(cut, n, &half, &err), -MRG_E_INVALID);
		assert_true(err.message[0]);
		free(cut);
	}
	free(text);
	mrg_spec_free(spec);
}

static void test_every_byte_changed(void **state)
{
	struct mrg_spec *spec = random_spec(5), *other = NULL;
	char *text = text_of(spec);
	size_t length = strlen(text);

	(void)state;
	for (size_t i = 0; i < length; i++) {
		char was = text[i];

		text[i] = (char)(was ^ 0x15);
		if (mrg_spec_parse(text, length, &other, NULL) == 0)
			other = mrg_spec_free(other);
		assert_null(other);
		text[i] = was;
	}
	free(text);
	mrg_spec_free(spec);
}

static void test_table(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < MRG_FIELD_MAX; i++) {
		const struct mrg_field_info *info = mrg_field_info(i);

		assert_non_null(info->name);
		assert_true(info->path[0] == '/' && info->help[0] && info->type[0] && info->range);
		assert_int_equal(mrg_field_find(info->name), i);
		assert_int_equal(mrg_field_find(info->path), i);
	}
	assert_null(mrg_field_info(MRG_FIELD_MAX));
	assert_int_equal(mrg_field_find("process.argz"), -MRG_E_INVALID);
	assert_int_equal(mrg_field_find("linux.resources.memory.limit"), MRG_FIELD_MEMORY_LIMIT);
	assert_int_equal(mrg_field_find("linux.namespaces.network"), MRG_FIELD_NS_NETWORK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_types), cmocka_unit_test(test_ranges), cmocka_unit_test(test_every_bound),
		cmocka_unit_test(test_unknown_keys), cmocka_unit_test(test_double_keys), cmocka_unit_test(test_bad_text),
		cmocka_unit_test(test_nul_byte), cmocka_unit_test(test_depth), cmocka_unit_test(test_depth_bomb),
		cmocka_unit_test(test_size_limit), cmocka_unit_test(test_many_keys), cmocka_unit_test(test_long_names_are_cut),
		cmocka_unit_test(test_values), cmocka_unit_test(test_emitted_text), cmocka_unit_test(test_empty_spec),
		cmocka_unit_test(test_emit_refuses), cmocka_unit_test(test_comes_back),
		cmocka_unit_test(test_random_specs_differ), cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_every_byte_changed), cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
