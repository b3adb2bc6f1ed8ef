# SPDX-License-Identifier: Apache-2.0

import pathlib
import random
import struct
import tracemalloc
import zlib

import ddt

from nova_newos.build.console import exception
from nova_newos.build.console import rfb
from tests.unit import base
from tests.unit.build.console import host

SIZE = (64, 32)
RECORDED = pathlib.Path(__file__).with_name('qemu.rfb')


def rgb(image):
    return image.tobytes()


class RfbTestCase(base.TestCase):
    def started(self, size=SIZE):
        client = rfb.Client()
        client.receive(host.hello(*size))
        client.take_output()
        client.ask()
        return client

    def assert_refused(self, client, data, reason):
        with self.assertRaisesRegex(exception.ProtocolBroken, reason):
            client.receive(data)


@ddt.ddt
class HandshakeTest(RfbTestCase):
    def test_shared(self):
        """A person who looks at the same screen is not thrown out."""
        client = rfb.Client()
        client.receive(host.VERSION)
        self.assertEqual(host.VERSION, client.take_output())
        client.receive(host.NO_SECURITY)
        self.assertEqual(b'\1', client.take_output())
        client.receive(host.ACCEPTED)
        self.assertEqual(b'\1', client.take_output())
        self.assertIsNone(client.screen)
        client.receive(host.server_init(*SIZE))
        self.assertEqual(SIZE, client.screen.size)
        self.assertEqual(host.GREETING - 14, len(client.take_output()))

    def test_byte_by_byte(self):
        client = rfb.Client()
        for byte in host.hello(*SIZE):
            client.receive(bytes([byte]))
        self.assertEqual(host.GREETING, len(client.take_output()))

    @ddt.data(
        (b'RFB 003.003\n', 'version'),
        (b'HTTP/1.1 400', 'version'),
        (host.VERSION + b'\1\2', 'password'),
        (host.VERSION + b'\0\0\0\0\4full', "refused: 'full'"),
        (host.VERSION + b'\0\xff\xff\xff\xff', 'long reason'),
        (
            host.VERSION + host.NO_SECURITY + b'\0\0\0\1\0\0\0\4busy',
            "refused: 'busy'",
        ),
        (host.hello(0, 7), 'screen of 0'),
        (host.hello(65535, 65535), 'screen of 65535'),
        (
            host.VERSION
            + host.NO_SECURITY
            + host.ACCEPTED
            + struct.pack('>HH16sI', 1, 1, bytes(16), 2**32 - 1),
            'long name',
        ),
    )
    @ddt.unpack
    def test_refused(self, data, reason):
        self.assert_refused(rfb.Client(), data, reason)

    def test_reason_prints_no_orders(self):
        """It is the network's, and goes to a terminal."""
        data = host.VERSION + b'\0\0\0\0\4\x1b[2J'
        try:
            rfb.Client().receive(data)
        except exception.ProtocolBroken as error:
            self.assertTrue(str(error).isprintable())
        else:
            self.fail('not refused')


class DrawingTest(RfbTestCase):
    def test_raw(self):
        client = self.started()
        self.assertFalse(client.is_whole)
        client.receive(host.update(host.raw(host.plain('red'))))
        self.assertTrue(client.is_whole)
        self.assertEqual(rgb(host.plain('red')), rgb(client.screen))

    def test_parts(self):
        """All of the screen is there when all of it was drawn."""
        client = self.started()
        left, right = host.plain('red', (32, 32)), host.plain('lime', (32, 32))
        client.receive(host.update(host.raw(left)))
        self.assertFalse(client.is_whole)
        client.receive(host.update(host.raw(right, 32)))
        self.assertTrue(client.is_whole)
        self.assertEqual((255, 0, 0), client.screen.getpixel((31, 31)))
        self.assertEqual((0, 255, 0), client.screen.getpixel((32, 0)))

    def test_zlib(self):
        """One stream from the first rectangle to the last."""
        client, compress = self.started(), host.Compressor()
        for colour in ('red', 'white', 'red'):
            client.receive(host.update(compress(host.plain(colour))))
            self.assertEqual(rgb(host.plain(colour)), rgb(client.screen))
            client.ask()

    def test_copy(self):
        client = self.started()
        client.receive(host.update(host.raw(host.plain('red', (8, 8)))))
        client.receive(
            host.update(
                host.rectangle(
                    56, 24, 8, 8, host.COPY, struct.pack('>HH', 0, 0)
                )
            )
        )
        self.assertEqual((255, 0, 0), client.screen.getpixel((63, 31)))
        self.assertEqual((0, 0, 0), client.screen.getpixel((55, 31)))

    def test_another_size(self):
        """All of it has to come anew."""
        client = self.started()
        client.receive(host.update(host.raw(host.plain('red'))))
        client.ask()
        client.take_output()
        client.receive(
            host.update(host.rectangle(0, 0, 16, 16, host.DESKTOP_SIZE))
        )
        self.assertFalse(client.is_whole)
        client.ask()
        self.assertEqual(
            struct.pack('>BBHHHH', 3, 0, 0, 0, 16, 16), client.take_output()
        )

    def test_what_nobody_wants(self):
        client = self.started()
        client.receive(b'\2')
        client.receive(b'\3' + bytes(3) + struct.pack('>I', 70000))
        client.receive(bytes(70000))
        client.receive(b'\1' + bytes(3) + struct.pack('>H', 256))
        client.receive(bytes(6 * 256))
        client.receive(host.update(host.raw(host.plain('red'))))
        self.assertTrue(client.is_whole)

    def test_asked_once(self):
        client = self.started()
        self.assertEqual(0, client.take_output()[1])
        client.ask()
        self.assertEqual(b'', client.take_output())
        client.receive(host.update(host.raw(host.plain('red'))))
        client.ask()
        self.assertEqual(1, client.take_output()[1])
        client.forget()
        client.ask()
        self.assertEqual(0, client.take_output()[1])

    def test_key(self):
        client = self.started()
        client.take_output()
        client.key(0xFF0D, True)
        client.key(0xFF0D, False)
        self.assertEqual(
            bytes.fromhex('04010000 0000ff0d 04000000 0000ff0d'),
            client.take_output(),
        )


@ddt.ddt
class RecordedTest(RfbTestCase):
    """What QEMU 7.2 has sent of a probe that boots, by nova-novncproxy."""

    @ddt.data(1, 7, 4096)
    def test_qemu(self, length):
        data = RECORDED.read_bytes()
        client = rfb.Client()
        begun = len(host.hello(*SIZE, b'QEMU (instance-00000004)'))
        client.receive(data[:begun])
        for at in range(begun, len(data), length):
            client.ask()
            client.receive(data[at : at + length])
        self.assertTrue(client.is_whole)
        self.assertEqual((720, 400), client.screen.size)
        # White on black, and nothing below the ninth line.
        self.assertEqual(
            {(0, 0, 0), (168, 168, 168)},
            {colour for _count, colour in client.screen.getcolors()},
        )
        self.assertEqual((0, 2, 439, 112), client.screen.getbbox())


@ddt.ddt
class HostileTest(RfbTestCase):
    @ddt.data(
        (b'\x80', 'message 128'),
        (b'\3' + bytes(3) + b'\xff\xff\xff\xff', 'clipboard'),
        (host.update(host.rectangle(0, 0, 1, 1, 16)), 'encoding 16'),
        (host.update(host.rectangle(0, 0, 65, 1, host.RAW)), 'beside'),
        (host.update(host.rectangle(1, 0, 64, 1, host.ZLIB)), 'beside'),
        (
            host.update(
                host.rectangle(0, 0, 9, 9, host.COPY, b'\0\xff\0\xff')
            ),
            'beside',
        ),
        (
            host.update(host.rectangle(0, 0, 9999, 999, host.DESKTOP_SIZE)),
            'screen of 9999',
        ),
        (
            host.update(host.rectangle(0, 0, 8, 8, host.ZLIB, b'\xff' * 4)),
            'too many',
        ),
        (
            host.update(
                host.rectangle(0, 0, 8, 8, host.ZLIB, b'\0\0\0\4junk')
            ),
            'incorrect header',
        ),
    )
    @ddt.unpack
    def test_refused(self, data, reason):
        self.assert_refused(self.started(), data, reason)

    @ddt.data(0, 4 * 64 * 32 - 1, 4 * 64 * 32 + 1, 2**22)
    def test_other_number_of_pixels(self, length):
        """The one that never ends is not unpacked to its end."""
        data = zlib.compress(bytes(length))
        data = host.update(
            host.rectangle(
                0, 0, *SIZE, host.ZLIB, struct.pack('>I', len(data)) + data
            )
        )
        client = self.started()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        self.assert_refused(client, data, 'not as many')
        self.assertLess(tracemalloc.get_traced_memory()[1], 2**20)

    @ddt.data(
        host.rectangle(0, 0, 4000, 2000, host.COPY, bytes(4)),
        host.rectangle(0, 0, 0, 0, host.RAW),
        host.rectangle(0, 0, 4000, 2000, host.DESKTOP_SIZE),
    )
    def test_more_than_was_asked_for(self, rectangle):
        """A few bytes have a client draw for ever."""
        client = self.started((4000, 2000))
        many = host.update(*[rectangle] * 65535)
        self.assert_refused(client, many, 'more than was asked')

    def test_updates_without_end(self):
        client = self.started()
        self.assert_refused(client, host.update() * 2**16, 'more than')

    def test_fuzz(self):
        """Nothing but the one error, and no more memory than a screen's."""
        seed = random.Random(8)
        compress = host.Compressor()
        stream = host.hello(*SIZE) + host.update(
            host.raw(host.plain('red')),
            compress(host.plain('white')),
            host.rectangle(0, 0, 8, 8, host.COPY, bytes(4)),
            host.rectangle(0, 0, 32, 32, host.DESKTOP_SIZE),
        )
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        refused = 0
        for _each in range(1500):
            data = bytearray(stream)
            for _change in range(seed.randint(1, 6)):
                data[seed.randrange(len(data))] = seed.choice(
                    (0, 1, 255, seed.randrange(256))
                )
            refused += self.is_refused(bytes(data), seed)
        # Others are cut off, or have other colours.
        self.assertGreater(refused, 100)
        self.assertLess(tracemalloc.get_traced_memory()[1], 2**25)

    def is_refused(self, data, seed):
        client = rfb.Client()
        try:
            while data:
                length = seed.randint(1, 2000)
                client.receive(data[:length])
                if client.screen is not None:
                    client.ask()
                data = data[length:]
        except exception.ProtocolBroken:
            return True
        return False
