# SPDX-License-Identifier: Apache-2.0
"""The Debian packages a box stands on."""

import contextlib
import glob
import os
import platform
import subprocess

from devstack.onebox import apt
from devstack.onebox import commands
from devstack.onebox.errors import BoxError
from devstack.onebox.progress import say
from devstack.onebox.progress import step

# Names that Debian 12, Debian 13 and Ubuntu 24.04 share.
PACKAGES = (
    'ca-certificates',
    # To build libvirt-python and uWSGI, which have no wheels.
    'gcc',
    'libc6-dev',
    'libvirt-dev',
    'pkg-config',
    'python3-dev',
    'python3-venv',
    'mariadb-client-core',
    'mariadb-server-core',
    'rabbitmq-server',
    'libvirt-clients',
    'libvirt-daemon',
    'libvirt-daemon-driver-qemu',
    'ovmf',
    'qemu-system-x86',
    'qemu-utils',
    'genisoimage',
    # mkfs.vfat, for ephemeral disks.
    'dosfstools',
    'mount',
    # virt-sysprep, and what inspects golden images; virt-sparsify, which the
    # benchmark runs as people do by hand. They bring libguestfs, which makes
    # its appliance of the machine's packages and kernel.
    'guestfs-tools',
    'python3-guestfs',
    'python3-yaml',
    # By which Glance recognises ISOs.
    'osinfo-db',
)


def missing():
    """Names of packages that are not installed.

    A machine without a kernel, such as a container, needs one besides.
    """
    needed = [*PACKAGES]
    if not glob.glob('/boot/vmlinuz-*'):
        is_ubuntu = platform.freedesktop_os_release()['ID'] == 'ubuntu'
        needed.append(
            'linux-image-virtual' if is_ubuntu else 'linux-image-cloud-amd64'
        )
    listed = subprocess.run(
        [
            'dpkg-query',
            '-W',
            '-f',
            '${db:Status-Status} ${Package}\n',
            *needed,
        ],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.splitlines()
    return [name for name in needed if f'installed {name}' not in listed]


def check_machine():
    """:raises BoxError: on a machine no box can be made on."""
    if platform.machine() != 'x86_64':
        raise BoxError(
            f'this is a {platform.machine()} machine; '
            'the one box knows x86_64 only'
        )
    if not os.path.exists('/usr/bin/apt-get'):
        raise BoxError(
            'no apt-get here: the one box needs Debian 12 or 13 '
            'or Ubuntu 24.04'
        )


def install(log):
    """Install what is missing, starting no system service.

    :param log: path to append apt's output to.
    :raises BoxError: when apt-get fails.
    """
    wanted = missing()
    if not wanted:
        return
    get = [*apt.COMMAND, 'install', '-y', '--no-install-recommends', *wanted]
    say('installing packages: ' + ' '.join(wanted))
    with step('packages'):
        # Old lists may do as well.
        with contextlib.suppress(BoxError):
            _run([*apt.COMMAND, 'update'], log)
        try:
            _run(get, log)
        except BoxError:
            # An earlier run that was killed leaves dpkg half-way.
            _run(['dpkg', '--configure', '-a'], log)
            _run(get, log)


def _run(command, log):
    # The box runs its own RabbitMQ: the package's must not start. A
    # policy-rc.d would say so, but it is the system's: SYSTEMD_OFFLINE says it
    # to systemctl, and RUNLEVEL to invoke-rc.d without systemd.
    variables = os.environ | {
        'DEBIAN_FRONTEND': 'noninteractive',
        'SYSTEMD_OFFLINE': '1',
        'RUNLEVEL': '1',
        # On Ubuntu it would restart what is the system's.
        'NEEDRESTART_SUSPEND': '1',
    }
    # dpkg leaves a mess when it is killed.
    commands.run(command, log, variables, outlives=True)
