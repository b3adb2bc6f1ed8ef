# SPDX-License-Identifier: Apache-2.0
"""A box that the tests bring up for themselves."""

import contextlib
import os
import pathlib
import shlex
import subprocess

import pytest

from devstack.onebox import client


def add_options(parser):
    """Options of pytest that say where."""
    group = parser.getgroup('box')
    group.addoption(
        '--box',
        type=pathlib.Path,
        metavar='DIR',
        help='bring up a box there and wipe it at the end; without, the shell '
        'has evaluated the "box env" of one that is up',
    )
    group.addoption('--box-port', metavar='PORT', help='its first TCP port')
    group.addoption(
        '--box-release', metavar='NAME', help='its release of OpenStack'
    )
    group.addoption(
        '--box-keep', action='store_true', help='leave it up at the end'
    )


@contextlib.contextmanager
def up(config):
    """The box that is asked for, if one is, as that of these tests."""
    state = config.option.box
    if not state:
        yield
        return
    # What a killed run has left, perhaps of another version of this project.
    _wipe(config, state)
    asked = {
        '--port-base': config.option.box_port,
        '--release': config.option.box_release,
    }
    options = [w for option in asked.items() if option[1] for w in option]
    try:
        if _box(config, 'up', state, *options):
            pytest.exit(f'box up --state {state} failed', 1)
        os.environ.update(_variables(state))
        yield
    finally:
        if not config.option.box_keep:
            _wipe(config, state)


def _wipe(config, state):
    # A box that never came to be is but a lock, which wipe refuses.
    if any(state.glob('*/')) and _box(config, 'wipe', state):
        pytest.exit(f'box wipe --state {state} failed', 1)


def _box(config, command, state, *options):
    """Run ``box``, which says what it does; returns its exit status."""
    capture = config.pluginmanager.getplugin('capturemanager')
    with capture.global_and_fixture_disabled():
        return subprocess.run(
            [client.COMMAND, command, '--state', state, *options],
            check=False,
        ).returncode


def _variables(state):
    said = subprocess.run(
        [client.COMMAND, 'env', '--state', state],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    exported = (shlex.split(line)[1] for line in said.splitlines())
    return dict(variable.split('=', 1) for variable in exported)
