/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From one format to another: guessing, joining the two reports, judging; and configurations made at random from the tables of keys. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/convert/convert.h"
#include "core/formats/docker/docker.h"
#include "core/formats/lxc/lxc.h"
#include "core/formats/nspawn/nspawn.h"
#include "core/formats/quadlet/quadlet.h"
#include "core/util/cleanup.h"

/* ---- guessing --------------------------------------------------------------------------------- */

static void test_guess(void **state)
{
	static const struct {
		const char *text, *format;	/* or the error */
	} cases[] = {
		{ "lxc.uts.name = a\n", "lxc" }, { "# c\n\nlxc.utsname=a", "lxc" }, { "<domain type='lxc'/>", "libvirt" },
		{ "  <?xml version='1.0'?><domain/>", "libvirt" }, { "{\"ociVersion\":\"1.0.2\"}", "oci" }, { "{\"process\":{}}", "oci" },
		{ "[{\"HostConfig\":{},\"Config\":{}}]", "docker" }, { " [ {\"Config\":{}} ]", "docker" }, { "{\"HostConfig\":{}}", "docker" },
		{ "[Container]\nImage=a\n", "quadlet" }, { "[Unit]\nA=b\n[Container]\n[Service]\n", "quadlet" }, { "[Exec]\nBoot=yes\n", "nspawn" },
		{ "[Service]\nExecStart=systemd-nspawn -D /a\n", "nspawn" }, { "[Service]\nExecStart = /usr/bin/systemd-nspawn -D /a\n", "nspawn" },
		{ "systemd-nspawn -D /a\n", "nspawn" }, { "[Service]\nExecStart=/bin/a systemd-nspawn\n", "systemd" }, { "[Unit]\nA=b\n", "systemd" },
		{ "", "the format cannot be told from the content\nname it with '--from'" },
		{ "{}", "the format cannot be told from the content\nname it with '--from'" },
		{ "[]", "the format cannot be told from the content\nname it with '--from'" },
		{ "hello", "the format cannot be told from the content\nname it with '--from'" },
		{ "[Container]\n[Exec]\n", "the format cannot be told from the content: there are signs of nspawn and quadlet\nname it with '--from'" },
		{ "lxc.uts.name=a\n[Service]\n", "the format cannot be told from the content: there are signs of lxc and systemd\nname it with '--from'" },
		{ "{\"ociVersion\":\"1.0.0\",\"HostConfig\":{}}",
		  "the format cannot be told from the content: there are signs of oci and docker\nname it with '--from'" },
		{ "{\"a\":", "line 1, column 6: not a JSON value" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mrg_error err = { 0 };
		const char *format = NULL;

		mrg_format_guess(cases[i].text, strlen(cases[i].text), &format, &err);
		assert_string_equal(format ? format : err.message, cases[i].format);
	}
}

/* ---- joining and judging ------------------------------------------------------------------------ */

static void add(struct report_rows *rows, int verdict, int field, const char *source, const char *target, const char *note)
{
	const struct mrg_report_row row = { .verdict = verdict, .field = field, .source = source, .target = target, .note = note, .line = 1 };

	assert_int_equal(report_rows_add(&row, rows), 0);
}

static char *show(const struct report_rows *rows)
{
	struct buffer b = { 0 };

	for (size_t i = 0; i < rows->n; i++)
		buffer_addf(&b, "%c %s>%s %s\n", "cadw"[rows->item[i].verdict], rows->item[i].source ? rows->item[i].source : "",
			    rows->item[i].target ? rows->item[i].target : "", rows->item[i].note ? rows->item[i].note : "");
	return b.text;
}

static void test_join(void **state)
{
	struct report_rows read = { NULL, 0 }, write = { NULL, 0 }, joined = { NULL, 0 };
	_cleanup_free_ char *text = NULL;

	(void)state;
	add(&read, MRG_CARRIED, MRG_FIELD_HOSTNAME, "name", "/hostname", NULL);
	add(&read, MRG_APPROXIMATED, MRG_FIELD_ARGS, "cmd", "/process/args", "near");
	add(&read, MRG_APPROXIMATED, MRG_FIELD_CWD, "dir", "/process/cwd", "near");
	add(&read, MRG_WEAKENS, -1, "odd", NULL, "lost");
	add(&read, MRG_CARRIED, MRG_FIELD_ENV, "reset", "/process/env", NULL);
	add(&write, MRG_CARRIED, MRG_FIELD_HOSTNAME, "/hostname", "h", NULL);
	add(&write, MRG_APPROXIMATED, MRG_FIELD_ARGS, "/process/args", "a", "nearly");
	add(&write, MRG_DROPPED, MRG_FIELD_CWD, "/process/cwd", NULL, "none");
	add(&write, MRG_WEAKENS, MRG_FIELD_NS_PID, "/linux/namespaces/pid", NULL, "no pids");
	add(&write, MRG_CARRIED, MRG_FIELD_NATIVE, "/moorage/native", "verbatim", NULL);
	assert_int_equal(report_rows_join(&read, &write, false, &joined, NULL), 0);
	text = show(&joined);
	assert_string_equal(text, "c name>h \na cmd>a near; nearly\nd dir> none\nw odd> lost\nc reset> \nw > no pids\n");
	report_rows_deinit(&joined);
	free(text);
	/* The same format: what was kept verbatim is back. */
	assert_int_equal(report_rows_join(&read, &write, true, &joined, NULL), 0);
	text = show(&joined);
	assert_string_equal(text, "c name>h \na cmd>a near; nearly\nd dir> none\nc odd>odd \nc reset> \nw > no pids\nc >verbatim \n");
	report_rows_deinit(&joined);
	report_rows_deinit(&read);
	report_rows_deinit(&write);
}

static void test_judge(void **state)
{
	static const struct {
		const char *accept[3];
		int worst, result;
		const char *message;
	} cases[] = {
		{ { NULL }, MRG_WEAKENS, -MRG_E_UNSUPPORTED,
		  "line 7: Service.ProtectX= would be lost, which weakens the container: confines; and 1 more\n"
		  "this takes the loss: --accept Service.ProtectX= --accept /linux/namespaces/pid" },
		{ { "ProtectX", "linux.namespaces.pid" }, MRG_WEAKENS, 1, "" },
		{ { "Service.ProtectX", "/linux/namespaces/pid" }, MRG_WEAKENS, 1, "" },
		{ { "rotectX", "linux.namespaces.pid" }, MRG_WEAKENS, -MRG_E_UNSUPPORTED,
		  "line 7: Service.ProtectX= would be lost, which weakens the container: confines\n"
		  "this takes the loss: --accept Service.ProtectX=" },
		{ { "Service.ProtectX=", "linux.namespaces.pid" }, MRG_DROPPED, -MRG_E_UNSUPPORTED,
		  "line 3: lxc.tty.max would be lost: no terminals\nthis takes the loss: --accept lxc.tty.max" },
	};
	const struct mrg_report_row rows[] = {
		{ MRG_CARRIED, MRG_FIELD_HOSTNAME, "lxc.uts.name", 1, "h", NULL }, { MRG_DROPPED, -1, "lxc.tty.max", 3, NULL, "no terminals" },
		{ MRG_WEAKENS, -1, "Service.ProtectX=", 7, NULL, "confines" }, { MRG_WEAKENS, MRG_FIELD_NS_PID, NULL, 0, NULL, "no pids" },
		/* Nobody asked for it. */
		{ MRG_DROPPED, MRG_FIELD_STOP_TIMEOUT, NULL, 0, NULL, "no time" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mrg_error err = { 0 };

		assert_int_equal(report_rows_judge(rows, ARRAY_SIZE(rows), cases[i].worst, cases[i].accept, &err), cases[i].result);
		assert_string_equal(err.message, cases[i].message);
	}
	assert_int_equal(report_rows_judge(rows, 1, MRG_DROPPED, NULL, NULL), 0);
}

static void test_words(void **state)
{
	static const struct {
		const char *word, *message;
	} cases[] = {
		{ "all", "" }, { "lxc.tty.max", "" }, { "ProtectX=", "" }, { "linux.namespaces.pid", "" }, { "/linux/namespaces/pid", "" },
		{ "lxc.tty.min", "'--accept lxc.tty.min' names no key that is there, and no field\ndid you mean 'lxc.tty.max'?" },
		{ "ProtecX", "'--accept ProtecX' names no key that is there, and no field\ndid you mean 'ProtectX'?" },
		{ "linux.namespace.pid", "'--accept linux.namespace.pid' names no key that is there, and no field\ndid you mean 'linux.namespaces.pid'?" },
		{ "linux.seccomp", "'--accept linux.seccomp' names no key that is there, and no field\nwithout it you are told what there is to accept" },
		{ "", "'--accept ' names no key that is there, and no field\nwithout it you are told what there is to accept" },
	};
	const struct mrg_report_row rows[] = {
		{ MRG_DROPPED, -1, "lxc.tty.max", 3, NULL, NULL }, { MRG_WEAKENS, -1, "Service.ProtectX=", 7, NULL, NULL },
		{ MRG_WEAKENS, MRG_FIELD_NS_PID, NULL, 0, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *const accept[] = { "all", cases[i].word, NULL };
		struct mrg_error err = { 0 };

		assert_int_equal(report_rows_check_words(rows, ARRAY_SIZE(rows), accept, &err), *cases[i].message ? -MRG_E_INVALID : 0);
		assert_string_equal(err.message, cases[i].message);
	}
	assert_int_equal(report_rows_check_words(rows, 1, NULL, NULL), 0);
}

static void test_convert(void **state)
{
	static const char text[] = "lxc.rootfs.path = /srv/a\nlxc.uts.name = a\nlxc.init.cmd = /bin/a\n";
	struct mrg_convert convert = { .to = "systemd", .text = text, .length = strlen(text) };
	struct mrg_conversion *conversion = NULL;
	struct mrg_error err = { 0 };

	(void)state;
	assert_int_equal(mrg_convert(&convert, &conversion, &err), 0);
	assert_string_equal(conversion->from, "lxc");
	assert_string_equal(conversion->rows[1].source, "lxc.uts.name");
	assert_int_equal(conversion->rows[1].verdict, MRG_DROPPED);
	assert_non_null(strstr(conversion->text, "RootDirectory=/srv/a\n"));
	assert_int_equal(mrg_conversion_check(conversion, 0, NULL, &err), -MRG_E_UNSUPPORTED);
	assert_null(mrg_conversion_free(conversion));
	convert.to = "docker";
	assert_int_equal(mrg_convert(&convert, &conversion, &err), -MRG_E_INVALID);
	assert_string_equal(err.message, "the format 'docker' can be read, not written\n'quadlet' and 'oci' are what its tools read");
	convert.to = "quadlet";
	convert.from = "oci";
	assert_int_equal(mrg_convert(&convert, &conversion, &err), -MRG_E_INVALID);
	convert.from = "rkt";
	assert_int_equal(mrg_convert(&convert, &conversion, &err), -MRG_E_INVALID);
	assert_null(mrg_conversion_free(NULL));
}

/* ---- configurations made at random ----------------------------------------------------------------- */

static const char *const values[] = {
	"yes", "no", "1", "0", "10", "1000", "64M", "1G", "50%", "5s", "/a", "/b", "/a:/b", "/a:/b:ro", "/dev/fuse rwm", "/dev/null", "A=1", "a=b", "x", "",
	"web", "TERM", "SIGINT", "CAP_KILL", "CAP_CHOWN CAP_KILL", "chown kill", "kill", "private", "host", "none", "1:2", "0-1", "u 0 100000 65536",
	"g 0 100000 65536", "0:100000:65536", "100000:65536", "1024:2048", "nofile=1:2", "c 1:3 rwm", "a", "/a b none bind 0 0", "tmpfs c tmpfs rw 0 0",
	"/bin/a b \"c d\"", "/bin/a %n", "%i", "veth", "br0", "up", "proc sys", "mnt pid", "strict", "always", "multi-user.target", "~mount reboot",
	"@clock", "8080:80", "tcp:80", "80:80/udp", "type=bind,source=/a,destination=/c", "all", "unconfined", "500", "100 1000", "max", "infinity",
	"00:16:3e:12:34:56", "10.0.0.2/24", "pick", "auto", "--pid=host --tty", "--frobnicate", "[\"a\"]", "max-size=1m", "30s",
};

struct generated {
	const char *format, *head;	/* what every text begins with */
	const struct key_table *tables;
};

static const struct key_table lxc_tables[] = { { "", lxc_keys }, { 0 } };
static const struct key_table systemd_tables[] = {
	{ "Service", systemd_keys }, { "Service", systemd_resource_keys }, { "Install", systemd_install_keys }, { 0 }
};
static const struct key_table quadlet_tables[] = {
	{ "Container", quadlet_keys }, { "Service", quadlet_service_keys }, { "Install", systemd_install_keys }, { 0 }
};
static const struct generated generated[] = {
	{ "lxc", "", lxc_tables }, { "systemd", "[Service]\n", systemd_tables }, { "nspawn", "[Exec]\n", nspawn_tables },
	{ "quadlet", "[Container]\nRootfs=/r\n", quadlet_tables },
};

static size_t draw(unsigned int *seed, size_t n)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 8) % n;
}

/* A line of any key and any value; the star of a name becomes a number. False for keys that stand for more than one line. */
static bool add_line(struct buffer *b, const struct generated *g, unsigned int *seed)
{
	size_t n = 0, chosen;

	for (const struct key_table *table = g->tables; table->section; table++)
		for (const struct key *key = table->keys; key->name; key++)
			n++;
	chosen = draw(seed, n);
	for (const struct key_table *table = g->tables; table->section; table++)
		for (const struct key *key = table->keys; key->name; key++)
			if (chosen-- == 0) {
				size_t star = strcspn(key->name, "*");

				if (strcmp(key->name, "ExecStart") == 0 || strcmp(key->name, "lxc.include") == 0 || key->name[0] == '-')
					return false;
				if (*table->section)
					buffer_addf(b, "[%s]\n", table->section);
				buffer_addf(b, "%.*s%s%s = %s\n", (int)star, key->name, key->name[star] ? "0" : "",
					    key->name[star] ? key->name + star + 1 : "", values[draw(seed, ARRAY_SIZE(values))]);
				return true;
			}
	return false;
}

struct counted {
	unsigned int rows[256];
};

static int count(const struct mrg_report_row *row, void *data)
{
	struct counted *counted = data;

	assert_in_range(row->line, 1, ARRAY_SIZE(counted->rows) - 1);
	counted->rows[row->line]++;
	return 0;
}

static bool is_read(const struct generated *g, const struct buffer *b)
{
	struct mrg_spec *spec = NULL;
	bool whole = mrg_format_read(g->format, b->text, b->length, &spec, NULL, NULL, NULL) == 0;

	mrg_spec_free(spec);
	return whole;
}

/* Up to 24 lines that can be read together. */
static void make_text(struct buffer *b, const struct generated *g, unsigned int seed)
{
	buffer_addf(b, "%s", g->head);
	for (int i = 0; i < 24; i++) {
		size_t before = b->length;

		if (!add_line(b, g, &seed) || !is_read(g, b)) {
			b->length = before;
			b->text[before] = '\0';
		}
	}
}

static void assert_once(const struct buffer *text, const struct counted *counted)
{
	unsigned int number = 1;

	for (const char *line = text->text; *line; line = strchr(line, '\n') + 1, number++) {
		bool key = *line != '[' && *line != '\n';

		if (counted->rows[number] != (key ? 1U : 0U))
			fail_msg("line %u is in %u rows:\n%s", number, counted->rows[number], text->text);
	}
}

static void assert_stable(const struct generated *g, const struct buffer *text, const struct mrg_spec *spec)
{
	_cleanup_free_ char *written = NULL, *first = NULL, *second = NULL;
	struct mrg_error err = { 0 };
	struct mrg_spec *again = NULL;

	assert_int_equal(mrg_spec_emit(spec, 2, &first, &err), 0);
	assert_int_equal(mrg_format_write(g->format, spec, &written, NULL, NULL, &err), 0);
	mrg_format_read(g->format, written, strlen(written), &again, NULL, NULL, &err);
	if (!again)
		fail_msg("%s\n%s\nbecame\n%s", err.message, text->text, written);
	assert_int_equal(mrg_spec_emit(again, 2, &second, &err), 0);
	if (strcmp(first, second) != 0)
		fail_msg("%s: %s\nbecame\n%s", g->format, text->text, written);
	mrg_spec_free(again);
}

/* Neither does joining with what the writer of another format says lose a key, or tell one twice. */
static void assert_converted(const struct generated *g, const struct buffer *text, const char *to)
{
	const struct mrg_convert convert = { .text = text->text, .length = text->length, .from = g->format, .to = to };
	struct mrg_conversion *conversion = NULL;
	struct counted counted = { { 0 } };
	struct mrg_error err = { 0 };

	if (mrg_convert(&convert, &conversion, &err) < 0)
		fail_msg("%s to %s: %s\n%s", g->format, to, err.message, text->text);
	for (size_t i = 0; i < conversion->n_rows; i++)
		if (conversion->rows[i].source)
			count(&conversion->rows[i], &counted);
	assert_once(text, &counted);
	mrg_conversion_free(conversion);
}

static void test_random_texts(void **state)
{
	static const char *const targets[] = { "lxc", "systemd", "nspawn", "quadlet", "oci" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(generated); i++)
		for (unsigned int seed = 1; seed <= 150; seed++) {
			struct counted counted = { { 0 } };
			struct mrg_spec *spec = NULL;
			struct mrg_error err = { 0 };
			struct buffer text = { 0 };

			make_text(&text, &generated[i], seed * 7919);
			assert_int_equal(mrg_format_read(generated[i].format, text.text, text.length, &spec, count, &counted, &err), 0);
			assert_once(&text, &counted);
			assert_stable(&generated[i], &text, spec);
			assert_converted(&generated[i], &text, targets[seed % ARRAY_SIZE(targets)]);
			mrg_spec_free(spec);
			buffer_deinit(&text);
		}
}

/* ---- inspections made at random ---------------------------------------------------------------------- */

static const char *const json_values[] = {
	"null", "true", "false", "0", "-1", "100", "536870912", "\"\"", "\"x\"", "\"host\"", "\"1000:1000\"", "\"/srv\"", "\"0022\"", "\"TERM\"", "[]", "{}",
	"[\"a\",\"b\"]", "[\"A=1\"]", "[\"KILL\"]", "[\"/a:/b:ro\"]", "{\"a\":\"b\"}", "{\"/a\":\"size=1m\"}", "[\"seccomp=unconfined\"]", "[0,0]",
	"{\"Name\":\"always\"}", "{\"80/tcp\":[{\"HostPort\":\"80\"}]}", "[{\"Name\":\"nofile\",\"Soft\":1,\"Hard\":2}]",
	"[{\"PathOnHost\":\"/dev/fuse\"}]", "{\"Type\":\"none\"}", "{\"Test\":[\"NONE\"]}", "[{\"Type\":\"tmpfs\",\"Destination\":\"/t\"}]",
};

#define DOCKER_KEYS_MAX	256

/* For each key of the tables the value it has; NULL: it is not there. */
struct inspection {
	const struct docker_key *keys[DOCKER_KEYS_MAX];
	const char *values[DOCKER_KEYS_MAX];
	size_t n;
};

static void list_keys(struct inspection *inspection)
{
	const struct docker_key *const tables[] = { docker_top_keys, docker_config_keys, docker_host_keys };

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct docker_key *key = tables[i]; key->name; key++) {
			assert_in_range(inspection->n, 0, DOCKER_KEYS_MAX - 1);
			inspection->keys[inspection->n++] = key;
		}
}

/* The members whose names begin with @prefix; a name without prefix has no dot. */
static void add_members(struct buffer *b, const struct inspection *inspection, const char *prefix)
{
	size_t length = strlen(prefix);

	for (size_t i = 0; i < inspection->n; i++) {
		const char *name = inspection->keys[i]->name;

		if (inspection->values[i] && strncmp(name, prefix, length) == 0 && !strchr(name + length, '.'))
			buffer_addf(b, "%s\"%s\":%s", strchr("{[", b->text[b->length - 1]) ? "" : ",", name + length, inspection->values[i]);
	}
}

static void inspection_text(struct buffer *b, const struct inspection *inspection)
{
	buffer_addf(b, "[{\"HostConfig\":{");
	add_members(b, inspection, "HostConfig.");
	buffer_addf(b, "},\"Config\":{");
	add_members(b, inspection, "Config.");
	buffer_addf(b, "}");
	add_members(b, inspection, "");
	buffer_addf(b, "}]");
}

struct named {
	const struct inspection *inspection;
	unsigned int rows[DOCKER_KEYS_MAX];
};

static int count_named(const struct mrg_report_row *row, void *data)
{
	struct named *named = data;
	size_t i = 0;

	while (i < named->inspection->n && strcmp(named->inspection->keys[i]->name, row->source) != 0)
		i++;
	assert_true(i < named->inspection->n);
	named->rows[i]++;
	return 0;
}

static void test_random_inspections(void **state)
{
	(void)state;
	for (unsigned int round = 1; round <= 100; round++) {
		struct inspection inspection = { .n = 0 };
		unsigned int seed = round * 7919;

		list_keys(&inspection);
		for (int i = 0; i < 60; i++) {
			size_t key = draw(&seed, inspection.n);
			const char *before = inspection.values[key];
			struct named named = { &inspection, { 0 } };
			struct mrg_spec *spec = NULL;
			struct buffer text = { 0 };
			int r;

			inspection.values[key] = json_values[draw(&seed, ARRAY_SIZE(json_values))];
			inspection_text(&text, &inspection);
			r = mrg_format_read("docker", text.text, text.length, &spec, count_named, &named, NULL);
			for (size_t k = 0; k < inspection.n && r == 0; k++)
				assert_int_equal(named.rows[k], inspection.values[k] != NULL);
			if (r < 0)
				inspection.values[key] = before;
			mrg_spec_free(spec);
			buffer_deinit(&text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guess), cmocka_unit_test(test_join), cmocka_unit_test(test_judge), cmocka_unit_test(test_words), cmocka_unit_test(test_convert),
		cmocka_unit_test(test_random_texts), cmocka_unit_test(test_random_inspections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
