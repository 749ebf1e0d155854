# SPDX-License-Identifier: LGPL-2.1-or-later

# All objects of the backend: what its unit test links.
noinst_LTLIBRARIES += libnative.la
libnative_la_SOURCES = \
	%D%/check.c \
	%D%/explain.c \
	%D%/namespaces.c \
	%D%/native.c %D%/native.h \
	%D%/network.c \
	%D%/probe.c \
	%D%/rootless.c \
	%D%/setup.c \
	%D%/userns.c
libnative_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/%D%

pkgbackend_LTLIBRARIES += native.la
native_la_SOURCES =
native_la_LDFLAGS = $(BACKEND_LDFLAGS)
native_la_LIBADD = libnative.la libmoorage.la
