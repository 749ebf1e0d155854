/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A spec whose root is made for the test. */

#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/mount_fixture.h"

int mount_fixture_setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	if (!x || root_fixture_init(&x->f) < 0)
		return -1;
	x->spec = mrg_spec_new();
	x->spec->root_path = x->f.root;
	x->spec->ns_network = "";
	x->unit = (struct mrg_unit){ .name = "mrgt-mounts", .id = "0123456789abcdef", .spec = x->spec, .dir = -1 };
	*state = x;
	return 0;
}

int mount_fixture_teardown(void **state)
{
	struct fixture *x = *state;

	root_fixture_deinit(&x->f);
	mrg_spec_free(x->spec);
	free(x);
	return 0;
}

int live(int (*check)(void *data), void *data)
{
	int r;

	if (geteuid() != 0) {
		print_message("# SKIP mounts need root\n");
		skip();
	}
	r = in_mount_namespace(check, data);
	if (r == 127) {
		print_message("# SKIP no mount namespace can be made here\n");
		skip();
	}
	return r;
}
