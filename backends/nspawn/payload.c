/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command of a container as moorage-init is told of it. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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
	char mask[16], caps[64];
	int r;

	if (root < 0)
		return fail_errno(err, -errno, "cannot open the root '%s'", spec->root_path);
	r = mrg_helper_user(spec, root, &ids, has_home(spec->env) ? NULL : &home, err);
	if (r == 0)
		r = write_environment(spec->env, home, &p->environment, err);
	if (r == 0)
		r = mrg_helper_filter_new(spec, &p->filter, err);
	if (r < 0)
		return r;
	snprintf(mask, sizeof(mask), "%03o", mrg_fields_has(&spec->set, MRG_FIELD_UMASK) ? spec->umask : 022U);
	snprintf(caps, sizeof(caps), "%" PRIx64 ":%" PRIx64 ":%" PRIx64, spec->cap_inheritable, spec->cap_ambient, spec->cap_bounding);
	r = add(&p->args, "--environment", NULL);
	if (r == 0 && p->filter >= 0)
		r = add(&p->args, "--filter", NULL);
	if (r == 0)
		r = add(&p->args, "--umask", mask);
	if (r == 0)
		r = add(&p->args, "--cwd", spec->cwd ? spec->cwd : "/");
	if (r == 0 && strcmp(ids, "0:0") != 0)
		r = add(&p->args, "--user", ids);
	if (r == 0 && mrg_fields_has(&spec->set, MRG_FIELD_CAP_BOUNDING))
		r = add(&p->args, "--caps", caps);
	return r < 0 ? fail_memory(err) : 0;
}

/* The command itself, or with none the init of the root. */
static int add_command(const struct mrg_spec *spec, struct nspawn_payload *p, struct mrg_error *err)
{
	const char *init;
	int r = add(&p->args, "--", NULL);

	if (r == 0 && (!spec->args || !spec->args[0])) {
		r = nspawn_find_init(spec->root_path, &init, err);
		return r < 0 ? r : add(&p->args, init, NULL) < 0 ? fail_memory(err) : 0;
	}
	for (char **arg = spec->args; r == 0 && *arg; arg++)
		r = add(&p->args, *arg, NULL);
	return r < 0 ? fail_memory(err) : 0;
}

static int add_terminal(const struct mrg_spec *spec, struct nspawn_payload *p)
{
	char size[32];
	int r = add(&p->args, "--terminal", NULL);

	if (r < 0 || !spec->console_height || !spec->console_width)
		return r;
	snprintf(size, sizeof(size), "%u:%u", spec->console_height, spec->console_width);
	return add(&p->args, "--size", size);
}

static int describe(const struct mrg_unit *unit, const struct mrg_stdio *io, struct nspawn_payload *p, struct mrg_error *err)
{
	const struct mrg_spec *spec = unit->spec;
	char image[64];
	int r;

	snprintf(image, sizeof(image), "/proc/self/fd/%d", NSPAWN_IMAGE_FD);
	r = add(&p->args, image, spec->init ? "--status" : "--exec");
	if (r == 0)
		r = add(&p->args, "--wait", NULL);
	/* A system that boots has the console that nspawn makes. */
	if (r == 0 && !spec->boot)
		r = io->terminal ? add_terminal(spec, p) : add(&p->args, "--stdio", NULL);
	if (r < 0)
		return fail_memory(err);
	/* What others made is as nspawn has it. */
	if (!unit->adopted)
		r = describe_process(spec, p, err);
	return r < 0 ? r : add_command(spec, p, err);
}

/* What others made, with an init or a shell that nspawn chooses, is left to it. */
static bool is_left_to_nspawn(const struct mrg_unit *unit)
{
	return unit->adopted && (unit->spec->boot || !unit->spec->args || !unit->spec->args[0]);
}

static int open_all(const struct mrg_stdio *io, struct nspawn_payload *p, struct mrg_error *err)
{
	int r = mrg_helper_init_open(&p->image, err);

	if (r == 0)
		r = mrg_helper_status_new(&p->status, err);
	if (r < 0)
		return r;
	if (pipe2(p->error, O_CLOEXEC) < 0 || pipe2(p->wait, O_CLOEXEC) < 0)
		return fail_errno(err, -errno, "cannot make a pipe");
	if (io->terminal && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p->socket) < 0)
		return fail_errno(err, -errno, "cannot make a socket pair");
	return 0;
}

int nspawn_payload_prepare(const struct mrg_unit *unit, const struct mrg_stdio *io, struct nspawn_payload *ret, struct mrg_error *err)
{
	struct nspawn_payload p = NSPAWN_PAYLOAD_INIT;
	int r = 0;

	if (!is_left_to_nspawn(unit)) {
		r = describe(unit, io, &p, err);
		if (r == 0)
			r = open_all(io, &p, err);
	}
	if (r < 0)
		nspawn_payload_deinit(&p);
	else
		*ret = p;
	return r;
}

int nspawn_payload_release(struct nspawn_payload *payload, struct mrg_error *err)
{
	struct mrg_error report;
	ssize_t n;

	payload->error[1] = fd_close(payload->error[1]);
	/* Our own reading end is still open: should it have died, there is no SIGPIPE. */
	if (fd_write_all(payload->wait[1], "", 1) < 0)
		return mrg_error_set(err, -EIO, "cannot talk to the first process of the container");
	n = fd_read_all(payload->error[0], &report, sizeof(report));
	if (n == 0)
		return 0;
	if (n != (ssize_t)sizeof(report) || report.code >= 0)
		return mrg_error_set(err, -EIO, "the first process of the container ended while it was being set up");
	report.message[sizeof(report.message) - 1] = '\0';
	if (err)
		*err = report;
	return report.code;
}

static void close_pair(int pair[2])
{
	pair[0] = fd_close(pair[0]);
	pair[1] = fd_close(pair[1]);
}

void nspawn_payload_deinit(struct nspawn_payload *payload)
{
	payload->args = strv_free(payload->args);
	payload->image = fd_close(payload->image);
	payload->status = fd_close(payload->status);
	payload->environment = fd_close(payload->environment);
	payload->filter = fd_close(payload->filter);
	close_pair(payload->socket);
	close_pair(payload->error);
	close_pair(payload->wait);
}
