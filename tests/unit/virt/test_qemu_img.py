# SPDX-License-Identifier: Apache-2.0

import ddt
from oslo_concurrency import processutils

from nova_newos.virt import qemu_img
from tests.unit.virt import fakes


@ddt.ddt
class CommandTest(fakes.TestCase):
    """Each command line, with each format given."""

    def setUp(self):
        super().setUp()
        self.execute = self.patch(processutils, 'execute')

    def command(self):
        [call] = self.execute.mock_calls
        return ' '.join(map(str, call.args))

    @ddt.data(
        ('{"check-errors": 0}', True),
        ('{"check-errors": 0, "allocated-clusters": 3}', False),
        # The host lost power before the table that names them was written.
        ('{"check-errors": 0, "leaks": 1}', False),
        ('{"check-errors": 0, "corruptions": 1}', False),
        ('{"check-errors": 1}', False),
    )
    @ddt.unpack
    def test_is_blank(self, output, expected):
        self.execute.return_value = (output, '')
        self.assertIs(expected, qemu_img.is_blank('/i/disk', 'qcow2'))
        self.assertEqual(
            'qemu-img check --force-share --output=json -f qcow2 /i/disk',
            self.command(),
        )
        self.assertEqual(
            [0, 2, 3], self.execute.mock_calls[0].kwargs['check_exit_code']
        )

    def test_resize(self):
        qemu_img.resize('/i/disk', 'raw', 5)
        self.assertEqual('qemu-img resize -f raw /i/disk 5', self.command())

    def test_write(self):
        qemu_img.write('/i/disk', 'qcow2', 100, b'\x01\xff')
        self.assertEqual(
            'qemu-io -f qcow2 -c write -q -P 1 100 1 '
            '-c write -q -P 255 101 1 /i/disk',
            self.command(),
        )

    def test_create_overlay(self):
        qemu_img.create_overlay('/s/overlay', '/i/disk', 'raw')
        self.assertEqual(
            'qemu-img create -q -f qcow2 -b /i/disk -F raw /s/overlay',
            self.command(),
        )

    @ddt.data('zstd', 'zlib')
    def test_convert_compressed(self, compression):
        qemu_img.convert_compressed('/i/disk', 'raw', '/s/image', compression)
        self.assertEqual(
            'qemu-img convert -W -t writeback -c '
            f'-o compression_type={compression} -f raw -O qcow2 '
            '/i/disk /s/image',
            self.command(),
        )

    @ddt.data(
        (True, False, '-t none'),
        (False, False, '-t writeback'),
        (True, True, '-t none -c'),
    )
    @ddt.unpack
    def test_convert(self, direct, compress, how):
        qemu_img.convert(
            '/i/disk', 'qcow2', '/s/image', 'raw', direct, compress
        )
        self.assertEqual(
            f'qemu-img convert {how} -f qcow2 -O raw /i/disk /s/image',
            self.command(),
        )
