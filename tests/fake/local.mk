# SPDX-License-Identifier: LGPL-2.1-or-later
# The fake backend, and one module per way a plugin can be malformed (in bad/, so that nobody loads them by accident).
# They take the library's functions from the program that loads them, which exports its own.

FAKE_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath $(abs_builddir)/%D%

fake_sources = \
	%D%/fake.c %D%/fake.h \
	%D%/fake_engine.c \
	%D%/fake_fault.c \
	%D%/fake_misdeed.c \
	%D%/fake_process.c \
	core/util/fd.c \
	core/util/parse.c \
	core/util/proc.c \
	core/util/str.c

# Apart, so that a directory has the one that is meant alone.
check_LTLIBRARIES += %D%/fake.la %D%/honest/honest.la
%C%_fake_la_SOURCES = %D%/fake_table.c $(fake_sources)
%C%_fake_la_LDFLAGS = $(FAKE_LDFLAGS) -export-symbols-regex '^mrg_backend_v[0-9]+$$'
%C%_honest_honest_la_SOURCES = %D%/honest.c $(fake_sources)
%C%_honest_honest_la_LDFLAGS = $(FAKE_LDFLAGS) -export-symbols-regex '^mrg_backend_v[0-9]+$$'

container_fixture = tests/unit/container_fixture.c tests/unit/container_fixture.h tests/unit/patience.h
import_fixture = tests/unit/import_fixture.c tests/unit/import_fixture.h tests/unit/tree_fixture.c tests/unit/tree_fixture.h $(container_fixture)
image_fixture = tests/unit/image_fixture.c tests/unit/image_fixture.h $(container_fixture)
store_fixture = tests/unit/store_fixture.c tests/unit/store_fixture.h
tests_unit_test_adopt_SOURCES = tests/unit/test_adopt.c $(container_fixture)
tests_unit_test_container_SOURCES = tests/unit/test_container.c $(container_fixture)
tests_unit_test_events_SOURCES = tests/unit/test_events.c $(container_fixture)
tests_unit_test_import_SOURCES = tests/unit/test_import.c $(import_fixture)
tests_unit_test_import_docker_SOURCES = tests/unit/test_import_docker.c $(image_fixture)
tests_unit_test_import_oci_SOURCES = tests/unit/test_import_oci.c $(image_fixture)
tests_unit_test_lifecycle_SOURCES = tests/unit/test_lifecycle.c $(container_fixture)
tests_unit_test_own_root_SOURCES = tests/unit/test_own_root.c $(import_fixture)
tests_unit_test_store_SOURCES = tests/unit/test_store.c $(store_fixture)
tests_unit_test_store_crash_SOURCES = tests/unit/test_store_crash.c $(store_fixture)
tests_unit_test_store_index_SOURCES = tests/unit/test_store_index.c $(store_fixture)

tests_unit_test_adopt_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
tests_unit_test_container_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
tests_unit_test_import_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
tests_unit_test_own_root_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
tests_unit_test_import_docker_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
tests_unit_test_import_oci_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
tests_unit_test_events_LDFLAGS = $(AM_LDFLAGS) -export-dynamic
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

# The library takes these, and the judge of backends must not: one fault each, beside one without.
LIE_LDFLAGS = $(FAKE_LDFLAGS) -export-symbols-regex '^mrg_backend_v[0-9]+$$'
LIE_CPPFLAGS = $(AM_CPPFLAGS) -DLAST_FIELD=MRG_FIELD_ARGS,MRG_FIELD_ENV
check_LTLIBRARIES += %D%/lies/plain.la
%C%_lies_plain_la_SOURCES = %D%/malformed.c
%C%_lies_plain_la_CPPFLAGS = $(LIE_CPPFLAGS) -DNAME='"plain"'
%C%_lies_plain_la_LDFLAGS = $(LIE_LDFLAGS)
check_LTLIBRARIES += %D%/lies/executable-stack.la
%C%_lies_executable_stack_la_SOURCES = %D%/malformed.c
%C%_lies_executable_stack_la_CPPFLAGS = $(LIE_CPPFLAGS) -DNAME='"executable-stack"'
%C%_lies_executable_stack_la_LDFLAGS = $(LIE_LDFLAGS) -Wl,-z,execstack
check_LTLIBRARIES += %D%/lies/no-relro.la
%C%_lies_no_relro_la_SOURCES = %D%/malformed.c
%C%_lies_no_relro_la_CPPFLAGS = $(LIE_CPPFLAGS) -DNAME='"no-relro"'
%C%_lies_no_relro_la_LDFLAGS = $(LIE_LDFLAGS) -Wl,-z,norelro
check_LTLIBRARIES += %D%/lies/lazy.la
%C%_lies_lazy_la_SOURCES = %D%/malformed.c
%C%_lies_lazy_la_CPPFLAGS = $(LIE_CPPFLAGS) -DNAME='"lazy"'
%C%_lies_lazy_la_LDFLAGS = $(LIE_LDFLAGS) -Wl,-z,lazy
check_LTLIBRARIES += %D%/lies/more-exports.la
%C%_lies_more_exports_la_SOURCES = %D%/malformed.c
%C%_lies_more_exports_la_CPPFLAGS = $(LIE_CPPFLAGS) -DNAME='"more-exports"'
%C%_lies_more_exports_la_LDFLAGS = $(FAKE_LDFLAGS)
check_LTLIBRARIES += %D%/lies/text-relocation.la
%C%_lies_text_relocation_la_SOURCES = %D%/malformed.c
%C%_lies_text_relocation_la_CPPFLAGS = $(LIE_CPPFLAGS) -DNAME='"text-relocation"' -DTEXT_RELOCATION
%C%_lies_text_relocation_la_LDFLAGS = $(LIE_LDFLAGS) -Wl,-z,notext
check_LTLIBRARIES += %D%/lies/relative-path.la
%C%_lies_relative_path_la_SOURCES = %D%/malformed.c
%C%_lies_relative_path_la_CPPFLAGS = $(LIE_CPPFLAGS) -DNAME='"relative-path"'
%C%_lies_relative_path_la_LDFLAGS = $(LIE_LDFLAGS) -Wl,-rpath,lib
check_LTLIBRARIES += %D%/lies/variable.la
%C%_lies_variable_la_SOURCES = %D%/malformed.c
%C%_lies_variable_la_CPPFLAGS = $(LIE_CPPFLAGS) -DNAME='"variable"' -DVARIABLE
%C%_lies_variable_la_LDFLAGS = $(LIE_LDFLAGS)
check_LTLIBRARIES += %D%/lies/constructor.la
%C%_lies_constructor_la_SOURCES = %D%/malformed.c
%C%_lies_constructor_la_CPPFLAGS = $(LIE_CPPFLAGS) -DNAME='"constructor"' -DCONSTRUCTOR
%C%_lies_constructor_la_LDFLAGS = $(LIE_LDFLAGS)
check_LTLIBRARIES += %D%/lies/speaker.la
%C%_lies_speaker_la_SOURCES = %D%/malformed.c
%C%_lies_speaker_la_CPPFLAGS = $(LIE_CPPFLAGS) -DNAME='"speaker"' -DCONSTRUCTOR -DSPEAKER
%C%_lies_speaker_la_LDFLAGS = $(LIE_LDFLAGS)
check_LTLIBRARIES += %D%/lies/exit.la
%C%_lies_exit_la_SOURCES = %D%/malformed.c
%C%_lies_exit_la_CPPFLAGS = $(LIE_CPPFLAGS) -DNAME='"exit"' -DEXIT
%C%_lies_exit_la_LDFLAGS = $(LIE_LDFLAGS)
check_LTLIBRARIES += %D%/lies/unnamed-library.la
%C%_lies_unnamed_library_la_SOURCES = %D%/malformed.c
%C%_lies_unnamed_library_la_CPPFLAGS = $(LIE_CPPFLAGS) -DNAME='"unnamed-library"' -DUNNAMED_LIBRARY
# Not even the C library, which is there all the same.
%C%_lies_unnamed_library_la_LDFLAGS = $(LIE_LDFLAGS) -XCClinker -nodefaultlibs
check_LTLIBRARIES += %D%/lies/unsorted.la
%C%_lies_unsorted_la_SOURCES = %D%/malformed.c
%C%_lies_unsorted_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"unsorted"' -DLAST_FIELD=MRG_FIELD_ENV,MRG_FIELD_ARGS
%C%_lies_unsorted_la_LDFLAGS = $(LIE_LDFLAGS)
check_LTLIBRARIES += %D%/lies/twice.la
%C%_lies_twice_la_SOURCES = %D%/malformed.c
%C%_lies_twice_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"twice"' -DLAST_FIELD=MRG_FIELD_ARGS,MRG_FIELD_ARGS,MRG_FIELD_ENV
%C%_lies_twice_la_LDFLAGS = $(LIE_LDFLAGS)
check_LTLIBRARIES += %D%/lies/no-environment.la
%C%_lies_no_environment_la_SOURCES = %D%/malformed.c
%C%_lies_no_environment_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"no-environment"' -DLAST_FIELD=MRG_FIELD_ARGS
%C%_lies_no_environment_la_LDFLAGS = $(LIE_LDFLAGS)
check_LTLIBRARIES += %D%/lies/long-summary.la
%C%_lies_long_summary_la_SOURCES = %D%/malformed.c
%C%_lies_long_summary_la_CPPFLAGS = $(LIE_CPPFLAGS) -DNAME='"long-summary"' -DSUMMARY='"It ends with a stop."'
%C%_lies_long_summary_la_LDFLAGS = $(LIE_LDFLAGS)
