# SPDX-License-Identifier: Apache-2.0
"""Commands of the box's own that 'box up' waits for."""

import pathlib
import subprocess

from devstack.onebox import processes
from devstack.onebox.errors import BoxError
from devstack.onebox.errors import tail


def environment(state):
    """As for services, and recognised when a killed run left them."""
    return processes.environment(state) | processes.setup_mark(state)


def run(state, name, command, watch=None, **variables):
    """Run one of the box's own commands, its output in logs/setup-NAME.log.

    :param watch: called every second while it runs; an exception from it
        ends the command.
    :raises BoxError: with the end of the output, when it fails.
    """
    log = state.logs / f'setup-{name}.log'
    with open(log, 'w') as output:
        process = subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd='/',
            env=environment(state) | variables,
        )
    try:
        _wait(process, watch)
    finally:
        process.kill()
    if process.returncode:
        raise BoxError(f'{name} failed; {tail(log)}')


def _wait(process, watch):
    while True:
        try:
            return process.wait(timeout=1 if watch else None)
        except subprocess.TimeoutExpired:
            watch()


def run_content(state, name, plan, watch=None):
    """Run content.py on the file of a plan."""
    # -P: its neighbours must not stand in for modules it imports.
    run(
        state,
        name,
        [
            state.venv / 'bin' / 'python',
            '-P',
            pathlib.Path(__file__).with_name('content.py'),
            plan,
        ],
        watch,
        OS_CLIENT_CONFIG_FILE=str(state.clouds),
    )
