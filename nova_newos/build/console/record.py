# SPDX-License-Identifier: Apache-2.0
"""The flight record of a build: what screen and serial console showed when."""

import base64
import time

from PIL import ImageChops

from nova_newos.build import engine
from nova_newos.build import exception as build_exception
from nova_newos.build import facts
from nova_newos.build.console import exception
from nova_newos.build.console import page
from nova_newos.build.console import still
from nova_newos.build.console import tail
from nova_newos.build.console import viewer

# Seconds between two looks at the cloud; the screen is seen at each call.
_PAUSE = 4

# A cursor is no larger, in pixels: what blinks in there is no news.
_CURSOR = (16, 32)

#: Bytes of a record, after which it has no more pictures, and then nothing
#: more. Browsers open as much.
MAX_PICTURES, MAX_LENGTH = 96 * 2**20, 128 * 2**20


class Recorder:
    """Writes a record, in which all that is written can be played.

    :ivar path: of its page
    :param cloud: an ``openstack.connection.Connection``
    :param build_id: a UUID, str
    :param directory: a path; it is made
    :raises BuildNotFound: when there is no such build
    :raises RecordExists: when there is another record
    """

    def __init__(self, cloud, build_id, directory):
        self._cloud, self._build_id = cloud, build_id
        # Before anything is made.
        engine.status(cloud, build_id)
        self.path = directory / 'index.html'
        directory.mkdir(parents=True, exist_ok=True)
        self._script = _Script(self.path, build_id)
        self._viewer = viewer.Viewer(cloud)
        self._server, self._tail = None, tail.Tail()
        self._goes_on, self._next = True, 0

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self._viewer.close()
        self._script.close()

    def look(self):
        """See and write what there is now; for a loop.

        :returns: whether there is more to come
        :raises openstack.exceptions.SDKException: when the cloud does not
            answer
        """
        if time.monotonic() >= self._next:
            # Also if it fails: the screen can be seen meanwhile.
            self._next = time.monotonic() + _PAUSE
            self._look_at_cloud()
        self._script.show(self._viewer.look(self._server))
        return self._goes_on

    def _look_at_cloud(self):
        try:
            status = engine.status(self._cloud, self._build_id)
            server = viewer.server_of(facts.look(self._cloud, self._build_id))
        except build_exception.BuildNotFound:
            self._script.say_phase('over', 'nothing is left of the build')
            self._server, self._goes_on = None, False
            return
        if (server and server.id) != (self._server and self._server.id):
            self._tail = tail.Tail()
        self._server, self._goes_on = server, not status.is_over
        self._script.say_phase(status.phase.value, status.detail)
        if server is not None:
            text = facts.Guests(self._cloud).console(server)
            self._script.write_text(tail.printable(self._tail.news(text)))


class _Script:
    """The page of a record, as it grows.

    :param path: of a file that is not there
    """

    def __init__(self, path, build_id):
        try:
            # Open for as long as the record.
            self._file = open(path, 'x', encoding='ascii')  # noqa: SIM115
        except FileExistsError:
            raise exception.RecordExists(path=path.parent) from None
        self._begun = time.monotonic()
        self._length = self._file.write(page.head(build_id))
        self._phase = None
        self._numbers = {}
        self._image = self._digest = None

    def close(self):
        """There is nothing more to write."""
        self._file.close()

    def say_phase(self, phase, detail):
        """Write where the build stands, if that is news."""
        if (phase, detail) != self._phase:
            self._phase = phase, detail
            self._write(phase=phase, detail=detail)

    def write_text(self, text):
        """Write what is new on the serial console."""
        if text:
            self._write(text=text)

    def show(self, image):
        """Write what the screen shows, if that is news.

        :param image: a PIL image, or None
        """
        digest = still.digest(image)
        if image is None or digest == self._digest:
            return
        number = self._numbers.get(digest)
        if number is not None:
            if not self._blinks(image):
                self._write(again=number)
        elif self._length < MAX_PICTURES:
            self._numbers[digest] = len(self._numbers)
            data = base64.b64encode(viewer.png(image)).decode()
            self._write(picture=f'data:image/png;base64,{data}')
        self._image, self._digest = image, digest

    def _blinks(self, image):
        """Whether just a cursor differs from the picture before."""
        if self._image.size != image.size:
            return False
        left, top, right, bottom = ImageChops.difference(
            self._image, image
        ).getbbox()
        return right - left <= _CURSOR[0] and bottom - top <= _CURSOR[1]

    def _write(self, **fields):
        if self._length >= MAX_LENGTH:
            return
        moment = round(time.monotonic() - self._begun, 1)
        self._length += self._file.write(page.event({'t': moment, **fields}))
        self._file.flush()
