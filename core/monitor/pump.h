/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_MONITOR_PUMP_H
#define CORE_MONITOR_PUMP_H

/*
 * Moves bytes between a process and the clients of its monitor, until the process has ended.
 *
 * Nothing is read from the process while a client has not taken what was read before, and nothing from the clients while
 * the process has not taken its input: a slow side stops the fast one, and memory stays what it is.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/log.h"
#include "core/protocol.h"

#define CLIENTS_MAX	64

struct client {
	int fd;
	bool watch;			/* wants no output, gives no input */
	bool greeted;			/* said hello */
	size_t sent;			/* of the queue */
};

/* What is on its way to clients: messages one after the other, each a struct entry and its payload. */
struct queue {
	char *data;
	size_t length, size;
};

struct pump {
	int in;				/* to the process, O_NONBLOCK; -1: closed */
	int out[2];			/* from it, likewise: stdout and stderr; a terminal's master is in out[0] and in */
	int slave;			/* of the terminal, held so that its last user's close is no end; -1 */
	bool terminal;
	bool ends_with_clients;		/* @ended is asked when the last has left */
	bool close_in_with_client;	/* the last client that may write takes the input with it */
	int listener, signals, pidfd;	/* -1: none */
	struct log *log;		/* NULL: none */

	/* Whether the process has ended: 1 and its wait status, or 0. */
	int (*ended)(void *data, int *ret_status);
	int (*kill)(void *data, int signo);
	void (*terminate)(void *data);	/* SIGTERM has come; NULL: it is ignored */
	void *data;
	void (*rest)(void);		/* called once, when nothing has happened for a while; may be NULL */

	struct client clients[CLIENTS_MAX];
	size_t n_clients;
	struct queue queue;
	struct message *input;		/* the last message received */
	size_t input_length, input_done;	/* of its bytes for the process */
	bool input_end;			/* close @in when they are written */
	char input_last;		/* the last byte written */
};

int pump_init(struct pump *p);
void pump_deinit(struct pump *p);

/* clients.c: takes @fd. A greeted one is served at once. */
void pump_add_client(struct pump *p, int fd, bool watch, bool greeted);
/* Tells a client whether there is a terminal; from then on it gets output. */
void pump_greet(struct pump *p, struct client *c);
void pump_drop_client(struct pump *p, size_t i);
void pump_accept(struct pump *p);
void pump_hear(struct pump *p, size_t i);

/* Adds a message for all clients. */
void pump_queue(struct pump *p, uint8_t type, const void *payload, size_t length);

/* Room for the payload of a message of up to MESSAGE_MAX bytes, which pump_queue() then may be given; NULL: no memory. */
char *pump_queue_room(struct pump *p);

/* Sends what can be sent; drops the queue when all have it. */
void pump_send(struct pump *p);

/* Writes input to the process as far as it takes it. */
void pump_feed(struct pump *p);

/* Closes the way to the process, or for a terminal types the end of file. */
void pump_close_input(struct pump *p);

/* Works until the process has ended; its wait status. */
int pump_run(struct pump *p);

/* Reads what the process has left behind, without waiting for more, then closes the streams. */
void pump_drain(struct pump *p);

/* Serves those that still wait for being accepted, tells all clients the end and waits until they have read
 * everything or left; an end that is not @known is not told. When that may take long it is done by a process of its own. */
void pump_finish(struct pump *p, const struct ending *ending, bool known);

#endif
