/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An audit from its first descriptor to its last finding. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/audit/audit.h"
#include "core/audit/probe.h"
#include "core/container/internal.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"

#define PROCESSES_MAX	256		/* whose descriptors are looked at */

struct mrg_audit *mrg_audit_free(struct mrg_audit *audit)
{
	if (!audit)
		return NULL;
	audit_forget(audit, 0);
	for (size_t i = 0; i < audit->n_findings; i++)
		free((char *)audit->findings[i].advice);
	free(audit->facts);
	free(audit->findings);
	free(audit->name);
	free(audit->backend);
	free(audit);
	return NULL;
}

static void audit_freep(struct mrg_audit **audit)
{
	mrg_audit_free(*audit);
}

static void reading_deinit(struct audit_reading *r)
{
	audit_mounts_deinit(&r->mounts);
	audit_mounts_deinit(&r->host_mounts);
	fd_close(r->proc);
	fd_close(r->root);
}

/* ---- who made it ----------------------------------------------------------------------------------- */

static enum audit_maker maker_of(const char *backend)
{
	static const struct {
		const char *backend;
		enum audit_maker maker;
	} rows[] = {
		{ "native", MAKER_MOORAGE }, { "chroot", MAKER_MOORAGE }, { "moorage", MAKER_MOORAGE }, { "lxc", MAKER_LXC }, { "nspawn", MAKER_NSPAWN },
		{ "libvirt", MAKER_LIBVIRT }, { "docker", MAKER_DOCKER }, { "podman", MAKER_PODMAN }, { "containerd", MAKER_DOCKER },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].backend, backend) == 0)
			return rows[i].maker;
	return MAKER_OTHER;
}

/* Engines are known by the cgroups they make. */
static const char *guess_backend(const struct audit_reading *r)
{
	static const struct {
		const char *part, *backend;
	} rows[] = {
		{ "/libpod-", "podman" }, { "/docker-", "docker" }, { "/docker/", "docker" }, { "/lxc.payload", "lxc" }, { "/lxc/", "lxc" },
		{ "machine-lxc\\x2d", "libvirt" }, { ".libvirt-lxc", "libvirt" }, { "systemd-nspawn@", "nspawn" }, { "/machine.slice/machine-", "nspawn" },
		{ "/moorage-", "moorage" }, { "/moorage/", "moorage" }, { "/cri-containerd", "containerd" },
	};
	_cleanup_free_ char *text = NULL;

	if (fd_read_virtual(r->proc, "cgroup", 1 << 20, &text, NULL) < 0)
		return "unknown";
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strstr(text, rows[i].part))
			return rows[i].backend;
	return "unknown";
}

/* ---- reading ----------------------------------------------------------------------------------------- */

/* The directory in procfs stays that of this process: when it ends, nothing more is read there, whoever gets its number. */
static int open_process(struct audit_reading *r, int pidfd, struct mrg_error *err)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d", (int)r->pid);
	r->proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->proc < 0 || syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) < 0)
		return errno == EPERM ? mrg_error_set(err, -MRG_E_PERMISSION, "this user may not look at process %d", (int)r->pid) :
					mrg_error_set(err, -MRG_E_NOT_RUNNING, "there is no process %d", (int)r->pid);
	r->root = openat(r->proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->root < 0) {
		fail_errno(err, -errno, "cannot open the root of process %d", (int)r->pid);
		return mrg_error_hint(err, geteuid() == 0 ? "the kernel or a security module forbids it: ptrace(2), access mode checking" : "root may");
	}
	return 0;
}

static int read_all(struct audit_reading *r, int pidfd, struct mrg_error *err)
{
	int n = open_process(r, pidfd, err);

	if (n == 0)
		n = audit_read_process(r, err);
	if (n < 0)
		return n;
	audit_read_cgroup(r);
	audit_read_kernel_files(r);
	audit_read_mounts(r);
	audit_read_tree(r);
	audit_read_descriptors(r, r->pid);
	return 0;
}

static int set_names(struct mrg_audit *audit, const char *name, const char *backend, struct mrg_error *err)
{
	audit->name = strdup(name);
	audit->backend = strdup(backend);
	audit->maker = maker_of(backend);
	return audit->name && audit->backend ? 0 : fail_memory(err);
}

static int finish(struct audit_reading *r, int pidfd, struct mrg_error *err)
{
	if (syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) < 0 && errno == ESRCH)
		return mrg_error_set(err, -MRG_E_NOT_RUNNING, "process %d ended while it was looked at", (int)r->pid);
	if (r->failed || audit_judge(r) < 0)
		return fail_memory(err);
	return 0;
}

static int audit_process(pid_t pid, bool probe, struct mrg_audit **ret, struct mrg_error *err)
{
	_cleanup_close_ int pidfd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	_cleanup_(audit_freep) struct mrg_audit *audit = calloc(1, sizeof(*audit));
	_cleanup_(reading_deinit) struct audit_reading r = { .audit = audit, .pid = pid, .proc = -1, .root = -1 };
	int n;

	if (!audit)
		return fail_memory(err);
	if (pidfd < 0)
		return mrg_error_set(err, -MRG_E_NOT_RUNNING, "there is no process %d", (int)pid);
	audit->pid = pid;
	n = read_all(&r, pidfd, err);
	if (n == 0)
		n = set_names(audit, "", guess_backend(&r), err);
	if (n == 0 && probe)
		n = audit_probe(&r, pidfd, err);
	if (n == 0)
		n = finish(&r, pidfd, err);
	if (n == 0)
		*ret = take_ptr(audit);
	return n;
}

int mrg_audit_pid(struct mrg *m _unused_, pid_t pid, struct mrg_audit **ret, struct mrg_error *err)
{
	return audit_process(pid, false, ret, err);
}

int mrg_audit_probe_pid(struct mrg *m _unused_, pid_t pid, struct mrg_audit **ret, struct mrg_error *err)
{
	return audit_process(pid, true, ret, err);
}

struct others {
	struct audit_reading *r;
	size_t left;
};

static int look_at_other(pid_t pid, void *data)
{
	struct others *others = data;

	if (pid != others->r->pid)
		audit_read_descriptors(others->r, pid);
	return --others->left == 0;
}

/* Of a container that runs: its processes too. */
static int read_container(struct audit_reading *r, struct mrg_container *c, const struct view *view, struct mrg_error *err)
{
	struct others others = { r, PROCESSES_MAX };
	int n = set_names(r->audit, mrg_container_name(c), mrg_container_backend(c), err);

	r->pid = r->audit->pid = view->run.process.pid;
	/* A configuration that cannot be read says nothing of what was asked for; the kernel still does of what is. */
	r->spec = mrg_container_load(c, NULL) == 0 ? mrg_container_spec(c) : NULL;
	if (n == 0)
		n = read_all(r, view->run.process.pidfd, err);
	if (n == 0)
		dispatch_processes(c->plugin, &view->unit, look_at_other, &others, NULL);
	return n;
}

static int audit_container(struct mrg_container *c, bool probe, struct mrg_audit **ret, struct mrg_error *err)
{
	_cleanup_(audit_freep) struct mrg_audit *audit = calloc(1, sizeof(*audit));
	_cleanup_(reading_deinit) struct audit_reading r = { .audit = audit, .proc = -1, .root = -1 };
	_cleanup_view_ struct view view;
	int n = container_look(c, &view, err);

	if (n < 0)
		return n;
	if (!audit)
		return fail_memory(err);
	if (!state_is_alive(view.state) || view.run.process.pid <= 0 || view.run.process.pidfd < 0)
		return mrg_error_set(err, -MRG_E_NOT_RUNNING, "container '%s' does not run: there is nothing to look at", mrg_container_name(c));
	if (probe && view.state == MRG_STATE_PAUSED)
		return mrg_error_set(err, -MRG_E_STATE, "container '%s' is paused: nothing can be tried in it", mrg_container_name(c));
	n = read_container(&r, c, &view, err);
	if (n == 0 && probe)
		n = audit_probe(&r, view.run.process.pidfd, err);
	if (n == 0)
		n = finish(&r, view.run.process.pidfd, err);
	if (n == 0)
		*ret = take_ptr(audit);
	return n;
}

int mrg_audit(struct mrg_container *c, struct mrg_audit **ret, struct mrg_error *err)
{
	return audit_container(c, false, ret, err);
}

int mrg_audit_probe(struct mrg_container *c, struct mrg_audit **ret, struct mrg_error *err)
{
	return audit_container(c, true, ret, err);
}

/* ---- the result ----------------------------------------------------------------------------------------- */

const char *mrg_audit_name(const struct mrg_audit *audit)
{
	return audit->name;
}

const char *mrg_audit_backend(const struct mrg_audit *audit)
{
	return audit->backend;
}

pid_t mrg_audit_process(const struct mrg_audit *audit)
{
	return audit->pid;
}

int mrg_audit_facts(const struct mrg_audit *audit, int (*found)(const struct mrg_audit_fact *fact, void *data), void *data)
{
	int r = 0;

	for (size_t i = 0; i < audit->n_facts && r == 0; i++)
		r = found(&audit->facts[i], data);
	return r;
}

int mrg_audit_findings(const struct mrg_audit *audit, int (*found)(const struct mrg_audit_finding *finding, void *data), void *data)
{
	int r = 0;

	for (size_t i = 0; i < audit->n_findings && r == 0; i++)
		r = found(&audit->findings[i], data);
	return r;
}
