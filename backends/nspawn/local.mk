# SPDX-License-Identifier: LGPL-2.1-or-later
if HAVE_NSPAWN
# All objects of the backend: what its unit test links.
noinst_LTLIBRARIES += libnspawn.la
libnspawn_la_SOURCES = \
	%D%/adopt.c \
	%D%/bus.c %D%/bus.h \
	%D%/check.c \
	%D%/command.c \
	%D%/explain.c \
	%D%/files.c \
	%D%/machine.c \
	%D%/manager.c \
	%D%/notify.c \
	%D%/nspawn.c %D%/nspawn.h \
	%D%/park.c \
	%D%/payload.c \
	%D%/places.c \
	%D%/probe.c \
	%D%/properties.c \
	%D%/root.c \
	%D%/settings.c \
	%D%/start.c \
	%D%/tidy.c \
	%D%/unit.c \
	%D%/verbs.c
libnspawn_la_CPPFLAGS = $(AM_CPPFLAGS) $(NSPAWN_CFLAGS) -I$(srcdir)/%D%

pkgbackend_LTLIBRARIES += nspawn.la
nspawn_la_SOURCES =
nspawn_la_LDFLAGS = $(BACKEND_LDFLAGS)
nspawn_la_LIBADD = libnspawn.la libutil.la libmoorage.la
endif
