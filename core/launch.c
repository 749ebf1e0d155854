/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Executing moorage-monitor, detached from the caller, and hearing its verdict. */

#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/exec_request.h"
#include "core/launch.h"
#include "core/protocol.h"
#include "core/session.h"
#include "core/util/cleanup.h"
#include "core/util/detach.h"
#include "core/util/fail.h"
#include "core/util/fd.h"

/* ---- the verdict ----------------------------------------------------------------------------- */

/* Waits for the monitor's word. */
static int hear_verdict(int fd, struct mrg_error *err)
{
	_cleanup_free_ struct message *message = malloc(sizeof(*message));
	struct mrg_error verdict;
	ssize_t n;

	if (!message)
		return fail_memory(err);
	n = protocol_receive(fd, message, true);
	if (n == -ENOTCONN)
		return mrg_error_set(err, -EIO, "moorage-monitor died before it could tell how the start went");
	if (n < 0 || message->type != MESSAGE_VERDICT)
		return fail_errno(err, n < 0 ? (int)n : -EPROTO, "cannot hear from moorage-monitor");
	memcpy(&verdict, message->payload, sizeof(verdict));
	verdict.message[sizeof(verdict.message) - 1] = '\0';
	if (verdict.code >= 0)
		return 0;
	if (err)
		*err = verdict;
	return verdict.code;
}

static int socket_pair(int ret[2], struct mrg_error *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) < 0)
		return fail_errno(err, -errno, "cannot make a socket");
	return 0;
}

/* A monitor that knows the places and, as a hint, the backend: all it can do without its order. */
static int execute(struct mrg *m, const char *backend, int ret[2], struct mrg_error *err)
{
	_cleanup_close_ int theirs = -1, their_control = -1, ours = -1, our_control = -1;
	char path[PATH_MAX];
	char *argv[] = {
		(char *)"moorage-monitor", (char *)(backend ? backend : ""), m->state_dir, m->run_dir, m->backend_path,
		m->libexec_dir, m->config_file, NULL,
	};
	int pair[2], fds[MONITOR_FDS], r;

	if (snprintf(path, sizeof(path), "%s/moorage-monitor", m->libexec_dir) >= (int)sizeof(path))
		return mrg_error_set(err, -ENAMETOOLONG, "'%s' is too long", m->libexec_dir);
	r = socket_pair(pair, err);
	if (r < 0)
		return r;
	ours = pair[0], theirs = pair[1];
	r = socket_pair(pair, err);
	if (r < 0)
		return r;
	our_control = pair[0], their_control = pair[1];
	fds[0] = theirs;
	fds[1] = their_control;
	r = detach_execute(path, argv, fds, MONITOR_FDS);
	if (r < 0) {
		fail_errno(err, r, "cannot execute '%s'", path);
		mrg_error_hint(err, "is moorage installed whole? MOORAGE_LIBEXEC_DIR tells where its programs are");
		return r;
	}
	ret[0] = take_fd(&ours);
	ret[1] = take_fd(&our_control);
	return 0;
}

int mrg_launch_ahead(struct mrg *m, const char *backend, struct mrg_error *err)
{
	return m->ahead[0] >= 0 ? 0 : execute(m, backend, m->ahead, err);
}

static int launch(struct mrg *m, enum order order, const struct order_fds *fds, struct mrg_session **ret_session,
		  struct mrg_error *err)
{
	_cleanup_close_ int session = -1, control = -1;
	int r = mrg_launch_ahead(m, NULL, err);

	if (r < 0)
		return r;
	session = take_fd(&m->ahead[0]);
	control = take_fd(&m->ahead[1]);
	/* When it has died, that is what the verdict will be. */
	protocol_send_order(session, order, fds);
	r = hear_verdict(session, err);
	if (r < 0 || !ret_session)
		return r;
	return session_new(take_fd(&session), take_fd(&control), ret_session, err);
}

int launch_start(struct mrg *m, int dir, struct mrg_session **ret_session, struct mrg_error *err)
{
	return launch(m, ORDER_START, &(struct order_fds){ .dir = dir, .request = -1 }, ret_session, err);
}

void launch_open(struct mrg *m, int dir)
{
	if (m->ahead[0] >= 0)
		protocol_send_order(m->ahead[0], ORDER_OPEN, &(struct order_fds){ .dir = dir, .request = -1 });
}

int launch_exec(struct mrg *m, int dir, const struct mrg_exec *exec, struct mrg_session **ret_session,
		struct mrg_error *err)
{
	_cleanup_close_ int request = exec_request_write(exec, !ret_session, err);

	if (request < 0)
		return request;
	return launch(m, ORDER_EXEC, &(struct order_fds){ .dir = dir, .request = request }, ret_session, err);
}

int launch_console(struct mrg *m, int dir, struct mrg_session **ret_session, struct mrg_error *err)
{
	return launch(m, ORDER_CONSOLE, &(struct order_fds){ .dir = dir, .request = -1 }, ret_session, err);
}

/* ---- attaching ------------------------------------------------------------------------------- */

/* The path of a socket may have 107 characters at most: through the descriptor any directory will do. */
static int connect_to(int dir, bool watch, struct mrg_error *err)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct hello hello = { .watch = watch };
	int r;

	if (fd < 0)
		return fail_errno(err, -errno, "cannot make a socket");
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/attach", dir);
	do
		r = connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	while (r == -EINTR);
	if (r == -ENOENT || r == -ECONNREFUSED)
		return mrg_error_set(err, -MRG_E_NOT_RUNNING, "no monitor of the container is there to attach to");
	if (r < 0)
		return fail_errno(err, r, "cannot attach to the container's monitor");
	r = protocol_send(fd, MESSAGE_HELLO, &hello, sizeof(hello));
	/* The monitor may be about to end: then the answer and the end are there all the same. */
	if (r < 0 && r != -EPIPE && r != -ECONNRESET)
		return fail_errno(err, r, "cannot talk to the container's monitor");
	return take_fd(&fd);
}

int launch_attach(int dir, int watch, struct mrg_session **ret_session, struct mrg_error *err)
{
	_cleanup_close_ int fd = connect_to(dir, watch, err), control = -1;

	if (fd < 0)
		return fd;
	control = connect_to(dir, true, err);
	if (control < 0)
		return control;
	return session_new(take_fd(&fd), take_fd(&control), ret_session, err);
}
