/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef BACKEND_LXC_PAYLOAD_H
#define BACKEND_LXC_PAYLOAD_H

/* What is handed to moorage-init, which runs in front of the commands of our own containers and of commands that LXC executes for us: LXC has no exact
 * verdict, no exact exit status, no users by name and no filter like ours. */

#include "lxc.h"

enum {
	LXC_PAYLOAD_REPORT,		/* a socket, with the write end of the pipe in it */
	LXC_PAYLOAD_STATUS,
	LXC_PAYLOAD_TERMINAL,		/* a socket */
	LXC_PAYLOAD_ENVIRONMENT,
	LXC_PAYLOAD_FILTER,
	LXC_PAYLOAD_SYSCTLS,
	LXC_PAYLOAD_MOUNTS,
	LXC_PAYLOAD_GATE,		/* read end of a pipe: it waits for a byte */
	LXC_PAYLOAD_IMAGE,		/* moorage-init itself */
	LXC_PAYLOAD_MAX
};

struct lxc_payload {
	char **args;			/* moorage-init with all it is told; NULL: what the configuration says */
	int fd[LXC_PAYLOAD_MAX];	/* -1: not needed */
	int report;			/* read end of the pipe */
	int terminal;			/* our end of the socket; -1: LXC makes the terminal, or there is none */
	int gate;			/* write end of the pipe; -1: there is none */
};
#define LXC_PAYLOAD_INIT	{ .fd = { -1, -1, -1, -1, -1, -1, -1, -1, -1 }, .report = -1, .terminal = -1, .gate = -1 }

#define LXC_PAYLOAD_IMAGE_FD	(MRG_INIT_MOUNTS_FD + 1)	/* where moorage-init is in the child */

struct lxc_payload_request {
	const struct mrg_unit *unit;
	const struct mrg_command *command;	/* NULL: the first process */
	int root;			/* whose users they are */
	bool terminal;			/* moorage-init makes one */
	bool gate;			/* it waits for us before the command */
};

int lxc_payload_prepare(const struct lxc_payload_request *request, struct lxc_payload *ret, struct mrg_error *err);
void lxc_payload_deinit(struct lxc_payload *payload);

/* In the parent of a child that has begun: 0 once moorage-init runs, 1 when it never did. */
int lxc_payload_await(struct lxc_payload *payload);

/* Then: opens the gate, and 0 once the command has been executed, or the error that moorage-init tells; 1 when it has died before. */
int lxc_payload_hear(struct lxc_payload *payload, struct mrg_error *err);

/* In the child: gives the descriptors their numbers, and LXC their count. */
int lxc_payload_place(const struct lxc_payload *payload, struct mrg_error *err);

/* flags.c: memory that tells moorage-init what to do to mounts; -1: nothing. A spec without the flags that LXC leaves out. */
int lxc_flags_write(const struct mrg_spec *spec, int *ret, struct mrg_error *err);
void lxc_flags_strip(struct mrg_spec *spec);

/* Whether moorage-init sees to what is hidden or read-only. */
bool lxc_hides(const struct mrg_spec *spec);

/* 0 or a negative errno. */
int lxc_send_descriptor(int socket, int fd);

#endif
