#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The judge is judged: a backend that keeps what it promises passes, and each lie is noticed by the test it is about and by no other. Speaks TAP.
# usage: lies.sh BUILD-DIRECTORY     after "make check", which builds the backends in tests/fake
set -euo pipefail

build=$(cd "${1:?usage: lies.sh BUILD-DIRECTORY}" && pwd)
certify=${MOORAGE_CERTIFY:-$build/moorage-certify}
fake=$build/tests/fake
export MOORAGE_LIBEXEC_DIR=${MOORAGE_LIBEXEC_DIR:-$build}
work=$(mktemp -d /tmp/mrgt-lies.XXXXXX)
trap 'rm -rf "$work"' EXIT

n=0 failed=0

# told WHAT: FILE was expected, GOT came.
told() {
	n=$((n + 1))
	if cmp -s "$work/expected" "$work/got"; then
		echo "ok $n - $1"
	else
		failed=$((failed + 1))
		echo "not ok $n - $1"
		{ diff "$work/expected" "$work/got" || true; } | sed 's/^/# /'
	fi
}

# judge DIRECTORY NAME [OPTION...]: leaves the names of the tests that fail in $work/got, all output in $work/tap.
judge() {
	local directory=$1 name=$2
	shift 2
	"$certify" --path "$directory" ${seconds:+--seconds "$seconds"} "$@" "$name" >"$work/tap" 2>"$work/err" || true
	sed -nE 's/^not ok [0-9]+ - //p' "$work/tap" | sort >"$work/got"
	grep -q '^1\.\.[0-9]' "$work/tap" || { echo "it did not come to its end"; cat "$work/err"; } >>"$work/got"
}

# expect [NAME...]: of tests that must fail.
expect() { printf '%s\n' "$@" | sed '/^$/d' | sort >"$work/expected"; }

# ---- the file ---------------------------------------------------------------------------------

# file_lie NAME TEST...
file_lie() {
	local name=$1 t expected=()
	shift
	for t in "$@"; do expected+=("static: $t"); done
	judge "$fake/lies/.libs" "$name" --only 'static: *'
	expect "${expected[@]}"
	told "file: $name"
}

exported="it exports its table and nothing else" relro="read-only after relocation" order="fields are in order, each once"
if grep -q fsanitize "$build/Makefile"; then
	echo "ok $((n += 1)) - files # SKIP the sanitizers add imports and constructors of their own"
else
	file_lie plain
	file_lie executable-stack "no executable stack"
	file_lie no-relro "$relro"
	file_lie lazy "$relro"
	file_lie more-exports "$exported"
	file_lie text-relocation "no relocations in its code"
	file_lie relative-path "no relative search path for libraries"
	file_lie variable "no variables of its own"
	file_lie constructor "no constructors"
	file_lie speaker "no constructors" "it calls nothing that takes over its process"
	file_lie exit "it calls nothing that takes over its process"
	file_lie unnamed-library "every symbol comes from libmoorage or a library it names"
	file_lie unsorted "$order"
	file_lie twice "$order"
	file_lie no-environment "root, arguments and environment are among the fields"
	file_lie long-summary "summary"
	judge "$fake/lies/.libs" speaker --only 'hygiene: loading*'
	expect "hygiene: loading: output"
	told "loading: speaker"
fi

mkdir "$work/open" "$work/others"
cp "$fake/honest/.libs/honest.so" "$work/open/"
chmod 775 "$work/open/honest.so"
judge "$work/open" honest --only 'static: file*'
expect "static: file and directory are safe from others"
told "file: writable by its group"
cp "$fake/honest/.libs/honest.so" "$work/others/"
chmod 777 "$work/others"
judge "$work/others" honest --only 'static: file*'
expect "static: file and directory are safe from others"
told "file: in a directory that others can write to"

# table_lie NAME TEST...: of tests/fake/bad, which the library refuses too.
table_lie() {
	local name=$1 t expected=("load: the library accepts it")
	shift
	for t in "$@"; do expected+=("static: $t"); done
	judge "$fake/bad/.libs" "$name" --only '[sl]*[cd]: [!ire]*'
	grep -vE '^static: (root|it exports|no |every|file)' "$work/got" >"$work/got.few" || true
	mv "$work/got.few" "$work/got"
	expect "${expected[@]}"
	told "table: $name"
}
table_lie wrong-name "named as its file"
table_lie too-small "size and minor of the table" "mandatory verbs"
table_lie newer-minor "size and minor of the table"
table_lie no-start "mandatory verbs"
table_lie half-pause "pairs of verbs"
table_lie half-list "pairs of verbs"
table_lie no-summary "summary"
table_lie unknown-field "fields are known"
table_lie bad-option "options are described"

# ---- the honest one ----------------------------------------------------------------------------

if [ "$(id -u)" != 0 ]; then
	echo "ok $((n += 1)) - what takes a container # SKIP needs root"
	echo "1..$n"
	[ "$failed" = 0 ]
	exit
fi

# lie FAULT PATTERN TEST...: with the fault the tests given fail, and no other that matches the pattern.
# What is waited for in vain without a test that fails meanwhile takes half of $seconds.
lie() {
	local fault=$1 pattern=$2
	shift 2
	MRG_FAKE_FAULT=$fault judge "$fake/honest/.libs" honest --only "$pattern"
	expect "$@"
	told "$fault ($pattern)"
}

# hygiene_lie MISDEED ASPECT: committed by a verb that changes nothing else.
hygiene_lie() { lie "stats:$1" 'hygiene: stats: *' "hygiene: stats: $2"; }
hygiene_lie descriptor "descriptors"
hygiene_lie print "output"
hygiene_lie child "children"
hygiene_lie thread "threads"
hygiene_lie signal-mask "signal mask"
hygiene_lie signal-handler "signal handlers"
hygiene_lie timer "timers"
hygiene_lie umask "umask"
hygiene_lie chdir "working directory and root"
hygiene_lie environment "environment"
hygiene_lie capability "ids and capabilities"
hygiene_lie limit "resource limits"
hygiene_lie subreaper "process settings"
hygiene_lie namespace "namespaces"
hygiene_lie mount "mounts"
lie start:descriptor 'hygiene: start: *' "hygiene: start: descriptors"
lie exec:print 'hygiene: exec: *' "hygiene: exec: output"
lie probe:chdir 'hygiene: probe: *' "hygiene: probe: working directory and root"

# Verbs that answer wrongly.
running="contract: state when RUNNING gives MRG_STATE_RUNNING"
lie state:return=4 'contract: state when RUNNING*' "$running"
lie state:return=2 'contract: state after the end*' "contract: state after the end is not alive"
seconds=16 lie state:return=2 'contract: state when *' "contract: state when PAUSED gives MRG_STATE_PAUSED"
lie 'kill:ESRCH' 'contract: kill when CREATED*' "contract: kill when CREATED gives -MRG_E_NOT_RUNNING"
lie 'kill:ESRCH:It does not run.' 'contract: kill when CREATED*' "contract: kill when CREATED gives -MRG_E_NOT_RUNNING"
lie 'kill:EIO:it fails' 'contract: kill when *' "contract: kill when CREATED gives -MRG_E_NOT_RUNNING" \
	"contract: kill when RUNNING gives 0" "contract: kill when STOPPED gives -MRG_E_NOT_RUNNING"
lie pause:nothing 'contract: pause [fw]*' "contract: pause freezes, resume thaws" "contract: pause when CREATED gives -MRG_E_NOT_RUNNING" \
	"contract: pause when PAUSED gives 1" "contract: pause when STOPPED gives -MRG_E_NOT_RUNNING"
lie 'start:EIO:it fails' 'contract: start of a missing command*' "contract: start of a missing command gives -MRG_E_NO_COMMAND"
lie start:nothing 'contract: start of a missing command*' "contract: start of a missing command gives -MRG_E_NO_COMMAND"
lie exec:nothing 'contract: exec of a missing command*' "contract: exec of a missing command gives -MRG_E_NO_COMMAND"
lie destroy:nothing 'contract: destroy when *' "contract: destroy when PAUSED gives -MRG_E_STATE" \
	"contract: destroy when RUNNING gives -MRG_E_STATE"
lie forget:return=1 'contract: find*' "contract: find and list forget what was destroyed"
seconds=10 lie cleanup:nothing 'contract: cleanup ends*' "contract: cleanup ends what outlived the first process, twice without harm"
lie processes:nothing 'contract: processes finds*' "contract: processes finds each one once"
lie update:nothing 'contract: update when *' "contract: update when CREATED gives -MRG_E_NOT_RUNNING" \
	"contract: update when STOPPED gives -MRG_E_NOT_RUNNING"
lie adopt:nothing 'contract: adopt reads*' "contract: adopt reads what was made, and leaves it alone"
lie configure:nothing 'contract: configure*' "contract: configure writes what has changed"
lie explain:nothing 'contract: explain *' "contract: explain says how it is done" "contract: explain stops when it is told to"
lie check:EINVAL:no 'contract: check accepts*' "contract: check accepts a plain spec"
lie autostart:return=1 'contract: autostart*' "contract: autostart is what was set last"
lie find:return=1 'contract: find*' "contract: find and list forget what was destroyed"
lie find:nothing 'contract: find*' "contract: find and list agree about what was made"
lie process:return=1 'contract: process of what was never*' "contract: process of what was never started gives 0"

# One that crashes, one that hangs: tests of others go on.
lie stats:SIGKILL 'contract: stats [aw]*' "contract: stats are plausible" "contract: stats when CREATED gives -MRG_E_NOT_RUNNING" \
	"contract: stats when PAUSED gives 0" "contract: stats when RUNNING gives 0" "contract: stats when STOPPED gives -MRG_E_NOT_RUNNING"
MRG_FAKE_FAULT=stats:delay=60000 judge "$fake/honest/.libs" honest --only 'contract: *s when RUNNING*' --seconds 10
expect "contract: stats when RUNNING gives 0"
told "stats hangs"

# Every field is claimed, none but these is honoured: each of the others fails.
fields=$("$certify" --list | sed -nE 's/^fields: ([^:]+): .*/\1/p' | sort -u)
MRG_FAKE_MORE=$(tr '\n' , <<<"$fields") judge "$fake/honest/.libs" honest --only 'fields: *'
for field in $fields; do
	case $field in
	root.path | process.args | process.env | process.cwd | process.terminal | process.user.[ug]id | process.user.umask) continue ;;
	# What the core does for every backend.
	process.consoleSize | annotations | moorage.stdin | moorage.stop.* | moorage.labels | moorage.log | moorage.options) continue ;;
	esac
	n=$((n + 1))
	# The second, where this host gives the kit nothing to try it with.
	if grep -qE "^fields: ($field: .*|it was observed: $field)\$" "$work/got"; then
		echo "ok $n - claimed and not honoured: $field"
	else
		failed=$((failed + 1))
		echo "not ok $n - claimed and not honoured: $field"
	fi
done
MRG_FAKE_MORE=linux.resources.rdma judge "$fake/honest/.libs" honest --only 'no such test'
expect "fields: it has a test: linux.resources.rdma"
told "claimed, and the kit has no test of it"

echo "1..$n"
[ "$failed" = 0 ]
