# SPDX-License-Identifier: Apache-2.0
"""The limits of a tool, without an appliance."""

import os
import signal
import subprocess
import sys
import time
import uuid

import pytest

from nova_newos.golden import run_limited
from tests import processes


@pytest.fixture
def mark():
    """A word by which processes of this test are found."""
    return f'newos-test-{uuid.uuid4()}'


def command(seconds, directory, *tool, mebibytes=1024):
    return [
        *(sys.executable, '-I', run_limited.__file__),
        *(str(seconds), str(mebibytes), directory, *tool),
    ]


def run(*arguments, **options):
    return subprocess.run(
        command(*arguments, **options),
        capture_output=True,
        text=True,
        timeout=60,
    )


def shell(script, mark):
    return 'sh', '-c', script, mark


@pytest.mark.parametrize(
    'script, status',
    [('echo out; echo err >&2', 0), ('exit 3', 3), ('kill -KILL $$', 137)],
)
def test_status_and_output_are_the_command_s(script, status, tmp_path, mark):
    done = run(30, str(tmp_path), *shell(script, mark))
    assert done.returncode == status
    if not status:
        assert (done.stdout, done.stderr) == ('out\n', 'err\n')


# Other process groups and sessions, orphans and what ignores signals.
TANGLE = """
setsid sh -c 'trap : TERM HUP INT; sleep 600; sleep 600' "$0" &
(setsid setsid sh -c 'sleep 600; :' "$0" &)
set -m
sh -c 'sleep 600; :' "$0" &
sleep 0.5
"""


def test_time_is_over(tmp_path, mark):
    done = run(2, str(tmp_path), *shell(TANGLE + 'sleep 600', mark))
    assert done.returncode == run_limited.TIMED_OUT
    assert processes.running(mark) == []


def test_nothing_is_left_by_a_command_that_ended(tmp_path, mark):
    done = run(30, str(tmp_path), *shell(TANGLE + 'exit 5', mark))
    assert done.returncode == 5
    assert processes.running(mark) == []


def test_no_room(mark):
    """A file system that says it has none, as /proc does."""
    done = run(60, '/proc', *shell('sleep 600; :', mark))
    assert done.returncode == run_limited.NO_ROOM
    assert processes.running(mark) == []


@pytest.mark.parametrize('mebibytes, status', [(100, 1), (400, 0)])
@pytest.mark.parametrize('before', ['', 'setsid --wait '])
def test_memory(before, mebibytes, status, tmp_path, mark):
    """Of each process, whatever its session."""
    script = f'{before}{sys.executable} -c "len(bytearray(200 << 20))"'
    done = run(30, str(tmp_path), *shell(script, mark), mebibytes=mebibytes)
    assert done.returncode == status
    assert ('MemoryError' in done.stderr) == bool(status)


FLOOD = 'head -c 50M /dev/zero'


@pytest.mark.parametrize(
    'script, status, lengths',
    [
        (FLOOD, run_limited.TOO_LONG, (run_limited.MAX_OUTPUT, 0)),
        (f'{FLOOD}; exit 3', 3, (run_limited.MAX_OUTPUT, 0)),
        (f'{FLOOD} >&2; exit 3', 3, (0, run_limited.MAX_OUTPUT)),
        (f'{FLOOD} >&2', 0, (0, run_limited.MAX_OUTPUT)),
        # Of a process that is left behind.
        (f'(sleep 1; {FLOOD}) & exit 0', 0, (0, 0)),
    ],
)
def test_output(script, status, lengths, tmp_path, mark):
    """It comes into the memory of nova-compute."""
    done = run(30, str(tmp_path), *shell(script, mark))
    assert done.returncode == status
    assert (len(done.stdout), len(done.stderr)) == lengths


def test_ends_with_nova_compute(tmp_path, mark):
    """A killed parent cannot end anything itself."""
    parent = subprocess.Popen(
        [
            *(sys.executable, '-c'),
            'import subprocess, sys; subprocess.run(sys.argv[1:])',
            *command(600, str(tmp_path), *shell(TANGLE + 'sleep 600', mark)),
        ]
    )
    wait_for(lambda: len(processes.running(mark)) >= 6)
    parent.kill()
    parent.wait()
    wait_for(lambda: processes.running(mark) == [])


def test_ends_when_told(tmp_path, mark):
    supervisor = subprocess.Popen(
        command(600, str(tmp_path), *shell(TANGLE + 'sleep 600', mark))
    )
    wait_for(lambda: len(processes.running(mark)) >= 5)
    os.kill(supervisor.pid, signal.SIGTERM)
    assert supervisor.wait(30) == 1
    assert processes.running(mark) == []


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)
