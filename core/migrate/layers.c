/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the files of the source are: in a directory, or in layers that its engine merges each time it starts it. Those are merged for reading as the engine does
 * it, whiteouts and all, by a mount that is nowhere attached: nobody else sees it, and it ends with its descriptor. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "core/formats/format.h"
#include "core/helper/root.h"
#include "core/migrate/migrate.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/path.h"

#define LAYERS_MAX	12		/* as descriptors they fit into what the kernel takes of an option: 255 bytes */
#define ATTRIBUTES	(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static int keep(struct journal *j, char *const *layers, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer b = { 0 };
	int r = journal_set(j, &j->root_from, layers[0], err);

	for (size_t i = 0; layers[i]; i++)
		buffer_addf(&b, "%s%s", i ? ":" : "", layers[i]);
	if (r == 0 && b.failed)
		r = fail_memory(err);
	return r < 0 ? r : journal_set(j, &j->layers, b.text, err);
}

int layers_find(struct migration *g, struct mrg_error *err)
{
	_cleanup_(strv_freep) char **layers = NULL;
	int r = lxc_layers(mrg_container_spec(g->source), &layers, err);

	if (r < 0 || !layers)
		return r;
	if (strv_length(layers) > LAYERS_MAX)
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "the root of '%s' has %zu layers, which are more than the %d that can be merged", g->j->source.name,
				     strv_length(layers), LAYERS_MAX);
	r = keep(g->j, layers, err);
	return r < 0 ? r : 1;
}

/* The kernel finds each by its descriptor: no name is too long for it, or means something to it. */
static int open_layers(const char *text, int fds[LAYERS_MAX], struct buffer *option, struct mrg_error *err)
{
	_cleanup_free_ char *copy = strdup(text);
	char path[PATH_OF_FD_SIZE], *at = copy, *layer;

	buffer_addf(option, "lowerdir=");
	for (size_t i = 0; i < LAYERS_MAX && (layer = strsep(&at, ":")); i++) {
		fds[i] = open(layer, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fds[i] < 0)
			return fail_errno(err, -errno, "cannot open the layer '%s' of the root", layer);
		buffer_addf(option, "%s%s", i ? ":" : "", path_of_fd(path, fds[i]));
	}
	return copy && !option->failed ? 0 : fail_memory(err);
}

/* Without an upper layer, so that nothing is written anywhere. */
static int merge(const struct journal *j, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer option = { 0 };
	struct root_filesystem want = { .type = "overlay", .source = "overlay", .attributes = ATTRIBUTES };
	int fds[LAYERS_MAX], r;

	memset(fds, -1, sizeof(fds));
	r = open_layers(j->layers, fds, &option, err);
	want.data = (char *[]){ option.text, NULL };
	if (r == 0)
		r = root_filesystem(&want, err);
	for (size_t i = 0; i < LAYERS_MAX; i++)
		fd_close(fds[i]);
	return r;
}

int source_root_open(const struct journal *j, struct mrg_error *err)
{
	const char *path = j->hidden ? j->hidden : j->root_from;
	_cleanup_close_ int mount = -1;
	int fd;

	if (j->layers) {
		mount = merge(j, err);
		if (mount < 0)
			return mount;
		fd = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	} else {
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return fd < 0 ? fail_errno(err, -errno, "cannot open the root '%s'", path) : fd;
}
