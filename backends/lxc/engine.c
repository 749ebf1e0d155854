/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is asked of liblxc itself. */

#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "lxc.h"

#include "core/util/fd.h"
#include "core/util/library.h"

#define SYMBOL(function)	LIBRARY_SYMBOL(struct lxc_api, function)

int lxc_api_load(struct lxc_api *ret, struct mrg_error *err)
{
	static const struct library_symbol symbols[] = {
		SYMBOL(lxc_container_new), SYMBOL(lxc_container_put), SYMBOL(lxc_get_version), { NULL, 0 }
	};

	return library_open("liblxc.so.1", "lxc", symbols, ret, err);
}

int lxc_engine_open(const struct lxc_place *place, struct lxc_engine *ret, struct mrg_error *err)
{
	int r = lxc_api_load(&ret->api, err);

	if (r < 0)
		return r;
	ret->c = ret->api.lxc_container_new(place->name, place->path);
	if (ret->c)
		return 0;
	mrg_error_set(err, -MRG_E_INVALID, "LXC cannot read '%s/%s/" LXC_CONFIG "'", place->path, place->name);
	return mrg_error_hint(err, "lxc-info -P %s -n %s -l debug -o /dev/stderr", place->path, place->name);
}

void lxc_engine_close(struct lxc_engine *engine)
{
	if (engine->c)
		engine->api.lxc_container_put(engine->c);
	engine->c = NULL;
}

static int open_of(const struct mrg_unit *unit, struct lxc_engine *ret, struct mrg_error *err)
{
	struct lxc_place place;
	int r = lxc_place_of(unit, &place, err);

	return r < 0 ? r : lxc_engine_open(&place, ret, err);
}

static int not_running(const struct mrg_unit *unit, struct mrg_error *err)
{
	return mrg_error_set(err, -MRG_E_NOT_RUNNING, "'%s' does not run", unit->name);
}

/* One that has no cgroup of its own is no matter for LXC's freezer. */
static int check_freezer(const struct mrg_unit *unit, struct mrg_error *err)
{
	_cleanup_running_ struct lxc_running running = LXC_RUNNING_INIT;
	int r = lxc_running_open(unit, &running, err);

	if (r < 0 || running.unit.cgroup)
		return r;
	/* Says why. */
	return mrg_helper_cgroup_pause(NULL, &running.unit, err);
}

#define THAW_LOOK_MS	100
#define THAW_LOOKS	100

static bool has_ended(const struct mrg_unit *unit)
{
	int state = lxc_state(NULL, unit, NULL);

	return state == MRG_STATE_CREATED || state == MRG_STATE_STOPPED;
}

/* With cgroup v2 LXC waits for ever to see a cgroup thawed that is gone, the end that waited for it having come. So a child of ours waits. */
static bool thaw(struct lxc_container *c, const struct mrg_unit *unit)
{
	struct pollfd child = { .fd = -1, .events = POLLIN };
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(c->unfreeze(c) ? EXIT_SUCCESS : EXIT_FAILURE);
	if (pid < 0)
		return c->unfreeze(c);
	child.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	for (int i = 0; i < THAW_LOOKS && poll(&child, 1, THAW_LOOK_MS) == 0 && !has_ended(unit); i++)
		;
	/* Of one that has told how it went nothing is left to kill. */
	kill(pid, SIGKILL);
	fd_close(child.fd);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

/* 1: it is so already. LXC's own way, since its tools believe what its monitor was told. */
static int change(const struct mrg_unit *unit, int already, const char *what, struct mrg_error *err)
{
	_cleanup_engine_ struct lxc_engine engine = { .c = NULL };
	int state = lxc_state(NULL, unit, err), after, r;

	if (state < 0 || state == already)
		return state < 0 ? state : 1;
	if (state != MRG_STATE_RUNNING && state != MRG_STATE_PAUSED)
		return not_running(unit, err);
	r = lxc_is_user() ? check_freezer(unit, err) : 0;
	if (r == 0)
		r = open_of(unit, &engine, err);
	if (r < 0)
		return r;
	if (already == MRG_STATE_PAUSED ? engine.c->freeze(engine.c) : thaw(engine.c, unit))
		return 0;
	/* Thawed and gone before LXC could see it so, the end that waited for it having come. */
	after = lxc_state(NULL, unit, err);
	if (state == MRG_STATE_PAUSED && after >= 0 && after != MRG_STATE_PAUSED)
		return 0;
	if (after == MRG_STATE_CREATED || after == MRG_STATE_STOPPED)
		return not_running(unit, err);
	return mrg_error_set(err, -EIO, "LXC cannot %s '%s'", what, unit->name);
}

int lxc_pause(void *self _unused_, const struct mrg_unit *unit, struct mrg_error *err)
{
	return change(unit, MRG_STATE_PAUSED, "freeze", err);
}

int lxc_resume(void *self _unused_, const struct mrg_unit *unit, struct mrg_error *err)
{
	return change(unit, MRG_STATE_RUNNING, "thaw", err);
}

void lxc_make_raw(int terminal)
{
	struct termios settings;

	if (tcgetattr(terminal, &settings) < 0)
		return;
	cfmakeraw(&settings);
	tcsetattr(terminal, TCSANOW, &settings);
}

/* LXC keeps the terminal for us as long as the descriptor that it gives first is open: it lives as long as this monitor. */
int lxc_console(void *self _unused_, const struct mrg_unit *unit, int *ret_fd, struct mrg_error *err)
{
	_cleanup_engine_ struct lxc_engine engine = { .c = NULL };
	int number = 0, master = -1;
	int r = open_of(unit, &engine, err);

	if (r < 0)
		return r;
	r = engine.c->console_getfd(engine.c, &number, &master);
	if (r < 0 || master < 0) {
		mrg_error_set(err, -MRG_E_UNSUPPORTED, "'%s' has no console, or somebody uses it already", unit->name);
		return mrg_error_hint(err, "it needs a configuration without 'lxc.console.path = none'");
	}
	fd_cloexec(r, true);
	lxc_make_raw(master);
	*ret_fd = master;
	return 0;
}
