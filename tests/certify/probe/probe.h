/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef PROBE_H
#define PROBE_H

/*
 * moorage-probe WORD[:ARGUMENT]...: what a container looks like from inside.
 *
 * Every word is one observation and prints one line "WORD[:ARGUMENT]=VALUE", in order; bytes that are not printable come out as \xNN. It
 * is static and needs nothing of the root it runs in, and it asks the kernel by system calls wherever there is one, so that it
 * sees the same with and without a /proc. Executed as "init" it plays the init system of a root.
 */

#include <stddef.h>

/* A word's observation. @argument: what stands behind the colon, "" when nothing does. */
struct word {
	const char *name;
	void (*observe)(const char *argument);
};

/* Each ended by a NULL name. */
extern const struct word process_words[];	/* ids, limits, capabilities, signals */
extern const struct word file_words[];		/* files, mounts, devices, network interfaces */
extern const struct word load_words[];		/* memory, processes, processor */
extern const struct word life_words[];		/* streams, signals, the end */

/* Adds to the line of the current word; printable text, a format, and bytes as they are. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_bytes(const char *data, size_t length);

/* Writes the line of the current word out now: for words that end the process or wait. */
void say_end(void);

/* "ok" for 0, else the name of the errno. */
void say_result(int code);

/* All of stdout that was said before must be out when a process is killed; what is written elsewhere goes straight out. */
void put(int fd, const char *text);

/* The system's init, argv[0] "init": tells its pid, waits for the signal to halt, SIGPWR or SIGTERM, ends with 0. */
int play_init(void);

/* The number that @text begins with; the rest behind a colon in *ret_rest (may be NULL), "" when there is none. */
long number(const char *text, const char **ret_rest);

#endif
