/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_DOCTOR_DOCTOR_H
#define CORE_DOCTOR_DOCTOR_H

/*
 * What the files of the doctor share: where findings go, and the parts that judge without looking at a host.
 *
 * What other managers do is read from the kernel and from their files, never asked of their daemons: a daemon that is broken is what one looks for, and one that
 * waits must not keep us.
 */

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <moorage/moorage.h>

#include "core/util/str.h"

struct doctor {
	struct mrg *m;
	int files;			/* the directory below which managers have their files: "/", or one of a test */
	int (*found)(const struct mrg_finding *finding, void *data);
	void *data;
};

/* Tells one finding; what the visitor returned. */
int doctor_say(const struct doctor *d, const char *level, const char *subject, const char *text, const char *fix);

/* ---- files.c: files of managers ---- */

/* The text of the file @path, which has no slash in front; the caller frees it. NULL: there is none that can be read. */
char *doctor_read(const struct doctor *d, const char *path);

/* Calls @each for the files of @directory whose names end with @suffix, or, when that begins with a slash, for the file of that name in each directory there; in the
 * order of their names, until it returns something else than 0. It may change @text. */
int doctor_read_all(const struct doctor *d, const char *directory, const char *suffix, int (*each)(const char *path, char *text, void *data), void *data);

/* Takes the next line of *text, blanks around it removed; NULL at the end. */
char *doctor_next_line(char **text);

/* The value of "KEY=VALUE", blanks and quotes around it removed, or NULL. @line is changed. */
char *doctor_value(char *line, const char *key);

/* ---- kernel.c ---- */

/* What backends need of the kernel, found by trying. */
int doctor_check_kernel(const struct doctor *d);

/* ---- ids.c ---- */

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

/* Whether a line of @text, which may be NULL, begins with "NAME:". */
bool subids_has(const char *text, const char *name);

/* ---- network.c: interfaces of this host ---- */

/* An IPv4 network; host byte order. */
struct subnet {
	char name[IF_NAMESIZE];		/* of the interface; "": not known */
	uint32_t address;
	unsigned int prefix;
	bool bridge;			/* or what containers are connected to as if it were one */
};
bool subnets_overlap(const struct subnet *a, const struct subnet *b);

/* "10.0.3.1/24"; name and bridge are left. */
bool subnet_parse(const char *text, struct subnet *ret);

/* "10.0.3.0/24" */
#define SUBNET_SIZE	20
const char *subnet_show(const struct subnet *subnet, char ret[SUBNET_SIZE]);

/* Forwarding that is denied to bridges of containers, networks that overlap, and bridges that nobody gives an address. */
int doctor_check_network(const struct doctor *d);

/* ---- forward.c ---- */

/* Bridges among @subnets that what they send is dropped of. */
int doctor_check_forwarding(const struct doctor *d, const struct subnet *subnets, size_t n);

/* Whether the chain FORWARD in @rules ("iptables -S") drops what comes from @bridge: its policy, and no rule that lets it through. */
bool forward_drops(const char *rules, const char *bridge);

/* ---- forward_nft.c ---- */

struct json;

/* A chain that drops what no rule accepts. */
struct nft_chain {
	char family[8], table[64], name[64];
};

/* The chain number @skip that forwarded packets of IPv4 come through and whose policy is to drop, in @chains ("nft -j list chains"): 1 and *ret, or 0. */
int nft_find_chain(const struct json *chains, size_t skip, struct nft_chain *ret);

/* Whether @chain lets nothing through that comes in on @bridge, by the rules in @table ("nft -j list table"). */
bool nft_drops(const struct json *table, const struct nft_chain *chain, const char *bridge);

/* The same as doctor_check_forwarding() of chains that iptables does not show; with @iptables its own are left out. */
int doctor_check_nft(const struct doctor *d, const struct subnet *subnets, size_t n, bool iptables);

/* ---- networks.c: those that managers will make, as their files say ---- */

struct network {
	char owner[96];			/* "the network 'default' of libvirt" */
	char file[192];
	char change[160];		/* what changes it */
	struct subnet subnet;		/* name: its bridge; prefix 0: addresses are not told */
	bool pool;			/* what networks are taken from */
	bool up;			/* it is there; told by clash.c */
};

struct networks {
	struct network *item;
	size_t n;
};

/* -ENOMEM, or 0: what cannot be read is passed over. */
int networks_read(const struct doctor *d, struct networks *ret);
void networks_deinit(struct networks *networks);

/* Adds a network without addresses; NULL when memory runs out or there are too many. */
struct network *networks_add(struct networks *networks, const char *file, const char *change, const char *owner, ...) __attribute__((format(printf, 4, 5)));

/* networks_libvirt.c */
int networks_read_libvirt(const struct doctor *d, struct networks *ret);

/* clash.c: networks of @networks that clash with each other or with the interfaces @subnets that are there. */
int doctor_check_networks(const struct doctor *d, struct networks *networks, const struct subnet *subnets, size_t n);

/* ---- docker.c ---- */

/* A configuration that Docker does not start with. */
int doctor_check_docker(const struct doctor *d);

/* The parsed /etc/docker/daemon.json, which the caller frees; NULL: none, or it is broken. */
struct json *docker_configuration(const struct doctor *d);

/* ---- ports.c, ports_read.c ---- */

/* Ports of the host that two containers are to have. */
int doctor_check_ports(const struct doctor *d);

struct port {
	char owner[128];		/* "the container 'web' of Docker" */
	char file[256];
	char address[48];		/* "": every one */
	char protocol[8];
	uint32_t first, last;
};

struct ports {
	struct port *item;
	size_t n;
};

/* -ENOMEM, or 0: what cannot be read is passed over. */
int ports_read(const struct doctor *d, struct ports *ret);

/* "8080:80", "127.0.0.1:8080-8090:80-90/udp" as Podman has them: the ports of the host; false: none that is known beforehand. */
bool port_parse_podman(const char *text, struct port *ret);

/* "8080", "8080:80", "udp:8080:80" as systemd-nspawn has them. */
bool port_parse_nspawn(const char *text, struct port *ret);

bool ports_clash(const struct port *a, const struct port *b);

/* ---- shared.c ---- */

/* Roots and names that containers of two backends have; mounts below roots that nobody runs; runs whose monitor is gone. */
int doctor_check_shared(const struct doctor *d);

/* ---- mounts.c ---- */

/* The root, a real path, of a container that does not run. */
struct stopped_root {
	char owner[160];		/* "BACKEND:NAME" */
	const char *root;
};

/* What is mounted below them and used by nobody. */
int doctor_check_mounts(const struct doctor *d, const struct stopped_root *stopped, size_t n);

/* The mount points of @text (mountinfo), which it changes. */
int mounts_parse(char *text, struct strings *ret);

/* Those of @mounts that are below @root, none of them below another one that is given, none with a line in @fstab, which may be NULL. */
int mounts_below(const struct strings *mounts, const char *root, const char *fstab, struct strings *ret);

/* ---- links.c ---- */

/* A virtual cable's end in this network namespace. */
struct link {
	char name[IF_NAMESIZE];
	int index, peer;		/* @peer: in its own namespace */
	int space;			/* the id of the other end's namespace; -1: it is here too */
	int master;			/* the bridge it is plugged into; 0: none */
	bool up;
};

/* Cables of containers whose other end nobody has. */
int doctor_check_links(const struct doctor *d);

/* Whether nobody has the other end of @link: it is in a network namespace that is not among the @n_used with processes, or lies unused beside it. */
bool link_is_left(const struct link *link, const struct link *all, size_t n, const int *used, size_t n_used);

/* ---- links_read.c ---- */

/* The cables of this network namespace; allocated. A negative errno. */
int links_read(struct link **ret, size_t *ret_n);

/* The ids of the network namespaces that processes are in, or that somebody has given a name; allocated. -EACCES: some processes may not be looked at. */
int spaces_read(int **ret, size_t *ret_n);

/* ---- leftovers.c ---- */

/* Cgroups of containers that are not there any more. */
int doctor_check_leftovers(const struct doctor *d);

/* Who calls a cgroup @name that is in the directory @parent ("": the top) of a hierarchy; NULL: nobody that we know. */
const char *cgroup_owner(const char *parent, const char *name);

/* ---- kept.c ---- */

/* What migrations keep of a source whose target is not there any more. */
int doctor_check_kept(const struct doctor *d);

#endif
