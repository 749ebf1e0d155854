/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_DOCTOR_H
#define CORE_DOCTOR_H

/* What the files of the doctor share: where findings go, and the parts that judge without looking at a host. */

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <moorage/moorage.h>

struct doctor {
	struct mrg *m;
	int (*found)(const struct mrg_finding *finding, void *data);
	void *data;
};

/* Tells one finding; what the visitor returned. */
int doctor_say(const struct doctor *d, const char *level, const char *subject, const char *text, const char *fix);

/* ---- doctor_ids.c ---- */

/* Ranges of /etc/subuid and /etc/subgid that two users have. */
int doctor_check_ranges(const struct doctor *d);

/* Two ranges that overlap. Names point into the text. */
struct subid_range {
	char *user;
	uint64_t first, count;
};
struct subid_clash {
	struct subid_range a, b;
};

/* The first clash in @text, which it changes, that is not among the first @skip: 1 and *ret, or 0. Lines that are none are passed over. */
int subids_clash(char *text, size_t skip, struct subid_clash *ret);

/* ---- doctor_network.c ---- */

/* Forwarding that is denied to bridges of containers, and networks that overlap. */
int doctor_check_network(const struct doctor *d);

/* Whether the chain FORWARD in @rules ("iptables -S") drops what comes from @bridge: its policy, and no rule that lets it through. */
bool forward_drops(const char *rules, const char *bridge);

/* An IPv4 network of an interface; host byte order. */
struct subnet {
	char name[IF_NAMESIZE];
	uint32_t address;
	unsigned int prefix;
	bool bridge;
};
bool subnets_overlap(const struct subnet *a, const struct subnet *b);

/* ---- doctor_containers.c ---- */

/* Roots and names that containers of two backends have. */
int doctor_check_shared(const struct doctor *d);

/* ---- doctor_leftovers.c ---- */

/* Cgroups of containers that are not there any more. */
int doctor_check_leftovers(const struct doctor *d);

#endif
