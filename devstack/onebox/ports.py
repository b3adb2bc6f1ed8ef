# SPDX-License-Identifier: Apache-2.0
"""The box's TCP ports, all on 127.0.0.1."""

import psutil

from devstack.onebox import commands
from devstack.onebox.errors import BoxError

# Addresses that take a port of 127.0.0.1.
_TAKING = ('127.0.0.1', '0.0.0.0', '::', '::ffff:127.0.0.1')  # noqa: S104


def taken(wanted):
    """Which of these ports another process listens on.

    :param wanted: port numbers by service name.
    :returns: ``{port: process id, or None when it cannot be seen}``.
    """
    return {
        connection.laddr.port: connection.pid
        for connection in psutil.net_connections('tcp')
        if connection.status == psutil.CONN_LISTEN
        and connection.laddr.ip in _TAKING
        and connection.laddr.port in wanted.values()
    }


def check_free(wanted):
    """:param wanted: port numbers by service name.

    :raises BoxError: naming the first port that is taken and its holder.
    """
    holders = taken(wanted)
    for name, port in wanted.items():
        if port in holders:
            raise BoxError(
                f'port {port} of 127.0.0.1, for {name}, is taken by '
                f'{_describe(holders[port])}: free it, or move the box with '
                '--port-base'
            )


def _describe(pid):
    try:
        # Without an id it would be this one.
        process = psutil.Process(pid or 0)
        text = f'{process.name()} (process {pid})'
        owner = process.environ().get(commands.MARK)
    except (psutil.Error, ValueError):
        return 'a process that cannot be seen from here'
    return text + (f' of the box in {owner}' if owner else '')
