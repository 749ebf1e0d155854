# SPDX-License-Identifier: LGPL-2.1-or-later

if HAVE_LIBVIRT
# All objects of the backend: what its unit test links.
noinst_LTLIBRARIES += liblibvirt.la
liblibvirt_la_SOURCES = \
	%D%/agent.h \
	%D%/cgroups.c \
	%D%/client.c \
	%D%/define.c \
	%D%/domains.c \
	%D%/end.c \
	%D%/exits.c \
	%D%/explain.c \
	%D%/life.c \
	%D%/libvirt.c %D%/libvirt.h \
	%D%/park.c \
	%D%/probe.c \
	%D%/process.c \
	%D%/start.c \
	%D%/users.c
liblibvirt_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/%D%

pkgbackend_LTLIBRARIES += libvirt.la
libvirt_la_SOURCES =
libvirt_la_LDFLAGS = $(BACKEND_LDFLAGS)
libvirt_la_LIBADD = liblibvirt.la libutil.la libmoorage.la

# The program that loads libvirt's library. On its own feet: it starts faster, and the sanitizers' runtime, which takes the place of functions that
# libvirt has from libtirpc, stays out.
mrglibexec_PROGRAMS += moorage-libvirt
moorage_libvirt_SOURCES = %D%/agent.c %D%/agent.h core/error.c core/util/fail.c core/util/fd.c core/util/library.c
moorage_libvirt_CPPFLAGS = $(AM_CPPFLAGS) $(LIBVIRT_CFLAGS) -I$(srcdir)/%D%
moorage_libvirt_CFLAGS = -std=gnu11 $(WARN_CFLAGS) $(PLAIN_CFLAGS)
moorage_libvirt_LDFLAGS = $(PLAIN_LDFLAGS)
endif
