/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* config.json of other tools: read with tolerance, every key reported once; written so that other runtimes do the same. */

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "core/seccomp/profile.h"
#include "core/util/cleanup.h"
#include "core/util/str.h"
#include "tests/unit/spec_fixture.h"

/* The rows of a report, one line each. */
static int collect(const struct mrg_report_row *row, void *data)
{
	static const char *const verdicts[] = { "carried", "approximated", "dropped", "weakens" };

	buffer_addf(data, "%s %s %s\n", verdicts[row->verdict], row->source, row->target ? row->target : "-");
	assert_true(row->verdict == MRG_CARRIED || row->note);
	return 0;
}

static struct mrg_spec *read_oci(const char *json, struct buffer *report)
{
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };

	mrg_format_read("oci", json, strlen(json), &spec, collect, report, &err);
	assert_string_equal(err.message, "");
	return spec;
}

static char *write_oci(const struct mrg_spec *spec, struct buffer *report)
{
	struct mrg_error err = { 0 };
	char *text = NULL;

	mrg_format_write("oci", spec, &text, collect, report, &err);
	assert_string_equal(err.message, "");
	return text;
}

static void test_read_report(void **state)
{
	struct buffer report = { 0 };
	struct mrg_spec *spec = read_oci("{\"ociVersion\":\"1.0.2-dev\",\"process\":{\"args\":[\"sh\"],\"commandLine\":\"x\"},"
					 "\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\",\"extra\":1}],"
					 "\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"uts\"}],\"resources\":"
					 "{\"blockIO\":{\"weightDevice\":[]}}},\"windows\":{\"x\":1},"
					 "\"moorage\":{\"boot\":false}}", &report);

	(void)state;
	assert_string_equal(report.text,
			    "carried /ociVersion /ociVersion\n"
			    "carried /process/args /process/args\n"
			    "dropped /process/commandLine -\n"
			    "dropped /mounts/0/extra -\n"
			    "carried /mounts /mounts\n"
			    "carried /linux/namespaces/0 /linux/namespaces/pid\n"
			    "carried /linux/namespaces/1 /linux/namespaces/uts\n"
			    "dropped /linux/resources/blockIO/weightDevice -\n"
			    "dropped /windows -\n"
			    "carried /moorage/boot /moorage/boot\n");
	assert_string_equal(spec->args[0], "sh");
	assert_int_equal(spec->mounts.n, 1);
	buffer_deinit(&report);
	mrg_spec_free(spec);
}

static void test_read_still_refuses(void **state)
{
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };
	const char *text = "{\"process\":{\"args\":[1]}}";

	(void)state;
	assert_int_equal(mrg_format_read("oci", text, strlen(text), &spec, NULL, NULL, &err), -MRG_E_INVALID);
	assert_string_equal(err.message, "/process/args/0: must be a string");
	assert_null(spec);
}

static int stop(const struct mrg_report_row *row, void *data)
{
	(void)row;
	return ++*(int *)data == 2 ? -ECANCELED : 0;
}

static void test_report_can_stop(void **state)
{
	const char *text = "{\"hostname\":\"a\",\"domainname\":\"b\",\"annotations\":{}}";
	struct mrg_spec *spec = NULL;
	int rows = 0;

	(void)state;
	assert_int_equal(mrg_format_read("oci", text, strlen(text), &spec, stop, &rows, NULL), -ECANCELED);
	assert_int_equal(rows, 2);
	assert_null(spec);
}

static void test_unknown_format(void **state)
{
	struct mrg_spec *spec = NULL;
	struct mrg_error err = { 0 };

	(void)state;
	assert_int_equal(mrg_format_read("dockerfile", "x", 1, &spec, NULL, NULL, &err), -MRG_E_INVALID);
	assert_string_equal(err.message, "no format is called 'dockerfile'\nthere are oci, systemd, lxc, nspawn, libvirt, docker and quadlet");
	assert_string_equal(mrg_format_names()[0], "oci");
	assert_string_equal(mrg_format_names()[1], "systemd");
	assert_string_equal(mrg_format_names()[4], "libvirt");
	assert_string_equal(mrg_format_names()[6], "quadlet");
	assert_null(mrg_format_names()[7]);
}

static void test_write_report(void **state)
{
	struct mrg_spec *spec = spec_of("{\"process\":{\"args\":[\"sh\"]},\"moorage\":{\"user\":\"www\",\"ephemeral\":true,\"init\":true,"
					"\"restart\":\"always\",\"seccompProfile\":\"unconfined\"}}");
	struct buffer report = { 0 };
	char *text = write_oci(spec, &report);

	(void)state;
	assert_string_equal(report.text,
			    "carried /process/args /process/args\n"
			    "dropped /moorage/init /moorage/init\n"
			    "weakens /moorage/user /moorage/user\n"
			    "weakens /moorage/ephemeral /moorage/ephemeral\n"
			    "carried /moorage/seccompProfile /moorage/seccompProfile\n"
			    "dropped /moorage/restart /moorage/restart\n");
	free(text);
	buffer_deinit(&report);
	mrg_spec_free(spec);
}

/* Other runtimes insist on a working directory; a system that boots gets a command. */
static void test_write_completes(void **state)
{
	struct mrg_spec *spec = spec_of("{\"root\":{\"path\":\"/r\"},\"moorage\":{\"boot\":true}}"), *again;
	struct buffer report = { 0 };
	char *text = write_oci(spec, &report);

	(void)state;
	again = read_oci(text, &report);
	assert_string_equal(again->cwd, "/");
	assert_string_equal(again->args[0], "/sbin/init");
	assert_true(again->boot);
	free(text);
	buffer_deinit(&report);
	mrg_spec_free(spec);
	mrg_spec_free(again);
}

static void test_every_field_once(void **state)
{
	(void)state;
	assert_reported_once(write_oci);
}

static void test_written_is_stable(void **state)
{
	(void)state;
	for (unsigned int seed = 0; seed < 200; seed++) {
		struct mrg_spec *spec = random_spec(seed), *again;
		struct buffer report = { 0 };
		char *first = write_oci(spec, &report), *second;

		again = read_oci(first, &report);
		second = write_oci(again, &report);
		assert_string_equal(first, second);
		free(first);
		free(second);
		buffer_deinit(&report);
		mrg_spec_free(spec);
		mrg_spec_free(again);
	}
}

/* ---- the filter spelled out, decision by decision ------------------------------ */

/* Runs a filter as the kernel does; only what libseccomp generates. */
static uint32_t run_filter(const struct sock_filter *code, size_t n, const struct seccomp_data *data)
{
	uint32_t a = 0, x = 0, memory[16] = { 0 };

	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *f = &code[pc];
		uint32_t k = f->code & BPF_X ? x : f->k;

		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			memcpy(&a, (const char *)data + f->k, 4);
			break;
		case BPF_LD | BPF_MEM:
			a = memory[f->k];
			break;
		case BPF_ST:
			memory[f->k] = a;
			break;
		case BPF_MISC | BPF_TAX:
			x = a;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= f->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += f->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == k ? f->jt : f->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			pc += a > k ? f->jt : f->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			pc += a >= k ? f->jt : f->jf;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			pc += a & k ? f->jt : f->jf;
			break;
		case BPF_RET | BPF_K:
			return f->k;
		default:
			fail_msg("instruction %#x", f->code);
		}
	}
	fail_msg("no decision");
	return 0;
}

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#endif

static void assert_same_decisions(const char *name, const char *caps)
{
	/* Arguments that some rule looks at, and their neighbours. */
	static const uint64_t values[] = { 0, 1, 2, 8, 9, 10, 16, 37, 38, 39, 40, 41, 0x20000, 0x20008, 0x20009, 0x5411, 0x5412, 0x5413,
					   0x541b, 0x541c, 0x541d, 0xffffffff, 0x10000000, 0x7e020000, 0x100005412ULL,
					   0x100000026ULL, 0x100000010ULL };
	struct mrg_spec *spec = mrg_spec_new(), *written;
	struct buffer report = { 0 };
	struct sock_filter *ours = NULL, *theirs = NULL;
	size_t n_ours = 0, n_theirs = 0;
	struct mrg_error err = { 0 };
	char *text;

	mrg_spec_set(spec, MRG_FIELD_SECCOMP_PROFILE, name, &err);
	mrg_spec_set(spec, MRG_FIELD_CAP_BOUNDING, caps, &err);
	text = write_oci(spec, &report);
	written = read_oci(text, &report);
	assert_non_null(written->seccomp);
	seccomp_compile_profile(seccomp_profile_find(name), spec->cap_bounding, &ours, &n_ours, &err);
	seccomp_compile_oci(written->seccomp, &theirs, &n_theirs, &err);
	assert_string_equal(err.message, "");
	for (int number = 0; number < 470; number++)
		for (size_t i = 0; i < ARRAY_SIZE(values); i++)
			for (size_t j = 0; j < ARRAY_SIZE(values); j += i == 6 || number == SYS_ioctl ? 1 : 8) {
				struct seccomp_data data = { .nr = number, .arch = NATIVE_ARCH,
							     .args = { values[i], values[j], values[j] } };
				uint32_t a = run_filter(ours, n_ours, &data), b = run_filter(theirs, n_theirs, &data);

				if ((a == SECCOMP_RET_ALLOW) != (b == SECCOMP_RET_ALLOW))
					fail_msg("%s: system call %d(%#llx, %#llx): %#x, written %#x", name, number,
						 (unsigned long long)values[i], (unsigned long long)values[j], a, b);
			}
	free(ours);
	free(theirs);
	free(text);
	buffer_deinit(&report);
	mrg_spec_free(spec);
	mrg_spec_free(written);
}

static void test_default_profile(void **state)
{
	(void)state;
	assert_same_decisions("default", "CHOWN,KILL,SYS_CHROOT");
}

static void test_default_profile_with_admin(void **state)
{
	(void)state;
	assert_same_decisions("default", "SYS_ADMIN,SYS_TIME,SYS_NICE");
}

static void test_boot_profile(void **state)
{
	(void)state;
	assert_same_decisions("boot", "SYS_ADMIN,NET_ADMIN,SYS_BOOT");
}

static void test_expanded_is_reported(void **state)
{
	struct mrg_spec *spec = spec_of("{\"moorage\":{\"seccompProfile\":\"default\"}}");
	struct buffer report = { 0 };
	char *text = write_oci(spec, &report);

	(void)state;
	assert_string_equal(report.text, "approximated /moorage/seccompProfile /linux/seccomp\n");
	free(text);
	buffer_deinit(&report);
	mrg_spec_free(spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_report), cmocka_unit_test(test_read_still_refuses),
		cmocka_unit_test(test_report_can_stop), cmocka_unit_test(test_unknown_format),
		cmocka_unit_test(test_write_report), cmocka_unit_test(test_write_completes),
		cmocka_unit_test(test_every_field_once), cmocka_unit_test(test_written_is_stable),
		cmocka_unit_test(test_default_profile), cmocka_unit_test(test_default_profile_with_admin),
		cmocka_unit_test(test_boot_profile), cmocka_unit_test(test_expanded_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
