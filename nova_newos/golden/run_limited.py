# SPDX-License-Identifier: Apache-2.0
"""Run a command with limits, and leave no process of it.

A program of its own:
``python3 -I run_limited.py SECONDS MEBIBYTES DIRECTORY COMMAND...``.
Its exit status is the command's, or

* :data:`TIMED_OUT` after so many seconds,
* :data:`NO_ROOM` when the file system of the directory stays full: QEMU then
  stops its guest without a word, and the command would wait for it until the
  time is over,
* :data:`TOO_LONG` when it succeeds and prints more than is passed on.

None of its processes can have more memory of its own than so many mebibytes
(RLIMIT_DATA, see getrlimit(2)). RLIMIT_AS would count what is only reserved,
which with many processors is many times what a threaded program uses, and a
service rarely may write to its cgroup.

To kill a process group is not enough: tools put QEMU and the process that
watches it into another one, as virt-sparsify does. A subreaper (see prctl(2))
becomes the parent of every orphan, whatever its group or session. And when
nova-compute dies, so does this, and all below it.
"""

import ctypes
import os
import pathlib
import resource
import signal
import subprocess
import sys
import threading
import time

#: As of timeout(1).
TIMED_OUT = 124
#: As of sysexits.h, EX_CANTCREAT.
NO_ROOM = 73
#: As of sysexits.h, EX_PROTOCOL.
TOO_LONG = 76

#: Bytes of each of the two outputs that are passed on: who reads them keeps
#: them in memory. What comes after is read too, so that nobody waits for it.
MAX_OUTPUT = 4 << 20

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
    seconds, mebibytes, directory, *command = arguments
    parent = os.getppid()
    signal.signal(signal.SIGTERM, lambda *unused: sys.exit(1))
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        return 1  # died before it could be watched
    _limit_memory(int(mebibytes) << 20)
    outputs = []
    try:
        status = _run(command, float(seconds), directory, outputs)
    finally:
        # Not again in the midst of this.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        end_descendants()
    # They end now: nobody is left who could write.
    lengths = [output.length() for output in outputs]
    return TOO_LONG if status == 0 and lengths[0] > MAX_OUTPUT else status


def _limit_memory(size):
    for kind, limit in (
        (resource.RLIMIT_DATA, size),
        (resource.RLIMIT_CORE, 0),
    ):
        _soft, hard = resource.getrlimit(kind)
        if hard != resource.RLIM_INFINITY:
            limit = min(limit, hard)
        resource.setrlimit(kind, (limit, limit))


class _Output:
    """Passes on the beginning of what comes from a pipe, in a thread."""

    def __init__(self, pipe, target):
        self._pipe = pipe
        self._target = target
        self._length = 0
        self._thread = threading.Thread(target=self._pass_on, daemon=True)
        self._thread.start()

    def _pass_on(self):
        with self._pipe:
            while data := self._pipe.read1(1 << 16):
                room = max(MAX_OUTPUT - self._length, 0)
                self._length += len(data)
                _write(self._target, data[:room])

    def length(self):
        """Bytes that came until the end, which is waited for."""
        self._thread.join()
        return self._length


def _write(target, data):
    while data:
        data = data[os.write(target, data) :]


def _prctl(option, value):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, int(value), 0, 0, 0):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _run(command, seconds, directory, outputs):
    end = time.monotonic() + seconds
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    outputs += [_Output(process.stdout, 1), _Output(process.stderr, 2)]
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
