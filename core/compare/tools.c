/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Raw tools on the same root, so that what Moorage adds is a number: each is a row of the table, with its files written beside the root. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/compare/measure.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/proc.h"

#define TOOL_MS		30000

const char *const compare_tools[] = { "lxc-execute", "systemd-nspawn", "virsh", "crun", "runc", "bwrap", "podman", NULL };

/* ---- what they are told ------------------------------------------------------------------------------------------ */

/* As lxc-create would write it, without a network. */
static const char lxc_config[] =
	"lxc.rootfs.path = dir:%s\nlxc.uts.name = moorage-compare\nlxc.net.0.type = empty\nlxc.autodev = 1\nlxc.pty.max = 16\n"
	"lxc.cap.drop = sys_module mac_admin mac_override sys_time\nlxc.mount.auto = proc:mixed sys:ro cgroup:mixed\n"
	"lxc.mount.entry = %s mnt none bind 0 0\n";

static const char virsh_domain[] =
	"<domain type='lxc'><name>%3$s</name><memory unit='GiB'>1</memory><os><type>exe</type><init>" MEASURE_PROGRAM "</init>"
	"<initarg>stamp</initarg><initarg>" MEASURE_TARGET "/%3$s</initarg></os><features><privnet/></features><devices>"
	"<filesystem type='mount'><source dir='%1$s'/><target dir='/'/></filesystem>"
	"<filesystem type='mount'><source dir='%2$s'/><target dir='" MEASURE_TARGET "'/></filesystem><console type='pty'/></devices></domain>\n";

/* What 'crun spec' and 'runc spec' write, with this root and program. */
static const char oci_config[] =
	"{\"ociVersion\":\"1.0.0\",\"process\":{\"terminal\":false,\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"" MEASURE_PROGRAM "\",\"stamp\"],"
	"\"env\":[\"PATH=/usr/sbin:/usr/bin:/sbin:/bin\"],\"cwd\":\"/\",\"capabilities\":{"
	"\"bounding\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"],\"effective\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"],"
	"\"permitted\":[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"]},\"noNewPrivileges\":true},\"root\":{\"path\":\"%s\",\"readonly\":false},"
	"\"hostname\":\"moorage-compare\",\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
	"{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\"]},"
	"{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\"]},"
	"{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=65536k\"]},"
	"{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\",\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
	"{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]},"
	"{\"destination\":\"" MEASURE_TARGET "\",\"type\":\"bind\",\"source\":\"%s\",\"options\":[\"bind\",\"rw\"]}],"
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

/* ---- one start each ------------------------------------------------------------------------------------------------ */

struct start {
	struct measure *m;
	char name[MEASURE_NAME_SIZE];
	char path[160], other[160], bind[PATH_MAX];	/* room for words */
	struct arguments a;
};

static int run_lxc(struct start *s, struct outcome *o, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;

	if (asprintf(&text, lxc_config, s->m->root, s->m->share) < 0) {
		text = NULL;
		return fail_memory(err);
	}
	if (write_text(s->m, "lxc.conf", text, err) < 0)
		return err->code;
	arguments_add(&s->a, "lxc-execute", "-n", s->name, "-f", in_work(s->m, "lxc.conf", s->path), "--", MEASURE_PROGRAM, "stamp", NULL);
	return measure_run(s->m, &s->a, NULL, TOOL_MS, o, err);
}

static int run_nspawn(struct start *s, struct outcome *o, struct mrg_error *err)
{
	arguments_add(&s->a, "systemd-nspawn", "--quiet", "--console=pipe", "--private-network", "--timezone=off", "--resolv-conf=off", "--link-journal=no",
		      "-M", s->name, "-D", s->m->root, NULL);
	snprintf(s->bind, sizeof(s->bind), "--bind=%s", s->m->volume);
	arguments_add(&s->a, s->bind, NULL);
	if (access("/run/systemd/system", F_OK) < 0)
		arguments_add(&s->a, "--register=no", "--keep-unit", NULL);
	arguments_add(&s->a, MEASURE_PROGRAM, "stamp", NULL);
	return measure_run(s->m, &s->a, NULL, TOOL_MS, o, err);
}

/* The file of the domain goes when the domain has. */
static int wait_domain(struct start *s, struct outcome *o, struct mrg_error *err)
{
	int64_t deadline = time_monotonic_ms() + TOOL_MS;
	char path[160];
	int r = 0;

	snprintf(path, sizeof(path), "/run/libvirt/lxc/%s.xml", s->name);
	while (r == 0 && access(path, F_OK) == 0) {
		if (time_monotonic_ms() > deadline)
			return mrg_error_set(err, -MRG_E_TIMEOUT, "the domain does not end");
		r = measure_rest(s->m, 1, err);
	}
	o->end = measure_now();
	return r;
}

/* 'create' returns while the domain runs, and its payload writes to a terminal: the stamps come by a file. */
static int run_virsh(struct start *s, struct outcome *o, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL, *stamps = NULL;
	_cleanup_close_ int share = -1;
	int r;

	if (asprintf(&text, virsh_domain, s->m->root, s->m->share, s->name) < 0) {
		text = NULL;
		return fail_memory(err);
	}
	r = write_text(s->m, "domain.xml", text, err);
	arguments_add(&s->a, "virsh", "-q", "-c", "lxc:///system", "create", in_work(s->m, "domain.xml", s->path), NULL);
	if (r == 0)
		r = measure_run(s->m, &s->a, NULL, TOOL_MS, o, err);
	if (r == 0)
		r = wait_domain(s, o, err);
	if (r < 0)
		return r;
	share = open(s->m->share, O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = share < 0 ? -errno : fd_read_file(share, s->name, 256, &stamps, NULL);
	if (r < 0)
		return fail_errno(err, r, "cannot read the stamps of the domain");
	unlinkat(share, s->name, 0);
	snprintf(o->output, sizeof(o->output), "%s", stamps);
	return 0;
}

static int make_bundle(struct measure *m, struct mrg_error *err)
{
	_cleanup_free_ char *text = NULL;

	if (asprintf(&text, oci_config, m->root, m->share) < 0) {
		text = NULL;
		return fail_memory(err);
	}
	return write_text(m, "config.json", text, err);
}

static int run_crun(struct start *s, struct outcome *o, struct mrg_error *err)
{
	int r = make_bundle(s->m, err);

	arguments_add(&s->a, "crun", "--cgroup-manager=cgroupfs", "--root", in_work(s->m, "crun", s->path), "run", "-b", s->m->work, s->name, NULL);
	return r < 0 ? r : measure_run(s->m, &s->a, NULL, TOOL_MS, o, err);
}

static int run_runc(struct start *s, struct outcome *o, struct mrg_error *err)
{
	int r = make_bundle(s->m, err);

	arguments_add(&s->a, "runc", "--root", in_work(s->m, "runc", s->path), "run", "-b", s->m->work, s->name, NULL);
	return r < 0 ? r : measure_run(s->m, &s->a, NULL, TOOL_MS, o, err);
}

static int run_bwrap(struct start *s, struct outcome *o, struct mrg_error *err)
{
	arguments_add(&s->a, "bwrap", "--unshare-all", "--die-with-parent", "--bind", s->m->root, "/", "--proc", "/proc", "--dev", "/dev",
		      "--bind", s->m->share, MEASURE_TARGET, MEASURE_PROGRAM, "stamp", NULL);
	return measure_run(s->m, &s->a, NULL, TOOL_MS, o, err);
}

/* crun, its default, takes no hybrid hierarchy whose second version has controllers. */
static bool crun_refuses(void)
{
	_cleanup_free_ char *controllers = NULL;

	return fd_read_virtual(AT_FDCWD, "/sys/fs/cgroup/unified/cgroup.controllers", 4096, &controllers, NULL) == 0 && controllers[strspn(controllers, " \n")];
}

/* The limits that it would set are beyond what a user without SYS_RESOURCE may; and it lowers its own processes to the number of pids. */
static int run_podman(struct start *s, struct outcome *o, struct mrg_error *err)
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
	snprintf(s->path, sizeof(s->path), "--ulimit=nofile=%" PRIu64 ":%" PRIu64, (uint64_t)files.rlim_cur, (uint64_t)files.rlim_max);
	snprintf(s->other, sizeof(s->other), "--ulimit=nproc=%" PRIu64 ":%" PRIu64, pids, pids);
	arguments_add(&s->a, "podman", NULL);
	if (crun_refuses())
		arguments_add(&s->a, "--runtime=runc", NULL);
	arguments_add(&s->a, "run", "--rm", "--name", s->name, "--network=none", s->path, s->other, "-v", s->m->volume, "--rootfs", s->m->root, MEASURE_PROGRAM,
		      "stamp", NULL);
	return measure_run(s->m, &s->a, NULL, TOOL_MS, o, err);
}

static const struct {
	const char *name;
	int (*run)(struct start *s, struct outcome *o, struct mrg_error *err);
	const char *undo[4];		/* words before the name that remove what a failure left */
} tools[] = {
	{ "lxc-execute", run_lxc, { "lxc-stop", "-k", "-n" } },
	{ "systemd-nspawn", run_nspawn, { NULL } },
	{ "virsh", run_virsh, { "virsh", "-cqlxc:///system", "destroy" } },
	{ "crun", run_crun, { NULL } },
	{ "runc", run_runc, { NULL } },
	{ "bwrap", run_bwrap, { NULL } },
	{ "podman", run_podman, { "podman", "rm", "-f" } },
};

static int find_tool(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(tools); i++)
		if (strcmp(tools[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* What a tool that failed or was ended may have left; its failure is told already. */
static void undo(struct start *s, const char *const *words)
{
	int signals = s->m->signals;
	struct arguments a = { .n = 0 };
	struct outcome o;

	for (size_t i = 0; i < ARRAY_SIZE(tools[0].undo) && words[i]; i++)
		arguments_add(&a, words[i], NULL);
	arguments_add(&a, s->name, NULL);
	s->m->signals = -1;
	measure_run(s->m, &a, NULL, TOOL_MS, &o, NULL);
	s->m->signals = signals;
}

int measure_tool(struct measure *m, size_t subject, struct mrg_error *err)
{
	int tool = find_tool(m->report->subject[subject].name), r;
	struct start s = { .m = m };
	struct outcome o;

	if (tool < 0)
		return mrg_error_set(err, -MRG_E_INVALID, "there is no such tool");
	measure_name(m, s.name);
	r = tools[tool].run(&s, &o, err);
	if (r < 0 && tools[tool].undo[0])
		undo(&s, tools[tool].undo);
	if (r == 0)
		r = measure_note_command(m, subject, &s.a, err);
	if (r == 0)
		r = measure_add_stamps(m, subject, &o, err);
	if (r == 0 && measure_add_time(m, subject, METRIC_REMOVED, o.begin, o.end) < 0)
		return fail_memory(err);
	return r;
}

int measure_probe_tool(struct measure *m, size_t subject, struct mrg_error *err)
{
	const char *name = m->report->subject[subject].name, *path = getenv("PATH");

	if (find_tool(name) < 0)
		return mrg_error_set(err, -MRG_E_INVALID, "there is no such tool");
	if (strcmp(m->root, "host") == 0)
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "raw tools have no root 'host'");
	for (const char *at = path; at && *at;) {
		char file[PATH_MAX];
		size_t n = strcspn(at, ":");

		if (n && snprintf(file, sizeof(file), "%.*s/%s", (int)n, at, name) < PATH_MAX && access(file, X_OK) == 0)
			return 0;
		at += n + (at[n] == ':');
	}
	return mrg_error_set(err, -MRG_E_NO_ENGINE, "the program is not installed");
}
