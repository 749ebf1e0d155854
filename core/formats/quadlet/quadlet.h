/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FORMATS_QUADLET_H
#define FORMATS_QUADLET_H

/*
 * Internal to quadlet*.c: .container files of Podman 5, podman-systemd.unit(5).
 *
 * [Container] is the container, [Service] the unit that runs it: what limits the unit limits the container, which is in its cgroup.
 * What Podman does when nothing is said is said in the spec (engine.h). What has no key is written as an option of podman run
 * (PodmanArgs=) where there is one.
 */

#include "core/formats/engine.h"
#include "core/formats/systemd/systemd.h"

struct quadlet_reader {
	struct unit_reader unit;
	struct assignments *list;
	const char *image, *user, *group;
	uint64_t add, drop;		/* capabilities */
	bool add_all, drop_all;
	bool privileged;
	char **entrypoint, **exec;
	bool command_lost;		/* one of them has what only podman can expand */
	struct buffer networks, ports, volumes;	/* members of arrays in the making */
	unsigned int network_lines;	/* of Network=, those that count */
	bool network_alone;		/* one of them lets no other stand beside it */
	int64_t shm_size;
	bool readonly_tmpfs, volatile_tmp;
	char **masked, **unmasked;
	bool unmasked_all;
	const char *health_test;	/* JSON */
	const char *health_time[3];	/* nanoseconds: Interval, Timeout, StartPeriod */
	const char *health_retries;
	const char *log_driver, *log_size;
	bool users;			/* a user namespace of its own */
};

static inline struct quadlet_reader *quadlet_of(struct key_reader *in)
{
	return (struct quadlet_reader *)unit_of(in);
}

/* Whether [Container] has a line of @key. */
bool quadlet_has_line(struct key_reader *in, const char *key);

struct quadlet_writer {
	struct key_writer out;
	const struct json *kept;	/* moorage.native.quadlet.Container, or NULL */
	bool image;			/* there is an image, and no root */
	bool privileged;		/* nothing confines it that --privileged takes away */
};

static inline const struct quadlet_writer *quadlet_writer_of(const struct key_writer *out)
{
	return (const struct quadlet_writer *)((const char *)out - offsetof(struct quadlet_writer, out));
}

/* Whether a key of [Container] was kept verbatim. */
bool quadlet_has_kept(const struct key_writer *out, const char *key);

/* A line of one word that may need quoting. */
void quadlet_word(struct key_writer *out, const char *key, const char *word);

/* PodmanArgs= of one option; @value may be NULL. */
void quadlet_option(struct key_writer *out, const char *option, const char *value);

extern const struct key quadlet_keys[], quadlet_service_keys[];
bool quadlet_name_confines(const char *name);

/* Kept verbatim, whatever it says; an empty or switched-off value asks for nothing. */
KEY_READER(quadlet_read_kept);
/* Words NAME=VALUE of a map. */
KEY_READER(quadlet_read_map);
KEY_WRITER(quadlet_write_map);

/* process.c */
KEY_READER(quadlet_read_image);
KEY_READER(quadlet_read_rootfs);
KEY_WRITER(quadlet_write_root);
KEY_READER(quadlet_read_exec);
KEY_WRITER(quadlet_write_exec);
KEY_READER(quadlet_read_user);
KEY_WRITER(quadlet_write_user);
KEY_READER(quadlet_read_groups);
KEY_WRITER(quadlet_write_groups);
KEY_READER(quadlet_read_cwd);
KEY_READER(quadlet_read_signal);
KEY_READER(quadlet_read_ulimit);
KEY_WRITER(quadlet_write_ulimits);
KEY_WRITER(quadlet_write_timeout);
int quadlet_finish_process(struct key_reader *in);

/* life.c */
KEY_READER(quadlet_read_log);
KEY_WRITER(quadlet_write_log);
KEY_READER(quadlet_read_health);
KEY_WRITER(quadlet_write_health);
int quadlet_finish_life(struct key_reader *in);

/* confine.c */
KEY_READER(quadlet_read_capability);
KEY_WRITER(quadlet_write_caps);
KEY_READER(quadlet_read_seccomp);
KEY_WRITER(quadlet_write_seccomp);
KEY_READER(quadlet_read_mask);
KEY_WRITER(quadlet_write_masks);
KEY_READER(quadlet_read_userns);
KEY_READER(quadlet_read_idmap);
KEY_WRITER(quadlet_write_users);
KEY_READER(quadlet_read_device);
KEY_WRITER(quadlet_write_devices);
int quadlet_finish_confinement(struct key_reader *in);

/* mounts.c */
KEY_WRITER(quadlet_write_readonly);
KEY_READER(quadlet_read_switch);
KEY_READER(quadlet_read_volume);
KEY_READER(quadlet_read_mount);
KEY_READER(quadlet_read_tmpfs);
KEY_READER(quadlet_read_shm);
KEY_WRITER(quadlet_write_mounts);
int quadlet_finish_mounts(struct key_reader *in);

/* network.c */
KEY_READER(quadlet_read_network);
KEY_WRITER(quadlet_write_network);
KEY_READER(quadlet_read_port);
KEY_WRITER(quadlet_write_ports);
int quadlet_finish_network(struct key_reader *in);

/* args.c */
KEY_READER(quadlet_read_args);
KEY_WRITER(quadlet_write_args);

#endif
