/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FORMATS_DOCKER_H
#define FORMATS_DOCKER_H

/*
 * Internal to docker*.c: what "docker inspect" and "podman inspect" print of a container, read only.
 *
 * Every key has a row, HostConfig and Config key by key. A key that has its empty value asks for nothing and is carried. What several
 * keys say together is put into the spec at the end: mounts, capabilities, networks.
 */

#include "core/formats/engine.h"
#include "core/util/str.h"

struct docker_reader {
	struct mrg_spec *spec;
	struct mrg_error *err;
	const struct report *report;
	const struct json *container, *host, *config;	/* objects; HostConfig and Config may be NULL */
	bool podman, privileged;
	char key[256];			/* being read: "HostConfig.Memory" */
	const char *note;		/* a row may say what was lost of this one, */
	int field;			/* and which field it became, when it is not that of the row */
	char words[200];		/* room for a note that names something */
	/* Where the line of a key is counted from. */
	const char *counted;
	unsigned int line;
	/* What several keys make together. */
	uint64_t add, drop;		/* capabilities */
	struct buffer networks, ports;	/* members of arrays in the making */
	const char *hwaddr;
	bool masked, readonly;		/* said */
	bool unconfined_paths;
};

struct docker_key {
	const char *name;		/* "HostConfig.Memory" */
	int field;			/* enum mrg_field, or -1 */
	enum json_type type;		/* of a value that says something */
	bool always;			/* also an empty value says something */
	/* Gives the verdict or a negative errno. @value is of @type. */
	int (*read)(struct docker_reader *in, const struct docker_key *key, const struct json *value);
	int verdict;			/* of generic rows */
	const char *note;
};

#define DOCKER_READER(name_)	int name_(struct docker_reader *in, const struct docker_key *key, const struct json *value)

/* Errors name the key; the verdict is then the error. */
int docker_fail(struct docker_reader *in, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts the key in front of an error that is there. */
int docker_place(struct docker_reader *in);

/* The member of an object if it is of that type, else NULL. */
const struct json *docker_member(const struct json *object, const char *name, enum json_type type);

/* The text of a member, "" when there is none. */
const char *docker_text(const struct json *object, const char *name);

/* A note with the name in it that the text has no room for elsewhere. */
const char *docker_note(struct docker_reader *in, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Generic rows: one key one field; a map; nothing but the verdict. */
DOCKER_READER(docker_read_simple);
DOCKER_READER(docker_read_map);
DOCKER_READER(docker_read_verdict);

extern const struct docker_key docker_top_keys[], docker_config_keys[], docker_host_keys[];

/* process.c */
DOCKER_READER(docker_read_command);
DOCKER_READER(docker_read_image);
DOCKER_READER(docker_read_platform);
DOCKER_READER(docker_read_user);
DOCKER_READER(docker_read_env);
DOCKER_READER(docker_read_signal);
DOCKER_READER(docker_read_health);
DOCKER_READER(docker_read_hostname);
DOCKER_READER(docker_read_annotations);
DOCKER_READER(docker_read_profile);
int docker_finish_process(struct docker_reader *in);

/* host.c */
DOCKER_READER(docker_read_namespace);
DOCKER_READER(docker_read_users);
DOCKER_READER(docker_read_mappings);
DOCKER_READER(docker_read_caps);
DOCKER_READER(docker_read_privileged);
DOCKER_READER(docker_read_security);
DOCKER_READER(docker_read_runtime);
DOCKER_READER(docker_read_groups);
DOCKER_READER(docker_read_restart);
DOCKER_READER(docker_read_log);
DOCKER_READER(docker_read_paths);
int docker_finish_confinement(struct docker_reader *in);

/* limits.c */
DOCKER_READER(docker_read_number);
DOCKER_READER(docker_read_cpus);
DOCKER_READER(docker_read_ulimits);
DOCKER_READER(docker_read_console);
DOCKER_READER(docker_read_rates);

/* mounts.c */
DOCKER_READER(docker_read_mounts);
DOCKER_READER(docker_read_binds);
DOCKER_READER(docker_read_host_mounts);
DOCKER_READER(docker_read_tmpfs);
DOCKER_READER(docker_read_shm);
DOCKER_READER(docker_read_devices);
DOCKER_READER(docker_read_device_rules);
int docker_finish_mounts(struct docker_reader *in);

/* network.c */
DOCKER_READER(docker_read_network);
DOCKER_READER(docker_read_networks);
DOCKER_READER(docker_read_ports);
DOCKER_READER(docker_read_disabled);
DOCKER_READER(docker_read_mac);
int docker_finish_network(struct docker_reader *in);

#endif
