# SPDX-License-Identifier: LGPL-2.1-or-later
# Every test speaks TAP. Unit tests are one program a module; each links all objects of the library.

# Programs without an LDADD of their own are unit tests.
LDADD = libcore.la $(CMOCKA_LIBS)

# Sorted; NAME is tests/unit/test_NAME.c.
unit_tests = \
	%D%/unit/test_cgroup_limits

if HAVE_CMOCKA
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif

TEST_EXTENSIONS = .sh
AM_TESTS_ENVIRONMENT = \
	CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	abs_top_srcdir='$(abs_top_srcdir)'; export abs_top_srcdir; \
	abs_top_builddir='$(abs_top_builddir)'; export abs_top_builddir; \
	MOORAGE='$(abs_top_builddir)/moorage'; export MOORAGE; \
	MOORAGE_BACKEND_PATH='$(abs_top_builddir)/.libs'; export MOORAGE_BACKEND_PATH; \
	MOORAGE_LIBEXEC_DIR='$(abs_top_builddir)'; export MOORAGE_LIBEXEC_DIR;
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
SH_LOG_DRIVER = $(LOG_DRIVER)
SH_LOG_COMPILER = bash
