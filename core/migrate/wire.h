/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIGRATE_WIRE_H
#define MIGRATE_WIRE_H

/*
 * What two hosts say to each other while a container moves from one to the other: the greeting of the one that receives, a line, and then frames: a
 * type, four bytes of length, and that many bytes: one JSON object, or a piece of an archive (an empty one is its end). Every request has one answer. Neither
 * side believes the other: what is too long or does not fit is an error.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <moorage/error.h>

#include "core/util/json.h"

#define WIRE_GREETING	"moorage receive 1"
#define WIRE_CHUNK	(128 * 1024)
#define WIRE_MESSAGE_MAX JSON_MAX_SIZE

/* A request, or an answer. What is not said is NULL or 0. Lists are lines. */
struct wire_message {
	const char *op;			/* of a request: receive.c */
	int code;			/* of an answer: a negative errno or -MRG_E_* */
	const char *error;
	const char *id;			/* of the migration, and the container it makes */
	const char *name, *backend, *path;	/* the container, where its engine keeps it */
	const char *from;		/* the source's backend */
	const char *key;		/* of an archive: a digest of what it holds */
	const char *digest;		/* SHA-256 of bytes of the archive */
	int64_t bytes;			/* how many of them; of a root */
	const char *spec, *before;	/* JSON of the target's and of the source's spec */
	const char *accept, *devices, *fields;	/* lists */
	const char *home;		/* where the root will be */
	const char *health;		/* command */
	int timeout_ms;
	bool finished, found, running, kept;
	bool mapped;			/* the container gets users of its own */
	bool filtered, no_new_privs, root_is_root;	/* how it is confined */
	int64_t shared, caps;
};

struct wire {
	int in, out;			/* not owned */
	bool cut;			/* nothing more can be said: the connection is gone, or not understood */
	struct json *json;		/* of the last message, which its texts borrow from */
	char *text;
	int (*idle)(void *data);	/* called several times a second while an answer is waited for; negative: given up with that code; may be NULL */
	void *data;
};

/* Greets; waits for the greeting. */
int wire_greet(struct wire *w, struct mrg_error *err);
int wire_expect_greeting(struct wire *w, struct mrg_error *err);

int wire_send(struct wire *w, const struct wire_message *message, struct mrg_error *err);

/* 1, or 0 when the other side has no more to say. Texts of @ret live until the next call. */
int wire_receive(struct wire *w, struct wire_message *ret, struct mrg_error *err);

/* A piece of an archive, at most WIRE_CHUNK bytes: an empty one is its end. */
int wire_send_piece(struct wire *w, const void *data, size_t length, struct mrg_error *err);
ssize_t wire_receive_piece(struct wire *w, void *buffer, struct mrg_error *err);
void wire_deinit(struct wire *w);

#endif
