#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the command prints, on the fake backend. Each file of golden/ is a transcript:
#
#	# what it shows
#	$ command line (bash; 'moorage' is the one under test)
#	standard output
#	! standard error
#	= exit status, when it is not 0
#
# Usage: golden.sh [--update] [NAME...]: runs the transcripts again and compares; --update writes them anew.

here=$(cd "$(dirname "$0")" && pwd)
top=${abs_top_builddir:-$(pwd)}
export LC_ALL=C TZ=UTC MRG_FAKE_TRACE=
unset NO_COLOR CLICOLOR_FORCE MOORAGE_BACKEND MOORAGE_DETACH_KEYS "${!MRG_FAKE_@}"
update=no
[ "$1" = --update ] && { update=yes; shift; }

plugin=${MRGT_FAKE:-$top/tests/fake/.libs/fake.so}
[ -f "$plugin" ] || { echo "1..0 # SKIP the fake backend is not built"; exit 0; }
# One that is installed knows where its programs are.
[ -n "${MOORAGE:-}" ] || export MOORAGE_LIBEXEC_DIR=$top
command=${MOORAGE:-$top/moorage}

work=$(mktemp -d "${TMPDIR:-/tmp}/mrgt-golden.XXXXXX") || exit 1
cleanup() {
	moorage rm -fa >/dev/null 2>&1
	rm -rf "$work"
}
trap cleanup EXIT
mkdir "$work/backends" "$work/root" "$work/file-dir"
# A plugin directory must belong to who may install plugins, and its files be no links.
cp "$plugin" "$work/backends/fake.so"
chmod 755 "$work" "$work/backends"
export MOORAGE_BACKEND_PATH=$work/backends MOORAGE_CONFIG=$work/none MOORAGE_BACKEND=fake
cd "$work" || exit 1
moorage() { timeout 30 "$command" "$@"; }

# What differs from run to run.
steady() {
	sed -E -e "s#$work#DIR#g" -e 's/\b[0-9a-f]{16}\b/ID/g' \
		-e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{9}Z/TIME/g' -e 's/"pid":[1-9][0-9]*/"pid":PID/g' \
		-e 's/^( +PID  )[0-9]+$/\1PID/' -e 's/[0-9]+ (\(moorage\))/N \1/'
}

# A case has records of its own.
play() {
	local line status begun=no
	export MOORAGE_STATE_DIR=$work/state.$2 MOORAGE_RUN_DIR=$work/run.$2
	while IFS= read -r line; do
		case $line in
		"$ "*) ;;
		"#"*) [ $begun = yes ] || printf '%s\n' "$line"; continue ;;
		*) continue ;;
		esac
		begun=yes
		printf '%s\n' "$line"
		eval "${line#"$ "}" >"$work/out" 2>"$work/err" </dev/null
		status=$?
		steady <"$work/out"
		[ ! -s "$work/out" ] || [ -z "$(tail -c 1 "$work/out")" ] || echo "(no line break)"
		steady <"$work/err" | sed 's/^/! /'
		[ $status -eq 0 ] || echo "= $status"
	done <"$1"
	moorage rm -fa >/dev/null 2>&1
}

names=("$@")
[ $# -gt 0 ] || for file in "$here"/golden/*; do names+=("${file##*/}"); done
echo "1..${#names[@]}"
number=0 failed=0
for name in "${names[@]}"; do
	number=$((number + 1))
	play "$here/golden/$name" "$number" >"$work/played"
	if [ $update = yes ]; then
		cp "$work/played" "$here/golden/$name"
	fi
	if diff -u "$here/golden/$name" "$work/played" >"$work/diff"; then
		echo "ok $number - $name"
	else
		failed=$((failed + 1))
		echo "not ok $number - $name"
		sed 's/^/# /' "$work/diff"
	fi
done
[ $failed -eq 0 ]
