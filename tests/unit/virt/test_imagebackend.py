# SPDX-License-Identifier: Apache-2.0

import os
from unittest import mock

import ddt
from nova.virt import images
from nova.virt.libvirt import imagebackend as stock

from nova_newos.virt import imagebackend
from nova_newos.virt import snapshot
from tests.unit.virt import fakes


@ddt.ddt
class BackendTest(fakes.TestCase):
    def setUp(self):
        super().setUp()
        self.useFixture(fakes.Storage(self))
        self.backend = imagebackend.Backend(True)
        self.instance = fakes.server(server_layout=fakes.LAYOUT)
        self.disk = os.path.join(self.directory(self.instance), 'disk.newos')
        with open(self.disk, 'wb') as file:
            file.truncate(2**20)
        self.capture = snapshot.Capture(None)
        self.capture.extract = mock.Mock(side_effect=self.extracted)

    def extracted(self, *_args):
        self.capture._is_extracted = True

    def image(self, image_type='qcow2'):
        return self.backend.by_libvirt_path(
            self.instance, self.disk, image_type=image_type
        )

    @ddt.data('qcow2', 'raw')
    def test_under_way(self, image_type):
        with self.capture.under_way(self.instance):
            self.image(image_type).snapshot_extract('target', 'raw')
        self.capture.extract.assert_called_once_with(
            self.disk, image_type, 'target', 'raw'
        )

    def test_over(self):
        try:
            with self.capture.under_way(self.instance):
                raise OSError
        except OSError:
            self.assertIs(stock.Qcow2, type(self.image()))

    def test_left_to_nova(self):
        self.flags('newos', capture_compression='none')
        left = snapshot.Capture(None)
        left.extract = mock.Mock()
        with (
            mock.patch.object(images, 'convert_image') as convert,
            left.under_way(self.instance),
        ):
            self.image().snapshot_extract('target', 'raw')
        convert.assert_called_once()
        left.extract.assert_not_called()

    def test_backends_are_novas(self):
        self.assertIs(
            stock.Flat, type(self.backend.by_name(self.instance, 'd', 'raw'))
        )
        self.assertIs(stock.Flat, type(self.image('raw')))


class BlankTest(fakes.TestCase):
    """Raw disks; those with clusters are qemu-img's to know."""

    def is_blank(self, write):
        path = os.path.join(self.instances_path, 'disk')
        with open(path, 'wb') as disk:
            disk.truncate(2**30)
            write(disk)
        return imagebackend.is_blank(mock.Mock(path=path, driver_format='raw'))

    def test_blank(self):
        self.assertTrue(self.is_blank(lambda disk: None))

    def test_first_block_of_qemu_img(self):
        self.assertTrue(self.is_blank(lambda disk: disk.write(bytes(4096))))

    def test_boot_sector(self):
        self.assertFalse(self.is_blank(lambda disk: disk.write(b'boot')))

    def test_anywhere(self):
        def write(disk):
            disk.seek(2**29)
            # By its allocation, not its content.
            disk.write(bytes(4096))

        self.assertFalse(self.is_blank(write))

    def test_preallocated(self):
        def write(disk):
            os.posix_fallocate(disk.fileno(), 0, 2**20)

        self.assertTrue(self.is_blank(write))
