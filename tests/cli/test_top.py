#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""'moorage top' on a terminal: what is on the screen, keys, sizes, and the terminal as it was whatever ends it. On the fake backend."""

import json
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

BUILD = os.environ.get('abs_top_builddir', os.getcwd())
WAIT = 30              # seconds, for a screen that is as wanted
HOSTILE = b'x\x1b]0;title\x07\xff'

# A terminal that understands no more than the class Screen below.
TERMINFO = r'''mrgt|terminal of a test,
	cols#80, lines#24, bel=^G, cr=\r, cub1=^H, ind=\n,
	clear=\E[H\E[2J, cup=\E[%i%p1%d;%p2%dH, el=\E[K, ed=\E[J, home=\E[H,
	smcup=\E[?1049h, rmcup=\E[?1049l, civis=\E[?25l, cnorm=\E[?25h, rev=\E[7m, sgr0=\E[m,
	kcuu1=\E[A, kcud1=\E[B, kent=\EOM, kbs=\177,
'''


class Screen:
    """What a terminal shows of what it is sent."""

    def __init__(self, lines, columns):
        self.at = [0, 0]
        self.size = [lines, columns]
        self.clear()

    def clear(self):
        self.cells = [[' '] * self.size[1] for _ in range(self.size[0])]
        self.chosen = set()

    def command(self, numbers, letter):
        line, column = self.at
        if letter == 'H':
            self.at = [int(n or 1) - 1 for n in (numbers.split(';') + ['1'])[:2]] if numbers else [0, 0]
        elif letter == 'J' and numbers == '2':
            self.clear()
        elif letter in 'JK':
            self.cells[line][column:] = [' '] * (self.size[1] - column)
            for below in range(line + 1, self.size[0] if letter == 'J' else 0):
                self.cells[below] = [' '] * self.size[1]
        elif letter == 'm':
            self.reverse = numbers == '7'
        else:
            assert numbers in ('?1049', '?25'), (numbers, letter)

    reverse = False
    rest = ''

    def write(self, text):
        # A read may end in the middle of a sequence.
        text, self.rest = re.fullmatch(r'(.*?)(\x1b(?:\[[?0-9;]*)?)?', self.rest + text, re.DOTALL).group(1, 2)
        self.rest = self.rest or ''
        for numbers, letter, plain in re.findall(r'\x1b\[([?0-9;]*)([A-Za-z])|([^\x1b])', text):
            if letter:
                self.command(numbers, letter)
            elif plain == '\r':
                self.at[1] = 0
            elif plain == '\n':
                self.at[0] += 1
            elif plain == '\b':
                self.at[1] -= 1
            else:
                assert plain >= ' ', repr(text)
                if self.at[0] < self.size[0] and self.at[1] < self.size[1]:
                    self.cells[self.at[0]][self.at[1]] = plain
                    (self.chosen.add if self.reverse else self.chosen.discard)(self.at[0])
                self.at[1] += 1

    def lines(self):
        return [''.join(line).rstrip() for line in self.cells]


class Top:
    """A 'moorage top' whose screen is watched; a shell around it keeps the terminal, and tells how it left it."""

    def __init__(self, *args, lines=12, columns=120):
        command = ' '.join(f"'{a}'" for a in [MOORAGE, 'top', '-d', '0.2', *args])
        self.child = pexpect.spawn('/bin/sh', ['-c', f'trap : INT; stty -a; echo begin; read x; {command}; echo status=$?; stty -a; echo end; read x'],
                                   timeout=TIMEOUT, encoding='utf-8', dimensions=(lines, columns), env={**os.environ, 'TERM': 'mrgt'})
        self.child.expect('begin\r\n')
        self.modes = self.child.before
        self.screen = Screen(lines, columns)
        # Only now it begins: what came together with the line that was expected would be pexpect's.
        self.sent = ''
        self.child.sendline('')

    def read(self):
        try:
            self.sent += (text := self.child.read_nonblocking(65536, 0.1))
            self.screen.write(text)
        except pexpect.TIMEOUT:
            pass

    def wait(self, condition):
        """Until the screen is as wanted."""
        end = time.monotonic() + WAIT
        while not condition(self.screen):
            assert time.monotonic() < end, 'the screen is:\n' + '\n'.join(self.screen.lines())
            self.read()
        return self.screen.lines()

    def shows(self, pattern):
        return self.wait(lambda s: re.search(pattern, '\n'.join(s.lines())))

    def rows(self, *names):
        """Until these are the containers shown, in this order."""
        def shown(screen):
            return [line.split()[0] for line in screen.lines()[3:-1] if line and not line.startswith('h help')]
        self.wait(lambda s: shown(s) == list(names))

    def type(self, keys):
        self.child.send(keys)

    def pid(self):
        children = subprocess.run(['ps', '-o', 'pid=', '--ppid', str(self.child.pid)], capture_output=True, text=True).stdout
        return int(children.split()[0])

    def ended(self):
        """The exit status, once the terminal has been found as it was."""
        self.child.expect(r'status=(\d+)\r\n')
        status, rest = int(self.child.match.group(1)), self.sent + self.child.before
        self.child.expect('end\r\n')
        assert self.child.before == self.modes, self.child.before
        # The other screen and the cursor are given back, and nothing comes after that.
        assert rest.count('\x1b[?1049h') == rest.count('\x1b[?1049l') >= 1, repr(rest)
        assert rest.rindex('\x1b[?25h') > rest.rindex('\x1b[?25l')
        assert rest.rindex('\x1b[?1049l') > rest.rindex('\x1b[?1049h')
        self.child.sendline('')
        self.child.expect(pexpect.EOF)
        self.child.close()
        return status


@test
def containers_and_figures():
    top = Top()
    # Once the last row is drawn to its end.
    lines = top.wait(lambda s: sum(bool(re.match(r'(busy|idle|stubborn) +fake +running ', line)) for line in s.lines()) == 3)
    assert lines[0].startswith('moorage top: 3 containers, CPU '), lines[0]
    assert lines[1] == 'by CPU%, largest first'
    assert lines[2].split()[:4] == ['NAME', 'BACKEND', 'STATE', 'CPU%'], lines[2]
    assert not [line for line in lines if line.startswith('rest')], 'it does not run'
    top.type('q')
    assert top.ended() == 0


@test
def sort_and_filter():
    top = Top('--sort', 'NAME', '-f', 'name=[a-z]*')
    top.rows('busy', 'idle', 'stubborn')
    top.type('r')
    top.rows('stubborn', 'idle', 'busy')
    top.type('/FAKE:I\r')
    top.rows('idle')
    top.shows("1 shown, with 'FAKE:I'")
    top.type('\x1b')
    top.rows('stubborn', 'idle', 'busy')
    top.type('m')
    top.shows('by MEMORY, largest first')
    top.type('>')
    top.shows('by LIMIT, largest first')
    top.type('q')
    assert top.ended() == 0


@test
def only_some_columns():
    top = Top('-o', 'PIDS,NAME')
    assert top.shows('busy')[2].split() == ['PIDS', 'NAME']
    top.type('q')
    assert top.ended() == 0


@test
def a_signal():
    assert call('run', '-d', '--name', 'victim', WORK + '/root', '--', 'sh', '-c', 'trap "exit 5" USR1; echo ready; while :; do sleep 0.1; done').returncode == 0
    while call('logs', 'victim').stdout != 'ready\n':
        time.sleep(0.05)
    top = Top('-f', 'name=victim')
    top.rows('victim')
    top.type('k')
    top.shows("signal for 'fake:victim': TERM_")
    top.type('\x15usr1\r')
    top.shows('SIGUSR1 sent to fake:victim')
    top.rows()
    assert call('wait', 'victim').stdout.split()[-1] == '5'
    top.type('q')
    assert top.ended() == 0
    call('rm', '-f', 'victim')


@test
def stop_asks_first():
    assert call('run', '-d', '--name', 'victim', WORK + '/root', '--', 'sleep', '100').returncode == 0
    top = Top('-f', 'name=victim')
    top.rows('victim')
    top.type('s')
    top.shows(r"stop 'fake:victim'\? y or n")
    top.type('n')
    top.shows('nothing was done')
    assert call('state', 'victim').stdout == 'running\n'
    top.type('s')
    top.shows(r"stop 'fake:victim'\? y or n")
    top.type('y')
    top.shows('request to end sent to fake:victim')
    top.type('q')
    assert top.ended() == 0
    call('rm', '-f', 'victim')


@test
def processes_of_one():
    top = Top('-f', 'name=busy')
    top.rows('busy')
    top.type('\r')
    # The fake engine tells of the first one only.
    top.shows(r'1 process of fake:busy(.*\n)+.*PID +INNER(.*\n)+.* S .* sh -c sleep 1000 & wait')
    top.type('\x1b')
    top.rows('busy')
    top.type('h')
    top.shows('any key goes back')
    top.type(' ')
    top.rows('busy')
    top.type('q')
    assert top.ended() == 0


@test
def another_size():
    top = Top()
    top.shows('stubborn')
    for lines, columns in (24, 60), (5, 30), (1, 9), (12, 120):
        top.screen = Screen(lines, columns)
        top.child.setwinsize(lines, columns)
        seen = top.wait(lambda s, n=columns: s.lines()[0].startswith('moorage top: 3'[:n]) and (len(s.lines()) < 4 or s.lines()[3]))
        assert lines < 4 or seen[2].startswith('NAME'), seen
        assert columns < 100 or 'SEND/S' in seen[2], seen
        assert columns > 60 or 'SEND/S' not in ''.join(seen), seen
    top.type('q')
    assert top.ended() == 0


@test
def the_chosen_one():
    top = Top('--sort', 'NAME', '-o', 'NAME')
    top.rows('busy', 'idle', 'stubborn')
    top.wait(lambda s: s.chosen == {3})
    top.type('\x1b[B')
    top.wait(lambda s: s.chosen == {4})
    top.type('r')
    top.type('\x1b[B')
    top.wait(lambda s: s.chosen == {5})
    top.type('q')
    assert top.ended() == 0


@test
def signals_leave_the_terminal_as_it_was():
    for signo in signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1:
        top = Top()
        top.shows('busy')
        os.kill(top.pid(), signo)
        assert top.ended() == 128 + signo, signo
    top = Top()
    top.shows('busy')
    top.type('\x03')
    assert top.ended() == 128 + signal.SIGINT


@test
def a_deadline_leaves_the_terminal_as_it_was():
    top = Top('--timeout', '8')
    top.shows('busy')
    assert top.ended() == 8


@test
def stopped_and_continued():
    child = pexpect.spawn('/bin/sh', timeout=TIMEOUT, encoding='utf-8', dimensions=(12, 120),
                          env={**os.environ, 'TERM': 'mrgt', 'PS1': 'prompt> ', 'ENV': ''})
    child.sendline('set -m; stty -a | md5sum')
    child.expect(r'([0-9a-f]{32})')
    before = child.match.group(1)
    child.sendline(f"'{MOORAGE}' top -d 0.2")
    child.expect('busy')
    child.send('\x1a')
    child.expect(r'\x1b\[\?1049l')
    child.expect('prompt> ')
    child.sendline('stty -a | md5sum')
    child.expect(r'([0-9a-f]{32})')
    assert child.match.group(1) == before
    child.sendline('fg')
    child.expect(r'\x1b\[\?1049h')
    child.expect('busy')
    modes = termios.tcgetattr(child.child_fd)[3]
    assert not modes & (termios.ECHO | termios.ICANON)
    # Without a word to it, as SIGSTOP does: others have been on the terminal meanwhile.
    pid = int(subprocess.run(['ps', '-o', 'pid=', '--ppid', str(child.pid)], capture_output=True, text=True).stdout.split()[0])
    os.kill(pid, signal.SIGSTOP)
    child.expect('prompt> ')
    child.sendline('fg')
    child.expect('busy')
    child.send('q')
    child.expect(r'\x1b\[\?1049l')
    child.sendline('stty -a | md5sum; exit')
    child.expect(r'([0-9a-f]{32})')
    assert child.match.group(1) == before
    child.expect(pexpect.EOF)
    child.close()


@test
def the_terminal_goes_away():
    child = pexpect.spawn(MOORAGE, ['top'], timeout=TIMEOUT, encoding='utf-8', env={**os.environ, 'TERM': 'mrgt'})
    child.expect('busy')
    # Not close(): that sends signals of its own, and does not wait long.
    child.ptyproc.fileobj.close()
    end = time.monotonic() + WAIT
    while (ended := os.waitpid(child.pid, os.WNOHANG)) == (0, 0):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert os.waitstatus_to_exitcode(ended[1]) in (-signal.SIGHUP, 128 + signal.SIGHUP), ended


@test
def names_are_no_commands():
    engine = WORK + '/engine'
    os.mkdir(engine)
    with open(os.path.join(engine.encode(), HOSTILE + b'.json'), 'w') as file:
        file.write('{"ociVersion":"1.2.0","root":{"path":"/"}}')
    assert call('run', '-d', '--name', 'evil', WORK + '/root', '--', 'sh', '-c', 'sleep 1000; : \x1b]0;title\x07').returncode == 0
    top = Top('-f', 'name=evil')
    top.rows('evil')
    top.type('\r')
    top.shows(re.escape(r'sleep 1000; : \x1b]0;title\x07'))
    assert '\x1b]' not in top.sent
    top.type('\x1bq')
    assert top.ended() == 0
    call('rm', '-f', 'evil')


@test
def an_unknown_terminal():
    # ncurses loses some memory when it knows no such terminal.
    env = {**os.environ, 'TERM': 'mrgt-none', 'ASAN_OPTIONS': 'detect_leaks=0'}
    child = pexpect.spawn(MOORAGE, ['top'], timeout=TIMEOUT, encoding='utf-8', env=env)
    child.expect("ncurses knows no terminal of the type 'mrgt-none'")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 5


@test
def a_terminal_without_places():
    child = pexpect.spawn(MOORAGE, ['top', '-d', '0.1', '-o', 'NAME'], timeout=TIMEOUT, encoding='utf-8', env={**os.environ, 'TERM': 'dumb'})
    child.expect(pexpect.EOF)
    child.close()
    assert sorted(child.before.split()) == ['NAME', 'busy', 'idle', 'stubborn'] and child.exitstatus == 0, child.before


@test
def tables_without_a_terminal():
    result = call('top', '-d', '0.1')
    assert result.returncode == 0 and result.stderr == '', result
    lines = result.stdout.splitlines()
    assert lines[0].split() == ['NAME', 'BACKEND', 'STATE', 'CPU%', 'MEMORY', 'LIMIT', 'PIDS', 'READ/S', 'WRITE/S', 'RECV/S', 'SEND/S']
    assert sorted(line.split()[0] for line in lines[1:]) == ['busy', 'idle', 'stubborn']
    tables = call('top', '-b', '-n', '3', '-d', '0.1', '-o', 'NAME', '--sort', 'NAME').stdout.split('\n\n')
    assert [t.split() for t in tables] == [['NAME', 'busy', 'idle', 'stubborn']] * 3
    found = json.loads(call('top', '--json', '-d', '0.1').stdout)
    assert {c['name'] for c in found} == {'busy', 'idle', 'stubborn'}
    assert all(c['schema'] == 'moorage/top/v1' and c['pids'] >= 1 and c['state'] == 'running' for c in found), found
    for wrong in ['-n', '0'], ['-n', 'x'], ['-d', '0'], ['--sort', 'none']:
        assert call('top', *wrong).returncode == 2, wrong


@test
def with_a_name_its_processes():
    result = call('top', 'busy')
    assert result.returncode == 0 and 'sleep 1000' in result.stdout and result.stdout.split()[0] == 'PID', result
    assert result.stdout == call('procs', 'busy').stdout
    assert call('top', 'nobody').returncode == 3


def main():
    os.makedirs(WORK + '/root')
    os.mkdir(WORK + '/backends')
    shutil.copy(BUILD + '/tests/fake/.libs/fake.so', WORK + '/backends/')
    os.environ.update(MOORAGE_STATE_DIR=WORK + '/state', MOORAGE_RUN_DIR=WORK + '/run', MOORAGE_BACKEND_PATH=WORK + '/backends', MOORAGE_BACKEND='fake',
                      MOORAGE_CONFIG=WORK + '/none', TERMINFO=WORK + '/terminfo', LC_ALL='C.UTF-8')
    os.umask(0o22)
    subprocess.run(['tic', '-x', '-o', WORK + '/terminfo', '-'], input=TERMINFO, text=True, check=True)
    # Who is started in the background by a shell has it ignored, and so would what is tried here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    for name, command in ('busy', 'sleep 1000 & wait'), ('idle', 'exec sleep 1000'), ('stubborn', 'trap "" TERM; sleep 1000 & wait'):
        assert call('run', '-d', '--name', name, WORK + '/root', '--', 'sh', '-c', command).returncode == 0
    assert call('create', '--name', 'rest', WORK + '/root', '--', 'true').returncode == 0
    return play([t for t in tests if len(sys.argv) < 2 or re.search(sys.argv[1], t.__name__)])


def reason_to_skip():
    if not os.path.exists(BUILD + '/tests/fake/.libs/fake.so'):
        return 'the fake backend is not built'
    if not shutil.which('tic'):
        return 'tic is missing'
    if 'without ncurses' in subprocess.run(['script', '-qec', f"'{MOORAGE}' top", '/dev/null'], capture_output=True, text=True, timeout=TIMEOUT,
                                           stdin=subprocess.DEVNULL, env={**os.environ, 'TERM': 'mrgt-none'}).stdout:
        return 'built without ncurses'
    return None


try:
    import pexpect
except ImportError:
    print('1..0 # SKIP python3-pexpect is missing')
    sys.exit(0)
reason = reason_to_skip()
if reason:
    print(f'1..0 # SKIP {reason}')
    sys.exit(0)
WORK = tempfile.mkdtemp(prefix='mrgt-top-')
try:
    sys.exit(1 if main() else 0)
finally:
    shutil.rmtree(WORK, ignore_errors=True)
