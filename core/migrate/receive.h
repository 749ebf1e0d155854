/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MIGRATE_RECEIVE_H
#define MIGRATE_RECEIVE_H

/*
 * The side of a migration to another host that gets the container: below
 *
 *	STATE_DIR/received/KEY.part	as much as has come of an archive, locked while more comes; KEY is a digest of what it holds
 *	STATE_DIR/received/ID		the name of a container that has come and is not kept yet, locked by whoever brings it
 *
 * What is not kept when the connection ends is removed, whatever became of the other host. A part stays for a while: a stream that was cut goes on
 * from there.
 */

#include "core/migrate/migrate.h"
#include "core/migrate/wire.h"
#include "core/util/sha256.h"

/* ---- receive_part.c ------------------------------------------------------------------ */

struct part {
	int fd;				/* -1: none */
	char name[SHA256_TEXT + 8];	/* in the directory */
	struct sha256 *sum;		/* of @length bytes */
	uint64_t length;
	bool whole;			/* its end has come */
};

/* Opens STATE_DIR/received. */
int received_open(struct mrg *m, struct mrg_error *err);

/* Opens what there is of the archive @key, and gives the digest of that. -MRG_E_BUSY: somebody sends it. */
int part_open(struct part *part, int dir, const char *key, char ret_digest[SHA256_TEXT], struct mrg_error *err);

/* Takes pieces from @offset on (all that is there, or 0) until the empty one, lets them reach the disk, and gives the digest of all. */
int part_receive(struct part *part, uint64_t offset, struct wire *w, char ret_digest[SHA256_TEXT], struct mrg_error *err);
void part_close(struct part *part);

/* Removes parts that nobody has touched for days. */
void part_sweep(int dir);

#endif
