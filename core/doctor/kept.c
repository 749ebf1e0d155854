/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What migrations have kept: of a source whose target is not there any more, as another tool has removed it, or we were killed while we did; copies in which a
 * target has worked that is gone. */

#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/container/internal.h"
#include "core/doctor/doctor.h"
#include "core/migrate/copies.h"
#include "core/migrate/journal.h"
#include "core/util/cleanup.h"
#include "core/util/str.h"

/* Whether the target of @of has gone on from where it was, so that what is kept is another's by now. */
struct sequel {
	struct mrg *m;
	const struct journal *of;
};

static int is_sequel(const char *id, void *data)
{
	const struct sequel *s = data;
	_cleanup_journal_ struct journal *j = NULL;
	bool empty;

	if (strcmp(id, s->of->id) == 0 || journal_open(s->m, JOURNAL_KEPT, id, &j, &empty, NULL) < 0)
		return 0;
	return j->created > s->of->created && strcmp(j->source.name, s->of->target.name) == 0 && strcmp(j->source.backend, s->of->target.backend) == 0;
}

struct told {
	const struct doctor *d;
	int stopped;			/* what the visitor returned */
};

static int check(const char *id, void *data)
{
	struct told *told = data;
	const struct doctor *d = told->d;
	_cleanup_journal_ struct journal *j = NULL;
	char text[512], fix[512];
	bool empty;

	if (journal_open(d->m, JOURNAL_KEPT, id, &j, &empty, NULL) < 0 || j->host || !container_is_gone(d->m, j->target.backend, j->target.name) ||
	    journal_walk(d->m, JOURNAL_KEPT, is_sequel, &(struct sequel){ d->m, j }, NULL) != 0)
		return 0;
	snprintf(text, sizeof(text), "what was kept of '%s' of %s when it went to %s is there still, and '%s' there is not", j->source.name, j->source.backend,
		 j->target.backend, j->target.name);
	snprintf(fix, sizeof(fix), "moorage migrate %s:%s --purge    # or, to have it back: moorage rollback %s:%s", j->target.backend, j->target.name, j->target.backend,
		 j->target.name);
	return told->stopped = doctor_say(d, "warning", "sources kept", text, fix);
}

static int say_copy(const struct doctor *d, const char *path)
{
	char text[PATH_MAX + 64], fix[PATH_MAX + 64];

	snprintf(text, sizeof(text), "'%s' is the copy of a migration that was taken back: the container may have worked in it", path);
	snprintf(fix, sizeof(fix), "rm -r --one-file-system '%s'", path);
	return doctor_say(d, "warning", "copies kept", text, fix);
}

int doctor_check_kept(const struct doctor *d)
{
	_cleanup_(strv_freep) char **copies = copies_list(d->m);
	struct told told = { .d = d };

	/* That our own directories cannot be read is told by who looks at them. */
	journal_walk(d->m, JOURNAL_KEPT, check, &told, NULL);
	for (char **copy = copies; !told.stopped && copy && *copy; copy++)
		told.stopped = say_copy(d, *copy);
	return told.stopped;
}
