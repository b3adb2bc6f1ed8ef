# SPDX-License-Identifier: Apache-2.0
"""Tempest in an environment of its own, apart from the box's."""

import hashlib
import pathlib
import shutil
import subprocess

from devstack.onebox import settings
from devstack.onebox import state as state_module
from devstack.onebox.errors import BoxError
from devstack.onebox.errors import tail
from devstack.onebox.progress import step

REQUIREMENTS = pathlib.Path(__file__).with_name('requirements.txt')
# Tempest is a client: it need not be as old as the cloud.
CONSTRAINTS = state_module.TOP / 'constraints' / f'{settings.NEWEST}.txt'

_MARK = 'tempest'


def provide(state, directory):
    """Install Tempest, unless that was done already.

    :param state: devstack.onebox.state.State of a box, whose uv installs
    :param directory: where the environment goes
    :returns: the directory of its commands
    :raises BoxError: with the end of uv's output, when it fails
    """
    wanted = _digest()
    if not state.marked(_MARK, wanted):
        with step('environment of Tempest'):
            state.unmark(_MARK)
            shutil.rmtree(directory, ignore_errors=True)
            _install(state, directory)
            state.mark(_MARK, wanted)
    return directory / 'bin'


def _digest():
    digest = hashlib.sha256()
    for path in (REQUIREMENTS, CONSTRAINTS):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _install(state, directory):
    uv = state.venv / 'bin' / 'uv'
    log = state.logs / 'tempest-python.log'
    for command in (
        [uv, 'venv', '--python', '/usr/bin/python3', directory],
        [
            uv,
            'pip',
            'install',
            '--python',
            directory / 'bin' / 'python',
            '--constraints',
            CONSTRAINTS,
            '--requirements',
            REQUIREMENTS,
        ],
    ):
        with open(log, 'a') as output:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
            )
        if done.returncode:
            raise BoxError(f'uv failed; {tail(log)}')
