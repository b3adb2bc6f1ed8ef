# SPDX-License-Identifier: Apache-2.0
"""Find and end what belongs to one box."""

import os
import pathlib
import signal
import time

# In the environment of everything a box starts, and only of that: what the
# user's shell gets from 'box env' has other names.
MARK = 'ONEBOX_PROCESS'
# Besides, in that of commands which 'box up' waits for.
SETUP_MARK = 'ONEBOX_SETUP'

_GRACE = 10


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
        MARK: str(state.root),
    }


def setup_mark(state):
    """What marks a command as waited for by 'box up'."""
    return {SETUP_MARK: str(state.root)}


def marked(state, name=MARK):
    """Ids of living processes started for this box, with this mark."""
    mark = f'{name}={state.root}'.encode()
    found = []
    for process in pathlib.Path('/proc').glob('[0-9]*'):
        try:
            variables = (process / 'environ').read_bytes().split(b'\0')
        except OSError:
            continue
        if mark in variables and running(int(process.name)):
            found.append(int(process.name))
    return found


def guests(state):
    """Process ids of the QEMUs of the box's libvirtd.

    libvirt starts them with an environment of their own, but leaves their
    ids in files. A file may be older than the machine's last start: only a
    process that works on the box's instances is one of its guests.
    """
    ours = f'{state.instances}/'.encode()
    found = []
    for path in (state.libvirt / 'run' / 'qemu').glob('*.pid'):
        try:
            pid = int(path.read_text())
            command = pathlib.Path(f'/proc/{pid}/cmdline').read_bytes()
        except (OSError, ValueError):
            continue
        if ours in command and running(pid):
            found.append(pid)
    return found


def running(pid):
    """Whether the process lives; a zombie does not."""
    try:
        stat = pathlib.Path(f'/proc/{pid}/stat').read_text()
    except OSError:
        return False
    # The name is in parentheses and may hold anything; the state follows.
    return stat.rpartition(')')[2].split()[0] not in 'ZX'


def end(pids, grace=_GRACE):
    """End processes: asked first, killed after the grace, in seconds.

    :returns: ids of those that are still there, hung in the kernel.
    """
    _signal(pids, signal.SIGTERM)
    left = _await_end(pids, grace)
    _signal(left, signal.SIGKILL)
    return _await_end(left, _GRACE)


def _signal(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def _await_end(pids, limit):
    until = time.monotonic() + limit
    left = [pid for pid in pids if running(pid)]
    while left and time.monotonic() < until:
        time.sleep(0.1)
        left = [pid for pid in left if running(pid)]
    return left
