/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The last resort of "rm -f": a record that cannot be read, or whose backend is not installed any more. Its processes are found by what is
 * left: its cgroup, which is named after the container, and the process noted at its start. */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/archive/own_root.h"
#include "core/cgroup/cgroup.h"
#include "core/container/internal.h"
#include "core/util/cleanup.h"
#include "core/util/path.h"
#include "core/util/proc.h"

#define ID_LENGTH	16
#define POLL_MS		5

/* The id in @entry, or NULL when it differs from @leaf in more than that. */
static const char *id_of_leaf(const char *entry, const char *leaf)
{
	size_t length = strlen(leaf) - ID_LENGTH;

	if (strncmp(entry, leaf, length) != 0 || strlen(entry) != length + ID_LENGTH ||
	    strspn(entry + length, "0123456789abcdef") != ID_LENGTH)
		return NULL;
	return entry + length;
}

static bool find_id_below(int parent, const char *leaf, char ret[ID_LENGTH + 1])
{
	_cleanup_closedir_ DIR *d = fdopendir(parent);
	struct dirent *entry;

	if (!d) {
		close(parent);
		return false;
	}
	while ((entry = readdir(d))) {
		const char *id = id_of_leaf(entry->d_name, leaf);

		if (id) {
			memcpy(ret, id, ID_LENGTH + 1);
			return true;
		}
	}
	return false;
}

/* Learns a lost id from the cgroup that still bears the container's name. */
static bool find_id(struct record *record)
{
	_cleanup_cgroup_ struct cgroup cg = CGROUP_INIT;
	struct mrg_unit unit = { .name = record->name, .id = "0000000000000000", .spec = record->spec, .dir = -1 };

	if (cgroup_open(&cg, &unit, false, NULL) < 0)
		return false;
	for (size_t i = 0; i < cg.n; i++) {
		int parent = path_open_beneath(cg.item[i].root, cg.parent[0] ? cg.parent : ".", O_RDONLY | O_DIRECTORY, 0);

		if (parent >= 0 && find_id_below(parent, cg.leaf, record->id))
			return true;
	}
	return false;
}

/* Waits until neither the first process nor the monitor, which has its end to write down, is there. */
static void wait_gone(struct record *record, struct plugin *p, const struct mrg_unit *unit)
{
	int64_t deadline = time_monotonic_ms() + CONTAINER_END_MS;
	bool there = true;

	while (there && time_monotonic_ms() < deadline) {
		struct run run;

		there = p && state_is_alive(dispatch_state(p, unit, NULL));
		if (store_read_run(record, &run, NULL) == 0) {
			there |= run.monitor != 0 || run.process.pid != 0;
			store_run_deinit(&run);
		}
		if (there)
			poll(NULL, 0, POLL_MS);
	}
}

/* Kills by the plugin when there is one, else by the cgroup; then releases. */
static int end_processes(struct record *record, struct plugin *p, const struct mrg_unit *unit, struct mrg_error *err)
{
	struct mrg_exit ignored;
	int r = p ? dispatch_kill(p, unit, SIGKILL, 1, err) : mrg_helper_cgroup_kill(NULL, unit, SIGKILL, 1, err);
	if (r < 0 && r != -MRG_E_NOT_RUNNING)
		return r;
	wait_gone(record, p, unit);
	r = p ? dispatch_cleanup(p, unit, &ignored, err) : mrg_helper_cgroup_cleanup(NULL, unit, &ignored, err);
	return r < 0 || !p ? r : dispatch_destroy(p, unit, err);
}

/* Locked. */
static int remove_locked(struct mrg *m, struct record *record, struct mrg_error *err)
{
	struct run run = { .process.pidfd = -1 };
	struct plugin *p = NULL;
	struct mrg_unit unit;
	bool known = record->id[0] || find_id(record);
	int r = 0;

	if (record->backend[0])
		registry_load(m, record->backend, &p, NULL);
	if (store_read_run(record, &run, NULL) < 0)
		run = (struct run){ .process.pidfd = -1 };
	store_unit(record, &run, &unit);
	if (unit.process)
		syscall(SYS_pidfd_send_signal, unit.process->pidfd, SIGKILL, NULL, 0);
	if (known)
		r = end_processes(record, p, &unit, err);
	else
		wait_gone(record, NULL, &unit);
	if (r == 0)
		r = store_remove(m, record, err);
	store_run_deinit(&run);
	if (r == 0 && !known && !unit.process)
		return mrg_error_set(err, -EBADMSG,
				     "container '%s' is removed; its id was unreadable and no cgroup bears its name, so processes it may have left elsewhere were not looked for",
				     record->name);
	return r;
}

int container_remove_damaged(struct mrg_container *c, unsigned int flags, struct mrg_error *err)
{
	_cleanup_(own_root_end) struct own_root_removal root = OWN_ROOT_REMOVAL;
	int r = store_lock(c->m, c->record, CONTAINER_LOCK_MS, err);

	if (r < 0)
		return r == -MRG_E_NOT_FOUND ? 0 : r;
	r = flags & MRG_REMOVE_KEEP_ROOT ? 0 : own_root_begin(&root, c->m, c->record, err);
	if (r == 0)
		r = remove_locked(c->m, c->record, err);
	if (r == 0)
		r = own_root_remove(&root, err);
	store_unlock(c->record);
	return r;
}
