/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fields about the root, mounts and devices. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/util/fd.h"
#include "tests/certify/fields.h"

static void add_mount(struct scene *s, const char *source, const char *destination, const char *type, const char *const *options)
{
	struct mrg_mount mount = {
		.destination = destination, .source = source, .type = type, .options = (char **)(uintptr_t)options,
	};

	if (mrg_spec_add_mount(s->spec, &mount, &s->err) < 0)
		trial_fail(s->t, "%s", s->err.message);
}

static void write_host_file(struct trial *t, const char *directory, const char *text)
{
	_cleanup_close_ int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 || fd_replace_file(dir, "file", text, strlen(text), false) < 0 || fchmodat(dir, "file", 0644, 0) < 0)
		trial_fail(t, "the kit cannot write into '%s'", directory);
}

static bool host_has(const char *directory, const char *name)
{
	char path[PATH_SIZE + 64];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return access(path, F_OK) == 0;
}

/* ---- the root ----------------------------------------------------------------------------------- */

/* Its inode is that of the directory: an overlay or a copy would have another. */
static void it_is_the_directory(struct trial *t)
{
	struct stat st;
	_scene_ struct scene s = { .t = t };

	if (stat(t->kit->root, &st) < 0)
		trial_fail(t, "the kit's root is gone");
	scene_begin(&s, t, 0);
	scene_word(&s, "inode:/");
	scene_word(&s, "stat:%s", t->kit->work);
	scene_run(&s);
	scene_expect(&s, "inode:/=%llu", (unsigned long long)st.st_ino);
	scene_expect(&s, "stat:%s=ENOENT", t->kit->work);
}

static void what_is_written_is_there(struct trial *t)
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_SIZE];
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_word(&s, "write:/home/open/written:by %s", s.name);
	scene_run(&s);
	root_path(t, "/home/open/written", path);
	if (fd_read_file(AT_FDCWD, path, 1024, &text, NULL) < 0 || strstr(text, s.name) == NULL)
		trial_fail(t, "what was written inside is not in the directory on the host");
	unlink(path);
}

static void nothing_of_it_reaches_the_root(struct trial *t)
{
	char path[PATH_SIZE];
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	scene_set(&s, MRG_FIELD_EPHEMERAL, "yes");
	scene_word(&s, "write:/home/open/ephemeral:x");
	scene_word(&s, "read:/home/open/ephemeral");
	scene_word(&s, "read:/home/dir/file");
	scene_run(&s);
	root_path(t, "/home/open/ephemeral", path);
	if (access(path, F_OK) == 0) {
		unlink(path);
		trial_fail(t, "what was written inside is in the directory on the host");
	}
	scene_expect(&s, "write:/home/open/ephemeral:x=ok");
	scene_expect(&s, "read:/home/open/ephemeral=x");
	scene_expect(&s, "read:/home/dir/file=a file\\x0a");
}

/* ---- mounts --------------------------------------------------------------------------------------- */

static void a_directory_is_bound(struct trial *t)
{
	static const char *const options[] = { "bind", NULL };
	char share[PATH_SIZE];
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	host_directory(t, "share", share);
	write_host_file(t, share, "of the host");
	add_mount(&s, share, "/mnt", "bind", options);
	scene_word(&s, "read:/mnt/file");
	scene_word(&s, "create:/mnt/back");
	scene_run(&s);
	scene_expect(&s, "read:/mnt/file=of the host");
	if (!host_has(share, "back"))
		trial_fail(t, "what was made inside is not on the host");
}

static void a_bound_directory_can_be_read_only(struct trial *t)
{
	static const char *const options[] = { "bind", "ro", NULL };
	char share[PATH_SIZE];
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	host_directory(t, "share", share);
	write_host_file(t, share, "of the host");
	add_mount(&s, share, "/mnt", "bind", options);
	scene_word(&s, "read:/mnt/file");
	scene_word(&s, "create:/mnt/back");
	scene_run(&s);
	scene_expect(&s, "read:/mnt/file=of the host");
	scene_expect(&s, "create:/mnt/back=EROFS");
}

static void a_bound_directory_has_flags(struct trial *t)
{
	static const char *const options[] = { "bind", "nosuid", "nodev", "noexec", NULL };
	char share[PATH_SIZE];
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	host_directory(t, "share", share);
	add_mount(&s, share, "/mnt", "bind", options);
	scene_word(&s, "flags:/mnt");
	scene_run(&s);
	scene_expect(&s, "flags:/mnt=rw,nosuid,nodev,noexec");
}

static void a_file_is_bound(struct trial *t)
{
	static const char *const options[] = { "bind", "ro", NULL };
	char share[PATH_SIZE], file[PATH_SIZE + 8];
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	host_directory(t, "share", share);
	write_host_file(t, share, "bound over");
	snprintf(file, sizeof(file), "%s/file", share);
	add_mount(&s, file, "/home/dir/file", "bind", options);
	scene_word(&s, "read:/home/dir/file");
	scene_run(&s);
	scene_expect(&s, "read:/home/dir/file=bound over");
}

static void memory_is_mounted(struct trial *t)
{
	static const char *const options[] = { "size=1m", "mode=1750", "noexec", "nosuid", "nodev", NULL };
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	add_mount(&s, "tmpfs", "/mnt", "tmpfs", options);
	scene_word(&s, "type:/mnt");
	scene_word(&s, "size:/mnt");
	scene_word(&s, "stat:/mnt");
	scene_word(&s, "flags:/mnt");
	scene_word(&s, "create:/mnt/file");
	scene_run(&s);
	scene_expect(&s, "type:/mnt=tmpfs");
	scene_expect(&s, "size:/mnt=1048576");
	scene_expect(&s, "stat:/mnt=directory 1750 0:0");
	scene_expect(&s, "flags:/mnt=rw,nosuid,nodev,noexec");
	scene_expect(&s, "create:/mnt/file=ok");
}

static void a_later_mount_lies_on_an_earlier_one(struct trial *t)
{
	static const char *const none[] = { "mode=755", NULL }, *const options[] = { "bind", NULL };
	char share[PATH_SIZE];
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	host_directory(t, "share", share);
	write_host_file(t, share, "above");
	add_mount(&s, "tmpfs", "/mnt", "tmpfs", none);
	add_mount(&s, share, "/mnt/deep/er", "bind", options);
	scene_word(&s, "type:/mnt");
	scene_word(&s, "read:/mnt/deep/er/file");
	scene_run(&s);
	scene_expect(&s, "type:/mnt=tmpfs");
	scene_expect(&s, "read:/mnt/deep/er/file=above");
}

/* An absolute link in the root leads, from inside, to a directory of the root, not to the one of that name on the host. */
static void a_link_does_not_lead_out(struct trial *t)
{
	static const char *const options[] = { "bind", NULL };
	char share[PATH_SIZE], link[PATH_SIZE], made[NAME_SIZE + 16];
	bool started;
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	host_directory(t, "share", share);
	root_path(t, "/home/open/link", link);
	unlink(link);
	if (symlink("/var/tmp", link) < 0)
		trial_fail(t, "the kit cannot make '%s': %s", link, strerror(errno));
	add_mount(&s, share, "/home/open/link", "bind", options);
	snprintf(made, sizeof(made), "/var/tmp/%s", s.name);
	scene_word(&s, "create:%s", made);
	scene_create(&s);
	/* What is in the root is no affair of the spec's: an engine may stop at a link. */
	started = mrg_start(s.c, &s.s, &s.err) == 0;
	if (started)
		scene_await_end(&s);
	unlink(link);
	if (access(made, F_OK) == 0) {
		unlink(made);
		trial_fail(t, "the mount went out of the root");
	}
	if (started && !host_has(share, s.name))
		trial_fail(t, "it started, and the mount is not where the link leads to inside");
}

/* Nothing a container mounts is to be seen on the host. */
static void nothing_appears_on_the_host(struct trial *t)
{
	_cleanup_free_ char *mounts = NULL;
	_scene_ struct scene s = { .t = t };

	scene_begin(&s, t, 0);
	add_mount(&s, "tmpfs", "/mnt", "tmpfs", (const char *const[]){ "size=1m", NULL });
	scene_word(&s, "wait");
	scene_run_until(&s, "wait=ready");
	if (fd_read_virtual(AT_FDCWD, "/proc/self/mountinfo", 4 << 20, &mounts, NULL) < 0 || strstr(mounts, t->kit->root))
		trial_fail(t, "a mount of the container is among those of the host");
}

/* What the host mounts later below a root whose propagation is "rslave" appears inside. */
static void mounts_of_the_host_appear(struct trial *t)
{
	static const char *const words[] = { "read:/mnt/file", NULL };
	char path[PATH_SIZE];
	_scene_ struct scene s = { .t = t };
	bool appears;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(t->kit->root, t->kit->root, NULL, MS_BIND, NULL) < 0 || mount(NULL, t->kit->root, NULL, MS_SHARED, NULL) < 0)
		trial_skip(t, "a shared mount cannot be made here: %s", strerror(errno));
	scene_begin(&s, t, 0);
	scene_set(&s, MRG_FIELD_ROOTFS_PROPAGATION, "%s", (const char *)t->test->data);
	scene_word(&s, "wait");
	scene_run_until(&s, "wait=ready");
	root_path(t, "/mnt", path);
	if (mount("mrgt", path, "tmpfs", 0, NULL) < 0)
		trial_fail(t, "the kit cannot mount: %s", strerror(errno));
	write_host_file(t, path, "mounted later");
	scene_exec_words(&s, words);
	appears = scene_has(&s, "read:/mnt/file=mounted later");
	if (appears != (strcmp(t->test->data, "rslave") == 0))
		trial_fail(t, "a mount of the host below a root of propagation '%s' %s inside", (const char *)t->test->data,
			   appears ? "appears" : "does not appear");
}

/* ---- devices ---------------------------------------------------------------------------------------- */

/* A device of the host's, under the name it has there. */
static void a_device_of_the_hosts_is_there(struct trial *t)
{
	static const char *const candidates[] = { "/dev/fuse", "/dev/net/tun", "/dev/loop-control", "/dev/kmsg" };
	_scene_ struct scene s = { .t = t };
	struct stat st;
	size_t i = 0;

	while (i < ARRAY_SIZE(candidates) && (stat(candidates[i], &st) < 0 || !S_ISCHR(st.st_mode)))
		i++;
	if (i == ARRAY_SIZE(candidates))
		trial_skip(t, "this host has none of the devices that the kit knows");
	scene_begin(&s, t, 0);
	scene_set(&s, MRG_FIELD_DEVICES, "[{\"path\":\"%s\",\"type\":\"c\",\"major\":%u,\"minor\":%u,\"fileMode\":%u,\"uid\":%u,\"gid\":%u}]",
		  candidates[i], major(st.st_rdev), minor(st.st_rdev), (unsigned int)st.st_mode & 0777U, (unsigned int)st.st_uid,
		  (unsigned int)st.st_gid);
	scene_word(&s, "stat:%s", candidates[i]);
	scene_run(&s);
	scene_expect(&s, "stat:%s=character %04o %u:%u %u:%u", candidates[i], (unsigned int)st.st_mode & 07777U,
		     (unsigned int)st.st_uid, (unsigned int)st.st_gid, major(st.st_rdev), minor(st.st_rdev));
}

#define RULES	"[{\"allow\":false,\"type\":\"a\",\"access\":\"rwm\"}," \
		"{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":3,\"access\":\"rwm\"}]"

const struct test root_fields[] = {
	BY(ROOT_PATH, "it is the directory, and nothing outside can be reached", it_is_the_directory),
	BY(ROOT_PATH, "what is written inside is in the directory", what_is_written_is_there),
	ROW(ROOT_READONLY, "nothing can be written", { { MRG_FIELD_ROOT_READONLY, "yes" } },
	    { "write:/home/open/file:x", "mkdir:/new", "read:/home/dir/file" },
	    { "write:/home/open/file:x=EROFS", "mkdir:/new=EROFS", "read:/home/dir/file=a file\\x0a" }),
	BY(EPHEMERAL, "what is written is gone, what was there is seen", nothing_of_it_reaches_the_root),
	BY(MOUNTS, "a directory, bound", a_directory_is_bound),
	BY(MOUNTS, "a directory, bound read-only", a_bound_directory_can_be_read_only),
	BY(MOUNTS, "a directory, bound without programs, devices and privileges of its files", a_bound_directory_has_flags),
	BY(MOUNTS, "a file, bound", a_file_is_bound),
	BY(MOUNTS, "memory, with its size, mode and flags", memory_is_mounted),
	BY(MOUNTS, "in order, on mount points that are made", a_later_mount_lies_on_an_earlier_one),
	BY(MOUNTS, "a link in the root does not lead out of it", a_link_does_not_lead_out),
	BY(MOUNTS, "none appears on the host", nothing_appears_on_the_host),
	WITH(ROOTFS_PROPAGATION, "rslave: what the host mounts later appears", mounts_of_the_host_appear, "rslave"),
	WITH(ROOTFS_PROPAGATION, "rprivate: what the host mounts later does not", mounts_of_the_host_appear, "rprivate"),
	BY(DEVICES, "a device of the host's is there", a_device_of_the_hosts_is_there),
	ROW(DEVICES, "one of any name is there and works",
	    { { MRG_FIELD_DEVICES, "[{\"path\":\"/dev/mrgt\",\"type\":\"c\",\"major\":1,\"minor\":3,\"fileMode\":438,\"uid\":0,\"gid\":5}]" } },
	    { "stat:/dev/mrgt", "open:/dev/mrgt" }, { "stat:/dev/mrgt=character 0666 0:5 1:3", "open:/dev/mrgt=ok" }),
	ROW(DEVICE_RULES, "a device that is not allowed cannot be opened", { { MRG_FIELD_DEVICE_RULES, RULES } },
	    { "open:/dev/null", "open:/dev/zero" }, { "open:/dev/null=ok", "open:/dev/zero=EPERM" }),
	WITH(DEVICE_RULES, "nor by a command inside", is_observed_by_exec,
	     &((const struct observation){ { { MRG_FIELD_DEVICE_RULES, RULES } }, { "open:/dev/null", "open:/dev/zero" },
					   { "open:/dev/null=ok", "open:/dev/zero=EPERM" } })),
	{ .name = NULL }
};
