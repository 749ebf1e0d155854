/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames between two hosts. */

#include "config.h"

#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/migrate/wire.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/json_table.h"

#define FRAME_MESSAGE	'm'
#define FRAME_PIECE	'p'
#define HEADER_SIZE	5
#define GREETING_MAX	256
#define IDLE_MS		200

#define ROW(type, member)	{ #member, JSON_ROW_##type, offsetof(struct wire_message, member), true }

static const struct json_row rows[] = {
	ROW(TEXT, op), ROW(INT, code), ROW(TEXT, error), ROW(TEXT, id), ROW(TEXT, name), ROW(TEXT, backend), ROW(TEXT, path), ROW(TEXT, from),
	ROW(TEXT, key), ROW(TEXT, digest), ROW(INT64, bytes), ROW(TEXT, spec), ROW(TEXT, before), ROW(TEXT, accept), ROW(TEXT, devices),
	ROW(TEXT, fields), ROW(TEXT, home), ROW(TEXT, health), ROW(INT, timeout_ms), ROW(BOOL, finished), ROW(BOOL, found), ROW(BOOL, running),
	ROW(BOOL, kept), ROW(BOOL, mapped), ROW(BOOL, filtered), ROW(BOOL, no_new_privs), ROW(BOOL, root_is_root), ROW(INT64, shared), ROW(INT64, caps),
	{ NULL, 0, 0, false }
};

static int cut(struct wire *w, int code, struct mrg_error *err)
{
	w->cut = true;
	return fail_errno(err, code, "the connection is broken");
}

static int rubbish(struct wire *w, const char *what, struct mrg_error *err)
{
	w->cut = true;
	return mrg_error_set(err, -EPROTO, "the other side says what is not understood: %s", what);
}

/* ---- bytes --------------------------------------------------------------------------------- */

/* Without a signal to this process when nobody reads any more. */
static ssize_t write_quietly(int fd, const void *data, size_t length)
{
	ssize_t n = send(fd, data, length, MSG_NOSIGNAL);
	sigset_t pipe, old, pending;
	int saved;

	if (n >= 0 || errno != ENOTSOCK)
		return n;
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &pipe, &old);
	n = write(fd, data, length);
	saved = errno;
	if (n < 0 && saved == EPIPE && !sigismember(&pending, SIGPIPE))
		sigtimedwait(&pipe, NULL, &(struct timespec){ 0 });
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = saved;
	return n;
}

static int write_all(struct wire *w, const void *data, size_t length, struct mrg_error *err)
{
	const char *at = data;

	while (length > 0) {
		ssize_t n = write_quietly(w->out, at, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cut(w, -errno, err);
		at += n;
		length -= (size_t)n;
	}
	return 0;
}

/* Waits for something to read. */
static int wait_for_input(struct wire *w, struct mrg_error *err)
{
	struct pollfd p = { .fd = w->in, .events = POLLIN };
	int r = 0;

	while (w->idle && r == 0 && poll(&p, 1, IDLE_MS) == 0)
		r = w->idle(w->data);
	return r < 0 ? mrg_error_set(err, r, "it was broken off") : 0;
}

/* Exactly @length bytes: 1; 0 when there is an end before the first. */
static int read_all(struct wire *w, void *data, size_t length, struct mrg_error *err)
{
	size_t got = 0;

	while (got < length) {
		int r = wait_for_input(w, err);
		ssize_t n = r < 0 ? 0 : read(w->in, (char *)data + got, length - got);

		if (r < 0)
			return r;
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0 && got == 0)
			return 0;
		if (n <= 0)
			return cut(w, n < 0 ? -errno : -ECONNRESET, err);
		got += (size_t)n;
	}
	return 1;
}

/* ---- the greeting ---------------------------------------------------------------------------- */

int wire_greet(struct wire *w, struct mrg_error *err)
{
	return write_all(w, WIRE_GREETING "\n", strlen(WIRE_GREETING) + 1, err);
}

/* A shell there may talk first: then nothing that follows can be told from what it says. */
int wire_expect_greeting(struct wire *w, struct mrg_error *err)
{
	char line[GREETING_MAX + 1];
	size_t length = 0;
	int r;

	do {
		r = read_all(w, &line[length], 1, err);
		if (r <= 0) {
			w->cut = true;
			return r < 0 ? r : mrg_error_set(err, -ECONNRESET, "the connection ends before moorage has answered there");
		}
	} while (line[length] != '\n' && ++length < GREETING_MAX);
	line[length] = '\0';
	if (strcmp(line, WIRE_GREETING) == 0)
		return 0;
	w->cut = true;
	mrg_error_set(err, -EPROTO, "the other host says '%.80s', and not '" WIRE_GREETING "'", line);
	return mrg_error_hint(err, "its shell must print nothing for commands, and its moorage must be of a version like this one"), -EPROTO;
}

/* ---- frames ------------------------------------------------------------------------------------ */

static int send_frame(struct wire *w, char type, const void *data, size_t length, struct mrg_error *err)
{
	unsigned char header[HEADER_SIZE] = { (unsigned char)type };
	uint32_t size = htobe32((uint32_t)length);
	int r;

	memcpy(header + 1, &size, sizeof(size));
	r = write_all(w, header, sizeof(header), err);
	return r < 0 ? r : write_all(w, data, length, err);
}

/* 1 with the length of what follows, or 0 at the end. */
static int receive_header(struct wire *w, char type, size_t max, size_t *ret, struct mrg_error *err)
{
	unsigned char header[HEADER_SIZE];
	uint32_t size;
	int r = read_all(w, header, sizeof(header), err);

	if (r <= 0)
		return r;
	memcpy(&size, header + 1, sizeof(size));
	*ret = be32toh(size);
	if (header[0] != (unsigned char)type)
		return rubbish(w, "another kind of frame", err);
	return *ret > max ? rubbish(w, "too much at once", err) : 1;
}

int wire_send_piece(struct wire *w, const void *data, size_t length, struct mrg_error *err)
{
	return send_frame(w, FRAME_PIECE, data, length, err);
}

ssize_t wire_receive_piece(struct wire *w, void *buffer, struct mrg_error *err)
{
	size_t length = 0;
	int r = receive_header(w, FRAME_PIECE, WIRE_CHUNK, &length, err);

	if (r > 0 && length > 0)
		r = read_all(w, buffer, length, err);
	else if (r > 0)
		return 0;
	return r == 0 ? cut(w, -ECONNRESET, err) : r < 0 ? r : (ssize_t)length;
}

int wire_send(struct wire *w, const struct wire_message *message, struct mrg_error *err)
{
	_cleanup_(buffer_deinit) struct buffer b = { 0 };
	int r = json_table_write(&b, rows, message);

	if (r < 0)
		return fail_errno(err, r, "what would be said to the other host is no text");
	if (b.failed)
		return fail_memory(err);
	if (b.length > WIRE_MESSAGE_MAX)
		return mrg_error_set(err, -EMSGSIZE, "a message to the other host is too long");
	return send_frame(w, FRAME_MESSAGE, b.text, b.length, err);
}

int wire_receive(struct wire *w, struct wire_message *ret, struct mrg_error *err)
{
	size_t length = 0;
	int r;

	wire_deinit(w);
	*ret = (struct wire_message){ 0 };
	r = receive_header(w, FRAME_MESSAGE, WIRE_MESSAGE_MAX, &length, err);
	if (r <= 0)
		return r;
	w->text = malloc(length + 1);
	if (!w->text)
		return fail_memory(err);
	r = length > 0 ? read_all(w, w->text, length, err) : 1;
	if (r <= 0)
		return r < 0 ? r : cut(w, -ECONNRESET, err);
	if (json_parse(w->text, length, &w->json, NULL) < 0 || w->json->type != JSON_OBJECT || json_table_read(w->json, rows, ret) < 0)
		return rubbish(w, "no message", err);
	return 1;
}

void wire_deinit(struct wire *w)
{
	w->json = json_free(w->json);
	free(w->text);
	w->text = NULL;
}
