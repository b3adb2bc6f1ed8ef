# SPDX-License-Identifier: Apache-2.0

import contextlib
import os
from unittest import mock

import ddt
import nova.privsep.utils
from nova.virt import images
from nova.virt.libvirt import imagebackend
from oslo_concurrency import processutils

from nova_newos import exception
from nova_newos.virt import capture
from tests.unit.virt import fakes


@ddt.ddt
class WantedTest(fakes.TestCase):
    @ddt.data(
        ('zstd', None, True),
        ('zlib', None, True),
        ('none', None, False),
        ('zstd', 'qcow2', True),
        ('zstd', 'raw', False),
        ('zstd', 'vmdk', False),
        ('none', 'qcow2', False),
    )
    @ddt.unpack
    def test_is_wanted(self, compression, image_format, expected):
        """An explicit format of the operator's wins."""
        self.flags('newos', capture_compression=compression)
        self.flags('libvirt', snapshot_image_format=image_format)
        self.assertIs(expected, capture.is_wanted())


@ddt.ddt
class ExtractTest(fakes.TestCase):
    def setUp(self):
        super().setUp()
        self.direct = self.patch(
            nova.privsep.utils, 'supports_direct_io', return_value=True
        )
        self.execute = self.patch(processutils, 'execute')

    def extract(self):
        capture.Capture().extract('/i/disk.newos', 'raw', '/s/t/target')

    @ddt.data(('zstd', True, 'none'), ('zlib', False, 'writeback'))
    @ddt.unpack
    def test_command(self, compression, direct, cache_mode):
        self.flags('newos', capture_compression=compression)
        self.direct.return_value = direct
        self.extract()
        command = ' '.join(self.execute.mock_calls[0].args)
        self.assertEqual(
            f'qemu-img convert -t {cache_mode} -f raw -O qcow2 -c '
            f'-o compression_type={compression} /i/disk.newos /s/t/target',
            command,
        )
        self.direct.assert_called_once_with('/s/t')

    def test_failure(self):
        self.execute.side_effect = processutils.ProcessExecutionError(
            stderr='qemu-img: no room\n'
        )
        with self.assertRaises(exception.CaptureFailed) as caught:
            self.extract()
        self.assertEqual('qemu-img: no room', caught.exception.reason)

    def test_failure_without_a_word(self):
        self.execute.side_effect = processutils.ProcessExecutionError(
            exit_code=-9
        )
        with self.assertRaises(exception.CaptureFailed) as caught:
            self.extract()
        self.assertIn('-9', caught.exception.reason)


class BackendTest(fakes.TestCase):
    def setUp(self):
        super().setUp()
        self.captures = capture.Captures()
        self.backend = capture.Backend(True, self.captures)
        self.instance = fakes.server(server_layout=fakes.LAYOUT)
        self.disk = os.path.join(self.directory(self.instance), 'disk.newos')
        with open(self.disk, 'wb') as file:
            file.truncate(2**20)

    def capture(self):
        """Where an extraction led, a mock of Capture.extract()."""
        image = self.backend.by_libvirt_path(
            self.instance, self.disk, image_type='qcow2'
        )
        with (
            mock.patch.object(images, 'convert_image') as stock,
            mock.patch.object(capture.Capture, 'extract') as ours,
        ):
            image.snapshot_extract('target', 'raw')
        self.assertEqual(1, stock.call_count + ours.call_count)
        return ours

    def test_under_way(self):
        with self.captures.under_way(self.instance):
            ours = self.capture()
        ours.assert_called_once_with(self.disk, 'qcow2', 'target')

    def test_of_another_server(self):
        other = fakes.server(server_layout=fakes.LAYOUT)
        other.uuid = fakes.OTHER
        with self.captures.under_way(other):
            self.capture().assert_not_called()

    def test_over(self):
        with contextlib.suppress(OSError):
            with self.captures.under_way(self.instance):
                raise OSError
        self.capture().assert_not_called()

    def test_backends_are_novas(self):
        image = self.backend.by_name(self.instance, 'disk', 'raw')
        self.assertIs(imagebackend.Flat, type(image))
