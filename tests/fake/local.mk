# SPDX-License-Identifier: LGPL-2.1-or-later
# The fake backend, and one module per way a plugin can be malformed (in bad/, so that nobody loads them by accident).
# They take the library's functions from the program that loads them, which exports its own.

FAKE_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath $(abs_builddir)/%D%

check_LTLIBRARIES += %D%/fake.la
%C%_fake_la_SOURCES = \
	%D%/fake.c %D%/fake.h \
	%D%/fake_engine.c \
	%D%/fake_fault.c \
	%D%/fake_process.c \
	core/util/fd.c \
	core/util/parse.c \
	core/util/proc.c \
	core/util/str.c
%C%_fake_la_LDFLAGS = $(FAKE_LDFLAGS) -export-symbols-regex '^mrg_backend_v[0-9]+$$'

container_fixture = tests/unit/container_fixture.c tests/unit/container_fixture.h
store_fixture = tests/unit/store_fixture.c tests/unit/store_fixture.h
tests_unit_test_adopt_SOURCES = tests/unit/test_adopt.c $(container_fixture)
tests_unit_test_container_SOURCES = tests/unit/test_container.c $(container_fixture)
tests_unit_test_lifecycle_SOURCES = tests/unit/test_lifecycle.c $(container_fixture)
tests_unit_test_store_SOURCES = tests/unit/test_store.c $(store_fixture)
tests_unit_test_store_crash_SOURCES = tests/unit/test_store_crash.c $(store_fixture)

tests_unit_test_adopt_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
tests_unit_test_container_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
tests_unit_test_lifecycle_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
tests_unit_test_registry_LDFLAGS = $(AM_LDFLAGS) -export-dynamic

check_LTLIBRARIES += %D%/bad/well-formed.la
%C%_bad_well_formed_la_SOURCES = %D%/malformed.c
%C%_bad_well_formed_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"well-formed"'
%C%_bad_well_formed_la_LDFLAGS = $(FAKE_LDFLAGS)
check_LTLIBRARIES += %D%/bad/no-symbol.la
%C%_bad_no_symbol_la_SOURCES = %D%/malformed.c
%C%_bad_no_symbol_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"no-symbol"' -DSYMBOL=mrg_backend
%C%_bad_no_symbol_la_LDFLAGS = $(FAKE_LDFLAGS)
check_LTLIBRARIES += %D%/bad/wrong-major.la
%C%_bad_wrong_major_la_SOURCES = %D%/malformed.c
%C%_bad_wrong_major_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"wrong-major"' -DSYMBOL=mrg_backend_v9
%C%_bad_wrong_major_la_LDFLAGS = $(FAKE_LDFLAGS)
check_LTLIBRARIES += %D%/bad/newer-minor.la
%C%_bad_newer_minor_la_SOURCES = %D%/malformed.c
%C%_bad_newer_minor_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"newer-minor"' -DMINOR=MRG_ABI_MINOR+1
%C%_bad_newer_minor_la_LDFLAGS = $(FAKE_LDFLAGS)
check_LTLIBRARIES += %D%/bad/too-small.la
%C%_bad_too_small_la_SOURCES = %D%/malformed.c
%C%_bad_too_small_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"too-small"' -DSIZE=64
%C%_bad_too_small_la_LDFLAGS = $(FAKE_LDFLAGS)
check_LTLIBRARIES += %D%/bad/too-large.la
%C%_bad_too_large_la_SOURCES = %D%/malformed.c
%C%_bad_too_large_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"too-large"' -DSIZE=65536
%C%_bad_too_large_la_LDFLAGS = $(FAKE_LDFLAGS)
check_LTLIBRARIES += %D%/bad/odd-size.la
%C%_bad_odd_size_la_SOURCES = %D%/malformed.c
%C%_bad_odd_size_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"odd-size"' '-DSIZE=sizeof(struct mrg_backend)+1'
%C%_bad_odd_size_la_LDFLAGS = $(FAKE_LDFLAGS)
check_LTLIBRARIES += %D%/bad/newer-table.la
%C%_bad_newer_table_la_SOURCES = %D%/malformed.c
%C%_bad_newer_table_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"newer-table"' '-DSIZE=sizeof(struct longer)'
%C%_bad_newer_table_la_LDFLAGS = $(FAKE_LDFLAGS)
check_LTLIBRARIES += %D%/bad/no-start.la
%C%_bad_no_start_la_SOURCES = %D%/malformed.c
%C%_bad_no_start_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"no-start"' -DSTART=NULL
%C%_bad_no_start_la_LDFLAGS = $(FAKE_LDFLAGS)
check_LTLIBRARIES += %D%/bad/half-open.la
%C%_bad_half_open_la_SOURCES = %D%/malformed.c
%C%_bad_half_open_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"half-open"' -DPAIRS=.open=plain_open
%C%_bad_half_open_la_LDFLAGS = $(FAKE_LDFLAGS)
check_LTLIBRARIES += %D%/bad/half-close.la
%C%_bad_half_close_la_SOURCES = %D%/malformed.c
%C%_bad_half_close_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"half-close"' -DPAIRS=.close=plain_close
%C%_bad_half_close_la_LDFLAGS = $(FAKE_LDFLAGS)
check_LTLIBRARIES += %D%/bad/half-pause.la
%C%_bad_half_pause_la_SOURCES = %D%/malformed.c
%C%_bad_half_pause_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"half-pause"' -DPAIRS=.pause=plain_verb
%C%_bad_half_pause_la_LDFLAGS = $(FAKE_LDFLAGS)
check_LTLIBRARIES += %D%/bad/half-resume.la
%C%_bad_half_resume_la_SOURCES = %D%/malformed.c
%C%_bad_half_resume_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"half-resume"' -DPAIRS=.resume=plain_verb
%C%_bad_half_resume_la_LDFLAGS = $(FAKE_LDFLAGS)
check_LTLIBRARIES += %D%/bad/half-list.la
%C%_bad_half_list_la_SOURCES = %D%/malformed.c
%C%_bad_half_list_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"half-list"' -DPAIRS=.list=plain_list
%C%_bad_half_list_la_LDFLAGS = $(FAKE_LDFLAGS)
check_LTLIBRARIES += %D%/bad/half-adopt.la
%C%_bad_half_adopt_la_SOURCES = %D%/malformed.c
%C%_bad_half_adopt_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"half-adopt"' -DPAIRS=.adopt=plain_adopt
%C%_bad_half_adopt_la_LDFLAGS = $(FAKE_LDFLAGS)
check_LTLIBRARIES += %D%/bad/wrong-name.la
%C%_bad_wrong_name_la_SOURCES = %D%/malformed.c
%C%_bad_wrong_name_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"other"'
%C%_bad_wrong_name_la_LDFLAGS = $(FAKE_LDFLAGS)
check_LTLIBRARIES += %D%/bad/no-summary.la
%C%_bad_no_summary_la_SOURCES = %D%/malformed.c
%C%_bad_no_summary_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"no-summary"' -DSUMMARY=NULL
%C%_bad_no_summary_la_LDFLAGS = $(FAKE_LDFLAGS)
check_LTLIBRARIES += %D%/bad/unknown-field.la
%C%_bad_unknown_field_la_SOURCES = %D%/malformed.c
%C%_bad_unknown_field_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"unknown-field"' -DLAST_FIELD=MRG_FIELD_MAX
%C%_bad_unknown_field_la_LDFLAGS = $(FAKE_LDFLAGS)
check_LTLIBRARIES += %D%/bad/no-fields.la
%C%_bad_no_fields_la_SOURCES = %D%/malformed.c
%C%_bad_no_fields_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"no-fields"' -DFIELDS=NULL
%C%_bad_no_fields_la_LDFLAGS = $(FAKE_LDFLAGS)
check_LTLIBRARIES += %D%/bad/bad-option.la
%C%_bad_bad_option_la_SOURCES = %D%/malformed.c
%C%_bad_bad_option_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"bad-option"' -DVALUES='"float"'
%C%_bad_bad_option_la_LDFLAGS = $(FAKE_LDFLAGS)
check_LTLIBRARIES += %D%/bad/needs-helper.la
%C%_bad_needs_helper_la_SOURCES = %D%/malformed.c
%C%_bad_needs_helper_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"needs-helper"' -DHELPER=mrg_helper_of_the_future
%C%_bad_needs_helper_la_LDFLAGS = $(FAKE_LDFLAGS)
check_LTLIBRARIES += %D%/bad/old-format.la
%C%_bad_old_format_la_SOURCES = %D%/old_format.c
%C%_bad_old_format_la_LDFLAGS = $(FAKE_LDFLAGS)
