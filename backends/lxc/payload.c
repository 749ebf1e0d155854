/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command of a container as moorage-init is told of it: by words and by descriptors of agreed numbers. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "payload.h"

#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"

#define ABOVE		32		/* descriptors from here on are in nobody's way */

static int add(char ***args, const char *option, const char *value)
{
	int r = strv_append(args, option);

	return r == 0 && value ? strv_append(args, value) : r;
}

static bool has_home(char *const *env)
{
	for (; env && *env; env++)
		if (strncmp(*env, "HOME=", 5) == 0)
			return true;
	return false;
}

static int write_string(int fd, const char *name, const char *sign, const char *value)
{
	int r = fd_write_all(fd, name, strlen(name));

	if (r == 0)
		r = fd_write_all(fd, sign, strlen(sign));
	return r < 0 ? r : fd_write_all(fd, value, strlen(value) + 1);
}

/* The variables of the spec and nothing that LXC adds; HOME as for every other backend. */
static int write_environment(char *const *env, const char *home, int *ret, struct mrg_error *err)
{
	_cleanup_close_ int fd = memfd_create("environment", MFD_CLOEXEC);
	int r = fd < 0 ? -errno : 0;

	for (; r == 0 && env && *env; env++)
		r = write_string(fd, "", "", *env);
	if (r == 0 && home)
		r = write_string(fd, "HOME", "=", home);
	if (r < 0)
		return fail_errno(err, r, "cannot hand over the environment");
	*ret = take_fd(&fd);
	return 0;
}

static int write_sysctls(const struct mrg_spec *spec, int *ret, struct mrg_error *err)
{
	_cleanup_close_ int fd = spec->sysctl.n ? memfd_create("sysctls", MFD_CLOEXEC) : -1;
	int r = spec->sysctl.n && fd < 0 ? -errno : 0;

	for (size_t i = 0; r == 0 && i < spec->sysctl.n; i++)
		r = write_string(fd, spec->sysctl.item[i].key, "=", spec->sysctl.item[i].value);
	if (r < 0)
		return fail_errno(err, r, "cannot hand over the sysctls");
	*ret = take_fd(&fd);
	return 0;
}

static int describe_user(const struct lxc_payload_request *q, struct lxc_payload *p, struct mrg_error *err)
{
	struct mrg_spec spec = *q->unit->spec;
	char *const *env = q->command ? q->command->env : spec.env;
	_cleanup_free_ char *ids = NULL, *home = NULL;
	int r;

	if (q->command && q->command->user)
		spec.user = q->command->user;
	r = mrg_helper_user(&spec, q->root, &ids, has_home(env) ? NULL : &home, err);
	if (r == 0)
		r = write_environment(env, home, &p->fd[LXC_PAYLOAD_ENVIRONMENT], err);
	if (r < 0)
		return r;
	r = add(&p->args, "--environment", NULL);
	if (r == 0 && strcmp(ids, "0:0") != 0)
		r = add(&p->args, "--user", ids);
	return r < 0 ? fail_memory(err) : 0;
}

/* Who runs it, where and with what. */
static int describe_process(const struct lxc_payload_request *q, struct lxc_payload *p, struct mrg_error *err)
{
	const struct mrg_spec *spec = q->unit->spec;
	const char *cwd = q->command && q->command->cwd ? q->command->cwd : spec->cwd;
	char mask[16], caps[64];
	int r = describe_user(q, p, err);

	if (r < 0)
		return r;
	snprintf(mask, sizeof(mask), "%03o", mrg_fields_has(&spec->set, MRG_FIELD_UMASK) ? spec->umask : 022U);
	r = add(&p->args, "--umask", mask);
	if (r == 0)
		r = add(&p->args, "--cwd", cwd ? cwd : "/");
	/* Of a command LXC sees to them, unless they are needed for the filter before. */
	if (r == 0 && (!q->command || p->fd[LXC_PAYLOAD_FILTER] >= 0) && mrg_fields_has(&spec->set, MRG_FIELD_CAP_BOUNDING)) {
		snprintf(caps, sizeof(caps), "%" PRIx64 ":%" PRIx64 ":%" PRIx64, spec->cap_inheritable, spec->cap_ambient, spec->cap_bounding);
		r = add(&p->args, "--caps", caps);
	}
	return r < 0 ? fail_memory(err) : 0;
}

static int describe_terminal(const struct mrg_spec *spec, struct lxc_payload *p)
{
	char size[32];
	int r = add(&p->args, "--terminal", NULL);

	if (r < 0 || !spec->console_height || !spec->console_width)
		return r;
	snprintf(size, sizeof(size), "%u:%u", spec->console_height, spec->console_width);
	return add(&p->args, "--size", size);
}

static int describe(const struct lxc_payload_request *q, struct lxc_payload *p, struct mrg_error *err)
{
	static const struct {
		int which;
		const char *option;
	} handed[] = {
		{ LXC_PAYLOAD_GATE, "--wait" }, { LXC_PAYLOAD_FILTER, "--filter" }, { LXC_PAYLOAD_SYSCTLS, "--sysctls" },
		{ LXC_PAYLOAD_MOUNTS, "--mounts" },
	};
	static char *const system[] = { (char *)"/sbin/init", NULL };
	char *const *args = q->command ? q->command->args : q->unit->spec->args;
	char image[32];
	int r;

	if (!args || !args[0])
		args = system;
	snprintf(image, sizeof(image), "/proc/self/fd/%d", LXC_PAYLOAD_IMAGE_FD);
	r = add(&p->args, image, "--socket");
	if (r == 0)
		r = add(&p->args, p->fd[LXC_PAYLOAD_STATUS] >= 0 ? "--status" : "--exec", NULL);
	if (r == 0 && p->fd[LXC_PAYLOAD_TERMINAL] >= 0)
		r = describe_terminal(q->unit->spec, p);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(handed); i++)
		if (p->fd[handed[i].which] >= 0)
			r = add(&p->args, handed[i].option, NULL);
	if (r < 0)
		return fail_memory(err);
	r = describe_process(q, p, err);
	if (r < 0)
		return r;
	r = add(&p->args, "--", NULL);
	for (; r == 0 && *args; args++)
		r = add(&p->args, *args, NULL);
	return r < 0 ? fail_memory(err) : 0;
}

static int open_terminal(struct lxc_payload *p, struct mrg_error *err)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return fail_errno(err, -errno, "cannot make a socket pair");
	p->terminal = ends[0];
	p->fd[LXC_PAYLOAD_TERMINAL] = ends[1];
	return 0;
}

static int open_gate(struct lxc_payload *p, struct mrg_error *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail_errno(err, -errno, "cannot make a pipe");
	p->fd[LXC_PAYLOAD_GATE] = ends[0];
	p->gate = ends[1];
	return 0;
}

/* The pipe goes over a socket, since LXC keeps open what it passes on. */
static int open_report(struct lxc_payload *p, struct mrg_error *err)
{
	int pipe[2], ends[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return fail_errno(err, -errno, "cannot make a socket pair");
	p->fd[LXC_PAYLOAD_REPORT] = ends[1];
	r = pipe2(pipe, O_CLOEXEC) < 0 ? -errno : 0;
	if (r == 0) {
		p->report = pipe[0];
		r = lxc_send_descriptor(ends[0], pipe[1]);
		close(pipe[1]);
	}
	close(ends[0]);
	return r < 0 ? fail_errno(err, r, "cannot make the pipe for the outcome of the start") : 0;
}

/* What only the first process needs. */
static int open_for_start(const struct mrg_spec *spec, struct lxc_payload *p, struct mrg_error *err)
{
	int r = write_sysctls(spec, &p->fd[LXC_PAYLOAD_SYSCTLS], err);

	if (r == 0)
		r = lxc_flags_write(spec, &p->fd[LXC_PAYLOAD_MOUNTS], err);
	return r == 0 && spec->init && !spec->boot ? mrg_helper_status_new(&p->fd[LXC_PAYLOAD_STATUS], err) : r;
}

int lxc_payload_prepare(const struct lxc_payload_request *request, struct lxc_payload *ret, struct mrg_error *err)
{
	struct lxc_payload p = LXC_PAYLOAD_INIT;
	int r = open_report(&p, err);

	if (r == 0 && request->terminal)
		r = open_terminal(&p, err);
	if (r == 0 && request->gate)
		r = open_gate(&p, err);
	if (r == 0)
		r = mrg_helper_filter_new(request->unit->spec, &p.fd[LXC_PAYLOAD_FILTER], err);
	if (r == 0 && !request->command)
		r = open_for_start(request->unit->spec, &p, err);
	if (r == 0)
		r = mrg_helper_init_open(&p.fd[LXC_PAYLOAD_IMAGE], err);
	if (r == 0)
		r = describe(request, &p, err);
	if (r < 0)
		lxc_payload_deinit(&p);
	else
		*ret = p;
	return r;
}

int lxc_payload_await(struct lxc_payload *payload)
{
	struct mrg_error empty;

	/* Its only other holder has it now: without this the end would not be seen should it be lost on the way. */
	payload->fd[LXC_PAYLOAD_REPORT] = fd_close(payload->fd[LXC_PAYLOAD_REPORT]);
	return fd_read_all(payload->report, &empty, sizeof(empty)) == (ssize_t)sizeof(empty) ? 0 : 1;
}

int lxc_payload_hear(struct lxc_payload *payload, struct mrg_error *err)
{
	struct mrg_error report;
	ssize_t n;

	/* We hold the other end as well: there is a reader, come what may. */
	if (payload->gate >= 0 && fd_write_all(payload->gate, "", 1) < 0)
		return 1;
	n = fd_read_all(payload->report, &report, sizeof(report));
	if (n == 0)
		return 0;
	if (n != (ssize_t)sizeof(report) || report.code >= 0)
		return 1;
	report.message[sizeof(report.message) - 1] = '\0';
	if (err)
		*err = report;
	return report.code;
}

void lxc_payload_deinit(struct lxc_payload *payload)
{
	payload->args = strv_free(payload->args);
	payload->report = fd_close(payload->report);
	payload->terminal = fd_close(payload->terminal);
	payload->gate = fd_close(payload->gate);
	for (size_t i = 0; i < LXC_PAYLOAD_MAX; i++)
		payload->fd[i] = fd_close(payload->fd[i]);
}

int lxc_payload_place(const struct lxc_payload *payload, struct mrg_error *err)
{
	static const int numbers[LXC_PAYLOAD_MAX] = {
		[LXC_PAYLOAD_REPORT] = MRG_INIT_ERROR_FD, [LXC_PAYLOAD_STATUS] = MRG_INIT_STATUS_FD,
		[LXC_PAYLOAD_TERMINAL] = MRG_INIT_STDIO_FD, [LXC_PAYLOAD_ENVIRONMENT] = MRG_INIT_ENVIRONMENT_FD,
		[LXC_PAYLOAD_FILTER] = MRG_INIT_FILTER_FD, [LXC_PAYLOAD_SYSCTLS] = MRG_INIT_SYSCTLS_FD,
		[LXC_PAYLOAD_MOUNTS] = MRG_INIT_MOUNTS_FD, [LXC_PAYLOAD_GATE] = MRG_INIT_WAIT_FD, [LXC_PAYLOAD_IMAGE] = LXC_PAYLOAD_IMAGE_FD,
	};
	int moved[LXC_PAYLOAD_MAX];
	char count[16];

	/* All are put out of the way of all others first. */
	for (size_t i = 0; i < LXC_PAYLOAD_MAX; i++) {
		moved[i] = payload->fd[i] < 0 ? -1 : fcntl(payload->fd[i], F_DUPFD_CLOEXEC, ABOVE);
		if (moved[i] < 0 && payload->fd[i] >= 0)
			return fail_errno(err, -errno, "cannot hand over descriptors");
	}
	/* LXC keeps those up to LISTEN_FDS, from 4.0 to 6.0 counted from 0 and not from 3 as it was meant: what may be kept and is not handed over is closed
	 * here, all others by LXC. */
	close_range(MRG_INIT_ERROR_FD, LXC_PAYLOAD_IMAGE_FD + MRG_INIT_ERROR_FD, 0);
	for (size_t i = 0; i < LXC_PAYLOAD_MAX; i++)
		if (moved[i] >= 0 && dup2(moved[i], numbers[i]) < 0)
			return fail_errno(err, -errno, "cannot hand over descriptors");
	snprintf(count, sizeof(count), "%d", LXC_PAYLOAD_IMAGE_FD);
	return setenv("LISTEN_FDS", count, 1) < 0 ? fail_memory(err) : 0;
}

int lxc_send_descriptor(int socket, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) } };
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control),
	};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}
