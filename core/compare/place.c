/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The directory of a comparison: the program that is measured with, room for its files, and a root when none was given. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/compare/measure.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/proc.h"

#define PROGRAM		"moorage-measure"
/* Not /tmp, which often is memory: files are to be those of a disk. */
#define PLACE		"/var/tmp"

/* ---- the program ------------------------------------------------------------------------------------------ */

static int copy_program(struct measure *m, struct mrg_error *err)
{
	const char *dir = secure_getenv("MOORAGE_LIBEXEC_DIR");
	_cleanup_close_ int from = -1, to = -1;
	char path[PATH_MAX];
	struct stat st;
	off_t left;

	snprintf(path, sizeof(path), "%s/" PROGRAM, dir && *dir ? dir : MRG_LIBEXEC_DIR);
	from = open(path, O_RDONLY | O_CLOEXEC);
	if (from < 0 || fstat(from, &st) < 0)
		return fail_errno(err, -errno, "cannot open '%s'", path);
	snprintf(path, sizeof(path), "%s/" PROGRAM, m->share);
	to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (to < 0 || fchmod(to, 0755) < 0)
		return fail_errno(err, -errno, "cannot make '%s'", path);
	for (left = st.st_size; left > 0;) {
		ssize_t n = sendfile(to, from, NULL, (size_t)left);

		if (n <= 0)
			return fail_errno(err, n < 0 ? -errno : -EIO, "cannot copy to '%s'", path);
		left -= n;
	}
	return 0;
}

/* ---- the root --------------------------------------------------------------------------------------------- */

/* What engines want to see in a root, and places to mount on. */
static int make_root(struct measure *m, struct mrg_error *err)
{
	static const char *const directories[] = { "", "/bin", "/dev", "/etc", "/mnt", "/proc", "/root", "/run", "/sbin", "/sys", "/tmp", "/usr", "/var" };
	static const char text[] = "ID=moorage-compare\nNAME=\"nothing\"\n";
	char path[PATH_MAX];
	int r = 0;

	snprintf(m->root, sizeof(m->root), "%s/root", m->work);
	for (size_t i = 0; i < ARRAY_SIZE(directories) && r == 0; i++) {
		snprintf(path, sizeof(path), "%.120s%s", m->root, directories[i]);
		r = mkdir(path, 0755) < 0 || chmod(path, 0755) < 0 ? -errno : 0;
	}
	if (r == 0) {
		_cleanup_close_ int etc = -1;

		snprintf(path, sizeof(path), "%.120s/etc", m->root);
		etc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		r = etc < 0 ? -errno : fd_make_file(etc, "os-release", text, strlen(text), false);
	}
	return r < 0 ? fail_errno(err, r, "cannot make a root in '%s'", m->work) : 0;
}

static int find_root(struct measure *m, struct mrg_error *err)
{
	const char *root = m->options->root;
	char target[PATH_MAX];
	struct stat st;

	if (!root)
		return make_root(m, err);
	if (strcmp(root, "host") == 0) {
		snprintf(m->root, sizeof(m->root), "host");
		return 0;
	}
	if (!realpath(root, m->root) || stat(m->root, &st) < 0)
		return mrg_error_set(err, -MRG_E_INVALID, "cannot use root '%s': %s", root, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return mrg_error_set(err, -MRG_E_INVALID, "root '%s' is no directory", root);
	if (strpbrk(m->root, "\n:\"\\<&"))
		return mrg_error_set(err, -MRG_E_INVALID, "root '%s' has a character in its path that not every engine takes", root);
	/* One component in a directory of the user's: nothing to follow. */
	m->target_made = snprintf(target, sizeof(target), "%s" MEASURE_TARGET, m->root) < PATH_MAX && lstat(target, &st) < 0 && errno == ENOENT;
	return 0;
}

/* ---- whose ------------------------------------------------------------------------------------------------ */

/* The label of what a comparison makes: the process, and since when it runs. */
static int make_label(struct measure *m, struct mrg_error *err)
{
	unsigned char random[4];
	uint64_t started;
	int r = proc_start_time(getpid(), &started);

	if (r < 0 || getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return fail_errno(err, r < 0 ? r : -EIO, "cannot name a comparison");
	snprintf(m->id, sizeof(m->id), "%02x%02x%02x%02x", random[0], random[1], random[2], random[3]);
	snprintf(m->label, sizeof(m->label), COMPARE_LABEL "=%d.%llu", (int)getpid(), (unsigned long long)started);
	return 0;
}

static bool owner_is_alive(const char *text)
{
	unsigned long long started;
	uint64_t now;
	int pid;

	return sscanf(text, "%d.%llu", &pid, &started) == 2 && proc_start_time(pid, &now) == 0 && now == started;
}

struct sweep {
	struct measure *m;
	bool own;
};

static int sweep_one(struct mrg_container *c, void *data)
{
	struct sweep *sweep = data;
	const struct mrg_spec *spec;

	if (strncmp(mrg_container_name(c), MEASURE_PREFIX, strlen(MEASURE_PREFIX)) != 0)
		return 0;
	spec = mrg_container_spec(c);
	for (size_t i = 0; i < spec->labels.n; i++) {
		const char *value = spec->labels.item[i].value;

		if (strcmp(spec->labels.item[i].key, COMPARE_LABEL) != 0)
			continue;
		if (sweep->own ? strcmp(value, strchr(sweep->m->label, '=') + 1) == 0 : !owner_is_alive(value))
			mrg_remove(c, MRG_REMOVE_FORCE, NULL);
	}
	return 0;
}

void measure_sweep(struct measure *m, bool own)
{
	struct sweep sweep = { .m = m, .own = own };

	/* A backend whose engine does not answer has nothing of ours either: the others are looked at all the same. */
	mrg_list(m->library, NULL, sweep_one, NULL, &sweep, NULL);
}

/* Directories of comparisons that were killed, by the owner in their names. Everybody may make some there: only ours are looked at. */
static void sweep_directories(struct measure *m)
{
	_cleanup_closedir_ DIR *dir = opendir(PLACE);
	struct dirent *entry;
	char path[PATH_MAX];
	struct stat st;

	while (dir && (entry = readdir(dir)))
		if (strncmp(entry->d_name, MEASURE_PREFIX, strlen(MEASURE_PREFIX)) == 0 && !owner_is_alive(entry->d_name + strlen(MEASURE_PREFIX)) &&
		    fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid()) {
			snprintf(path, sizeof(path), PLACE "/%s", entry->d_name);
			measure_tools_sweep(m, path);
			fd_remove_tree(dirfd(dir), entry->d_name);
		}
}

/* ---- both ------------------------------------------------------------------------------------------------- */

static int find_command(struct measure *m, struct mrg_error *err)
{
	ssize_t n = readlink("/proc/self/exe", m->command, sizeof(m->command) - 1);

	if (n < 0)
		return fail_errno(err, -errno, "cannot find our own program");
	m->command[n] = '\0';
	return 0;
}

static int catch_signals(struct measure *m, struct mrg_error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	m->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return m->signals < 0 ? fail_errno(err, -errno, "cannot watch for signals") : 0;
}

int measure_set_up(struct measure *m, struct mrg_error *err)
{
	int r = catch_signals(m, err);

	if (r == 0)
		r = find_command(m, err);
	if (r == 0)
		r = make_label(m, err);
	if (r < 0)
		return r;
	snprintf(m->work, sizeof(m->work), PLACE "/" MEASURE_PREFIX "%s.XXXXXX", strchr(m->label, '=') + 1);
	if (!mkdtemp(m->work)) {
		r = fail_errno(err, -errno, "cannot make a directory in '" PLACE "'");
		m->work[0] = '\0';
		return r;
	}
	snprintf(m->share, sizeof(m->share), "%s/share", m->work);
	snprintf(m->volume, sizeof(m->volume), "%s:" MEASURE_TARGET, m->share);
	if (chmod(m->work, 0755) < 0 || mkdir(m->share, 0777) < 0 || chmod(m->share, 0777) < 0)
		return fail_errno(err, -errno, "cannot make '%s'", m->share);
	r = copy_program(m, err);
	if (r == 0)
		r = find_root(m, err);
	if (r < 0)
		return r;
	measure_sweep(m, false);
	sweep_directories(m);
	return 0;
}

void measure_tear_down(struct measure *m)
{
	char target[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(m->held); i++)
		if (*m->held[i].name)
			measure_tool_remove(m, i, m->held[i].name, NULL);
	if (*m->label)
		measure_sweep(m, true);
	/* Only when it is empty, as the one was that was mounted on. */
	if (m->target_made && snprintf(target, sizeof(target), "%s" MEASURE_TARGET, m->root) < PATH_MAX)
		rmdir(target);
	if (*m->work)
		fd_remove_tree(AT_FDCWD, m->work);
	fd_close(m->signals);
}
