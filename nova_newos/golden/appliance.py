# SPDX-License-Identifier: Apache-2.0
"""Run libguestfs tools: bounded, without a network, nothing left behind.

libguestfs opens a disk in a small virtual machine, its appliance (see
guestfs(3), "ARCHITECTURE"). Nothing that a guest wrote is parsed outside of
it but a little text.
"""

import os
import pathlib
import platform
import shlex
import shutil
import sys
import tempfile
import time

from oslo_concurrency import processutils
from oslo_log import log as logging

from nova_newos.golden import base
from nova_newos.golden import exception
from nova_newos.golden import inspector
from nova_newos.golden import run_limited

LOG = logging.getLogger(__name__)

#: The Python that the distribution's packages are for. Nova's may be another.
SYSTEM_PYTHON = '/usr/bin/python3'

#: Packages of Debian and Ubuntu that tools come from.
PACKAGES = {
    'virt-sysprep': 'guestfs-tools',
    SYSTEM_PYTHON: 'python3-guestfs',
}

# What a process may have above the memory of the appliance, in MiB. Without
# KVM QEMU takes 1 GiB for the code that it translates, and 8 MiB for each of
# up to some 70 threads.
_OVERHEAD = 2048

# Bytes of a tool's output that go to the log.
_LOGGED = 4000

_PREFIX = 'newos-'

# Sockets are made below. The path of one has 107 bytes at most (see unix(7)),
# and the disk's may be longer.
_SHORT = '/tmp'  # noqa: S108

# What libvirt denies to the guests that it starts, by QEMU's own seccomp
# filter: other processes, other users.
_QEMU = """\
#!/bin/sh
exec %s -sandbox \
on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny "$@"
"""

# Machine as uname(2) has it, to the name of QEMU's program where it differs.
_QEMU_MACHINES = {'ppc64le': 'ppc64'}

_RUN_LIMITED = pathlib.Path(run_limited.__file__)


def missing_tools():
    """Commands that are not installed: dict of name to package."""
    return {
        tool: package
        for tool, package in PACKAGES.items()
        if not shutil.which(tool)
    }


class Appliance:
    """How the tools are run for one image, whose time begins with this."""

    def __init__(self, conf, emulate=False):
        """Nothing is run yet.

        :param conf: an ``oslo_config.cfg.ConfigOpts`` with our options
        :param emulate: True to do without KVM, for hosts whose KVM is there
            but not to be used
        """
        self._memory = conf.newos.appliance_memory
        self._timeout = conf.newos.appliance_timeout
        self._end = time.monotonic() + self._timeout
        self._emulate = emulate

    def run(self, disk, tool, *arguments):
        """Run a tool on a disk.

        :param disk: a :class:`~nova_newos.golden.base.Disk`, to tell a lack of
            room by; the arguments name it to the tool
        :param tool: name of a command, a key of :data:`PACKAGES` or any other
        :returns: str, the standard output, at most ``run_limited.MAX_OUTPUT``
            bytes; not to be trusted
        :raises ApplianceToolMissing: when it is not installed
        :raises SealNoRoom: when the file system of the disk is full
        :raises SealTimedOut: when the time of the image is over
        :raises SealFailed: when it fails
        """
        if not shutil.which(tool):
            raise _missing(tool)
        left = self._end - time.monotonic()
        if left <= 0:
            raise self._timed_out(tool)
        watched = os.path.dirname(disk.path)
        with (
            tempfile.TemporaryDirectory(prefix=_PREFIX, dir=watched) as room,
            tempfile.TemporaryDirectory(prefix=_PREFIX, dir=_SHORT) as sockets,
        ):
            try:
                output, _errors = processutils.execute(
                    sys.executable,
                    '-I',
                    str(_RUN_LIMITED),
                    f'{left:.1f}',
                    str(self._memory + _OVERHEAD),
                    watched,
                    tool,
                    *arguments,
                    env_variables=self._environment(room, sockets),
                )
            except processutils.ProcessExecutionError as error:
                raise self._failure(disk, tool, error) from error
        return output

    def _environment(self, room, sockets):
        # On PATH at least what a service may lack and libguestfs calls.
        path = os.environ.get('PATH', os.defpath)
        made = os.environ | {
            'PATH': f'{path}:/usr/sbin:/sbin',
            'LC_ALL': 'C',
            # Of the service user's own settings for these tools none holds.
            'HOME': room,
            'LIBGUESTFS_BACKEND': 'direct',
            'LIBGUESTFS_MEMSIZE': str(self._memory),
            # What a killed tool leaves goes with the directories. Overlays
            # are made here, and a guest can fill them.
            'TMPDIR': room,
            'LIBGUESTFS_TMPDIR': room,
            'XDG_RUNTIME_DIR': sockets,
        }
        qemu = _confined_qemu(sockets) or _confined_qemu(room)
        if qemu:
            # The operator's own wins.
            made.setdefault('LIBGUESTFS_HV', qemu)
        # The appliance is made once, and TMPDIR would be its place too.
        made.setdefault('LIBGUESTFS_CACHEDIR', '/var/tmp')  # noqa: S108
        if self._emulate:
            made['LIBGUESTFS_BACKEND_SETTINGS'] = 'force_tcg'
        return made

    def _failure(self, disk, tool, error):
        """The typed error for what a tool ended with."""
        name = _name(tool)
        LOG.warning(
            '%s on %s ended with exit status %s: %s',
            name,
            disk.path,
            error.exit_code,
            base.sanitize(error.stderr, _LOGGED),
        )
        if error.exit_code == inspector.EX_UNAVAILABLE:
            return _missing(tool)
        if error.exit_code == run_limited.NO_ROOM:
            return exception.SealNoRoom(path=os.path.dirname(disk.path))
        if error.exit_code == run_limited.TIMED_OUT:
            return self._timed_out(tool)
        if error.exit_code == run_limited.TOO_LONG:
            return exception.SealFailed(
                tool=name, reason='it has too much to say of this guest'
            )
        return exception.SealFailed(tool=name, reason=_reason(error))

    def _timed_out(self, tool):
        limit = f'[newos] appliance_timeout={self._timeout}'
        return exception.SealTimedOut(
            tool=_name(tool), reason=f'longer than {limit} for all'
        )


def _confined_qemu(directory):
    """Make a program that runs QEMU with fewer rights.

    :returns: its path; None where it could not be run, and where QEMU has
        another name than the distributions of :data:`PACKAGES` give it: of
        that it is not known what it can
    """
    machine = platform.machine()
    qemu = shutil.which(f'qemu-system-{_QEMU_MACHINES.get(machine, machine)}')
    if not qemu or os.statvfs(directory).f_flag & os.ST_NOEXEC:
        return None
    path = os.path.join(directory, 'qemu')
    with open(path, 'w') as program:
        program.write(_QEMU % shlex.quote(qemu))
    os.chmod(path, 0o700)
    # libguestfs keeps what it has asked QEMU, by size and time of the program.
    changed = os.stat(qemu).st_mtime
    os.utime(path, (changed, changed))
    return path


def _name(tool):
    return PACKAGES[tool] if tool == SYSTEM_PYTHON else tool


def _missing(tool):
    return exception.ApplianceToolMissing(
        tool=_name(tool), package=PACKAGES.get(tool, tool)
    )


def _reason(error):
    """The line that says most of a tool's messages."""
    lines = [line for line in error.stderr.splitlines() if line.strip()]
    telling = [line for line in lines if 'error' in line or 'failed' in line]
    for line in telling + lines[-1:]:
        return base.sanitize(line, 200)
    return f'exit status {error.exit_code}'
