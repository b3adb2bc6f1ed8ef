# SPDX-License-Identifier: Apache-2.0
"""Pictures of a server's screen, as far as there are any."""

import io
import time

from keystoneauth1.exceptions import ClientException
from openstack import exceptions

from nova_newos.build.console import display
from nova_newos.build.console import exception

# Seconds until a console that was not there is asked for again.
_PATIENCE = 15

# What stands between a viewer and the screen: it then has no picture.
_TROUBLE = (
    exception.ConsoleError,
    exceptions.SDKException,
    ClientException,
)


def server_of(found):
    """The server of a build whose screen there is to see, or None.

    :param found: a :class:`~nova_newos.build.facts.Facts`
    """
    return next(iter(found.tests), found.install)


def png(image):
    """A PIL image as the bytes of a PNG file."""
    target = io.BytesIO()
    image.save(target, 'PNG', optimize=True)
    return target.getvalue()


def picture(cloud, server):
    """What is on the screen of a server.

    :param cloud: an ``openstack.connection.Connection``
    :param server: as openstacksdk has it, or its id
    :returns: the bytes of a PNG file; None where there is no console, or none
        for this user, or the server is off, or nothing answers
    """
    try:
        with display.connect(cloud, server) as screen:
            return png(screen.look())
    except _TROUBLE:
        return None


class Viewer:
    """Looks at a build's servers, one after the other, over and over.

    It stays connected to the screen that it looks at.

    :param cloud: an ``openstack.connection.Connection``
    """

    def __init__(self, cloud):
        self._cloud = cloud
        self._display = None
        self._server_id = None
        self._not_before = 0

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.close()

    def close(self):
        """End the connection, if there is one."""
        if self._display is not None:
            self._display.close()
            self._display = None

    def look(self, server):
        """What is on the screen of a server.

        :param server: as openstacksdk has it, or None
        :returns: a PIL image, or None as :func:`picture`
        """
        self._turn_to(server and server.id)
        if server is None or time.monotonic() < self._not_before:
            return None
        try:
            if self._display is None:
                self._display = display.connect(self._cloud, server)
            return self._display.look()
        except _TROUBLE:
            self.close()
            self._not_before = time.monotonic() + _PATIENCE
            return None

    def _turn_to(self, server_id):
        if server_id != self._server_id:
            self.close()
            self._server_id, self._not_before = server_id, 0
