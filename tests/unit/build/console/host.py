# SPDX-License-Identifier: Apache-2.0
"""The host's half of RFB, for tests: a screen, and who looks and types."""

import struct
import zlib

from PIL import Image

VERSION = b'RFB 003.008\n'
NO_SECURITY = b'\1\1'
ACCEPTED = bytes(4)
RAW, COPY, ZLIB, DESKTOP_SIZE = 0, 1, 6, -223
#: Length of what a client sends before it asks for anything.
GREETING = 12 + 1 + 1 + 20 + 4 + 4 * 4


def server_init(width, height, name=b''):
    return struct.pack('>HH16sI', width, height, bytes(16), len(name)) + name


def hello(width, height, name=b'QEMU (golden)'):
    """All that comes before the first picture."""
    return VERSION + NO_SECURITY + ACCEPTED + server_init(width, height, name)


def update(*rectangles):
    return struct.pack('>BxH', 0, len(rectangles)) + b''.join(rectangles)


def rectangle(left, top, width, height, encoding, data=b''):
    return struct.pack('>HHHHi', left, top, width, height, encoding) + data


def pixels(image):
    return image.convert('RGB').tobytes('raw', 'BGRX')


def raw(image, left=0, top=0):
    return rectangle(left, top, *image.size, RAW, pixels(image))


class Compressor:
    """One stream for all rectangles of a connection."""

    def __init__(self):
        self._zlib = zlib.compressobj()

    def __call__(self, image, left=0, top=0):
        data = self._zlib.compress(pixels(image))
        data += self._zlib.flush(zlib.Z_SYNC_FLUSH)
        packed = struct.pack('>I', len(data)) + data
        return rectangle(left, top, *image.size, ZLIB, packed)


def plain(colour, size=(64, 32)):
    return Image.new('RGB', size, colour)


class Host:
    """In the place of a websocket: answers as QEMU does.

    An update that was asked for comes when there is something new.

    :ivar screen: a PIL image; set another one to change it
    :ivar keys: what was typed, list of (keysym, whether it is pressed)
    :ivar shown: what was sent last
    :ivar is_mute: whether it no longer answers
    """

    def __init__(self, screen=None):
        self.screen = screen or plain('navy')
        self.keys, self.sent = [], b''
        self.is_mute = self.is_closed = False
        self._answers = [hello(*self.screen.size)]
        self.shown = self._asked = None
        self._greeted = False

    def send(self, data):
        self.sent += data
        if not self._greeted and len(self.sent) >= GREETING:
            self._greeted = True
            self.sent = self.sent[GREETING:]
        while self._greeted and self.sent:
            self._take()

    def _take(self):
        if self.sent[0] == 3:
            self._asked = self.sent[1]
            length = 10
        else:
            kind, is_down, keysym = struct.unpack('>BBxxI', self.sent[:8])
            assert kind == 4, self.sent
            self.keys.append((keysym, bool(is_down)))
            length = 8
        self.sent = self.sent[length:]

    def recv(self, timeout):
        assert timeout >= 0
        if self.is_mute:
            raise TimeoutError
        if self._answers:
            return self._answers.pop(0)
        if self._asked is None:
            raise TimeoutError
        if self._asked and self.shown is self.screen:
            raise TimeoutError
        self._asked = None
        return self._answer()

    def _answer(self):
        parts = [raw(self.screen)]
        if self.shown and self.shown.size != self.screen.size:
            parts = [rectangle(0, 0, *self.screen.size, DESKTOP_SIZE)]
            self.shown = None
        else:
            self.shown = self.screen
        return update(*parts)

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.close()

    def close(self):
        self.is_closed = True
