# SPDX-License-Identifier: LGPL-2.1-or-later
# The command

bin_PROGRAMS += moorage
moorage_LDADD = libtop.la libcompare.la libmoorage.la libutil.la
moorage_SOURCES = \
	%D%/cli.h \
	%D%/cmd_attach.c \
	%D%/cmd_audit.c \
	%D%/cmd_backends.c \
	%D%/cmd_compare.c \
	%D%/cmd_convert.c \
	%D%/cmd_create.c \
	%D%/cmd_doctor.c \
	%D%/cmd_enable.c \
	%D%/cmd_events.c \
	%D%/cmd_exec.c \
	%D%/cmd_export.c \
	%D%/cmd_import.c \
	%D%/cmd_info.c \
	%D%/cmd_inspect.c \
	%D%/cmd_kill.c \
	%D%/cmd_logs.c \
	%D%/cmd_ls.c \
	%D%/cmd_metrics.c \
	%D%/cmd_pause.c \
	%D%/cmd_migrate.c \
	%D%/cmd_plan.c \
	%D%/cmd_procs.c \
	%D%/cmd_receive.c \
	%D%/cmd_rename.c \
	%D%/cmd_rm.c \
	%D%/cmd_rollback.c \
	%D%/cmd_run.c \
	%D%/cmd_shell.c \
	%D%/cmd_start.c \
	%D%/cmd_state.c \
	%D%/cmd_stats.c \
	%D%/cmd_stop.c \
	%D%/cmd_top.c \
	%D%/cmd_update.c \
	%D%/cmd_wait.c \
	%D%/commands.h \
	%D%/complete.c \
	%D%/completion.c \
	%D%/context.c \
	%D%/detach.c \
	%D%/error.c \
	%D%/help.c \
	%D%/help.h \
	%D%/help_dump.c \
	%D%/help_topics.c \
	%D%/listing.c \
	%D%/listing_format.c \
	%D%/listing_table.c \
	%D%/main.c \
	%D%/migration.c %D%/migration.h \
	%D%/migration_progress.c \
	%D%/options.c \
	%D%/output.h \
	%D%/session.c \
	%D%/spec_build.c \
	%D%/spec_build.h \
	%D%/spec_limits.c \
	%D%/spec_mounts.c \
	%D%/spec_options.c \
	%D%/spec_process.c \
	%D%/spec_security.c \
	%D%/terminal.c \
	%D%/terminal.h \
	%D%/top_live.h \
	%D%/verbs.c \
	%D%/word_list.c \
	%D%/words.c \
	%D%/write.c

# What needs no terminal, for unit tests too.
noinst_LTLIBRARIES += libtop.la
libtop_la_LIBADD = libutil.la
libtop_la_SOURCES = \
	%D%/text.c %D%/text.h \
	%D%/top.h \
	%D%/top_draw.c \
	%D%/top_table.c \
	%D%/top_tree.c \
	%D%/top_view.c \
	%D%/usage.c %D%/usage.h

# Headers of ncurses; the library is loaded when a screen is opened.
moorage_CPPFLAGS = $(AM_CPPFLAGS) $(NCURSES_CFLAGS)
if HAVE_NCURSES
moorage_SOURCES += %D%/top_live.c %D%/top_screen.c %D%/top_screen.h
else
moorage_SOURCES += %D%/top_live_none.c
endif
