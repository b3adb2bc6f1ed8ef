# SPDX-License-Identifier: Apache-2.0
"""'box down' and 'box wipe'."""

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

    :raises BoxError: when a process does not end.
    """
    with state.locked():
        stop_everything(state)
    say(f"the box is down; 'box up' takes it up again from {state.root}")


def wipe(state):
    """Take the box down and remove all that it holds.

    :raises BoxError: as down does.
    """
    with state.locked():
        _kill_everything(state)
        with step(f'removing {state.root}'):
            state.remove()
    say(
        'removed: every server, image, log and password of the box. Debian '
        'packages and the caches of apt, pip and uv stay.'
    )


def stop_everything(state):
    """:raises BoxError: when a process does not end."""
    hung = []
    supervisord = supervision.process(state)
    if supervisord:
        # Nova first, so that it does not see its guests go.
        with step('stopping OpenStack'):
            _stop_openstack(supervision.Supervisor(state))
    hung += end('guests', processes.guests(state))
    if supervisord:
        hung += end('services', [supervisord], _SUPERVISOR_GRACE)
    hung += end('strays', processes.marked(state))
    hung += end('guests', processes.guests(state))
    _check(hung)


def _kill_everything(state):
    """For what nobody will take up again."""
    supervisord = supervision.process(state)
    found = processes.marked(state) + processes.guests(state)
    if supervisord:
        # Nova's renamed processes have lost the box's mark.
        found += supervisord.children(recursive=True)
    hung = end('processes', list(dict.fromkeys(found)), 0)
    # What one of them has started meanwhile.
    hung += end('strays', processes.marked(state), 0)
    _check(hung + end('guests', processes.guests(state), 0))


def _check(hung):
    if hung:
        raise BoxError(
            'these processes do not end, not even killed: '
            + ' '.join(str(process.pid) for process in hung)
        )


def _stop_openstack(supervisor):
    try:
        supervisor.stop(*(set(supervisor.processes()) - _UNDERNEATH))
    except (BoxError, OSError, xmlrpc.client.Error) as exc:
        say(f'going on although {exc}')


def end(what, found, grace=10):
    """End processes, and say so; returns those that do not end."""
    if not found:
        return []
    with step(f'ending {what} ({len(found)})'):
        return processes.end(found, grace)
