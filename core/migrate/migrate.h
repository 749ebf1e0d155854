/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIGRATE_MIGRATE_H
#define MIGRATE_MIGRATE_H

/* What the steps of a migration share. */

#include "core/container/internal.h"
#include "core/migrate/guest.h"
#include "core/migrate/journal.h"
#include "core/util/str.h"

struct report_rows;

/* What the kernel enforces on a first process: isolation.c. */
struct isolation {
	bool known;
	uint32_t shared;		/* bit of each kind of namespace that is the host's */
	uint64_t caps;			/* bounding set */
	bool filtered, no_new_privs;	/* seccomp; */
	bool root_is_root;		/* the container's root is the host's */
};

/* The parts of a plan, which owns what they point to. */
struct plan_parts {
	struct mrg_plan plan;
	struct mrg_report_row *rows;
	size_t n_rows;
	struct mrg_plan_change *changes;
	struct mrg_plan_step *steps;
	char **networks;
	char **texts;			/* strings */
	struct mrg_fields weakened;	/* fields that confine, and that the target goes without */
};

#define MIGRATION_CHAIN	16		/* migrations of one container that are looked back at */

struct migration {
	struct mrg *m;
	struct journal *j;
	const struct mrg_migrate *how;	/* NULL: taking back what another process has begun */
	struct mrg_container *source;	/* open until it is set aside; not owned */
	struct plugin *to;
	struct journal *chain[MIGRATION_CHAIN];	/* the migrations that led here, the last one first */
	size_t n_chain;
	int earlier[MIGRATION_CHAIN];	/* their directories, as far as @origin */
	size_t n_earlier;
	const struct journal *origin;	/* the one of them whose source was of the engine that it now goes back to; NULL: none */
	struct mrg_spec *spec;		/* the target's */
	struct remote *remote;		/* to another host: remote.h; NULL: not connected yet */
	struct mrg_fields able;		/* what the backend can do there */
	char *native;			/* the untouched configuration of the source, for there; NULL: it has none */
	const char *digest;		/* of the archive that has gone there */
	struct guest_changes guest;
	struct plan_parts *parts;	/* NULL as @how */
	struct isolation before;	/* of the source, while it ran */
	bool only_plan;			/* it is looked at thoroughly, and not done */
	char **devices;			/* network devices that get another name: old, new, ... */
	bool ran;			/* the source runs, and the target is to run */
	bool autostart;			/* the source starts with the host, by whatever means */
	bool chosen;			/* which ids the target's users get was not said, and has been chosen */
	bool owns_root;			/* the root goes with the container */
	int (*progress)(const struct mrg_progress *progress, void *data);
	void *data;
};

/* A step: what it will do in this migration, doing it, and undoing it however far it has come. */
struct step {
	const char *name;
	bool (*describe)(const struct migration *g, struct buffer *b);	/* false: there is nothing to do */
	int (*run)(struct migration *g, struct mrg_error *err);
	int (*undo)(struct migration *g, struct mrg_error *err);
};

/* The steps of this migration: here, or to another host. Ends with a NULL name. */
const struct step *migration_steps(const struct journal *j);
unsigned int migration_count_steps(const struct journal *j);

/* steps.c: all of them, each noted in the journal before it begins; undone in reverse when one fails. */
int steps_run(struct migration *g, struct mrg_error *err);
int steps_undo(struct migration *g, struct mrg_error *err);

/* Tells how far a step has come: -ECANCELED when it is to be broken off. */
int step_progress(struct migration *g, const struct mrg_progress *progress, struct mrg_error *err);

/* Opens the side of a journal whatever else has that name. The context looks into @side->path meanwhile. */
int side_open(struct migration *g, const struct journal_side *side, bool adopted, struct mrg_container **ret, struct mrg_error *err);

/* step_source.c: the record of a source that had one, while it is set aside. */
int source_record(const struct journal *j, struct record **ret, struct mrg_error *err);

/* step_target.c: opens the target, if it is there and the one that the migration has made. -MRG_E_NOT_FOUND. */
int target_open(struct migration *g, struct mrg_container **ret, struct mrg_error *err);

/* plan.c: fills g->parts, g->spec and g->j from source and wishes. What stands against it is in the plan. */
int migration_analyse(struct migration *g, struct mrg_error *err);
void plan_parts_free(struct plan_parts *parts);

/* Finds out what is to be changed in the root open as @root: g->guest. */
int migration_plan_guest(struct migration *g, int root, struct mrg_error *err);

/* plan.c: whether the target gets users of its own. */
bool migration_gets_own_users(const struct migration *g);

/* layers.c: whether the source's root is of layers, 1 or 0; then they are in the journal. */
int layers_find(struct migration *g, struct mrg_error *err);

/* Opens the source's root for reading, wherever it is now. */
int source_root_open(const struct journal *j, struct mrg_error *err);

/* plan_network.c */
int plan_networks(struct migration *g, struct mrg_error *err);

/* A copy of @text that lives as long as the plan; NULL when memory runs out. */
const char *plan_keep(struct plan_parts *parts, const char *text);

/* adapt.c: makes g->spec, a copy of the source's, fit a target that is @able to do these fields; what that costs is added to @write. */
int adapt_spec(struct migration *g, const struct mrg_fields *able, struct report_rows *write, struct mrg_error *err);

/* Instead, where an earlier configuration comes back: what the source has got since goes. */
int adapt_drop_unmerged(struct migration *g, struct report_rows *write, struct mrg_error *err);

/* report.c: the target's spec, and what becomes of each key of the source. */
int report_make(struct migration *g, struct mrg_error *err);

/* Whether the engine of @backend has a form of configuration of its own, which is one of our formats. */
bool report_has_format(const char *backend);

/* A row about a field instead of a key. */
int report_add_field(struct report_rows *rows, unsigned int field, int verdict, const char *note, struct mrg_error *err);

/* judge.c: whether the plan may be carried out. */
int report_judge(const struct migration *g, struct mrg_error *err);

/* Whether each word of --accept names one of @rows, or what the other host may refuse. -MRG_E_INVALID. */
int report_check_words(const struct migration *g, const struct report_rows *rows, struct mrg_error *err);

/* Whether the loss of a key or field that has @word in its name was accepted. */
bool report_accepts_loss(const struct migration *g, const char *word);

/* step_*.c */
bool stop_describe(const struct migration *g, struct buffer *b);
int stop_run(struct migration *g, struct mrg_error *err);
int stop_undo(struct migration *g, struct mrg_error *err);
bool park_describe(const struct migration *g, struct buffer *b);
int park_run(struct migration *g, struct mrg_error *err);
int park_undo(struct migration *g, struct mrg_error *err);
bool root_describe(const struct migration *g, struct buffer *b);
int root_run(struct migration *g, struct mrg_error *err);
int root_undo(struct migration *g, struct mrg_error *err);
bool ids_describe(const struct migration *g, struct buffer *b);
int ids_run(struct migration *g, struct mrg_error *err);
int ids_undo(struct migration *g, struct mrg_error *err);
bool guest_describe(const struct migration *g, struct buffer *b);
int guest_run(struct migration *g, struct mrg_error *err);
int guest_undo(struct migration *g, struct mrg_error *err);
bool create_describe(const struct migration *g, struct buffer *b);
int create_run(struct migration *g, struct mrg_error *err);
int create_undo(struct migration *g, struct mrg_error *err);
bool start_describe(const struct migration *g, struct buffer *b);
int start_run(struct migration *g, struct mrg_error *err);
int start_undo(struct migration *g, struct mrg_error *err);
bool enable_describe(const struct migration *g, struct buffer *b);
int enable_run(struct migration *g, struct mrg_error *err);

/* remote_send.c and step_remote.c: to another host */
bool send_describe(const struct migration *g, struct buffer *b);
int send_run(struct migration *g, struct mrg_error *err);
bool make_describe(const struct migration *g, struct buffer *b);
int make_run(struct migration *g, struct mrg_error *err);
int make_undo(struct migration *g, struct mrg_error *err);
bool arrive_describe(const struct migration *g, struct buffer *b);
int arrive_run(struct migration *g, struct mrg_error *err);
int arrive_undo(struct migration *g, struct mrg_error *err);
bool enable_there_describe(const struct migration *g, struct buffer *b);
int enable_there_run(struct migration *g, struct mrg_error *err);
bool keep_describe(const struct migration *g, struct buffer *b);
int keep_run(struct migration *g, struct mrg_error *err);

/* What the other host can do, and where the root would be: g->able, g->j->root_to; whether it would take this container. Nothing is changed there. */
int remote_probe(struct migration *g, struct mrg_error *err);
int remote_check(const struct migration *g, struct mrg_error *err);

/* Whether it has the container for good, and runs it. */
int remote_state(struct migration *g, bool *ret_kept, bool *ret_running, struct mrg_error *err);

/* health.c: waits until the target, which has just been started, is well. */
int health_wait(struct migration *g, struct mrg_container *target, struct mrg_error *err);

/* isolation.c */
int isolation_observe(pid_t pid, struct isolation *ret);

/* Whether @after confines less than @before in a way that is not accepted. -MRG_E_STATE, naming it. */
int isolation_compare(const struct migration *g, const struct isolation *before, const struct isolation *after, struct mrg_error *err);

/* migrate.c: undoes what a journal says, and removes it. */
int journal_undo(struct mrg *m, struct journal *j, int (*progress)(const struct mrg_progress *progress, void *data), void *data, struct mrg_error *err);

/* settle.c: removes what is kept of the source, of what that came from, and the journal. */
int journal_discard(struct journal *j, struct mrg_error *err);

#endif
