/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage-try: the order in which all is done, and the processes it is done in. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/audit/try/try.h"

#ifndef SYS_close_range
#define SYS_close_range	436		/* the same on every architecture; Linux 5.9 */
#endif
#define MOMENT_MS	5000		/* of one attempt */
#define JOIN_SESSION	1		/* KEYCTL_JOIN_SESSION_KEYRING */

/* ---- the answer -------------------------------------------------------------------------------------- */

static char *add(char *at, const char *end, const char *text)
{
	size_t length = strlen(text), room = (size_t)(end - at);

	memcpy(at, text, length < room ? length : room);
	return at + (length < room ? length : room);
}

void try_number(char *at, uint32_t number, const char *after)
{
	char digits[16] = "", *digit = digits + sizeof(digits) - 1;

	do
		*--digit = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	memcpy(at, digit, strlen(digit) + 1);
	memcpy(at + strlen(digit), after, strlen(after) + 1);
}

void try_answer(const char *name, int kind, int number)
{
	static const char *const kinds[] = { " works ", " errno ", " signal ", " late " };
	char line[512], digits[16], *at = line;
	const char *end = line + sizeof(line);

	try_number(digits, (uint32_t)number, "\n");
	at = add(at, end, name);
	at = add(at, end, kinds[kind]);
	at = add(at, end, digits);
	(void)!write(TRY_ANSWER_FD, line, (size_t)(at - line));
}

/* ---- attempts ---------------------------------------------------------------------------------------- */

/* What the child has come to; 1 while it has not. */
static volatile int *new_result(void)
{
	int *result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return result == MAP_FAILED ? NULL : result;
}

/* Waits for the end of @pid; a child that does not end in time is ended, and left alone if even that takes time. */
static int wait_for(pid_t pid, int *ret_status)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd end = { .fd = fd, .events = POLLIN };
	int late = fd < 0 || poll(&end, 1, MOMENT_MS) <= 0;

	if (late) {
		kill(pid, SIGKILL);
		if (fd >= 0)
			poll(&end, 1, MOMENT_MS);
	}
	if (waitpid(pid, ret_status, WNOHANG | __WALL) <= 0)
		*ret_status = 0;
	if (fd >= 0)
		close(fd);
	return late;
}

int try_apart(int (*run)(void *data), void *data, int *ret_number)
{
	volatile int *result = new_result();
	int status = 0, late, kind;
	pid_t pid;

	*ret_number = ENOMEM;
	if (!result)
		return TRY_ERRNO;
	*result = 1;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		*result = run(data);
		_exit(0);
	}
	*ret_number = errno;
	late = pid > 0 && wait_for(pid, &status);
	kind = pid < 0 ? TRY_ERRNO : late ? TRY_LATE : WIFSIGNALED(status) ? TRY_SIGNAL : *result == 0 ? TRY_WORKS : TRY_ERRNO;
	if (pid > 0)
		*ret_number = kind == TRY_SIGNAL ? WTERMSIG(status) : kind == TRY_ERRNO ? -*result : 0;
	munmap((void *)(uintptr_t)result, sizeof(*result));
	return kind;
}

struct trial {
	const struct try_scene *scene;
	const struct try_attempt *attempt;
	volatile int *bound;		/* what taking over the policy has come to */
};

static int run_trial(void *data)
{
	const struct trial *t = data;
	int r = 0;

	if (t->attempt->own_mounts && (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0))
		r = -errno;
	if (r == 0)
		r = try_policy(t->scene->plan, t->scene->filters);
	*t->bound = r;
	return r < 0 ? r : t->attempt->run(t->scene, t->attempt->data);
}

/* Without the policy nothing is said of what it lets through. */
static int attempt(const struct try_scene *scene, const struct try_attempt *attempt)
{
	struct trial trial = { scene, attempt, new_result() };
	int number = 0, kind, bound = -ENOMEM;

	if (!trial.bound)
		return bound;
	*trial.bound = -EINTR;
	kind = try_apart(run_trial, &trial, &number);
	bound = *trial.bound;
	munmap((void *)(uintptr_t)trial.bound, sizeof(*trial.bound));
	if (bound == 0)
		try_answer(attempt->name, kind, number);
	return bound;
}

static int nothing(const struct try_scene *scene, const void *data)
{
	(void)scene;
	(void)data;
	return 0;
}

static int open_node(const struct try_scene *scene, const void *path)
{
	(void)scene;
	return try_open_node(path);
}

static void try_all(const struct try_scene *scene)
{
	const struct try_attempt policy = { .name = "policy", .run = nothing };
	int r = attempt(scene, &policy);

	if (r < 0) {
		try_answer("policy", TRY_ERRNO, -r);
		return;
	}
	for (const struct try_attempt *row = try_calls; row->name; row++)
		attempt(scene, row);
	for (const struct try_attempt *row = try_files; row->name; row++)
		attempt(scene, row);
	for (const char *path = scene->plan->devices; *path; path += strlen(path) + 1) {
		const struct try_attempt device = { .name = path, .run = open_node, .data = path };

		attempt(scene, &device);
	}
	try_answer("done", TRY_WORKS, 0);
}

/* ---- outside ------------------------------------------------------------------------------------------ */

/* The serial of the user's keyring in /proc/keys, negative; asking the kernel for it would make one. */
static int find_keyring(void *data)
{
	const struct try_plan *plan = data;
	char text[65536], name[32] = "_uid.";
	int fd, r = TRY_NO_KEYRING;
	size_t length = 0;
	ssize_t n;

	try_number(name + strlen(name), plan->host_uid, ":");
	if (setresuid(plan->host_uid, plan->host_uid, plan->host_uid) < 0 || (fd = open("/proc/keys", O_RDONLY | O_CLOEXEC)) < 0)
		return TRY_NO_KEYRING;
	while (length < sizeof(text) - 1 && (n = read(fd, text + length, sizeof(text) - 1 - length)) > 0)
		length += (size_t)n;
	text[length] = '\0';
	for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		if (strstr(line, name))
			r = -(int)strtoul(line, NULL, 16);
	}
	return r;
}

/* A terminal of the host that nobody but us has; it goes when its master is closed. */
static int new_terminal(void)
{
	int unlock = 0, master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return -1;
	return ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
}

static void look_for_filters(struct try_scene *scene)
{
	struct try_filters *filters = NULL;
	int asks = 0, r = scene->plan->pid ? try_filters_take(scene->plan->pid, &filters, &asks) : 0;

	scene->filters = filters;
	try_answer("filters", r < 0 ? TRY_ERRNO : TRY_WORKS, r < 0 ? -r : asks);
}

static int read_plan(struct try_plan *plan)
{
	size_t done = 0;

	while (done < sizeof(*plan)) {
		ssize_t n = read(TRY_PLAN_FD, (char *)plan + done, sizeof(*plan) - done);

		if (n <= 0)
			return -1;
		done += (size_t)n;
	}
	plan->devices[sizeof(plan->devices) - 1] = plan->devices[sizeof(plan->devices) - 2] = '\0';
	return plan->size == sizeof(*plan) && plan->n_groups <= TRY_GROUPS ? 0 : -1;
}

/* A pid namespace is that of the next child only. */
static void go_inside(const struct try_scene *scene)
{
	int r = try_enter(scene->plan), status;
	pid_t pid = r == 0 ? fork() : -1;

	if (pid < 0)
		try_answer("policy", TRY_ERRNO, r < 0 ? -r : errno);
	if (pid != 0) {
		while (pid > 0 && waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
			;
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	alarm(TRY_LIFE_S);
	setsid();
	try_all(scene);
	_exit(0);
}

static void prepare_signals(void)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		sigaction(i, &standard, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	alarm(TRY_LIFE_S);
}

int main(void)
{
	struct try_plan plan;
	struct try_scene scene = { .plan = &plan, .terminal = -1, .files = -1 };
	int serial = 0;

	prctl(PR_SET_NAME, "moorage-try", 0, 0, 0);
	prepare_signals();
	syscall(SYS_close_range, TRY_IMAGE_FD, ~0U, 0);
	scene.files = try_files_new();
	if (scene.files >= 0)
		try_rules_prepare(scene.files);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || write(TRY_PLAN_FD, "", 1) != 1 || read_plan(&plan) < 0)
		return EXIT_FAILURE;
	if (try_apart(find_keyring, &plan, &serial) == TRY_ERRNO)
		scene.keyring = (uint32_t)serial;
	/* Our keys are nobody's inside. */
	syscall(SYS_keyctl, JOIN_SESSION, NULL);
	look_for_filters(&scene);
	scene.terminal = new_terminal();
	if (scene.files >= 0)
		try_rules(scene.files);
	go_inside(&scene);
	return EXIT_SUCCESS;
}
