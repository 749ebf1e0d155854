/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_CONTAINER_INTERNAL_H
#define CORE_CONTAINER_INTERNAL_H

/* What the verbs share: the conductors' view of one container. */

#include "core/dispatch.h"
#include "core/launch.h"
#include "core/registry/registry.h"
#include "core/store/store.h"

/* How long a command waits for another one, and for a monitor to tidy up. */
#define CONTAINER_LOCK_MS	10000
#define CONTAINER_END_MS	10000

struct mrg_container {
	struct mrg *m;
	struct record *record;
	struct plugin *plugin;		/* loaded when first needed */
	struct mrg_error damage;	/* code set: why the record cannot be used except for its removal */
	struct mrg_error load_error;	/* code set: why the engine's configuration could not be read */
	bool loaded;			/* the spec is what the engine's configuration says */
	bool spec_is_newer;		/* than the record's files */
	struct mrg_spec **replaced;	/* the specs before updates: strings given out live as long as the container */
	size_t n_replaced;
};

/* What is known of a container at one moment. @unit points into @run: not to be copied. */
struct view {
	struct run run;
	struct mrg_unit unit;
	int state;			/* enum mrg_state */
	bool by_others;			/* it runs, and the engine told its process: our record of a start is not of this life */
};

static inline bool state_is_alive(int state)
{
	return state == MRG_STATE_RUNNING || state == MRG_STATE_PAUSED;
}

/* A container of @record, which it takes (also on failure). */
struct mrg_container *container_new(struct mrg *m, struct record *record);

/* open.c: opens a record that is whole. A half made one is repaired when its maker is gone; a maker at work is waited for @timeout_ms. */
int container_open_record(struct mrg *m, const char *name, int timeout_ms, struct record **ret, struct mrg_error *err);

/* The same for a look, without waiting: of the spec no more than a state needs may have been read. */
int container_open_brief(struct mrg *m, const char *name, struct record **ret, struct mrg_error *err);

/* Whether there is no such container for certain: an engine that cannot be asked has lost nothing. */
bool container_is_gone(struct mrg *m, const char *backend, const char *name);

/* One that the engine of @p keeps. */
int container_new_adopted(struct mrg *m, struct plugin *p, const char *name, struct mrg_container **ret, struct mrg_error *err);

/* What a container that is not wholly new brings with it. */
struct origin {
	const char *id;
	bool owns_root;			/* its root was made for it: archive/own_root.h */
};

/* create.c: as mrg_create(), for a root that lies where the engine looks for roots already, so that what the engine says of the name does not
 * count. */
int container_create_as(struct mrg *m, const struct mrg_create *create, const struct origin *origin, struct mrg_container **ret, struct mrg_error *err);

/* migrate/settle.c: removes what the migration that made @c, which its engine has just removed, has kept of its source, unless that has a root of its own. */
int migration_forget_container(struct mrg_container *c, struct mrg_error *err);

/* The same for the one of ours with this id; 0 also when no migration made it. */
int migration_forget(struct mrg *m, const char *id, struct mrg_error *err);

/* native.c: reads the engine's configuration if it is the truth and writes it down for the monitor, which reads the record. */
int container_refresh(struct mrg_container *c, struct mrg_error *err);

/* The digest of the engine's configuration; 0 when it has none. */
int container_digest(struct plugin *p, const struct mrg_unit *unit, uint64_t *ret, struct mrg_error *err);

/* Puts @spec in the place of the container's, which lives on as long as the container: its strings were given out. */
int container_replace_spec(struct mrg_container *c, struct mrg_spec *spec, struct mrg_error *err);

/* Loads the plugin once; tells the damage of a damaged record. */
int container_load_plugin(struct mrg_container *c, struct mrg_error *err);

/* Reads the whole spec if only what a listing needs was read. */
int container_load_spec(struct mrg_container *c, struct mrg_error *err);

/* Both: what every verb begins with. */
int container_plugin(struct mrg_container *c, struct mrg_error *err);

/* Looks at processes, engine and state. -MRG_E_NOT_FOUND when the record was removed meanwhile. */
int container_look(struct mrg_container *c, struct view *ret, struct mrg_error *err);
void container_look_away(struct view *view);

/* The same with what was read of the spec: enough for the state. */
int container_glance(struct mrg_container *c, struct view *ret, struct mrg_error *err);
#define _cleanup_view_ _cleanup_(container_look_away)

/* The state alone (enum mrg_state), for whoever wants nothing of its processes. */
int container_state(struct mrg_container *c, struct mrg_error *err);

/* Takes the lock, then looks. */
int container_lock_and_look(struct mrg_container *c, struct view *ret, struct mrg_error *err);

/* The same for verbs that need it at rest: a monitor that is tidying up after the end is waited for. */
int container_lock_at_rest(struct mrg_container *c, struct view *ret, struct mrg_error *err);

/* wait.c: waits until neither container nor its monitor is alive. -MRG_E_TIMEOUT. */
int container_wait_end(struct mrg_container *c, int timeout_ms, struct mrg_status *ret, struct mrg_error *err);

/* Does a dead monitor's work, under the lock: releases what the run took and notes the end. */
int container_tidy(struct mrg_container *c, struct view *view, struct mrg_error *err);

/* autostart.c: opens where it is seen, for whoever looks at many. */
void autostart_look_begin(struct mrg_look *look);
void autostart_look_end(struct mrg_look *look);

/* autostart.c: takes back what mrg_autostart() has left outside the record. */
int container_forget_autostart(struct mrg_container *c, struct mrg_error *err);

/* stop.c: SIGKILL to all processes; returns when it has ended. 0 when it did not run. */
int container_kill_all(struct mrg_container *c, struct mrg_error *err);

/* remove.c: the refusal: -MRG_E_STATE. */
int container_still_runs(const struct mrg_container *c, int state, const char *what, struct mrg_error *err);

/* damaged.c: removes a record that cannot be read, or whose backend cannot be loaded. @flags: MRG_REMOVE_*. */
int container_remove_damaged(struct mrg_container *c, unsigned int flags, struct mrg_error *err);

/* fields.c: the fields set in @spec that @able lacks, into @ret; how many. */
size_t fields_missing(const struct mrg_spec *spec, const struct mrg_fields *able, struct mrg_fields *ret);

/* The refusal: names fields, backend and the backends that can. Returns -MRG_E_UNSUPPORTED. */
int fields_refuse(struct mrg *m, struct plugin *p, const struct mrg_probe *probe, const struct mrg_spec *spec,
		  const struct mrg_fields *missing, struct mrg_error *err);

/* A copy of @spec without @dropped. */
int fields_drop(const struct mrg_spec *spec, const struct mrg_fields *dropped, struct mrg_spec **ret,
		struct mrg_error *err);

/* Checks "key=value" options against the plugin's table. */
int options_check(struct plugin *p, const struct mrg_spec *spec, struct mrg_error *err);

/* names.c: a name as "brave-heron-1f3a", and 16 random hex digits. */
#define NAME_SIZE	64
int name_make(char ret[NAME_SIZE]);
int id_make(char ret[17]);

/* backend.c: the probe verb, or what mrg_backend_info() has just heard. */
int backend_probe(struct plugin *p, struct mrg_probe *ret, struct mrg_error *err);

/* archive/root_note.c: removes what imports and removals of roots that were cut short have left. */
void import_sweep(struct mrg *m);

#endif
