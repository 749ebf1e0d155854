/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands of coreutils and util-linux that amount to what the chroot backend does by system calls. */

#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "chroot.h"

struct text {
	char line[4096];
	size_t length;
	mrg_explain_fn say;
	void *data;
	int r;				/* what @say returned; not 0: stop */
};

static void add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *t, const char *format, ...)
{
	size_t room = sizeof(t->line) - t->length;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->line + t->length, room, format, args);
	va_end(args);
	if (n > 0)
		t->length += (size_t)n < room ? (size_t)n : room - 1;
}

static void end(struct text *t)
{
	if (t->r == 0)
		t->r = t->say(t->line, t->data);
	t->length = 0;
	t->line[0] = '\0';
}

/* For sh(1), whatever is in it. */
static void add_quoted(struct text *t, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,@%+";

	if (*word && word[strspn(word, plain)] == '\0') {
		add(t, "%s", word);
		return;
	}
	add(t, "'");
	for (; *word; word++)
		if (*word == '\'')
			add(t, "'\\''");
		else
			add(t, "%c", *word);
	add(t, "'");
}

static void explain_root(struct text *t, const struct mrg_spec *spec)
{
	add(t, "unshare --mount --propagation private");
	end(t);
	if (spec->ephemeral) {
		add(t, "mount -t tmpfs tmpfs /mnt && mkdir /mnt/upper /mnt/work /mnt/root");
		end(t);
		add(t, "mount -t overlay -o nodev,lowerdir=");
		add_quoted(t, spec->root_path);
		add(t, ",upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root && root=/mnt/root");
		end(t);
		return;
	}
	add(t, "root=");
	add_quoted(t, spec->root_path);
	end(t);
	add(t, "mount --rbind \"$root\" \"$root\" && mount -o remount,bind,nodev \"$root\"");
	end(t);
}

static void explain_mount(struct text *t, const struct mrg_mount *mount)
{
	add(t, "mount");
	if (mount->type && strcmp(mount->type, "bind") != 0) {
		add(t, " -t ");
		add_quoted(t, mount->type);
	}
	for (char **o = mount->options; o && *o; o++) {
		add(t, o == mount->options ? " -o " : ",");
		add_quoted(t, *o);
	}
	add(t, " ");
	add_quoted(t, mount->source ? mount->source : "none");
	add(t, " \"$root\"");
	add_quoted(t, mount->destination);
	end(t);
}

static void explain_mounts(struct text *t, const struct mrg_spec *spec)
{
	for (size_t i = 0; i < spec->mounts.n; i++)
		explain_mount(t, &spec->mounts.item[i]);
	for (size_t i = 0; i < spec->devices.n; i++) {
		const struct mrg_device *d = &spec->devices.item[i];

		add(t, "mknod -m %03o \"$root\"", d->file_mode ? d->file_mode : 0666);
		add_quoted(t, d->path);
		add(t, " %s", d->type);
		if (strcmp(d->type, "p") != 0)
			add(t, " %lld %lld", (long long)d->major, (long long)d->minor);
		end(t);
	}
	for (char **path = spec->readonly_paths; path && *path; path++) {
		add(t, "mount --bind -o ro \"$root\"");
		add_quoted(t, *path);
		add(t, " \"$root\"");
		add_quoted(t, *path);
		end(t);
	}
	for (char **path = spec->masked_paths; path && *path; path++) {
		add(t, "mount --bind /dev/null \"$root\"");
		add_quoted(t, *path);
		add(t, "	# a directory: an empty read-only tmpfs");
		end(t);
	}
	if (spec->root_readonly) {
		add(t, "mount -o remount,bind,ro,nodev \"$root\"");
		end(t);
	}
}

static void explain_cgroup(struct text *t, const struct mrg_unit *unit)
{
	const char *parent = unit->spec->cgroups_path ? unit->spec->cgroups_path : "/moorage";

	add(t, "mkdir -p /sys/fs/cgroup/%s/%s-%s	# in every hierarchy", parent + (*parent == '/'), unit->name, unit->id);
	end(t);
	add(t, "echo 0 > /sys/fs/cgroup/%s/%s-%s/cgroup.procs	# v1: tasks", parent + (*parent == '/'), unit->name, unit->id);
	end(t);
}

static void explain_process(struct text *t, const struct mrg_spec *spec)
{
	add(t, "cd ");
	add_quoted(t, spec->cwd ? spec->cwd : "/");
	add(t, " # in there, then");
	end(t);
	add(t, "env -i");
	for (char **e = spec->env; e && *e; e++) {
		add(t, " ");
		add_quoted(t, *e);
	}
	add(t, " chroot");
	if (spec->user) {
		add(t, " --userspec=");
		add_quoted(t, spec->user);
	} else if (spec->uid || spec->gid) {
		add(t, " --userspec=%u:%u", spec->uid, spec->gid);
	}
	add(t, " \"$root\"%s", spec->init ? " moorage-init --" : "");
	for (char **a = spec->args; a && *a; a++) {
		add(t, " ");
		add_quoted(t, *a);
	}
	end(t);
}

int chroot_explain(void *self, const struct mrg_unit *unit, mrg_explain_fn line, void *data, struct mrg_error *err)
{
	struct text t = { .say = line, .data = data };

	(void)self;
	(void)err;
	explain_cgroup(&t, unit);
	explain_root(&t, unit->spec);
	explain_mounts(&t, unit->spec);
	explain_process(&t, unit->spec);
	return t.r;
}
