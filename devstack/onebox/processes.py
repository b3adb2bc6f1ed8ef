# SPDX-License-Identifier: Apache-2.0
"""Find and end what belongs to one box."""

import contextlib

import psutil

from devstack.onebox import commands
from devstack.onebox import waiting

_GRACE = 10


def is_marked(process, state):
    """Whether a process lives and was started for this box."""
    try:
        mark = process.environ().get(commands.MARK)
    except psutil.Error:
        return False
    return mark == str(state.root) and alive(process)


def marked(state):
    """The processes of which is_marked() is true."""
    return [
        process
        for process in psutil.process_iter()
        if is_marked(process, state)
    ]


def guests(state):
    """The QEMU processes of the box's libvirtd.

    libvirt starts them with an environment of their own, but leaves their
    ids in files. A file may be older than the machine's last start: only a
    process that works on the box's instances is one of its guests.
    """
    found = []
    for path in (state.libvirt / 'run' / 'qemu').glob('*.pid'):
        with contextlib.suppress(OSError, ValueError, psutil.Error):
            process = psutil.Process(int(path.read_text()))
            if f'{state.instances}/' in ' '.join(process.cmdline()):
                found.append(process)
    return found


def alive(process):
    """Whether it runs; a zombie, which nobody may ever reap, does not."""
    try:
        return process.is_running() and process.status() not in (
            psutil.STATUS_ZOMBIE,
            psutil.STATUS_DEAD,
        )
    except psutil.NoSuchProcess:
        return False


def end(found, grace=_GRACE):
    """End processes: asked first, killed after the grace, in seconds.

    :returns: those that are still there, hung in the kernel.
    """
    for signal, limit in (
        (psutil.Process.terminate, grace),
        (psutil.Process.kill, _GRACE),
    ):
        found = [process for process in found if alive(process)]
        for process in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                signal(process)
        with contextlib.suppress(waiting.TimedOut):
            waiting.wait_for(
                'the end of processes',
                lambda left=found: not any(map(alive, left)),
                limit,
                0.1,
            )
    return [process for process in found if alive(process)]
