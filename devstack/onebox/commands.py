# SPDX-License-Identifier: Apache-2.0
"""Commands that 'box up' waits for, and the environment of what it starts."""

import subprocess

from devstack.onebox.errors import BoxError
from devstack.onebox.errors import tail

# In the environment of everything a box starts, and only of that: what the
# user's shell gets from 'box env' has other names.
MARK = 'ONEBOX_PROCESS'

# When this process is killed, a command ends at once with all that it started:
# nothing of it must race with the next 'up'.
_DIES_WITH_US = (
    *('setpriv', '--pdeathsig', 'KILL'),
    *('unshare', '--pid', '--fork', '--kill-child'),
)


def environment(state):
    """A clean environment for what the box starts.

    The caller's is not handed on, so that its proxies, locale or OS_*
    variables change nothing inside the box.
    """
    return {
        'PATH': f'{state.venv}/bin:/usr/local/sbin:/usr/local/bin:'
        '/usr/sbin:/usr/bin:/sbin:/bin',
        'HOME': str(state.root),
        'LANG': 'C.UTF-8',
        'PYTHONUNBUFFERED': '1',
        # The services' own: state.venv leads to the environment of now.
        'VIRTUAL_ENV': str(state.venv.resolve()),
        MARK: str(state.root),
    }


def run(command, log, variables, outlives=False):
    """Run a command to its end.

    :param log: path that its output is appended to.
    :param variables: its environment.
    :param outlives: whether it goes on when this process is killed.
    :raises BoxError: with the end of the log, when it fails.
    """
    with open(log, 'a') as output:
        done = subprocess.run(
            [*(() if outlives else _DIES_WITH_US), *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd='/',
            env=variables,
            check=False,
        )
    if done.returncode:
        raise BoxError(f'{command[0]} failed; {tail(log)}')


def set_up(state, name, command, **variables):
    """Run one of the box's own commands, logged in logs/setup-NAME.log.

    :param variables: more of its environment.
    :raises BoxError: as run() does.
    """
    run(
        command,
        state.logs / f'setup-{name}.log',
        environment(state) | variables,
    )
