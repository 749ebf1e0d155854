/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A backend out of tree: the command runs in a root of its own (chroot) and a cgroup of its own. Everything else is a helper. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <moorage/helper.h>

struct hello {
	const char *root;
	struct mrg_helper_process *process;
	struct mrg_stdio *io;
};

/* In the new process. What fails here is what start returns. */
static int child(void *data, struct mrg_error *err)
{
	struct hello *hello = data;
	int r;

	if (chroot(hello->root) < 0 || chdir("/") < 0)
		return mrg_error_set(err, -errno, "cannot change the root to '%s': %s", hello->root, strerror(errno));
	r = mrg_helper_process_stdio(hello->io, -1, err);
	return r < 0 ? r : mrg_helper_process_execute(hello->process, err);
}

static int start(void *self, const struct mrg_unit *unit, struct mrg_stdio *io, struct mrg_process *ret,
		 struct mrg_error *err)
{
	struct mrg_cgroup_entry cgroup = MRG_CGROUP_ENTRY_INIT;
	struct hello hello = { .root = unit->spec->root_path, .io = io };
	struct mrg_exit ignored;
	int r = mrg_helper_cgroup_create(unit, &cgroup, err);

	if (r < 0)
		return r;
	r = mrg_helper_process_prepare(unit, NULL, &hello.process, err);
	if (r == 0)
		r = mrg_helper_spawn(0, &cgroup, child, NULL, &hello, ret, err);
	mrg_helper_process_free(hello.process);
	mrg_helper_cgroup_entry_close(&cgroup);
	if (r < 0)
		mrg_helper_cgroup_cleanup(self, unit, &ignored, NULL);
	return r;
}

static const uint16_t fields[] = {
	MRG_FIELD_ROOT_PATH, MRG_FIELD_ARGS, MRG_FIELD_ENV, MRG_FIELD_CWD, MRG_FIELD_PIDS_LIMIT, MRG_FIELD_END,
};

static int probe(void *self, struct mrg_probe *ret, struct mrg_error *err)
{
	struct mrg_probe found = { .boundary_reason = "a root process can leave a chroot, and all but files is shared with the host" };
	struct utsname host;
	int r;

	(void)self;
	if (geteuid() != 0)
		return mrg_error_set(err, -MRG_E_PERMISSION, "containers of the hello backend need the rights of root");
	for (const uint16_t *field = fields; *field != MRG_FIELD_END; field++)
		mrg_fields_add(&found.fields, *field);
	r = mrg_helper_cgroup_probe(&found.fields, found.reason, sizeof(found.reason), err);
	if (r < 0)
		return r;
	uname(&host);
	snprintf(found.engine, sizeof(found.engine), "Linux %.50s", host.release);
	*ret = found;	/* outputs are written on success only */
	return 0;
}

MRG_BACKEND = {
	MRG_BACKEND_HEADER, .name = "hello", .summary = "A chroot and a cgroup", .fields = fields,
	.probe = probe, .start = start, .cleanup = mrg_helper_cgroup_cleanup, .kill = mrg_helper_cgroup_kill,
	.state = mrg_helper_cgroup_state, .stats = mrg_helper_cgroup_stats, .processes = mrg_helper_cgroup_processes,
	.pause = mrg_helper_cgroup_pause, .resume = mrg_helper_cgroup_resume, .destroy = mrg_helper_cgroup_destroy,
};
