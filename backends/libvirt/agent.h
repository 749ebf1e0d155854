/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef LIBVIRT_AGENT_H
#define LIBVIRT_AGENT_H

/*
 * The program moorage-libvirt, which alone loads libvirt's client library, and what the plugin says to it.
 *
 * That library waits for its daemon without a deadline unless the process gives it an event loop, of which there can be one for all users of the
 * library in it; it also has one error handler for all, prints where there is none, and leaves 9 MB in memory. None of this may happen to a program
 * that uses libmoorage, and the memory not to a monitor. So the library lives in a process of its own, which serves one instance of the
 * plugin over a socket and ends with it. It has an alarm clock instead of an event loop.
 *
 * A request is a struct agent_request, sent with the descriptors it passes, and @length bytes of text; the answer the same way.
 *
 * It goes on with what it has begun when the plugin's process is killed, and takes back what nobody can use. Who removes a container waits for that: what
 * makes something holds a lock, the last of the descriptors, until it is done (libvirt_hold()).
 */

#include <stdint.h>

#include <moorage/error.h>

#define AGENT_PROGRAM		"moorage-libvirt"
#define AGENT_SOCKET		3		/* its descriptor of the socket; its argument is the URI */
#define AGENT_NAME_SIZE		256
#define AGENT_TEXT_MAX		(4U << 20)
#define AGENT_FDS_MAX		8

enum agent_op {
	AGENT_VERSION,			/* value: of the daemon, 1000000 * major + 1000 * minor + release */
	AGENT_XML,			/* text: the definition of @name, or of a transient domain what it is made of */
	AGENT_DEFINE,			/* @text, with the lock */
	AGENT_UNDEFINE,			/* @name */
	AGENT_START,			/* @name, as it is defined */
	AGENT_CREATE,			/* @text, for one life, with the descriptors and the lock */
	AGENT_DESTROY,			/* @name */
	AGENT_SUSPEND, AGENT_RESUME,	/* @name */
	AGENT_AUTOSTART,		/* @name, @argument 0 or 1 */
	AGENT_OP_MAX
};

struct agent_request {
	uint32_t op;			/* enum agent_op */
	int32_t argument;
	uint32_t length;		/* of the text that follows */
	char name[AGENT_NAME_SIZE];
};

struct agent_answer {
	struct mrg_error error;		/* code 0: it was done */
	int32_t value;
	uint32_t length;		/* of the text that follows */
};

#endif
