/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Making the entries of a tar archive in a directory. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/archive/extract.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/path.h"
#include "core/util/writeback.h"

#define WHITEOUT	".wh."
#define OPAQUE		".wh..wh..opq"

/* ---- names ----------------------------------------------------------------------- */

int extract_clean_path(const char *name, char **ret, struct mrg_error *err)
{
	char *path = malloc(strlen(name) + 1);
	size_t at = 0;

	if (!path)
		return fail_memory(err);
	for (const char *p = name; *p;) {
		size_t length = strcspn(p, "/");

		if (length == 2 && memcmp(p, "..", 2) == 0) {
			char text[TREE_TEXT_SIZE];

			free(path);
			return mrg_error_set(err, -MRG_E_INVALID, "the archive has the name '%s', which would lead outside", tree_path_text(text, name));
		}
		if (length > 0 && !(length == 1 && *p == '.')) {
			if (at > 0)
				path[at++] = '/';
			memcpy(path + at, p, length);
			at += length;
		}
		p += length + (p[length] == '/');
	}
	path[at] = '\0';
	*ret = path;
	return 0;
}

/* ---- directories that are being filled ---------------------------------------------- */

static int push(struct extractor *x, int fd, struct extract_pending *pending, const char *path)
{
	struct extract_pending *more;
	int r = dir_stack_push(&x->dirs, fd);

	if (r < 0) {
		free(pending->acl);
		return tree_work_fail(&x->work, r, "fill the directory", path);
	}
	more = realloc(x->pending, (x->n_pending + 1) * sizeof(*more));
	if (!more) {
		free(pending->acl);
		return fail_memory(x->work.err);
	}
	pending->path = strlen(path);
	more[x->n_pending++] = *pending;
	x->pending = more;
	x->path.length = 0;
	buffer_add(&x->path, path, pending->path);
	return x->path.failed ? fail_memory(x->work.err) : 0;
}

/* The deepest directory has been filled. */
static int leave(struct extractor *x)
{
	struct extract_pending *pending = &x->pending[x->n_pending - 1];
	int r = extract_pending_finish(x, pending, *x->path.text ? x->path.text : ".", dir_stack_top(&x->dirs));

	x->n_pending--;
	if (r < 0 || x->n_pending == 0)
		return r;
	x->path.length = x->pending[x->n_pending - 1].path;
	x->path.text[x->path.length] = '\0';
	r = dir_stack_pop(&x->dirs);
	return r < 0 ? tree_work_fail(&x->work, r, "come back to", x->path.text) : 0;
}

/* Whether @path lies below the deepest directory; what follows it there. */
static const char *below(const struct extractor *x, const char *path)
{
	size_t length = x->path.length;

	if (length == 0)
		return path;
	return strncmp(path, x->path.text, length) == 0 && path[length] == '/' ? path + length + 1 : NULL;
}

/* ---- directories elsewhere ------------------------------------------------------------ */

/* Entries that came late have changed its time. */
static int forget_late(struct extractor *x)
{
	int r = x->late >= 0 && futimens(x->late, x->late_times) < 0 ? -errno : 0;

	if (r < 0)
		tree_work_fail(&x->work, r, "change the times of", x->late_path);
	x->late = fd_close(x->late);
	free(x->late_path);
	x->late_path = NULL;
	return r;
}

/* One component down, made when it is missing. Symlinks lead where they would in the container. */
static int step_down(int root, int at, const char *component, const char *so_far, bool make)
{
	int fd = openat(at, component, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && make && mkdirat(at, component, 0755) == 0)
		fd = openat(at, component, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		return path_open_in_root(root, so_far, O_RDONLY | O_DIRECTORY, 0);
	return fd < 0 ? -errno : fd;
}

/* The directory @path of @length bytes, component by component: it may be longer than the kernel takes at once. */
static int open_path(struct extractor *x, const char *path, size_t length, bool make)
{
	_cleanup_free_ char *copy = strndup(path, length);
	int at;
	char *end;

	if (!copy)
		return -ENOMEM;
	at = openat(x->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (char *p = copy; at >= 0 && *p; p = end) {
		int next;
		char saved;

		end = p + strcspn(p, "/");
		saved = *end;
		*end = '\0';
		next = step_down(x->root, at, p, copy, make);
		*end = saved;
		end += saved == '/';
		close(at);
		at = next;
	}
	return at;
}

static int late_parent(struct extractor *x, const char *path, size_t length)
{
	struct stat st;
	int r = 0;

	if (x->late >= 0 && strlen(x->late_path) == length && strncmp(x->late_path, path, length) == 0)
		return x->late;
	r = forget_late(x);
	if (r < 0)
		return r;
	r = open_path(x, path, length, true);
	if (r < 0)
		return tree_work_fail(&x->work, r, "open the directory of", path);
	x->late = r;
	x->late_path = strndup(path, length);
	if (!x->late_path || fstat(x->late, &st) < 0)
		return fail_memory(x->work.err);
	x->late_times[0] = st.st_atim;
	x->late_times[1] = st.st_mtim;
	return x->late;
}

/* The directory that @path belongs into, and its name there. Directories that do not lead to it have been filled. */
static int parent_of(struct extractor *x, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/'), *rest;
	int r = 0;

	while (r == 0 && !below(x, path))
		r = leave(x);
	if (r < 0)
		return r;
	rest = below(x, path);
	*ret_name = slash ? slash + 1 : path;
	if (!strchr(rest, '/'))
		return dir_stack_top(&x->dirs);
	return late_parent(x, path, (size_t)(slash - path));
}

/* ---- entries ------------------------------------------------------------------------- */

/* An entry at work. */
struct making {
	struct tar_reader *t;
	const struct tar_entry *e;
	const char *path, *name;
	int dir;
};

/* What an earlier entry of the same name has made gives way. */
static int replace(struct extractor *x, const struct making *m)
{
	return tree_remove(m->dir, m->name, NULL, x->work.err);
}

static int write_contents(struct extractor *x, const struct making *m, int fd)
{
	const unsigned char *data;
	uint64_t offset;
	ssize_t n;

	while ((n = tar_data(m->t, &data, &offset, x->work.err)) > 0) {
		for (ssize_t done = 0; done < n;) {
			ssize_t w = pwrite(fd, data + done, (size_t)(n - done), (off_t)offset + done);

			if (w < 0 && errno != EINTR)
				return tree_work_fail(&x->work, -errno, "write", m->path);
			done += w > 0 ? w : 0;
		}
		int r = tree_work_step(&x->work, 0, (uint64_t)n);

		if (r < 0)
			return r;
	}
	if (n == 0 && m->e->sparse && ftruncate(fd, (off_t)m->e->size) < 0)
		return tree_work_fail(&x->work, -errno, "write", m->path);
	return (int)n;
}

static int make_regular(struct extractor *x, const struct making *m)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	_cleanup_close_ int fd = openat(m->dir, m->name, flags, 0600);
	int r = 0;

	if (fd < 0 && errno == EEXIST) {
		r = replace(x, m);
		if (r < 0)
			return r;
		fd = openat(m->dir, m->name, flags, 0600);
	}
	if (fd < 0)
		return tree_work_fail(&x->work, -errno, "make the file", m->path);
	/* A directory that was filled before may hand its group and its default ACL down. */
	if (m->dir == x->late) {
		fremovexattr(fd, "system.posix_acl_access");
		if (fchown(fd, x->uid, x->gid) < 0)
			return tree_work_fail(&x->work, -errno, "change the owner of", m->path);
	}
	x->work.report->bytes += m->e->size;
	r = write_contents(x, m, fd);
	writeback_note(x->work.options->writeback, m->e->sparse ? 0 : m->e->size);
	return r < 0 ? r : extract_metadata(x, m->e, m->path, fd);
}

static int make_symlink(struct extractor *x, const struct making *m)
{
	int r = symlinkat(m->e->link, m->dir, m->name);

	if (r < 0 && errno == EEXIST && (r = replace(x, m)) == 0)
		r = symlinkat(m->e->link, m->dir, m->name);
	return r < 0 ? tree_work_fail(&x->work, -errno, "make the symlink", m->path) : extract_metadata_at(x, m->e, m->path, m->dir, m->name);
}

/* What every container has in /dev; others give access to the host's hardware to whoever reaches the file. */
static bool is_common(const struct tar_entry *e)
{
	static const struct {
		uint32_t major, minor;
	} common[] = {
		{ 0, 0 }, { 1, 3 }, { 1, 5 }, { 1, 7 }, { 1, 8 }, { 1, 9 }, { 5, 0 }, { 5, 1 }, { 5, 2 },
	};

	for (size_t i = 0; S_ISCHR(e->type) && i < ARRAY_SIZE(common); i++)
		if (common[i].major == e->major && common[i].minor == e->minor)
			return true;
	return S_ISCHR(e->type) && e->major == 4;
}

static int refuse_device(struct extractor *x, const struct making *m)
{
	char text[TREE_TEXT_SIZE];

	mrg_error_set(x->work.err, -MRG_E_PERMISSION, "the archive has the device '%s' (%c %u:%u), which gives access to the host",
		      tree_path_text(text, m->path), S_ISCHR(m->e->type) ? 'c' : 'b', m->e->major, m->e->minor);
	return mrg_error_hint(x->work.err, "if that is wanted: --accept devices");
}

static int make_node(struct extractor *x, const struct making *m)
{
	mode_t mode = m->e->type | 0600;
	dev_t device = S_ISFIFO(m->e->type) ? 0 : makedev(m->e->major, m->e->minor);
	int r;

	if (!S_ISFIFO(m->e->type) && !x->devices && !is_common(m->e))
		return refuse_device(x, m);
	r = mknodat(m->dir, m->name, mode, device);
	if (r < 0 && errno == EEXIST && (r = replace(x, m)) == 0)
		r = mknodat(m->dir, m->name, mode, device);
	return r < 0 ? tree_work_fail(&x->work, -errno, "make the device or FIFO", m->path) : extract_metadata_at(x, m->e, m->path, m->dir, m->name);
}

static bool is_same(int a, const char *name_a, int b, const char *name_b)
{
	struct stat x, y;

	return fstatat(a, name_a, &x, AT_SYMLINK_NOFOLLOW) == 0 && fstatat(b, name_b, &y, AT_SYMLINK_NOFOLLOW) == 0 && x.st_ino == y.st_ino &&
	       x.st_dev == y.st_dev;
}

/* A further name of what an earlier entry has made. The entry repeats what the first one said. */
static int make_link(struct extractor *x, const struct making *m)
{
	_cleanup_free_ char *target = NULL;
	_cleanup_close_ int dir = -1;
	const char *slash;
	int r = extract_clean_path(m->e->link, &target, x->work.err);

	if (r < 0)
		return r;
	slash = strrchr(target, '/');
	dir = open_path(x, target, slash ? (size_t)(slash - target) : 0, false);
	if (dir < 0)
		return tree_work_fail(&x->work, dir, "find the file to link to", target);
	slash = slash ? slash + 1 : target;
	x->work.report->links++;
	if (linkat(dir, slash, m->dir, m->name, 0) == 0)
		return 0;
	if (errno != EEXIST || is_same(dir, slash, m->dir, m->name))
		return errno == EEXIST ? 0 : tree_work_fail(&x->work, -errno, "make the link", m->path);
	r = replace(x, m);
	if (r == 0 && linkat(dir, slash, m->dir, m->name, 0) < 0)
		r = tree_work_fail(&x->work, -errno, "make the link", m->path);
	return r;
}

/* Entered when what is in it comes next; one elsewhere is what it shall be at once. */
static int make_directory(struct extractor *x, const struct making *m)
{
	struct extract_pending pending = { .acl = NULL };
	bool later = m->dir == x->late;
	struct stat st;
	int r = mkdirat(m->dir, m->name, 0700), fd;

	x->work.report->directories++;
	if (r < 0 && errno == EEXIST && fstatat(m->dir, m->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode) && (r = replace(x, m)) == 0)
		r = mkdirat(m->dir, m->name, 0700);
	if (r < 0 && errno != EEXIST)
		return tree_work_fail(&x->work, -errno, "make the directory", m->path);
	fd = openat(m->dir, m->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return tree_work_fail(&x->work, -errno, "make the directory", m->path);
	r = extract_pending_set(x, m->e, m->path, fd, &pending);
	if (r == 0 && !later)
		return push(x, fd, &pending, m->path);
	if (r == 0)
		r = extract_pending_finish(x, &pending, m->path, fd);
	free(pending.acl);
	close(fd);
	return r;
}

static const struct {
	mode_t type;
	int (*make)(struct extractor *x, const struct making *m);
} types[] = {
	{ S_IFREG, make_regular }, { S_IFLNK, make_symlink }, { S_IFDIR, make_directory }, { S_IFCHR, make_node },
	{ S_IFBLK, make_node }, { S_IFIFO, make_node }, { 0, make_link },
};

/* The root is there; it can only be a directory. */
static int set_root(struct extractor *x, const struct tar_entry *e)
{
	struct extract_pending set = { .acl = NULL };
	int r = 0;

	if (!S_ISDIR(e->type))
		return mrg_error_set(x->work.err, -MRG_E_INVALID, "the archive would make the root something else than a directory");
	while (r == 0 && x->n_pending > 1)
		r = leave(x);
	if (r == 0)
		r = extract_pending_set(x, e, ".", dir_stack_top(&x->dirs), &set);
	if (r < 0) {
		free(set.acl);
		return r;
	}
	free(x->pending[0].acl);
	x->pending[0] = set;
	return 0;
}

/* What a layer says of those below it: 1 when the entry is such a mark. All of a layer's are obeyed before its own entries are made, so @name
 * can only be of a lower one. */
static int obey_mark(struct extractor *x, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *gone = name + strlen(WHITEOUT);
	_cleanup_close_ int dir = -1;

	if (strncmp(name, WHITEOUT, strlen(WHITEOUT)) != 0)
		return 0;
	if (strcmp(name, OPAQUE) != 0 && (*gone == '\0' || strcmp(gone, ".") == 0 || strcmp(gone, "..") == 0 ||
					  strncmp(gone, WHITEOUT, strlen(WHITEOUT)) == 0))
		return mrg_error_set(x->work.err, -MRG_E_INVALID, "a layer has the mark '%s', which names nothing that could be removed", path);
	if (x->marks == EXTRACT_MARKS_OVER)
		return 1;
	dir = open_path(x, path, slash ? (size_t)(slash - path) : 0, false);
	if (dir < 0)
		return dir == -ENOENT || dir == -ENOTDIR ? 1 : tree_work_fail(&x->work, dir, "find", path);
	if (strcmp(name, OPAQUE) == 0)
		return tree_clear(dir, x->work.err) < 0 ? -EIO : 1;
	return tree_remove(dir, gone, NULL, x->work.err) < 0 ? -EIO : 1;
}

int extract_entry(struct extractor *x, struct tar_reader *t, const struct tar_entry *e, const char *path)
{
	struct making m = { .t = t, .e = e, .path = path };
	int r = x->marks ? obey_mark(x, path) : 0;

	if (r != 0 || x->marks == EXTRACT_MARKS_ONLY)
		return r < 0 ? r : 0;
	if (*path == '\0')
		return set_root(x, e);
	m.dir = parent_of(x, path, &m.name);
	if (m.dir < 0)
		return m.dir;
	x->work.report->files++;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(types); i++)
		if (types[i].type == e->type) {
			r = types[i].make(x, &m);
			break;
		}
	return r < 0 ? r : tree_work_step(&x->work, 1, 0);
}

/* ---- begin and end -------------------------------------------------------------------- */

int extractor_init(struct extractor *x, int root, const struct tree_options *options, struct tree_report *report, struct mrg_error *err)
{
	static const struct tree_map nothing;
	struct extract_pending pending = { .mode = 0755 };
	struct stat st;
	int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*x = (struct extractor) { .root = root, .late = -1 };
	tree_work_init(&x->work, options, report, err);
	x->map = x->work.options->map ? x->work.options->map : &nothing;
	if (fd < 0 || fstat(fd, &st) < 0) {
		fd_close(fd);
		return fail_errno(err, -errno, "cannot open the new root");
	}
	x->uid = geteuid();
	x->gid = getegid() == st.st_gid ? st.st_gid : (gid_t)-1;
	tree_ids_owner(x->map, 0, 0, &(struct tree_ids) { 0 }, &pending.uid, &pending.gid);
	pending.times[0] = st.st_atim;
	pending.times[1] = st.st_mtim;
	buffer_add(&x->path, "", 0);
	return push(x, fd, &pending, "");
}

int extract_end(struct extractor *x)
{
	int r = forget_late(x);

	while (r == 0 && x->n_pending > 0)
		r = leave(x);
	return r;
}

void extractor_deinit(struct extractor *x)
{
	for (size_t i = 0; i < x->n_pending; i++)
		free(x->pending[i].acl);
	free(x->pending);
	free(x->late_path);
	fd_close(x->late);
	dir_stack_deinit(&x->dirs);
	buffer_deinit(&x->path);
}
