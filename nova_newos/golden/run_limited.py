# SPDX-License-Identifier: Apache-2.0
"""Run a command for at most so many seconds, and leave no process of it.

A program of its own:
``python3 -I run_limited.py SECONDS DIRECTORY COMMAND...``.
Its exit status is the command's, or :data:`TIMED_OUT`, or :data:`NO_ROOM` when
the file system of the directory stays full: QEMU then stops its guest without
a word, and the command would wait for it until the time is over.

To kill a process group is not enough: tools put QEMU and the process that
watches it into another one, as virt-sparsify does. A subreaper (see prctl(2))
becomes the parent of every orphan, whatever its group or session. And when
nova-compute dies, so does this, and all below it.
"""

import ctypes
import os
import pathlib
import signal
import subprocess
import sys
import time

#: As of timeout(1).
TIMED_OUT = 124
#: As of sysexits.h, EX_CANTCREAT.
NO_ROOM = 73

# QEMU allocates little at a time: what is left of a full disk is less.
_FULL = 1 << 20
# Seconds between checks of it.
_INTERVAL = 2
# Checks in a row: something else may fill it for a moment.
_FULL_CHECKS = 2

# linux/prctl.h
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def main(arguments):
    seconds, directory, *command = arguments
    parent = os.getppid()
    signal.signal(signal.SIGTERM, lambda *unused: sys.exit(1))
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        return 1  # died before it could be watched
    try:
        return _run(command, float(seconds), directory)
    finally:
        # Not again in the midst of this.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        end_descendants()


def _prctl(option, value):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, int(value), 0, 0, 0):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _run(command, seconds, directory):
    end = time.monotonic() + seconds
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    full = 0
    while (left := end - time.monotonic()) > 0:
        try:
            code = process.wait(min(_INTERVAL, left))
        except subprocess.TimeoutExpired:
            full = full + 1 if _is_full(directory) else 0
            if full == _FULL_CHECKS:
                return NO_ROOM
        else:
            # As a shell has it.
            return 128 - code if code < 0 else code
    return TIMED_OUT


def _is_full(directory):
    room = os.statvfs(directory)
    return room.f_bavail * room.f_frsize < _FULL


def end_descendants():
    """Kill children until there are none: their orphans come to us."""
    while children := _children():
        for pid in children:
            os.kill(pid, signal.SIGKILL)
        for pid in children:
            os.waitpid(pid, 0)


def _children():
    # A child's pid is not used again before it was waited for.
    wanted = f'PPid:\t{os.getpid()}\n'
    return [
        int(path.parent.name)
        for path in pathlib.Path('/proc').glob('[0-9]*/status')
        if wanted in _read(path)
    ]


def _read(path):
    try:
        return path.read_text(errors='replace')
    except OSError:  # gone meanwhile
        return ''


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
