# SPDX-License-Identifier: LGPL-2.1-or-later
if HAVE_LXC
# All objects of the backend: what its unit test links. liblxc itself is loaded when it is needed.
noinst_LTLIBRARIES += liblxcbackend.la
liblxcbackend_la_SOURCES = \
	%D%/ask.c \
	%D%/autostart.c \
	%D%/cgroups.c \
	%D%/engine.c \
	%D%/exec.c \
	%D%/explain.c \
	%D%/flags.c \
	%D%/life.c \
	%D%/list.c \
	%D%/log.c \
	%D%/lxc.c %D%/lxc.h \
	%D%/park.c \
	%D%/payload.c %D%/payload.h \
	%D%/place.c \
	%D%/points.c \
	%D%/probe.c \
	%D%/profile.c \
	%D%/ready.c \
	%D%/running.c \
	%D%/settings.c \
	%D%/start.c %D%/start.h \
	%D%/text.c \
	%D%/user.c
liblxcbackend_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/%D% $(LXC_CFLAGS)

pkgbackend_LTLIBRARIES += lxc.la
lxc_la_SOURCES =
lxc_la_LDFLAGS = $(BACKEND_LDFLAGS)
lxc_la_LIBADD = liblxcbackend.la libutil.la libmoorage.la
endif
