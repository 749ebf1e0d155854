/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * moorage-measure: what 'moorage compare' runs inside containers. Static, so that it runs in any root.
 *
 *	stamp [FILE]		prints CLOCK_MONOTONIC of its first and of its last instruction, in ns
 *	wait NAME		stays until SIGTERM; NAME tells it from others in a list of processes
 *	ignore NAME		stays whatever signal comes
 *	nothing			ends
 *	work DIR		prints what it gets done: lines of a word and a number a second
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLICE_NS	UINT64_C(80000000)	/* how long each kind of work goes on */
#define BLOCK		(64 * 1024)
#define FILE_SIZE	(16 << 20)

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* To a file where standard output is a terminal of the engine's. */
static int stamp(uint64_t first, const char *path)
{
	int fd = path ? open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644) : STDOUT_FILENO, n;
	char text[64];

	n = snprintf(text, sizeof(text), "%llu %llu\n", (unsigned long long)first, (unsigned long long)now());
	return write(fd, text, (size_t)n) == n ? 0 : 1;
}

/* As the first process of a container it gets only signals that it has asked for. */
static int stay(bool heed)
{
	sigset_t all;
	int signo;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	do {
		if (sigwait(&all, &signo) != 0)
			return 1;
	} while (!heed || signo != SIGTERM);
	return 0;
}

/* ---- work --------------------------------------------------------------------------------------------- */

struct work {
	const char *self, *dir;
	char file[4096];
	int in, out;			/* ends of a pipe or a connection */
	char block[BLOCK];
};

/* Each does it some times and returns how often; 0: it cannot be done here. */
static uint64_t syscalls(struct work *w)
{
	(void)w;
	for (int i = 0; i < 1000; i++)
		syscall(SYS_getppid);
	return 1000;
}

static uint64_t forks(struct work *w)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execl(w->self, w->self, "nothing", (char *)NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static uint64_t files(struct work *w)
{
	char path[sizeof(w->file) + 16];
	struct stat st;

	for (int i = 0; i < 20; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s.%d", w->file, i);
		fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
		if (fd < 0)
			return 0;
		close(fd);
		if (stat(path, &st) < 0 || unlink(path) < 0)
			return 0;
	}
	return 20;
}

static bool make_file(struct work *w)
{
	int fd = open(w->file, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	bool good = fd >= 0;

	for (int i = 0; good && i < FILE_SIZE / BLOCK; i++)
		good = write(fd, w->block, BLOCK) == BLOCK;
	if (fd >= 0)
		close(fd);
	return good;
}

static uint64_t read_file(struct work *w)
{
	int fd = open(w->file, O_RDONLY | O_CLOEXEC);
	uint64_t sum = 0;
	ssize_t n;

	if (fd < 0)
		return 0;
	while ((n = read(fd, w->block, BLOCK)) > 0)
		sum += (uint64_t)n;
	close(fd);
	return sum;
}

/* What the other process writes. */
static uint64_t drain(struct work *w)
{
	ssize_t n = read(w->in, w->block, BLOCK);

	return n > 0 ? (uint64_t)n : 0;
}

static bool make_pipe(struct work *w)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	w->in = ends[0];
	w->out = ends[1];
	return true;
}

static bool make_connection(struct work *w)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval limit = { .tv_sec = 1 };
	socklen_t length = sizeof(address);
	int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	w->out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server < 0 || w->out < 0 || bind(server, (struct sockaddr *)&address, length) < 0 || listen(server, 1) < 0 ||
	    getsockname(server, (struct sockaddr *)&address, &length) < 0 || setsockopt(w->out, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
	    connect(w->out, (struct sockaddr *)&address, length) < 0)
		return false;
	w->in = accept4(server, NULL, NULL, SOCK_CLOEXEC);
	close(server);
	return w->in >= 0;
}

/* A process that writes as fast as it can until nobody reads. */
static pid_t begin_writer(struct work *w)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	pid_t pid = fork();

	if (pid == 0) {
		close(w->in);
		sigaction(SIGPIPE, &ignore, NULL);
		while (write(w->out, w->block, BLOCK) > 0)
			;
		_exit(0);
	}
	close(w->out);
	return pid;
}

static void measure(struct work *w, const char *name, uint64_t (*some)(struct work *w))
{
	uint64_t begin = now(), end = begin, count = 0, n = 1;

	while (n > 0 && end - begin < SLICE_NS) {
		n = some(w);
		count += n;
		end = now();
	}
	if (n > 0)
		printf("%s %.1f\n", name, (double)count * 1e9 / (double)(end - begin));
}

static void measure_stream(struct work *w, const char *name, bool (*make)(struct work *w))
{
	pid_t writer;

	if (!make(w))
		return;
	writer = begin_writer(w);
	if (writer > 0)
		measure(w, name, drain);
	close(w->in);
	if (writer > 0)
		waitpid(writer, NULL, 0);
}

static int work(const char *self, const char *dir)
{
	static struct work w;

	w.self = self;
	snprintf(w.file, sizeof(w.file), "%s/measure.%ld.%lld", dir, (long)getpid(), (long long)now());
	measure(&w, "syscalls", syscalls);
	measure(&w, "forks", forks);
	measure(&w, "files", files);
	if (make_file(&w))
		measure(&w, "read", read_file);
	unlink(w.file);
	measure_stream(&w, "pipe", make_pipe);
	measure_stream(&w, "loopback", make_connection);
	return fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	uint64_t first = now();
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "stamp") == 0)
		return stamp(first, argc > 2 ? argv[2] : NULL);
	if (strcmp(what, "nothing") == 0)
		return 0;
	if (strcmp(what, "wait") == 0 || strcmp(what, "ignore") == 0)
		return stay(*what == 'w');
	if (strcmp(what, "work") == 0 && argc == 3)
		return work(argv[0], argv[2]);
	fputs("usage: moorage-measure stamp [FILE] | nothing | wait NAME | ignore NAME | work DIR\n", stderr);
	return 2;
}
