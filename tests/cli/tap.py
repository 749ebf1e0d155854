# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the command that are written in Python share: who is tested, and their results as TAP."""

import os
import subprocess

MOORAGE = os.environ.get('MOORAGE', 'moorage')
TIMEOUT = 20
tests = []


def test(function):
    tests.append(function)
    return function


def call(*args, **more):
    return subprocess.run([MOORAGE, *args], capture_output=True, text=True, timeout=TIMEOUT, stdin=subprocess.DEVNULL, **more)


def play(chosen):
    """Runs them; how many failed. The containers they left go."""
    print(f'1..{len(chosen)}')
    failed = 0
    for number, function in enumerate(chosen, 1):
        try:
            function()
            print(f'ok {number} - {function.__name__}', flush=True)
        except Exception as error:      # what a test finds is told, and the next one runs
            failed += 1
            print(f'not ok {number} - {function.__name__}')
            print('# ' + f'{type(error).__name__}: {error}'.replace('\n', '\n# '), flush=True)
    call('rm', '-fa')
    return failed
