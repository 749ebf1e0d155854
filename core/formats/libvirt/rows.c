/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of paths: what each is in a spec and what is lost on the way. In the order in which libvirt writes them. */

#include "config.h"

#include "core/formats/libvirt/libvirt.h"

#define FIELD(name)	MRG_FIELD_##name

/* A path whose row reads and writes it. */
#define BOTH(path_, field_, read_, write_) \
	{ .path = path_, .field = FIELD(field_), .read = read_, .write = write_, .once = true }
/* The same where there may be several. */
#define MANY(path_, field_, read_, write_)	{ .path = path_, .field = FIELD(field_), .read = read_, .write = write_ }
/* A path of the container or the host. */
#define PATH(path_, field_, verdict_, note_) { .path = path_, .field = FIELD(field_), .read = domain_read_path, .write = domain_write_path, \
					      .verdict = verdict_, .note = note_, .once = true }
/* An element that only holds others. */
#define PLACE(path_)		{ .path = path_, .field = -1, .verdict = MRG_CARRIED, .once = true }
/* Parsed by libvirt and of no effect on a container. */
#define INERT(path_)		{ .path = path_, .field = -1, .verdict = MRG_APPROXIMATED, .rest = REST_KEPT, \
				  .note = "the LXC driver does nothing with it; kept verbatim" }
/* What libvirt writes of a running domain. */
#define STATE(path_)		{ .path = path_, .field = -1, .verdict = MRG_APPROXIMATED, .rest = REST_GONE, \
				  .note = "state of a running domain, not part of its definition" }
/* Of effect, and without a field. */
#define KEPT(path_, note_)	{ .path = path_, .field = -1, .verdict = MRG_DROPPED, .rest = REST_KEPT, .note = note_ }
#define CONFINES(path_, note_)	{ .path = path_, .field = -1, .verdict = MRG_WEAKENS, .rest = REST_KEPT, .note = note_ }

const struct row libvirt_rows[] = {
	{ .path = "/domain", .field = -1, .read = domain_read_domain },
	STATE("/domain/@id"),
	BOTH("/domain/name", HOSTNAME, domain_read_name, domain_write_name),
	BOTH("/domain/uuid", ANNOTATIONS, domain_read_uuid, domain_write_uuid),
	BOTH("/domain/title", ANNOTATIONS, domain_read_words, domain_write_words),
	BOTH("/domain/description", ANNOTATIONS, domain_read_words, NULL),
	KEPT("/domain/metadata//", "text for the tools that wrote it; kept verbatim"),
	BOTH("/domain/memory", MEMORY_LIMIT, domain_read_memory, domain_write_memory),
	BOTH("/domain/currentMemory", MEMORY_LIMIT, domain_read_memory, NULL),
	PLACE("/domain/memtune"),
	BOTH("/domain/memtune/hard_limit", MEMORY_LIMIT, domain_read_hard_limit, NULL),
	BOTH("/domain/memtune/soft_limit", MEMORY_RESERVATION, domain_read_soft_limit, domain_write_soft_limit),
	BOTH("/domain/memtune/swap_hard_limit", MEMORY_SWAP, domain_read_soft_limit, domain_write_soft_limit),
	PLACE("/domain/blkiotune"),
	BOTH("/domain/blkiotune/weight", IO_WEIGHT, domain_read_weight, domain_write_weight),
	MANY("/domain/blkiotune/device", IO_READ_BPS, domain_read_io_device, domain_write_io_devices),
	BOTH("/domain/vcpu", CPUSET_CPUS, domain_read_vcpu, domain_write_vcpu),
	PLACE("/domain/cputune"),
	BOTH("/domain/cputune/shares", CPU_SHARES, domain_read_cputune, domain_write_cputune),
	BOTH("/domain/cputune/period", CPU_PERIOD, domain_read_cputune, domain_write_cputune),
	BOTH("/domain/cputune/quota", CPU_QUOTA, domain_read_cputune, domain_write_cputune),
	PLACE("/domain/numatune"),
	BOTH("/domain/numatune/memory", CPUSET_MEMS, domain_read_numa, domain_write_numa),
	PLACE("/domain/resource"),
	PATH("/domain/resource/partition", CGROUPS_PATH, MRG_APPROXIMATED,
	     "libvirt puts '.partition' behind the names, except machine, system and user"),
	PLACE("/domain/os"),
	BOTH("/domain/os/type", PERSONALITY, domain_read_type, domain_write_type),
	BOTH("/domain/os/init", ARGS, domain_read_init, domain_write_args),
	MANY("/domain/os/initenv", ENV, domain_read_env, domain_write_env),
	PATH("/domain/os/initdir", CWD, MRG_CARRIED, NULL),
	BOTH("/domain/os/inituser", UID, domain_read_user, domain_write_user),
	BOTH("/domain/os/initgroup", GID, domain_read_user, NULL),
	KEPT("/domain/os/cmdline", "the variable LIBVIRT_LXC_CMDLINE, which libvirt alone sets; kept verbatim"),
	PLACE("/domain/idmap"),
	MANY("/domain/idmap/uid", UID_MAPPINGS, domain_read_idmap, domain_write_idmap),
	MANY("/domain/idmap/gid", GID_MAPPINGS, domain_read_idmap, NULL),
	PLACE("/domain/features"),
	BOTH("/domain/features/privnet", NS_NETWORK, domain_read_privnet, NULL),
	BOTH("/domain/features/capabilities", CAP_BOUNDING, domain_read_capabilities, domain_write_capabilities),
	PLACE("/domain/clock"),
	KEPT("/domain/clock/timer//", "may give the container the clock devices of the host; kept verbatim"),
	PLACE("/domain/devices"),
	{ .path = "/domain/devices/emulator", .field = -1, .read = domain_read_emulator },
	MANY("/domain/devices/filesystem", MOUNTS, domain_read_filesystem, domain_write_filesystems),
	MANY("/domain/devices/interface", NETWORKS, domain_read_interface, domain_write_networks),
	STATE("/domain/devices/interface/guest/@actual"),
	STATE("/domain/devices/interface/source/@portid"),
	STATE("/domain/devices/interface/alias//"),
	INERT("/domain/devices/interface/@trustGuestRxFilters"),
	INERT("/domain/devices/interface/address//"),
	INERT("/domain/devices/interface/model//"),
	INERT("/domain/devices/interface/mtu//"),
	INERT("/domain/devices/interface/driver//"),
	INERT("/domain/devices/interface/mac/@type"),
	INERT("/domain/devices/interface/mac/@check"),
	INERT("/domain/devices/interface/target/@dev"),
	CONFINES("/domain/devices/interface/filterref//", "no field filters packets; kept verbatim"),
	CONFINES("/domain/devices/interface/port//", "no field isolates ports of a bridge; kept verbatim"),
	KEPT("/domain/devices/interface//", "networks of a spec do not say this; kept verbatim"),
	MANY("/domain/devices/console", TERMINAL, domain_read_console, domain_write_console),
	STATE("/domain/devices/console/@tty"),
	STATE("/domain/devices/console/source/@path"),
	STATE("/domain/devices/console/alias//"),
	INERT("/domain/devices/console//"),
	MANY("/domain/devices/hostdev", DEVICES, domain_read_hostdev, domain_write_devices),
	KEPT("/domain/devices/disk//", "an image or disk that the container gets as a device; kept verbatim"),
	STATE("/domain/devices/filesystem/alias//"),
	INERT("/domain/devices/filesystem/@accessmode"),
	INERT("/domain/devices/filesystem/@model"),
	INERT("/domain/devices/filesystem/@multidevs"),
	INERT("/domain/devices/filesystem/@fmode"),
	INERT("/domain/devices/filesystem/@dmode"),
	INERT("/domain/devices/filesystem//"),
	MANY("/domain/seclabel", APPARMOR_PROFILE, domain_read_seclabel, domain_write_seclabels),
	PLACE("/domain/lxc:namespace"),
	BOTH("/domain/lxc:namespace/lxc:sharenet", NS_NETWORK, domain_read_share, domain_write_shares),
	BOTH("/domain/lxc:namespace/lxc:shareipc", NS_IPC, domain_read_share, NULL),
	BOTH("/domain/lxc:namespace/lxc:shareuts", NS_UTS, domain_read_share, NULL),

	INERT("/domain/genid"),
	INERT("/domain/maxMemory//"),
	INERT("/domain/memory/@dumpCore"),
	INERT("/domain/memoryBacking//"),
	INERT("/domain/memtune//"),
	INERT("/domain/vcpu/@placement"),
	INERT("/domain/vcpu/@current"),
	INERT("/domain/vcpu/@cpuset"),
	INERT("/domain/vcpus//"),
	INERT("/domain/iothreads//"),
	INERT("/domain/iothreadids//"),
	INERT("/domain/cputune//"),
	INERT("/domain/numatune//"),
	INERT("/domain/resource//"),
	INERT("/domain/sysinfo//"),
	INERT("/domain/bootloader"),
	INERT("/domain/bootloader_args"),
	INERT("/domain/os/type/@arch"),
	INERT("/domain/os/type/@machine"),
	INERT("/domain/os//"),
	INERT("/domain/features//"),
	INERT("/domain/cpu//"),
	INERT("/domain/clock//"),
	INERT("/domain/on_poweroff"),
	INERT("/domain/on_reboot"),
	INERT("/domain/on_crash"),
	INERT("/domain/on_lockfailure"),
	INERT("/domain/pm//"),
	INERT("/domain/perf//"),
	INERT("/domain/keywrap//"),
	{ 0 }
};
