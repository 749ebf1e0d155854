/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command of a container as moorage-init is told of it. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"
#include "nspawn.h"

static int add(char ***args, const char *option, const char *value)
{
	int r = strv_append(args, option);

	return r == 0 && value ? strv_append(args, value) : r;
}

static bool has_home(char *const *env)
{
	for (; env && *env; env++)
		if (strncmp(*env, "HOME=", 5) == 0)
			return true;
	return false;
}

/* The variables of the spec and nothing that nspawn adds; HOME as for every other backend. */
static int write_environment(char *const *env, const char *home, int *ret, struct mrg_error *err)
{
	_cleanup_close_ int fd = memfd_create("environment", MFD_CLOEXEC);
	int r = fd < 0 ? -errno : 0;

	for (; r == 0 && env && *env; env++)
		r = fd_write_all(fd, *env, strlen(*env) + 1);
	if (r == 0 && home)
		r = fd_write_all(fd, "HOME=", 5);
	if (r == 0 && home)
		r = fd_write_all(fd, home, strlen(home) + 1);
	if (r < 0)
		return fail_errno(err, r, "cannot hand over the environment");
	*ret = take_fd(&fd);
	return 0;
}

/* Who runs it, in which environment: what nspawn would look up by programs of the root, and only knows by name. */
static int describe_process(const struct mrg_spec *spec, struct nspawn_payload *p, struct mrg_error *err)
{
	_cleanup_close_ int root = open(spec->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *ids = NULL, *home = NULL;
	char mask[16];
	int r;

	if (root < 0)
		return fail_errno(err, -errno, "cannot open the root '%s'", spec->root_path);
	r = mrg_helper_user(spec, root, &ids, has_home(spec->env) ? NULL : &home, err);
	if (r == 0)
		r = write_environment(spec->env, home, &p->environment, err);
	if (r < 0)
		return r;
	snprintf(mask, sizeof(mask), "%03o", mrg_fields_has(&spec->set, MRG_FIELD_UMASK) ? spec->umask : 022U);
	r = add(&p->args, "--environment", NULL);
	if (r == 0)
		r = add(&p->args, "--umask", mask);
	if (r == 0)
		r = add(&p->args, "--cwd", spec->cwd ? spec->cwd : "/");
	if (r == 0 && strcmp(ids, "0:0") != 0)
		r = add(&p->args, "--user", ids);
	return r < 0 ? fail_memory(err) : 0;
}

static int describe(const struct mrg_unit *unit, const struct mrg_stdio *io, struct nspawn_payload *p, struct mrg_error *err)
{
	const struct mrg_spec *spec = unit->spec;
	char image[64];
	int r;

	/* The number that start.c gives the image. */
	snprintf(image, sizeof(image), "/proc/self/fd/%d", MRG_INIT_ENVIRONMENT_FD + 1);
	r = add(&p->args, image, spec->init ? "--status" : "--exec");
	if (r == 0)
		r = add(&p->args, io->terminal ? "--terminal" : "--stdio", NULL);
	if (r < 0)
		return fail_memory(err);
	/* What others made is as nspawn has it. */
	if (!unit->adopted) {
		r = describe_process(spec, p, err);
		if (r < 0)
			return r;
	}
	r = add(&p->args, "--", NULL);
	for (char **arg = spec->args; r == 0 && *arg; arg++)
		r = add(&p->args, *arg, NULL);
	return r < 0 ? fail_memory(err) : 0;
}

int nspawn_payload_prepare(const struct mrg_unit *unit, const struct mrg_stdio *io, struct nspawn_payload *ret, struct mrg_error *err)
{
	struct nspawn_payload p = NSPAWN_PAYLOAD_INIT;
	int r = 0;

	if (!unit->spec->boot && unit->spec->args && unit->spec->args[0]) {
		r = describe(unit, io, &p, err);
		if (r == 0)
			r = mrg_helper_init_open(&p.image, err);
		if (r == 0)
			r = mrg_helper_status_new(&p.status, err);
		if (r == 0 && io->terminal && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p.socket) < 0)
			r = fail_errno(err, -errno, "cannot make a socket pair");
	}
	if (r < 0)
		nspawn_payload_deinit(&p);
	else
		*ret = p;
	return r;
}

void nspawn_payload_deinit(struct nspawn_payload *payload)
{
	payload->args = strv_free(payload->args);
	payload->image = fd_close(payload->image);
	payload->status = fd_close(payload->status);
	payload->environment = fd_close(payload->environment);
	payload->socket[0] = fd_close(payload->socket[0]);
	payload->socket[1] = fd_close(payload->socket[1]);
}
