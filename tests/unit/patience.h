/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_PATIENCE_H
#define TESTS_PATIENCE_H

/* Waiting for what must come, on a machine that may be busy with something else. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <unistd.h>
#include <cmocka.h>

#include "core/util/proc.h"

#define PATIENCE_MS	30000

/* Waits until @condition is true; the test fails when it does not come. */
#define WAIT_FOR(condition)									\
	do {											\
		int64_t end_ = time_monotonic_ms() + PATIENCE_MS;				\
		while (!(condition)) {								\
			if (time_monotonic_ms() > end_)						\
				fail_msg("did not come in %d s: %s", PATIENCE_MS / 1000, #condition);	\
			usleep(1000);								\
		}										\
	} while (0)

#endif
