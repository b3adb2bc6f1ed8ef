# SPDX-License-Identifier: Apache-2.0

import contextlib
import os
import pathlib
from unittest import mock

import ddt
import nova.privsep.utils
from nova.virt import images
from nova.virt.libvirt import imagebackend
from oslo_concurrency import processutils

from nova_newos import exception
from nova_newos.golden import base
from nova_newos.virt import capture
from tests.unit.virt import fakes


@ddt.ddt
class DecisionTest(fakes.TestCase):
    @ddt.data(
        ('zstd', None, 'qcow2'),
        ('zlib', None, 'qcow2'),
        ('none', None, 'raw'),
        ('zstd', 'qcow2', 'qcow2'),
        ('zstd', 'raw', 'raw'),
        ('zstd', 'vmdk', 'raw'),
        ('none', 'qcow2', 'raw'),
    )
    @ddt.unpack
    def test_disk_format(self, compression, image_format, expected):
        """An explicit format of the operator's wins."""
        self.flags('newos', capture_compression=compression)
        self.flags('libvirt', snapshot_image_format=image_format)
        made = capture.Capture()
        self.assertEqual(expected, made.disk_format('raw'))
        self.assertIs(expected == 'qcow2', made.is_wanted)

    def test_wanted_for_what_is_done_to_the_copy(self):
        self.flags('newos', capture_compression='none')
        self.assertIs(True, capture.Capture(finish=mock.Mock()).is_wanted)


@ddt.ddt
class ExtractTest(fakes.TestCase):
    def setUp(self):
        super().setUp()
        self.direct = self.patch(
            nova.privsep.utils, 'supports_direct_io', return_value=True
        )
        self.execute = self.patch(processutils, 'execute')
        self.target = f'{self.instances_path}/target'

    def extract(self, finish=None):
        made = capture.Capture({'known': 'before'}, finish)
        made.extract('/i/disk.newos', 'raw', self.target, 'raw')
        return made.properties

    def commands(self):
        return [' '.join(call.args) for call in self.execute.mock_calls]

    @ddt.data('zstd', 'zlib')
    def test_command(self, compression):
        self.flags('newos', capture_compression=compression)
        self.extract()
        self.assertEqual(
            [
                'qemu-img convert -W -t writeback -c '
                f'-o compression_type={compression} -f raw -O qcow2 '
                f'/i/disk.newos {self.target}'
            ],
            self.commands(),
        )

    @ddt.data(
        (
            'zstd',
            '-W -t writeback -c -o compression_type=zstd -f qcow2 -O qcow2',
        ),
        ('none', '-t none -f qcow2 -O raw'),
    )
    @ddt.unpack
    def test_finished_copy(self, compression, how):
        """What is done is done to an overlay, never to the disk itself."""
        self.flags('newos', capture_compression=compression)
        overlay = f'{self.target}.overlay'
        seen = []

        def finish(disk):
            seen.append((disk, len(self.execute.mock_calls)))
            with open(overlay, 'w'):
                pass
            return {'found': 'now'}

        self.assertEqual(
            {'known': 'before', 'found': 'now'}, self.extract(finish)
        )
        self.assertEqual([(base.Disk(overlay, 'qcow2'), 1)], seen)
        self.assertEqual(
            [
                'qemu-img create -q -f qcow2 -b /i/disk.newos -F raw '
                + overlay,
                f'qemu-img convert {how} {overlay} {self.target}',
            ],
            self.commands(),
        )
        self.assertEqual([], os.listdir(self.instances_path))

    def test_compressed_as_nova_would(self):
        self.flags('newos', capture_compression='none')
        self.flags('libvirt', snapshot_compression=True)
        made = capture.Capture(
            finish=lambda disk: pathlib.Path(disk.path).touch() or {}
        )
        made.extract('/i/disk.newos', 'raw', self.target, 'qcow2')
        self.assertIn('-t none -c -f qcow2 -O qcow2 ', self.commands()[1])
        self.direct.return_value = False
        made.extract('/i/disk.newos', 'raw', self.target, 'raw')
        self.assertIn('-t writeback -f qcow2 -O raw ', self.commands()[3])
        self.direct.assert_called_with(self.instances_path)

    def test_finish_refuses(self):
        """Nothing is copied."""
        finish = mock.Mock(
            side_effect=exception.VerdictRefused(facts='cloud_init=false')
        )
        with self.assertRaises(exception.VerdictRefused):
            self.extract(finish)
        self.assertEqual(1, len(self.execute.mock_calls))

    def test_extracted(self):
        made = capture.Capture()
        self.assertIs(False, made.is_extracted)
        made.extract('/i/disk.newos', 'raw', self.target, 'raw')
        self.assertIs(True, made.is_extracted)

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

    def under_way(self, instance=None, extracted=True):
        made = capture.Capture()
        made.is_extracted = extracted
        return self.captures.under_way(instance or self.instance, made)

    def test_under_way(self):
        with self.under_way():
            ours = self.capture()
        ours.assert_called_once_with(self.disk, 'qcow2', 'target', 'raw')

    def test_of_another_server(self):
        other = fakes.server(server_layout=fakes.LAYOUT)
        other.uuid = fakes.OTHER
        with self.under_way(other):
            self.capture().assert_not_called()

    def test_over(self):
        with contextlib.suppress(OSError):
            with self.under_way():
                raise OSError
        self.capture().assert_not_called()

    def test_second_at_the_same_time(self):
        """It is refused, and the first one is not affected."""
        with self.under_way():
            with self.assertRaises(exception.CaptureFailed):
                with self.under_way():
                    self.fail('entered')
            self.capture().assert_called_once()

    def test_nova_went_another_way(self):
        """Rather none than one that was to be sealed and is not."""
        with self.assertRaises(exception.CaptureFailed):
            with self.under_way(extracted=False):
                pass
        self.assertIsNone(self.captures.of(self.instance))

    def test_left_to_nova(self):
        self.flags('newos', capture_compression='none')
        with self.under_way(extracted=False):
            self.capture().assert_not_called()

    def test_backends_are_novas(self):
        image = self.backend.by_name(self.instance, 'disk', 'raw')
        self.assertIs(imagebackend.Flat, type(image))
