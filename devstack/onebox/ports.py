# SPDX-License-Identifier: Apache-2.0
"""The box's TCP ports, all on 127.0.0.1."""

import errno
import os
import pathlib
import re
import socket
import time

from devstack.onebox.errors import BoxError

_NAMES = (
    'keystone',
    'glance',
    'placement',
    'neutron',
    'nova-api',
    'rabbitmq',
    'rabbitmq-dist',
    'epmd',
)
_CONSOLES = (100, 299)
_DISPLAYS = (300, 499)
_LISTENING = '0A'


def plan(base):
    """Port numbers by service name, from the first port."""
    return {name: base + offset for offset, name in enumerate(_NAMES)}


def console_range(base):
    """First and last port of the guests' serial consoles."""
    return base + _CONSOLES[0], base + _CONSOLES[1]


def display_range(base):
    """First and last port of the guests' VNC displays."""
    return base + _DISPLAYS[0], base + _DISPLAYS[1]


def check_free(wanted):
    """:param wanted: port numbers by service name.

    :raises BoxError: naming the first port that is taken and its holder.
    """
    for name, port in wanted.items():
        if not _free(port):
            raise BoxError(
                f'port {port} of 127.0.0.1, for {name}, is taken by '
                f'{_holder(port)}: free it, or move the box with '
                '--port-base'
            )


def await_free(wanted, limit=15):
    """Wait for ports that a process on its way out may still hold.

    :param wanted: port numbers by service name.
    :param limit: seconds.
    :raises BoxError: as check_free() does, when they are not freed.
    """
    until = time.monotonic() + limit
    while True:
        try:
            return check_free(wanted)
        except BoxError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def _free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(('127.0.0.1', port))
        except OSError as exc:
            if exc.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def _holder(port):
    inodes = _listening_inodes(port)
    for link in pathlib.Path('/proc').glob('[0-9]*/fd/*'):
        try:
            target = os.readlink(link)
        except OSError:
            continue
        if target in inodes:
            return _describe(link.parents[1])
    return 'a process that cannot be seen from here'


def _listening_inodes(port):
    inodes = set()
    for table in ('/proc/net/tcp', '/proc/net/tcp6'):
        try:
            lines = pathlib.Path(table).read_text().splitlines()[1:]
        except FileNotFoundError:
            continue
        for line in lines:
            fields = line.split()
            if (
                fields[3] == _LISTENING
                and int(fields[1].rsplit(':', 1)[1], 16) == port
            ):
                inodes.add(f'socket:[{fields[9]}]')
    return inodes


def _describe(process):
    name = (process / 'comm').read_text().strip()
    text = f'{name} (process {process.name})'
    owner = re.search(
        rb'(?:^|\0)ONEBOX_PROCESS=([^\0]*)', (process / 'environ').read_bytes()
    )
    if owner:
        text += f' of the box in {owner[1].decode()}'
    return text
