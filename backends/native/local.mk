# SPDX-License-Identifier: LGPL-2.1-or-later
pkgbackend_LTLIBRARIES += native.la
native_la_SOURCES = \
	%D%/check.c \
	%D%/explain.c \
	%D%/namespaces.c \
	%D%/native.c %D%/native.h \
	%D%/network.c \
	%D%/probe.c \
	%D%/setup.c \
	%D%/userns.c
native_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/%D%
native_la_LDFLAGS = $(BACKEND_LDFLAGS)
native_la_LIBADD = $(BACKEND_LIBADD)
