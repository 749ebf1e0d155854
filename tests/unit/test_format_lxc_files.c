/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that configurations of LXC include: order, loops, bounds; and configurations as lxc-create makes them. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "tests/unit/lxc_fixture.h"

/* A directory for each test. */
static int set_up(void **state)
{
	char *directory = strdup("/tmp/mrgt-lxc.XXXXXX");

	*state = directory;
	return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
	int r = fd_remove_tree(AT_FDCWD, *state);

	free(*state);
	return r;
}

/* Replaces "@" in @format by the directory. */
static char *expand(const char *directory, const char *format)
{
	struct buffer b = { 0 };

	buffer_add(&b, "", 0);
	for (const char *c = format; *c; c++)
		buffer_add(&b, *c == '@' ? directory : c, *c == '@' ? strlen(directory) : 1);
	return b.text;
}

static void put_bytes(const char *directory, const char *name, const char *bytes, size_t length)
{
	_cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(fd_replace_file(fd, name, bytes, length, false), 0);
}

static void put(const char *directory, const char *name, const char *text)
{
	_cleanup_free_ char *content = expand(directory, text);

	put_bytes(directory, name, content, strlen(content));
}

static struct mrg_spec *read_in(const char *directory, const char *text, struct buffer *report)
{
	_cleanup_free_ char *config = expand(directory, text);

	return read_lxc(config, report);
}

static void refuse_in(const char *directory, const char *text, const char *message)
{
	_cleanup_free_ char *config = expand(directory, text), *wanted = expand(directory, message);

	assert_lxc_refused(config, strlen(config), wanted);
}

static void assert_report(const char *directory, const struct buffer *report, const char *text)
{
	_cleanup_free_ char *wanted = expand(directory, text);

	assert_string_equal(report->text, wanted);
}

static void test_include(void **state)
{
	struct buffer report = { 0 };
	struct mrg_spec *spec;

	put(*state, "a.conf", "lxc.uts.name = inner\nlxc.tty.max = 4\nlxc.environment = A=1\n");
	spec = read_in(*state, "lxc.uts.name = first\nlxc.include = @/a.conf\nlxc.uts.name = last\nlxc.environment = B=2\n", &report);
	assert_string_equal(spec->hostname, "last");
	assert_string_equal(spec->env[0], "A=1");
	assert_report(*state, &report,
		      "1 carried lxc.uts.name -: without effect: a later line replaces or clears it\n"
		      "2 carried lxc.include -\n"
		      "1 carried @/a.conf:lxc.uts.name -: without effect: a later line replaces or clears it\n"
		      "2 dropped @/a.conf:lxc.tty.max -: a container has no terminals beside its console\n"
		      "3 carried @/a.conf:lxc.environment /process/env\n"
		      "3 carried lxc.uts.name /hostname\n"
		      "4 carried lxc.environment /process/env\n");
	buffer_deinit(&report);
	mrg_spec_free(spec);
}

/* What comes behind an include overrides it, and what stands before does not. */
static void test_include_overrides(void **state)
{
	struct mrg_spec *spec;

	put(*state, "a.conf", "lxc.uts.name = inner\nlxc.cap.drop =\n");
	spec = read_in(*state, "lxc.uts.name = first\nlxc.cap.drop = sys_time\nlxc.include = @/a.conf\n", NULL);
	assert_string_equal(spec->hostname, "inner");
	assert_true(spec->cap_bounding >> 25 & 1);
	mrg_spec_free(spec);
}

/* Only *.conf with something before it, and whatever the order of the directory is. */
static void test_directory(void **state)
{
	char path[128];
	struct mrg_spec *spec;

	snprintf(path, sizeof(path), "%s/d", (char *)*state);
	assert_int_equal(mkdir(path, 0755), 0);
	put(path, "a.conf", "lxc.environment = A=1\n");
	put(path, "b.conf", "lxc.environment = B=1\n");
	put(path, ".conf", "lxc.environment = C=1\n");
	put(path, "conf", "lxc.environment = D=1\n");
	put(path, "x.conf.bak", "lxc.environment = E=1\n");
	put(path, "README", "lxc.environment = F=1\n");
	spec = read_in(*state, "lxc.include = @/d\n", NULL);
	assert_int_equal(strv_length(spec->env), 2);
	assert_true(strv_contains(spec->env, "A=1") && strv_contains(spec->env, "B=1"));
	mrg_spec_free(spec);
	spec = read_in(*state, "lxc.include = @/d/\n", NULL);
	assert_int_equal(strv_length(spec->env), 2);
	mrg_spec_free(spec);
	/* One that is not there is empty when it is said to be a directory. */
	spec = read_in(*state, "lxc.include = @/none.d/\nlxc.uts.name = a\n", NULL);
	assert_string_equal(spec->hostname, "a");
	mrg_spec_free(spec);
	refuse_in(*state, "lxc.include = @/none.d\n", "line 1: lxc.include: '@/none.d' cannot be read: No such file or directory");
}

static void test_links_are_followed(void **state)
{
	char path[128], target[128];
	struct mrg_spec *spec;

	put(*state, "a.conf", "lxc.uts.name = a\n");
	snprintf(path, sizeof(path), "%s/link", (char *)*state);
	snprintf(target, sizeof(target), "%s/a.conf", (char *)*state);
	assert_int_equal(symlink(target, path), 0);
	spec = read_in(*state, "lxc.include = @/link\n", NULL);
	assert_string_equal(spec->hostname, "a");
	mrg_spec_free(spec);
}

static void test_loops(void **state)
{
	char path[128], name[128];

	put(*state, "a.conf", "lxc.uts.name = a\n\nlxc.include = @/a.conf\n");
	refuse_in(*state, "lxc.include = @/a.conf\n", "@/a.conf: line 3: lxc.include: '@/a.conf' includes itself");
	put(*state, "b.conf", "lxc.include = @/c.conf\n");
	put(*state, "c.conf", "lxc.include = @/b.conf\n");
	refuse_in(*state, "lxc.include = @/b.conf\n", "@/c.conf: line 1: lxc.include: '@/b.conf' includes itself");
	/* By another name it is the same file. */
	snprintf(path, sizeof(path), "%s/d.conf", (char *)*state);
	snprintf(name, sizeof(name), "%s/e.conf", (char *)*state);
	put(*state, "d.conf", "lxc.include = @/e.conf\n");
	assert_int_equal(link(path, name), 0);
	refuse_in(*state, "lxc.include = @/d.conf\n", "@/d.conf: line 1: lxc.include: '@/e.conf' includes itself");
	/* A directory that includes itself through its files. */
	snprintf(path, sizeof(path), "%s/dir", (char *)*state);
	assert_int_equal(mkdir(path, 0755), 0);
	put(path, "x.conf", "lxc.include = @\n");
	refuse_in(*state, "lxc.include = @/dir\n", "@/dir/x.conf: line 1: lxc.include: '@/dir/x.conf' includes itself");
}

/* The same file twice, one after the other, is no loop. */
static void test_twice_is_no_loop(void **state)
{
	struct mrg_spec *spec;

	put(*state, "a.conf", "lxc.environment = A=1\n");
	spec = read_in(*state, "lxc.include = @/a.conf\nlxc.include = @/a.conf\n", NULL);
	assert_int_equal(strv_length(spec->env), 1);
	mrg_spec_free(spec);
}

static void test_depth(void **state)
{
	for (int i = 0; i <= 17; i++) {
		char name[32], text[64];

		snprintf(name, sizeof(name), "%d.conf", i);
		snprintf(text, sizeof(text), i < 17 ? "lxc.include = @/%d.conf\n" : "lxc.uts.name = deep\n", i + 1);
		put(*state, name, text);
	}
	mrg_spec_free(read_in(*state, "lxc.include = @/2.conf\n", NULL));
	refuse_in(*state, "lxc.include = @/1.conf\n", "@/16.conf: line 1: lxc.include: more than 16 files deep");
}

/* Fewer files than would take for ever: each is included twice by the one before. */
static void test_number_of_files(void **state)
{
	for (int i = 0; i < 14; i++) {
		char name[32], text[96];

		snprintf(name, sizeof(name), "%d.conf", i);
		snprintf(text, sizeof(text), "lxc.include = @/%d.conf\nlxc.include = @/%d.conf\n", i + 1, i + 1);
		put(*state, name, i < 13 ? text : "");
	}
	refuse_in(*state, "lxc.include = @/0.conf\n", "@/12.conf: line 1: lxc.include: more than 256 files");
}

static void test_size(void **state)
{
	struct buffer b = { 0 };

	for (int i = 0; i < 20000; i++)
		buffer_addf(&b, "# 0123456789abcdef0123456789abcdef\n");
	put(*state, "a.conf", b.text);
	put(*state, "b.conf", b.text);
	mrg_spec_free(read_in(*state, "lxc.include = @/a.conf\n", NULL));
	refuse_in(*state, "lxc.include = @/a.conf\nlxc.include = @/b.conf\n",
		  "@/b.conf: the configuration and what it includes are larger than 1 MiB");
	buffer_deinit(&b);
	for (int i = 0; i < 40000; i++)
		buffer_addf(&b, "# 0123456789abcdef0123456789abcdef\n");
	put(*state, "c.conf", b.text);
	refuse_in(*state, "lxc.include = @/c.conf\n", "@/c.conf: the configuration and what it includes are larger than 1 MiB");
	buffer_deinit(&b);
}

static void test_bad_files(void **state)
{
	char path[128];

	refuse_in(*state, "lxc.include = @/none\n", "line 1: lxc.include: '@/none' cannot be read: No such file or directory");
	refuse_in(*state, "\nlxc.include = ./a.conf\n", "line 2: lxc.include: must be an absolute path, not './a.conf'\n"
		  "LXC would look for it in the directory it happens to be started in");
	put(*state, "a.conf", "\nlxc.arch = pdp11\n");
	refuse_in(*state, "lxc.include = @/a.conf\n",
		  "@/a.conf: line 2: lxc.arch: must be an architecture such as x86_64, i686 or arm64, not 'pdp11'");
	put(*state, "b.conf", "\n\nlxc.arch\n");
	refuse_in(*state, "lxc.include = @/b.conf\n", "@/b.conf: line 3: lxc.arch: has no '='");
	put(*state, "c.conf", "\377");
	refuse_in(*state, "lxc.include = @/c.conf\n", "@/c.conf: the configuration is not UTF-8");
	/* A pipe that nobody writes to is not waited for. */
	snprintf(path, sizeof(path), "%s/pipe", (char *)*state);
	assert_int_equal(mkfifo(path, 0600), 0);
	refuse_in(*state, "lxc.include = @/pipe\n", "line 1: lxc.include: '@/pipe' is neither a file nor a directory");
	put_bytes(*state, "nul", "lxc.a\0 = 1", 10);
	refuse_in(*state, "lxc.include = @/nul\n", "@/nul: the configuration has a NUL byte");
}

/* What other files say is not told to whoever may not read them, but for lines that are keys of LXC. */
static void test_files_are_not_shown(void **state)
{
	struct buffer report = { 0 };

	put(*state, "shadow", "root:secret:1::\n");
	mrg_spec_free(read_in(*state, "lxc.include = @/shadow\n", &report));
	assert_null(strstr(report.text, "secret"));
	assert_report(*state, &report, "1 carried lxc.include -\n"
				       "1 dropped @/shadow:(no key) -: is ignored by LXC: its keys begin with 'lxc.'\n");
	buffer_deinit(&report);
}

/* Without files the text alone counts, and says so. */
static void test_includes_kept(void **state)
{
	struct buffer report = { 0 };
	struct mrg_spec *spec = read_lxc_alone("lxc.uts.name = a\nlxc.include = /nonexistent\nlxc.include = b\nlxc.mount.fstab = /none\n", &report);
	char *text = write_lxc(spec, NULL);

	(void)state;
	assert_string_equal(spec->native_json, "{\"lxc\":{\"lxc.include\":[\"/nonexistent\",\"b\"],\"lxc.mount.fstab\":[\"/none\"]}}");
	assert_int_equal(strncmp(text, "lxc.include = /nonexistent\nlxc.include = b\nlxc.mount.fstab = /none\nlxc.uts.name = a\n", 70), 0);
	assert_string_equal(report.text, "1 carried lxc.uts.name /hostname\n"
					 "2 weakens lxc.include -: not opened, so what it confines is not known\n"
					 "3 weakens lxc.include -: not opened, so what it confines is not known\n"
					 "4 dropped lxc.mount.fstab -: the file is not opened\n");
	free(text);
	buffer_deinit(&report);
	mrg_spec_free(spec);
}

/* Its lines come before all entries, wherever it is named, and the last one named counts. */
static void test_fstab(void **state)
{
	struct buffer report = { 0 };
	struct mrg_spec *spec;

	put(*state, "old", "/x y none bind 0 0\n");
	put(*state, "fstab", "# comment\n\n/a b none rbind 0 0\n/c\\040d e none bind,optional\n");
	spec = read_in(*state, "lxc.autodev = 0\nlxc.mount.entry = /own own none bind 0 0\nlxc.mount = @/old\nlxc.mount.fstab = @/fstab\n", &report);
	assert_int_equal(spec->mounts.n, 3);
	assert_string_equal(spec->mounts.item[0].source, "/a");
	assert_string_equal(spec->mounts.item[1].source, "/c d");
	assert_string_equal(spec->mounts.item[2].source, "/own");
	assert_report(*state, &report,
		      "1 carried lxc.autodev /mounts\n2 carried lxc.mount.entry /mounts\n"
		      "3 carried lxc.mount -: without effect: a later line replaces or clears it\n"
		      "4 carried lxc.mount.fstab /mounts\n"
		      "3 carried @/fstab:lxc.mount.entry /mounts\n"
		      "4 approximated @/fstab:lxc.mount.entry /mounts: that it may fail is LXC's own; elsewhere it must work\n");
	buffer_deinit(&report);
	mrg_spec_free(spec);
	spec = read_in(*state, "lxc.mount.fstab = @/none\n", &report);
	assert_report(*state, &report, "1 dropped lxc.mount.fstab -: there is no such file, or no absolute path\n");
	buffer_deinit(&report);
	mrg_spec_free(spec);
	put(*state, "bad", "\n/a\n");
	refuse_in(*state, "lxc.mount.fstab = @/bad\n", "@/bad: line 2: lxc.mount.entry: must be SOURCE TARGET TYPE OPTIONS, as in fstab(5)");
}

/* The directory of the container tells which absolute targets lie in its root. */
static void test_directory_of_container(void **state)
{
	static const char text[] = "lxc.rootfs.path = /srv/root\nlxc.autodev = 0\nlxc.mount.entry = /a /var/lib/lxc/c/rootfs/b none bind\n";
	const struct lxc_read_options options = { .directory = "/var/lib/lxc/c" };
	const struct report none = { 0 };
	struct mrg_spec *spec = mrg_spec_new();

	(void)state;
	assert_int_equal(lxc_config_read(text, strlen(text), &options, spec, &none, NULL), 0);
	assert_int_equal(spec->mounts.n, 1);
	assert_string_equal(spec->mounts.item[0].destination, "/b");
	mrg_spec_free(spec);
	spec = read_lxc(text, NULL);
	assert_int_equal(spec->mounts.n, 0);
	mrg_spec_free(spec);
}

/* ---- as lxc-create makes them ------------------------------------------------------------------ */

static const char common[] =
	"# Default configuration shared by all containers\n\n# Setup the LXC devices in /dev/lxc/\nlxc.tty.dir = lxc\n\n"
	"# Allow for 1024 pseudo terminals\nlxc.pty.max = 1024\n\n# Setup 4 tty devices\nlxc.tty.max = 4\n\n"
	"# Drop some harmful capabilities\nlxc.cap.drop = mac_admin mac_override sys_time sys_module sys_rawio\n\n"
	"# Ensure hostname is changed on clone\nlxc.hook.clone = /usr/share/lxc/hooks/clonehostname\n\n"
	"lxc.cgroup.devices.deny = a\n## Allow any mknod (but not reading/writing the node)\nlxc.cgroup.devices.allow = c *:* m\n"
	"lxc.cgroup.devices.allow = b *:* m\n### /dev/null\nlxc.cgroup.devices.allow = c 1:3 rwm\n### /dev/pts/*\n"
	"lxc.cgroup.devices.allow = c 136:* rwm\n\nlxc.cgroup2.devices.deny = a\nlxc.cgroup2.devices.allow = c *:* m\n"
	"lxc.cgroup2.devices.allow = b *:* m\nlxc.cgroup2.devices.allow = c 1:3 rwm\nlxc.cgroup2.devices.allow = c 136:* rwm\n\n"
	"# Setup the default mounts\nlxc.mount.auto = cgroup:mixed proc:mixed sys:mixed\n"
	"lxc.mount.entry = /sys/fs/fuse/connections sys/fs/fuse/connections none bind,optional 0 0\n\n"
	"# Block some syscalls\nlxc.seccomp.profile = /usr/share/lxc/config/common.seccomp\n\n"
	"# Lastly, include all the configs from /usr/share/lxc/config/common.conf.d/\nlxc.include = @/common.conf.d/\n";

static const char userns[] =
	"lxc.cgroup.devices.deny =\nlxc.cgroup.devices.allow =\n\nlxc.cgroup2.devices.deny =\nlxc.cgroup2.devices.allow =\n\n"
	"# Start with a full set of capabilities in user namespaces.\nlxc.cap.drop =\nlxc.cap.keep =\n\n"
	"# We can't move bind-mounts, so don't use /dev/lxc/\nlxc.tty.dir =\n\nlxc.mount.auto = sys:rw\n";

static const char container[] =
	"# Template used to create this container: /usr/share/lxc/templates/lxc-download\n# Parameters passed to the template:\n"
	"# For additional config options, please look at lxc.container.conf(5)\n\n# Distribution configuration\n"
	"lxc.include = @/common.conf\n%s\nlxc.arch = linux64\n\n# Container specific configuration\n%s\n"
	"lxc.rootfs.path = dir:/var/lib/lxc/c1/rootfs\nlxc.uts.name = c1\n\n# Network configuration\nlxc.net.0.type = veth\n"
	"lxc.net.0.link = lxcbr0\nlxc.net.0.flags = up\nlxc.net.0.hwaddr = 00:16:3e:aa:bb:cc\n";

static char *real_config(const char *directory, const char *include, const char *more)
{
	struct buffer b = { 0 };
	char path[128], *text;

	put(directory, "common.conf", common);
	put(directory, "userns.conf", userns);
	snprintf(path, sizeof(path), "%s/common.conf.d", directory);
	assert_int_equal(mkdir(path, 0755), 0);
	put(path, "00-lxcfs.conf", "lxc.hook.mount = /usr/share/lxcfs/lxc.mount.hook\n");
	buffer_addf(&b, container, include, more);
	text = expand(directory, b.text);
	buffer_deinit(&b);
	return text;
}

static void test_privileged(void **state)
{
	_cleanup_free_ char *config = real_config(*state, "", "lxc.apparmor.profile = generated\nlxc.apparmor.allow_nesting = 1");
	struct mrg_spec *spec = read_lxc(config, NULL);
	_cleanup_free_ char *mounts = lxc_field_text(spec, "mounts"), *native = lxc_field_text(spec, "moorage.native");

	assert_int_equal(mrg_spec_check(spec, NULL), 0);
	assert_int_equal(spec->boot, 1);
	assert_string_equal(spec->root_path, "/var/lib/lxc/c1/rootfs");
	assert_int_equal(spec->device_rules.n, 5);
	assert_int_equal(__builtin_popcountll(spec->cap_bounding), CAPABILITY_LAST + 1 - 5);
	assert_string_equal(spec->networks_json, "[{\"type\":\"veth\",\"link\":\"lxcbr0\",\"hwaddr\":\"00:16:3e:aa:bb:cc\",\"up\":true}]");
	assert_string_equal(mounts,
			    "[{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"mode=755\",\"size=500000\"]},"
			    "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\",\"options\":[\"nosuid\",\"nodev\",\"noexec\"]},"
			    "{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[\"nosuid\",\"nodev\",\"noexec\",\"ro\"]},"
			    "{\"destination\":\"/sys/fs/fuse/connections\",\"type\":\"bind\",\"source\":\"/sys/fs/fuse/connections\","
			    "\"options\":[\"bind\"]},{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":"
			    "[\"newinstance\",\"ptmxmode=0666\",\"mode=0620\",\"gid=5\",\"max=1024\"]}]");
	assert_string_equal(native,
			    "{\"lxc\":{\"lxc.tty.dir\":[\"lxc\"],\"lxc.tty.max\":[\"4\"],\"lxc.hook.clone\":"
			    "[\"/usr/share/lxc/hooks/clonehostname\"],\"lxc.seccomp.profile\":[\"/usr/share/lxc/config/common.seccomp\"],"
			    "\"lxc.hook.mount\":[\"/usr/share/lxcfs/lxc.mount.hook\"],\"lxc.apparmor.profile\":[\"generated\"],"
			    "\"lxc.apparmor.allow_nesting\":[\"1\"],\"lxc.mount.options\":[\"/sys/fs/fuse/connections optional\"]}}");
	mrg_spec_free(spec);
}

static void test_unprivileged(void **state)
{
	_cleanup_free_ char *include = expand(*state, "lxc.include = @/userns.conf");
	_cleanup_free_ char *config = real_config(*state, include, "lxc.idmap = u 0 100000 65536\nlxc.idmap = g 0 100000 65536");
	struct mrg_spec *spec = read_lxc(config, NULL);

	assert_int_equal(mrg_spec_check(spec, NULL), 0);
	assert_int_equal(spec->device_rules.n, 0);
	assert_int_equal(__builtin_popcountll(spec->cap_bounding), CAPABILITY_LAST + 1);
	assert_string_equal(spec->ns_user, "");
	assert_int_equal(spec->uid_mappings.n, 1);
	assert_null(strstr(spec->native_json, "lxc.tty.dir"));
	/* The later sys:rw replaces sys:mixed, and proc:mixed stays. */
	assert_string_equal(spec->mounts.item[2].options[3], "rw");
	assert_string_equal(spec->readonly_paths[0], "/proc/sys");
	mrg_spec_free(spec);
}

/* Written back, a real configuration says the same without its includes. */
static void test_real_is_stable(void **state)
{
	_cleanup_free_ char *config = real_config(*state, "", "lxc.start.auto = 1");
	struct mrg_spec *spec = read_lxc(config, NULL), *again;
	_cleanup_free_ char *text = write_lxc(spec, NULL);

	assert_null(strstr(text, "lxc.include"));
	again = read_lxc(text, NULL);
	assert_true(same_specs(spec, again));
	mrg_spec_free(spec);
	mrg_spec_free(again);
}

#define IN_DIRECTORY(test)	cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_DIRECTORY(test_include), IN_DIRECTORY(test_include_overrides), IN_DIRECTORY(test_directory),
		IN_DIRECTORY(test_links_are_followed), IN_DIRECTORY(test_loops), IN_DIRECTORY(test_twice_is_no_loop),
		IN_DIRECTORY(test_depth), IN_DIRECTORY(test_number_of_files), IN_DIRECTORY(test_size), IN_DIRECTORY(test_bad_files),
		IN_DIRECTORY(test_files_are_not_shown), cmocka_unit_test(test_includes_kept), IN_DIRECTORY(test_fstab),
		cmocka_unit_test(test_directory_of_container), IN_DIRECTORY(test_privileged), IN_DIRECTORY(test_unprivileged),
		IN_DIRECTORY(test_real_is_stable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
