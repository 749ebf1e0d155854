/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The process of a container: what is prepared in the monitor, and its last steps up to execve(2). */

#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "core/helper/init.h"
#include "core/helper/process.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/path.h"
#include "core/util/str.h"

#define DEFAULT_UMASK	0022

/* One execution on its way. */
struct execution {
	struct mrg_helper_process *p;
	int root;			/* O_PATH */
	char *const *args;
	char **env;			/* the array is ours, the strings are borrowed */
	char *home;			/* "HOME=..." when it was missing */
	bool in_cwd;
	char *path;			/* of the command */
};

int mrg_helper_process_prepare(const struct mrg_unit *unit, const struct mrg_command *command,
			       struct mrg_helper_process **ret, struct mrg_error *err)
{
	struct mrg_helper_process *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return mrg_error_set(err, -ENOMEM, "not enough memory to prepare the process");
	p->spec = unit->spec;
	p->command = command;
	p->init = -1;
	r = seccomp_prepare(unit->spec, p, err);
	if (r == 0 && !command && unit->spec->init && !unit->spec->boot) {
		p->init = init_open_sealed(err);
		r = p->init < 0 ? p->init : 0;
	}
	if (r < 0) {
		mrg_helper_process_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

struct mrg_helper_process *mrg_helper_process_free(struct mrg_helper_process *process)
{
	if (!process)
		return NULL;
	fd_close(process->init);
	free(process->filter);
	free(process);
	return NULL;
}

static const char *env_get(char *const *env, const char *name)
{
	size_t length = strlen(name);

	for (; env && *env; env++)
		if (strncmp(*env, name, length) == 0 && (*env)[length] == '=')
			return *env + length + 1;
	return NULL;
}

/* The environment of the spec or the command, with HOME added when it has none. */
static int build_env(struct execution *x, char *const *env, const struct identity *who, struct mrg_error *err)
{
	size_t n = strv_length(env);

	x->env = calloc(n + 2, sizeof(*x->env));
	if (!x->env)
		return mrg_error_set(err, -ENOMEM, "not enough memory for the environment");
	if (n)
		memcpy(x->env, env, n * sizeof(*env));
	if (env_get(env, "HOME"))
		return 0;
	if (asprintf(&x->home, "HOME=%s", who->home ? who->home : "/") < 0) {
		x->home = NULL;
		return mrg_error_set(err, -ENOMEM, "not enough memory for the environment");
	}
	x->env[n] = x->home;
	return 0;
}

static int cwd_failed(const char *cwd, int code, struct mrg_error *err)
{
	if (code == -ENOENT)
		return mrg_error_set(err, -MRG_E_INVALID, "the working directory '%s' does not exist in the container", cwd);
	if (code == -ENOTDIR)
		return mrg_error_set(err, -MRG_E_INVALID, "the working directory '%s' is not a directory", cwd);
	if (code == -ELOOP)
		return mrg_error_set(err, -MRG_E_INVALID, "the working directory '%s' leads through a link that is not allowed",
				     cwd);
	return mrg_error_set(err, code, "cannot change to the working directory '%s': %s", cwd, strerror(-code));
}

static const char *wanted_cwd(const struct mrg_helper_process *p)
{
	if (p->command && p->command->cwd)
		return p->command->cwd;
	return p->spec->cwd ? p->spec->cwd : "/";
}

/* Magic links are refused, so no descriptor of ours can be the way out; that we are inside is verified all the same. */
static int enter_cwd(struct execution *x, bool last_try, struct mrg_error *err)
{
	const char *cwd = wanted_cwd(x->p);
	_cleanup_close_ int fd = path_open_in_root(x->root, cwd, O_PATH | O_DIRECTORY, 0);
	char buffer[PATH_MAX];
	int r = fd;

	if (fd >= 0)
		r = fchdir(fd) < 0 ? -errno : 0;
	if (r == -EACCES && !last_try) /* root of a user namespace may enter less than the user */
		return 0;
	if (r < 0)
		return cwd_failed(cwd, r, err);
	/* The system call, since the function of libc hides what is unreachable behind ENOENT. */
	if (syscall(SYS_getcwd, buffer, sizeof(buffer)) < 0 || buffer[0] != '/')
		return mrg_error_set(err, -MRG_E_INVALID, "the working directory '%s' is outside the container", cwd);
	x->in_cwd = true;
	return 0;
}

static int find_init(struct execution *x, struct mrg_error *err)
{
	static const char *const candidates[] = { "/sbin/init", "/lib/systemd/systemd", "/usr/lib/systemd/systemd" };
	struct mrg_error reason;

	for (size_t i = 0; i < ARRAY_SIZE(candidates); i++)
		if (command_find(candidates[i], x->env, &x->path, &reason) == 0)
			return 0;
	mrg_error_set(err, -MRG_E_NO_COMMAND, "the root has no init: there is no /sbin/init and no /usr/lib/systemd/systemd");
	return mrg_error_hint(err, "install one into it, or name a command instead of --boot");
}

/* With the rights of the user, before the filter: so that files are seen as the command will see them. */
static int find_command(void *data, struct mrg_error *err)
{
	struct execution *x = data;
	int r;

	if (spawn_die_with_parent() < 0) /* changing ids undid it */
		_exit(EXIT_FAILURE);
	r = x->in_cwd ? 0 : enter_cwd(x, true, err);
	if (r == 0 && x->args && x->args[0])
		r = command_find(x->args[0], x->env, &x->path, err);
	else if (r == 0 && x->p->spec->boot)
		r = find_init(x, err);
	else if (r == 0)
		r = mrg_error_set(err, -MRG_E_INVALID, "there is no command to run");
	/* moorage-init would have to say it in few words. */
	if (r == 0 && x->p->init >= 0)
		r = command_check_interpreter(x->path, err);
	return r;
}

static int execute_init(struct execution *x, struct mrg_error *err)
{
	size_t n = strv_length(x->args);
	char **args = calloc(n + 3, sizeof(*args));
	int init = x->p->init;

	if (!args)
		return mrg_error_set(err, -ENOMEM, "not enough memory for the arguments");
	args[0] = (char *)"moorage-init";
	args[1] = (char *)"--";
	memcpy(args + 2, x->args, n * sizeof(*args));
	if (init == MRG_INIT_ERROR_FD)
		init = fcntl(init, F_DUPFD_CLOEXEC, MRG_INIT_ERROR_FD + 1);
	/* Not close-on-exec: init closes it by executing the command. */
	if (dup2(MRG_SPAWN_ERROR_FD, MRG_INIT_ERROR_FD) < 0)
		close(MRG_INIT_ERROR_FD);
	syscall(SYS_execveat, init, "", args, x->env, AT_EMPTY_PATH);
	mrg_error_set(err, -errno, "cannot execute moorage-init: %s", strerror(errno));
	free(args);
	return -errno;
}

static int execute_command(struct execution *x, struct mrg_error *err)
{
	char *const fallback[] = { x->path, NULL };

	/* The container outlives its monitor from here on; this survives execve(2) unless it is cleared. */
	prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
	if (x->p->init >= 0)
		return execute_init(x, err);
	execve(x->path, x->args && x->args[0] ? x->args : fallback, x->env);
	return command_explain(x->path, -errno, err);
}

/* Keys of the caller's session must not be the container's too. A host that gives no keyring (quota, no such feature, a filter around
 * us) does not keep a container from starting: the default filter denies the system calls anyway. */
static void leave_keyring(void)
{
	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0);
}

static int apply(struct execution *x, const struct identity *who, struct mrg_error *err)
{
	const struct mrg_spec *spec = x->p->spec;
	int r = stdio_finish(x->p, x->root, who, err);

	if (r == 0)
		r = enter_cwd(x, false, err);
	if (r == 0 && !x->p->oom_applied)
		r = oom_score_apply(spec, err);
	if (r < 0)
		return r;
	umask(mrg_fields_has(&spec->set, MRG_FIELD_UMASK) ? (mode_t)spec->umask : DEFAULT_UMASK);
	if (syscall(SYS_close_range, 3U, UINT_MAX, CLOSE_RANGE_CLOEXEC) < 0)
		return mrg_error_set(err, -errno, "cannot close the descriptors of the monitor: %s", strerror(errno));
	/* Late: a low limit would already bind us. */
	r = rlimits_apply(spec, err);
	if (r == 0)
		r = credentials_apply(x->p, who, find_command, x, err);
	return r;
}

int mrg_helper_process_execute(struct mrg_helper_process *process, struct mrg_error *err)
{
	char *const *env = process->command ? process->command->env : process->spec->env;
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct execution x = {
		.p = process,
		.root = root,
		.args = process->command ? process->command->args : process->spec->args,
	};
	_cleanup_(identity_deinit) struct identity who = { 0 };
	int r;

	if (root < 0)
		return mrg_error_set(err, -errno, "cannot open the root of the container: %s", strerror(errno));
	leave_keyring();
	r = identity_find(root, process, !env_get(env, "HOME"), &who, err);
	if (r == 0)
		r = build_env(&x, env, &who, err);
	if (r == 0)
		r = apply(&x, &who, err);
	if (r == 0)
		r = execute_command(&x, err);
	free(x.path);
	free(x.env);
	free(x.home);
	return r;
}
