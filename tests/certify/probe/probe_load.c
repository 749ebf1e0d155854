/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be used up: memory, processes, processor time. */

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

#define MEBIBYTE	(1024 * 1024L)
#define FORKS_MAX	1024

/* MEBIBYTES: allocated and touched. */
static void use_memory(const char *argument)
{
	size_t size = (size_t)(number(argument, NULL) * MEBIBYTE);
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		say_result(errno);
		return;
	}
	for (size_t i = 0; i < size; i += 4096)
		memory[i] = 1;
	munmap(memory, size);
	say("ok");
}

/* N: how many of N processes can live at once. */
static void use_processes(const char *argument)
{
	pid_t children[FORKS_MAX];
	long wanted = number(argument, NULL), n = 0;
	int code = 0;

	for (; n < wanted && n < FORKS_MAX; n++) {
		children[n] = fork();
		if (children[n] < 0) {
			code = errno;
			break;
		}
		if (children[n] == 0) {
			pause();
			_exit(0);
		}
	}
	for (long i = 0; i < n; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	say("%ld ", n);
	say_result(code);
}

static int64_t milliseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* MILLISECONDS: computes for as long and tells the time on the processor in percent. */
static void use_processor(const char *argument)
{
	int64_t wanted = number(argument, NULL), begin = milliseconds(CLOCK_MONOTONIC);
	int64_t used = milliseconds(CLOCK_PROCESS_CPUTIME_ID);

	while (milliseconds(CLOCK_MONOTONIC) - begin < wanted)
		;
	used = milliseconds(CLOCK_PROCESS_CPUTIME_ID) - used;
	say("%lld", (long long)(used * 100 / (wanted > 0 ? wanted : 1)));
}

const struct word load_words[] = {
	{ "alloc", use_memory }, { "forks", use_processes }, { "spin", use_processor },
	{ NULL, NULL }
};
