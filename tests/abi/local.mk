# SPDX-License-Identifier: LGPL-2.1-or-later
# Compiled, never run: see abi.c.

check_LTLIBRARIES += %D%/libabi.la
%C%_libabi_la_SOURCES = %D%/abi.c
EXTRA_DIST += %D%/out_of_tree.sh docs/examples/hello/hello.c docs/examples/hello/Makefile
