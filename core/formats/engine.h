/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FORMATS_ENGINE_H
#define FORMATS_ENGINE_H

/*
 * What Docker and Podman do to a container when nothing is said, for the formats that speak of theirs: docker and quadlet. Facts of
 * Docker 20.10 and Podman 4.3, from the config.json they give to their runtimes.
 */

#include <stdbool.h>

#include "core/formats/format.h"
#include "core/util/json.h"

#define ENGINE_CAP(name)	(UINT64_C(1) << CAP_##name)
#define ENGINE_CAPS_ALL		((UINT64_C(1) << (CAPABILITY_LAST + 1)) - 1)

/* What a container may ever do, by engine. */
extern const uint64_t engine_caps_docker, engine_caps_podman;

#define ENGINE_SHM_DOCKER	(64 << 20)
#define ENGINE_SHM_PODMAN	65536000
#define ENGINE_STOP_TIMEOUT	"10"
#define ENGINE_PATH		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Mounts of the kernel's file systems, in front of those of @spec. @privileged: writable. @shm_size: of /dev/shm, 0: that of the host. */
int engine_add_mounts(struct mrg_spec *spec, bool privileged, int64_t shm_size, struct mrg_error *err);

/* Whether engine_add_mounts() makes a mount there, and whether @mount is the same but for its size: what no key of the engine says. */
bool engine_has_mount(const char *destination);
bool engine_is_mount(const struct mrg_mount *mount, bool privileged);

/* The size of a tmpfs by its options, -1: none is said. */
int64_t engine_mount_size(const struct mrg_mount *mount);

/* Paths hidden and read-only; each ends with NULL. */
extern const char *const engine_masked[], *const engine_readonly[];

/* No devices but those of the engine's /dev. */
int engine_add_device_rules(struct mrg_spec *spec, struct mrg_error *err);

/* Whether the first rules are those; how many they are, 0: others. */
size_t engine_device_rules(const struct mrg_spec *spec);

/* Sets namespaces that are not set yet: new ones of all kinds but users. */
int engine_add_namespaces(struct mrg_spec *spec, struct mrg_error *err);

/* A device to be made, and allowed; 1 when its numbers are known on its own host only. */
int engine_add_device(struct mrg_spec *spec, const char *host, const char *inside, const char *access, struct mrg_error *err);

/* The veth that a network of the engine gives: [ { "type": "veth", "zone": NAME, ... } ] in the making; @more: further members. */
void engine_add_network(struct buffer *b, const char *name, const char *more);

/* "80", "8080:80/udp", "127.0.0.1:8080:80", "[::1]:8080:80": adds a member of /moorage/publish to @b. The reason why not, or NULL. */
const char *engine_add_port(struct buffer *b, const char *text);

/* "nofile=1024:2048": 0, or -EINVAL. */
int engine_add_ulimit(struct mrg_spec *spec, const char *name, int64_t soft, int64_t hard, struct mrg_error *err);

/* A user "NAME|UID[:GROUP|GID]"; only two numbers need no looking up in the root. */
int engine_set_user(struct mrg_spec *spec, const char *user, struct mrg_error *err);

/* Effective and permitted capabilities: all of the bounding set for root, for others those in @ambient. */
void engine_finish_caps(struct mrg_spec *spec, uint64_t bounding, uint64_t ambient);

#endif
