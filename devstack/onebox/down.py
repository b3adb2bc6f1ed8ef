# SPDX-License-Identifier: Apache-2.0
"""'box down' and 'box wipe'."""

import shutil
import xmlrpc.client

from devstack.onebox import processes
from devstack.onebox import supervision
from devstack.onebox.errors import BoxError
from devstack.onebox.progress import say
from devstack.onebox.progress import step

# What the others need to stop in peace.
_UNDERNEATH = {'mariadb', 'epmd', 'rabbitmq', 'libvirtd'}
# Stopping all of it takes as long as its slowest service, some after others.
_SUPERVISOR_GRACE = 90


def down(state):
    """End everything of the box that runs, guests included.

    :raises BoxError: when there is no box, or a process does not end.
    """
    _must_exist(state)
    with state.locked():
        stop_everything(state)
    say(f"the box is down; 'box up' takes it up again from {state.root}")


def wipe(state):
    """Take the box down and remove all that it holds.

    :raises BoxError: as down does.
    """
    _must_exist(state)
    with state.locked():
        stop_everything(state)
        with step(f'removing {state.root}'):
            _remove(state)
    say(
        'removed: every server, image, log and password of the box. Debian '
        'packages and the caches of apt, pip and uv stay.'
    )


def _remove(state):
    # Last what makes the directory a box, so that a killed wipe can go on.
    for path in state.root.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    shutil.rmtree(state.root)


def _must_exist(state):
    if not state.exists():
        raise BoxError(f'no box in {state.root}: nothing to do')


def stop_everything(state):
    """:raises BoxError: when a process does not end."""
    hung = []
    number = supervision.pid(state)
    if number:
        # Nova first, so that it does not see its guests go.
        with step('stopping OpenStack'):
            _stop_openstack(supervision.Supervisor(state))
    hung += _end('guests', processes.guests(state))
    if number:
        hung += _end('services', [number], _SUPERVISOR_GRACE)
    hung += _end('strays', processes.marked(state))
    hung += _end('guests', processes.guests(state))
    if hung:
        raise BoxError(
            'these processes do not end, not even killed: '
            + ' '.join(map(str, hung))
        )


def _stop_openstack(supervisor):
    try:
        supervisor.stop(*(set(supervisor.states()) - _UNDERNEATH))
    except (BoxError, OSError, xmlrpc.client.Fault) as exc:
        say(f'going on although {exc}')


def _end(what, pids, grace=10):
    if not pids:
        return []
    with step(f'ending {what} ({len(pids)})'):
        return processes.end(pids, grace)
