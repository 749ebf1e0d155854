# SPDX-License-Identifier: LGPL-2.1-or-later
# moorage-certify: the judge of backend plugins, and what it runs inside of containers. Installed: authors of plugins elsewhere use it too.

bin_PROGRAMS += moorage-certify
moorage_certify_LDADD = libmoorage.la libutil.la
moorage_certify_SOURCES = \
	%D%/calls.c \
	%D%/certificate.c \
	%D%/certify.h \
	%D%/contract_engine.c \
	%D%/contract_life.c \
	%D%/contract_probe.c \
	%D%/contract_streams.c \
	%D%/contract_verbs.c \
	%D%/crash.c \
	%D%/elf_file.c %D%/elf_file.h \
	%D%/fields.c %D%/fields.h \
	%D%/fields_life.c \
	%D%/fields_limits.c \
	%D%/fields_namespaces.c \
	%D%/fields_network.c \
	%D%/fields_policy.c \
	%D%/fields_process.c \
	%D%/fields_root.c \
	%D%/host.c \
	%D%/hygiene.c \
	%D%/leftovers.c \
	%D%/life.c %D%/life.h \
	%D%/main.c \
	%D%/plugin.c %D%/plugin.h \
	%D%/report.c \
	%D%/root.c \
	%D%/runner.c %D%/runner.h \
	%D%/scene.c %D%/scene.h \
	%D%/snapshot.c %D%/snapshot.h \
	%D%/static.c \
	%D%/trial.c

# It runs inside containers, whatever C library they have: static, made like moorage-init.
probe_sources = \
	%D%/probe/probe.h \
	%D%/probe/probe_main.c \
	%D%/probe/probe_files.c \
	%D%/probe/probe_life.c \
	%D%/probe/probe_load.c \
	%D%/probe/probe_process.c
mrglibexec_SCRIPTS += moorage-probe
moorage-probe: $(probe_sources)
	$(AM_V_CC)$(INIT_CC) -std=gnu11 -D_GNU_SOURCE $(WARN_CFLAGS) -Os -static -s -o $@ $(srcdir)/%D%/probe/*.c
EXTRA_DIST += $(probe_sources)
CLEANFILES += moorage-probe

# As root: the backends that were built, in the build tree; libvirt beside a daemon of its own.
certify: all
	for backend in $$(sed -n 's,^include backends/\(.*\)/local.mk$$,\1,p' $(srcdir)/Makefile.am); do \
		beside=; test $$backend != libvirt || beside=$(abs_srcdir)/tests/e2e/libvirtd; \
		test ! -e .libs/$$backend.so || MOORAGE_LIBEXEC_DIR=$(abs_builddir) \
			$$beside ./moorage-certify --path $(abs_builddir)/.libs $$backend || exit; \
	done

.PHONY: certify

EXTRA_DIST += %D%/lies.sh %D%/matrix
