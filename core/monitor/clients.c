/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The clients of a monitor: serving them, hearing their orders, dropping them. */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "core/monitor/pump.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"

/* ---- the queue ------------------------------------------------------------------------------- */

struct entry {
	uint32_t length;
	uint8_t type;
};

char *pump_queue_room(struct pump *p)
{
	size_t needed = p->queue.length + sizeof(struct entry) + MESSAGE_MAX;

	if (needed > p->queue.size) {
		char *bigger = realloc(p->queue.data, needed);

		if (!bigger)
			return NULL;
		p->queue.data = bigger;
		p->queue.size = needed;
	}
	return p->queue.data + p->queue.length + sizeof(struct entry);
}

void pump_queue(struct pump *p, uint8_t type, const void *payload, size_t length)
{
	struct entry entry = { .length = (uint32_t)length, .type = type };
	char *room = pump_queue_room(p);

	if (!room)
		return;
	if (room != payload)
		memcpy(room, payload, length);
	memcpy(p->queue.data + p->queue.length, &entry, sizeof(entry));
	p->queue.length += sizeof(entry) + length;
}

static bool is_output(uint8_t type)
{
	return type == MESSAGE_STDOUT || type == MESSAGE_STDERR;
}

/* 0: all sent; -EAGAIN: later; else the client is lost. */
static int send_to(const struct queue *queue, struct client *c)
{
	while (c->greeted && c->sent < queue->length) {
		struct entry entry;
		int r = 0;

		memcpy(&entry, queue->data + c->sent, sizeof(entry));
		if (!c->watch || !is_output(entry.type))
			r = protocol_send(c->fd, entry.type, queue->data + c->sent + sizeof(entry), entry.length);
		if (r < 0)
			return r;
		c->sent += sizeof(entry) + entry.length;
	}
	return 0;
}

void pump_send(struct pump *p)
{
	bool all = true;

	for (size_t i = p->n_clients; i-- > 0;) {
		int r = send_to(&p->queue, &p->clients[i]);

		if (r == -EAGAIN)
			all = false;
		else if (r < 0)
			pump_drop_client(p, i);
	}
	if (!all)
		return;
	p->queue.length = 0;
	for (size_t i = 0; i < p->n_clients; i++)
		p->clients[i].sent = 0;
}

/* ---- coming and going ------------------------------------------------------------------------ */

void pump_greet(struct pump *p, struct client *c)
{
	struct hello hello = { .terminal = p->terminal };

	c->greeted = true;
	protocol_send(c->fd, MESSAGE_HELLO, &hello, sizeof(hello));
}

void pump_add_client(struct pump *p, int fd, bool watch, bool greeted)
{
	struct client *c = &p->clients[p->n_clients];

	if (p->n_clients == CLIENTS_MAX) {
		close(fd);
		return;
	}
	/* What is in the queue already was before its time. */
	*c = (struct client){ .fd = fd, .watch = watch, .sent = p->queue.length };
	p->n_clients++;
	if (greeted)
		pump_greet(p, c);
}

static bool has_writer(const struct pump *p)
{
	for (size_t i = 0; i < p->n_clients; i++)
		if (!p->clients[i].watch)
			return true;
	return false;
}

void pump_drop_client(struct pump *p, size_t i)
{
	close(p->clients[i].fd);
	p->clients[i] = p->clients[--p->n_clients];
	if (p->close_in_with_client && !has_writer(p) && !p->input_end) {
		p->input_end = true;
		pump_feed(p);
	}
}

void pump_accept(struct pump *p)
{
	for (;;) {
		int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			return;
		if (protocol_peer_is_allowed(fd))
			pump_add_client(p, fd, false, false);
		else
			close(fd);
	}
}

/* ---- orders ---------------------------------------------------------------------------------- */

static int hear_hello(struct pump *p, struct client *c, size_t length _unused_)
{
	struct hello hello;

	if (c->greeted)
		return -EBADMSG;
	memcpy(&hello, p->input->payload, sizeof(hello));
	c->watch = hello.watch;
	c->sent = p->queue.length;
	pump_greet(p, c);
	return 0;
}

static int hear_input(struct pump *p, struct client *c, size_t length)
{
	if (!c->greeted || c->watch)
		return -EBADMSG;
	p->input_length = length;
	p->input_done = 0;
	pump_feed(p);
	return 0;
}

static int hear_input_end(struct pump *p, struct client *c, size_t length _unused_)
{
	if (!c->greeted || c->watch)
		return -EBADMSG;
	pump_close_input(p);
	return 0;
}

static int hear_resize(struct pump *p, struct client *c, size_t length _unused_)
{
	struct resize resize;

	memcpy(&resize, p->input->payload, sizeof(resize));
	if (!c->greeted)
		return -EBADMSG;
	if (p->terminal && p->out[0] >= 0)
		ioctl(p->out[0], TIOCSWINSZ, &(struct winsize){ .ws_row = resize.rows, .ws_col = resize.columns });
	return 0;
}

static int hear_signal(struct pump *p, struct client *c, size_t length _unused_)
{
	int32_t signo;

	memcpy(&signo, p->input->payload, sizeof(signo));
	if (!c->greeted || signo < 1 || signo > 64)
		return -EBADMSG;
	p->kill(p->data, signo);
	return 0;
}

static int (*const orders[])(struct pump *p, struct client *c, size_t length) = {
	[MESSAGE_HELLO] = hear_hello,
	[MESSAGE_STDIN] = hear_input,
	[MESSAGE_STDIN_END] = hear_input_end,
	[MESSAGE_RESIZE] = hear_resize,
	[MESSAGE_SIGNAL] = hear_signal,
	[MESSAGE_EXIT] = NULL,
};

void pump_hear(struct pump *p, size_t i)
{
	struct client *c = &p->clients[i];
	ssize_t n = protocol_receive(c->fd, p->input, false);
	uint8_t type = n >= 0 ? p->input->type : 0;

	if (n == -EAGAIN)
		return;
	if (n < 0 || !orders[type] || orders[type](p, c, (size_t)n) < 0)
		pump_drop_client(p, i);
}
