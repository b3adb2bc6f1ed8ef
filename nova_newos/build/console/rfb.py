# SPDX-License-Identifier: Apache-2.0
"""The client's half of RFB 3.8, the protocol of VNC, without I/O.

As RFC 6143 has it, with security type None: nova-novncproxy has dealt with
what the host asks for. All lengths that the server names are bounded, and so
is what it can have drawn for one request: see :data:`MAX_PIXELS`.
"""

import re
import struct
import zlib

from PIL import Image

from nova_newos.build.console import exception

#: Of a screen: that of 3840 x 2400, which needs 37 MB while it is received.
MAX_PIXELS = 3840 * 2400

# What may be drawn for one request, in screens of the largest size; and what
# anything counts at least, in pixels: a rectangle of none takes time too.
_MAX_SCREENS = 4
_LEAST = 1024
_MAX_NAME = 4096
_MAX_REASON = 4096
_MAX_CUT_TEXT = 2**20
_PIECE = 2**16

_VERSION = b'RFB 003.008\n'
_NO_SECURITY = 1
_SHARED = b'\x01'
# 32 bits of which 24 count, little endian, true colour: blue, green, red and
# a byte of nothing.
_PIXEL_FORMAT = struct.pack(
    '>BBBBHHHBBB3x', 32, 24, 0, 1, *[255] * 3, 16, 8, 0
)
_PIXEL = 4
_RAW, _COPY, _ZLIB, _DESKTOP_SIZE = 0, 1, 6, -223
# The best first.
_ENCODINGS = (_ZLIB, _COPY, _RAW, _DESKTOP_SIZE)


class Client:
    """One connection.

    :ivar screen: a PIL image of mode RGB, or None before there is one; it is
        drawn on
    """

    def __init__(self):
        self.screen = None
        self._input, self._output = bytearray(), bytearray()
        self._budget = 0
        # Pixels that nothing has been drawn on since the screen has its size.
        self._unpainted = 0
        # Whether an update was asked for that has not come, and a whole one.
        self._is_asked = self._is_all_asked = False
        self._inflate = zlib.decompressobj()
        self._protocol = self._talk()
        self._needed = next(self._protocol)

    @property
    def is_whole(self):
        """Whether all of the screen has come."""
        return self.screen is not None and self._unpainted <= 0

    def receive(self, data):
        """Take what the server sends.

        :param data: bytes, in pieces as they come
        :raises ProtocolBroken: when they are not what they should be; there is
            nothing to be done with this client then
        """
        self._input += data
        while len(self._input) >= self._needed:
            taken = bytes(self._input[: self._needed])
            del self._input[: self._needed]
            self._needed = self._protocol.send(taken)

    def take_output(self):
        """What is to be sent to the server, once; bytes."""
        output, self._output = bytes(self._output), bytearray()
        return output

    def ask(self):
        """Ask for what has changed, or for all if not all is there.

        Once: as long as the answer is not there this does nothing.
        """
        is_all = not self.is_whole
        if self._is_asked and self._is_all_asked >= is_all:
            return
        self._is_asked, self._is_all_asked = True, is_all
        self._budget = _MAX_SCREENS * MAX_PIXELS
        self._output += struct.pack(
            '>BBHHHH', 3, not is_all, 0, 0, *self.screen.size
        )

    def forget(self):
        """Have :meth:`ask` ask for all of the screen."""
        self._unpainted = self.screen.width * self.screen.height
        self._is_all_asked = False

    def key(self, keysym, is_down):
        """Press or release a key.

        :param keysym: as X11 has them, int
        """
        self._output += struct.pack('>BBxxI', 4, is_down, keysym)

    def _talk(self):
        """Yields how many bytes are needed next, and is sent them."""
        yield from self._agree_on_version()
        yield from self._agree_on_security()
        yield from self._begin()
        messages = {
            0: self._update,
            1: self._colour_map,
            2: self._bell,
            3: self._cut_text,
        }
        while True:
            [kind] = yield 1
            if kind not in messages:
                raise exception.ProtocolBroken(reason=f'message {kind}')
            yield from messages[kind]()

    def _agree_on_version(self):
        version = yield len(_VERSION)
        found = re.fullmatch(rb'RFB 003\.(\d{3})\n', version)
        if not found or int(found[1]) < 8:
            raise exception.ProtocolBroken(reason=f'version {version!r}')
        self._output += _VERSION

    def _agree_on_security(self):
        [count] = yield 1
        if not count:
            yield from self._refused()
        offered = yield count
        if _NO_SECURITY not in offered:
            raise exception.ProtocolBroken(reason='it asks for a password')
        self._output.append(_NO_SECURITY)
        if any((yield 4)):
            yield from self._refused()

    def _refused(self):
        [length] = struct.unpack('>I', (yield 4))
        if length > _MAX_REASON:
            raise exception.ProtocolBroken(reason='a long reason')
        text = (yield length).decode(errors='replace')
        raise exception.ProtocolBroken(reason=f'refused: {text!r}')

    def _begin(self):
        self._output += _SHARED
        width, height, _format, length = struct.unpack('>HH16sI', (yield 24))
        self._resize(width, height)
        yield from _skip(length, _MAX_NAME, 'a long name')
        self._output += struct.pack('>B3x16s', 0, _PIXEL_FORMAT)
        self._output += struct.pack(
            f'>BxH{len(_ENCODINGS)}i', 2, len(_ENCODINGS), *_ENCODINGS
        )

    def _resize(self, width, height):
        if not 0 < width * height <= MAX_PIXELS:
            raise exception.ProtocolBroken(
                reason=f'a screen of {width} x {height}'
            )
        self.screen = Image.new('RGB', (width, height))
        self._unpainted = width * height
        self._is_all_asked = False

    def _bell(self):
        yield 0

    def _colour_map(self):
        [count] = struct.unpack('>3xH', (yield 5))
        yield from _skip(6 * count)

    def _cut_text(self):
        [length] = struct.unpack('>3xI', (yield 7))
        yield from _skip(length, _MAX_CUT_TEXT, 'a long clipboard')

    def _update(self):
        [count] = struct.unpack('>xH', (yield 3))
        self._charge(0)
        for _each in range(count):
            yield from self._rectangle()
        self._is_asked = self._is_all_asked = False

    def _charge(self, pixels):
        """Have the server draw no more than was asked for, by far."""
        self._budget -= max(pixels, _LEAST)
        if self._budget < 0:
            raise exception.ProtocolBroken(reason='more than was asked for')

    def _rectangle(self):
        left, top, width, height, encoding = struct.unpack(
            '>HHHHi', (yield 12)
        )
        self._charge(width * height)
        if encoding == _DESKTOP_SIZE:
            self._resize(width, height)
            return
        drawing = {_RAW: self._raw, _COPY: self._copy, _ZLIB: self._zlib}
        if encoding not in drawing:
            raise exception.ProtocolBroken(reason=f'encoding {encoding}')
        self._check_inside(left, top, width, height)
        part = yield from drawing[encoding](width, height)
        self.screen.paste(part, (left, top))
        self._unpainted -= width * height

    def _check_inside(self, left, top, width, height):
        if (
            left + width > self.screen.width
            or top + height > self.screen.height
        ):
            raise exception.ProtocolBroken(reason='pixels beside the screen')

    def _raw(self, width, height):
        return _image(width, height, (yield _PIXEL * width * height))

    def _copy(self, width, height):
        left, top = struct.unpack('>HH', (yield 4))
        self._check_inside(left, top, width, height)
        return self.screen.crop((left, top, left + width, top + height))

    def _zlib(self, width, height):
        [length] = struct.unpack('>I', (yield 4))
        size = _PIXEL * width * height
        # What does not get smaller gets a little larger.
        if length > size + size // 100 + _LEAST:
            raise exception.ProtocolBroken(reason='too many compressed bytes')
        compressed = yield length
        try:
            # One more than there may be: with the exact number it would leave
            # the end of the block for another time.
            data = self._inflate.decompress(compressed, size + 1)
        except zlib.error as error:
            raise exception.ProtocolBroken(reason=error) from error
        if len(data) != size:
            raise exception.ProtocolBroken(reason='not as many pixels')
        return _image(width, height, data)


def _skip(length, limit=None, complaint=None):
    """Take what nobody wants, in pieces."""
    if limit is not None and length > limit:
        raise exception.ProtocolBroken(reason=complaint)
    while length:
        piece = min(length, _PIECE)
        yield piece
        length -= piece


def _image(width, height, data):
    return Image.frombytes('RGB', (width, height), data, 'raw', 'BGRX')
