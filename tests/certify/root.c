/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The root of the containers: what every engine insists on, and one static program. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/util/fail.h"
#include "core/util/fd.h"
#include "tests/certify/certify.h"

/* In order. Engines want /usr and an os-release; some want mount points to be there. */
static const struct {
	const char *path;
	mode_t mode;
	const char *text;		/* NULL: a directory */
} entries[] = {
	{ "dev", 0755, NULL }, { "etc", 0755, NULL }, { "home", 0755, NULL }, { "mnt", 0755, NULL },
	{ "proc", 0555, NULL }, { "root", 0700, NULL }, { "run", 0755, NULL }, { "sbin", 0755, NULL }, { "sys", 0555, NULL },
	{ "tmp", 01777, NULL }, { "usr", 0755, NULL }, { "var", 0755, NULL }, { "var/tmp", 01777, NULL },
	{ "etc/passwd", 0644, "root:x:0:0:root:/root:/bin/sh\njoe:x:1000:100:Joe:/home:/bin/sh\n" },
	{ "etc/group", 0644, "root:x:0:\nusers:x:100:\nwheel:x:10:joe\nvideo:x:44:joe\n" },
	{ "etc/os-release", 0644, "ID=mrgt\nNAME=mrgt\nPRETTY_NAME=\"the root of moorage-certify\"\nVERSION_ID=1\n" },
	{ "etc/hostname", 0644, "mrgt-from-the-root\n" },
	{ "etc/machine-id", 0444, "" },
	{ "etc/secret", 0644, "what is masked\n" }, { "etc/secrets", 0755, NULL }, { "etc/secrets/one", 0644, "what is masked\n" },
	{ "etc/not-executable", 0644, "#!/moorage-probe\n" },
	{ "etc/no-interpreter", 0755, "#!/no/such/interpreter\n" },
	{ "home/dir", 0755, NULL }, { "home/dir/file", 0644, "a file\n" },
	{ "home/open", 0777, NULL },
};

_Static_assert(ARRAY_SIZE(entries) <= 64, "every entry has a bit");

/* What a given root has already is left as it is; what is made is marked in *made. */
static int make_entry(int root, size_t i, uint64_t *made, struct mrg_error *err)
{
	_cleanup_close_ int fd = -1;
	const char *path = entries[i].path, *text = entries[i].text;

	if (faccessat(root, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (!text && mkdirat(root, path, entries[i].mode) < 0)
		return fail_errno(err, -errno, "cannot make '%s' in the root", path);
	*made |= UINT64_C(1) << i;
	fd = openat(root, path, text ? O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC : O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0600);
	if (fd < 0 || (text && fd_write_all(fd, text, strlen(text)) < 0) || fchmod(fd, entries[i].mode) < 0)
		return fail_errno(err, -errno, "cannot make '%s' in the root", path);
	return 0;
}

static int copy_program(const char *program, int root, struct mrg_error *err)
{
	_cleanup_close_ int from = open(program, O_RDONLY | O_CLOEXEC), to = -1;
	struct stat st;

	if (from < 0) {
		fail_errno(err, -errno, "cannot open '%s'", program);
		mrg_error_hint(err, "is moorage installed whole? MOORAGE_LIBEXEC_DIR tells where its programs are");
		return err->code;
	}
	to = openat(root, &PROBE[1], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (to < 0 && errno == EEXIST)
		return mrg_error_set(err, -MRG_E_EXISTS, "the root has a file '%s' already", PROBE);
	if (to < 0 || fstat(from, &st) < 0 || sendfile(to, from, NULL, (size_t)st.st_size) != st.st_size || fchmod(to, 0755) < 0)
		return fail_errno(err, -errno, "cannot copy moorage-probe into the root");
	return 0;
}

static int fill(const char *path, const char *program, uint64_t *made, struct mrg_error *err)
{
	_cleanup_close_ int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (root < 0)
		return fail_errno(err, -errno, "cannot open the root '%s'", path);
	r = copy_program(program, root, err);
	for (size_t i = 0; i < ARRAY_SIZE(entries) && r == 0; i++)
		r = make_entry(root, i, made, err);
	return r;
}

/* With an init; a given root has one of its own, or boots nothing. */
static int make(const char *path, const char *program, struct mrg_error *err)
{
	char link[PATH_SIZE + 16];
	uint64_t made = 0;
	int r;

	if (mkdir(path, 0755) < 0)
		return fail_errno(err, -errno, "cannot make '%s'", path);
	r = fill(path, program, &made, err);
	snprintf(link, sizeof(link), "%s/sbin/init", path);
	if (r == 0 && symlink(".." PROBE, link) < 0)
		r = fail_errno(err, -errno, "cannot make '%s'", link);
	return r;
}

static int give_away(const char *path, struct mrg_error *err)
{
	_cleanup_close_ int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	static const char *const others[] = { ".", &PROBE[1], "sbin/init" };
	int r = root < 0 ? -1 : 0;

	for (size_t i = 0; i < ARRAY_SIZE(others) && r == 0; i++)
		r = fchownat(root, others[i], MAPPED_IDS, MAPPED_IDS, AT_SYMLINK_NOFOLLOW);
	for (size_t i = 0; i < ARRAY_SIZE(entries) && r == 0; i++)
		r = fchownat(root, entries[i].path, MAPPED_IDS, MAPPED_IDS, AT_SYMLINK_NOFOLLOW);
	return r < 0 ? fail_errno(err, -errno, "cannot give '%s' to the user %d", path, MAPPED_IDS) : 0;
}

int root_make(struct kit *kit, struct mrg_error *err)
{
	int r = kit->given_root ? fill(kit->root, kit->program, &kit->made, err) : make(kit->root, kit->program, err);

	if (r == 0)
		r = make(kit->other_root, kit->program, err);
	if (r == 0 && geteuid() == 0)
		r = make(kit->mapped_root, kit->program, err);
	return r < 0 || geteuid() != 0 ? r : give_away(kit->mapped_root, err);
}

void root_remove(const struct kit *kit)
{
	_cleanup_close_ int root = open(kit->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (!kit->given_root || root < 0)
		return;
	unlinkat(root, &PROBE[1], 0);
	for (size_t i = ARRAY_SIZE(entries); i-- > 0;)
		if (kit->made >> i & 1)
			unlinkat(root, entries[i].path, entries[i].text ? 0 : AT_REMOVEDIR);
}
