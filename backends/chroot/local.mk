# SPDX-License-Identifier: LGPL-2.1-or-later
pkgbackend_LTLIBRARIES += chroot.la
chroot_la_SOURCES = \
	%D%/chroot.c %D%/chroot.h \
	%D%/explain.c
chroot_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/%D%
chroot_la_LDFLAGS = $(BACKEND_LDFLAGS)
chroot_la_LIBADD = $(BACKEND_LIBADD)
