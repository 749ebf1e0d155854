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
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/archive/transfer.h"
#include "core/archive/tar.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "tests/unit/container_fixture.h"
#include "tests/unit/tree_fixture.h"

struct world {
	void *fixture;			/* struct fixture: containers */
	struct tree_fixture tree;	/* a hostile root */
	char archive[80];
	struct mrg_error err;
};

static int setup_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	*state = w;
	if (!w || setup(&w->fixture) < 0 || tree_fixture_init(&w->tree) < 0)
		return -1;
	snprintf(w->archive, sizeof(w->archive), "%s/archive.tar", w->tree.top);
	return geteuid() == 0 ? tree_fixture_fill(&w->tree) : 0;
}

static int teardown_world(void **state)
{
	struct world *w = *state;
	struct fixture *f = w->fixture;
	int r = tree_fixture_canary_lives(&w->tree) ? 0 : -1;
	char roots[80];

	snprintf(roots, sizeof(roots), "%s/state/roots", f->top);
	tree_remove(AT_FDCWD, roots, NULL, NULL);
	tree_fixture_deinit(&w->tree);
	r = teardown(&w->fixture) < 0 ? -1 : r;
	free(w);
	return r;
}

#define NEEDS_ROOT()	do { if (geteuid() != 0) { print_message("needs root\n"); skip(); } } while (0)

#define assert_works(w, call)	do { int r_ = (call); if (r_ < 0) fail_msg("%s: %s", #call, (w)->err.message); } while (0)

static void release(struct mrg_container *c)
{
	mrg_container_free(c);
}

/* Nothing below state and run but what containers have. */
static bool nothing_is_left(struct world *w)
{
	struct fixture *f = w->fixture;
	char path[80];

	snprintf(path, sizeof(path), "%s/state/imports", f->top);
	if (access(path, F_OK) == 0)
		return false;
	snprintf(path, sizeof(path), "%s/state/roots", f->top);
	return access(path, F_OK) < 0;
}

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

static int import_one(struct world *w, const char *name, const char *const *accept, struct mrg_container **ret)
{
	struct fixture *f = w->fixture;
	const struct mrg_import import = { .source = w->archive, .name = name, .backend = "fake", .accept = accept };

	w->err = (struct mrg_error) { 0 };
	return mrg_import(f->m, &import, ret, &w->err);
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

/* An archive whose manifest fits the configuration @json. */
static void write_archive(struct world *w, const char *json)
{
	_cleanup_close_ int fd = open(w->archive, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	_cleanup_free_ char *manifest = NULL;
	struct archive_manifest m = { .name = (char *)"mrgt-evil", .backend = (char *)"fake" };
	struct tar_entry root = { .type = S_IFDIR, .path = (char *)"rootfs/", .mode = 0755, .seconds = 1 };
	struct stream_writer out;
	_cleanup_close_ int empty = -1;

	assert_works(w, archive_text_digest(json, m.spec, &w->err));
	assert_int_equal(mkdirat(w->tree.dir, "empty", 0755) < 0 && errno != EEXIST, 0);
	empty = openat(w->tree.dir, "empty", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(futimens(empty, (struct timespec[2]){ { 1, 0 }, { 1, 0 } }), 0);
	assert_works(w, tree_digest(empty, NULL, NULL, m.root, &w->err));
	assert_works(w, archive_manifest_write(&m, &manifest, &w->err));
	assert_works(w, stream_writer_init(&out, stream_sink_fd, &fd, NULL, &w->err));
	assert_works(w, tar_write_text(&out, ARCHIVE_MANIFEST, manifest, &w->err));
	assert_works(w, tar_write_text(&out, ARCHIVE_SPEC, json, &w->err));
	assert_works(w, tar_write_entry(&out, &root, &w->err));
	assert_works(w, tar_write_end(&out, &w->err));
	stream_writer_deinit(&out);
}

#define NAMESPACES(more)	"\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"ipc\"},{\"type\":\"uts\"}" more "]"
#define NETWORK			",{\"type\":\"network\"}"
#define SPEC(rest)		"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"/\"},\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"]}," rest "}"
#define CONFINED(rest)		SPEC(NAMESPACES(NETWORK) rest "}")

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
		{ SPEC(NAMESPACES(NETWORK) "},\"moorage\":{\"native\":{\"lxc\":{\"lxc.hook.start\":[\"/bin/sh\"]}}}"), "moorage.native" },
		{ "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"/\"},\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"],\"capabilities\":{\"bounding\":[\"CAP_SYS_MODULE\"]}},"
		  NAMESPACES(NETWORK) "}}", "process.capabilities.bounding" },
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
	static const char *const wrong[] = { "hooks", NULL }, *const right[] = { "/linux/namespaces/network", "mounts", NULL };
	struct world *w = *state;
	struct mrg_container *c;

	NEEDS_ROOT();
	write_archive(w, SPEC(NAMESPACES("") "},\"mounts\":[{\"destination\":\"/x\",\"source\":\"/etc\",\"options\":[\"bind\"]}]"));
	assert_int_equal(import_one(w, NULL, wrong, &c), -MRG_E_PERMISSION);
	assert_works(w, import_one(w, NULL, right, &c));
	assert_int_equal(mrg_container_spec(c)->mounts.n, 1);
	release(c);
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

static int see_nothing(struct mrg_container *c, void *data)
{
	(void)c;
	(void)data;
	return 0;
}

static int die_at(uint64_t files, uint64_t bytes, void *data)
{
	(void)bytes;
	if (files >= *(uint64_t *)data)
		raise(SIGKILL);
	return 0;
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

/* ---- removal ---------------------------------------------------------------------------------- */

/* A container of an archive with a root that is quickly made; *ret_root is the caller's. */
static struct mrg_container *import_small(struct world *w, char **ret_root)
{
	struct mrg_container *c = NULL;

	write_archive(w, CONFINED(""));
	assert_works(w, import_one(w, "mrgt-small", NULL, &c));
	*ret_root = strdup(mrg_container_spec(c)->root_path);
	assert_non_null(*ret_root);
	return c;
}

static void put(const char *root, const char *name)
{
	_cleanup_close_ int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(fd_make_file(dir, name, "x", 1, false), 0);
}

static void its_root_goes_with_it(void **state)
{
	struct world *w = *state;
	struct mrg_container *c;
	_cleanup_free_ char *root = NULL;

	NEEDS_ROOT();
	c = import_small(w, &root);
	put(root, "file");
	assert_works(w, mrg_remove(c, 0, &w->err));
	release(c);
	assert_true(nothing_is_left(w));
}

static void a_root_is_kept_when_asked_for(void **state)
{
	struct world *w = *state;
	struct mrg_container *c;
	_cleanup_free_ char *root = NULL;

	NEEDS_ROOT();
	c = import_small(w, &root);
	assert_works(w, mrg_remove(c, MRG_REMOVE_KEEP_ROOT, &w->err));
	release(c);
	assert_int_equal(access(root, F_OK), 0);
	assert_int_equal(import_one(w, "mrgt-small", NULL, &c), -MRG_E_EXISTS);
}

/* A directory that a user gave, or put where the root was. */
static void what_users_gave_stays(void **state)
{
	struct world *w = *state;
	struct fixture *f = w->fixture;
	struct mrg_container *c = make(f, "mrgt-given", sleeper, 0);
	_cleanup_free_ char *root = NULL, *aside = NULL;

	NEEDS_ROOT();
	assert_works(w, mrg_remove(c, 0, &w->err));
	release(c);
	assert_int_equal(access(f->root, F_OK), 0);

	c = import_small(w, &root);
	assert_true(asprintf(&aside, "%s.old", root) > 0);
	assert_int_equal(rename(root, aside), 0);
	assert_int_equal(mkdir(root, 0755), 0);
	put(root, "precious");
	assert_works(w, mrg_remove(c, 0, &w->err));
	release(c);
	assert_int_equal(tree_remove(AT_FDCWD, aside, NULL, NULL), 0);
	assert_int_equal(access(root, F_OK), 0);
}

static void what_others_use_is_not_removed(void **state)
{
	static const char *const places[] = { "roots/mrgt-small", "roots/mrgt-small/sub", "link" };
	struct world *w = *state;
	struct fixture *f = w->fixture;
	_cleanup_free_ char *root = NULL, *link = NULL;
	struct mrg_container *c;

	NEEDS_ROOT();
	c = import_small(w, &root);
	assert_true(asprintf(&link, "%s/state/link", f->top) > 0);
	assert_int_equal(symlink("roots/mrgt-small/sub", link), 0);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct mrg_spec *spec = spec_of(f, sleeper);
		struct mrg_create create = { .name = "mrgt-other", .backend = "fake", .spec = spec };
		_cleanup_free_ char *path = NULL;
		struct mrg_container *other;

		assert_true(asprintf(&path, "%s/state/%s", f->top, places[i]) > 0);
		assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
		assert_works(w, mrg_spec_set(spec, MRG_FIELD_ROOT_PATH, path, &w->err));
		assert_works(w, mrg_create(f->m, &create, &other, &w->err));
		mrg_spec_free(spec);
		assert_int_equal(mrg_remove(c, 0, &w->err), -MRG_E_BUSY);
		assert_non_null(strstr(w->err.message, "fake:mrgt-other"));
		assert_int_equal(names(f), 2);
		/* Who has not made it does not remove it. */
		assert_works(w, mrg_remove(other, 0, &w->err));
		assert_int_equal(access(root, F_OK), 0);
		release(other);
	}
	assert_int_equal(unlink(link), 0);
	assert_works(w, mrg_remove(c, 0, &w->err));
	release(c);
	assert_true(nothing_is_left(w));
}

/* The new one on the same root has it from the old one. */
static void a_replaced_container_hands_its_root_on(void **state)
{
	struct world *w = *state;
	struct fixture *f = w->fixture;
	_cleanup_free_ char *root = NULL;
	struct mrg_spec *spec = spec_of(f, sleeper);
	struct mrg_create create = { .name = "mrgt-small", .backend = "fake", .spec = spec, .flags = MRG_CREATE_REPLACE };
	struct mrg_container *c;

	NEEDS_ROOT();
	release(import_small(w, &root));
	put(root, "file");
	assert_works(w, mrg_spec_set(spec, MRG_FIELD_ROOT_PATH, root, &w->err));
	assert_works(w, mrg_create(f->m, &create, &c, &w->err));
	mrg_spec_free(spec);
	assert_int_equal(access(root, F_OK), 0);
	assert_works(w, mrg_remove(c, 0, &w->err));
	release(c);
	assert_true(nothing_is_left(w));
}

/* In a child with mounts of its own. */
static int remove_with_mount(struct world *w, struct mrg_container *c, const char *root)
{
	_cleanup_free_ char *at = NULL;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || asprintf(&at, "%s/a mount", root) < 0 ||
	    mkdir(at, 0755) < 0 || mount("mrgt-none", at, "tmpfs", 0, NULL) < 0)
		return 2;
	return mrg_remove(c, 0, &w->err) == -MRG_E_BUSY && strstr(w->err.message, "a mount") && access(root, F_OK) == 0 ? 0 : 1;
}

static void what_is_mounted_or_marked_hinders(void **state)
{
	struct world *w = *state;
	struct fixture *f = w->fixture;
	_cleanup_free_ char *root = NULL;
	struct mrg_container *c;
	int status, flags = FS_IMMUTABLE_FL;
	_cleanup_close_ int fd = -1;
	pid_t pid;

	NEEDS_ROOT();
	c = import_small(w, &root);
	pid = fork();
	if (pid == 0)
		_exit(remove_with_mount(w, c, root));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(names(f), 1);
	fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0) {
		assert_int_equal(mrg_remove(c, 0, &w->err), -MRG_E_PERMISSION);
		flags = 0;
		assert_int_equal(ioctl(fd, FS_IOC_SETFLAGS, &flags), 0);
		assert_int_equal(names(f), 1);
	}
	assert_works(w, mrg_remove(c, 0, &w->err));
	release(c);
	assert_true(nothing_is_left(w));
}

/* Killed at any moment: with the next command it is there, whole, or gone with its root. */
static void a_killed_removal_is_finished(void **state)
{
	struct world *w = *state;
	struct fixture *f = w->fixture;
	size_t gone = 0;

	NEEDS_ROOT();
	for (useconds_t us = 0; us < 6000; us += 300) {
		_cleanup_free_ char *root = NULL;
		struct mrg_container *c = import_small(w, &root);
		char name[16];
		pid_t pid;

		for (int i = 0; i < 200; i++) {
			snprintf(name, sizeof(name), "file-%d", i);
			put(root, name);
		}
		pid = fork();
		if (pid == 0)
			_exit(mrg_remove(c, 0, NULL) < 0);
		usleep(us);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		release(c);
		assert_int_equal(mrg_list(f->m, NULL, see_nothing, NULL, NULL, &w->err), 0);
		if (names(f) == 1) {
			_cleanup_close_ int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

			assert_true(dir >= 0);
			for (int i = 0; i < 200; i++) {
				snprintf(name, sizeof(name), "file-%d", i);
				assert_int_equal(faccessat(dir, name, F_OK, 0), 0);
			}
			c = open_named(f, "mrgt-small");
			assert_works(w, mrg_remove(c, 0, &w->err));
			release(c);
		} else {
			gone++;
		}
		assert_true(nothing_is_left(w));
	}
	assert_true(gone > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(there_and_back, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(damage_is_found, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(what_reaches_the_host_is_refused, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(what_is_accepted_comes, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(manifests_that_are_none, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(what_is_killed_leaves_nothing, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(its_root_goes_with_it, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(a_root_is_kept_when_asked_for, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(what_users_gave_stays, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(what_others_use_is_not_removed, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(a_replaced_container_hands_its_root_on, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(what_is_mounted_or_marked_hinders, setup_world, teardown_world),
		cmocka_unit_test_setup_teardown(a_killed_removal_is_finished, setup_world, teardown_world),
	};

	return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
