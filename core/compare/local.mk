# SPDX-License-Identifier: LGPL-2.1-or-later
# Comparing backends: part of the command, on the users' API, and the program it measures with inside containers.

noinst_LTLIBRARIES += libcompare.la
libcompare_la_LIBADD = libutil.la
libcompare_la_SOURCES = \
	%D%/compare.h \
	%D%/diff.c \
	%D%/html.c %D%/html.h \
	%D%/html_chart.c \
	%D%/html_matrix.c \
	%D%/json_read.c \
	%D%/json_write.c \
	%D%/measure.h \
	%D%/measure_boot.c \
	%D%/measure_cost.c \
	%D%/measure_inside.c \
	%D%/measure_list.c \
	%D%/measure_matrix.c \
	%D%/measure_start.c \
	%D%/measure_stop.c \
	%D%/metrics.c \
	%D%/place.c \
	%D%/plan.c \
	%D%/report.c %D%/report.h \
	%D%/run.c \
	%D%/statistics.c \
	%D%/table.c \
	%D%/tools.c

# Static, made like moorage-init.
mrglibexec_SCRIPTS += moorage-measure
moorage-measure: %D%/measure_main.c
	$(AM_V_CC)$(INIT_CC) -std=gnu11 -D_GNU_SOURCE $(WARN_CFLAGS) -Os -static -s -o $@ $(srcdir)/%D%/measure_main.c
EXTRA_DIST += %D%/measure_main.c
CLEANFILES += moorage-measure
