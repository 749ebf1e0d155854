#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Terminals: raw mode and its end, size, job control, keys that leave. On a real backend, so as root."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time

# The sources stay as they are.
sys.dont_write_bytecode = True
from tap import MOORAGE, TIMEOUT, call, play, test, tests

BACKEND = os.environ.get('MOORAGE_TEST_BACKEND', 'native')
# Who is started in the background by a shell has it ignored, and so would what is tried here.
signal.signal(signal.SIGINT, signal.default_int_handler)


def spawn(*args, **more):
    return pexpect.spawn(MOORAGE, list(args), timeout=TIMEOUT, encoding='utf-8', dimensions=(33, 101), **more)


def shell(*options):
    """An interactive shell in a container that has shown its prompt."""
    child = spawn('run', '-it', '-B', BACKEND, '-e', 'PS1=inside> ', *options, 'host', '--', '/bin/sh')
    child.expect('inside> ')
    return child


def finish(child):
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def local_modes(child):
    return termios.tcgetattr(child.child_fd)[3]


@test
def exit_status_of_the_shell_is_ours():
    child = shell('--rm')
    child.sendline('exit 42')
    assert finish(child) == 42


@test
def standard_input_is_a_terminal_inside():
    child = shell('--rm')
    child.sendline('test -t 0 && test -t 1 && test -t 2 && echo all-$((40 + 2))')
    child.expect('all-42')
    child.sendline('exit')
    assert finish(child) == 0


@test
def raw_while_attached():
    child = shell('--rm')
    assert not local_modes(child) & (termios.ICANON | termios.ECHO | termios.ISIG)
    child.sendline('exit')
    finish(child)


def modes_after(*args, keys='exit\r', wait='inside> '):
    """The modes of the terminal once the command is gone; a shell around it keeps the terminal open."""
    line = ' '.join("'%s'" % a for a in [MOORAGE, *args])
    child = pexpect.spawn('/bin/sh', ['-c', 'stty -a >&2; ' + line + '; echo status=$?; stty -a; read x'], timeout=TIMEOUT,
                          encoding='utf-8', dimensions=(33, 101))
    child.expect('icanon')
    child.expect(wait)
    child.send(keys)
    child.expect(r'status=(\d+)')
    status = int(child.match.group(1))
    child.expect(r'[ -]icanon')
    restored = child.after == ' icanon'
    child.sendline('')
    finish(child)
    return status, restored


@test
def modes_are_restored_at_the_end():
    assert modes_after('run', '--rm', '-it', '-B', BACKEND, '-e', 'PS1=inside> ', 'host', '/bin/sh') == (0, True)


@test
def modes_are_restored_after_leaving():
    assert modes_after('run', '--name', 'mrgt-left', '-it', '-B', BACKEND, '-e', 'PS1=inside> ', 'host', '/bin/sh',
                       keys='\x10\x11') == (0, True)
    assert call('state', 'mrgt-left').stdout == 'running\n'
    call('rm', '-f', 'mrgt-left')


@test
def modes_are_restored_after_a_signal():
    line = f"'{MOORAGE}' run --name mrgt-term -it -B {BACKEND} -e 'PS1=inside> ' host /bin/sh"
    child = pexpect.spawn('/bin/sh', ['-c', line + '; echo status=$?; stty -a; read x'], timeout=TIMEOUT, encoding='utf-8')
    child.expect('inside> ')
    children = subprocess.run(['ps', '-o', 'pid=,args=', '--ppid', str(child.pid)], capture_output=True, text=True).stdout
    os.kill(int(children.split()[0]), signal.SIGTERM)
    child.expect('status=143')
    child.expect(r'[ -]icanon')
    assert child.after == ' icanon'
    child.sendline('')
    finish(child)
    call('rm', '-f', 'mrgt-term')


@test
def size_at_the_start():
    child = spawn('run', '--rm', '-it', '-B', BACKEND, 'host', '--', 'stty', 'size')
    child.expect('33 101')
    assert finish(child) == 0


@test
def size_follows():
    child = shell('--rm')
    child.setwinsize(44, 122)
    for _ in range(20):
        child.sendline('stty size; echo done')
        child.expect(r'(\d+ \d+)\r\n')
        size = child.match.group(1)
        child.expect('inside> ')
        if size == '44 122':
            break
        time.sleep(0.05)
    assert size == '44 122'
    child.sendline('exit')
    finish(child)


@test
def interrupt_reaches_the_foreground_job_only():
    child = shell('--rm')
    child.sendline('sh -c "echo up-$((40 + 2)); exec sleep 100"; echo status=$?')
    child.expect('up-42')
    child.sendintr()
    child.expect('status=130|inside> ')
    child.sendline('echo still-$((40 + 2))')
    child.expect('still-42')
    child.sendline('exit 0')
    assert finish(child) == 0


@test
def job_control_inside():
    child = shell('--rm')
    child.sendline('sh -c "echo up-$((40 + 2)); exec sleep 100"')
    child.expect('up-42')
    child.send('\x1a')
    child.expect('inside> ')
    child.sendline('jobs')
    child.expect('(Stopped|Suspended)')
    child.sendline('kill %1; exit 0')
    child.expect('inside> |exit')
    child.sendline('exit 0')
    child.expect(pexpect.EOF)


@test
def end_of_input_by_key():
    child = shell('--rm')
    child.sendeof()
    assert finish(child) == 0


@test
def keys_split_over_reads_leave():
    child = shell('--name', 'mrgt-keys')
    # Who takes half a second between them means two keys.
    while True:
        begun = time.monotonic()
        child.send('\x10')
        time.sleep(0.1)
        child.send('\x11')
        if time.monotonic() - begun < 0.45:
            break
        child.sendline('')
        child.expect('inside> ')
    assert finish(child) == 0
    assert call('state', 'mrgt-keys').stdout == 'running\n'
    call('rm', '-f', 'mrgt-keys')


@test
def three_brackets_leave():
    child = shell('--name', 'mrgt-keys')
    child.send('\x1d\x1d\x1d')
    assert finish(child) == 0
    call('rm', '-f', 'mrgt-keys')


@test
def half_a_sequence_reaches_the_program():
    child = spawn('run', '--rm', '-it', '-B', BACKEND, 'host', '--', '/bin/sh', '-c',
                  'stty raw -echo; echo ready; dd bs=1 count=2 2>/dev/null | od -An -tx1; stty sane')
    child.expect('ready')
    child.send('\x10x')
    child.expect('10 78')
    finish(child)


@test
def a_single_key_is_not_kept_for_ever():
    child = spawn('run', '--rm', '-it', '-B', BACKEND, 'host', '--', '/bin/sh', '-c',
                  'stty raw -echo; echo ready; dd bs=1 count=1 2>/dev/null | od -An -tx1; stty sane')
    child.expect('ready')
    child.send('\x10')
    child.expect(' 10')
    finish(child)


@test
def keys_of_ones_own():
    child = shell('--name', 'mrgt-keys', '--detach-keys', 'ctrl-a,q')
    child.send('\x01q')
    assert finish(child) == 0
    assert call('state', 'mrgt-keys').stdout == 'running\n'
    call('rm', '-f', 'mrgt-keys')


@test
def attach_again():
    child = shell('--name', 'mrgt-again')
    child.sendline('word=kept')
    child.expect('inside> ')
    child.send('\x10\x11')
    finish(child)
    child = spawn('attach', 'mrgt-again')
    child.expect('attached to')
    child.sendline('')
    child.expect('inside> ')
    child.sendline('echo $word-$((40 + 2))')
    child.expect('kept-42')
    child.sendline('exit 3')
    assert finish(child) == 3
    call('rm', '-f', 'mrgt-again')


@test
def exec_with_a_terminal():
    call('run', '-d', '--name', 'mrgt-exec', '-B', BACKEND, 'host', '--', 'sleep', '100')
    child = spawn('exec', '-it', 'mrgt-exec', '--', 'sh', '-c', 'test -t 0 && echo terminal; exit 9')
    child.expect('terminal')
    assert finish(child) == 9
    call('rm', '-f', 'mrgt-exec')


@test
def shell_is_a_login_shell_with_a_terminal():
    call('run', '-d', '--name', 'mrgt-shell', '-B', BACKEND, 'host', '--', 'sleep', '100')
    child = spawn('shell', 'mrgt-shell')
    child.sendline('test -t 0 && echo terminal-$0')
    child.expect('terminal-.*sh')
    child.sendline('exit 6')
    assert finish(child) == 6
    call('rm', '-f', 'mrgt-shell')


@test
def control_characters_of_logs_do_not_reach_a_terminal():
    call('run', '--name', 'mrgt-logs', '-B', BACKEND, 'host', '--', 'printf', r'a\033]0;title\007b\n')
    child = spawn('logs', 'mrgt-logs')
    child.expect(pexpect.EOF)
    assert '\x1b]0' not in child.before and r'\x1b]0;title\x07b' in child.before
    child.close()
    assert '\x1b]0;title\x07' in call('logs', 'mrgt-logs').stdout
    call('rm', '-f', 'mrgt-logs')


@test
def standard_error_is_separate_without_a_terminal():
    result = call('run', '--rm', '-B', BACKEND, 'host', '--', 'sh', '-c', 'echo out; echo err >&2')
    assert (result.stdout, result.stderr) == ('out\n', 'err\n')


@test
def second_interrupt_kills():
    process = subprocess.Popen([MOORAGE, 'run', '--rm', '-B', BACKEND, 'host', '--', 'sh', '-c',
                                'trap "echo first" INT; echo ready; while :; do sleep 0.1; done'], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == 'ready\n'
    # The next only when this has been heard, as two signals at once are one, but within two seconds: later it is a first one again.
    while True:
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == 'first\n'
        if time.monotonic() - begun < 1.5:
            break
        time.sleep(2.5)
    process.send_signal(signal.SIGINT)
    assert process.wait(TIMEOUT) == 137


@test
def term_is_passed_on():
    process = subprocess.Popen([MOORAGE, 'run', '--rm', '-B', BACKEND, 'host', '--', 'sh', '-c',
                                'trap "exit 7" TERM; echo ready; while :; do sleep 0.1; done'], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == 'ready\n'
    process.send_signal(signal.SIGTERM)
    assert process.wait(TIMEOUT) == 7


@test
def a_reader_that_goes_away_ends_the_program():
    process = subprocess.Popen([MOORAGE, 'run', '--rm', '-B', BACKEND, 'host', '--', 'yes'], stdout=subprocess.PIPE)
    process.stdout.read(100)
    process.stdout.close()
    assert process.wait(TIMEOUT) == 128 + signal.SIGPIPE


@test
def all_input_arrives():
    data = os.urandom(3 << 20)
    result = subprocess.run([MOORAGE, 'run', '--rm', '-i', '-B', BACKEND, 'host', '--', 'cat'], input=data, capture_output=True,
                            timeout=60)
    assert result.stdout == data and result.returncode == 0


@test
def standard_streams_stay_blocking():
    read, write = os.pipe()
    subprocess.run([MOORAGE, 'run', '--rm', '-B', BACKEND, 'host', '--', 'true'], stdout=write, timeout=TIMEOUT)
    assert os.get_blocking(write)
    os.close(read)
    os.close(write)


def table(width, *options):
    """The lines of a list as a terminal of this width gets them."""
    child = pexpect.spawn(MOORAGE, ['ls', '-B', BACKEND, '--columns', 'NAME,COMMAND,STATE', '-f', 'name=mrgt-wide', *options], timeout=TIMEOUT,
                          encoding='utf-8', dimensions=(33, width), env={**os.environ, 'LC_ALL': 'C.UTF-8'})
    child.expect(pexpect.EOF)
    return child.before.replace('\r', '').splitlines()


@test
def a_table_fits_the_terminal():
    # Each of these characters takes two columns.
    call('create', '--name', 'mrgt-wide', '-B', BACKEND, 'host', '--', 'echo', '\u6f22' * 40)
    try:
        command = 'echo ' + '\u6f22' * 40
        assert table(200) == ['NAME       COMMAND' + ' ' * 80 + 'STATE', f'mrgt-wide  {command}  created']
        # 9 of the name, 7 of the state and two separators leave 29, and half a character is none.
        assert table(49) == ['NAME       COMMAND' + ' ' * 24 + 'STATE', 'mrgt-wide  echo ' + '\u6f22' * 12 + '  created']
        assert table(48) == ['NAME       COMMAND' + ' ' * 23 + 'STATE', 'mrgt-wide  echo ' + '\u6f22' * 11 + '   created']
        assert table(48, '--no-trunc') == table(200)
        # What cannot be cut stays whole.
        assert table(10)[1] == 'mrgt-wide  echo \u6f22   created'
    finally:
        call('rm', 'mrgt-wide')


@test
def a_table_to_a_file_is_whole():
    call('create', '--name', 'mrgt-wide', '-B', BACKEND, 'host', '--', 'echo', '\u6f22' * 40)
    try:
        for locale in 'C', 'C.UTF-8':
            out = call('ls', '--columns', 'COMMAND', '--no-headings', '-f', 'name=mrgt-wide',
                       env={**os.environ, 'LC_ALL': locale, 'COLUMNS': '20'}).stdout
            assert out == 'echo ' + '\u6f22' * 40 + '\n', locale
    finally:
        call('rm', 'mrgt-wide')


def reason_to_skip():
    if os.geteuid() != 0:
        return 'needs root'
    result = call('run', '--rm', '-B', BACKEND, 'host', '--', 'true')
    return None if result.returncode == 0 else f'backend {BACKEND} does not run here: ' + result.stderr.splitlines()[0]


def main():
    work = tempfile.mkdtemp(prefix='mrgt-terminal-')
    os.environ.update(MOORAGE_STATE_DIR=work + '/state', MOORAGE_RUN_DIR=work + '/run')
    chosen = [t for t in tests if len(sys.argv) < 2 or re.search(sys.argv[1], t.__name__)]
    reason = reason_to_skip()
    if reason:
        print(f'1..0 # SKIP {reason}')
        return
    failed = play(chosen)
    shutil.rmtree(work, ignore_errors=True)
    sys.exit(1 if failed else 0)


try:
    import pexpect
except ImportError:
    print('1..0 # SKIP python3-pexpect is missing')
    sys.exit(0)
main()
