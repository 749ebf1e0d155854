/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MOUNT_FIXTURE_H
#define MOUNT_FIXTURE_H

/* A spec whose root is made for the test, for what mounts in it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/helper/root.h"
#include "tests/unit/root_fixture.h"

struct fixture {
	struct root_fixture f;
	struct mrg_spec *spec;
	struct mrg_unit unit;
	struct mrg_error err;
};

int mount_fixture_setup(void **state);
int mount_fixture_teardown(void **state);

/* A test of cmocka's with such a fixture. */
#define LIVE(name)	cmocka_unit_test_setup_teardown(name, mount_fixture_setup, mount_fixture_teardown)

/* What in_mount_namespace() says, or the test is skipped. */
int live(int (*check)(void *data), void *data);

#endif
