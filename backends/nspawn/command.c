/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line of systemd-nspawn. */

#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/str.h"
#include "nspawn.h"

int nspawn_find_program(const char **ret, struct mrg_error *err)
{
	/* Not along PATH, which is the caller's. */
	static const char *const candidates[] = {
		"/usr/bin/systemd-nspawn", "/usr/local/bin/systemd-nspawn", "/bin/systemd-nspawn", "/run/current-system/sw/bin/systemd-nspawn",
	};

	for (size_t i = 0; i < ARRAY_SIZE(candidates); i++)
		if (access(candidates[i], X_OK) == 0) {
			*ret = candidates[i];
			return 0;
		}
	mrg_error_set(err, -MRG_E_NO_ENGINE, "systemd-nspawn is not installed");
	return mrg_error_hint(err, "apt-get install systemd-container"), -MRG_E_NO_ENGINE;
}

/* ---- ours ------------------------------------------------------------------------------------ */

/* What the spec has beside the file of settings, which nspawn finds by the name of the machine. */
static int add_own(const struct mrg_spec *spec, char ***argv, struct mrg_error *err)
{
	/* What moorage-init does; it stands on the command line to hide the file's. */
	static const char *const done_inside[] = { "--user=root", "--chdir=/" };
	struct mrg_nspawn_texts texts;
	int r = mrg_helper_nspawn_write(spec, &texts, NULL, NULL, err);

	if (r < 0)
		return r;
	/* The command is told to moorage-init. */
	for (char **arg = texts.argv; r == 0 && *arg && strcmp(*arg, "--") != 0; arg++)
		r = strv_append(argv, *arg);
	mrg_helper_nspawn_free(&texts);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(done_inside); i++)
		r = strv_append(argv, done_inside[i]);
	return r < 0 ? fail_memory(err) : 0;
}

/* ---- others' ---------------------------------------------------------------------------------- */

static bool is_about_root(const char *option)
{
	return strncmp(option, "--directory", 11) == 0 || strncmp(option, "--image", 7) == 0 || strncmp(option, "-D", 2) == 0 ||
	       strncmp(option, "-i", 2) == 0;
}

/* Options whose argument is the next word. */
static bool takes_next(const char *option)
{
	static const char *const names[] = {
		"-D", "-M", "-i", "-u", "-S", "-p", "-E", "-L", "-Z", "--directory", "--machine", "--image", "--user", "--slice", "--port",
		"--setenv", "--template", "--settings", "--register", "--console", "--bind", "--bind-ro", "--tmpfs", "--overlay",
		"--overlay-ro", "--inaccessible", "--capability", "--drop-capability", "--ambient-capability", "--network-bridge",
		"--network-zone", "--network-interface", "--network-macvlan", "--network-ipvlan", "--network-veth-extra",
		"--network-namespace-path", "--hostname", "--uuid", "--chdir", "--kill-signal", "--personality", "--property", "--rlimit",
		"--system-call-filter", "--resolv-conf", "--timezone", "--link-journal", "--root-hash", "--pivot-root", "--bind-user",
		"--private-users-ownership", "--oom-score-adjust", "--cpu-affinity", "--no-new-privileges", "--notify-ready",
		"--suppress-sync", "--set-credential", "--load-credential", "--selinux-context", "--selinux-apifs-context", NULL
	};

	return strv_contains((char *const *)names, option);
}

/* Options that say what is executed. */
static bool says_what(const char *option)
{
	static const char *const names[] = { "-b", "--boot", "-a", "--as-pid2", NULL };

	return strv_contains((char *const *)names, option);
}

/* The options, without what we say ourselves: with @payload that is what to execute. */
static int add_options(char *const *words, bool payload, char ***argv, bool *has_root)
{
	int r = 0;

	for (; r == 0 && *words && (*words)[0] == '-' && strcmp(*words, "--") != 0; words++) {
		*has_root |= is_about_root(*words);
		if (strcmp(*words, "--keep-unit") != 0 && (!payload || !says_what(*words)))
			r = strv_append(argv, *words);
		if (r == 0 && takes_next(*words) && words[1])
			r = strv_append(argv, *++words);
	}
	return r;
}

/* The root, where nspawn would not find it by the name of the machine. */
static int add_root(const struct mrg_unit *unit, char ***argv, struct mrg_error *err)
{
	_cleanup_free_ char *root = NULL;
	struct nspawn_image image;
	int r = nspawn_image_find(unit->path, unit->name, &image, err);

	if (r == 0)
		r = mrg_error_set(err, -MRG_E_INVALID, "there is no machine '%s' in '%s'", unit->name, unit->path);
	if (r < 0)
		return r;
	if (asprintf(&root, "--%s=%s", image.is_file ? "image" : "directory", image.path) < 0)
		root = NULL;
	return !root || strv_append(argv, root) < 0 ? fail_memory(err) : 0;
}

/* As the unit has it, so that it is the same container whoever starts it. */
static int add_units(const struct mrg_unit *unit, bool payload, char ***argv, struct mrg_error *err)
{
	_cleanup_(strv_freep) char **words = NULL;
	bool has_root = false;
	int r = nspawn_unit_command(unit->name, &words, err);

	if (r < 0 || !words)
		return r;
	if (add_options(words, payload, argv, &has_root) < 0)
		return fail_memory(err);
	return has_root || !unit->path ? 0 : add_root(unit, argv, err);
}

/* ---- all of it --------------------------------------------------------------------------------- */

/* Where systemd manages the host, the machine is registered and gets a scope with its limits; else it is in cgroups of ours. */
static int add_manager(const struct mrg_unit *unit, char ***argv, struct mrg_error *err)
{
	_cleanup_(strv_freep) char **properties = NULL;
	int r;

	if (!nspawn_is_managed()) {
		r = strv_append(argv, "--keep-unit");
		if (r == 0)
			r = strv_append(argv, "--register=no");
		return r < 0 ? fail_memory(err) : 0;
	}
	r = nspawn_unit_properties(unit->spec, &properties, err);
	for (char **property = properties; r == 0 && property && *property; property++) {
		_cleanup_free_ char *option = NULL;

		if (asprintf(&option, "--property=%s", *property) < 0)
			option = NULL;
		r = !option || strv_append(argv, option) < 0 ? fail_memory(err) : 0;
	}
	return r;
}

int nspawn_command(const struct mrg_unit *unit, const struct mrg_spec *spec, const char *console, char *const *payload, char ***ret, struct mrg_error *err)
{
	_cleanup_(strv_freep) char **argv = NULL;
	char machine[80], console_option[40];
	const char *const tail[] = { machine, console_option, "--quiet", payload ? "--" : NULL };
	const char *program;
	int r = nspawn_find_program(&program, err);

	if (r < 0)
		return r;
	if (strv_append(&argv, program) < 0)
		return fail_memory(err);
	snprintf(machine, sizeof(machine), "--machine=%s", unit->name);
	snprintf(console_option, sizeof(console_option), "--console=%s", console);
	r = unit->adopted ? add_units(unit, payload != NULL, &argv, err) : add_own(spec, &argv, err);
	if (r == 0)
		r = add_manager(unit, &argv, err);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(tail) && tail[i]; i++)
		r = strv_append(&argv, tail[i]);
	for (; r == 0 && payload && *payload; payload++)
		r = strv_append(&argv, *payload);
	if (r < 0)
		return fail_memory(err);
	*ret = take_ptr(argv);
	return 0;
}
