#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What 'moorage metrics' prints is OpenMetrics, whatever containers are called, and says what the kernel says. On the fake backend and, as root, native."""

import os
import shutil
import sys
import tempfile

# The sources stay as they are.
sys.dont_write_bytecode = True
from tap import call, play, test, tests

BUILD = os.environ.get('abs_top_builddir', os.getcwd())
DEBIAN = '/usr/bin/python3'


def scrape(*args):
    """Families by name; the parser refuses what the grammar does not have."""
    result = call('metrics', *args)
    assert result.returncode == 0, result.stderr
    return {family.name: family for family in parser.text_string_to_metric_families(result.stdout)}


def value(families, family, **labels):
    found = [s.value for s in families[family].samples if labels.items() <= s.labels.items()]
    assert len(found) == 1, found
    return found[0]


@test
def without_containers():
    families = scrape()
    assert families['moorage_scrape_failures'].samples[0].value == 0
    assert not families['moorage_container_state'].samples
    assert families['moorage_container_cpu_seconds'].unit == 'seconds'
    assert families['moorage_container_cpu_seconds'].type == 'counter'


@test
def states_and_figures():
    assert call('create', '--name', 'rest', WORK + '/root', '--', 'true').returncode == 0
    assert call('run', '-d', '--name', 'busy', WORK + '/root', '--', 'sleep', '1000').returncode == 0
    assert call('run', '--name', 'over', WORK + '/root', '--', 'sh', '-c', 'exit 3').returncode == 3
    families = scrape()
    for name, state in ('rest', 'created'), ('busy', 'running'), ('over', 'stopped'):
        for other in 'created', 'running', 'paused', 'stopped':
            assert value(families, 'moorage_container_state', backend='fake', name=name, state=other) == (other == state)
    assert value(families, 'moorage_container_exit_code', name='over') == 3
    assert value(families, 'moorage_container_pids', name='busy') >= 1
    assert not [s for s in families['moorage_container_pids'].samples if s.labels['name'] != 'busy']
    assert value(families, 'moorage_container_start_time_seconds', name='busy') > 1.6e9
    assert {s.labels['name'] for s in scrape('busy')['moorage_container_state'].samples} == {'busy'}


@test
def a_damaged_record_is_counted():
    assert call('create', '--name', 'torn', WORK + '/root', '--', 'true').returncode == 0
    with open(WORK + '/state/containers/torn/config.json', 'w') as file:
        file.write('{"')
    result = call('metrics')
    families = {f.name: f for f in parser.text_string_to_metric_families(result.stdout)}
    assert 'torn' in result.stderr
    assert value(families, 'moorage_scrape_failures') == 1
    assert value(families, 'moorage_container_state', name='busy', state='running') == 1
    assert call('rm', '-f', 'torn').returncode == 0


@test
def names_of_engines_may_be_anything():
    # What others have made in the engine's place.
    names = [b'a"b', b'a\\b', b'a\\\\b', b'x{y="1"} 7', b'\xff', b'\\xff', 'é'.encode(), b'# EOF']
    engine = WORK + '/engine'
    os.mkdir(engine)
    for name in names:
        with open(os.path.join(engine.encode(), name + b'.json'), 'w') as file:
            file.write('{"ociVersion":"1.2.0","root":{"path":"/"}}')
    families = scrape('-P', engine)
    labels = [s.labels['name'] for s in families['moorage_container_state'].samples if s.labels['state'] == 'stopped']
    assert len(set(labels)) == len(labels)
    assert len(labels) == len(names) + 3, labels
    assert {'a"b', 'x{y="1"} 7', 'é', '# EOF', '\\xff', '\\\\xff'} <= set(labels), labels


@test
def no_such_container():
    result = call('metrics', 'nobody')
    assert result.returncode == 3 and result.stdout == '', result
    assert call('metrics', '--json').returncode == 2


def main():
    os.makedirs(WORK + '/root')
    os.mkdir(WORK + '/backends')
    shutil.copy(BUILD + '/tests/fake/.libs/fake.so', WORK + '/backends/')
    os.environ.update(MOORAGE_STATE_DIR=WORK + '/state', MOORAGE_RUN_DIR=WORK + '/run', MOORAGE_BACKEND_PATH=WORK + '/backends', MOORAGE_BACKEND='fake',
                      MOORAGE_CONFIG=WORK + '/none')
    os.umask(0o22)
    return play(tests)


try:
    from prometheus_client.openmetrics import parser
except ImportError:
    # Debian's packages belong to Debian's interpreter, which need not be the first in PATH.
    if sys.executable != DEBIAN and os.access(DEBIAN, os.X_OK):
        os.execv(DEBIAN, [DEBIAN, *sys.argv])
    print('1..0 # SKIP python3-prometheus-client is missing')
    sys.exit(0)
if not os.path.exists(BUILD + '/tests/fake/.libs/fake.so'):
    print('1..0 # SKIP the fake backend is not built')
    sys.exit(0)
WORK = tempfile.mkdtemp(prefix='mrgt-metrics-')
try:
    sys.exit(1 if main() else 0)
finally:
    shutil.rmtree(WORK, ignore_errors=True)
