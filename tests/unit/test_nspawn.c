/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parts of the backend nspawn that need no engine. */

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/nspawn/nspawn.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/str.h"

/* ---- names ---------------------------------------------------------------------------------- */

static void names_are_host_names(void **state _unused_)
{
	static const char *const good[] = { "a", "web", "web-1", "web.example.org", "0", "A1.b-2" };
	static const char *const bad[] = {
		"", ".", "-", "a_b", "-a", "a-", ".a", "a.", "a..b", "a.-b", "a-.b", "a b", "a/b", "\xc3\xa4",
		"12345678901234567890123456789012345678901234567890123456789012345",
	};
	struct mrg_error err = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(nspawn_name_is_valid(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(nspawn_name_is_valid(bad[i]));
	assert_int_equal(nspawn_check_name("a_b", &err), -MRG_E_INVALID);
	assert_non_null(strstr(err.message, "'a_b'"));
}

/* ---- roots ---------------------------------------------------------------------------------- */

static int collect(const char *name, void *data)
{
	return strv_append(data, name);
}

static void touch(const char *dir, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static void images_are_directories_and_raw_files(void **state _unused_)
{
	char dir[] = "/tmp/mrgt-nspawn.XXXXXX", path[PATH_MAX];
	_cleanup_(strv_freep) char **names = NULL;
	struct nspawn_image image;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/web", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/web/usr", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/not-a-system", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/.#web.lck.d", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	touch(dir, "disk.raw");
	touch(dir, "web.raw");
	touch(dir, "notes.txt");
	touch(dir, ".#web.lck");
	assert_int_equal(nspawn_image_list(dir, collect, &names, NULL), 0);
	assert_int_equal(strv_length(names), 2);
	assert_true(strv_contains(names, "web") && strv_contains(names, "disk"));
	assert_int_equal(nspawn_image_find(dir, "web", &image, NULL), 1);
	assert_false(image.is_file);
	assert_int_equal(nspawn_image_find(dir, "disk", &image, NULL), 1);
	assert_true(image.is_file);
	assert_int_equal(nspawn_image_find(dir, "notes.txt", &image, NULL), 0);
	assert_int_equal(nspawn_image_find(dir, "../web", &image, NULL), 0);
	assert_int_equal(fd_remove_tree(AT_FDCWD, dir), 0);
}

/* ---- messages ------------------------------------------------------------------------------- */

static void say(const char *address, const char *text)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(name.sun_path + 1, address + 1, strlen(address) - 1);
	assert_int_equal(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&name,
				(socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(address))), strlen(text));
	close(fd);
}

/* A process that has ended, as a pidfd. */
static int ended(void)
{
	pid_t pid = fork();
	int fd;

	if (pid == 0)
		_exit(0);
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return fd;
}

static void the_leader_is_told(void **state _unused_)
{
	char address[NSPAWN_ADDRESS_SIZE];
	int fd, gone = ended();
	pid_t leader = 0;

	assert_int_equal(nspawn_notify_open(address, &fd, NULL), 0);
	assert_int_equal(address[0], '@');
	say(address, "STATUS=Container running.\nX_NSPAWN_LEADER_PID=4711");
	/* What was said before the end counts. */
	assert_int_equal(nspawn_notify_wait(fd, gone, &leader), 1);
	assert_int_equal(leader, 4711);
	close(fd);
	close(gone);
}

static void an_end_without_a_leader_is_seen(void **state _unused_)
{
	char address[NSPAWN_ADDRESS_SIZE];
	int fd, gone = ended();
	pid_t leader = 0;

	assert_int_equal(nspawn_notify_open(address, &fd, NULL), 0);
	say(address, "STATUS=NOT_X_NSPAWN_LEADER_PID=1");
	say(address, "X_NSPAWN_LEADER_PID=nonsense");
	assert_int_equal(nspawn_notify_wait(fd, gone, &leader), 0);
	close(fd);
	close(gone);
}

/* ---- limits --------------------------------------------------------------------------------- */

static void limits_become_properties(void **state _unused_)
{
	_cleanup_(strv_freep) char **properties = NULL;
	struct mrg_spec *spec = mrg_spec_new();

	assert_int_equal(mrg_spec_set(spec, MRG_FIELD_MEMORY_LIMIT, "64M", NULL), 0);
	assert_int_equal(nspawn_unit_properties(spec, &properties, NULL), 0);
	assert_true(strv_contains(properties, "MemoryMax=67108864"));
	/* The unit's own limit must not count when none was asked for. */
	assert_true(strv_contains(properties, "TasksMax=infinity"));
	for (char **property = properties; *property; property++)
		assert_null(strstr(*property, "ExecStart"));
	mrg_spec_free(spec);
}

/* ---- what is told, what is refused ------------------------------------------------------------- */

static struct mrg_spec *spec_with(enum mrg_field field, const char *value)
{
	struct mrg_spec *spec = mrg_spec_new();

	assert_non_null(spec);
	assert_int_equal(mrg_spec_set(spec, MRG_FIELD_ROOT_PATH, "/usr", NULL), 0);
	assert_int_equal(mrg_spec_set(spec, field, value, NULL), 0);
	return spec;
}

static void files_say_what_is_there(void **state _unused_)
{
	struct mrg_spec *spec = spec_with(MRG_FIELD_READONLY_PATHS, "/lib"), *reduced = NULL;
	char bind[] = "bind", nosuid[] = "nosuid", ro[] = "ro", *options[] = { bind, nosuid, ro, NULL };
	const struct mrg_mount mount = { .source = "/usr", .destination = "/mnt", .options = options };

	assert_int_equal(mrg_spec_set(spec, MRG_FIELD_READONLY_PATHS, "/no/such", NULL), 0);
	assert_int_equal(mrg_spec_set(spec, MRG_FIELD_MASKED_PATHS, "/no/such", NULL), 0);
	assert_int_equal(mrg_spec_add_mount(spec, &mount, NULL), 0);
	assert_int_equal(nspawn_reduce(spec, &reduced, NULL), 0);
	assert_int_equal(strv_length(reduced->readonly_paths), 1);
	assert_string_equal(reduced->readonly_paths[0], "/lib");
	assert_int_equal(strv_length(reduced->masked_paths), 0);
	assert_int_equal(strv_length(reduced->mounts.item[0].options), 2);
	assert_string_equal(reduced->mounts.item[0].options[1], "ro");
	/* Of a copy only. */
	assert_int_equal(strv_length(spec->readonly_paths), 2);
	assert_int_equal(strv_length(spec->mounts.item[0].options), 3);
	mrg_spec_free(reduced);
	mrg_spec_free(spec);
}

static void nspawns_share_leaves_the_rest_to_others(void **state _unused_)
{
	struct mrg_spec *spec = spec_with(MRG_FIELD_READONLY_PATHS, "/lib"), *share = NULL;

	assert_int_equal(mrg_spec_set(spec, MRG_FIELD_CAP_BOUNDING, "KILL", NULL), 0);
	assert_int_equal(mrg_spec_set(spec, MRG_FIELD_SECCOMP_PROFILE, "default", NULL), 0);
	assert_int_equal(mrg_spec_set(spec, MRG_FIELD_HOSTNAME, "web", NULL), 0);
	assert_int_equal(nspawn_share(spec, &share, NULL), 0);
	assert_null(share->readonly_paths);
	assert_false(mrg_fields_has(&share->set, MRG_FIELD_SECCOMP_PROFILE));
	assert_true(share->cap_bounding == UINT64_MAX);
	assert_string_equal(share->hostname, "web");
	mrg_spec_free(share);
	mrg_spec_free(spec);
}

static void what_nspawn_cannot_do_is_refused(void **state _unused_)
{
	static const struct {
		enum mrg_field field;
		const char *value, *expected;
	} rows[] = {
		{ MRG_FIELD_NS_PID, "host", "/linux/namespaces/pid" },
		{ MRG_FIELD_NS_UTS, "host", "/linux/namespaces/uts" },
		{ MRG_FIELD_NS_IPC, "host", "/linux/namespaces/ipc" },
		{ MRG_FIELD_NS_CGROUP, "host", "/linux/namespaces/cgroup" },
		{ MRG_FIELD_NS_PID, "/proc/1/ns/pid", "/linux/namespaces/pid" },
		{ MRG_FIELD_DEVICES, "[{\"path\":\"/srv/null\",\"type\":\"c\",\"major\":1,\"minor\":3}]", "'/srv/null' is not below '/dev'" },
		{ MRG_FIELD_SCHEDULER, "{\"policy\":\"SCHED_BATCH\"}", "/process/scheduler" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mrg_spec *spec = spec_with(rows[i].field, rows[i].value);
		struct mrg_error err = { 0 };

		assert_int_equal(nspawn_check(NULL, spec, &err), -MRG_E_UNSUPPORTED);
		assert_non_null(strstr(err.message, rows[i].expected));
		mrg_spec_free(spec);
	}
}

static void what_is_missing_is_not_adopted(void **state _unused_)
{
	struct mrg_unit unit = { .name = "mrgt-nspawn-nobody", .dir = -1, .adopted = 1, .path = "/usr/share/doc" };
	struct mrg_spec *spec = mrg_spec_new();
	struct mrg_error err = { 0 };

	assert_int_equal(nspawn_adopt(NULL, &unit, spec, &err), -MRG_E_NOT_FOUND);
	assert_non_null(strstr(err.message, "'mrgt-nspawn-nobody'"));
	mrg_spec_free(spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_host_names),
		cmocka_unit_test(images_are_directories_and_raw_files),
		cmocka_unit_test(the_leader_is_told),
		cmocka_unit_test(an_end_without_a_leader_is_seen),
		cmocka_unit_test(limits_become_properties),
		cmocka_unit_test(files_say_what_is_there),
		cmocka_unit_test(nspawns_share_leaves_the_rest_to_others),
		cmocka_unit_test(what_nspawn_cannot_do_is_refused),
		cmocka_unit_test(what_is_missing_is_not_adopted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
