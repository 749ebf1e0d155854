# SPDX-License-Identifier: LGPL-2.1-or-later
# libmoorage, moorage-monitor, moorage-init

# Utilities, for the library, the command and plugins alike.
noinst_LTLIBRARIES += libutil.la
libutil_la_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
libutil_la_SOURCES = \
	%D%/util/arena.c %D%/util/arena.h \
	%D%/util/backend_name.h \
	%D%/util/cleanup.h \
	%D%/util/command.c %D%/util/command.h \
	%D%/util/detach.c %D%/util/detach.h \
	%D%/util/digest.h \
	%D%/util/fail.c %D%/util/fail.h \
	%D%/util/fd.c %D%/util/fd.h \
	%D%/util/json.c %D%/util/json.h \
	%D%/util/json_table.c %D%/util/json_table.h \
	%D%/util/json_write.c \
	%D%/util/library.c %D%/util/library.h \
	%D%/util/mountinfo.h \
	%D%/util/names.c %D%/util/names.h \
	%D%/util/parse.c \
	%D%/util/path.c %D%/util/path.h \
	%D%/util/pid_namespace.c %D%/util/pid_namespace.h \
	%D%/util/proc.c %D%/util/proc.h \
	%D%/util/rfc3339.c %D%/util/rfc3339.h \
	%D%/util/sha256.c %D%/util/sha256.h \
	%D%/util/str.c %D%/util/str.h \
	%D%/util/thread.c %D%/util/thread.h \
	%D%/util/utf8.c %D%/util/utf8.h \
	%D%/util/writeback.c %D%/util/writeback.h
if HAVE_NSPAWN
libutil_la_SOURCES += %D%/util/bus.c %D%/util/bus.h
endif
libutil_la_CPPFLAGS = $(AM_CPPFLAGS) $(NSPAWN_CFLAGS)

# All objects of the library, with every symbol visible: what unit tests link.
noinst_LTLIBRARIES += libcore.la
libcore_la_CFLAGS = $(AM_CFLAGS) $(PACKERS_CFLAGS) $(SECCOMP_CFLAGS)
libcore_la_LIBADD = libutil.la
libcore_la_SOURCES = \
	%D%/archive/acl.c %D%/archive/acl.h \
	%D%/archive/content.c \
	%D%/archive/export.c %D%/archive/export.h \
	%D%/archive/extract.c %D%/archive/extract.h \
	%D%/archive/extract_metadata.c \
	%D%/archive/import/import.c %D%/archive/import/import.h \
	%D%/archive/import/accept.c \
	%D%/archive/import/blob.c %D%/archive/import/blob.h \
	%D%/archive/import/docker.c \
	%D%/archive/import/image.c %D%/archive/import/image.h \
	%D%/archive/import/native.c \
	%D%/archive/import/oci.c \
	%D%/archive/import/place.c \
	%D%/archive/import/source.c \
	%D%/archive/own_root.c %D%/archive/own_root.h \
	%D%/archive/pack.c %D%/archive/pack.h \
	%D%/archive/root_note.c %D%/archive/root_note.h \
	%D%/archive/stream/stream.c %D%/archive/stream/stream.h \
	%D%/archive/stream/ahead.c %D%/archive/stream/ahead.h \
	%D%/archive/stream/gzip.c \
	%D%/archive/stream/xz.c \
	%D%/archive/stream/zstd.c \
	%D%/archive/tar/tar.h \
	%D%/archive/tar/pax.c \
	%D%/archive/tar/read.c \
	%D%/archive/tar/sparse.c \
	%D%/archive/tar/write.c \
	%D%/archive/transfer.c %D%/archive/transfer.h \
	%D%/audit/audit.c %D%/audit/audit.h \
	%D%/audit/checks.c \
	%D%/audit/compare.c \
	%D%/audit/devices.c \
	%D%/audit/facts.c \
	%D%/audit/json.c \
	%D%/audit/parse.c \
	%D%/audit/probe.c %D%/audit/probe.h \
	%D%/audit/probe_answer.c \
	%D%/audit/probe_rows.c \
	%D%/audit/read_cgroup.c \
	%D%/audit/read_devices.c \
	%D%/audit/read_descriptors.c \
	%D%/audit/read_kernel.c \
	%D%/audit/read_mounts.c \
	%D%/audit/read_process.c \
	%D%/audit/read_tree.c \
	%D%/audit/tree.c \
	%D%/cgroup/cgroup.h \
	%D%/cgroup/apply.c \
	%D%/cgroup/devices.c \
	%D%/cgroup/limits.c \
	%D%/cgroup/mounts.c \
	%D%/cgroup/of.c \
	%D%/cgroup/processes.c \
	%D%/cgroup/stats.c \
	%D%/cgroup/tree.c \
	%D%/cgroup/user.c %D%/cgroup/user.h \
	%D%/cgroup/v1.c \
	%D%/cgroup/v2.c \
	%D%/config.c \
	%D%/container/container.c \
	%D%/container/addresses.c \
	%D%/container/autostart.c \
	%D%/container/backend.c \
	%D%/container/create.c \
	%D%/container/damaged.c \
	%D%/container/fields.c \
	%D%/container/home.c \
	%D%/container/home.h \
	%D%/container/internal.h \
	%D%/container/list.c \
	%D%/container/logs.c \
	%D%/container/native.c \
	%D%/container/open.c \
	%D%/container/remove.c \
	%D%/container/rename.c \
	%D%/container/start.c \
	%D%/container/stop.c \
	%D%/container/update.c \
	%D%/container/wait.c \
	%D%/context.c %D%/context.h \
	%D%/convert/convert.c %D%/convert/convert.h \
	%D%/convert/report_rows.c \
	%D%/dispatch.c %D%/dispatch.h \
	%D%/doctor/clash.c \
	%D%/doctor/docker.c \
	%D%/doctor/doctor.c %D%/doctor/doctor.h \
	%D%/doctor/files.c \
	%D%/doctor/forward.c \
	%D%/doctor/forward_nft.c \
	%D%/doctor/ids.c \
	%D%/doctor/kept.c \
	%D%/doctor/kernel.c \
	%D%/doctor/leftovers.c \
	%D%/doctor/links.c \
	%D%/doctor/links_read.c \
	%D%/doctor/mounts.c \
	%D%/doctor/network.c \
	%D%/doctor/networks.c \
	%D%/doctor/networks_libvirt.c \
	%D%/doctor/ports.c \
	%D%/doctor/ports_read.c \
	%D%/doctor/shared.c \
	%D%/error.c \
	%D%/exec_request.c %D%/exec_request.h \
	%D%/formats/device_names.c %D%/formats/device_names.h \
	%D%/formats/confines.c \
	%D%/formats/docker/docker.c %D%/formats/docker/docker.h \
	%D%/formats/docker/host.c \
	%D%/formats/docker/keys.c \
	%D%/formats/docker/limits.c \
	%D%/formats/docker/mounts.c \
	%D%/formats/docker/network.c \
	%D%/formats/docker/process.c \
	%D%/formats/engine.c %D%/formats/engine.h \
	%D%/formats/format.c %D%/formats/format.h \
	%D%/formats/guess.c \
	%D%/formats/keys.c %D%/formats/keys.h \
	%D%/formats/keys_native.c \
	%D%/formats/lxc/lxc.c %D%/formats/lxc/lxc.h \
	%D%/formats/lxc/caps.c \
	%D%/formats/lxc/cgroup.c \
	%D%/formats/lxc/devices.c \
	%D%/formats/lxc/include.c \
	%D%/formats/lxc/keys.c \
	%D%/formats/lxc/legacy.c \
	%D%/formats/lxc/limits.c %D%/formats/lxc/limits.h \
	%D%/formats/lxc/mounts.c %D%/formats/lxc/mounts.h \
	%D%/formats/lxc/mounts_write.c \
	%D%/formats/lxc/namespaces.c \
	%D%/formats/lxc/net.c %D%/formats/lxc/net.h \
	%D%/formats/lxc/net_write.c \
	%D%/formats/lxc/process.c \
	%D%/formats/lxc/replace.c \
	%D%/formats/lxc/layers.c \
	%D%/formats/lxc/root.c \
	%D%/formats/lxc/text.c \
	%D%/formats/module.c %D%/formats/module.h \
	%D%/formats/native.c %D%/formats/native.h \
	%D%/formats/nspawn/nspawn.c %D%/formats/nspawn/nspawn.h \
	%D%/formats/nspawn/caps.c \
	%D%/formats/nspawn/command.c \
	%D%/formats/nspawn/filter.c \
	%D%/formats/nspawn/keys.c \
	%D%/formats/nspawn/mounts.c \
	%D%/formats/nspawn/mounts_write.c \
	%D%/formats/nspawn/network.c \
	%D%/formats/nspawn/process.c \
	%D%/formats/nspawn/text.c \
	%D%/formats/nspawn/users.c \
	%D%/formats/nspawn/write.c \
	%D%/formats/oci/oci.c \
	%D%/formats/oci/seccomp.c %D%/formats/oci/seccomp.h \
	%D%/formats/quadlet/quadlet.c %D%/formats/quadlet/quadlet.h \
	%D%/formats/quadlet/args.c \
	%D%/formats/quadlet/confine.c \
	%D%/formats/quadlet/keys.c \
	%D%/formats/quadlet/life.c \
	%D%/formats/quadlet/mounts.c \
	%D%/formats/quadlet/network.c \
	%D%/formats/quadlet/process.c \
	%D%/formats/systemd/systemd.c %D%/formats/systemd/systemd.h \
	%D%/formats/systemd/devices.c \
	%D%/formats/systemd/keys.c \
	%D%/formats/systemd/limits.c \
	%D%/formats/systemd/paths.c \
	%D%/formats/systemd/process.c \
	%D%/formats/systemd/sandbox.c \
	%D%/formats/systemd/text.c \
	%D%/helper/cgroup.c \
	%D%/helper/cgroup_delegate.c \
	%D%/helper/cgroup_enter.c \
	%D%/helper/cgroup_mount.c \
	%D%/helper/cgroup_scope.c \
	%D%/helper/command.c \
	%D%/helper/copy_up.c \
	%D%/helper/credentials.c \
	%D%/helper/devices.c \
	%D%/helper/exec.c \
	%D%/helper/host.c \
	%D%/helper/identity.c \
	%D%/helper/ids.c \
	%D%/helper/init.c %D%/helper/init.h \
	%D%/helper/mask.c \
	%D%/helper/mounts.c \
	%D%/helper/pass.c \
	%D%/helper/process.c %D%/helper/process.h \
	%D%/helper/process_probe.c \
	%D%/helper/rlimits.c \
	%D%/helper/root.c %D%/helper/root.h \
	%D%/helper/seccomp.c \
	%D%/helper/spawn.c \
	%D%/helper/stdio.c \
	%D%/helper/user.c \
	%D%/launch.c %D%/launch.h \
	%D%/live/change.c %D%/live/change.h \
	%D%/live/event_log.c %D%/live/event_log.h \
	%D%/live/event_reader.c \
	%D%/live/watch.c %D%/live/watch.h \
	%D%/live/watch_entry.c \
	%D%/live/watch_log.c \
	%D%/live/watch_look.c \
	%D%/log.c %D%/log.h \
	%D%/log_read.c \
	%D%/migrate/adapt.c \
	%D%/migrate/copies.c %D%/migrate/copies.h \
	%D%/migrate/guest.c %D%/migrate/guest.h \
	%D%/migrate/guest_keep.c \
	%D%/migrate/guest_rules.c \
	%D%/migrate/health.c \
	%D%/migrate/isolation.c \
	%D%/migrate/journal.c %D%/migrate/journal.h \
	%D%/migrate/judge.c \
	%D%/migrate/layers.c \
	%D%/migrate/migrate.c %D%/migrate/migrate.h \
	%D%/migrate/plan.c \
	%D%/migrate/plan_network.c \
	%D%/migrate/receive.c %D%/migrate/receive.h \
	%D%/migrate/receive_part.c \
	%D%/migrate/received.c %D%/migrate/received.h \
	%D%/migrate/remote.c %D%/migrate/remote.h \
	%D%/migrate/remote_send.c \
	%D%/migrate/report.c \
	%D%/migrate/settle.c \
	%D%/migrate/step_root.c \
	%D%/migrate/step_source.c \
	%D%/migrate/step_target.c \
	%D%/migrate/step_remote.c \
	%D%/migrate/steps.c \
	%D%/migrate/tree/dir_stack.c %D%/migrate/tree/dir_stack.h \
	%D%/migrate/tree/link_table.c %D%/migrate/tree/link_table.h \
	%D%/migrate/tree/tree.h \
	%D%/migrate/tree/copy.c %D%/migrate/tree/copy.h \
	%D%/migrate/tree/copy_contents.c \
	%D%/migrate/tree/copy_filler.c \
	%D%/migrate/tree/copy_links.c \
	%D%/migrate/tree/copy_metadata.c \
	%D%/migrate/tree/digest.c \
	%D%/migrate/tree/ids.h \
	%D%/migrate/tree/map.c \
	%D%/migrate/tree/rebase.c %D%/migrate/tree/rebase.h \
	%D%/migrate/tree/rebase_entry.c \
	%D%/migrate/tree/rebase_flags.c \
	%D%/migrate/tree/remove.c \
	%D%/migrate/tree/scan.c \
	%D%/migrate/tree/sum.c %D%/migrate/tree/sum.h \
	%D%/migrate/tree/walk.c %D%/migrate/tree/walk.h \
	%D%/migrate/tree/work.c \
	%D%/migrate/tree/xattr.c \
	%D%/migrate/tree/xattrs.c %D%/migrate/tree/xattrs.h \
	%D%/migrate/wire.c %D%/migrate/wire.h \
	%D%/monitor/monitor.c %D%/monitor/monitor.h \
	%D%/monitor/clients.c \
	%D%/monitor/console.c \
	%D%/monitor/exec.c \
	%D%/monitor/pump.c %D%/monitor/pump.h \
	%D%/monitor/start.c \
	%D%/monitor/streams.c \
	%D%/mount_fd.c \
	%D%/mount_options.c %D%/mount_options.h \
	%D%/names.c \
	%D%/procs.c \
	%D%/protocol.c %D%/protocol.h \
	%D%/registry/registry.c %D%/registry/registry.h \
	%D%/registry/module.c %D%/registry/module.h \
	%D%/registry/validate.c \
	%D%/seccomp/cache.c \
	%D%/seccomp/compile.c \
	%D%/seccomp/library.c %D%/seccomp/library.h \
	%D%/seccomp/lists.c \
	%D%/seccomp/profile.c %D%/seccomp/profile.h \
	%D%/seccomp/program.h \
	%D%/seccomp/rules.c \
	%D%/seccomp/search.c \
	%D%/session.c %D%/session.h \
	%D%/spec/spec.c \
	%D%/spec/check.c %D%/spec/check.h \
	%D%/spec/check_limits.c \
	%D%/spec/default.c \
	%D%/spec/emit.c \
	%D%/spec/parse.c \
	%D%/spec/read.c \
	%D%/spec/set.c \
	%D%/spec/table.c %D%/spec/table.h \
	%D%/store/store.c %D%/store/store.h \
	%D%/store/adopt.c \
	%D%/store/brief.c \
	%D%/store/dirs.c \
	%D%/store/files.c \
	%D%/store/index.c \
	%D%/store/park.c \
	%D%/store/internal.h \
	%D%/store/walk.c
libcore_la_CPPFLAGS = $(AM_CPPFLAGS) $(NSPAWN_CFLAGS)
if HAVE_NSPAWN
libcore_la_SOURCES += %D%/cgroup/scope.c
else
libcore_la_SOURCES += %D%/cgroup/scope_none.c
endif

lib_LTLIBRARIES += libmoorage.la
libmoorage_la_SOURCES =
libmoorage_la_LIBADD = libcore.la
libmoorage_la_LDFLAGS = $(AM_LDFLAGS) $(LIB_LDFLAGS) -Wl,-Bsymbolic-functions -version-info 0:0:0 -Wl,--version-script=$(srcdir)/%D%/moorage.sym
libmoorage_la_DEPENDENCIES = libcore.la %D%/moorage.sym
EXTRA_DIST += %D%/moorage.sym

# Formats that need a library of their own are loaded when asked for.
pkgformatdir = $(backenddir)/formats
FORMAT_LDFLAGS = $(AM_LDFLAGS) $(LIB_LDFLAGS) -module -avoid-version -shared -export-symbols-regex '^mrg_format_v[0-9]+$$'
if HAVE_LIBXML2
pkgformat_LTLIBRARIES += formats/libvirt.la
endif
formats_libvirt_la_CFLAGS = $(AM_CFLAGS) $(LIBXML2_CFLAGS)
formats_libvirt_la_LDFLAGS = $(FORMAT_LDFLAGS)
formats_libvirt_la_LIBADD = libutil.la libmoorage.la $(LIBXML2_LIBS)
formats_libvirt_la_SOURCES = \
	%D%/formats/confines.c \
	%D%/formats/libvirt/libvirt.c %D%/formats/libvirt/libvirt.h \
	%D%/formats/libvirt/devices.c \
	%D%/formats/libvirt/files.c \
	%D%/formats/libvirt/limits.c \
	%D%/formats/libvirt/namespaces.c \
	%D%/formats/libvirt/native.c \
	%D%/formats/libvirt/network.c \
	%D%/formats/libvirt/os.c \
	%D%/formats/libvirt/rows.c \
	%D%/formats/libvirt/sandbox.c \
	%D%/formats/libvirt/write.c \
	%D%/formats/libvirt/xml.c

# In the build they are found where they will be: below the plugins.
all-local: $(pkgformat_LTLIBRARIES)
	@$(MKDIR_P) .libs && rm -f .libs/formats && $(LN_S) ../formats/.libs .libs/formats

mrglibexec_PROGRAMS += moorage-monitor
moorage_monitor_SOURCES = %D%/monitor/main.c
moorage_monitor_LDADD = libmoorage.la

# It runs inside containers, whatever C library they have: static, small, made by a compiler of its own.
mrglibexec_SCRIPTS += moorage-init
init_sources = %D%/init/main.c %D%/init/handover.c %D%/init/mounts.c %D%/init/setup.c %D%/init/sysctl.c
moorage-init: $(init_sources) %D%/init/init.h
	$(AM_V_CC)cd $(srcdir) && $(INIT_CC) -std=gnu11 -D_GNU_SOURCE $(WARN_CFLAGS) -Os -static -s -I. -Iinclude \
		-o $(abs_top_builddir)/$@ $(init_sources)
EXTRA_DIST += $(init_sources) %D%/init/init.h
CLEANFILES += moorage-init

# Made likewise: what an audit tries inside.
mrglibexec_SCRIPTS += moorage-try
try_sources = %D%/audit/try/calls.c %D%/audit/try/files.c %D%/audit/try/filters.c %D%/audit/try/main.c %D%/audit/try/policy.c
moorage-try: $(try_sources) %D%/audit/try/try.h
	$(AM_V_CC)cd $(srcdir) && $(INIT_CC) -std=gnu11 -D_GNU_SOURCE $(WARN_CFLAGS) -Os -static -s -I. -o $(abs_top_builddir)/$@ $(try_sources)
EXTRA_DIST += $(try_sources) %D%/audit/try/try.h
CLEANFILES += moorage-try

# "systemctl enable" finds it below /usr/local and /usr, and below every prefix that UNIT_PATH names.
systemunitdir = $(prefix)/lib/systemd/system
systemunit_DATA = %D%/moorage@.service
%D%/moorage@.service: %D%/moorage@.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) %D% && $(SED) 's,[@]bindir@,$(bindir),g' $(srcdir)/%D%/moorage@.service.in >$@.tmp && mv $@.tmp $@
# The same for the systemd of a user, which has one target.
userunitdir = $(prefix)/lib/systemd/user
userunit_DATA = %D%/user/moorage@.service
%D%/user/moorage@.service: %D%/moorage@.service
	$(AM_V_GEN)$(MKDIR_P) %D%/user && $(SED) '/network\.target/d; s,multi-user\.target,default.target,' %D%/moorage@.service >$@.tmp && mv $@.tmp $@
EXTRA_DIST += %D%/moorage@.service.in
CLEANFILES += %D%/moorage@.service %D%/user/moorage@.service

pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = %D%/moorage.pc
