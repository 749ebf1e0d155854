#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What must hold for every verb and option, whatever the tables say.

export LC_ALL=C
moorage=${MOORAGE:-moorage}
work=$(mktemp -d "${TMPDIR:-/tmp}/mrgt-properties.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
export MOORAGE_STATE_DIR=$work/state MOORAGE_RUN_DIR=$work/run
number=0 failed=0

# check NAME COMMAND...
check() {
	local name=$1
	shift
	number=$((number + 1))
	if "$@" >"$work/log" 2>&1; then
		echo "ok $number - $name"
	else
		failed=$((failed + 1))
		echo "not ok $number - $name"
		sed 's/^/# /' "$work/log"
	fi
}
skip() {
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

is_status() {
	local wanted=$1
	shift
	"$@" >/dev/null
	[ $? -eq "$wanted" ] || { echo "status is not $wanted: $*"; return 1; }
}

# Names, letters, help and payload of everything, from the command's own table.
"$moorage" help --format json >"$work/help.json" || exit 1
tables() {
	python3 - "$work/help.json" "$@" <<'END'
import json, os, subprocess, sys
help = json.load(open(sys.argv[1]))
moorage = os.environ.get('MOORAGE', 'moorage')
what = sys.argv[2]
bad = []


def run(*args):
    return subprocess.run([moorage, *args], capture_output=True, text=True)


if what == 'schema':
    assert help['schema'] == 'moorage/help/v1' and len(help['verbs']) > 25
if what == 'words':             # no word means two verbs
    seen = {}
    for verb in help['verbs']:
        for word in [verb['name'], *verb['aliases']]:
            if seen.setdefault(word, verb['name']) != verb['name'] or word == '':
                bad.append(word)
if what == 'help':              # every verb has help with an example that names it, and every option a line
    for verb in help['verbs']:
        result = run(verb['name'], '--help')
        if result.returncode or result.stderr or 'usage: moorage ' + verb['name'] not in result.stdout:
            bad.append(verb['name'])
        if verb['name'] != 'version' and (not verb['text'] or 'moorage ' + verb['name'] not in verb['text']):
            bad.append(verb['name'] + ': no example')
        for option in verb['options']:
            if not option['help'] or '--' + option['names'][0] not in result.stdout:
                bad.append(verb['name'] + ' --' + option['names'][0])
        for alias in verb['aliases']:
            if run(alias, '--help').stdout != result.stdout:
                bad.append(alias)
if what == 'options':           # no option of a verb stands twice
    for verb in help['verbs']:
        names = [name for option in verb['options'] for name in option['names']]
        letters = [letter for option in verb['options'] for letter in option['letters']]
        for items in names, letters:
            bad += [verb['name'] + ' ' + item for item in set(items) if items.count(item) > 1]
if what == 'later':             # what is not there yet says so, with the status for a wrong command line
    for verb in help['verbs']:
        for option in verb['options']:
            if option['later']:
                result = run(verb['name'], '--' + option['names'][0] + ('=x' if option['arg'] else ''))
                if result.returncode != (125 if verb['payload'] else 2) or result.stderr.count('\n') != 1:
                    bad.append(verb['name'] + ' --' + option['names'][0])
if what == 'unknown':           # so does what does not exist
    for verb in help['verbs']:
        result = run(verb['name'], '--no-such-option')
        if result.returncode != (125 if verb['payload'] else 2) or "'--no-such-option'" not in result.stderr:
            bad.append(verb['name'])
if what == 'missing':           # a container that is not there
    for verb in help['verbs']:
        if verb['operands'].startswith('NAME') or verb['operands'].startswith('[USER'):
            args = {'update': ['-m', '1G'], 'plan': ['--to', 'native'], 'migrate': ['--to', 'native']}.get(verb['name'], [])
            more = {'exec': ['true'], 'export': ['mrgt-nobody.tar']}.get(verb['name'], [])
            result = run('--json', verb['name'], *args, 'mrgt-nobody', *more)
            wanted = 125 if verb['payload'] else 1 if verb['name'] == 'exists' else 3
            error = json.loads(result.stderr)['error'] if result.stderr else {'code': 'not-found', 'exit': wanted}
            if result.returncode != wanted or error['code'] != 'not-found' or error['exit'] != wanted:
                bad.append(f"{verb['name']}: {result.returncode}")
if what == 'man':
    for args in [[], *[[verb['name']] for verb in help['verbs']]]:
        page = 'x(1)\n\n# NAME\n\nx - y\n\n# OPTIONS\n\n' + run('help', '--man', *args).stdout
        result = subprocess.run(['scdoc'], input=page, capture_output=True, text=True)
        if result.returncode:
            bad.append(f'{args}: {result.stderr}')
if bad:
    print('\n'.join(bad))
sys.exit(bool(bad))
END
}

check "verbs and options as JSON" tables schema
check "no word means two verbs" tables words
check "every verb and option has help" tables help
check "no option stands twice" tables options
check "options of later versions say so" tables later
check "unknown options are refused" tables unknown
check "a missing container has one status per kind of verb" tables missing
if command -v scdoc >/dev/null; then
	check "the manual's text is scdoc" tables man
else
	skip "the manual's text is scdoc" "scdoc is missing"
fi

for shell in bash zsh fish; do
	if command -v $shell >/dev/null; then
		"$moorage" completion $shell >"$work/completion"
		check "completion for $shell is valid" $shell -n "$work/completion"
	else
		skip "completion for $shell is valid" "$shell is missing"
	fi
done
bash_completes() {
	"$moorage" completion bash >"$work/completion"
	# shellcheck disable=SC2016
	PATH=$(dirname "$moorage"):$PATH bash -c '. "$0"; COMP_WORDS=(moorage compl); COMP_CWORD=1; _moorage
		[ "${COMPREPLY[*]}" = completion ]' "$work/completion"
}
check "bash completes a verb" bash_completes
fish_completes() {
	"$moorage" completion fish >"$work/completion"
	# shellcheck disable=SC2016
	PATH=$(dirname "$moorage"):$PATH fish --no-config -c 'source $argv[1]; complete -C "moorage compl" | string match -q "completion*"' "$work/completion"
}
if command -v fish >/dev/null; then
	check "fish completes a verb" fish_completes
else
	skip "fish completes a verb" "fish is missing"
fi

full() {
	"$moorage" "$@" >/dev/full 2>"$work/err"
	[ $? -eq 1 ] && grep -q 'No space left' "$work/err"
}
check "a full disk is told: help" full help
check "a full disk is told: ls" full ls
check "a full disk is told: completion" full completion bash
closed() {
	# Its reader, which is 8, has gone before anything is written.
	mkfifo "$work/pipe"
	exec 8<>"$work/pipe"
	exec 9>"$work/pipe"
	exec 8<&-
	(trap '' PIPE; "$moorage" help spec >&9; echo $? >"$work/status") 2>"$work/err"
	exec 9>&-
	[ ! -s "$work/err" ] && [ "$(cat "$work/status")" != 0 ]
}
check "a closed pipe is silent" closed
head_is_enough() {
	"$moorage" help spec 2>"$work/err" | head -n 1 >"$work/out"
	[ -s "$work/out" ] && [ ! -s "$work/err" ]
}
check "head is enough" head_is_enough

binary=$moorage
[ "$(head -c 2 "$binary")" != '#!' ] || binary=$(dirname "$moorage")/.libs/$(basename "$moorage")
few_objects() {
	local n
	n=$(LD_LIBRARY_PATH=$(dirname "$binary"):$LD_LIBRARY_PATH LD_DEBUG=files "$binary" version 2>&1 | grep -c 'calling init')
	echo "$n objects"
	[ "$n" -ge 1 ] && [ "$n" -le 10 ]
}
if LD_DEBUG=files "$binary" version 2>&1 | grep -q 'libasan'; then
	skip "version loads at most 10 objects" "built with sanitizers"
else
	check "version loads at most 10 objects" few_objects
fi
check "version needs no state" is_status 0 env MOORAGE_STATE_DIR=/nonexistent/x MOORAGE_RUN_DIR=/nonexistent/y "$moorage" version
check "no arguments are a wrong command line" is_status 2 "$moorage"
check "a wrong run is 125" is_status 125 "$moorage" run

echo "1..$number"
[ $failed -eq 0 ]
