# SPDX-License-Identifier: Apache-2.0
"""Whether a guest waits for somebody who does not come."""

import dataclasses
import time

from nova_newos.build.console import still
from nova_newos.build.console import viewer


@dataclasses.dataclass(frozen=True)
class Stall:
    """A server that shows nothing new.

    :ivar seconds: for which screen and serial console have been as they are
    :ivar picture: the screen, the bytes of a PNG file; None without a screen
    """

    seconds: float
    picture: bytes | None


class Watch:
    """Looks at screen and serial console of a build's servers.

    :param cloud: an ``openstack.connection.Connection``
    :param seconds: without anything new that make a stall
    """

    def __init__(self, cloud, seconds=120):
        self._viewer = viewer.Viewer(cloud)
        self._seconds = seconds
        self._server_id = None
        self._stillness = still.Stillness()

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.close()

    def close(self):
        """End the connection to the screen, if there is one."""
        self._viewer.close()

    def look(self, server, console):
        """Look once; for a loop that does so every few seconds.

        :param server: as openstacksdk has it, or None
        :param console: the last of its serial console, str or tuple of str
        :returns: a :class:`Stall`, or None while there is something new
        """
        if server is None or server.id != self._server_id:
            self._stillness = still.Stillness()
        self._server_id = server and server.id
        image = self._viewer.look(server)
        if server is None:
            return None
        seconds = self._stillness.look(time.monotonic(), image, console)
        if seconds < self._seconds:
            return None
        return Stall(seconds, image and viewer.png(image))
