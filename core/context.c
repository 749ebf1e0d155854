/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The context: where state, plugins and programs are found. */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/context.h"
#include "core/registry/registry.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"
#include "core/util/path.h"

const char *mrg_version(void)
{
	return PACKAGE_VERSION;
}

/* "$VARIABLE/moorage" when the variable holds an absolute path, as the XDG base directory specification has it. */
static int xdg_dir(const char *variable, char **ret)
{
	const char *base = secure_getenv(variable);

	if (!base || base[0] != '/')
		return 0;
	return asprintf(ret, "%s/moorage", base) < 0 ? -ENOMEM : 1;
}

static int default_state_dir(char **ret, struct mrg_error *err)
{
	const char *home;
	int r;

	if (geteuid() == 0) {
		*ret = strdup(MRG_STATE_DIR);
		return *ret ? 0 : -ENOMEM;
	}
	r = xdg_dir("XDG_STATE_HOME", ret);
	if (r != 0)
		return r < 0 ? r : 0;
	home = secure_getenv("HOME");
	if (!home || home[0] != '/') {
		mrg_error_set(err, -MRG_E_INVALID, "no place for the state: neither HOME nor XDG_STATE_HOME is an absolute path");
		return mrg_error_hint(err, "set MOORAGE_STATE_DIR"), -MRG_E_INVALID;
	}
	return asprintf(ret, "%s/.local/state/moorage", home) < 0 ? -ENOMEM : 0;
}

static int default_run_dir(char **ret, _unused_ struct mrg_error *err)
{
	int r;

	if (geteuid() == 0) {
		*ret = strdup("/run/moorage");
		return *ret ? 0 : -ENOMEM;
	}
	r = xdg_dir("XDG_RUNTIME_DIR", ret);
	if (r != 0)
		return r < 0 ? r : 0;
	return asprintf(ret, "/run/user/%u/moorage", (unsigned int)geteuid()) < 0 ? -ENOMEM : 0;
}

static int default_backend_path(char **ret, _unused_ struct mrg_error *err)
{
	*ret = strdup(MRG_BACKEND_DIR);
	return *ret ? 0 : -ENOMEM;
}

static int default_libexec_dir(char **ret, _unused_ struct mrg_error *err)
{
	*ret = strdup(MRG_LIBEXEC_DIR);
	return *ret ? 0 : -ENOMEM;
}

static int default_config_file(char **ret, _unused_ struct mrg_error *err)
{
	*ret = strdup(MRG_SYSCONF_DIR "/moorage/moorage.conf");
	return *ret ? 0 : -ENOMEM;
}

/* Each place: what the caller gave, else what the environment has, else the default. */
static const struct place {
	const char *variable;
	size_t option, member;		/* offsets in struct mrg_options and struct mrg */
	int (*fallback)(char **ret, struct mrg_error *err);
} places[] = {
	{ "MOORAGE_STATE_DIR", offsetof(struct mrg_options, state_dir), offsetof(struct mrg, state_dir), default_state_dir },
	{ "MOORAGE_RUN_DIR", offsetof(struct mrg_options, run_dir), offsetof(struct mrg, run_dir), default_run_dir },
	{ "MOORAGE_BACKEND_PATH", offsetof(struct mrg_options, backend_path), offsetof(struct mrg, backend_path),
	  default_backend_path },
	{ "MOORAGE_LIBEXEC_DIR", offsetof(struct mrg_options, libexec_dir), offsetof(struct mrg, libexec_dir),
	  default_libexec_dir },
	{ "MOORAGE_CONFIG", offsetof(struct mrg_options, config_file), offsetof(struct mrg, config_file),
	  default_config_file },
};

static int set_place(struct mrg *m, const struct place *place, const struct mrg_options *options, struct mrg_error *err)
{
	char **member = (char **)((char *)m + place->member);
	const char *value = NULL;
	int r;

	if (options)
		value = *(const char *const *)((const char *)options + place->option);
	if (!value)
		value = secure_getenv(place->variable);
	if (value && !*value)
		value = NULL;
	if (value && !path_is_clean(value))
		return mrg_error_set(err, -MRG_E_INVALID, "'%s' (%s) must be an absolute path without '..'", value,
				     place->variable);
	if (value) {
		*member = strdup(value);
		r = *member ? 0 : -ENOMEM;
	} else {
		r = place->fallback(member, err);
	}
	return r == -ENOMEM ? mrg_error_set(err, r, "out of memory") : r;
}

int mrg_new(struct mrg **ret, const struct mrg_options *options, struct mrg_error *err)
{
	struct mrg *m = calloc(1, sizeof(*m));

	if (!m)
		return mrg_error_set(err, -ENOMEM, "out of memory");
	m->ahead[0] = m->ahead[1] = -1;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		int r = set_place(m, &places[i], options, err);

		if (r < 0) {
			mrg_free(m);
			return r;
		}
	}
	if (options && options->path && !(m->path = strdup(options->path))) {
		mrg_free(m);
		return mrg_error_set(err, -ENOMEM, "out of memory");
	}
	*ret = m;
	return 0;
}

struct mrg *mrg_free(struct mrg *m)
{
	if (!m)
		return NULL;
	registry_free(m);
	/* One that waits hears of it and ends. */
	fd_close(m->ahead[0]);
	fd_close(m->ahead[1]);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		free(*(char **)((char *)m + places[i].member));
	free(m->default_backend);
	free(m->path);
	free(m);
	return NULL;
}
