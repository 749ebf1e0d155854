# SPDX-License-Identifier: LGPL-2.1-or-later
# Every test speaks TAP. Unit tests are one program a module; each links all objects of the library.

# Programs without an LDADD of their own are unit tests.
LDADD = libcore.la $(CMOCKA_LIBS)

# Sorted; NAME is tests/unit/test_NAME.c.
unit_tests = \
	%D%/unit/test_adopt \
	%D%/unit/test_archive \
	%D%/unit/test_arena \
	%D%/unit/test_audit \
	%D%/unit/test_audit_probe \
	%D%/unit/test_cgroup \
	%D%/unit/test_cgroup_limits \
	%D%/unit/test_cgroup_live \
	%D%/unit/test_cgroup_live_v1 \
	%D%/unit/test_cgroup_live_v2 \
	%D%/unit/test_cgroup_v1 \
	%D%/unit/test_cgroup_v2 \
	%D%/unit/test_chroot \
	%D%/unit/test_compare \
	%D%/unit/test_container \
	%D%/unit/test_convert \
	%D%/unit/test_credentials \
	%D%/unit/test_dispatch \
	%D%/unit/test_doctor \
	%D%/unit/test_doctor_files \
	%D%/unit/test_events \
	%D%/unit/test_format_docker \
	%D%/unit/test_format_lxc \
	%D%/unit/test_format_lxc_bad \
	%D%/unit/test_format_lxc_files \
	%D%/unit/test_format_module \
	%D%/unit/test_format_nspawn \
	%D%/unit/test_format_nspawn_whole \
	%D%/unit/test_format_oci \
	%D%/unit/test_format_quadlet \
	%D%/unit/test_format_systemd \
	%D%/unit/test_lifecycle \
	%D%/unit/test_import \
	%D%/unit/test_import_docker \
	%D%/unit/test_import_oci \
	%D%/unit/test_json_table \
	%D%/unit/test_log \
	%D%/unit/test_migrate_guest \
	%D%/unit/test_migrate_journal \
	%D%/unit/test_migrate_wire \
	%D%/unit/test_mounts \
	%D%/unit/test_native \
	%D%/unit/test_own_root \
	%D%/unit/test_parse \
	%D%/unit/test_process \
	%D%/unit/test_protocol \
	%D%/unit/test_registry \
	%D%/unit/test_root \
	%D%/unit/test_seccomp \
	%D%/unit/test_session \
	%D%/unit/test_spawn \
	%D%/unit/test_spec \
	%D%/unit/test_spec_check \
	%D%/unit/test_spec_default \
	%D%/unit/test_spec_set \
	%D%/unit/test_store \
	%D%/unit/test_store_crash \
	%D%/unit/test_store_index \
	%D%/unit/test_str \
	%D%/unit/test_top \
	%D%/unit/test_tree \
	%D%/unit/test_tree_copy

# One program per layout of cgroups, told by its name.
cgroup_fixture = %D%/unit/cgroup_fixture.c %D%/unit/cgroup_fixture.h %D%/unit/cgroup_view.c %D%/unit/cgroup_view.h
%C%_unit_test_cgroup_SOURCES = %D%/unit/test_cgroup.c $(cgroup_fixture)
%C%_unit_test_cgroup_v1_SOURCES = $(%C%_unit_test_cgroup_SOURCES)
%C%_unit_test_cgroup_v2_SOURCES = $(%C%_unit_test_cgroup_SOURCES)
%C%_unit_test_cgroup_live_SOURCES = %D%/unit/test_cgroup_live.c %D%/unit/patience.h $(cgroup_fixture)
%C%_unit_test_cgroup_live_v1_SOURCES = $(%C%_unit_test_cgroup_live_SOURCES)
%C%_unit_test_cgroup_live_v2_SOURCES = $(%C%_unit_test_cgroup_live_SOURCES)

%C%_unit_test_compare_LDADD = libcompare.la $(LDADD)
%C%_unit_test_top_LDADD = libtop.la $(LDADD)

root_fixture = %D%/unit/root_fixture.c %D%/unit/root_fixture.h
mount_fixture = %D%/unit/mount_fixture.c %D%/unit/mount_fixture.h $(root_fixture)
%C%_unit_test_archive_SOURCES = %D%/unit/test_archive.c %D%/unit/tree_fixture.c %D%/unit/tree_fixture.h
%C%_unit_test_tree_SOURCES = %D%/unit/test_tree.c %D%/unit/tree_fixture.c %D%/unit/tree_fixture.h $(root_fixture)
%C%_unit_test_tree_copy_SOURCES = %D%/unit/test_tree_copy.c %D%/unit/tree_fixture.c %D%/unit/tree_fixture.h $(root_fixture)
%C%_unit_test_mounts_SOURCES = %D%/unit/test_mounts.c $(mount_fixture)
%C%_unit_test_native_SOURCES = %D%/unit/test_native.c $(root_fixture)
%C%_unit_test_native_LDADD = libnative.la libcore.la $(CMOCKA_LIBS)
%C%_unit_test_root_SOURCES = %D%/unit/test_root.c $(mount_fixture)

# Processes in a root of busybox.
process_fixture = %D%/unit/process_fixture.c %D%/unit/process_fixture.h %D%/unit/patience.h
%C%_unit_test_chroot_SOURCES = %D%/unit/test_chroot.c $(process_fixture) \
	backends/chroot/chroot.c backends/chroot/chroot.h backends/chroot/explain.c
%C%_unit_test_chroot_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/backends/chroot
%C%_unit_test_credentials_SOURCES = %D%/unit/test_credentials.c $(process_fixture)
%C%_unit_test_process_SOURCES = %D%/unit/test_process.c $(process_fixture)
%C%_unit_test_seccomp_LDADD = $(LDADD) $(SECCOMP_LIBS)

# Specs parsed, compared and made at random.
spec_fixture = %D%/unit/spec_fixture.c %D%/unit/spec_fixture.h
nspawn_fixture = %D%/unit/nspawn_fixture.c %D%/unit/nspawn_fixture.h $(spec_fixture)
%C%_unit_test_format_nspawn_SOURCES = %D%/unit/test_format_nspawn.c $(nspawn_fixture)
%C%_unit_test_format_nspawn_whole_SOURCES = %D%/unit/test_format_nspawn_whole.c $(nspawn_fixture)
lxc_fixture = %D%/unit/lxc_fixture.c %D%/unit/lxc_fixture.h $(spec_fixture)
%C%_unit_test_format_lxc_SOURCES = %D%/unit/test_format_lxc.c $(lxc_fixture)
%C%_unit_test_format_lxc_bad_SOURCES = %D%/unit/test_format_lxc_bad.c $(lxc_fixture)
%C%_unit_test_format_lxc_files_SOURCES = %D%/unit/test_format_lxc_files.c $(lxc_fixture)
%C%_unit_test_format_docker_SOURCES = %D%/unit/test_format_docker.c $(spec_fixture)
%C%_unit_test_format_quadlet_SOURCES = %D%/unit/test_format_quadlet.c $(spec_fixture)
%C%_unit_test_format_oci_SOURCES = %D%/unit/test_format_oci.c $(spec_fixture)
%C%_unit_test_format_systemd_SOURCES = %D%/unit/test_format_systemd.c $(spec_fixture)
%C%_unit_test_spec_SOURCES = %D%/unit/test_spec.c $(spec_fixture)
%C%_unit_test_spec_check_SOURCES = %D%/unit/test_spec_check.c $(spec_fixture)
%C%_unit_test_spec_default_SOURCES = %D%/unit/test_spec_default.c $(spec_fixture)
%C%_unit_test_spec_set_SOURCES = %D%/unit/test_spec_set.c $(spec_fixture)

# The format is a module, which is there where libxml2 is.
libvirt_fixture = %D%/unit/libvirt_fixture.c %D%/unit/libvirt_fixture.h
%C%_unit_test_format_libvirt_SOURCES = %D%/unit/test_format_libvirt.c $(libvirt_fixture) $(spec_fixture)
%C%_unit_test_format_libvirt_bad_SOURCES = %D%/unit/test_format_libvirt_bad.c $(libvirt_fixture) $(spec_fixture)
%C%_unit_test_libvirt_SOURCES = %D%/unit/test_libvirt.c $(libvirt_fixture) $(spec_fixture)
%C%_unit_test_libvirt_LDADD = liblibvirt.la libcore.la $(CMOCKA_LIBS)
%C%_unit_test_nspawn_SOURCES = %D%/unit/test_nspawn.c
%C%_unit_test_nspawn_LDADD = libnspawn.la libcore.la $(CMOCKA_LIBS)
if HAVE_LXC
%C%_unit_test_lxc_SOURCES = %D%/unit/test_lxc.c %D%/unit/patience.h
%C%_unit_test_lxc_LDADD = liblxcbackend.la libcore.la $(CMOCKA_LIBS)
%C%_unit_test_lxc_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/backends/lxc $(LXC_CFLAGS)
unit_tests += %D%/unit/test_lxc
endif

if HAVE_NSPAWN
%C%_unit_test_nspawn_bus_SOURCES = %D%/unit/test_nspawn_bus.c
%C%_unit_test_nspawn_bus_LDADD = libnspawn.la libcore.la $(CMOCKA_LIBS) $(NSPAWN_LIBS)
%C%_unit_test_nspawn_bus_CPPFLAGS = $(AM_CPPFLAGS) $(NSPAWN_CFLAGS)
unit_tests += %D%/unit/test_nspawn %D%/unit/test_nspawn_bus
endif
if HAVE_LIBXML2
unit_tests += %D%/unit/test_format_libvirt %D%/unit/test_format_libvirt_bad
if HAVE_LIBVIRT
unit_tests += %D%/unit/test_libvirt
endif
endif

if HAVE_CMOCKA
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif

# The command, on the fake backend and on a real one; they find what was built through the environment below.
cli_tests = \
	%D%/cli/golden.sh \
	%D%/cli/properties.sh \
	%D%/cli/test_metrics.py \
	%D%/cli/test_terminal.py \
	%D%/cli/test_top.py \
	%D%/convert/complete.py \
	%D%/convert/generated.py \
	%D%/convert/golden.py
if HAVE_CMOCKA
TESTS += $(cli_tests)
endif

TEST_EXTENSIONS = .sh .py
AM_TESTS_ENVIRONMENT = \
	CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	abs_top_srcdir='$(abs_top_srcdir)'; export abs_top_srcdir; \
	abs_top_builddir='$(abs_top_builddir)'; export abs_top_builddir; \
	MOORAGE='$(abs_top_builddir)/moorage'; export MOORAGE; \
	MOORAGE_LIBEXEC_DIR='$(abs_top_builddir)'; export MOORAGE_LIBEXEC_DIR;
# For those that run the command; unit tests say themselves which plugins they want.
BUILT = env MOORAGE_BACKEND_PATH='$(abs_top_builddir)/.libs'
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
SH_LOG_DRIVER = $(LOG_DRIVER)
SH_LOG_COMPILER = $(BUILT) bash
PY_LOG_DRIVER = $(LOG_DRIVER)
PY_LOG_COMPILER = $(BUILT) python3

# A plugin that knows nothing of this tree builds against what was installed, and runs.
installcheck-local:
	DESTDIR=$(DESTDIR) PKG_CONFIG_PATH=$(DESTDIR)$(pkgconfigdir) bash $(srcdir)/%D%/abi/out_of_tree.sh $(prefix) $(libdir)

lint: all
	$(srcdir)/%D%/lint $(abs_builddir)

# On real roots, as root: MOORAGE is the installed command.
e2e: all
	MOORAGE=$(abs_builddir)/moorage MOORAGE_BACKEND_PATH=$(abs_builddir)/.libs MOORAGE_LIBEXEC_DIR=$(abs_builddir) $(srcdir)/%D%/e2e/run

bench: all
	MOORAGE=$(bindir)/moorage $(srcdir)/%D%/bench/run

.PHONY: lint e2e bench

EXTRA_DIST += %D%/fuzz %D%/hosts %D%/lint %D%/install %D%/e2e %D%/bench %D%/cli %D%/convert %D%/report

# Folders travel whole, and automake takes the build's folder of that name as well: without what building and testing leave in it.
dist-hook:
	find $(distdir)/tests \( -name '*.o' -o -name '*.lo' -o -name '*.log' -o -name '*.trs' -o -name .dirstamp \) -exec rm -f {} +
	find $(distdir)/tests -depth -name __pycache__ -exec rm -rf {} +
