/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The standard streams of what a monitor starts: made before, handed to the pump after. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/monitor/monitor.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"

/* Only our end does not block: the other is a process's, which expects an ordinary pipe. */
static int make_pipe(int *ret_read, int *ret_write, bool reading)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	*ret_read = ends[0];
	*ret_write = ends[1];
	return fcntl(ends[reading ? 0 : 1], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static int open_null(int *ret)
{
	*ret = open("/dev/null", O_RDWR | O_CLOEXEC);
	return *ret < 0 ? -errno : 0;
}

static int open_ends(struct streams *s, bool stdin_open, bool detached)
{
	int r = stdin_open && !detached ? make_pipe(&s->io.in, &s->in, false) : open_null(&s->io.in);

	if (r == 0)
		r = detached ? open_null(&s->io.out) : make_pipe(&s->out, &s->io.out, true);
	if (r == 0)
		r = detached ? open_null(&s->io.err) : make_pipe(&s->err, &s->io.err, true);
	return r;
}

int streams_open(struct streams *ret, bool terminal, bool stdin_open, bool detached, struct mrg_error *err)
{
	int r = 0;

	*ret = (struct streams){ .io = { -1, -1, -1, terminal, -1 }, .in = -1, .out = -1, .err = -1 };
	if (!terminal)
		r = open_ends(ret, stdin_open, detached);
	if (r == 0)
		return 0;
	streams_close(ret);
	return fail_errno(err, r, "cannot make the standard streams");
}

void streams_started(struct streams *s)
{
	s->io.in = fd_close(s->io.in);
	s->io.out = fd_close(s->io.out);
	s->io.err = fd_close(s->io.err);
}

void streams_close(struct streams *s)
{
	streams_started(s);
	s->io.master = fd_close(s->io.master);
	s->in = fd_close(s->in);
	s->out = fd_close(s->out);
	s->err = fd_close(s->err);
}

void monitor_connect(struct monitor *mon, struct streams *s)
{
	struct pump *p = &mon->pump;

	streams_started(s);
	p->terminal = s->io.terminal;
	if (!s->io.terminal) {
		p->in = take_fd(&s->in);
		p->out[0] = take_fd(&s->out);
		p->out[1] = take_fd(&s->err);
		return;
	}
	p->in = p->out[0] = take_fd(&s->io.master);
	if (p->in < 0)
		return;
	fcntl(p->in, F_SETFL, fcntl(p->in, F_GETFL) | O_NONBLOCK);
	p->slave = ioctl(p->in, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}
