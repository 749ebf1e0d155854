/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_PROTOCOL_H
#define CORE_PROTOCOL_H

/*
 * Between a monitor and its clients: SOCK_SEQPACKET, one message one event, a type byte and a payload.
 *
 * A new monitor waits for its ORDER on the inherited socket and answers with VERDICT; HELLO when a client is served (terminal or not), output, and
 * EXIT last. A client that connects sends HELLO first. Input is not read from a client while the process does not take
 * it, so a session has a second connection, which watches, for what must not wait behind input: RESIZE and SIGNAL.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum message_type {
	MESSAGE_VERDICT = 1,		/* struct mrg_error; code 0: started */
	MESSAGE_HELLO,			/* struct hello */
	MESSAGE_STDOUT,			/* bytes */
	MESSAGE_STDERR,
	MESSAGE_STDIN,
	MESSAGE_STDIN_END,		/* nothing */
	MESSAGE_RESIZE,			/* struct resize */
	MESSAGE_SIGNAL,			/* int32_t, 1-64 */
	MESSAGE_EXIT,			/* struct ending */
	MESSAGE_ORDER,			/* to a new monitor: one byte, enum order, and its descriptors */
};

/* ORDER_OPEN says that an exec in this container follows, and is not answered: what can be read before is read while the client still looks. */
enum order { ORDER_START, ORDER_OPEN, ORDER_EXEC, ORDER_CONSOLE, ORDER_MAX };

/* The descriptors of an order; -1: none. */
struct order_fds {
	int dir;			/* the directory of the container */
	int request;			/* exec only: exec_request.h */
};

struct hello {
	uint8_t watch;			/* of a client: wants no output and gives no input */
	uint8_t terminal;		/* of the monitor */
};

struct resize {
	uint16_t rows, columns;
};

struct ending {
	int32_t status;			/* wait(2) status word */
	uint8_t oom_killed;
};

#define MESSAGE_MAX	(32 * 1024)	/* of the payload */

struct message {
	uint8_t type;
	char payload[MESSAGE_MAX];
};

/* Sends without blocking. 0, -EAGAIN when the socket is full, or another negative errno; never raises SIGPIPE. */
int protocol_send(int fd, uint8_t type, const void *payload, size_t length);

/* Receives one message into @ret: the length of its payload, checked to be one the type can have; -EAGAIN: there is none
 * (only unless @wait), -ENOTCONN: the other side is gone, -EBADMSG: rubbish. */
ssize_t protocol_receive(int fd, struct message *ret, bool wait);

/* Whether the process at the other end may give orders here: ours or root's. */
bool protocol_peer_is_allowed(int fd);

/* Gives a new monitor its order. 0 or a negative errno. */
int protocol_send_order(int fd, enum order order, const struct order_fds *fds);

/* Waits for it: an enum order, -ENOTCONN when nobody will give one any more, -EBADMSG: rubbish. The caller takes the descriptors. */
int protocol_receive_order(int fd, struct order_fds *ret);

/* Descriptors the monitor is executed with. */
enum {
	MONITOR_FD_SESSION = 3,		/* the first client; orders come here */
	MONITOR_FD_CONTROL,		/* of the same client, watching */
	MONITOR_FD_END,
};
#define MONITOR_FDS	(MONITOR_FD_END - MONITOR_FD_SESSION)

#endif
