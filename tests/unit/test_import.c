/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Containers to archives and back, on the fake backend: what is kept, what is refused, and what an interruption leaves. */

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/archive/transfer.h"
#include "core/archive/tar/tar.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "tests/unit/import_fixture.h"

/* An archive of a container with the hostile root. */
static void export_one(struct world *w, const char *name)
{
	struct fixture *f = w->fixture;
	struct mrg_container *c;
	struct mrg_spec *spec = spec_of(f, sleeper);
	struct mrg_create create = { .name = name, .backend = "fake", .spec = spec };
	char root[80];

	snprintf(root, sizeof(root), "%s/root", w->tree.top);
	assert_int_equal(mrg_spec_set(spec, MRG_FIELD_ROOT_PATH, root, NULL), 0);
	for (int field = MRG_FIELD_NS_PID; field <= MRG_FIELD_NS_NETWORK; field++)
		assert_works(w, mrg_spec_set(spec, (unsigned int)field, "private", &w->err));
	assert_works(w, mrg_create(f->m, &create, &c, &w->err));
	assert_works(w, mrg_export(c, w->archive, NULL, &w->err));
	assert_int_equal(mrg_export(c, w->archive, NULL, &w->err), -MRG_E_EXISTS);
	mrg_container_free(c);
	mrg_spec_free(spec);
}

static void put_bytes(const char *path, const char *bytes, size_t length)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_int_equal(fd_write_all(fd, bytes, length), 0);
}

static void there_and_back(void **state)
{
	static const char *const accept[] = { "devices", NULL };
	static const struct tree_options portable = { .portable = true };
	struct world *w = *state;
	struct fixture *f = w->fixture;
	char left[TREE_DIGEST_SIZE], right[TREE_DIGEST_SIZE];
	struct mrg_container *c;
	_cleanup_close_ int root = -1;

	NEEDS_ROOT();
	export_one(w, "mrgt-one");
	assert_int_equal(import_one(w, "mrgt-one", accept, &c), -MRG_E_EXISTS);
	/* The root has a block device: that is asked for. */
	assert_int_equal(import_one(w, "mrgt-two", NULL, &c), -MRG_E_PERMISSION);
	assert_true(nothing_is_left(w));
	assert_works(w, import_one(w, "mrgt-two", accept, &c));
	assert_string_equal(mrg_container_name(c), "mrgt-two");
	assert_string_equal(mrg_container_spec(c)->args[0], "sleep");
	root = open(mrg_container_spec(c)->root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	assert_works(w, tree_digest(w->tree.root, NULL, &portable, left, &w->err));
	assert_works(w, tree_digest(root, NULL, &portable, right, &w->err));
	assert_string_equal(left, right);
	release(c);
	assert_int_equal(names(f), 2);
}

/* Found out by its checksum, and nothing is kept. */
static void damage_is_found(void **state)
{
	static const char *const accept[] = { "devices", NULL };
	static const char *const places[] = { "some text", "several names", "\"process\"", "sleep" };
	struct world *w = *state;
	_cleanup_free_ char *text = NULL;
	size_t length;

	NEEDS_ROOT();
	export_one(w, "mrgt-one");
	assert_int_equal(fd_read_file(AT_FDCWD, w->archive, 64 << 20, &text, &length), 0);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char *at = memmem(text, length, places[i], strlen(places[i]));
		_cleanup_close_ int fd = open(w->archive, O_WRONLY | O_CLOEXEC);
		struct mrg_container *c;

		assert_non_null(at);
		assert_int_equal(pwrite(fd, "X", 1, at + 2 - text), 1);
		assert_int_equal(import_one(w, "mrgt-two", accept, &c), -EBADMSG);
		assert_true(nothing_is_left(w));
		assert_int_equal(pwrite(fd, at + 2, 1, at + 2 - text), 1);
	}
	assert_works(w, import_one(w, "mrgt-two", accept, NULL));
}

/* ---- hostile configurations ---------------------------------------------------------------- */

#define KEPT(engine, keys)	SPEC(NAMESPACES(NETWORK) "},\"moorage\":{\"native\":{\"" engine "\":{" keys "}}}")

static void what_reaches_the_host_is_refused(void **state)
{
	static const struct {
		const char *json, *key;
	} cases[] = {
		{ SPEC(NAMESPACES(NETWORK) "},\"mounts\":[{\"destination\":\"/x\",\"source\":\"/etc\",\"options\":[\"bind\"]}]"), "mounts" },
		{ SPEC(NAMESPACES(NETWORK) "},\"mounts\":[{\"destination\":\"/x\",\"source\":\"/dev/sda1\",\"type\":\"ext4\"}]"), "mounts" },
		{ SPEC(NAMESPACES(NETWORK) "},\"hooks\":{\"prestart\":[{\"path\":\"/bin/sh\"}]}"), "hooks" },
		{ SPEC(NAMESPACES("") "}"), "linux.namespaces.network" },
		{ SPEC(NAMESPACES(",{\"type\":\"network\",\"path\":\"/proc/1/ns/net\"}") "}"), "linux.namespaces.network" },
		{ CONFINED(",\"devices\":[{\"path\":\"/dev/sda\",\"type\":\"b\",\"major\":8,\"minor\":0}]"), "linux.devices" },
		{ CONFINED(",\"resources\":{\"devices\":[{\"allow\":true,\"access\":\"rwm\"}]}"), "linux.resources.devices" },
		{ CONFINED(",\"cgroupsPath\":\"/../x\""), "linux.cgroupsPath" },
		{ CONFINED(",\"rootfsPropagation\":\"shared\""), "linux.rootfsPropagation" },
		{ SPEC(NAMESPACES(NETWORK) "},\"moorage\":{\"seccompProfile\":\"unconfined\"}"), "moorage.seccompProfile" },
		{ KEPT("lxc", "\"lxc.hook.start\":[\"/bin/sh\"]"), "lxc.hook.start (a key of lxc)" },
		{ KEPT("lxc", "\"lxc.tty.max\":[\"4\"],\"lxc.mount.entry\":[\"/etc etc none bind 0 0\"]"), "lxc.mount.entry" },
		{ KEPT("lxc", "\"lxc.include\":[\"/etc/shadow\"]"), "lxc.include" },
		{ KEPT("lxc", "\"lxc.raw.lxc\":[\"x\"]"), "lxc.raw.lxc" },
		{ KEPT("lxc", "\"lxc.tty.dir\":[\"../../etc\"]"), "lxc.tty.dir" },
		{ KEPT("lxc", "\"lxc.tty.max\":[7]},\"x\":{\"y\":{\"z\":[{\"w\":1}]}"), "y.z (a key of x)" },
		{ KEPT("lxc", "\"lxc.mount.options\":[\"/x optional,rbind\"]"), "mounts" },
		{ KEPT("lxc", "\"lxc.mount.options\":[\"/x rbind optional\"]"), "mounts" },
		{ KEPT("nspawn", "\"Exec\":{\"Timezone\":[\"off\"],\"LinkJournal\":[\"host\"]}"), "Exec.LinkJournal" },
		{ KEPT("nspawn", "\"--bind\":[\"/etc\"]"), "--bind" },
		{ KEPT("libvirt", "\"/domain/devices\":[\"<emulator>/bin/sh</emulator>\"]"), "/domain/devices/emulator" },
		{ KEPT("libvirt", "\"/domain\":[\"<on_crash>destroy</on_crash>\",\"<os><init>/x</init></os>\"]"), "/domain/os" },
		{ KEPT("libvirt", "\"/domain/os\":[\"@x=y\",\"=z\"]"), "/domain/os/@x" },
		{ "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"/\"},\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"],\"capabilities\":{\"bounding\":[\"CAP_SYS_MODULE\"]}},"
		  NAMESPACES(NETWORK) "}}", "process.capabilities (capabilities)" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		write_archive(w, cases[i].json);
		assert_int_equal(import_one(w, NULL, NULL, NULL), -MRG_E_PERMISSION);
		if (!strstr(w->err.message, cases[i].key))
			fail_msg("case %zu does not name '%s': %s", i, cases[i].key, w->err.message);
		assert_true(nothing_is_left(w));
	}
}

static void what_is_accepted_comes(void **state)
{
	static const char *const misspelt[] = { "/linux/namespaces/network", "/mount", NULL }, *const wrong[] = { "hooks", NULL };
	static const char *const right[] = { "/linux/namespaces/network", "mounts", NULL };
	struct world *w = *state;
	struct mrg_container *c;

	NEEDS_ROOT();
	write_archive(w, SPEC(NAMESPACES("") "},\"mounts\":[{\"destination\":\"/x\",\"source\":\"/etc\",\"options\":[\"bind\"]}]"));
	assert_int_equal(import_one(w, NULL, wrong, &c), -MRG_E_PERMISSION);
	assert_int_equal(import_one(w, NULL, misspelt, &c), -MRG_E_INVALID);
	assert_string_equal(w->err.message, "'--accept /mount' names no key that is there, and no field\ndid you mean '/mounts'?");
	assert_true(nothing_is_left(w));
	assert_works(w, import_one(w, NULL, right, &c));
	assert_int_equal(mrg_container_spec(c)->mounts.n, 1);
	release(c);
}

/* Keys of another engine: what reaches nothing of the host needs no word, and neither is written. */
static void keys_of_others_are_left_out(void **state)
{
	static const char *const word[] = { "lxc.hook.start", NULL }, *const end[] = { "hook.start", NULL }, *const whole[] = { "/moorage/native", NULL };
	static const char *const *const accepts[] = { word, end, whole };
	char name[] = "mrgt-0";
	struct world *w = *state;
	struct mrg_container *c;

	NEEDS_ROOT();
	write_archive(w, KEPT("lxc", "\"lxc.tty.max\":[\"4\"],\"lxc.rootfs.managed\":[\"1\"],\"lxc.mount.options\":[\"/x optional\"]"));
	assert_works(w, import_one(w, NULL, NULL, &c));
	assert_false(mrg_fields_has(&mrg_container_spec(c)->set, MRG_FIELD_NATIVE));
	release(c);
	write_archive(w, KEPT("lxc", "\"lxc.tty.max\":[\"4\"],\"lxc.hook.start\":[\"/bin/sh\"]"));
	for (size_t i = 0; i < ARRAY_SIZE(accepts); i++) {
		name[5]++;
		assert_works(w, import_one(w, name, accepts[i], &c));
		assert_false(mrg_fields_has(&mrg_container_spec(c)->set, MRG_FIELD_NATIVE));
		release(c);
	}
}

static void manifests_that_are_none(void **state)
{
	static const char *const texts[] = {
		"", "[]", "{}", "{\"schema\":1}", "{\"schema\":\"moorage/archive/v2\"}", "{\"schema\":\"moorage/archive/v1\",\"name\":\"x\"}",
		"{\"schema\":\"moorage/archive/v1\",\"name\":\"x\",\"backend\":\"fake\",\"sha256\":{\"config.json\":\"../../x\",\"rootfs\":\"\"}}",
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct archive_manifest m = { .name = NULL };

		assert_true(archive_manifest_read(texts[i], &m, &w->err) < 0);
		assert_null(m.name);
	}
}

/* ---- interruptions -------------------------------------------------------------------------- */

static int die_at(const struct mrg_progress *progress, void *data)
{
	uint64_t *left = data;

	(void)progress;
	if (*left == 0)
		raise(SIGKILL);
	(*left)--;
	return 0;
}

static int stop_at(const struct mrg_progress *progress, void *data)
{
	uint64_t *left = data;

	assert_true(progress->number == 1 || progress->number == 2);
	return *left == 0 ? 1 : ((*left)--, 0);
}

/* At every step: nothing is left, and it is said. */
static void what_is_broken_off_leaves_nothing(void **state)
{
	static const char *const accept[] = { "devices", NULL };
	struct world *w = *state;
	struct fixture *f = w->fixture;
	uint64_t at = 0, left = 0;
	int r = -ECANCELED;

	NEEDS_ROOT();
	export_one(w, "mrgt-one");
	for (; r == -ECANCELED; at += 7) {
		const struct mrg_import import = { .source = w->archive, .name = "mrgt-two", .backend = "fake", .accept = accept,
						   .transfer = { .progress = stop_at, .data = &left } };

		left = at;
		r = mrg_import(f->m, &import, NULL, &w->err);
		assert_true(r == 0 || nothing_is_left(w));
	}
	assert_works(w, r);
	assert_true(at > 50);
}

/* Killed while it unpacks: the next command of any kind removes what was made. */
static void what_is_killed_leaves_nothing(void **state)
{
	static const char *const accept[] = { "devices", NULL };
	struct world *w = *state;
	struct fixture *f = w->fixture;

	NEEDS_ROOT();
	export_one(w, "mrgt-one");
	for (uint64_t at = 1; at < 200; at += 40) {
		const struct mrg_import import = { .source = w->archive, .name = "mrgt-two", .backend = "fake", .accept = accept,
						   .transfer = { .progress = die_at, .data = &at } };
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			mrg_import(f->m, &import, NULL, NULL);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFSIGNALED(status)) {
			assert_true(at > 100);
			break;
		}
		assert_false(nothing_is_left(w));
		assert_int_equal(mrg_list(f->m, NULL, see_nothing, NULL, NULL, &w->err), 0);
		assert_true(nothing_is_left(w));
	}
}

/* Files that are not synced to a disk are made quickly. */
static int leave_disk(struct world *w, const char *options)
{
	struct fixture *f = w->fixture;
	char path[80];

	snprintf(path, sizeof(path), "%s/state", f->top);
	return mount("mrgt-small", path, "tmpfs", 0, options);
}

static int leave_mounts(void)
{
	return unshare(CLONE_NEWNS) < 0 ? -1 : mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

/* What is missing may be the empty blocks at its end alone. */
static int tear_up(struct world *w, const char *text, size_t length)
{
	static const char *const accept[] = { "devices", NULL };
	size_t contents = length;

	while (contents > 0 && text[contents - 1] == '\0')
		contents--;
	if (leave_mounts() < 0 || leave_disk(w, "mode=700") < 0)
		return 2;
	for (size_t at = 0; at < length; at += 512) {
		struct mrg_container *c = NULL;
		int r;

		if (truncate(w->archive, 0) < 0)
			return 3;
		put_bytes(w->archive, text, at);
		r = import_one(w, "mrgt-torn", accept, &c);
		if (at < contents && (r >= 0 || !*w->err.message))
			return 4;
		if (r == 0 && mrg_remove(c, 0, &w->err) < 0)
			return 5;
		release(c);
		if (!nothing_is_left(w))
			return 6;
	}
	return 0;
}

/* An archive that ends too early, at every block: it is said, and nothing is left. */
static void what_is_torn_is_refused(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *text = NULL;
	size_t length;
	int status;
	pid_t pid;

	NEEDS_ROOT();
	export_one(w, "mrgt-one");
	assert_int_equal(fd_read_file(AT_FDCWD, w->archive, 64 << 20, &text, &length), 0);
	pid = fork();
	if (pid == 0)
		_exit(tear_up(w, text, length));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* In a child with a small file system of its own for all that is made. */
static int fill_up(struct world *w)
{
	static const char *const accept[] = { "devices", NULL };
	struct fixture *f = w->fixture;
	int full = 0, r = -ENOSPC;
	char path[80];

	snprintf(path, sizeof(path), "%s/state", f->top);
	if (leave_mounts() < 0)
		return 2;
	for (int pages = 12; r < 0; pages += 3) {
		char options[64];

		snprintf(options, sizeof(options), "mode=700,size=%dk,nr_inodes=%d", pages * 4, 20 + pages);
		if (leave_disk(w, options) < 0)
			return 3;
		r = import_one(w, "mrgt-two", accept, NULL);
		if (r < 0 && (r != -ENOSPC || !nothing_is_left(w))) {
			print_error("%d: %s\n", r, w->err.message);
			return 4;
		}
		full += r < 0;
		if (umount2(path, MNT_DETACH) < 0)
			return 5;
	}
	return full > 2 ? 0 : 6;
}

static void a_full_disk_leaves_nothing(void **state)
{
	struct world *w = *state;
	int status;
	pid_t pid;

	NEEDS_ROOT();
	export_one(w, "mrgt-one");
	pid = fork();
	if (pid == 0)
		_exit(fill_up(w));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_works(w, import_one(w, "mrgt-two", (const char *const[]){ "devices", NULL }, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(there_and_back, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(damage_is_found, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(what_reaches_the_host_is_refused, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(what_is_accepted_comes, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(keys_of_others_are_left_out, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(manifests_that_are_none, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(what_is_killed_leaves_nothing, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(what_is_broken_off_leaves_nothing, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(what_is_torn_is_refused, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(a_full_disk_leaves_nothing, setup_world, teardown_world),
	};

	return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
