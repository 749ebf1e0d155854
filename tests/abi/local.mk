# SPDX-License-Identifier: LGPL-2.1-or-later
# Compiled, never run: see abi.c.

check_LTLIBRARIES += %D%/abi.la
%C%_abi_la_SOURCES = %D%/abi.c
EXTRA_DIST += %D%/out_of_tree.sh docs/examples/hello/hello.c docs/examples/hello/Makefile
