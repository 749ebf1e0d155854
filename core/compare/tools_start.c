/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How raw tools start our program in the root of a comparison: words, and files that are written beside it. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/compare/tools.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/proc.h"

#define TOOL_MS		30000

/* ---- what they are told ------------------------------------------------------------------------------------------ */

/* As lxc-create would write it, without a network. */
static const char lxc_config[] =
	"lxc.rootfs.path = dir:%s\nlxc.uts.name = moorage-compare\nlxc.net.0.type = empty\nlxc.autodev = 1\nlxc.pty.max = 16\n"
	"lxc.cap.drop = sys_module mac_admin mac_override sys_time\nlxc.mount.auto = proc:mixed sys:ro cgroup:mixed\n"
	"lxc.mount.entry = %s mnt none bind 0 0\n";

static const char virsh_domain[] =
	"<domain type='lxc'><name>%3$s</name><memory unit='GiB'>1</memory><os><type>exe</type><init>" MEASURE_PROGRAM "</init>"
	"<initarg>%4$s</initarg><initarg>%5$s</initarg></os><features><privnet/></features><devices>"
	"<filesystem type='mount'><source dir='%1$s'/><target dir='/'/></filesystem>"
	"<filesystem type='mount'><source dir='%2$s'/><target dir='" MEASURE_TARGET "'/></filesystem><console type='pty'/></devices></domain>\n";

/* What 'crun spec' and 'runc spec' write, with this root and program. */
static const char oci_config[] =
	"{\"ociVersion\":\"1.0.0\",\"process\":{\"terminal\":false,\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"" MEASURE_PROGRAM "\",\"%3$s%4$s%5$s\"],"
	"\"env\":[\"PATH=/usr/sbin:/usr/bin:/sbin:/bin\"],\"cwd\":\"/\",\"capabilities\":{"
	"\"bounding\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"],\"effective\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"],"
	"\"permitted\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"]},\"noNewPrivileges\":true},\"root\":{\"path\":\"%1$s\",\"readonly\":false},"
	"\"hostname\":\"moorage-compare\",\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
	"{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\"]},"
	"{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\"]},"
	"{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=65536k\"]},"
	"{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\",\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
	"{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]},"
	"{\"destination\":\"" MEASURE_TARGET "\",\"type\":\"bind\",\"source\":\"%2$s\",\"options\":[\"bind\",\"rw\"]}],"
	"\"linux\":{\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]},\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\"},{\"type\":\"ipc\"},"
	"{\"type\":\"uts\"},{\"type\":\"mount\"}],\"maskedPaths\":[\"/proc/kcore\",\"/proc/keys\",\"/proc/timer_list\",\"/sys/firmware\"],"
	"\"readonlyPaths\":[\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/sys\",\"/proc/sysrq-trigger\"]}}\n";

/* A file of the comparison's directory; the root and the share stand in it. */
static int write_text(struct measure *m, const char *name, const char *text, struct mrg_error *err)
{
	_cleanup_close_ int dir = open(m->work, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = dir < 0 ? -errno : fd_replace_file(dir, name, text, strlen(text), false);

	return r < 0 ? fail_errno(err, r, "cannot write '%s/%s'", m->work, name) : 0;
}

static const char *in_work(const struct measure *m, const char *name, char ret[160])
{
	snprintf(ret, 160, "%s/%s", m->work, name);
	return ret;
}

/* Our program, which is the end of all that they are told. */
static void add_program(struct tool_call *c)
{
	arguments_add(&c->a, MEASURE_PROGRAM, c->mode, c->argument, NULL);
}

/* ---- one each ------------------------------------------------------------------------------------------------------ */

int tool_start_lxc(struct tool_call *c, bool held, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;

	if (asprintf(&text, lxc_config, c->m->root, c->m->share) < 0) {
		text = NULL;
		return fail_memory(err);
	}
	if (write_text(c->m, "lxc.conf", text, err) < 0)
		return err->code;
	arguments_add(&c->a, "lxc-execute", "-n", c->name, "-f", in_work(c->m, "lxc.conf", c->path), NULL);
	if (held)
		arguments_add(&c->a, "-d", NULL);
	arguments_add(&c->a, "--", NULL);
	add_program(c);
	return 0;
}

int tool_start_nspawn(struct tool_call *c, bool held, struct mrg_error *err)
{
	(void)err;
	/* The container of the backend that drives nspawn runs beside it in the same root, which nspawn would lock. */
	if (held)
		arguments_add(&c->a, "env", "SYSTEMD_NSPAWN_LOCK=0", NULL);
	arguments_add(&c->a, "systemd-nspawn", "--quiet", "--console=pipe", "--private-network", "--timezone=off", "--resolv-conf=off", "--link-journal=no",
		      "-M", c->name, "-D", c->m->root, NULL);
	snprintf(c->bind, sizeof(c->bind), "--bind=%s", c->m->volume);
	arguments_add(&c->a, c->bind, NULL);
	/* What it passes on to the program when it is asked to end. */
	if (held)
		arguments_add(&c->a, "--kill-signal=SIGTERM", NULL);
	if (access("/run/systemd/system", F_OK) < 0)
		arguments_add(&c->a, "--register=no", "--keep-unit", NULL);
	add_program(c);
	return 0;
}

/* 'create' returns while the domain runs, and its payload writes to a terminal: stamps come by a file. */
int tool_start_virsh(struct tool_call *c, bool held, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;
	int r;

	if (!held) {
		snprintf(c->other, sizeof(c->other), MEASURE_TARGET "/%s", c->name);
		c->argument = c->other;
	}
	if (asprintf(&text, virsh_domain, c->m->root, c->m->share, c->name, c->mode, c->argument) < 0) {
		text = NULL;
		return fail_memory(err);
	}
	r = write_text(c->m, "domain.xml", text, err);
	arguments_add(&c->a, "virsh", "-q", "-c", "lxc:///system", "create", in_work(c->m, "domain.xml", c->path), NULL);
	return r;
}

/* The file of the domain goes when the domain has. */
int tool_gone_virsh(struct tool_call *c, struct mrg_error *err)
{
	int64_t deadline = time_monotonic_ms() + TOOL_MS;
	char path[160];
	int r = 0;

	snprintf(path, sizeof(path), "/run/libvirt/lxc/%s.xml", c->name);
	while (r == 0 && access(path, F_OK) == 0) {
		if (time_monotonic_ms() > deadline)
			return mrg_error_set(err, -MRG_E_TIMEOUT, "the domain does not end");
		r = measure_rest(c->m, 1, err);
	}
	return r;
}

int tool_read_stamps(struct tool_call *c, struct outcome *o, struct mrg_error *err)
{
	_cleanup_close_ int share = open(c->m->share, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *stamps = NULL;
	int r = share < 0 ? -errno : fd_read_file(share, c->name, 256, &stamps, NULL);

	if (r < 0)
		return fail_errno(err, r, "cannot read the stamps of '%s'", c->name);
	unlinkat(share, c->name, 0);
	snprintf(o->output, sizeof(o->output), "%s", stamps);
	return 0;
}

static int make_bundle(struct tool_call *c, struct mrg_error *err)
{
	const char *separator = c->argument ? "\",\"" : "";
	_cleanup_free_ char *text = NULL;

	if (asprintf(&text, oci_config, c->m->root, c->m->share, c->mode, separator, c->argument ? c->argument : "") < 0) {
		text = NULL;
		return fail_memory(err);
	}
	return write_text(c->m, "config.json", text, err);
}

/* Both take the same words and the same bundle. */
static int start_oci(struct tool_call *c, bool held, struct mrg_error *err)
{
	arguments_add(&c->a, "--root", c->state, "run", "-b", c->m->work, NULL);
	if (held)
		arguments_add(&c->a, "-d", NULL);
	arguments_add(&c->a, c->name, NULL);
	return make_bundle(c, err);
}

int tool_start_crun(struct tool_call *c, bool held, struct mrg_error *err)
{
	arguments_add(&c->a, "crun", "--cgroup-manager=cgroupfs", NULL);
	return start_oci(c, held, err);
}

int tool_start_runc(struct tool_call *c, bool held, struct mrg_error *err)
{
	arguments_add(&c->a, "runc", NULL);
	return start_oci(c, held, err);
}

int tool_start_bwrap(struct tool_call *c, bool held, struct mrg_error *err)
{
	(void)held;
	(void)err;
	arguments_add(&c->a, "bwrap", "--unshare-all", "--die-with-parent", "--bind", c->m->root, "/", "--proc", "/proc", "--dev", "/dev",
		      "--bind", c->m->share, MEASURE_TARGET, NULL);
	add_program(c);
	return 0;
}

/* crun, its default, takes no hybrid hierarchy whose second version has controllers. */
static bool crun_refuses(void)
{
	_cleanup_free_ char *controllers = NULL;

	return fd_read_virtual(AT_FDCWD, "/sys/fs/cgroup/unified/cgroup.controllers", 4096, &controllers, NULL) == 0 && controllers[strspn(controllers, " \n")];
}

/* The limits that it would set are beyond what a user without SYS_RESOURCE may; and it lowers its own processes to the number of pids. */
int tool_start_podman(struct tool_call *c, bool held, struct mrg_error *err)
{
	_cleanup_free_ char *most = NULL;
	struct rlimit files, processes;
	uint64_t pids = 32768;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || getrlimit(RLIMIT_NPROC, &processes) < 0)
		return fail_errno(err, -errno, "cannot tell our limits");
	if (fd_read_virtual(AT_FDCWD, "/proc/sys/kernel/pid_max", 32, &most, NULL) == 0)
		sscanf(most, "%" SCNu64, &pids);
	if (processes.rlim_max < pids)
		pids = processes.rlim_max;
	snprintf(c->path, sizeof(c->path), "--ulimit=nofile=%" PRIu64 ":%" PRIu64, (uint64_t)files.rlim_cur, (uint64_t)files.rlim_max);
	snprintf(c->other, sizeof(c->other), "--ulimit=nproc=%" PRIu64 ":%" PRIu64, pids, pids);
	arguments_add(&c->a, "podman", NULL);
	if (crun_refuses())
		arguments_add(&c->a, "--runtime=runc", NULL);
	arguments_add(&c->a, "run", held ? "-d" : "--rm", "--name", c->name, "--network=none", c->path, c->other, "-v", c->m->volume, "--rootfs", c->m->root, NULL);
	add_program(c);
	return 0;
}
