/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loop of a monitor: streams, log, clients, the end of the process. */

#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "core/monitor/pump.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"

#define LOOK_MS		200		/* between looks at a process that no descriptor tells of */
#define REST_MS		500		/* without any event: time for what would only delay a short life */

int pump_init(struct pump *p)
{
	p->in = p->out[0] = p->out[1] = p->slave = -1;
	p->listener = p->signals = p->pidfd = -1;
	p->input_last = '\n';
	p->input = malloc(sizeof(*p->input));
	return p->input ? 0 : -ENOMEM;
}

static void close_streams(struct pump *p)
{
	if (!p->terminal)
		fd_close(p->in);
	p->in = -1;
	p->slave = fd_close(p->slave);
	p->out[0] = fd_close(p->out[0]);
	p->out[1] = fd_close(p->out[1]);
}

void pump_deinit(struct pump *p)
{
	close_streams(p);
	for (size_t i = 0; i < p->n_clients; i++)
		close(p->clients[i].fd);
	p->n_clients = 0;
	free(p->queue.data);
	free(p->input);
}

/* ---- input ----------------------------------------------------------------------------------- */

/* The character that means end of file, twice after an unfinished line, where the first only sends that off. */
static void type_end_of_file(struct pump *p)
{
	struct termios mode;
	char text[2];

	if (tcgetattr(p->in, &mode) < 0 || !(mode.c_lflag & ICANON))
		return;
	text[0] = text[1] = (char)mode.c_cc[VEOF];
	(void)!write(p->in, text, p->input_last == '\n' ? 1 : 2);
	p->input_last = '\n';
}

void pump_feed(struct pump *p)
{
	const char *data = p->input->payload;

	while (p->in >= 0 && p->input_done < p->input_length) {
		ssize_t n = write(p->in, data + p->input_done, p->input_length - p->input_done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			/* The process wants no input any more. */
			if (!p->terminal)
				p->in = fd_close(p->in);
			break;
		}
		p->input_last = data[p->input_done + (size_t)n - 1];
		p->input_done += (size_t)n;
	}
	p->input_length = p->input_done = 0;
	if (!p->input_end)
		return;
	if (p->terminal) {
		type_end_of_file(p);
		p->input_end = false;
	} else {
		p->in = fd_close(p->in);
	}
}

void pump_close_input(struct pump *p)
{
	p->input_end = true;
	pump_feed(p);
}

/* ---- output ---------------------------------------------------------------------------------- */

/* Reads once: how much there was, 0 at the end of the stream, or a negative errno. */
static ssize_t read_output(struct pump *p, int stream)
{
	char *room = pump_queue_room(p);
	ssize_t n;

	if (!room)
		return -ENOMEM;
	do
		n = read(p->out[stream], room, MESSAGE_MAX);
	while (n < 0 && errno == EINTR);
	/* The last user of a terminal has closed it. */
	if (n < 0 && errno == EIO)
		return 0;
	if (n <= 0)
		return n < 0 ? -errno : 0;
	if (p->log)
		log_write(p->log, stream + 1, room, (size_t)n);
	pump_queue(p, stream == 0 ? MESSAGE_STDOUT : MESSAGE_STDERR, room, (size_t)n);
	return n;
}

static void close_output(struct pump *p, int stream)
{
	p->out[stream] = fd_close(p->out[stream]);
	if (p->terminal)
		p->in = -1;
}

static void take_output(struct pump *p, int stream)
{
	ssize_t n = read_output(p, stream);

	if (n == 0 || (n < 0 && n != -EAGAIN && n != -ENOMEM))
		close_output(p, stream);
	pump_send(p);
}

void pump_drain(struct pump *p)
{
	p->slave = fd_close(p->slave);
	for (int stream = 0; stream < 2; stream++)
		while (p->out[stream] >= 0 && read_output(p, stream) > 0)
			pump_send(p);
	close_streams(p);
}

/* ---- the loop -------------------------------------------------------------------------------- */

enum { SLOT_PROCESS, SLOT_SIGNALS, SLOT_IN, SLOT_OUT, SLOT_ERR, SLOT_LISTENER, SLOT_CLIENTS };

static size_t fill_slots(const struct pump *p, struct pollfd slots[SLOT_CLIENTS + CLIENTS_MAX])
{
	bool backlog = p->queue.length > 0, fed = p->input_length > 0;

	slots[SLOT_PROCESS] = (struct pollfd){ .fd = p->pidfd, .events = POLLIN };
	slots[SLOT_SIGNALS] = (struct pollfd){ .fd = p->signals, .events = POLLIN };
	slots[SLOT_IN] = (struct pollfd){ .fd = fed ? p->in : -1, .events = POLLOUT };
	slots[SLOT_OUT] = (struct pollfd){ .fd = backlog ? -1 : p->out[0], .events = POLLIN };
	slots[SLOT_ERR] = (struct pollfd){ .fd = backlog ? -1 : p->out[1], .events = POLLIN };
	slots[SLOT_LISTENER] = (struct pollfd){ .fd = p->listener, .events = POLLIN };
	for (size_t i = 0; i < p->n_clients; i++) {
		const struct client *c = &p->clients[i];

		slots[SLOT_CLIENTS + i] = (struct pollfd){
			.fd = c->fd,
			.events = (short)((!fed || c->watch ? POLLIN : 0) | (c->sent < p->queue.length ? POLLOUT : 0)),
		};
	}
	return SLOT_CLIENTS + p->n_clients;
}

/* Those of children say only that it is time to look. */
static void take_signals(struct pump *p)
{
	struct signalfd_siginfo info;

	while (read(p->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo == SIGTERM && p->terminate)
			p->terminate(p->data);
}

/* Last first, since dropping one moves the last into its place. */
static void serve_clients(struct pump *p, const struct pollfd *slots, size_t n)
{
	for (size_t i = n; i-- > 0;) {
		short events = slots[i].revents;
		bool readable = events & POLLIN;

		if (i >= p->n_clients || p->clients[i].fd != slots[i].fd)
			continue;
		if (!readable && (events & (POLLHUP | POLLERR | POLLNVAL)))
			pump_drop_client(p, i);
		else if (readable && (p->input_length == 0 || p->clients[i].watch))
			pump_hear(p, i);
	}
}

static void serve(struct pump *p, const struct pollfd *slots, size_t n)
{
	if (slots[SLOT_IN].revents)
		pump_feed(p);
	serve_clients(p, slots + SLOT_CLIENTS, n - SLOT_CLIENTS);
	if (slots[SLOT_LISTENER].revents)
		pump_accept(p);
	if (p->queue.length > 0)
		pump_send(p);
	/* The clients go first in taking what there is; each stream only when they have. */
	for (int stream = 0; stream < 2; stream++)
		if (slots[SLOT_OUT + stream].revents && p->queue.length == 0 && p->out[stream] >= 0)
			take_output(p, stream);
}

static int wait_ms(const struct pump *p)
{
	if (p->pidfd < 0)
		return LOOK_MS;
	return p->rest ? REST_MS : -1;
}

static void rest(struct pump *p)
{
	if (p->rest)
		p->rest();
	p->rest = NULL;
}

int pump_run(struct pump *p)
{
	struct pollfd slots[SLOT_CLIENTS + CLIENTS_MAX];
	bool look = true;
	int status;

	while (!look || !p->ended(p->data, &status)) {
		size_t n = fill_slots(p, slots);
		int r = poll(slots, n, wait_ms(p));

		look = r <= 0 || slots[SLOT_PROCESS].revents || slots[SLOT_SIGNALS].revents;
		if (r == 0)
			rest(p);
		if (r <= 0)
			continue;
		if (slots[SLOT_SIGNALS].revents)
			take_signals(p);
		serve(p, slots, n);
		look |= p->ends_with_clients && p->n_clients == 0;
	}
	return status;
}

/* ---- the end --------------------------------------------------------------------------------- */

static void deliver(struct pump *p)
{
	struct pollfd slots[CLIENTS_MAX];

	for (;;) {
		pump_send(p);
		if (p->queue.length == 0)
			return;
		for (size_t i = 0; i < p->n_clients; i++)
			slots[i] = (struct pollfd){
				.fd = p->clients[i].fd, .events = p->clients[i].sent < p->queue.length ? POLLOUT : 0,
			};
		if (poll(slots, p->n_clients, -1) < 0)
			continue;
		for (size_t i = p->n_clients; i-- > 0;)
			if (slots[i].revents & (POLLHUP | POLLERR | POLLNVAL))
				pump_drop_client(p, i);
	}
}

void pump_finish(struct pump *p, const struct ending *ending, bool known)
{
	if (p->listener >= 0) {
		/* From here on nobody connects any more, and who has done so is served. */
		shutdown(p->listener, SHUT_RDWR);
		pump_accept(p);
		p->listener = fd_close(p->listener);
	}
	for (size_t i = 0; i < p->n_clients; i++)
		if (!p->clients[i].greeted)
			pump_greet(p, &p->clients[i]);
	if (known)
		pump_queue(p, MESSAGE_EXIT, ending, sizeof(*ending));
	pump_send(p);
	/* A client may be a pager that nobody scrolls: the monitor does not wait for it. */
	if (p->queue.length > 0 && fork() == 0) {
		deliver(p);
		_exit(EXIT_SUCCESS);
	}
}
