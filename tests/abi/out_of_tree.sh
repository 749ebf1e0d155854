#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Builds docs/examples/hello against an installed moorage, runs it and has it judged: out_of_tree.sh PREFIX [LIBDIR] (DESTDIR is honoured)
# The plugin goes into a directory of its own, nothing is installed.
set -eu

prefix=${1:?usage: out_of_tree.sh PREFIX [LIBDIR]}
libdir=${2:-$prefix/lib}
destdir=${DESTDIR:-}
source=$(cd "$(dirname "$0")/../../docs/examples/hello" && pwd)
work=$(mktemp -d /tmp/mrgt-hello-XXXXXX)
trap 'rm -rf "$work"' EXIT

fail() {
	echo "not ok - $*"
	exit 1
}

cp "$source/hello.c" "$source/Makefile" "$work"
chmod -R u+w "$work"
export PKG_CONFIG_PATH=$destdir$libdir/pkgconfig
[ -z "$destdir" ] || export PKG_CONFIG_SYSROOT_DIR=$destdir
export LD_LIBRARY_PATH=$destdir$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
[ "$(pkg-config --variable=backenddir moorage)" ] || fail "moorage.pc tells no backenddir"
make -s -C "$work" CFLAGS='-Wall -Wextra -Werror' || fail "hello does not compile against the installed headers"
make -s -C "$work" install DESTDIR="$work/root" || fail "hello does not install"
installed=$(find "$work/root" -name hello.so)
[ -f "$installed" ] || fail "hello.so is not where the Makefile says"
mkdir "$work/rootfs"
chmod 755 "$work" && chmod 755 "$(dirname "$installed")"

MOORAGE_BACKEND_PATH=$(dirname "$installed")
export MOORAGE_BACKEND_PATH
export MOORAGE_LIBEXEC_DIR=$destdir$prefix/libexec/moorage
export MOORAGE_STATE_DIR=$work/state MOORAGE_RUN_DIR=$work/run
moorage=$destdir$prefix/bin/moorage
"$moorage" backends | grep -q hello || fail "moorage does not list hello"
if [ "$(id -u)" = 0 ]; then
	cp "$MOORAGE_LIBEXEC_DIR/moorage-probe" "$work/rootfs/probe"
	out=$("$moorage" run --rm -B hello --rootfs "$work/rootfs" -- /probe out:hello) || fail "hello does not run: $out"
	[ "$out" = $'hello\nout:hello=ok' ] || fail "hello printed '$out'"
	status=0
	"$moorage" run --rm -B hello --rootfs "$work/rootfs" -- /probe exit:7 || status=$?
	[ "$status" = 7 ] || fail "exit status $status instead of 7"
	"$destdir$prefix/bin/moorage-certify" --path "$MOORAGE_BACKEND_PATH" hello >"$work/tap" 2>&1 || {
		grep -v '^ok' "$work/tap" | sed 's/^/# /'
		fail "hello is not certified"
	}
fi
echo "ok - a backend out of tree is built, listed, run and certified"
