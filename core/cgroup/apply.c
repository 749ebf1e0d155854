/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes planned limits into the cgroups, all or none. */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/cgroup/cgroup.h"
#include "core/util/cleanup.h"
#include "core/util/fd.h"

#define OLD_MAX	(1 << 16)

/* The part of @text, what the file held, that brings it back: a line, that of the device where there is one each. */
static char *restoring_text(const struct cgroup_setting *s, const char *text)
{
	static const char oom_control[] = "oom_kill_disable ";
	size_t length;

	if (s->device) {
		size_t n = strlen(s->device);

		while (*text && (strncmp(text, s->device, n) != 0 || text[n] != ' ')) {
			text += strcspn(text, "\n");
			text += *text == '\n';
		}
		if (!*text)
			return strdup(s->reset);
	}
	if (strncmp(text, oom_control, strlen(oom_control)) == 0)
		text += strlen(oom_control);
	length = strcspn(text, "\n");
	/* An empty write is none at all; a line end empties the file. */
	return length > 0 ? strndup(text, length) : strdup("\n");
}

static int exchange(int dir, const struct cgroup_setting *s, char **old)
{
	int r = old ? fd_read_virtual(dir, s->file, OLD_MAX, old, NULL) : 0;

	return r < 0 ? r : fd_write_file(dir, s->file, s->text);
}

static int write_one(struct cgroup *cg, int dir, struct cgroup_setting *s, bool undo)
{
	_cleanup_free_ char *text = NULL;
	int r = exchange(dir, s, undo ? &text : NULL);

	if (r == -ENOENT && s->version == 2 && cgroup_v2_settle(cg, s->controller) == 0) {
		free(take_ptr(text));
		r = exchange(dir, s, undo ? &text : NULL);
	}
	if (r == -ENOENT && s->other_file) {
		free(s->file);
		free(s->text);
		s->file = take_ptr(s->other_file);
		s->text = take_ptr(s->other_text);
		return write_one(cg, dir, s, undo);
	}
	if (r == -ENOENT && s->optional)
		return 0;
	if (r < 0)
		return r;
	s->done = true;
	if (undo) {
		s->old = restoring_text(s, text);
		return s->old ? 0 : -ENOMEM;
	}
	return 0;
}

static int failed(const struct cgroup *cg, const struct cgroup_setting *s, int r, struct mrg_error *err)
{
	if (r == -ENOENT)
		return mrg_error_set(err, -MRG_E_UNSUPPORTED, "'%s' cannot be applied: this kernel has no '%s'",
				     mrg_field_info(s->field)->name, s->file);
	return cgroup_fail(err, r, "'%s' cannot be applied: the kernel refuses '%s' in '%s' of cgroup '/%s'",
			   mrg_field_info(s->field)->name, s->text, s->file, cg->path);
}

int cgroup_plan_apply(struct cgroup *cg, struct cgroup_plan *plan, bool undo, struct mrg_error *err)
{
	/* Limits depend on each other (memory and memory with swap, quota and burst), and which of two must be written first
	 * depends on what they were: what is refused gets a second try when the others are written. */
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < plan->n; i++) {
			struct cgroup_setting *s = &plan->item[i];
			struct cgroup_hierarchy *h = cgroup_find(cg, s->controller, s->version);
			int r;

			if (s->done)
				continue;
			if (!h || h->dir < 0) {
				r = mrg_error_set(err, -MRG_E_UNSUPPORTED,
						  "'%s' cannot be changed while it runs: it was started without the "
						  "%s controller", mrg_field_info(s->field)->name,
						  cgroup_controller_name(s->controller, s->version));
				mrg_error_hint(err, "stop it, change it, start it");
			} else {
				r = write_one(cg, h->dir, s, undo);
				if (r == 0 || (pass == 0 && (r == -EINVAL || r == -EBUSY)))
					continue;
				r = failed(cg, s, r, err);
			}
			if (undo)
				cgroup_plan_undo(cg, plan);
			return r;
		}
	return 0;
}

void cgroup_plan_undo(struct cgroup *cg, struct cgroup_plan *plan)
{
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = plan->n; i-- > 0; ) {
			struct cgroup_setting *s = &plan->item[i];
			struct cgroup_hierarchy *h = cgroup_find(cg, s->controller, s->version);

			if (s->done && s->old && h && fd_write_file(h->dir, s->file, s->old) == 0)
				s->done = false;
		}
}
