/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moorage wait: until it does not run; prints the exit status. Or until it is in one of some states. */

#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/text.h"
#include "core/util/proc.h"

#define POLL_NS	20000000L

static bool is_wanted(const char *states, const char *state)
{
	for (size_t length; *states; states += length + (states[length] == ',')) {
		length = strcspn(states, ",");
		if (length == strlen(state) && strncasecmp(states, state, length) == 0)
			return true;
	}
	return false;
}

static int check_states(struct cli *cli)
{
	for (const char *word = cli->states; word && *word;) {
		size_t length = strcspn(word, ",");
		bool known = false;

		for (int state = MRG_STATE_CREATED; state <= MRG_STATE_STOPPED; state++)
			known |= strlen(state_name(state)) == length && strncasecmp(word, state_name(state), length) == 0;
		if (!known)
			return cli_usage(cli, "states are created, running, paused and stopped",
					 "option '--state': there is no state '%.*s'", (int)length, word);
		word += length + (word[length] == ',');
	}
	return cli->states && !*cli->states ? cli_usage(cli, NULL, "option '--state' needs a state") : 0;
}

/* No engine tells of every change: we look again and again. */
static int wait_for_state(struct cli *cli, struct mrg_container *c, int timeout, struct mrg_error *err)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	int64_t end = timeout < 0 ? INT64_MAX : time_monotonic_ms() + timeout;
	struct mrg_status status;
	int r;

	for (;;) {
		r = mrg_container_status(c, &status, err);
		if (r < 0)
			return r;
		if (is_wanted(cli->states, state_name(status.state)))
			return 0;
		if (time_monotonic_ms() >= end)
			break;
		nanosleep(&pause, NULL);
	}
	cli_note(cli, "'%s' is %s", mrg_container_name(c), state_name(status.state));
	return 1;
}

static int wait_one(struct cli *cli, struct mrg_container *c, struct mrg_error *err)
{
	struct mrg_status status;
	int timeout = cli_duration(cli, "--time", cli->time), r;

	if (cli->states)
		return wait_for_state(cli, c, timeout, err);
	r = mrg_wait(c, timeout, &status, err);
	if (r == -MRG_E_TIMEOUT) {
		cli_note(cli, "'%s' still runs", mrg_container_name(c));
		return 1;
	}
	if (r < 0)
		return r;
	if (status.has_exit)
		printf("%d\n", mrg_exit_code(status.exit_status));
	else
		puts("-1");
	return 0;
}

int cmd_wait(struct cli *cli)
{
	if (check_states(cli) != 0 || cli_duration(cli, "--time", cli->time) < -1)
		return 2;
	return cli_each(cli, wait_one);
}
