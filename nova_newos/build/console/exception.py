# SPDX-License-Identifier: Apache-2.0
"""Why there is no screen to see, or none to type on."""

from nova_newos import exception


class ConsoleError(exception.NewosError):
    """Base of all errors of consoles."""


class ConsoleUnavailable(ConsoleError):
    """Nova gives no VNC console of this server, or not to this user."""

    msg_fmt = (
        'the server has no VNC console ({reason!s:.100}): see that it is on, '
        'or ask the operator for VNC consoles'
    )


class ConsoleLost(ConsoleError):
    """The connection failed, or nothing comes."""

    msg_fmt = (
        'no answer of the VNC console at {address} ({reason!s:.60}): see that '
        'the server is on, and the address can be reached from here'
    )


class ProtocolBroken(ConsoleError):
    """What came is not what RFC 6143 has, or more than is taken."""

    msg_fmt = (
        'the VNC console sent what cannot be used ({reason!s:.80}): see that '
        'the address that Nova gives is that of nova-novncproxy'
    )


class ServerMissing(ConsoleError):
    """Between its phases, and when it is over, a build has no server."""

    msg_fmt = (
        'build {build} has no server now: see "openstack golden build show '
        '{build}"'
    )


class RecordExists(ConsoleError):
    """A record is never written over."""

    msg_fmt = 'there is a record in {path} already: choose another directory'
