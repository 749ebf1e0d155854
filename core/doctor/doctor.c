/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of this host works, found by trying, and the command that mends what does not. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <moorage/helper.h>

#include "core/cgroup/cgroup.h"
#include "core/cgroup/user.h"
#include "core/container/internal.h"
#include "core/doctor/doctor.h"
#include "core/util/cleanup.h"
#include "core/util/fail.h"
#include "core/util/fd.h"
#include "core/util/str.h"

int doctor_say(const struct doctor *d, const char *level, const char *subject, const char *text, const char *fix)
{
	struct mrg_finding finding = { .level = level, .subject = subject, .text = text, .fix = fix };

	return d->found(&finding, d->data);
}

/* ---- rights --------------------------------------------------------------------------------- */

/* The sentence and the hint of an error. */
static int say_error(const struct doctor *d, const char *subject, struct mrg_error *err)
{
	char *hint = strchr(err->message, '\n');

	if (hint)
		*hint++ = '\0';
	return doctor_say(d, "warning", subject, err->message, hint);
}

static int check_user_namespaces(const struct doctor *d)
{
	_cleanup_free_ char *most = NULL;
	struct mrg_error err = { 0 };

	if (fd_read_virtual(AT_FDCWD, "/proc/sys/user/max_user_namespaces", 64, &most, NULL) < 0)
		return doctor_say(d, "warning", "user namespaces", "not in this kernel", NULL);
	if (most[0] == '0')
		return doctor_say(d, "warning", "user namespaces", "switched off", "sysctl user.max_user_namespaces=10000");
	/* Much may keep users from them: it is tried. */
	if (geteuid() != 0 && mrg_helper_user_probe(&err) < 0)
		return say_error(d, "user namespaces", &err);
	return doctor_say(d, "ok", "user namespaces", "work", NULL);
}

static int check_capabilities(const struct doctor *d)
{
	_cleanup_free_ char *text = NULL;
	struct buffer missing = { 0 };
	unsigned long long effective = 0;
	const char *line;
	int r;

	if (geteuid() != 0)
		return doctor_say(d, "ok", "capabilities", "not root: your containers get a user namespace of yours", NULL);
	if (fd_read_virtual(AT_FDCWD, "/proc/self/status", 65536, &text, NULL) == 0 && (line = strstr(text, "\nCapEff:")))
		sscanf(line, "\nCapEff: %llx", &effective);
	for (unsigned int i = 0; i <= CAPABILITY_LAST; i++)
		if (!(effective >> i & 1))
			buffer_addf(&missing, "%sCAP_%s", missing.length ? " " : "root lacks ", capability_name(i));
	if (missing.length)
		r = doctor_say(d, "warning", "capabilities", missing.text,
			"start the surrounding container or service with these capabilities");
	else
		r = doctor_say(d, "ok", "capabilities", "all", NULL);
	buffer_deinit(&missing);
	return r;
}

/* Whether a line of @file begins with "NAME:". */
static bool has_range(const struct doctor *d, const char *file, const char *name)
{
	_cleanup_free_ char *text = doctor_read(d, file);

	return subids_has(text, name);
}

/* Root may map any ids; others their own alone, and those that a line gives them. */
static int check_own_subids(const struct doctor *d)
{
	const struct passwd *user = getpwuid(geteuid());
	const char *name = user ? user->pw_name : NULL;
	char fix[256];

	if (faccessat(d->files, "usr/bin/newuidmap", X_OK, 0) < 0 || faccessat(d->files, "usr/bin/newgidmap", X_OK, 0) < 0)
		return doctor_say(d, "warning", "subordinate ids", "nothing may map them for you: your containers have no user but root",
				  "apt-get install uidmap");
	if (name && has_range(d, "etc/subuid", name) && has_range(d, "etc/subgid", name))
		return doctor_say(d, "ok", "subordinate ids", "your containers take theirs from /etc/subuid", NULL);
	snprintf(fix, sizeof(fix), "a line '%s:FIRST:65536' of ids that no other line has in /etc/subuid and /etc/subgid", name ? name : "USER");
	return doctor_say(d, "warning", "subordinate ids", "you have none: your containers have no user but root", fix);
}

/* The cgroups of an ordinary user, which systemd makes. */
static int check_own_cgroups(const struct doctor *d)
{
	enum cgroup_lack lack = cgroup_user_own_lack();
	struct mrg_error err = { 0 };
	char withheld[64];

	if (geteuid() == 0)
		return 0;
	if (lack != CGROUP_LACK_NONE) {
		mrg_error_set(&err, -MRG_E_PERMISSION, "your containers have none: %s", cgroup_lack_text(lack));
		cgroup_user_hint_lack(lack, &err);
		return say_error(d, "limits", &err);
	}
	if (!cgroup_user_withheld(withheld, sizeof(withheld)))
		return doctor_say(d, "ok", "limits", "your systemd gives them to your containers", NULL);
	mrg_error_set(&err, -MRG_E_PERMISSION, "your systemd gives them to your containers, but for those of %s", withheld);
	cgroup_user_hint_withheld(&err);
	return say_error(d, "limits", &err);
}

static int check_subids(const struct doctor *d)
{
	if (geteuid() != 0)
		return check_own_subids(d);
	if (has_range(d, "etc/subuid", "moorage") || has_range(d, "etc/subuid", "root"))
		return doctor_say(d, "ok", "subordinate ids", "user namespaces take theirs from /etc/subuid", NULL);
	return doctor_say(d, "ok", "subordinate ids", "none needed: user namespaces take ids set aside for containers", NULL);
}

/* ---- places --------------------------------------------------------------------------------- */

static int check_place(const struct doctor *d, const char *subject, const char *path)
{
	char text[512], fix[512];
	struct stat st;

	if (stat(path, &st) < 0) {
		bool absent = errno == ENOENT;

		snprintf(text, sizeof(text), absent ? "'%s' will be made when it is needed" : "cannot look at '%s'",
			 path);
		return doctor_say(d, absent ? "ok" : "error", subject, text, NULL);
	}
	if (!S_ISDIR(st.st_mode)) {
		snprintf(text, sizeof(text), "'%s' is not a directory", path);
		return doctor_say(d, "error", subject, text, NULL);
	}
	if (st.st_uid != geteuid()) {
		snprintf(text, sizeof(text), "'%s' belongs to user %u", path, (unsigned int)st.st_uid);
		snprintf(fix, sizeof(fix), "chown %u '%s'", (unsigned int)geteuid(), path);
		return doctor_say(d, "error", subject, text, fix);
	}
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		snprintf(text, sizeof(text), "'%s' is writable by others", path);
		snprintf(fix, sizeof(fix), "chmod 700 '%s'", path);
		return doctor_say(d, "error", subject, text, fix);
	}
	return doctor_say(d, "ok", subject, path, NULL);
}

static int check_monitor(const struct doctor *d)
{
	char path[4096], text[4200];

	snprintf(path, sizeof(path), "%s/moorage-monitor", d->m->libexec_dir);
	if (access(path, X_OK) == 0)
		return doctor_say(d, "ok", "monitor", path, NULL);
	snprintf(text, sizeof(text), "'%s' is missing or not executable: nothing can be started", path);
	return doctor_say(d, "error", "monitor", text, "install moorage, or set MOORAGE_LIBEXEC_DIR");
}

static int check_places(const struct doctor *d)
{
	int r = check_place(d, "state directory", d->m->state_dir);

	if (r == 0)
		r = check_place(d, "run directory", d->m->run_dir);
	return r != 0 ? r : check_monitor(d);
}

/* ---- backends and records ------------------------------------------------------------------- */

static int check_backend(const struct doctor *d, const char *name)
{
	struct mrg_backend_info info;
	struct mrg_error err = { 0 };
	char subject[80], text[512];

	snprintf(subject, sizeof(subject), "backend %s", name);
	if (mrg_backend_info(d->m, name, &info, &err) < 0 || !info.usable) {
		if (!err.code)
			err = info.error;
		return say_error(d, subject, &err);
	}
	if (!info.probe.reason[0] || strcmp(info.probe.reason, CGROUP_NEVER_HAD) == 0)
		return doctor_say(d, "ok", subject, info.probe.engine, NULL);
	snprintf(text, sizeof(text), "%s; not everything works here: %s", info.probe.engine, info.probe.reason);
	return doctor_say(d, "warning", subject, text, NULL);
}

static int check_backends(const struct doctor *d)
{
	_cleanup_(strv_freep) char **names = NULL;
	struct mrg_error err = { 0 };
	int r;

	if (mrg_backend_names(d->m, &names, &err) < 0)
		return doctor_say(d, "error", "backends", err.message, NULL);
	if (!names[0])
		return doctor_say(d, "error", "backends", "none is installed", "install moorage, or set MOORAGE_BACKEND_PATH");
	for (size_t i = 0; names[i]; i++) {
		r = check_backend(d, names[i]);
		if (r != 0)
			return r;
	}
	return 0;
}

struct damage {
	const struct doctor *d;
	int stopped;
};

static int count_container(_unused_ struct mrg_container *c, _unused_ void *data)
{
	return 0;
}

static void report_damage(const char *name, const struct mrg_error *err, void *data)
{
	struct damage *damage = data;
	struct mrg_error copy = *err;
	char subject[80], fix[96];

	copy.message[strcspn(copy.message, "\n")] = '\0';
	snprintf(subject, sizeof(subject), "container %s", name);
	snprintf(fix, sizeof(fix), "moorage rm -f %s", name);
	if (!damage->stopped)
		damage->stopped = doctor_say(damage->d, "error", subject, copy.message, fix);
}

static int check_records(const struct doctor *d)
{
	struct damage damage = { .d = d };
	struct mrg_error err = { 0 };

	if (mrg_list(d->m, NULL, count_container, report_damage, &damage, &err) < 0 && !damage.stopped)
		return doctor_say(d, "error", "containers", err.message, NULL);
	return damage.stopped;
}

int mrg_doctor(struct mrg *m, int (*found)(const struct mrg_finding *finding, void *data), void *data,
	       struct mrg_error *err)
{
	static int (*const checks[])(const struct doctor *d) = {
		doctor_check_kernel, check_user_namespaces, check_capabilities, check_subids, check_own_cgroups, check_places,
		check_backends, check_records, doctor_check_ranges, doctor_check_docker, doctor_check_network, doctor_check_ports, doctor_check_shared,
		doctor_check_leftovers, doctor_check_links, doctor_check_kept,
	};
	_cleanup_close_ int files = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct doctor d = { .m = m, .files = files, .found = found, .data = data };

	if (files < 0)
		return fail_errno(err, -errno, "cannot open '/'");
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		int r = checks[i](&d);

		if (r != 0)
			return r;
	}
	return 0;
}
